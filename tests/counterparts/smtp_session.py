"""The sessions of the test relay: what is heard, answered and accepted."""

from __future__ import annotations

import asyncio
import base64
import os
import re
import ssl
from dataclasses import dataclass, field
from typing import cast

from tests.counterparts.smtp_faults import Fault, Faults

ANNOUNCED = ("PIPELINING", "SIZE 20000000", "ENHANCEDSTATUSCODES")
_TOKEN = re.compile(rb"([0-9a-f]{32})@")
_MESSAGE_ID = re.compile(rb"^Message-ID: <([0-9a-f]{32})@", re.MULTILINE | re.IGNORECASE)
_PATH = re.compile(rb"<([^>]*)>")
_END = b"\r\n.\r\n"


@dataclass(frozen=True, slots=True)
class Mail:
    """One accepted mail."""

    token: str
    sender: str
    recipient: str
    payload: bytes


@dataclass(slots=True)
class Sink:
    """What the relay is set to do and what it has seen."""

    faults: Faults
    announced: tuple[str, ...] = ANNOUNCED
    login: tuple[str, str] | None = None
    tls: ssl.SSLContext | None = None
    delay: float = 0.0
    log: int | None = None
    keep: bool = True
    host: str = "127.0.0.1"
    port: int = 0
    accepted: list[Mail] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    """The verbs heard, in order, when mails are kept."""
    connections: int = 0
    sessions: set[Session] = field(default_factory=set)
    empty: asyncio.Event = field(default_factory=asyncio.Event)
    """Set while nobody is connected."""
    struck: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once a fault has struck."""

    def accept(self, mail: Mail) -> None:
        """Take responsibility: to the log first, so that no answer comes without it."""
        if self.log is not None:
            os.write(self.log, f"{mail.token} {mail.recipient}\n".encode())
        if self.keep:
            self.accepted.append(mail)


class Session(asyncio.Protocol):
    """One connection."""

    def __init__(self, sink: Sink) -> None:
        self.sink = sink
        self.transport: asyncio.Transport | None = None
        self.upgrade: asyncio.Task[None] | None = None
        self._buffer = b""
        self._out: list[bytes] = []
        self._in_data = False
        self._deaf = False
        self._secure = False
        self._logged_in = sink.login is None
        self._asked: list[bytes] = []
        self._sender = b""
        self._recipient = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self._secure = transport.get_extra_info("sslcontext") is not None
        self.sink.connections += 1
        self.sink.sessions.add(self)
        self.sink.empty.clear()
        self._answer("connect", b"220 sink ESMTP\r\n")
        self._flush()

    def connection_lost(self, exc: Exception | None) -> None:
        self.sink.sessions.discard(self)
        if not self.sink.sessions:
            self.sink.empty.set()
        self._deaf = True

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while not self._deaf:
            if self._in_data:
                if not self._content():
                    break
                continue
            line, found, rest = self._buffer.partition(b"\r\n")
            if not found:
                break
            self._buffer = rest
            self._command(line)
        self._flush()

    def _content(self) -> bool:
        """Take the mail out of the buffer; False while it is not all there."""
        if self._buffer.startswith(b".\r\n"):
            end, content = 3, b""
        else:
            found = self._buffer.find(_END)
            struck = self.sink.faults.at("body", self._recipient.decode()) if self._buffer else None
            if struck is not None:
                self._suffer(struck)
            if found < 0 or self._deaf:
                return False
            end, content = found + len(_END), self._buffer[: found + 2]
        self._buffer = self._buffer[end:]
        self._in_data = False
        self._dot(content)
        return True

    def _dot(self, content: bytes) -> None:
        struck = self.sink.faults.at("dot", self._recipient.decode())
        if struck is None or struck.action in ("logdrop", "loghang", "delay"):
            self.sink.accept(self._mail(content))
        if struck is None:
            self._out.append(b"250 2.0.0 Ok: queued as SINK1\r\n")
        else:
            self._suffer(struck, b"250 2.0.0 Ok: queued as SINK1\r\n")
        self._sender = self._recipient = b""

    def _mail(self, content: bytes) -> Mail:
        found = _TOKEN.search(self._sender) or _MESSAGE_ID.search(content)
        token = found.group(1).decode() if found else "-"
        kept = content
        if self.sink.keep:
            kept = (b"\r\n" + content).replace(b"\r\n..", b"\r\n.")[2:]
        return Mail(token, self._sender.decode(), self._recipient.decode(), kept)

    def _command(self, line: bytes) -> None:
        if self._asked:
            self._login(line)
            return
        verb = line[:4].upper()
        if self.sink.keep:
            self.sink.commands.append(verb.decode("ascii", "replace"))
        if verb == b"MAIL":
            self._sender = _path(line)
            answer = b"250 2.1.0 Ok\r\n" if self._logged_in else b"530 5.7.0 Log in first\r\n"
            self._answer("mail", answer)
        elif verb == b"RCPT":
            self._recipient = _path(line)
            if not self._answer("rcpt", b"250 2.1.5 Ok\r\n"):
                self._recipient = b""
        elif verb == b"DATA":
            answer = b"354 Go on\r\n" if self._recipient else b"503 5.5.1 No recipient\r\n"
            self._in_data = self._answer("data", answer) and bool(self._recipient)
        else:
            self._other(verb, line)

    def _other(self, verb: bytes, line: bytes) -> None:
        if verb in (b"EHLO", b"HELO"):
            self._answer("ehlo", self._greeting() if verb == b"EHLO" else b"250 sink\r\n")
        elif verb == b"RSET":
            self._sender = self._recipient = b""
            self._answer("rset", b"250 2.0.0 Ok\r\n")
        elif verb == b"NOOP":
            self._out.append(b"250 2.0.0 Ok\r\n")
        elif verb == b"QUIT":
            if self._answer("quit", b"221 2.0.0 Bye\r\n"):
                self._end()
        elif verb == b"STAR" and self.sink.tls is not None and not self._secure:
            if self._answer("starttls", b"220 2.0.0 Go on\r\n"):
                self._start_tls(self.sink.tls)
        elif verb == b"AUTH" and self.sink.login is not None:
            self._auth(line)
        else:
            self._out.append(b"502 5.5.1 Not known here\r\n")

    def _greeting(self) -> bytes:
        words = [*self.sink.announced]
        if self.sink.tls is not None and not self._secure:
            words.append("STARTTLS")
        if self.sink.login is not None and not any(word.startswith("AUTH") for word in words):
            words.append("AUTH PLAIN LOGIN")
        return "".join(f"250-{word}\r\n" for word in ["sink", *words]).encode() + b"250 HELP\r\n"

    def _auth(self, line: bytes) -> None:
        method, _, initial = line[5:].partition(b" ")
        self._asked = [method.upper()]
        if initial:
            self._login(initial)
        else:
            self._out.append(b"334 \r\n")

    def _login(self, line: bytes) -> None:
        self._asked.append(base64.b64decode(line))
        if self._asked[0] == b"LOGIN" and len(self._asked) < 3:
            self._out.append(b"334 UGFzc3dvcmQ6\r\n")
            return
        method, *said = self._asked
        self._asked = []
        given = tuple(said) if method == b"LOGIN" else tuple(said[0].split(b"\0")[1:])
        expected = tuple(word.encode() for word in self.sink.login or ())
        good = given == expected
        self._logged_in = self._answer("auth", b"235 2.7.0 Ok\r\n" if good else b"535 5.7.8 No\r\n") and good

    def _start_tls(self, context: ssl.SSLContext) -> None:
        self._flush()
        self._deaf = True
        self._buffer = b""
        self.upgrade = asyncio.get_running_loop().create_task(self._upgrade(context))

    async def _upgrade(self, context: ssl.SSLContext) -> None:
        assert self.transport is not None
        loop = asyncio.get_running_loop()
        try:
            transport = await loop.start_tls(self.transport, self, context, server_side=True)
        except (OSError, ssl.SSLError):
            # The client did not trust our certificate: that is what some tests want.
            self.transport.abort()
            return
        self.transport = cast(asyncio.Transport, transport)
        self._secure = True
        self._deaf = self.transport.is_closing()
        # What the client said before this task was told of the handshake.
        self.data_received(b"")

    def _answer(self, stage: str, usual: bytes) -> bool:
        """Answer as usual, or as a fault says; True when it was the usual answer."""
        struck = self.sink.faults.at(stage, self._recipient.decode())
        if struck is None:
            self._out.append(usual)
            return True
        self._suffer(struck, usual)
        return struck.action == "delay"

    def _suffer(self, struck: Fault, usual: bytes = b"") -> None:
        self.sink.struck.set()
        if struck.action == "delay":
            self._flush()
            loop = asyncio.get_running_loop()
            loop.call_later(float(struck.text) / 1000, self._write, usual)
            return
        if struck.action in ("reply", "close"):
            self._out.append(struck.text.encode() + b"\r\n")
        if struck.action in ("hang", "loghang"):
            self._flush()
            self._deaf = True
        if struck.action in ("drop", "logdrop", "close"):
            self._end()

    def _end(self) -> None:
        self._flush(last=True)
        self._deaf = True

    def _flush(self, *, last: bool = False) -> None:
        data, self._out = b"".join(self._out), []
        if self.sink.delay and data:
            asyncio.get_running_loop().call_later(self.sink.delay, self._write, data, last)
        else:
            self._write(data, last)

    def _write(self, data: bytes, last: bool = False) -> None:
        if self.transport is None or self.transport.is_closing():
            return
        if data:
            self.transport.write(data)
        if last:
            self.transport.close()


def _path(line: bytes) -> bytes:
    found = _PATH.search(line)
    return found.group(1) if found else b""
