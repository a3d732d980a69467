"""The correspondence log's tables: entries that stay, content that may be erased, artefacts that explain."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Column, LargeBinary
from sqlmodel import Field, SQLModel

from outreach.store.types import PUBLIC_ID, key, moment, public_id, word


class Content(SQLModel, table=True):
    """Bytes that may hold personal data, kept apart from entries so that they can be erased.

    `codec` says how to read them ("rfc822", "json", "text"); `key_id` is null while they are not encrypted.
    """

    id: str = Field(primary_key=True, sa_type=PUBLIC_ID)
    codec: str = Field(max_length=20)
    key_id: str | None = Field(default=None, max_length=64)
    body: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    created_at: datetime = moment()


class LogEntry(SQLModel, table=True):
    """One thing said or decided; only ever added. Holds no name, address, amount, free text or plain hash of these.

    `at` is the business clock, `recorded_at` the machine's. `versions` and `reasons` are JSON texts of codes.
    """

    __tablename__ = "log_entry"
    seq: int | None = key()
    id: str = public_id()
    type: str = word("entry_type")
    at: datetime = moment()
    recorded_at: datetime = moment()
    actor: str = Field(max_length=80)
    person: str | None = Field(default=None, sa_type=PUBLIC_ID, index=True)
    dossier: str | None = Field(default=None, sa_type=PUBLIC_ID, index=True)
    creditor: str | None = Field(default=None, max_length=40)
    channel: str | None = Field(default=None, max_length=20)
    token: str | None = Field(default=None, sa_type=PUBLIC_ID, index=True)
    decision: str | None = Field(default=None, sa_type=PUBLIC_ID)
    content_id: str | None = Field(default=None, sa_type=PUBLIC_ID)
    reasons: str = "[]"
    versions: str = "{}"


class Artefact(SQLModel, table=True):
    """A version of a strategy, pack or template, kept for ever under the hash of its bytes."""

    hash: str = Field(primary_key=True, max_length=64)
    kind: str = word("artefact_kind")
    name: str = Field(max_length=80)
    body: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    first_used_at: datetime = moment()
