"""Which step a claim should be told, and when: a pure function of facts and `now`.

The ladder moves on evidence: a step needs the one before it to be handed over and to have stayed so
for as long as the strategy asks, and its own distance in days.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from enum import StrEnum

from outreach.claims.amounts import open_cents
from outreach.claims.facts import ClaimFact, Struct, ToldFact
from outreach.dunning.strategy import Step, Strategy


class Stand(StrEnum):
    """Where a claim stands on the ladder today."""

    SETTLED = "settled"
    HELD = "held"
    NOT_YET = "not_yet"
    DUE = "due"
    UNDER_WAY = "under_way"
    IN_DOUBT = "in_doubt"
    FINISHED = "strategy_finished"


class Outlook(Struct, frozen=True):
    """A claim's stand: the step concerned, from which civil date, and why it is held.

    `overdue` claims that are told nothing today are listed for information beside those that are.
    """

    claim_id: int
    stand: Stand
    step: str = ""
    on: date | None = None
    until: datetime | None = None
    code: str = ""
    overdue: bool = False


def next_step(claim: ClaimFact, strategy: Strategy, today: date, now: datetime) -> Outlook:
    """Return where a claim stands; `today` is the civil date of `now` in the party's zone."""
    if open_cents(claim) <= 0:
        return Outlook(claim_id=claim.id, stand=Stand.SETTLED)
    if claim.holds:
        return _held(claim)
    overdue = today > claim.due_on
    previous: ToldFact | None = None
    told = {fact.step: fact for fact in claim.told}
    for step in strategy.steps:
        fact = told.get(step.id)
        if fact is not None:
            previous = fact
            continue
        if previous is not None and previous.state in {"in_doubt", "sending"}:
            stand = Stand.IN_DOUBT if previous.state == "in_doubt" else Stand.UNDER_WAY
            return Outlook(claim_id=claim.id, stand=stand, step=previous.step, overdue=overdue)
        on, ready_at = _earliest(claim, step, previous, strategy)
        if today < on or (ready_at is not None and now < ready_at):
            stand = Stand.NOT_YET
        else:
            stand, ready_at = Stand.DUE, None
        return Outlook(claim_id=claim.id, stand=stand, step=step.id, on=on, until=ready_at, overdue=overdue)
    if previous is not None and previous.state in {"in_doubt", "sending"}:
        stand = Stand.IN_DOUBT if previous.state == "in_doubt" else Stand.UNDER_WAY
        return Outlook(claim_id=claim.id, stand=stand, step=previous.step, overdue=overdue)
    return Outlook(claim_id=claim.id, stand=Stand.FINISHED, overdue=overdue)


def _held(claim: ClaimFact) -> Outlook:
    """Every hold must end; the one that lasts longest tells until when, and one without an end decides."""
    first = claim.holds[0]
    ends = [hold.until_at for hold in claim.holds]
    until = None if None in ends else max(end for end in ends if end is not None)
    return Outlook(claim_id=claim.id, stand=Stand.HELD, until=until, code=first.kind)


def _earliest(
    claim: ClaimFact, step: Step, previous: ToldFact | None, strategy: Strategy
) -> tuple[date, datetime | None]:
    """Return the first civil date of a step, and the moment its predecessor's evidence is complete."""
    on = claim.due_on + timedelta(days=step.after_due_days or 0)
    if previous is None:
        return on, None
    if step.after_previous_days is not None:
        on = max(on, previous.on + timedelta(days=step.after_previous_days))
    place = strategy.position(previous.step)
    hours = strategy.steps[place].reached_after_hours if place >= 0 else 0
    return on, previous.at + timedelta(hours=hours)
