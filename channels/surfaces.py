"""Where a text shows, and whether somebody other than the addressee can see it there."""

from enum import StrEnum


class Surface(StrEnum):
    """A place where words of a message show."""

    SENDER = "sender"
    SUBJECT = "subject"
    PREHEADER = "preheader"
    BODY = "body"
    SMS = "sms"
    LETTER = "letter"


OPEN_SURFACES = frozenset({Surface.SENDER, Surface.SUBJECT, Surface.PREHEADER, Surface.SMS})
"""A lock screen shows these; nothing in them says anything of debt."""
