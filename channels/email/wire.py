"""One SMTP connection after log-in: groups of commands out, replies in, one timer a group.

aiosmtplib opens the connection, checks certificates and logs in; then this takes its transport over, because
aiosmtplib waits for every reply on its own and cannot pipeline (RFC 2920): four round trips a mail, not two.
"""

from __future__ import annotations

import asyncio

from channels.email.replies import Reply

_LONGEST_LINE = 8_192
_MOST_LINES = 512
"""Octets and lines beyond which a reply is no SMTP reply (RFC 5321 4.5.3.1.5 allows 512 octets a line)."""


class Wire(asyncio.Protocol):
    """A connection on which at most one exchange runs at a time.

    `end` is empty while the connection can be used, and then says why it cannot any more: "timeout",
    "connection_lost", "bad_reply", "cancelled", "closed".
    """

    __slots__ = (
        "_buffer",
        "_closed",
        "_loop",
        "_replies",
        "_text",
        "_transport",
        "_waiter",
        "_wanted",
        "end",
    )

    def __init__(self, loop: asyncio.AbstractEventLoop, transport: asyncio.Transport) -> None:
        self._loop = loop
        self._transport = transport
        self._buffer = b""
        self._text: list[str] = []
        self._replies: list[Reply] = []
        self._wanted = 0
        self._waiter: asyncio.Future[None] | None = None
        self._closed: asyncio.Future[None] = loop.create_future()
        self.end = ""
        transport.set_protocol(self)

    @property
    def usable(self) -> bool:
        """Whether another exchange may be tried; the other side may still have gone unnoticed."""
        return not self.end and not self._transport.is_closing()

    async def exchange(self, data: bytes, count: int, seconds: float) -> list[Reply]:
        """Write `data` and return its `count` replies, or fewer with `end` set; waits at most `seconds`.

        When nothing could be written, `end` is set before and no reply comes. A cancelled exchange drops the
        connection: its late replies would be taken for those of the next mail.
        """
        if not self.usable:
            self.end = self.end or "connection_lost"
            return []
        self._replies = []
        self._wanted = count
        waiter = self._waiter = self._loop.create_future()
        timer = self._loop.call_later(seconds, self._drop, "timeout")
        self._transport.write(data)
        try:
            await waiter
        except asyncio.CancelledError:
            self._drop("cancelled")
            raise
        finally:
            timer.cancel()
            self._waiter = None
            self._wanted = 0
        return self._replies

    async def close(self, seconds: float) -> None:
        """Say QUIT, whatever the answer, and wait for the connection to go; each at most `seconds`."""
        if self.usable:
            await self.exchange(b"QUIT\r\n", 1, seconds)
        self.end = self.end or "closed"
        self._transport.close()
        await asyncio.wait([self._closed], timeout=seconds)
        if not self._closed.done():
            self._transport.abort()

    def abort(self) -> None:
        """Drop the connection at once, without QUIT."""
        self._drop("closed")

    def data_received(self, data: bytes) -> None:
        """Read replies; called by the event loop."""
        data = self._buffer + data
        start = 0
        # Nothing is read behind what ended the connection: replies would be paired with the wrong commands.
        while not self.end and (stop := data.find(b"\n", start)) >= 0:
            self._line(data[start:stop])
            start = stop + 1
        self._buffer = data[start:]
        if len(self._buffer) > _LONGEST_LINE or len(self._text) > _MOST_LINES:
            self._drop("bad_reply")

    def connection_lost(self, exc: Exception | None) -> None:
        """Note that the other side is gone; called by the event loop."""
        self._finish("connection_lost")
        if not self._closed.done():
            self._closed.set_result(None)

    def _line(self, line: bytes) -> None:
        status = line[:3]
        if not status.isdigit():
            self._drop("bad_reply")
            return
        text = line[4:].rstrip(b"\r").decode("utf-8", "replace")
        if line[3:4] == b"-":
            self._text.append(text)
            return
        if self._text:
            text = "\n".join([*self._text, text])
            self._text = []
        if not self._wanted:
            # Nobody asked: a 421 before the other side closes, or an answer we no longer wait for.
            self._drop("connection_lost")
            return
        self._replies.append(Reply(int(status), text))
        self._wanted -= 1
        if not self._wanted and self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _drop(self, why: str) -> None:
        self._finish(why)
        self._transport.abort()

    def _finish(self, why: str) -> None:
        self.end = self.end or why
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
