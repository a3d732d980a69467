"""Log lines of a long-running process: one JSON object each, to stderr, without the text of any error.

The text of an error may hold what must not be in a log: a database error quotes the values of its row.
A line therefore names an error's type and the places in the code that it came through.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from pathlib import PurePath
from typing import Any

MOST_PLACES = 8

log = logging.getLogger(__name__)


class JsonLines(logging.Formatter):
    """Formats a record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Return time, level, logger and message; of an error its type and where it came from."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info and record.exc_info[1] is not None:
            line |= _named(record.exc_info[1])
        return json.dumps(line, ensure_ascii=False)


def _named(error: BaseException) -> dict[str, Any]:
    frames = traceback.extract_tb(error.__traceback__)[-MOST_PLACES:]
    return {
        "error": type(error).__name__,
        "where": [f"{PurePath(frame.filename).name}:{frame.lineno}" for frame in frames],
    }


def to_stderr() -> None:
    """Send every log line of this process to stderr as JSON; libraries are heard when something is wrong."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)
    for name in ("alembic", "apscheduler", "asyncio", "sqlalchemy", "uvicorn"):
        logging.getLogger(name).setLevel(logging.WARNING)


def of_loop(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log what reached the event loop: its own handler would print arguments and the error's text."""
    error = context.get("exception")
    log.error("an error reached the event loop", exc_info=error if isinstance(error, BaseException) else None)
