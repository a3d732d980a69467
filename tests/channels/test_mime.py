"""The hand-made mail against the `email` package, which reads it and makes its own of the same input."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from email import message_from_bytes
from email.header import decode_header, make_header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, compat32, default
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.email.mime import build
from channels.protocol import Envelope, Text
from tests.channels.mails import TEXT, envelope

_LINE_END = re.compile("\r\n|\r|\n")
_SPACES = re.compile(r"\s+")

printable = st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp"))
words = st.text(printable, max_size=300)
short_words = st.text(printable, max_size=9)
ascii_words = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=300)
dutch_words = st.lists(
    st.sampled_from(
        ["Uw", "rekening", "van", "mei", "€", "12,50", "vóór", "Zoë", "x" * 40, '"', "\\", ".", ","]
    ),
    max_size=40,
).map(" ".join)
bodies = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=400)
offsets = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
moments = st.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 31), timezones=offsets)  # noqa: DTZ001


def read(payload: bytes) -> EmailMessage:
    """The mail as the `email` package reads it."""
    return message_from_bytes(payload, policy=default)


def reference(text: Text, about: Envelope) -> EmailMessage:
    """What the `email` package makes of the same input, read back."""
    message = EmailMessage(policy=SMTP)
    message["From"] = Address(about.from_name, addr_spec=about.from_address)
    message["To"] = Address(about.to_name, addr_spec=about.to_address)
    message["Reply-To"] = about.reply_to
    message["Subject"] = text.subject
    message["Date"] = about.at
    message["Message-ID"] = f"<{about.token}@{about.domain}>"
    message["MIME-Version"] = "1.0"
    message["Auto-Submitted"] = "auto-generated"
    message["Content-Language"] = about.language
    message.set_content(text.plain, cte="base64")
    if text.html:
        message.add_alternative(text.html, subtype="html", cte="base64")
    return read(message.as_bytes())


def shape(message: EmailMessage) -> list[tuple[str, str, str | None, str]]:
    """Type, encoding, charset and text of every part; the `email` package adds a line end to a text."""
    found = []
    for part in message.walk():
        about = (part.get_content_type(), str(part["Content-Transfer-Encoding"]), part.get_content_charset())
        content = "" if part.is_multipart() else _LINE_END.sub("\n", part.get_content()).removesuffix("\n")
        found.append((*about, content))
    return found


def assert_fit_for_transport(payload: bytes) -> None:
    """ASCII, CRLF only, no control characters, no line over 78 but for what cannot be folded."""
    assert payload.isascii()
    assert payload.endswith(b"\r\n")
    assert payload.count(b"\r\n") == payload.count(b"\r") == payload.count(b"\n")
    assert max(map(len, payload.split(b"\r\n"))) <= 998
    assert not re.search(rb"[\x00-\x09\x0b\x0c\x0e-\x1f\x7f]", payload)


def assert_no_defects(message: EmailMessage) -> None:
    for part in message.walk():
        assert not part.defects
        for header in part.values():
            assert not cast(Any, header).defects


@settings(max_examples=60, deadline=None)
@given(subject=words | dutch_words | ascii_words, plain=bodies, html=bodies, at=moments)
def test_the_email_package_reads_from_our_mail_what_it_reads_from_its_own(
    subject: str, plain: str, html: str, at: datetime
) -> None:
    """Headers, part types, charsets and bodies are those of an EmailMessage of the same input."""
    text = Text(subject, plain, html)
    about = envelope(at=at)
    payload = build(text, about)
    ours, theirs = read(payload), reference(text, about)

    assert_fit_for_transport(payload)
    assert_no_defects(ours)
    assert str(ours["Subject"]) == subject
    if "=?" not in subject:
        # EmailMessage decodes what looks encoded, and its folding adds, moves and loses spaces.
        assert _SPACES.sub("", str(theirs["Subject"])) == _SPACES.sub("", subject)
    for name in ("From", "To", "Reply-To", "Date", "Message-ID", "MIME-Version", "Auto-Submitted"):
        assert str(ours[name]) == str(theirs[name])
    assert ours["Date"].datetime == at.replace(microsecond=0)
    assert str(ours["Content-Language"]) == about.language
    assert shape(ours)[0][0] == ("multipart/alternative" if html else "text/plain")
    if "\x85" not in plain + html:
        assert shape(ours) == shape(theirs)
    leaves = [part.get_payload(decode=True) for part in ours.walk() if not part.is_multipart()]
    said = [plain, html] if html else [plain]
    assert leaves == [_LINE_END.sub("\r\n", body).encode() for body in said]
    assert build(text, about) == payload


@settings(max_examples=60, deadline=None)
@given(name=short_words)
def test_a_display_name_is_read_back_as_it_was_written(name: str) -> None:
    """Quotes, backslashes, commas and any script reach the reader unchanged."""
    payload = build(TEXT, envelope(to_name=name, from_name=name))
    message = read(payload)

    assert_fit_for_transport(payload)
    for header, address in (("To", "p1@example.nl"), ("From", "rekening@mail.example.nl")):
        (read_back,) = message[header].addresses
        assert (read_back.display_name, read_back.addr_spec) == (name, address)


@settings(max_examples=60, deadline=None)
@given(name=words | ascii_words | dutch_words)
def test_a_long_display_name_is_folded_between_encoded_words(name: str) -> None:
    """RFC 2047 joins adjacent encoded words; of Python 3.11 only the older reader does so in a name."""
    payload = build(TEXT, envelope(to_name=name))
    message = message_from_bytes(payload, policy=compat32)

    assert_fit_for_transport(payload)
    assert max(map(len, payload.split(b"\r\n"))) <= 78
    phrase, _, address = re.sub(r"\r\n(?= )", "", message["To"]).rpartition("<")
    if "=?" in phrase:
        phrase = str(make_header(decode_header(phrase)))
        assert phrase.rstrip(" ") == name.rstrip(" ")
    assert address.strip("<>") == "p1@example.nl"


@pytest.mark.parametrize(
    "field", ["to_name", "from_name", "to_address", "from_address", "reply_to", "domain"]
)
@pytest.mark.parametrize(
    "bad", ["\r\nBcc: x@example.nl", "\n", "\r", "\0", "\t", "\x1b", "\x7f", "\x85", "\u2028"]
)
def test_control_characters_in_a_header_are_refused_by_the_field_name(field: str, bad: str) -> None:
    """Nothing is stripped in silence: the same value without the character is taken."""
    good = getattr(envelope(), field)
    assert build(TEXT, envelope(**{field: good}))
    with pytest.raises(ValueError, match=field):
        build(TEXT, envelope(**{field: good[:3] + bad + good[3:]}))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"token": "0" * 31}, "token"),
        ({"token": "0" * 32 + "\n"}, "token"),
        ({"language": "nl\r\nX: y"}, "language"),
        ({"language": ""}, "language"),
        ({"at": datetime(2026, 5, 1)}, "at"),  # noqa: DTZ001
        ({"to_name": "\ud800"}, "to_name"),
        ({"to_address": "zoë@example.nl"}, "to_address"),
        ({"domain": "localhost"}, "domain"),
    ],
)
def test_what_a_mail_cannot_say_is_refused_by_the_field_name(changes: dict[str, Any], field: str) -> None:
    """A token, language, time or address that is none never reaches a header."""
    with pytest.raises(ValueError, match=field):
        build(TEXT, envelope(**changes))


@pytest.mark.parametrize(
    ("text", "field"),
    [
        (Text("Uw\nrekening", "x"), "subject"),
        (Text("Uw \ud800", "x"), "subject"),
        (Text("Uw", "\ud800"), "plain"),
        (Text("Uw", "a\0b"), "plain"),
        (Text("Uw", "x", "\ud800"), "html"),
    ],
)
def test_a_text_that_cannot_be_encoded_is_refused_by_the_field_name(text: Text, field: str) -> None:
    """Lone surrogates and NUL have no place in a mail."""
    with pytest.raises(ValueError, match=field):
        build(text, envelope())


def test_a_domain_in_another_script_is_written_in_its_ascii_form() -> None:
    """Headers stay ASCII without SMTPUTF8."""
    message = read(build(TEXT, envelope(to_address="info@café.nl")))
    assert message["To"].addresses[0].addr_spec == "info@xn--caf-dma.nl"


def test_an_odd_offset_of_a_historic_zone_is_written_in_utc() -> None:
    """A Date header knows no seconds of offset."""
    at = datetime(1930, 1, 1, 12, 0, tzinfo=timezone(timedelta(minutes=19, seconds=32)))
    message = read(build(TEXT, envelope(at=at)))
    assert message["Date"].datetime == at
    assert str(message["Date"]).endswith("-0000") or str(message["Date"]).endswith("+0000")
