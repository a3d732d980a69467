"""Packs: a country's rules as data, checked when loaded, kept as bytes so that a decision can be replayed.

A pack's bytes are its rules and its holidays in one canonical JSON text: stored as an artefact and loaded
again they give the same answers, whatever the shipped files say by then.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from hashlib import sha256
from importlib.resources import files
from itertools import combinations
from types import MappingProxyType
from typing import Annotated, Any, TypeVar

import msgspec

from consent.calendar import Calendar, CalendarFacts, Window, shipped_calendar
from consent.facts import Reason, Struct, VerdictKind
from consent.predicates import PREDICATES, ContactWindow
from consent.rules import Check, Rule

T = TypeVar("T")


class PackError(ValueError):
    """A pack that can't be trusted: names the file, the rule, the field and what was expected."""


class PackFacts(Struct, frozen=True):
    """A pack as data. `rules` are checked one by one, so that an error can name its rule."""

    country: Annotated[str, msgspec.Meta(pattern="^[A-Z]{2}$")]
    version: Annotated[str, msgspec.Meta(min_length=1)]
    rules: list[dict[str, Any]]
    calendar: CalendarFacts | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be asked on one date: the rules that hold then, and a gap for each question left open."""

    checks: tuple[tuple[str, Check], ...]
    gaps: tuple[Reason, ...]


class Pack:
    """A country's rules, bound and ready to be asked. Made by `from_toml` or `from_bytes`, never changed."""

    def __init__(self, facts: PackFacts, rules: tuple[Rule, ...], data: bytes, file: str) -> None:
        self.country = facts.country
        self.version = facts.version
        self.rules = rules
        self.bytes = data
        self.hash = sha256(data).hexdigest()
        calendar = None if facts.calendar is None else Calendar(facts.calendar)
        self._bound = tuple((rule, _bind(rule, calendar, file)) for rule in rules)
        self.plan = lru_cache(maxsize=1024)(self._plan)
        self.windows = lru_cache(maxsize=256)(self._windows)

    @classmethod
    def from_toml(cls, data: bytes, file: str) -> Pack:
        """Read a pack as people write it; its calendar is named and taken from the shipped ones."""
        raw = _table(data, file, msgspec.toml.decode)
        name = raw.get("calendar")
        if name is not None:
            try:
                raw["calendar"] = msgspec.to_builtins(shipped_calendar(name).facts, builtin_types=(date,))
            except (OSError, TypeError) as error:
                raise PackError(f"{file}: calendar: {name!r} is none of the shipped calendars") from error
        facts, rules = _checked(raw, file)
        shape = (facts.country, facts.version, facts.calendar, rules)
        keys = ("country", "version", "calendar", "rules")
        canonical = msgspec.json.encode(dict(zip(keys, shape, strict=True)), order="deterministic")
        return cls(facts, rules, canonical, file)

    @classmethod
    def from_bytes(cls, data: bytes, name: str = "pack") -> Pack:
        """Load a pack from the bytes that were kept of it; its hash is that of these bytes."""
        facts, rules = _checked(_table(data, name, msgspec.json.decode), name)
        return cls(facts, rules, data, name)

    def _plan(self, addressee_kind: str, purpose: str, on: date) -> Plan:
        """The rules to ask for this addressee and message on this date. Read it as `plan` (cached)."""
        valid = [
            (rule, check)
            for rule, check in self._bound
            if rule.valid_on(on) and rule.applies.covers(addressee_kind, purpose)
        ]
        return Plan(tuple((rule.id, check) for rule, check in valid), tuple(_gaps([r for r, _ in valid])))

    def _windows(self, addressee_kind: str | None = None, purpose: str | None = None) -> tuple[Window, ...]:
        """The contact windows for this addressee and message, or all. Read it as `windows` (cached)."""
        return tuple(
            check.window
            for rule, check in self._bound
            if isinstance(check, ContactWindow)
            and (addressee_kind is None or purpose is None or rule.applies.covers(addressee_kind, purpose))
        )


@cache
def shipped_packs() -> Mapping[str, Pack]:
    """The packs that come with this version of the code, by country."""
    folder = files("consent") / "packs"
    packs = [
        Pack.from_toml(file.read_bytes(), file.name)
        for file in sorted(folder.iterdir(), key=lambda file: file.name)
        if file.name.endswith(".toml")
    ]
    return MappingProxyType({pack.country: pack for pack in packs})


def _gaps(valid: list[Rule]) -> Iterator[Reason]:
    """A pack that lost a rule is silent, not loose: each question that nobody asks is a gap."""
    if not valid:
        yield Reason(rule="pack", kind=VerdictKind.GAP, code="no_rule")
        return
    asked = {rule.predicate for rule in valid}
    for word, predicate in PREDICATES.items():
        if predicate.required and word not in asked:
            code = "no_window" if word == "contact_window" else "rule_missing"
            yield Reason(rule=word, kind=VerdictKind.GAP, code=code)


def _table(data: bytes, file: str, decode: Any) -> dict[str, Any]:
    try:
        raw = decode(data)
    except (msgspec.DecodeError, ValueError) as error:
        raise PackError(f"{file}: not readable: {error}") from error
    if not isinstance(raw, dict):
        raise PackError(f"{file}: expected a table of country, version, calendar and rules")
    return raw


def _convert(value: Any, shape: type[T], where: str) -> T:
    try:
        return msgspec.convert(value, shape)
    except msgspec.ValidationError as error:
        raise PackError(f"{where}: {error}") from error


def _checked(raw: dict[str, Any], file: str) -> tuple[PackFacts, tuple[Rule, ...]]:
    facts = _convert(raw, PackFacts, file)
    rules = tuple(
        _convert(row, Rule, f"{file}: rule {row.get('id', f'number {number}')}")
        for number, row in enumerate(facts.rules, start=1)
    )
    for rule in rules:
        start, end = rule.valid_from, rule.valid_until
        if start is not None and end is not None and end <= start:
            raise PackError(f"{file}: rule {rule.id}: valid_until: {end} expected after valid_from {start}")
    for rule, other in combinations(rules, 2):
        if rule.id == other.id and rule.overlaps(other):
            raise PackError(
                f"{file}: rule {rule.id}: id: stands twice on the same dates; "
                "expected one version at a time, told apart by valid_from and valid_until"
            )
    return facts, rules


def _bind(rule: Rule, calendar: Calendar | None, file: str) -> Check:
    where = f"{file}: rule {rule.id}"
    predicate = PREDICATES.get(rule.predicate)
    if predicate is None:
        known = ", ".join(PREDICATES)
        raise PackError(f"{where}: predicate: unknown {rule.predicate!r}, expected one of {known}")
    known_params = predicate.params.__struct_fields__
    expected = ", ".join(known_params) or "none"
    for name in rule.params:
        if name not in known_params:
            raise PackError(f"{where}: params.{name}: unknown, expected {expected}")
    for name in known_params:
        if name not in rule.params:
            raise PackError(f"{where}: params.{name}: missing, expected {expected}")
    params = _convert(rule.params, predicate.params, f"{where}: params")
    if calendar is None and rule.params.get("closed_holidays"):
        raise PackError(f"{where}: params.closed_holidays: the pack has no holidays, expected a calendar")
    return predicate.bind(rule, params, calendar)
