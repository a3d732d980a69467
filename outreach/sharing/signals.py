"""Early signals to a municipality: send one, take it back, keep what the municipality tells of its outcome."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from outreach.casework.days import civil_today
from outreach.casework.stops import NewStop, set_stop
from outreach.casework.targets import Named, creditor, dossier_by_id, dossier_of, party_of
from outreach.casework.words import code, keep_text
from outreach.correspondence import log
from outreach.errors import NotFound, Refused, UsageError
from outreach.parties.addresses import AddressKeys
from outreach.sharing import notices
from outreach.sharing.agreements import agreement
from outreach.sharing.arrears import CURRENCY, Case, cases_of, consent_event, early_signals, open_arrears
from outreach.sharing.fields import EARLY_SIGNAL
from outreach.sharing.ledger import Shared, Wish, disclosure, entry, record, share
from outreach.store.types import AnyRow, new_id

FEEDBACK = ("offer_made", "help_accepted")
"""All that a municipality may tell back (rule NL-WGS-011)."""
HELP_PAUSES = timedelta(days=30)
"""So long nothing is asked once the municipality helps (rule NL-WGS-013), unless somebody sets it longer."""
SAID = {"yes": "given", "no": "refused"}
"""What somebody answered to the offer, and the kind of fact that it is."""

_NEVER_REVIEWED = ("no_address", "offer_runs", "signalled")
"""What stands in the way whoever looks at it."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A signal or its withdrawal: what the ledger says, and the file that may be handed over."""

    shared: Shared
    recipient: str
    file: str


def send(
    conn: Connection, named: Named, keys: AddressKeys, actor: str, now: datetime, *, reviewed: bool = False
) -> Sent:
    """Tell the municipality of a contract's arrears, or write down why not; a person decides it, never a job.

    `reviewed` says that this person looked at what the rules leave to a person's judgement.
    """
    if not actor.startswith("staff:"):
        msg = f"{actor!r} can't decide this: a person does (--as staff:NAME)"
        raise Refused(msg)
    where = dossier_of(conn, named)
    found = cases_of(conn, [where.id], now)
    if not found:
        raise Refused("nothing that a person owes on this contract is open after its due date")
    case = found[0]
    head = _head(conn, case, now)
    wish = Wish(
        agreement=case.agreement.code if case.agreement is not None else "",
        purpose=EARLY_SIGNAL,
        kind=EARLY_SIGNAL,
        where=where,
        persons=[where.person_id],
        payload=case.payload,
        head=head,
        approved_by=actor,
        because=_because(case),
        against=_against(case, reviewed=reviewed),
    )
    shared = share(conn, wish, keys, actor, now)
    recipient = case.agreement.recipient if case.agreement is not None else ""
    if not shared.answer.allowed:
        return Sent(shared, recipient, "")
    _keep(conn, case, shared, recipient, now)
    return Sent(shared, recipient, f"early-signal-{shared.pseudonym}.json")


def _against(case: Case, *, reviewed: bool) -> tuple[str, ...]:
    """Return what forbids this signal: all that is missing, or less what a person has looked at."""
    blocking = {reason.code for reason in case.verdict.reasons if reason.kind == "deny"}
    if not reviewed:
        return case.missing
    return tuple(word for word in case.missing if word in blocking or word in _NEVER_REVIEWED)


def _because(case: Case) -> tuple[str, ...]:
    """Return what a signal rests on: the entries that prove its facts, and what a person looked at."""
    proofs = (f"{name}:{one}" for name, one in case.evidence.entries().items())
    return (*proofs, *(f"reviewed:{word}" for word in case.missing))


def _head(conn: Connection, case: Case, now: datetime) -> dict[str, str]:
    name = conn.execute(select(creditor.c.name).where(creditor.c.id == case.where.creditor_id)).scalar_one()
    return {
        "format": "outreach-early-signal/1",
        "kind": "early",
        "sent_at": now.isoformat(),
        "sector": case.sector,
        "creditor": name,
        "municipality": case.agreement.recipient if case.agreement is not None else "",
    }


def _keep(conn: Connection, case: Case, shared: Shared, municipality: str, now: datetime) -> None:
    row = {
        "pseudonym": shared.pseudonym,
        "dossier_id": case.where.id,
        "person_id": case.where.person_id,
        "sector": case.sector,
        "municipality": municipality[:100],
        "address_key": case.address_key,
        "arrears_cents": case.cents,
        "currency": CURRENCY,
        "disclosure_id": shared.key,
        "sent_at": now,
        "feedback_code": "",
        "closed_code": "",
    }
    try:
        with conn.begin_nested():
            conn.execute(insert(early_signals).values(**row))
    except IntegrityError as error:
        raise Refused("a signal of this address and sector was sent at the same moment") from error


def paid_signals(conn: Connection, now: datetime) -> list[AnyRow]:
    """Return the open signals whose arrears are paid: each is to be withdrawn."""
    rows = conn.execute(select(early_signals).where(early_signals.c.closed_at.is_(None))).all()
    late = open_arrears(conn, [row.dossier_id for row in rows], now, civil_today(now))
    return [row for row in rows if row.dossier_id not in late]


def signal_of(conn: Connection, beginning: str) -> AnyRow:
    """Return a signal by its random id or the beginning of it, locked; raises NotFound."""
    query = select(early_signals).where(early_signals.c.pseudonym.startswith(beginning, autoescape=True))
    rows = conn.execute(query.limit(2).with_for_update()).all() if beginning else []
    if len(rows) != 1:
        msg = f"there is no single signal {beginning!r} (outreach share signals --sent lists them)"
        raise NotFound(msg)
    return rows[0]


def withdraw(
    conn: Connection, row: AnyRow, reason: str, keys: AddressKeys, actor: str, now: datetime
) -> Sent:
    """Take a signal back: the municipality is told only which one, by the reference that it has (GDPR art. 19).

    That may always be told, also when the agreement has ended or the person restricted the use of their data.
    """
    if row.closed_at is not None:
        msg = f"signal {row.pseudonym[:8]} was closed already: {row.closed_code}"
        raise Refused(msg)
    told = conn.execute(select(disclosure).where(disclosure.c.id == row.disclosure_id)).one()
    under = conn.execute(select(agreement).where(agreement.c.id == told.agreement_id)).one()
    where = dossier_by_id(conn, row.dossier_id)
    head = {
        "format": "outreach-early-signal-withdrawal/1",
        "withdraws": row.pseudonym,
        "sent_at": now.isoformat(),
        "reason": code(reason, "--reason"),
        "municipality": row.municipality,
    }
    wish = Wish(
        agreement=under.code,
        purpose=EARLY_SIGNAL,
        kind="withdrawal",
        where=where,
        persons=[row.person_id],
        payload={"creditor": [{"reference": _reference(conn, told)}]},
        head=head,
    )
    shared = record(conn, wish, under, keys, actor, now)
    closed = {"withdrawn_at": now, "closed_at": now, "closed_code": reason}
    conn.execute(update(early_signals).where(early_signals.c.id == row.id).values(**closed))
    reasons = [reason, f"signal:{row.pseudonym}", f"disclosure:{shared.pseudonym}"]
    log.append(conn, [entry("signal_withdrawn", where, reasons, actor, now)])
    notices.tell_all(conn, row.disclosure_id, "withdrawn", actor, now)
    return Sent(shared, row.municipality, f"early-signal-withdrawal-{row.pseudonym}.json")


def _reference(conn: Connection, told: AnyRow) -> str:
    """Return the reference that the municipality has: that of the signal as it was sent."""
    body = log.content_of(conn, told.content_id) if told.content_id is not None else None
    return str(json.loads(body)["data"]["creditor"][0]["reference"]) if body is not None else ""


def feedback(conn: Connection, row: AnyRow, word: str, actor: str, now: datetime) -> None:
    """Keep the outcome that the municipality told, a code and no more; while it helps, nothing is asked."""
    if word not in FEEDBACK:
        msg = f"--code: {word!r}; a municipality tells back only {' or '.join(FEEDBACK)} (rule NL-WGS-011)"
        raise UsageError(msg)
    told = {"feedback_code": word, "feedback_at": now}
    conn.execute(update(early_signals).where(early_signals.c.id == row.id).values(**told))
    where = dossier_by_id(conn, row.dossier_id)
    log.append(conn, [entry("signal_feedback", where, [word, f"signal:{row.pseudonym}"], actor, now)])
    if word == "help_accepted":
        stop = NewStop(
            "debt_help",
            "dossier",
            dossier_id=row.dossier_id,
            until_at=now + HELP_PAUSES,
            reason_code="municipality_helps",
        )
        set_stop(conn, stop, actor, now)


def answer(
    conn: Connection, named: Named, word: str, method: str, note: str | None, actor: str, now: datetime
) -> None:
    """Keep what somebody answered to the offer to tell the municipality; a no forbids the signal."""
    if word not in SAID:
        msg = f"--said: {word!r}; expected yes or no"
        raise UsageError(msg)
    where = dossier_of(conn, named)
    who = party_of(conn, where, named, now)
    event: dict[str, Any] = {
        "pseudonym": new_id(),
        "person_id": who.person_id,
        "creditor_id": where.creditor_id,
        "kind": SAID[word],
        "purpose": EARLY_SIGNAL,
        "at": now,
        "method": code(method, "--method"),
        "notice_hash": "",
        "reason_code": "",
        "content_id": keep_text(conn, note, now),
        "actor": actor,
    }
    conn.execute(insert(consent_event).values(**event))
    reasons = [SAID[word], EARLY_SIGNAL, str(event["pseudonym"])]
    log.append(conn, [entry("consent_event", where, reasons, actor, now, event["content_id"])])


def sent(conn: Connection, *, all_of_them: bool) -> list[AnyRow]:
    """Return the signals that are open, or all."""
    query = select(early_signals).order_by(early_signals.c.id)
    if not all_of_them:
        query = query.where(early_signals.c.closed_at.is_(None))
    return list(conn.execute(query))


Format = Callable[[bytes], bytes]
"""Turns the file as it was decided on and kept into what a recipient reads; nothing may be added."""

FORMATS: Mapping[str, Format] = {"json": bytes}
"""The formats of a signal, by the end of the file's name: see docs/early_signal.md."""
