"""A mail server that takes everything and keeps nothing but a count: the other end of a benchmark.

Runs as a process (`python -m outreach.bench.sink [delay in ms]`), prints its port, and answers the word
COUNT on the same port with how many mails it took and how many different ones. Loopback only.
"""

from __future__ import annotations

import asyncio
import re
import sys
from typing import cast

import uvloop

_TOKEN = re.compile(rb"MAIL FROM:<([^>]*)>", re.IGNORECASE)


class Counted:
    """What the server took."""

    def __init__(self) -> None:
        self.mails = 0
        self.tokens: set[bytes] = set()


class Session(asyncio.Protocol):
    """One SMTP session (RFC 5321), with PIPELINING (RFC 2920), every answer late by `delay` seconds."""

    def __init__(self, counted: Counted, delay: float) -> None:
        self._counted = counted
        self._delay = delay
        self._buffer = b""
        self._in_data = False
        self._token = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet."""
        self._transport = cast(asyncio.Transport, transport)
        self._answer(b"220 bench\r\n")

    def data_received(self, data: bytes) -> None:
        """Take whole lines, or the end of a mail."""
        self._buffer += data
        answers = []
        while True:
            end = self._buffer.find(b"\r\n.\r\n" if self._in_data else b"\r\n")
            if end < 0:
                break
            if self._in_data:
                self._buffer = self._buffer[end + 5 :]
                self._in_data = False
                self._counted.mails += 1
                self._counted.tokens.add(self._token)
                answers.append(b"250 2.0.0 taken\r\n")
            else:
                line, self._buffer = self._buffer[:end], self._buffer[end + 2 :]
                answers.append(self._reply(line))
        if answers:
            self._answer(b"".join(answers))

    def _reply(self, line: bytes) -> bytes:
        verb = line[:4].upper()
        if verb == b"EHLO":
            return b"250-bench\r\n250-PIPELINING\r\n250 SIZE 35000000\r\n"
        if verb == b"MAIL":
            found = _TOKEN.match(line)
            self._token = found.group(1) if found else b""
        if verb == b"DATA":
            self._in_data = True
            return b"354 go on\r\n"
        if verb == b"COUN":
            return b"%d %d\r\n" % (self._counted.mails, len(self._counted.tokens))
        if verb == b"QUIT":
            return b"221 bye\r\n"
        return b"250 2.0.0 ok\r\n"

    def _answer(self, data: bytes) -> None:
        if self._delay:
            asyncio.get_running_loop().call_later(self._delay, self._transport.write, data)
        else:
            self._transport.write(data)


async def serve(delay: float) -> None:
    """Serve until killed."""
    counted = Counted()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Session(counted, delay), "127.0.0.1", 0, backlog=512)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(float(sys.argv[1]) / 1000 if len(sys.argv) > 1 else 0.0))
