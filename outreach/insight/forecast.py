"""What a strategy comes down to for one claim: the date of every step, while nothing is paid."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from consent.calendar import civil_date, start_of, zone_of
from consent.gate import first_moment
from consent.packs import Pack
from outreach.claims.facts import ClaimFact, ToldFact
from outreach.dunning.next_step import Outlook, Stand, next_step
from outreach.dunning.strategy import Step, Strategy

OPEN = "open"
_ANY_CENTS = 100_00


@dataclass(frozen=True, slots=True)
class Planned:
    """A step with the first moment at which it is told; `at` and `on` are None while it waits for a signal."""

    step: Step
    at: datetime | None = None
    on: date | None = None


@dataclass(frozen=True, slots=True)
class Branch:
    """The steps where the answers to a call led to one of these triage words; 'open' is that nobody answered."""

    triage: tuple[str, ...]
    steps: tuple[Planned, ...]


def forecast(
    strategy: Strategy, due_on: date, pack: Pack, zone: str, interval_days: int
) -> tuple[Branch, ...]:
    """Return the steps for a claim due on a day, by branch; triage words that lead to the same are one branch.

    Nothing is paid, no hand-over fails, each step is told at its first moment on the first channel that it names
    (e-mail where that is the debtor's choice), and `interval_days` lie between two messages at least.
    """
    found: dict[tuple[tuple[str, datetime | None], ...], Branch] = {}
    for triage in _triages(strategy):
        steps = tuple(_walk(strategy, due_on, triage, pack, zone, interval_days))
        key = tuple((one.step.id, one.at) for one in steps)
        words = found[key].triage if key in found else ()
        found[key] = Branch(triage=(*words, triage), steps=steps)
    return tuple(found.values())


def _triages(strategy: Strategy) -> tuple[str, ...]:
    return tuple(dict.fromkeys((OPEN, *(route.to for step in strategy.steps for route in step.routes))))


def _walk(
    strategy: Strategy, due_on: date, triage: str, pack: Pack, zone: str, interval_days: int
) -> Iterator[Planned]:
    """Live from the due date on: ask for the next step, wait for its moment, tell it."""
    place = zone_of(zone)
    now = first_moment(due_on, zone, pack, start_of(due_on, place))
    told: tuple[ToldFact, ...] = ()
    said_on: date | None = None
    while True:
        today = civil_date(now, place)
        outlook = next_step(_claim(due_on, told), strategy, today, now, triage=triage)
        if outlook.stand is Stand.NOT_YET and outlook.on is None:
            yield from (Planned(step) for step in strategy.steps if not step.triage or triage in step.triage)
            return
        if outlook.stand is Stand.NOT_YET:
            now = _opening(outlook, zone, pack, now)
            continue
        if outlook.stand is not Stand.DUE:
            return
        step = strategy.steps[strategy.position(outlook.step)]
        if step.kind == "message":
            free_on = (
                said_on + timedelta(days=max(interval_days, step.min_interval_days)) if said_on else today
            )
            if today < free_on:
                now = first_moment(free_on, zone, pack, now)
                continue
            said_on = today
        yield Planned(step, now, today)
        told = (*told, *_told(step, triage, now, today))


def _opening(outlook: Outlook, zone: str, pack: Pack, now: datetime) -> datetime:
    """Return when a step may first be told: its day, the evidence before it complete, inside a window."""
    assert outlook.on is not None
    return first_moment(outlook.on, zone, pack, max(now, outlook.until or now))


def _told(step: Step, triage: str, now: datetime, today: date) -> tuple[ToldFact, ...]:
    """Return what is known once a step is done; in the branch where nobody answers, it was tried in vain."""
    if step.kind == "message":
        first = next((word for word in step.channels if word != "preferred"), "email")
        channel = "email" if "preferred" in step.channels[:1] else first
        return (ToldFact(step=step.id, state="accepted", at=now, on=today, channel=channel, tone=step.tone),)
    in_vain = triage == OPEN and bool(step.routes)
    fact = ToldFact(step=step.id, state="tried" if in_vain else "done", at=now, on=today, tone=step.tone)
    return (fact,) * (step.tries if in_vain else 1)


def _claim(due_on: date, told: tuple[ToldFact, ...]) -> ClaimFact:
    """Return a claim of which only the due date and what was told matter."""
    return ClaimFact(
        id=1,
        pseudonym="",
        external_id="",
        invoice_number="",
        kind="single",
        description="",
        payment_url="",
        invoice_on=due_on,
        due_on=due_on,
        currency="EUR",
        principal_cents=_ANY_CENTS,
        reduced_cents=0,
        told=told,
    )
