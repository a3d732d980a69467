"""The send ledger: intent is committed before the first byte leaves, the outcome after the answer.

Nothing here talks to a provider. `turn` settles what was answered and claims as many attempts as there are
free slots, in one commit; `reap` puts in doubt what a dead worker left in `sending`. The claim is the last
look: under a lock on the person it compares versions, epoch and times, and takes one attempt per person.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, case, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from channels.protocol import Outcome, OutcomeKind, Prepared
from outreach.correspondence import log
from outreach.correspondence.tables import Content
from outreach.planning import queries as q
from outreach.store.bulk import insert_rows
from outreach.store.tables.messages import Try
from outreach.store.tables.operations import Task, Worker
from outreach.store.types import AnyRow, new_id, table_of

worker = table_of(Worker)
try_ = table_of(Try)
task = table_of(Task)
content = table_of(Content)

ACTOR = "job:send"
TASK_DUE = timedelta(days=3)
FIRST_BACKOFF = timedelta(minutes=1)
LONGEST_BACKOFF = timedelta(hours=4)
OUR_BACKOFF = timedelta(minutes=5)


class LeaseLost(Exception):
    """This worker was declared dead; it must register anew before it sends anything."""


@dataclass(slots=True)
class Claimed:
    """An attempt in `sending`, with its exact bytes."""

    attempt_id: int
    number: int
    worker_id: str
    channel: str
    prepared: Prepared
    refs: AnyRow
    claimed_at: datetime


@dataclass(slots=True)
class Settled:
    """What became of a claimed attempt. `ended_at` is the machine's time."""

    claimed: Claimed
    outcome: Outcome
    ended_at: datetime


@dataclass(slots=True)
class Turned:
    """One turn of the ledger: what may be sent now, and how many were passed over as stale."""

    claimed: list[Claimed]
    passed_over: int = 0


# Claiming


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
    entries = _settle(conn, settled, now, alive=worker_id if places else "")
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
    entries += (_entry("handed_over", row, now, content_id=row.content_id) for row in good)
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
    return [_entry(state, row, now, reasons=(code,)) for row in rows]


# Settling

_STATES = {
    OutcomeKind.ACCEPTED: "accepted",
    OutcomeKind.REFUSED_RECIPIENT: "refused",
    OutcomeKind.REFUSED_US: "ready",
    OutcomeKind.RETRY_AFTER: "ready",
    OutcomeKind.IN_DOUBT: "in_doubt",
}
_ENTRIES = {
    OutcomeKind.ACCEPTED: "accepted",
    OutcomeKind.REFUSED_RECIPIENT: "refused",
    OutcomeKind.REFUSED_US: "postponed",
    OutcomeKind.RETRY_AFTER: "postponed",
    OutcomeKind.IN_DOUBT: "in_doubt",
}

# A late answer still settles what had been put in doubt meanwhile, but only the same try's answer.
_SETTLE = (
    update(q.attempt)
    .where(
        q.attempt.c.id.in_(bindparam("keys", expanding=True)),
        q.attempt.c.tries == bindparam("number"),
        or_(q.attempt.c.state == "sending", q.attempt.c.state == "in_doubt"),
    )
    .values(
        state=bindparam("new_state"),
        # The trigger raises the person's version only where the state really changes.
        facts_version=q.attempt.c.facts_version
        + case((q.attempt.c.state == bindparam("new_state"), 0), else_=1),
        settled_at=bindparam("now"),
        outcome_code=bindparam("code"),
        try_at=bindparam("try_at"),
    )
)
_NOT_HANDED_OVER = (
    update(q.attempt)
    .where(
        q.attempt.c.id == bindparam("key"), or_(q.attempt.c.state == "ready", q.attempt.c.state == "refused")
    )
    .values(handed_over_at=None)
)
_END_TRY = (
    update(try_)
    .where(try_.c.attempt_id == bindparam("key"), try_.c.number == bindparam("try_number"))
    .values(
        ended_at=bindparam("ended"),
        outcome=bindparam("kind"),
        code=bindparam("reply"),
        provider_id=bindparam("provider"),
        content_id=bindparam("said"),
    )
)


def settle(conn: Connection, settled: Sequence[Settled], now: datetime) -> None:
    """Commit outcomes alone, when nothing more is claimed."""
    log.append(conn, _settle(conn, settled, now))


def _settle(conn: Connection, settled: Sequence[Settled], now: datetime, alive: str = "") -> list[log.Entry]:
    """Write outcomes: of the attempt and of the try, with what the other side said; return their entries.

    `alive` is a worker known to hold its lease: nothing of it can have been put in doubt meanwhile.
    """
    if not settled:
        return []
    said = {place: new_id() for place, one in enumerate(settled) if one.outcome.detail}
    log.keep(
        conn, [(key, "text", settled[place].outcome.detail.encode()) for place, key in said.items()], now
    )
    alike: dict[tuple[Any, ...], list[int]] = {}
    for one in settled:
        kind = (_STATES[one.outcome.kind], one.outcome.code[:40], _backoff(one), one.claimed.number)
        alike.setdefault(kind, []).append(one.claimed.attempt_id)
    for (state, code, backoff, number), keys in alike.items():
        values = {"new_state": state, "code": code, "try_at": now + backoff, "number": number, "now": now}
        conn.execute(_SETTLE, {"keys": keys, **values})
    back = [
        {"key": one.claimed.attempt_id}
        for one in settled
        if one.outcome.kind not in {OutcomeKind.ACCEPTED, OutcomeKind.IN_DOUBT}
    ]
    if back:
        conn.execute(_NOT_HANDED_OVER, back)
    conn.execute(
        _END_TRY,
        [
            {
                "key": one.claimed.attempt_id,
                "try_number": one.claimed.number,
                "ended": one.ended_at,
                "kind": one.outcome.kind.value,
                "reply": one.outcome.code[:40],
                "provider": one.outcome.provider_id or "",
                "said": said.get(place),
            }
            for place, one in enumerate(settled)
        ],
    )
    _open_tasks(conn, settled, now)
    _close_tasks(conn, [one for one in settled if one.claimed.worker_id != alive], now)
    return [
        _entry(
            _ENTRIES[one.outcome.kind],
            one.claimed.refs,
            now,
            content_id=said.get(place),
            reasons=(one.outcome.kind.value, one.outcome.code),
        )
        for place, one in enumerate(settled)
    ]


def _backoff(one: Settled) -> timedelta:
    """Return how long to wait: what the other side asked, else doubling from a minute to four hours."""
    if one.outcome.kind is OutcomeKind.REFUSED_US:
        return one.outcome.retry_after or OUR_BACKOFF
    if one.outcome.kind is not OutcomeKind.RETRY_AFTER:
        return timedelta(0)
    doubled: timedelta = FIRST_BACKOFF * 2 ** min(one.claimed.number - 1, 12)
    return max(one.outcome.retry_after or timedelta(0), min(doubled, LONGEST_BACKOFF))


def _open_tasks(conn: Connection, settled: Sequence[Settled], now: datetime) -> None:
    rows = [
        _task_row("in_doubt", one.claimed.prepared.token, one.claimed.refs, now, one.outcome.code)
        for one in settled
        if one.outcome.kind is OutcomeKind.IN_DOUBT
    ]
    if any(one.outcome.kind is OutcomeKind.REFUSED_US for one in settled):
        refused = next(one for one in settled if one.outcome.kind is OutcomeKind.REFUSED_US)
        rows.append(
            _task_row("refused", f"channel:{refused.claimed.channel}", None, now, refused.outcome.code)
        )
    _insert_tasks(conn, rows)


# Known after all: what a person was asked to find out no longer needs anybody.
_CLOSE_TASK = (
    update(task)
    .where(
        task.c.kind == "in_doubt",
        task.c.subject.in_(bindparam("tokens", expanding=True)),
        task.c.closed_at.is_(None),
        task.c.attempt_id.in_(select(q.attempt.c.id).where(q.attempt.c.state != "in_doubt")),
    )
    .values(closed_at=bindparam("now"), closed_by=ACTOR)
)


def _close_tasks(conn: Connection, settled: Sequence[Settled], now: datetime) -> None:
    tokens = [one.claimed.prepared.token for one in settled if one.outcome.kind is not OutcomeKind.IN_DOUBT]
    if tokens:
        conn.execute(_CLOSE_TASK, {"tokens": tokens, "now": now})


def _task_row(kind: str, subject: str, refs: AnyRow | None, now: datetime, code: str) -> dict[str, Any]:
    return {
        "pseudonym": new_id(),
        "kind": kind,
        "subject": subject,
        "attempt_id": refs.id if refs is not None else None,
        "person_id": refs.person_id if refs is not None else None,
        "reason_code": code[:60],
        "opened_at": now,
        "due_at": now + TASK_DUE,
        "owner": "staff",
    }


def _insert_tasks(conn: Connection, rows: list[dict[str, Any]]) -> None:
    if rows:
        build: Any = sqlite.insert if conn.dialect.name == "sqlite" else postgresql.insert
        conn.execute(build(task).on_conflict_do_nothing(), rows)


def _entry(type_: str, row: AnyRow, now: datetime, **more: Any) -> log.Entry:
    return log.Entry(
        type=type_,
        at=now,
        actor=ACTOR,
        person=row.person,
        dossier=row.dossier,
        creditor=row.creditor,
        channel=row.channel,
        token=row.token,
        **more,
    )


# Workers

_LOST = (
    select(
        q.attempt,
        q.person.c.pseudonym.label("person"),
        q.creditor.c.code.label("creditor"),
        q.dossier.c.pseudonym.label("dossier"),
    )
    .join(q.person, q.person.c.id == q.attempt.c.person_id)
    .join(q.creditor, q.creditor.c.id == q.attempt.c.creditor_id)
    .join(q.message, q.message.c.id == q.attempt.c.message_id)
    .join(q.dossier, q.dossier.c.id == q.message.c.dossier_id)
    .where(q.attempt.c.worker_id.in_(bindparam("workers", expanding=True)), q.attempt.c.state == "sending")
    .order_by(q.attempt.c.person_id)
    .with_for_update(of=q.attempt)
)


def register(conn: Connection, host: str, pid: int, lease: timedelta, machine_now: datetime) -> str:
    """Register a worker with a lease; return its id."""
    key = new_id()
    conn.execute(
        insert(worker).values(
            id=key, host=host, pid=pid, started_at=machine_now, lease_until=machine_now + lease
        )
    )
    return key


def renew(conn: Connection, worker_id: str, lease: timedelta, machine_now: datetime) -> bool:
    """Renew a lease; False when the worker was declared dead meanwhile."""
    done = conn.execute(
        update(worker)
        .where(worker.c.id == worker_id, worker.c.declared_dead_at.is_(None))
        .values(lease_until=machine_now + lease)
    )
    return bool(done.rowcount)


def retire(conn: Connection, worker_id: str, machine_now: datetime) -> None:
    """Note that a worker stopped by itself; one that left something in `sending` is reaped like a dead one."""
    left = conn.execute(
        select(q.attempt.c.id)
        .where(q.attempt.c.worker_id == worker_id, q.attempt.c.state == "sending")
        .limit(1)
    ).scalar()
    stopped_at = machine_now if left is None else None
    conn.execute(
        update(worker).where(worker.c.id == worker_id).values(stopped_at=stopped_at, lease_until=machine_now)
    )


def reap(conn: Connection, now: datetime, machine_now: datetime) -> int:
    """Declare workers dead whose lease ran out, and put in doubt what they left in `sending`.

    Returns how many attempts were put in doubt. None of them is sent again by itself.
    """
    dead = list(
        conn.execute(
            select(worker.c.id)
            .where(
                worker.c.stopped_at.is_(None),
                worker.c.declared_dead_at.is_(None),
                worker.c.lease_until <= machine_now,
            )
            .with_for_update(skip_locked=True)
        ).scalars()
    )
    if not dead:
        return 0
    conn.execute(update(worker).where(worker.c.id.in_(dead)).values(declared_dead_at=machine_now))
    log.append(conn, [log.Entry(type="worker_declared_dead", at=now, actor="job:reap") for _ in dead])
    return _put_in_doubt(conn, conn.execute(_LOST, {"workers": dead}).all(), "worker_died", now)


def abandon(conn: Connection, worker_id: str, channel: str, now: datetime) -> int:
    """Put in doubt what a living worker has in `sending` on a channel where nothing is under way any more."""
    rows = conn.execute(_LOST.where(q.attempt.c.channel == channel), {"workers": [worker_id]}).all()
    return _put_in_doubt(conn, rows, "answer_lost", now)


def _put_in_doubt(conn: Connection, rows: Sequence[AnyRow], code: str, now: datetime) -> int:
    if rows:
        conn.execute(
            update(q.attempt)
            .where(q.attempt.c.id.in_([row.id for row in rows]), q.attempt.c.state == "sending")
            .values(
                state="in_doubt",
                facts_version=q.attempt.c.facts_version + 1,
                settled_at=now,
                outcome_code=code,
            )
        )
    log.append(conn, [_entry("in_doubt", row, now, reasons=(code,)) for row in rows])
    _insert_tasks(conn, [_task_row("in_doubt", row.token, row, now, code) for row in rows])
    return len(rows)
