"""How the cells of one file become rows: worked out once for its header, then applied to every record."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic

from outreach.intake.amounts import MINOR_DIGITS, parse_amount
from outreach.intake.dates import date_parser
from outreach.intake.errors import RefusedValueError
from outreach.intake.mapping import Formats, Section
from outreach.intake.rejects import Fault
from outreach.intake.tables import AMOUNT, DATE, R, Table
from outreach.intake.values import Parse, contact, identifier

Cells = list[str]
Step = tuple[Callable[[Cells], str], int, Parse]

MEMO = 1_024
"""How many texts of a column are remembered with their values."""


def _cell(position: int) -> Callable[[Cells], str]:
    return lambda cells: cells[position].strip()


def _constant(text: str) -> Callable[[Cells], str]:
    return lambda cells: text


def _translated(words: dict[str, str], parse: Parse) -> Parse:
    """A parser for their words: those in the table become ours, any other must be ours already."""
    known = {theirs: parse(ours) for theirs, ours in words.items()}

    def translate(text: str) -> object:
        return known[text] if text in known else parse(text)

    return translate


class _Memo(dict[str, object]):
    """Values by the text of the cell, of one column: most columns say the same few things over and over.

    An empty cell gives the default. When full it is emptied: runs of equal rows stay quick, and memory flat.
    """

    def __init__(self, parse: Parse, default: object) -> None:
        super().__init__({"": default})
        self._parse, self._default = parse, default

    def __missing__(self, cell: str) -> object:
        text = cell.strip()
        value = self._parse(text) if text else self._default
        if len(self) >= MEMO:
            self.clear()
            self[""] = self._default
        self[cell] = value
        return value


class Plan(Generic[R]):
    """Turns the cells of a record into a typed row, or into the list of everything that is wrong with it.

    Making one raises RefusedValueError where a fixed value or translated word of the mapping is wrong.
    """

    def __init__(
        self,
        table: Table[R],
        positions: dict[str, int],
        section: Section,
        formats: Formats,
        creditor: str | None,
    ) -> None:
        self._table = table
        self._date = date_parser(formats.date)
        self._decimal = formats.decimal
        fields = {name: place for place, name in enumerate(table.row.__struct_fields__)}
        self._fields, self._names = fields, table.row.__struct_fields__
        # The defaults of a row without any optional column; needed ones are None until they are read.
        defaults = table.row.__struct_defaults__
        self._blank: list[Any] = [None] * (len(fields) - len(defaults)) + list(defaults)
        self._cells: list[tuple[int, int, Parse]] = []
        self._memos: list[tuple[int, int, _Memo]] = []
        self._made: list[Step] = []
        self._amounts: list[tuple[Callable[[Cells], str], int]] = []
        self._theirs: dict[str, str] = {}
        self._present = [positions[name] for name in section.when_present]
        self._currency = fields.get("currency")
        self._needed = [fields[name] for name in table.needed]
        for theirs, ours in section.columns.items():
            for name in ours:
                self._theirs[name] = theirs
                self._read(name, _cell(positions[theirs]), section, positions[theirs])
        for name, template in section.derive.items():
            self._read(name, template.bind(positions), section)
        # Numbers and addresses differ from row to row: remembering them would only cost.
        self._once = [step for step in self._cells if step[2] in (identifier, contact)]
        for name, text in section.constants.items():
            self._fix(name, text)
        if creditor is not None:
            self._fix("creditor", creditor)

    def _read(self, name: str, get: Callable[[Cells], str], section: Section, position: int = -1) -> None:
        parse = self._table.columns[name]
        target = self._fields[name]
        if parse is AMOUNT:
            self._amounts.append((get, target))
            return
        made: Parse = self._date if parse is DATE or not callable(parse) else parse
        if name in section.values:
            made = _translated(section.values[name], made)
        if position >= 0:
            self._cells.append((position, target, made))
            if made not in (identifier, contact):
                self._memos.append((position, target, _Memo(made, self._blank[target])))
        else:
            self._made.append((get, target, made))

    def _fix(self, name: str, text: str) -> None:
        """A value that is the same in every row is parsed once; an amount waits for the row's currency."""
        parse = self._table.columns[name]
        if parse is AMOUNT:
            self._amounts.append((_constant(text), self._fields[name]))
            return
        try:
            self._blank[self._fields[name]] = self._date(text) if not callable(parse) else parse(text)
        except RefusedValueError as error:
            raise RefusedValueError(f"{name} = {text!r}: {error.expected}") from error

    def wanted(self, cells: Cells) -> bool:
        """Whether the record is meant for this import (the columns of `when_present` are filled)."""
        return all(cells[position].strip() for position in self._present)

    def told(self, name: str, cells: Cells) -> str:
        """Return the number that a refused record gives in one of our columns; empty where it cannot be read."""
        target = self._fields.get(name)
        steps: list[Step] = [(_cell(position), place, parse) for position, place, parse in self._cells]
        for get, place, parse in (*steps, *self._made):
            if place == target:
                try:
                    return str(parse(get(cells)))
                except RefusedValueError:
                    return ""
        return ""

    def read(self, cells: Cells) -> R | list[Fault]:
        """Make the row; a list of faults when it must be refused."""
        values = self._blank.copy()
        try:
            for position, target, memo in self._memos:
                values[target] = memo[cells[position]]
            for position, target, parse in self._once:
                if text := cells[position].strip():
                    values[target] = parse(text)
            for get, target, parse in self._made:
                if text := get(cells):
                    values[target] = parse(text)
            digits = self._digits(values)
            for get, target in self._amounts:
                if text := get(cells):
                    values[target] = parse_amount(text, digits, self._decimal)
            for target in self._needed:
                if values[target] is None:
                    return self._faults(cells)
        except RefusedValueError:
            return self._faults(cells)
        row, faults = self._table.examine(self._table.row(*values))
        return [self._named(fault) for fault in faults] if faults else row

    def _faults(self, cells: Cells) -> list[Fault]:
        """Go over a refused record once more, to say all that is wrong with it and not only the first."""
        values = self._blank.copy()
        faults: list[Fault] = []
        steps: list[Step] = [(_cell(position), target, parse) for position, target, parse in self._cells]

        def try_all(steps: list[Step]) -> None:
            for get, target, parse in steps:
                if text := get(cells):
                    try:
                        values[target] = parse(text)
                    except RefusedValueError as error:
                        values[target] = error
                        faults.append(self._named(Fault(self._names[target], text, error.expected)))

        try_all([*steps, *self._made])
        digits = self._digits(values)
        try_all(
            [
                (get, target, lambda text: parse_amount(text, digits, self._decimal))
                for get, target in self._amounts
            ]
        )
        missing = [self._names[target] for target in self._needed if values[target] is None]
        return faults + [self._named(Fault(name, "", "a value: this column is needed")) for name in missing]

    def _digits(self, values: list[Any]) -> int:
        """Return how many decimals an amount of the row may have; two where its currency is not known."""
        currency = None if self._currency is None else values[self._currency]
        return MINOR_DIGITS.get(currency, 2) if isinstance(currency, str) else 2

    def _named(self, fault: Fault) -> Fault:
        """Name the column of the file too, where it is called otherwise."""
        theirs = self._theirs.get(fault.field, fault.field)
        return fault if theirs == fault.field else fault._replace(field=f"{fault.field} ({theirs})")
