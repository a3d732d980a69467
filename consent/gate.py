"""The gate: whether this message may be handed over to this person now, and if not, why and until when.

Every rule of the pack is asked, the strictest answer wins, and whatever can't be told counts as no.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import msgspec

from consent.calendar import ONE_DAY, Window, start_of, zone_of
from consent.contact_points import forbids, is_active, is_narrow, usable
from consent.facts import GateFacts, Reason, StopFact, Verdict, VerdictKind
from consent.packs import Pack, Plan
from consent.rules import Asked, Case

__all__ = ["ask_one", "first_moment", "gate", "usable"]

_STRICTNESS = {kind: rank for rank, kind in enumerate(VerdictKind)}
_FAR = datetime(9000, 1, 1, tzinfo=UTC)
"""A delay beyond this has no end that anybody knows."""
_STEPS = 400
"""How often a delay is moved on between windows and stops before its end counts as unknown."""


def gate(facts: GateFacts, pack: Pack | None, now: datetime) -> Verdict:
    """Ask every rule of the pack about this message at `now`; return the strictest answer with all reasons.

    An allowing verdict holds until `good_until`; a delay tells when the message may next be allowed as far as
    is known, and None where nobody knows. Raises only for a `now` without a time zone, the caller's error.
    """
    return _judged(facts, pack, now, None)


def ask_one(predicate: str, facts: GateFacts, pack: Pack | None, now: datetime) -> Verdict:
    """Ask only the rules of one predicate, for a question that is about nothing else."""
    return _judged(facts, pack, now, predicate)


def _judged(facts: GateFacts, pack: Pack | None, now: datetime, only: str | None) -> Verdict:
    now = _in_utc(now)
    if pack is None or pack.country != facts.country:
        return _closed("pack", "no_pack")
    if facts.stops:
        stops = tuple(stop for stop in facts.stops if forbids(stop, facts.purpose))
        facts = msgspec.structs.replace(facts, stops=stops)
    try:
        case = Case.at(facts, now)
    except ValueError:
        return _closed("zone", "unknown_zone")
    asked = case.asked
    reasons, ends = _ask(pack.plan(asked, case.today, only), case)
    kind = max((reason.kind for reason in reasons), key=_STRICTNESS.__getitem__, default=VerdictKind.ALLOW)
    if kind is VerdictKind.ALLOW or kind is VerdictKind.WARN:
        tomorrow = start_of(case.today + ONE_DAY, case.zone)
        return Verdict(
            kind=VerdictKind.ALLOW, until=None, reasons=tuple(reasons), good_until=min((tomorrow, *ends))
        )
    until = None
    if kind is VerdictKind.DELAY:
        until = _until(reasons, pack.windows(asked), case)
    return Verdict(kind=kind, until=until, reasons=tuple(reasons))


def first_moment(on: date, zone: str, pack: Pack, now: datetime) -> datetime:
    """The first instant (UTC) on or after local date `on`, and not before `now`, at which a person may be reminded.

    For planning a next look. Where the pack knows no opening it is the start of the day: looking is not
    speaking, and the gate then names the gap.
    """
    place = zone_of(zone)
    earliest = max(start_of(on, place), _in_utc(now))
    return _settled(earliest, pack.windows(Asked()), (), place) or earliest


def _in_utc(now: datetime) -> datetime:
    if now.tzinfo is None:
        # astimezone would silently read it by the machine's own clock.
        raise ValueError("now must have a time zone")
    return now.astimezone(UTC)


def _closed(rule: str, code: str) -> Verdict:
    reason = Reason(rule=rule, kind=VerdictKind.GAP, code=code)
    return Verdict(kind=VerdictKind.GAP, until=None, reasons=(reason,))


def _ask(plan: Plan, case: Case) -> tuple[list[Reason], list[datetime]]:
    """The reasons of all rules, and the instants at which an allowing answer ends."""
    reasons = list(plan.beside)
    ends = []
    for rule, check in plan.checks:
        try:
            answer = check(case)
        except Exception:  # noqa: BLE001
            # The one broad except: a rule that breaks, on whatever data, must close the gate for this message
            # and leave the others alone. Its name stands in the verdict, so it can't go unseen.
            reasons.append(Reason(rule=rule, kind=VerdictKind.GAP, code="rule_error"))
            continue
        reasons.extend(answer.reasons)
        if answer.holds_until is not None:
            ends.append(answer.holds_until)
    return reasons, ends


def _until(reasons: Iterable[Reason], windows: tuple[Window, ...], case: Case) -> datetime | None:
    """The latest end of all delays, moved on past closed windows and known stops; None if one has no end."""
    latest = case.now
    for reason in reasons:
        if reason.kind is VerdictKind.DELAY:
            if reason.until is None:
                return None
            latest = max(latest, reason.until)
    return _settled(latest, windows, case.facts.stops, case.zone)


def _settled(
    at: datetime, windows: tuple[Window, ...], stops: tuple[StopFact, ...], zone: ZoneInfo
) -> datetime | None:
    """The first instant at or after `at` in every window and under no known stop; None if none is known."""
    for _ in range(_STEPS):
        moved = _past_stops(at, stops)
        for window in windows:
            if moved is None or moved >= _FAR:
                return None
            moved = window.opening(moved, zone)
        if moved is None or moved == at:
            return moved
        at = moved
    return None


def _past_stops(at: datetime, stops: tuple[StopFact, ...]) -> datetime | None:
    """When the stops on the person that hold at this instant have ended; None where one has no end."""
    for stop in stops:
        if is_active(stop, at) and not is_narrow(stop):
            if stop.until_at is None:
                return None
            at = stop.until_at.astimezone(UTC)
    return at
