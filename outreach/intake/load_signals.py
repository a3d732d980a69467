"""Signals that a claims file tells: that another system reminded a second time, or more strictly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, select

from outreach.correspondence import log
from outreach.intake.rows import ClaimRow, Tone
from outreach.store.bulk import insert_rows
from outreach.store.tables.claims import Signal
from outreach.store.types import table_of

signal = table_of(Signal)

REMINDED_ELSEWHERE = "reminded_elsewhere"
_SECOND = frozenset({Tone.FIRM, Tone.FORMAL, Tone.FINAL})


@dataclass(frozen=True, slots=True)
class ToldSignal:
    """A signal as a row tells it, on a claim; `dossier` is the pseudonym for the log."""

    line: int
    claim_id: int
    dossier_id: int
    dossier: str
    on: date


def reminded_on(row: ClaimRow) -> date | None:
    """Return the day on which another system reminded again, where the row tells it."""
    return row.last_step_on if row.last_step in _SECOND else None


def set_signals(conn: Connection, told: Sequence[ToldSignal], now: datetime, actor: str) -> set[int]:
    """Set the signals that are not there yet; return the lines that set one."""
    if not told:
        return set()
    query = select(signal.c.claim_id, signal.c.on_date).where(
        signal.c.kind == REMINDED_ELSEWHERE, signal.c.claim_id.in_({one.claim_id for one in told})
    )
    known = {(row.claim_id, row.on_date) for row in conn.execute(query)}
    new = {(one.claim_id, one.on): one for one in told if (one.claim_id, one.on) not in known}
    rows = [
        {
            "kind": REMINDED_ELSEWHERE,
            "dossier_id": one.dossier_id,
            "claim_id": one.claim_id,
            "on_date": one.on,
            "set_by": actor,
            "at": now,
        }
        for one in new.values()
    ]
    insert_rows(conn, signal, rows)
    entries = [
        log.Entry(type="signal_set", at=now, actor=actor, dossier=one.dossier, reasons=(REMINDED_ELSEWHERE,))
        for one in new.values()
    ]
    if entries:
        log.append(conn, entries)
    return {one.line for one in new.values()}
