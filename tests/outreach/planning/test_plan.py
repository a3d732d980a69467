"""Planning on both databases: what is made ready, what is taken back, and what the next look finds."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from email import message_from_bytes, policy

import pytest
from sqlalchemy import Connection, update

from channels.protocol import OutcomeKind
from outreach import tables
from outreach.casework.stops import NewStop, set_stop
from outreach.config import Settings
from outreach.planning.record import record
from tests import builders as make
from tests.outreach.delivery.desk import DUE, LEASE, NOW, Desk, a_desk, answer, attempt, debtors
from tests.outreach.delivery.desk import tick as desk_tick

DAY = timedelta(days=1)
WEEK = timedelta(days=7)


@pytest.fixture
def desk(settings: Settings) -> Iterator[Desk]:
    """A new installation on each database."""
    with a_desk(settings) as made:
        yield made


def send(desk: Desk, now: object = NOW, kind: OutcomeKind = OutcomeKind.ACCEPTED) -> list[str]:
    """Hand over everything that is ready and settle it; return the payloads as text."""
    worker = desk.register()
    claimed = desk.turn(worker, now=now).claimed  # type: ignore[arg-type]
    desk.turn(worker, *(answer(one, kind) for one in claimed), places=0, now=now)  # type: ignore[arg-type]
    return [_text(one.prepared.payload) for one in claimed]


def _text(payload: bytes) -> str:
    """The plain text of a mail."""
    part = message_from_bytes(payload, policy=policy.default).get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def test_what_facts_take_away_is_withdrawn(desk: Desk) -> None:
    """A stop takes back what was ready: the attempt is withdrawn, its message no longer counts, the log says so."""
    (jan,) = desk.run(lambda conn: debtors(conn, 1))
    desk.plan()
    assert desk.states() == ["ready"]
    desk.run(
        lambda conn: set_stop(
            conn, NewStop(kind="dispute", scope="dossier", dossier_id=jan.dossier_id), "staff:test", NOW
        )
    )
    desk.plan()
    assert desk.states() == ["withdrawn"]
    (message,) = desk.rows(tables.messages.Message)
    assert message.withdrawn_at == NOW
    assert [row.counts for row in desk.rows(tables.messages.MessageClaim)] == [False]
    assert desk.outcomes() == [("stopped", "stop_dispute")]
    assert desk.entries().count("withdrawn") == 1
    assert desk.entries().count("withheld") == 1


def test_a_batch_that_is_no_longer_true_stores_nothing(desk: Desk) -> None:
    """What changed between the look and the commit is left due, and nothing of it is kept."""
    jan, piet = desk.run(lambda conn: debtors(conn, 2))
    looks = [desk.look(jan.dossier_id), desk.look(piet.dossier_id)]
    desk.run(
        lambda conn: set_stop(
            conn, NewStop(kind="objection", scope="person", person_id=jan.person_id), "staff:test", NOW
        )
    )
    stored = [desk.run(lambda conn, batch=batch: record(conn, batch)) for batch in looks]
    assert [(one.units, one.left, one.composed) for one in stored] == [(0, 1, 0), (1, 0, 1)]
    assert [row.person_id for row in desk.attempts()] == [piet.person_id]
    assert desk.due() == {jan.dossier_id}


def test_a_part_payment_changes_amounts_and_not_history(desk: Desk) -> None:
    """What was said stays as it was said; what is still ready is composed anew with what is open now."""
    (jan,) = desk.run(lambda conn: debtors(conn, 1))
    (claim,) = desk.rows(tables.claims.Claim)
    desk.plan()
    (first,) = send(desk)
    assert "64,20" in first
    kept = {row.id: row.body for row in desk.rows(tables.correspondence.Content)}
    desk.plan(NOW + WEEK)
    desk.run(lambda conn: make.a_payment(conn, jan, claim.id, 2000, date(2026, 11, 29)))
    desk.plan(NOW + WEEK)
    (second,) = send(desk, NOW + WEEK)
    assert "44,20" in second
    assert "64,20" not in second
    assert desk.states() == ["accepted", "withdrawn", "accepted"]
    now = {row.id: row.body for row in desk.rows(tables.correspondence.Content)}
    assert {key: now[key] for key in kept} == kept


def test_a_full_payment_takes_the_message_back(desk: Desk) -> None:
    """Zero open never makes a message, and one that was ready does not leave."""
    (jan,) = desk.run(lambda conn: debtors(conn, 1))
    (claim,) = desk.rows(tables.claims.Claim)
    desk.plan()
    desk.run(lambda conn: make.a_payment(conn, jan, claim.id, 6420, NOW.date()))
    assert send(desk) == []
    desk.plan()
    assert desk.states() == ["withdrawn"]
    assert desk.outcomes() == [("nothing_due", "settled")]


def test_a_payment_counts_from_the_start_of_its_day(desk: Desk) -> None:
    """Booked today it counts from 00:00 here, booked tomorrow not yet: the message of today still leaves."""
    jan, piet = desk.run(lambda conn: debtors(conn, 2))
    ours, theirs = desk.rows(tables.claims.Claim)
    early = NOW.replace(hour=6, minute=1)
    desk.run(lambda conn: make.a_payment(conn, jan, ours.id, 6420, early.date()))
    desk.run(lambda conn: make.a_payment(conn, piet, theirs.id, 6420, early.date() + DAY))
    desk.plan(early)
    assert [row.person_id for row in desk.attempts()] == [piet.person_id]


def test_two_dossiers_of_one_person_make_one_message_now(desk: Desk) -> None:
    """The other waits until the first has left or its time is over, and then for the days between."""

    def two(conn: Connection) -> None:
        owner = make.a_creditor(conn)
        jan = make.a_debtor(conn, owner, "D1")
        also = make.a_debtor(conn, owner, "D2", person_id=jan.person_id, email=None, contract="C2")
        for whose, number in ((jan, "F1"), (also, "F2")):
            make.a_claim(conn, whose, number, due=DUE)

    desk.run(two)
    desk.plan()
    assert desk.states() == ["ready"]
    assert sorted(desk.outcomes()) == [("waiting", "queued"), ("waiting", "reserved")]
    assert len(send(desk)) == 1
    for day in range(5):
        desk.plan(NOW + day * DAY)
        assert desk.states() == ["accepted"]
    desk.plan(NOW + 5 * DAY)
    assert desk.states() == ["accepted", "ready"]


def test_what_is_in_doubt_blocks_the_next_step(desk: Desk) -> None:
    """Nobody knows if the first step was told, so the second waits for a person, however long."""
    desk.run(lambda conn: debtors(conn, 1))
    desk.plan()
    desk.turn(desk.register())
    desk.reap(NOW + LEASE)
    for weeks in range(1, 6):
        desk.plan(NOW + weeks * WEEK)
    assert desk.states() == ["in_doubt"]
    days = desk.rows(tables.messages.DayAccount)
    assert {row.outcome for row in days if row.on_date > NOW.date()} == {"in_doubt"}


def bounced(conn: Connection) -> None:
    conn.execute(update(attempt).where(attempt.c.state == "accepted").values(state="bounced"))


def test_a_bounce_takes_the_step_back(desk: Desk) -> None:
    """A bounced reminder was never told: the next channel at the same step, and with none left a task."""
    (jan,) = desk.run(lambda conn: debtors(conn, 1))
    desk.plan()
    send(desk)
    desk.run(bounced)
    assert jan.dossier_id in desk.due()
    desk.plan(NOW + DAY)
    assert desk.states() == ["bounced"]
    assert desk.tasks() == [("channels_spent", "channels_spent")]
    desk.run(lambda conn: make.a_point(conn, jan.person_id, "new@example.net"))
    desk.plan(NOW + DAY)
    old, new = desk.attempts()
    assert (new.state, new.address, new.message_id) == ("ready", "new@example.net", old.message_id)
    assert {row.step for row in desk.rows(tables.messages.MessageClaim)} == {"reminder"}


@pytest.mark.parametrize("second", ["ready", "accepted"])
def test_a_bounce_that_comes_late_makes_room_for_its_step(desk: Desk, second: str) -> None:
    """Where a later message is under way already, the first step's is closed, and the step is told anew."""
    (jan,) = desk.run(lambda conn: debtors(conn, 1))
    desk.plan()
    send(desk)
    later = NOW + 5 * DAY
    desk.run(lambda conn: make.a_claim(conn, jan, "F9", due=later.date() - DAY))
    desk.plan(later)
    assert desk.states() == ["accepted", "ready"]
    if second == "accepted":
        send(desk, later)
    first = desk.attempts()[0].id
    desk.run(lambda conn: conn.execute(update(attempt).where(attempt.c.id == first).values(state="bounced")))
    desk.plan(later)
    assert not [task for task in desk.tasks() if task[0] == "gap"], "it could be planned"
    if second == "ready":
        assert desk.states() == ["bounced", "withdrawn", "ready"]
        counted = [row for row in desk.rows(tables.messages.MessageClaim) if row.counts]
        assert {row.step for row in counted} == {"reminder"}
        assert len(counted) == 2, "both claims in the new message"


def test_stale_payments_are_waited_for_whatever_else_delays(desk: Desk) -> None:
    """Looked at on a closed day with payments unknown up to today, it is looked at again when they are known."""

    def stale(conn: Connection) -> make.Debtor:
        jan = make.a_debtor(conn, make.a_creditor(conn, payments_until_on=date(2026, 11, 10)))
        make.a_claim(conn, jan, due=date(2026, 11, 2))
        return jan

    jan = desk.run(stale)
    sunday = NOW - DAY
    desk.plan(sunday)
    assert desk.states() == []
    assert desk.due(NOW + 30 * DAY) == set(), "nobody knows when"
    desk.run(lambda conn: conn.execute(update(make.creditor).values(payments_until_on=date(2026, 11, 22))))
    assert desk.due() == {jan.dossier_id}
    desk.plan()
    assert desk.states() == ["ready"]


def test_a_changed_number_of_the_debtor_reaches_the_co_debtor(desk: Desk) -> None:
    """The creditor's number stands in every party's message, so all of them are planned anew."""

    def shared(conn: Connection) -> make.Debtor:
        jan = make.a_debtor(conn, make.a_creditor(conn))
        other = make.a_person(conn, "Co Debiteur")
        make.a_point(conn, other, "co@example.net")
        make.insert_row(conn, make.party, dossier_id=jan.dossier_id, person_id=other, role="co_debtor")
        for number in ("F1", "F2"):
            make.a_claim(conn, jan, number, due=DUE)
        return jan

    jan = desk.run(shared)
    desk.plan()
    assert desk.states() == ["ready", "ready"]
    desk.run(
        lambda conn: conn.execute(
            update(make.debtor).where(make.debtor.c.id == jan.debtor_id).values(external_id="N-7007")
        )
    )
    assert send(desk) == []
    desk.plan()
    assert all("N-7007" in text for text in send(desk))
    assert desk.states() == ["withdrawn", "withdrawn", "accepted", "accepted"]


def test_a_second_tick_leaves_the_first_its_account(desk: Desk) -> None:
    """A unit counts in the tick that first looked at it, also where another process looks again meanwhile."""
    (jan,) = desk.run(lambda conn: debtors(conn, 1))
    looks = [desk.look(jan.dossier_id)]
    first, running = looks[0].tick_id, update(desk_tick).values(ended_at=None)
    desk.run(lambda conn: conn.execute(running))
    desk.run(lambda conn: record(conn, looks[0]))
    again = desk.look(jan.dossier_id)
    assert desk.run(lambda conn: record(conn, again)).again == 1
    (row,) = desk.rows(tables.messages.DayAccount)
    assert row.tick_id == first
    desk.run(lambda conn: conn.execute(update(desk_tick).values(ended_at=NOW)))
    third = desk.look(jan.dossier_id)
    assert desk.run(lambda conn: record(conn, third)).again == 0
    (row,) = desk.rows(tables.messages.DayAccount)
    assert row.tick_id == third.tick_id
