"""Early signals: four facts with their proof, the closed set of fields, one open signal, and its end."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from sqlalchemy import Connection, update

from outreach import tables
from outreach.casework import arrangements, conversations, corrections, undo
from outreach.casework.grounds import Whose
from outreach.casework.targets import person_by_id
from outreach.errors import Refused, UsageError
from outreach.sharing import agreements, signals
from outreach.sharing.arrears import cases, town_of
from outreach.sharing.evidence import OFFER_RUNS, says
from templates.catalogue import Catalogue
from tests import builders as make
from tests.outreach.sharing.scene import (
    ADDRESS,
    ANNA,
    BEA,
    DAY,
    DUE,
    JAN,
    NOW,
    OFFERED,
    Disclosure,
    EarlySignal,
    LogEntry,
    Office,
    agreed,
    changed,
    creditor_id,
    jan,
    restricted,
    signalled,
    spoke,
    the_case,
)

CODE = "early_signal_voorbeeldstad"


def ready(office: Office) -> Office:
    """All that a signal needs is there."""
    office.run(lambda conn: agreed(conn, "early_signal"))
    office.run(spoke)
    return office


def test_a_signal_leaves_with_exactly_the_closed_set(office: Office) -> None:
    """Contact details, arrears and reference; the file is what was kept, and each fact has an entry that proves it."""
    made = signalled(ready(office))
    assert made.shared.answer.allowed, made.shared.answer.reasons
    said = json.loads(made.shared.body)
    assert said["data"] == {
        "arrears": [{"amount": "EUR 650.00"}],
        "contact": [{"name": "Jan de Vries", "address": ADDRESS, "email": "jan@example.net"}],
        "creditor": [{"reference": "JAN"}],
    }
    assert (said["format"], said["municipality"]) == ("outreach-early-signal/1", "Gemeente Voorbeeldstad")
    row = office.row(EarlySignal)
    assert (row.pseudonym, row.sector, row.arrears_cents) == (said["id"], "rent", 65_000)
    [(_, reasons)] = office.entries("disclosed")
    proofs = dict(one.split(":", 1) for one in reasons if ":" in one)
    types = {
        name: office.row(LogEntry, id=proofs[name]).type for name in ("contact", "help", "reminder", "offer")
    }
    assert types == {
        "contact": "conversation",
        "help": "accepted",
        "reminder": "accepted",
        "offer": "accepted",
    }
    assert made.file == f"early-signal-{row.pseudonym}.json"


def _pay_all(conn: Connection) -> Any:
    where = jan(conn)
    owed = make.Debtor(where.creditor_id, where.person_id, where.debtor_id, where.id, None)
    for row in conn.execute(make.claim.select()).all():
        make.a_payment(conn, owed, row.id, row.principal_cents, NOW.date() - DAY)


def _move(conn: Connection) -> Any:
    who = person_by_id(conn, jan(conn).person_id)
    corrections.correct_person(
        conn, who, {}, {"letter": "Kade 3\n4321 BA Elders"}, make.KEYS, ANNA, NOW - DAY
    )


def _undo_conversation(conn: Connection) -> Any:
    entry = undo.log.log_entry
    row = conn.execute(entry.select().where(entry.c.type == "conversation")).one()
    reasons = ("conversation", f"entry:{row.id}")
    where = jan(conn)
    undo.log.append(
        conn,
        [undo.log.Entry("undone", NOW, ANNA, person=where.person, dossier=where.pseudonym, reasons=reasons)],
    )


REFUSED: dict[str, tuple[Callable[[Connection], Any], str]] = {
    "no personal contact": (_undo_conversation, "signal_personal_contact"),
    "bounced": (
        lambda conn: conn.execute(update(table("attempt")).values(state="bounced")),
        "signal_offer",
    ),
    "a no": (lambda conn: signals.answer(conn, JAN, "no", "telephone", None, ANNA, NOW), "signal_offer"),
    "a dispute": (
        lambda conn: make.a_stop(conn, "dispute", "claim", claim_id=claim_id(conn)),
        "signal_undisputed",
    ),
    "no agreement there": (_move, "signal_municipality"),
    "withdrawn": (lambda conn: agreements.withdraw(conn, CODE, BEA, NOW), "signal_municipality"),
    "a field less": (
        lambda conn: changed(conn, fields='["contact.name"]'),
        "outside_agreement:contact.address",
    ),
    "restricted": (restricted, "person:restriction"),
    "no address": (
        lambda conn: conn.execute(
            update(make.point).where(make.point.c.kind == "letter").values(certainty="dead")
        ),
        "no_address",
    ),
    "no sector": (lambda conn: conn.execute(update(make.creditor).values(sector="")), "signal_sector"),
    "an arrangement": (
        lambda conn: arrangements.promise(conn, whose(conn), NOW.date() + 5 * DAY, ANNA, NOW),
        "signal_no_arrangement",
    ),
}


def table(name: str) -> Any:
    """A table by its name."""
    return tables.metadata.tables[name]


def whose(conn: Connection) -> Whose:
    """All that Jan owes."""
    where = jan(conn)
    return Whose(where.id, where.person_id, "EUR")


def claim_id(conn: Connection) -> int:
    """One of Jan's claims."""
    return int(conn.execute(make.claim.select()).first().id)  # type: ignore[union-attr]


@pytest.mark.parametrize("name", REFUSED)
def test_one_thing_missing_refuses_and_is_kept(office: Office, name: str) -> None:
    """The signal that may be sent is refused for one thing, which its entry names; nothing leaves."""
    change, reason = REFUSED[name]
    ready(office).run(change)
    made = signalled(office)
    assert reason in made.shared.answer.reasons
    assert made.shared.body == b""
    assert office.rows(EarlySignal) == office.rows(Disclosure) == []
    assert reason in office.entries("disclosure_refused")[0][1]


def test_the_offer_has_time_to_be_answered(office: Office) -> None:
    """Until two weeks after the offer only a yes lets a signal go; an answer that is not kept is to be read."""
    ready(office)
    early = OFFERED + OFFER_RUNS - DAY
    assert the_case(office, early).missing == ("offer_runs",)
    assert the_case(office, OFFERED + OFFER_RUNS).missing == ()
    office.run(lambda conn: signals.answer(conn, JAN, "yes", "telephone", None, ANNA, early))
    assert the_case(office, early).missing == ()


def test_what_came_in_since_the_offer_is_read_by_a_person(office: Office) -> None:
    """A letter of the debtor may be the answer: it needs a person's word, and nothing else is let through by it."""
    ready(office)
    office.run(lambda conn: spoke_in(conn))
    assert signalled(office).shared.answer.reasons == ("answer_to_read",)
    assert signalled(office, reviewed=True).shared.answer.allowed
    assert "reviewed:answer_to_read" in office.entries("disclosed")[0][1]


def spoke_in(conn: Connection) -> None:
    """Jan wrote."""
    said = conversations.Said(JAN, "letter", is_in=True, at=OFFERED + 2 * DAY, body=b"About the help.")
    conversations.record(conn, said, ANNA, NOW)


def test_a_review_never_lets_through_what_blocks(office: Office) -> None:
    """What the law asks is not a matter of judgement."""
    office.run(lambda conn: agreed(conn, "early_signal"))
    assert signalled(office, reviewed=True).shared.answer.reasons == ("signal_personal_contact",)


def test_nothing_is_owed_any_more(office: Office) -> None:
    """Paid, there is nothing to tell."""
    ready(office).run(_pay_all)
    with pytest.raises(Refused, match="nothing that a person owes"):
        signalled(office)


def test_a_job_sends_no_signal(office: Office) -> None:
    """A person decides it."""
    ready(office)
    with pytest.raises(Refused, match="a person does"):
        signalled(office, actor="job:signals")


def test_the_list_is_the_duty(office: Office) -> None:
    """Before it is near nothing is listed; then with what is missing and by when; once signalled no more."""

    def listed(now: Any = NOW) -> list[Any]:
        return office.run(lambda conn: cases(conn, now))

    assert listed(OFFERED - 2 * DAY) == []
    [case] = listed(OFFERED + 4 * DAY)
    assert (case.debtor, case.by_on, case.cents) == ("JAN", date(2026, 12, 5), 65_000)
    assert set(case.missing) == {"signal_personal_contact", "signal_municipality", "offer_runs"}
    ready(office)
    assert listed()[0].missing == ()
    signalled(office)
    assert listed() == []


def test_a_business_or_another_creditor_is_not_listed(office: Office) -> None:
    """Only people, and only creditors that the law names."""
    office.run(lambda conn: conn.execute(update(make.person).values(kind="business")))
    assert office.run(lambda conn: cases(conn, NOW)) == []
    office.run(lambda conn: conn.execute(update(make.person).values(kind="person")))
    office.run(lambda conn: conn.execute(update(make.creditor).values(sector="")))
    assert office.run(lambda conn: cases(conn, NOW)) == []


def test_one_open_signal_per_address_and_sector(office: Office) -> None:
    """Another tenant at the same address is not signalled for the same sector while one is open."""
    ready(office)
    assert signalled(office).shared.answer.allowed

    def lodger(conn: Connection) -> Any:
        who = make.a_debtor(conn, creditor_id(conn), "EVA", email=None, name="Eva Smit")
        make.a_point(conn, who.person_id, ADDRESS, kind="letter")
        make.a_claim(conn, who, "F9", due=DUE)
        return next(case for case in cases(conn, NOW) if case.debtor == "EVA")

    assert "signal_one_open" in office.run(lodger).missing
    again = signalled(office)
    assert {"signal_one_open", "signalled"} <= set(again.shared.answer.reasons)


def test_a_paid_signal_is_withdrawn_by_its_reference_only(office: Office) -> None:
    """The municipality learns which signal and a code; it may be told also of one who restricted their data since."""
    made = signalled(ready(office))
    assert office.run(lambda conn: signals.paid_signals(conn, NOW)) == []
    office.run(_pay_all)
    office.run(restricted)
    [row] = office.run(lambda conn: signals.paid_signals(conn, NOW + DAY))
    back = office.run(lambda conn: signals.withdraw(conn, row, "paid", make.KEYS, ANNA, NOW + DAY))
    said = json.loads(back.shared.body)
    assert (said["withdraws"], said["reason"], said["data"]) == (
        made.shared.pseudonym,
        "paid",
        {"creditor": [{"reference": "JAN"}]},
    )
    signal = office.row(EarlySignal)
    assert (signal.withdrawn_at, signal.closed_code) == (NOW + DAY, "paid")
    assert [row.kind for row in office.rows(Disclosure)] == ["early_signal", "withdrawal"]
    with pytest.raises(Refused, match="closed already"):
        office.run(lambda conn: signals.withdraw(conn, signal, "paid", make.KEYS, ANNA, NOW))
    assert office.run(lambda conn: signals.paid_signals(conn, NOW + DAY)) == []


def test_feedback_is_an_outcome_and_no_more(office: Office) -> None:
    """Two codes are taken; once help is accepted nothing is asked for a while."""
    made = signalled(ready(office))
    row = office.run(lambda conn: signals.signal_of(conn, made.shared.pseudonym[:8]))
    for word in ("has_other_debts", "BSN 123456782", ""):
        with pytest.raises(UsageError, match="only offer_made or help_accepted"):
            office.run(lambda conn, word=word: signals.feedback(conn, row, word, ANNA, NOW))
    assert office.row(EarlySignal).feedback_code == ""
    office.run(lambda conn: signals.feedback(conn, row, "offer_made", ANNA, NOW))
    assert office.rows(tables.claims.Stop) == []
    office.run(lambda conn: signals.feedback(conn, row, "help_accepted", ANNA, NOW + DAY))
    stop = office.row(tables.claims.Stop)
    assert (stop.kind, stop.scope, stop.until_at) == ("debt_help", "dossier", NOW + DAY + signals.HELP_PAUSES)
    assert office.row(EarlySignal).feedback_code == "help_accepted"


def test_which_shipped_messages_prove_what() -> None:
    """The help offer points at debt help and offers to tell the municipality, in each of its texts; others do less."""
    proven = {name: says(one.bytes) for name, one in Catalogue.shipped().templates.items()}
    assert proven["help_offer"] == (True, True)
    assert {name for name, (_, offers) in proven.items() if offers} == {"help_offer"}
    assert proven["firm_reminder"] == (True, False)
    assert proven["friendly_reminder"] == (False, False), "only its second time names a place that helps"


@pytest.mark.parametrize(
    ("address", "town"),
    [
        ("Lindelaan 12\n1234 AB Voorbeeldstad", "Voorbeeldstad"),
        ("Lindelaan 12\n1234AB 's-Hertogenbosch", "'s-Hertogenbosch"),
        ("Lindelaan 12\nVoorbeeldstad", ""),
        ("Rue 1\n1000 Bruxelles\nBE", ""),
        ("", ""),
    ],
)
def test_the_town_of_an_address(address: str, town: str) -> None:
    """It stands behind the Dutch postcode in the last line; elsewhere there is none."""
    assert town_of(address) == town
