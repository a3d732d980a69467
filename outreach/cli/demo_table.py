"""What came of every message of the demo: one outcome each, by the step that it told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, and_, func, select

from outreach.casework.days import start_of
from outreach.casework.grounds import arrangement
from outreach.casework.targets import claim
from outreach.planning import queries as q
from outreach.store.tables.claims import Allocation, Payment, Stop
from outreach.store.types import AnyRow, table_of

allocation = table_of(Allocation)
payment = table_of(Payment)
stop = table_of(Stop)

WITHIN_DAYS = 14
OUTCOMES = ("paid", "arrangement", "disputed", "returned", "nothing")
LEFT = ("accepted", "posted", "delivered", "bounced", "returned")
BACK = ("bounced", "returned")


@dataclass(frozen=True)
class Row:
    """The messages of one template; a reminder's outcomes sum to `messages`, other messages ask for nothing."""

    step: str
    messages: int
    is_reminder: bool
    paid: int
    arrangement: int
    disputed: int
    returned: int
    nothing: int


def by_outcome(conn: Connection) -> list[Row]:
    """Count each message that left once: what came first within so many days, by its template.

    One that came back is counted as returned, whatever else happened. What is too young for its days to be over
    counts by what has happened so far.
    """
    happened = _happened(conn)
    counts: dict[tuple[int, str, bool], Counter[str]] = {}
    for row in conn.execute(_messages()):
        reminder = row.purpose == "dunning"
        key = (not reminder, row.template, reminder)
        counts.setdefault(key, Counter())[_outcome(row, happened)] += 1
    return [
        Row(template, counted.total(), reminder, **{word: counted[word] for word in OUTCOMES})
        for (_, template, reminder), counted in sorted(counts.items(), key=_severity)
    ]


_ORDER = ("friendly_reminder", "help_offer", "firm_reminder", "formal_notice", "final_notice")


def _severity(one: tuple[tuple[int, str, bool], Counter[str]]) -> tuple[int, int, str]:
    late, template, _ = one[0]
    return late, _ORDER.index(template) if template in _ORDER else len(_ORDER), template


def _messages() -> Select[Any]:
    newest = select(func.max(q.attempt.c.id)).group_by(q.attempt.c.message_id)
    return (
        select(
            q.message.c.dossier_id,
            q.message.c.currency,
            q.message.c.purpose,
            q.message.c.template,
            q.attempt.c.state,
            q.attempt.c.handed_over_at,
        )
        .join(q.attempt, q.attempt.c.message_id == q.message.c.id)
        .where(q.attempt.c.id.in_(newest.scalar_subquery()), q.attempt.c.state.in_(LEFT))
        .order_by(q.message.c.id)
    )


Happened = dict[int, list[tuple[datetime, str]]]


def _happened(conn: Connection) -> Happened:
    """Return what debtors did, by dossier and in order."""
    found: Happened = {}
    agreed = select(arrangement.c.dossier_id, arrangement.c.agreed_at)
    disputed = select(claim.c.dossier_id, stop.c.from_at).join(
        stop, and_(stop.c.claim_id == claim.c.id, stop.c.kind == "dispute")
    )
    paid = (
        select(claim.c.dossier_id, allocation.c.booked_on)
        .join(allocation, allocation.c.claim_id == claim.c.id)
        .join(payment, and_(payment.c.id == allocation.c.payment_id, payment.c.kind == "payment"))
        .distinct()
    )
    for word, query in (("arrangement", agreed), ("disputed", disputed), ("paid", paid)):
        for dossier_id, at in conn.execute(query):
            # A booking counts at the end of its day: it answers what was said that morning.
            when = at if isinstance(at, datetime) else _end_of(at)
            found.setdefault(dossier_id, []).append((when, word))
    return {key: sorted(one) for key, one in found.items()}


def _end_of(on: date) -> datetime:
    return start_of(on + timedelta(days=1)) - timedelta(seconds=1)


def _outcome(row: AnyRow, happened: Happened) -> str:
    if row.state in BACK:
        return "returned"
    until = row.handed_over_at + timedelta(days=WITHIN_DAYS)
    within = (word for at, word in happened.get(row.dossier_id, ()) if row.handed_over_at < at <= until)
    return next(within, "nothing")


def lines(rows: Sequence[Row]) -> list[tuple[object, ...]]:
    """Return the table's rows with their sum; messages that ask nothing have no outcome but coming back."""
    shown: list[tuple[object, ...]] = [
        (one.step, one.messages, one.paid, one.arrangement, one.disputed, one.returned, one.nothing)
        for one in rows
        if one.is_reminder
    ]
    told = [one for one in rows if not one.is_reminder]
    asking = [one for one in rows if one.is_reminder]
    back = sum(one.returned for one in told)
    number = sum(one.messages for one in told)
    shown.append(("confirmations and nudges", number, 0, 0, 0, back, number - back))
    together = [sum(getattr(one, word) for one in asking) for word in OUTCOMES]
    together[3] += back
    together[4] += number - back
    return [*shown, ("together", sum(one.messages for one in rows), *together)]
