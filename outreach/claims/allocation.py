"""Which claims a payment reduces: pure arithmetic in whole cents, whatever the database.

A payment goes first to what it names (art. 6:43 lid 1 BW), then to what was agreed to be paid in instalments, then
to the oldest due (lid 2); what fits nowhere is left unplaced. A reversal takes back what is least bound first: the
unplaced part, then the claims due last.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class ClaimPart:
    """Cents of one claim: what is open of it, or what a payment reduced it by."""

    claim_id: int
    due_on: date
    cents: int


@dataclass(frozen=True, slots=True)
class Placement:
    """Where an amount went: cents by claim, and what fits nowhere. Their sum is the amount."""

    parts: dict[int, int]
    unplaced_cents: int


def place(amount_cents: int, *groups: Iterable[ClaimPart]) -> Placement:
    """Place an amount on what is open: group by group, as the named claims and then the others, the oldest due first.

    A claim that is not open takes nothing, and none takes more than is open of it.
    Raises ValueError for an amount that is not positive.
    """
    if amount_cents <= 0:
        raise ValueError("an amount to place is more than zero")
    left, parts = amount_cents, dict[int, int]()
    for group in groups:
        for claim in sorted(group, key=_age):
            if left and claim.cents > 0 and claim.claim_id not in parts:
                parts[claim.claim_id] = min(left, claim.cents)
                left -= parts[claim.claim_id]
    return Placement(parts, left)


def take_back(amount_cents: int, placed: Iterable[ClaimPart], unplaced_cents: int) -> Placement:
    """Take an amount back from where a payment went; parts and unplaced are how much each gives back.

    First what lay unplaced, then the claims due last. Raises ValueError for more than there is.
    """
    if amount_cents <= 0:
        raise ValueError("an amount to take back is more than zero")
    loose = min(amount_cents, max(unplaced_cents, 0))
    left, parts = amount_cents - loose, dict[int, int]()
    for claim in sorted(placed, key=_age, reverse=True):
        if left and claim.cents > 0:
            parts[claim.claim_id] = min(left, claim.cents)
            left -= parts[claim.claim_id]
    if left:
        raise ValueError("more would be taken back than was placed")
    return Placement(parts, loose)


def _age(claim: ClaimPart) -> tuple[date, int]:
    return claim.due_on, claim.claim_id


@dataclass(frozen=True, slots=True)
class Split:
    """Where a payment on one claim went; `left_cents` is what the claim did not need. Together the payment."""

    costs_cents: int
    interest_cents: int
    principal_cents: int
    left_cents: int = 0


@dataclass(frozen=True, slots=True)
class Debt:
    """What a claim asks: costs that are due already, unpaid interest, and principal; its rate tells how onerous it is.

    Costs whose fourteen-day term still runs are no part of it.
    """

    claim_id: int
    due_on: date
    costs_cents: int
    interest_cents: int
    principal_cents: int
    rate_bp: int = 0

    @property
    def cents(self) -> int:
        """All that is asked."""
        return self.costs_cents + self.interest_cents + self.principal_cents


def split(amount_cents: int, costs_cents: int, interest_cents: int, principal_cents: int) -> Split:
    """Return where a payment on one claim goes: costs, then interest, then principal (art. 6:44 lid 1 BW).

    Raises ValueError for what is below zero.
    """
    if min(amount_cents, costs_cents, interest_cents, principal_cents) < 0:
        raise ValueError("a payment and what it reduces are zero or more")
    costs = min(amount_cents, costs_cents)
    interest = min(amount_cents - costs, interest_cents)
    principal = min(amount_cents - costs - interest, principal_cents)
    return Split(costs, interest, principal, amount_cents - costs - interest - principal)


def split_over(
    amount_cents: int, debts: Iterable[Debt], on: date, named: Iterable[int] = ()
) -> tuple[dict[int, Split], int]:
    """Return where a payment goes that fits several claims (art. 6:43 BW), and what is left of it.

    First the claims that the debtor names, then those that are due, the most onerous, the oldest, and at last in
    proportion; within each claim by art. 6:44.
    """
    first = frozenset(named)
    groups: dict[tuple[bool, bool, int, date], list[Debt]] = {}
    for debt in debts:
        rank = (debt.claim_id not in first, debt.due_on > on, -debt.rate_bp, debt.due_on)
        groups.setdefault(rank, []).append(debt)
    left, parts = amount_cents, dict[int, Split]()
    for rank in sorted(groups):
        shares = _in_proportion(left, groups[rank])
        for debt, share in zip(groups[rank], shares, strict=True):
            parts[debt.claim_id] = split(share, debt.costs_cents, debt.interest_cents, debt.principal_cents)
        left -= sum(shares)
    return parts, left


def _in_proportion(amount_cents: int, debts: list[Debt]) -> list[int]:
    """Share an amount by what each debt asks, at most all of it; cents that do not divide go to the first ones."""
    whole = sum(debt.cents for debt in debts)
    if amount_cents >= whole:
        return [debt.cents for debt in debts]
    shares = [amount_cents * debt.cents // whole for debt in debts]
    for n, debt in enumerate(debts):
        if sum(shares) < amount_cents and shares[n] < debt.cents:
            shares[n] += 1
    return shares
