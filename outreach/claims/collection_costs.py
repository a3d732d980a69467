"""Extrajudicial collection costs: what may be asked at most over claims that are demanded together.

Whether they may be asked already is another question: of a consumer in the Netherlands only after a fourteen-day
letter (`fourteen_days`), in Belgium only after the term of the first reminder (`payment_term`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from typing import Literal

from msgspec import structs

from outreach.claims.facts import Struct
from outreach.claims.payment_term import months_before
from outreach.claims.rules import Cited, cite, in_force, rule_on

Debtor = Literal["consumer", "business"]
_UNIT = 10_000
"""Basis points in one."""


class Registration(StrEnum):
    """Where who collects stands in the register of collection agencies."""

    NOT_NEEDED = "not_needed"
    """Own claims, or a lawyer or bailiff."""
    ACTIVE = "active"
    SUSPENDED = "suspended"
    LAPSED = "lapsed"
    NONE = "none"


class Collector(Struct, frozen=True):
    """Who collects for whom: what decides whether costs may be asked at all, and whether VAT comes on top.

    `vat_declared`: the demand says both that the creditor cannot deduct the VAT and that the costs were raised by it.
    """

    registration: Registration = Registration.NOT_NEEDED
    outsourced: bool = False
    creditor_deducts_vat: bool = True
    vat_declared: bool = False


class Demand(Struct, frozen=True):
    """Claims of one creditor that are demanded together on a day; `principals_cents` is what is unpaid of each.

    `natural_person` also for a sole trader. `tainted`: an agency outside the register once demanded this claim.
    `has_clause`: the contract has a damages clause, without which nothing may be asked in Belgium.
    """

    country: Literal["NL", "BE"]
    debtor: Debtor
    principals_cents: tuple[int, ...]
    on: date
    collector: Collector = Collector()
    natural_person: bool = True
    tainted: bool = False
    consumer_credit: bool = False
    has_clause: bool = False


class Costs(Struct, frozen=True):
    """What may be asked, and by which rules. `refused` is the word for why there is nothing.

    `taints`: nobody may ever ask costs for these claims again. `review`: a person looks at it before it is asked.
    """

    costs_cents: int = 0
    vat_cents: int = 0
    cited: Cited = Cited()
    refused: str = ""
    taints: bool = False
    review: bool = False

    @property
    def total_cents(self) -> int:
        """Costs and VAT."""
        return self.costs_cents + self.vat_cents


class EarlierNotice(Struct, frozen=True):
    """A notice for an instalment of the same legal relationship: what is still unpaid of it, and what it cost."""

    on: date
    unpaid_cents: int
    costs_cents: int


class _Slice(Struct, frozen=True):
    rate_bp: int
    up_to_cents: int | None = None


class _Scale(Struct, frozen=True):
    minimum_cents: int
    maximum_cents: int
    slices: tuple[_Slice, ...]


class _Band(Struct, frozen=True):
    above_cents: int
    base_cents: int
    rate_bp: int


class _Caps(Struct, frozen=True):
    maximum_cents: int
    bands: tuple[_Band, ...]


def scale_cents(principal_cents: int, on: date) -> int:
    """Return the costs by the Dutch scale (staffel) over a principal; none where nothing is owed."""
    scale = rule_on("NL-BIK-001", on).read(_Scale)
    if principal_cents <= 0:
        return 0
    points, below = 0, 0
    for part in scale.slices:
        top = principal_cents if part.up_to_cents is None else min(principal_cents, part.up_to_cents)
        points += max(0, top - below) * part.rate_bp
        below = max(below, top)
    return min(max(_cents(points), scale.minimum_cents), scale.maximum_cents)


def belgian_cap_cents(balance_cents: int, on: date) -> int:
    """Return the most that a lump sum may be in Belgium over what a consumer owes."""
    caps = rule_on("BE-XIX-006", on).read(_Caps)
    if balance_cents <= 0:
        return 0
    band = [band for band in caps.bands if band.above_cents < balance_cents][-1]
    lump = band.base_cents + _cents((balance_cents - band.above_cents) * band.rate_bp)
    return min(lump, caps.maximum_cents)


def costs(demand: Demand) -> Costs:
    """Return what may be asked at most for these claims. Raises AmountRefused where the rules do not say."""
    if demand.country == "BE":
        return _belgian(demand)
    if refusal := _refused(demand):
        return refusal
    principal = sum(demand.principals_cents)
    found = scale_cents(principal, demand.on)
    if demand.debtor == "consumer":
        cited = cite("NL-BIK-001")
        if len(demand.principals_cents) > 1:
            rule_on("NL-BIK-005", demand.on)
            cited = cited.and_also(cite("NL-BIK-005"))
    else:
        # Several claims are added here too: 40 euro for each (EU-LPD-002) waits until somebody confirms it.
        rule_on("NL-BIK-002", demand.on)
        cited = cite("NL-BIK-002", "EU-LPD-001")
    if found == 0:
        return Costs(cited=cited, refused="nothing_owed")
    return with_vat(found, demand.collector, demand.on, cited)


def with_vat(costs_cents: int, collector: Collector, on: date, cited: Cited) -> Costs:
    """Return costs with VAT where that is bought from another, cannot be deducted, and is declared as the law asks."""
    vat_bp: int = rule_on("NL-BIK-003", on).params["vat_bp"]
    adds = collector.outsourced and not collector.creditor_deducts_vat and collector.vat_declared
    vat = _cents(costs_cents * vat_bp) if adds else 0
    return Costs(costs_cents=costs_cents, vat_cents=vat, cited=cited.and_also(cite("NL-BIK-003")))


def without_notice(demand: Demand) -> Costs:
    """Return what a business owes from the day after the last day of payment, before any notice; consumers nothing."""
    if refusal := _refused(demand):
        return refusal
    if demand.debtor != "business":
        return Costs(cited=cite("NL-14D-001"), refused="no_notice")
    owed = any(cents > 0 for cents in demand.principals_cents)
    cited = cite("NL-BIK-002", "EU-LPD-001") if demand.country == "NL" else cite("EU-LPD-001")
    fixed: int = rule_on(cited.rules[0], demand.on).params["without_notice_cents"]
    return Costs(costs_cents=fixed if owed else 0, cited=cited, refused="" if owed else "nothing_owed")


def instalment_costs(demand: Demand, earlier: Sequence[EarlierNotice]) -> Costs:
    """Return the costs of a notice for small instalments of one legal relationship, each at the lowest fee.

    Notices of the six months before count: together they cost no more than the scale over all that is unpaid, nor
    than one lowest fee. A cap by a careful reading; a person looks before it is asked. An instalment that costs more
    than the lowest fee by itself raises ValueError: the plain rule holds for that one.
    """
    lowest = rule_on("NL-BIK-001", demand.on).read(_Scale).minimum_cents
    if any(scale_cents(cents, demand.on) > lowest for cents in demand.principals_cents):
        raise ValueError("expected instalments that each cost the lowest fee")
    plain = costs(demand)
    if plain.refused or demand.debtor != "consumer" or not in_force("NL-BIK-006", demand.on):
        return plain
    since_on = months_before(demand.on, rule_on("NL-BIK-006", demand.on).params["months"])
    window = [notice for notice in earlier if since_on <= notice.on < demand.on]
    unpaid = sum(demand.principals_cents) + sum(notice.unpaid_cents for notice in window)
    cap = instalment_cap_cents(unpaid, sum(notice.costs_cents for notice in window), demand.on)
    found = with_vat(cap, demand.collector, demand.on, cite("NL-BIK-001", "NL-BIK-006"))
    return structs.replace(found, refused="" if cap else "window_used", review=True)


def instalment_cap_cents(unpaid_cents: int, charged_cents: int, on: date) -> int:
    """Return what may still be asked where this much is unpaid, and this much was asked, in the six months."""
    lowest = rule_on("NL-BIK-001", on).read(_Scale).minimum_cents
    return max(0, min(scale_cents(unpaid_cents, on), lowest) - charged_cents)


def belgian_reminder_cents(count: int, in_year: int, recurring: bool, postage_cents: int, on: date) -> int:
    """Return the most that a reminder may cost in Belgium: the first, and some of a recurring supply, are free.

    `count` and `in_year` number this reminder from one: for this debt, and in this calendar year.
    """
    fee: int = rule_on("BE-XIX-004", on).params["fee_cents"]
    free: int = rule_on("BE-XIX-005", on).params["free"]
    return 0 if count <= 1 or (recurring and in_year <= free) else fee + postage_cents


def _refused(demand: Demand) -> Costs | None:
    """Return why there are no costs at all, whatever is owed; None where there may be."""
    if demand.country != "NL":
        return None
    outside = demand.collector.registration not in (Registration.NOT_NEEDED, Registration.ACTIVE)
    if demand.tainted:
        return Costs(cited=cite("NL-BIK-007"), refused="tainted", taints=True)
    protected = demand.debtor == "consumer" or demand.natural_person
    if outside and protected and in_force("NL-BIK-007", demand.on):
        return Costs(cited=cite("NL-BIK-007"), refused="not_registered", taints=True)
    if demand.consumer_credit and demand.debtor == "consumer":
        return Costs(cited=cite("NL-BIK-009"), refused="consumer_credit")
    return None


def _belgian(demand: Demand) -> Costs:
    """Businesses owe the fixed sum; consumers at most the cap, of the whole balance or of each debt: the lower."""
    if demand.debtor == "business":
        return without_notice(demand)
    cited = cite("BE-XIX-006", "BE-XIX-008")
    if not demand.has_clause:
        return Costs(cited=cited, refused="no_clause")
    each = sum(belgian_cap_cents(cents, demand.on) for cents in demand.principals_cents)
    found = min(each, belgian_cap_cents(sum(demand.principals_cents), demand.on))
    return Costs(costs_cents=found, cited=cited, refused="" if found else "nothing_owed")


def _cents(points: int) -> int:
    """Return whole cents from cents times basis points, half a cent up."""
    return (2 * points + _UNIT) // (2 * _UNIT)
