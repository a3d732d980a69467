"""Steps that a person did, or that were done elsewhere: rows that the ladder counts like what it did itself."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, func, insert, select, update

from outreach.casework.targets import DossierRef, claim, creditor, dossier
from outreach.claims.facts import ClaimFact
from outreach.correspondence import log
from outreach.dunning import strategy
from outreach.dunning.strategy import Step, Version
from outreach.errors import Refused, UsageError
from outreach.store.tables.claims import StepDone
from outreach.store.tables.messages import HANDED_OVER, Attempt, Message
from outreach.store.tables.operations import SegmentStrategy, StrategyInForce
from outreach.store.types import AnyRow, table_of

step_done = table_of(StepDone)
message = table_of(Message)
attempt = table_of(Attempt)
in_force = table_of(StrategyInForce)
segment_strategy = table_of(SegmentStrategy)


def write(
    conn: Connection,
    claims: Sequence[ClaimFact],
    person_id: int,
    step: Step,
    strategy_hash: str,
    how: str,
    *,
    reached: bool,
    at: datetime,
    actor: str,
) -> str:
    """Write that a step was done, or tried, for each of these claims; return the reason that names the rows."""
    rows = [
        {
            "claim_id": fact.id,
            "person_id": person_id,
            "step": step.id,
            "strategy_hash": strategy_hash,
            "tone": step.tone,
            "how": how,
            "reached": reached,
            "counts": True,
            "at": at,
            "actor": actor,
        }
        for fact in claims
    ]
    keys = conn.execute(insert(step_done).returning(step_done.c.id), rows).scalars() if rows else ()
    return f"step_done:{','.join(str(key) for key in keys)}"


def uncount(conn: Connection, keys: str) -> int:
    """Take back the rows that one command wrote, by what its entry names; return how many still counted."""
    ids = [int(key) for key in keys.split(",") if key]
    done = update(step_done).where(step_done.c.id.in_(ids), step_done.c.counts)
    return int(conn.execute(done.values(counts=False)).rowcount)


def tries(conn: Connection, dossier_id: int, person_id: int, step: str, since: datetime) -> int:
    """Return how often a step was tried in vain since its task was opened."""
    of_each = (
        select(func.count().label("tries"))
        .join(claim, claim.c.id == step_done.c.claim_id)
        .where(
            claim.c.dossier_id == dossier_id,
            step_done.c.person_id == person_id,
            step_done.c.step == step,
            step_done.c.at >= since,
            step_done.c.counts,
            ~step_done.c.reached,
        )
        .group_by(step_done.c.claim_id)
        .subquery()
    )
    return int(conn.execute(select(func.coalesce(func.max(of_each.c.tries), 0))).scalar_one())


def step_of(version: Version, name: str) -> Step:
    """Return a step of a version; raises UsageError naming those there are."""
    place = version.strategy.position(name)
    if place < 0:
        steps = ", ".join(step.id for step in version.strategy.steps)
        msg = f"--step: {name!r} is no step of strategy {version.strategy.name}; expected one of {steps}"
        raise UsageError(msg)
    return version.strategy.steps[place]


def kept(conn: Connection, strategy_hash: str) -> Version:
    """Return a version by its hash; raises Refused where it is not kept."""
    body = log.artefact_of(conn, strategy_hash)
    if body is None:
        raise Refused("the version of the strategy that this rests on is not kept in this database")
    return strategy.read(body, "the kept strategy")


def version_in_use(conn: Connection, where: DossierRef, person_id: int) -> Version:
    """Return the version that this party was last told a step by, unless it was moved since; else the one in force."""
    row = conn.execute(select(dossier).where(dossier.c.id == where.id)).one()
    last = [
        found
        for query in (_last_message(where.id, person_id), _last_done(where.id, person_id))
        if (found := conn.execute(query).first()) is not None
        and found.strategy_hash
        and (row.moved_at is None or found.at >= row.moved_at)
    ]
    if last:
        return kept(conn, max(last, key=lambda found: found.at).strategy_hash)
    return _named(conn, row)


def _last_message(dossier_id: int, person_id: int):  # type: ignore[no-untyped-def]
    return (
        select(message.c.strategy_hash, attempt.c.handed_over_at.label("at"))
        .join(attempt, attempt.c.message_id == message.c.id)
        .where(
            message.c.dossier_id == dossier_id,
            message.c.person_id == person_id,
            message.c.purpose == "dunning",
            attempt.c.state.in_([state.value for state in HANDED_OVER]),
        )
        .order_by(attempt.c.handed_over_at.desc())
        .limit(1)
    )


def _last_done(dossier_id: int, person_id: int):  # type: ignore[no-untyped-def]
    return (
        select(step_done.c.strategy_hash, step_done.c.at)
        .join(claim, claim.c.id == step_done.c.claim_id)
        .where(claim.c.dossier_id == dossier_id, step_done.c.person_id == person_id, step_done.c.counts)
        .order_by(step_done.c.at.desc())
        .limit(1)
    )


def _named(conn: Connection, row: AnyRow) -> Version:
    """Return the version in force under the dossier's, its segment's or its creditor's strategy name."""
    by_segment = select(segment_strategy.c.strategy).where(
        segment_strategy.c.creditor_id == row.creditor_id, segment_strategy.c.segment == row.segment
    )
    by_creditor = select(creditor.c.strategy).where(creditor.c.id == row.creditor_id)
    name = row.strategy or conn.execute(by_segment).scalar() or str(conn.execute(by_creditor).scalar_one())
    current = conn.execute(select(in_force.c.hash).where(in_force.c.name == name)).scalar()
    return strategy.shipped(name) if current is None else kept(conn, current)
