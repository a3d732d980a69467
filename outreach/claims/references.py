"""Payment references that check themselves: the Dutch betalingskenmerk, the Belgian OGM and ISO 11649 (RF).

The Dutch check digit lets some errors of one digit through, because two remainders share the digit 1 (about two in a
hundred): a payment is matched by an open claim as well, never by the reference alone.
"""

from __future__ import annotations

import re

from outreach.claims.facts import Struct

KENMERK, OGM, ISO = "betalingskenmerk", "ogm", "iso11649"
_WEIGHTS = (2, 4, 8, 5, 10, 9, 7, 3, 6, 1)
"""From right to left, and again from the first."""


class Checked(Struct, frozen=True):
    """What a text is: its scheme, None where it has the form of none, and whether its check digits are right."""

    valid: bool
    scheme: str | None


def dutch_reference(number: str) -> str:
    """Return the betalingskenmerk of sixteen digits for a number of at most fifteen. Raises ValueError for others."""
    _digits(number, 15)
    body = number.zfill(15)
    return _check_digit(body) + body


def belgian_reference(number: str) -> str:
    """Return the structured communication for a number of at most ten digits. Raises ValueError for others."""
    _digits(number, 10)
    body = number.zfill(10)
    digits = body + f"{int(body) % 97 or 97:02d}"
    return f"+++{digits[:3]}/{digits[3:7]}/{digits[7:]}+++"


def iso_reference(text: str) -> str:
    """Return the RF reference for at most 21 letters A-Z and digits. Raises ValueError for others."""
    if not re.fullmatch(r"[0-9A-Z]{1,21}", text):
        raise ValueError("expected 1 to 21 capital letters and digits")
    return f"RF{98 - _mod_97(text + 'RF00'):02d}{text}"


def check_reference(text: str) -> Checked:
    """Return what a reference is; spaces do not count. A short one of seven digits has nothing that can be checked."""
    plain = re.sub(r"[ \t\u00a0]", "", text)
    if re.fullmatch(r"RF[0-9]{2}[0-9A-Z]{1,21}", plain.upper()):
        return Checked(valid=_mod_97(plain.upper()[4:] + plain.upper()[:4]) == 1, scheme=ISO)
    if re.fullmatch(r"(\+\+\+|\*\*\*)[0-9]{3}/?[0-9]{4}/?[0-9]{5}\1", plain):
        return Checked(valid=_ogm(re.sub(r"[^0-9]", "", plain)), scheme=OGM)
    if re.fullmatch(r"[0-9]{7}|[0-9]{9,14}|[0-9]{16}", plain):
        valid = _kenmerk(plain)
        if not valid and len(plain) == 12 and _ogm(plain):
            return Checked(valid=True, scheme=OGM)
        return Checked(valid=valid, scheme=KENMERK)
    return Checked(valid=False, scheme=None)


def _digits(number: str, most: int) -> None:
    if not re.fullmatch(rf"[0-9]{{1,{most}}}", number):
        raise ValueError(f"expected 1 to {most} digits")


def _kenmerk(digits: str) -> bool:
    """Between nine and fourteen digits the second one tells how many follow."""
    if len(digits) == 7:
        return True
    if len(digits) < 16 and int(digits[1]) != (len(digits) - 2) % 10:
        return False
    return digits[0] == _check_digit(digits[1:])


def _check_digit(body: str) -> str:
    total = sum(int(digit) * _WEIGHTS[n % len(_WEIGHTS)] for n, digit in enumerate(reversed(body)))
    rest = 11 - total % 11
    return str({10: 1, 11: 0}.get(rest, rest))


def _ogm(digits: str) -> bool:
    return (int(digits[:10]) % 97 or 97) == int(digits[10:])


def _mod_97(text: str) -> int:
    return int("".join(str(int(sign, 36)) for sign in text)) % 97
