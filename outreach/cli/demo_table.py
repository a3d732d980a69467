"""The demo's last table: every message that left, by its step and what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, func, select

from outreach.insight.steps import OUTCOMES, by_step_and_outcome
from outreach.planning import queries as q

LEFT = ("accepted", "posted", "delivered", "bounced", "returned")
_ORDER = ("friendly_reminder", "help_offer", "firm_reminder", "formal_notice", "final_notice")


@dataclass(frozen=True)
class Told:
    """The reminders of one template and step; `outcomes` sum to `messages`."""

    template: str
    step: str
    messages: int
    outcomes: Mapping[str, int]


def told(conn: Connection, on: date) -> list[Told]:
    """Return what came of every reminder by the end of a day, from the mildest template on."""
    counts: dict[tuple[str, str], dict[str, int]] = {}
    for one in by_step_and_outcome(conn, on):
        counts.setdefault((one.template, one.step), dict.fromkeys(OUTCOMES, 0))[one.outcome] = one.messages
    rows = [Told(*key, sum(came.values()), came) for key, came in counts.items()]
    return sorted(rows, key=lambda row: (_place(row.template), row.step))


def others(conn: Connection) -> int:
    """Count the messages that ask nothing: confirmations, nudges and answers."""
    query = (
        select(func.count(q.message.c.id.distinct()))
        .join(q.attempt, q.attempt.c.message_id == q.message.c.id)
        .where(q.message.c.purpose != "dunning", q.attempt.c.state.in_(LEFT))
    )
    return int(conn.execute(query).scalar_one())


def lines(rows: Sequence[Told]) -> list[tuple[object, ...]]:
    """Return the table's rows and their sum."""
    sums = [sum(row.outcomes[word] for row in rows) for word in OUTCOMES]
    shown: list[tuple[object, ...]] = [
        (row.template, row.step, row.messages, *row.outcomes.values()) for row in rows
    ]
    return [*shown, ("together", "", sum(sums), *sums)]


def _place(template: str) -> int:
    return _ORDER.index(template) if template in _ORDER else len(_ORDER)
