"""The units that an earlier look left waiting or stopped, and that are not due now."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, case, func, or_, select

from outreach.planning import queries as q
from outreach.planning.answer import Outcome
from outreach.store.types import AnyRow

# What was made ready and left since waits for its next step, and no look has said so yet.
_WHY = case((q.decision.c.code == "queued", "handed_over"), else_=q.decision.c.code).label("why")
_HAS_END = q.decision.c.until_at.is_not(None)

_IS_READY = (
    select(q.message.c.id)
    .join(q.attempt, q.attempt.c.message_id == q.message.c.id)
    .where(
        q.message.c.dossier_id == q.decision.c.dossier_id,
        q.message.c.person_id == q.decision.c.person_id,
        q.message.c.currency == q.decision.c.currency,
        q.attempt.c.state == "ready",
    )
    .exists()
)


def counted(conn: Connection, now: datetime, creditor_id: int | None) -> Sequence[AnyRow]:
    """Return by outcome, reason and whether there is an end how many units there are, and the first end."""
    query = (
        select(
            q.decision.c.outcome,
            _WHY,
            _HAS_END.label("has_end"),
            func.count().label("units"),
            func.min(q.decision.c.until_at).label("first"),
        )
        .join(q.dossier, q.dossier.c.id == q.decision.c.dossier_id)
        .where(*_standing(now, creditor_id))
        .group_by(q.decision.c.outcome, "why", _HAS_END)
    )
    return conn.execute(query).all()


def first_rows(conn: Connection, now: datetime, creditor_id: int | None, limit: int) -> Sequence[AnyRow]:
    """Return creditor, debtor, outcome, reason and end of those that end first; without an end only who waits."""
    query = (
        select(
            q.creditor.c.code.label("creditor"),
            q.debtor.c.external_id,
            q.decision.c.outcome,
            _WHY,
            q.decision.c.until_at,
        )
        .join(q.dossier, q.dossier.c.id == q.decision.c.dossier_id)
        .join(q.debtor, q.debtor.c.id == q.dossier.c.debtor_id)
        .join(q.creditor, q.creditor.c.id == q.dossier.c.creditor_id)
        .where(*_standing(now, creditor_id), or_(q.decision.c.outcome != Outcome.STOPPED.value, _HAS_END))
        .order_by(_HAS_END.desc(), q.decision.c.until_at, q.decision.c.id)
        .limit(limit)
    )
    return conn.execute(query).all()


def _standing(now: datetime, creditor_id: int | None) -> list[ColumnElement[bool]]:
    """Return which newest decisions still stand: of a party, about a dossier that is not due."""
    is_party = (
        select(q.party.c.id)
        .where(
            q.party.c.dossier_id == q.decision.c.dossier_id,
            q.party.c.person_id == q.decision.c.person_id,
            or_(q.party.c.until_at.is_(None), q.party.c.until_at > now),
        )
        .exists()
    )
    found = [
        q.decision.c.id.in_(q.NEWEST_DECISIONS),
        q.decision.c.outcome.in_([Outcome.WAITING.value, Outcome.STOPPED.value]),
        or_(q.decision.c.code != "queued", ~_IS_READY),
        or_(q.dossier.c.next_look_at.is_(None), q.dossier.c.next_look_at > now),
        is_party,
    ]
    return found if creditor_id is None else [*found, q.dossier.c.creditor_id == creditor_id]
