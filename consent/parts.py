"""Parts of packs: files of rules as people write them, checked when read.

A part is about one country, the European Union, or every country ("ALL"). An operator's own part may only tighten:
it adds rules from the same vocabulary under ids of its own, and can name nothing that is already there.
"""

from __future__ import annotations

from datetime import date
from itertools import combinations
from typing import Annotated, Any, TypeVar

import msgspec

from consent.calendar import Calendar, CalendarFacts, shipped_calendar
from consent.early_signal import QUESTIONS, Question
from consent.effects import SOFT
from consent.facts import Struct
from consent.predicates import PREDICATES, Predicate
from consent.rules import OWN, Rule

T = TypeVar("T")

ALL, EU = "ALL", "EU"

_VOCABULARY: dict[str, dict[str, Predicate | Question]] = {
    "contact": {**PREDICATES},
    "early_signal": {**QUESTIONS},
}
"""The predicates of each trigger that is decided here; rules on the others are enforced elsewhere."""


class PackError(ValueError):
    """A pack that can't be trusted: names the file, the rule, the field and what was expected."""


Name = Annotated[str, msgspec.Meta(pattern="^[a-z][a-z-]*$")]
Region = Annotated[str, msgspec.Meta(pattern="^([A-Z]{2}|ALL)$")]
Version = Annotated[str, msgspec.Meta(min_length=1)]


class Part(Struct, frozen=True):
    """The rules of one file. After `review_by` somebody should have read the law again."""

    name: Name
    region: Region
    version: Version
    review_by: date | None
    rules: tuple[Rule, ...]

    def is_overdue(self, on: date) -> bool:
        """Whether the review should have been done before this date."""
        return self.review_by is not None and self.review_by < on


class _Written(Struct, frozen=True):
    """A file as it is written; its rules are read one by one, so that an error can name its rule."""

    name: Name
    region: Region
    version: Version
    review_by: date
    rules: list[dict[str, Any]]
    calendar: str | None = None


class ReadPart(Struct, frozen=True):
    """A part with the calendar that its file names."""

    part: Part
    calendar: CalendarFacts | None
    file: str


def read_part(data: bytes, file: str) -> ReadPart:
    """Read a part that comes with the service."""
    read = _read(data, file)
    for rule in read.part.rules:
        if rule.is_own:
            raise PackError(f"{file}: rule {rule.id}: id: {OWN} is kept for an operator's own rules")
    return read


def read_own_part(data: bytes, file: str) -> ReadPart:
    """Read an operator's own part: rules that are enforced here, added under ids of their own."""
    read = _read(data, file)
    if read.calendar is not None:
        raise PackError(f"{file}: calendar: expected none, the holidays are those of the country")
    for rule in read.part.rules:
        where = f"{file}: rule {rule.id}"
        if not rule.is_own:
            raise PackError(
                f"{where}: id: expected one that begins with {OWN}; "
                "an own rule is added to the law, it replaces nothing"
            )
        if not rule.predicate:
            known = ", ".join(word for words in _VOCABULARY.values() for word in words)
            raise PackError(f"{where}: predicate: missing, expected one of {known}")
    return read


def _read(data: bytes, file: str) -> ReadPart:
    written = convert(table(data, file, msgspec.toml.decode), _Written, file)
    calendar = None
    if written.calendar is not None:
        try:
            calendar = shipped_calendar(written.calendar).facts
        except OSError as error:
            raise PackError(
                f"{file}: calendar: {written.calendar!r} is none of the shipped calendars"
            ) from error
    rules = tuple(_rule(row, number, file) for number, row in enumerate(written.rules, start=1))
    check_ids(rules, file)
    part = Part(
        name=written.name,
        region=written.region,
        version=written.version,
        review_by=written.review_by,
        rules=rules,
    )
    return ReadPart(part=part, calendar=calendar, file=file)


def _rule(row: dict[str, Any], number: int, file: str) -> Rule:
    where = f"{file}: rule {row.get('id', f'number {number}')}"
    rule = convert(row, Rule, where)
    if rule.confirmed_by:
        raise PackError(f"{where}: confirmed_by: expected none, a rule is confirmed where packs are composed")
    start, end = rule.valid_from, rule.valid_until
    if start is not None and end is not None and end <= start:
        raise PackError(f"{where}: valid_until: {end} expected after valid_from {start}")
    if bool(rule.predicate) == bool(rule.enforced_by):
        raise PackError(f"{where}: predicate: expected either a predicate or enforced_by, and not both")
    if rule.predicate:
        parameters(rule, where)
    return rule


def parameters(rule: Rule, where: str) -> tuple[Predicate | Question, Struct]:
    """The rule's predicate and its parameters; PackError for what the vocabulary does not have."""
    words = _VOCABULARY.get(rule.trigger, {})
    predicate = words.get(rule.predicate)
    if predicate is None:
        known = ", ".join(words) or f"none on {rule.trigger}: such a rule is enforced elsewhere"
        raise PackError(f"{where}: predicate: unknown {rule.predicate!r}, expected one of {known}")
    if rule.effect != predicate.effect and rule.effect not in SOFT:
        fitting = ", ".join(sorted({predicate.effect, *SOFT}))
        raise PackError(f"{where}: effect: {rule.effect!r} does not fit, expected one of {fitting}")
    fields = msgspec.structs.fields(predicate.params)
    expected = ", ".join(field.name for field in fields) or "none"
    for name in rule.params:
        if name not in {field.name for field in fields}:
            raise PackError(f"{where}: params.{name}: unknown, expected {expected}")
    for field in fields:
        if field.required and field.name not in rule.params:
            raise PackError(f"{where}: params.{field.name}: missing, expected {expected}")
    return predicate, convert(rule.params, predicate.params, f"{where}: params")


def bind(rule: Rule, calendar: Calendar | None, where: str) -> Any:
    """The rule's predicate with its parameters, ready to be asked."""
    predicate, params = parameters(rule, where)
    if calendar is None and rule.params.get("closed_holidays"):
        raise PackError(f"{where}: params.closed_holidays: the pack has no holidays, expected a calendar")
    if isinstance(predicate, Predicate):
        return predicate.bind(rule, params, calendar)
    return predicate.bind(params)


def check_ids(rules: tuple[Rule, ...], file: str) -> None:
    """Refuse one id for two rules on the same date."""
    for rule, other in combinations(rules, 2):
        if rule.id == other.id and rule.overlaps(other):
            raise PackError(
                f"{file}: rule {rule.id}: id: stands twice on the same dates; "
                "expected one version at a time, told apart by valid_from and valid_until"
            )


def table(data: bytes, file: str, decode: Any) -> dict[str, Any]:
    """The file's table; PackError for what is none."""
    try:
        raw = decode(data)
    except (msgspec.DecodeError, ValueError) as error:
        raise PackError(f"{file}: not readable: {error}") from error
    if not isinstance(raw, dict):
        raise PackError(f"{file}: expected a table of name, region, version, review_by and rules")
    return raw


def convert(value: Any, shape: type[T], where: str) -> T:
    """The value in its shape; PackError where it does not fit."""
    try:
        return msgspec.convert(value, shape)
    except msgspec.ValidationError as error:
        raise PackError(f"{where}: {error}") from error
