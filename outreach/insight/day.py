"""The day's list for a manager: what is open and what was said of it, who does not react, what needs attention."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, select

from outreach.casework.owed import allocation, claims_of
from outreach.casework.review import Kept, kept_and_broken
from outreach.claims.amounts import open_cents
from outreach.insight.attention import Attention, attention
from outreach.insight.silent import Silent, silent
from outreach.insight.today import creditor_id_of
from outreach.planning import queries as q
from outreach.planning.decide import decide
from outreach.planning.facts import UnitFacts
from outreach.planning.load import civil_today, load
from outreach.planning.plan import BATCH, Planner
from outreach.store.tables.messages import DayAccount
from outreach.store.types import AnyRow, table_of

day_account = table_of(DayAccount)

KEPT_SINCE = timedelta(days=30)
"""How far back arrangements are counted that were kept or broken."""


@dataclass(frozen=True, slots=True)
class OpenItem:
    """One claim of which something is open, with what was said last and what comes next.

    The steps are those of the first party that would be written to. `account` is the outcome and code of the dossier's
    last account; `paused` names a running arrangement, else the stops that hold now.
    """

    creditor: str
    debtor: str
    invoice: str
    due_on: date
    currency: str
    open_cents: int
    last_step: str = ""
    last_on: date | None = None
    steps_taken: int = 0
    next_step: str = ""
    next_on: date | None = None
    account: str = ""
    account_on: date | None = None
    paused: str = ""


@dataclass(frozen=True, slots=True)
class Total:
    """How many there are in a currency, and of how much together."""

    currency: str
    count: int
    cents: int


@dataclass(frozen=True, slots=True)
class Unplaced:
    """Money that no claim was found for; `debtor` is empty where nobody is known to have paid it."""

    creditor: str
    payment: str
    kind: str
    booked_on: date
    currency: str
    amount_cents: int
    unplaced_cents: int
    debtor: str
    reference: str


@dataclass(frozen=True)
class Day:
    """The whole list: totals count everything, rows are the first ones."""

    at: datetime
    open_totals: list[Total]
    open_items: list[OpenItem]
    silent_total: int
    silent: list[Silent]
    unplaced_totals: list[Total]
    unplaced: list[Unplaced]
    attention_totals: dict[str, int]
    attention: list[Attention]
    kept: list[Kept] = field(default_factory=list)
    """Of all creditors together, over the last 30 days."""


def day(
    conn: Connection,
    planner: Planner,
    now: datetime,
    creditor: str | None = None,
    limit: int | None = None,
) -> Day:
    """Return the manager's list at `now`, for all creditors or one; without `limit` every row. Writes nothing."""
    creditor_id = creditor_id_of(conn, creditor)
    quiet = silent(conn, now, creditor_id)
    needs = attention(conn, now, creditor_id)
    return Day(
        at=now,
        open_totals=_open_totals(conn, now, creditor_id),
        open_items=_open_items(conn, planner, now, creditor_id, limit),
        silent_total=len(quiet),
        silent=quiet[:limit],
        unplaced_totals=_unplaced_totals(conn, now, creditor_id),
        unplaced=_unplaced(conn, now, creditor_id, limit),
        attention_totals={why: len(rows) for why, rows in needs.items()},
        attention=[row for rows in needs.values() for row in rows[:limit]],
        kept=kept_and_broken(conn, civil_today(now) - KEPT_SINCE),
    )


def _open(now: datetime, creditor_id: int | None) -> Any:
    """Return the keys of open claims; what is open of each is the calculator's to say."""
    reduced = (
        select(allocation.c.claim_id, func.sum(allocation.c.amount_cents).label("cents"))
        .where(allocation.c.booked_on <= civil_today(now))
        .group_by(allocation.c.claim_id)
        .subquery()
    )
    left = q.claim.c.principal_cents - func.coalesce(reduced.c.cents, 0)
    query = (
        select(q.claim.c.id, q.claim.c.dossier_id, q.claim.c.due_on, q.claim.c.currency, left.label("left"))
        .outerjoin(reduced, reduced.c.claim_id == q.claim.c.id)
        .where(left > 0)
    )
    if creditor_id is not None:
        query = query.where(q.claim.c.creditor_id == creditor_id)
    return query


def _open_totals(conn: Connection, now: datetime, creditor_id: int | None) -> list[Total]:
    found = _open(now, creditor_id).subquery()
    rows = conn.execute(
        select(found.c.currency, func.count(), func.sum(found.c.left))
        .group_by(found.c.currency)
        .order_by(found.c.currency)
    )
    return [Total(currency, count, int(cents)) for currency, count, cents in rows]


def _open_items(
    conn: Connection, planner: Planner, now: datetime, creditor_id: int | None, limit: int | None
) -> list[OpenItem]:
    """Return the longest overdue first, looked up in bounded batches of claims."""
    query = _open(now, creditor_id).order_by(q.claim.c.due_on, q.claim.c.id)
    found = conn.execute(query if limit is None else query.limit(limit)).all()
    items: list[OpenItem] = []
    for start in range(0, len(found), BATCH):
        batch = found[start : start + BATCH]
        items += _items(conn, planner, now, batch)
    return items


def _items(conn: Connection, planner: Planner, now: datetime, batch: Sequence[AnyRow]) -> list[OpenItem]:
    dossiers = sorted({row.dossier_id for row in batch})
    facts = {fact.id: fact for group in claims_of(conn, dossiers, now).values() for fact in group}
    loaded = load(conn, dossiers, now, planner.channels)
    planner.versions.learn(conn, loaded.units)
    said: dict[int, dict[str, Any]] = {}
    for unit in loaded.units:
        for claim_id, values in _said(planner, unit, now).items():
            said.setdefault(claim_id, values)
    accounts = _accounts(conn, dossiers)
    arranged = _arranged(conn, dossiers)
    items = []
    for row in batch:
        fact, of = facts[row.id], loaded.rows[row.dossier_id]
        values = dict(said.get(row.id, {}))
        account = accounts.get((row.dossier_id, row.currency))
        if account is not None:
            values |= {"account": f"{account.outcome}: {account.code}", "account_on": account.on_date}
        if (row.dossier_id, row.currency) in arranged:
            values["paused"] = arranged[row.dossier_id, row.currency]
        items.append(
            OpenItem(
                creditor=of.code,
                debtor=of.external_id,
                invoice=fact.invoice_number,
                due_on=fact.due_on,
                currency=fact.currency,
                open_cents=open_cents(fact),
                **values,
            )
        )
    return items


def _said(planner: Planner, unit: UnitFacts, now: datetime) -> dict[int, dict[str, Any]]:
    """Return for each claim of a unit what was told last, what comes next, and what holds it."""
    outlooks = {one.claim_id: one for one in decide(unit, planner.versions.rules(unit), now).outlooks}
    stops = [stop.kind for stop in unit.stops if stop.from_at <= now]
    found: dict[int, dict[str, Any]] = {}
    for claim in unit.claims:
        last = max(claim.told, key=lambda past: past.at, default=None)
        outlook = outlooks.get(claim.id)
        holds = [f"{hold.kind} (part)" if hold.cents is not None else hold.kind for hold in claim.holds]
        found[claim.id] = {
            "last_step": last.step if last is not None else claim.last_step,
            "last_on": last.on if last is not None else claim.last_step_on,
            "steps_taken": len(claim.told),
            "next_step": outlook.step if outlook is not None else "",
            "next_on": outlook.on if outlook is not None else None,
            "paused": ", ".join(dict.fromkeys([*holds, *stops])),
        }
    return found


def _accounts(conn: Connection, dossiers: list[int]) -> dict[tuple[int, str], AnyRow]:
    newest = (
        select(func.max(day_account.c.id))
        .where(day_account.c.dossier_id.in_(dossiers))
        .group_by(day_account.c.dossier_id, day_account.c.person_id, day_account.c.currency)
    )
    rows = conn.execute(
        select(
            day_account.c.dossier_id,
            day_account.c.currency,
            day_account.c.outcome,
            day_account.c.code,
            day_account.c.on_date,
        )
        .where(day_account.c.id.in_(newest))
        # The first party's account stands last, and so is the one that is kept, among those of one day.
        .order_by(day_account.c.on_date, day_account.c.id.desc())
    )
    return {(row.dossier_id, row.currency): row for row in rows}


def _arranged(conn: Connection, dossiers: list[int]) -> dict[tuple[int, str], str]:
    rows = conn.execute(
        select(
            q.arrangement.c.dossier_id, q.arrangement.c.currency, q.arrangement.c.kind, q.arrangement.c.missed
        )
        .where(q.arrangement.c.dossier_id.in_(dossiers), q.arrangement.c.state == "running")
        .order_by(q.arrangement.c.id)
    )
    return {
        (row.dossier_id, row.currency): f"{row.kind}, {row.missed} missed" if row.missed else row.kind
        for row in rows
    }


def _placeless(now: datetime, creditor_id: int | None) -> list[Any]:
    where = [q.payment.c.unplaced_cents > 0, q.payment.c.booked_on <= civil_today(now)]
    return where if creditor_id is None else [*where, q.payment.c.creditor_id == creditor_id]


def _unplaced_totals(conn: Connection, now: datetime, creditor_id: int | None) -> list[Total]:
    rows = conn.execute(
        select(q.payment.c.currency, func.count(), func.sum(q.payment.c.unplaced_cents))
        .where(*_placeless(now, creditor_id))
        .group_by(q.payment.c.currency)
        .order_by(q.payment.c.currency)
    )
    return [Total(currency, count, int(cents)) for currency, count, cents in rows]


def _unplaced(conn: Connection, now: datetime, creditor_id: int | None, limit: int | None) -> list[Unplaced]:
    query = (
        select(
            q.creditor.c.code,
            q.payment.c.external_id.label("payment"),
            q.payment.c.kind,
            q.payment.c.booked_on,
            q.payment.c.currency,
            q.payment.c.amount_cents,
            q.payment.c.unplaced_cents,
            func.coalesce(q.debtor.c.external_id, ""),
            q.payment.c.reference,
        )
        .join(q.creditor, q.creditor.c.id == q.payment.c.creditor_id)
        .outerjoin(q.debtor, q.debtor.c.id == q.payment.c.debtor_id)
        .where(*_placeless(now, creditor_id))
        .order_by(q.payment.c.booked_on, q.payment.c.id)
    )
    return [Unplaced(*row) for row in conn.execute(query if limit is None else query.limit(limit))]
