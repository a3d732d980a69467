"""Trajectories: which version they run on, and a contract's months told together."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.claims.facts import ClaimFact, ToldFact
from outreach.dunning.next_step import Outlook, Stand
from outreach.dunning.strategy import shipped
from outreach.dunning.trajectory import RECURRING, Terms, outlooks, version_of
from tests.outreach.dunning.book import a_claim, at, on, told

PAIR, LEGAL = shipped("friendly_pair"), shipped("reminders_then_legal")
STRATEGIES = {PAIR.hash: PAIR.strategy, LEGAL.hash: LEGAL.strategy}


def terms(in_force: str = LEGAL.hash, **values: Any) -> Terms:
    """Both versions are known, one is in force."""
    return Terms(in_force=in_force, strategies=STRATEGIES, **values)


def month(number: int, *facts: ToldFact, kind: str = RECURRING, **values: Any) -> ClaimFact:
    """The rent of a month, thirty days after that of the month before."""
    return a_claim(*facts, id=number, kind=kind, due_on=on(30 * (number - 1)), **values)


def stands(claims: list[ClaimFact], days: int, **values: Any) -> list[Outlook]:
    """Where the claims of a contract stand."""
    return list(outlooks(claims, terms(one_contract=True, **values), on(days), at(days)))


def test_a_trajectory_stays_on_its_version_until_it_is_moved() -> None:
    """Told by the pair, it follows the pair, whatever is in force; moved, it goes on from where it stands."""
    facts = (told("reminder", 1, strategy=PAIR.hash, tone="friendly"),)
    assert version_of(facts, terms()) == PAIR.hash
    assert version_of(facts, terms(moved_at=at(10))) == LEGAL.hash
    assert version_of((), terms()) == LEGAL.hash
    [before] = outlooks([a_claim(*facts)], terms(), on(20), at(20))
    assert (before.step, before.version) == ("reminder_again", PAIR.hash)
    [after] = outlooks([a_claim(*facts)], terms(moved_at=at(10)), on(20), at(20))
    assert (after.step, after.version) == ("second_reminder", LEGAL.hash)


def test_a_trajectory_whose_version_is_lost_follows_what_is_in_force() -> None:
    """A version that nobody kept can't be followed."""
    assert version_of((told("reminder", 1, strategy="f" * 64),), terms()) == LEGAL.hash


def test_told_since_it_was_moved_decides_again() -> None:
    """A step told after the move binds the trajectory to the version that told it."""
    facts = (
        told("reminder", 1, strategy=PAIR.hash),
        told("second_reminder", 15, strategy=LEGAL.hash),
    )
    assert version_of(facts, terms(PAIR.hash, moved_at=at(10))) == LEGAL.hash


def test_a_new_month_joins_the_next_step_and_never_restarts_the_friendly_one() -> None:
    """October was reminded twice; November falls overdue and waits for what October is told next."""
    october = month(1, told("reminder", 5), told("second_reminder", 15))
    november = month(2)
    waiting = stands([october, november], 31, in_force=LEGAL.hash)
    assert [(one.step, one.stand) for one in waiting] == [("formal_notice", Stand.DUE)] * 2
    between = month(1, told("reminder", 5), told("second_reminder", 28))
    joined = stands([between, november], 35)
    assert [(one.step, one.stand, one.on) for one in joined] == [("formal_notice", Stand.NOT_YET, on(38))] * 2


def test_a_month_that_is_not_overdue_is_told_nothing() -> None:
    """It waits for its own day, while the older month is told its step."""
    found = stands([month(1, told("reminder", 5)), month(2)], 20)
    assert [one.stand for one in found] == [Stand.DUE, Stand.NOT_YET]
    assert found[1].on == on(30) and not found[1].overdue


@pytest.mark.parametrize(
    ("second", "contract"),
    [({"kind": "single"}, True), ({}, False)],
    ids=["another sort of claim", "no contract"],
)
def test_what_is_no_month_of_the_contract_has_a_ladder_of_its_own(
    second: dict[str, Any], contract: bool
) -> None:
    """A single invoice, or months that no contract joins, begin friendly."""
    claims = [month(1, told("reminder", 5), told("second_reminder", 15)), month(2, **second)]
    found = outlooks(claims, terms(one_contract=contract), on(40), at(40))
    assert [one.step for one in found] == ["formal_notice", "reminder"]


def test_a_contract_of_which_nothing_was_told_begins_friendly() -> None:
    """Each month has its own day until the first message joins them."""
    found = stands([month(1), month(2)], 36)
    assert [(one.step, one.stand) for one in found] == [("reminder", Stand.DUE)] * 2


def test_a_settled_trajectory_gives_the_next_month_a_friendly_start() -> None:
    """What was told of a month that is paid is no history of the one after it."""
    paid = month(1, told("reminder", 5), told("second_reminder", 15), reduced_cents=10_000)
    found = stands([paid, month(2)], 36)
    assert [(one.step, one.stand) for one in found] == [("", Stand.SETTLED), ("reminder", Stand.DUE)]


def test_a_month_after_the_end_of_a_trajectory_is_a_matter_for_a_person() -> None:
    """The pair was told to its end; a younger month is neither reminded anew nor forgotten."""
    ended = month(1, told("reminder", 1, strategy=PAIR.hash), told("reminder_again", 8, strategy=PAIR.hash))
    old, young = stands([ended, month(2)], 40)
    assert (old.stand, old.code) == (Stand.FINISHED, "")
    assert (young.stand, young.code) == (Stand.FINISHED, "trajectory_ended")


@given(
    ages=st.lists(st.integers(min_value=1, max_value=12), min_size=1, max_size=6, unique=True),
    first=st.integers(min_value=5, max_value=40),
    today=st.integers(min_value=0, max_value=400),
)
def test_months_stand_where_the_oldest_stands(ages: list[int], first: int, today: int) -> None:
    """For any months in any order: one outlook each, in their order, and no two different steps due on one day."""
    oldest = min(ages)
    due = 30 * (oldest - 1)
    claims = [month(n, *([told("reminder", due + first)] if n == oldest else [])) for n in ages]
    found = stands(claims, max(today, due + first))
    assert [one.claim_id for one in found] == ages
    steps = {one.step for one in found if one.stand is Stand.DUE}
    assert steps <= {"second_reminder"}
    assert all(one.overdue for one in found if one.stand is Stand.DUE)


def test_tries_in_vain_of_one_month_count_each_for_the_contract() -> None:
    """Three calls about the same arrears are three tries, also where a month was added between them."""
    call = shipped("result_first")
    rules = Terms(in_force=call.hash, strategies={call.hash: call.strategy}, one_contract=True)
    tries = [told("call", days, "tried", channel="", strategy=call.hash) for days in (31, 32, 33)]
    claims = [month(1, *tries), month(2, *tries[1:])]
    found = outlooks(claims, rules, on(34), at(34) + timedelta(hours=1))
    assert [(one.step, one.stand) for one in found] == [("reminder", Stand.DUE)] * 2
