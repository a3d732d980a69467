"""Which channel a message takes, and why each other one was passed over."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from channels.kinds import Kind
from consent.facts import GateFacts
from consent.gate import usable
from outreach.claims.facts import Struct
from outreach.planning.facts import AttemptFact, PointFact, UnitFacts

DEFAULT_ORDER = (Kind.EMAIL, Kind.SMS, Kind.LETTER, Kind.VIDEO)
_SPENT = {"bounced", "returned", "refused"}


class Skip(Struct, frozen=True):
    """A channel that was passed over, with the reason's code; `preferred` marks the debtor's own choice."""

    channel: Kind
    code: str
    preferred: bool = False


class Route(Struct, frozen=True):
    """Where the message goes, None where every way is spent."""

    point: PointFact | None
    skips: tuple[Skip, ...]


def route(
    facts: UnitFacts,
    asked: GateFacts,
    tried: Sequence[AttemptFact],
    now: datetime,
    channels: Sequence[str] = (),
) -> Route:
    """Return the first usable contact point in the order of a step's `channels`, else the party's own.

    `asked` is what the gate was asked of this message. The party's own order is the preferred channel, then the
    default; a step's "preferred" stands for all of it.
    """
    blocked = {(fact.channel, fact.address_key): reason for fact, reason in usable(asked, now)}
    spent = {attempt.contact_point_id for attempt in tried if attempt.state in _SPENT}
    preferred = facts.party.preferred_channel
    skips: list[Skip] = []
    for kind in _order(channels, preferred):
        code = "no_contact_point"
        for point in (point for point in facts.points if point.channel is kind):
            reason = blocked.get((point.channel, point.address_key))
            if reason is None and point.id not in spent:
                return Route(point=point, skips=tuple(skips))
            code = reason.code if reason is not None else "spent"
        if code != "no_contact_point" or kind is preferred:
            skips.append(Skip(channel=kind, code=code, preferred=kind is preferred))
    return Route(point=None, skips=tuple(skips))


def _order(channels: Sequence[str], preferred: Kind | None) -> list[Kind]:
    """Return the kinds to try, each once."""
    own = [*([preferred] if preferred is not None else []), *DEFAULT_ORDER]
    order = [kind for word in channels for kind in (own if word == "preferred" else [Kind(word)])]
    return list(dict.fromkeys(order or own))
