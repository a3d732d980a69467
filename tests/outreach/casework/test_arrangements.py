"""Promises, deferrals and plans as they are made and ended, on both databases."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, update

from outreach import tables
from outreach.bootstrap import App, opened
from outreach.casework import arrangements, endings
from outreach.casework.grounds import Whose
from outreach.config import Settings
from outreach.errors import NotFound, OutreachError, Refused, UsageError
from tests import builders as make
from tests.installations import initialise

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
"""A Monday morning."""
TODAY = NOW.date()
DUE = date(2026, 11, 2)
STAFF = "staff:ans"


@pytest.fixture
def app(settings: Settings) -> Iterator[App]:
    """A new installation on each database."""
    initialise(settings, is_trial=True)
    with opened(settings) as made:
        yield made


def jan(conn: Connection, **policy: Any) -> make.Debtor:
    """A debtor who owes two bills of together € 128,40."""
    whose = make.a_debtor(conn, make.a_creditor(conn, **policy))
    make.a_claim(conn, whose, "F1", due=DUE)
    make.a_claim(conn, whose, "F2", due=DUE + timedelta(days=7))
    return whose


def about(whose: make.Debtor, *claims: int, currency: str = "EUR") -> Whose:
    """An arrangement of the debtor."""
    return Whose(whose.dossier_id, whose.person_id, currency, claims)


def kept(app: App, model: Any, **where: Any) -> list[Any]:
    """The rows of a table."""
    with app.store.reading() as conn:
        return make.rows(conn, model, **where)


def entries(app: App, type_: str) -> list[tuple[str, ...]]:
    """The codes of the entries of a type."""
    rows = kept(app, tables.correspondence.LogEntry, type=type_)
    return [tuple(json.loads(row.reasons)) for row in rows]


def test_a_promise_pauses_the_dossier_until_its_grace_is_over(app: App) -> None:
    """One commit holds the promise, its instalment, its stop, the wish to confirm it, and its entries."""
    on = TODAY + timedelta(days=10)
    with app.store.transaction() as conn:
        whose = jan(conn)
        made = arrangements.promise(conn, about(whose), on, STAFF, NOW)
    (row,) = kept(app, tables.claims.Arrangement)
    assert (row.kind, row.state, row.total_cents, row.ends_on, row.set_by) == (
        "promise",
        "running",
        12_840,
        on,
        STAFF,
    )
    (part,) = kept(app, tables.claims.Instalment)
    assert (part.number, part.due_on, part.amount_cents, part.state) == (1, on, 12_840, "open")
    (stop,) = kept(app, tables.claims.Stop)
    assert (stop.kind, stop.scope, stop.dossier_id, stop.arrangement_id) == (
        "promise",
        "dossier",
        whose.dossier_id,
        row.id,
    )
    # Five days of grace after 3 December, and then the start of the day after, in Amsterdam.
    assert stop.until_at == datetime(2026, 12, 8, 23, tzinfo=UTC)
    (wish,) = kept(app, tables.messages.ServiceMessage)
    assert (wish.template, wish.purpose, wish.arrangement_id) == ("promise_confirmed", "confirmation", row.id)
    assert wish.until_at == NOW + timedelta(days=7)
    assert entries(app, "arrangement_made") == [("promise", made.pseudonym)]
    assert entries(app, "stop_set") == [("promise", "dossier", stop.pseudonym)]
    assert len(entries(app, "service_message_asked")) == 1


def test_a_promise_of_a_part_leaves_the_rest(app: App) -> None:
    """Somebody may promise less than everything; more than is asked, or nothing, is refused."""
    with app.store.transaction() as conn:
        whose = about(jan(conn))
        for cents in (0, 12_841):
            with pytest.raises(UsageError, match=r"at most what is asked, EUR 128\.40"):
                arrangements.promise(conn, whose, TODAY, STAFF, NOW, cents=cents)
        made = arrangements.promise(conn, whose, TODAY, STAFF, NOW, cents=5_000)
    assert [part.cents for part in made.parts] == [5_000]


def test_a_deferral_has_no_instalments(app: App) -> None:
    """Nothing is asked until its date and the days of grace are over."""
    with app.store.transaction() as conn:
        arrangements.defer(conn, about(jan(conn)), date(2026, 12, 18), STAFF, NOW)
    assert kept(app, tables.claims.Instalment) == []
    (stop,) = kept(app, tables.claims.Stop)
    assert (stop.kind, stop.until_at) == ("deferral", datetime(2026, 12, 23, 23, tzinfo=UTC))
    (wish,) = kept(app, tables.messages.ServiceMessage)
    assert wish.template == "deferral_confirmed"


def test_a_plan_pauses_without_an_end_and_follows_the_income(app: App) -> None:
    """Its instalments fall due the day after income; only its end lifts the stop."""
    with app.store.transaction() as conn:
        whose = jan(conn)
        conn.execute(update(make.person).where(make.person.c.id == whose.person_id).values(income_day=24))
        made = arrangements.plan(conn, about(whose), STAFF, NOW, parts=3)
    assert [(part.due_on, part.cents) for part in made.parts] == [
        (date(2026, 12, 28), 4_280),
        (date(2027, 1, 25), 4_280),
        (date(2027, 2, 25), 4_280),
    ]
    (first, second) = kept(app, tables.claims.Claim)
    stops = kept(app, tables.claims.Stop)
    assert {(stop.kind, stop.until_at, stop.scope) for stop in stops} == {("arrangement", None, "claim")}
    # A bill that comes while the plan runs has its own reminders.
    assert {stop.claim_id for stop in stops} == {first.id, second.id}
    (wish,) = kept(app, tables.messages.ServiceMessage)
    assert wish.template == "arrangement_confirmed"


def test_a_plan_takes_as_many_instalments_as_policy_allows(app: App) -> None:
    """Where nobody says in how many, the instalments are as small as the creditor's floor lets them be."""
    with app.store.transaction() as conn:
        made = arrangements.plan(conn, about(jan(conn)), STAFF, NOW)
    assert len(made.parts) == 5
    assert made.parts[0].due_on == TODAY + timedelta(days=arrangements.FIRST_PART_DAYS)


LATE = {
    "promise": lambda conn, whose, **more: arrangements.promise(
        conn, whose, TODAY + timedelta(days=15), STAFF, NOW, **more
    ),
    "deferral": lambda conn, whose, **more: arrangements.defer(
        conn, whose, TODAY + timedelta(days=31), STAFF, NOW, **more
    ),
    "too many parts": lambda conn, whose, **more: arrangements.plan(conn, whose, STAFF, NOW, parts=6, **more),
    "a late start": lambda conn, whose, **more: arrangements.plan(
        conn, whose, STAFF, NOW, start_on=TODAY + timedelta(days=31), **more
    ),
}


@pytest.mark.parametrize("what", LATE)
def test_beyond_the_policy_a_second_person_is_needed_and_recorded(app: App, what: str) -> None:
    """Alone it is refused, also under one's own name; a colleague's name is taken, and stands in the entry."""
    with app.store.transaction() as conn:
        whose = about(jan(conn))
        with pytest.raises(Refused, match=r"a colleague may approve more"):
            LATE[what](conn, whose)
        with pytest.raises(Refused, match=r"approved by a colleague"):
            LATE[what](conn, whose, approved_by="Ans")
        LATE[what](conn, whose, approved_by="Bea")
    ((_, approval, _),) = entries(app, "arrangement_made")
    assert approval == "approved_by:bea"


def test_an_office_of_one_approves_for_itself(app: App) -> None:
    """Where a creditor is declared a small office the same name may stand twice."""
    with app.store.transaction() as conn:
        whose = about(jan(conn, is_small_office=True))
        assert len(LATE["too many parts"](conn, whose, approved_by="ans").parts) == 6


def test_what_cannot_be_arranged_is_refused_with_the_reason(app: App) -> None:
    """A date that is past, nothing open, somebody else's dossier, another currency, a claim that is not open."""
    with app.store.transaction() as conn:
        whose = jan(conn)
        settled = make.a_debtor(conn, whose.creditor_id, "D2", email="piet@example.net")
        paid = make.a_claim(conn, settled, "F3", due=DUE)
        make.a_payment(conn, settled, paid, 6_420, TODAY - timedelta(days=1))
        for refused, of, on in (
            ("past", about(whose), TODAY - timedelta(days=1)),
            ("nothing is open", about(settled), TODAY),
            ("nothing is open", about(whose, currency="USD"), TODAY),
            ("a party of the dossier", Whose(whose.dossier_id, settled.person_id, "EUR"), TODAY),
            ("claims of this dossier", about(whose, paid), TODAY),
        ):
            with pytest.raises(OutreachError, match=refused):
                arrangements.promise(conn, of, on, STAFF, NOW)
        with pytest.raises(UsageError, match="one or more"):
            arrangements.plan(conn, about(whose), STAFF, NOW, parts=0)
    assert kept(app, tables.claims.Arrangement) == []


def test_one_arrangement_runs_at_a_time(app: App) -> None:
    """A second one needs the first to be ended; another currency has its own."""
    with app.store.transaction() as conn:
        whose = jan(conn)
        make.a_claim(conn, whose, "F9", due=DUE, currency="USD")
        first = arrangements.promise(conn, about(whose), TODAY, STAFF, NOW)
        with pytest.raises(Refused, match=first.pseudonym):
            arrangements.plan(conn, about(whose), STAFF, NOW)
        arrangements.defer(conn, about(whose, currency="USD"), TODAY, STAFF, NOW)
        endings.end(conn, first.pseudonym, STAFF, NOW, "asked_for_a_plan")
        arrangements.plan(conn, about(whose), STAFF, NOW)
    states = [(row.kind, row.state) for row in kept(app, tables.claims.Arrangement)]
    assert states == [("promise", "ended"), ("deferral", "running"), ("plan", "running")]


def test_an_end_lifts_the_stop_and_drops_what_was_to_be_said(app: App) -> None:
    """Ending by hand lifts the arrangement's stop, closes its wishes and tasks, and is recorded; once."""
    with app.store.transaction() as conn:
        made = arrangements.plan(conn, about(jan(conn)), STAFF, NOW)
    later = NOW + timedelta(hours=1)
    with app.store.transaction() as conn:
        endings.end(conn, made.pseudonym, STAFF, later, "moved_on")
        with pytest.raises(Refused, match="over already: ended"):
            endings.end(conn, made.pseudonym, STAFF, later, "moved_on")
        with pytest.raises(NotFound):
            endings.end(conn, "0" * 32, STAFF, later, "moved_on")
    stops = kept(app, tables.claims.Stop)
    assert {(stop.lifted_at, stop.lifted_by) for stop in stops} == {(later, STAFF)}
    (wish,) = kept(app, tables.messages.ServiceMessage)
    assert (wish.closed_at, wish.closed_code) == (later, "arrangement_ended")
    assert entries(app, "arrangement_ended") == [("moved_on", made.pseudonym)]
    assert len(entries(app, "stop_lifted")) == len(stops) == 2


def test_named_claims_alone_wait(app: App) -> None:
    """An arrangement about one bill stops that bill; the others go on."""
    with app.store.transaction() as conn:
        whose = jan(conn)
        (first, _) = make.rows(conn, tables.claims.Claim)
        made = arrangements.promise(conn, about(whose, first.id), TODAY, STAFF, NOW)
    assert [part.cents for part in made.parts] == [6_420]
    (stop,) = kept(app, tables.claims.Stop)
    assert (stop.scope, stop.claim_id, stop.dossier_id) == ("claim", first.id, None)


def test_what_lies_in_dispute_is_no_part_of_it(app: App) -> None:
    """A disputed bill is not asked, so nobody promises it; of a bill disputed in part the rest is."""
    with app.store.transaction() as conn:
        whose = jan(conn)
        first, second = make.rows(conn, tables.claims.Claim)
        make.a_stop(conn, "dispute", "claim", claim_id=first.id)
        make.a_stop(conn, "dispute", "claim_part", claim_id=second.id, amount_cents=2_000)
        made = arrangements.promise(conn, about(whose), TODAY, STAFF, NOW)
    assert [part.cents for part in made.parts] == [4_420]


def test_an_arrangement_takes_back_what_is_queued(app: App) -> None:
    """Whatever door it comes in by, it raises the version that a hand-over compares, and makes the dossier due."""
    with app.store.transaction() as conn:
        whose = jan(conn)
        conn.execute(update(make.dossier).values(next_look_at=None))
        (before,) = make.rows(conn, tables.parties.Person)
    with app.store.transaction() as conn:
        arrangements.defer(conn, about(whose), TODAY, STAFF, NOW)
    (after,) = kept(app, tables.parties.Person)
    (dossier,) = kept(app, tables.parties.Dossier)
    assert after.facts_version > before.facts_version
    assert dossier.next_look_at == make.LONG_AGO


def test_a_bill_of_a_later_date_is_no_part_of_it(app: App) -> None:
    """What is not billed yet is not promised, unless it is named; the review counts by the same rule."""
    with app.store.transaction() as conn:
        whose = jan(conn)
        later = TODAY + timedelta(days=10)
        next_one = make.a_claim(conn, whose, "F3", due=later + timedelta(days=14), invoice_on=later)
        first = arrangements.promise(conn, about(whose), TODAY, STAFF, NOW)
        endings.end(conn, first.pseudonym, STAFF, NOW, "asked_again")
        second = arrangements.promise(conn, about(whose, next_one), TODAY, STAFF, NOW)
    assert ([part.cents for part in first.parts], [part.cents for part in second.parts]) == (
        [12_840],
        [6_420],
    )
