"""Who may switch what may leave: the operator's switch and each creditor's."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select, update

from outreach.correspondence import log
from outreach.errors import NotFound
from outreach.store.tables.operations import Installation
from outreach.store.tables.parties import Creditor
from outreach.store.types import table_of

creditor = table_of(Creditor)
installation = table_of(Installation)


def switch_sending(conn: Connection, *, on: bool, actor: str, now: datetime) -> None:
    """Switch sending for the whole installation; effective at the next claim, also for what is queued."""
    conn.execute(update(installation).values(sending=on, sending_changed_by=actor))
    _log(conn, "on" if on else "off", actor, now)


def switch_creditor(conn: Connection, code: str, *, on: bool, actor: str, now: datetime) -> None:
    """Switch sending for one creditor; its new policy epoch makes queued attempts planned anew."""
    found = conn.execute(select(creditor.c.id).where(creditor.c.code == code)).scalar()
    if found is None:
        msg = f"there is no creditor {code!r} (outreach creditor show lists them)"
        raise NotFound(msg)
    conn.execute(update(creditor).where(creditor.c.id == found).values(sending=on))
    _log(conn, "on" if on else "off", actor, now, code)


def _log(conn: Connection, word: str, actor: str, now: datetime, code: str | None = None) -> None:
    entry = log.Entry(type="sending_switched", at=now, actor=actor, creditor=code, reasons=(word,))
    log.append(conn, [entry])
