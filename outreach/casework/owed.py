"""The claims that casework is about, as facts for the one calculator of amounts.

Two readings of the same rows: what every booking leaves open (`facts_where`), and what is asked today of the
dossiers that an arrangement may be about (`claims_of`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select, true

from outreach.casework.days import civil_today
from outreach.claims.facts import ClaimFact, HoldFact
from outreach.store.tables.claims import Allocation, Claim, Stop
from outreach.store.types import table_of

claim = table_of(Claim)
allocation = table_of(Allocation)
stop = table_of(Stop)

_COLUMNS = (
    "id",
    "pseudonym",
    "external_id",
    "invoice_number",
    "kind",
    "description",
    "payment_url",
    "invoice_on",
    "due_on",
    "currency",
    "principal_cents",
)

Unit = tuple[int, str]
"""A dossier's inner key and a currency."""

_ALL = true()


def claims_of(conn: Connection, dossiers: Sequence[int], now: datetime) -> dict[Unit, list[ClaimFact]]:
    """Return every claim of these dossiers as it stands today, with the disputes that hold it or a part of it."""
    found: dict[Unit, list[ClaimFact]] = defaultdict(list)
    for dossier_id, fact in facts_where(
        conn,
        claim.c.dossier_id.in_(dossiers),
        now,
        booked=allocation.c.booked_on <= civil_today(now),
        holding=stop.c.kind == "dispute",
    ):
        found[dossier_id, fact.currency].append(fact)
    return found


def facts_where(
    conn: Connection,
    where: ColumnElement[bool],
    now: datetime,
    *,
    booked: ColumnElement[bool] = _ALL,
    holding: ColumnElement[bool] = _ALL,
) -> list[tuple[int, ClaimFact]]:
    """Return claims with the dossier of each, the oldest first, and the stops on them that hold at `now`.

    `booked` and `holding` leave out bookings and stops that do not count for the question.
    """
    reduced = func.coalesce(func.sum(allocation.c.amount_cents), 0).label("reduced_cents")
    rows = conn.execute(
        select(claim.c.dossier_id, *(claim.c[name] for name in _COLUMNS), reduced)
        .outerjoin(allocation, and_(allocation.c.claim_id == claim.c.id, booked))
        .where(where)
        .group_by(claim.c.id)
        .order_by(claim.c.due_on, claim.c.id)
    ).all()
    holds = _holds(conn, and_(where, holding), now)
    found = []
    for row in rows:
        values = {name: getattr(row, name) for name in _COLUMNS}
        fact = ClaimFact(**values, reduced_cents=int(row.reduced_cents), holds=holds.get(row.id, ()))
        found.append((row.dossier_id, fact))
    return found


def is_disputed(fact: ClaimFact) -> bool:
    """Whether the whole claim lies in dispute."""
    return any(hold.cents is None for hold in fact.holds)


def is_part(fact: ClaimFact, agreed_on: date, named: Sequence[int]) -> bool:
    """Whether an arrangement is about a claim: one of those it names, else any that was billed by its day."""
    return fact.id in named if named else fact.invoice_on <= agreed_on


def _holds(conn: Connection, where: ColumnElement[bool], now: datetime) -> dict[int, tuple[HoldFact, ...]]:
    found: dict[int, tuple[HoldFact, ...]] = {}
    rows = conn.execute(
        select(stop.c.claim_id, stop.c.kind, stop.c.until_at, stop.c.amount_cents)
        .join(claim, claim.c.id == stop.c.claim_id)
        .where(
            where,
            stop.c.lifted_at.is_(None),
            stop.c.from_at <= now,
            or_(stop.c.until_at.is_(None), stop.c.until_at > now),
        )
    )
    for row in rows:
        hold = HoldFact(kind=row.kind, until_at=row.until_at, cents=row.amount_cents)
        found[row.claim_id] = (*found.get(row.claim_id, ()), hold)
    return found
