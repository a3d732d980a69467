"""Stops as staff order them: where they hold, what they mean for the person, what is refused, how they end."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import Connection, update

from outreach import tables
from outreach.bootstrap import opened
from outreach.casework import stop_orders, stops
from outreach.casework.stop_orders import Order
from outreach.casework.targets import Named, dossiers_of
from outreach.errors import NotFound, OutreachError, Refused, UsageError
from tests import builders as make
from tests.outreach.casework.office import ANNA, DAY, F1, JAN, NOW, Office
from tests.outreach.delivery.desk import Desk

JANS = make.KEYS.of("email", "jan@example.net")
Stop, Person, Task = tables.claims.Stop, tables.parties.Person, tables.operations.Task


def add(office: Office, order: Order) -> list[str]:
    """Order a stop."""
    return office.run(lambda conn: stop_orders.add(conn, order, ANNA, NOW))


def lift(office: Office, stop: str) -> None:
    """Lift it by hand."""
    office.run(lambda conn: stop_orders.lift(conn, stop, "agreed", ANNA, NOW))


@pytest.mark.parametrize(
    ("order", "scope", "keys"),
    [
        (Order("hold", JAN), "dossier", {"dossier_id"}),
        (Order("hold", F1), "claim", {"claim_id"}),
        (Order("hold", Named(invoice="F1"), amount_cents=2_000), "claim_part", {"claim_id", "amount_cents"}),
        (Order("objection", JAN), "person", {"person_id"}),
        (Order("objection", JAN, channel="sms"), "channel", {"person_id", "channel"}),
        (Order("wrong_person", address_key=JANS), "contact_point", {"address_key"}),
        (Order("hold", Named(creditor="WOON")), "creditor", {"creditor_id"}),
    ],
)
def test_a_stop_hangs_on_what_was_named(office: Office, order: Order, scope: str, keys: set[str]) -> None:
    """The scope follows from what the command names; the row and its entry carry who set it, and why."""
    [made] = add(office, order)
    row = office.row(Stop, pseudonym=made)
    hangs = ("person_id", "dossier_id", "claim_id", "creditor_id", "address_key", "channel", "amount_cents")
    assert (row.kind, row.scope, row.set_by) == (order.kind, scope, ANNA)
    assert {name for name in hangs if getattr(row, name) is not None} == keys
    assert office.entries("stop_set") == [("stop_set", [order.kind, scope, made])]


@pytest.mark.parametrize(
    ("order", "message"),
    [
        (Order("dispute", F1), "outreach dispute add"),
        (Order("promise", JAN), "outreach arrange promise"),
        (Order("pause", JAN), "no kind of stop"),
        (Order("hold"), "expected whom or what"),
        (Order("hold", Named(debtor="NOBODY")), "no debtor 'NOBODY'"),
        (Order("hold", Named(claim="F9")), "no claim 'F9'"),
        (Order("hold", Named(creditor="NONE")), "no creditor 'NONE'"),
        (Order("hold", JAN, until_at=NOW), "--until"),
        (Order("hold", JAN, reason="Jan called us"), "--reason"),
        (Order("hold", JAN, amount_cents=100), "--amount"),
        (Order("hold", F1, amount_cents=10_000), "--amount"),
        (Order("hold", F1, amount_cents=0), "--amount"),
        (Order("hold", JAN, on=date(2026, 11, 1)), "--on"),
        (Order("objection", JAN, tell=True), "--tell"),
    ],
)
def test_what_cannot_be_a_stop_is_refused_and_leaves_nothing(
    office: Office, order: Order, message: str
) -> None:
    """The refusal names what was expected; no row and no entry is written."""
    with pytest.raises(OutreachError, match=message):
        add(office, order)
    assert office.rows(Stop) == []
    assert office.entries("stop_set") == []


def test_the_same_stop_is_set_once_and_may_be_made_longer(office: Office) -> None:
    """A stop that one in force covers is refused; one that lasts longer is new."""
    add(office, Order("hold", JAN, until_at=NOW + 5 * DAY))
    with pytest.raises(Refused, match="such a stop already"):
        add(office, Order("hold", JAN, until_at=NOW + 3 * DAY))
    add(office, Order("hold", JAN, until_at=NOW + 9 * DAY))
    assert len(office.rows(Stop)) == 2


def test_a_hold_stops_what_is_queued_and_a_lift_lets_it_go(office: Office) -> None:
    """Effective with the commit: nothing of that dossier leaves; the other debtor's message does."""
    [made] = add(office, Order("hold", JAN, note="asked by phone"))
    office.live(NOW)
    assert office.told() == [("F3", "reminder")]
    lift(office, made)
    office.live(NOW + DAY)
    assert office.told() == [("F3", "reminder"), ("F1", "reminder"), ("F2", "reminder")]
    row = office.row(Stop, pseudonym=made)
    assert (row.lifted_by, office.content(row.content_id)) == (ANNA, b"asked by phone")


def test_a_hold_stops_a_message_that_is_ready_already(office: Office) -> None:
    """What was composed before the stop is not handed over after it: the claim at hand-over passes it over."""
    with opened(office.settings) as app:
        desk = Desk(app)
        desk.plan(NOW)
        assert desk.states() == ["ready", "ready"]
        desk.run(lambda conn: stop_orders.add(conn, Order("hold", JAN), ANNA, NOW))
        turned = desk.turn(desk.register())
    assert [one.refs.address for one in turned.claimed] == ["piet@example.net"]
    assert turned.passed_over == 1


def test_a_wrong_person_closes_the_address_for_everybody_who_has_it(office: Office) -> None:
    """Both who have that address are no longer written to there; lifted, nobody knows how sure it is."""

    def share(conn: Connection) -> None:
        piet = make.rows(conn, Person)[1]
        make.a_point(conn, piet.id, "jan@example.net")

    office.run(share)
    [made] = add(office, Order("wrong_person", address_key=JANS))
    points = office.rows(tables.parties.ContactPoint, address_key=JANS)
    assert [one.certainty for one in points] == ["wrong_person", "wrong_person"]
    office.live(NOW)
    sent = office.rows(tables.messages.Attempt)
    assert [one.address for one in sent] == ["piet@example.net"]
    lift(office, made)
    points = office.rows(tables.parties.ContactPoint, address_key=JANS)
    assert [one.certainty for one in points] == ["unverified", "unverified"]


def test_a_death_is_a_fact_of_the_person_that_no_file_takes_back(office: Office) -> None:
    """The day of death stands beside what the source says; lifting the stop brings the source's word back."""
    [made] = add(office, Order("deceased", JAN, on=date(2026, 11, 18)))
    assert office.rows(Person)[0].deceased_on == date(2026, 11, 18)
    edit = office.row(tables.parties.Edit)
    assert (edit.field, edit.value, edit.source_value) == ("deceased_on", "2026-11-18", "")
    office.live(NOW)
    assert office.told() == [("F3", "reminder")]
    lift(office, made)
    assert office.rows(Person)[0].deceased_on is None
    assert office.row(tables.parties.Edit).withdrawn_by == ANNA


def test_a_protected_address_is_a_fact_of_the_person(office: Office) -> None:
    """The flag follows the stop, both ways."""
    [made] = add(office, Order("address_protected", JAN))
    assert office.rows(Person)[0].address_protected is True
    lift(office, made)
    assert office.rows(Person)[0].address_protected is False


@pytest.mark.parametrize(
    ("born", "until"),
    [
        (date(2009, 1, 15), datetime(2027, 1, 14, 23, tzinfo=UTC)),
        (date(2008, 2, 29), None),
        (date(2012, 2, 29), datetime(2030, 2, 28, 23, tzinfo=UTC)),
    ],
)
def test_a_minor_is_stopped_until_of_age(office: Office, born: date, until: datetime | None) -> None:
    """The stop ends by itself at 00:00 of the eighteenth birthday; who is of age already is no minor."""
    office.run(lambda conn: conn.execute(update(make.person).values(date_of_birth=born)))
    if until is None:
        with pytest.raises(Refused, match="of age since 2026-03-01"):
            add(office, Order("minor", JAN))
        return
    [made] = add(office, Order("minor", JAN))
    assert office.row(Stop, pseudonym=made).until_at == until


@pytest.mark.parametrize(
    ("kind", "work"), [("moved", "address_wanted"), ("representative", "representative")]
)
def test_a_stop_that_asks_for_more_is_work_for_somebody(office: Office, kind: str, work: str) -> None:
    """Moved without an address, or under administration: somebody finds out the rest, by a day."""
    add(office, Order(kind, JAN))
    row = office.row(Task)
    assert (row.kind, row.owner, row.reason_code) == (work, "staff", f"stop_{kind}")
    assert row.due_at > NOW


def test_a_stop_that_rests_on_more_is_not_lifted_by_hand(office: Office) -> None:
    """A dispute is answered, an arrangement ended; what was lifted is not lifted again."""

    def others(conn: Connection) -> None:
        [jan, _] = make.rows(conn, tables.parties.Dossier)
        make.a_stop(conn, "dispute", "claim", pseudonym="d" * 32, claim_id=1)
        make.a_stop(conn, "dispute", "dossier", pseudonym="f" * 32, dossier_id=jan.id)
        make.a_stop(conn, "hold", "dossier", pseudonym="e" * 32, dossier_id=jan.id)

    office.run(others)
    with pytest.raises(Refused, match="outreach dispute decide"):
        lift(office, "d" * 8)
    lift(office, "f" * 8)  # a dispute that a file told, about no claim: there is nothing to credit
    lift(office, "e" * 8)
    with pytest.raises(Refused, match="lifted already"):
        lift(office, "e" * 8)
    with pytest.raises(NotFound, match="no single stop"):
        lift(office, "")


def test_every_stop_that_concerns_a_debtor_is_listed(office: Office) -> None:
    """Whatever it hangs on: the claim, the dossier, the person, the address, the creditor; not another's."""
    orders = [
        Order("hold", F1),
        Order("hold", JAN),
        Order("objection", JAN),
        Order("moved", address_key=JANS),
        Order("hold", Named(creditor="WOON")),
        Order("hold", Named(debtor="PIET")),
    ]
    made = [stop for order in orders for stop in add(office, order)]
    found = office.run(lambda conn: stops.stops_on(conn, dossiers_of(conn, JAN), NOW))
    assert [row.pseudonym for row in found] == made[:-1]


def test_a_hold_tells_the_debtor_when_it_is_asked_to(office: Office) -> None:
    """The confirmation is asked once for each currency in which something is open."""
    [made] = add(office, Order("hold", JAN, tell=True))
    wish = office.row(tables.messages.ServiceMessage)
    assert (wish.template, wish.currency, wish.stop_id) == (
        "pause_confirmed",
        "EUR",
        office.row(Stop, pseudonym=made).id,
    )


def test_a_number_that_two_creditors_use_is_asked_about(office: Office) -> None:
    """Nobody else's dossier is stopped by chance: the command asks which creditor is meant."""
    office.run(lambda conn: make.a_debtor(conn, make.a_creditor(conn, "STROOM"), "JAN", email=None))
    with pytest.raises(UsageError, match="add --creditor"):
        add(office, Order("hold", JAN))
    assert len(add(office, Order("hold", Named(debtor="JAN", creditor="STROOM")))) == 1


def test_all_dossiers_of_a_debtor_are_held_unless_one_is_named(office: Office) -> None:
    """A debtor with two contracts: a hold without a contract holds both, each with a stop of its own."""

    def second(conn: Connection) -> None:
        [jan, _] = make.rows(conn, tables.parties.Debtor)
        make.insert_row(
            conn,
            make.dossier,
            pseudonym="c" * 32,
            creditor_id=jan.creditor_id,
            debtor_id=jan.id,
            contract_id="C2",
            waits_on_payments=False,
        )

    office.run(second)
    assert len(add(office, Order("hold", Named(debtor="JAN", contract="C2")))) == 1
    assert len(add(office, Order("hold", JAN))) == 1, "only the other one is left to hold"
