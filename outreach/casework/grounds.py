"""What an arrangement is made on: whose it is, what is asked of them today, and what the creditor's policy allows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from consent.calendar import civil_date
from outreach.casework import targets
from outreach.casework.days import civil_today
from outreach.casework.owed import claims_of, is_disputed, is_part
from outreach.claims.amounts import asked_cents
from outreach.errors import Refused, UsageError
from outreach.store.tables.claims import Arrangement
from outreach.store.types import AnyRow, table_of

arrangement = table_of(Arrangement)

MOST_NAME = 60


@dataclass(frozen=True, slots=True)
class Whose:
    """Whose arrangement it is: a party of a dossier, in a currency; of these claims alone where some are named.

    Without claims it is about the dossier, and pauses it whole; with claims only those wait, as in any plan.
    """

    dossier_id: int
    person_id: int
    currency: str
    claims: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Ground:
    """What an arrangement is made on: what is asked today, and what the creditor's policy allows.

    `claims` are all it is about, also those that are paid or in dispute; of those in `asked` something is asked.
    """

    whose: Whose
    where: targets.DossierRef
    person: AnyRow
    policy: AnyRow
    today: date
    claims: tuple[int, ...]
    asked: tuple[int, ...]
    cents: int


def whose_of(
    conn: Connection, named: targets.Named, claims: Sequence[str], currency: str | None, now: datetime
) -> Whose:
    """Return whose arrangement is meant: of a debtor and contract, or of claims by the creditor's numbers.

    Raises NotFound, or UsageError where more than one dossier or currency could be meant.
    """
    if claims:
        found = [targets.claim_of(conn, replace(named, claim=number)) for number in claims]
        units = {(one.dossier.id, one.currency): one.dossier for one in found}
    else:
        dossiers = {one.id: one for one in targets.dossiers_of(conn, named)}
        facts = claims_of(conn, list(dossiers), now)
        units = {
            unit: dossiers[unit[0]]
            for unit, owed in facts.items()
            if any(asked_cents(fact) > 0 for fact in owed) and currency in {None, unit[1]}
        }
    if not units:
        msg = "nothing is open, so there is nothing to arrange"
        raise Refused(msg)
    if len(units) > 1:
        places = ", ".join(f"--contract {units[unit].contract_id!r} --currency {unit[1]}" for unit in units)
        msg = f"expected one dossier and currency; these are open: {places}"
        raise UsageError(msg)
    ((dossier_id, unit_currency), where) = next(iter(units.items()))
    person_id = targets.party_of(conn, where, named, now).person_id
    return Whose(dossier_id, person_id, unit_currency, tuple(one.id for one in found) if claims else ())


def ground_of(conn: Connection, whose: Whose, now: datetime) -> Ground:
    """Read what an arrangement rests on; the dossier is locked, so that no two are made at once."""
    lock = select(targets.dossier.c.id).where(targets.dossier.c.id == whose.dossier_id)
    conn.execute(lock.with_for_update(key_share=True))
    where = targets.dossier_by_id(conn, whose.dossier_id)
    if whose.person_id not in {row.person_id for row in targets.parties_of(conn, whose.dossier_id, now)}:
        msg = "an arrangement is made with a party of the dossier, and this person is none of them now"
        raise UsageError(msg)
    running = conn.execute(
        select(arrangement.c.kind, arrangement.c.pseudonym).where(
            arrangement.c.dossier_id == whose.dossier_id,
            arrangement.c.currency == whose.currency,
            arrangement.c.state == "running",
        )
    ).first()
    if running is not None:
        msg = f"a {running.kind} is running already; end it first (outreach arrange end): {running.pseudonym}"
        raise Refused(msg)
    facts = claims_of(conn, [whose.dossier_id], now)[whose.dossier_id, whose.currency]
    about = [fact for fact in facts if is_part(fact, civil_today(now), whose.claims)]
    asked = {fact.id: asked_cents(fact) for fact in about if not is_disputed(fact) and asked_cents(fact) > 0}
    if not set(whose.claims) <= set(asked):
        msg = f"--claim: expected claims of this dossier of which something is asked in {whose.currency}"
        raise UsageError(msg)
    if not asked:
        msg = f"nothing is open in this dossier in {whose.currency}, so there is nothing to arrange"
        raise Refused(msg)
    person = targets.person_by_id(conn, whose.person_id)
    return Ground(
        whose=whose,
        where=where,
        person=person,
        policy=targets.creditor_of(conn, where.creditor),
        today=civil_date(now, ZoneInfo(person.time_zone)),
        claims=tuple(fact.id for fact in about),
        asked=tuple(asked),
        cents=sum(asked.values()),
    )


def expect_later(on: date, today: date) -> None:
    """Raise UsageError for a date that is past."""
    if on < today:
        msg = f"{on} is past: expected today ({today}) or a later day"
        raise UsageError(msg)


def expect_approval(ground: Ground, why: str, approved_by: str, actor: str) -> None:
    """Let a second person go beyond the policy (a small office has only one); raises Refused without."""
    if not approved_by:
        msg = f"{why}; a colleague may approve more (--approved-by NAME)"
        raise Refused(msg)
    if not approved_by.isprintable() or len(approved_by) > MOST_NAME:
        msg = f"--approved-by: expected a colleague's name of at most {MOST_NAME} characters"
        raise UsageError(msg)
    if name_of(approved_by) == name_of(actor) and not ground.policy.is_small_office:
        msg = f"{why}; more is approved by a colleague, not by {approved_by} alone"
        raise Refused(msg)


def name_of(actor: str) -> str:
    """Return the bare name of somebody at work."""
    return actor.strip().removeprefix("staff:").casefold()


def money(cents: int, currency: str) -> str:
    """Return an amount for people at work."""
    return f"{currency} {cents // 100}.{cents % 100:02d}"
