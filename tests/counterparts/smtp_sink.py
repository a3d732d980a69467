"""A light SMTP relay that accepts, logs and misbehaves on demand; in this process or as one of its own.

`python -m tests.counterparts.smtp_sink --port 0 --log FILE [--fault ...]` prints its port on the first line
and writes "TOKEN RECIPIENT" per accepted mail to the log before it answers 250.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
import ssl
from collections.abc import AsyncIterator, Iterable

from tests.counterparts.smtp_faults import Faults, parse
from tests.counterparts.smtp_session import ANNOUNCED, Session, Sink


@contextlib.asynccontextmanager
async def smtp_sink(
    faults: Iterable[str] = (),
    *,
    announced: tuple[str, ...] = ANNOUNCED,
    login: tuple[str, str] | None = None,
    tls: ssl.SSLContext | None = None,
    implicit_tls: bool = False,
    delay: float = 0.0,
    seed: int = 0,
    port: int = 0,
    log: int | None = None,
    keep: bool = True,
) -> AsyncIterator[Sink]:
    """A relay on 127.0.0.1 in this process; `delay` in seconds before every answer, `log` a descriptor."""
    rules = Faults([parse(text) for text in faults], seed)
    sink = Sink(rules, announced, login, tls, delay, log, keep)
    sink.empty.set()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: Session(sink), sink.host, port, ssl=tls if implicit_tls else None, backlog=512
    )
    sink.port = server.sockets[0].getsockname()[1]
    try:
        yield sink
    finally:
        server.close()
        for session in list(sink.sessions):
            if session.upgrade is not None:
                await session.upgrade
            if session.transport is not None:
                session.transport.abort()
        await server.wait_closed()
        await sink.empty.wait()


async def _serve(options: argparse.Namespace) -> None:
    log = None
    if options.log:
        log = os.open(options.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    done = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, done.set)
    async with smtp_sink(
        options.fault,
        announced=tuple(options.announce) if options.announce is not None else ANNOUNCED,
        delay=options.delay_ms / 1000,
        seed=options.seed,
        port=options.port,
        log=log,
        keep=False,
    ) as sink:
        print(sink.port, flush=True)
        await done.wait()
    if log is not None:
        os.close(log)


def main() -> None:
    """Run until a signal ends it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--log")
    parser.add_argument("--delay-ms", type=float, default=0.0, help="before every answer")
    parser.add_argument("--fault", action="append", default=[], help="STAGE:WHEN:ACTION[=TEXT]")
    parser.add_argument("--announce", nargs="*", help="EHLO words instead of the usual ones")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    try:
        import uvloop
    except ImportError:
        asyncio.run(_serve(options))
    else:
        uvloop.run(_serve(options))


if __name__ == "__main__":
    main()
