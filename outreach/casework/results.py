"""What came of a call or a visit: the answers, where they lead, and what is to be tried again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select, update

from outreach.casework import steps_done
from outreach.casework.days import civil_today, closing_of, working_day
from outreach.casework.open_claims import open_overdue
from outreach.casework.targets import party, person_by_id
from outreach.casework.tasks import TRIAGED, NewTask, about, finish, open_task, postpone
from outreach.casework.words import keep_text
from outreach.correspondence import log
from outreach.dunning.strategy import Step, check_answers, triage_of
from outreach.errors import Refused, UsageError
from outreach.store.types import AnyRow

DEPARTMENT_DAYS = 5
"""Working days within which a department takes up what a debtor disagrees with."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a result led to: the claims it counts for, where the answers lead, when to try again."""

    claims: int
    triage: str = ""
    again_at: datetime | None = None
    tries_left: int = 0


def step_of_task(conn: Connection, row: AnyRow) -> Step:
    """Return the step that a call or visit is for, of the version that asked for it."""
    if row.kind not in {"call", "visit"}:
        msg = f"task {row.pseudonym[:8]} is no call or visit but of kind {row.kind}"
        raise Refused(msg)
    return steps_done.step_of(steps_done.kept(conn, row.strategy_hash), row.step)


def record(
    conn: Connection,
    row: AnyRow,
    answers: Mapping[str, str],
    *,
    reached: bool,
    note: str | None,
    actor: str,
    now: datetime,
) -> Result:
    """Record the result of a call or visit for every open and overdue claim of its dossier and currency.

    Raises UsageError for answers that the guide does not know or that lack a question.
    """
    step = step_of_task(conn, row)
    if reached:
        check_answers(step, answers)
    elif answers:
        raise UsageError("--answer: nobody was reached, so nobody answered")
    zone = person_by_id(conn, row.person_id).time_zone
    claims = open_overdue(conn, row.dossier_id, zone, now, row.currency)
    rows = steps_done.write(
        conn, claims, row.person_id, step, row.strategy_hash, row.kind, reached=reached, at=now, actor=actor
    )
    content_id = keep_text(conn, note, now)
    word = "reached" if reached else "not_reached"
    where = (party.c.dossier_id == row.dossier_id, party.c.person_id == row.person_id)
    was = conn.execute(select(party.c.triage).where(*where)).scalar() or "open"
    reasons = [row.kind, word, f"step:{step.id}", f"was:{was}", rows]
    log.append(conn, [about(conn, row, "step_done", actor, now, reasons, content_id)])
    if not reached:
        return _again(conn, row, step, len(claims), actor, now)
    triage = _triage(conn, row, step, answers, actor, now)
    finish(conn, row, triage or "done", actor, now)
    return Result(claims=len(claims), triage=triage)


def _triage(
    conn: Connection, row: AnyRow, step: Step, answers: Mapping[str, str], actor: str, now: datetime
) -> str:
    """Set where the answers lead; a step without routes leads nowhere."""
    if not step.routes:
        return ""
    triage = triage_of(step, answers)
    where = (party.c.dossier_id == row.dossier_id, party.c.person_id == row.person_id)
    conn.execute(update(party).where(*where).values(triage=triage))
    log.append(conn, [about(conn, row, "triaged", actor, now, [triage])])
    if triage == "department":
        # The debtor disagrees, but with what and with how much is still to be asked.
        work = NewTask(
            kind="dispute",
            subject=f"call:{row.pseudonym}",
            due_at=closing_of(working_day(civil_today(now), DEPARTMENT_DAYS)),
            dossier_id=row.dossier_id,
            person_id=row.person_id,
            currency=row.currency,
            reason_code=TRIAGED,
        )
        open_task(conn, work, actor, now)
    return triage


def _again(conn: Connection, row: AnyRow, step: Step, claims: int, actor: str, now: datetime) -> Result:
    """Try again on the next working day, until the tries that the strategy asks for are spent."""
    tried = steps_done.tries(conn, row.dossier_id, row.person_id, step.id, row.opened_at)
    left = max(0, step.tries - tried) if claims else 0
    if not left:
        finish(conn, row, "not_reached", actor, now)
        return Result(claims=claims)
    again_at = closing_of(working_day(civil_today(now)))
    postpone(conn, row, again_at)
    return Result(claims=claims, again_at=again_at, tries_left=left)
