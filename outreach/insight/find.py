"""Find the dossiers a person asks about, and load their facts as planning would."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select

from channels.kinds import Kind
from outreach.errors import NotFound, UsageError
from outreach.planning import queries as q
from outreach.planning.facts import UnitFacts
from outreach.planning.load import load


def dossiers_of(
    conn: Connection, *, debtor: str | None, creditor: str | None, person: str | None
) -> list[int]:
    """Return the dossiers of a debtor (the creditor's own number) or of a person (pseudonym).

    Raises NotFound, or UsageError where two creditors use the same number and none was named.
    """
    if (debtor is None) == (person is None):
        msg = "expected one of --debtor (the creditor's number) or --person (the pseudonym)"
        raise UsageError(msg)
    statement = (
        select(q.dossier.c.id, q.creditor.c.code)
        .join(q.debtor, q.debtor.c.id == q.dossier.c.debtor_id)
        .join(q.creditor, q.creditor.c.id == q.dossier.c.creditor_id)
        .order_by(q.dossier.c.id)
    )
    if debtor is not None:
        statement = statement.where(q.debtor.c.external_id == debtor)
    else:
        statement = statement.join(q.party, q.party.c.dossier_id == q.dossier.c.id).join(
            q.person, q.person.c.id == q.party.c.person_id
        )
        statement = statement.where(q.person.c.pseudonym == person)
    if creditor is not None:
        statement = statement.where(q.creditor.c.code == creditor)
    rows = conn.execute(statement).all()
    if not rows:
        who = f"debtor {debtor!r}" if debtor is not None else f"person {person!r}"
        msg = f"there is no {who}" + (f" of creditor {creditor!r}" if creditor else "")
        raise NotFound(msg)
    codes = sorted({row.code for row in rows})
    if debtor is not None and len(codes) > 1:
        msg = f"{debtor!r} is a number of {', '.join(codes)}: add --creditor"
        raise UsageError(msg)
    return [row.id for row in rows]


def units_of(
    conn: Connection, dossier_ids: list[int], now: datetime, channels: tuple[Kind, ...]
) -> list[UnitFacts]:
    """Return the facts of every party and currency of these dossiers at `now`."""
    return load(conn, dossier_ids, now, channels).units
