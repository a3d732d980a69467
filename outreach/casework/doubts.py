"""Messages of which nobody knows whether they arrived: a person finds out and says so."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update

from outreach.casework.targets import creditor, dossier, person
from outreach.casework.tasks import attempt, finish
from outreach.casework.words import keep_text
from outreach.correspondence import log
from outreach.errors import Refused
from outreach.store.tables.messages import Message
from outreach.store.types import AnyRow, table_of

message = table_of(Message)

SAYS_SENT, SAYS_NOT_SENT = "person_says_sent", "person_says_not_sent"


def resolve(
    conn: Connection, row: AnyRow, *, delivered: bool, note: str | None, actor: str, now: datetime
) -> None:
    """Settle an attempt in doubt as a person found: it counts as told, or it is planned anew.

    Raises Refused where the task is about something else, or evidence has settled the attempt meanwhile.
    """
    if row.kind != "in_doubt" or row.attempt_id is None:
        msg = f"task {row.pseudonym[:8]} is about no message in doubt but of kind {row.kind}"
        raise Refused(msg)
    found = conn.execute(
        select(
            attempt,
            person.c.pseudonym.label("person"),
            dossier.c.pseudonym.label("dossier"),
            creditor.c.code.label("creditor"),
        )
        .join(message, message.c.id == attempt.c.message_id)
        .join(person, person.c.id == attempt.c.person_id)
        .join(dossier, dossier.c.id == message.c.dossier_id)
        .join(creditor, creditor.c.id == attempt.c.creditor_id)
        .where(attempt.c.id == row.attempt_id)
        .with_for_update(of=attempt)
    ).one()
    if found.state != "in_doubt":
        msg = f"that message is no longer in doubt: it is {found.state} (close the task)"
        raise Refused(msg)
    outcome = SAYS_SENT if delivered else SAYS_NOT_SENT
    values: dict[str, Any] = {
        "state": "accepted" if delivered else "expired",
        "settled_at": now,
        "outcome_code": outcome,
    }
    if not delivered:
        values |= {"handed_over_at": None}
    conn.execute(update(attempt).where(attempt.c.id == found.id).values(**values))
    entry = log.Entry(
        type="resolved",
        at=now,
        actor=actor,
        person=found.person,
        dossier=found.dossier,
        creditor=found.creditor,
        channel=found.channel,
        token=found.token,
        content_id=keep_text(conn, note, now),
        reasons=(outcome, f"task:{row.pseudonym}"),
    )
    log.append(conn, [entry])
    finish(conn, row, "delivered" if delivered else "not_delivered", actor, now)
