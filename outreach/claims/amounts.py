"""The one place that says what is open; everything that shows an amount shows these figures."""

from __future__ import annotations

from outreach.claims.facts import ClaimFact


def open_cents(claim: ClaimFact) -> int:
    """Return what is open of a claim in cents: principal less payments and credits.

    Costs and interest join here once they have legally become due; until then they are not owed.
    Zero or less means that nothing is asked; less than zero is money that the debtor has too much paid.
    """
    return claim.principal_cents - claim.reduced_cents


def disputed_cents(claim: ClaimFact) -> int:
    """Return how much of what is open lies in dispute, at most all of it."""
    held = sum(hold.cents for hold in claim.holds if hold.cents is not None)
    return max(0, min(held, open_cents(claim)))


def asked_cents(claim: ClaimFact) -> int:
    """Return what a message may ask of a claim: what is open, less the part in dispute."""
    return open_cents(claim) - disputed_cents(claim)


def is_held(claim: ClaimFact) -> bool:
    """Return whether a stop holds the whole claim; then nothing of it is asked."""
    return any(hold.cents is None for hold in claim.holds)
