"""What was said and what came of it, by step: the manager's first table."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, func, select

from outreach.planning import queries as q


@dataclass(frozen=True)
class StepCount:
    """How many messages of a step there are in a state, about how many claims."""

    step: str
    state: str
    messages: int
    claims: int


def by_step(conn: Connection) -> list[StepCount]:
    """Count the newest attempt of every message that counts, by the step its claims were told."""
    newest = select(func.max(q.attempt.c.id)).group_by(q.attempt.c.message_id).scalar_subquery()
    rows = conn.execute(
        select(
            q.message_claim.c.step,
            q.attempt.c.state,
            func.count(q.attempt.c.id.distinct()),
            func.count(),
        )
        .join(q.attempt, q.attempt.c.message_id == q.message_claim.c.message_id)
        .where(q.message_claim.c.counts, q.attempt.c.id.in_(newest))
        .group_by(q.message_claim.c.step, q.attempt.c.state)
        .order_by(q.message_claim.c.step, q.attempt.c.state)
    )
    return [StepCount(*row) for row in rows]


@dataclass(frozen=True)
class Book:
    """The whole book in one line, in claims: `total` is the sum of the other four."""

    total: int
    settled_unasked: int
    """Paid without any reminder."""
    settled_after: int
    """Paid after at least one message."""
    open_told: int
    open_untold: int


def book(conn: Connection, on: date) -> Book:
    """Count every claim exactly once: settled or open at the end of a day, told or not."""
    reduced = (
        select(func.coalesce(func.sum(q.allocation.c.amount_cents), 0))
        .where(q.allocation.c.claim_id == q.claim.c.id, q.allocation.c.booked_on <= on)
        .scalar_subquery()
    )
    told = (
        select(q.message_claim.c.id)
        .join(q.attempt, q.attempt.c.message_id == q.message_claim.c.message_id)
        .where(
            q.message_claim.c.claim_id == q.claim.c.id,
            q.message_claim.c.counts,
            q.message_claim.c.step != "listed",
            q.attempt.c.state.in_(["accepted", "posted", "delivered", "in_doubt", "sending"]),
        )
        .exists()
    )
    settled = reduced >= q.claim.c.principal_cents
    total, unasked, after, open_told = conn.execute(
        select(
            func.count(),
            func.count().filter(settled & ~told),
            func.count().filter(settled & told),
            func.count().filter(~settled & told),
        ).select_from(q.claim)
    ).one()
    return Book(total, unasked, after, open_told, total - unasked - after - open_told)
