"""The day's compliance: each duty is on the list when it is not met, for whom, and off it when it is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import typer
from sqlalchemy import Connection, insert, update
from typer.testing import CliRunner

from consent.packs import shipped_packs
from outreach import tables
from outreach.bootstrap import opened
from outreach.casework import complaints, declarations, disputes
from outreach.casework.complaint_register import complaint_of
from outreach.casework.declarations import Declaration
from outreach.casework.targets import Named
from outreach.cli import compliance as commands
from outreach.cli.output import Output
from outreach.config import Settings
from outreach.errors import NotFound
from outreach.insight.compliance import DUTIES, Finding, compliance
from outreach.store.types import new_id, table_of
from tests import builders as make
from tests.installations import initialise
from tests.outreach.casework.office import a_task

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
DAY = timedelta(days=1)
F1 = Named(claim="F1")
ANNA = "staff:anna"
installation = table_of(tables.operations.Installation)


@pytest.fixture
def book(settings: Settings) -> Settings:
    """An office that sends for real, in order: one creditor of its own details, one bill."""
    initialise(settings, is_trial=False)
    with opened(settings) as app, app.store.transaction() as conn:
        conn.execute(update(installation).values(sending=True))
        who = make.a_creditor(conn, is_example=False)
        make.a_claim(conn, make.a_debtor(conn, who, "JAN"), "F1", due=date(2026, 11, 20))
    return settings


def do(book: Settings, work: Callable[[Connection], Any]) -> Any:
    """Write as a command does."""
    with opened(book) as app:
        return app.store.run(work)


def found(book: Settings, days: float = 0, creditor: str | None = None) -> list[Finding]:
    """What is wrong so many days later."""
    with opened(book) as app, app.store.reading() as conn:
        return compliance(conn, shipped_packs(), NOW + DAY * days, creditor)


def codes(book: Settings, days: float = 0) -> list[str]:
    """The codes of what is wrong."""
    return [one.duty.code for one in but_rates(found(book, days))]


def but_rates(findings: list[Finding]) -> list[Finding]:
    """Without the rates of interest, which are known for half a year at most."""
    return [one for one in findings if one.duty.code != "rates_unknown"]


def of_creditor(**values: Any) -> Callable[[Connection], Any]:
    """Change the creditor."""
    return lambda conn: conn.execute(update(make.creditor).values(**values))


def a_complaint(conn: Connection) -> str:
    """Jan complains."""
    new = complaints.Complaint(F1, "rude_call", "letter")
    return str(complaints.add(conn, new, ANNA, NOW).pseudonym)


def a_dispute(conn: Connection) -> str:
    """Jan disagrees."""
    return disputes.add(conn, disputes.Dispute(F1, "wrong_amount", "techniek"), ANNA, NOW)


def test_an_office_in_order_has_an_empty_list(book: Settings) -> None:
    """Nothing is wrong, whichever creditor is asked for."""
    assert found(book) == []
    assert found(book, creditor="WOON") == []
    with pytest.raises(NotFound):
        found(book, creditor="NOBODY")


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"phone": ""}, "no_phone"),
        ({"iban": ""}, "no_iban"),
        ({"is_example": True}, "example_sending"),
        ({"payments_until_on": None}, "payments_unknown"),
        ({"payments_until_on": date(2026, 11, 19)}, "payments_stale"),
    ],
)
def test_what_its_own_details_leave_wanting(book: Settings, values: dict[str, Any], code: str) -> None:
    """One line names the creditor and the command that mends it; where sending is off it may still wait."""
    do(book, of_creditor(**values))
    [one] = found(book)
    assert (one.creditor, one.duty.code, one.count) == ("WOON", code, 1)
    do(book, of_creditor(sending=False))
    assert codes(book) == ([code] if code in {"no_phone", "no_iban"} else [])


def test_a_trial_sends_to_nobody(book: Settings) -> None:
    """So example details harm nobody there."""
    do(book, of_creditor(is_example=True))
    do(book, lambda conn: conn.execute(update(installation).values(is_trial=True)))
    assert codes(book) == []


def test_what_an_agency_must_have(book: Settings) -> None:
    """Its mark, a dispute scheme, an assessment and a notice; each comes off the list when it is there."""
    do(book, of_creditor(is_agency=True))
    wanted = ["agency_unregistered", "no_dispute_scheme", "assessment_missing", "notice_missing"]
    assert codes(book) == wanted
    do(book, of_creditor(register_number="INC-1"))
    for kind, about in (
        ("dispute_scheme", "De Commissie"),
        ("assessment", "dunning_for_others"),
        ("privacy_notice", "dunning_for_others"),
    ):
        wanted.pop(0)
        assert codes(book) == wanted
        new = Declaration(kind, about, "map 1", creditor="WOON")
        do(book, lambda conn, new=new: declarations.declare(conn, new, ANNA, NOW))
    assert codes(book) == []


def test_documents_that_run_out(book: Settings) -> None:
    """A month before its end a contract is on the list, after it as expired; a successor takes it off."""
    first = Declaration("processor_contract", "Print House", "map 1", until_on=date(2027, 1, 10))
    do(book, lambda conn: declarations.declare(conn, first, ANNA, NOW))
    assert codes(book, 17) == []
    assert codes(book, 18) == ["declaration_expiring"]
    [one] = but_rates(found(book, 48))
    assert (one.duty.code, one.creditor, one.since) == ("declaration_expired", "", date(2027, 1, 10))
    assert one.about == "processor_contract: Print House"
    after = Declaration("processor_contract", "Print House", "map 2", from_on=date(2027, 1, 10))
    do(book, lambda conn: declarations.declare(conn, after, ANNA, NOW))
    assert codes(book, 48) == []


def test_complaints_late_for_confirmation_and_for_an_answer(book: Settings) -> None:
    """Two working days for the one, two weeks for the other; the work itself has no second line."""
    made = do(book, a_complaint)
    assert (codes(book, 2), codes(book, 3)) == ([], ["complaint_unconfirmed"])
    assert codes(book, 15) == ["complaint_unconfirmed", "complaint_unanswered"]
    do(book, lambda conn: complaints.confirm(conn, complaint_of(conn, made), None, ANNA, NOW))
    assert codes(book, 15) == ["complaint_unanswered"]
    do(book, lambda conn: complaints.answer(conn, complaint_of(conn, made), "withdrawn", None, ANNA, NOW))
    assert codes(book, 15) == []


def test_disputes_past_the_day_that_was_told(book: Settings) -> None:
    """The last day for the answer is still in time."""
    made = do(book, a_dispute)
    assert codes(book, 14) == []
    [one] = found(book, 15)
    assert (one.duty.code, one.since) == ("dispute_unanswered", date(2026, 12, 7))
    do(
        book,
        lambda conn: disputes.decide(
            conn, disputes.dispute_of(conn, made, Named()), "rejected", None, None, ANNA, NOW
        ),
    )
    assert codes(book, 15) == []


@pytest.mark.parametrize(
    ("kind", "code"),
    [("approve", "decision_waiting"), ("handover", "decision_waiting"), ("call", "task_overdue")],
)
def test_work_that_waits_too_long(book: Settings, kind: str, code: str) -> None:
    """Decisions stand apart from other work; what is due tomorrow is in time, what is done is off the list."""
    do(book, lambda conn: [a_task(conn, kind, 1, 1) for _ in range(2)])
    assert codes(book, 0.5) == []
    [one] = found(book, 1)
    assert (one.duty.code, one.count, one.creditor, one.since) == (code, 2, "WOON", date(2026, 11, 24))
    close = update(table_of(tables.operations.Task)).values(closed_at=NOW)
    do(book, lambda conn: conn.execute(close))
    assert codes(book, 1) == []


def test_a_message_in_doubt_for_a_day(book: Settings) -> None:
    """By then somebody must have found out."""
    message, attempt = table_of(tables.messages.Message), table_of(tables.messages.Attempt)

    def doubt(conn: Connection) -> None:
        said = {"pseudonym": new_id(), "dossier_id": 1, "person_id": 1, "creditor_id": 1, "currency": "EUR"}
        said |= {
            "purpose": "dunning",
            "strategy_hash": "",
            "template": "friendly_reminder",
            "tone": "friendly",
        }
        key = make.insert_row(conn, message, **said, created_at=NOW)
        tried = {"token": new_id(), "message_id": key, "person_id": 1, "creditor_id": 1, "channel": "email"}
        tried |= {"contact_point_id": 1, "address": "a@b.nl", "sender": "c@d.nl", "content_id": new_id()}
        tried |= {"facts_version": 1, "policy_epoch": 0, "good_from": NOW, "good_until": NOW + DAY}
        tried |= {"try_at": NOW, "tries": 1, "state": "in_doubt", "handed_over_at": NOW, "outcome_code": ""}
        conn.execute(insert(attempt).values(**tried))

    do(book, doubt)
    assert (codes(book, 0.9), codes(book, 1)) == ([], ["in_doubt"])


def test_rules_that_nobody_has_read_again(book: Settings) -> None:
    """Only those that hold where somebody lives; they are the installation's, so every creditor sees them."""
    years = 3_650
    late = {one.about for one in found(book, years, "WOON") if one.duty.code == "rules_review_overdue"}
    on = (NOW + DAY * years).date()
    assert late == {part.name for part in shipped_packs()["NL"].overdue(on)} | {"money NL"}
    assert late
    rates = {one.about for one in found(book, years, "WOON") if one.duty.code == "rates_unknown"}
    assert rates == {"consumer NL", "commercial NL"}


def test_every_duty_names_a_rule_of_ours_its_source_and_a_command() -> None:
    """A rule's id is one of the packs, or says that it is a policy or a promise."""
    ids = {rule.id for pack in shipped_packs().values() for rule in pack.rules} | {"policy", "promise"}
    assert {duty.rule for duty in DUTIES.values()} <= ids
    assert all(duty.source and duty.mend.startswith("outreach ") for duty in DUTIES.values())


@pytest.fixture
def run(book: Settings, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, str]]:
    """Run the command; return its exit status and what it prints."""
    monkeypatch.setenv("OUTREACH_DATA_DIR", str(book.data_dir))
    monkeypatch.setenv("OUTREACH_DATABASE_URL", book.database_url)
    app = typer.Typer()
    commands.register(app)

    def running(*, as_json: bool = False) -> tuple[int, str]:
        done = CliRunner().invoke(app, [], obj=Output(as_json=as_json))
        return done.exit_code, done.output

    return running


def test_the_command_tells_by_its_status_whether_something_is_wrong(
    book: Settings, run: Callable[..., tuple[int, str]]
) -> None:
    """0 and one line where nothing is, else 1 with what, whose, which rule and which command."""
    do(book, of_creditor(payments_until_on=date(2100, 1, 1)))
    assert run() == (0, f"Nothing is wrong today: {len(DUTIES)} duties looked at.\n")
    do(book, of_creditor(phone=""))
    status, text = run()
    assert status == 1
    assert all(
        part in text for part in ("WOON", "no phone number", "NL-WKI-009", "outreach creditor set --phone")
    )
    status, text = run(as_json=True)
    assert status == 1
    assert '"code": "no_phone"' in text
