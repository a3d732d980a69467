"""Nothing goes out after a stop: changes of all kinds commit while a real sender is at work."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy import Connection, func, select, update

from outreach import tables
from outreach.casework import consents, disputes, stop_orders
from outreach.casework.targets import Named
from outreach.config import Settings
from outreach.correspondence import log
from outreach.store.types import table_of
from outreach.store.writer import Store
from tests import builders as make
from tests.stories.processes import (
    CONNECTIONS,
    GENEROUS,
    Installation,
    attempt,
    entry,
    installation,
    message,
    reconcile,
    relay,
    until,
)

PEOPLE = 1000
NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
KINDS = ("objection", "withdrawal", "death", "dispute", "payment", "address", "part_payment")
WEIGHTS = (12, 12, 10, 12, 22, 18, 14)
FORBIDS = {
    "objection": {"stop_objection"},
    "withdrawal": {"no_contact_point"},
    "death": {"deceased", "stop_deceased"},
    "dispute": {"dispute"},
    "payment": {"settled"},
}
"""What forbids a reminder, and the reason that the newest decision about its person must then have."""
STAFF = "staff:test"
decision = table_of(tables.messages.Decision)
point = make.point
person = make.person

# Which came first, the change or the hand-over? Both hold the lock on the person's row from before their entry
# gets its `seq` until they commit: a change through the trigger that raises `facts_version` (the change is
# written first, the entry after it), the claim because it locks the person before anything else, and a plan
# likewise. So of two entries of the same person the one with the lower `seq` was committed before the other
# transaction so much as got the lock, and within one person the order of `seq` is the order of the commits.
# Between persons it is not (a sequence of PostgreSQL is handed out before the commit), and no test below
# compares those. On SQLite there is one writer at a time, and every `seq` is in the order of the commits.


@dataclass
class Person:
    """One person, what was changed of them, and the keys that changing takes."""

    number: int
    kind: str
    person_id: int
    pseudonym: str
    point_id: int
    claim_id: int
    claim: str
    whose: make.Debtor

    @property
    def new_address(self) -> str:
        """The address after an address change."""
        return f"new{self.number}@example.net"


@dataclass
class Changes:
    """Commits the changes, each in a transaction of its own, and notes what was under way at each.

    `pace` keeps them beside the sender's work, which on SQLite they would otherwise outrun.
    """

    store: Store
    people: list[Person]
    pace: Callable[[int], None]
    under_way: list[int] = field(default_factory=list)
    errors: list[BaseException] = field(default_factory=list)

    def run(self) -> None:
        """Commit them all; errors are kept for the test."""
        try:
            for number, one in enumerate(self.people):
                self.pace(number)
                self.under_way.append(self.store.run(lambda conn, one=one: change(conn, one)))
        except BaseException as error:
            self.errors.append(error)
            raise


def change(conn: Connection, one: Person) -> int:
    """Write one change as staff or an import would, then its entry; return how many hand-overs are under way."""
    who = Named(person=one.pseudonym)
    if one.kind == "objection":
        consents.object_to(conn, consents.Said(who, "dunning", "email"), STAFF, NOW)
    elif one.kind == "withdrawal":
        consents.withdraw(conn, consents.Said(who, "dunning", "email", channel="email"), STAFF, NOW)
    elif one.kind == "death":
        stop_orders.add(conn, stop_orders.Order("deceased", who, on=date(2026, 11, 20)), STAFF, NOW)
    elif one.kind == "dispute":
        new = disputes.Dispute(Named(claim=one.claim), "not_delivered", "repairs")
        disputes.add(conn, new, STAFF, NOW)
    elif one.kind == "address":
        value = one.new_address
        conn.execute(
            update(point)
            .where(point.c.id == one.point_id)
            .values(value=value, address_key=make.KEYS.of("email", value))
        )
        note(conn, "contact_point_changed", one)
    else:
        make.a_payment(
            conn, one.whose, one.claim_id, 6420 if one.kind == "payment" else 420, date(2026, 11, 23)
        )
        note(conn, "payment_booked", one)
    return conn.execute(select(func.count()).where(attempt.c.state == "sending")).scalar_one()


def note(conn: Connection, type_: str, one: Person) -> None:
    """Append the entry of a change, in its transaction and after it."""
    log.append(conn, [log.Entry(type=type_, at=NOW, actor="job:import", person=one.pseudonym)])


def people(place: Installation, chance: random.Random) -> list[Person]:
    """Everybody, in a random order, each with one kind of change."""
    with place.store.reading() as conn:
        rows = conn.execute(
            select(
                make.debtor.c.id.label("debtor_id"),
                make.debtor.c.creditor_id,
                person.c.id.label("person_id"),
                person.c.pseudonym,
                make.dossier.c.id.label("dossier_id"),
                point.c.id.label("point_id"),
                make.claim.c.id.label("claim_id"),
                make.claim.c.external_id.label("claim"),
            )
            .join(person, person.c.id == make.debtor.c.person_id)
            .join(make.dossier, make.dossier.c.debtor_id == make.debtor.c.id)
            .join(point, point.c.person_id == person.c.id)
            .join(make.claim, make.claim.c.dossier_id == make.dossier.c.id)
            .order_by(make.debtor.c.id)
        ).all()
    found = [
        Person(
            number,
            chance.choices(KINDS, WEIGHTS)[0],
            row.person_id,
            row.pseudonym,
            row.point_id,
            row.claim_id,
            row.claim,
            make.Debtor(row.creditor_id, row.person_id, row.debtor_id, row.dossier_id, row.point_id),
        )
        for number, row in enumerate(rows)
    ]
    chance.shuffle(found)
    return found


def entries(conn: Connection) -> dict[str, list[tuple[int, str, str]]]:
    """The entries of each person as (seq, type, token); what is about a dossier is about its debtor."""
    debtors = {
        row.pseudonym: row.person
        for row in conn.execute(
            select(make.dossier.c.pseudonym, person.c.pseudonym.label("person"))
            .join(make.debtor, make.debtor.c.id == make.dossier.c.debtor_id)
            .join(person, person.c.id == make.debtor.c.person_id)
        )
    }
    found: dict[str, list[tuple[int, str, str]]] = {}
    for row in conn.execute(select(entry).order_by(entry.c.seq)):
        who = row.person or debtors.get(row.dossier)
        if who is not None:
            found.setdefault(who, []).append((row.seq, row.type, row.token or ""))
    return found


def decided(conn: Connection) -> dict[str, set[str]]:
    """The reasons of the decisions about each person: what it came to, and what each rule said against it."""
    found: dict[str, set[str]] = {}
    query = select(decision, person.c.pseudonym.label("person")).join(
        person, person.c.id == decision.c.person_id
    )
    for row in conn.execute(query):
        found.setdefault(row.person, set()).add(row.code)
    return found


@pytest.mark.slow
def test_nothing_is_handed_over_that_a_committed_change_forbids(settings: Settings, tmp_path: Path) -> None:
    """A stop, a payment or a new address holds from its commit on, also for what was queued and composed before."""
    chance = random.Random(7)
    with (
        relay(tmp_path, "--delay-ms", "10") as to,
        installation(settings, to, PEOPLE, lease_seconds=10) as place,
    ):
        sender = place.start()
        changes = Changes(
            place.store,
            people(place, chance),
            lambda number: until(lambda: to.count() > number // 3 or sender.poll() is not None, "mails"),
        )
        until(lambda: to.count() > 5, "the sender to be at work")
        thread = threading.Thread(target=changes.run)
        thread.start()
        still_at_work = sender.poll() is None
        assert sender.wait(GENEROUS) == 0, place.said()
        thread.join(GENEROUS)
        assert not changes.errors
        place.finish()
        reconcile(place, to)
        heard = dict(to.accepted())
        with place.store.reading() as conn:
            thanks = set(conn.execute(_THANKS).scalars())
            said = {who: [one for one in mine if one[2] not in thanks] for who, mine in entries(conn).items()}
            reasons = decided(conn)
            addresses = {row.token: row.address for row in conn.execute(select(attempt))}
    assert still_at_work
    before: Counter[str] = Counter()
    after: Counter[str] = Counter()
    under_way: list[str] = []
    for one in changes.people:
        mine = said[one.pseudonym]
        changed = next(seq for seq, type_, _ in mine if type_ in CHANGES)
        composed = {token: seq for seq, type_, token in mine if type_ == "composed"}
        handed_over = {token: seq for seq, type_, token in mine if type_ == "handed_over"}
        accepted = {token: seq for seq, type_, token in mine if type_ == "accepted"}
        assert len(handed_over) <= 1, "one message each"
        for token, seq in handed_over.items():
            (after if seq > changed else before)[one.kind] += 1
            if seq < changed < accepted[token]:
                under_way.append(token)
            if seq > changed:
                assert one.kind not in FORBIDS, "sent after a change that forbids it"
                assert composed[token] > changed, "sent as it was composed before the change"
                wanted = one.new_address if one.kind == "address" else f"d{one.number}@example.net"
                assert heard[token] == addresses[token] == wanted
        if not handed_over:
            assert one.kind in FORBIDS, "whoever may still be written to is"
            assert FORBIDS[one.kind] & reasons[one.pseudonym], "what is not sent has its reason"
    assert len(changes.under_way) == PEOPLE
    assert max(changes.under_way) <= CONNECTIONS, "more under way than there are connections"
    assert all(before[kind] for kind in FORBIDS), "some were too late"
    assert sum(before.values()) < PEOPLE, "and some were not"
    print(
        f"{settings.url.split(':')[0]}: sent before the change {dict(before)}, anew after it {dict(after)}, "
        f"under way at its commit {len(under_way)}: {under_way}, most at once {max(changes.under_way)}"
    )


CHANGES = {"stop_set", "payment_booked", "contact_point_changed"}
_THANKS = (
    select(attempt.c.token)
    .join(message, message.c.id == attempt.c.message_id)
    .where(message.c.purpose == "confirmation")
)
"""Whoever had been reminded and then paid is thanked for it: that is no reminder."""
