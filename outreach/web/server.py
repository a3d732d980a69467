"""The HTTP server as a part of a process that has other work: it starts and stops with a block."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from urllib.parse import urlsplit

import uvicorn
from starlette.types import ASGIApp

from outreach.errors import Refused, UsageError

LAST_ANSWERS_SECONDS = 3
"""How long answers that were begun may take when the server stops."""
MOST_CONNECTIONS = 500


def listen(bind: str) -> socket.socket:
    """Take the address HOST:PORT, before anything starts; raises UsageError or Refused with the reason."""
    try:
        parts = urlsplit(f"//{bind}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if host is None or port is None:
        msg = f"OUTREACH_BIND: {bind!r} is no address; expected as in 127.0.0.1:8000"
        raise UsageError(msg)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        msg = f"OUTREACH_BIND: {bind} cannot be used ({os.strerror(error.errno or 0)})"
        raise Refused(msg) from error


def url_of(listening: socket.socket) -> str:
    """Return where a listening socket is found."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@asynccontextmanager
async def serving(app: ASGIApp, listening: socket.socket) -> AsyncIterator[asyncio.Task[None]]:
    """Answer requests until the block ends; the task ends earlier only when the server failed."""
    server = _Server(
        uvicorn.Config(
            app,
            lifespan="off",
            ws="none",
            http="h11",
            # Log lines are the process's own; none tells who asked for what.
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=MOST_CONNECTIONS,
            timeout_graceful_shutdown=LAST_ANSWERS_SECONDS,
        )
    )
    task = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        yield task
    finally:
        server.should_exit = True
        await task


class _Server(uvicorn.Server):
    """A server that leaves signals to the process it is a part of."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take over no signal."""
        yield
