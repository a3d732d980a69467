"""The decision itself: a pure function, held to its promises over many made-up facts."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from channels.kinds import Kind
from consent.facts import HandedOverFact, StopFact, VerdictKind
from consent.gate import gate, usable
from consent.packs import shipped_packs
from outreach.claims.amounts import open_cents
from outreach.claims.facts import ClaimFact, HoldFact, ToldFact
from outreach.dunning import strategy
from outreach.planning.answer import Rules
from outreach.planning.decide import decide
from outreach.planning.facts import (
    AttemptFact,
    CreditorFact,
    OpenMessageFact,
    PartyFact,
    PointFact,
    UnitFacts,
)

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
PACK = shipped_packs()["NL"]
SHIPPED = strategy.shipped("friendly_pair")
RULES = Rules({SHIPPED.hash: SHIPPED.strategy}, SHIPPED.hash, PACK, PACK.hash)

moments = st.integers(0, 14 * 24 * 4).map(lambda quarters: NOW + timedelta(minutes=15 * quarters))
around = st.integers(-40 * 24, 20 * 24).map(lambda hours: NOW + timedelta(hours=hours))
days = st.integers(-60, 20).map(lambda day: date(2026, 11, 23) + timedelta(days=day))
keys = st.sampled_from(["a", "b", "c"])
kinds = st.sampled_from([Kind.EMAIL, Kind.EMAIL, Kind.LETTER])

stops = st.builds(
    StopFact,
    kind=st.sampled_from(["hold", "dispute", "objection"]),
    scope=st.just("person"),
    from_at=around,
    until_at=st.none() | around,
    channel=st.none() | kinds,
    address_key=st.none() | keys,
)
told = st.builds(
    ToldFact,
    step=st.sampled_from(["reminder", "reminder_again"]),
    state=st.sampled_from(["sending", "in_doubt", "accepted"]),
    at=around,
    on=days,
)
claims = st.builds(
    ClaimFact,
    id=st.integers(1, 10_000),
    pseudonym=st.just("c"),
    external_id=st.just("F"),
    invoice_number=st.just("F"),
    kind=st.just("single"),
    description=st.just(""),
    payment_url=st.just(""),
    invoice_on=days,
    due_on=days,
    currency=st.just("EUR"),
    principal_cents=st.integers(1, 300),
    reduced_cents=st.sampled_from([0, 0, 0]) | st.integers(-100, 400),
    holds=st.just(()) | st.lists(st.builds(HoldFact, kind=st.just("dispute")), max_size=1).map(tuple),
    told=st.just(()) | st.lists(told, max_size=2).map(tuple),
)
attempts = st.builds(
    AttemptFact,
    id=st.integers(1, 99),
    token=st.just("t"),
    channel=st.just(Kind.EMAIL),
    contact_point_id=st.integers(1, 3),
    state=st.sampled_from(["ready", "refused", "bounced", "expired", "withdrawn"]),
    facts_version=st.integers(1, 2),
    policy_epoch=st.just(0),
    good_until=around,
    tries=st.just(0),
)
creditors = st.builds(
    CreditorFact,
    id=st.just(1),
    code=st.just("WOON"),
    name=st.just("De Linde"),
    iban=st.just(""),
    phone=st.just(""),
    email=st.just(""),
    sending=st.sampled_from([True, True, False]),
    interval_days=st.integers(0, 9),
    freshness_hours=st.just(72),
    payments_until_on=st.none() | st.just(date(2026, 11, 30)) | days,
    policy_epoch=st.just(0),
)
parties = st.builds(
    PartyFact,
    person_id=st.just(1),
    pseudonym=st.just("p"),
    role=st.just("debtor"),
    kind=st.sampled_from(["person", "business"]),
    name=st.just("Jan"),
    language=st.just("nl"),
    form_of_address=st.just("formal"),
    preferred_channel=st.none() | st.just(Kind.LETTER),
    country=st.sampled_from(["NL", "NL", "NL", "BE"]),
    zone=st.sampled_from(["Europe/Amsterdam", "America/New_York"]),
    deceased=st.sampled_from([False, False, True]),
    facts_version=st.integers(1, 2),
)
points = st.builds(
    PointFact,
    id=st.integers(1, 3),
    channel=kinds,
    value=st.just("jan@example.net"),
    address_key=keys,
    certainty=st.sampled_from(["verified", "unverified", "wrong_person", "dead"]),
)
anything = st.builds(
    UnitFacts,
    dossier_id=st.just(1),
    dossier=st.just("d"),
    contract_id=st.just(""),
    debtor_external_id=st.just("D1"),
    currency=st.just("EUR"),
    creditor=creditors,
    party=parties,
    claims=st.lists(claims, min_size=1, max_size=4, unique_by=lambda claim: claim.id).map(tuple),
    unplaced_cents=st.sampled_from([0, 0, 0, 100]),
    sending_on=st.sampled_from([True, True, False]),
    stops=st.just(()) | st.lists(stops, max_size=2).map(tuple),
    handed_over=st.just(())
    | st.lists(
        st.builds(HandedOverFact, at=around, channel=st.just(Kind.EMAIL), same_creditor=st.booleans()),
        max_size=3,
    ).map(tuple),
    reserved_until=st.none() | around,
    points=st.lists(points, min_size=1, max_size=3, unique_by=lambda point: point.id).map(tuple),
    channels=st.just((Kind.EMAIL,)),
    strategy_hash=st.just(SHIPPED.hash),
)

good = UnitFacts(
    dossier_id=1,
    dossier="d",
    contract_id="",
    debtor_external_id="D1",
    currency="EUR",
    creditor=CreditorFact(
        id=1,
        code="WOON",
        name="De Linde",
        iban="",
        phone="",
        email="",
        sending=True,
        interval_days=5,
        freshness_hours=72,
        payments_until_on=date(2026, 12, 31),
        policy_epoch=0,
    ),
    party=PartyFact(
        person_id=1,
        pseudonym="p",
        role="debtor",
        kind="person",
        name="Jan",
        language="nl",
        form_of_address="formal",
        preferred_channel=None,
        country="NL",
        zone="Europe/Amsterdam",
        deceased=False,
        facts_version=1,
    ),
    claims=(),
    unplaced_cents=0,
    sending_on=True,
    points=(
        PointFact(id=1, channel=Kind.EMAIL, value="jan@example.net", address_key="a", certainty="verified"),
    ),
    channels=(Kind.EMAIL,),
    strategy_hash=SHIPPED.hash,
)
odd = st.sets(
    st.sampled_from(
        [
            "creditor",
            "party",
            "unplaced_cents",
            "sending_on",
            "stops",
            "handed_over",
            "reserved_until",
            "points",
        ]
    ),
    max_size=2,
)
units = st.builds(
    lambda strange, names: replace(
        good, claims=strange.claims, **{name: getattr(strange, name) for name in names}
    ),
    anything,
    odd,
)
"""Facts that mostly allow a message, with up to two of them as strange as they come; else nothing would be said."""
moments = st.just(NOW) | moments


@given(units, moments, st.none() | st.lists(attempts, max_size=3, unique_by=lambda one: one.id))
@settings(max_examples=300)
def test_no_plan_without_an_open_amount_and_the_gate_s_leave(
    facts: UnitFacts, now: datetime, tried: list[AttemptFact] | None
) -> None:
    """Whatever the facts: a message is about open claims only, on a usable address, and only where the gate allows."""
    if tried is not None:
        steps = tuple((claim.id, "reminder") for claim in facts.claims)
        facts = replace(
            facts,
            open_message=OpenMessageFact(
                id=7,
                pseudonym="m",
                template="friendly_reminder",
                tone="friendly",
                strategy_hash=SHIPPED.hash,
                steps=steps,
                attempts=tuple(tried),
            ),
        )
    answer = decide(facts, RULES, now)
    assert answer.outcome
    assert answer.code
    plan = answer.plan
    if plan is None:
        return
    by_id = {claim.id: claim for claim in facts.claims}
    assert all(open_cents(by_id[key]) > 0 and not by_id[key].holds for key, _ in plan.steps)
    assert sum(open_cents(by_id[key]) for key, _ in plan.steps) > 0
    assert not facts.unplaced_cents
    latest = max(by_id[key].due_on for key, _ in plan.steps)
    asked = facts.gate_facts(now, latest)
    verdict = gate(asked, PACK, now)
    assert verdict.kind is VerdictKind.ALLOW
    assert verdict.good_until is not None
    assert now < plan.good_until <= verdict.good_until
    open_now = {(point.channel, point.address_key) for point, why in usable(asked, now) if why is None}
    (point,) = (point for point in facts.points if point.id == plan.contact_point_id)
    assert (point.channel, point.address_key) in open_now
    if plan.continues_message is not None and tried is not None:
        spent = {one.contact_point_id for one in tried if one.state in {"refused", "bounced"}}
        assert plan.contact_point_id not in spent
        ready = {one.id for one in tried if one.state == "ready"}
        assert set(answer.withdraw_attempts) == ready, "never two that may leave"


@given(units, moments)
@settings(max_examples=100)
def test_what_is_not_said_is_not_left_ready(facts: UnitFacts, now: datetime) -> None:
    """Where nothing is to be said, whatever an earlier look made ready is taken back."""
    ready = AttemptFact(
        id=5,
        token="t",
        channel=Kind.EMAIL,
        contact_point_id=1,
        state="ready",
        facts_version=1,
        policy_epoch=0,
        good_until=now + timedelta(hours=1),
        tries=0,
    )
    message = OpenMessageFact(
        id=7,
        pseudonym="m",
        template="friendly_reminder",
        tone="friendly",
        strategy_hash="",
        steps=((99_999, "reminder"),),
        attempts=(ready,),
    )
    answer = decide(replace(facts, open_message=message), RULES, now)
    assert answer.withdraw_attempts == (5,)
    if answer.code != "channels_spent":
        assert answer.withdraw_message == 7
