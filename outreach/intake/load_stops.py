"""Stops that a claims file tells: disputes, holds, insolvencies, representatives.

Each is set once. A fact that disappears from the file lifts nothing, and what a person lifted is not set again by
the same fact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from sqlalchemy import Connection, Row, select

from outreach.casework import stop_effects
from outreach.correspondence import log
from outreach.intake.rows import ClaimRow
from outreach.intake.run import OPERATOR_ZONE
from outreach.store.bulk import insert_rows, update_rows
from outreach.store.tables.claims import Stop
from outreach.store.types import new_id, table_of

stop = table_of(Stop)

IMPORTED = "import"
"""The reason code of an imported stop, alone or before a colon."""

REPRESENTED = "representative"


@dataclass(frozen=True, slots=True)
class ToldStop:
    """A stop as a row tells it: on a claim, or on a person. `of` are pseudonyms for the log."""

    line: int
    kind: str
    from_at: datetime
    claim_id: int | None = None
    person_id: int | None = None
    until_at: datetime | None = None
    reason_code: str = IMPORTED
    person: str | None = None
    dossier: str | None = None
    amount_cents: int | None = None

    @property
    def scope(self) -> str:
        """What it stops: the person, the claim, or only the disputed part of it."""
        if self.claim_id is None:
            return "person"
        return "claim" if self.amount_cents is None else "claim_part"

    @property
    def subject(self) -> tuple[str, int | None, int | None]:
        """What there is one of: a kind of stop on one claim or person."""
        return self.kind, self.claim_id, self.person_id


def start_of(day: date) -> datetime:
    """Return 00:00 of a civil date of the operator."""
    return datetime.combine(day, time(), OPERATOR_ZONE).astimezone(UTC)


def has_stops(row: ClaimRow) -> bool:
    """Return whether the row tells any stop."""
    return bool(row.disputed_on or row.hold_until or row.insolvency or row.representative)


def stops_of(
    line: int, row: ClaimRow, claim_id: int | None, dossier: str, person_id: int, person: str, now: datetime
) -> list[ToldStop]:
    """Return the stops that a row tells. A credit note has no claim to stop."""
    # A trial plays days before the import: what has no day of its own holds from the invoice on.
    since = min(now, start_of(row.invoice_on))
    found = []
    if claim_id is not None and row.disputed_on:
        # Measured against the whole amount: against what is open, the same row would say another thing after
        # every payment, while a part that is more than what is open stops all of it anyway.
        part = row.dispute_amount if (row.dispute_amount or 0) < row.principal else None
        since_dispute = start_of(row.disputed_on)
        found.append(
            ToldStop(line, "dispute", since_dispute, claim_id, dossier=dossier, amount_cents=part or None)
        )
    if claim_id is not None and row.hold_until:
        until = start_of(row.hold_until)
        found.append(ToldStop(line, "hold", min(since, until), claim_id, until_at=until, dossier=dossier))
    if row.insolvency:
        code = f"{IMPORTED}:{row.insolvency.value}"
        found.append(ToldStop(line, "insolvent", since, person_id=person_id, reason_code=code, person=person))
    if row.representative:
        found.append(ToldStop(line, REPRESENTED, since, person_id=person_id, person=person))
    return found


def set_stops(conn: Connection, told: Sequence[ToldStop], now: datetime, actor: str) -> set[int]:
    """Set the stops that are not there yet; return the lines that changed something."""
    if not told:
        return set()
    known: dict[tuple[str, int | None, int | None], list[Row[Any]]] = {}
    for row in _known(conn, told):
        known.setdefault((row.kind, row.claim_id, row.person_id), []).append(row)
    latest = {one.subject: one for one in told}
    new: list[ToldStop] = []
    moved: list[tuple[ToldStop, int]] = []
    for one in latest.values():
        rows = known.get(one.subject, [])
        standing = [row for row in rows if row.lifted_at is None]
        if one.kind == "hold":
            # An imported hold follows its date; one that a person set is theirs.
            own = next((row for row in standing if row.reason_code == IMPORTED), None)
            if own is not None and own.until_at != one.until_at:
                moved.append((one, own.id))
            elif not rows or not any(row.until_at == one.until_at for row in rows):
                new.append(one)
        elif own := next(
            (row for row in standing if row.reason_code == IMPORTED and _same_fact(row, one)), None
        ):
            if (own.scope, own.amount_cents) != (one.scope, one.amount_cents):
                moved.append((one, own.id))
        elif not standing and not any(_same_fact(row, one) for row in rows):
            new.append(one)
    _write(conn, new, moved, now, actor)
    return {one.line for one in new} | {one.line for one, _ in moved}


def _same_fact(row: Row[Any], one: ToldStop) -> bool:
    """Return whether a lifted stop rested on this very fact: a dispute of the same day, else the same reason."""
    if one.kind == "dispute":
        return bool(row.from_at == one.from_at)
    return bool(row.reason_code == one.reason_code)


def _known(conn: Connection, told: Sequence[ToldStop]) -> list[Row[Any]]:
    kinds = {one.kind for one in told}
    found: list[Row[Any]] = []
    for column in ("claim_id", "person_id"):
        ids = {key for one in told if (key := getattr(one, column)) is not None}
        if ids:
            found += conn.execute(select(stop).where(stop.c[column].in_(ids), stop.c.kind.in_(kinds)))
    return found


def _write(
    conn: Connection,
    new: Sequence[ToldStop],
    moved: Sequence[tuple[ToldStop, int]],
    now: datetime,
    actor: str,
) -> None:
    set_now = {new_id(): one for one in new}
    rows = [
        {
            "pseudonym": pseudonym,
            "kind": one.kind,
            "scope": one.scope,
            "person_id": one.person_id,
            "claim_id": one.claim_id,
            "from_at": one.from_at,
            "until_at": one.until_at,
            "reason_code": one.reason_code,
            "set_by": actor,
            "amount_cents": one.amount_cents,
        }
        for pseudonym, one in set_now.items()
    ]
    insert_rows(conn, stop, rows)
    changes = [
        {"id": row_id, "until_at": one.until_at, "scope": one.scope, "amount_cents": one.amount_cents}
        for one, row_id in moved
    ]
    update_rows(conn, stop, ("id",), changes)
    entries = [
        *(_entry(one, now, actor, pseudonym) for pseudonym, one in set_now.items()),
        *(_entry(one, now, actor, "changed") for one, _ in moved),
    ]
    log.append(conn, entries)
    _ask_who_acts(conn, [key for key, one in set_now.items() if one.kind == REPRESENTED], now, actor)


def _entry(one: ToldStop, now: datetime, actor: str, last: str) -> log.Entry:
    """Return the entry of a stop. One that was set ends with its random id, so that it can be taken back."""
    reasons = (one.kind, one.scope, last)
    return log.Entry(
        type="stop_set", at=now, actor=actor, person=one.person, dossier=one.dossier, reasons=reasons
    )


def _ask_who_acts(conn: Connection, pseudonyms: Sequence[str], now: datetime, actor: str) -> None:
    """Open the work of writing to whoever acts for these debtors: no message of ours goes to them yet."""
    if pseudonyms:
        query = select(stop).where(stop.c.pseudonym.in_(pseudonyms)).order_by(stop.c.id)
        for row in conn.execute(query).all():
            stop_effects.apply(conn, row, None, actor, now)
