"""The run of a claim, or of one contract's recurring claims, along the version of a strategy it started with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime

import msgspec

from outreach.claims.amounts import is_held, open_cents
from outreach.claims.facts import ClaimFact, ToldFact
from outreach.dunning.next_step import Outlook, Stand, next_step
from outreach.dunning.strategy import Strategy

RECURRING = "recurring"


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What the trajectories of a dossier are decided by: the version in force, and every other one they run on."""

    in_force: str
    strategies: Mapping[str, Strategy]
    triage: str = "open"
    notice_days: int = 0
    moved_at: datetime | None = None
    one_contract: bool = False


def outlooks(claims: Sequence[ClaimFact], terms: Terms, today: date, now: datetime) -> tuple[Outlook, ...]:
    """Return where each claim stands, in their order; a contract's recurring claims stand together."""
    found = {}
    for group in _trajectories(claims, terms):
        for outlook in _run(group, terms, today, now):
            found[outlook.claim_id] = outlook
    return tuple(found[claim.id] for claim in claims)


def version_of(told: Iterable[ToldFact], terms: Terms) -> str:
    """Return the hash of the version that a trajectory runs on: the one it was last told by, unless it was moved."""
    since = [fact for fact in told if fact.strategy and (terms.moved_at is None or fact.at >= terms.moved_at)]
    running = max(since, key=lambda fact: fact.at).strategy if since else terms.in_force
    return running if running in terms.strategies else terms.in_force


def _trajectories(claims: Sequence[ClaimFact], terms: Terms) -> list[list[ClaimFact]]:
    recurring = [claim for claim in claims if terms.one_contract and claim.kind == RECURRING]
    singles = [[claim] for claim in claims if not (terms.one_contract and claim.kind == RECURRING)]
    return [*singles, recurring] if recurring else singles


def _run(group: Sequence[ClaimFact], terms: Terms, today: date, now: datetime) -> list[Outlook]:
    told = _history([claim for claim in group if not is_held(claim)] or group)
    version = version_of(told, terms)
    strategy = terms.strategies[version]

    def outlook(claim: ClaimFact) -> Outlook:
        found = next_step(claim, strategy, today, now, triage=terms.triage, notice_days=terms.notice_days)
        return msgspec.structs.replace(found, version=version) if found.stand is Stand.DUE else found

    if len(group) == 1:
        return [outlook(group[0])]
    # What was told of one month was told of the contract: a younger month joins where the oldest stands. What is
    # held, such as the months of an arrangement, waits apart: the others are no further on because of it.
    own = {claim.id: outlook(claim) for claim in group}
    shared = [msgspec.structs.replace(claim, told=told) for claim in group]
    moving = [claim for claim in shared if own[claim.id].stand not in {Stand.SETTLED, Stand.HELD}]
    if not told or not moving:
        return list(own.values())
    lead = outlook(min(moving, key=lambda claim: (claim.due_on, claim.id)))
    return [
        own[claim.id]
        if own[claim.id].stand in {Stand.SETTLED, Stand.HELD}
        else _joined(claim, own[claim.id], lead, today)
        for claim in group
    ]


def _joined(claim: ClaimFact, own: Outlook, lead: Outlook, today: date) -> Outlook:
    """Return a claim's stand in the trajectory that it joins; one that is not overdue yet waits for its own day."""
    if today > claim.due_on:
        code = "trajectory_ended" if lead.stand is Stand.FINISHED and not own.again else ""
        return msgspec.structs.replace(lead, claim_id=claim.id, overdue=True, code=code, again=own.again)
    if own.step == "notice" and own.stand in {Stand.DUE, Stand.NOT_YET}:
        return own
    on = max(lead.on or claim.due_on, claim.due_on)
    return Outlook(claim_id=claim.id, stand=Stand.NOT_YET, step=lead.step or own.step, on=on)


def _history(group: Sequence[ClaimFact]) -> tuple[ToldFact, ...]:
    """Return what was told of any open claim of a trajectory, each step once, as last told."""
    latest: dict[tuple[str, object], ToldFact] = {}
    for claim in group:
        if open_cents(claim) <= 0:
            continue
        for fact in claim.told:
            key = (fact.step, fact.at if fact.state == "tried" else None)
            if key not in latest or latest[key].at < fact.at:
                latest[key] = fact
    return tuple(sorted(latest.values(), key=lambda fact: fact.at))
