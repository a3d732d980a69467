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
