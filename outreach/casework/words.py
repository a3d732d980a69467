"""What people type with a command: codes for the log, free text for its content, owners of work."""

from __future__ import annotations

import re
from datetime import datetime

from sqlalchemy import Connection

from outreach.correspondence import log
from outreach.errors import UsageError
from outreach.store.types import new_id

MOST_TEXT = 20_000

_CODE = re.compile(r"[a-z][a-z0-9_]{0,39}")
_OWNER = re.compile(r"staff|(?:staff|department):[^\s:](?:[^\n\r\t]{0,58}[^\s])?")


def code(text: str, option: str) -> str:
    """Return a code as the log keeps it; raises UsageError for free text, which may hold personal data."""
    if not _CODE.fullmatch(text):
        msg = (
            f"{option}: {text!r} is no code; expected small letters, digits and _ (free text goes to --note)"
        )
        raise UsageError(msg)
    return text


def owner(text: str) -> str:
    """Return an owner of work: staff, staff:NAME or department:NAME; raises UsageError for anything else."""
    if not _OWNER.fullmatch(text) or not text.isprintable():
        msg = f"{text!r} can own no task; expected staff, staff:NAME or department:NAME"
        raise UsageError(msg)
    return text


def keep_text(conn: Connection, text: str | None, now: datetime) -> str | None:
    """Keep free text as content, apart from the log; return its id, None where nothing was said."""
    if text is None or not text.strip():
        return None
    if len(text) > MOST_TEXT:
        msg = f"--note: expected at most {MOST_TEXT} characters, found {len(text)}"
        raise UsageError(msg)
    content_id = new_id()
    log.keep(conn, [(content_id, "text", text.encode())], now)
    return content_id
