"""What a tick would do can be seen beforehand, and looking changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import func, select, update

from outreach import tables
from outreach.bootstrap import App, opened
from outreach.config import Settings
from outreach.errors import NotFound
from outreach.insight import today as module
from outreach.insight.steps import by_step_and_outcome
from outreach.insight.today import Today, today
from outreach.store.types import metadata, new_id, table_of
from tests import builders as make
from tests.installations import initialise
from tests.stories.living import lived

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
task = table_of(tables.operations.Task)
attempt = table_of(tables.messages.Attempt)


@pytest.fixture
def book(settings: Settings) -> Settings:
    """Jan is due, Eva not yet, Piet has no address, Klaas disputes for ever, Mia until Friday; Zon is another's."""
    initialise(settings, is_trial=True)
    with opened(settings) as app, app.store.transaction() as conn:
        who = make.a_creditor(conn)
        make.a_claim(conn, make.a_debtor(conn, who, "JAN"), "F1", due=date(2026, 11, 20))
        eva = make.a_debtor(conn, who, "EVA", email="eva@example.net")
        make.a_claim(conn, eva, "F2", due=date(2026, 12, 20))
        make.a_claim(conn, make.a_debtor(conn, who, "PIET", email=None), "F3", due=date(2026, 11, 20))
        for number, until_at in (("KLAAS", None), ("MIA", NOW + timedelta(days=3))):
            debtor = make.a_debtor(conn, who, number, email=f"{number.lower()}@example.net")
            claim = make.a_claim(conn, debtor, f"F-{number}", due=date(2026, 11, 20))
            make.a_stop(conn, "dispute", "claim", claim_id=claim, until_at=until_at)
        other = make.a_creditor(conn, "ZON", payments_until_on=date(2026, 11, 1))
        zon = make.a_debtor(conn, other, "ZOE", email="zoe@example.net")
        make.a_claim(conn, zon, "Z1", due=date(2026, 11, 20))
    return settings


@pytest.fixture
def app(book: Settings) -> Iterator[App]:
    """The opened installation."""
    with opened(book) as it:
        yield it


def seen(app: App, at: datetime = NOW, creditor: str | None = None, limit: int = 20) -> Today:
    """Look at the day."""
    with app.store.reading() as conn:
        return today(conn, app.planner(), at, creditor, limit)


def waits(found: Today) -> dict[str, int]:
    """How many units wait, by why."""
    return {one.code: one.units for one in found.waits}


def test_every_unit_that_is_due_became_exactly_one_thing(app: App) -> None:
    """What goes out, waits, is stopped or needs a task adds up to what is due."""
    found = seen(app)
    assert found.due == sum(found.became.values()) == 6
    assert [(one.channel, one.step, one.ready, one.planned) for one in found.out] == [
        ("email", "reminder", 0, 1)
    ]
    assert [one.debtor for one in found.out_rows] == ["JAN"]
    assert waits(found) == {"not_yet_due": 1, "dispute": 1, "payments_before_due": 1}
    assert {one.code: one.units for one in found.stopped} == {"dispute": 1}
    assert found.tasks_to_open == {"no_contact_point": 1}
    assert {one.debtor: one.until for one in found.waits_rows}["MIA"] == NOW + timedelta(days=3)
    assert [(one.creditor, one.code) for one in found.stuck.off] == [("ZON", "payments_stale")]


def test_looking_writes_nothing(app: App) -> None:
    """Every table has as many rows after it as before."""

    def sizes() -> dict[str, int]:
        with app.store.reading() as conn:
            return {
                name: conn.execute(select(func.count()).select_from(table)).scalar_one()
                for name, table in metadata.tables.items()
            }

    before = sizes()
    seen(app)
    assert sizes() == before


def test_what_was_said_would_happen_is_what_a_tick_does(book: Settings) -> None:
    """The same units, the same outcomes; afterwards the rest is told from what was recorded."""
    with opened(book) as app:
        before = seen(app)
    [report] = lived(book, [NOW])
    assert report.handed_over["accepted"] == sum(one.planned for one in before.out) == 1
    with opened(book) as app:
        after = seen(app, NOW + timedelta(minutes=1))
    assert (after.due, after.out) == (0, [])
    assert waits(after) == {**waits(before), "handed_over": 1}
    assert {one.code: one.units for one in after.stopped} == {"dispute": 1}
    assert [(one.kind, one.tasks, one.overdue) for one in after.stuck.work] == [("no_contact_point", 1, 0)]
    assert {one.debtor for one in after.stuck.tasks} == {"PIET"}


def test_batches_give_no_place_twice(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """A person with two dossiers gets one message, also where these are looked at in different batches."""
    with app.store.transaction() as conn:
        [jan] = make.rows(conn, tables.parties.Debtor, external_id="JAN")
        second = make.a_debtor(conn, jan.creditor_id, "JAN2", email=None, person_id=jan.person_id)
        make.a_claim(conn, second, "F9", due=date(2026, 11, 20))
    whole = seen(app)
    monkeypatch.setattr(module, "BATCH", 1)
    single = seen(app)
    assert sum(one.planned for one in whole.out) == sum(one.planned for one in single.out) == 1
    assert waits(single) == waits(whole)


def test_what_lies_ready_goes_out_until_sending_is_off(app: App) -> None:
    """A composed message counts as ready; with sending off nothing goes, and the list says so."""
    with app.store.transaction() as conn:
        [jan] = make.rows(conn, tables.parties.Debtor, external_id="JAN")
    _plan(app)
    found = seen(app, NOW + timedelta(minutes=1))
    assert [(one.step, one.ready, one.planned) for one in found.out] == [("reminder", 1, 0)]
    assert [(one.debtor, one.ready) for one in found.out_rows] == [("JAN", True)]
    with app.store.transaction() as conn:
        conn.execute(update(table_of(tables.operations.Installation)).values(sending=False))
    found = seen(app, NOW + timedelta(minutes=2))
    assert (found.out, found.stuck.sending_off) == ([], True)
    assert jan.person_id


def _plan(app: App) -> None:
    """Plan without sending."""
    with app.store.transaction() as conn:
        tick = make.insert_row(conn, table_of(tables.messages.Tick), at=NOW, started_at=NOW, selected=0)
    asyncio.run(app.planner().plan_due(NOW, tick))


def test_one_creditor_is_looked_at_alone(app: App) -> None:
    """Nothing of another creditor is counted; one that is not there is said to be so."""
    found = seen(app, creditor="ZON")
    assert (found.due, found.out, waits(found)) == (1, [], {"payments_before_due": 1})
    assert found.stuck.stops == []
    with pytest.raises(NotFound, match="NIX"):
        seen(app, creditor="NIX")


def test_a_limit_cuts_rows_and_no_totals(app: App) -> None:
    """Only what is listed is shortened."""
    found = seen(app, limit=1)
    assert len(found.waits_rows) == 1
    assert found.became == seen(app).became


def test_stuck_work_stands_with_its_owner_the_overdue_first(app: App) -> None:
    """Tasks by kind; a hand-over in doubt; stops without an end, but none that ends or is lifted."""
    with app.store.transaction() as conn:
        _a_task(conn, "note", NOW + timedelta(days=1), "staff:bo")
        _a_task(conn, "call", NOW - timedelta(days=1), "staff:an")
        [mia] = make.rows(conn, tables.parties.Debtor, external_id="MIA")
        make.a_stop(conn, "hold", "person", person_id=mia.person_id, lifted_at=NOW, lifted_by="staff:an")
    found = seen(app).stuck
    assert [(one.kind, one.tasks, one.overdue) for one in found.work] == [("call", 1, 1), ("note", 1, 0)]
    assert [(one.owner, one.overdue) for one in found.tasks] == [("staff:an", True), ("staff:bo", False)]
    assert [(one.kind, one.scope, one.stops) for one in found.stops] == [("dispute", "claim", 1)]


def _a_task(conn: object, kind: str, due_at: datetime, owner: str) -> int:
    values = {"kind": kind, "subject": new_id(), "due_at": due_at, "owner": owner, "opened_at": NOW}
    defaults = dict.fromkeys(
        ["reason_code", "currency", "step", "strategy_hash", "department", "closed_code"], ""
    )
    return make.insert_row(conn, task, pseudonym=new_id(), **values, **defaults)  # type: ignore[arg-type]


def test_a_hand_over_in_doubt_is_stuck(book: Settings) -> None:
    """Nobody knows whether it arrived: a person must find out."""
    lived(book, [NOW])
    with opened(book) as app:
        with app.store.transaction() as conn:
            conn.execute(update(attempt).values(state="in_doubt"))
        found = seen(app, NOW + timedelta(hours=1)).stuck
        assert found.in_doubt_total == 1
        assert [(one.debtor, one.channel) for one in found.in_doubt] == [("JAN", "email")]
        assert seen(app, NOW + timedelta(hours=1), "ZON").stuck.in_doubt_total == 0


@pytest.mark.parametrize(
    ("happens", "days", "outcome"),
    [
        ("paid", 5, "paid"),
        ("paid", 15, "nothing"),
        ("dispute", 5, "dispute"),
        ("bounced", 0, "returned"),
        ("nothing", 0, "nothing"),
    ],
)
def test_every_message_comes_to_exactly_one_outcome(
    book: Settings, happens: str, days: int, outcome: str
) -> None:
    """Within fourteen days after it; before those are over nothing is not yet nothing."""
    lived(book, [NOW])
    on = NOW.date() + timedelta(days=days)
    with opened(book) as app, app.store.transaction() as conn:
        [jan] = make.rows(conn, tables.parties.Debtor, external_id="JAN")
        [claim] = make.rows(conn, tables.claims.Claim, external_id="F1")
        if happens == "paid":
            whose = make.Debtor(jan.creditor_id, jan.person_id, jan.id, claim.dossier_id, None)
            make.a_payment(conn, whose, claim.id, 6420, on)
        elif happens == "dispute":
            make.a_stop(conn, "dispute", "claim", claim_id=claim.id, from_at=NOW + timedelta(days=days))
        elif happens == "bounced":
            conn.execute(update(attempt).values(state="bounced"))
        [row] = by_step_and_outcome(conn, NOW.date() + timedelta(days=30))
        assert (row.step, row.outcome, row.messages) == ("reminder", outcome, 1)
        [row] = by_step_and_outcome(conn, NOW.date())
        assert row.outcome == ("returned" if happens == "bounced" else "not_yet")
        assert by_step_and_outcome(conn, NOW.date() - timedelta(days=1)) == []
