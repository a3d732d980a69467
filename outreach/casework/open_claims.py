"""What is open of single claims and of a dossier, for casework that is about them.

Every booking counts here, also one dated ahead: what is placed once is not placed again.
"""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from consent.calendar import civil_date
from outreach.casework.owed import facts_where
from outreach.casework.targets import claim
from outreach.claims.amounts import open_cents
from outreach.claims.facts import ClaimFact


def lock_claim(conn: Connection, claim_id: int) -> None:
    """Lock a claim, so that what is open of it stays so until this transaction ends."""
    conn.execute(select(claim.c.id).where(claim.c.id == claim_id).with_for_update()).one()


def claim_fact(conn: Connection, claim_id: int, now: datetime) -> ClaimFact:
    """Return one claim with the stops on it that hold at `now`."""
    return facts_where(conn, claim.c.id == claim_id, now)[0][1]


def open_overdue(
    conn: Connection, dossier_id: int, zone: str, now: datetime, currency: str = ""
) -> list[ClaimFact]:
    """Return a dossier's claims that are open after their due date in the party's zone, the oldest first."""
    today = civil_date(now, ZoneInfo(zone))
    return [
        fact
        for fact in _of_dossier(conn, dossier_id, now)
        if open_cents(fact) > 0 and fact.due_on < today and currency in {"", fact.currency}
    ]


def open_currencies(conn: Connection, dossier_id: int, now: datetime) -> list[str]:
    """Return the currencies in which something of a dossier is open."""
    return sorted({fact.currency for fact in _of_dossier(conn, dossier_id, now) if open_cents(fact) > 0})


def _of_dossier(conn: Connection, dossier_id: int, now: datetime) -> list[ClaimFact]:
    return [fact for _, fact in facts_where(conn, claim.c.dossier_id == dossier_id, now)]
