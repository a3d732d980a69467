"""Who needs a person's attention today, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, func, literal, select

from outreach.insight.stuck import TASKS, open_tasks, task
from outreach.planning import queries as q
from outreach.planning.load import civil_today

RECENT = timedelta(days=14)
"""How far back a broken promise, returned mail and a signal ask for attention."""

REASONS = (
    "overdue_task",
    "promise_broken",
    "instalment_missed",
    "mail_returned",
    "triage",
    "signal",
)
"""Why somebody needs attention, the most pressing first."""


@dataclass(frozen=True, slots=True)
class Attention:
    """One reason to look at a debtor. `what` is the kind of task, channel, triage or signal it is about."""

    why: str
    creditor: str
    debtor: str
    since_on: date | None
    what: str
    owner: str = ""


def attention(conn: Connection, now: datetime, creditor_id: int | None) -> dict[str, list[Attention]]:
    """Return everything that needs attention, by reason in the order of REASONS; one debtor may stand under several."""
    queries = {
        "overdue_task": _overdue(now, creditor_id),
        "promise_broken": _broken(now),
        "instalment_missed": _missed(),
        "mail_returned": _returned(now),
        "triage": _triaged(now),
        "signal": _signals(now),
    }
    found: dict[str, list[Attention]] = {}
    for why in REASONS:
        query = queries[why]
        if creditor_id is not None and why != "overdue_task":
            query = query.where(q.dossier.c.creditor_id == creditor_id)
        rows: Sequence[Any] = conn.execute(query).all()
        found[why] = [
            Attention(why, row[0] or "", row[1] or "", _day(row[2]), row[3], row[4]) for row in rows
        ]
    return found


def _day(since: Any) -> date | None:
    return civil_today(since) if isinstance(since, datetime) else since


_Query = Select[Any]


def _who(since: Any, what: Any, owner: Any = literal("")) -> _Query:  # noqa: B008 - an SQL constant, never changed
    return select(q.creditor.c.code, q.debtor.c.external_id, since, what, owner)


def _of_dossiers(query: _Query) -> _Query:
    return query.join(q.debtor, q.debtor.c.id == q.dossier.c.debtor_id).join(
        q.creditor, q.creditor.c.id == q.dossier.c.creditor_id
    )


def _overdue(now: datetime, creditor_id: int | None) -> _Query:
    return (
        _who(task.c.due_at, task.c.kind, task.c.owner)
        .select_from(
            TASKS.outerjoin(q.debtor, q.debtor.c.id == q.dossier.c.debtor_id).outerjoin(
                q.creditor, q.creditor.c.id == q.dossier.c.creditor_id
            )
        )
        .where(*open_tasks(creditor_id), task.c.due_at <= now)
        .order_by(task.c.due_at, task.c.id)
    )


def _broken(now: datetime) -> _Query:
    return (
        _of_dossiers(
            _who(q.arrangement.c.ended_at, q.arrangement.c.kind)
            .select_from(q.arrangement)
            .join(q.dossier, q.dossier.c.id == q.arrangement.c.dossier_id)
        )
        .where(
            q.arrangement.c.state == "broken",
            q.arrangement.c.ended_at > now - RECENT,
            q.arrangement.c.ended_at <= now,
        )
        .order_by(q.arrangement.c.ended_at.desc(), q.arrangement.c.id)
    )


def _missed() -> _Query:
    """Running arrangements with an instalment missed; `since` is the day on which the last of those was due."""
    last = (
        select(func.max(q.instalment.c.due_on))
        .where(q.instalment.c.arrangement_id == q.arrangement.c.id, q.instalment.c.state == "missed")
        .scalar_subquery()
    )
    return (
        _of_dossiers(
            _who(last, q.arrangement.c.kind)
            .select_from(q.arrangement)
            .join(q.dossier, q.dossier.c.id == q.arrangement.c.dossier_id)
        )
        .where(q.arrangement.c.state == "running", q.arrangement.c.missed > 0)
        .order_by(q.arrangement.c.missed.desc(), q.arrangement.c.id)
    )


def _returned(now: datetime) -> _Query:
    return (
        _of_dossiers(
            _who(q.attempt.c.settled_at, q.attempt.c.channel)
            .select_from(q.attempt)
            .join(q.message, q.message.c.id == q.attempt.c.message_id)
            .join(q.dossier, q.dossier.c.id == q.message.c.dossier_id)
        )
        .where(
            q.attempt.c.state.in_(["bounced", "returned"]),
            q.attempt.c.settled_at > now - RECENT,
            q.attempt.c.settled_at <= now,
        )
        .order_by(q.attempt.c.settled_at.desc(), q.attempt.c.id)
    )


def _triaged(now: datetime) -> _Query:
    """Parties who need help or another department, while something of their dossier is open."""
    reduced = (
        select(func.coalesce(func.sum(q.allocation.c.amount_cents), 0))
        .where(q.allocation.c.claim_id == q.claim.c.id, q.allocation.c.booked_on <= civil_today(now))
        .correlate(q.claim)
        .scalar_subquery()
    )
    is_open = (
        select(q.claim.c.id)
        .where(q.claim.c.dossier_id == q.party.c.dossier_id, q.claim.c.principal_cents > reduced)
        .correlate(q.party)
        .exists()
    )
    # Nothing tells since when: the log does, for one debtor.
    return (
        _of_dossiers(
            _who(literal(None), q.party.c.triage)
            .select_from(q.party)
            .join(q.dossier, q.dossier.c.id == q.party.c.dossier_id)
        )
        .where(
            q.party.c.triage.in_(["help", "department"]),
            q.party.c.until_at.is_(None) | (q.party.c.until_at > now),
            is_open,
        )
        .order_by(q.party.c.id)
    )


def _signals(now: datetime) -> _Query:
    today = civil_today(now)
    return (
        _of_dossiers(
            _who(q.signal.c.on_date, q.signal.c.kind)
            .select_from(q.signal)
            .join(q.dossier, q.dossier.c.id == q.signal.c.dossier_id)
        )
        .where(q.signal.c.on_date > today - RECENT, q.signal.c.on_date <= today)
        .order_by(q.signal.c.on_date.desc(), q.signal.c.id)
    )
