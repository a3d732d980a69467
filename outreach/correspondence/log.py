"""Append to the correspondence log, and keep content and artefacts; nothing here changes what is there."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql, sqlite

from outreach.clock import machine_clock
from outreach.correspondence.tables import Artefact, Content, LogEntry
from outreach.store.bulk import insert_rows
from outreach.store.types import new_id, table_of

log_entry = table_of(LogEntry)
content = table_of(Content)


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry to append: codes and random ids only, never a name, address, amount or free text."""

    type: str
    at: datetime
    actor: str
    person: str | None = None
    dossier: str | None = None
    creditor: str | None = None
    channel: str | None = None
    token: str | None = None
    decision: str | None = None
    content_id: str | None = None
    reasons: Sequence[str] = ()
    versions: Mapping[str, Any] | None = None


def append(conn: Connection, entries: Iterable[Entry]) -> None:
    """Append entries in the caller's transaction, so that a change and its entry stand or fall together."""
    recorded_at = machine_clock()
    rows = [
        {
            "id": new_id(),
            "type": entry.type,
            "at": entry.at,
            "recorded_at": recorded_at,
            "actor": entry.actor,
            "person": entry.person,
            "dossier": entry.dossier,
            "creditor": entry.creditor,
            "channel": entry.channel,
            "token": entry.token,
            "decision": entry.decision,
            "content_id": entry.content_id,
            "reasons": _json(entry.reasons),
            "versions": _json(entry.versions or {}),
        }
        for entry in entries
    ]
    insert_rows(conn, log_entry, rows)


def keep(conn: Connection, contents: Sequence[tuple[str, str, bytes]], at: datetime) -> None:
    """Keep content: (id, codec, bytes) each."""
    rows = [{"id": key, "codec": codec, "body": body, "created_at": at} for key, codec, body in contents]
    insert_rows(conn, content, rows)


def content_of(conn: Connection, content_id: str) -> bytes | None:
    """Return kept bytes, or None where they were erased."""
    body: bytes | None = conn.execute(select(Content.body).where(Content.id == content_id)).scalar()  # type: ignore[call-overload]
    return body


def keep_artefact(conn: Connection, kind: str, name: str, body: bytes, at: datetime) -> str:
    """Keep a version of a strategy, pack or template under the hash of its bytes; return the hash."""
    digest = hashlib.sha256(body).hexdigest()
    build = sqlite.insert if conn.dialect.name == "sqlite" else postgresql.insert
    row = {"hash": digest, "kind": kind, "name": name, "body": body, "first_used_at": at}
    conn.execute(build(Artefact).values(**row).on_conflict_do_nothing(index_elements=["hash"]))
    return digest


def artefact_of(conn: Connection, digest: str) -> bytes | None:
    """Return the bytes of a kept version, or None where there is none."""
    body: bytes | None = conn.execute(select(Artefact.body).where(Artefact.hash == digest)).scalar()  # type: ignore[call-overload]
    return body


def _json(value: Any) -> str:
    if not value:
        return "{}" if isinstance(value, Mapping) else "[]"
    return msgspec.json.encode(value).decode()
