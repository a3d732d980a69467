"""Declarations: documents that the operator says are there, each until it expires or is withdrawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, insert, select, update

from consent.processing import shipped_register
from outreach.casework.days import civil_today
from outreach.casework.targets import creditor, creditor_of
from outreach.correspondence import log
from outreach.errors import NotFound, Refused, UsageError
from outreach.store.tables.law import Declaration as DeclarationRow
from outreach.store.tables.vocabulary import VOCABULARIES
from outreach.store.types import AnyRow, new_id, table_of

declaration = table_of(DeclarationRow)

KINDS = VOCABULARIES["declaration_kind"]


@dataclass(frozen=True, slots=True)
class Declaration:
    """A document: what it is about, and where it is kept; `until_on` is the first day on which it holds no more."""

    kind: str
    subject: str
    reference: str
    from_on: date | None = None
    until_on: date | None = None
    creditor: str | None = None


def declare(conn: Connection, new: Declaration, actor: str, now: datetime) -> str:
    """Keep what the operator says is there; return its random id. Without a creditor it holds for all."""
    if new.kind not in KINDS:
        msg = f"{new.kind!r} can't be declared; expected one of {', '.join(KINDS)}"
        raise UsageError(msg)
    from_on = new.from_on or civil_today(now)
    if new.until_on is not None and new.until_on <= max(from_on, civil_today(now)):
        msg = f"--until: {new.until_on}; expected a day after --from and after today"
        raise UsageError(msg)
    row = {
        "pseudonym": new_id(),
        "kind": new.kind,
        "subject": _about(new),
        "creditor_id": creditor_of(conn, new.creditor).id if new.creditor is not None else None,
        "reference": _line(new.reference, "--reference", 200),
        "from_on": from_on,
        "until_on": new.until_on,
        "actor": actor,
        "at": now,
    }
    conn.execute(insert(declaration).values(**row))
    _log(conn, "declared", new.creditor, new.kind, str(row["pseudonym"]), actor, now)
    return str(row["pseudonym"])


def withdraw(conn: Connection, beginning: str, actor: str, now: datetime) -> AnyRow:
    """Say that a document holds no longer; raises NotFound, or Refused where that was said already."""
    query = select(declaration).where(declaration.c.pseudonym.startswith(beginning, autoescape=True)).limit(2)
    rows = conn.execute(query.with_for_update()).all() if beginning else []
    if len(rows) != 1:
        msg = f"there is no single declaration {beginning!r} (outreach declare list shows them)"
        raise NotFound(msg)
    row = rows[0]
    if row.withdrawn_at is not None:
        msg = f"declaration {row.pseudonym[:8]} was withdrawn already, by {row.withdrawn_by}"
        raise Refused(msg)
    conn.execute(
        update(declaration).where(declaration.c.id == row.id).values(withdrawn_at=now, withdrawn_by=actor)
    )
    codes = select(creditor.c.code).where(creditor.c.id == row.creditor_id)
    _log(
        conn,
        "declaration_withdrawn",
        conn.execute(codes).scalar(),
        row.kind,
        row.pseudonym,
        actor,
        now,
    )
    return row


def declarations(conn: Connection, creditor_id: int | None = None) -> list[AnyRow]:
    """Return what was declared and not withdrawn, for a creditor with what holds for all, by kind and subject."""
    query = (
        select(declaration, creditor.c.code.label("creditor"))
        .outerjoin(creditor, creditor.c.id == declaration.c.creditor_id)
        .where(declaration.c.withdrawn_at.is_(None))
        .order_by(declaration.c.kind, declaration.c.subject, declaration.c.id)
    )
    if creditor_id is not None:
        of_it = declaration.c.creditor_id.is_(None) | (declaration.c.creditor_id == creditor_id)
        query = query.where(of_it)
    return list(conn.execute(query))


def in_force(conn: Connection, now: datetime, kind: str, creditor_id: int) -> Sequence[AnyRow]:
    """Return what holds today of a kind for a creditor, its own before what holds for all."""
    today = civil_today(now)
    rows = [
        row
        for row in declarations(conn, creditor_id)
        if row.kind == kind and row.from_on <= today and (row.until_on is None or today < row.until_on)
    ]
    return sorted(rows, key=lambda row: (row.creditor_id is None, row.id))


def _about(new: Declaration) -> str:
    """Return what it is about; an assessment and a notice are of an activity of the register of processing."""
    subject = _line(new.subject, "--about", 60)
    activities = {one.code for one in shipped_register().activities}
    if new.kind in {"assessment", "privacy_notice"} and subject not in activities:
        msg = f"--about: {subject!r} is no activity; expected one of {', '.join(sorted(activities))}"
        raise UsageError(msg)
    return subject


def _line(text: str, option: str, most: int) -> str:
    line = " ".join(text.split())
    if not line or len(line) > most or not line.isprintable():
        msg = f"{option}: expected one line of at most {most} characters"
        raise UsageError(msg)
    return line


def _log(
    conn: Connection, type_: str, code: str | None, kind: str, pseudonym: str, actor: str, now: datetime
) -> None:
    log.append(conn, [log.Entry(type=type_, at=now, actor=actor, creditor=code, reasons=(kind, pseudonym))])
