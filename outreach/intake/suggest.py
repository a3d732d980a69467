"""Write a mapping for a claims file of another program, as far as its names and first rows tell: a person checks it."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

from outreach.intake.dates import ISO, date_parser
from outreach.intake.errors import RefusedValueError
from outreach.intake.names import PREFERRED, key_of
from outreach.intake.reading import first_records
from outreach.intake.tables import AMOUNT, CLAIMS, DATE

ROWS = 200
"""So many rows are looked at to find how dates and amounts are written."""

_DATES = (ISO, "D-M-YYYY", "D/M/YYYY", "D.M.YYYY", "M/D/YYYY", "YYYY/M/D", "YYYYMMDD")
_DECIMALS = {sign: re.compile(rf".*[0-9]{re.escape(sign)}[0-9]{{2}}") for sign in (",", ".")}
_COUNTRIES = {
    "nederland": "NL",
    "netherlands": "NL",
    "the netherlands": "NL",
    "belgië": "BE",
    "belgie": "BE",
    "belgium": "BE",
    "duitsland": "DE",
    "germany": "DE",
}
_STAND_INS = {
    "claim_id": ("invoice_number", "the number of the invoice is that of the claim"),
    "debtor_id": ("debtor_name", "no number of the debtor was found: two debtors of one name would be one"),
    "debtor_name": ("debtor_id", "no name was found: the number stands in every message"),
}
"""What may be taken for a needed column that is not there, and what to know of it."""
_ELSEWHERE = ("creditor", "currency")


def suggest_mapping(path: Path) -> str:
    """Return a mapping file for a claims file, ready to save and check; comments say what is doubtful or missing.

    Raises FileError where the file cannot be read.
    """
    names, records = first_records(path, ROWS)
    cells = {
        name: [text for row in records if (text := row[place].strip())]
        for place, name in enumerate(names)
        if name
    }
    found = _found(list(cells))
    notes = []
    for ours, (stand_in, what) in _STAND_INS.items():
        if ours not in found and stand_in in found:
            found[ours] = found[stand_in]
            notes.append(f"{ours}: {what}")
    missing = [name for name in CLAIMS.needed if name not in found and name not in _ELSEWHERE]
    notes += [f"{name}: needed, and no column of this file looks like it" for name in missing]
    form, doubt = _date_form([text for name in _theirs(found, DATE) for text in cells[name]])
    notes += doubt
    decimal = _decimal([text for name in _theirs(found, AMOUNT) for text in cells[name]])
    return "\n".join(_lines(path, found, cells, form, decimal, notes)) + "\n"


def _found(names: Sequence[str]) -> dict[str, str]:
    """Return their column by ours: one that bears our name, else the likeliest of those that are there."""
    by_key = {key_of(name): name for name in reversed(names)}
    found = {ours: ours for ours in CLAIMS.columns if ours in names}
    taken = set(found.values())
    for ours, keys in PREFERRED[CLAIMS.name].items():
        if ours in found:
            continue
        theirs = next(
            (by_key[key] for key in (ours, *keys) if key in by_key and by_key[key] not in taken), None
        )
        if theirs is not None:
            found[ours] = theirs
            taken.add(theirs)
    return found


def _theirs(found: dict[str, str], form: object) -> list[str]:
    return [theirs for ours, theirs in found.items() if CLAIMS.columns[ours] is form]


def _date_form(texts: Sequence[str]) -> tuple[str, list[str]]:
    """Return the first way of writing dates that fits them all, and what is doubtful about it."""
    fitting = [form for form in _DATES if all(_reads(form, text) for text in texts)]
    if not fitting:
        return ISO, [f"date: dates such as {texts[0]!r} are written in a way that is not known here"]
    if {"D/M/YYYY", "M/D/YYYY"} <= set(fitting) and fitting[0] == "D/M/YYYY" and texts:
        return fitting[0], ["date: these dates can be read as day/month and as month/day"]
    return fitting[0], []


def _reads(form: str, text: str) -> bool:
    try:
        date_parser(form)(text)
    except RefusedValueError:
        return False
    return True


def _decimal(texts: Sequence[str]) -> str | None:
    """Return the decimal sign where all amounts with two decimals agree on it."""
    seen = {sign for sign, shape in _DECIMALS.items() if any(shape.fullmatch(text) for text in texts)}
    return seen.pop() if len(seen) == 1 else None


def _lines(
    path: Path,
    found: dict[str, str],
    cells: dict[str, list[str]],
    form: str,
    decimal: str | None,
    notes: Sequence[str],
) -> list[str]:
    lines = [f"# How {path.name} becomes claims: check it, then import with --mapping and --creditor CODE."]
    lines += [f"# {note}" for note in notes]
    lines += ["", "[formats]", f"date = {_text(form)}"]
    lines += [f"decimal = {_text(decimal)}"] if decimal else []
    targets: dict[str, list[str]] = {}
    for ours, theirs in found.items():
        targets.setdefault(theirs, []).append(ours)
    lines += ["", "[columns]"]
    for name in cells:
        if (ours_all := targets.get(name)) and ours_all != [name]:
            value = _text(ours_all[0]) if len(ours_all) == 1 else json.dumps(sorted(ours_all))
            lines.append(f"{_text(name)} = {value}")
    if "currency" not in found:
        lines += ["", "[constants]", 'currency = "EUR"']
    words = {text for text in cells.get(found.get("country", ""), []) if text.lower() in _COUNTRIES}
    if words:
        lines += ["", "[values.country]"]
        lines += [f"{_text(word)} = {_text(_COUNTRIES[word.lower()])}" for word in sorted(words)]
    if unknown := [name for name in cells if name not in targets]:
        lines += ["", "[ignore]", "columns = ["]
        lines += [f"  {_text(name)}," for name in unknown]
        lines += ["]"]
    return lines


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)
