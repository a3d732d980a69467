"""What a tick at a moment would do: what goes out, what waits and until when, and what is stuck. Nothing is written."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby

import msgspec
from sqlalchemy import Connection, select

from outreach.errors import NotFound
from outreach.insight import not_due
from outreach.insight.steps import lead_of, strategies_of
from outreach.insight.stuck import Stuck, stuck, task
from outreach.planning import queries as q
from outreach.planning.answer import Answer, Outcome
from outreach.planning.batch import Decided
from outreach.planning.facts import UnitFacts
from outreach.planning.load import load
from outreach.planning.plan import BATCH, Planner


@dataclass(frozen=True, slots=True)
class Going:
    """One message that goes out: `ready` lies composed, else planning would compose it now."""

    creditor: str
    debtor: str
    channel: str
    step: str
    ready: bool


@dataclass(frozen=True, slots=True)
class StepOut:
    """How many messages of a step go out over a channel."""

    channel: str
    step: str
    ready: int
    planned: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """One unit (party of a dossier in a currency) that waits; `until` is None where a fact must change first."""

    creditor: str
    debtor: str
    outcome: str
    code: str
    until: datetime | None


@dataclass(slots=True)
class Waits:
    """How many units wait for one reason, and when the first of them is looked at again."""

    outcome: str
    code: str
    units: int = 0
    until: datetime | None = None

    def add(self, units: int, until: datetime | None) -> None:
        """Count more of them."""
        self.units += units
        moments = [moment for moment in (self.until, until) if moment is not None]
        self.until = min(moments, default=None)


@dataclass(frozen=True)
class Today:
    """The day at `at`. Totals are whole, rows are the first ones; `due` units became exactly one of `became`."""

    at: datetime
    due: int
    became: dict[str, int]
    out: list[StepOut]
    out_rows: list[Going]
    waits: list[Waits]
    waits_rows: list[Waiting]
    tasks_to_open: dict[str, int]
    """Tasks that planning would open now, by kind, of which none is open for the dossier."""
    stopped: list[Waits]
    """Units that are stopped until somebody lifts what stops them."""
    stuck: Stuck


def creditor_id_of(conn: Connection, code: str | None) -> int | None:
    """Return a creditor's key by its code, None for all creditors; raises NotFound."""
    if code is None:
        return None
    found = conn.execute(select(q.creditor.c.id).where(q.creditor.c.code == code)).scalar()
    if found is None:
        msg = f"there is no creditor {code!r}"
        raise NotFound(msg)
    return int(found)


def today(
    conn: Connection, planner: Planner, now: datetime, creditor: str | None = None, limit: int = 20
) -> Today:
    """Decide about everything due at `now` as planning would, and add what earlier looks found; read-only.

    With a later `now` nothing of the time between is lived through: neither its messages nor its payments.
    """
    creditor_id = creditor_id_of(conn, creditor)
    look = _Look(limit)
    due = _due(conn, now, creditor_id)
    for start in range(0, len(due), BATCH):
        look.at(conn, planner, due[start : start + BATCH], now)
    _ready(conn, look, now, creditor_id)
    _not_due(conn, look, now, creditor_id)
    return Today(
        at=now,
        due=look.due,
        became=dict(sorted(look.became.items())),
        out=_by_step(look),
        out_rows=look.out_rows,
        waits=_most_first(look.waits),
        waits_rows=look.waits_rows,
        tasks_to_open=dict(sorted(look.tasks.items())),
        stopped=_most_first(look.stopped),
        stuck=stuck(conn, now, creditor_id, limit),
    )


@dataclass
class _Look:
    """What was found so far; of rows only the first are kept, so that a large book fits."""

    limit: int
    due: int = 0
    became: Counter[str] = field(default_factory=Counter)
    out: Counter[tuple[str, str, bool]] = field(default_factory=Counter)
    out_rows: list[Going] = field(default_factory=list)
    waits: dict[tuple[str, str], Waits] = field(default_factory=dict)
    waits_rows: list[Waiting] = field(default_factory=list)
    stopped: dict[tuple[str, str], Waits] = field(default_factory=dict)
    tasks: Counter[str] = field(default_factory=Counter)
    withdrawn: set[int] = field(default_factory=set)
    reserved: dict[int, datetime] = field(default_factory=dict)

    def at(self, conn: Connection, planner: Planner, dossier_ids: list[int], now: datetime) -> None:
        """Decide about a batch, with the places that batches before it took."""
        dossiers = load(conn, dossier_ids, now, planner.channels)
        planner.versions.learn(conn, dossiers.units)
        open_ = {
            tuple(row)
            for row in conn.execute(
                select(task.c.dossier_id, task.c.kind).where(
                    task.c.dossier_id.in_(dossier_ids), task.c.closed_at.is_(None)
                )
            )
        }
        for one in planner.decide_all([self._reserved(facts) for facts in dossiers.units], now):
            self.due += 1
            self._count(one)
            kind = one.answer.task
            if kind and (one.facts.dossier_id, kind) not in open_:
                open_.add((one.facts.dossier_id, kind))
                self.tasks[kind] += 1

    def _reserved(self, facts: UnitFacts) -> UnitFacts:
        until = self.reserved.get(facts.party.person_id)
        if until is None or (facts.reserved_until is not None and facts.reserved_until >= until):
            return facts
        return msgspec.structs.replace(facts, reserved_until=until)

    def _count(self, one: Decided) -> None:
        answer, facts = one.answer, one.facts
        self.withdrawn.update(answer.withdraw_attempts)
        if answer.plan is not None:
            self.became["out"] += 1
            self.reserved[facts.party.person_id] = answer.plan.good_until
            step = answer.plan.lead or answer.plan.template
            going = Going(
                facts.creditor.code, facts.debtor_external_id, answer.plan.channel.value, step, ready=False
            )
            self.goes(going)
            return
        self.became["ready" if answer.code == "queued" else answer.outcome.value] += 1
        if answer.code != "queued":
            self.stays(_waiting(facts, answer))

    def goes(self, going: Going) -> None:
        """Count a message that goes out."""
        self.out[going.channel, going.step, going.ready] += 1
        if len(self.out_rows) < self.limit:
            self.out_rows.append(going)

    def stays(self, one: Waiting) -> None:
        """Count a unit about which nothing is said now, and keep its row while there is room."""
        group = self.group(one.outcome, one.code, has_end=one.until is not None)
        if group is not None:
            group.add(1, one.until)
            self.shows(one)

    def group(self, outcome: str, code: str, *, has_end: bool) -> Waits | None:
        """Return where a unit is counted; one with a task, or of which nothing is due, neither waits nor is stopped."""
        if outcome not in {Outcome.WAITING, Outcome.STOPPED}:
            return None
        groups = self.waits if outcome == Outcome.WAITING or has_end else self.stopped
        return groups.setdefault((outcome, code), Waits(outcome, code))

    def shows(self, one: Waiting) -> None:
        """Keep a row of what waits; of what is stopped without an end the stops tell more."""
        is_stopped = one.outcome == Outcome.STOPPED and one.until is None
        if not is_stopped and len(self.waits_rows) < self.limit:
            self.waits_rows.append(one)


def _waiting(facts: UnitFacts, answer: Answer) -> Waiting:
    return Waiting(
        creditor=facts.creditor.code,
        debtor=facts.debtor_external_id,
        outcome=answer.outcome.value,
        code=answer.code,
        until=answer.look_at,
    )


def _due(conn: Connection, now: datetime, creditor_id: int | None) -> list[int]:
    """Return every dossier that is due, in planning's order; only their keys are held at once."""
    query = select(q.dossier.c.id).where(q.dossier.c.next_look_at <= now)
    if creditor_id is not None:
        query = query.where(q.dossier.c.creditor_id == creditor_id)
    return list(conn.execute(query.order_by(q.dossier.c.next_look_at, q.dossier.c.id)).scalars())


def _ready(conn: Connection, look: _Look, now: datetime, creditor_id: int | None) -> None:
    """Add what lies ready, may be handed over now, and is not taken back by the look at what is due."""
    query = (
        select(
            q.attempt.c.id,
            q.attempt.c.channel,
            q.message.c.template,
            q.message.c.strategy_hash,
            q.creditor.c.code,
            q.debtor.c.external_id,
            q.message_claim.c.step,
        )
        .join(q.message, q.message.c.id == q.attempt.c.message_id)
        .join(q.dossier, q.dossier.c.id == q.message.c.dossier_id)
        .join(q.debtor, q.debtor.c.id == q.dossier.c.debtor_id)
        .join(q.creditor, q.creditor.c.id == q.attempt.c.creditor_id)
        .join(q.person, q.person.c.id == q.attempt.c.person_id)
        .outerjoin(q.message_claim, q.message_claim.c.message_id == q.message.c.id)
        .where(
            q.attempt.c.state == "ready",
            q.attempt.c.good_from <= now,
            q.attempt.c.good_until > now,
            q.attempt.c.try_at <= now,
            q.attempt.c.facts_version == q.person.c.facts_version,
            q.attempt.c.policy_epoch == q.creditor.c.policy_epoch,
            q.creditor.c.sending,
            select(q.installation.c.id).where(q.installation.c.sending).exists(),
        )
        .order_by(q.attempt.c.id)
    )
    if creditor_id is not None:
        query = query.where(q.attempt.c.creditor_id == creditor_id)
    rows = conn.execute(query).all()
    known = strategies_of(conn, {row.strategy_hash for row in rows})
    for key, group in groupby(rows, key=lambda row: row.id):
        if key in look.withdrawn:
            continue
        lines = list(group)
        first = lines[0]
        told = [row.step for row in lines if row.step is not None]
        step = lead_of(known.get(first.strategy_hash), told) or first.template
        look.goes(Going(first.code, first.external_id, first.channel, step, ready=True))


def _not_due(conn: Connection, look: _Look, now: datetime, creditor_id: int | None) -> None:
    """Add the units that an earlier look left waiting or stopped, by their newest decision."""
    for row in not_due.counted(conn, now, creditor_id):
        group = look.group(row.outcome, row.why, has_end=bool(row.has_end))
        if group is not None:
            group.add(row.units, row.first)
    for row in not_due.first_rows(conn, now, creditor_id, look.limit):
        look.shows(Waiting(*row))


def _by_step(look: _Look) -> list[StepOut]:
    keys = sorted({(channel, step) for channel, step, _ in look.out})
    return [StepOut(*key, ready=look.out[(*key, True)], planned=look.out[(*key, False)]) for key in keys]


def _most_first(groups: dict[tuple[str, str], Waits]) -> list[Waits]:
    return sorted(groups.values(), key=lambda one: (-one.units, one.outcome, one.code))
