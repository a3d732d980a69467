"""The look at every arrangement before a day's planning: what was paid, missed, kept or broken, and what to say of it.

It may run at any time and as often as one likes: what was noticed once is not noticed again. Nothing but a promise
breaks by itself; a plan goes on until it is kept or a person ends it.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial

from sqlalchemy import Connection, func, select, update

from consent.calendar import zone_of
from outreach.casework import complaints, service
from outreach.casework.arrangements import pause
from outreach.casework.confirm import confirm_payments
from outreach.casework.days import start_of
from outreach.casework.endings import entries
from outreach.casework.grounds import Whose
from outreach.casework.judge import ACTOR, Page
from outreach.casework.owed import allocation
from outreach.casework.running import Judged, arrangement, judged, running, with_reversals
from outreach.claims.schedule import standing
from outreach.correspondence import log as correspondence
from outreach.store.writer import Store

BATCH = 200

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reviewed:
    """What one review came to, counted by what it noticed."""

    counts: Counter[str]


@dataclass(slots=True)
class Seen:
    """How far a process has looked: while no booking came since, it looks again once an hour only."""

    upto: tuple[datetime, int] | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """How arrangements of one kind ended since a day, and how many run now."""

    kind: str
    kept: int
    broken: int
    ended: int
    running: int
    running_missed: int
    """Those that run and of which an instalment was missed."""


async def review(store: Store, now: datetime, seen: Seen | None = None) -> Reviewed:
    """Look at everything that was arranged; then ask for confirmations of payments, and close what was said.

    A process that reviews again and again gives the same `seen`, so that it need not look twice at the same.
    """
    upto = await store.read(partial(_upto, now=now))
    counts: Counter[str] = Counter()
    if seen is None or seen.upto != upto:
        counts += await _look_at_all(store, now)
        counts["payment_confirmed"] += await confirm_payments(store, now, ACTOR)
        if seen is not None:
            seen.upto = upto
    counts["complaint_confirmed"] += await store.write(lambda conn: complaints.settle(conn, ACTOR, now))
    closed = service.CLOSED_AT_ONCE
    while closed >= service.CLOSED_AT_ONCE:
        closed = await store.write(lambda conn: service.close_past(conn, ACTOR, now))
        counts["closed"] += closed
    return Reviewed(+counts)


def kept_and_broken(conn: Connection, since: date) -> list[Kept]:
    """Count by kind how arrangements ended from a civil day on, for whoever agrees to them."""
    ended = arrangement.c.ended_at >= start_of(since)
    runs = arrangement.c.state == "running"
    rows = conn.execute(
        select(
            arrangement.c.kind,
            func.count().filter(ended, arrangement.c.state == "kept"),
            func.count().filter(ended, arrangement.c.state == "broken"),
            func.count().filter(ended, arrangement.c.state == "ended"),
            func.count().filter(runs),
            func.count().filter(runs, arrangement.c.missed > 0),
        )
        .group_by(arrangement.c.kind)
        .order_by(arrangement.c.kind)
    )
    return [Kept(*row) for row in rows]


def _upto(conn: Connection, now: datetime) -> tuple[datetime, int]:
    newest = conn.execute(select(func.max(allocation.c.id))).scalar() or 0
    return now.replace(minute=0, second=0, microsecond=0), int(newest)


async def _look_at_all(store: Store, now: datetime) -> Counter[str]:
    """Judge every running arrangement, page by page, those first that a reversal lets run again."""
    counts: Counter[str] = Counter()
    reversed_ = await store.read(partial(with_reversals, now=now))
    if reversed_:
        counts += await store.write(partial(_reopen, keys=reversed_, now=now))
    after = 0
    while keys := await store.read(partial(running, after=after, limit=BATCH)):
        counts += await _look(store, keys, now)
        after = keys[-1]
    return counts


async def _look(store: Store, keys: Sequence[int], now: datetime) -> Counter[str]:
    """Judge a page; one that fails as a whole is split, so that one arrangement stops no other."""
    try:
        return await store.write(partial(_judge, keys=keys, now=now))
    except Exception as error:  # noqa: BLE001 - one bad arrangement stops no other; it is logged and counted
        word = type(error).__name__
        if len(keys) == 1:
            log.error("arrangement %d could not be reviewed: %s", keys[0], word)  # noqa: TRY400
            return Counter(failed=1)
        log.warning("a page of %d arrangements failed (%s); each is reviewed singly", len(keys), word)
    counts: Counter[str] = Counter()
    for key in keys:
        counts += await _look(store, [key], now)
    return counts


def _judge(conn: Connection, keys: Sequence[int], now: datetime) -> Counter[str]:
    page = Page(now)
    for one in judged(conn, keys, "running", now):
        page.take(one)
    return page.write(conn)


def _reopen(conn: Connection, keys: Sequence[int], now: datetime) -> Counter[str]:
    """Let arrangements run again that were kept by payments which were taken back since."""
    taken_back = [
        one
        for one in judged(conn, keys, "kept", now)
        if any(state != "paid" for state in standing(one.due, one.paid_cents, None))
    ]
    for one in taken_back:
        conn.execute(
            update(arrangement)
            .where(arrangement.c.id == one.row.id)
            .values(state="running", ended_at=None, ended_by=None)
        )
        _pause_again(conn, one, now)
    told = [(one.row.id, "arrangement_reopened", ("payment_reversed",)) for one in taken_back]
    correspondence.append(conn, entries(conn, told, ACTOR, now))
    return Counter(reopened=len(taken_back))


def _pause_again(conn: Connection, one: Judged, now: datetime) -> None:
    row = one.row
    whose = Whose(row.dossier_id, row.person_id, row.currency, one.claims)
    until_on = None if row.kind == "plan" else row.ends_on
    pause(conn, row.id, row.kind, whose, until_on, zone_of(row.time_zone), ACTOR, now)
