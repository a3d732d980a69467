"""One path to the database: a writer thread that commits whatever is queued, and threads that read.

`await store.write(fn)` runs `fn(conn)` in a transaction shared with the other writes waiting at that moment,
so a commit costs one disk flush for many; nothing waits on a timer. A group that fails is split and its
items run singly, so one bad item never takes the others with it; `fn` must therefore be safe to run again.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from outreach.store.engine import reading_engine, writing_engine
from outreach.store.marker import Marker

T = TypeVar("T")
Work = Callable[[Connection], T]

MOST_TOGETHER = 64
RETRIES = 8
_RETRY_STATES = {"40001", "40P01", "55P03"}

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Job:
    work: Callable[[Connection], Any]
    loop: asyncio.AbstractEventLoop
    done: asyncio.Future[Any]
    result: Any = None
    error: BaseException | None = None


class Store:
    """The database, its writer thread and its readers; `marker` notes outside it how far the log has come."""

    def __init__(self, url: str, marker: Marker | None = None) -> None:
        self.url = url
        self.marker = marker
        self._writing = writing_engine(url)
        self._reading = reading_engine(url)
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._readers = ThreadPoolExecutor(4, thread_name_prefix="reader")
        self._writer: threading.Thread | None = None

    @property
    def dialect(self) -> str:
        """The database's name: 'sqlite' or 'postgresql'."""
        return self._writing.dialect.name

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Write from synchronous code: one transaction, committed at the end or rolled back whole."""
        with self._writing.begin() as conn:
            yield conn
            seq = self._log_head(conn)
        self._mark(seq)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Read from synchronous code, in one snapshot on SQLite."""
        with self._reading.begin() as conn:
            yield conn

    def run(self, work: Work[T]) -> T:
        """Run one write in its own transaction; a deadlock or serialization failure runs it again."""
        for left in reversed(range(RETRIES)):
            try:
                with self.transaction() as conn:
                    return work(conn)
            except DBAPIError as error:
                if not left or not _is_passing(error):
                    raise
                time.sleep(0.005 * (RETRIES - left))
        raise AssertionError("unreachable")

    async def write(self, work: Work[T]) -> T:
        """Run a write in the writer thread; returns when it is committed."""
        if self._writer is None:
            self._writer = threading.Thread(target=self._serve, name="writer", daemon=True)
            self._writer.start()
        loop = asyncio.get_running_loop()
        job = _Job(work, loop, loop.create_future())
        self._jobs.put(job)
        result: T = await asyncio.shield(job.done)
        return result

    async def read(self, work: Work[T]) -> T:
        """Run a read in a reader thread."""

        def reading() -> T:
            with self.reading() as conn:
                return work(conn)

        return await asyncio.get_running_loop().run_in_executor(self._readers, reading)

    def close(self) -> None:
        """Finish what is queued and close every connection."""
        if self._writer is not None:
            self._jobs.put(None)
            self._writer.join()
            self._writer = None
        self._readers.shutdown()
        self._writing.dispose()
        self._reading.dispose()

    def _serve(self) -> None:
        while True:
            first = self._jobs.get()
            if first is None:
                return
            jobs, stop = [first], False
            while len(jobs) < MOST_TOGETHER:
                try:
                    job = self._jobs.get_nowait()
                except queue.Empty:
                    break
                if job is None:
                    stop = True
                    break
                jobs.append(job)
            self._run_together(jobs)
            if stop:
                return

    def _run_together(self, jobs: list[_Job]) -> None:
        try:
            with self.transaction() as conn:
                for job in jobs:
                    job.result = job.work(conn)
        except Exception as error:  # noqa: BLE001 - the writer's boundary: every error goes to the one who asked
            if len(jobs) == 1 and not (isinstance(error, DBAPIError) and _is_passing(error)):
                jobs[0].error = error
            else:
                log.info(
                    "a group of %d writes failed (%s); each runs singly", len(jobs), type(error).__name__
                )
                for job in jobs:
                    self._run_alone(job)
        for job in jobs:
            _answer(job)

    def _run_alone(self, job: _Job) -> None:
        try:
            job.result = self.run(job.work)
        except Exception as error:  # noqa: BLE001 - as above: handed to the one who asked
            job.error = error

    def _log_head(self, conn: Connection) -> int | None:
        if self.marker is None:
            return None
        head: int | None = conn.exec_driver_sql(_LOG_HEAD).scalar()
        return head

    def _mark(self, seq: int | None) -> None:
        if self.marker is not None and seq is not None:
            self.marker.advance(seq)


_LOG_HEAD = "SELECT max(seq) FROM log_entry"


def _is_passing(error: DBAPIError) -> bool:
    """Return whether the same transaction may succeed when run again."""
    state = getattr(error.orig, "sqlstate", None)
    return state in _RETRY_STATES or "database is locked" in str(error.orig)


def _answer(job: _Job) -> None:
    def settle() -> None:
        if job.done.done():
            return
        if job.error is not None:
            job.done.set_exception(job.error)
        else:
            job.done.set_result(job.result)

    try:
        job.loop.call_soon_threadsafe(settle)
    except RuntimeError:
        # The loop is gone, so nobody waits for the answer; the work itself is committed.
        log.warning("a write was finished after its event loop had closed")
