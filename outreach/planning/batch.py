"""What one look at a batch of dossiers decided, and what everything that stores it shares."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql, sqlite

from consent.processing import shipped_activity
from outreach.correspondence import log
from outreach.planning.answer import Answer, Rules
from outreach.planning.compose import Composed
from outreach.planning.facts import UnitFacts
from outreach.planning.versions import CODE_VERSION
from outreach.store.types import AnyRow

ACTOR = "job:plan"


@dataclass(slots=True)
class Decided:
    """One unit with its answer, and the message where there is one."""

    facts: UnitFacts
    rules: Rules
    answer: Answer
    composed: Composed | None = None
    template_hash: str = ""


@dataclass(slots=True)
class Batch:
    """What one look at a batch of dossiers found and decided."""

    now: datetime
    today: date
    tick_id: int
    rows: dict[int, AnyRow]
    decided: list[Decided]
    empty: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Recorded:
    """How a batch was stored: units, those that had been looked at in this tick before, dossiers left due."""

    units: int = 0
    again: int = 0
    left: int = 0
    composed: int = 0


def entry(type_: str, one: Decided, now: datetime, **more: Any) -> log.Entry:
    """Return a log entry about a unit, with the versions it was decided by."""
    return log.Entry(
        type=type_,
        at=now,
        actor=ACTOR,
        person=one.facts.party.pseudonym,
        dossier=one.facts.dossier,
        creditor=one.facts.creditor.code,
        versions={
            "strategy": one.rules.strategy_hash[:16],
            "pack": one.rules.pack_hash[:16],
            "template": one.template_hash[:16],
            "code": CODE_VERSION,
            **_activity(one),
        },
        **more,
    )


def _activity(one: Decided) -> dict[str, str]:
    """Cite what a message is for: the activity of the register of processing, with its version."""
    plan = one.answer.plan
    if plan is None:
        return {}
    return {"activity": shipped_activity(plan.purpose, one.facts.sender_kind)[1]}


def pairs(rows: Iterable[AnyRow]) -> dict[Any, Any]:
    """Return rows of two columns as a dictionary."""
    return {row[0]: row[1] for row in rows}


def build(conn: Connection) -> Any:
    """Return the insert of this database, the one that knows ON CONFLICT."""
    return sqlite.insert if conn.dialect.name == "sqlite" else postgresql.insert
