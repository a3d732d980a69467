"""The day's account: what became of every party, dossier and currency that was looked at on a civil date."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, bindparam, case, exists, func, literal_column, or_, select

from outreach.planning.answer import Outcome
from outreach.planning.batch import Batch, Decided, build
from outreach.planning.load import civil_today
from outreach.store.tables.messages import DayAccount, Tick
from outreach.store.types import table_of

account = table_of(DayAccount)
tick = table_of(Tick)


def write_account(
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
    statement = build(conn)(account)
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
