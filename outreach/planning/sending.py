"""Give a message its way to go, or find that an earlier look's attempt still says it, or that no way is left."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from consent.facts import GateFacts, Verdict
from outreach.dunning.next_step import Outlook
from outreach.planning.answer import Answer, Outcome, Plan, Todo, continues, taking_back
from outreach.planning.facts import AttemptFact, OpenMessageFact, UnitFacts
from outreach.planning.route import Route, route


def send(
    facts: UnitFacts,
    asked: GateFacts,
    plan: Plan,
    channels: Sequence[str],
    verdict: Verdict,
    found: tuple[Outlook, ...],
    now: datetime,
) -> Answer:
    """Return the answer for what may be said: the plan with its way, or why it has none."""
    message = facts.open_message
    same = continues(message, plan)
    way = route(facts, asked, message.attempts if message is not None and same else (), now, channels)
    if way.point is None:
        return taking_back(facts, _no_way(found, verdict, way))
    live = _live(message) if same else None
    queued = Answer(
        outcome=Outcome.WAITING,
        code="queued",
        look_at=verdict.good_until or now,
        outlooks=found,
        reasons=verdict.reasons,
        skips=way.skips,
    )
    if live is not None and _still_good(live, facts, way, now):
        return msgspec.structs.replace(queued, look_at=live.good_until)
    ready = msgspec.structs.replace(
        plan,
        channel=way.point.channel,
        contact_point_id=way.point.id,
        address=way.point.value,
        good_until=verdict.good_until or now,
        continues_message=message.id if message is not None and same else None,
    )
    return taking_back(facts, msgspec.structs.replace(queued, plan=ready), keep_message=same)


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


def _no_way(found: tuple[Outlook, ...], verdict: Verdict, way: Route) -> Answer:
    """Every channel was tried for this message: a person must find another way."""
    return Answer(
        outcome=Outcome.TASK,
        code="channels_spent",
        look_at=None,
        outlooks=found,
        reasons=verdict.reasons,
        skips=way.skips,
        todo=Todo(kind="channels_spent"),
    )
