"""Hand a dossier over to an agency or a bailiff: complete, under an agreement, or refused with what is missing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, or_, select

from outreach.casework.approvals import approval
from outreach.casework.days import civil_today
from outreach.casework.owed import allocation, facts_where, stop
from outreach.casework.running import arrangement
from outreach.casework.targets import DossierRef, Named, claim, dossier_of
from outreach.casework.tasks import task
from outreach.claims.amounts import open_cents
from outreach.errors import Refused
from outreach.parties.addresses import AddressKeys
from outreach.planning import queries as q
from outreach.sharing.agreements import in_use
from outreach.sharing.arrears import ways_of
from outreach.sharing.dossier_data import UNKNOWN, Data, data_of
from outreach.sharing.dossier_page import page
from outreach.sharing.fields import HANDOVER
from outreach.sharing.ledger import Shared, Wish, share

FORMAT = "outreach-handover/1"


@dataclass(frozen=True, slots=True)
class Handed:
    """What came of it: the answer, and where it was yes the files that may be handed over, by their path."""

    shared: Shared
    recipient: str
    files: Mapping[str, bytes]


def hand_over(
    conn: Connection, named: Named, agreement: str, keys: AddressKeys, actor: str, now: datetime
) -> Handed:
    """Assemble a dossier and write down that it leaves, or why it does not; a person decides it."""
    if not actor.startswith("staff:"):
        msg = f"{actor!r} can't decide this: a person does (--as staff:NAME)"
        raise Refused(msg)
    where = dossier_of(conn, named)
    row = in_use(conn, agreement, where.creditor_id, civil_today(now))
    data = data_of(conn, where, now)
    recipient = row.recipient if row is not None else ""
    head = {
        "format": FORMAT,
        "made_at": now,
        "agreement": agreement,
        "version": row.version if row is not None else 0,
        "recipient": recipient,
    }
    wish = Wish(
        agreement=agreement,
        purpose=HANDOVER,
        kind=HANDOVER,
        where=where,
        persons=data.persons,
        payload=data.records,
        head=head,
        approved_by=_approved_by(conn, where, now),
        against=tuple(missing(conn, where, data, now)),
    )
    shared = share(conn, wish, keys, actor, now)
    if not shared.answer.allowed:
        return Handed(shared, recipient, {})
    shown = page({**head, "id": shared.pseudonym}, data.records).encode()
    files = {"dossier.json": shared.body, "dossier.html": shown, **data.files}
    return Handed(shared, recipient, {"manifest.json": _manifest(shared.pseudonym, files), **files})


def missing(conn: Connection, where: DossierRef, data: Data, now: datetime) -> list[str]:
    """Return what a dossier lacks before anybody may have it; empty where it is complete."""
    today = civil_today(now)
    booked = allocation.c.booked_on <= today
    facts = [fact for _, fact in facts_where(conn, claim.c.dossier_id == where.id, now, booked=booked)]
    found = []
    if _approved_by(conn, where, now) is None:
        found.append("handover_not_approved")
    if not any(open_cents(fact) > 0 and fact.due_on < today for fact in facts):
        found.append("nothing_open")
    if _is_disputed(conn, where, now):
        found.append("dispute_open")
    if "letter" not in ways_of(conn, [where.person_id], now).get(where.person_id, {}):
        found.append("no_address")
    running = select(arrangement.c.id).where(
        arrangement.c.dossier_id == where.id, arrangement.c.state == "running"
    )
    if conn.execute(running.limit(1)).first() is not None:
        found.append("arrangement_running")
    unknown = (
        select(q.attempt.c.id)
        .join(q.message, q.message.c.id == q.attempt.c.message_id)
        .where(q.message.c.dossier_id == where.id, q.attempt.c.state.in_(UNKNOWN))
    )
    if conn.execute(unknown.limit(1)).first() is not None:
        found.append("message_in_doubt")
    if data.erased:
        found.append("correspondence_erased")
    return found


def write(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write the files of a dossier into a folder that is empty or not there yet."""
    for name, body in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)


def expect_empty(folder: Path) -> None:
    """Raise Refused for a folder with something in it: two dossiers must not mix."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        msg = f"--out: {folder} is not an empty folder; files of two dossiers must not lie together"
        raise Refused(msg)


def _manifest(pseudonym: str, files: Mapping[str, bytes]) -> bytes:
    listed = [
        {"path": name, "bytes": len(body), "sha256": hashlib.sha256(body).hexdigest()}
        for name, body in files.items()
    ]
    return json.dumps({"format": FORMAT, "id": pseudonym, "files": listed}, indent=1).encode() + b"\n"


def _approved_by(conn: Connection, where: DossierRef, now: datetime) -> str | None:
    """Return who approved the handover of this debtor's dossier; None where the last word on it is no yes."""
    steps = select(task.c.step).where(task.c.dossier_id == where.id, task.c.kind == "handover")
    last = conn.execute(
        select(approval)
        .where(
            approval.c.dossier_id == where.id,
            approval.c.person_id == where.person_id,
            approval.c.step.in_(steps),
        )
        .order_by(approval.c.id.desc())
        .limit(1)
    ).first()
    return str(last.actor) if last is not None and last.approved and last.until_at > now else None


def _is_disputed(conn: Connection, where: DossierRef, now: datetime) -> bool:
    claims = select(claim.c.id).where(claim.c.dossier_id == where.id)
    query = select(stop.c.id).where(
        stop.c.kind == "dispute",
        or_(stop.c.claim_id.in_(claims), stop.c.dossier_id == where.id),
        stop.c.lifted_at.is_(None),
        or_(stop.c.until_at.is_(None), stop.c.until_at > now),
    )
    return conn.execute(query.limit(1)).first() is not None
