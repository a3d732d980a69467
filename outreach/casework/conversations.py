"""What was said outside the service: conversations, letters and mails that came in or went out elsewhere, notes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, insert, select

from consent.calendar import civil_date, zone_of
from outreach.casework import steps_done
from outreach.casework.days import civil_today, closing_of
from outreach.casework.open_claims import open_overdue
from outreach.casework.targets import DossierRef, Named, dossier_of, party_of
from outreach.casework.tasks import NewTask, open_task
from outreach.casework.words import keep_text
from outreach.correspondence import log
from outreach.errors import Refused, UsageError
from outreach.store.tables.claims import Signal
from outreach.store.types import AnyRow, new_id, table_of

signal = table_of(Signal)

KINDS = ("conversation", "letter", "mail", "scan")
MOST_BYTES = 10_000_000
"""The largest file that is kept: a scanned letter of some pages."""

CODECS = {
    ".txt": "text",
    ".eml": "rfc822",
    ".html": "html",
    ".pdf": "pdf",
    ".png": "png",
    ".jpg": "jpeg",
    ".jpeg": "jpeg",
}
"""How a kept file is read, by the end of its name."""


@dataclass(frozen=True, slots=True)
class Said:
    """Something said outside the service. `body` with its codec is what was said, or a scan of it."""

    named: Named
    kind: str
    is_in: bool
    at: datetime
    body: bytes
    codec: str = "text"
    step: str | None = None
    money_trouble: bool = False


def note(
    conn: Connection,
    named: Named,
    text: str,
    actor: str,
    now: datetime,
    *,
    due_on: date | None = None,
    owner: str = "staff",
) -> str | None:
    """Keep a note about a dossier; with a day it is also work for somebody, whose random id is returned."""
    where = dossier_of(conn, named)
    who = party_of(conn, where, named, now)
    if not text.strip():
        raise UsageError("expected the text of the note")
    if due_on is not None and due_on < civil_today(now):
        msg = f"--due: {due_on} has passed"
        raise UsageError(msg)
    content_id = keep_text(conn, text, now)
    log.append(conn, [_entry("noted", where, who, actor, now, (), content_id)])
    if due_on is None:
        return None
    work = NewTask(
        kind="note",
        subject=new_id(),
        due_at=closing_of(due_on),
        owner=owner,
        dossier_id=where.id,
        person_id=who.person_id,
        content_id=content_id,
    )
    return open_task(conn, work, actor, now)


def record(conn: Connection, said: Said, actor: str, now: datetime) -> int:
    """Keep what was said outside; return for how many claims it counts as a step of the ladder.

    Raises UsageError for a time ahead, too much to keep, or a step that the strategy does not know.
    """
    _check(said, now)
    where = dossier_of(conn, said.named)
    who = party_of(conn, where, said.named, now)
    content_id = new_id()
    log.keep(conn, [(content_id, said.codec, said.body)], now)
    reasons = [said.kind, "in" if said.is_in else "out"]
    claims = 0
    if said.step is not None:
        claims, rows = _count_step(conn, said, where, who, actor, now)
        reasons += [f"step:{said.step}", rows]
    log.append(conn, [_entry(_type(said), where, who, actor, said.at, reasons, content_id)])
    if said.money_trouble:
        set_signal(conn, "money_trouble", where, who, said.at, actor, now)
    return claims


def set_signal(
    conn: Connection, kind: str, where: DossierRef, who: AnyRow, on: datetime, actor: str, now: datetime
) -> None:
    """Set a fact that may start a trajectory, once for each day on which it was seen."""
    day = civil_date(on, zone_of(who.time_zone))
    known = select(signal.c.id).where(
        signal.c.dossier_id == where.id,
        signal.c.claim_id.is_(None),
        signal.c.kind == kind,
        signal.c.on_date == day,
    )
    if conn.execute(known).scalar() is not None:
        return
    row = {"kind": kind, "dossier_id": where.id, "on_date": day, "set_by": actor, "at": now}
    key = conn.execute(insert(signal).values(**row).returning(signal.c.id)).scalar_one()
    log.append(conn, [_entry("signal_set", where, who, actor, now, (kind, f"signal:{key}"), None)])


def _check(said: Said, now: datetime) -> None:
    if said.kind not in KINDS:
        msg = f"--kind: {said.kind!r} is not kept this way; expected one of {', '.join(KINDS)}"
        raise UsageError(msg)
    if said.at > now:
        raise UsageError("--at: expected a time that has passed")
    if not said.body.strip():
        raise UsageError("expected --text or --file: what was said")
    if len(said.body) > MOST_BYTES:
        msg = f"--file: {len(said.body):,} bytes; at most {MOST_BYTES:,} are kept"
        raise UsageError(msg)
    if said.step is not None and said.is_in:
        raise UsageError("--step: only what was said to the debtor is a step (--out)")


def _type(said: Said) -> str:
    if said.kind == "conversation":
        return "conversation"
    return "received" if said.is_in else "told_elsewhere"


def _count_step(
    conn: Connection, said: Said, where: DossierRef, who: AnyRow, actor: str, now: datetime
) -> tuple[int, str]:
    """Let what was said elsewhere count as a step of every claim that was open and overdue."""
    assert said.step is not None
    version = steps_done.version_in_use(conn, where, who.person_id)
    step = steps_done.step_of(version, said.step)
    if step.kind == "handover":
        raise UsageError("--step: a handover is no message; it is decided with outreach task approve")
    claims = [
        fact
        for fact in open_overdue(conn, where.id, who.time_zone, now)
        if fact.due_on < civil_date(said.at, zone_of(who.time_zone))
    ]
    if not claims:
        raise Refused("--step: no claim of this dossier is open and was overdue at that time")
    rows = steps_done.write(
        conn, claims, who.person_id, step, version.hash, "elsewhere", reached=True, at=said.at, actor=actor
    )
    return len(claims), rows


def _entry(
    type_: str,
    where: DossierRef,
    who: AnyRow,
    actor: str,
    at: datetime,
    reasons: tuple[str, ...] | list[str],
    content_id: str | None,
) -> log.Entry:
    return log.Entry(
        type=type_,
        at=at,
        actor=actor,
        person=who.person,
        dossier=where.pseudonym,
        creditor=where.creditor,
        content_id=content_id,
        reasons=tuple(reasons),
    )
