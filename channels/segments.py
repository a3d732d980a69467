"""How a text message is cut: its alphabet, its units and its segments, which are what a provider charges for.

3GPP TS 23.038 section 6.2.1 (the default alphabet and its extension), TS 23.040 section 9.2.3.24.1 (a message of
several segments gives six bytes of each to a header).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("^{}\\[~]|€\f")
"""Each takes two units: an escape and itself."""

GSM = _BASIC | _EXTENDED
"""What fits into seven bits. Of Dutch, ë, ï, ç and the curled quotes do not."""

_SINGLE = {"GSM-7": 160, "UCS-2": 70}
_PART = {"GSM-7": 153, "UCS-2": 67}


@dataclass(frozen=True, slots=True)
class Segments:
    """A text as it is sent: its encoding, how many segments of it, and how many units (septets, or UTF-16 words)."""

    encoding: str
    segments: int
    units: int


def segments(text: str) -> Segments:
    """Return how a text is cut. A pair, as an escape and its sign, is never cut in two."""
    encoding = "GSM-7" if GSM.issuperset(text) else "UCS-2"
    if encoding == "GSM-7":
        widths = [2 if sign in _EXTENDED else 1 for sign in text]
    else:
        widths = [2 if ord(sign) > 0xFFFF else 1 for sign in text]
    units = sum(widths)
    count = 1 if units <= _SINGLE[encoding] else _parts(widths, _PART[encoding])
    return Segments(encoding, count, units)


def _parts(widths: Iterable[int], room: int) -> int:
    parts, left = 1, room
    for width in widths:
        if width > left:
            parts, left = parts + 1, room
        left -= width
    return parts
