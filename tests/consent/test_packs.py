"""Packs: parts put together, the law of the day, and bytes that give the same answers for ever."""

from datetime import date
from hashlib import sha256
from itertools import product
from typing import Any

import msgspec
import pytest

from consent.calendar import shipped_calendar
from consent.effects import SOFT
from consent.gate import gate
from consent.listing import law_rows
from consent.packs import IN_THE_UNION, Pack, PackError, packs_with, shipped_packs, shipped_parts
from consent.predicates import PREDICATES
from consent.rules import Asked
from tests.consent.cases import DAY, NL, NOW, ask, asked_of, codes, facts, local, stop
from tests.consent.test_parts import ALIVE, CAP, HEAD, load

TODAY = date(2026, 11, 24)


def changed(pack: Pack, *, drop: str = "", **changes: object) -> Pack:
    """A pack with the same fields changed in every rule, or without the rules of one predicate."""
    raw = msgspec.json.decode(pack.bytes)
    for part in raw["parts"]:
        part["rules"] = [rule | changes for rule in part["rules"] if not drop or rule["predicate"] != drop]
    return Pack.from_bytes(msgspec.json.encode(raw))


def with_rule(pack: Pack, rule: dict[str, Any]) -> Pack:
    """A pack with one more rule."""
    raw = msgspec.json.decode(pack.bytes)
    raw["parts"][0]["rules"].append(rule)
    return Pack.from_bytes(msgspec.json.encode(raw))


def test_shipped_packs_are_whole() -> None:
    """Every shipped pack asks all required questions of everybody today, and names a source for each rule."""
    assert {"NL", "BE", "DE", "GB", "US"} == set(shipped_packs())
    for country, pack in shipped_packs().items():
        assert pack.country == country
        assert all(rule.source and rule.title for rule in pack.rules)
        for words in product(
            ("person", "sole_trader", "business"), ("dunning", "confirmation", "service", "call", "handover"),
            ("creditor", "agency"), ("debtor", "representative"), ("", "email", "letter", "call", "visit"),
        ):  # fmt: skip
            assert pack.plan(Asked(*words), TODAY).beside == (), (country, words)


def test_a_pack_is_made_of_its_countrys_parts() -> None:
    """The Union's rules stand in a member state's pack only; what holds everywhere stands in all."""
    names = {country: [part.name for part in pack.parts] for country, pack in shipped_packs().items()}
    assert names["NL"] == ["nl-agency", "nl-core", "nl-early-signal", "nl-money", "eu", "policy"]
    assert names["US"] == ["us", "policy"]
    assert all(("eu" in found) == (country in IN_THE_UNION) for country, found in names.items())


def test_no_predicate_is_dead() -> None:
    """Every word of the gate's vocabulary is used by a shipped rule with its full effect."""
    used = {rule.predicate for one in shipped_parts() for rule in one.part.rules if rule.effect not in SOFT}
    assert set(PREDICATES) <= used


def test_bytes_bring_the_pack_back() -> None:
    """A pack loaded from its bytes has the same hash, rules, holidays and verdicts."""
    again = Pack.from_bytes(NL.bytes)
    assert again.hash == NL.hash == sha256(NL.bytes).hexdigest()
    assert again.rules == NL.rules
    assert law_rows(again) == law_rows(NL)
    for now in (NOW, local("2026-05-15T10:00"), local("2031-05-05T10:00"), local("2026-11-29T10:00")):
        assert ask(facts(), now, again) == ask(facts(), now)


def test_the_hash_covers_every_part_and_confirmation() -> None:
    """Whatever an answer may rest on is in the bytes: each part, the operator's own, and who confirmed what."""
    tightened = packs_with((HEAD.replace("XX", "NL") + CAP.replace('"C"', '"OP-C"')).encode())["NL"]
    confirmed = packs_with(None, confirmed={"EU-GDPR-021": "J. Jansen"})["NL"]
    assert len({NL.hash, tightened.hash, confirmed.hash}) == 3
    for pack in (tightened, confirmed):
        assert law_rows(Pack.from_bytes(pack.bytes)) == law_rows(pack)


def test_a_pack_of_before_there_were_parts_still_answers() -> None:
    """Bytes kept in the older form, one list of rules, can be replayed."""
    rules = [
        {"id": rule.id, "title": "t", "predicate": rule.predicate, "source": "s", "certainty": "policy"}
        | ({"params": rule.params} if rule.params else {})
        | {"applies": {"purposes": list(rule.applies.purposes)}}
        for rule in asked_of(NL, facts())
        if rule.predicate != "stop_kinds"
    ]
    calendar = shipped_calendar("nl").facts
    old = {"country": "NL", "version": "1", "calendar": calendar, "rules": rules}
    pack = Pack.from_bytes(msgspec.json.encode(old))
    assert codes(facts(), pack=pack) == ("allow", set())
    assert codes(facts(), local("2026-12-25T12:00"), pack)[0] == "delay"
    with pytest.raises(PackError, match="expected parts"):
        Pack.from_bytes(b"{}")


def test_layout_and_comments_do_not_change_the_hash() -> None:
    """The hash is over what a pack says, not over how its file looks."""
    assert load(HEAD + ALIVE).hash == load("# a remark\n" + HEAD + "\n\n" + ALIVE).hash
    turned = CAP.replace("at_most = 1, days = 1", "days = 1, at_most = 1")
    assert load(HEAD + CAP).hash == load(HEAD + turned).hash
    assert load(HEAD + ALIVE).hash != load(HEAD + ALIVE.replace('"t"', '"other"')).hash


def test_an_old_packs_holidays_are_its_own() -> None:
    """A decree published later does not change what an old pack answers: its bytes hold its own holidays."""
    raw = msgspec.json.decode(NL.bytes)
    raw["calendar"]["days"] = [day for day in raw["calendar"]["days"] if day["kind"] != "decree"]
    older = Pack.from_bytes(msgspec.json.encode(raw))
    now = local("2026-05-15T10:00")
    given = facts(payments_until_on=date(2026, 5, 14), latest_due_on=date(2026, 5, 1))
    assert codes(given, now, older) == ("allow", set())
    assert codes(given, now) == ("delay", {"holiday"})


def test_a_rule_may_follow_its_older_version() -> None:
    """One id may stand twice when its periods do not overlap: the law changed on that date."""
    older, newer = ALIVE + "valid_until = 2026-11-25\n", ALIVE + "valid_from = 2026-11-25\n"
    pack = load(HEAD + older + newer)
    for day in (24, 25):
        assert len(pack.plan(Asked(), date(2026, 11, day)).checks) == 1
    with pytest.raises(PackError, match="stands twice"):
        load(HEAD + older.replace("25", "26") + newer)


def test_validity_is_half_open_in_the_addressees_zone() -> None:
    """A pack holds from the start of its first civil day to the end of its last, and else is a gap."""
    pack = changed(NL, valid_from="2026-11-24", valid_until="2026-11-25")
    assert codes(facts(), local("2026-11-24T07:00"), pack) == ("allow", set())
    assert codes(facts(), local("2026-11-23T23:59:59"), pack) == ("gap", {"no_rule"})
    assert codes(facts(), local("2026-11-25T00:00"), pack) == ("gap", {"no_rule"})
    kyiv = facts(zone="Europe/Kyiv")
    assert codes(kyiv, local("2026-11-23T23:59:59"), pack)[0] == "delay"


@pytest.mark.parametrize("predicate", [word for word, found in PREDICATES.items() if found.required])
def test_a_pack_that_lost_a_question_allows_nothing(predicate: str) -> None:
    """A required question that no valid rule asks closes the gate under the question's name."""
    code = "no_window" if predicate == "contact_window" else "rule_missing"
    verdict = ask(facts(), pack=changed(NL, drop=predicate))
    assert verdict.kind == "gap"
    assert [(r.rule, r.code) for r in verdict.reasons if r.kind == "gap"] == [(predicate, code)]


def test_a_window_to_come_is_heeded_in_the_next_opening() -> None:
    """A delay into days on which a stricter window holds ends at that window's opening."""
    raw = msgspec.json.decode(NL.bytes)
    rules = [rule for part in raw["parts"] for rule in part["rules"]]
    window = next(rule for rule in rules if rule["id"] == "NL-POL-WINDOW")
    params = window["params"] | {"opens": "09:30:00"}
    later = window | {"id": "LATER", "valid_from": "2026-11-25", "params": params}
    pack = with_rule(NL, later)
    for evening, opening in (
        ("2026-11-23T21:00", "2026-11-24T07:00"),
        ("2026-11-24T21:00", "2026-11-25T09:30"),
    ):
        assert ask(facts(), local(evening), pack).until == local(opening)
    assert ask(facts(), NOW + DAY, pack).kind == "allow"


def test_an_overdue_review_is_a_warning_and_never_silence() -> None:
    """The day after `review_by` each part that nobody read again is named in the verdict; it refuses nothing."""
    assert NL.overdue(date(2027, 5, 23)) == ()
    assert NL.overdue(date(2027, 5, 24)) == NL.parts
    given = facts(payments_until_on=date(2027, 5, 25), latest_due_on=date(2027, 5, 1))
    for on, warned in ((22, set()), (25, {part.name for part in NL.parts})):
        verdict = ask(given, local(f"2027-05-{on}T10:00"))
        assert verdict.kind == "allow"
        assert {reason.rule for reason in verdict.reasons if reason.code == "review_overdue"} == warned
        assert not any(reason.refuses for reason in verdict.reasons)


def test_doubtful_law_asks_for_approval_until_somebody_confirms_it() -> None:
    """What nobody verified may delay; it refuses for good only under the name of who confirmed it."""
    given = facts(country="DE", stops=(stop(kind="objection"),))
    milder = shipped_packs()["DE"]
    confirmed = packs_with(None, confirmed={"EU-GDPR-021": "J. Jansen"})["DE"]

    def said(pack: Pack, **changes: Any) -> tuple[str, str, str]:
        verdict = gate(msgspec.structs.replace(given, **changes), pack, NOW)
        (found,) = (reason for reason in verdict.reasons if reason.rule == "EU-GDPR-021")
        return found.kind, found.code, found.certainty

    assert said(milder) == ("gap", "approval_needed", "unverified")
    assert said(milder, approved_rules=("EU-GDPR-021",)) == ("allow", "approved", "unverified")
    assert said(milder, stops=(stop(kind="objection", until_at=NOW + DAY),))[0] == "delay"
    assert said(confirmed) == ("deny", "stop_objection", "confirmed")
    assert said(confirmed, approved_rules=("EU-GDPR-021",))[0] == "deny"


@pytest.mark.parametrize(
    ("confirmed", "message"),
    [
        (
            {"NL-WKI-003": "J. Jansen"},
            "rule NL-WKI-003: expected the id of a rule whose certainty is unverified",
        ),
        ({"EU-GDPR-021": " "}, "rule EU-GDPR-021: expected the name of the person"),
    ],
)
def test_only_what_is_unverified_is_confirmed_and_by_somebody(
    confirmed: dict[str, str], message: str
) -> None:
    """A confirmation of a rule that needs none, or by nobody, is a mistake."""
    assert packs_with(None, confirmed={"EU-GDPR-021": "J. Jansen"})
    with pytest.raises(PackError, match=message):
        packs_with(None, confirmed=confirmed)
