"""Look at every dossier that is due, in bounded batches, and store what was decided about each."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import msgspec
from sqlalchemy import Connection

from channels.kinds import Kind
from outreach.planning.answer import Answer, Outcome, Todo
from outreach.planning.batch import Batch, Decided, Recorded
from outreach.planning.compose import Composer
from outreach.planning.decide import decide
from outreach.planning.facts import UnitFacts
from outreach.planning.load import civil_today, due_dossiers, load
from outreach.planning.record import record
from outreach.planning.versions import Versions
from outreach.store.types import new_id
from outreach.store.writer import Store

BATCH = 200
MOST_PASSES_WITHOUT_PROGRESS = 40

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Planned:
    """What one pass over the due dossiers came to."""

    selected: int = 0
    again: int = 0
    composed: int = 0
    left: int = 0


@dataclass(frozen=True)
class Planner:
    """Decides and composes; `channels` are the kinds that this installation can send over."""

    store: Store
    versions: Versions
    composer: Composer
    channels: tuple[Kind, ...]
    batch_size: int = BATCH

    async def plan_due(
        self, now: datetime, tick_id: int, stop: asyncio.Event | None = None, rank: int = 0
    ) -> Planned:
        """Look at everything due at `now`; dossiers that changed meanwhile are looked at again."""
        total = Planned()
        stuck = 0
        while stuck < MOST_PASSES_WITHOUT_PROGRESS and not (stop is not None and stop.is_set()):
            batch = await self.store.read(lambda conn: self._look(conn, now, tick_id, rank))
            if not batch.rows:
                break
            recorded = await self._record(batch)
            total.selected += recorded.units
            total.again += recorded.again
            total.composed += recorded.composed
            total.left += recorded.left
            stuck = 0 if recorded.units else stuck + 1
            if stuck:
                # Others hold these persons; they are still due, so give way for a moment.
                await asyncio.sleep(0.01 * stuck)
        return total

    async def _record(self, batch: Batch) -> Recorded:
        """Store a batch; one that fails as a whole is split, so that one bad dossier stops no other."""
        try:
            return await self.store.write(lambda conn: record(conn, batch))
        except Exception as error:  # noqa: BLE001 - one bad dossier stops no other; it gets a task below
            word = type(error).__name__
            if len(batch.rows) == 1:
                log.error("dossier %s could not be planned: %s", next(iter(batch.rows)), word)  # noqa: TRY400
                return await self.store.write(partial(self._give_up, batch=batch))
            log.warning("a batch of %d dossiers failed (%s); each is stored singly", len(batch.rows), word)
        total = Recorded()
        for key, row in batch.rows.items():
            single = Batch(
                now=batch.now,
                today=batch.today,
                tick_id=batch.tick_id,
                rows={key: row},
                decided=[one for one in batch.decided if one.facts.dossier_id == key],
                empty=[key] if key in batch.empty else [],
            )
            part = await self._record(single)
            total.units += part.units
            total.again += part.again
            total.left += part.left
            total.composed += part.composed
        return total

    def _give_up(self, conn: Connection, batch: Batch) -> Recorded:
        """Store that a dossier could not be planned, with a task, and look again in an hour."""
        for one in batch.decided:
            one.composed = None
            one.answer = failed(batch.now, "planning_failed")
        return record(conn, batch)

    def _look(self, conn: Connection, now: datetime, tick_id: int, rank: int) -> Batch:
        dossiers = load(conn, due_dossiers(conn, now, self.batch_size, rank), now, self.channels)
        self.versions.learn(conn, dossiers.units)
        return Batch(
            now=now,
            today=civil_today(now),
            tick_id=tick_id,
            rows=dossiers.rows,
            decided=self.decide_all(dossiers.units, now),
            empty=dossiers.empty,
        )

    def decide_all(self, units: list[UnitFacts], now: datetime) -> list[Decided]:
        """Decide and compose for units loaded together; a place taken by one is not given to another."""
        taken: dict[int, datetime] = {}
        decided = []
        for facts in units:
            reserved = taken.get(facts.party.person_id)
            if reserved is not None and (facts.reserved_until is None or facts.reserved_until < reserved):
                facts = msgspec.structs.replace(facts, reserved_until=reserved)
            one = self.decide_one(facts, now)
            if one.answer.plan is not None:
                taken[facts.party.person_id] = one.answer.plan.good_until
            decided.append(one)
        return decided

    def decide_one(self, facts: UnitFacts, now: datetime) -> Decided:
        """Decide about one unit and compose its message; what can't be composed becomes a task."""
        rules = self.versions.rules(facts)
        answer = decide(facts, rules, now)
        if answer.plan is None:
            return Decided(facts, rules, answer)
        template = self.versions.template(answer.plan.template)
        if not template.enabled:
            return Decided(facts, rules, failed(now, "template_off"), template_hash=template.version)
        try:
            composed = self.composer.compose(facts, answer.plan, template, new_id(), now)
        except ValueError as error:
            log.warning(
                "a message could not be composed for dossier %s: %s", facts.dossier, type(error).__name__
            )
            return Decided(facts, rules, failed(now, "compose_failed"), template_hash=template.version)
        return Decided(facts, rules, answer, composed, template.version)


def failed(now: datetime, code: str) -> Answer:
    """Return the answer for what could not be planned: a task, and another look in an hour."""
    return Answer(outcome=Outcome.FAILED, code=code, look_at=now + timedelta(hours=1), todo=Todo(kind="gap"))
