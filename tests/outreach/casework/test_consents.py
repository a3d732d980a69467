"""What people say about the use of their data: kept, proved, effective at once, and answered by people."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from sqlalchemy import Connection, update
from sqlalchemy.exc import DBAPIError

from consent.record import Status
from outreach import tables
from outreach.casework import consents
from outreach.casework.consents import Said
from outreach.casework.targets import Named
from outreach.errors import OutreachError, Refused, UsageError
from tests import builders as make
from tests.outreach.casework.office import ANNA, DAY, JAN, NOW, Office

BEN = "staff:ben"
NOTICE = "b" * 64
Event, Stop, Task = tables.law.ConsentEvent, tables.claims.Stop, tables.operations.Task
TO_WOON = Named(debtor="JAN", creditor="WOON")


def survey(**values: object) -> Said:
    """About the survey."""
    return Said(**({"named": JAN, "purpose": "survey", "method": "telephone"} | values))  # type: ignore[arg-type]


def reminders(named: Named = JAN, **values: object) -> Said:
    """About reminders of a bill."""
    return Said(**({"named": named, "purpose": "dunning", "method": "email"} | values))  # type: ignore[arg-type]


def objected(office: Office, said: Said | None = None) -> str:
    """Jan objects; the fact's random id."""
    [made] = office.run(lambda conn: consents.object_to(conn, said or reminders(), ANNA, NOW))
    return made


def decide(office: Office, fact: str, *, upheld: bool = False, days: int = 0, **values: str) -> str:
    """Somebody answers an objection."""
    words = {"reason": "legal_claims", "approved_by": "ben"} | values
    return office.run(
        lambda conn: consents.decide(
            conn, fact, upheld=upheld, note=None, actor=ANNA, now=NOW + DAY * days, **words
        )
    )


def holds(office: Office, channel: str | None = "email") -> Status:
    """Whether Jan's consent to the survey holds."""
    return office.run(lambda conn: consents.status_of(conn, 1, 1, "survey", channel, NOW + DAY))


def test_consent_is_given_and_withdrawn_as_easily(office: Office) -> None:
    """Each is one command with the same words; both are kept, with their receipt and their entry."""
    given = office.run(lambda conn: consents.give(conn, survey(notice_hash=NOTICE), ANNA, NOW))
    assert holds(office) is Status.GIVEN
    gone = office.run(lambda conn: consents.withdraw(conn, survey(), ANNA, NOW + timedelta(hours=1)))
    assert holds(office) is Status.WITHDRAWN
    assert [row.kind for row in office.rows(Event)] == ["given", "withdrawn"]
    assert office.entries("consent_event") == [
        ("consent_event", ["given", "survey", given]),
        ("consent_event", ["withdrawn", "survey", gone]),
    ]
    found = office.run(lambda conn: consents.receipt_of(conn, given[:8]))
    assert found["pii_principal_id"] == office.row(tables.parties.Person, id=1).pseudonym
    assert found["privacy_notice"] == {"sha256": NOTICE}
    assert "Jan" not in json.dumps(found)
    assert office.rows(Stop) == [], "a survey is no reminder: nothing of the bill stops"


@pytest.mark.parametrize(
    ("what", "said", "message"),
    [
        (consents.give, survey(), "--notice"),
        (consents.give, reminders(notice_hash=NOTICE), "does not rest on consent"),
        (consents.give, survey(notice_hash=NOTICE, method="telepathy"), "--method"),
        (consents.withdraw, reminders(), "outreach consent object"),
        (consents.withdraw, survey(named=Named(debtor="NOBODY")), "no debtor"),
        (consents.restrict, reminders(reason="because"), "--reason"),
        (consents.object_to, reminders(reason="He is angry"), "--reason"),
    ],
)
def test_what_cannot_be_is_refused_and_leaves_nothing(
    office: Office, what: object, said: Said, message: str
) -> None:
    """The refusal says what was expected, or which command is meant."""
    with pytest.raises(OutreachError, match=message):
        office.run(lambda conn: what(conn, said, ANNA, NOW))  # type: ignore[operator]
    assert office.rows(Event) == []
    assert office.rows(Stop) == []


def test_a_channel_that_is_not_wanted_moves_the_message_to_the_next(office: Office) -> None:
    """Who wants no e-mail is written to on paper; it never means silence."""
    office.run(lambda conn: make.a_point(conn, 1, "Dorpsstraat 1\n1234 AB Ons Dorp", "letter"))
    office.run(lambda conn: consents.withdraw(conn, reminders(channel="email"), ANNA, NOW))
    office.live(NOW + timedelta(hours=1))
    sent = [row.channel for row in office.rows(tables.messages.Attempt, person_id=1)]
    assert sent == ["letter"]


def test_without_another_channel_somebody_is_told(office: Office) -> None:
    """Where the only channel is not wanted there is work for a person, not silence."""
    office.run(lambda conn: consents.withdraw(conn, reminders(channel="email"), ANNA, NOW))
    office.live(NOW + timedelta(hours=1))
    assert office.rows(tables.messages.Attempt, person_id=1) == []
    assert [row.kind for row in office.rows(Task, person_id=1)] == ["no_contact_point"]


def test_an_objection_holds_at_once_and_is_work_for_a_month(office: Office) -> None:
    """Reminders stop in the same transaction; whoever must answer has a month."""
    made = objected(office)
    stop = office.row(Stop)
    assert (stop.kind, stop.scope, stop.lifted_at) == ("objection", "person", None)
    work = office.row(Task, kind="objection")
    assert (work.subject, work.due_at.date().isoformat()) == (made, "2026-12-23")
    office.live(NOW + timedelta(hours=1))
    assert [number for number, _ in office.told()] == ["F3"], "Piet did not object"


def test_an_objection_to_one_creditor_stops_that_one(office: Office) -> None:
    """Said to a creditor, it stops this creditor's dossiers and leaves the others their own."""
    made = objected(office, reminders(TO_WOON))
    assert office.row(Stop).scope == "dossier"
    assert office.row(Event).creditor_id == 1
    found = office.run(lambda conn: consents.receipt_of(conn, made))
    assert found["parties"] == [
        {"role": "dpv:DataController", "name": office.row(tables.parties.Creditor).name}
    ]


def test_an_objection_is_rejected_by_two_people_for_a_reason_of_the_law(office: Office) -> None:
    """One person alone, or another reason, changes nothing; then the stop is lifted and the work is done."""
    made = objected(office)
    with pytest.raises(Refused, match="two people"):
        decide(office, made, approved_by="")
    with pytest.raises(Refused, match="two people"):
        decide(office, made, approved_by="anna")
    with pytest.raises(UsageError, match="--reason"):
        decide(office, made, reason="we_want_money")
    assert office.row(Stop).lifted_at is None
    answer = decide(office, made)
    assert office.row(Stop).lifted_at == NOW
    assert office.row(Event, pseudonym=answer).answers == made
    assert office.row(Task, kind="objection").closed_code == "rejected"
    with pytest.raises(Refused, match="answered already"):
        decide(office, made)


def test_an_objection_that_is_upheld_stays(office: Office) -> None:
    """One person may say that somebody is right; nothing is sent any more."""
    made = objected(office)
    decide(office, made, upheld=True, approved_by="", reason="")
    assert office.row(Stop).lifted_at is None
    assert office.row(Task, kind="objection").closed_code == "upheld"


def test_a_small_office_sleeps_on_it(office: Office) -> None:
    """Who has no colleague rejects an objection a day later, not sooner."""
    office.run(lambda conn: conn.execute(update(make.creditor).values(is_small_office=True)))
    made = objected(office, reminders(TO_WOON))
    with pytest.raises(Refused, match="24 hours"):
        decide(office, made, approved_by="")
    decide(office, made, approved_by="", days=1)
    assert office.row(Stop).lifted_at == NOW + DAY


def test_a_restriction_ends_only_after_the_person_was_told(office: Office) -> None:
    """Work is opened to end it; lifting asks for the day on which they were told, which can't lie ahead."""
    said = reminders(reason="accuracy_contested")
    [made] = office.run(lambda conn: consents.restrict(conn, said, ANNA, NOW))
    assert office.row(Stop).kind == "restriction"
    assert office.row(Task, kind="restriction").subject == made
    today = NOW.date()
    with pytest.raises(UsageError, match="--informed-on"):
        office.run(lambda conn: consents.lift(conn, made, today + DAY, ANNA, NOW))
    with pytest.raises(Refused, match="no objection"):
        decide(office, made)
    office.run(lambda conn: consents.lift(conn, made, today, ANNA, NOW))
    assert office.row(Stop).lifted_at == NOW
    assert office.row(Task, kind="restriction").closed_code == "lifted"
    with pytest.raises(Refused, match="answered already"):
        office.run(lambda conn: consents.lift(conn, made, today, ANNA, NOW))


def test_what_was_said_is_never_changed(office: Office) -> None:
    """The database itself refuses to edit or to delete what a person said."""
    objected(office)

    def edit(conn: Connection) -> None:
        conn.execute(update(consents.consent_event).values(purpose="survey"))

    with pytest.raises(DBAPIError, match="only ever added"):
        office.run(edit)
    with pytest.raises(DBAPIError, match="only ever added"):
        office.run(lambda conn: conn.execute(consents.consent_event.delete()))
