"""What was said and what came of it, by step: the manager's first table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import Connection, func, select

from outreach.correspondence.log import artefact_of
from outreach.dunning import strategy
from outreach.dunning.strategy import LISTED, Strategy
from outreach.planning import queries as q
from outreach.planning.load import civil_today
from outreach.store.types import AnyRow

PAGE = 500
PAID_WITHIN = timedelta(days=14)
"""How long after a message a payment counts as what came of it."""


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


OUTCOMES = ("paid", "arrangement", "dispute", "returned", "nothing", "not_yet")
"""What came of a message, each message exactly one: see StepOutcome."""


@dataclass(frozen=True, slots=True)
class StepOutcome:
    """How many messages of a template and step came to one outcome.

    `returned` is a message whose last try bounced or came back: nobody read it, so nothing else is its doing. Of the
    others `paid` is one after which any payment on its claims was booked within 14 days; `arrangement` and `dispute`
    were made within that time; `not_yet` is one whose 14 days are not over, and of which nothing came so far.
    A payment may follow more than one message.
    """

    template: str
    step: str
    outcome: str
    messages: int


def strategies_of(conn: Connection, hashes: Iterable[str]) -> dict[str, Strategy]:
    """Return the kept versions of strategies by hash; one that is not kept is left out."""
    bodies = {name: artefact_of(conn, name) for name in hashes if name}
    return {name: strategy.read(body, "a kept strategy").strategy for name, body in bodies.items() if body}


def lead_of(version: Strategy | None, told: Iterable[str]) -> str:
    """Return the most advanced of the steps that a message told; empty where it told none."""
    steps = [step for step in told if step != LISTED]
    return max(steps, key=lambda step: (version.position(step) if version else -1, step), default="")


def by_step_and_outcome(conn: Connection, on: date) -> list[StepOutcome]:
    """Count every reminder that was handed over by `on` (a civil date of the operator) by what came of it."""
    counts: Counter[tuple[str, str, str]] = Counter()
    known: dict[str, Strategy] = {}
    after = 0
    while page := _messages(conn, after):
        after = page[-1].id
        told = [row for row in page if civil_today(row.handed_over_at) <= on]
        known |= strategies_of(conn, {row.strategy_hash for row in told} - known.keys())
        came = _Came(conn, told)
        for row in told:
            step = lead_of(known.get(row.strategy_hash), came.steps(row.id))
            counts[row.template, step, came.outcome(row, on)] += 1
    ranks = {word: rank for rank, word in enumerate(OUTCOMES)}
    return [
        StepOutcome(*key, counts[key]) for key in sorted(counts, key=lambda key: (*key[:2], ranks[key[2]]))
    ]


_ENDED = ("accepted", "posted", "delivered", "bounced", "returned")


def _messages(conn: Connection, after: int) -> Sequence[AnyRow]:
    """Return the next page of reminders whose last try reached a provider."""
    newest = (
        select(q.attempt.c.message_id, func.max(q.attempt.c.id).label("attempt_id"))
        .where(q.attempt.c.message_id > after, q.attempt.c.state.in_(_ENDED))
        .group_by(q.attempt.c.message_id)
        .subquery()
    )
    return conn.execute(
        select(
            q.message.c.id,
            q.message.c.template,
            q.message.c.strategy_hash,
            q.message.c.dossier_id,
            q.message.c.person_id,
            q.attempt.c.state,
            q.attempt.c.handed_over_at,
        )
        .join(newest, newest.c.message_id == q.message.c.id)
        .join(q.attempt, q.attempt.c.id == newest.c.attempt_id)
        .where(q.message.c.purpose == "dunning", q.attempt.c.handed_over_at.is_not(None))
        .order_by(q.message.c.id)
        .limit(PAGE)
    ).all()


class _Came:
    """What came after the messages of one page, read by a fixed number of queries."""

    def __init__(self, conn: Connection, page: Sequence[AnyRow]) -> None:
        self._lines: dict[int, list[AnyRow]] = {row.id: [] for row in page}
        lines = select(q.message_claim.c.message_id, q.message_claim.c.claim_id, q.message_claim.c.step)
        for row in conn.execute(lines.where(q.message_claim.c.message_id.in_(self._lines))):
            self._lines[row.message_id].append(row)
        claims = {row.claim_id for group in self._lines.values() for row in group}
        dossiers = {row.dossier_id for row in page}
        paid = (
            select(q.allocation.c.claim_id, q.allocation.c.booked_on)
            .join(q.payment, q.payment.c.id == q.allocation.c.payment_id)
            .where(
                q.allocation.c.claim_id.in_(claims),
                q.allocation.c.amount_cents > 0,
                q.payment.c.kind.in_(["payment", "settled_unknown"]),
            )
        )
        self._paid = _days(conn.execute(paid))
        agreed = select(q.arrangement.c.dossier_id, q.arrangement.c.agreed_at)
        agreed = agreed.where(q.arrangement.c.dossier_id.in_(dossiers))
        self._agreed = _days((key, civil_today(at)) for key, at in conn.execute(agreed))
        disputed = select(q.stop.c.claim_id, q.stop.c.from_at)
        disputed = disputed.where(q.stop.c.claim_id.in_(claims), q.stop.c.kind == "dispute")
        self._disputed = _days((key, civil_today(at)) for key, at in conn.execute(disputed))

    def steps(self, message_id: int) -> list[str]:
        """Return what its claims were told."""
        return [row.step for row in self._lines[message_id]]

    def outcome(self, row: AnyRow, on: date) -> str:
        """Return the one thing that came of a message by the end of a day."""
        if row.state in {"bounced", "returned"}:
            return "returned"
        first = civil_today(row.handed_over_at)
        last = min(first + PAID_WITHIN, on)
        claims = [line.claim_id for line in self._lines[row.id]]
        found: tuple[tuple[str, Mapping[int, list[date]], Sequence[int]], ...] = (
            ("paid", self._paid, claims),
            ("arrangement", self._agreed, [row.dossier_id]),
            ("dispute", self._disputed, claims),
        )
        for word, days, keys in found:
            if any(first <= day <= last for key in keys for day in days.get(key, ())):
                return word
        return "nothing" if first + PAID_WITHIN <= on else "not_yet"


def _days(rows: Iterable[tuple[int, date]]) -> dict[int, list[date]]:
    found: dict[int, list[date]] = {}
    for key, day in rows:
        found.setdefault(key, []).append(day)
    return found
