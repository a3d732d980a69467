"""What is open of the claims that a batch of bookings may touch, read at once and kept up to date in memory."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select

from outreach.claims.allocation import ClaimPart
from outreach.intake.bookings import Booking
from outreach.store.tables.claims import Allocation, Arrangement, Claim, Payment, Stop
from outreach.store.tables.parties import Debtor, Dossier
from outreach.store.types import table_of

claim = table_of(Claim)
payment = table_of(Payment)
allocation = table_of(Allocation)
arrangement = table_of(Arrangement)
stop = table_of(Stop)
dossier = table_of(Dossier)
debtor = table_of(Debtor)

MOST_PARAMETERS = 10_000

_reduced = func.coalesce(func.sum(allocation.c.amount_cents), 0)
_CLAIMS = (
    select(
        claim.c.id,
        claim.c.creditor_id,
        claim.c.external_id,
        claim.c.invoice_number,
        claim.c.due_on,
        claim.c.currency,
        claim.c.principal_cents,
        dossier.c.debtor_id,
        _reduced.label("reduced"),
    )
    .join(dossier, dossier.c.id == claim.c.dossier_id)
    .outerjoin(allocation, allocation.c.claim_id == claim.c.id)
    .group_by(claim.c.id, dossier.c.debtor_id)
)


@dataclass(slots=True)
class OpenClaim:
    """A claim and what is open of it, after every booking placed so far whatever its date."""

    id: int
    debtor_id: int
    due_on: date
    currency: str
    open_cents: int

    def part(self) -> ClaimPart:
        """Return it as the arithmetic takes it."""
        return ClaimPart(self.id, self.due_on, self.open_cents)


class Ledger:
    """Claims by what bookings name them by, and the bookings that reversals may take back."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn
        self.claims: dict[int, OpenClaim] = {}
        self.debtors: dict[tuple[int, str], int] = {}
        self.booked: dict[tuple[int, str], Booking] = {}
        self.in_plan: set[int] = set()
        """Claims that a debtor is paying in instalments: money that names no claim is meant for these."""
        self._by_external: dict[tuple[int, str], OpenClaim] = {}
        self._by_invoice: dict[tuple[int, str], dict[int, OpenClaim]] = defaultdict(dict)
        self._by_debtor: dict[int, dict[int, OpenClaim]] = defaultdict(dict)

    def load(self, bookings: Sequence[Booking]) -> None:
        """Read what these bookings may touch, with a fixed number of queries."""
        placed = [booking for booking in bookings if not booking.is_reversal]
        creditors = sorted({booking.creditor_id for booking in bookings})
        externals = {word for booking in placed for word in (booking.claim_id, *booking.words) if word}
        self._load_claims(claim.c.external_id, externals, claim.c.creditor_id.in_(creditors))
        # Most bookings name the claim; only the others are looked for by invoice.
        others = [b for b in placed if (b.creditor_id, b.claim_id or "") not in self._by_external]
        invoices = {word for b in others for word in (b.invoice_number, *b.words) if word}
        self._load_claims(claim.c.invoice_number, invoices, claim.c.creditor_id.in_(creditors))
        self._load_debtors(creditors, {b.debtor_number for b in placed if b.debtor_number})
        self._load_reversed(creditors, {b.reverses_id for b in bookings if b.reverses_id})
        debtors = self._may_need_more(placed)
        self._load_claims(dossier.c.debtor_id, debtors, having=claim.c.principal_cents > _reduced)
        self._load_plans(debtors)

    def named(self, booking: Booking) -> list[OpenClaim]:
        """Return the claims that a booking names: by claim, else by invoice, else in its reference."""
        creditor_id = booking.creditor_id
        if booking.claim_id and (found := self._by_external.get((creditor_id, booking.claim_id))):
            return [found]
        if booking.invoice_number and (
            several := self._by_invoice.get((creditor_id, booking.invoice_number))
        ):
            return list(several.values())
        hits: dict[int, OpenClaim] = {}
        for word in booking.words:
            if one := self._by_external.get((creditor_id, word)):
                hits[one.id] = one
            hits |= self._by_invoice.get((creditor_id, word), {})
        named = self.debtor_of(booking)
        # A number in free text may be chance: where the debtor is named, only that debtor's claims are meant.
        return [one for one in hits.values() if named is None or one.debtor_id == named]

    def debtor_of(self, booking: Booking) -> int | None:
        """Return the debtor that the booking itself names."""
        if booking.debtor_number is None:
            return booking.debtor_id
        return self.debtors.get((booking.creditor_id, booking.debtor_number))

    def open_of(self, debtor_id: int, currency: str) -> Iterator[OpenClaim]:
        """Return a debtor's open claims in a currency."""
        for one in self._by_debtor.get(debtor_id, {}).values():
            if one.currency == currency and one.open_cents > 0:
                yield one

    def _may_need_more(self, placed: Iterable[Booking]) -> set[int]:
        """Return the debtors whose other claims a booking may reach: it names none, or more than is open."""
        asked: dict[int, int] = defaultdict(int)
        debtors: set[int] = set()
        for booking in placed:
            named = self.named(booking)
            own = self.debtor_of(booking)
            if not named and own is not None and not booking.only_named:
                debtors.add(own)
            for one in named:
                asked[one.id] += booking.amount
        over = (self.claims[key] for key, cents in asked.items() if cents > self.claims[key].open_cents)
        return debtors | {one.debtor_id for one in over}

    def _load_claims(
        self,
        column: ColumnElement[Any],
        values: Collection[Any],
        *where: ColumnElement[bool],
        having: ColumnElement[bool] | None = None,
    ) -> None:
        query = _CLAIMS.where(*where)
        if having is not None:
            query = query.having(having)
        ordered = sorted(values)
        for start in range(0, len(ordered), MOST_PARAMETERS):
            chunk = ordered[start : start + MOST_PARAMETERS]
            for row in self._conn.execute(query.where(column.in_(chunk))):
                if row.id in self.claims:
                    continue
                one = OpenClaim(
                    row.id, row.debtor_id, row.due_on, row.currency, row.principal_cents - int(row.reduced)
                )
                self.claims[row.id] = one
                self._by_external[row.creditor_id, row.external_id] = one
                self._by_invoice[row.creditor_id, row.invoice_number][row.id] = one
                self._by_debtor[row.debtor_id][row.id] = one

    def _load_plans(self, debtors: Collection[int]) -> None:
        ordered = sorted(debtors)
        for start in range(0, len(ordered), MOST_PARAMETERS):
            query = (
                select(stop.c.claim_id)
                .join(arrangement, arrangement.c.id == stop.c.arrangement_id)
                .join(dossier, dossier.c.id == arrangement.c.dossier_id)
                .where(
                    dossier.c.debtor_id.in_(ordered[start : start + MOST_PARAMETERS]),
                    arrangement.c.kind == "plan",
                    arrangement.c.state == "running",
                    stop.c.claim_id.is_not(None),
                )
            )
            self.in_plan.update(self._conn.execute(query).scalars())

    def _load_debtors(self, creditors: Sequence[int], numbers: Collection[str]) -> None:
        if not numbers:
            return
        query = select(debtor.c.id, debtor.c.creditor_id, debtor.c.external_id).where(
            debtor.c.creditor_id.in_(creditors), debtor.c.external_id.in_(sorted(numbers))
        )
        for row in self._conn.execute(query):
            self.debtors[row.creditor_id, row.external_id] = row.id

    def _load_reversed(self, creditors: Sequence[int], numbers: Collection[str]) -> None:
        """Read the bookings that reversals name, with what is still placed of them."""
        if not numbers:
            return
        query = select(payment).where(
            payment.c.creditor_id.in_(creditors), payment.c.external_id.in_(sorted(numbers))
        )
        found = {row.id: booking_of_row(row) for row in self._conn.execute(query)}
        if not found:
            return
        for booking in found.values():
            self.booked[booking.key] = booking
        own = select(allocation.c.payment_id, allocation.c.claim_id, allocation.c.amount_cents).where(
            allocation.c.payment_id.in_(found)
        )
        self._take_parts(found, own)
        claims = {claim_id for booking in found.values() for claim_id in booking.left}
        # Earlier reversals are found through the claims: these have an index, `reverses_id` has none.
        earlier = (
            select(
                payment.c.reverses_id.label("payment_id"), allocation.c.claim_id, allocation.c.amount_cents
            )
            .join(payment, payment.c.id == allocation.c.payment_id)
            .where(allocation.c.claim_id.in_(claims), payment.c.reverses_id.in_(found))
        )
        self._take_parts(found, earlier)
        self._load_claims(claim.c.id, claims)

    def _take_parts(self, found: dict[int, Booking], query: Any) -> None:
        for row in self._conn.execute(query):
            left = found[row.payment_id].left
            left[row.claim_id] = left.get(row.claim_id, 0) + row.amount_cents


def booking_of_row(row: Any) -> Booking:
    """Make a booking of a row of the payment table."""
    return Booking(
        line=0,
        creditor_id=row.creditor_id,
        external_id=row.external_id,
        kind=row.kind,
        booked_on=row.booked_on,
        amount=row.amount_cents,
        currency=row.currency,
        payment_id=row.id,
        debtor_id=row.debtor_id,
        reference=row.reference,
        unplaced=row.unplaced_cents,
    )
