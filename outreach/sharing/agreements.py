"""Agreements about sharing: made from a file, approved by a second person, withdrawn; each version stays."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from importlib import resources
from typing import Annotated, Literal

import msgspec
from sqlalchemy import Connection, func, insert, select, update

from consent.disclosure import EEA, TRANSFERS, AgreementFacts
from outreach.casework.days import civil_today
from outreach.casework.grounds import name_of
from outreach.casework.targets import creditor, creditor_of
from outreach.correspondence import log
from outreach.errors import NotFound, Refused, UsageError
from outreach.sharing.fields import EARLY_SIGNAL, HANDOVER, KNOWN
from outreach.sharing.tables import Agreement
from outreach.store.types import AnyRow, new_id, table_of

agreement = table_of(Agreement)

IN_FORCE = "in_force"
AGAIN_AFTER = timedelta(hours=24)
"""After this time whoever made an agreement may approve it where the office is declared small."""

Code = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Line = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class AgreementFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An agreement as people write it."""

    code: Code
    recipient: Line
    recipient_kind: Literal["municipality", "agency", "bailiff"]
    role: Literal["processor", "controller", "joint_controller"]
    purpose: Literal["early_signal", "handover"]
    activity: Code
    basis: Literal["6(1)(a)", "6(1)(b)", "6(1)(c)", "6(1)(d)", "6(1)(e)", "6(1)(f)"]
    fields: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    places: tuple[Line, ...] = ()
    retention_days: Annotated[int, msgspec.Meta(ge=1, le=3650)]
    country: Annotated[str, msgspec.Meta(pattern="^[A-Z]{2}$")]
    transfer: Literal["", "adequacy", "scc", "bcr"] = ""
    contract: Line
    valid_from_on: date
    expires_on: date
    creditor: str = ""


def read(body: bytes, source: str) -> AgreementFile:
    """Read and check an agreement; raises UsageError naming file, field and what was expected."""
    try:
        made = msgspec.toml.decode(body, type=AgreementFile)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        msg = f"{source}: {error}"
        raise UsageError(msg) from error
    if fault := _fault(made):
        msg = f"{source}: {fault}"
        raise UsageError(msg)
    return made


def _fault(made: AgreementFile) -> str:
    """Return what is wrong with an agreement, or nothing."""
    known = KNOWN[made.purpose]
    for name in made.fields:
        if name not in known:
            return (
                f"fields: {name!r} can't be shared for {made.purpose}; expected of {', '.join(sorted(known))}"
            )
    if made.expires_on <= made.valid_from_on:
        return f"expires_on: {made.expires_on}; expected a day after valid_from_on ({made.valid_from_on})"
    if made.country not in EEA and not made.transfer:
        return f"transfer: {made.country} is outside the EEA; expected one of {', '.join(TRANSFERS)}"
    if made.purpose == EARLY_SIGNAL:
        if made.recipient_kind != "municipality":
            return "recipient_kind: an early signal goes to a municipality"
        if made.basis != "6(1)(c)":
            return "basis: an early signal rests on the law, 6(1)(c), and never on consent (rule NL-WGS-010)"
        if not made.places:
            return "places: expected the towns of this municipality, so that no signal goes to another one"
    if made.purpose == HANDOVER and made.recipient_kind == "municipality":
        return "recipient_kind: a dossier is handed over to an agency or a bailiff"
    return ""


def examples() -> tuple[str, ...]:
    """Return the names of the agreements that come with the service, to begin from."""
    folder = resources.files("outreach.sharing") / "examples"
    return tuple(sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir()))


def example(name: str) -> str:
    """Return an agreement that comes with the service as text; raises UsageError for an unknown name."""
    if name not in examples():
        msg = f"there is no example {name!r}; expected one of {', '.join(examples())}"
        raise UsageError(msg)
    return (resources.files("outreach.sharing") / "examples" / f"{name}.toml").read_text("utf-8")


def add(conn: Connection, made: AgreementFile, actor: str, now: datetime) -> int:
    """Keep a new version of an agreement, which waits for its approval; return the version's number."""
    if made.expires_on <= civil_today(now):
        msg = f"expires_on: {made.expires_on} has passed"
        raise UsageError(msg)
    last = select(func.max(agreement.c.version)).where(agreement.c.code == made.code)
    version = int(conn.execute(last).scalar() or 0) + 1
    whose = creditor_of(conn, made.creditor) if made.creditor else None
    row = msgspec.structs.asdict(made) | {
        "pseudonym": new_id(),
        "version": version,
        "creditor_id": whose.id if whose is not None else None,
        "fields": json.dumps(sorted(set(made.fields))),
        "places": json.dumps(sorted(set(made.places))),
        "set_by": actor,
        "set_at": now,
    }
    del row["creditor"]
    conn.execute(insert(agreement).values(**row))
    _log(conn, "agreement_made", of_version(conn, made.code, version), actor, now)
    return version


def approve(conn: Connection, code: str, actor: str, now: datetime) -> AnyRow:
    """Approve the newest version of an agreement: by a second person, or in a small office again after a day.

    Raises Refused where it was approved or withdrawn already, or where somebody else must do it.
    """
    row = newest(conn, code)
    if row.approved_at is not None or row.withdrawn_at is not None:
        word = "withdrawn" if row.withdrawn_at is not None else "approved"
        msg = f"version {row.version} of agreement {code!r} was {word} already"
        raise Refused(msg)
    if not actor.startswith("staff:"):
        msg = f"{actor!r} can't approve this: a person does (--as staff:NAME)"
        raise Refused(msg)
    if name_of(row.set_by) == name_of(actor):
        if not _is_small(conn, row):
            msg = f"{actor} made agreement {code!r}: another person approves it"
            raise Refused(msg)
        if now < row.set_at + AGAIN_AFTER:
            msg = f"agreement {code!r} was made less than 24 hours ago: a small office confirms it again after that"
            raise Refused(msg)
    done = update(agreement).where(agreement.c.id == row.id).values(approved_by=actor, approved_at=now)
    conn.execute(done)
    _log(conn, "agreement_approved", row, actor, now)
    return row


def withdraw(conn: Connection, code: str, actor: str, now: datetime) -> int:
    """Withdraw an agreement, all versions of it: from now on nothing is shared under it. Returns how many were."""
    newest(conn, code)
    query = select(agreement).where(agreement.c.code == code, agreement.c.withdrawn_at.is_(None))
    rows = conn.execute(query.with_for_update()).all()
    if not rows:
        msg = f"agreement {code!r} was withdrawn already"
        raise Refused(msg)
    for row in rows:
        conn.execute(
            update(agreement).where(agreement.c.id == row.id).values(withdrawn_by=actor, withdrawn_at=now)
        )
        _log(conn, "agreement_withdrawn", row, actor, now)
    return len(rows)


def newest(conn: Connection, code: str) -> AnyRow:
    """Return the newest version of an agreement, locked for a change; raises NotFound."""
    query = select(agreement).where(agreement.c.code == code).order_by(agreement.c.version.desc()).limit(1)
    expect(conn, code)
    return conn.execute(query.with_for_update()).one()


def expect(conn: Connection, code: str) -> None:
    """Raise NotFound where there is no agreement of this code."""
    if conn.execute(select(agreement.c.id).where(agreement.c.code == code)).first() is None:
        msg = f"there is no agreement {code!r} (outreach share agreement list shows them)"
        raise NotFound(msg)


def of_version(conn: Connection, code: str, version: int) -> AnyRow:
    """Return one version of an agreement."""
    query = select(agreement).where(agreement.c.code == code, agreement.c.version == version)
    return conn.execute(query).one()


def in_use(conn: Connection, code: str, creditor_id: int, today: date) -> AnyRow | None:
    """Return the version to share under: the newest in force, else the newest; None where there is none.

    An agreement of another creditor is none of ours. Locked for a share, so that nobody withdraws it meanwhile.
    """
    query = select(agreement).where(
        agreement.c.code == code,
        agreement.c.creditor_id.is_(None) | (agreement.c.creditor_id == creditor_id),
    )
    rows = conn.execute(query.order_by(agreement.c.id).with_for_update(read=True)).all()
    return max(rows, key=lambda row: (state_of(row, today) == IN_FORCE, row.version), default=None)


def agreements(conn: Connection, purpose: str | None = None) -> list[AnyRow]:
    """Return every version of every agreement, with its creditor's code."""
    query = select(agreement, creditor.c.code.label("creditor")).outerjoin(
        creditor, creditor.c.id == agreement.c.creditor_id
    )
    if purpose is not None:
        query = query.where(agreement.c.purpose == purpose)
    return list(conn.execute(query.order_by(agreement.c.code, agreement.c.version)))


def facts_of(row: AnyRow) -> AgreementFacts:
    """Return what the pure decision reads of a version."""
    return AgreementFacts(
        code=row.code,
        version=row.version,
        recipient=row.recipient,
        purpose=row.purpose,
        fields=tuple(json.loads(row.fields)),
        country=row.country,
        transfer=row.transfer,
        valid_from_on=row.valid_from_on,
        expires_on=row.expires_on,
        approved=row.approved_at is not None,
        withdrawn=row.withdrawn_at is not None,
    )


def state_of(row: AnyRow, today: date) -> str:
    """Return one word for how a version stands on a day."""
    if row.withdrawn_at is not None:
        return "withdrawn"
    if today >= row.expires_on:
        return "expired"
    if row.approved_at is None:
        return "waits"
    return IN_FORCE if today >= row.valid_from_on else "not_yet"


def _is_small(conn: Connection, row: AnyRow) -> bool:
    """Whether every creditor that the agreement is for is a small office."""
    query = select(creditor.c.is_small_office)
    if row.creditor_id is not None:
        query = query.where(creditor.c.id == row.creditor_id)
    found: Sequence[bool] = conn.execute(query).scalars().all()
    return bool(found) and all(found)


def _log(conn: Connection, type_: str, row: AnyRow, actor: str, now: datetime) -> None:
    whose = select(creditor.c.code).where(creditor.c.id == row.creditor_id)
    code = conn.execute(whose).scalar() if row.creditor_id is not None else None
    reasons = (row.code, f"version:{row.version}", f"agreement:{row.pseudonym}")
    log.append(conn, [log.Entry(type=type_, at=now, actor=actor, creditor=code, reasons=reasons)])
