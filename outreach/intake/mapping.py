"""Mapping files: how somebody else's columns, formats and words become ours.

TOML. `[formats]` and `[ignore]` hold for the file; `[columns]`, `[constants]`, `[derive]`, `[values.COLUMN]`
and `when_present` stand either at the top (a file with claims or payments only) or in `[claims]` and
`[payments]` (one file that feeds both). It is checked when loaded, its fit with the file when that is opened.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from outreach.intake.dates import ISO, date_parser
from outreach.intake.derive import Template, parse_template
from outreach.intake.errors import MappingError, RefusedValueError
from outreach.intake.tables import CLAIMS, PAYMENTS, Format

SHIPPED = Path(__file__).parent / "mappings"
ENCODINGS = {
    "utf-8": "utf-8-sig",
    "windows-1252": "cp1252",
    "iso-8859-1": "iso-8859-1",
    "iso-8859-15": "iso-8859-15",
}
SEPARATORS = (",", ";", "\t", "|")
SIZE = 1_000_000

_SECTION_KEYS = ("columns", "constants", "derive", "values", "when_present")
_TOP_KEYS = ("formats", "ignore", "claims", "payments", *_SECTION_KEYS)


@dataclass(frozen=True, slots=True)
class Formats:
    """How the file writes things. None: look at the file (separator, encoding) or at each value (decimal sign)."""

    date: str = ISO
    decimal: str | None = None
    separator: str | None = None
    encoding: str | None = None


@dataclass(frozen=True, slots=True)
class Section:
    """What one kind of import takes from the file; keys of `columns` are theirs, all other keys are ours."""

    columns: dict[str, tuple[str, ...]] = field(default_factory=dict)
    constants: dict[str, str] = field(default_factory=dict)
    derive: dict[str, Template] = field(default_factory=dict)
    values: dict[str, dict[str, str]] = field(default_factory=dict)
    when_present: tuple[str, ...] = ()

    @property
    def theirs(self) -> set[str]:
        """Every column of the file that the section speaks of."""
        return {
            *self.columns,
            *self.when_present,
            *(name for t in self.derive.values() for name in t.columns),
        }


@dataclass(frozen=True, slots=True)
class FileMapping:
    """A whole mapping file. `sections` are by kind of import; "" is the one for any kind."""

    name: str = ""
    formats: Formats = field(default_factory=Formats)
    ignore: frozenset[str] = frozenset()
    sections: dict[str, Section] = field(default_factory=lambda: {"": Section()})

    def section(self, table: str) -> Section:
        """The section for one kind of import. Raises MappingError where the mapping has none for it."""
        found = self.sections.get(table) or self.sections.get("")
        if found is None:
            raise MappingError(self.name, [f"has no [{table}] section: it cannot be used to import {table}"])
        return found

    @property
    def theirs(self) -> set[str]:
        """Every column of the file that the mapping accounts for, in whichever section."""
        return set(self.ignore).union(*(section.theirs for section in self.sections.values()))


def load_mapping(path: Path | str) -> FileMapping:
    """Read a mapping: a path, or the name of one that comes with the program ("receivables").

    Raises MappingError with everything that is wrong in it.
    """
    found = Path(path)
    if not found.exists() and str(path).isidentifier() and (SHIPPED / f"{path}.toml").exists():
        found = SHIPPED / f"{path}.toml"
    try:
        text = found.read_bytes()
        if len(text) > SIZE:
            raise MappingError(found.name, ["a mapping file of at most 1 MB was expected"])
        data = tomllib.loads(text.decode("utf-8-sig"))
    except OSError as error:
        raise MappingError(str(path), [f"cannot be read: {error.strerror or error}"]) from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise MappingError(found.name, [f"is not a TOML file in UTF-8: {error}"]) from error
    return _Loader(found.name).load(data)


class _Loader:
    """Turns the tables of a TOML file into a FileMapping and gathers what is wrong on the way."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.problems: list[str] = []

    def load(self, data: dict[str, Any]) -> FileMapping:
        self._known(data, _TOP_KEYS, "")
        own: list[str] = [table for table in ("claims", "payments") if table in data]
        loose: list[str] = [key for key in _SECTION_KEYS if key in data]
        if own and loose:
            self.problems.append(
                f"[{loose[0]}] stands at the top and [{own[0]}] beside it: move it into the sections"
            )
        formats = self._formats(self._table(data, "formats", ""))
        ignore = self._ignore(self._table(data, "ignore", ""))
        if own:
            sections: dict[str, Section] = {
                kind: self._section(self._table(data, kind, ""), f"{kind}.", (kind,)) for kind in own
            }
        else:
            sections = {"": self._section({key: data[key] for key in loose}, "", ("claims", "payments"))}
        if self.problems:
            raise MappingError(self.name, self.problems)
        return FileMapping(self.name, formats, ignore, sections)

    def _table(self, data: dict[str, Any], key: str, where: str) -> dict[str, Any]:
        found = data.get(key, {})
        if isinstance(found, dict):
            return found
        self.problems.append(f"[{where}{key}] is a table of lines `name = value`")
        return {}

    def _known(self, names: Iterable[str], known: Iterable[str], where: str) -> list[str]:
        """Say which names are not known, with the nearest known one; give back those that are."""
        known = tuple(known)
        taken = []
        for name in names:
            if name in known:
                taken.append(name)
                continue
            near = get_close_matches(name, known, n=1)
            hint = f", did you mean `{near[0]}`?" if near else f"; known are {', '.join(known[:12])}"
            self.problems.append(f"{where}`{name}` is not known{hint}")
        return taken

    def _text(self, value: object, where: str) -> str:
        if isinstance(value, str) and value.strip():
            return value.strip()
        self.problems.append(f"{where} = {value!r}: a text in quotes was expected")
        return ""

    def _texts(self, value: object, where: str) -> tuple[str, ...]:
        items = value if isinstance(value, list) else [value]
        return tuple(text for item in items if (text := self._text(item, where)))

    def _ignore(self, data: dict[str, Any]) -> frozenset[str]:
        self._known(data, ("columns",), "[ignore] ")
        return frozenset(self._texts(data.get("columns", []), "[ignore] columns"))

    def _formats(self, data: dict[str, Any]) -> Formats:
        taken = {}
        for key in self._known(data, ("date", "decimal", "separator", "encoding"), "[formats] "):
            value = data[key]
            # A separator may be a tab: white space that counts.
            text = value if key == "separator" and value == "\t" else self._text(value, f"[formats] {key}")
            allowed: dict[str, tuple[str, ...]] = {
                "decimal": (".", ","),
                "separator": SEPARATORS,
                "encoding": tuple(ENCODINGS),
            }
            if text and key in allowed and text not in allowed[key]:
                self.problems.append(
                    f"[formats] {key} = {text!r}: one of {', '.join(map(repr, allowed[key]))}"
                )
            elif text and key == "date":
                self._try(lambda text=text: date_parser(text), f"[formats] date = {text!r}")
            taken[key] = ENCODINGS.get(text, "") if key == "encoding" else text
        return Formats(**taken)

    def _try(self, make: Any, where: str) -> Any:
        try:
            return make()
        except RefusedValueError as error:
            self.problems.append(f"{where}: {error.expected} was expected")
            return None

    def _section(self, data: dict[str, Any], where: str, tables: tuple[str, ...]) -> Section:
        if where:
            self._known(data, _SECTION_KEYS, f"[{where[:-1]}] ")
        ours = _columns_of(tables)
        columns = {}
        for theirs, target in self._table(data, "columns", where).items():
            place = f"[{where}columns] {theirs}"
            columns[theirs.strip()] = tuple(
                self._known(self._texts(target, place), ours, f"{place}: our column ")
            )
        constants = self._constants(self._table(data, "constants", where), f"[{where}constants] ", ours)
        derive = {}
        source = self._table(data, "derive", where)
        for name in self._known(source, ours, f"[{where}derive] our column "):
            place = f"[{where}derive] {name}"
            template = self._try(
                lambda name=name, place=place: parse_template(self._text(source[name], place)), place
            )
            if template is not None:
                derive[name] = template
        self._once([*(name for names in columns.values() for name in names), *constants, *derive], where)
        values = self._values(self._table(data, "values", where), f"[{where}values", ours)
        present = self._texts(data.get("when_present", []), f"{where}when_present")
        return Section(columns, constants, derive, values, present)

    def _constants(self, data: dict[str, Any], where: str, ours: dict[str, Any]) -> dict[str, str]:
        found = {}
        for name in self._known(data, ours, f"{where}our column "):
            found[name] = text = self._text(data[name], f"{where}{name}")
            self._check(ours[name], text, f"{where}{name}")
        return found

    def _values(self, data: dict[str, Any], where: str, ours: dict[str, Any]) -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = {}
        for name in self._known(data, ours, f"{where}.*] our column "):
            found[name] = {}
            if isinstance(ours[name], Format):
                self.problems.append(f"{where}.{name}]: words can be translated, dates and amounts cannot")
                continue
            for theirs, target in self._table(data, name, f"{where[1:]}.").items():
                place = f"{where}.{name}] {theirs!r}"
                if not theirs.strip():
                    self.problems.append(
                        f"{place}: an empty cell stays empty; use [constants] for a fixed value"
                    )
                found[name][theirs.strip()] = text = self._text(target, place)
                self._check(ours[name], text, place)
        return found

    def _check(self, parse: Any, text: str, where: str) -> None:
        if text and not isinstance(parse, Format):
            self._try(lambda: parse(text), f"{where} = {text!r}")

    def _once(self, names: list[str], where: str) -> None:
        for name in sorted({name for name in names if names.count(name) > 1}):
            self.problems.append(
                f"our column `{name}` is given more than once{f' in [{where[:-1]}]' if where else ''}"
            )


def _columns_of(tables: tuple[str, ...]) -> dict[str, Any]:
    """Our columns and their parsers, in the kinds of import that a section may serve."""
    found: dict[str, Any] = {}
    for table in (CLAIMS, PAYMENTS):
        if table.name in tables:
            for name, parse in table.columns.items():
                # `kind` means two things; where a section serves either, the fit shows with the file.
                found[name] = parse if found.get(name, parse) is parse else (lambda text: text)
    return found
