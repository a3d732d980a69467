"""Mails for tests of channels."""

from __future__ import annotations

from datetime import UTC, datetime

from channels.email.mime import build
from channels.protocol import Channel, Envelope, Outcome, Prepared, Text

TEXT = Text("Bericht over uw rekening", "Beste Zoë,\n\n.. € 12,50 ..\n", "<p>Beste Zoë, <b>€ 12,50</b></p>\n")


def envelope(number: int = 1, **changes: object) -> Envelope:
    """An envelope with a token of its own."""
    values: dict[str, object] = {
        "token": f"{number:032x}",
        "to_name": "Zoë Jansen",
        "to_address": f"p{number}@example.nl",
        "from_name": "Energie Noord",
        "from_address": "rekening@mail.example.nl",
        "reply_to": "vragen@example.nl",
        "domain": "mail.example.nl",
        "language": "nl",
        "at": datetime(2026, 5, 1, 7, 0, tzinfo=UTC),
    }
    return Envelope(**{**values, **changes})  # type: ignore[arg-type]


def mail(number: int = 1, *, to: str = "", payload: bytes = b"") -> Prepared:
    """A mail at the door."""
    about = envelope(number)
    sender = f"bounce+{about.token}@mail.example.nl"
    return Prepared(about.token, to or about.to_address, sender, payload or build(TEXT, about))


async def send(channel: Channel, prepared: Prepared) -> Outcome:
    """Hand one mail over through a slot of its own."""
    async with channel.slot() as slot:
        return await slot.send(prepared)
