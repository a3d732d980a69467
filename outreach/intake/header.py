"""The first line of a file: which separator it uses, and whether its columns can be understood."""

from __future__ import annotations

from collections import Counter
from difflib import get_close_matches

import msgspec

from outreach.intake.errors import FileError
from outreach.intake.mapping import SEPARATORS, FileMapping, Section
from outreach.intake.names import ours_of
from outreach.intake.tables import CLAIMS, PAYMENTS, Table


def find_separator(line: str) -> str:
    """Find the separator of a header line: the sign that stands in it most often outside quotation marks."""
    outside = "".join(line.split('"')[::2])
    return max(SEPARATORS, key=outside.count)


def column_positions(names: list[str]) -> dict[str, int]:
    """Where each named column stands. A column without a name has no entry."""
    return {name: place for place, name in enumerate(names) if name}


def fit_columns(
    subject: str, names: list[str], table: Table[msgspec.Struct], mapping: FileMapping, given: set[str]
) -> Section:
    """Check the header against what is known and needed, before any row is read.

    `given` are our columns that come from elsewhere (the creditor on the command line), and go before
    constants of the mapping. Returns the section of the mapping, with the columns added that already bear our
    name. Raises FileError with every problem at once.
    """
    section = mapping.section(table.name)
    problems = [
        f"the column `{name}` stands there {n} times" for name, n in Counter(names).items() if name and n > 1
    ]
    by_themselves, unknown = _not_mapped(names, table, mapping, section)
    problems += unknown
    problems += _absent(sorted((section.theirs | mapping.ignore) - set(names)), names, mapping.name)
    targets = [name for ours in (*section.columns.values(), *by_themselves.values()) for name in ours]
    constants = {name: text for name, text in section.constants.items() if name not in given}
    sources = [*targets, *constants, *section.derive, *given]
    problems += [
        f"our column `{name}` is given more than once: by the file, by the mapping or on the command line"
        for name, n in Counter(sources).items()
        if n > 1
    ]
    problems += [
        f"the mapping {mapping.name} speaks of `{name}`, which is no column of {table.name}"
        for name in dict.fromkeys([*sources, *section.values])
        if name not in table.columns
    ]
    problems += _missing(table, set(sources))
    if unknown and not mapping.name and table.name == CLAIMS.name:
        problems.append(f"for a file of another program: outreach import mapping {subject} writes a mapping")
    if problems:
        raise FileError(subject, problems)
    return Section(
        {**section.columns, **by_themselves},
        constants,
        section.derive,
        section.values,
        section.when_present,
    )


def _not_mapped(
    names: list[str], table: Table[msgspec.Struct], mapping: FileMapping, section: Section
) -> tuple[dict[str, tuple[str, ...]], list[str]]:
    """The columns that already bear our name, and what to say of those that nobody accounts for."""
    ours: dict[str, tuple[str, ...]] = {}
    problems: list[str] = []
    accounted = mapping.theirs
    for name in dict.fromkeys(names):
        if not name or name in section.columns or name in mapping.ignore:
            continue
        if name in table.columns:
            ours[name] = (name,)
        elif name in table.called:
            ours[name] = (table.called[name],)
        elif name not in accounted:
            problems.append(_unknown(name, table, bool(mapping.name)))
    return ours, problems


def _unknown(name: str, table: Table[msgspec.Struct], mapped: bool) -> str:
    other = PAYMENTS if table.name == CLAIMS.name else CLAIMS
    shown = name if len(name) <= 80 else f"{name[:80]}…"
    key = name.lower().replace(" ", "_").replace("-", "_")[:80]
    if likely := ours_of(table.name, name):
        return f"the column `{shown}` is not known, did you mean `{likely}`?"
    if near := get_close_matches(key, table.columns, n=1, cutoff=0.7):
        return f"the column `{shown}` is not known, did you mean `{near[0]}`?"
    if key in other.columns:
        return f"the column `{shown}` belongs in a {other.name} file; this is an import of {table.name}"
    where = "its mapping" if mapped else "a mapping"
    return f"the column `{shown}` is not known; rename it, or name it in {where} under [columns] or [ignore]"


def _absent(theirs: list[str], names: list[str], mapping: str) -> list[str]:
    found = []
    for name in theirs:
        near = get_close_matches(name, [n for n in names if n], n=1)
        hint = f" (it has `{near[0]}`)" if near else ""
        found.append(
            f"the mapping {mapping} speaks of the column `{name}`, which the file does not have{hint}"
        )
    return found


def _missing(table: Table[msgspec.Struct], sources: set[str]) -> list[str]:
    found = []
    if missing := [name for name in table.needed if name not in sources]:
        hint = " (or give the creditor for the whole file)" if "creditor" in missing else ""
        found.append(f"needed columns are missing: {', '.join(missing)}{hint}")
    if table.one_of and not sources.intersection(table.one_of):
        found.append(f"at least one of these columns is needed: {', '.join(table.one_of)}")
    return found
