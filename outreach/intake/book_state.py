"""The state of the book: how old what is open is, who cannot be reached, which money lies unplaced.

A few set-based queries over whole creditors, at the end of every import and in a dry run before anything is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta

import msgspec
from sqlalchemy import Connection, Select, and_, case, distinct, exists, func, or_, select

from outreach.intake.amounts import MINOR_DIGITS, write_amount
from outreach.store.tables.claims import Allocation, Claim, Payment
from outreach.store.tables.parties import ContactPoint, Debtor, Dossier
from outreach.store.types import table_of

claim = table_of(Claim)
payment = table_of(Payment)
allocation = table_of(Allocation)
dossier = table_of(Dossier)
debtor = table_of(Debtor)
point = table_of(ContactPoint)

AGES = {
    "not_due": "not due",
    "1_30": "1–30 days late",
    "31_60": "31–60 days late",
    "61_90": "61–90 days late",
    "over_90": "over 90 days late",
}
_OLDEST_OF = {"1_30": 30, "31_60": 60, "61_90": 90}

MOST_NUMBERS = 5
"""So many debtors that cannot be reached are named."""

_NO_USE = ("dead", "wrong_person")


class Age(msgspec.Struct, frozen=True):
    """What is open of one age in one currency, in cents."""

    currency: str
    age: str
    claims: int
    cents: int


class Unplaced(msgspec.Struct, frozen=True):
    """Money of one currency that no claim has been found for, in cents."""

    currency: str
    bookings: int
    cents: int


class BookState(msgspec.Struct, frozen=True):
    """The state of some creditors' books on a civil day; `unreachable` debtors owe, and have no usable address."""

    on: date
    ages: tuple[Age, ...]
    unreachable: int
    unreachable_first: tuple[str, ...]
    unplaced: tuple[Unplaced, ...]

    def lines(self) -> list[str]:
        """Return it for people, a line for each age, currency and trouble."""
        found = [f"the book on {self.on}:"]
        found += [f"  {AGES[one.age]}: {_claims(one.claims)}, {_money(one)}" for one in self.ages]
        if not self.ages:
            found.append("  nothing is open")
        return found + [f"  {line}" for line in self._troubles()]

    def short(self) -> list[str]:
        """Return it for people in a line, and what needs somebody."""
        return [f"the book on {self.on}: {'; '.join(self._totals()) or 'nothing is open'}", *self._troubles()]

    def _totals(self) -> Iterable[str]:
        for currency in dict.fromkeys(one.currency for one in self.ages):
            own = [one for one in self.ages if one.currency == currency]
            late = [one for one in own if one.age != "not_due"]
            yield (
                f"{_claims(sum(one.claims for one in own))} open, {_sum(own)}, "
                f"of which late {sum(one.claims for one in late)}, {_sum(late) if late else f'{currency} 0'}"
            )

    def _troubles(self) -> list[str]:
        found = []
        if self.unreachable:
            more = ", …" if self.unreachable > len(self.unreachable_first) else ""
            who = "debtor has" if self.unreachable == 1 else "debtors have"
            found.append(
                f"{self.unreachable} {who} no address that can be used: "
                f"{', '.join(self.unreachable_first)}{more}"
            )
        return found + [
            f"{one.bookings} bookings lie unplaced, {_money(one)}: nothing is asked of their debtors"
            for one in self.unplaced
        ]


def _claims(count: int) -> str:
    return f"{count} claim" if count == 1 else f"{count} claims"


def _money(one: Age | Unplaced) -> str:
    return f"{one.currency} {write_amount(one.cents, MINOR_DIGITS.get(one.currency, 2))}"


def _sum(ages: Sequence[Age]) -> str:
    currency = ages[0].currency
    return f"{currency} {write_amount(sum(one.cents for one in ages), MINOR_DIGITS.get(currency, 2))}"


def book_state(conn: Connection, creditors: Sequence[int], today: date, now: datetime) -> BookState:
    """Return the state of these creditors' books; a payment counts from its day of booking on."""
    ages = conn.execute(_ages(creditors, today)).all()
    order = list(AGES)
    unreachable = _unreachable(creditors, today, now)
    loose = (
        select(
            payment.c.currency,
            func.count().label("bookings"),
            func.sum(payment.c.unplaced_cents).label("cents"),
        )
        .where(payment.c.creditor_id.in_(creditors), payment.c.unplaced_cents > 0)
        .group_by(payment.c.currency)
        .order_by(payment.c.currency)
    )
    numbers = unreachable.with_only_columns(debtor.c.external_id).distinct().order_by(debtor.c.external_id)
    return BookState(
        on=today,
        ages=tuple(
            Age(row.currency, row.age, row.claims, int(row.cents))
            for row in sorted(ages, key=lambda row: (row.currency, order.index(row.age)))
        ),
        unreachable=conn.execute(
            unreachable.with_only_columns(func.count(distinct(debtor.c.id)))
        ).scalar_one(),
        unreachable_first=tuple(conn.execute(numbers.limit(MOST_NUMBERS)).scalars()),
        unplaced=tuple(Unplaced(row.currency, row.bookings, int(row.cents)) for row in conn.execute(loose)),
    )


def _open(creditors: Sequence[int], today: date) -> Select[tuple[int, int, str, date, int]]:
    """Return the claims of which something is open today: principal less what was booked up to today."""
    reduced = func.coalesce(func.sum(allocation.c.amount_cents), 0)
    return (
        select(
            claim.c.id,
            claim.c.dossier_id,
            claim.c.currency,
            claim.c.due_on,
            (claim.c.principal_cents - reduced).label("cents"),
        )
        .outerjoin(allocation, and_(allocation.c.claim_id == claim.c.id, allocation.c.booked_on <= today))
        .where(claim.c.creditor_id.in_(creditors))
        .group_by(claim.c.id)
        .having(claim.c.principal_cents > reduced)
    )


def _ages(creditors: Sequence[int], today: date) -> Select[tuple[str, str, int, int]]:
    due = _open(creditors, today).subquery()
    late = [(due.c.due_on >= today - timedelta(days=days), age) for age, days in _OLDEST_OF.items()]
    age = case((due.c.due_on >= today, "not_due"), *late, else_="over_90").label("age")
    aged = select(due.c.currency, age, due.c.cents).subquery()
    return select(
        aged.c.currency, aged.c.age, func.count().label("claims"), func.sum(aged.c.cents).label("cents")
    ).group_by(aged.c.currency, aged.c.age)


def _unreachable(creditors: Sequence[int], today: date, now: datetime) -> Select[tuple[str]]:
    """Return the debtors who owe something today and have no contact point that is in use and may be used."""
    owed = _open(creditors, today).subquery()
    usable = exists().where(
        point.c.person_id == debtor.c.person_id,
        point.c.certainty.not_in(_NO_USE),
        or_(point.c.until_at.is_(None), point.c.until_at > now),
    )
    return (
        select(debtor.c.external_id)
        .select_from(owed)
        .join(dossier, dossier.c.id == owed.c.dossier_id)
        .join(debtor, debtor.c.id == dossier.c.debtor_id)
        .where(~usable)
    )
