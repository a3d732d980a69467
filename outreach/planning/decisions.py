"""Store the decisions of a batch where they differ from the last ones, with their frozen facts."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, bindparam, select

from consent.facts import VerdictKind
from outreach.correspondence import log
from outreach.dunning.next_step import Stand
from outreach.planning import queries as q
from outreach.planning.answer import Answer
from outreach.planning.batch import Decided, entry, pairs
from outreach.planning.versions import CODE_VERSION
from outreach.store.bulk import insert_rows
from outreach.store.types import new_id

_encode = msgspec.json.Encoder().encode

_DECISION_IDS = select(q.decision.c.pseudonym, q.decision.c.id).where(
    q.decision.c.pseudonym.in_(bindparam("pseudonyms", expanding=True))
)


def insert_decisions(
    conn: Connection, decided: Sequence[Decided], now: datetime
) -> dict[int, tuple[int, str]]:
    """Write a decision where it differs from the last one; return (id, pseudonym) by the unit's place."""
    last = {
        (row.dossier_id, row.person_id, row.currency): (row.id, row.fingerprint)
        for row in conn.execute(q.LAST_DECISIONS, {"dossiers": [one.facts.dossier_id for one in decided]})
    }
    found: dict[int, tuple[int, str]] = {}
    rows: dict[str, tuple[int, dict[str, Any]]] = {}
    contents: list[tuple[str, str, bytes]] = []
    for place, one in enumerate(decided):
        answer = _encode(one.answer)
        fingerprint = hashlib.blake2s(answer, digest_size=16).hexdigest()
        known = last.get((one.facts.dossier_id, one.facts.party.person_id, one.facts.currency))
        if known is not None and known[1] == fingerprint and one.composed is None:
            found[place] = (known[0], "")
            continue
        facts_id, pseudonym = new_id(), new_id()
        contents.append((facts_id, "json", _encode(one.facts)))
        rows[pseudonym] = (place, _decision_row(one, answer, fingerprint, pseudonym, facts_id, now))
    if rows:
        log.keep(conn, contents, now)
        insert_rows(conn, q.decision, [row for _, row in rows.values()])
        ids = pairs(conn.execute(_DECISION_IDS, {"pseudonyms": list(rows)}))
        found |= {place: (ids[pseudonym], pseudonym) for pseudonym, (place, _) in rows.items()}
    withheld = [
        entry("withheld", decided[place], now, decision=pseudonym, reasons=reasons(decided[place].answer))
        for pseudonym, (place, _) in rows.items()
        if is_withheld(decided[place].answer)
    ]
    log.append(conn, withheld)
    return found


def _decision_row(
    one: Decided, answer: bytes, fingerprint: str, pseudonym: str, facts_id: str, now: datetime
) -> dict[str, Any]:
    return {
        "pseudonym": pseudonym,
        "dossier_id": one.facts.dossier_id,
        "person_id": one.facts.party.person_id,
        "currency": one.facts.currency,
        "at": now,
        "outcome": one.answer.outcome.value,
        "code": one.answer.code,
        "until_at": one.answer.look_at,
        "fingerprint": fingerprint,
        "answer": answer,
        "facts_content_id": facts_id,
        "strategy_hash": one.rules.strategy_hash,
        "pack_hash": one.rules.pack_hash,
        "template_hash": one.template_hash,
        "code_version": CODE_VERSION,
        "attempt_token": one.composed.token if one.composed else None,
    }


def is_withheld(answer: Answer) -> bool:
    """Return whether something was due to be said and was not made ready."""
    return answer.code != "queued" and any(outlook.stand is Stand.DUE for outlook in answer.outlooks)


def reasons(answer: Answer) -> tuple[str, ...]:
    """Return the codes of everything that spoke against, for the log; never empty for a refusal."""
    codes = (
        f"{reason.rule}:{reason.code}" for reason in answer.reasons if reason.kind is not VerdictKind.ALLOW
    )
    skips = (f"{skip.channel}:{skip.code}" for skip in answer.skips)
    return tuple(dict.fromkeys((answer.code, *codes, *skips)))
