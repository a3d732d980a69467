"""Write what became of a hand-over: of the attempt, of the try with what was said, and in the log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, case, or_, select, update

from channels.protocol import Outcome, OutcomeKind, Prepared
from outreach.correspondence import log
from outreach.delivery.entries import ACTOR, entry, insert_tasks, task, task_row
from outreach.planning import queries as q
from outreach.store.bulk import update_rows
from outreach.store.tables.messages import Try
from outreach.store.types import AnyRow, new_id, table_of

try_ = table_of(Try)

FIRST_BACKOFF = timedelta(minutes=1)
LONGEST_BACKOFF = timedelta(hours=4)
OUR_BACKOFF = timedelta(minutes=5)


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


def settle(conn: Connection, settled: Sequence[Settled], now: datetime) -> None:
    """Commit outcomes alone, when nothing more is claimed."""
    log.append(conn, settle_all(conn, settled, now))


def settle_all(
    conn: Connection, settled: Sequence[Settled], now: datetime, alive: str = ""
) -> list[log.Entry]:
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
    tries = [
        {
            "attempt_id": one.claimed.attempt_id,
            "number": one.claimed.number,
            "ended_at": one.ended_at,
            "outcome": one.outcome.kind.value,
            "code": one.outcome.code[:40],
            "provider_id": one.outcome.provider_id or "",
            "content_id": said.get(place),
        }
        for place, one in enumerate(settled)
    ]
    update_rows(conn, try_, ("attempt_id", "number"), tries)
    _open_tasks(conn, settled, now)
    _close_tasks(conn, [one for one in settled if one.claimed.worker_id != alive], now)
    return [
        entry(
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
        task_row("in_doubt", one.claimed.prepared.token, one.claimed.refs, now, one.outcome.code)
        for one in settled
        if one.outcome.kind is OutcomeKind.IN_DOUBT
    ]
    if any(one.outcome.kind is OutcomeKind.REFUSED_US for one in settled):
        refused = next(one for one in settled if one.outcome.kind is OutcomeKind.REFUSED_US)
        rows.append(
            task_row("refused", f"channel:{refused.claimed.channel}", None, now, refused.outcome.code)
        )
    insert_tasks(conn, rows)


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
