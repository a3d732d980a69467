"""Stops as a person orders them: found by the numbers one knows, with what they mean for the person as a whole."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from sqlalchemy import Connection, or_, select

from consent.calendar import start_of, zone_of
from outreach.casework import stop_effects
from outreach.casework.open_claims import claim_fact, open_currencies
from outreach.casework.service import Wish, ask
from outreach.casework.stops import NewStop, lift_stop, set_stop, stop, stop_of
from outreach.casework.targets import (
    Named,
    claim_by_id,
    claim_of,
    creditor_of,
    dossier_by_id,
    dossiers_of,
    party_of,
    person_by_id,
    person_of,
)
from outreach.casework.words import code, keep_text
from outreach.claims.amounts import asked_cents
from outreach.errors import Refused, UsageError
from outreach.store.types import AnyRow

OWN_COMMANDS = {
    "dispute": "outreach dispute add",
    "complaint": "outreach complaint add",
    "promise": "outreach arrange promise",
    "deferral": "outreach arrange defer",
    "arrangement": "outreach arrange plan",
}
"""Kinds that are more than a stop, and the command that sees to the rest."""

PERSONAL = {
    "deceased",
    "minor",
    "representative",
    "objection",
    "restriction",
    "insolvent",
    "debt_help",
    "breathing_space",
    "address_protected",
    "wrong_person",
    "moved",
}
"""Kinds that are about a person, towards whomever; the others are about a debt."""

KINDS = ("hold", *sorted(PERSONAL))
FULL_AGE = 18
TELL_WITHIN = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Order:
    """A stop as it is asked for. `address_key` is the key of one address, `on` the day of a death."""

    kind: str
    named: Named = field(default_factory=Named)
    address_key: str | None = None
    channel: str | None = None
    amount_cents: int | None = None
    from_at: datetime | None = None
    until_at: datetime | None = None
    reason: str = ""
    note: str | None = None
    on: date | None = None
    tell: bool = False
    """Whether the debtor is told that nothing is asked for now; only of a pause of a debt."""


def add(conn: Connection, order: Order, actor: str, now: datetime) -> list[str]:
    """Set what is ordered, one stop for each dossier that is meant; return their random ids.

    Raises UsageError or Refused where the kind has a command of its own, nothing is named, or it is so already.
    """
    _check(order, now)
    meant = [_dated(conn, one, order, now) for one in _stops(conn, order, now)]
    covered = {
        place: row for place, one in enumerate(meant) if (row := _covering(conn, one, now)) is not None
    }
    found = [one for place, one in enumerate(meant) if place not in covered]
    if not found:
        row = covered[0]
        msg = f"there is such a stop already: {row.pseudonym[:8]}, set by {row.set_by}"
        raise Refused(msg)
    content_id = keep_text(conn, order.note, now)
    made = []
    for one in found:
        made.append(set_stop(conn, replace(one, content_id=content_id), actor, now))
        row = stop_of(conn, made[-1])
        stop_effects.apply(conn, row, order.on, actor, now)
        if order.tell:
            _tell(conn, row, named=order.named, actor=actor, now=now)
    return made


def lift(conn: Connection, beginning: str, reason: str, actor: str, now: datetime) -> AnyRow:
    """Lift a stop by hand, with what it meant for the person; raises Refused for one that rests on more."""
    row = stop_of(conn, beginning)
    if row.lifted_at is not None:
        msg = f"stop {row.pseudonym[:8]} was lifted already"
        raise Refused(msg)
    if row.kind == "dispute" and row.claim_id is not None:
        msg = f"stop {row.pseudonym[:8]} is a dispute: answer it with outreach dispute decide"
        raise Refused(msg)
    if row.kind == "complaint":
        msg = f"stop {row.pseudonym[:8]} is a complaint: answer it with outreach complaint answer"
        raise Refused(msg)
    if row.arrangement_id is not None:
        msg = f"stop {row.pseudonym[:8]} belongs to an arrangement: end it with outreach arrange end"
        raise Refused(msg)
    take_off(conn, row, [code(reason, "--reason")] if reason else [], actor, now)
    return row


def take_off(conn: Connection, row: AnyRow, reasons: list[str], actor: str, now: datetime) -> None:
    """Lift a stop and take back what it meant for the person."""
    lift_stop(conn, row.pseudonym, actor, now, reasons)
    stop_effects.take_back(conn, row, actor, now)


def _check(order: Order, now: datetime) -> None:
    if order.kind in OWN_COMMANDS:
        msg = f"--kind {order.kind}: use {OWN_COMMANDS[order.kind]}, which also tells the debtor"
        raise UsageError(msg)
    if order.kind not in KINDS:
        msg = f"--kind: {order.kind!r} is no kind of stop; expected one of {', '.join(KINDS)}"
        raise UsageError(msg)
    if order.until_at is not None and order.until_at <= (order.from_at or now):
        msg = "--until: expected a time after now and after --from"
        raise UsageError(msg)
    if order.reason:
        code(order.reason, "--reason")
    if order.amount_cents is not None and not order.named.names_claim:
        msg = "--amount: expected with --claim or --invoice, the claim whose part is held"
        raise UsageError(msg)
    if order.tell and (order.kind != "hold" or order.address_key or order.channel):
        raise UsageError("--tell: only of a hold on a claim or a dossier is the debtor told")
    if order.on is not None and order.kind != "deceased":
        msg = "--on: only a death has a day of its own"
        raise UsageError(msg)


def _stops(conn: Connection, order: Order, now: datetime) -> list[NewStop]:
    """Return the stops that are meant, each with the keys of its scope."""
    named = order.named
    new = NewStop(
        kind=order.kind,
        scope="",
        channel=order.channel,
        from_at=order.from_at,
        until_at=order.until_at,
        reason_code=order.reason,
    )
    if order.address_key is not None:
        return [replace(new, scope="contact_point", address_key=order.address_key)]
    if named.names_claim:
        which = claim_of(conn, named)
        if order.amount_cents is None:
            return [replace(new, scope="claim", claim_id=which.id)]
        fact = claim_fact(conn, which.id, now)
        if not 0 < order.amount_cents < asked_cents(fact):
            msg = f"--amount: expected more than 0 and less than what is asked of claim {fact.external_id}"
            raise UsageError(msg)
        return [replace(new, scope="claim_part", claim_id=which.id, amount_cents=order.amount_cents)]
    if named.person is None and named.debtor is None:
        if named.creditor is None:
            msg = "expected whom or what it stops: --debtor, --person, --claim, --invoice, --creditor or an address"
            raise UsageError(msg)
        return [replace(new, scope="creditor", creditor_id=creditor_of(conn, named.creditor).id)]
    if order.channel is not None:
        return [replace(new, scope="channel", person_id=person_of(conn, named).id)]
    if named.person is not None or order.kind in PERSONAL:
        return [replace(new, scope="person", person_id=person_of(conn, named).id)]
    return [replace(new, scope="dossier", dossier_id=one.id) for one in dossiers_of(conn, named)]


def _dated(conn: Connection, new: NewStop, order: Order, now: datetime) -> NewStop:
    """Return a minor's stop with its end: 00:00 of the birthday on which they come of age, where it is known."""
    if order.kind != "minor" or new.person_id is None or new.until_at is not None:
        return new
    who = person_by_id(conn, new.person_id)
    if who.date_of_birth is None:
        return new
    born = who.date_of_birth
    leap = (born.month, born.day) == (2, 29)
    of_age = date(born.year + FULL_AGE, 3, 1) if leap else born.replace(year=born.year + FULL_AGE)
    until_at = start_of(of_age, zone_of(who.time_zone))
    if until_at <= now:
        msg = f"this person is of age since {of_age}"
        raise Refused(msg)
    return replace(new, until_at=until_at)


def _tell(conn: Connection, row: AnyRow, *, named: Named, actor: str, now: datetime) -> None:
    """Ask to confirm a pause, once in each currency in which something is open."""
    if row.claim_id is not None:
        which = claim_by_id(conn, row.claim_id)
        where, currencies = which.dossier, [which.currency]
    elif row.dossier_id is not None:
        where = dossier_by_id(conn, row.dossier_id)
        currencies = open_currencies(conn, where.id, now)
    else:
        raise UsageError("--tell: only of a hold on a claim or a dossier is the debtor told")
    party = party_of(conn, where, named, now)
    wishes = [
        Wish(
            template="pause_confirmed",
            purpose="confirmation",
            subject=f"{row.pseudonym}:{currency}",
            dossier_id=where.id,
            person_id=party.person_id,
            currency=currency,
            until_at=now + TELL_WITHIN,
            stop_id=row.id,
        )
        for currency in currencies
    ]
    ask(conn, wishes, actor, now)


def _covering(conn: Connection, new: NewStop, now: datetime) -> AnyRow | None:
    """Return a stop in force that covers a new one; a later end is something new, and so is another part."""
    if new.scope == "claim_part":
        return None
    keys = ("kind", "scope", "person_id", "dossier_id", "claim_id", "creditor_id", "address_key", "channel")
    query = select(stop).where(
        *(stop.c[name].is_not_distinct_from(getattr(new, name)) for name in keys),
        stop.c.lifted_at.is_(None),
        stop.c.from_at <= (new.from_at or now),
        or_(stop.c.until_at.is_(None), stop.c.until_at > now),
    )
    for row in conn.execute(query):
        if row.until_at is None or (new.until_at is not None and new.until_at <= row.until_at):
            return row
    return None
