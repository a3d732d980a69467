"""Each rule of the Dutch pack at its edges: what is allowed stands beside what is refused."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest

from channels.kinds import Kind
from consent.facts import ContactPointFact, StopFact
from consent.gate import first_moment, gate, usable
from tests.consent.cases import (
    AMSTERDAM,
    DAY,
    EMAIL,
    HOUR,
    LETTER,
    NL,
    NOW,
    always_paid,
    ask,
    asked_of,
    codes,
    facts,
    local,
    obstacles,
    sent,
    stop,
)

SECOND = timedelta(seconds=1)
MORNING = local("2026-11-25T07:00")
"""The opening after NOW's day."""


def test_an_ordinary_message_is_allowed_with_all_reasons() -> None:
    """An allowing verdict carries one allowing reason per rule and ends with the contact window."""
    verdict = ask(facts())
    assert verdict.kind == "allow"
    assert {reason.rule for reason in verdict.reasons} == {rule.id for rule in asked_of(NL, facts())}
    assert all(reason.kind == "allow" and reason.source and reason.certainty for reason in verdict.reasons)
    assert (verdict.until, verdict.good_until) == (None, local("2026-11-24T20:00"))


@pytest.mark.parametrize(
    ("at", "code", "until"),
    [
        ("2026-11-24T06:59:59", "outside_hours", "2026-11-24T07:00"),
        ("2026-11-24T20:00", "outside_hours", "2026-11-25T07:00"),
        ("2026-11-29T12:00", "closed_weekday", "2026-11-30T07:00"),
        ("2026-12-25T12:00", "holiday", "2026-12-28T07:00"),
        ("2026-10-25T02:30", "closed_weekday", "2026-10-26T07:00"),
        ("2027-03-28T12:00", "holiday", "2027-03-30T07:00"),
    ],
)
def test_outside_the_window_waits_for_its_opening(at: str, code: str, until: str) -> None:
    """Outside the window the message is delayed to the next opening, where it is allowed."""
    verdict = ask(always_paid(), local(at))
    assert (verdict.kind, list(obstacles(verdict)), verdict.until) == ("delay", [code], local(until))
    assert verdict.good_until is None
    assert codes(always_paid(), local(until)) == ("allow", set())


@pytest.mark.parametrize("zone", ["America/New_York", "Pacific/Auckland"])
def test_the_addressees_clock_counts(zone: str) -> None:
    """Somebody in another zone is approached by the clock there, on the date there."""
    given = always_paid(zone=zone)
    there = ZoneInfo(zone)
    assert codes(given, local("2026-11-24T07:00", there)) == ("allow", set())
    assert codes(given, local("2026-11-24T06:59:59", there)) == ("delay", {"outside_hours"})
    assert codes(given, local("2026-11-29T10:00", there)) == ("delay", {"closed_weekday"})


def test_interval_counts_civil_days_of_one_creditor() -> None:
    """A creditor's next dunning message may go on the fifth civil day after the last, not a moment before."""
    late = facts(handed_over=(sent(local("2026-11-19T19:59")),), payments_until_on=date(2026, 11, 24))
    assert codes(late, local("2026-11-24T07:00")) == ("allow", set())
    verdict = ask(late, local("2026-11-23T19:59"))
    assert set(obstacles(verdict)) == {"interval"}
    assert obstacles(verdict)["interval"].until == local("2026-11-24T00:00")
    assert verdict.until == local("2026-11-24T07:00")


@pytest.mark.parametrize(
    ("same_creditor", "purpose", "expected"),
    [(True, "dunning", "delay"), (False, "dunning", "allow"), (True, "confirmation", "allow")],
)
def test_interval_is_about_this_creditors_dunning(same_creditor: bool, purpose: str, expected: str) -> None:
    """Other creditors' messages and confirmations do not count for the interval."""
    given = facts(handed_over=(sent(NOW - 2 * DAY, same_creditor=same_creditor, purpose=purpose),))
    assert ask(given).kind == expected


@pytest.mark.parametrize(
    ("hours_ago", "same_creditor", "expected"),
    [(3, True, {"answered_today"}), (10, True, {"answered_today"}), (11, True, set()), (3, False, set())],
)
def test_who_was_thanked_today_is_asked_tomorrow(
    hours_ago: int, same_creditor: bool, expected: set[str]
) -> None:
    """An answer of this creditor since midnight delays a reminder to tomorrow, and no other answer."""
    answer = sent(NOW - hours_ago * HOUR, same_creditor=same_creditor, purpose="confirmation")
    verdict = ask(facts(handed_over=(answer,)))
    assert (set(obstacles(verdict)), verdict.until) == (expected, MORNING if expected else None)
    another = ask(facts(handed_over=(answer,), purpose="service"))
    assert not obstacles(another)


@pytest.mark.parametrize(
    ("hours_ago", "expected", "until"),
    [(3, {"frequency_cap"}, MORNING), (10, {"frequency_cap"}, MORNING), (11, set(), None)],
)
def test_one_message_per_civil_day(hours_ago: int, expected: set[str], until: datetime | None) -> None:
    """A message of any creditor since midnight delays to tomorrow; one from before midnight does not."""
    given = facts(handed_over=(sent(NOW - hours_ago * HOUR, same_creditor=False),))
    verdict = ask(given)
    assert (set(obstacles(verdict)), verdict.until) == (expected, until)


@pytest.mark.parametrize(
    ("days_ago", "until"),
    [((1, 2, 6), MORNING), ((1, 2, 7), None), ((1, 2), None), ((1, 2, 3, 4), local("2026-11-28T07:00"))],
)
def test_three_messages_in_seven_days(days_ago: tuple[int, ...], until: datetime | None) -> None:
    """Three messages on today and the six days before delay until the oldest that fills the cap falls out."""
    given = facts(handed_over=tuple(sent(NOW - days * DAY, same_creditor=False) for days in days_ago))
    verdict = ask(given)
    assert (verdict.kind, verdict.until) == ("allow" if until is None else "delay", until)


@pytest.mark.parametrize(
    ("purpose", "expected"),
    [("dunning", "delay"), ("service", "delay"), ("manual", "delay"), ("confirmation", "allow")],
)
def test_what_counts_for_a_cap(purpose: str, expected: str) -> None:
    """Every message counts for another creditor's cap, one by hand too; a confirmation does not."""
    given = facts(handed_over=(sent(NOW - HOUR, same_creditor=False, purpose=purpose),))
    assert ask(given).kind == expected
    assert ask(msgspec.structs.replace(given, purpose="service")).kind == expected


def test_a_confirmation_is_not_counted_against_dunning() -> None:
    """The caps hold for dunning messages; a purpose nobody knows is held to them as well."""
    given = facts(handed_over=(sent(NOW - HOUR),))
    for purpose, expected in (("confirmation", "allow"), ("dunning", "delay"), ("duning", "delay")):
        assert ask(msgspec.structs.replace(given, purpose=purpose)).kind == expected


@pytest.mark.parametrize(("reserved", "until"), [(NOW + HOUR, NOW + HOUR), (NOW, None), (NOW - HOUR, None)])
def test_a_reservation_goes_first(reserved: datetime, until: datetime | None) -> None:
    """Another ready message delays until its end; an ended reservation does not."""
    verdict = ask(facts(reserved_until=reserved))
    assert (verdict.kind, verdict.until) == ("allow" if until is None else "delay", until)


@pytest.mark.parametrize(
    ("given", "kind", "until"),
    [
        (stop(), "deny", None),
        (stop(scope="channel"), "deny", None),  # names no channel: held to be about the person
        (stop(until_at=NOW + SECOND), "delay", NOW + SECOND),
        (stop(until_at=NOW + 12 * HOUR), "delay", MORNING),
        (stop(until_at=NOW), "allow", None),
        (stop(from_at=NOW), "deny", None),
        (stop(from_at=NOW + SECOND), "allow", None),
        (stop(channel=Kind.EMAIL), "allow", None),
        (stop(address_key=EMAIL.address_key), "allow", None),
        (stop(kind="legal_hold"), "allow", None),  # forbids deletion, not contact
    ],
)
def test_stops(given: StopFact, kind: str, until: datetime | None) -> None:
    """A stop on the person denies or delays to its end; one on a channel or address leaves another way."""
    verdict = ask(facts(stops=(given,)))
    assert (verdict.kind, verdict.until) == (kind, until)
    assert set(obstacles(verdict)) == (set() if kind == "allow" else {"stop_dispute"})


@pytest.mark.parametrize(
    ("kind", "answered"), [("dispute", "allow"), ("complaint", "allow"), ("objection", "deny")]
)
def test_a_pause_of_asking_may_be_answered(kind: str, answered: str) -> None:
    """A dispute or a complaint stops reminders while its receipt is confirmed; an objection stops both."""
    given = facts(stops=(stop(kind=kind),))
    assert ask(given).kind == "deny"
    assert ask(msgspec.structs.replace(given, purpose="confirmation")).kind == answered


def test_an_allowance_ends_where_a_known_stop_begins() -> None:
    """A stop that is to begin, on the person or on an address, ends the allowance at that moment."""
    for begins in (stop(from_at=NOW + HOUR), stop(from_at=NOW + HOUR, channel=Kind.EMAIL)):
        assert ask(facts(stops=(begins,))).good_until == NOW + HOUR


def test_a_delay_moves_past_a_stop_that_is_known() -> None:
    """A delay that would end under a later stop ends after that stop, or is unknown where it has no end."""
    evening = local("2026-11-24T21:00")
    later = stop(from_at=local("2026-11-25T00:00"), until_at=local("2026-11-27T12:00"))
    assert ask(facts(), evening).until == MORNING
    assert ask(facts(stops=(later,)), evening).until == local("2026-11-27T12:00")
    endless = msgspec.structs.replace(later, until_at=None)
    verdict = ask(facts(stops=(endless,)), evening)
    assert (verdict.kind, verdict.until) == ("delay", None)


def test_the_latest_delay_wins_and_one_without_end_hides_it() -> None:
    """Delays combine to the latest, moved into the window; one without a known end leaves none."""
    until = local("2026-11-28T22:00")  # Saturday night
    given = facts(reserved_until=NOW + HOUR, stops=(stop(until_at=until),))
    other_way_round = facts(reserved_until=until, stops=(stop(until_at=NOW + HOUR),))
    assert ask(given).until == ask(other_way_round).until == local("2026-11-30T07:00")
    assert ask(msgspec.structs.replace(given, sending_on=False)).until is None
    assert ask(facts(reserved_until=datetime(9500, 1, 1, tzinfo=UTC))).until is None


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ("allow", set())),
        ({"deceased": True}, ("deny", {"deceased"})),
        ({"sending_on": False}, ("delay", {"sending_off"})),
        ({"creditor_sending_on": False}, ("delay", {"creditor_sending_off"})),
        (
            {"sending_on": False, "creditor_sending_on": False},
            ("delay", {"sending_off", "creditor_sending_off"}),
        ),
        ({"payments_until_on": None}, ("gap", {"payments_unknown"})),
        ({"latest_due_on": date(2026, 11, 23)}, ("allow", set())),
        ({"latest_due_on": date(2026, 11, 24)}, ("delay", {"payments_before_due"})),
        ({"contact_points": ()}, ("gap", {"no_contact_point"})),
        ({"country": "BE"}, ("gap", {"no_pack"})),
        ({"zone": "Europe/Nowhere"}, ("gap", {"unknown_zone"})),
        ({"stops": (stop(from_at=datetime(2026, 1, 1)),)}, ("gap", {"rule_error"})),  # noqa: DTZ001
        ({"interval_days": 10**9, "handed_over": (sent(NOW - DAY),)}, ("gap", {"rule_error"})),
        ({"deceased": True, "payments_until_on": None, "sending_on": False},
         ("deny", {"deceased", "payments_unknown", "sending_off"})),
        ({"payments_until_on": None, "sending_on": False}, ("gap", {"payments_unknown", "sending_off"})),
    ],
)  # fmt: skip
def test_facts_and_what_is_in_the_way(changes: dict[str, object], expected: tuple[str, set[str]]) -> None:
    """Each fact has its word, none hides another, and the strictest decides."""
    assert codes(facts(**changes)) == expected


def test_payments_are_fresh_to_the_second() -> None:
    """Payments are fresh for so many hours after the end of their day by the addressee's clock."""
    monday = date(2026, 11, 23)
    edge = local("2026-11-27T00:00") + 10 * HOUR
    given = facts(payments_until_on=monday, freshness_hours=82)
    assert codes(given, edge - SECOND) == ("allow", set())
    assert ask(given, edge - SECOND).good_until == edge
    assert codes(given, edge) == ("delay", {"payments_stale"})
    assert ask(given, edge).until is None
    # 24 October 2026 ends at 22:00Z, still in summer time; the hours after it are hours, not clock faces.
    autumn = facts(payments_until_on=date(2026, 10, 24), latest_due_on=date(2026, 10, 1), freshness_hours=36)
    edge = local("2026-10-26T11:00")
    assert codes(autumn, edge - SECOND) == ("allow", set())
    assert codes(autumn, edge) == ("delay", {"payments_stale"})


def test_payments_may_be_old_and_too_early_at_once() -> None:
    """What is stale and also ends before the due date says both."""
    given = facts(payments_until_on=date(2026, 11, 1))
    assert codes(given) == ("delay", {"payments_before_due", "payments_stale"})


@pytest.mark.parametrize(
    ("point", "given", "code"),
    [
        (EMAIL, (), None),
        (EMAIL, (stop(),), None),  # the person's stop is the gate's, not the address's
        (EMAIL, (stop(channel=Kind.SMS),), None),
        (EMAIL, (stop(address_key="another"),), None),
        (EMAIL, (stop(channel=Kind.EMAIL, until_at=NOW),), None),
        (EMAIL, (stop(channel=Kind.LETTER, address_key="mail-1"),), None),
        (EMAIL, (stop(channel=Kind.EMAIL),), "stop_dispute"),
        (EMAIL, (stop(address_key="mail-1", kind="wrong_person"),), "stop_wrong_person"),
        (msgspec.structs.replace(EMAIL, available=False), (), "channel_not_configured"),
        (msgspec.structs.replace(EMAIL, certainty="dead"), (), "dead"),
        (msgspec.structs.replace(EMAIL, certainty="wrong_person", available=False), (), "wrong_person"),
    ],
)
def test_usable_contact_points(
    point: ContactPointFact, given: tuple[StopFact, ...], code: str | None
) -> None:
    """A contact point is closed by what is known of it, by a stop on it, or for want of a channel."""
    alone = facts(contact_points=(point,), stops=given)
    ((found, reason),) = usable(alone, NOW)
    assert found == point
    assert (reason.code if reason else None) == code
    assert ("no_contact_point" in obstacles(ask(alone))) == (code is not None)
    both = usable(facts(contact_points=(point, LETTER), stops=given), NOW)
    assert both[1] == (LETTER, None) or given[0].channel is Kind.LETTER


def test_the_longest_stop_on_an_address_speaks() -> None:
    """Of several stops on one contact point the longest is told, with its end where it has one."""
    short, long = (stop(channel=Kind.EMAIL, until_at=NOW + days * DAY) for days in (1, 2))
    endless = stop(channel=Kind.EMAIL)
    for stops, kind, until in (((short, long), "delay", NOW + 2 * DAY), ((short, endless), "deny", None)):
        reason = usable(facts(stops=stops), NOW)[0][1]
        assert reason is not None
        assert (reason.kind, reason.until) == (kind, until)


@pytest.mark.parametrize(
    ("on", "expected"),
    [
        (date(2026, 11, 24), NOW),  # today and inside: now
        (date(2026, 11, 1), NOW),  # long past: now
        (date(2026, 11, 25), MORNING),
        (date(2026, 11, 29), local("2026-11-30T07:00")),
        (date(2026, 12, 25), local("2026-12-28T07:00")),
    ],
)
def test_first_moment(on: date, expected: datetime) -> None:
    """The first look on or after a date is the first open instant there, never in the past, in UTC."""
    moment = first_moment(on, "Europe/Amsterdam", NL, NOW)
    assert (moment, moment.tzinfo) == (expected, UTC)


def test_an_instant_without_a_zone_is_the_callers_error() -> None:
    """The gate has no clock of its own and guesses no zone."""
    assert gate(facts(), NL, NOW.astimezone(AMSTERDAM)) == ask(facts())
    with pytest.raises(ValueError, match="time zone"):
        gate(facts(), NL, NOW.replace(tzinfo=None))
    with pytest.raises(ValueError, match="time zone"):
        first_moment(NOW.date(), "Europe/Amsterdam", NL, NOW.replace(tzinfo=None))
