"""Engines for both databases, with the settings their promises rest on."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.pool import QueuePool

from outreach.errors import UsageError

BUSY_SECONDS = 60


def writing_engine(url: str) -> Engine:
    """Return an engine whose transactions may write; on SQLite each begins IMMEDIATE."""
    return _engine(
        url,
        begin="BEGIN IMMEDIATE",
        pragmas=("journal_mode=WAL", "synchronous=FULL", "wal_autocheckpoint=4000", "cache_size=-32768"),
        size=2,
    )


def reading_engine(url: str) -> Engine:
    """Return an engine for reading: several connections, none of which can write on SQLite."""
    return _engine(url, begin="BEGIN", pragmas=("query_only=ON", "cache_size=-4096"), size=8)


def _engine(url: str, *, begin: str, pragmas: tuple[str, ...], size: int) -> Engine:
    parsed = make_url(url)
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        engine = create_engine(
            parsed,
            poolclass=QueuePool,
            hide_parameters=True,  # an error's text goes to a log; parameters are personal data
            pool_size=size,
            max_overflow=8,
            connect_args={"check_same_thread": False, "timeout": BUSY_SECONDS},
        )
        _prepare_sqlite(engine, begin, pragmas)
        return engine
    if backend == "postgresql":
        return create_engine(
            parsed.set(drivername="postgresql+psycopg"),
            pool_size=size,
            max_overflow=8,
            pool_pre_ping=False,
            hide_parameters=True,
            connect_args={
                "connect_timeout": 10,
                "prepare_threshold": 2,
                # A process that stalls inside a transaction must not hold its locks for ever.
                "options": "-c idle_in_transaction_session_timeout=60000",
            },
        )
    msg = f"OUTREACH_DATABASE_URL names {backend!r}; expected sqlite:///... or postgresql://..."
    raise UsageError(msg)


def _prepare_sqlite(engine: Engine, begin: str, pragmas: tuple[str, ...]) -> None:
    """Take transactions out of the driver's hands: a deferred upgrade would fail at once, whatever the timeout."""

    @event.listens_for(engine, "connect")
    def on_connect(dbapi_connection: Any, _record: Any) -> None:
        dbapi_connection.isolation_level = None
        cursor = dbapi_connection.cursor()
        for pragma in (
            f"busy_timeout={BUSY_SECONDS * 1000}",
            "foreign_keys=ON",
            "secure_delete=ON",
            "recursive_triggers=ON",  # else REPLACE deletes rows past the triggers that keep them
            "temp_store=MEMORY",
            *pragmas,
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def on_begin(conn: Connection) -> None:
        conn.exec_driver_sql(begin)
