"""Checks an email address and brings it into the one form that is stored, compared and sent to.

Stricter than RFC 5321 where a mistake would reach another person: what a normal mailbox never has
(quoted local parts, comments, address literals, non-ASCII local parts) is refused rather than repaired.
Messages of errors say what was expected and never repeat the address, because they may be logged.
"""

from __future__ import annotations

import re

MAX_ADDRESS = 254
"""Octets of a whole address (RFC 5321 4.5.3.1.3, path of 256 without its angle brackets)."""
MAX_LOCAL = 64
"""Octets before the @ (RFC 5321 4.5.3.1.1)."""
MAX_DOMAIN = 255
"""Octets after the @ (RFC 5321 4.5.3.1.2)."""

_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN = re.compile(rf"(?:{_LABEL}\.)+(?=[a-z0-9-]*[a-z]){_LABEL}")
# ß, final sigma and the joiners: IDNA 2003 (the codec of the standard library) maps them to another
# domain than IDNA 2008 does, and another domain is another person.
_DEVIATING = re.compile("[\u00df\u1e9e\u03c2\u200c\u200d]")


def normalise(address: str) -> str:
    """Return the address with its domain in lower-case A-labels (RFC 5890); the local part stays as it is.

    Raises ValueError, saying what was expected, for anything that is not a plain `local@domain.tld`.
    """
    if not address.isprintable() or " " in address:
        raise ValueError("email address: expected no spaces, line breaks or control characters")
    local, at, domain = address.rpartition("@")
    if not at or not local or not domain:
        raise ValueError("email address: expected one @ with a name before and a domain after it")
    if not local.isascii():
        raise ValueError("email address: expected only ASCII before the @ (SMTPUTF8 is not supported)")
    if not _LOCAL.fullmatch(local):
        raise ValueError("email address: expected letters, digits and single dots before the @, unquoted")
    if len(local) > MAX_LOCAL:
        raise ValueError(f"email address: expected at most {MAX_LOCAL} characters before the @")
    domain = _a_labels(domain)
    if len(local) + 1 + len(domain) > MAX_ADDRESS:
        raise ValueError(f"email address: expected at most {MAX_ADDRESS} characters")
    return f"{local}@{domain}"


def _a_labels(domain: str) -> str:
    """The domain in lower-case ASCII; ValueError when it is no host name of two labels or more."""
    if not domain.isascii():
        if _DEVIATING.search(domain):
            raise ValueError("email address: expected a domain without ß, ς or joiners; give its xn-- form")
        try:
            domain = domain.encode("idna").decode("ascii")
        except UnicodeError as error:
            raise ValueError("email address: expected a domain that has an IDNA form") from error
    domain = domain.lower()
    if len(domain) > MAX_DOMAIN or not _DOMAIN.fullmatch(domain):
        raise ValueError("email address: expected a domain such as example.nl after the @")
    return domain
