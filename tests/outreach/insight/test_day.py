"""The manager's list: everything open with what was said of it, and everybody who needs a person."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import typer
from sqlalchemy import Connection, event, update
from typer.testing import CliRunner

from outreach import tables
from outreach.bootstrap import App, opened
from outreach.cli import day as commands
from outreach.cli.output import Output
from outreach.config import Settings
from outreach.correspondence import log
from outreach.insight.day import Day, OpenItem, day
from outreach.store.types import new_id, table_of
from tests import builders as make
from tests.installations import initialise
from tests.stories.living import lived

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
LATER = NOW + timedelta(days=8)
arrangement = table_of(tables.claims.Arrangement)
signal = table_of(tables.claims.Signal)
party = table_of(tables.parties.DossierParty)
task = table_of(tables.operations.Task)


@pytest.fixture
def told(settings: Settings) -> Settings:
    """Jan and Eva were reminded twice; Klaas disputes and was told nothing."""
    initialise(settings, is_trial=True)
    with opened(settings) as app, app.store.transaction() as conn:
        who = make.a_creditor(conn)
        make.a_claim(conn, make.a_debtor(conn, who, "JAN"), "F1", due=date(2026, 11, 20))
        eva = make.a_debtor(conn, who, "EVA", email="eva@example.net")
        make.a_claim(conn, eva, "F2", due=date(2026, 11, 21), cents=10_000)
        klaas = make.a_debtor(conn, who, "KLAAS", email="klaas@example.net")
        claim = make.a_claim(conn, klaas, "F3", due=date(2026, 11, 22))
        make.a_stop(conn, "dispute", "claim", claim_id=claim)
    lived(settings, [NOW, NOW + timedelta(days=7)])
    return settings


@pytest.fixture
def app(told: Settings) -> Iterator[App]:
    """The opened installation."""
    with opened(told) as it:
        yield it


def seen(app: App, at: datetime = LATER, creditor: str | None = None, limit: int | None = None) -> Day:
    """The list at a moment."""
    with app.store.reading() as conn:
        return day(conn, app.planner(), at, creditor, limit)


def debtor_of(conn: Connection, number: str) -> make.Debtor:
    """The keys of a debtor that the book holds."""
    [row] = make.rows(conn, tables.parties.Debtor, external_id=number)
    [dossier] = make.rows(conn, tables.parties.Dossier, debtor_id=row.id)
    return make.Debtor(row.creditor_id, row.person_id, row.id, dossier.id, None)


def claim_of(conn: Connection, number: str) -> int:
    """The key of a claim."""
    [row] = make.rows(conn, tables.claims.Claim, external_id=number)
    return int(row.id)


def an_arrangement(conn: Connection, whose: make.Debtor, **values: Any) -> int:
    """A promise made on the day of the second message."""
    row = {
        "pseudonym": new_id(),
        "kind": "promise",
        "state": "running",
        "dossier_id": whose.dossier_id,
        "person_id": whose.person_id,
        "currency": "EUR",
        "total_cents": 6420,
        "agreed_at": NOW + timedelta(days=7),
        "starts_on": date(2026, 12, 1),
        "ends_on": date(2026, 12, 10),
        "missed": 0,
        "set_by": "staff:test",
    }
    return make.insert_row(conn, arrangement, **(row | values))


def test_open_items_stand_with_what_was_said_and_what_comes(app: App) -> None:
    """The longest overdue first, each with its last and next step, its last account and what pauses it."""
    found = seen(app)
    assert [(one.currency, one.count, one.cents) for one in found.open_totals] == [("EUR", 3, 22_840)]
    items = {one.debtor: one for one in found.open_items}
    assert list(items) == ["JAN", "EVA", "KLAAS"]
    jan, klaas = items["JAN"], items["KLAAS"]
    assert (jan.invoice, jan.open_cents, jan.last_step, jan.last_on, jan.steps_taken) == (
        "F1",
        6420,
        "reminder_again",
        date(2026, 12, 1),
        2,
    )
    assert jan.account_on == date(2026, 12, 1)
    assert (klaas.last_step, klaas.steps_taken, klaas.paused) == ("", 0, "dispute")
    assert klaas.account == "stopped: dispute"
    with app.store.transaction() as conn:
        make.a_claim(conn, debtor_of(conn, "KLAAS"), "F8", due=date(2026, 12, 20))
    last = seen(app).open_items[-1]
    assert (last.invoice, last.next_step, last.next_on) == ("F8", "reminder", date(2026, 12, 21))


def test_the_totals_are_the_sum_of_the_rows_whatever_the_limit(app: App) -> None:
    """A part payment lowers both; a claim that is paid is in neither; a later booking counts from its day."""
    with app.store.transaction() as conn:
        make.a_payment(conn, debtor_of(conn, "JAN"), claim_of(conn, "F1"), 420, date(2026, 12, 2))
        make.a_payment(conn, debtor_of(conn, "EVA"), claim_of(conn, "F2"), 10_000, date(2026, 12, 2))
        make.a_payment(conn, debtor_of(conn, "KLAAS"), claim_of(conn, "F3"), 100, date(2026, 12, 3))
    found = seen(app)
    [total] = found.open_totals
    assert total.cents == sum(one.open_cents for one in found.open_items) == 6000 + 6420
    assert total.count == len(found.open_items) == 2
    short = seen(app, limit=1)
    assert (short.open_totals, len(short.open_items)) == (found.open_totals, 1)


def _pays(conn: Connection, whose: make.Debtor) -> None:
    make.a_payment(conn, whose, claim_of(conn, "F1"), 100, date(2026, 11, 30))


def _paid_before(conn: Connection, whose: make.Debtor) -> None:
    make.a_payment(conn, whose, claim_of(conn, "F1"), 100, date(2026, 11, 23))


def _arranges(conn: Connection, whose: make.Debtor) -> None:
    an_arrangement(conn, whose)


def _answers(conn: Connection, whose: make.Debtor) -> None:
    [dossier] = make.rows(conn, tables.parties.Dossier, id=whose.dossier_id)
    entry = log.Entry(
        type="conversation", at=NOW + timedelta(days=1), actor="staff:an", dossier=dossier.pseudonym
    )
    log.append(conn, [entry])


def _call(conn: Connection, whose: make.Debtor, *, reached: bool) -> None:
    make.insert_row(
        conn,
        table_of(tables.claims.StepDone),
        claim_id=claim_of(conn, "F1"),
        person_id=whose.person_id,
        step="call",
        strategy_hash="",
        tone="",
        how="call",
        reached=reached,
        counts=True,
        at=NOW + timedelta(days=2),
        actor="staff:an",
    )


def _reached(conn: Connection, whose: make.Debtor) -> None:
    _call(conn, whose, reached=True)


def _not_reached(conn: Connection, whose: make.Debtor) -> None:
    _call(conn, whose, reached=False)


@pytest.mark.parametrize(
    ("happens", "is_silent"),
    [
        (None, True),
        (_paid_before, True),
        (_not_reached, True),
        (_pays, False),
        (_arranges, False),
        (_answers, False),
        (_reached, False),
    ],
)
def test_who_does_not_respond_was_told_twice_and_did_nothing_since(
    app: App, happens: Any, is_silent: bool
) -> None:
    """A payment, an arrangement, a call that reached them or words of theirs are a reaction."""
    if happens is not None:
        with app.store.transaction() as conn:
            happens(conn, debtor_of(conn, "JAN"))
    found = seen(app)
    assert ("JAN" in {one.debtor for one in found.silent}) is is_silent
    assert "EVA" in {one.debtor for one in found.silent}
    assert "KLAAS" not in {one.debtor for one in found.silent}
    assert found.silent_total == len(found.silent)


def test_one_message_is_not_yet_silence(app: App) -> None:
    """Between the first and the second nobody is called silent; with everything paid neither."""
    assert seen(app, NOW + timedelta(days=1)).silent == []
    with app.store.transaction() as conn:
        make.a_payment(conn, debtor_of(conn, "JAN"), claim_of(conn, "F1"), 6420, date(2026, 12, 2))
    assert [one.debtor for one in seen(app).silent] == ["EVA"]


def test_unmatched_payments_stand_until_they_are_placed(app: App) -> None:
    """With and without a known payer; what is placed is not among them."""
    with app.store.transaction() as conn:
        eva = debtor_of(conn, "EVA")
        known = make.a_payment(conn, eva, claim_of(conn, "F2"), 5000, date(2026, 11, 30))
        payment = table_of(tables.claims.Payment)
        conn.execute(update(payment).where(payment.c.id == known).values(unplaced_cents=1500))
        make.a_payment(conn, eva, claim_of(conn, "F1"), 100, date(2026, 11, 30))
    found = seen(app)
    assert [(one.count, one.cents) for one in found.unplaced_totals] == [(1, 1500)]
    assert [(one.debtor, one.unplaced_cents) for one in found.unplaced] == [("EVA", 1500)]


def test_who_needs_attention_stands_under_the_reason(app: App) -> None:
    """What is old, ended well or not yet late is left out."""
    with app.store.transaction() as conn:
        jan, eva, klaas = (debtor_of(conn, number) for number in ("JAN", "EVA", "KLAAS"))
        an_arrangement(conn, jan, state="broken", ended_at=LATER - timedelta(days=1), ended_by="job:x")
        an_arrangement(conn, eva, state="broken", ended_at=LATER - timedelta(days=15), ended_by="job:x")
        an_arrangement(conn, eva, kind="plan", missed=1)
        conn.execute(update(party).where(party.c.dossier_id == klaas.dossier_id).values(triage="help"))
        for on in (LATER.date(), LATER.date() - timedelta(days=14)):
            make.insert_row(
                conn,
                signal,
                kind="money_trouble",
                dossier_id=eva.dossier_id,
                claim_id=None,
                on_date=on,
                set_by="staff:an",
                at=LATER,
            )
        conn.execute(
            update(table_of(tables.messages.Attempt))
            .where(table_of(tables.messages.Attempt).c.person_id == jan.person_id)
            .values(state="returned", settled_at=LATER - timedelta(days=2))
        )
        for due_at in (LATER - timedelta(hours=1), LATER + timedelta(hours=1)):
            words = dict.fromkeys(
                ["reason_code", "currency", "step", "strategy_hash", "department", "closed_code"], ""
            )
            make.insert_row(
                conn,
                task,
                pseudonym=new_id(),
                kind="note",
                subject=new_id(),
                dossier_id=klaas.dossier_id,
                opened_at=NOW,
                due_at=due_at,
                owner="staff:bo",
                **words,
            )
    found = seen(app)
    assert [(one.why, one.debtor, one.what) for one in found.attention if one.why != "mail_returned"] == [
        ("overdue_task", "KLAAS", "note"),
        ("promise_broken", "JAN", "promise"),
        ("instalment_missed", "EVA", "plan"),
        ("triage", "KLAAS", "help"),
        ("signal", "EVA", "money_trouble"),
    ]
    assert found.attention_totals["mail_returned"] == 2
    items = {one.debtor: one for one in found.open_items}
    assert items["EVA"].paused == "plan, 1 missed"
    assert {one.kind: (one.broken, one.running) for one in found.kept} == {"plan": (0, 1), "promise": (2, 0)}


def test_the_list_asks_as_much_of_the_database_for_ten_as_for_one(app: App) -> None:
    """A fixed number of queries for a batch, whatever it holds."""

    def queries() -> int:
        counted: list[str] = []
        with app.store.reading() as conn:
            event.listen(conn, "before_cursor_execute", lambda *args: counted.append(args[2]))
            day(conn, app.planner(), LATER)
        return len(counted)

    few = queries()
    with app.store.transaction() as conn:
        [who] = make.rows(conn, tables.parties.Creditor, code="WOON")
        for number in range(10):
            debtor = make.a_debtor(conn, who.id, f"N{number}", email=f"n{number}@example.net")
            make.a_claim(conn, debtor, f"N{number}", due=date(2026, 11, 20))
    assert queries() == few


def test_the_commands_print_tables_and_all_rows_as_json(
    told: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A limit shortens tables for people; a machine gets every row of the manager's list."""
    app = typer.Typer()
    commands.register(app)

    @app.callback()
    def options(ctx: typer.Context, as_json: bool = typer.Option(False, "--json")) -> None:
        ctx.obj = Output(as_json=as_json)

    monkeypatch.setenv("OUTREACH_DATA_DIR", str(told.data_dir))
    monkeypatch.setenv("OUTREACH_DATABASE_URL", told.database_url)
    at = ["--at", LATER.isoformat(), "--limit", "1"]
    shown = CliRunner().invoke(app, ["day", *at])
    assert shown.exit_code == 0, shown.output
    assert "Open items: 3 of EUR 228.40 (the first 1 of 3)" in shown.output
    assert "No response: 2 (the first 1 of 2)" in shown.output
    given = json.loads(CliRunner().invoke(app, ["--json", "day", *at]).output)
    assert len(given["open_items"]) == 3
    shown = CliRunner().invoke(app, ["today", *at])
    assert shown.exit_code == 0, shown.output
    assert "Stops without an end" in shown.output
    given = json.loads(CliRunner().invoke(app, ["--json", "today", *at]).output)
    assert given["due"] == sum(given["became"].values())


def test_an_item_without_anything_said_is_empty_and_not_missing() -> None:
    """A dossier with nobody to write to still stands in the list."""
    item = OpenItem("WOON", "JAN", "F1", NOW.date(), "EUR", 1)
    assert (item.last_step, item.next_step, item.account, item.paused) == ("", "", "", "")
