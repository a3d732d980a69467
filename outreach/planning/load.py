"""Load the facts of a batch of dossiers with a fixed number of set-based queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from channels.kinds import Kind
from outreach.claims.facts import ClaimFact
from outreach.planning import queries
from outreach.planning.facts import OpenMessageFact, UnitFacts
from outreach.planning.load_service import Services
from outreach.planning.row_facts import (
    approval_fact,
    attempt_fact,
    creditor_fact,
    declared_fact,
    done_fact,
    handed_over_fact,
    hold_fact,
    party_fact,
    point_fact,
    signal_fact,
    stop_fact,
    told_fact,
)
from outreach.store.types import AnyRow

OPERATOR_ZONE = ZoneInfo("Europe/Amsterdam")
"""Where a day begins for bookings: a payment counts from 00:00 of its date here."""

CAP_HORIZON = timedelta(days=31)
"""No cap looks back further; older hand-overs are not loaded."""


@dataclass(slots=True)
class Dossiers:
    """A batch: its dossiers as rows, and the units (party and currency) found in each."""

    rows: dict[int, AnyRow]
    units: list[UnitFacts]
    empty: list[int] = field(default_factory=list)
    """Dossiers with nobody to write to."""


def civil_today(now: datetime) -> date:
    """Return the operator's civil date."""
    return now.astimezone(OPERATOR_ZONE).date()


def due_dossiers(conn: Connection, now: datetime, limit: int, rank: int = 0) -> list[int]:
    """Return the dossiers that must be looked at, the longest waiting first.

    A planner of a higher rank leaves the first ones to those before it, so that no two do the same work.
    """
    for offset in sorted({rank * limit, 0}, reverse=True):
        found = list(conn.execute(queries.DUE, {"now": now, "limit": limit, "offset": offset}).scalars())
        if found:
            return found
    return []


def load(conn: Connection, dossier_ids: Sequence[int], now: datetime, channels: tuple[Kind, ...]) -> Dossiers:
    """Load everything that decisions about these dossiers at `now` are made from."""
    # The versions are read first: whatever changes after this line raises them, and the commit sees it.
    parties = _grouped(conn.execute(queries.PARTIES, {"dossiers": dossier_ids, "now": now}), "dossier_id")
    rows = {row.id: row for row in conn.execute(queries.DOSSIERS, {"dossiers": dossier_ids})}
    batch = _Batch(conn, rows, parties, now, channels)
    units = [
        batch.unit(row, party, currency)
        for row in rows.values()
        for party in parties.get(row.id, ())
        for currency in batch.currencies[row.id]
    ]
    empty = [key for key in rows if not parties.get(key) or not batch.currencies[key]]
    return Dossiers(rows, units, empty)


class _Batch:
    """The rows of one batch, grouped by what they belong to."""

    def __init__(
        self,
        conn: Connection,
        rows: dict[int, AnyRow],
        parties: dict[Any, list[AnyRow]],
        now: datetime,
        channels: tuple[Kind, ...],
    ) -> None:
        self.now = now
        self.channels = channels
        dossiers = list(rows)
        persons = list({party.person_id for group in parties.values() for party in group})
        self.installed = conn.execute(queries.INSTALLED).one()
        self.currencies: dict[int, list[str]] = defaultdict(list)
        for row in conn.execute(queries.CURRENCIES, {"dossiers": dossiers}):
            self.currencies[row.dossier_id].append(row.currency)
        self.claims = _grouped(
            conn.execute(queries.OPEN_CLAIMS, {"dossiers": dossiers, "today": civil_today(now)}), "dossier_id"
        )
        claims = [row.id for group in self.claims.values() for row in group]
        self.told = _grouped(conn.execute(queries.TOLD, {"claims": claims}), "claim_id", "person_id")
        self.points = _grouped(conn.execute(queries.POINTS, {"persons": persons, "now": now}), "person_id")
        since = {"persons": persons, "since": now - CAP_HORIZON}
        self.handed_over = _grouped(conn.execute(queries.HANDED_OVER, since), "person_id")
        self.ready = _grouped(
            conn.execute(queries.READY_ELSEWHERE, {"persons": persons, "now": now}), "person_id"
        )
        self.messages = _grouped(
            conn.execute(queries.OPEN_MESSAGES, {"dossiers": dossiers}), "dossier_id", "person_id", "currency"
        )
        found = {row.id for group in self.messages.values() for row in group}
        self.attempts = _grouped(conn.execute(queries.ATTEMPTS, {"messages": list(found)}), "message_id")
        debtors = [row.debtor_id for row in rows.values()]
        self.unplaced = {
            (row.debtor_id, row.currency): row.cents
            for row in conn.execute(queries.UNPLACED, {"debtors": debtors})
        }
        self.declared = _grouped(conn.execute(queries.DECLARED), "creditor_id")
        self._load_stops(conn, rows, persons, claims)
        self._load_casework(conn, dossiers, claims, now)
        self.service = Services(conn, dossiers, now)

    def _load_casework(self, conn: Connection, dossiers: list[int], claims: list[int], now: datetime) -> None:
        done = conn.execute(queries.STEPS_DONE, {"claims": claims})
        self.done = _grouped(done, "claim_id", "person_id")
        self.signals = _grouped(conn.execute(queries.SIGNALS, {"dossiers": dossiers}), "dossier_id")
        approvals = conn.execute(queries.APPROVALS, {"dossiers": dossiers, "now": now})
        self.approvals = _grouped(approvals, "dossier_id", "person_id", "currency")

    def _load_stops(
        self, conn: Connection, rows: dict[int, AnyRow], persons: list[int], claims: list[int]
    ) -> None:
        addresses = list({row.address_key for group in self.points.values() for row in group})
        found = conn.execute(
            queries.STOPS,
            {
                "persons": persons,
                "dossiers": list(rows),
                "claims": claims,
                "addresses": addresses,
                "creditors": list({row.creditor_id for row in rows.values()}),
                "now": self.now,
            },
        ).all()
        self.claim_stops = _grouped((row for row in found if row.claim_id is not None), "claim_id")
        self.stops = [row for row in found if row.claim_id is None]

    def unit(self, row: AnyRow, party: AnyRow, currency: str) -> UnitFacts:
        """Put together the facts of one party and currency of a dossier."""
        zone = ZoneInfo(party.time_zone)
        points = self.points.get(party.person_id, ())
        return UnitFacts(
            dossier_id=row.id,
            dossier=row.pseudonym,
            contract_id=row.contract_id,
            debtor_external_id=row.external_id,
            currency=currency,
            creditor=creditor_fact(row, self._known_until(row.payments_until_on)),
            party=party_fact(party, civil_today(self.now)),
            claims=tuple(
                self._claim(claim, party.person_id, zone)
                for claim in self.claims.get(row.id, ())
                if claim.currency == currency
            ),
            unplaced_cents=self.unplaced.get((row.debtor_id, currency), 0),
            sending_on=bool(self.installed.sending),
            stops=tuple(stop_fact(stop) for stop in self.stops if _concerns(stop, row, party, points)),
            handed_over=tuple(
                handed_over_fact(past, row.creditor_id) for past in self.handed_over.get(party.person_id, ())
            ),
            reserved_until=max(
                (
                    other.good_until
                    for other in self.ready.get(party.person_id, ())
                    if (other.dossier_id, other.currency) != (row.id, currency)
                ),
                default=None,
            ),
            points=tuple(point_fact(point) for point in points),
            channels=self.channels,
            open_message=self._open_message(row.id, party.person_id, currency),
            strategy_hash=row.strategy_hash or "",
            moved_at=row.moved_at,
            approvals=tuple(
                approval_fact(said, zone)
                for said in self.approvals.get((row.id, party.person_id, currency), ())
            ),
            declared=tuple(
                declared_fact(said) for key in (None, row.creditor_id) for said in self.declared.get(key, ())
            ),
            service=self.service.of(row.id, party.person_id, currency),
            settled=tuple(
                self._claim(claim, party.person_id, zone)
                for claim in self.service.settled.get(row.id, ())
                if claim.currency == currency
            ),
        )

    def _known_until(self, payments_until_on: date | None) -> date | None:
        """A trial's clock may stand before the last day of its files: it never knows more than yesterday."""
        if payments_until_on is None or not self.installed.is_trial:
            return payments_until_on
        return min(payments_until_on, civil_today(self.now) - timedelta(days=1))

    def _claim(self, row: AnyRow, person_id: int, zone: ZoneInfo) -> ClaimFact:
        told = self.told.get((row.id, person_id), ())
        done = self.done.get((row.id, person_id), ())
        return ClaimFact(
            id=row.id,
            pseudonym=row.pseudonym,
            external_id=row.external_id,
            invoice_number=row.invoice_number,
            kind=row.kind,
            description=row.description,
            payment_url=row.payment_url,
            invoice_on=row.invoice_on,
            due_on=row.due_on,
            currency=row.currency,
            principal_cents=row.principal_cents,
            reduced_cents=int(row.reduced_cents),
            holds=tuple(
                hold_fact(stop) for stop in self.claim_stops.get(row.id, ()) if stop.from_at <= self.now
            ),
            told=(*(told_fact(past, zone) for past in told), *(done_fact(past, zone) for past in done)),
            signals=tuple(
                signal_fact(seen)
                for seen in self.signals.get(row.dossier_id, ())
                if seen.claim_id in {None, row.id}
            ),
            last_step=row.last_step,
            last_step_on=row.last_step_on,
        )

    def _open_message(self, dossier_id: int, person_id: int, currency: str) -> OpenMessageFact | None:
        rows = self.messages.get((dossier_id, person_id, currency))
        if not rows:
            return None
        newest = max(row.id for row in rows)
        steps = sorted((row.claim_id, row.step) for row in rows if row.id == newest and row.claim_id)
        first = next(row for row in rows if row.id == newest)
        return OpenMessageFact(
            id=newest,
            pseudonym=first.pseudonym,
            template=first.template,
            tone=first.tone,
            strategy_hash=first.strategy_hash,
            steps=tuple(steps),
            attempts=tuple(attempt_fact(row) for row in self.attempts.get(newest, ())),
            older=tuple(sorted({row.id for row in rows} - {newest})),
            service_id=first.service_message_id,
        )


def _grouped(rows: Iterable[AnyRow], *columns: str) -> dict[Any, list[AnyRow]]:
    """Group rows by one column, or by a tuple of several."""
    groups: dict[Any, list[AnyRow]] = defaultdict(list)
    if len(columns) == 1:
        for row in rows:
            groups[getattr(row, columns[0])].append(row)
    else:
        for row in rows:
            groups[tuple(getattr(row, column) for column in columns)].append(row)
    return groups


def _concerns(stop: AnyRow, row: AnyRow, party: AnyRow, points: Sequence[AnyRow]) -> bool:
    """Return whether a stop found for the batch is about this party of this dossier."""
    if stop.creditor_id is not None and stop.creditor_id != row.creditor_id:
        return False
    if stop.person_id is not None:
        return bool(stop.person_id == party.person_id)
    if stop.dossier_id is not None:
        return bool(stop.dossier_id == row.id)
    if stop.address_key is not None:
        return any(point.address_key == stop.address_key for point in points)
    return stop.creditor_id is not None
