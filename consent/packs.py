"""Packs: the rules that hold in a country, composed of parts, kept as bytes so that a decision can be replayed.

A pack's bytes are all its parts and its holidays in one canonical JSON text: stored as an artefact and loaded
again they give the same answers, whatever the shipped files say by then.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from hashlib import sha256
from importlib.resources import files
from types import MappingProxyType
from typing import Any

import msgspec

from consent.calendar import Calendar, CalendarFacts, Window
from consent.early_signal import Bound
from consent.effects import SOFT, heeding
from consent.facts import Reason, Struct, VerdictKind
from consent.parts import (
    ALL,
    EU,
    PackError,
    Part,
    ReadPart,
    bind,
    check_ids,
    convert,
    read_own_part,
    read_part,
    table,
)
from consent.predicates import PREDICATES, ContactWindow
from consent.rules import Asked, Check, Rule

__all__ = ["Pack", "PackError", "Plan", "packs_with", "shipped_packs", "shipped_parts"]

IN_THE_UNION = frozenset(
    {"AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU"}
    | {"IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK"}
)
NOBODY: Mapping[str, str] = MappingProxyType({})


class PackFacts(Struct, frozen=True):
    """A pack as data."""

    country: str
    parts: tuple[Part, ...]
    calendar: CalendarFacts | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be asked on one date: the rules that hold then, and what is to be said beside them.

    `beside` has a gap for each question left open, and a warning for each part whose review is overdue.
    """

    checks: tuple[tuple[str, Check], ...]
    beside: tuple[Reason, ...]


class Pack:
    """A country's rules, bound and ready to be asked. Made by `composed` or `from_bytes`, never changed."""

    def __init__(self, facts: PackFacts, data: bytes, names: tuple[str, ...]) -> None:
        self.country = facts.country
        self.parts = facts.parts
        self.rules = tuple(rule for part in facts.parts for rule in part.rules)
        check_ids(self.rules, ", ".join(dict.fromkeys(names)))
        self.bytes = data
        self.hash = sha256(data).hexdigest()
        calendar = None if facts.calendar is None else Calendar(facts.calendar)
        bound = [
            (rule, bind(rule, calendar, f"{name}: rule {rule.id}"))
            for part, name in zip(facts.parts, names, strict=True)
            for rule in part.rules
            if rule.predicate
        ]
        self._contact = tuple((rule, check) for rule, check in bound if rule.trigger == "contact")
        self._heeding = {id(rule): heeding(rule, check) for rule, check in self._contact}
        self._signal: tuple[Bound, ...] = tuple(one for one in bound if one[0].trigger == "early_signal")
        self.plan = lru_cache(maxsize=1024)(self._plan)
        self.windows = lru_cache(maxsize=256)(self._windows)

    @classmethod
    def composed(cls, country: str, read: Iterable[ReadPart], confirmed: Mapping[str, str] = NOBODY) -> Pack:
        """Put a country's parts together; `confirmed` tells by rule who stands for what nobody verified."""
        chosen = tuple(read)
        names = tuple(one.file for one in chosen)
        calendars = [one.calendar for one in chosen if one.calendar is not None]
        if len(calendars) > 1:
            files = ", ".join(names)
            raise PackError(f"{files}: calendar: named by {len(calendars)} parts, expected one at most")
        facts = PackFacts(
            country=country,
            parts=tuple(_confirmed(one.part, confirmed) for one in chosen),
            calendar=calendars[0] if calendars else None,
        )
        data = msgspec.json.encode(facts, order="deterministic")
        # Read back, so that a pack is from the first day what its kept bytes will be.
        return cls(msgspec.json.decode(data, type=PackFacts), data, names)

    @classmethod
    def from_bytes(cls, data: bytes, name: str = "pack") -> Pack:
        """Load a pack from the bytes that were kept of it; its hash is that of these bytes."""
        raw = table(data, name, msgspec.json.decode)
        facts = convert(raw if "parts" in raw else _in_parts(raw), PackFacts, name)
        return cls(facts, data, (name,) * len(facts.parts))

    def overdue(self, on: date) -> tuple[Part, ...]:
        """The parts whose review is overdue on this date."""
        return tuple(part for part in self.parts if part.is_overdue(on))

    def signal_rules(self, on: date) -> tuple[Bound, ...]:
        """The rules about an early signal that hold on this date."""
        return tuple((rule, holds) for rule, holds in self._signal if rule.valid_on(on))

    def _plan(self, asked: Asked, on: date, only: str | None = None) -> Plan:
        """The rules to ask about this on this date, or those of one predicate. Read it as `plan` (cached)."""
        valid = [
            rule
            for rule, _ in self._contact
            if only in {None, rule.predicate} and rule.valid_on(on) and rule.applies.covers(asked)
        ]
        late = (
            Reason(
                rule=part.name,
                kind=VerdictKind.WARN,
                code="review_overdue",
                source=f"{part.name} {part.version}: review by {part.review_by}",
                certainty="policy",
            )
            for part in self.overdue(on)
        )
        checks = tuple((rule.id, self._heeding[id(rule)]) for rule in valid)
        return Plan(checks, (*_gaps(valid, only), *late))

    def _windows(self, asked: Asked) -> tuple[Window, ...]:
        """The contact windows that delay such a message. Read it as `windows` (cached)."""
        return tuple(
            check.window
            for rule, check in self._contact
            if isinstance(check, ContactWindow) and rule.effect not in SOFT and rule.applies.covers(asked)
        )


def _confirmed(part: Part, confirmed: Mapping[str, str]) -> Part:
    rules = tuple(
        msgspec.structs.replace(rule, confirmed_by=confirmed[rule.id])
        if rule.certainty == "unverified" and confirmed.get(rule.id)
        else rule
        for rule in part.rules
    )
    return msgspec.structs.replace(part, rules=rules)


def _in_parts(raw: dict[str, Any]) -> dict[str, Any]:
    """A pack as it was kept before packs had parts."""
    try:
        rules = [
            {"trigger": "contact", "effect": PREDICATES[rule["predicate"]].effect, **rule}
            for rule in raw["rules"]
        ]
        country, version = raw["country"], raw["version"]
    except (KeyError, TypeError) as error:
        raise PackError(f"pack: expected parts, or country, version and rules: {error}") from error
    part = {
        "name": country.lower(),
        "region": country,
        "version": version,
        "review_by": None,
        "rules": rules,
    }
    return {"country": country, "calendar": raw.get("calendar"), "parts": [part]}


def _gaps(valid: list[Rule], only: str | None) -> Iterator[Reason]:
    """A pack that lost a rule is silent, not loose: each question that nobody asks is a gap.

    An operator's rule fills none, nor does one that does not refuse: what is added can only tighten.
    """
    whole = {rule.predicate for rule in valid if not rule.is_own and rule.effect not in SOFT}
    if not whole and only is None:
        yield Reason(rule="pack", kind=VerdictKind.GAP, code="no_rule")
        return
    for word, predicate in PREDICATES.items():
        if predicate.required and word not in whole and only in {None, word}:
            code = "no_window" if word == "contact_window" else "rule_missing"
            yield Reason(rule=word, kind=VerdictKind.GAP, code=code)


@cache
def shipped_parts() -> tuple[ReadPart, ...]:
    """The parts that come with this version of the code."""
    folder = files("consent") / "packs"
    found = sorted(
        (file for file in folder.iterdir() if file.name.endswith(".toml")), key=lambda one: one.name
    )
    return tuple(read_part(file.read_bytes(), file.name) for file in found)


@cache
def shipped_packs() -> Mapping[str, Pack]:
    """The packs that come with this version of the code, by country."""
    return packs_with(None)


def packs_with(
    own: bytes | None, file: str = "own rules", confirmed: Mapping[str, str] = NOBODY
) -> Mapping[str, Pack]:
    """The packs by country: the shipped parts, tightened by an operator's own file, with what people confirmed."""
    added = () if own is None else (read_own_part(own, file),)
    parts = (*shipped_parts(), *added)
    _check_confirmed(parts, confirmed)
    countries = sorted({one.part.region for one in shipped_parts()} - {ALL, EU})
    for one in added:
        if one.part.region not in {ALL, EU, *countries}:
            raise PackError(
                f"{file}: region: {one.part.region!r} has no rules, expected ALL, EU or a country"
            )
    return MappingProxyType(
        {country: Pack.composed(country, _parts_of(country, parts), confirmed) for country in countries}
    )


def _parts_of(country: str, parts: Iterable[ReadPart]) -> Iterator[ReadPart]:
    """The country's own parts first, then those of the Union, then what holds everywhere, then the operator's."""
    places = [country, EU, ALL] if country in IN_THE_UNION else [country, ALL]
    found = [one for one in parts if one.part.region in places]
    return iter(sorted(found, key=lambda one: (_is_own(one.part), places.index(one.part.region))))


def _is_own(part: Part) -> bool:
    return any(rule.is_own for rule in part.rules)


def _check_confirmed(parts: Iterable[ReadPart], confirmed: Mapping[str, str]) -> None:
    doubtful = {rule.id for one in parts for rule in one.part.rules if rule.certainty == "unverified"}
    for rule_id, who in confirmed.items():
        if rule_id not in doubtful:
            raise PackError(
                f"confirmed: rule {rule_id}: expected the id of a rule whose certainty is unverified"
            )
        if not who.strip():
            raise PackError(f"confirmed: rule {rule_id}: expected the name of the person who confirms it")
