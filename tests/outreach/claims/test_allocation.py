"""Which claims a payment reduces: exact to the cent, never more than open, the oldest due first."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.claims.allocation import ClaimPart, place, take_back

AMOUNTS = st.integers(1, 10_000_000)


def _claims(first: int) -> st.SearchStrategy[list[ClaimPart]]:
    """Claims with ids from `first` on, some settled and some paid too much."""
    one = st.tuples(st.integers(0, 40), st.integers(-5_000, 1_000_000))
    return st.lists(one, max_size=6).map(
        lambda found: [
            ClaimPart(first + n, date(2026, 1, 1) + timedelta(days), cents)
            for n, (days, cents) in enumerate(found)
        ]
    )


NAMED, OTHERS = _claims(1), _claims(100)


@given(AMOUNTS, NAMED, OTHERS)
def test_no_cent_is_lost_or_made(amount: int, named: list[ClaimPart], others: list[ClaimPart]) -> None:
    """What is placed and what is not are together the amount, to the cent."""
    placement = place(amount, named, others)
    assert sum(placement.parts.values()) + placement.unplaced_cents == amount
    assert all(cents > 0 for cents in placement.parts.values())


@given(AMOUNTS, NAMED, OTHERS)
def test_no_claim_takes_more_than_is_open(
    amount: int, named: list[ClaimPart], others: list[ClaimPart]
) -> None:
    """A claim takes at most what is open of it, and money stays unplaced only where nothing is open any more."""
    placement = place(amount, named, others)
    open_cents = {claim.claim_id: claim.cents for claim in (*named, *others)}
    assert all(cents <= open_cents[key] for key, cents in placement.parts.items())
    if placement.unplaced_cents:
        assert placement.parts == {key: cents for key, cents in open_cents.items() if cents > 0}


@given(AMOUNTS, NAMED, OTHERS)
def test_the_oldest_due_comes_first(amount: int, named: list[ClaimPart], others: list[ClaimPart]) -> None:
    """A claim gets something only when every named one, and every older one of its group, is settled."""
    placement = place(amount, named, others)
    order = [*sorted(named, key=_age), *sorted(others, key=_age)]
    left = [claim.cents - placement.parts.get(claim.claim_id, 0) for claim in order]
    reached = [n for n, claim in enumerate(order) if claim.claim_id in placement.parts]
    assert all(cents <= 0 for cents in left[: max(reached, default=0)])


@given(AMOUNTS, NAMED, OTHERS, st.data())
def test_reversals_take_back_exactly_what_was_placed(
    amount: int, named: list[ClaimPart], others: list[ClaimPart], data: st.DataObject
) -> None:
    """Taken back in two parts, a payment leaves nothing behind; more than it was cannot be taken back."""
    placement = place(amount, named, others)
    due = {claim.claim_id: claim.due_on for claim in (*named, *others)}
    first = data.draw(st.integers(1, amount))
    back = take_back(first, _placed(placement.parts, due), placement.unplaced_cents)
    assert sum(back.parts.values()) + back.unplaced_cents == first
    left = {key: cents - back.parts.get(key, 0) for key, cents in placement.parts.items()}
    loose = placement.unplaced_cents - back.unplaced_cents
    assert loose >= 0
    assert all(cents >= 0 for cents in left.values())
    with pytest.raises(ValueError, match="more would be taken back"):
        take_back(amount - first + 1, _placed(left, due), loose)
    if first < amount:
        rest = take_back(amount - first, _placed(left, due), loose)
        assert {key: back.parts.get(key, 0) + rest.parts.get(key, 0) for key in left} == placement.parts


@given(AMOUNTS, NAMED)
def test_what_lay_loose_goes_back_first(loose: int, named: list[ClaimPart]) -> None:
    """No claim is opened again while money lies unplaced."""
    assert take_back(loose, named, loose).parts == {}


@pytest.mark.parametrize("amount", [0, -1])
def test_amounts_are_positive(amount: int) -> None:
    """Nothing and less than nothing are no amounts."""
    with pytest.raises(ValueError, match="more than zero"):
        place(amount, [])
    with pytest.raises(ValueError, match="more than zero"):
        take_back(amount, [], 5)


def _age(claim: ClaimPart) -> tuple[date, int]:
    return claim.due_on, claim.claim_id


def _placed(parts: dict[int, int], due: dict[int, date]) -> list[ClaimPart]:
    return [ClaimPart(key, due[key], cents) for key, cents in parts.items()]
