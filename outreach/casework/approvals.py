"""A person's yes or no to a step that waits for one: no score and no job decides it (GDPR art. 22)."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, insert

from outreach.casework.tasks import about, finish
from outreach.casework.words import code, keep_text
from outreach.correspondence import log
from outreach.errors import Refused
from outreach.store.tables.claims import Approval
from outreach.store.types import AnyRow, table_of

approval = table_of(Approval)

YES_HOLDS = timedelta(days=14)
"""A yes that is not used within this time has to be given anew."""
NO_HOLDS = timedelta(days=365)
HANDOVER_HOLDS = timedelta(days=365)
"""Whether to hand over is decided once; what a person decided is not asked again every day."""


def answer(
    conn: Connection,
    row: AnyRow,
    *,
    approved: bool,
    reason: str,
    note: str | None,
    actor: str,
    now: datetime,
) -> int:
    """Approve or refuse the step that a task asks about, and close the task; return the approval's inner key."""
    if row.kind not in {"approve", "handover"} or not row.step:
        msg = f"task {row.pseudonym[:8]} asks for no approval: it is of kind {row.kind}"
        raise Refused(msg)
    if not actor.startswith("staff:"):
        msg = f"{actor!r} can't decide this: a person does (--as staff:NAME)"
        raise Refused(msg)
    yes_holds = HANDOVER_HOLDS if row.kind == "handover" else YES_HOLDS
    values = {
        "dossier_id": row.dossier_id,
        "person_id": row.person_id,
        "currency": row.currency,
        "step": row.step,
        "approved": approved,
        "at": now,
        "until_at": now + (yes_holds if approved else NO_HOLDS),
        "actor": actor,
    }
    key = int(conn.execute(insert(approval).values(**values).returning(approval.c.id)).scalar_one())
    word = "approved" if approved else "refused"
    reasons = [row.step, *([code(reason, "--reason")] if reason else []), f"approval:{key}"]
    type_ = "approved" if approved else "approval_refused"
    content_id = keep_text(conn, note, now)
    log.append(conn, [about(conn, row, type_, actor, now, reasons, content_id)])
    finish(conn, row, word, actor, now)
    return key
