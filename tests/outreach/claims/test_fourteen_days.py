"""The fourteen-day letter: no costs without receipt, without an honest sum, or before its term has passed in vain."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.claims.collection_costs import Collector, Costs, Registration, scale_cents
from outreach.claims.fourteen_days import (
    FAILED,
    RECEIVED,
    Evidence,
    History,
    Letter,
    Named,
    Override,
    Proof,
    Reduction,
    State,
    fee,
    standing,
)

SENT = date(2026, 11, 3)
"""A Tuesday: taken to arrive on Thursday the fifth, the last day is Thursday the nineteenth."""
RECEIVED_ON, LAST, COSTS_FROM = date(2026, 11, 5), date(2026, 11, 19), date(2026, 11, 20)
POSTED = Evidence(proof=Proof.POSTED, on=SENT)
OWN = Collector()
DAY = timedelta(days=1)


def letter(**changes: Any) -> Letter:
    """A valid posted letter over 500 and 300 euro, changed in the given fields."""
    claims = (
        Named(claim_id=1, open_cents=50_000, in_default_from_on=date(2026, 10, 1)),
        Named(claim_id=2, open_cents=30_000, in_default_from_on=date(2026, 10, 15)),
    )
    plain: dict[str, Any] = {"claims": claims, "announced_cents": 12_000, "sent_on": SENT}
    return Letter(**plain | changes)


def history(*evidence: Evidence, **changes: Any) -> History:
    """What is known: that it was posted, unless evidence is given."""
    return History(evidence=evidence or (POSTED,), **changes)


def state(of: Letter, known: History, on: date) -> str:
    """Where the letter stands, as a word."""
    return standing(of, known, on).state.value


def asked(
    of: Letter, known: History, on: date = COSTS_FROM, collector: Collector = OWN, **more: bool
) -> Costs:
    """The costs because of the letter."""
    return fee(of, known, on, collector=collector, **more)


@pytest.mark.parametrize(
    ("on", "expected"),
    [
        (SENT, State.SENT),
        (RECEIVED_ON - DAY, State.SENT),
        (RECEIVED_ON, State.RECEIVED),
        (RECEIVED_ON + DAY, State.RUNNING),
        (LAST, State.RUNNING),
        (COSTS_FROM, State.LAPSED),
    ],
)
def test_a_letter_lives_through_its_days(on: date, expected: State) -> None:
    """Sent, received, fourteen days, and only then costs."""
    assert state(letter(), history(), on) == expected
    assert asked(letter(), history(), on).costs_cents == (12_000 if expected is State.LAPSED else 0)


def test_a_letter_that_was_not_sent_is_composed() -> None:
    """Nothing runs from what lies on a desk."""
    assert state(letter(sent_on=None), history(), COSTS_FROM) == "composed"


@given(
    st.lists(st.builds(Evidence, proof=st.sampled_from(Proof), on=st.dates(SENT, LAST)), max_size=6),
    st.sampled_from(sorted(FAILED)),
    st.integers(0, 40),
    st.sampled_from(["letter", "registered_letter", "email", "registered_email", "bailiff"]),
)
def test_failed_evidence_never_yields_costs(
    evidence: list[Evidence], failure: Proof, days: int, channel: str
) -> None:
    """Whatever else is known: once it came back, on that day and ever after, there are none."""
    failed_on = SENT + timedelta(days=days)
    known = History(evidence=(*evidence, Evidence(proof=failure, on=failed_on)))
    for on in (failed_on, max(failed_on, COSTS_FROM), failed_on + timedelta(days=100)):
        found = asked(letter(channel=channel), known, on)
        assert (found.total_cents, found.refused) == (0, "letter_void")


def test_a_return_long_after_the_term_takes_the_costs_back() -> None:
    """Costs stand only as long as their evidence does."""
    back = Evidence(proof=Proof.RETURNED, on=date(2026, 12, 1))
    known = history(POSTED, back)
    assert asked(letter(), known, date(2026, 11, 30)).costs_cents == 12_000
    assert asked(letter(), known, date(2026, 12, 1)).costs_cents == 0
    assert standing(letter(), known, date(2026, 12, 1)).why == ("returned",)


def test_a_person_may_find_that_it_counts_as_received_and_gives_a_name_and_a_reason() -> None:
    """A letter that was refused at the door counts from the day found; a later return needs a finding of its own."""
    back = Evidence(proof=Proof.RETURNED, on=date(2026, 11, 10))
    found = Override(
        by="anna", why="refused at the door", on=date(2026, 11, 12), received_on=date(2026, 11, 9)
    )
    known = history(POSTED, back, overrides=(found,))
    assert state(letter(), known, date(2026, 11, 11)) == "void"
    term = standing(letter(), known, date(2026, 11, 12)).term
    assert term is not None
    assert term.received_on == date(2026, 11, 9)
    again = history(POSTED, back, Evidence(proof=Proof.BOUNCED, on=date(2026, 11, 13)), overrides=(found,))
    assert state(letter(), again, date(2026, 11, 30)) == "void"
    with pytest.raises(ValueError, match="who found this"):
        Override(by="anna", why=" ", on=SENT, received_on=SENT)


@pytest.mark.parametrize("channel", ["sms", "page", "video", "whatever"])
def test_no_letter_by_sms_or_behind_a_link(channel: str) -> None:
    """Such a channel makes it void, whatever proof there is, and no finding mends that."""
    proofs = tuple(Evidence(proof=proof, on=SENT) for proof in RECEIVED)
    over = Override(by="anna", why="they read it", on=SENT, received_on=SENT)
    assert standing(letter(channel=channel), history(*proofs, overrides=(over,)), COSTS_FROM).why == (
        "channel",
    )


@pytest.mark.parametrize("proof", sorted(Proof))
def test_mail_needs_more_than_a_relay(proof: Proof) -> None:
    """A mail starts its term only by proof that it reached the addressee."""
    known = history(Evidence(proof=proof, on=SENT))
    found = asked(letter(channel="email"), known, date(2026, 12, 1))
    assert (found.costs_cents > 0) == (proof in RECEIVED)


@pytest.mark.parametrize("proof", sorted(RECEIVED))
def test_proof_of_the_day_goes_before_what_the_post_is_taken_to_do(proof: Proof) -> None:
    """Track and trace tells the day, sooner or later than the usual two."""
    for received in (SENT + DAY, SENT + timedelta(days=9)):
        term = standing(letter(), history(POSTED, Evidence(proof=proof, on=received)), date(2026, 12, 1)).term
        assert term is not None
        assert term.received_on == received


def test_a_letter_without_proof_of_posting_runs_nowhere() -> None:
    """That a print house accepted it is no posting."""
    known = history(Evidence(proof=Proof.ACCEPTED, on=SENT))
    assert state(letter(), known, date(2027, 1, 1)) == "sent"


@pytest.mark.parametrize(
    ("reduction", "void"),
    [
        (Reduction(claim_id=1, cents=1, value_on=SENT - DAY), True),
        (Reduction(claim_id=1, cents=1, value_on=SENT), False),
        (Reduction(claim_id=1, cents=1, value_on=SENT, kind="credit"), True),
        (Reduction(claim_id=1, cents=1, value_on=SENT + DAY, kind="credit"), False),
        (Reduction(claim_id=9, cents=1, value_on=SENT - DAY), False),
    ],
)
def test_a_sum_that_was_too_high_on_the_day_of_sending_voids(reduction: Reduction, void: bool) -> None:
    """A credit, or a payment of an earlier value date, that comes to light later; another claim's money does not."""
    found = standing(letter(announced_cents=4_000), history(reductions=(reduction,)), COSTS_FROM)
    assert (found.state is State.VOID) == void
    assert found.why == (("sum_too_high",) if void else ())


def test_announced_costs_may_be_lower_than_the_scale_never_higher() -> None:
    """A cent too much voids the letter; what was announced lower stays so."""
    assert standing(letter(announced_cents=12_001), history(), COSTS_FROM).why == ("costs_too_high",)
    assert standing(letter(announced_vat_cents=1), history(), COSTS_FROM).why == ("costs_too_high",)
    assert asked(letter(announced_cents=5_000), history()).costs_cents == 5_000


@pytest.mark.parametrize("since", [None, SENT + DAY])
def test_a_letter_before_default_is_void(since: date | None) -> None:
    """Every claim in it must be in default when it goes; not known is not in default."""
    claim = Named(claim_id=1, open_cents=50_000, in_default_from_on=since)
    found = standing(letter(claims=(claim,), announced_cents=7_500), history(), COSTS_FROM)
    assert found.why == ("before_default",)


@given(st.integers(0, 50_000), st.integers(0, 30_000), st.integers(0, 30))
def test_part_payment_keeps_the_letter_alive_at_a_lower_price(one: int, two: int, days: int) -> None:
    """The costs are the scale over what is unpaid when the term ends, at most what was announced."""
    paid_on = SENT + timedelta(days=days)
    known = history(
        reductions=tuple(
            Reduction(claim_id=claim, cents=cents, value_on=paid_on) for claim, cents in ((1, one), (2, two))
        )
    )
    unpaid = 80_000 - (one + two if paid_on <= LAST else 0)
    found = asked(letter(), known, date(2026, 12, 31))
    assert found.costs_cents == min(12_000, scale_cents(unpaid, SENT))
    assert (found.refused == "letter_paid") == (unpaid == 0)


def test_a_claim_that_falls_due_later_neither_enters_nor_voids() -> None:
    """What is open of another claim changes nothing."""
    other = Reduction(claim_id=3, cents=-99_999, value_on=SENT + DAY)
    assert asked(letter(), history(reductions=(other,))).costs_cents == 12_000


def test_tainted_and_unregistered_claims_have_no_costs_by_any_letter() -> None:
    """The mark counts on the day of asking, whoever sent the letter."""
    assert asked(letter(), history(), tainted=True).refused == "tainted"
    outside = Collector(registration=Registration.SUSPENDED)
    assert asked(letter(), history(), collector=outside).taints
    assert standing(letter(collector=outside), history(), COSTS_FROM).why == ("costs_too_high",)


def test_vat_is_asked_only_as_announced() -> None:
    """What the letter did not announce is not added later."""
    bought = Collector(outsourced=True, creditor_deducts_vat=False, vat_declared=True)
    announced = letter(collector=bought, announced_vat_cents=2_520)
    assert asked(announced, history(), collector=bought).total_cents == 14_520
    assert asked(announced, history()).vat_cents == 0
    assert asked(letter(), history(), collector=bought).vat_cents == 0


def test_small_instalments_keep_the_cap_they_were_announced_with() -> None:
    """More than the cap voids, and what is asked waits for a person."""
    assert standing(letter(cap_cents=3_000), history(), COSTS_FROM).why == ("costs_too_high",)
    found = asked(letter(cap_cents=3_000, announced_cents=3_000), history())
    assert (found.costs_cents, found.review) == (3_000, True)


def test_costs_name_the_rules_they_rest_on() -> None:
    """Receipt, term, announcement, remainder and scale."""
    rules = asked(letter(), history()).cited.rules
    assert {"NL-14D-001", "NL-14D-003", "NL-14D-009", "NL-BIK-001", "NL-BIK-008", "NL-14D-011"} <= set(rules)
