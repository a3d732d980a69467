"""Builds the exact bytes of an email, by hand, because `email.message` takes forty times as long.

The shape is fixed: `multipart/alternative` of plain text and HTML, or plain text alone; UTF-8 in base64,
so that a mail needs no 8BITMIME (RFC 6152), has short lines and is never changed on its way.
A differential test holds it against the `email` package. Same text and envelope: same bytes.
"""

from __future__ import annotations

import binascii
import re
from datetime import UTC, datetime
from functools import lru_cache

from channels.email.address import normalise
from channels.protocol import Envelope, Text

_LINE = 78
"""Octets a header line should not exceed (RFC 5322 2.1.1)."""
_WORD_BYTES = 39
"""UTF-8 bytes in one encoded word: 64 octets, so that any line with it has at most 76 (RFC 2047 2)."""
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_TOKEN = re.compile(r"[0-9a-f]{32}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*")


def build(text: Text, envelope: Envelope) -> bytes:
    """Return the mail (RFC 5322, CRLF, ASCII only) that says `text`; implements `channels.protocol.Builder`.

    Raises ValueError with the name of the field that cannot be said in a mail, such as a name with a line
    break in it: nothing is stripped or repaired in silence.
    """
    if not _TOKEN.fullmatch(envelope.token):
        raise ValueError("token: expected 32 lower-case hex characters")
    sender = _known_address("from_address", envelope.from_address)
    recipient = _address("to_address", envelope.to_address)
    head = (
        f"{_mailbox('From', 'from_name', envelope.from_name, sender)}"
        f"{_mailbox('To', 'to_name', envelope.to_name, recipient)}"
        f"Reply-To: {_known_address('reply_to', envelope.reply_to)}\r\n"
        f"{_subject(text.subject)}"
        f"Date: {_date(envelope.at)}\r\n"
        f"Message-ID: <{envelope.token}@{_domain(envelope.domain)}>\r\n"
        "MIME-Version: 1.0\r\n"
        "Auto-Submitted: auto-generated\r\n"
        f"Content-Language: {_language(envelope.language)}\r\n"
    )
    plain = _body("plain", text.plain)
    if not text.html:
        return b"%b%b\r\n" % (head.encode("ascii"), _part("plain", plain))
    # A base64 body has neither "_" nor a "=" at the start of a line, so the boundary cannot occur in it.
    boundary = f"=_{envelope.token}"
    head += f'Content-Type: multipart/alternative;\r\n boundary="{boundary}"\r\n'
    html = _body("html", text.html)
    mark = boundary.encode("ascii")
    return b"%b\r\n--%b\r\n%b\r\n--%b\r\n%b\r\n--%b--\r\n" % (
        head.encode("ascii"),
        mark,
        _part("plain", plain),
        mark,
        _part("html", html),
        mark,
    )


def _part(subtype: str, body: bytes) -> bytes:
    """One text part with its headers, without the line end that closes it."""
    return (
        b'Content-Type: text/%b; charset="utf-8"\r\nContent-Transfer-Encoding: base64\r\n\r\n%b'
        % (subtype.encode("ascii"), body)
    )  # fmt: skip


def _body(field: str, text: str) -> bytes:
    """The text with CRLF line ends (RFC 2046 4.1.1) as base64 in lines of 76 characters (RFC 2045 6.8)."""
    octets = _utf8(field, text)
    if b"\0" in octets:
        raise ValueError(f"{field}: expected text without NUL")
    if b"\r" in octets:
        octets = octets.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    encoded = binascii.b2a_base64(octets.replace(b"\n", b"\r\n"), newline=False)
    return b"\r\n".join([encoded[start : start + 76] for start in range(0, len(encoded), 76)])


def _utf8(field: str, text: str) -> bytes:
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ValueError(f"{field}: expected Unicode text without lone surrogates") from error


def _subject(subject: str) -> str:
    """The Subject header; plain where it fits on one line, folded at single spaces or encoded otherwise."""
    _refuse_control("subject", subject)
    plain = subject.isascii() and "=?" not in subject and subject == subject.strip(" ")
    if plain and len(subject) <= _LINE - len("Subject: "):
        return f"Subject: {subject}\r\n"
    if plain and "  " not in subject:
        lines = _folded(subject.split(" "), _LINE - len("Subject: "))
        if lines:
            return "Subject: " + "\r\n ".join(lines) + "\r\n"
    return "Subject: " + "\r\n ".join(_encoded_words("subject", subject)) + "\r\n"


def _folded(words: list[str], width: int) -> list[str]:
    """The words in lines of at most `width` characters; nothing when one of them is longer than that."""
    lines: list[str] = []
    for word in words:
        if len(word) > width:
            return []
        if lines and len(lines[-1]) + 1 + len(word) <= width:
            lines[-1] += " " + word
        else:
            lines.append(word)
    return lines


def _encoded_words(field: str, value: str) -> list[str]:
    """The value as encoded words (RFC 2047, "b"), each of whole characters, to be put one a line."""
    octets = _utf8(field, value)
    chunks = [octets] if len(octets) <= _WORD_BYTES else _whole_characters(value)
    return [f"=?utf-8?b?{binascii.b2a_base64(chunk, newline=False).decode('ascii')}?=" for chunk in chunks]


def _whole_characters(value: str) -> list[bytes]:
    """The value in UTF-8, in pieces that fit one encoded word and never split a character."""
    chunks: list[bytes] = []
    current = b""
    for character in value:
        octets = character.encode("utf-8")
        if len(current) + len(octets) > _WORD_BYTES:
            chunks.append(current)
            current = b""
        current += octets
    chunks.append(current)
    return chunks


def _mailbox(header: str, field: str, name: str, address: str) -> str:
    """A From or To header: the address alone, or a display name (RFC 5322 3.4) and the address."""
    if not name:
        return f"{header}: {address}\r\n"
    _refuse_control(field, name)
    if _ATOMS.fullmatch(name) and "=?" not in name:
        phrase = name
    elif name.isascii() and "=?" not in name:
        quoted = name.replace("\\", "\\\\").replace('"', '\\"')
        phrase = f'"{quoted}"'
    else:
        phrase = ""
    room = _LINE - len(header) - len(": ")
    if not phrase or len(phrase) > room:
        # Encoded words carry any name and fold between any two characters; a quoted string does not.
        phrase = "\r\n ".join(_encoded_words(field, name))
    start = f"{header}: {phrase}"
    last_line = len(start) - (start.rfind("\n") + 1)
    fold = " " if last_line + len(address) + 3 <= _LINE else "\r\n "
    return f"{start}{fold}<{address}>\r\n"


def _refuse_control(field: str, value: str) -> None:
    if _CONTROL.search(value):
        raise ValueError(f"{field}: expected no line breaks or other control characters")


def _address(field: str, address: str) -> str:
    try:
        return normalise(address)
    except ValueError as error:
        raise ValueError(f"{field}: {error}") from error


# A sender and an answering address are the operator's own and the same for every mail.
_known_address = lru_cache(maxsize=64)(_address)


@lru_cache(maxsize=64)
def _domain(domain: str) -> str:
    try:
        return normalise(f"token@{domain}").rpartition("@")[2]
    except ValueError as error:
        raise ValueError("domain: expected a mail domain such as example.nl") from error


@lru_cache(maxsize=64)
def _language(language: str) -> str:
    if not _LANGUAGE.fullmatch(language):
        raise ValueError("language: expected a language tag such as nl or nl-NL (RFC 5646)")
    return language


def _date(at: datetime) -> str:
    """The date and time of RFC 5322 3.3, independent of the locale."""
    offset = at.utcoffset()
    if offset is None:
        raise ValueError("at: expected a time with its offset")
    seconds = offset.days * 86400 + offset.seconds
    if seconds % 60:
        # Only historic local mean times have such offsets; the header knows hours and minutes.
        return _date(at.astimezone(UTC))
    sign, minutes = ("+", seconds // 60) if seconds >= 0 else ("-", -seconds // 60)
    return (
        f"{_DAYS[at.weekday()]}, {at.day:02d} {_MONTHS[at.month - 1]} {at.year:04d} "
        f"{at.hour:02d}:{at.minute:02d}:{at.second:02d} {sign}{minutes // 60:02d}{minutes % 60:02d}"
    )
