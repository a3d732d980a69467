"""Whether the service does its work: 200, or 503 with one word for the reason. Public, so it says no more."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from sqlalchemy import Connection, select
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import JSONResponse

from outreach.store import schema
from outreach.store.tables.operations import Installation
from outreach.store.types import table_of
from outreach.store.writer import Store

installation = table_of(Installation)

FRESH_SECONDS = 1.0
"""How long one look at the database serves everyone who asks: anybody may ask as often as they like."""
PATIENCE_SECONDS = 5.0


class Health:
    """Answers GET /health; `loop_trouble` returns the word for what is wrong with the loop, or None."""

    def __init__(self, store: Store, loop_trouble: Callable[[], str | None]) -> None:
        self._store = store
        self._loop_trouble = loop_trouble
        self._look: asyncio.Task[str | None] | None = None
        self._began = 0.0

    async def __call__(self, _request: Request) -> JSONResponse:
        """Answer with the status, and the reason where it is not ok."""
        reason = await self.reason()
        if reason is None:
            return JSONResponse({"status": "ok"})
        return JSONResponse({"status": "failing", "reason": reason}, 503)

    async def reason(self) -> str | None:
        """Return the word for the first thing that is wrong, or None."""
        return await self._database_trouble() or self._loop_trouble()

    async def _database_trouble(self) -> str | None:
        look = self._look
        # A look that hangs is not joined by a second one: each would hold a reader thread.
        if look is None or (look.done() and time.monotonic() - self._began > FRESH_SECONDS):
            self._began = time.monotonic()
            look = self._look = asyncio.create_task(self._look_at_database())
        await asyncio.wait({look}, timeout=PATIENCE_SECONDS)
        return look.result() if look.done() else "database_unreachable"

    async def _look_at_database(self) -> str | None:
        try:
            return await self._store.read(database_trouble)
        except SQLAlchemyError:
            return "database_unreachable"


def database_trouble(conn: Connection) -> str | None:
    """Return the word for what is wrong with this database, or None."""
    if schema.problems(conn):
        return "schema_differs"
    return "copy_suspected" if conn.execute(select(installation.c.copy_suspected)).scalar() else None
