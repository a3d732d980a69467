"""Questions about money and terms, asked by other systems as plain values: `answer` never raises.

Each ask has a shape. What does not fit it is answered with an error that names the field and what was expected.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from difflib import get_close_matches
from types import MappingProxyType
from typing import Annotated, Any, Literal, TypeVar

import msgspec

from outreach.claims import references
from outreach.claims.collection_costs import Collector, Debtor, Demand, costs
from outreach.claims.facts import Struct
from outreach.claims.interest import Line, accrue, starting
from outreach.claims.payment_term import belgian_term, dutch_term, taken_to_arrive_on, usual_transit_days
from outreach.claims.rates import Kind, rate_table
from outreach.claims.rules import AmountRefused

S = TypeVar("S", bound=msgspec.Struct)
Ask = Callable[[Mapping[str, Any]], dict[str, Any]]
Amount = Annotated[str, msgspec.Meta(pattern=r"\A-?[0-9]{1,12}(\.[0-9]{2})?\Z")]
Country = Literal["NL", "BE"]

_YEARS = range(1990, 2200)

EXPECTED: Mapping[str, str] = MappingProxyType(
    {
        "country": "NL or BE",
        "debtor": "consumer or business",
        "principals": 'a list of one or more amounts as text, like ["100.00", "150.00"]',
        "outsourced": "true or false",
        "creditor_deducts_vat": "true or false",
        "vat_declared": "true or false",
        "kind": "consumer or commercial",
        "principal": 'an amount as text, zero or more, like "1000.00"',
        "channel": "letter or email",
        "transit_days": "a whole number of days from 0 to 60, or null",
        "number": 'digits as text, like "1"',
        "text": "a text",
    }
)
"""What each field is to be; a field whose name ends in `on` is a date."""


class BadRequest(ValueError):
    """A question that cannot be read: the message names the field and what was expected."""


class CostsAsk(Struct, frozen=True):
    """What may be asked at most for claims that are demanded together; `vat_declared` as the law asks it."""

    country: Country
    debtor: Debtor
    principals: Annotated[tuple[Amount, ...], msgspec.Meta(min_length=1)]
    on: date
    outsourced: bool = False
    creditor_deducts_vat: bool = True
    vat_declared: bool = True


class InterestAsk(Struct, frozen=True):
    """Statutory interest over a half-open period."""

    country: Country
    kind: Kind
    principal: Amount
    from_on: date
    to_on: date


class PaymentTermAsk(Struct, frozen=True):
    """The term that a written demand gives."""

    country: Country
    sent_on: date
    channel: Literal["letter", "email"]
    transit_days: Annotated[int, msgspec.Meta(ge=0, le=60)] | None = None
    received_on: date | None = None


class PaymentReferenceAsk(Struct, frozen=True):
    """A payment reference for a number."""

    country: Country
    number: str


class CheckPaymentReferenceAsk(Struct, frozen=True):
    """What a payment reference is, and whether it is right."""

    text: str


def answer(request: Mapping[str, Any], asks: Mapping[str, Ask] | None = None) -> dict[str, Any]:
    """Return the answer to one question, with its `id`; what cannot be answered has an `error` instead."""
    known = ASKS if asks is None else asks
    if not isinstance(request, Mapping):
        return {"id": None, "error": 'the line: expected an object, like {"id": 1, "ask": "costs"}'}
    identity = {"id": request.get("id")}
    ask = request.get("ask")
    if not isinstance(ask, str) or ask not in known:
        return identity | {"error": f"ask: expected one of {', '.join(sorted(known))}"}
    try:
        return identity | known[ask](request)
    except (BadRequest, AmountRefused) as error:
        return identity | {"error": str(error)}


def read(request: Mapping[str, Any], shape: type[S]) -> S:
    """Return a request in its shape. Raises BadRequest naming the field and what was expected of it.

    Fields that nobody knows are left alone, unless one looks like a field that was left out: a typing error must not
    take a default.
    """
    fields = shape.__struct_fields__
    for name in request:
        near = get_close_matches(str(name), fields, n=1, cutoff=0.8)
        if near and name not in fields and near[0] not in request:
            raise BadRequest(f"{name}: not known, expected {near[0]}")
    try:
        found = msgspec.convert({name: request[name] for name in fields if name in request}, shape)
    except msgspec.ValidationError as error:
        name = _field(str(error))
        raise BadRequest(f"{name}: expected {_expected(name)}") from error
    for name in fields:
        value = getattr(found, name)
        if isinstance(value, date) and value.year not in _YEARS:
            raise BadRequest(f"{name}: expected a date from {_YEARS[0]} to {_YEARS[-1]}")
    return found


def money(cents: int) -> str:
    """Return cents as text with two decimals."""
    return f"{'-' if cents < 0 else ''}{abs(cents) // 100}.{abs(cents) % 100:02d}"


def _costs(request: Mapping[str, Any]) -> dict[str, Any]:
    """Answer what may be asked at most; whether the moment for it has come is another question."""
    ask = read(request, CostsAsk)
    demand = Demand(
        country=ask.country,
        debtor=ask.debtor,
        principals_cents=tuple(_cents(text) for text in ask.principals),
        on=ask.on,
        collector=Collector(
            outsourced=ask.outsourced,
            creditor_deducts_vat=ask.creditor_deducts_vat,
            vat_declared=ask.vat_declared,
        ),
        has_clause=True,
    )
    found = costs(demand)
    result: dict[str, Any] = {
        "costs": money(found.costs_cents),
        "vat": money(found.vat_cents),
        "total": money(found.total_cents),
        "rules": list(found.cited.rules),
    }
    return result | _unverified(found.cited.unverified)


def _interest(request: Mapping[str, Any]) -> dict[str, Any]:
    ask = read(request, InterestAsk)
    principal = _cents(ask.principal)
    if principal < 0:
        raise BadRequest(f"principal: expected {EXPECTED['principal']}")
    if ask.to_on < ask.from_on:
        raise BadRequest("to_on: expected a date on or after from_on")
    found = accrue(starting(principal, ask.from_on), ask.to_on, rate_table(ask.country, ask.kind))
    result: dict[str, Any] = {
        "interest": money(found.cents),
        "lines": [_line(line) for line in found.lines],
        "rules": list(found.cited.rules),
    }
    return result | _unverified(found.cited.unverified)


def _line(line: Line) -> dict[str, Any]:
    return {
        "from_on": line.from_on.isoformat(),
        "to_on": line.to_on.isoformat(),
        "days": line.days,
        "base": money(line.base_cents),
        "rate": line.percent,
        "interest": money(line.cents),
    }


def _payment_term(request: Mapping[str, Any]) -> dict[str, Any]:
    ask = read(request, PaymentTermAsk)
    if ask.received_on is not None and ask.received_on < ask.sent_on:
        raise BadRequest("received_on: expected a date on or after sent_on, or null")
    if ask.country == "BE":
        term, received_on = belgian_term(ask.sent_on, electronic=ask.channel == "email"), ask.received_on
    else:
        received_on = ask.received_on or _arrives_on(ask)
        term = dutch_term(received_on)
    return {
        "received_on": None if received_on is None else received_on.isoformat(),
        "first_day_on": term.first_day_on.isoformat(),
        "last_day_on": term.last_day_on.isoformat(),
        "costs_from_on": term.costs_from_on.isoformat(),
    }


def _arrives_on(ask: PaymentTermAsk) -> date:
    """Mail arrives on the day it is sent, a letter by the post."""
    if ask.channel == "email":
        return ask.sent_on
    days = usual_transit_days() if ask.transit_days is None else ask.transit_days
    return taken_to_arrive_on(ask.sent_on, days)


def _payment_reference(request: Mapping[str, Any]) -> dict[str, Any]:
    ask = read(request, PaymentReferenceAsk)
    make = references.dutch_reference if ask.country == "NL" else references.belgian_reference
    try:
        return {"reference": make(ask.number)}
    except ValueError as error:
        raise BadRequest(f"number: {error}") from error


def _check_payment_reference(request: Mapping[str, Any]) -> dict[str, Any]:
    found = references.check_reference(read(request, CheckPaymentReferenceAsk).text)
    return {"valid": found.valid, "scheme": found.scheme}


ASKS: Mapping[str, Ask] = MappingProxyType(
    {
        "costs": _costs,
        "interest": _interest,
        "payment_term": _payment_term,
        "payment_reference": _payment_reference,
        "check_payment_reference": _check_payment_reference,
    }
)
"""What can be asked, by its word."""


def _unverified(names: tuple[str, ...]) -> dict[str, Any]:
    return {"unverified": list(names)} if names else {}


def _cents(text: str) -> int:
    """Return an amount in whole cents; the shape has seen to it that it is one."""
    whole, _, part = text.lstrip("-").partition(".")
    cents = int(whole) * 100 + int(part or "0")
    return -cents if text.startswith("-") else cents


def _field(message: str) -> str:
    """Return the field that a message of the decoder is about."""
    if missing := re.search(r"missing required field `(\w+)`", message):
        return missing[1]
    path = re.search(r"at `\$\.(\w+(?:\[\d*\.*\])*)", message)
    return path[1] if path else "the line"


def _expected(name: str) -> str:
    root = name.partition("[")[0]
    if root in EXPECTED:
        return EXPECTED[root]
    return "a date like 2026-03-01" + (", or null" if root == "received_on" else "")
