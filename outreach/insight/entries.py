"""Read the correspondence log: entries by person, type and period, newest last."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, select

from outreach.correspondence.tables import Content, LogEntry
from outreach.planning import queries as q
from outreach.store.types import AnyRow, table_of

entry = table_of(LogEntry)
content = table_of(Content)


def entries(
    conn: Connection,
    *,
    persons: Sequence[str] | None = None,
    dossiers: Sequence[str] | None = None,
    type_: str | None = None,
    limit: int = 50,
) -> list[AnyRow]:
    """Return the newest entries that fit, oldest of them first."""
    statement = select(entry)
    if persons is not None:
        statement = statement.where(entry.c.person.in_(persons))
    if dossiers is not None:
        statement = statement.where(entry.c.dossier.in_(dossiers))
    if type_ is not None:
        statement = statement.where(entry.c.type == type_)
    rows = conn.execute(statement.order_by(entry.c.seq.desc()).limit(limit)).all()
    return list(reversed(rows))


def dossier_pseudonyms(conn: Connection, dossier_ids: Sequence[int]) -> list[str]:
    """Return the random ids under which the log knows these dossiers."""
    return list(conn.execute(select(q.dossier.c.pseudonym).where(q.dossier.c.id.in_(dossier_ids))).scalars())


def entry_of(conn: Connection, entry_id: str) -> AnyRow | None:
    """Return one entry by its random id or by its beginning."""
    statement = select(entry).where(entry.c.id.startswith(entry_id, autoescape=True)).limit(2)
    rows = conn.execute(statement).all()
    return rows[0] if len(rows) == 1 else None


def said(conn: Connection, content_id: str | None) -> AnyRow | None:
    """Return an entry's content, `body` and the `codec` to read it by; None where there is none any more."""
    return conn.execute(select(content.c.body, content.c.codec).where(content.c.id == content_id)).first()
