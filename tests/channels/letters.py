"""Letters for tests of channels."""

from __future__ import annotations

from datetime import UTC, datetime

from channels.letter.page import build
from channels.protocol import Envelope, Prepared, Text

TEXT = Text("Uw rekening van november", "", "<p>Beste Zoë,</p>\n<p>Nog open: € 12,50</p>\n")


def envelope(number: int = 1, **changes: object) -> Envelope:
    """An envelope with a token and a house of its own."""
    values: dict[str, object] = {
        "token": f"{number:032x}",
        "to_name": "Zoë Jansen",
        "to_address": f"Kogge {number}\n1657 KA Abbekerk",
        "from_name": "Energie Noord",
        "from_address": "rekening@mail.example.nl",
        "reply_to": "vragen@example.nl",
        "domain": "mail.example.nl",
        "language": "nl",
        "at": datetime(2026, 5, 1, 7, 0, tzinfo=UTC),
    }
    return Envelope(**{**values, **changes})  # type: ignore[arg-type]


def letter(number: int = 1, **changes: object) -> Prepared:
    """A letter at the door."""
    about = envelope(number, **changes)
    return Prepared(about.token, about.to_address, about.from_address, build(TEXT, about))
