"""The ladder of one claim: when each step falls due, and what it waits for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.claims.facts import ClaimFact, HoldFact, SignalFact, ToldFact
from outreach.dunning.next_step import Outlook, Stand, next_step
from outreach.dunning.strategy import FORMAL, Strategy, read, shipped
from tests.outreach.dunning.book import DUE, a_claim, at, on, told

LEGAL = shipped("reminders_then_legal").strategy
FIRST_CALL = shipped("result_first").strategy
EARLY = shipped("early_signal").strategy
DAY = timedelta(days=1)


def look(claim: ClaimFact, days: int, strategy: Strategy = LEGAL, hours: float = 0, **terms: Any) -> Outlook:
    """Where a claim stands so many days after its due date."""
    return next_step(claim, strategy, on(days), at(days, hours), **terms)


def test_the_first_step_waits_for_its_day() -> None:
    """Five days after the due date, not four; before that the day is known."""
    early = look(a_claim(), 4)
    assert (early.stand, early.step, early.on, early.overdue) == (Stand.NOT_YET, "reminder", on(5), True)
    assert look(a_claim(), 5).stand is Stand.DUE
    assert not look(a_claim(), 0).overdue, "the due date itself is in time"


@pytest.mark.parametrize(("first", "second"), [(5, 15), (8, 15), (9, 16), (40, 47)])
def test_a_later_step_keeps_both_its_distances(first: int, second: int) -> None:
    """Fifteen days after the due date and a week after the first: whichever is later."""
    claim = a_claim(told("reminder", first))
    assert look(claim, second - 1).stand is Stand.NOT_YET
    due = look(claim, second)
    assert (due.stand, due.step, due.on, due.again) == (Stand.DUE, "second_reminder", on(second), True)


@given(days=st.integers(min_value=5, max_value=3000))
def test_an_outage_skips_no_step(days: int) -> None:
    """However late the first look, the first step is the first that is told."""
    found = look(a_claim(), days)
    assert (found.stand, found.step) == (Stand.DUE, "reminder")


@pytest.mark.parametrize(("channel", "hours"), [("email", 48), ("letter", 120), ("sms", 48)])
def test_evidence_needs_its_hours_by_channel(channel: str, hours: int) -> None:
    """A letter takes longer to come back than a mail: the next step waits for as long, to the second."""
    body = """
    name = "quick"
    title = ""
    [[steps]]
    id = "one"
    after_due_days = 1
    tone = "friendly"
    template = "friendly_reminder"
    reached = { letter = 120 }
    [[steps]]
    id = "two"
    after_previous_days = 0
    tone = "friendly"
    template = "friendly_reminder"
    """
    quick = read(body.encode(), "quick.toml").strategy
    claim = a_claim(told("one", 1, channel=channel))
    ready = at(1, hours)
    before = next_step(claim, quick, ready.date(), ready - timedelta(seconds=1))
    assert (before.stand, before.step, before.until) == (Stand.NOT_YET, "two", ready)
    after = next_step(claim, quick, ready.date(), ready)
    assert (after.stand, after.until) == (Stand.DUE, None)


def test_a_step_is_taken_back_when_its_evidence_fails_later() -> None:
    """The first reminder bounced after the second went: it is told anew, and then the second, which rested on it."""
    second = told("second_reminder", 15)
    upheld = look(a_claim(told("reminder", 5), second), 30)
    assert (upheld.step, upheld.taken_back) == ("formal_notice", ())
    failed = look(a_claim(second), 30)
    assert (failed.stand, failed.step) == (Stand.DUE, "reminder")
    again = look(a_claim(second, told("reminder", 30)), 40)
    assert (again.step, again.taken_back) == ("second_reminder", ("second_reminder",))


@pytest.mark.parametrize(("state", "stand"), [("in_doubt", Stand.IN_DOUBT), ("sending", Stand.UNDER_WAY)])
def test_an_unknown_outcome_holds_the_ladder(state: str, stand: Stand) -> None:
    """Nobody knows if it was told: however long it takes, nothing follows."""
    assert look(a_claim(told("reminder", 5, state)), 400).stand is stand


@pytest.mark.parametrize(
    ("tone", "follows"),
    [
        ("friendly", "second_reminder"),
        ("firm", "formal_notice"),
        ("formal", "formal_notice"),
        ("final", "formal_notice"),
    ],
)
def test_what_another_system_told_sets_the_tone_and_never_stands_for_a_formal_step(
    tone: str, follows: str
) -> None:
    """A final notice from elsewhere is no evidence of ours: the formal notice is still to be told."""
    claim = a_claim(last_step=tone, last_step_on=on(20))
    found = look(claim, 100)
    assert (found.stand, found.step, found.again) == (Stand.DUE, follows, True)


@given(
    tone=st.sampled_from(["notice", "help", "friendly", "firm", "formal", "final", ""]),
    at_days=st.integers(min_value=-30, max_value=60),
    name=st.sampled_from(["friendly_pair", "reminders_then_legal", "call_before_handover", "early_signal"]),
)
def test_history_from_elsewhere_never_leads_past_the_first_formal_step(
    tone: str, at_days: int, name: str
) -> None:
    """Whatever a book says of earlier steps, no handover or final notice is the next without our own formal one."""
    strategy = shipped(name).strategy
    found = look(a_claim(last_step=tone, last_step_on=on(at_days)), 400, strategy)
    formal = [step.id for step in strategy.steps if step.rank >= FORMAL and not step.triage]
    assert found.step not in formal[1:]
    assert all(step.kind != "handover" for step in strategy.steps if step.id == found.step)


@pytest.mark.parametrize(
    ("tone", "follows"),
    [("friendly", "second_reminder"), ("firm", "formal_notice"), ("formal", "final_notice")],
)
def test_what_another_version_told_does_not_restart_the_ladder(tone: str, follows: str) -> None:
    """A step that this version doesn't know counts by its tone."""
    claim = a_claim(told("old_step", 20, tone=tone))
    assert look(claim, 60).step == follows


def test_a_call_is_tried_so_often_before_the_next_step() -> None:
    """Two calls in vain are not three; the third lets the message that asks to call back go a day later."""
    tries = [told("call", days, "tried", channel="") for days in (3, 4, 5)]
    two = look(a_claim(*tries[:2]), 20, FIRST_CALL)
    assert (two.stand, two.step) == (Stand.DUE, "call")
    assert look(a_claim(*tries), 5, FIRST_CALL).on == on(6)
    three = look(a_claim(*tries), 6, FIRST_CALL)
    assert (three.stand, three.step) == (Stand.DUE, "reminder")


@pytest.mark.parametrize(
    ("triage", "follows"),
    [
        ("open", "reminder"),
        ("help", "help"),
        ("plan", "plan_reminder"),
        ("formal", "firm_reminder"),
        ("department", ""),
    ],
)
def test_answers_decide_which_steps_follow_a_call(triage: str, follows: str) -> None:
    """Who needs help is helped, and a dispute is asked nothing more."""
    claim = a_claim(told("call", 3, "done", channel=""))
    assert look(claim, 30, FIRST_CALL, triage=triage).step == follows


def test_a_signal_starts_early_and_never_before_the_claim_is_overdue() -> None:
    """Help is offered ten days after the due date, or as soon as there is a sign and the claim is overdue."""
    assert look(a_claim(), 5, EARLY).on == on(10)
    trouble = a_claim(signals=(SignalFact(kind="money_trouble", on=on(4)),))
    assert (look(trouble, 3, EARLY).on, look(trouble, 4, EARLY).stand) == (on(4), Stand.DUE)
    before = a_claim(signals=(SignalFact(kind="money_trouble", on=on(-20)),))
    assert (look(before, 0, EARLY).stand, look(before, 1, EARLY).stand) == (Stand.NOT_YET, Stand.DUE)
    broken = a_claim(signals=(SignalFact(kind="promise_broken", on=on(4)),))
    assert look(broken, 4, EARLY).on == on(6), "two days after it"
    late = a_claim(signals=(SignalFact(kind="promise_broken", on=on(40)),))
    assert look(late, 5, EARLY).on == on(10), "a later sign postpones nothing"


def test_a_notice_comes_before_the_due_date_or_not_at_all() -> None:
    """Three days before; once told not again; and it is no step of the ladder."""
    assert look(a_claim(), -4, notice_days=3).stand is Stand.NOT_YET
    due = look(a_claim(), -3, notice_days=3)
    assert (due.stand, due.step) == (Stand.DUE, "notice")
    told_it = a_claim(told("notice", -3))
    assert look(told_it, -2, notice_days=3).step == "reminder"
    assert look(a_claim(), 0, notice_days=3).step == "reminder"
    first = look(told_it, 5, notice_days=3)
    assert (first.stand, first.step, first.again) == (Stand.DUE, "reminder", False)


def test_a_hold_lasts_as_long_as_the_longest() -> None:
    """Without an end nobody knows until when; a part in dispute leaves the rest asked."""
    until = datetime(2026, 12, 1, tzinfo=UTC)
    held = a_claim(
        holds=(HoldFact(kind="dispute", until_at=until), HoldFact(kind="promise", until_at=until + DAY))
    )
    assert (look(held, 30).stand, look(held, 30).until) == (Stand.HELD, until + DAY)
    endless = a_claim(holds=(HoldFact(kind="dispute", until_at=until), HoldFact(kind="hold")))
    assert (look(endless, 30).stand, look(endless, 30).until) == (Stand.HELD, None)
    assert look(a_claim(holds=(HoldFact(kind="dispute", cents=4_000),)), 30).stand is Stand.DUE
    assert look(a_claim(holds=(HoldFact(kind="dispute", cents=10_000),)), 30).stand is Stand.HELD


def test_after_the_last_step_nothing_follows() -> None:
    """Told twice, a claim of the friendly pair is finished; paid, it is settled."""
    pair = (told("reminder", 1), told("reminder_again", 8))
    assert look(a_claim(*pair), 400, shipped("friendly_pair").strategy).stand is Stand.FINISHED
    assert look(a_claim(*pair, reduced_cents=10_000), 400).stand is Stand.SETTLED


def test_evidence_that_was_done_by_a_person_needs_no_hours() -> None:
    """Who was spoken to was reached."""
    done = a_claim(told("call", 3, "done", channel=""))
    assert look(done, 4, FIRST_CALL, hours=-8.9, triage="help").stand is Stand.DUE


@given(
    steps=st.lists(st.sampled_from([step.id for step in LEGAL.steps] + ["unknown"]), max_size=6),
    days=st.lists(st.integers(min_value=0, max_value=120), min_size=6, max_size=6),
    state=st.sampled_from(["accepted", "posted", "delivered", "done", "tried", "in_doubt", "sending"]),
    today=st.integers(min_value=-10, max_value=200),
)
def test_no_step_is_due_before_its_distances(
    steps: list[str], days: list[int], state: str, today: int
) -> None:
    """For any history, what is due is overdue, and no stricter than one step past what was told."""
    facts: list[ToldFact] = [
        told(step, day, state, tone="friendly") for step, day in zip(steps, sorted(days), strict=False)
    ]
    found = look(a_claim(*facts), today)
    if found.stand is Stand.DUE:
        place = LEGAL.position(found.step)
        assert found.on is not None and on(today) >= found.on > DUE
        before = LEGAL.steps[place - 1] if place else None
        if before is not None and before.rank >= FORMAL:
            assert before.id in steps, "a formal step stands only on our own"
