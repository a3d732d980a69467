"""What every channel promises: build the exact bytes, open a slot, hand over, tell the outcome."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol, runtime_checkable

from channels.kinds import Kind


class OutcomeKind(StrEnum):
    """What became of one hand-over."""

    ACCEPTED = "accepted"
    """The other side took responsibility for the message."""
    REFUSED_RECIPIENT = "refused_recipient"
    """Definitely refused because of this recipient: the next channel."""
    REFUSED_US = "refused_us"
    """Definitely refused because of us (login, policy, relay down): the message stays ready."""
    RETRY_AFTER = "retry_after"
    """Certainly not accepted now; the same message may be offered again later."""
    IN_DOUBT = "in_doubt"
    """Nobody knows: the bytes may have been accepted. Never offered again by itself."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The answer to one hand-over.

    `code` is safe to log (a status such as "250" or "550 5.1.1", or a word such as "timeout").
    `detail` is what the other side said; it may hold personal data and never goes to a log line.
    """

    kind: OutcomeKind
    code: str
    detail: str = ""
    retry_after: timedelta | None = None
    provider_id: str | None = None


@dataclass(frozen=True, slots=True)
class Envelope:
    """From whom, to whom and under which token a message goes; all that a builder needs beside the text.

    `token` is 32 hex characters (128 bits), the stem of Message-ID and return path.
    `domain` is the operator's mail domain; `at` is the aware time the message carries as its date.
    """

    token: str
    to_name: str
    to_address: str
    from_name: str
    from_address: str
    reply_to: str
    domain: str
    language: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Text:
    """What a template produced for one message: unescaped plain text, and HTML where the channel shows it."""

    subject: str
    plain: str
    html: str = ""


class Builder(Protocol):
    """Turns text and envelope into the exact bytes that are kept, shown in a preview and sent. Pure."""

    def __call__(self, text: Text, envelope: Envelope) -> bytes:
        """Return the bytes; raise ValueError, with the field's name, for what can't be said this way."""
        ...


@dataclass(frozen=True, slots=True)
class Prepared:
    """One message at the door: exact bytes, the address, the return path's token."""

    token: str
    to_address: str
    from_address: str
    payload: bytes


class Slot(Protocol):
    """A place to hand over one message: a connection and a rate token."""

    async def send(self, prepared: Prepared) -> Outcome:
        """Hand over; never raises for what the other side or the network does, only for errors of ours."""
        ...


class Channel(Protocol):
    """A way for messages to leave. `places` is how many slots may be open at once in this process."""

    @property
    def kind(self) -> Kind:
        """The kind of channel this carries."""
        ...

    @property
    def places(self) -> int:
        """How many slots may be open at once."""
        ...

    def slot(self) -> AbstractAsyncContextManager[Slot]:
        """Wait until a connection and a rate token are free, and lend them for one message."""
        ...

    async def aclose(self) -> None:
        """Close connections; errors on the way out are ignored."""
        ...


class ReceiptKind(StrEnum):
    """What the other side tells later about a message that it took, from the weakest to the strongest."""

    POSTED = "posted"
    """Given to the post; nobody proves that plain post arrives."""
    DELIVERED = "delivered"
    """Arrived, as far as the other side can tell."""
    BOUNCED = "bounced"
    """Definitely not delivered, and never will be at this address."""
    RETURNED = "returned"
    """Came back on paper: not known or no longer there."""


@dataclass(frozen=True, slots=True)
class HandedOver:
    """A message that the other side took: its token, the address on it, and when (aware)."""

    token: str
    address: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Receipt:
    """One event that a provider tells of: `event_id` is its own and unique, `raw` is what it said to the byte.

    `token` is that of the message, or whatever the provider gave instead. `at` is when it happened.
    """

    provider: str
    event_id: str
    token: str
    kind: ReceiptKind
    at: datetime
    raw: bytes

    def __post_init__(self) -> None:
        """Raise ValueError, with the field's name, for what could not be stored."""
        if not 1 <= len(self.provider) <= 40:
            raise ValueError("provider: expected a word of 1 to 40 characters")
        if not 1 <= len(self.event_id) <= 200:
            raise ValueError("event_id: expected 1 to 200 characters")
        if self.at.utcoffset() is None:
            raise ValueError("at: expected a time with its offset")


@runtime_checkable
class Reporting(Protocol):
    """A channel that can be asked what became of the messages it took."""

    @property
    def kind(self) -> Kind:
        """The kind of channel this carries."""
        ...

    def receipts(self, handed: Sequence[HandedOver], now: datetime) -> list[Receipt]:
        """Return every event up to `now` about these messages, also those that were told before."""
        ...
