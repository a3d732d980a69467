"""Which step a claim should be told, and when: a pure function of facts and `now`.

The ladder moves on evidence: a step needs the one before it to be handed over and to have stayed so
for as long as the strategy asks, and its own distance in days. What rested on evidence that failed is taken back.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

from outreach.claims.amounts import asked_cents, is_held, open_cents
from outreach.claims.facts import ClaimFact, Struct, ToldFact
from outreach.dunning.strategy import FORMAL, NOTICE, TONES, Step, Strategy


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

    `overdue` claims that are told nothing today are listed for information beside those that are. `again` is whether
    anything was said of it before; `taken_back` are steps told on evidence that failed since.
    """

    claim_id: int
    stand: Stand
    step: str = ""
    on: date | None = None
    until: datetime | None = None
    code: str = ""
    overdue: bool = False
    again: bool = False
    taken_back: tuple[str, ...] = ()
    version: str = ""
    """The hash of the version of the strategy that it runs on, where something is due."""


def next_step(
    claim: ClaimFact,
    strategy: Strategy,
    today: date,
    now: datetime,
    *,
    triage: str = "open",
    notice_days: int = 0,
) -> Outlook:
    """Return where a claim stands; `today` is the civil date of `now` in the party's zone."""
    if open_cents(claim) <= 0:
        return Outlook(claim_id=claim.id, stand=Stand.SETTLED)
    if is_held(claim) or asked_cents(claim) <= 0:
        return _held(claim)
    if notice_days and today < claim.due_on and not any(fact.step == NOTICE for fact in claim.told):
        return _notice(claim, today, notice_days)
    return _climb(claim, strategy, today, now, triage)


def _held(claim: ClaimFact) -> Outlook:
    """Every hold must end; the one that lasts longest tells until when, and one without an end decides."""
    ends = [hold.until_at for hold in claim.holds]
    until = None if None in ends else max(end for end in ends if end is not None)
    return Outlook(claim_id=claim.id, stand=Stand.HELD, until=until, code=claim.holds[0].kind)


def _notice(claim: ClaimFact, today: date, days: int) -> Outlook:
    on = claim.due_on - timedelta(days=days)
    stand = Stand.DUE if today >= on else Stand.NOT_YET
    return Outlook(claim_id=claim.id, stand=stand, step=NOTICE, on=on)


def _climb(claim: ClaimFact, strategy: Strategy, today: date, now: datetime, triage: str) -> Outlook:
    """Walk up the ladder past what was told, to the first step that was not."""
    told = {fact.step: fact for fact in claim.told if fact.state != "tried"}
    elsewhere, passed = _history(claim, strategy)
    previous: ToldFact | None = None
    taken_back: list[str] = []
    next_one: Step | None = None
    for place, step in enumerate(strategy.steps):
        if step.triage and triage not in step.triage:
            continue
        fact = told.get(step.id) or _tried(claim, step)
        if fact is None and place <= passed:
            previous = elsewhere
        elif fact is None:
            next_one = next_one or step
            break
        elif next_one is not None or (previous is not None and fact.at < previous.at):
            # Its predecessor had to be told again since: it rested on evidence that failed.
            taken_back.append(step.id)
            next_one = next_one or step
        elif next_one is None:
            previous = fact
    return _outlook(claim, strategy, next_one, previous, tuple(taken_back), today, now)


def _outlook(
    claim: ClaimFact,
    strategy: Strategy,
    step: Step | None,
    previous: ToldFact | None,
    taken_back: tuple[str, ...],
    today: date,
    now: datetime,
) -> Outlook:
    """Return a claim's stand before a step, None where all were told."""
    overdue, again = today > claim.due_on, previous is not None
    stand, shown, on, ready_at = Stand.FINISHED, "", None, None
    if previous is not None and (open_end := _open_end(previous)) is not None:
        stand, shown = open_end, previous.step
    elif step is not None:
        on, ready_at = _earliest(claim, step, previous, strategy)
        due = on is not None and today >= on and (ready_at is None or now >= ready_at)
        stand, shown = Stand.DUE if due else Stand.NOT_YET, step.id
        ready_at = None if due else ready_at
    return Outlook(
        claim_id=claim.id,
        stand=stand,
        step=shown,
        on=on,
        until=ready_at,
        overdue=overdue,
        again=again,
        taken_back=taken_back,
    )


def _open_end(previous: ToldFact) -> Stand | None:
    """Return the stand of a claim whose last step's outcome is not known yet."""
    if previous.state not in {"in_doubt", "sending"}:
        return None
    return Stand.IN_DOUBT if previous.state == "in_doubt" else Stand.UNDER_WAY


def _tried(claim: ClaimFact, step: Step) -> ToldFact | None:
    """Return the last try of a step that a person tried in vain as often as the strategy asks."""
    tries = [fact for fact in claim.told if fact.step == step.id and fact.state == "tried"]
    return tries[-1] if len(tries) >= step.tries else None


def _history(claim: ClaimFact, strategy: Strategy) -> tuple[ToldFact | None, int]:
    """Return what was told by another version or another system, and the place up to which it counts.

    What another system told never stands for a formal step: from there on our own evidence counts. And no history
    passes a person's work or what its answers decide: nobody can know how those would have ended.
    """
    found: tuple[ToldFact | None, int] = (None, -1)
    person = (place for place, step in enumerate(strategy.steps) if step.kind != "message" or step.triage)
    most = next(person, len(strategy.steps)) - 1
    if claim.last_step in TONES and claim.last_step_on is not None:
        mild = [place for place, step in enumerate(strategy.steps) if step.rank < FORMAL]
        place = min(strategy.place_of("", claim.last_step), max(mild, default=-1), most)
        at = datetime.combine(claim.last_step_on, time(), UTC)
        found = ToldFact(step="", state="elsewhere", at=at, on=claim.last_step_on), place
    for fact in claim.told:
        if fact.state != "tried" and strategy.position(fact.step) < 0 and fact.step != NOTICE:
            place = min(strategy.place_of(fact.step, fact.tone), most)
            if place >= found[1]:
                found = fact, place
    return found


def _earliest(
    claim: ClaimFact, step: Step, previous: ToldFact | None, strategy: Strategy
) -> tuple[date | None, datetime | None]:
    """Return the first civil date of a step, and the moment its predecessor's evidence is complete.

    No date is known for a first step that waits for a signal.
    """
    if previous is None:
        return _start(claim, step, strategy), None
    on = claim.due_on + timedelta(days=step.after_due_days or 0)
    if step.after_previous_days is not None:
        on = max(on, previous.on + timedelta(days=step.after_previous_days))
    if previous.state in {"done", "tried", "elsewhere"}:
        return on, None
    place = strategy.position(previous.step)
    hours = strategy.steps[place].hours(previous.channel) if place >= 0 else 0
    return on, previous.at + timedelta(hours=hours)


def _start(claim: ClaimFact, step: Step, strategy: Strategy) -> date | None:
    """Return when a trajectory starts: on its own day after the due date, or earlier on a signal, once overdue."""
    overdue = claim.due_on + timedelta(days=1)
    days = [claim.due_on + timedelta(days=step.after_due_days)] if step.after_due_days is not None else []
    days += [
        max(overdue, signal.on + timedelta(days=start.days))
        for start in strategy.starts
        for signal in claim.signals
        if signal.kind == start.signal
    ]
    return min(days, default=None)
