"""Rules that were not verified, and the people who read the law and say that they are as written."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from outreach.correspondence import log
from outreach.errors import NotFound, Refused, UsageError
from outreach.store.tables.law import RuleConfirmation
from outreach.store.types import AnyRow, table_of

rule_confirmation = table_of(RuleConfirmation)


def confirmed(conn: Connection) -> dict[str, str]:
    """Return who confirmed which rule, by its id."""
    return {row.rule_id: row.actor for row in rows(conn)}


def rows(conn: Connection) -> list[AnyRow]:
    """Return the confirmations that hold, by rule."""
    query = select(rule_confirmation).where(rule_confirmation.c.withdrawn_at.is_(None))
    return list(conn.execute(query.order_by(rule_confirmation.c.rule_id)).all())


def confirm(
    conn: Connection, rule_id: str, source: str, doubtful: set[str], actor: str, now: datetime
) -> None:
    """Take down that a person read what a rule rests on; from then on it may forbid.

    Raises UsageError for a rule that needs no confirmation, and Refused for a job or a second confirmation.
    """
    if rule_id not in doubtful:
        msg = f"rule {rule_id!r} needs no confirmation; these do: {', '.join(sorted(doubtful))}"
        raise UsageError(msg)
    if not actor.startswith("staff:") or actor == "staff:cli":
        msg = f"{actor!r} can't confirm a rule: a person does, by name (--as staff:NAME)"
        raise Refused(msg)
    if not source.strip():
        raise UsageError("--source: expected what was read, as in Stb. 2024, 44, art. 2a")
    if rule_id in confirmed(conn):
        msg = f"rule {rule_id} is confirmed already"
        raise Refused(msg)
    conn.execute(
        insert(rule_confirmation).values(rule_id=rule_id, source=source.strip(), actor=actor, at=now)
    )
    log.append(conn, [log.Entry(type="rule_confirmed", at=now, actor=actor, reasons=(rule_id,))])


def withdraw(conn: Connection, rule_id: str, actor: str, now: datetime) -> None:
    """Take a confirmation back: the rule is in doubt again."""
    done = conn.execute(
        update(rule_confirmation)
        .where(rule_confirmation.c.rule_id == rule_id, rule_confirmation.c.withdrawn_at.is_(None))
        .values(withdrawn_at=now, withdrawn_by=actor)
    )
    if not done.rowcount:
        msg = f"nobody confirmed rule {rule_id!r}"
        raise NotFound(msg)
    log.append(conn, [log.Entry(type="rule_confirmation_withdrawn", at=now, actor=actor, reasons=(rule_id,))])
