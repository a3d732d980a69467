"""Tables of statutory interest: which percentage holds from which day, who says so, and until when that is known."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import cache
from importlib.resources import files
from itertools import pairwise
from types import MappingProxyType
from typing import Annotated, Literal

import msgspec

from outreach.claims.facts import Struct
from outreach.claims.rules import AmountRefused, Certainty, Text

Kind = Literal["consumer", "commercial"]


class Rate(Struct, frozen=True):
    """A percentage a year, from a day until that of the next row."""

    from_on: date
    percent: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,2}\.[0-9]{2}$")]
    certainty: Certainty
    source: Text

    @property
    def basis_points(self) -> int:
        """Hundredths of a percent, exact."""
        return int(self.percent.replace(".", ""))


class RateTable(Struct, frozen=True):
    """The rates of one kind of interest, known before `known_until`, and how days and cents are counted.

    `year`: a day is that part of the running interest year, or of 365 days. `rounded`: to whole cents once per
    interest year and at the end, or for each line. `compounds`: a year's interest bears interest from then on.
    """

    kind: Kind
    rules: tuple[str, ...]
    known_until: date
    year: Literal["running", "365"]
    rounded: Literal["year", "line"]
    compounds: bool
    rows: Annotated[tuple[Rate, ...], msgspec.Meta(min_length=1)]
    country: str = ""

    def __post_init__(self) -> None:
        """Refuse rows out of order: each would silently hide another."""
        dates = [*(row.from_on for row in self.rows), self.known_until]
        for earlier, later in pairwise(dates):
            if earlier >= later:
                raise ValueError(f"rows: {later} comes after {earlier}, expected dates that rise")

    def pieces(self, from_on: date, to_on: date) -> Iterator[tuple[date, date, Rate]]:
        """Cut `[from_on, to_on)` where the rate changes. Raises AmountRefused for a day whose rate is not known."""
        if from_on >= to_on:
            return
        if from_on < self.rows[0].from_on:
            raise AmountRefused(
                "from_on", f"the {self._name} begins on {self.rows[0].from_on}, expected no earlier"
            )
        if to_on > self.known_until:
            why = "expected a period that ends by then; read the new rate, and add it"
            raise AmountRefused("to_on", f"the {self._name} is known until {self.known_until}; {why}")
        ends = [*(row.from_on for row in self.rows[1:]), self.known_until]
        for row, end in zip(self.rows, ends, strict=True):
            first, last = max(from_on, row.from_on), min(to_on, end)
            if first < last:
                yield first, last, row

    @property
    def _name(self) -> str:
        return f"table of {self.kind} interest in {self.country}"


class _File(Struct, frozen=True):
    country: str
    tables: tuple[RateTable, ...]


@cache
def shipped_tables() -> MappingProxyType[tuple[str, str], RateTable]:
    """Return the tables that come with this version of the code, by country and kind."""
    found = {}
    for file in sorted((files("outreach.claims") / "rates").iterdir(), key=lambda file: file.name):
        read = msgspec.toml.decode(file.read_bytes(), type=_File)
        for table in read.tables:
            found[read.country, table.kind] = msgspec.structs.replace(table, country=read.country)
    return MappingProxyType(found)


def rate_table(country: str, kind: Kind) -> RateTable:
    """Return the table of a country and kind of claim. Raises AmountRefused where there is none."""
    try:
        return shipped_tables()[country, kind]
    except KeyError:
        known = ", ".join(f"{name} {kind}" for name, kind in shipped_tables())
        raise AmountRefused("country", f"no rates for {country} {kind}, expected one of {known}") from None
