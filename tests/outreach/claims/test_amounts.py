"""What is open of a claim: one figure, that everything shows."""

from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from outreach.claims.amounts import open_cents
from outreach.claims.facts import ClaimFact

cents = st.integers(min_value=0, max_value=10**12)


def claim(principal: int, reduced: int) -> ClaimFact:
    """A claim of so much, of which so much was paid."""
    return ClaimFact(
        id=1,
        pseudonym="0" * 32,
        external_id="C1",
        invoice_number="F1",
        kind="single",
        description="",
        payment_url="",
        invoice_on=date(2026, 10, 1),
        due_on=date(2026, 11, 1),
        currency="EUR",
        principal_cents=principal,
        reduced_cents=reduced,
    )


@given(principal=cents, reduced=cents)
def test_open_and_reduced_make_the_principal_to_the_cent(principal: int, reduced: int) -> None:
    """No cent appears or vanishes between what was owed, what was paid and what is open."""
    assert open_cents(claim(principal, reduced)) + reduced == principal


@given(principal=cents, more=st.integers(min_value=0, max_value=10**6))
def test_paid_in_full_leaves_nothing_to_ask(principal: int, more: int) -> None:
    """Paid in full or more than that is never above zero."""
    assert open_cents(claim(principal, principal + more)) <= 0
