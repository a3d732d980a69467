"""Rules that depend on who writes and who is written to: agencies, representatives, calls, breathing space."""

from datetime import date, timedelta
from typing import Any

import msgspec
import pytest

from channels.kinds import Kind
from consent.breathing_space import standard_resumes_on
from consent.calendar import start_of, zone_of
from consent.facts import HandedOverFact
from consent.gate import first_moment, gate
from consent.packs import shipped_packs
from tests.consent.cases import (
    AMSTERDAM,
    DAY,
    HOUR,
    NL,
    NOW,
    always_paid,
    ask,
    codes,
    facts,
    local,
    obstacles,
    sent,
    stop,
)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ("allow", set())),
        ({"sender_kind": "agency", "sender_registered": True}, ("allow", set())),
        ({"sender_kind": "agency", "sender_registered": False}, ("deny", {"sender_not_registered"})),
        ({"sender_kind": "agency"}, ("gap", {"sender_register_unknown"})),
        ({"sender_kind": "agency", "addressee_kind": "sole_trader"}, ("gap", {"sender_register_unknown"})),
        ({"sender_kind": "agency", "addressee_kind": "business"}, ("allow", set())),
        ({"sender_kind": "agnecy"}, ("gap", {"sender_register_unknown"})),
    ],
)
def test_an_agency_must_be_registered(changes: dict[str, Any], expected: tuple[str, set[str]]) -> None:
    """Who collects for others writes to natural persons only while registered; a creditor's own claim is free."""
    assert codes(facts(**changes)) == expected


def test_an_agencys_window_is_the_laws() -> None:
    """For an agency the reasons of a night and of a Sunday cite the decree beside our policy."""
    given = always_paid(sender_kind="agency", sender_registered=True)

    def refusing(at: str) -> set[str]:
        return {reason.rule for reason in ask(given, local(at)).reasons if reason.refuses}

    assert refusing("2026-11-24T10:00") == set()
    assert refusing("2026-11-24T21:00") == {"NL-POL-WINDOW", "NL-WKI-003"}
    assert refusing("2026-11-29T10:00") == {"NL-POL-WINDOW", "NL-WKI-004"}
    assert refusing("2026-12-25T10:00") == {"NL-POL-WINDOW", "NL-WKI-004"}


TEN = local("2026-11-24T10:00")


@pytest.mark.parametrize(
    ("is_representative", "handed_over", "expected"),
    [
        (False, sent(TEN - HOUR, same_creditor=False), {"frequency_cap"}),
        (True, sent(TEN - HOUR, same_creditor=False), set()),
        (True, HandedOverFact(at=TEN - HOUR, channel=Kind.EMAIL, same_creditor=True, same_debtor=False), set()),
        (True, sent(TEN - HOUR), {"interval"}),
        (False, sent(TEN - HOUR), {"interval", "frequency_cap"}),
        (False, HandedOverFact(at=TEN - HOUR, channel=Kind.EMAIL, same_creditor=True, same_debtor=False),
         {"interval", "frequency_cap"}),
    ],
)  # fmt: skip
def test_no_cap_for_a_representative(
    is_representative: bool, handed_over: HandedOverFact, expected: set[str]
) -> None:
    """Who administers several people gets a message about each of them; about one debtor the rest is kept."""
    given = facts(is_representative=is_representative, handed_over=(handed_over,))
    assert set(obstacles(ask(given, TEN))) == expected


def test_a_representatives_messages_go_out_together() -> None:
    """They leave within one hour of a weekday, and none waits for another; a debtor's hour is not moved."""
    given = always_paid(is_representative=True, reserved_until=NOW + 5 * HOUR)
    assert codes(given, TEN) == ("allow", set())
    assert ask(given, TEN).good_until == TEN + HOUR
    assert ask(given, TEN - HOUR).until == TEN
    assert ask(given, TEN + HOUR).until == TEN + DAY
    assert ask(given, local("2026-11-27T11:00")).until == local("2026-11-30T10:00")
    confirmation = msgspec.structs.replace(given, purpose="confirmation")
    assert codes(confirmation, TEN + HOUR) == ("allow", set())
    assert first_moment(date(2026, 11, 25), AMSTERDAM.key, NL, NOW) == local("2026-11-25T07:00")


def test_a_call_is_capped_only_as_a_call() -> None:
    """Seven calls in a week stand in the way of an eighth, of a message they do not."""
    week = tuple(date(2026, 11, day) for day in range(18, 25))
    given = always_paid(country="US", zone="America/New_York", calls_on=week, purpose="call", channel="call")
    american = shipped_packs()["US"]
    noon = local("2026-11-24T12:00", zone_of("America/New_York"))
    refused = gate(given, american, noon)
    assert set(obstacles(refused)) == {"call_cap"}
    assert refused.until == local("2026-11-25T08:00", zone_of("America/New_York"))
    assert gate(given, american, noon + DAY).kind == "allow"
    for other in ({"calls_on": week[:6]}, {"channel": "email", "purpose": "service"}):
        assert gate(msgspec.structs.replace(given, **other), american, noon).kind == "allow"


def test_a_conversation_gives_a_week_of_rest() -> None:
    """The day of the conversation is the first of seven; on the eighth a call is possible."""
    given = always_paid(
        country="US", zone="America/New_York", conversations_on=(NOW.date(),), purpose="call", channel="call"
    )
    american = shipped_packs()["US"]
    noon = NOW + 8 * HOUR
    for days, kind in ((0, "delay"), (6, "delay"), (7, "allow")):
        assert gate(given, american, noon + timedelta(days=days)).kind == kind


def test_a_breathing_space_stops_contact_until_its_end() -> None:
    """The stop delays to the first morning after it, and the reason cites the regulations."""
    zone = zone_of("Europe/London")
    resumes_at = start_of(standard_resumes_on(date(2026, 11, 2)), zone)
    given = always_paid(
        country="GB",
        zone="Europe/London",
        stops=(stop(kind="breathing_space", from_at=NOW - DAY, until_at=resumes_at),),
    )
    british = shipped_packs()["GB"]
    verdict = gate(given, british, NOW)
    assert {reason.rule for reason in verdict.reasons if reason.refuses} == {"POL-STOPS", "UK-BS-001"}
    assert (verdict.kind, verdict.until) == ("delay", local("2027-01-01T08:00", zone))
    assert gate(given, british, resumes_at + 9 * HOUR).kind == "allow"
