"""Which of a person's contact points may be used, and why the others may not."""

from __future__ import annotations

from datetime import UTC, datetime

from channels.kinds import Kind
from consent.facts import ContactPointFact, GateFacts, Reason, StopFact, VerdictKind

RULE = "contact_point"

PAUSES = frozenset({"hold", "dispute", "complaint", "deferral", "promise", "arrangement"})
ANSWERS = frozenset({"confirmation", "service"})
_NO_BAN = frozenset({"address_protected", "legal_hold"})

_NOT_CONFIGURED = Reason(rule=RULE, kind=VerdictKind.GAP, code="channel_not_configured")
_RETURNED = Reason(rule=RULE, kind=VerdictKind.DENY, code="letter_returned")
_UNUSABLE = {
    "wrong_person": Reason(rule=RULE, kind=VerdictKind.DENY, code="wrong_person"),
    "dead": Reason(rule=RULE, kind=VerdictKind.DENY, code="dead"),
}


def usable(facts: GateFacts, now: datetime) -> tuple[tuple[ContactPointFact, Reason | None], ...]:
    """Each contact point with the reason why it can't be used at `now`, or None where it can.

    Another person must never learn of the debt, so an address that is known to be somebody else's is closed,
    and so is one on which a stop lies. The order is that of the facts; routing takes those without a reason.
    """
    narrow = [stop for stop in facts.stops if is_narrow(stop) and is_active(stop, now)]
    return tuple((point, _obstacle(point, narrow)) for point in facts.contact_points)


def is_narrow(stop: StopFact) -> bool:
    """Whether the stop closes a channel or an address only, and leaves the person otherwise reachable."""
    return stop.channel is not None or stop.address_key is not None


def forbids(stop: StopFact, purpose: str) -> bool:
    """Whether a stop is about messages of this purpose.

    A pause is a pause of asking: what confirms it, or serves the arrangement it rests on, may be said. A protected
    address is kept from others, and a legal hold keeps data from deletion; the person is reached as anybody.
    """
    if stop.kind in _NO_BAN:
        return False
    return stop.kind not in PAUSES or purpose not in ANSWERS


def is_active(stop: StopFact, at: datetime) -> bool:
    """Whether the stop holds at this instant (half-open)."""
    return stop.from_at <= at and (stop.until_at is None or at < stop.until_at)


def stop_reason(stop: StopFact, rule: str, source: str = "", certainty: str = "") -> Reason:
    """A denial, or a delay where the stop has an end."""
    if stop.until_at is None:
        kind, until = VerdictKind.DENY, None
    else:
        kind, until = VerdictKind.DELAY, stop.until_at.astimezone(UTC)
    return Reason(
        rule=rule, kind=kind, code=f"stop_{stop.kind}", until=until, source=source, certainty=certainty
    )


def _obstacle(point: ContactPointFact, stops: list[StopFact]) -> Reason | None:
    if (known := _UNUSABLE.get(point.certainty)) is not None:
        return known
    if point.certainty == "suspect" and point.channel is Kind.LETTER:
        # A letter came back from there: whoever lives there now must not get the next one.
        return _RETURNED
    on_it = [
        stop
        for stop in stops
        if (stop.channel is None or stop.channel == point.channel)
        and (stop.address_key is None or stop.address_key == point.address_key)
    ]
    if on_it:
        # The one that lasts longest: an earlier end would promise too much.
        return stop_reason(max(on_it, key=_lasts), RULE)
    return None if point.available else _NOT_CONFIGURED


def _lasts(stop: StopFact) -> float:
    return float("inf") if stop.until_at is None else stop.until_at.timestamp()
