"""What a provider tells later: each event is kept once, and moves its attempt to what all of them together say.

Nothing here relies on order. A receipt is first kept as it came, without an attempt; then whatever is kept so and
has an attempt is taken. Of an attempt's receipts the strictest one is its state, so a late or repeated one never
brings it back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection, and_, bindparam, literal_column, or_, select, update

from channels.kinds import Kind
from channels.protocol import HandedOver, ReceiptKind, Reporting
from channels.protocol import Receipt as Told
from outreach.correspondence import log
from outreach.correspondence.tables import Content
from outreach.delivery import addresses
from outreach.delivery.entries import ACTOR, entry, insert_tasks, task, task_row
from outreach.planning import queries as q
from outreach.planning.batch import build
from outreach.store.bulk import update_rows
from outreach.store.tables.messages import AWAITED, Receipt
from outreach.store.types import AnyRow, new_id, table_of
from outreach.store.writer import Store

content = table_of(Content)
receipt = table_of(Receipt)

BATCH = 500
HORIZON = timedelta(days=30)
"""For so long after its hand-over a message is asked about, and a receipt waits for its attempt."""

RANKS = {
    ReceiptKind.POSTED: 1,
    ReceiptKind.DELIVERED: 2,
    ReceiptKind.BOUNCED: 3,
    ReceiptKind.RETURNED: 4,
}
"""Which of two receipts about one attempt holds; also what state they make of it."""

_MOVABLE = frozenset({"ready", "sending", "in_doubt", "accepted", *RANKS})
"""States that a receipt moves: also `ready`, as in a restored copy, so that what left is not sent once more."""


async def poll(store: Store, channel: Reporting, now: datetime) -> int:
    """Ask a channel what became of what it took lately; return how many of its events were new.

    Only what is new is written, so that asking the same again costs no transaction.
    """
    taken = 0
    if await store.read(lambda conn: has_parked(conn, now)):
        await store.write(lambda conn: take(conn, (), now))
    after: HandedOver | None = None
    while handed := await store.read(partial(waiting, kind=channel.kind, now=now, after=after)):
        after = handed[-1]
        told = channel.receipts(handed, now)
        for start in range(0, len(told), BATCH):
            fresh = await store.read(partial(unseen, receipts=told[start : start + BATCH]))
            if fresh:
                taken += await store.write(partial(take, receipts=fresh, now=now))
    return taken


# Written out as the index of awaited attempts has it, which both databases then use.
_AWAITED = q.attempt.c.state.in_([literal_column(f"'{state.value}'") for state in AWAITED])

_WAITING = (
    select(q.attempt.c.token, q.attempt.c.address, q.attempt.c.handed_over_at)
    .where(
        q.attempt.c.channel == bindparam("channel"),
        _AWAITED,
        q.attempt.c.handed_over_at > bindparam("since"),
        or_(
            q.attempt.c.handed_over_at > bindparam("at"),
            and_(q.attempt.c.handed_over_at == bindparam("at"), q.attempt.c.token > bindparam("token")),
        ),
    )
    .order_by(q.attempt.c.handed_over_at, q.attempt.c.token)
    .limit(bindparam("most"))
)


def waiting(conn: Connection, kind: Kind, now: datetime, after: HandedOver | None = None) -> list[HandedOver]:
    """Return a batch of what a channel took and whose end is not known, oldest first and behind `after`."""
    since = now - HORIZON
    place = {"at": after.at, "token": after.token} if after else {"at": since, "token": ""}
    rows = conn.execute(_WAITING, {"channel": kind.value, "since": since, "most": BATCH, **place})
    return [HandedOver(row.token, row.address, row.handed_over_at) for row in rows]


def unseen(conn: Connection, receipts: Sequence[Told]) -> list[Told]:
    """Return the receipts that are not kept yet, each once."""
    known = conn.execute(
        select(receipt.c.provider, receipt.c.event_id).where(
            receipt.c.provider.in_({one.provider for one in receipts}),
            receipt.c.event_id.in_({one.event_id for one in receipts}),
        )
    )
    seen = {(row.provider, row.event_id) for row in known}
    fresh = {(one.provider, one.event_id): one for one in reversed(receipts)}
    return [one for key, one in reversed(fresh.items()) if key not in seen]


def take(conn: Connection, receipts: Sequence[Told], now: datetime) -> int:
    """Keep receipts, and take every one that has an attempt, also those parked before; return how many were new.

    At most a batch at a time. One that matches nothing stays parked.
    """
    new = _keep(conn, receipts, now)
    matched = _match(conn, now)
    if matched:
        _move(conn, matched, now)
        # An address that was corrected meanwhile is another one: nothing was learned of it.
        failed = [one for one in matched if one.row.same_address]
        dead = {one.row.address_key for one in failed if one.told.kind is ReceiptKind.BOUNCED}
        suspect = {one.row.point_id for one in failed if one.told.kind is ReceiptKind.RETURNED}
        addresses.doubt(conn, dead, suspect, now)
    return new


def has_parked(conn: Connection, now: datetime) -> bool:
    """Return whether receipts wait for their attempts."""
    return conn.execute(_PARKED.limit(1), {"since": now - HORIZON}).first() is not None


def _keep(conn: Connection, receipts: Sequence[Told], now: datetime) -> int:
    """Keep the receipts that are new, whole: their token is looked for again where it matched nothing."""
    if not receipts:
        return 0
    told = {new_id(): one for one in receipts}
    rows = [
        {
            "provider": one.provider,
            "event_id": one.event_id,
            "kind": one.kind.value,
            "rank": RANKS[one.kind],
            "at": one.at,
            "content_id": key,
        }
        for key, one in told.items()
    ]
    insert = build(conn)(receipt).on_conflict_do_nothing().returning(receipt.c.content_id)
    kept = conn.execute(insert, rows).scalars().all()
    log.keep(conn, [(key, "json", msgspec.json.encode(told[key])) for key in kept], now)
    return len(kept)


class _Match(NamedTuple):
    """A receipt with its attempt as it was before."""

    told: Told
    content_id: str
    row: AnyRow


_PARKED = (
    # Since it was kept, not since it happened: a provider may tell of something old.
    select(receipt.c.id, receipt.c.content_id, content.c.body)
    .join(content, content.c.id == receipt.c.content_id)
    .where(receipt.c.attempt_id.is_(None), content.c.created_at > bindparam("since"))
    .order_by(receipt.c.id.desc())
    .limit(2 * BATCH)
)

# On PostgreSQL the persons are locked first and in order, as a claim does; the attempts are read after that.
_PERSONS = (
    select(q.person.c.id)
    .where(
        q.person.c.id.in_(
            select(q.attempt.c.person_id).where(q.attempt.c.token.in_(bindparam("tokens", expanding=True)))
        )
    )
    .order_by(q.person.c.id)
    .with_for_update(key_share=True)
)

_ATTEMPTS = (
    select(
        q.attempt.c.id,
        q.attempt.c.token,
        q.attempt.c.state,
        q.attempt.c.channel,
        q.attempt.c.person_id,
        q.attempt.c.handed_over_at,
        q.person.c.pseudonym.label("person"),
        q.creditor.c.code.label("creditor"),
        q.dossier.c.id.label("dossier_id"),
        q.dossier.c.pseudonym.label("dossier"),
        q.point.c.id.label("point_id"),
        q.point.c.address_key,
        (q.point.c.value == q.attempt.c.address).label("same_address"),
    )
    .join(q.person, q.person.c.id == q.attempt.c.person_id)
    .join(q.creditor, q.creditor.c.id == q.attempt.c.creditor_id)
    .join(q.message, q.message.c.id == q.attempt.c.message_id)
    .join(q.dossier, q.dossier.c.id == q.message.c.dossier_id)
    .join(q.point, q.point.c.id == q.attempt.c.contact_point_id)
    .where(q.attempt.c.token.in_(bindparam("tokens", expanding=True)))
)


def _match(conn: Connection, now: datetime) -> list[_Match]:
    """Give parked receipts their attempts; return those that found one, with their entries written."""
    parked = conn.execute(_PARKED, {"since": now - HORIZON}).all()
    told = {row.id: msgspec.json.decode(row.body, type=Told) for row in parked}
    tokens = {"tokens": list({one.token for one in told.values()})}
    conn.execute(_PERSONS, tokens)
    attempts = {row.token: row for row in conn.execute(_ATTEMPTS, tokens)}
    found = {
        row.id: _Match(told[row.id], row.content_id, attempts[told[row.id].token])
        for row in reversed(parked)
        if told[row.id].token in attempts
    }
    update_rows(conn, receipt, ("id",), [{"id": key, "attempt_id": one.row.id} for key, one in found.items()])
    log.append(conn, [_entry(one, now) for one in found.values()])
    return list(found.values())


def _entry(one: _Match, now: datetime) -> log.Entry:
    told = entry(one.told.kind.value, one.row, now, content_id=one.content_id)
    return replace(told, actor=f"provider:{one.told.provider}")


_OF_ATTEMPTS = (
    select(receipt.c.attempt_id, receipt.c.kind, receipt.c.at)
    .where(receipt.c.attempt_id.in_(bindparam("attempts", expanding=True)))
    .order_by(receipt.c.rank, receipt.c.at.desc(), receipt.c.id.desc())
)


def _move(conn: Connection, matched: Sequence[_Match], now: datetime) -> None:
    """Bring attempts to what their receipts say; what ends one opens a task or another channel."""
    before = {one.row.id: one.row for one in matched}
    strictest = {row.attempt_id: row for row in conn.execute(_OF_ATTEMPTS, {"attempts": list(before)})}
    moved = [(before[key], row) for key, row in strictest.items() if before[key].state in _MOVABLE]
    update_rows(conn, q.attempt, ("id",), [_moved(row, best) for row, best in moved])
    changed = [(row, best) for row, best in moved if row.state != best.kind]
    returned = [row for row, best in changed if best.kind == ReceiptKind.RETURNED]
    insert_tasks(conn, [task_row("returned_mail", row.token, row, now, "returned") for row in returned])
    if changed:
        conn.execute(_LOOK, {"dossiers": [row.dossier_id for row, _ in changed], "now": now})
        conn.execute(_CLOSE_TASK, {"attempts": [row.id for row, _ in changed], "now": now})


def _moved(row: AnyRow, best: AnyRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "state": best.kind,
        "handed_over_at": row.handed_over_at or best.at,
        "settled_at": best.at,
        "outcome_code": best.kind,
    }


# The next step may rest on this evidence; the triggers make dossiers due only where something failed.
_LOOK = (
    update(q.dossier)
    .where(
        q.dossier.c.id.in_(bindparam("dossiers", expanding=True)),
        or_(q.dossier.c.next_look_at.is_(None), q.dossier.c.next_look_at > bindparam("now")),
    )
    .values(next_look_at=bindparam("now"))
)

# What a person was asked to find out is known now.
_CLOSE_TASK = (
    update(task)
    .where(
        task.c.kind == "in_doubt",
        task.c.attempt_id.in_(bindparam("attempts", expanding=True)),
        task.c.closed_at.is_(None),
    )
    .values(closed_at=bindparam("now"), closed_by=ACTOR)
)
