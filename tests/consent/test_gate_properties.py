"""What holds for every message: over random facts and instants."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from channels.kinds import Kind
from consent.calendar import holiday
from consent.facts import ContactPointFact, GateFacts, HandedOverFact, StopFact, Verdict, VerdictKind
from consent.packs import Pack
from tests.consent.cases import NL, always_paid, ask, facts, obstacles

RANK = {kind: rank for rank, kind in enumerate(VerdictKind)}
START = datetime(2026, 1, 1, tzinfo=UTC)
ZONES = st.sampled_from(["Europe/Amsterdam", "America/New_York", "Pacific/Auckland"])


def instants(first: datetime = START, years: int = 2) -> st.SearchStrategy[datetime]:
    return st.timedeltas(timedelta(0), years * timedelta(days=365)).map(lambda passed: first + passed)


def around(now: datetime, days: int) -> st.SearchStrategy[datetime]:
    reach = timedelta(days=days)
    return st.timedeltas(-reach, reach).map(lambda apart: now + apart)


def stops(now: datetime) -> st.SearchStrategy[StopFact]:
    return st.builds(
        StopFact,
        kind=st.sampled_from(["dispute", "hold", "objection"]),
        scope=st.just("person"),
        from_at=around(now - timedelta(days=8), 12),
        until_at=st.none() | around(now + timedelta(days=8), 12),
        channel=st.sampled_from([None, None, None, Kind.EMAIL, Kind.LETTER]),
        address_key=st.sampled_from([None, None, None, "a"]),
    )


def hindrances(now: datetime) -> dict[str, st.SearchStrategy[object]]:
    """For each fact the values that may stand in the way of a message at `now`, and their neighbours."""
    day = st.integers(-9, 3).map(lambda days: now.date() + timedelta(days=days))
    sent = st.builds(
        HandedOverFact, at=around(now, 12), channel=st.just(Kind.EMAIL), same_creditor=st.booleans()
    )
    point = st.builds(
        ContactPointFact,
        channel=st.sampled_from(Kind),
        address_key=st.sampled_from("ab"),
        certainty=st.sampled_from(["confirmed", "unverified", "dead", "wrong_person"]),
        available=st.booleans(),
    )
    return {
        "zone": st.just("Europe/Nowhere"),
        "deceased": st.just(True),
        "sending_on": st.just(False),
        "creditor_sending_on": st.just(False),
        "payments_until_on": st.none() | day,
        "latest_due_on": day,
        "stops": st.lists(stops(now), min_size=1, max_size=3).map(tuple),
        "handed_over": st.lists(sent, min_size=1, max_size=5).map(tuple),
        "reserved_until": around(now, 3),
        "contact_points": st.lists(point, max_size=3).map(tuple),
    }


@st.composite
def messages(draw: st.DrawFn) -> tuple[GateFacts, datetime]:
    """A message and an instant at which the gate is asked about it; at most three facts may hinder it.

    More would hide each other: nearly every verdict would be a denial or a gap, and the rest never tried.
    """
    now = draw(instants())
    possible = hindrances(now)
    changes = {
        name: draw(possible[name]) for name in draw(st.sets(st.sampled_from(sorted(possible)), max_size=3))
    }
    fresh = {"payments_until_on": now.date() - timedelta(days=1), "latest_due_on": date(2025, 12, 1)}
    return facts(**{"zone": draw(ZONES), "interval_days": draw(st.integers(0, 10)), **fresh, **changes}), now


@given(instants(datetime(2015, 1, 1, tzinfo=UTC), years=30), ZONES)
def test_the_window_alone_decides_where_nothing_else_is_in_the_way(now: datetime, zone: str) -> None:
    """An unhindered message is allowed exactly in the open hours of an open day by the addressee's clock."""
    verdict = ask(always_paid(zone=zone), now)
    there = now.astimezone(ZoneInfo(zone))
    open_now = there.weekday() != 6 and holiday(there.date()) is None and 7 <= there.hour < 20
    assert verdict.kind == ("allow" if open_now else "delay")


@given(messages())
def test_the_verdict_is_its_strictest_reason(message: tuple[GateFacts, datetime]) -> None:
    """Whatever is not allowed has a reason with rule and code that says so, and no reason is stricter."""
    verdict = ask(*message)
    refusing = [RANK[reason.kind] for reason in verdict.reasons if reason.refuses]
    assert RANK[verdict.kind] == max(refusing, default=RANK[VerdictKind.ALLOW])
    assert bool(obstacles(verdict)) == (verdict.kind != "allow")
    assert all(reason.rule and reason.code for reason in verdict.reasons)
    assert (verdict.good_until is not None) == (verdict.kind == "allow")


@given(messages())
def test_the_end_of_a_delay_is_ahead_and_in_the_window(message: tuple[GateFacts, datetime]) -> None:
    """A delay with a known end ends after now, inside the contact window and under no stop."""
    given_facts, now = message
    verdict = ask(given_facts, now)
    if verdict.until is None:
        assert verdict.kind != "delay" or any(
            reason.until is None or given_facts.stops for reason in obstacles(verdict).values()
        )
        return
    assert verdict.kind == "delay"
    assert verdict.until > now
    then = {reason.code for reason in ask(given_facts, verdict.until).reasons}
    assert "inside_window" in then
    assert "no_stop" in then
    assert not {"interval", "frequency_cap", "reserved"} & then


@given(messages())
def test_an_allowance_holds_until_its_end(message: tuple[GateFacts, datetime]) -> None:
    """What is allowed now is allowed up to the last moment before `good_until`, given the same facts."""
    given_facts, now = message
    verdict = ask(given_facts, now)
    if verdict.good_until is not None:
        assert verdict.good_until > now
        assert ask(given_facts, verdict.good_until - timedelta(microseconds=1)).kind == "allow"


@given(messages(), st.data())
def test_another_stop_never_makes_it_milder(message: tuple[GateFacts, datetime], data: st.DataObject) -> None:
    """With one more stop the verdict is as strict or stricter, and its end is no better."""
    given_facts, now = message
    more = msgspec.structs.replace(given_facts, stops=(*given_facts.stops, data.draw(stops(now))))
    before, after = ask(given_facts, now), ask(more, now)
    assert RANK[after.kind] >= RANK[before.kind]
    if before.kind == after.kind == "delay":
        assert before.until is not None or after.until is None
        assert after.until is None or (before.until is not None and after.until >= before.until)
    if before.good_until is not None and after.good_until is not None:
        assert after.good_until <= before.good_until


@given(messages())
def test_a_decision_can_be_replayed_from_what_was_recorded(message: tuple[GateFacts, datetime]) -> None:
    """Facts, pack and verdict go through JSON and give the same verdict again."""
    given_facts, now = message
    verdict = ask(given_facts, now)
    facts_again = msgspec.json.decode(msgspec.json.encode(given_facts), type=GateFacts)
    assert ask(facts_again, now, Pack.from_bytes(NL.bytes)) == verdict
    assert msgspec.json.decode(msgspec.json.encode(verdict), type=Verdict) == verdict


@given(st.dates(date(2026, 1, 1), date(2026, 12, 31)), st.integers(0, 30))
def test_longer_intervals_never_end_earlier(on: date, days: int) -> None:
    """A creditor that asks for more rest never gets its next message allowed earlier."""
    now = datetime.combine(on, datetime.min.time(), UTC) + timedelta(hours=12)
    sent = (HandedOverFact(at=now - timedelta(days=3), channel=Kind.EMAIL, same_creditor=True),)
    shorter, longer = (ask(always_paid(handed_over=sent, interval_days=n), now) for n in (days, days + 1))
    assert (longer.until or now) >= (shorter.until or now)
