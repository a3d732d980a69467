"""What a decision says: the one outcome, its reasons, the message to compose, and what to take back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any

import msgspec

from channels.kinds import Kind
from consent.facts import Reason
from consent.packs import Pack
from outreach.claims.facts import Struct
from outreach.dunning.next_step import Outlook
from outreach.dunning.strategy import Strategy
from outreach.planning.facts import OpenMessageFact, UnitFacts
from outreach.planning.route import Skip

_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


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
    """A message to compose: each claim with the step it is told or 'listed', and where it goes.

    `lead` is the step of the most advanced claim, which sets tone and template; `apart` are the claims that stand
    apart from it. `handover_on` is the first day of the handover that it announces.
    """

    steps: tuple[tuple[int, str], ...]
    template: str
    tone: str
    again: bool
    channel: Kind
    contact_point_id: int
    address: str
    good_until: datetime
    continues_message: int | None = None
    purpose: str = "dunning"
    strategy_hash: str = ""
    lead: str = ""
    apart: tuple[int, ...] = ()
    pay_by_on: date | None = None
    handover_on: date | None = None
    service_id: int | None = None

    @classmethod
    def without_way(cls, **said: Any) -> Plan:
        """Make a plan that says what is to be said, before it has a channel and an address."""
        return cls(channel=Kind.EMAIL, contact_point_id=0, address="", good_until=_NEVER, **said)


class Todo(Struct, frozen=True):
    """A task to open for a person, with the step it is about."""

    kind: str
    step: str = ""
    strategy_hash: str = ""
    days: int = 3


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
    todo: Todo | None = None

    @property
    def task(self) -> str:
        """The kind of the task to open; empty where there is none."""
        return self.todo.kind if self.todo is not None else ""


@dataclass(frozen=True)
class Rules:
    """What decisions are made by: the versions of strategies by hash, the one in force, and the pack."""

    strategies: Mapping[str, Strategy]
    strategy_hash: str
    pack: Pack | None
    pack_hash: str

    @property
    def strategy(self) -> Strategy:
        """The strategy in force."""
        return self.strategies[self.strategy_hash]


def taking_back(facts: UnitFacts, answer: Answer, *, keep_message: bool = False) -> Answer:
    """Withdraw what an earlier look made ready and this one does not uphold."""
    message = facts.open_message
    if message is None or (answer.code == "queued" and answer.plan is None):
        return answer
    ready = tuple(attempt.id for attempt in message.attempts if attempt.state == "ready")
    gone = None if keep_message or answer.code == "channels_spent" else message.id
    return msgspec.structs.replace(answer, withdraw_attempts=ready, withdraw_message=gone)


def continues(message: OpenMessageFact | None, plan: Plan) -> bool:
    """Return whether a plan says what an open message says: the same claims, steps, tone and template."""
    # A stored message knows no order of its claims, so the same ones in another order are the same message.
    return message is not None and (
        tuple(sorted(message.steps)),
        message.tone,
        message.template,
        message.service_id,
    ) == (tuple(sorted(plan.steps)), plan.tone, plan.template, plan.service_id)
