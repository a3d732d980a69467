"""Store what was decided for a batch, in one commit: decisions, messages, exact bytes, attempts, entries.

Whatever changed since the facts were loaded shows in a version that differs: that dossier is left as it is,
still due, and is planned anew. A dossier is stored whole or not at all.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Connection, bindparam, case, exists, func, literal_column, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from consent.facts import VerdictKind
from outreach.correspondence import log
from outreach.dunning.next_step import Stand
from outreach.planning import queries as q
from outreach.planning.compose import Composed
from outreach.planning.decide import Answer, Outcome, Rules
from outreach.planning.facts import UnitFacts
from outreach.planning.load import civil_today
from outreach.planning.versions import CODE_VERSION
from outreach.store.bulk import insert_rows
from outreach.store.tables.messages import DayAccount, Tick
from outreach.store.tables.operations import Task
from outreach.store.types import AnyRow, new_id, table_of

account = table_of(DayAccount)
tick = table_of(Tick)
task = table_of(Task)

ACTOR = "job:plan"
TASK_DUE = timedelta(days=3)
AGAIN_SOON = timedelta(minutes=1)
_encode = msgspec.json.Encoder().encode


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


def record(conn: Connection, batch: Batch) -> Recorded:
    """Store a batch; what changed meanwhile is left due and counted."""
    stale = _stale(conn, batch)
    fresh = [one for one in batch.decided if one.facts.dossier_id not in stale]
    _withdraw(conn, fresh, batch.now)
    versions = _versions(conn, fresh)
    messages = _insert_messages(conn, fresh, batch.now)
    decisions = _insert_decisions(conn, fresh, batch.now)
    _insert_attempts(conn, fresh, messages, versions, decisions, batch.now)
    _open_tasks(conn, fresh, batch.now)
    again = _account(conn, batch, fresh, messages, decisions, stale)
    _set_next_looks(conn, batch, fresh, stale)
    composed = sum(one.composed is not None for one in fresh)
    empty = sum(key not in stale for key in batch.empty)
    return Recorded(units=len(fresh) + empty, again=again, left=len(stale), composed=composed)


_LOCK_PERSONS = (
    select(q.person.c.id, q.person.c.facts_version)
    .where(q.person.c.id.in_(bindparam("persons", expanding=True)))
    .order_by(q.person.c.id)
    .with_for_update(key_share=True, skip_locked=True)
)
_LOCK_CREDITORS = (
    select(q.creditor.c.id, q.creditor.c.policy_epoch)
    .where(q.creditor.c.id.in_(bindparam("creditors", expanding=True)))
    .order_by(q.creditor.c.id)
    .with_for_update(read=True, skip_locked=True)
)
_LOOKS = select(q.dossier.c.id, q.dossier.c.next_look_at).where(
    q.dossier.c.id.in_(bindparam("dossiers", expanding=True))
)


def _stale(conn: Connection, batch: Batch) -> set[int]:
    """Lock the persons in the order of their ids and return the dossiers whose facts are no longer those."""
    persons = {one.facts.party.person_id for one in batch.decided}
    creditors = {one.facts.creditor.id for one in batch.decided}
    versions: dict[int, int] = _pairs(conn.execute(_LOCK_PERSONS, {"persons": sorted(persons)}))
    epochs: dict[int, int] = _pairs(conn.execute(_LOCK_CREDITORS, {"creditors": sorted(creditors)}))
    looks: dict[int, datetime | None] = _pairs(conn.execute(_LOOKS, {"dossiers": list(batch.rows)}))
    stale = {key for key, row in batch.rows.items() if looks.get(key) != row.next_look_at}
    stale |= {
        one.facts.dossier_id
        for one in batch.decided
        if versions.get(one.facts.party.person_id) != one.facts.party.facts_version
        or epochs.get(one.facts.creditor.id) != one.facts.creditor.policy_epoch
    }
    return stale


_WITHDRAW_ATTEMPT = (
    update(q.attempt)
    .where(q.attempt.c.id == bindparam("key"), q.attempt.c.state == "ready")
    .values(state="withdrawn", settled_at=bindparam("now"), outcome_code="planned_anew")
)
_WITHDRAW_ATTEMPTS_OF = (
    update(q.attempt)
    .where(q.attempt.c.message_id == bindparam("key"), q.attempt.c.state == "ready")
    .values(state="withdrawn", settled_at=bindparam("now"), outcome_code="planned_anew")
)
_WITHDRAW_MESSAGE = (
    update(q.message).where(q.message.c.id == bindparam("key")).values(withdrawn_at=bindparam("now"))
)
_UNCOUNT = (
    update(q.message_claim).where(q.message_claim.c.message_id == bindparam("key")).values(counts=False)
)


def _withdraw(conn: Connection, decided: Sequence[Decided], now: datetime) -> None:
    """Take back what an earlier look made ready; a withdrawn message no longer counts."""
    attempts = [{"key": key, "now": now} for one in decided for key in one.answer.withdraw_attempts]
    if attempts:
        conn.execute(_WITHDRAW_ATTEMPT, attempts)
    older = [{"key": key, "now": now} for one in decided for key in _older_gone(one)]
    if older:
        conn.execute(_WITHDRAW_ATTEMPTS_OF, older)
    gone = older + [
        {"key": one.answer.withdraw_message, "now": now}
        for one in decided
        if one.answer.withdraw_message is not None
    ]
    if gone:
        conn.execute(_WITHDRAW_MESSAGE, gone)
        conn.execute(_UNCOUNT, [{"key": row["key"]} for row in gone])
    log.append(
        conn,
        (_entry("withdrawn", one, now, reasons=(one.answer.code,)) for one in decided if _takes_back(one)),
    )


def _older_gone(one: Decided) -> tuple[int, ...]:
    """Return the older open messages that the unit's newest takes with it, or a new one makes room for."""
    message, plan = one.facts.open_message, one.answer.plan
    makes_new = plan is not None and plan.continues_message is None
    if message is None or not (makes_new or one.answer.withdraw_message is not None):
        return ()
    return message.older


def _takes_back(one: Decided) -> bool:
    return bool(one.answer.withdraw_attempts or _older_gone(one)) or one.answer.withdraw_message is not None


def _versions(conn: Connection, decided: Sequence[Decided]) -> dict[int, int]:
    """Return the versions to compose under: taking something back has raised some in this transaction."""
    persons = {one.facts.party.person_id: one.facts.party.facts_version for one in decided}
    raised = {one.facts.party.person_id for one in decided if _takes_back(one)}
    if raised:
        persons.update(_pairs(conn.execute(_LOCK_PERSONS, {"persons": sorted(raised)})))
    return persons


_MESSAGE_IDS = select(q.message.c.pseudonym, q.message.c.id).where(
    q.message.c.pseudonym.in_(bindparam("pseudonyms", expanding=True))
)


def _insert_messages(conn: Connection, decided: Sequence[Decided], now: datetime) -> dict[int, int]:
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
    ids = _pairs(conn.execute(_MESSAGE_IDS, {"pseudonyms": list(rows)}))
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
        "purpose": "dunning",
        "strategy_hash": one.rules.strategy_hash,
        "template": plan.template,
        "tone": plan.tone,
        "created_at": now,
    }


_DECISION_IDS = select(q.decision.c.pseudonym, q.decision.c.id).where(
    q.decision.c.pseudonym.in_(bindparam("pseudonyms", expanding=True))
)


def _insert_decisions(
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
        ids = _pairs(conn.execute(_DECISION_IDS, {"pseudonyms": list(rows)}))
        found |= {place: (ids[pseudonym], pseudonym) for pseudonym, (place, _) in rows.items()}
    withheld = [
        _entry("withheld", decided[place], now, decision=pseudonym, reasons=reasons(decided[place].answer))
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


def _insert_attempts(
    conn: Connection,
    decided: Sequence[Decided],
    messages: dict[int, int],
    versions: dict[int, int],
    decisions: dict[int, tuple[int, str]],
    now: datetime,
) -> None:
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
            _entry(
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


def _entry(type_: str, one: Decided, now: datetime, **more: Any) -> log.Entry:
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
        },
        **more,
    )


def _pairs(rows: Iterable[AnyRow]) -> dict[Any, Any]:
    """Return rows of two columns as a dictionary."""
    return {row[0]: row[1] for row in rows}


def _build(conn: Connection) -> Any:
    return sqlite.insert if conn.dialect.name == "sqlite" else postgresql.insert


def _open_tasks(conn: Connection, decided: Sequence[Decided], now: datetime) -> None:
    """Open what a person must do, once: an open task of the same kind and subject stays the one."""
    rows = [
        {
            "pseudonym": new_id(),
            "kind": one.answer.task,
            "subject": f"{one.facts.dossier}:{one.facts.party.pseudonym}",
            "dossier_id": one.facts.dossier_id,
            "person_id": one.facts.party.person_id,
            "reason_code": one.answer.code,
            "opened_at": now,
            "due_at": now + TASK_DUE,
            "owner": "staff",
        }
        for one in decided
        if one.answer.task
    ]
    if rows:
        conn.execute(_build(conn)(task).on_conflict_do_nothing(), rows)


def _account(
    conn: Connection,
    batch: Batch,
    decided: Sequence[Decided],
    messages: dict[int, int],
    decisions: dict[int, tuple[int, str]],
    stale: set[int],
) -> int:
    """Write the day's account; returns how many of these units this tick had looked at before."""
    rows = [
        {
            "on_date": batch.today,
            "dossier_id": one.facts.dossier_id,
            "person_id": one.facts.party.person_id,
            "currency": one.facts.currency,
            "tick_id": batch.tick_id,
            **_outcome(one, batch.today),
            "message_id": messages.get(place),
            "decision_id": decisions[place][0],
        }
        for place, one in enumerate(decided)
    ]
    rows += [
        {
            "on_date": batch.today,
            "dossier_id": key,
            "person_id": 0,
            "currency": "",
            "tick_id": batch.tick_id,
            "outcome": Outcome.NOTHING_DUE.value,
            "code": "nobody_or_nothing",
            "until_at": None,
            "queued": False,
            "message_id": None,
            "decision_id": None,
        }
        for key in batch.empty
        if key not in stale
    ]
    if not rows:
        return 0
    again = conn.execute(
        _SEEN,
        {
            "tick": batch.tick_id,
            "on": batch.today,
            "dossiers": list({row["dossier_id"] for row in rows}),
        },
    ).all()
    seen = {tuple(row) for row in again}
    conn.execute(_upsert(conn), rows)
    return sum((row["dossier_id"], row["person_id"], row["currency"]) in seen for row in rows)


_REACHED = {"accepted", "posted", "delivered"}


def _outcome(one: Decided, today: date) -> dict[str, Any]:
    """Return what the day's account says: what left today is sent, also where its answer came late."""
    sent_today = any(
        told.state in _REACHED and civil_today(told.at) == today
        for claim in one.facts.claims
        for told in claim.told
    )
    if sent_today:
        sent = Outcome.SENT.value
        return {"outcome": sent, "code": sent, "until_at": None, "queued": False}
    return {
        "outcome": one.answer.outcome.value,
        "code": one.answer.code,
        "until_at": one.answer.look_at,
        # What is under way just now is still to be closed, with the outcome of its message.
        "queued": one.answer.code in {"queued", "under_way"},
    }


# A tick that still runs, here or in another process, keeps the units that it counted: its sum must be exact.
# Named as text: within ON CONFLICT a column would bring its whole table into the subquery.
_running = exists().where(tick.c.id == literal_column("day_account.tick_id"), tick.c.ended_at.is_(None))

_SEEN = select(account.c.dossier_id, account.c.person_id, account.c.currency).where(
    account.c.on_date == bindparam("on"),
    account.c.dossier_id.in_(bindparam("dossiers", expanding=True)),
    or_(account.c.tick_id == bindparam("tick"), _running),
)


def _upsert(conn: Connection) -> Any:
    """A message that left today stays the day's outcome, whatever a later look finds."""
    statement = _build(conn)(account)
    new = statement.excluded
    values = {
        column: new[column]
        for column in ("outcome", "code", "until_at", "queued", "message_id", "decision_id")
    }
    values["message_id"] = func.coalesce(new.message_id, account.c.message_id)
    kept = {
        column: case((account.c.outcome == "sent", account.c[column]), else_=value)
        for column, value in values.items()
    }
    return statement.on_conflict_do_update(
        index_elements=["on_date", "dossier_id", "person_id", "currency"],
        set_={"tick_id": case((_running, account.c.tick_id), else_=new.tick_id), **kept},
    )


_NEXT_LOOK = (
    update(q.dossier)
    .where(q.dossier.c.id == bindparam("key"))
    .values(next_look_at=bindparam("look_at"), waits_on_payments=bindparam("waits"))
)
_WAITS_ON_PAYMENTS = {"payments_unknown", "payments_before_due", "payments_stale"}


def _set_next_looks(conn: Connection, batch: Batch, decided: Sequence[Decided], stale: set[int]) -> None:
    looks: dict[int, list[datetime]] = {key: [] for key in batch.rows if key not in stale}
    waits: set[int] = set()
    for one in decided:
        if one.answer.look_at is not None:
            looks[one.facts.dossier_id].append(max(one.answer.look_at, batch.now + AGAIN_SOON))
        if any(reason.code in _WAITS_ON_PAYMENTS for reason in one.answer.reasons):
            waits.add(one.facts.dossier_id)
    rows = [
        {"key": key, "look_at": min(moments, default=None), "waits": key in waits}
        for key, moments in looks.items()
    ]
    if rows:
        conn.execute(_NEXT_LOOK, rows)
