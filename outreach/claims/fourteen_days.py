"""The fourteen-day letter (veertiendagenbrief): where it stands by the evidence, and the costs it leads to.

Costs rest on receipt. So nothing here is decided once: each look reads the letter, what is known of its delivery and
what was paid, and a bounce, a return or a credit that comes to light later takes the costs back.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from enum import StrEnum
from typing import Literal

from msgspec import structs

from outreach.claims.collection_costs import Collector, Costs, Demand, costs
from outreach.claims.facts import Struct
from outreach.claims.payment_term import Term, dutch_term, taken_to_arrive_on, usual_transit_days
from outreach.claims.rules import Cited, cite

POSTED_CHANNELS = frozenset({"letter", "registered_letter", "bailiff"})
MAIL_CHANNELS = frozenset({"email", "registered_email"})
"""By any other channel, as SMS or a page behind a link, the letter counts for nothing."""


class Proof(StrEnum):
    """What is known of a delivery, from weak to strong, and what undoes it."""

    ACCEPTED = "accepted"
    """A relay took the mail: no proof that it came."""
    POSTED = "posted"
    """Handed to the post, with proof of that."""
    DELIVERED = "delivered"
    """A report from the addressee's own server, or from the post."""
    TRACKED = "tracked"
    REGISTERED = "registered"
    ACKNOWLEDGED = "acknowledged"
    """The debtor showed that they have it."""
    HANDED_OVER = "handed_over"
    BOUNCED = "bounced"
    RETURNED = "returned"
    WRONG_ADDRESS = "wrong_address"


FAILED = frozenset({Proof.BOUNCED, Proof.RETURNED, Proof.WRONG_ADDRESS})
RECEIVED = frozenset(
    {Proof.DELIVERED, Proof.TRACKED, Proof.REGISTERED, Proof.ACKNOWLEDGED, Proof.HANDED_OVER}
)


class State(StrEnum):
    """Where a letter stands on a day."""

    COMPOSED = "composed"
    SENT = "sent"
    """Gone, and not proved to have come: no term runs."""
    RECEIVED = "received"
    """Came today; the term begins tomorrow."""
    RUNNING = "running"
    LAPSED = "lapsed"
    """The term is over and something is unpaid: costs may be asked."""
    PAID = "paid"
    VOID = "void"


class Named(Struct, frozen=True):
    """A claim in the letter, with what it said was open; a claim that falls due later is not in it."""

    claim_id: int
    open_cents: int
    in_default_from_on: date | None


class Letter(Struct, frozen=True):
    """What was announced. `cap_cents` is the most that small instalments could cost, where the claims are those."""

    claims: tuple[Named, ...]
    announced_cents: int
    announced_vat_cents: int = 0
    channel: str = "letter"
    sent_on: date | None = None
    transit_days: int | None = None
    collector: Collector = Collector()
    cap_cents: int | None = None


class Evidence(Struct, frozen=True):
    """Something known of the delivery, and the civil day on which it happened."""

    proof: Proof
    on: date


class Reduction(Struct, frozen=True):
    """What takes cents off a claim, by the day for which it counts; a reversal has cents below zero.

    Only what the letter did not take into account yet: its sums are what was open without these.
    """

    claim_id: int
    cents: int
    value_on: date
    kind: Literal["payment", "credit"] = "payment"


class Override(Struct, frozen=True):
    """A person's finding that the letter counts as received though it came back: the debtor's own act caused that."""

    by: str
    why: str
    on: date
    received_on: date

    def __post_init__(self) -> None:
        """Refuse a finding without a name or a reason: it is never automatic."""
        if not (self.by.strip() and self.why.strip()):
            raise ValueError("by, why: expected who found this, and what it rests on")


class History(Struct, frozen=True):
    """What happened to a letter and its claims, as known now."""

    evidence: tuple[Evidence, ...] = ()
    reductions: tuple[Reduction, ...] = ()
    overrides: tuple[Override, ...] = ()


class Standing(Struct, frozen=True):
    """Where a letter stands; `why` has the words for why it is void. Without a term nothing runs."""

    state: State
    cited: Cited
    term: Term | None = None
    why: tuple[str, ...] = ()


def standing(letter: Letter, history: History, on: date) -> Standing:
    """Return where the letter stands on a day. Raises AmountRefused where the costs' rules are not known."""
    if letter.sent_on is None:
        return Standing(state=State.COMPOSED, cited=cite("NL-14D-001"))
    if void := (*_not_valid(letter, history, letter.sent_on), *_failed(history, on)):
        cited = cite("NL-14D-001", *(dict.fromkeys(_RULES_OF[word] for word in void)))
        return Standing(state=State.VOID, cited=cited, why=void)
    cited = cite("NL-14D-001", "NL-14D-007")
    received_on = _received_on(letter, history, on)
    if received_on is None or on < received_on:
        return Standing(state=State.SENT, cited=cited)
    term = dutch_term(received_on)
    if letter.channel in POSTED_CHANNELS:
        cited = cited.and_also(cite("NL-14D-009"))
    return Standing(state=_state(letter, history, term, on), cited=cited.and_also(term.cited), term=term)


def fee(letter: Letter, history: History, on: date, *, collector: Collector, tainted: bool = False) -> Costs:
    """Return the costs that may be asked on a day because of this letter: none unless its term passed in vain.

    At most what was announced, and what the scale gives over what was unpaid when the term ended. `collector` and
    `tainted` are as they are on that day.
    """
    found = standing(letter, history, on)
    if found.state is not State.LAPSED or found.term is None:
        return Costs(cited=found.cited, refused=f"letter_{found.state}")
    unpaid = _unpaid(letter, history, found.term.last_day_on)
    lawful = _lawful(letter, unpaid, on, collector, tainted=tainted)
    cited = found.cited.and_also(lawful.cited).and_also(cite("NL-BIK-008", "NL-14D-011"))
    return structs.replace(
        lawful,
        costs_cents=min(letter.announced_cents, lawful.costs_cents),
        vat_cents=min(letter.announced_vat_cents, lawful.vat_cents),
        cited=cited,
    )


_RULES_OF = {
    "channel": "NL-14D-007",
    "before_default": "NL-14D-002",
    "sum_too_high": "NL-14D-006",
    "costs_too_high": "NL-14D-006",
    Proof.BOUNCED: "NL-14D-008",
    Proof.RETURNED: "NL-14D-008",
    Proof.WRONG_ADDRESS: "NL-14D-008",
}


def _not_valid(letter: Letter, history: History, sent_on: date) -> Iterable[str]:
    """Say what makes the letter void whatever comes after: nobody may overrule these."""
    if letter.channel not in POSTED_CHANNELS | MAIL_CHANNELS:
        yield "channel"
    if any(claim.in_default_from_on is None or sent_on < claim.in_default_from_on for claim in letter.claims):
        yield "before_default"
    # What counts for an earlier day was not open when the letter went, and neither is what was credited that day.
    too_high = [
        one
        for one in history.reductions
        if one.value_on < sent_on or (one.kind == "credit" and one.value_on == sent_on)
    ]
    if any(cents < claim.open_cents for claim, cents in _left(letter, too_high)):
        yield "sum_too_high"
    open_then = tuple(cents for _, cents in _left(letter, too_high))
    lawful = _lawful(letter, open_then, sent_on, letter.collector)
    if letter.announced_cents > lawful.costs_cents or letter.announced_vat_cents > lawful.vat_cents:
        yield "costs_too_high"


def _failed(history: History, on: date) -> Iterable[str]:
    """Return the deliveries that failed, unless a person found afterwards that they count."""
    overruled = max((one.on for one in history.overrides if one.on <= on), default=date.min)
    failures = (one.proof for one in history.evidence if one.proof in FAILED and overruled < one.on <= on)
    return tuple(dict.fromkeys(failures))


def _received_on(letter: Letter, history: History, on: date) -> date | None:
    """Return the day of receipt: as proved, else as the post is taken to come; None where neither is known."""
    assert letter.sent_on is not None
    known = [one for one in history.evidence if one.on <= on]
    proved = [one.on for one in known if one.proof in RECEIVED]
    found = [max(letter.sent_on, min(proved))] if proved else []
    if not proved and letter.channel in POSTED_CHANNELS:
        days = usual_transit_days() if letter.transit_days is None else letter.transit_days
        posted = [max(letter.sent_on, one.on) for one in known if one.proof is Proof.POSTED]
        found = [taken_to_arrive_on(min(posted), days)] if posted else []
    found += [one.received_on for one in history.overrides if one.on <= on]
    return max(found, default=None)


def _state(letter: Letter, history: History, term: Term, on: date) -> State:
    if not any(_unpaid(letter, history, min(on, term.last_day_on))):
        return State.PAID
    if on < term.first_day_on:
        return State.RECEIVED
    return State.RUNNING if on <= term.last_day_on else State.LAPSED


def _unpaid(letter: Letter, history: History, until_on: date) -> tuple[int, ...]:
    """Return what is unpaid of each claim in the letter at the end of a day, none below zero."""
    counted = [one for one in history.reductions if one.value_on <= until_on]
    return tuple(max(0, cents) for _, cents in _left(letter, counted))


def _left(letter: Letter, reductions: list[Reduction]) -> list[tuple[Named, int]]:
    return [
        (claim, claim.open_cents - sum(one.cents for one in reductions if one.claim_id == claim.claim_id))
        for claim in letter.claims
    ]


def _lawful(
    letter: Letter, unpaid: tuple[int, ...], on: date, collector: Collector, *, tainted: bool = False
) -> Costs:
    """Return the costs over what is unpaid, with the cap that small instalments had when the letter was composed."""
    owed = tuple(cents for cents in unpaid if cents > 0)
    demand = Demand(
        country="NL", debtor="consumer", principals_cents=owed, on=on, collector=collector, tainted=tainted
    )
    found = costs(demand)
    if letter.cap_cents is None or found.costs_cents <= letter.cap_cents:
        return found
    vat = found.vat_cents * letter.cap_cents // found.costs_cents
    cited = found.cited.and_also(cite("NL-BIK-006"))
    return structs.replace(found, costs_cents=letter.cap_cents, vat_cents=vat, cited=cited, review=True)
