"""The record of processing (GDPR art. 30), with what was declared beside what was really done."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

import msgspec
from sqlalchemy import Connection, func, select

from consent.processing import Register
from outreach.sharing.tables import Agreement, Disclosure
from outreach.store.tables.messages import Message
from outreach.store.tables.parties import Creditor
from outreach.store.types import table_of

message = table_of(Message)
creditor = table_of(Creditor)
agreement = table_of(Agreement)
disclosure = table_of(Disclosure)


class Row(msgspec.Struct, frozen=True):
    """One activity, and how often it was really done."""

    code: str
    title: str
    basis: str
    why: str
    people: tuple[str, ...]
    data: tuple[str, ...]
    recipients: tuple[str, ...]
    retention: str
    safeguards: tuple[str, ...]
    messages: int
    disclosures: int


class Record(msgspec.Struct, frozen=True):
    """The record at a moment. `undeclared` is what was done that no activity names: a finding."""

    version: str
    controller: str
    source: str
    made_at: datetime
    since: datetime | None
    activities: tuple[Row, ...]
    undeclared: dict[str, int]


def record(conn: Connection, register: Register, since: datetime | None, now: datetime) -> Record:
    """Return the record of processing, counted from a moment on or from the beginning."""
    said, undeclared = _messages(conn, register, since)
    shared = _disclosures(conn, since)
    known = {one.code for one in register.activities}
    undeclared += Counter(
        {f"disclosure:{code}": count for code, count in shared.items() if code not in known}
    )
    rows = tuple(
        Row(
            code=one.code,
            title=one.title,
            basis=one.basis,
            why=one.why,
            people=one.people,
            data=one.data,
            recipients=one.recipients,
            retention=one.retention,
            safeguards=one.safeguards,
            messages=said[one.code],
            disclosures=shared[one.code],
        )
        for one in register.activities
    )
    return Record(
        version=register.version,
        controller=register.controller,
        source=register.source,
        made_at=now,
        since=since,
        activities=rows,
        undeclared=dict(undeclared),
    )


def _messages(
    conn: Connection, register: Register, since: datetime | None
) -> tuple[Counter[str], Counter[str]]:
    query = (
        select(message.c.purpose, creditor.c.is_agency, func.count())
        .join(creditor, creditor.c.id == message.c.creditor_id)
        .group_by(message.c.purpose, creditor.c.is_agency)
    )
    if since is not None:
        query = query.where(message.c.created_at >= since)
    found: Counter[str] = Counter()
    undeclared: Counter[str] = Counter()
    for purpose, is_agency, count in conn.execute(query):
        activity = register.activity(purpose, "agency" if is_agency else "creditor")
        if activity is not None:
            found[activity.code] += count
        else:
            undeclared[f"message:{purpose}"] += count
    return found, undeclared


def _disclosures(conn: Connection, since: datetime | None) -> Counter[str]:
    query = (
        select(agreement.c.activity, func.count())
        .join(disclosure, disclosure.c.agreement_id == agreement.c.id)
        .group_by(agreement.c.activity)
    )
    if since is not None:
        query = query.where(disclosure.c.at >= since)
    return Counter({row[0]: row[1] for row in conn.execute(query)})
