"""The send ledger on both databases: what is claimed, what is not, and what an answer makes of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Connection, update

from channels.protocol import OutcomeKind
from outreach import tables
from outreach.casework.stops import NewStop, set_stop
from outreach.casework.switches import switch_creditor, switch_sending
from outreach.config import Settings
from outreach.delivery import workers
from outreach.delivery.ledger import LeaseLost, Turned
from outreach.planning.record import record
from tests import builders as make
from tests.outreach.delivery.desk import DUE, HOUR, LEASE, NOW, Desk, a_desk, answer, attempt, debtors

SOON = timedelta(minutes=20)


@pytest.fixture
def desk(settings: Settings) -> Iterator[Desk]:
    """A new installation on each database."""
    with a_desk(settings) as made:
        yield made


def a_stop(person_id: int) -> Callable[[Connection], str]:
    """The work that sets a stop on a person."""
    return lambda conn: set_stop(
        conn, NewStop(kind="objection", scope="person", person_id=person_id), "staff:test", NOW
    )


def test_a_claim_is_one_commit_of_state_try_and_entry(desk: Desk) -> None:
    """Intent is there before a byte leaves: state, try, entry and the raised version."""
    (jan,) = desk.run(lambda conn: debtors(conn, 1))
    desk.plan()
    before = desk.version(jan.person_id)
    (claimed,) = desk.turn(desk.register()).claimed
    (row,) = desk.attempts()
    assert (row.state, row.tries, row.handed_over_at) == ("sending", 1, NOW)
    assert row.facts_version == desk.version(jan.person_id) == before + 1
    (one,) = desk.rows(tables.messages.Try)
    assert (one.attempt_id, one.number, one.outcome) == (row.id, 1, "")
    assert desk.entries().count("handed_over") == 1
    assert claimed.prepared.to_address == "d0@example.net"
    assert claimed.prepared.token == row.token
    assert claimed.prepared.token.encode() in claimed.prepared.payload


def test_a_claim_takes_one_attempt_of_a_person(desk: Desk) -> None:
    """Two planners may each make one ready for the same person; only one leaves, the other is planned anew."""

    def two(conn: Connection) -> tuple[make.Debtor, make.Debtor]:
        first, second = make.a_creditor(conn, "WOON"), make.a_creditor(conn, "WATER")
        jan = make.a_debtor(conn, first, "D1")
        also = make.a_debtor(conn, second, "D2", person_id=jan.person_id, email=None)
        make.a_claim(conn, jan, "F1", due=DUE)
        make.a_claim(conn, also, "F2", due=DUE)
        return jan, also

    jan, also = desk.run(two)
    looks = [desk.look(jan.dossier_id), desk.look(also.dossier_id)]
    for batch in looks:
        assert desk.run(lambda conn, batch=batch: record(conn, batch)).composed == 1
    assert desk.states() == ["ready", "ready"]
    worker = desk.register()
    assert len(desk.turn(worker).claimed) == 1
    assert desk.states() == ["sending", "ready"]
    turned = desk.turn(worker)
    assert (turned.claimed, turned.passed_over) == ([], 1)
    assert desk.states() == ["sending", "withdrawn"]
    desk.plan()
    assert desk.states() == ["sending", "withdrawn"], "at most one a day"


CHANGES: dict[str, Callable[[Connection, make.Debtor], object]] = {
    "a stop": lambda conn, jan: a_stop(jan.person_id)(conn),
    "an address": lambda conn, jan: conn.execute(
        update(make.point)
        .where(make.point.c.id == jan.point_id)
        .values(value="b@example.net", address_key="b")
    ),
    "the creditor's phone": lambda conn, jan: conn.execute(
        update(make.creditor).where(make.creditor.c.id == jan.creditor_id).values(phone="0800 1")
    ),
    "the creditor's switch": lambda conn, _jan: switch_creditor(
        conn, "WOON", on=False, actor="staff:test", now=NOW
    ),
    "a stop on the creditor": lambda conn, jan: make.a_stop(
        conn, "hold", "creditor", creditor_id=jan.creditor_id
    ),
    "a name": lambda conn, jan: conn.execute(
        update(make.person).where(make.person.c.id == jan.person_id).values(name="Jan Jansen")
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_changed_since_it_was_composed_is_not_handed_over(desk: Desk, change: str) -> None:
    """The last look is at hand-over: a version or an epoch that differs withdraws, and the dossier is due."""
    (jan,) = desk.run(lambda conn: debtors(conn, 1))
    desk.plan()
    desk.run(lambda conn: CHANGES[change](conn, jan))
    turned = desk.turn(desk.register())
    assert (turned.claimed, turned.passed_over) == ([], 1)
    (row,) = desk.attempts()
    assert (row.state, row.outcome_code, row.handed_over_at) == ("withdrawn", "facts_changed", None)
    assert jan.dossier_id in desk.due()
    assert desk.entries().count("handed_over") == 0


def test_what_is_planned_anew_is_the_same_message_where_it_says_the_same(desk: Desk) -> None:
    """With the same claims, steps and tone it is a new attempt of the message, composed from today's facts."""
    (jan,) = desk.run(lambda conn: debtors(conn, 1))
    desk.plan()
    desk.run(lambda conn: CHANGES["an address"](conn, jan))
    worker = desk.register()
    desk.turn(worker)
    desk.plan()
    old, new = desk.attempts()
    assert (old.message_id, old.state) == (new.message_id, "withdrawn")
    assert old.token != new.token
    (claimed,) = desk.turn(worker).claimed
    assert claimed.prepared.to_address == "b@example.net"


def test_nothing_leaves_outside_its_hours(desk: Desk) -> None:
    """Before `good_from` it waits, from `good_until` on it has expired and is planned anew."""
    (jan,) = desk.run(lambda conn: debtors(conn, 1))
    desk.plan()
    worker = desk.register()
    assert desk.turn(worker, now=NOW - HOUR).claimed == []
    assert desk.states() == ["ready"]
    (row,) = desk.attempts()
    turned = desk.turn(worker, now=row.good_until)
    assert (turned.claimed, turned.passed_over) == ([], 1)
    (row,) = desk.attempts()
    assert (row.state, row.outcome_code) == ("expired", "too_late")
    assert jan.dossier_id in desk.due()
    tomorrow = NOW + timedelta(days=1)
    desk.plan(tomorrow)
    assert desk.states() == ["expired", "ready"]
    assert len({row.message_id for row in desk.attempts()}) == 1


def test_an_attempt_before_its_time_is_not_handed_over(desk: Desk) -> None:
    """Also where it may be tried already: what is not good yet is planned anew."""
    desk.run(lambda conn: debtors(conn, 1))
    desk.plan()
    desk.run(lambda conn: conn.execute(update(attempt).values(try_at=NOW - HOUR)))
    assert desk.turn(desk.register(), now=NOW - HOUR).claimed == []
    assert desk.states() == ["withdrawn"]


def test_the_switch_holds_at_the_next_claim(desk: Desk) -> None:
    """Sending switched off leaves what is ready as it is, and hands over none of it."""
    desk.run(lambda conn: debtors(conn, 2))
    desk.plan()
    worker = desk.register()
    desk.run(lambda conn: switch_sending(conn, on=False, actor="staff:test", now=NOW))
    assert desk.turn(worker).claimed == []
    assert desk.states() == ["ready", "ready"]
    desk.run(lambda conn: switch_sending(conn, on=True, actor="staff:test", now=NOW))
    assert len(desk.turn(worker).claimed) == 2


def test_a_stop_that_commits_during_the_claim_holds(desk: Desk) -> None:
    """A claim beside a stop that is being written either waits for it or passes that person over."""
    jan, piet = desk.run(lambda conn: debtors(conn, 2))
    desk.plan()
    worker = desk.register()
    turned: list[Turned] = []
    claim = threading.Thread(target=lambda: turned.append(desk.turn(worker)))
    with desk.app.store.transaction() as conn:
        a_stop(jan.person_id)(conn)
        claim.start()
        if desk.app.store.dialect == "postgresql":
            # It takes the other one and does not wait; on SQLite there is one writer, so it does.
            claim.join()
    claim.join()
    assert [one.refs.person_id for one in turned[0].claimed] == [piet.person_id]
    desk.turn(worker)
    assert desk.states() == ["withdrawn", "sending"]


def test_a_temporary_failure_keeps_its_own_version_valid(desk: Desk) -> None:
    """What nothing but its own hand-over has changed is tried again as it is, when its time has come."""
    (jan,) = desk.run(lambda conn: debtors(conn, 1))
    desk.plan()
    worker = desk.register()
    for number in (1, 2):
        (claimed,) = desk.turn(worker, now=NOW + (number - 1) * SOON).claimed
        assert claimed.number == number
        desk.turn(
            worker, answer(claimed, OutcomeKind.RETRY_AFTER, "450 4.2.1"), now=NOW + (number - 1) * SOON
        )
        (row,) = desk.attempts()
        assert (row.state, row.handed_over_at) == ("ready", None)
        assert row.facts_version == desk.version(jan.person_id)
        assert desk.turn(worker).claimed == [], "not at once"
    (claimed,) = desk.turn(worker, now=NOW + 2 * SOON).claimed
    desk.turn(worker, answer(claimed), now=NOW + 2 * SOON)
    (row,) = desk.attempts()
    assert (row.state, row.tries) == ("accepted", 3)
    assert [one.outcome for one in desk.rows(tables.messages.Try)] == [
        "retry_after",
        "retry_after",
        "accepted",
    ]
    said = desk.entries()
    assert (said.count("handed_over"), said.count("postponed"), said.count("accepted")) == (3, 2, 1)
    assert said.count("withdrawn") == 0


def test_a_retry_after_a_change_is_planned_anew(desk: Desk) -> None:
    """A postponed attempt is as bound to its facts as a new one."""
    (jan,) = desk.run(lambda conn: debtors(conn, 1))
    desk.plan()
    worker = desk.register()
    (claimed,) = desk.turn(worker).claimed
    desk.turn(worker, answer(claimed, OutcomeKind.RETRY_AFTER, "450 4.2.1"))
    desk.run(a_stop(jan.person_id))
    assert desk.turn(worker, now=NOW + SOON).claimed == []
    assert desk.states() == ["withdrawn"]


def test_a_refused_recipient_becomes_a_task_when_channels_are_spent(desk: Desk) -> None:
    """The address is not tried again, whatever order the claims stand in; a person must find another way."""

    def two_claims(conn: Connection) -> make.Debtor:
        jan = make.a_debtor(conn, make.a_creditor(conn))
        make.a_claim(conn, jan, "F1", due=DUE)
        make.a_claim(conn, jan, "F2", due=DUE - timedelta(days=30))
        return jan

    jan = desk.run(two_claims)
    desk.plan()
    worker = desk.register()
    (claimed,) = desk.turn(worker).claimed
    desk.turn(worker, answer(claimed, OutcomeKind.REFUSED_RECIPIENT, "550 5.1.1"))
    assert jan.dossier_id in desk.due()
    for _ in range(2):
        desk.plan()
        assert desk.states() == ["refused"]
        assert desk.tasks() == [("channels_spent", "channels_spent")]
        assert desk.outcomes() == [("task", "channels_spent")]
        assert desk.turn(worker).claimed == []
        desk.run(lambda conn: conn.execute(update(make.dossier).values(next_look_at=make.LONG_AGO)))


def test_another_address_is_tried_where_there_is_one(desk: Desk) -> None:
    """Refused for the recipient means the next contact point at the same step, within the same message."""
    (jan,) = desk.run(lambda conn: debtors(conn, 1))
    desk.run(lambda conn: make.a_point(conn, jan.person_id, "second@example.net"))
    desk.plan()
    worker = desk.register()
    (claimed,) = desk.turn(worker).claimed
    desk.turn(worker, answer(claimed, OutcomeKind.REFUSED_RECIPIENT, "550 5.1.1"))
    desk.plan()
    (claimed,) = desk.turn(worker).claimed
    assert claimed.prepared.to_address == "second@example.net"
    assert len({row.message_id for row in desk.attempts()}) == 1


def test_refused_because_of_us_stays_ready_with_one_task(desk: Desk) -> None:
    """A login that fails says nothing of a person: everything stays ready, and one task says why."""
    desk.run(lambda conn: debtors(conn, 3))
    desk.plan()
    worker = desk.register()
    claimed = desk.turn(worker).claimed
    desk.turn(worker, *(answer(one, OutcomeKind.REFUSED_US, "535 5.7.8") for one in claimed), places=0)
    assert desk.states() == ["ready"] * 3
    assert desk.tasks() == [("refused", "535 5.7.8")]
    assert {row.handed_over_at for row in desk.attempts()} == {None}
    again = desk.turn(worker, now=NOW + SOON).claimed
    assert len(again) == 3
    desk.turn(worker, *(answer(one) for one in again), places=0, now=NOW + SOON)
    assert desk.states() == ["accepted"] * 3


def test_reaping_puts_in_doubt_exactly_what_the_dead_left(desk: Desk) -> None:
    """Only attempts in `sending` of workers whose lease ran out, each with an entry and a task."""
    desk.run(lambda conn: debtors(conn, 4))
    desk.plan()
    dead, alive = desk.register(), desk.register(NOW + LEASE)
    settled, lost = desk.turn(dead, places=2).claimed
    desk.turn(dead, answer(settled), places=0)
    (kept,) = desk.turn(alive, places=1).claimed
    assert desk.reap(NOW + LEASE - timedelta(milliseconds=1)) == 0
    assert desk.reap(NOW + LEASE) == 1
    assert desk.reap(NOW + LEASE) == 0
    states = {row.id: row.state for row in desk.attempts()}
    assert sorted(states.values()) == ["accepted", "in_doubt", "ready", "sending"]
    assert states[lost.attempt_id] == "in_doubt"
    assert states[kept.attempt_id] == "sending"
    assert desk.tasks() == [("in_doubt", "worker_died")]
    said = desk.entries()
    assert (said.count("in_doubt"), said.count("worker_declared_dead")) == (1, 1)


def test_what_is_in_doubt_is_never_claimed_again_by_itself(desk: Desk) -> None:
    """Not by planning, not by claiming, not on another day: the next step waits too."""
    desk.run(lambda conn: debtors(conn, 1))
    desk.plan()
    desk.turn(desk.register())
    desk.reap(NOW + LEASE)
    worker = desk.register(NOW + LEASE)
    for day in range(20):
        now = NOW + timedelta(days=day)
        desk.run(lambda conn: conn.execute(update(make.dossier).values(next_look_at=make.LONG_AGO)))
        desk.plan(now)
        assert desk.turn(worker, now=now, machine=NOW + LEASE).claimed == []
        assert desk.states() == ["in_doubt"]
    assert set(desk.outcomes()) == {("in_doubt", "in_doubt")}


LATE = {
    OutcomeKind.ACCEPTED: ("accepted", []),
    OutcomeKind.REFUSED_RECIPIENT: ("refused", []),
    OutcomeKind.RETRY_AFTER: ("ready", []),
    OutcomeKind.IN_DOUBT: ("in_doubt", [("in_doubt", "worker_died")]),
}


@pytest.mark.parametrize("kind", LATE)
def test_a_late_answer_settles_what_was_put_in_doubt(desk: Desk, kind: OutcomeKind) -> None:
    """The answer to the same try is evidence, however late: the doubt and its task are gone."""
    (jan,) = desk.run(lambda conn: debtors(conn, 1))
    desk.plan()
    worker = desk.register()
    (claimed,) = desk.turn(worker).claimed
    desk.reap(NOW + LEASE)
    assert desk.states() == ["in_doubt"]
    assert desk.tasks() == [("in_doubt", "worker_died")]
    desk.plan()
    desk.turn(worker, answer(claimed, kind, ended_at=NOW + LEASE), places=0)
    (row,) = desk.attempts()
    state, tasks = LATE[kind]
    assert row.state == state
    assert desk.tasks() == tasks
    assert row.facts_version == desk.version(jan.person_id)
    if kind is not OutcomeKind.IN_DOUBT:
        assert jan.dossier_id in desk.due(), "what follows from it is looked at"
    if kind is OutcomeKind.ACCEPTED:
        desk.plan()
        assert desk.outcomes() == [("sent", "sent")]
        desk.plan(NOW + timedelta(days=7))
        assert desk.states() == ["accepted", "ready"], "and the next step follows in its time"


def test_an_answer_to_an_older_try_settles_nothing(desk: Desk) -> None:
    """What a try long gone has to say is kept with that try; the one under way is not touched."""
    desk.run(lambda conn: debtors(conn, 1))
    desk.plan()
    worker = desk.register()
    (first,) = desk.turn(worker).claimed
    desk.turn(worker, answer(first, OutcomeKind.RETRY_AFTER, "450 4.2.1"), places=0)
    (second,) = desk.turn(worker, now=NOW + SOON).claimed
    assert second.number == 2
    desk.turn(worker, answer(first), places=0)
    assert desk.states() == ["sending"]
    desk.turn(worker, answer(second, OutcomeKind.REFUSED_RECIPIENT, "550 5.1.1"), places=0)
    assert desk.states() == ["refused"]


def test_an_answer_after_the_end_changes_nothing(desk: Desk) -> None:
    """What was settled stays settled."""
    desk.run(lambda conn: debtors(conn, 1))
    desk.plan()
    worker = desk.register()
    (claimed,) = desk.turn(worker).claimed
    desk.turn(worker, answer(claimed), places=0)
    desk.turn(worker, answer(claimed, OutcomeKind.RETRY_AFTER, "450"), places=0)
    (row,) = desk.attempts()
    assert (row.state, row.handed_over_at) == ("accepted", NOW)


def test_a_worker_without_a_lease_claims_nothing(desk: Desk) -> None:
    """Declared dead or not yet: past its lease it must register anew, and its answers still count."""
    desk.run(lambda conn: debtors(conn, 2))
    desk.plan()
    worker = desk.register()
    (claimed,) = desk.turn(worker, places=1).claimed
    with pytest.raises(LeaseLost):
        desk.turn(worker, machine=NOW + LEASE)
    assert desk.run(lambda conn: workers.renew(conn, worker, LEASE, NOW + LEASE))
    assert desk.reap(NOW + LEASE + LEASE) == 1
    assert not desk.run(lambda conn: workers.renew(conn, worker, LEASE, NOW + LEASE))
    with pytest.raises(LeaseLost):
        desk.turn(worker, machine=NOW)
    assert desk.states() == ["in_doubt", "ready"]
    desk.turn(worker, answer(claimed), places=0)
    assert desk.states() == ["accepted", "ready"]
    assert len(desk.turn(desk.register(NOW + LEASE), machine=NOW + LEASE).claimed) == 1


def test_a_worker_that_stops_by_itself_is_not_declared_dead(desk: Desk) -> None:
    """One that left nothing is gone for good; one that left something in `sending` is reaped."""
    desk.run(lambda conn: debtors(conn, 1))
    desk.plan()
    tidy, untidy = desk.register(), desk.register()
    desk.turn(untidy)
    for worker in (tidy, untidy):
        desk.run(lambda conn, worker=worker: workers.retire(conn, worker, NOW))
    assert desk.reap(NOW) == 1
    dead = {row.id for row in desk.rows(tables.operations.Worker) if row.declared_dead_at}
    assert dead == {untidy}
    with pytest.raises(LeaseLost):
        desk.turn(tidy)
