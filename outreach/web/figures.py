"""What the database tells a monitor: a handful of counts, each from an index, however long the history is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, literal_column, select

from outreach.correspondence.tables import LogEntry
from outreach.store.tables.messages import Attempt
from outreach.store.tables.operations import Installation, Task
from outreach.store.tables.parties import Dossier
from outreach.store.tables.vocabulary import VOCABULARIES
from outreach.store.types import table_of

attempt = table_of(Attempt)
dossier = table_of(Dossier)
entry = table_of(LogEntry)
installation = table_of(Installation)
task = table_of(Task)


@dataclass(frozen=True)
class Figures:
    """The counts at one moment."""

    attempts: dict[str, int]
    """Those under way, by state; finished ones are a history, which the log tells."""
    ready_age: float
    """For how many seconds the longest waiting attempt could have been offered already."""
    tasks: dict[str, int]
    dossiers_due: int
    sending: bool
    log_head: int


# The states stand in the statement as words: only then does SQLite use the partial index of each.
_READY = select(func.count(), func.min(attempt.c.try_at)).where(attempt.c.state == literal_column("'ready'"))
_SENDING = select(func.count()).where(attempt.c.state == literal_column("'sending'"))
# Found through the open tasks, of which there are few; the attempts themselves would all have to be read.
_IN_DOUBT = (
    select(func.count())
    .select_from(task.join(attempt, attempt.c.id == task.c.attempt_id))
    .where(
        task.c.closed_at.is_(None),
        task.c.kind == literal_column("'in_doubt'"),
        attempt.c.state == literal_column("'in_doubt'"),
    )
)
_TASKS = (
    select(task.c.kind, func.count().label("open")).where(task.c.closed_at.is_(None)).group_by(task.c.kind)
)


def figures(conn: Connection, now: datetime) -> Figures:
    """Return the counts at `now`."""
    ready, oldest = conn.execute(_READY).one()
    return Figures(
        attempts={
            "ready": ready,
            "sending": conn.execute(_SENDING).scalar_one(),
            "in_doubt": conn.execute(_IN_DOUBT).scalar_one(),
        },
        ready_age=max(0.0, (now - oldest).total_seconds()) if oldest else 0.0,
        tasks=dict.fromkeys(VOCABULARIES["task_kind"], 0)
        | {row.kind: row.open for row in conn.execute(_TASKS)},
        dossiers_due=conn.execute(select(func.count()).where(dossier.c.next_look_at <= now)).scalar_one(),
        sending=bool(conn.execute(select(installation.c.sending)).scalar()),
        log_head=conn.execute(select(func.max(entry.c.seq))).scalar() or 0,
    )
