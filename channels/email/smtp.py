"""Hands mail to a relay over kept connections: the email channel for real use."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta

from channels.email.connection import Connection, UnreachableError, dial
from channels.email.pace import Breaker, Throttle
from channels.email.relay import Relay, Security
from channels.kinds import Kind
from channels.protocol import Outcome, OutcomeKind, Prepared, Slot

_ADDRESS = re.compile(r"[!-;=?-~]+@[!-;=?-~]+")
"""What cannot break out of the angle brackets of a command; the rules proper are in `address`."""


_SILENCES = 3
"""Mails in a row without an answer after which the breaker opens: each of them may be left in doubt."""


class SmtpChannel:
    """The email channel over one relay; all slots belong to one event loop.

    A slot waits while the relay's rate is spent or the breaker is open (`open_for`, `trouble`). What fails
    before the final dot of a mail is certain; silence after it is in doubt.
    """

    kind = Kind.EMAIL

    def __init__(
        self,
        relay: Relay,
        *,
        context: ssl.SSLContext | None = None,
        breaker: Breaker | None = None,
        throttle: Throttle | None = None,
    ) -> None:
        """Connections are opened when they are first needed.

        `context` replaces the machine's certificate authorities; it has to check certificates and names.
        """
        if context is None and relay.security is not Security.NONE:
            context = ssl.create_default_context()
        self._relay = relay
        self._context = context
        self._breaker = breaker or Breaker()
        self._throttle = throttle or Throttle(relay.rate)
        self._room = asyncio.Semaphore(relay.connections)
        self._idle: list[Connection] = []
        self._breaker_closed = asyncio.Event()
        self._closed = False
        self._trouble: Outcome | None = None
        self._trouble_in_dialling = False
        self._silences = 0

    @property
    def places(self) -> int:
        """How many slots may be open at once: the connections of the relay."""
        return self._relay.connections

    @property
    def open_for(self) -> timedelta:
        """How long slots still wait because the breaker is open; zero while it is closed."""
        until = self._breaker.open_until
        left = 0.0 if until is None else until - asyncio.get_running_loop().time()
        return timedelta(seconds=max(0.0, left))

    @property
    def trouble(self) -> Outcome | None:
        """The failure that opened the breaker; None while it is closed."""
        return self._trouble

    @property
    def rate(self) -> float | None:
        """Mails per second offered at present; None is without limit."""
        return self._throttle.rate

    def slot(self) -> AbstractAsyncContextManager[Slot]:
        """Wait for a place, a rate token and the breaker, and lend a connection for one mail.

        A connection that cannot be made shows as the outcome of `send`, at once.
        """
        return self._slot()

    async def aclose(self) -> None:
        """Say QUIT on idle connections; those in use are dropped when their slot ends."""
        self._closed = True
        idle, self._idle = self._idle, []
        await asyncio.gather(*(connection.close() for connection in idle))

    @asynccontextmanager
    async def _slot(self) -> AsyncIterator[Slot]:
        if self._closed:
            raise RuntimeError("the channel has been closed")
        async with self._room:
            slot = _SmtpSlot(self, probe=await self._turn())
            await slot.prepare()
            try:
                yield slot
            finally:
                self._take_back(slot.connection)

    async def _turn(self) -> bool:
        """Wait for a rate token and the breaker; True for the one that tries if the relay works again."""
        loop = asyncio.get_running_loop()
        wait = self._throttle.take(loop.time())
        if wait > 0:
            await asyncio.sleep(wait)
        while True:
            was_open = self._breaker.open_until is not None
            wait = self._breaker.admit(loop.time())
            if wait <= 0:
                return was_open
            try:
                await asyncio.wait_for(self._breaker_closed.wait(), wait)
            except TimeoutError:
                continue

    async def lend(self) -> Connection:
        """A kept connection within its limits, or a new one. Raises UnreachableError; used by the slot."""
        now = asyncio.get_running_loop().time()
        while self._idle:
            connection = self._idle.pop()
            if not connection.wire.usable:
                continue
            spent = connection.sent >= self._relay.messages or now - connection.opened_at >= self._relay.age
            if not spent:
                return connection
            await connection.close()
        return await self.dial()

    async def dial(self) -> Connection:
        """A new connection; a failure is told to the breaker. Raises UnreachableError; used by the slot."""
        connection = await dial(self._relay, self._context)
        if self._trouble_in_dialling:
            self._works()
        return connection

    def settle(self, outcome: Outcome, *, throttled: bool, dialling: bool, probe: bool) -> None:
        """Let rate and breaker learn from an outcome; used by the slot."""
        now = asyncio.get_running_loop().time()
        if throttled:
            self._throttle.complained(now)
        answered = outcome.code[:1].isdigit()
        self._silences = 0 if answered else self._silences + 1
        if dialling or outcome.kind is OutcomeKind.REFUSED_US or self._silences >= _SILENCES:
            self._breaker.failed(now, was_probe=probe)
            self._breaker_closed.clear()
            self._trouble, self._trouble_in_dialling = outcome, dialling
            return
        if outcome.kind is OutcomeKind.ACCEPTED:
            self._throttle.went_well()
        if answered:
            # The relay answered this mail, and what it said was not our fault.
            self._works()

    def _works(self) -> None:
        self._trouble, self._trouble_in_dialling = None, False
        if self._breaker.succeeded():
            self._breaker_closed.set()

    def _take_back(self, connection: Connection | None) -> None:
        if connection is None:
            return
        if self._closed:
            connection.wire.abort()
        elif connection.wire.usable:
            self._idle.append(connection)


class _SmtpSlot:
    """One place of the channel, for one mail."""

    __slots__ = ("_channel", "_failure", "_probe", "_used", "connection")

    def __init__(self, channel: SmtpChannel, *, probe: bool) -> None:
        self._channel = channel
        self._probe = probe
        self._failure: Outcome | None = None
        self._used = False
        self.connection: Connection | None = None

    async def prepare(self) -> None:
        """Have a connection ready, or the outcome that says why there is none."""
        try:
            self.connection = await self._channel.lend()
        except UnreachableError as error:
            self._unreachable(error)

    async def send(self, prepared: Prepared) -> Outcome:
        """Hand over one mail; RuntimeError the second time, ValueError for bytes that are not a mail."""
        if self._used:
            raise RuntimeError("a slot is for one message")
        self._used = True
        refusal = _check(prepared)
        if refusal is not None:
            return refusal
        connection = self.connection
        if connection is None:
            assert self._failure is not None
            return self._failure
        delivery = await connection.deliver(prepared)
        if delivery.stale:
            try:
                self.connection = await self._channel.dial()
            except UnreachableError as error:
                self.connection = None
                return self._unreachable(error)
            delivery = await self.connection.deliver(prepared)
        self._channel.settle(
            delivery.outcome, throttled=delivery.throttled, dialling=False, probe=self._probe
        )
        return delivery.outcome

    def _unreachable(self, error: UnreachableError) -> Outcome:
        self._channel.settle(error.outcome, throttled=error.throttled, dialling=True, probe=self._probe)
        self._failure = error.outcome
        return error.outcome


def _check(prepared: Prepared) -> Outcome | None:
    """Refuse addresses that would change the commands; ValueError for a payload that is no mail."""
    if not _ADDRESS.fullmatch(prepared.to_address):
        return Outcome(OutcomeKind.REFUSED_RECIPIENT, "bad_address")
    if not _ADDRESS.fullmatch(prepared.from_address):
        return Outcome(OutcomeKind.REFUSED_US, "bad_sender")
    payload = prepared.payload
    lines = payload.count(b"\r\n")
    if payload.count(b"\n") != lines or payload.count(b"\r") != lines or not payload.endswith(b"\r\n"):
        raise ValueError("payload: expected lines that end with CRLF")
    if not payload.isascii():
        raise ValueError("payload: expected ASCII only")
    return None
