"""One connection to a relay: opened, checked and logged in by aiosmtplib, then used for mail after mail."""

from __future__ import annotations

import asyncio
import ssl
from typing import NamedTuple, cast

import aiosmtplib

from channels.email.relay import Relay, Security
from channels.email.replies import Reply, Stage, classify, is_throttle, silence
from channels.email.wire import Wire
from channels.protocol import Outcome, OutcomeKind, Prepared

_FAREWELL = 5.0
"""Most seconds spent on saying QUIT."""
_STAGES = (Stage.MAIL, Stage.RCPT, Stage.DATA)


class UnreachableError(Exception):
    """No connection could be made ready; `outcome` is what that means for a message, and certain."""

    def __init__(self, outcome: Outcome, *, throttled: bool = False) -> None:
        super().__init__(outcome.code)
        self.outcome = outcome
        self.throttled = throttled


class Delivery(NamedTuple):
    """What became of one mail on one connection."""

    outcome: Outcome
    throttled: bool = False
    """The relay asked to slow down."""
    stale: bool = False
    """The kept connection proved dead before anything of the mail was heard: a new one may be tried."""


class Connection:
    """A connection that is ready for MAIL. Used by one slot at a time."""

    __slots__ = ("_dirty", "_patience", "_pipelining", "_size", "_timeout", "opened_at", "sent", "wire")

    def __init__(self, wire: Wire, client: aiosmtplib.SMTP, relay: Relay, opened_at: float) -> None:
        self.wire = wire
        self.opened_at = opened_at
        self.sent = 0
        self._timeout = relay.timeout
        self._patience = relay.answer_timeout
        self._pipelining = client.supports_extension("pipelining")
        self._size = client.supports_extension("size")
        self._dirty = False

    async def deliver(self, prepared: Prepared) -> Delivery:
        """Hand over one mail whose addresses and payload have been checked.

        Until the final dot is written every failure is certain. A cancellation drops the connection.
        """
        kept, self.sent = self.sent > 0, self.sent + 1
        if self._dirty and not await self._reset():
            return Delivery(silence(Stage.MAIL, "connection_lost"), stale=True)
        stage, reply = await self._envelope(prepared)
        if reply is None:
            stale = kept and stage is Stage.MAIL and self.wire.end == "connection_lost"
            return Delivery(silence(stage, self.wire.end), stale=stale)
        if reply.status != 354:
            stale = kept and stage is Stage.MAIL and reply.status == 421
            return self._failed(stage, reply, stale=stale)
        payload = prepared.payload
        if b"\r\n." in payload or payload.startswith(b"."):
            payload = _stuffed(payload)
        self._dirty = True
        if not self.wire.usable:
            return Delivery(silence(Stage.DATA, "connection_lost"))
        replies = await self.wire.exchange(payload + b".\r\n", 1, self._patience)
        if not replies:
            return Delivery(silence(Stage.CONTENT, self.wire.end))
        outcome = classify(Stage.CONTENT, replies[0])
        if outcome.kind is OutcomeKind.ACCEPTED:
            self._dirty = False
            return Delivery(outcome)
        return self._failed(Stage.CONTENT, replies[0])

    async def close(self) -> None:
        """Say QUIT and close; what the other side makes of it is ignored."""
        await self.wire.close(min(_FAREWELL, self._timeout))

    async def _envelope(self, prepared: Prepared) -> tuple[Stage, Reply | None]:
        """The stage reached and its reply: 354 at DATA, the first refusal, or None for a silent relay."""
        size = f" SIZE={len(prepared.payload)}" if self._size else ""
        commands = (
            f"MAIL FROM:<{prepared.from_address}>{size}\r\n",
            f"RCPT TO:<{prepared.to_address}>\r\n",
            "DATA\r\n",
        )
        if not self._pipelining:
            for stage, command in zip(_STAGES, commands, strict=True):
                replies = await self.wire.exchange(command.encode("ascii"), 1, self._timeout)
                if not replies or not _goes_on(stage, replies[0]):
                    return stage, replies[0] if replies else None
            return Stage.DATA, replies[0]
        replies = await self.wire.exchange("".join(commands).encode("ascii"), 3, self._timeout)
        for stage, reply in zip(_STAGES, replies, strict=False):
            if not _goes_on(stage, reply):
                if len(replies) == 3 and replies[2].status == 354:
                    # The relay waits for a mail without a recipient. Nothing it could be told is safe.
                    self.wire.abort()
                return stage, reply
        return (Stage.DATA, replies[2]) if len(replies) == 3 else (_STAGES[len(replies)], None)

    def _failed(self, stage: Stage, reply: Reply, *, stale: bool = False) -> Delivery:
        self._dirty = True
        if reply.status == 421:
            self.wire.abort()
        return Delivery(classify(stage, reply), throttled=is_throttle(stage, reply), stale=stale)

    async def _reset(self) -> bool:
        """Forget the failed transaction (RFC 5321 4.1.1.5); False when the connection is of no more use."""
        replies = await self.wire.exchange(b"RSET\r\n", 1, self._timeout)
        self._dirty = not (replies and replies[0].status == 250)
        if self._dirty:
            self.wire.abort()
        return not self._dirty


def _goes_on(stage: Stage, reply: Reply) -> bool:
    return reply.status == 354 if stage is Stage.DATA else reply.status // 100 == 2


def _stuffed(payload: bytes) -> bytes:
    """Lines that begin with a dot get another one (RFC 5321 4.5.2)."""
    return (b"\r\n" + payload).replace(b"\r\n.", b"\r\n..")[2:]


async def dial(relay: Relay, context: ssl.SSLContext | None) -> Connection:
    """Connect, check the certificate, say hello and log in; every step within the relay's timeout.

    Raises UnreachableError with the outcome for whatever the network, the relay or the log-in makes of it.
    """
    client = _client(relay, context)
    stage = Stage.CONNECT
    kept = False
    try:
        await client.connect()
        client.local_hostname = _own_name(client)
        stage = Stage.HELLO
        await _hello(client)
        if relay.security is Security.STARTTLS:
            stage = Stage.TLS
            await client.starttls()
            stage = Stage.HELLO
            await _hello(client)
        if relay.username is not None and relay.password is not None:
            stage = Stage.LOGIN
            await client.login(relay.username, relay.password)
        loop = asyncio.get_running_loop()
        if client.transport is None or client.transport.is_closing():
            raise UnreachableError(silence(stage, "connection_lost"))
        wire = Wire(loop, cast(asyncio.Transport, client.transport))
        kept = True
        return Connection(wire, client, relay, loop.time())
    except (aiosmtplib.SMTPException, OSError) as error:
        raise _unreachable(stage, error) from error
    finally:
        if not kept:
            client.close()


def _client(relay: Relay, context: ssl.SSLContext | None) -> aiosmtplib.SMTP:
    """A client that takes one step at a time, so that we know which one failed."""
    return aiosmtplib.SMTP(
        hostname=relay.host,
        port=relay.port,
        use_tls=relay.security is Security.TLS,
        start_tls=False,
        tls_context=context,
        timeout=relay.timeout,
        local_hostname="localhost",
    )


async def _hello(client: aiosmtplib.SMTP) -> None:
    """EHLO, or HELO where the relay does not know it (RFC 5321 3.2)."""
    try:
        await client.ehlo()
    except aiosmtplib.SMTPHeloError as error:
        if error.code not in (500, 502, 504) or not client.is_connected:
            raise
        await client.helo()


def _own_name(client: aiosmtplib.SMTP) -> str:
    """The address literal of our end (RFC 5321 4.1.4); looking a host name up may hang, and this cannot."""
    name = client.get_transport_info("sockname")
    host = str(name[0]) if isinstance(name, tuple) and name else "127.0.0.1"
    return f"[IPv6:{host.partition('%')[0]}]" if ":" in host else f"[{host}]"


def _unreachable(stage: Stage, error: Exception) -> UnreachableError:
    """What a failure on the way to a ready connection means; all of these are certain."""
    if isinstance(error, aiosmtplib.SMTPResponseException):
        # aiosmtplib uses -1 for what is no SMTP reply; `classify` takes that for silence.
        reply = Reply(error.code, error.message)
        return UnreachableError(classify(stage, reply), throttled=is_throttle(stage, reply))
    if isinstance(error, ssl.SSLError) or isinstance(error.__cause__, ssl.SSLError):
        return UnreachableError(Outcome(OutcomeKind.REFUSED_US, "tls_failed", str(error)))
    if isinstance(error, TimeoutError):
        return UnreachableError(silence(stage, "timeout", str(error)))
    if isinstance(error, ConnectionError):
        return UnreachableError(silence(stage, "connection_lost", str(error)))
    if isinstance(error, aiosmtplib.SMTPException):
        # No STARTTLS or AUTH on offer, or none that we know: going on without would be unsafe.
        return UnreachableError(Outcome(OutcomeKind.REFUSED_US, f"{stage}_not_offered", str(error)))
    return UnreachableError(silence(stage, "network_error", str(error)))
