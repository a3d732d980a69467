"""The day's compliance: what is not lawful, or could not be proved, today; per creditor, as a checklist."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Executable, Select, func, or_, select

from consent.calendar import ONE_DAY
from consent.packs import Pack
from consent.processing import Declared, lacking, shipped_register
from outreach.casework.complaint_register import complaint, late_to_answer, late_to_confirm
from outreach.casework.days import civil_today
from outreach.casework.declarations import declarations
from outreach.claims.rates import shipped_tables
from outreach.claims.rules import shipped_rules
from outreach.insight.stuck import TASKS, task, why_off
from outreach.insight.today import creditor_id_of
from outreach.planning import queries as q
from outreach.store.types import AnyRow

SOON = timedelta(days=30)
"""So long before a declaration runs out it is on the list."""
MOST_DOUBT = timedelta(days=1)
"""After so long nobody may not know whether a message went out."""

DECISIONS = ("approve", "handover")
OWN_LINES = ("complaint", "dispute", "in_doubt")
"""Kinds of work that have lines of their own in the list."""


@dataclass(frozen=True, slots=True)
class Duty:
    """What the law asks, or we promised: what it is called when it is not so, its rule, and what mends it."""

    code: str
    what: str
    rule: str
    source: str
    mend: str


@dataclass(frozen=True, slots=True)
class Finding:
    """A duty that is not met: of a creditor, or of the installation where none is named."""

    creditor: str
    duty: Duty
    count: int
    since: date | None
    about: str = ""


_TERM = "the term that was told to the debtor"
DUTIES = {
    duty.code: duty
    for duty in (
        Duty(
            "complaint_unconfirmed",
            "receipt of a complaint not confirmed in writing in time",
            "NL-WKI-018",
            "Bki art. 6.1",
            "outreach complaint list --state late",
        ),
        Duty(
            "complaint_unanswered",
            "complaint not answered in time",
            "NL-WKI-018",
            f"Bki art. 6.1; {_TERM}",
            "outreach complaint list --state late",
        ),
        Duty(
            "dispute_unanswered",
            "dispute not answered in time",
            "promise",
            f"dispute_received: {_TERM}",
            "outreach dispute decide",
        ),
        Duty(
            "agency_unregistered",
            "an agency without its mark in the register",
            "NL-WKI-001",
            "Wki art. 4 and 11 lid 1",
            "outreach creditor set --register-number",
        ),
        Duty(
            "no_dispute_scheme",
            "an agency that named no dispute scheme",
            "NL-WKI-019",
            "Wki art. 13 lid 5",
            "outreach declare add dispute_scheme",
        ),
        Duty(
            "assessment_missing",
            "no assessment (DPIA) for what needs one",
            "EU-GDPR-035",
            "GDPR art. 35",
            "outreach declare add assessment",
        ),
        Duty(
            "notice_missing",
            "no privacy notice though the data came from another",
            "EU-GDPR-013",
            "GDPR art. 14",
            "outreach declare add privacy_notice",
        ),
        Duty(
            "declaration_expired",
            "a declared document has run out",
            "EU-GDPR-028",
            "GDPR art. 28(3), 14 and 35; Wki art. 13 lid 5",
            "outreach declare list",
        ),
        Duty(
            "declaration_expiring",
            "a declared document soon runs out",
            "EU-GDPR-028",
            "GDPR art. 28(3), 14 and 35; Wki art. 13 lid 5",
            "outreach declare list",
        ),
        Duty(
            "rules_review_overdue",
            "rules that nobody has read again in time",
            "policy",
            "review_by of the rule pack",
            "outreach law show",
        ),
        Duty(
            "rates_unknown",
            "rates of interest that are not known for today: nothing is computed",
            "NL-INT-005",
            "known_until of the table of rates",
            "outreach law show",
        ),
        Duty(
            "decision_waiting",
            "a step or handover that waits too long for a person's decision",
            "promise",
            "GDPR art. 22; the task's term",
            "outreach task list",
        ),
        Duty(
            "in_doubt",
            "a message of which nobody knows for a day whether it went out",
            "promise",
            "never twice, never lost; Bki art. 5.1",
            "outreach task resolve",
        ),
        Duty(
            "payments_unknown",
            "sending is on while no payments were ever processed",
            "POL-PAYMENTS",
            "GDPR art. 5(1)(d)",
            "outreach import payments --as-of",
        ),
        Duty(
            "payments_stale",
            "sending is on while payments are not known recently enough",
            "POL-PAYMENTS",
            "GDPR art. 5(1)(d)",
            "outreach import payments --as-of",
        ),
        Duty(
            "example_sending",
            "sending is on for a creditor with example details",
            "policy",
            "who writes is told truly (Tw art. 11.7; Wki art. 11)",
            "outreach creditor set",
        ),
        Duty(
            "no_phone",
            "no phone number, which every message must name",
            "NL-WKI-009",
            "Bki art. 4.1 lid 3; required.toml: phone",
            "outreach creditor set --phone",
        ),
        Duty(
            "no_iban",
            "no account to pay to, which every message that asks must name",
            "policy",
            "required.toml: how_to_pay",
            "outreach creditor set --iban",
        ),
        Duty(
            "task_overdue",
            "work that should have been done",
            "promise",
            "the task's term",
            "outreach task list",
        ),
    )
}
"""Everything that is looked at, the most pressing first."""


def compliance(
    conn: Connection, packs: Mapping[str, Pack], now: datetime, creditor: str | None = None
) -> list[Finding]:
    """Return what is wrong now, by creditor and then the most pressing first; `packs` are the rules in force.

    With a creditor: its own, and what is of the whole installation.
    """
    creditor_id = creditor_id_of(conn, creditor)
    rows = conn.execute(select(q.creditor).order_by(q.creditor.c.code)).all()
    chosen = [row for row in rows if creditor_id in {None, row.id}]
    found = [
        *(one for row in chosen for one in _of_creditor(conn, row, now)),
        *_counted(conn, now),
        *_declared(conn, now, creditor_id),
        *_reviews(conn, packs, now),
    ]
    places = {code: place for place, code in enumerate(DUTIES)}
    shown = [one for one in found if creditor is None or one.creditor in {creditor, ""}]
    return sorted(shown, key=lambda one: (one.creditor, places[one.duty.code], one.about))


def _of_creditor(conn: Connection, row: AnyRow, now: datetime) -> Iterator[Finding]:
    """What its own details leave wanting."""
    installed = conn.execute(q.INSTALLED).one()
    if row.is_agency and not row.register_number:
        yield Finding(row.code, DUTIES["agency_unregistered"], 1, None)
    if not row.phone:
        yield Finding(row.code, DUTIES["no_phone"], 1, None)
    if not row.iban:
        yield Finding(row.code, DUTIES["no_iban"], 1, None)
    if not (row.sending and installed.sending):
        return
    if row.is_example and not installed.is_trial:
        yield Finding(row.code, DUTIES["example_sending"], 1, None)
    for code in why_off(row, now):
        yield Finding(row.code, DUTIES[code], 1, row.payments_until_on)


def _counted(conn: Connection, now: datetime) -> Iterator[Finding]:
    """What is counted by creditor: complaints, disputes, messages in doubt, work."""
    complaints = (
        select(q.creditor.c.code, func.count(), func.min(complaint.c.received_at))
        .join(q.creditor, q.creditor.c.id == complaint.c.creditor_id)
        .group_by(q.creditor.c.code)
    )
    overdue = (
        select(q.creditor.c.code, func.count(), func.min(task.c.due_at))
        .select_from(
            TASKS.outerjoin(
                q.creditor,
                q.creditor.c.id
                == func.coalesce(q.dossier.c.creditor_id, q.attempt.c.creditor_id, q.payment.c.creditor_id),
            )
        )
        .where(task.c.closed_at.is_(None), task.c.due_at <= now)
        .group_by(q.creditor.c.code)
    )
    queries: dict[str, Executable] = {
        "complaint_unconfirmed": complaints.where(late_to_confirm(now)),
        "complaint_unanswered": complaints.where(late_to_answer(now)),
        "dispute_unanswered": _disputes(now),
        "in_doubt": _in_doubt(now),
        "decision_waiting": overdue.where(task.c.kind.in_(DECISIONS)),
        "task_overdue": overdue.where(task.c.kind.not_in((*DECISIONS, *OWN_LINES))),
    }
    for code, query in queries.items():
        for who, count, since in conn.execute(query):
            on = since if since is None or type(since) is date else civil_today(since)
            yield Finding(who or "", DUTIES[code], count, on)


def _disputes(now: datetime) -> Select[Any]:
    """Disputes in force whose last day for an answer is over, by creditor; `since` is the first such day."""
    of = func.coalesce(q.claim.c.dossier_id, q.stop.c.dossier_id)
    return (
        select(q.creditor.c.code, func.count(), func.min(q.stop.c.answer_by_on))
        .select_from(q.stop)
        .outerjoin(q.claim, q.claim.c.id == q.stop.c.claim_id)
        .join(q.dossier, q.dossier.c.id == of)
        .join(q.creditor, q.creditor.c.id == q.dossier.c.creditor_id)
        .where(
            q.stop.c.kind == "dispute",
            q.stop.c.lifted_at.is_(None),
            or_(q.stop.c.until_at.is_(None), q.stop.c.until_at > now),
            q.stop.c.answer_by_on < civil_today(now),
        )
        .group_by(q.creditor.c.code)
    )


def _in_doubt(now: datetime) -> Select[Any]:
    since: ColumnElement[Any] = func.coalesce(q.attempt.c.handed_over_at, q.attempt.c.try_at)
    return (
        select(q.creditor.c.code, func.count(), func.min(since))
        .join(q.creditor, q.creditor.c.id == q.attempt.c.creditor_id)
        .where(q.attempt.c.state == "in_doubt", since <= now - MOST_DOUBT)
        .group_by(q.creditor.c.code)
    )


def _declared(conn: Connection, now: datetime, creditor_id: int | None) -> Iterator[Finding]:
    """Documents that ran out or soon do and have no successor, and those that must be there and are not."""
    today = civil_today(now)
    rows = declarations(conn, creditor_id)
    for row in rows:
        if row.until_on is None or row.until_on > today + SOON or _followed(row, rows):
            continue
        code = "declaration_expired" if row.until_on <= today else "declaration_expiring"
        yield Finding(row.creditor or "", DUTIES[code], 1, row.until_on, f"{row.kind}: {row.subject}")
    query = select(q.creditor).where(q.creditor.c.is_agency).order_by(q.creditor.c.code)
    for who in conn.execute(query).all():
        mine = [
            Declared(kind=row.kind, subject=row.subject, from_on=row.from_on, until_on=row.until_on)
            for row in rows
            if row.creditor_id in {None, who.id}
        ]
        yield from _wanting(who, mine, today)


def _followed(row: AnyRow, rows: list[AnyRow]) -> bool:
    """Whether another declaration of the same goes on where this one ends."""
    return any(
        one.id != row.id
        and (one.kind, one.subject) == (row.kind, row.subject)
        and one.creditor_id in {None, row.creditor_id}
        and one.from_on <= row.until_on
        and (one.until_on is None or one.until_on > row.until_on)
        for one in rows
    )


def _wanting(who: AnyRow, declared: list[Declared], today: date) -> Iterator[Finding]:
    """What an agency must have before it reminds for others: an assessment, a notice, a dispute scheme."""
    if not any(one.kind == "dispute_scheme" and one.holds_on(today) for one in declared):
        yield Finding(who.code, DUTIES["no_dispute_scheme"], 1, None)
    activity = shipped_register().activity("dunning", "agency")
    for code in lacking(activity, declared, (), today) if activity is not None else ():
        yield Finding(who.code, DUTIES[code], 1, None, activity.code if activity is not None else "")


def _reviews(conn: Connection, packs: Mapping[str, Pack], now: datetime) -> Iterator[Finding]:
    """Rules and rates that hold where somebody lives who owes something, and that should have been read again."""
    today = civil_today(now)
    countries = set(conn.execute(select(q.person.c.country).distinct()).scalars())
    parts = {
        part.name: part
        for country, pack in packs.items()
        if country in countries
        for part in pack.overdue(today)
    }
    for name, part in sorted(parts.items()):
        since = part.review_by + ONE_DAY if part.review_by is not None else None
        yield Finding("", DUTIES["rules_review_overdue"], 1, since, name)
    for country, rules in shipped_rules().items():
        if country in countries and today >= rules.review_by:
            yield Finding("", DUTIES["rules_review_overdue"], 1, rules.review_by, f"money {country}")
    for (country, kind), table in shipped_tables().items():
        if country in countries and today >= table.known_until:
            yield Finding("", DUTIES["rates_unknown"], 1, table.known_until, f"{kind} {country}")
