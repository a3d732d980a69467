"""What a review notices of a page of arrangements: decided one by one, written together."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql, sqlite

from consent.calendar import ONE_DAY, start_of, zone_of
from outreach.casework import service
from outreach.casework.days import civil_today, closing_of, working_day
from outreach.casework.endings import MISSED, entries, finish, task_subject
from outreach.casework.running import Judged, arrangement, instalment
from outreach.casework.tasks import NewTask, open_task, task
from outreach.claims.schedule import GRACE_DAYS, standing
from outreach.correspondence import log
from outreach.store.bulk import update_rows
from outreach.store.tables.claims import Signal
from outreach.store.types import AnyRow, table_of

signal = table_of(Signal)

ACTOR = "job:review"

NUDGE_DAYS = {"plan": 3, "promise": 1}
"""So many days before it is due an instalment is called to mind."""
TOLD_WITHIN = timedelta(days=7)
DECIDED_WITHIN_DAYS = 3
GRACE = timedelta(days=GRACE_DAYS)

_ENTRIES = {"paid": "instalment_paid", "missed": "instalment_missed", "open": "instalment_reopened"}


class Page:
    """What was noticed of a page of arrangements, to be written in one transaction."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.today = civil_today(now)
        self._parts: dict[int, dict[str, Any]] = {}
        self._missed: dict[int, int] = {}
        self._told: list[tuple[int, str, tuple[str, ...]]] = []
        self._wishes: list[service.Wish] = []
        self._tasks: list[tuple[AnyRow, str]] = []
        self._over: dict[tuple[str, str, str], list[int]] = defaultdict(list)
        self._signals: list[dict[str, Any]] = []
        self._counts: Counter[str] = Counter()

    def take(self, one: Judged) -> None:
        """Notice what became of one running arrangement."""
        row = one.row
        states = self._settle(one)
        if states and all(state == "paid" for state in states):
            self._end(row, "kept", "arrangement_kept", "all_paid")
        elif row.kind == "promise":
            if states[0] == "missed":
                self._break(one)
            else:
                self._nudge(one, states)
        elif row.kind == "plan":
            self._nudge(one, states)
            self._care(one, states)
        elif self.today > row.ends_on + GRACE:
            self._end(row, "kept", "arrangement_ended", "deferral_over")

    def write(self, conn: Connection) -> Counter[str]:
        """Write what was noticed; returns how often what was."""
        update_rows(conn, instalment, ("id",), list(self._parts.values()))
        rows = [{"id": key, "missed": missed} for key, missed in self._missed.items()]
        update_rows(conn, arrangement, ("id",), rows)
        log.append(conn, entries(conn, self._told, ACTOR, self.now))
        if self._signals:
            build: Any = sqlite.insert if conn.dialect.name == "sqlite" else postgresql.insert
            conn.execute(build(signal).on_conflict_do_nothing(), self._signals)
        for (state, entry_type, code), keys in self._over.items():
            finish(conn, keys, state, entry_type, code, ACTOR, self.now)
        service.ask(conn, self._wishes, ACTOR, self.now)
        self._open_tasks(conn)
        return self._counts

    def _settle(self, one: Judged) -> list[str]:
        """Turn instalments to what the payments make of them; return their states."""
        states = []
        for part, found in zip(one.parts, standing(one.due, one.paid_cents, one.known_on), strict=True):
            # What was missed stays so until it is paid, also where a day of known payments is taken back.
            state = "missed" if (part.state, found) == ("missed", "open") else found
            states.append(state)
            if state == part.state:
                continue
            self._change(part, state=state, settled_at=self.now if state == "paid" else None)
            self._told.append((one.row.id, _ENTRIES[state], (f"part:{part.number}",)))
            self._counts[state] += 1
            if state == "missed":
                self._missed[one.row.id] = self._missed.get(one.row.id, one.row.missed) + 1
        return states

    def _change(self, part: AnyRow, **values: Any) -> None:
        kept = {name: getattr(part, name) for name in ("id", "state", "settled_at", "nudged_at")}
        self._parts[part.id] = self._parts.get(part.id, kept) | values

    def _end(self, row: AnyRow, state: str, entry_type: str, code: str) -> None:
        self._over[state, entry_type, code].append(row.id)
        self._counts[state] += 1

    def _break(self, one: Judged) -> None:
        """A promise that was not kept ends, and may start a trajectory; its stop has run out by itself."""
        row = one.row
        self._end(row, "broken", "arrangement_broken", "promise_broken")
        for claim_id in one.claims or (None,):
            values = {"kind": "promise_broken", "dossier_id": row.dossier_id, "claim_id": claim_id}
            self._signals.append(values | {"on_date": self.today, "set_by": ACTOR, "at": self.now})
        self._told.append((row.id, "signal_set", ("promise_broken",)))

    def _nudge(self, one: Judged, states: list[str]) -> None:
        """Call to mind what is due soon, once; not what was agreed when it was due soon already."""
        days = timedelta(days=NUDGE_DAYS[one.row.kind])
        agreed_on = civil_today(one.row.agreed_at)
        for part, state in zip(one.parts, states, strict=True):
            soon_on = part.due_on - days
            if state != "open" or part.nudged_at is not None or not soon_on <= self.today <= part.due_on:
                continue
            self._change(part, nudged_at=self.now)
            if agreed_on < soon_on:
                until_at = start_of(part.due_on + ONE_DAY, zone_of(one.row.time_zone))
                self._wish(one.row, part, "instalment_soon", until_at)

    def _care(self, one: Judged, states: list[str]) -> None:
        """The first miss is told with help offered; the second, and a plan that is over unpaid, a person decides."""
        row = one.row
        missed = self._missed.get(row.id, row.missed)
        if missed > row.missed:
            if missed == 1:
                part = one.parts[states.index("missed")]
                self._wish(row, part, "instalment_missed", self.now + TOLD_WITHIN)
            else:
                self._tasks.append((row, "missed_again"))
        elif "open" not in states and self.today > row.ends_on + 2 * GRACE:
            self._tasks.append((row, "plan_over"))

    def _wish(self, row: AnyRow, part: AnyRow, template: str, until_at: datetime) -> None:
        self._wishes.append(
            service.Wish(
                template=template,
                purpose="service",
                subject=f"instalment:{part.id}",
                dossier_id=row.dossier_id,
                person_id=row.person_id,
                currency=row.currency,
                until_at=until_at,
                arrangement_id=row.id,
                instalment_id=part.id,
            )
        )
        self._counts[template] += 1

    def _open_tasks(self, conn: Connection) -> None:
        """Open a task for each plan that a person must decide about; that one is over is said once."""
        if not self._tasks:
            return
        query = select(task.c.subject, task.c.reason_code).where(
            task.c.dossier_id.in_({row.dossier_id for row, _ in self._tasks}), task.c.kind == MISSED
        )
        there = {tuple(row) for row in conn.execute(query)}
        due_at = closing_of(working_day(self.today, DECIDED_WITHIN_DAYS))
        for row, why in self._tasks:
            subject = task_subject(row.id)
            if why == "plan_over" and (subject, why) in there:
                continue
            new = NewTask(
                kind=MISSED,
                subject=subject,
                due_at=due_at,
                dossier_id=row.dossier_id,
                person_id=row.person_id,
                currency=row.currency,
                reason_code=why,
            )
            if open_task(conn, new, ACTOR, self.now) is not None:
                self._counts["tasks"] += 1
