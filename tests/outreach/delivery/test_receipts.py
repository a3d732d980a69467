"""What a provider tells later, on both databases: kept once, in any order, and what it moves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import msgspec
import pytest
from hypothesis import given
from hypothesis import settings as trying
from hypothesis import strategies as st
from sqlalchemy import Connection, select, update

from channels.kinds import Kind
from channels.letter.outbox import OutboxLetters, posted
from channels.protocol import HandedOver, Receipt, ReceiptKind
from outreach import bootstrap, tables
from outreach.config import Settings
from outreach.delivery import receipts
from outreach.delivery.receipts import RANKS, poll, take, unseen, waiting
from outreach.store import schema
from outreach.store.types import new_id, table_of
from outreach.store.writer import Store
from tests import builders as make
from tests.installations import initialise
from tests.stories.living import lived

T = TypeVar("T")

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
DAY = timedelta(days=1)
ADDRESS = "Kogge 1\n1657 KA Abbekerk"
ELSEWHERE = "Dorpsstraat 2\n1657 AC Abbekerk"

attempt = table_of(tables.messages.Attempt)
message = table_of(tables.messages.Message)
task = table_of(tables.operations.Task)


class Sent(NamedTuple):
    """A message that was handed over."""

    token: str
    attempt_id: int
    person_id: int
    point_id: int
    dossier_id: int


class Post:
    """A database with debtors to whom letters or mails were sent by hand."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.creditor_id = self.run(make.a_creditor)

    def run(self, work: Callable[[Connection], T]) -> T:
        """Write in a transaction of its own."""
        return self.store.run(work)

    def send(self, *, kind: str = "letter", address: str = ADDRESS, **values: Any) -> Sent:
        """A message to a debtor of its own, in the state that a hand-over leaves it in."""
        return self.run(lambda conn: self._send(conn, kind, address, values))

    def _send(self, conn: Connection, kind: str, address: str, values: dict[str, Any]) -> Sent:
        whose = make.a_debtor(conn, self.creditor_id, new_id(), email=None)
        point_id = make.a_point(conn, whose.person_id, address, kind)
        about = {
            "pseudonym": new_id(),
            "dossier_id": whose.dossier_id,
            "person_id": whose.person_id,
            "creditor_id": self.creditor_id,
            "currency": "EUR",
            "purpose": "dunning",
            "strategy_hash": "",
            "template": "friendly_reminder",
            "tone": "friendly",
            "created_at": NOW,
        }
        token = str(values.get("token", new_id()))
        row = {
            "token": token,
            "message_id": make.insert_row(conn, message, **about),
            "person_id": whose.person_id,
            "creditor_id": self.creditor_id,
            "channel": kind,
            "contact_point_id": point_id,
            "address": address,
            "sender": "",
            "content_id": new_id(),
            "facts_version": 1,
            "policy_epoch": 0,
            "good_from": NOW,
            "good_until": NOW + DAY,
            "try_at": NOW,
            "tries": 1,
            "state": "accepted",
            "handed_over_at": NOW,
            "settled_at": NOW,
            "outcome_code": "written",
        }
        key = make.insert_row(conn, attempt, **(row | values))
        conn.execute(
            update(make.dossier).where(make.dossier.c.id == whose.dossier_id).values(next_look_at=None)
        )
        return Sent(token, key, whose.person_id, point_id, whose.dossier_id)

    def take(self, *told: Receipt, now: datetime = NOW) -> int:
        """Take receipts as a poll would."""
        return self.run(lambda conn: take(conn, told, now))

    def poll(self, channel: OutboxLetters, now: datetime) -> int:
        """Ask a channel."""
        return asyncio.run(poll(self.store, channel, now))

    def rows(self, model: Any, **where: Any) -> list[Any]:
        """The rows of a table."""
        with self.store.reading() as conn:
            return make.rows(conn, model, **where)

    def attempt(self, sent: Sent) -> Any:
        """The attempt as it is now."""
        (row,) = self.rows(tables.messages.Attempt, id=sent.attempt_id)
        return row

    def certainty(self, point_id: int) -> str:
        """How sure an address is."""
        (row,) = self.rows(tables.parties.ContactPoint, id=point_id)
        return str(row.certainty)

    def entries(self, sent: Sent) -> list[str]:
        """The types of the entries about a message, in order."""
        return [row.type for row in self.rows(tables.correspondence.LogEntry, token=sent.token)]

    def due(self) -> set[int]:
        """The dossiers that must be looked at."""
        with self.store.reading() as conn:
            return set(
                conn.execute(select(make.dossier.c.id).where(make.dossier.c.next_look_at <= NOW)).scalars()
            )


@pytest.fixture
def post(settings: Settings) -> Iterator[Post]:
    """A new database of each kind."""
    settings.data_dir.mkdir(parents=True)
    store = Store(settings.url)
    try:
        with store.transaction() as conn:
            schema.upgrade(conn)
        yield Post(store)
    finally:
        store.close()


def told(sent: Sent | str, kind: str, days: float = 1, event: str = "") -> Receipt:
    """A receipt about a message, so many days after it was handed over."""
    token = sent if isinstance(sent, str) else sent.token
    at = NOW + days * DAY
    return Receipt("post", event or f"{kind}-{token}", token, ReceiptKind(kind), at, b"\xff as it was said")


def test_a_receipt_is_kept_as_it_came_and_told_in_the_log(post: Post) -> None:
    """One row, its bytes as content, one entry with the provider as actor, and the attempt moved."""
    sent = post.send()
    assert post.take(told(sent, "posted")) == 1
    (row,) = post.rows(tables.messages.Receipt)
    assert (row.provider, row.event_id, row.attempt_id) == ("post", f"posted-{sent.token}", sent.attempt_id)
    assert (row.kind, row.rank, row.at) == ("posted", 1, NOW + DAY)
    (entry,) = post.rows(tables.correspondence.LogEntry, token=sent.token)
    assert (entry.type, entry.actor, entry.channel) == ("posted", "provider:post", "letter")
    assert entry.content_id == row.content_id
    (kept,) = post.rows(tables.correspondence.Content, id=row.content_id)
    assert msgspec.json.decode(kept.body, type=Receipt) == told(sent, "posted")
    moved = post.attempt(sent)
    assert (moved.state, moved.outcome_code, moved.settled_at) == ("posted", "posted", NOW + DAY)
    assert moved.handed_over_at == NOW


def test_a_repeated_receipt_is_ignored(post: Post) -> None:
    """In the same batch and in a later one, also where its bytes differ: the first stays."""
    sent = post.send()
    once = told(sent, "posted")
    other = replace(once, raw=b"again", at=once.at + DAY)
    assert post.take(once, other) == 1
    assert post.take(other) == 0
    assert len(post.rows(tables.messages.Receipt)) == 1
    assert post.entries(sent) == ["posted"]
    assert post.attempt(sent).settled_at == once.at
    with post.store.reading() as conn:
        assert unseen(conn, [once, other, told(sent, "returned"), told(sent, "returned")]) == [
            told(sent, "returned")
        ]


KINDS = [kind.value for kind in ReceiptKind]
EVENTS = st.lists(st.tuples(st.sampled_from(KINDS), st.integers(1, 20)), min_size=1, max_size=6)


@trying(max_examples=15)
@given(data=st.data(), events=EVENTS)
def test_any_order_and_repetition_ends_the_same(
    data: st.DataObject, events: Sequence[tuple[str, int]], post: Post
) -> None:
    """State, time and address depend on which receipts came, not on when, how often or how many at once."""
    ends = []
    for _ in range(2):
        sent = post.send(address=f"Kogge {new_id()}\n1657 KA Abbekerk")
        came = [told(sent, kind, days, f"{place}-{sent.token}") for place, (kind, days) in enumerate(events)]
        order = data.draw(st.permutations([*came, *data.draw(st.lists(st.sampled_from(came), max_size=4))]))
        size = data.draw(st.integers(1, len(order)))
        for start in range(0, len(order), size):
            post.take(*order[start : start + size], now=NOW + start * DAY)
        assert len(post.rows(tables.messages.Receipt, attempt_id=sent.attempt_id)) == len(events)
        assert len(post.entries(sent)) == len(events)
        row = post.attempt(sent)
        tasks = post.rows(tables.operations.Task, attempt_id=sent.attempt_id)
        ends.append((row.state, row.settled_at, post.certainty(sent.point_id), len(tasks)))
    strictest = max(events, key=lambda event: (RANKS[ReceiptKind(event[0])], -event[1]))
    assert ends[0] == ends[1]
    assert ends[0][:2] == (strictest[0], NOW + strictest[1] * DAY)
    assert ends[0][3] == (strictest[0] == "returned")


def test_a_receipt_without_an_attempt_is_parked_until_there_is_one(post: Post) -> None:
    """As after the restoring of a copy: it waits, and is taken by the next poll whatever else is new."""
    early = new_id()
    assert post.take(told(early, "posted", 1), told("not of ours", "delivered")) == 2
    assert {row.attempt_id for row in post.rows(tables.messages.Receipt)} == {None}
    sent = post.send(token=early)
    assert post.poll(OutboxLetters(Path("unused")), NOW) == 0
    assert post.attempt(sent).state == "posted"
    assert post.entries(sent) == ["posted"]
    parked = post.rows(tables.messages.Receipt, attempt_id=None)
    assert [row.kind for row in parked] == ["delivered"]


def test_one_that_was_parked_for_a_month_waits_no_longer(post: Post) -> None:
    """It stays kept; nobody looks for its attempt any more."""
    post.take(told("lost", "posted"))
    sent = post.send(token="lost")
    post.take(now=NOW + 31 * DAY)
    assert post.attempt(sent).state == "accepted"


@pytest.mark.parametrize("state", ["ready", "sending", "in_doubt", "accepted"])
def test_a_receipt_proves_that_a_message_left(post: Post, state: str) -> None:
    """Whatever was known of it: it is not sent once more, and nobody needs to find out any longer."""
    sent = post.send(state=state, handed_over_at=None if state == "ready" else NOW)
    asked = {"kind": "in_doubt", "subject": sent.token, "attempt_id": sent.attempt_id, "pseudonym": new_id()}
    asked |= {"opened_at": NOW, "due_at": NOW, "reason_code": "", "owner": "staff"}
    post.run(lambda conn: make.insert_row(conn, task, **asked))
    post.take(told(sent, "posted"))
    row = post.attempt(sent)
    assert (row.state, row.handed_over_at) == ("posted", NOW + DAY if state == "ready" else NOW)
    assert post.rows(tables.operations.Task, kind="in_doubt", closed_at=None) == []


@pytest.mark.parametrize("state", ["refused", "expired", "withdrawn"])
def test_what_we_closed_ourselves_stays_closed(post: Post, state: str) -> None:
    """Its message may have another attempt by now; the receipt is kept and told all the same."""
    sent = post.send(state=state)
    post.take(told(sent, "posted"))
    assert post.attempt(sent).state == state
    assert post.entries(sent) == ["posted"]


def test_a_returned_letter_is_a_task_and_makes_its_address_suspect(post: Post) -> None:
    """For this person only: others may live there. The task has a due time, and comes once."""
    sent, neighbour = post.send(), post.send()
    post.take(told(sent, "returned", 8), told(sent, "returned", 9, "scanned again"))
    assert post.attempt(sent).state == "returned"
    (found,) = post.rows(tables.operations.Task)
    assert (found.kind, found.subject, found.attempt_id) == ("returned_mail", sent.token, sent.attempt_id)
    assert found.due_at > found.opened_at
    assert (post.certainty(sent.point_id), post.certainty(neighbour.point_id)) == ("suspect", "verified")
    changes = post.rows(tables.correspondence.LogEntry, type="contact_point_changed")
    assert [row.reasons for row in changes] == ['["suspect"]']


def test_a_mailbox_that_does_not_exist_is_dead_for_everyone_who_has_it(post: Post) -> None:
    """It bounces for each of them; no task, because the next channel is tried."""
    sent, also = (post.send(kind="email", address="weg@example.net") for _ in range(2))
    letter = post.send()
    post.take(told(sent, "bounced"))
    assert post.attempt(sent).state == "bounced"
    assert post.attempt(also).state == "accepted"
    certainties = [post.certainty(one.point_id) for one in (sent, also, letter)]
    assert certainties == ["dead", "dead", "verified"]
    assert post.rows(tables.operations.Task) == []


KEPT: dict[str, Callable[[Connection, int], object]] = {
    "given by a person": lambda conn, key: _set(conn, key, source="staff"),
    "another address by now": lambda conn, key: _set(conn, key, value=ELSEWHERE, address_key="other"),
    "somebody else's": lambda conn, key: _set(conn, key, certainty="wrong_person"),
}


def _set(conn: Connection, point_id: int, **values: Any) -> None:
    conn.execute(update(make.point).where(make.point.c.id == point_id).values(**values))


@pytest.mark.parametrize("known", KEPT)
@pytest.mark.parametrize("kind", ["bounced", "returned"])
def test_what_is_known_better_of_an_address_stands(post: Post, known: str, kind: str) -> None:
    """The attempt ends, and the letter is a task; the address stays as it is."""
    sent = post.send()
    post.run(lambda conn: KEPT[known](conn, sent.point_id))
    before = post.certainty(sent.point_id)
    post.take(told(sent, kind))
    assert post.attempt(sent).state == kind
    assert post.certainty(sent.point_id) == before


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_a_receipt_tells_the_dossier_is_looked_at(post: Post, kind: str) -> None:
    """The next step may rest on it, or another channel is needed; others ready for the person are stale."""
    sent, other = post.send(), post.send(address=ELSEWHERE)

    def version() -> int:
        (row,) = post.rows(tables.parties.Person, id=sent.person_id)
        return int(row.facts_version)

    before = version()
    post.take(told(sent, kind))
    assert version() > before
    assert post.due() == {sent.dossier_id}
    assert other.dossier_id not in post.due()
    after = version()
    post.take(told(sent, kind, event="again"))
    assert version() == after, "nothing of the person has changed"


def test_what_is_waiting_is_what_was_taken_lately_on_that_channel(post: Post) -> None:
    """Accepted or posted within a month, in order, a batch at a time."""
    first = post.send(handed_over_at=NOW - DAY)
    second = post.send(state="posted")
    post.send(kind="email", address="a@example.net")
    post.send(state="returned")
    post.send(state="in_doubt")
    post.send(handed_over_at=NOW - 31 * DAY)
    with post.store.reading() as conn:
        found = waiting(conn, Kind.LETTER, NOW)
        assert found == [
            HandedOver(first.token, ADDRESS, NOW - DAY),
            HandedOver(second.token, ADDRESS, NOW),
        ]
        assert waiting(conn, Kind.LETTER, NOW, found[0]) == found[1:]
        assert waiting(conn, Kind.LETTER, NOW, found[1]) == []


def test_a_poll_asks_about_all_and_writes_only_news(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    """In batches; asked again it writes nothing, and what came back is no longer asked about."""
    monkeypatch.setattr(receipts, "BATCH", 2)
    sent = [post.send(address=f"Kogge {number}\n1657 KA Abbekerk") for number in range(5)]
    channel = OutboxLetters(Path("unused"), returned_per_mille=1000, seed=7)
    assert post.poll(channel, NOW) == 0
    assert post.poll(channel, posted(NOW)) == 5
    assert {post.attempt(one).state for one in sent} == {"posted"}
    before = len(post.rows(tables.correspondence.LogEntry))
    assert post.poll(channel, posted(NOW)) == 0
    assert len(post.rows(tables.correspondence.LogEntry)) == before
    assert post.poll(channel, NOW + 20 * DAY) == 5
    assert {post.attempt(one).state for one in sent} == {"returned"}
    assert {post.entries(one)[-1] for one in sent} == {"returned"}
    assert {post.certainty(one.point_id) for one in sent} == {"suspect"}
    assert post.poll(channel, NOW + 25 * DAY) == 0


def test_no_entry_holds_an_address(post: Post) -> None:
    """What the provider said is content, which can be erased; the entry has codes and random ids."""
    sent = post.send()
    post.take(told(sent, "returned"))
    for row in post.rows(tables.correspondence.LogEntry):
        assert "Kogge" not in str(row)


def test_a_tick_asks_before_it_plans(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A letter is posted, comes back, and the same tick tells the step over the next channel."""
    monkeypatch.setattr(bootstrap, "TRIAL_RETURNS", {"returned_per_mille": 1000, "seed": 7})
    initialise(settings, is_trial=True)
    with bootstrap.opened(settings) as app, app.store.transaction() as conn:
        jan = make.a_debtor(conn, make.a_creditor(conn), preferred_channel="letter")
        make.a_point(conn, jan.person_id, ADDRESS, "letter")
        make.a_claim(conn, jan, due=(NOW - DAY).date())

    def told_by(days: int) -> list[tuple[str, str]]:
        lived(settings, [NOW + days * DAY])
        with bootstrap.opened(settings) as app, app.store.reading() as conn:
            return [(row.channel, row.state) for row in make.rows(conn, tables.messages.Attempt)]

    assert told_by(0) == [("letter", "accepted")]
    assert told_by(2) == [("letter", "posted")]
    assert told_by(14) == [("letter", "returned"), ("email", "accepted")]
