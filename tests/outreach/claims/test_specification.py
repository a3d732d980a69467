"""What a claim comes to, and where each payment went: costs, interest, principal, and no cent lost between them."""

from __future__ import annotations

from datetime import date

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.claims.allocation import Debt, split, split_over
from outreach.claims.rates import rate_table
from outreach.claims.specification import Dated, Owing, specify
from tests.outreach.claims.vectors import ABSENT, HERE, cents, vectors

CENTS = st.integers(0, 1_000_000)
ON = date(2026, 11, 23)
TABLE = rate_table("NL", "consumer")
DAYS = st.dates(date(2020, 1, 1), ON)
DATED = st.lists(st.builds(Dated, on=DAYS, cents=CENTS), max_size=5).map(tuple)
OWING = st.builds(
    Owing, principal_cents=CENTS, interest_from_on=st.none() | DAYS, costs=DATED, payments=DATED
)
DEBTS = st.lists(
    st.builds(
        Debt,
        claim_id=st.integers(1, 10_000),
        due_on=st.dates(date(2026, 10, 1), date(2027, 1, 1)),
        costs_cents=CENTS,
        interest_cents=CENTS,
        principal_cents=CENTS,
        rate_bp=st.sampled_from([400, 600]),
    ),
    max_size=6,
    unique_by=lambda debt: debt.claim_id,
)


@given(CENTS, CENTS, CENTS, CENTS)
def test_a_payment_goes_to_costs_then_interest_then_principal(
    amount: int, costs: int, interest: int, principal: int
) -> None:
    """Every cent is placed or left, and a later part gets something only when the earlier ones are paid."""
    found = split(amount, costs, interest, principal)
    parts = (found.costs_cents, found.interest_cents, found.principal_cents)
    assert sum(parts) + found.left_cents == amount
    assert found.interest_cents == 0 or found.costs_cents == costs
    assert found.principal_cents == 0 or found.interest_cents == interest
    assert found.left_cents == 0 or parts == (costs, interest, principal)


def test_what_is_below_zero_is_no_payment() -> None:
    """A reversal is another thing."""
    with pytest.raises(ValueError, match="zero or more"):
        split(-1, 0, 0, 0)


@given(CENTS, DEBTS, st.lists(st.integers(1, 10_000), max_size=3))
def test_a_payment_over_several_claims_is_conserved(amount: int, debts: list[Debt], named: list[int]) -> None:
    """What the claims get and what is left are the payment, and no claim gets more than it asks."""
    parts, left = split_over(amount, debts, ON, named)
    got = {key: part.costs_cents + part.interest_cents + part.principal_cents for key, part in parts.items()}
    assert sum(got.values()) + left == amount
    assert all(got[debt.claim_id] <= debt.cents for debt in debts)
    assert left == max(0, amount - sum(debt.cents for debt in debts))


@given(CENTS, DEBTS, st.lists(st.integers(1, 10_000), max_size=3))
def test_a_claim_gets_something_only_after_those_that_go_before(
    amount: int, debts: list[Debt], named: list[int]
) -> None:
    """Named, due, most onerous, oldest: in this order, whatever the order in which they are given."""
    parts, _ = split_over(amount, debts, ON, named)

    def rank(debt: Debt) -> tuple[bool, bool, int, date]:
        return debt.claim_id not in named, debt.due_on > ON, -debt.rate_bp, debt.due_on

    def got(debt: Debt) -> int:
        part = parts[debt.claim_id]
        return part.costs_cents + part.interest_cents + part.principal_cents

    for debt in debts:
        if got(debt):
            assert all(got(other) == other.cents for other in debts if rank(other) < rank(debt))


def test_claims_alike_share_in_proportion() -> None:
    """Of two that fell due on one day at one rate each gets its share."""
    debts = [Debt(n, ON, 0, 0, cents) for n, cents in ((1, 10_000), (2, 30_000))]
    parts, left = split_over(1_001, debts, ON)
    assert [parts[n].principal_cents for n in (1, 2)] == [251, 750]
    assert left == 0


@pytest.mark.skipif(not HERE, reason=ABSENT)
def test_the_published_chain_of_payments_is_reproduced() -> None:
    """Costs, interest and principal of each payment, interest of the ended year in the base; by 365 days."""
    [case] = vectors("law_nl_interest.json")["allocation"]
    claim, payments = case["claim"], case["payments"]
    owing = Owing(
        principal_cents=cents(claim["principal"]),
        interest_from_on=date.fromisoformat(claim["interest_from"]),
        costs=(Dated(on=date.fromisoformat(claim["interest_from"]), cents=cents(claim["costs"])),),
        payments=tuple(
            Dated(on=date.fromisoformat(one["date"]), cents=cents(one.get("amount") or one["amount_applied"]))
            for one in payments
        ),
    )
    table = msgspec.structs.replace(rate_table("NL", claim["kind"]), year="365")
    found = specify(owing, date(2015, 9, 28), table)
    for one, paid in zip(payments, found.paid, strict=True):
        told = one["expect"]
        assert (paid.interest_cents, paid.principal_cents) == (
            cents(told["interest"]),
            cents(told["principal"]),
        )
        assert paid.costs_cents == cents(told.get("costs", "0"))
    assert found.open_cents == 0
    assert sum(line.cents for line in found.lines) == cents(case["expected_total_interest"])


@given(OWING, DAYS)
def test_no_cent_is_lost_between_what_is_owed_paid_and_open(owing: Owing, on: date) -> None:
    """Principal, interest and costs are what was paid on them and what is open; the rest of a payment is left."""
    found = specify(owing, on, TABLE)
    owed = owing.principal_cents + sum(line.cents for line in found.lines)
    owed += sum(one.cents for one in owing.costs if one.on <= on)
    came = sum(one.cents for one in owing.payments if one.on <= on)
    assert found.open_cents + came - sum(one.left_cents for one in found.paid) == owed
    assert min(found.principal_cents, found.interest_cents, found.costs_cents) >= 0


@given(OWING, DAYS)
def test_more_paid_is_never_more_open(owing: Owing, on: date) -> None:
    """A payment more never makes the claim higher."""
    more = msgspec.structs.replace(
        owing, payments=(*owing.payments, Dated(on=date(2022, 6, 1), cents=10_000))
    )
    assert specify(more, on, TABLE).open_cents <= specify(owing, on, TABLE).open_cents


def test_costs_that_are_not_due_yet_take_no_share() -> None:
    """A payment before the day of the costs goes to principal, and the costs come on top after it."""
    owing = Owing(
        principal_cents=10_000,
        costs=(Dated(on=date(2026, 11, 20), cents=4_000),),
        payments=(Dated(on=date(2026, 11, 19), cents=5_000),),
    )
    found = specify(owing, ON, TABLE)
    assert (found.principal_cents, found.costs_cents) == (5_000, 4_000)


def test_interest_ends_where_it_must() -> None:
    """From the demand of an agency outside the register no more interest runs."""
    owing = Owing(principal_cents=100_000, interest_from_on=date(2026, 1, 1))
    ended = msgspec.structs.replace(owing, interest_until_on=date(2026, 10, 1))
    assert specify(ended, ON, TABLE).interest_cents == specify(owing, date(2026, 10, 1), TABLE).interest_cents
    assert specify(owing, ON, TABLE).interest_cents > specify(ended, ON, TABLE).interest_cents
