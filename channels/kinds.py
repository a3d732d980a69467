"""The kinds of channel over which a person can be reached."""

from enum import StrEnum


class Kind(StrEnum):
    """How a message reaches a person; stored as its word."""

    EMAIL = "email"
    SMS = "sms"
    LETTER = "letter"
    VIDEO = "video"
