"""Show a message before it goes: the exact bytes a send would keep and hand over, and what the gate says of it.

A preview composes also what may not go now; it then leaves out up to which date payments are known.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from channels.kinds import Kind
from outreach.claims.amounts import open_cents
from outreach.claims.facts import ClaimFact
from outreach.dunning.next_step import Stand
from outreach.dunning.strategy import Step
from outreach.errors import Refused, UsageError
from outreach.planning.answer import Answer, Plan, Rules
from outreach.planning.compose import Composed, Composer
from outreach.planning.decide import NOTICE_STEP, decide
from outreach.planning.facts import PointFact, UnitFacts
from outreach.planning.route import DEFAULT_ORDER
from outreach.planning.versions import Versions

PREVIEW_TOKEN = "0" * 32
"""Stands in Message-ID and return path of a preview, where a send has a random token."""

NO_ADDRESS = "geen-adres@outreach.invalid"


@dataclass(frozen=True)
class Preview:
    """A message as it would be sent, with the decision about sending it."""

    facts: UnitFacts
    answer: Answer
    plan: Plan
    composed: Composed

    @property
    def may_go(self) -> bool:
        """Whether a tick at this moment would make exactly this message ready."""
        return self.answer.plan == self.plan


def preview(
    facts: UnitFacts,
    versions: Versions,
    composer: Composer,
    now: datetime,
    *,
    step: str | None = None,
    channel: Kind | None = None,
    token: str = PREVIEW_TOKEN,
) -> Preview:
    """Compose what a send would compose, or what it would be if it were allowed or asked for by step or channel."""
    rules = versions.rules(facts)
    answer = decide(facts, rules, now)
    plan = answer.plan
    if plan is None or step is not None or channel is not None:
        plan = _forced(facts, rules, answer, now, step, channel)
    shown = facts if answer.plan is not None else _without_payment_date(facts)
    template = versions.template(plan.template)
    composed = composer.compose(shown, plan, template, token, now)
    return Preview(facts, answer, plan, composed)


def _without_payment_date(facts: UnitFacts) -> UnitFacts:
    creditor = msgspec.structs.replace(facts.creditor, payments_until_on=None)
    return msgspec.structs.replace(facts, creditor=creditor)


def _forced(
    facts: UnitFacts,
    rules: Rules,
    answer: Answer,
    now: datetime,
    step: str | None,
    channel: Kind | None,
) -> Plan:
    chosen = _chosen(rules, answer, step)
    told = tuple((claim.id, chosen.id) for claim in _asked(facts, answer))
    point = _point(facts, channel)
    pay_by_on = facts.today(now) + timedelta(days=chosen.pay_within_days)
    return Plan(
        steps=told,
        template=chosen.template,
        tone=chosen.tone,
        again=rules.strategy.position(chosen.id) > 0,
        channel=point.channel,
        contact_point_id=point.id,
        address=point.value,
        good_until=now,
        strategy_hash=rules.strategy_hash,
        lead=chosen.id,
        pay_by_on=pay_by_on,
        handover_on=pay_by_on + timedelta(days=1) if chosen.tone == "final" else None,
    )


def _asked(facts: UnitFacts, answer: Answer) -> list[ClaimFact]:
    """Return the claims a message would be about: the overdue ones, else those that fall due first."""
    asked = [
        claim
        for claim, outlook in zip(facts.claims, answer.outlooks, strict=True)
        if open_cents(claim) > 0 and outlook.stand is not Stand.HELD
    ]
    if not asked:
        msg = "nothing is open that could be asked for (settled, or held by a stop on every claim)"
        raise Refused(msg)
    overdue = {outlook.claim_id for outlook in answer.outlooks if outlook.overdue}
    late = [claim for claim in asked if claim.id in overdue]
    first = min(claim.due_on for claim in asked)
    return late or [claim for claim in asked if claim.due_on == first]


def _chosen(rules: Rules, answer: Answer, step: str | None) -> Step:
    """Return the step asked for, else the furthest message that the claims stand before."""
    messages = {one.id: one for one in rules.strategy.steps if one.kind == "message"}
    if step is not None:
        known = {NOTICE_STEP.id: NOTICE_STEP, **messages}
        if step not in known:
            msg = f"--step {step!r}: the messages of this strategy are {', '.join(known)}"
            raise UsageError(msg)
        return known[step]
    before = [messages[outlook.step] for outlook in answer.outlooks if outlook.step in messages]
    places = {one: rules.strategy.position(one) for one in messages}
    return max(before, key=lambda one: places[one.id], default=next(iter(messages.values()), NOTICE_STEP))


def _point(facts: UnitFacts, channel: Kind | None) -> PointFact:
    kinds = (
        (channel,) if channel is not None else tuple(kind for kind in DEFAULT_ORDER if kind in facts.channels)
    )
    if channel is not None and channel not in facts.channels:
        msg = f"--channel {channel}: this installation composes for {', '.join(facts.channels)}"
        raise UsageError(msg)
    for kind in kinds:
        for point in facts.points:
            if point.channel is kind and point.certainty != "dead":
                return point
    return PointFact(id=0, channel=kinds[0], value=NO_ADDRESS, address_key="", certainty="dead")
