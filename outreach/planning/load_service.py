"""Load what service messages are about; most batches have none, and then nothing more is asked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import Connection, Select

from outreach.casework.service import PAYMENT
from outreach.planning import queries, service_queries
from outreach.planning.facts import PartFact, ServiceFact
from outreach.store.types import AnyRow

OPERATOR_ZONE = ZoneInfo("Europe/Amsterdam")


class Services:
    """The service messages that wait in a batch of dossiers, and the settled claims that they name."""

    def __init__(self, conn: Connection, dossiers: Sequence[int], now: datetime) -> None:
        self._conn = conn
        self.settled: dict[int, list[AnyRow]] = defaultdict(list)
        rows = conn.execute(service_queries.WAITING, {"dossiers": dossiers, "now": now}).all()
        self._waiting: dict[tuple[int, int, str], list[AnyRow]] = defaultdict(list)
        for row in rows:
            self._waiting[row.dossier_id, row.person_id, row.currency].append(row)
        if not rows:
            return
        self._arrangements = self._by_id(service_queries.ARRANGEMENTS, (row.arrangement_id for row in rows))
        self._stops = self._by_id(service_queries.STOPS, (row.stop_id for row in rows))
        self._parts: dict[int, list[AnyRow]] = defaultdict(list)
        for part in self._all(service_queries.INSTALMENTS, (row.arrangement_id for row in rows)):
            self._parts[part.arrangement_id].append(part)
        self._payments: dict[int, list[AnyRow]] = defaultdict(list)
        for booking in self._all(service_queries.PAYMENTS, (row.payment_id for row in rows)):
            self._payments[booking.id].append(booking)
        self._load_settled(now)

    def of(self, dossier_id: int, person_id: int, currency: str) -> tuple[ServiceFact, ...]:
        """Return what waits to be told to a party, the oldest first; payments are told together."""
        waiting = self._waiting.get((dossier_id, person_id, currency), ())
        facts = [self._fact(row) for row in waiting]
        payments = [fact for fact in facts if fact.template == PAYMENT]
        if len(payments) < 2:
            return tuple(facts)
        first = msgspec.structs.replace(
            payments[0],
            claims=tuple(sorted({claim for fact in payments for claim in fact.claims})),
            cents=sum(fact.cents or 0 for fact in payments),
        )
        others = (fact for fact in facts if fact.template != PAYMENT)
        return tuple(sorted((first, *others), key=lambda fact: fact.id))

    def _fact(self, row: AnyRow) -> ServiceFact:
        arrangement = self._arrangements.get(row.arrangement_id)
        parts = self._parts.get(row.arrangement_id, ())
        stop = self._stops.get(row.stop_id)
        paid = self._payments.get(row.payment_id, ())
        claims = [booking.claim_id for booking in paid if booking.claim_id is not None]
        until_on = arrangement.ends_on if arrangement is not None else None
        if stop is not None and stop.claim_id is not None:
            claims.append(stop.claim_id)
        if until_on is None and stop is not None and stop.until_at is not None:
            # The end of a stop is exclusive; people are told the last day.
            until_on = (stop.until_at - timedelta(microseconds=1)).astimezone(OPERATOR_ZONE).date()
        cents = paid[0].amount_cents if paid else stop.amount_cents if stop is not None else None
        return ServiceFact(
            id=row.id,
            template=row.template,
            purpose=row.purpose,
            until_at=row.until_at,
            claims=tuple(sorted(set(claims))),
            parts=tuple(_part(part) for part in parts),
            part=next((_part(part) for part in parts if part.id == row.instalment_id), None),
            cents=cents,
            until_on=until_on,
            department=stop.department if stop is not None else "",
            answer_by_on=stop.answer_by_on if stop is not None else None,
        )

    def _load_settled(self, now: datetime) -> None:
        claims = {booking.claim_id for paid in self._payments.values() for booking in paid}
        claims |= {stop.claim_id for stop in self._stops.values()}
        found = sorted(claims - {None})
        if not found:
            return
        today = now.astimezone(OPERATOR_ZONE).date()
        for row in self._conn.execute(queries.CLAIMS_BY_ID, {"claims": found, "today": today}):
            if row.principal_cents <= row.reduced_cents:
                self.settled[row.dossier_id].append(row)

    def _by_id(self, query: Select[Any], keys: Iterable[int | None]) -> dict[int, AnyRow]:
        return {row.id: row for row in self._all(query, keys)}

    def _all(self, query: Select[Any], keys: Iterable[int | None]) -> list[AnyRow]:
        found = sorted({key for key in keys if key is not None})
        return list(self._conn.execute(query, {"keys": found})) if found else []


def _part(row: AnyRow) -> PartFact:
    return PartFact(number=row.number, due_on=row.due_on, cents=row.amount_cents)
