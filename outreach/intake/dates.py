"""Civil dates in the format a file is known to use."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from functools import lru_cache

from outreach.intake.errors import RefusedValueError

ISO = "YYYY-MM-DD"
FIRST_YEAR, LAST_YEAR = 1900, 2199

_TOKEN = re.compile(r"YYYY|MM|M|DD|D|[-/. ]")
_PATTERN = {
    "YYYY": "(?P<year>[0-9]{4})",
    "MM": "(?P<month>[0-9]{2})",
    "M": "(?P<month>[0-9]{1,2})",
    "DD": "(?P<day>[0-9]{2})",
    "D": "(?P<day>[0-9]{1,2})",
}
_EXAMPLE = {"YYYY": "2026", "MM": "03", "M": "3", "DD": "31", "D": "31"}

DateParser = Callable[[str], date]


def _compile(form: str) -> tuple[re.Pattern[str], str]:
    tokens = _TOKEN.findall(form)
    kinds = sorted(token[0] for token in tokens if token in _PATTERN)
    if "".join(tokens) != form or kinds != ["D", "M", "Y"]:
        raise RefusedValueError(
            "a date format of one YYYY, one MM or M, one DD or D, with - / . or a space between"
            " (YYYY-MM-DD, D-M-YYYY, M/D/YYYY)"
        )
    if "".join(tokens[i] + tokens[i + 1] for i in range(len(tokens) - 1) if _touch(tokens, i)):
        raise RefusedValueError(
            "a separator beside M and D, as in D-M-YYYY: without one, 1112026 reads in two ways"
        )
    pattern = re.compile("".join(_PATTERN.get(token) or re.escape(token) for token in tokens))
    return pattern, "".join(_EXAMPLE.get(token, token) for token in tokens)


def _touch(tokens: list[str], i: int) -> bool:
    """Whether a part of one or two digits stands directly beside another part."""
    pair = tokens[i : i + 2]
    return all(token in _PATTERN for token in pair) and any(token in ("M", "D") for token in pair)


def date_parser(form: str = ISO) -> DateParser:
    """Make a parser for one format: YYYY, MM or M, DD or D, with `-`, `/`, `.` or a space between.

    MM and DD are two digits exactly, M and D one or two. Years run from 1900 to 2199: others are typing
    errors. Both the maker (a wrong format) and the parser (a wrong value) raise RefusedValueError.
    """
    pattern, example = _compile(form)
    expected = f"a date as {form}, for example {example}"

    @lru_cache(maxsize=16_384)
    def parse(text: str) -> date:
        match = pattern.fullmatch(text)
        if match is None:
            raise RefusedValueError(expected)
        year, month, day = int(match["year"]), int(match["month"]), int(match["day"])
        if not FIRST_YEAR <= year <= LAST_YEAR:
            raise RefusedValueError(f"{expected}, in a year from {FIRST_YEAR} to {LAST_YEAR}")
        try:
            return date(year, month, day)
        except ValueError as wrong:
            raise RefusedValueError(f"{expected}; there is no such day in the calendar") from wrong

    return parse
