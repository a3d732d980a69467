"""What an early signal rests on, found in the log: each of the four facts with the entry that proves it.

A message says what its version says: whether it points at debt help, and offers to tell the municipality, is read in
the kept texts of that version, all languages of it, so that an edited text proves no more than it holds.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache

from sqlalchemy import Connection, and_, select

from outreach.casework.days import start_of
from outreach.casework.targets import DossierRef
from outreach.correspondence import log
from outreach.planning import queries as q
from outreach.store.types import AnyRow
from templates.catalogue import Template

REACHED_AFTER = timedelta(hours=48)
"""A message that did not come back within this time counts as received."""
OFFER_RUNS = timedelta(days=14)
"""So long somebody has to answer the offer before no answer is an answer."""

_HELP = re.compile(r"\{\{\s*help\.\w+\.name\s*\}\}")
_OFFERS = {
    "nl": re.compile(r"gegevens door aan de gemeente"),
    "en": re.compile(r"details on to the municipality"),
}
_SOMETIMES = re.compile(r"\{%-?\s*if\b(?:(?!\{%-?\s*(?:if|endif)\b).)*\{%-?\s*endif\s*-?%\}", re.S)
"""A part of a text that only some readers see."""
_PROOFS = ("delivered", "posted", "accepted", "handed_over")
"""Entries about a message, the strongest first."""
_TYPES = ("step_done", "conversation", "told_elsewhere", "received", "undone", *_PROOFS)
_READ = ("accepted", "posted", "delivered")


@dataclass(frozen=True, slots=True)
class Proof:
    """An entry of the log, and when what it tells of happened."""

    entry: str
    at: datetime


@dataclass(slots=True)
class Evidence:
    """The four facts about one debtor of one dossier, each with what proves it; and what was heard since the offer."""

    contact: Proof | None = None
    help: Proof | None = None
    reminder: Proof | None = None
    offer: Proof | None = None
    heard: Proof | None = None
    reminders: int = 0

    def offer_ended(self, now: datetime) -> bool:
        """Whether there was time enough to answer the offer."""
        return self.offer is not None and now >= self.offer.at + OFFER_RUNS

    def entries(self) -> dict[str, str]:
        """Return the ids of the entries that prove it, by fact."""
        facts = {"contact": self.contact, "help": self.help, "reminder": self.reminder, "offer": self.offer}
        return {name: proof.entry for name, proof in facts.items() if proof is not None}


@dataclass(slots=True)
class _Found:
    entries: list[AnyRow] = field(default_factory=list)
    by_token: dict[str, dict[str, AnyRow]] = field(default_factory=lambda: defaultdict(dict))
    undone: set[str] = field(default_factory=set)


def evidence_of(
    conn: Connection, since: Mapping[int, date], dossiers: Sequence[DossierRef], now: datetime
) -> dict[int, Evidence]:
    """Return what was done about each dossier's arrears since the day on which they began."""
    found = _entries(conn, dossiers)
    made = {one.id: Evidence() for one in dossiers}
    for one in dossiers:
        _from_entries(made[one.id], found[one.pseudonym], start_of(since[one.id]))
    for row in _messages(conn, dossiers, now):
        if row.handed_over_at >= start_of(since[row.dossier_id]):
            _from_message(conn, made[row.dossier_id], found[row.dossier], row)
    for one in dossiers:
        _heard(made[one.id], found[one.pseudonym])
    return made


def _entries(conn: Connection, dossiers: Sequence[DossierRef]) -> dict[str, _Found]:
    found: dict[str, _Found] = defaultdict(_Found)
    persons = {one.pseudonym: one.person for one in dossiers}
    entry = log.log_entry
    query = select(entry).where(entry.c.dossier.in_(list(persons)), entry.c.type.in_(_TYPES))
    for row in conn.execute(query.order_by(entry.c.seq)):
        if row.person != persons[row.dossier]:
            continue
        there = found[row.dossier]
        if row.type == "undone":
            there.undone |= {one.removeprefix("entry:") for one in json.loads(row.reasons) if ":" in one}
        elif row.token is not None:
            there.by_token[row.token][row.type] = row
        else:
            there.entries.append(row)
    return found


def _from_entries(made: Evidence, found: _Found, since: datetime) -> None:
    """Take calls and visits, reached or not, conversations, and letters and mails that another system sent."""
    for row in found.entries:
        if row.at < since or row.id in found.undone:
            continue
        reasons = json.loads(row.reasons)
        if row.type == "conversation" or (row.type == "step_done" and {"call", "visit"} & set(reasons)):
            made.contact = Proof(row.id, row.at)
        if row.type == "told_elsewhere" and {"letter", "mail"} & set(reasons):
            made.reminder = Proof(row.id, row.at)
            made.reminders += 1


def _messages(conn: Connection, dossiers: Sequence[DossierRef], now: datetime) -> Sequence[AnyRow]:
    """Return the reminders to these debtors that were received, with the version that said them, oldest first."""
    persons = {one.id: one.person_id for one in dossiers}
    query = (
        select(
            q.message.c.dossier_id,
            q.message.c.person_id,
            q.dossier.c.pseudonym.label("dossier"),
            q.attempt.c.token,
            q.attempt.c.handed_over_at,
            q.decision.c.template_hash,
        )
        .join(q.attempt, q.attempt.c.message_id == q.message.c.id)
        .join(q.dossier, q.dossier.c.id == q.message.c.dossier_id)
        .join(
            q.decision,
            and_(
                q.decision.c.dossier_id == q.message.c.dossier_id,
                q.decision.c.attempt_token == q.attempt.c.token,
            ),
        )
        .where(
            q.message.c.dossier_id.in_(list(persons)),
            q.message.c.purpose == "dunning",
            q.attempt.c.state.in_(_READ),
            q.attempt.c.handed_over_at <= now - REACHED_AFTER,
        )
        .order_by(q.attempt.c.handed_over_at, q.attempt.c.id)
    )
    return [row for row in conn.execute(query) if row.person_id == persons[row.dossier_id]]


def _from_message(conn: Connection, made: Evidence, found: _Found, row: AnyRow) -> None:
    entries = found.by_token.get(row.token, {})
    proof = next((entries[type_] for type_ in _PROOFS if type_ in entries), None)
    if proof is None:
        return
    at = Proof(proof.id, row.handed_over_at)
    made.reminder, made.reminders = at, made.reminders + 1
    body = log.artefact_of(conn, row.template_hash)
    says_help, offers = says(body) if body is not None else (False, False)
    if says_help:
        made.help = at
    if offers:
        made.offer = made.offer or at


def _heard(made: Evidence, found: _Found) -> None:
    """Note what came in after the offer: a person reads whether it answers the offer."""
    if made.offer is None:
        return
    for row in found.entries:
        came_in = row.type == "received" or (row.type == "conversation" and "in" in json.loads(row.reasons))
        if came_in and row.at >= made.offer.at and row.id not in found.undone:
            made.heard = Proof(row.id, row.at)


@lru_cache(maxsize=64)
def says(body: bytes) -> tuple[bool, bool]:
    """Return whether every text of a kept version points at debt help, and offers to tell the municipality."""
    version = Template.from_bytes(body)
    texts = [(language, _always(version.source(language, form))) for language, form in version.available]
    return (
        all(_HELP.search(text) for _, text in texts),
        all(language in _OFFERS and _OFFERS[language].search(text) for language, text in texts),
    )


def _always(text: str) -> str:
    """Return the parts of a text that every reader sees."""
    shorter = _SOMETIMES.sub("", text)
    return text if shorter == text else _always(shorter)
