"""Builds a letter as one HTML page that prints on A4 with the address where the envelope's window is.

The window is that of DIN 5008 form B, the one profile with published measures that also lies inside the
windows of DL (C5/6) envelopes of other countries: 20 mm from the left, 45 mm from the top, 85 x 45 mm, with
the address from 62.7 mm down. It shows a name, an address and a code for returned mail, and nothing else.
Same text and envelope: same bytes.
"""

from __future__ import annotations

import re
from datetime import date
from functools import cache
from html import escape
from pathlib import Path

from channels.folder import checked_token
from channels.letter.countries import country_line
from channels.protocol import Envelope, Text

MOST_LINES = 6
"""Lines that the window shows: 27.3 mm of address at 4.5 mm a line."""
_LINE_CHARACTERS = 42
"""Characters that surely fit on one of them."""

# Also the marks that reverse the direction of writing: they would show another address than is stored.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*")
_COUNTRY = re.compile(r"[A-Z]{2}")
_DUTCH = re.compile(r"([1-9][0-9]{3}) ?([A-Za-z]{2}) +(\S.*)")

_NL = "januari februari maart april mei juni juli augustus september oktober november december"
_EN = "January February March April May June July August September October November December"
_MONTHS = {"nl": _NL.split(), "en": _EN.split()}
_RETURN_CODE = {"nl": "Retourcode", "en": "Return code"}


def build(text: Text, envelope: Envelope) -> bytes:
    """Return the page (HTML, UTF-8) that says `text`; implements `channels.protocol.Builder`.

    `text.html` is the inside of the letter as a fragment that a template made, and is trusted; everything else
    is escaped. `envelope.to_address` has one line for each of the address, without the name. Raises ValueError
    with the name of the field that cannot be said in a letter.
    """
    if not text.html.strip():
        raise ValueError("html: expected the inside of a letter")
    if envelope.at.utcoffset() is None:
        raise ValueError("at: expected a time with its offset")
    language = _language(envelope.language)
    values = {
        "lang": envelope.language,
        "subject": _line("subject", text.subject),
        "at": envelope.at.isoformat(),
        "token": checked_token(envelope.token),
        "sender": _line("from_name", envelope.from_name),
        "return_label": _RETURN_CODE.get(language, _RETURN_CODE["en"]),
        "return_code": return_code(envelope.token),
        "address": "<br>".join(_address(envelope, language)),
        "date": _date(envelope.at.date(), language),
        "body": text.html.strip(),
    }
    # The sheet is cut into its texts and places once; whatever a value holds is never read as a place.
    page = "".join(values[part] if at % 2 else part for at, part in enumerate(_sheet()))
    try:
        return page.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ValueError("html: expected Unicode text without lone surrogates") from error


def return_code(token: str) -> str:
    """Return what the window shows of a token, by which an unopened letter that came back is matched."""
    return " ".join(token[at : at + 4] for at in range(0, 12, 4)).upper()


@cache
def _sheet() -> list[str]:
    """The page's own HTML, cut at its places: texts at even positions, names of values at odd ones."""
    sheet = Path(__file__).with_name("sheet.html").read_text(encoding="utf-8")
    return re.split(r"@([a-z_]+)@", sheet)


def _address(envelope: Envelope, language: str) -> list[str]:
    """The name and the lines below it, as the post reads them best."""
    lines = envelope.to_address.split("\n")
    # Below street and town a country stands as its code; two lines are an address without one.
    if len(lines) > 2 and _COUNTRY.fullmatch(lines[-1].strip()):
        lines[-1] = country_line(lines[-1].strip(), language)
    if not all(line.strip() for line in lines):
        raise ValueError("to_address: expected lines of text below the name, none of them empty")
    shown = [_line("to_name", envelope.to_name), *(_line("to_address", _postal(line)) for line in lines)]
    needed = -(-len(envelope.to_name) // _LINE_CHARACTERS)
    needed += sum(-(-len(line) // _LINE_CHARACTERS) for line in lines)
    if needed > MOST_LINES:
        raise ValueError(
            f"to_address: expected at most {MOST_LINES} lines with the name, as the window shows"
        )
    return shown


def _postal(line: str) -> str:
    """A Dutch postcode and town with two spaces between them and the town in capitals, as PostNL advises."""
    found = _DUTCH.fullmatch(line.strip())
    if not found:
        return line.strip()
    return f"{found[1]} {found[2].upper()}\u00a0\u00a0{found[3].upper()}"


def _line(field: str, value: str) -> str:
    """One line of text, escaped."""
    if not value.strip():
        raise ValueError(f"{field}: expected text")
    if _CONTROL.search(value):
        raise ValueError(f"{field}: expected no line breaks or other control characters")
    return escape(value)


def _language(language: str) -> str:
    """The language without its region."""
    if not _LANGUAGE.fullmatch(language):
        raise ValueError("language: expected a language tag such as nl or nl-NL (RFC 5646)")
    return language.partition("-")[0].lower()


def _date(on: date, language: str) -> str:
    """The date written out; in a language whose months are not known here as YYYY-MM-DD."""
    months = _MONTHS.get(language)
    return f"{on.day} {months[on.month - 1]} {on.year}" if months else on.isoformat()
