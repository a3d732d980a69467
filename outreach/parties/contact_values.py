"""How a way to reach somebody is written, so that the same address has the same key wherever it comes from.

Each function that ends in `_value` raises ValueError with what was expected where the text cannot be such an address.
"""

from __future__ import annotations

import re

_EMAIL = re.compile(r"[^\s@<>()\[\],;:\\\"]{1,64}@[^\s@<>()\[\],;:\\\"_.]+(?:\.[^\s@<>()\[\],;:\\\"_.]+)+")
_PHONE = re.compile(r"(?:\+|00)?[0-9](?:[ ().\-/]*[0-9]){5,14}")
_FILLING = re.compile(r"[ ().\-/]")
_DUTCH_POSTCODE = re.compile(r"([1-9][0-9]{3})\s*([A-Za-z]{2})")


def email_looks_right(text: str) -> bool:
    """Whether the text has the shape of an e-mail address; whether it exists is for the channel to learn."""
    # U+FFFD stands for what could not be read.
    return (
        len(text) <= 254
        and text.isprintable()
        and "\ufffd" not in text
        and _EMAIL.fullmatch(text) is not None
    )


def phone_looks_right(text: str) -> bool:
    """Whether the text has the shape of a phone number, with or without country code."""
    return _PHONE.fullmatch(text.replace("(0)", "")) is not None


def dutch_postcode(text: str) -> str | None:
    """Write a Dutch postcode as `1234 AB`; None when the text is none."""
    match = _DUTCH_POSTCODE.fullmatch(text)
    return f"{match[1]} {match[2].upper()}" if match else None


def email_value(text: str) -> str:
    """Return an e-mail address with its domain in lower case."""
    text = text.strip()
    if not email_looks_right(text):
        raise ValueError("expected an e-mail address, as in jan@example.net")
    local, _, domain = text.rpartition("@")
    return f"{local}@{domain.lower()}"


def phone_value(text: str, country: str = "NL") -> str:
    """Return a phone number with its country code and no other marks; a Dutch one may come without the code."""
    text = text.strip()
    if not phone_looks_right(text):
        raise ValueError("expected a phone number, as in 06 12345678 or +31 6 12345678")
    digits = _FILLING.sub("", text.replace("(0)", ""))
    if digits.startswith("00"):
        return f"+{digits[2:]}"
    return f"+31{digits[1:]}" if digits.startswith("0") and country == "NL" else digits


def address_value(
    street: str, house_number: str, suffix: str, postcode: str, city: str, country: str = "NL"
) -> str:
    """Return a postal address as the lines below the name; the country's stands last, outside the Netherlands."""
    parts = [" ".join(part.split()) for part in (street, house_number, suffix, postcode, city)]
    if not parts[0] or not (parts[3] or parts[4]):
        raise ValueError("expected at least --street, and --postcode or --city")
    if not all(part.isprintable() for part in parts):
        raise ValueError("expected an address without control characters")
    if country == "NL" and parts[3]:
        postcode_value = dutch_postcode(parts[3])
        if postcode_value is None:
            raise ValueError(f"expected a Dutch postcode as in 1234 AB, not {parts[3]!r} (or add --country)")
        parts[3] = postcode_value
    lines = [" ".join(part for part in group if part) for group in (parts[:3], parts[3:])]
    return "\n".join([*lines, country] if country != "NL" else lines)
