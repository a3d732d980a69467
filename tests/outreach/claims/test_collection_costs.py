"""Collection costs: never above the scale, the cap or what the law allows this creditor, this agency, this claim."""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.claims.collection_costs import (
    Collector,
    Demand,
    EarlierNotice,
    Registration,
    belgian_cap_cents,
    belgian_reminder_cents,
    costs,
    instalment_cap_cents,
    instalment_costs,
    scale_cents,
    without_notice,
)
from outreach.claims.rules import AmountRefused
from tests.outreach.claims.vectors import ABSENT, HERE, cents, vectors

ON = date(2026, 11, 23)
PRINCIPALS = st.integers(-10_000, 300_000_000)
SMALL = st.integers(1, 26_667)
BIK, ADDED, BELGIUM = (vectors(f"law_{name}.json") for name in ("nl_bik", "nl_bik_cumulation", "be_book_xix"))
WITH_VAT = Collector(outsourced=True, creditor_deducts_vat=False, vat_declared=True)


def demand(*principals: int, **changes: Any) -> Demand:
    """A consumer in the Netherlands who owes this much, and what is different."""
    plain: dict[str, Any] = {"country": "NL", "debtor": "consumer", "on": ON, "principals_cents": principals}
    return Demand(**plain | changes)


@pytest.mark.skipif(not HERE, reason=ABSENT)
def test_the_scale_and_its_vat_are_those_of_the_vectors() -> None:
    """Every principal of the vectors has its costs and their VAT to the cent."""
    for case in BIK["cases"]:
        found = costs(demand(cents(case["principal"]), collector=WITH_VAT))
        told = [cents(case[name]) for name in ("costs", "vat_21", "costs_incl_vat_21")]
        assert [found.costs_cents, found.vat_cents, found.total_cents] == told, case
    for case in BIK["invalid_inputs"]:
        assert costs(demand(cents(case["principal"]))).refused == "nothing_owed"


@pytest.mark.skipif(not HERE, reason=ABSENT)
def test_claims_that_are_demanded_together_are_added_first() -> None:
    """Several claims cost the scale over their sum, never one fee each."""
    for case in ADDED["cases"]:
        found = costs(demand(*map(cents, case["claims"])))
        assert found.costs_cents == cents(case["costs"]), case["name"]
        assert "NL-BIK-005" in found.cited.rules


@pytest.mark.skipif(not HERE, reason=ABSENT)
def test_vat_is_added_as_in_the_vectors_and_only_when_declared() -> None:
    """Both of outsourced and not deductible are needed, and without the declaration there is none at all."""
    for case in BIK["vat_decision"]:
        facts = {"outsourced": case["outsourced"], "creditor_deducts_vat": case["creditor_can_deduct_vat"]}
        declared = costs(demand(10_000, collector=Collector(**facts, vat_declared=True)))
        silent = costs(demand(10_000, collector=Collector(**facts)))
        assert (declared.vat_cents > 0) == case["add_vat"]
        assert silent.vat_cents == 0


@given(PRINCIPALS, st.integers(0, 1_000_000))
def test_costs_never_fall_with_the_principal_nor_pass_the_cap(principal: int, more: int) -> None:
    """More owed never costs less, and nothing costs more than the maximum or less than the minimum."""
    low, high = scale_cents(principal, ON), scale_cents(principal + more, ON)
    assert low <= high <= 677_500
    assert low >= 4_000 if principal > 0 else low == 0


@given(PRINCIPALS, st.integers(0, 1_000_000))
def test_the_belgian_cap_never_falls_nor_passes_its_maximum(balance: int, more: int) -> None:
    """More owed never lowers the cap, and it ends at 2,000 euro."""
    low, high = belgian_cap_cents(balance, ON), belgian_cap_cents(balance + more, ON)
    assert 0 <= low <= high <= 200_000


@pytest.mark.parametrize("step", [26_667, 250_000, 500_000, 1_000_000, 20_000_000, 100_000_000])
def test_the_scale_is_continuous_at_its_steps(step: int) -> None:
    """A cent more of principal never makes more than a cent of costs."""
    found = [scale_cents(step + cent, ON) for cent in (-2, -1, 0, 1, 2)]
    assert all(0 <= later - earlier <= 1 for earlier, later in pairwise(found))


@given(st.lists(st.integers(1, 10_000_000), min_size=1, max_size=8))
def test_one_demand_never_costs_more_than_several(principals: list[int]) -> None:
    """Adding claims first is never to the debtor's harm, in either country."""
    for plain in ({}, {"country": "BE", "has_clause": True}):
        together = costs(demand(*principals, **plain)).costs_cents
        assert together <= sum(costs(demand(one, **plain)).costs_cents for one in principals)


@pytest.mark.skipif(not HERE, reason=ABSENT)
def test_belgian_caps_are_those_of_the_vectors() -> None:
    """Every balance of the vectors has its cap to the cent."""
    for case in BELGIUM["caps"]:
        assert belgian_cap_cents(cents(case["balance"]), ON) == cents(case["max_lump_sum"]), case


def test_belgium_asks_nothing_without_the_clause() -> None:
    """Where the contract has no damages clause there is no lump sum."""
    assert costs(demand(10_000, country="BE")).refused == "no_clause"
    assert costs(demand(10_000, country="BE", has_clause=True)).costs_cents == 2_000


def test_the_first_belgian_reminder_is_free_and_three_a_year_of_a_recurring_supply() -> None:
    """Later reminders cost 7.50 and the postage at most."""
    fees = [belgian_reminder_cents(count, count, False, 116, ON) for count in (1, 2, 3)]
    assert fees == [0, 866, 866]
    fees = [belgian_reminder_cents(2, in_year, True, 116, ON) for in_year in (1, 2, 3, 4)]
    assert fees == [0, 0, 0, 866]


@pytest.mark.parametrize("status", [Registration.SUSPENDED, Registration.LAPSED, Registration.NONE])
def test_an_agency_outside_the_register_has_no_costs_and_nobody_after_it(status: Registration) -> None:
    """From 1 October 2026 its demand taints the claim: a registered one may ask nothing later either."""
    outside = Collector(registration=status)
    before = costs(demand(10_000, collector=outside, on=date(2026, 9, 30)))
    found = costs(demand(10_000, collector=outside, on=date(2026, 10, 1)))
    assert (before.costs_cents, before.taints) == (4_000, False)
    assert (found.total_cents, found.refused, found.taints) == (0, "not_registered", True)
    registered = Collector(registration=Registration.ACTIVE)
    assert costs(demand(10_000, collector=registered)).costs_cents == 4_000
    assert costs(demand(10_000, collector=registered, tainted=True)).refused == "tainted"
    assert without_notice(demand(10_000, debtor="business", tainted=True)).total_cents == 0


def test_the_register_protects_people_and_no_companies() -> None:
    """A sole trader is a natural person; a company is none."""
    outside = Collector(registration=Registration.NONE)
    sole = demand(100_000, debtor="business", collector=outside)
    company = demand(100_000, debtor="business", collector=outside, natural_person=False)
    assert costs(sole).refused == "not_registered"
    assert costs(company).costs_cents == 15_000


@pytest.mark.parametrize("country", ["NL", "BE"])
def test_a_business_owes_forty_euro_without_a_notice_and_a_consumer_nothing(country: str) -> None:
    """Between businesses the fixed sum needs no reminder, and it is asked once, however many claims there are."""
    business = without_notice(demand(10_000, 20_000, country=country, debtor="business"))
    assert (business.costs_cents, business.refused) == (4_000, "")
    assert without_notice(demand(10_000, country=country)).refused == "no_notice"
    assert without_notice(demand(0, country=country, debtor="business")).costs_cents == 0


def test_consumer_credit_that_was_called_in_has_no_costs() -> None:
    """Rule NL-BIK-009."""
    assert costs(demand(10_000, consumer_credit=True)).refused == "consumer_credit"


@pytest.mark.skipif(not HERE, reason=ABSENT)
def test_small_instalments_stay_at_or_below_the_vectors() -> None:
    """The vectors follow a looser reading; ours is the lower of that and of one lowest fee in six months."""
    for series in ADDED["instalment_cases_reading"]:
        for event in series["events"]:
            charged = cents(event["already_charged_in_window"])
            found = instalment_cap_cents(cents(event["window_sum"]), charged, ON)
            assert found <= cents(event["chargeable_now"])
            assert found == min(cents(event["chargeable_now"]), max(0, 4_000 - charged))


NOTICES = st.lists(
    st.builds(
        EarlierNotice,
        on=st.dates(date(2026, 1, 1), date(2026, 11, 22)),
        unpaid_cents=st.integers(0, 26_667),
        costs_cents=st.integers(0, 4_000),
    ),
    max_size=6,
)


@given(st.lists(SMALL, min_size=1, max_size=4), NOTICES)
def test_notices_of_six_months_cost_one_lowest_fee_together(
    amounts: list[int], earlier: list[EarlierNotice]
) -> None:
    """What was asked in the window and what is asked now pass 40 euro only where the past did so alone."""
    found = instalment_costs(demand(*amounts), earlier)
    charged = sum(one.costs_cents for one in earlier if one.on >= date(2026, 5, 23))
    assert found.costs_cents + charged <= max(4_000, charged)
    assert found.review
    assert "NL-BIK-006" in found.cited.rules


def test_a_notice_of_six_months_ago_counts_and_an_older_one_does_not() -> None:
    """The window is the six months before the day of the notice, its first day included."""
    charged = {
        on: instalment_costs(
            demand(4_500), [EarlierNotice(on=on, unpaid_cents=4_500, costs_cents=4_000)]
        ).costs_cents
        for on in (date(2026, 5, 22), date(2026, 5, 23))
    }
    assert list(charged.values()) == [4_000, 0]


def test_the_look_back_holds_for_notices_from_october_2024_and_lowest_fees_only() -> None:
    """Before that day each notice had its own fee; an instalment of a higher fee follows the plain rule."""
    notice = EarlierNotice(on=date(2024, 9, 1), unpaid_cents=4_500, costs_cents=4_000)
    assert instalment_costs(demand(4_500, on=date(2024, 9, 30)), [notice]).costs_cents == 4_000
    assert instalment_costs(demand(4_500, on=date(2024, 10, 1)), [notice]).costs_cents == 0
    with pytest.raises(ValueError, match="lowest fee"):
        instalment_costs(demand(26_671), [])


@pytest.mark.parametrize("on", [date(2012, 6, 30), date(2027, 11, 23)])
def test_no_costs_outside_what_the_rules_cover(on: date) -> None:
    """Before the scale held, or once the pack should have been read again, the amount is refused with the reason."""
    with pytest.raises(AmountRefused, match="expected a date"):
        costs(demand(10_000, on=on))
