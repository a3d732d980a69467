"""Why something was said or not: the recorded decision run again, or what today's facts would give."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import msgspec
from sqlalchemy import Connection, select

from consent.packs import Pack
from outreach.correspondence.log import artefact_of, content_of
from outreach.dunning import strategy
from outreach.planning import queries as q
from outreach.planning.answer import Answer, Rules
from outreach.planning.decide import decide
from outreach.planning.facts import UnitFacts
from outreach.planning.versions import CODE_VERSION, Versions

_facts = msgspec.json.Decoder(UnitFacts).decode
_answer = msgspec.json.Decoder(Answer).decode


@dataclass(frozen=True)
class Explanation:
    """One unit explained. `again` tells how the recorded decision fared when it was made again.

    It is "same", "different" (with `redone` beside `answer`), "not recorded" for today's facts,
    or why it could not be made again.
    """

    facts: UnitFacts | None
    answer: Answer
    at: datetime
    again: str
    decision: str = ""
    redone: Answer | None = None
    code_version: str = CODE_VERSION


def from_today(units: list[UnitFacts], versions: Versions, at: datetime) -> list[Explanation]:
    """Explain what would be decided at `at` from the facts as they are."""
    return [
        Explanation(
            facts=facts,
            answer=decide(facts, versions.rules(facts), at),
            at=at,
            again="not recorded: from today's facts",
        )
        for facts in units
    ]


def from_record(conn: Connection, dossier_ids: list[int], at: datetime) -> list[Explanation]:
    """Explain what was decided last at or before `at`, and make each decision again from its frozen facts."""
    rows = conn.execute(
        select(q.decision)
        .where(q.decision.c.dossier_id.in_(dossier_ids), q.decision.c.at <= at)
        .order_by(q.decision.c.id)
    ).all()
    last = {(row.dossier_id, row.person_id, row.currency): row for row in rows}
    return [_made_again(conn, row) for row in last.values()]


def _made_again(conn: Connection, row: q.decision) -> Explanation:  # type: ignore[valid-type]
    answer = _answer(row.answer)  # type: ignore[attr-defined]
    common = {
        "at": row.at,  # type: ignore[attr-defined]
        "decision": row.pseudonym,  # type: ignore[attr-defined]
        "code_version": row.code_version,  # type: ignore[attr-defined]
    }
    frozen = content_of(conn, row.facts_content_id)  # type: ignore[attr-defined]
    if frozen is None:
        return Explanation(None, answer, again="its facts were erased", **common)
    facts = _facts(frozen)
    rules = _kept_rules(conn, facts, row.pack_hash)  # type: ignore[attr-defined]
    if rules is None:
        return Explanation(facts, answer, again="a version it was made by is not kept", **common)
    redone = decide(facts, rules, row.at)  # type: ignore[attr-defined]
    if redone == answer:
        return Explanation(facts, answer, again="same", **common)
    return Explanation(facts, answer, again="different", redone=redone, **common)


def _kept_rules(conn: Connection, facts: UnitFacts, pack_hash: str) -> Rules | None:
    bodies = {name: artefact_of(conn, name) for name in facts.versions}
    pack = artefact_of(conn, pack_hash) if pack_hash else None
    if None in bodies.values() or (pack_hash and pack is None):
        return None
    return Rules(
        strategies={
            name: strategy.read(body, "a kept strategy").strategy for name, body in bodies.items() if body
        },
        strategy_hash=facts.strategy_hash,
        pack=Pack.from_bytes(pack) if pack is not None else None,
        pack_hash=pack_hash,
    )
