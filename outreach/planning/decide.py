"""What to do about one party of a dossier today: a pure function of facts, strategy, pack and `now`.

Every "no" and "not yet" carries its reasons. The answer says what to compose, what to take back,
when to look again, and which one outcome the day's account gets.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from channels.kinds import Kind
from consent.facts import Reason, Verdict, VerdictKind
from consent.gate import first_moment, gate
from consent.packs import Pack
from outreach.claims.facts import Struct
from outreach.dunning.next_step import Outlook, Stand, next_step
from outreach.dunning.strategy import Strategy
from outreach.planning.facts import AttemptFact, OpenMessageFact, UnitFacts
from outreach.planning.route import Route, Skip, route


class Outcome(StrEnum):
    """The one thing that became of a party, dossier and currency today."""

    SENT = "sent"
    WAITING = "waiting"
    STOPPED = "stopped"
    FAILED = "failed"
    IN_DOUBT = "in_doubt"
    TASK = "task"
    NOTHING_DUE = "nothing_due"


class Plan(Struct, frozen=True):
    """A message to compose: each claim with the step it is told or 'listed', and where it goes."""

    steps: tuple[tuple[int, str], ...]
    template: str
    tone: str
    again: bool
    channel: Kind
    contact_point_id: int
    address: str
    good_until: datetime
    continues_message: int | None = None


class Answer(Struct, frozen=True):
    """The decision: outcome, a code for why, when to look again, and every reason behind it."""

    outcome: Outcome
    code: str
    look_at: datetime | None
    outlooks: tuple[Outlook, ...] = ()
    reasons: tuple[Reason, ...] = ()
    skips: tuple[Skip, ...] = ()
    plan: Plan | None = None
    withdraw_attempts: tuple[int, ...] = ()
    withdraw_message: int | None = None
    task: str = ""


@dataclass(frozen=True)
class Rules:
    """What decisions are made by: the strategy and pack with the hashes that name their versions."""

    strategy: Strategy
    strategy_hash: str
    pack: Pack | None
    pack_hash: str


def decide(facts: UnitFacts, rules: Rules, now: datetime) -> Answer:
    """Return what to do about a party of a dossier at `now`."""
    today = facts.today(now)
    outlooks = tuple(next_step(claim, rules.strategy, today, now) for claim in facts.claims)
    due = [outlook for outlook in outlooks if outlook.stand is Stand.DUE]
    if not due:
        return _take_back(facts, _nothing_to_say(facts, rules, outlooks, now))
    if facts.unplaced_cents:
        return _take_back(facts, _unplaced(outlooks))
    about = {outlook.claim_id for outlook in outlooks if outlook.stand is Stand.DUE or outlook.overdue}
    latest_due_on = max(claim.due_on for claim in facts.claims if claim.id in about)
    verdict = gate(facts.gate_facts(latest_due_on), rules.pack, now)
    if verdict.kind is not VerdictKind.ALLOW:
        return _take_back(facts, _refused(verdict, outlooks))
    return _compose_or_task(facts, rules, outlooks, verdict, now)


def _compose_or_task(
    facts: UnitFacts, rules: Rules, outlooks: tuple[Outlook, ...], verdict: Verdict, now: datetime
) -> Answer:
    told = _steps(outlooks)
    due = [outlook for outlook in outlooks if outlook.stand is Stand.DUE]
    place = max(rules.strategy.position(outlook.step) for outlook in due)
    step = rules.strategy.steps[place]
    message = facts.open_message
    # A stored message knows no order of its claims, so the same ones in another order are the same message.
    same = message is not None and (tuple(sorted(message.steps)), message.tone, message.template) == (
        tuple(sorted(told)),
        step.tone,
        step.template,
    )
    way = route(facts, message.attempts if message is not None and same else (), now)
    if way.point is None:
        return _take_back(facts, _no_way(outlooks, verdict, way))
    good_until = verdict.good_until or now
    live = _live(message) if same else None
    if live is not None and _still_good(live, facts, way, now):
        return Answer(
            outcome=Outcome.WAITING,
            code="queued",
            look_at=live.good_until,
            outlooks=outlooks,
            reasons=verdict.reasons,
            skips=way.skips,
        )
    plan = Plan(
        steps=told,
        template=step.template,
        tone=step.tone,
        again=place > 0,
        channel=way.point.channel,
        contact_point_id=way.point.id,
        address=way.point.value,
        good_until=good_until,
        continues_message=message.id if message is not None and same else None,
    )
    answer = Answer(
        outcome=Outcome.WAITING,
        code="queued",
        look_at=good_until,
        outlooks=outlooks,
        reasons=verdict.reasons,
        skips=way.skips,
        plan=plan,
    )
    return _take_back(facts, answer, keep_message=same)


def _steps(outlooks: Sequence[Outlook]) -> tuple[tuple[int, str], ...]:
    """Tell every due claim its own step; list the other overdue ones, unless they are held or settled."""
    shown = (Stand.NOT_YET, Stand.FINISHED)
    return tuple(
        (outlook.claim_id, outlook.step if outlook.stand is Stand.DUE else "listed")
        for outlook in outlooks
        if outlook.stand is Stand.DUE or (outlook.overdue and outlook.stand in shown)
    )


def _still_good(live: AttemptFact, facts: UnitFacts, way: Route, now: datetime) -> bool:
    """Return whether a ready attempt may stay: composed from today's facts, for the same address, in time."""
    return (
        live.facts_version == facts.party.facts_version
        and live.policy_epoch == facts.creditor.policy_epoch
        and way.point is not None
        and live.contact_point_id == way.point.id
        and now < live.good_until
    )


def _live(message: OpenMessageFact | None) -> AttemptFact | None:
    if message is None:
        return None
    return next((attempt for attempt in message.attempts if attempt.state == "ready"), None)


def _take_back(facts: UnitFacts, answer: Answer, *, keep_message: bool = False) -> Answer:
    """Withdraw what an earlier look made ready and this one does not uphold."""
    message = facts.open_message
    if message is None or (answer.code == "queued" and answer.plan is None):
        return answer
    ready = tuple(attempt.id for attempt in message.attempts if attempt.state == "ready")
    return Answer(
        outcome=answer.outcome,
        code=answer.code,
        look_at=answer.look_at,
        outlooks=answer.outlooks,
        reasons=answer.reasons,
        skips=answer.skips,
        plan=answer.plan,
        withdraw_attempts=ready,
        withdraw_message=None if keep_message or answer.code == "channels_spent" else message.id,
        task=answer.task,
    )


def _nothing_to_say(facts: UnitFacts, rules: Rules, outlooks: tuple[Outlook, ...], now: datetime) -> Answer:
    """Nothing is due: find the one outcome, and the first moment at which that can change."""
    stands = {outlook.stand for outlook in outlooks}
    look_at = _next_look(facts, rules, outlooks, now)
    if Stand.IN_DOUBT in stands:
        return Answer(outcome=Outcome.IN_DOUBT, code="in_doubt", look_at=look_at, outlooks=outlooks)
    if Stand.UNDER_WAY in stands:
        return Answer(outcome=Outcome.WAITING, code="under_way", look_at=look_at, outlooks=outlooks)
    if Stand.NOT_YET in stands:
        told = any(outlook.stand is Stand.NOT_YET and outlook.overdue for outlook in outlooks)
        code = "step_not_yet" if told else "not_yet_due"
        return Answer(outcome=Outcome.WAITING, code=code, look_at=look_at, outlooks=outlooks)
    held = next((outlook for outlook in outlooks if outlook.stand is Stand.HELD), None)
    if held is not None:
        return Answer(outcome=Outcome.STOPPED, code=held.code, look_at=look_at, outlooks=outlooks)
    code = "strategy_finished" if Stand.FINISHED in stands else "settled"
    return Answer(outcome=Outcome.NOTHING_DUE, code=code, look_at=look_at, outlooks=outlooks)


def _next_look(
    facts: UnitFacts, rules: Rules, outlooks: tuple[Outlook, ...], now: datetime
) -> datetime | None:
    moments: list[datetime] = []
    for outlook in outlooks:
        if outlook.stand is Stand.NOT_YET and outlook.on is not None:
            moments.append(_first_moment(outlook, facts, rules, now))
        elif outlook.stand is Stand.HELD and outlook.until is not None:
            moments.append(outlook.until)
        elif outlook.stand is Stand.UNDER_WAY:
            moments.append(now + timedelta(minutes=15))
    return min(moments, default=None)


def _first_moment(outlook: Outlook, facts: UnitFacts, rules: Rules, now: datetime) -> datetime:
    """Return when a step may first be told: its day, inside a window, its predecessor's evidence complete."""
    assert outlook.on is not None
    if rules.pack is None:
        # Without a pack nothing is said; looking again in a day is enough to notice one.
        return now + timedelta(days=1)
    moment = first_moment(outlook.on, facts.party.zone, rules.pack, now)
    return max(moment, outlook.until) if outlook.until else moment


def _unplaced(outlooks: tuple[Outlook, ...]) -> Answer:
    """Money of this debtor lies unplaced: nothing is asked until a person has placed it."""
    return Answer(
        outcome=Outcome.STOPPED,
        code="unplaced_payment",
        look_at=None,
        outlooks=outlooks,
        task="unplaced_payment",
    )


_TASKS = {"no_contact_point": "no_contact_point", "no_pack": "gap", "rule_error": "gap"}


def _refused(verdict: Verdict, outlooks: tuple[Outlook, ...]) -> Answer:
    """Turn the gate's refusal into an outcome; the first strictest reason gives the code."""
    strictest = next(reason for reason in verdict.reasons if reason.kind is verdict.kind)
    task = _TASKS.get(strictest.code, "") if verdict.kind is VerdictKind.GAP else ""
    if verdict.kind is VerdictKind.DENY:
        outcome = Outcome.STOPPED
    elif task:
        outcome = Outcome.TASK
    else:
        outcome = Outcome.WAITING
    return Answer(
        outcome=outcome,
        code=strictest.code,
        look_at=verdict.until,
        outlooks=outlooks,
        reasons=verdict.reasons,
        task=task,
    )


def _no_way(outlooks: tuple[Outlook, ...], verdict: Verdict, way: Route) -> Answer:
    """Every channel was tried for this message: a person must find another way."""
    return Answer(
        outcome=Outcome.TASK,
        code="channels_spent",
        look_at=None,
        outlooks=outlooks,
        reasons=verdict.reasons,
        skips=way.skips,
        task="channels_spent",
    )
