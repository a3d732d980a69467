"""Store the messages of a batch with their claims, their exact bytes and their attempts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, select

from outreach.correspondence import log
from outreach.planning import queries as q
from outreach.planning.batch import Decided, entry, pairs
from outreach.store.bulk import insert_rows
from outreach.store.types import new_id

_MESSAGE_IDS = select(q.message.c.pseudonym, q.message.c.id).where(
    q.message.c.pseudonym.in_(bindparam("pseudonyms", expanding=True))
)


def insert_messages(conn: Connection, decided: Sequence[Decided], now: datetime) -> dict[int, int]:
    """Insert new messages with their claims; return the message of each unit, by the unit's place."""
    found: dict[int, int] = {}
    rows: dict[str, tuple[int, dict[str, Any]]] = {}
    for place, one in enumerate(decided):
        plan = one.answer.plan
        if plan is None or one.composed is None:
            message = one.facts.open_message
            if one.answer.code == "queued" and message is not None:
                found[place] = message.id
            continue
        if plan.continues_message is not None:
            found[place] = plan.continues_message
            continue
        pseudonym = new_id()
        rows[pseudonym] = (place, _message_row(one, pseudonym, now))
    if not rows:
        return found
    insert_rows(conn, q.message, [row for _, row in rows.values()])
    ids = pairs(conn.execute(_MESSAGE_IDS, {"pseudonyms": list(rows)}))
    told = []
    for pseudonym, (place, _) in rows.items():
        found[place] = ids[pseudonym]
        one = decided[place]
        assert one.answer.plan is not None
        told += [
            {
                "message_id": ids[pseudonym],
                "claim_id": claim_id,
                "person_id": one.facts.party.person_id,
                "step": step,
                "counts": True,
            }
            for claim_id, step in one.answer.plan.steps
        ]
    if told:
        insert_rows(conn, q.message_claim, told)
    return found


def _message_row(one: Decided, pseudonym: str, now: datetime) -> dict[str, Any]:
    plan = one.answer.plan
    assert plan is not None
    return {
        "pseudonym": pseudonym,
        "dossier_id": one.facts.dossier_id,
        "person_id": one.facts.party.person_id,
        "creditor_id": one.facts.creditor.id,
        "currency": one.facts.currency,
        "purpose": plan.purpose,
        "strategy_hash": plan.strategy_hash,
        "service_message_id": plan.service_id,
        "template": plan.template,
        "tone": plan.tone,
        "created_at": now,
    }


def insert_attempts(
    conn: Connection,
    decided: Sequence[Decided],
    messages: dict[int, int],
    versions: dict[int, int],
    decisions: dict[int, tuple[int, str]],
    now: datetime,
) -> None:
    """Insert an attempt for every composed message, with its exact bytes as content."""
    contents: list[tuple[str, str, bytes]] = []
    rows: list[dict[str, Any]] = []
    entries: list[log.Entry] = []
    for place, one in enumerate(decided):
        composed, plan = one.composed, one.answer.plan
        if composed is None or plan is None:
            continue
        content_id = new_id()
        contents.append((content_id, composed.codec, composed.payload))
        rows.append(
            {
                "token": composed.token,
                "message_id": messages[place],
                "person_id": one.facts.party.person_id,
                "creditor_id": one.facts.creditor.id,
                "channel": plan.channel.value,
                "contact_point_id": plan.contact_point_id,
                "address": composed.address,
                "sender": composed.return_path,
                "content_id": content_id,
                "facts_version": versions[one.facts.party.person_id],
                "policy_epoch": one.facts.creditor.policy_epoch,
                "good_from": now,
                "good_until": plan.good_until,
                "try_at": now,
                "tries": 0,
                "state": "ready",
                "outcome_code": "",
            }
        )
        entries.append(
            entry(
                "composed",
                one,
                now,
                decision=decisions[place][1],
                token=composed.token,
                channel=plan.channel.value,
                content_id=content_id,
                reasons=tuple(f"{skip.channel}:{skip.code}" for skip in one.answer.skips),
            )
        )
    if rows:
        log.keep(conn, contents, now)
        insert_rows(conn, q.attempt, rows)
        log.append(conn, entries)
