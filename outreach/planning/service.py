"""Say what is no reminder: a confirmation, a nudge before an instalment, a helping message after a missed one."""

from __future__ import annotations

from datetime import datetime

from consent.facts import Verdict, VerdictKind
from consent.gate import gate
from outreach.casework.service import PAYMENT
from outreach.claims.amounts import is_held
from outreach.claims.facts import ClaimFact
from outreach.dunning.strategy import LISTED
from outreach.planning.answer import Answer, Outcome, Plan, Rules, taking_back
from outreach.planning.facts import ServiceFact, UnitFacts
from outreach.planning.sending import send

CONFIRMATION = "confirmation"
"""The tone of all of them."""

_ABOUT_ALL = frozenset(
    {"promise_confirmed", "deferral_confirmed", "arrangement_confirmed", "pause_confirmed"}
)


def serve(facts: UnitFacts, rules: Rules, now: datetime) -> Answer | None:
    """Return what to do about the oldest thing that is to be told; None where there is nothing of the kind."""
    if not facts.service:
        return None
    wish = facts.service[0]
    gate_facts = facts.gate_facts(now, facts.today(now), wish.purpose)
    verdict = gate(gate_facts, rules.pack, now)
    if verdict.kind is not VerdictKind.ALLOW:
        return _waits(verdict)
    plan = Plan.without_way(
        steps=tuple((claim.id, LISTED) for claim in facts.claims if _is_about(wish, claim, facts, now)),
        template=wish.template,
        tone=CONFIRMATION,
        again=False,
        purpose=wish.purpose,
        strategy_hash=rules.strategy_hash,
        service_id=wish.id,
    )
    answer = send(facts, gate_facts, plan, (), verdict, (), now)
    return answer if answer.code == "queued" else taking_back(facts, _waits(verdict))


def _is_about(wish: ServiceFact, claim: ClaimFact, facts: UnitFacts, now: datetime) -> bool:
    """An answer is about the claims it names; one about an arrangement or a payment, about all that are overdue."""
    named = claim.id in wish.claims
    if wish.template == PAYMENT:
        # "Nothing more to do" must be true of everything that is asked, not of the paid bill alone.
        return named or (claim.due_on < facts.today(now) and not is_held(claim))
    if wish.claims or wish.template not in _ABOUT_ALL:
        return named
    return claim.due_on < facts.today(now)


def _waits(verdict: Verdict) -> Answer:
    """What can't be said now waits, or is dropped when its time is over; it never becomes a reminder."""
    strictest = next((reason for reason in verdict.reasons if reason.kind is verdict.kind), None)
    return Answer(
        outcome=Outcome.STOPPED if verdict.kind is VerdictKind.DENY else Outcome.WAITING,
        code=f"service_{strictest.code}" if strictest is not None and verdict.until else "service_waits",
        look_at=verdict.until,
        reasons=verdict.reasons,
    )
