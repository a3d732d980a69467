"""Keeps other people's words harmless: one line, in the order it shows, nothing a mail client links."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

NARROW_SPACE = "\u202f"

# Controls end a header or a line; bidirectional overrides make a text read other than it is; a lone
# surrogate can't be encoded.
_FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")

# Mail clients and address parsers take all of these for a dot.
_DOT = "[.\uff0e\u3002\uff61\u2024]"
# A top-level domain has two letters or more, so an initial (`J.P. de Vries`, `B.V.`) is left as it is.
# Anything else that is not a digit, a space or plain punctuation may be an invisible character in a domain.
_DOMAIN = rf"{_DOT}(?=[^\W\d_][^\s.,;:!?)('\"/&]|[^\w\s.,;:!?)('\"/&])"
_LINKING = re.compile(
    rf"{_DOMAIN}|(?<=[wW][wW][wW]){_DOT}(?=\S)"  # evil.example, www.4u
    r"|(?<=[^\W\d_]):(?=\S)"  # http://, mailto:name, but not 12:30
    r"|(?<=[/\\:])[/\\](?=\S)"  # //host
    r"|@(?=\S)",
)
# A reference such as `K:12` may have a colon, as banks allow it; only what surely links is refused there.
_ADDRESS_LIKE = re.compile(rf"{_DOMAIN}|//|@|\b(?:mailto|tel|sms|callto):", re.IGNORECASE)

_ADDRESS = re.compile(r"[^\s@<>\"'():,;\[\]\\]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*")
_WEB = re.compile(r"[!#$%&()*+,\-./0-9:;=?@A-Z\[\]_a-z~]+")
_LOOPBACK = ("127.0.0.1", "localhost", "::1")

# Words by which somebody who looks along sees that money is owed; in the languages we write.
_TELLING = re.compile(
    r"incass|schuld|deurwaarder|aanman|achterstand|invorder|vordering|debiteur|wanbeta|sommat|krediet"
    r"|debt|collect|bailiff|arrears|overdue|credit",
    re.IGNORECASE,
)


class FieldError(ValueError):
    """A value that may not be shown; `field` names it."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(f"{field}: {why}")
        self.field = field


def single_line(value: object, field: str, *, required: bool = True) -> str:
    """Give the text back when it is one harmless line; refuse it by name otherwise."""
    if not isinstance(value, str):
        raise FieldError(field, f"must be text, not {type(value).__name__}")
    if found := _FORBIDDEN.search(value):
        raise FieldError(field, f"holds the control character U+{ord(found[0]):04X}")
    if required and not value.strip():
        raise FieldError(field, "is empty")
    return value.strip()


def unlinked(value: str) -> str:
    """Part whatever a mail client would turn into a link by a narrow space, which shows as a thin gap.

    A zero-width character would not do: clients that link "everything up to a space" keep it in the
    address, and address parsers then drop it. A space ends the address for all of them.
    """
    return _LINKING.sub(lambda found: found[0] + NARROW_SPACE, value)


def copied(value: object, field: str) -> str:
    """Check a text that the reader must copy exactly, which therefore can't be parted when it would link."""
    text = single_line(value, field)
    if _ADDRESS_LIKE.search(text):
        raise FieldError(field, "looks like a web or mail address")
    return text


def mail_address(value: object, field: str) -> str:
    """Check an address the reader may write to; empty when there is none."""
    text = single_line(value, field, required=False)
    if text and not _ADDRESS.fullmatch(text):
        raise FieldError(field, "is not a mail address")
    return text


def web_address(value: object, field: str) -> str:
    """Check a link the reader may follow: https (http to this machine only), no user name hidden in it."""
    text = single_line(value, field, required=False)
    if not text:
        return text
    try:
        parts = urlsplit(text)
        host = parts.hostname or ""
    except ValueError:
        raise FieldError(field, "is not a web address") from None
    safe = parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK)
    if not (_WEB.fullmatch(text) and safe and host) or "@" in parts.netloc:
        raise FieldError(field, "is not an https address")
    return text


def is_discreet(name: str) -> bool:
    """Tell whether a name may show on a lock screen without saying anything of debt."""
    return _TELLING.search(name) is None
