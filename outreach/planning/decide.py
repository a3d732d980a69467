"""What to do about one party of a dossier today: a pure function of facts, strategy, pack and `now`.

Every "no" and "not yet" carries its reasons. The answer says what to compose, what to take back,
when to look again, and which one outcome the day's account gets.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import msgspec

from consent.facts import Reason, Verdict, VerdictKind
from consent.gate import first_moment, gate
from outreach.claims.amounts import asked_cents
from outreach.claims.facts import ClaimFact
from outreach.dunning.next_step import Outlook, Stand
from outreach.dunning.strategy import LISTED, NOTICE, TONES, Step
from outreach.dunning.trajectory import Terms, outlooks
from outreach.planning.answer import Answer, Outcome, Plan, Rules, Todo, taking_back
from outreach.planning.facts import ApprovalFact, UnitFacts
from outreach.planning.sending import send
from outreach.planning.service import serve

NOTICE_STEP = Step(id=NOTICE, tone="notice", template="payment_notice", after_due_days=0)
AGAIN = timedelta(days=1)
"""When a dossier that waits for a person is looked at again: a task that was closed undone is opened anew."""


def decide(facts: UnitFacts, rules: Rules, now: datetime) -> Answer:
    """Return what to do about a party of a dossier at `now`: an answer it is owed goes before a reminder."""
    if rules.strategy_hash not in rules.strategies:
        missing = Answer(outcome=Outcome.TASK, code="no_strategy", look_at=now + AGAIN, todo=Todo(kind="gap"))
        return taking_back(facts, missing)
    served = serve(facts, rules, now)
    if served is not None and served.code == "queued":
        return served
    answer = _dun(facts, rules, now)
    if served is None:
        return answer
    if answer.outcome is Outcome.NOTHING_DUE:
        return taking_back(facts, msgspec.structs.replace(served, outlooks=answer.outlooks))
    moments = [moment for moment in (answer.look_at, served.look_at) if moment is not None]
    return msgspec.structs.replace(answer, look_at=min(moments, default=None))


def _dun(facts: UnitFacts, rules: Rules, now: datetime) -> Answer:
    today = facts.today(now)
    terms = Terms(
        in_force=rules.strategy_hash,
        strategies=rules.strategies,
        triage=facts.party.triage,
        notice_days=facts.creditor.notice_days,
        moved_at=facts.moved_at,
        one_contract=bool(facts.contract_id),
    )
    found = tuple(
        _answered(outlook, claim, facts, rules, now)
        for outlook, claim in zip(outlooks(facts.claims, terms, today, now), facts.claims, strict=True)
    )
    due = [outlook for outlook in found if outlook.stand is Stand.DUE]
    if not due:
        return taking_back(facts, _nothing_to_say(facts, rules, found, now))
    if facts.unplaced_cents:
        return taking_back(facts, _unplaced(found))
    lead = max(due, key=lambda outlook: (_rank(outlook, rules), outlook.again))
    step = _step(lead, rules)
    steps = _steps(found, lead, rules)
    by_id = {claim.id: claim for claim in facts.claims}
    asked = sum(asked_cents(by_id[claim_id]) for claim_id, _ in steps)
    if asked < facts.creditor.tolerance_cents:
        look_at = _next_look(facts, rules, found, now)
        small = Answer(outcome=Outcome.NOTHING_DUE, code="below_tolerance", look_at=look_at, outlooks=found)
        return taking_back(facts, small)
    purpose = "dunning" if step.kind == "message" else "handover" if step.kind == "handover" else "call"
    known = [by_id[claim_id].due_on for claim_id, _ in steps if by_id[claim_id].due_on < today]
    # A notice is about what is not due yet: no day of payments can lie after that.
    latest_due_on = max(known, default=facts.creditor.payments_until_on or today)
    gate_facts = facts.gate_facts(now, latest_due_on, purpose, step.min_interval_days)
    verdict = gate(gate_facts, rules.pack, now)
    if step.kind != "message":
        return taking_back(facts, _for_a_person(verdict, found, lead, step, now))
    if verdict.kind is not VerdictKind.ALLOW:
        return taking_back(facts, refused(verdict, found, now))
    if step.approval and _said(lead, by_id[lead.claim_id], facts, now) is None:
        return taking_back(facts, _for_approval(verdict, found, lead, now))
    plan = _plan(facts, rules, steps, lead, step, found, today)
    return send(facts, gate_facts, plan, step.channels, verdict, found, now)


def _rank(outlook: Outlook, rules: Rules) -> tuple[int, int]:
    """Return how advanced an outlook is, also between versions: by tone first, then by place."""
    step = _step(outlook, rules)
    version = rules.strategies.get(outlook.version)
    return TONES.index(step.tone), version.position(step.id) if version is not None else -1


def _step(outlook: Outlook, rules: Rules) -> Step:
    if outlook.step == NOTICE:
        return NOTICE_STEP
    strategy = rules.strategies[outlook.version]
    return strategy.steps[strategy.position(outlook.step)]


def _steps(found: Sequence[Outlook], lead: Outlook, rules: Rules) -> tuple[tuple[int, str], ...]:
    """Tell every due claim its own step; list the other overdue ones, unless they are held or settled."""
    shown = (Stand.NOT_YET, Stand.FINISHED)
    steps = []
    for outlook in found:
        is_told = outlook.stand is Stand.DUE and (outlook.step == NOTICE) == (lead.step == NOTICE)
        if is_told and _step(outlook, rules).kind == _step(lead, rules).kind:
            steps.append((outlook.claim_id, outlook.step))
        elif outlook.overdue and (outlook.stand in shown or outlook.stand is Stand.DUE):
            steps.append((outlook.claim_id, LISTED))
    return tuple(steps)


def _plan(
    facts: UnitFacts,
    rules: Rules,
    steps: tuple[tuple[int, str], ...],
    lead: Outlook,
    step: Step,
    found: Sequence[Outlook],
    today: date,
) -> Plan:
    """Return what the message says, before it has a way to go."""
    firm = step.rank >= TONES.index("firm")
    known = {outlook.claim_id for outlook in found if outlook.again}
    # What was never told of before stands apart too: a month that joins its contract's trajectory.
    apart = (
        tuple(key for key, told in steps if told != lead.step or (lead.again and key not in known))
        if firm
        else ()
    )
    pay_by_on = today + timedelta(days=step.pay_within_days)
    return Plan.without_way(
        steps=steps,
        template=step.template,
        tone=step.tone,
        again=lead.again,
        strategy_hash=lead.version or rules.strategy_hash,
        lead=lead.step,
        apart=apart,
        pay_by_on=pay_by_on,
        handover_on=_handover_on(facts, rules, lead, pay_by_on, today) if step.tone == "final" else None,
    )


def _handover_on(facts: UnitFacts, rules: Rules, lead: Outlook, pay_by_on: date, today: date) -> date | None:
    """Return the first day of the handover that follows a step, always after the day to pay by."""
    strategy = rules.strategies[lead.version]
    for step in strategy.steps[strategy.position(lead.step) + 1 :]:
        if step.kind == "handover" and (not step.triage or facts.party.triage in step.triage):
            earliest = today + timedelta(days=step.after_previous_days or 0)
            return max(earliest, pay_by_on + timedelta(days=1))
    return None


def _for_a_person(
    verdict: Verdict, found: tuple[Outlook, ...], lead: Outlook, step: Step, now: datetime
) -> Answer:
    """A call, a visit or a handover: a task, unless the gate forbids it. No address for messages is needed."""
    against = [reason for reason in verdict.reasons if reason.refuses]
    if [reason for reason in against if reason.code != "no_contact_point"]:
        return refused(verdict, found, now)
    return Answer(
        outcome=Outcome.TASK,
        code=step.kind,
        look_at=now + AGAIN,
        outlooks=found,
        reasons=verdict.reasons,
        todo=Todo(kind=step.kind, step=step.id, strategy_hash=lead.version, days=step.due_within_days),
    )


def _for_approval(verdict: Verdict, found: tuple[Outlook, ...], lead: Outlook, now: datetime) -> Answer:
    """Return what a step that needs a person's yes waits for."""
    return Answer(
        outcome=Outcome.TASK,
        code="approval",
        look_at=now + AGAIN,
        outlooks=found,
        reasons=verdict.reasons,
        todo=Todo(kind="approve", step=lead.step, strategy_hash=lead.version),
    )


def _answered(outlook: Outlook, claim: ClaimFact, facts: UnitFacts, rules: Rules, now: datetime) -> Outlook:
    """Set a due claim aside where a person said no to its step, or yes to its handover: it never silences others.

    What is handed over is asked for by somebody else, so it is held here; what was refused is still owed.
    """
    if outlook.stand is not Stand.DUE or not facts.approvals:
        return outlook
    step, said = _step(outlook, rules), _said(outlook, claim, facts, now)
    if said is None or (said.approved and step.kind != "handover"):
        return outlook
    word = "handover" if step.kind == "handover" else "approval"
    code = f"{word}_{'approved' if said.approved else 'refused'}"
    stand = Stand.HELD if said.approved else Stand.FINISHED
    return msgspec.structs.replace(outlook, stand=stand, code=code, until=said.until_at)


def _said(outlook: Outlook, claim: ClaimFact, facts: UnitFacts, now: datetime) -> ApprovalFact | None:
    """Return a person's last word on a claim's step; what came due or fell due later was not in it."""
    words = [
        one
        for one in facts.approvals
        if one.step == outlook.step
        and one.until_at > now
        and claim.due_on < one.on
        and (outlook.on is None or outlook.on <= one.on)
    ]
    return words[-1] if words else None


def _nothing_to_say(facts: UnitFacts, rules: Rules, found: tuple[Outlook, ...], now: datetime) -> Answer:
    """Nothing is due: find the one outcome, and the first moment at which that can change."""
    stands = {outlook.stand for outlook in found}
    look_at = _next_look(facts, rules, found, now)
    outcome, code, todo = Outcome.NOTHING_DUE, "settled", None
    held = next((outlook for outlook in found if outlook.stand is Stand.HELD), None)
    if Stand.IN_DOUBT in stands:
        outcome, code = Outcome.IN_DOUBT, "in_doubt"
    elif Stand.UNDER_WAY in stands:
        outcome, code = Outcome.WAITING, "under_way"
    elif any(_is_at_an_end(outlook, facts) for outlook in found):
        outcome, code, todo = Outcome.TASK, "trajectory_ended", Todo(kind="trajectory_ended")
    elif Stand.NOT_YET in stands:
        told = any(outlook.stand is Stand.NOT_YET and outlook.overdue for outlook in found)
        outcome, code = Outcome.WAITING, "step_not_yet" if told else "not_yet_due"
    elif held is not None:
        outcome, code = Outcome.STOPPED, held.code
    elif Stand.FINISHED in stands:
        code = next(
            (one.code for one in found if one.stand is Stand.FINISHED and one.code), "strategy_finished"
        )
    return Answer(outcome=outcome, code=code, look_at=look_at, outlooks=found, todo=todo)


def _is_at_an_end(outlook: Outlook, facts: UnitFacts) -> bool:
    """Return whether a person must say how to go on: a month after the end, or nothing left where answers led."""
    if outlook.stand is not Stand.FINISHED or outlook.code not in {"", "trajectory_ended"}:
        return False
    return bool(outlook.code) or facts.party.triage != "open"


def _next_look(facts: UnitFacts, rules: Rules, found: Sequence[Outlook], now: datetime) -> datetime | None:
    moments: list[datetime] = []
    for outlook in found:
        if outlook.stand is Stand.NOT_YET and outlook.on is not None:
            moments.append(_first_moment(outlook, facts, rules, now))
        elif outlook.stand in {Stand.HELD, Stand.FINISHED} and outlook.until is not None:
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


def _unplaced(found: tuple[Outlook, ...]) -> Answer:
    """Money of this debtor lies unplaced: nothing is asked until a person has placed it."""
    return Answer(
        outcome=Outcome.STOPPED,
        code="unplaced_payment",
        look_at=None,
        outlooks=found,
        todo=Todo(kind="unplaced_payment"),
    )


_TASKS = {"no_contact_point": "no_contact_point"} | dict.fromkeys(
    ("no_pack", "rule_error", "approval_needed", "sender_register_unknown"), "gap"
)


_BY_DOCUMENT = frozenset(
    {"no_legal_basis", "assessment_missing", "notice_missing", "processor_contract_expired"}
)
"""What a document ends that may begin to hold on a later day: nothing else would wake the dossier then."""


def refused(verdict: Verdict, found: tuple[Outlook, ...], now: datetime) -> Answer:
    """Turn the gate's refusal into an outcome; the first strictest reason gives the code."""
    strictest: Reason = next(reason for reason in verdict.reasons if reason.kind is verdict.kind)
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
        look_at=now + AGAIN if strictest.code in _BY_DOCUMENT else verdict.until,
        outlooks=found,
        reasons=verdict.reasons,
        todo=Todo(kind=task) if task else None,
    )
