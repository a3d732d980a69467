"""Parsers of single values: text of a cell, stripped and not empty, to a typed value.

Every parser raises RefusedValueError with what was expected; none changes what an identifier looks like.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from difflib import get_close_matches
from enum import StrEnum
from functools import lru_cache
from pathlib import PurePosixPath, PureWindowsPath
from zoneinfo import ZoneInfo

from outreach.intake.amounts import MINOR_DIGITS
from outreach.intake.errors import RefusedValueError
from outreach.intake.rows import CoDebtor, Representative, Tone

Parse = Callable[[str], object]

ID_LENGTH, LINE_LENGTH, PROSE_LENGTH = 128, 250, 4_000

# Joiners carry meaning in some scripts; other invisible characters can turn text around or hide it.
_JOINERS = "\u200c\u200d"
_SPREADSHEET_NUMBER = re.compile(r"[0-9](?:[.,][0-9]+)?[eE]\+[0-9]+")
_ENTRY = re.compile(r"(?P<id>[^:|<>]+):(?P<name>[^|<>]+)(?:<(?P<email>[^<>|]*)>)?")
_YES_NO = {
    "true": True,
    "yes": True,
    "ja": True,
    "1": True,
    "false": False,
    "no": False,
    "nee": False,
    "0": False,
}

_TOLD = {
    Tone.FRIENDLY: "herinnering, eerste herinnering, 1e herinnering, betalingsherinnering, vriendelijke herinnering,"
    " reminder, first reminder, 1st reminder, payment reminder, friendly reminder",
    Tone.FIRM: "tweede herinnering, 2e herinnering, laatste herinnering, second reminder, 2nd reminder,"
    " final reminder, firm reminder",
    Tone.FORMAL: "aanmaning, eerste aanmaning, 1e aanmaning, tweede aanmaning, 2e aanmaning, ingebrekestelling,"
    " sommatie, veertiendagenbrief, 14-dagenbrief, formal notice, notice of default, demand, demand letter",
    Tone.FINAL: "laatste aanmaning, laatste sommatie, final demand, final notice",
}
_TONES = {word: tone for tone, words in _TOLD.items() for word in (tone.value, *words.split(", "))}
"""What bookkeeping programs call the last thing they sent. Where a word is used for two things, the milder."""


def _visible(text: str, what: str) -> str:
    """Replace odd spaces by a space; refuse what a reader cannot see, and bytes that were no text."""
    out = []
    for char in text:
        category = unicodedata.category(char)
        if category == "Cs":
            raise RefusedValueError(
                "text in the file's encoding (UTF-8 unless a mapping says otherwise): save it as CSV UTF-8"
            )
        if category == "Zs":
            out.append(" ")
        elif category in ("Cc", "Cf", "Zl", "Zp") and char not in _JOINERS:
            raise RefusedValueError(f"{what} without control characters (found U+{ord(char):04X})")
        else:
            out.append(char)
    return "".join(out)


def identifier(text: str) -> str:
    """Keep a number or code exactly as written, leading zeros too; at most 128 characters."""
    if len(text) > ID_LENGTH:
        raise RefusedValueError(f"an identifier of at most {ID_LENGTH} characters")
    if not text.isprintable() and _visible(text, "an identifier on one line") != text:
        raise RefusedValueError("an identifier with ordinary spaces only")
    if "+" in text and _SPREADSHEET_NUMBER.fullmatch(text):
        raise RefusedValueError(
            "the identifier as text: a spreadsheet changed it to a number and lost digits;"
            " export it again with the column set to text"
        )
    return text


def line(text: str) -> str:
    """Text on one line (names, streets), at most 250 characters, composed (NFC)."""
    if len(text) > LINE_LENGTH:
        raise RefusedValueError(f"text of at most {LINE_LENGTH} characters")
    if not text.isprintable():
        text = _visible(text, "text on one line")
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def prose(text: str) -> str:
    """Free text, at most 4,000 characters; line ends and tabs become spaces."""
    if len(text) > PROSE_LENGTH:
        raise RefusedValueError(f"text of at most {PROSE_LENGTH} characters")
    if not text.isprintable():
        text = _visible(" ".join(text.split()), "text")
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def contact(text: str) -> str:
    """Keep an e-mail address or phone number as given, right or wrong: that it is wrong is a fact too.

    What cannot be shown becomes U+FFFD, so that the value stays harmless (no header or line of its own).
    """
    if len(text) > PROSE_LENGTH:
        raise RefusedValueError(f"an address of at most {PROSE_LENGTH} characters")
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else "\ufffd" for char in " ".join(text.split()))


def flag(text: str) -> bool:
    """Yes or no, in the words that exports use."""
    found = _YES_NO.get(text.lower())
    if found is None:
        raise RefusedValueError("true or false (also yes, no, ja, nee, 1, 0)")
    return found


def word(kinds: type[StrEnum]) -> Parse:
    """Make a parser for one of a fixed set of words."""
    known = {kind.value: kind for kind in kinds}
    expected = "one of " + ", ".join(known)

    def parse(text: str) -> StrEnum:
        found = known.get(text) or known.get(text.lower())
        if found is None:
            near = get_close_matches(text.lower()[:ID_LENGTH], known, n=1)
            raise RefusedValueError(expected + (f" (did you mean {near[0]}?)" if near else ""))
        return found

    return parse


def told_tone(text: str) -> Tone:
    """What another system told last, as a tone or in the usual words for it."""
    found = _TONES.get(" ".join(text.lower().replace("_", " ").split()))
    if found is None:
        raise RefusedValueError(
            "one of friendly, firm, formal, final, or a usual word such as herinnering, tweede herinnering,"
            " aanmaning, laatste aanmaning"
        )
    return found


def currency(text: str) -> str:
    """A currency as its ISO 4217 code in capitals."""
    if text not in MINOR_DIGITS:
        raise RefusedValueError("a currency code of three capitals (ISO 4217), such as EUR")
    return text


def country(text: str) -> str:
    """A country as its two letters."""
    if len(text) == 2 and text.isascii() and text.isalpha():
        return text.upper()
    raise RefusedValueError("a country code of two letters (ISO 3166), such as NL")


@lru_cache(maxsize=1_024)
def time_zone(text: str) -> str:
    """A time zone by its IANA name."""
    expected = "a time zone name such as Europe/Amsterdam"
    if not re.fullmatch(r"[A-Za-z0-9_+\-]+(?:/[A-Za-z0-9_+\-]+){0,2}", text):
        raise RefusedValueError(expected)
    try:
        ZoneInfo(text)
    # A folder of the zone database is asked for as a file by names such as "Europe".
    except (KeyError, ValueError, OSError) as wrong:
        raise RefusedValueError(expected) from wrong
    return text


def web_address(text: str) -> str:
    """A page where one can pay: https only, since a link in a message must be safe to follow."""
    if len(text) <= 2_000 and re.fullmatch(r"https://[!-~]+", text) and not set(text) & set("\"'<>\\`{}|^"):
        return text
    raise RefusedValueError("a web address that starts with https:// and has no spaces")


def document_path(text: str) -> str:
    """A file beside the import file: never a path that could reach another folder of the machine."""
    text = line(text)
    path = PurePosixPath(text)
    if "\\" in text or path.is_absolute() or ".." in path.parts or PureWindowsPath(text).drive:
        raise RefusedValueError(
            "a file name below the folder of the import file, such as invoices/2026-001.pdf"
        )
    return text


def _entry(text: str, position: str) -> tuple[str, str, str | None]:
    match = _ENTRY.fullmatch(text)
    if match is None or not match["id"].strip() or not match["name"].strip():
        raise RefusedValueError(f"`number: name <e-mail>`{position}; the e-mail may be left out")
    email = (match["email"] or "").strip()
    return identifier(match["id"].strip()), line(match["name"].strip()), contact(email) if email else None


def co_debtors(text: str) -> tuple[CoDebtor, ...]:
    """Those who owe the same: `number: name <e-mail>`, separated by `|`; the e-mail may be left out."""
    entries = text.split("|")
    found = tuple(CoDebtor(*_entry(part.strip(), f" as entry {n}")) for n, part in enumerate(entries, 1))
    if len({entry.debtor_id for entry in found}) < len(found):
        raise RefusedValueError("each co-debtor once: a number stands there twice")
    return found


def representative(text: str) -> Representative:
    """Who acts for the debtor: one entry `number: name <e-mail>`."""
    return Representative(*_entry(text, ""))
