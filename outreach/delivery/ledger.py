"""The send ledger: intent is committed before the first byte leaves, the outcome after the answer.

Nothing here talks to a provider. `turn` settles what was answered and claims as many attempts as there are
free slots, in one commit; `reap` puts in doubt what a dead worker left in `sending`. The claim is the last
look: under a lock on the person it compares versions, epoch and times, and takes one attempt per person.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, select, update

from channels.protocol import Prepared
from outreach.correspondence import log
from outreach.correspondence.tables import Content
from outreach.delivery.entries import entry
from outreach.delivery.settle import Claimed, Settled, settle_all, try_
from outreach.planning import queries as q
from outreach.store.bulk import insert_rows
from outreach.store.tables.operations import Worker
from outreach.store.types import AnyRow, table_of

worker = table_of(Worker)
content = table_of(Content)


class LeaseLost(Exception):
    """This worker was declared dead; it must register anew before it sends anything."""


@dataclass(slots=True)
class Turned:
    """One turn of the ledger: what may be sent now, and how many were passed over as stale."""

    claimed: list[Claimed]
    passed_over: int = 0


def turn(
    conn: Connection,
    worker_id: str,
    settled: Sequence[Settled],
    channel: str,
    places: int,
    now: datetime,
    machine_now: datetime,
) -> Turned:
    """Settle outcomes and claim up to `places` attempts of a channel, in the caller's transaction."""
    sending = False
    if places:
        state = conn.execute(_ALIVE, {"worker": worker_id, "now": machine_now}).first()
        if state is None:
            raise LeaseLost
        sending = state.sending
    entries = settle_all(conn, settled, now, alive=worker_id if places else "")
    turned = Turned([])
    if sending:
        turned = _claim(conn, worker_id, channel, places, now, machine_now, entries)
    log.append(conn, entries)
    return turned


_ALIVE = (
    select(q.installation.c.sending)
    .select_from(worker)
    .join(q.installation, q.installation.c.id == 1)
    .where(
        worker.c.id == bindparam("worker"),
        worker.c.declared_dead_at.is_(None),
        worker.c.lease_until > bindparam("now"),
    )
    .with_for_update(read=True, of=worker)
)

_LOCKED = (
    select(q.attempt.c.id, q.attempt.c.person_id, q.attempt.c.creditor_id)
    .join(q.person, q.person.c.id == q.attempt.c.person_id)
    .where(
        q.attempt.c.state == "ready",
        q.attempt.c.channel == bindparam("channel"),
        q.attempt.c.try_at <= bindparam("now"),
    )
    .order_by(q.attempt.c.try_at, q.attempt.c.id)
    .limit(bindparam("places"))
    .with_for_update(of=q.person, key_share=True, skip_locked=True)
)

_CREDITORS = (
    select(q.creditor.c.id)
    .where(q.creditor.c.id.in_(bindparam("creditors", expanding=True)))
    .order_by(q.creditor.c.id)
    .with_for_update(read=True, skip_locked=True)
)

_WITH_ALL = (
    select(
        q.attempt,
        q.person.c.facts_version.label("person_version"),
        q.person.c.pseudonym.label("person"),
        q.creditor.c.policy_epoch.label("creditor_epoch"),
        q.creditor.c.sending.label("creditor_sending"),
        q.creditor.c.code.label("creditor"),
        q.dossier.c.pseudonym.label("dossier"),
        content.c.body,
    )
    .join(q.person, q.person.c.id == q.attempt.c.person_id)
    .join(q.creditor, q.creditor.c.id == q.attempt.c.creditor_id)
    .join(q.message, q.message.c.id == q.attempt.c.message_id)
    .join(q.dossier, q.dossier.c.id == q.message.c.dossier_id)
    .join(content, content.c.id == q.attempt.c.content_id)
    .order_by(q.attempt.c.try_at, q.attempt.c.id)
)
_READY = _WITH_ALL.where(
    q.attempt.c.id.in_(bindparam("attempts", expanding=True)), q.attempt.c.state == "ready"
)
_READY_NOW = _WITH_ALL.where(
    q.attempt.c.state == "ready",
    q.attempt.c.channel == bindparam("channel"),
    q.attempt.c.try_at <= bindparam("now"),
).limit(bindparam("places"))


def _lock_ready(conn: Connection, channel: str, places: int, now: datetime) -> Sequence[AnyRow]:
    """Return ready attempts whose persons and creditors are locked, as they are under those locks."""
    first = {"channel": channel, "now": now, "places": places}
    if conn.dialect.name == "sqlite":
        # BEGIN IMMEDIATE has locked everything; nobody else writes until this commit.
        return conn.execute(_READY_NOW, first).all()
    locked = conn.execute(_LOCKED, first).all()
    if not locked:
        return ()
    creditors = set(
        conn.execute(_CREDITORS, {"creditors": sorted({row.creditor_id for row in locked})}).scalars()
    )
    ids = [row.id for row in locked if row.creditor_id in creditors]
    # A statement of its own after the locks: only a new snapshot shows what they waited for.
    return conn.execute(_READY, {"attempts": ids}).all() if ids else ()


def _claim(
    conn: Connection,
    worker_id: str,
    channel: str,
    places: int,
    now: datetime,
    machine_now: datetime,
    entries: list[log.Entry],
) -> Turned:
    good: list[AnyRow] = []
    stale: list[AnyRow] = []
    expired: list[AnyRow] = []
    persons: set[int] = set()
    for row in _lock_ready(conn, channel, places, now):
        if row.person_id in persons:
            continue
        persons.add(row.person_id)
        if now >= row.good_until:
            expired.append(row)
        elif now < row.good_from or not _is_current(row):
            stale.append(row)
        else:
            good.append(row)
    entries += _pass_over(conn, stale, "withdrawn", "facts_changed", now)
    entries += _pass_over(conn, expired, "expired", "too_late", now)
    entries += (entry("handed_over", row, now, content_id=row.content_id) for row in good)
    return Turned(_hand_over(conn, worker_id, good, now, machine_now), len(stale) + len(expired))


def _is_current(row: AnyRow) -> bool:
    return bool(
        row.facts_version == row.person_version
        and row.policy_epoch == row.creditor_epoch
        and row.creditor_sending
    )


_SENDING = (
    update(q.attempt)
    .where(q.attempt.c.id.in_(bindparam("keys", expanding=True)))
    # The trigger raises the person's version for this hand-over; the attempt's own follows it.
    .values(
        state="sending",
        facts_version=q.attempt.c.facts_version + 1,
        tries=q.attempt.c.tries + 1,
        handed_over_at=bindparam("now"),
        worker_id=bindparam("worker"),
    )
)


def _hand_over(
    conn: Connection, worker_id: str, rows: Sequence[AnyRow], now: datetime, machine_now: datetime
) -> list[Claimed]:
    if not rows:
        return []
    conn.execute(_SENDING, {"keys": [row.id for row in rows], "now": now, "worker": worker_id})
    insert_rows(
        conn,
        try_,
        [
            {
                "attempt_id": row.id,
                "number": row.tries + 1,
                "worker_id": worker_id,
                "started_at": machine_now,
                "outcome": "",
                "code": "",
                "provider_id": "",
            }
            for row in rows
        ],
    )
    return [
        Claimed(
            attempt_id=row.id,
            number=row.tries + 1,
            worker_id=worker_id,
            channel=row.channel,
            prepared=Prepared(row.token, row.address, row.sender, row.body),
            refs=row,
            claimed_at=machine_now,
        )
        for row in rows
    ]


_CLOSE = (
    update(q.attempt)
    .where(q.attempt.c.id.in_(bindparam("keys", expanding=True)), q.attempt.c.state == "ready")
    .values(
        state=bindparam("new_state"),
        facts_version=q.attempt.c.facts_version + 1,
        settled_at=bindparam("now"),
        outcome_code=bindparam("code"),
    )
)


def _pass_over(
    conn: Connection, rows: Sequence[AnyRow], state: str, code: str, now: datetime
) -> list[log.Entry]:
    """Close attempts that may no longer be handed over; the trigger makes their dossiers due."""
    if rows:
        keys = [row.id for row in rows]
        conn.execute(_CLOSE, {"keys": keys, "new_state": state, "now": now, "code": code})
    return [entry(state, row, now, reasons=(code,)) for row in rows]
