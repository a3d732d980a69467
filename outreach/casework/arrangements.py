"""Make promises, deferrals and plans, each with the stop that pauses reminders and its confirmation.

A promise is to pay something by a date, a deferral asks nothing until one, a plan pays in instalments. What goes
beyond the creditor's policy needs a second person, and is recorded as that.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, insert, select

from consent.calendar import ONE_DAY, start_of
from outreach.casework import service
from outreach.casework.days import civil_today
from outreach.casework.grounds import (
    Ground,
    Whose,
    arrangement,
    expect_approval,
    expect_later,
    ground_of,
    money,
    name_of,
)
from outreach.casework.owed import allocation
from outreach.casework.stops import NewStop, set_stop
from outreach.claims.schedule import GRACE_DAYS, DoesNotFit, Part, schedule
from outreach.correspondence import log
from outreach.errors import Refused, UsageError
from outreach.store.bulk import insert_rows
from outreach.store.tables.claims import Instalment
from outreach.store.types import new_id, table_of

instalment = table_of(Instalment)

FIRST_PART_DAYS = 7
"""So many days ahead a plan starts where nobody said when."""
MOST_PARTS_EVER = 120
"""Nobody approves a plan of more than ten years."""
CONFIRMED_WITHIN = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Made:
    """An arrangement that was made."""

    id: int
    pseudonym: str
    kind: str
    ends_on: date
    parts: tuple[Part, ...]


def promise(
    conn: Connection,
    whose: Whose,
    on: date,
    actor: str,
    now: datetime,
    *,
    cents: int | None = None,
    approved_by: str = "",
) -> Made:
    """Take down a promise to pay everything, or so many cents, by a date.

    Raises Refused beyond the policy without a second person, UsageError for what can't be promised.
    """
    ground = ground_of(conn, whose, now)
    latest = ground.today + timedelta(days=ground.policy.promise_most_days)
    expect_later(on, ground.today)
    total = ground.cents if cents is None else cents
    if not 0 < total <= ground.cents:
        msg = f"--amount: expected more than zero and at most what is asked, {money(ground.cents, whose.currency)}"
        raise UsageError(msg)
    if on > latest:
        expect_approval(ground, f"a promise is for {latest} at the latest", approved_by, actor)
    return _make(conn, ground, "promise", (Part(on, total),), on, actor, now, approved_by)


def defer(
    conn: Connection, whose: Whose, until_on: date, actor: str, now: datetime, *, approved_by: str = ""
) -> Made:
    """Ask nothing up to and including a date; raises as `promise` does."""
    ground = ground_of(conn, whose, now)
    latest = ground.today + timedelta(days=ground.policy.deferral_most_days)
    expect_later(until_on, ground.today)
    if until_on > latest:
        expect_approval(ground, f"a deferral is until {latest} at the latest", approved_by, actor)
    return _make(conn, ground, "deferral", (), until_on, actor, now, approved_by)


def plan(
    conn: Connection,
    whose: Whose,
    actor: str,
    now: datetime,
    *,
    parts: int | None = None,
    start_on: date | None = None,
    approved_by: str = "",
) -> Made:
    """Pay what is asked in instalments from a date on: in as many as policy allows, or in `parts`.

    It is about what is asked today, so only that waits: a bill that comes while it runs has its own reminders.
    Raises as `promise` does.
    """
    ground = ground_of(conn, whose, now)
    ground = replace(ground, whose=replace(whose, claims=ground.asked))
    latest = ground.today + timedelta(days=ground.policy.deferral_most_days)
    start_on = start_on or ground.today + timedelta(days=FIRST_PART_DAYS)
    expect_later(start_on, ground.today)
    if start_on > latest:
        expect_approval(ground, f"a plan starts on {latest} at the latest", approved_by, actor)
    if parts is not None and parts < 1:
        msg = "--parts: expected one or more"
        raise UsageError(msg)
    found = _schedule(ground, parts, start_on, approved_by, actor)
    return _make(conn, ground, "plan", found, found[-1].due_on, actor, now, approved_by)


def _schedule(
    ground: Ground, parts: int | None, start_on: date, approved_by: str, actor: str
) -> tuple[Part, ...]:
    """Return instalments within the policy, or those that a second person approves."""
    spread = partial(
        schedule, ground.cents, start_on=start_on, income_day=ground.person.income_day, parts=parts
    )
    policy = ground.policy
    try:
        return spread(floor_cents=max(policy.plan_floor_cents, 1), most=max(policy.plan_most_parts, 1))
    except DoesNotFit as error:
        expect_approval(ground, str(error), approved_by, actor)
    try:
        return spread(floor_cents=1, most=MOST_PARTS_EVER)
    except DoesNotFit as error:
        raise Refused(str(error)) from error


def _make(
    conn: Connection,
    ground: Ground,
    kind: str,
    parts: tuple[Part, ...],
    ends_on: date,
    actor: str,
    now: datetime,
    approved_by: str,
) -> Made:
    """Write an arrangement with its instalments, its stop, its confirmation and its entry."""
    whose, pseudonym = ground.whose, new_id()
    values = {
        "pseudonym": pseudonym,
        "kind": kind,
        "state": "running",
        "dossier_id": whose.dossier_id,
        "person_id": whose.person_id,
        "currency": whose.currency,
        "total_cents": sum(part.cents for part in parts) or ground.cents,
        "agreed_at": now,
        "starts_on": _counts_from(conn, ground, now),
        "ends_on": ends_on,
        "missed": 0,
        "set_by": actor,
    }
    key = conn.execute(insert(arrangement).values(**values).returning(arrangement.c.id)).scalar_one()
    insert_rows(
        conn,
        instalment,
        [
            {
                "arrangement_id": key,
                "number": number,
                "due_on": part.due_on,
                "amount_cents": part.cents,
                "state": "open",
            }
            for number, part in enumerate(parts, start=1)
        ],
    )
    zone = ZoneInfo(ground.person.time_zone)
    pause(conn, key, kind, whose, None if kind == "plan" else ends_on, zone, actor, now)
    wish = service.Wish(
        template=f"{'arrangement' if kind == 'plan' else kind}_confirmed",
        purpose="confirmation",
        subject=f"arrangement:{key}",
        dossier_id=whose.dossier_id,
        person_id=whose.person_id,
        currency=whose.currency,
        until_at=min(now + CONFIRMED_WITHIN, start_of(ends_on + ONE_DAY, zone)),
        arrangement_id=key,
    )
    approval = (f"approved_by:{name_of(approved_by)}",) if approved_by else ()
    made = log.Entry(
        type="arrangement_made",
        at=now,
        actor=actor,
        person=ground.person.pseudonym,
        dossier=ground.where.pseudonym,
        creditor=ground.where.creditor,
        reasons=(kind, *approval, pseudonym),
    )
    log.append(conn, [made])
    service.ask(conn, [wish], actor, now)
    return Made(key, pseudonym, kind, ends_on, parts)


def pause(
    conn: Connection,
    arrangement_id: int,
    kind: str,
    whose: Whose,
    until_on: date | None,
    zone: ZoneInfo,
    actor: str,
    now: datetime,
) -> None:
    """Stop what the arrangement is about: until its last day and the days of grace are over, or without an end."""
    until_at = None if until_on is None else start_of(until_on + timedelta(days=GRACE_DAYS + 1), zone)
    if until_at is not None and until_at <= now:
        return
    for claim_id in whose.claims or (None,):
        new = NewStop(
            kind="arrangement" if kind == "plan" else kind,
            scope="dossier" if claim_id is None else "claim",
            dossier_id=whose.dossier_id if claim_id is None else None,
            claim_id=claim_id,
            until_at=until_at,
            arrangement_id=arrangement_id,
        )
        set_stop(conn, new, actor, now)


def _counts_from(conn: Connection, ground: Ground, now: datetime) -> date:
    """Return from which day bookings count for the arrangement.

    That is today, or tomorrow where a booking of today is in the amounts already.
    """
    today = civil_today(now)
    booked = select(allocation.c.id).where(
        allocation.c.claim_id.in_(ground.claims), allocation.c.booked_on == today
    )
    return today if conn.execute(booked.limit(1)).first() is None else today + ONE_DAY
