"""The one function that says what is open; everything that shows an amount shows this figure."""

from __future__ import annotations

from outreach.claims.facts import ClaimFact


def open_cents(claim: ClaimFact) -> int:
    """Return what is open of a claim in cents: principal less payments and credits.

    Costs and interest join here once they have legally become due; until then they are not owed.
    Zero or less means that nothing is asked; less than zero is money that the debtor has too much paid.
    """
    return claim.principal_cents - claim.reduced_cents
