"""Store what was decided for a batch, in one commit: decisions, messages, exact bytes, attempts, entries.

Whatever changed since the facts were loaded shows in a version that differs: that dossier is left as it is,
still due, and is planned anew. A dossier is stored whole or not at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, select, update

from outreach.correspondence import log
from outreach.planning import queries as q
from outreach.planning.account import write_account
from outreach.planning.batch import Batch, Decided, Recorded, build, entry, pairs
from outreach.planning.decisions import insert_decisions
from outreach.planning.messages import insert_attempts, insert_messages
from outreach.store.bulk import update_rows
from outreach.store.tables.operations import Task
from outreach.store.types import new_id, table_of

task = table_of(Task)

AGAIN_SOON = timedelta(minutes=1)


def record(conn: Connection, batch: Batch) -> Recorded:
    """Store a batch; what changed meanwhile is left due and counted."""
    stale = _stale(conn, batch)
    fresh = [one for one in batch.decided if one.facts.dossier_id not in stale]
    _withdraw(conn, fresh, batch.now)
    _take_back(conn, fresh, batch.now)
    versions = _versions(conn, fresh)
    messages = insert_messages(conn, fresh, batch.now)
    decisions = insert_decisions(conn, fresh, batch.now)
    insert_attempts(conn, fresh, messages, versions, decisions, batch.now)
    _open_tasks(conn, fresh, batch.now)
    again = write_account(conn, batch, fresh, messages, decisions, stale)
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
    versions: dict[int, int] = pairs(conn.execute(_LOCK_PERSONS, {"persons": sorted(persons)}))
    epochs: dict[int, int] = pairs(conn.execute(_LOCK_CREDITORS, {"creditors": sorted(creditors)}))
    looks: dict[int, datetime | None] = pairs(conn.execute(_LOOKS, {"dossiers": list(batch.rows)}))
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
        (entry("withdrawn", one, now, reasons=(one.answer.code,)) for one in decided if _takes_back(one)),
    )


_UNCOUNT_TOLD = (
    update(q.message_claim)
    .where(
        q.message_claim.c.claim_id == bindparam("claim"),
        q.message_claim.c.person_id == bindparam("person"),
        q.message_claim.c.step == bindparam("told"),
        q.message_claim.c.counts,
    )
    .values(counts=False)
)
_UNCOUNT_DONE = (
    update(q.step_done)
    .where(
        q.step_done.c.claim_id == bindparam("claim"),
        q.step_done.c.person_id == bindparam("person"),
        q.step_done.c.step == bindparam("told"),
    )
    .values(counts=False)
)


def _take_back(conn: Connection, decided: Sequence[Decided], now: datetime) -> None:
    """Take back the steps that rested on evidence which failed since: they are told again in their turn."""
    rows = [
        {"claim": outlook.claim_id, "person": one.facts.party.person_id, "told": step}
        for one in decided
        for outlook in one.answer.outlooks
        for step in outlook.taken_back
    ]
    if not rows:
        return
    conn.execute(_UNCOUNT_TOLD, rows)
    conn.execute(_UNCOUNT_DONE, rows)
    gone = (one for one in decided if _loses_steps(one))
    log.append(conn, (entry("withdrawn", one, now, reasons=("evidence_failed",)) for one in gone))


def _older_gone(one: Decided) -> tuple[int, ...]:
    """Return the older open messages that the unit's newest takes with it, or a new one makes room for."""
    message, plan = one.facts.open_message, one.answer.plan
    makes_new = plan is not None and plan.continues_message is None
    if message is None or not (makes_new or one.answer.withdraw_message is not None):
        return ()
    return message.older


def _loses_steps(one: Decided) -> bool:
    return any(outlook.taken_back for outlook in one.answer.outlooks)


def _takes_back(one: Decided) -> bool:
    return bool(one.answer.withdraw_attempts or _older_gone(one)) or one.answer.withdraw_message is not None


def _versions(conn: Connection, decided: Sequence[Decided]) -> dict[int, int]:
    """Return the versions to compose under: taking something back has raised some in this transaction."""
    persons = {one.facts.party.person_id: one.facts.party.facts_version for one in decided}
    raised = {one.facts.party.person_id for one in decided if _takes_back(one) or _loses_steps(one)}
    if raised:
        persons.update(pairs(conn.execute(_LOCK_PERSONS, {"persons": sorted(raised)})))
    return persons


def _open_tasks(conn: Connection, decided: Sequence[Decided], now: datetime) -> None:
    """Open what a person must do, once: an open task of the same kind and subject stays the one."""
    rows = [
        {
            "pseudonym": new_id(),
            "kind": one.answer.task,
            "subject": _subject(one),
            "dossier_id": one.facts.dossier_id,
            "person_id": one.facts.party.person_id,
            "reason_code": one.answer.code,
            "currency": one.facts.currency,
            "step": todo.step,
            "strategy_hash": todo.strategy_hash,
            "opened_at": now,
            "due_at": now + timedelta(days=todo.days),
            "owner": "staff",
        }
        for one in decided
        if (todo := one.answer.todo) is not None
    ]
    if rows:
        conn.execute(build(conn)(task).on_conflict_do_nothing(), rows)


def _subject(one: Decided) -> str:
    """One task for a party, and one for each step that needs a person; money lies with the debtor, not a party."""
    subject = f"{one.facts.dossier}:{one.facts.party.pseudonym}"
    step = one.answer.todo.step if one.answer.todo is not None else ""
    return f"{subject}:{step}" if step else subject


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
        {"id": key, "next_look_at": min(moments, default=None), "waits_on_payments": key in waits}
        for key, moments in looks.items()
    ]
    update_rows(conn, q.dossier, ("id",), rows)
