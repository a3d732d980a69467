"""Packs: what a pack must be to be trusted, and that its bytes give the same answers for ever."""

import re
from datetime import date
from hashlib import sha256

import msgspec
import pytest

from consent.packs import Pack, PackError, shipped_packs
from tests.consent.cases import DAY, NL, NOW, ask, codes, facts, local

HEAD = 'country = "XX"\nversion = "1"\n'
ALIVE = '[[rules]]\nid = "A"\ntitle = "t"\npredicate = "alive"\nsource = "s"\ncertainty = "policy"\n'
WINDOW = (
    '[[rules]]\nid = "W"\ntitle = "t"\npredicate = "contact_window"\nsource = "s"\ncertainty = "policy"\n'
    "params = { opens = 07:00:00, closes = 20:00:00, closed_weekdays = [], closed_holidays = false }\n"
)
CAP = ALIVE.replace("alive", "frequency_cap") + "params = { at_most = 1, days = 1 }\n"


def load(text: str) -> Pack:
    return Pack.from_toml(text.encode(), "xx.toml")


def rewritten(**changes: object) -> Pack:
    """The Dutch pack with the same fields changed in every rule."""
    raw = msgspec.json.decode(NL.bytes)
    raw["rules"] = [rule | changes for rule in raw["rules"]]
    return Pack.from_bytes(msgspec.json.encode(raw))


def without(predicate: str) -> Pack:
    """The Dutch pack without the rules of one predicate."""
    raw = msgspec.json.decode(NL.bytes)
    raw["rules"] = [rule for rule in raw["rules"] if rule["predicate"] != predicate]
    return Pack.from_bytes(msgspec.json.encode(raw))


def test_shipped_packs_are_whole() -> None:
    """Every shipped pack asks all required questions today and names a source for each rule."""
    for country, pack in shipped_packs().items():
        plan = pack.plan("person", "dunning", date(2026, 11, 24))
        assert (pack.country, plan.gaps) == (country, ())
        assert len(plan.checks) == len(pack.rules)
        assert all(rule.source for rule in pack.rules)


def test_bytes_bring_the_pack_back() -> None:
    """A pack loaded from its bytes has the same hash, rules, holidays and verdicts."""
    again = Pack.from_bytes(NL.bytes)
    assert again.hash == NL.hash == sha256(NL.bytes).hexdigest()
    assert [rule.id for rule in again.rules] == [rule.id for rule in NL.rules]
    for now in (NOW, local("2026-05-15T10:00"), local("2031-05-05T10:00"), local("2026-11-29T10:00")):
        assert ask(facts(), now, again) == ask(facts(), now)


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


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("country = ", "not readable"),
        ('version = "1"\n' + ALIVE, "country"),
        (HEAD.replace("XX", "xx") + ALIVE, r"\$\.country"),
        ('colour = "red"\n' + HEAD + ALIVE, "colour"),
        ('calendar = "mars"\n' + HEAD + ALIVE, "calendar: 'mars' is none"),
        (HEAD + ALIVE.replace('id = "A"\n', ""), "rule number 1: .*id"),
        (HEAD + ALIVE.replace('source = "s"\n', ""), "rule A: .*source"),
        (HEAD + ALIVE.replace('source = "s"', 'source = ""'), r"rule A: .*length >= 1.*source"),
        (HEAD + ALIVE.replace("policy", "hearsay"), r"rule A: .*hearsay.*certainty"),
        (
            HEAD + ALIVE.replace("alive", "alife"),
            "rule A: predicate: unknown 'alife', expected one of .*alive",
        ),
        (HEAD + ALIVE + "effect = 1\n", "rule A: .*effect"),
        (HEAD + ALIVE + "params = { days = 1 }\n", "rule A: params.days: unknown, expected none"),
        (HEAD + CAP.replace(", days = 1", ""), "rule A: params.days: missing, expected at_most, days"),
        (HEAD + CAP.replace("days = 1", "days = 0"), r"rule A: params: .*>= 1.*days"),
        (HEAD + CAP.replace("days = 1", 'days = "1"'), r"rule A: params: .*int.*days"),
        (HEAD + WINDOW.replace("20:00", "06:00"), "rule W: params: closes: 06:00:00 expected after opens"),
        (HEAD + WINDOW.replace("[]", '["zondag"]'), r"rule W: params: .*zondag"),
        (
            HEAD + WINDOW.replace("holidays = false", "holidays = true"),
            "rule W: params.closed_holidays: .*calendar",
        ),
        (
            HEAD + ALIVE + 'applies = { purposes = ["duning"] }\n',
            "rule A: purposes: unknown duning, expected .*dunning",
        ),
        (HEAD + ALIVE + 'applies = { addressee_kinds = ["cat"] }\n', "rule A: addressee_kinds: unknown cat"),
        (HEAD + ALIVE + "valid_from = 2026-02-30\n", "not readable"),
        (HEAD + ALIVE + 'valid_from = "soon"\n', r"rule A: .*valid_from"),
        (
            HEAD + ALIVE + "valid_from = 2026-02-01\nvalid_until = 2026-02-01\n",
            "rule A: valid_until: 2026-02-01 expected after valid_from",
        ),
        (HEAD + ALIVE + ALIVE, "rule A: id: stands twice"),
    ],
)
def test_a_pack_with_a_mistake_is_refused(text: str, message: str) -> None:
    """The error names file, rule, field and what was expected; without the mistake the pack loads."""
    assert load(HEAD + ALIVE + WINDOW + CAP.replace('"A"', '"C"')).country == "XX"
    with pytest.raises(PackError, match=message) as caught:
        load(text)
    assert re.match(r"xx\.toml: ", str(caught.value))


def test_a_rule_may_follow_its_older_version() -> None:
    """One id may stand twice when its periods do not overlap: the law changed on that date."""
    older, newer = ALIVE + "valid_until = 2026-11-25\n", ALIVE + "valid_from = 2026-11-25\n"
    pack = load(HEAD + older + newer)
    for day in (24, 25):
        assert len(pack.plan("person", "dunning", date(2026, 11, day)).checks) == 1
    with pytest.raises(PackError, match="stands twice"):
        load(HEAD + older.replace("25", "26") + newer)


def test_validity_is_half_open_in_the_addressees_zone() -> None:
    """A pack holds from the start of its first civil day to the end of its last, and else is a gap."""
    pack = rewritten(valid_from="2026-11-24", valid_until="2026-11-25")
    assert codes(facts(), local("2026-11-24T07:00"), pack) == ("allow", set())
    assert codes(facts(), local("2026-11-23T23:59:59"), pack) == ("gap", {"no_rule"})
    assert codes(facts(), local("2026-11-25T00:00"), pack) == ("gap", {"no_rule"})
    kyiv = facts(zone="Europe/Kyiv")
    assert codes(kyiv, local("2026-11-23T23:59:59"), pack)[0] == "delay"


@pytest.mark.parametrize(
    ("predicate", "code"),
    [
        ("contact_window", "no_window"),
        ("stops", "rule_missing"),
        ("alive", "rule_missing"),
        ("sending_on", "rule_missing"),
        ("payments_known", "rule_missing"),
        ("reservation", "rule_missing"),
        ("contact_point", "rule_missing"),
    ],
)
def test_a_pack_that_lost_a_question_allows_nothing(predicate: str, code: str) -> None:
    """A required question that no valid rule asks closes the gate under the question's name."""
    verdict = ask(facts(), pack=without(predicate))
    assert verdict.kind == "gap"
    assert [(r.rule, r.code) for r in verdict.reasons if r.kind == "gap"] == [(predicate, code)]


def test_a_window_to_come_is_heeded_in_the_next_opening() -> None:
    """A delay into days on which a stricter window holds ends at that window's opening."""
    raw = msgspec.json.decode(NL.bytes)
    window = next(rule for rule in raw["rules"] if rule["predicate"] == "contact_window")
    later = window | {
        "id": "LATER",
        "valid_from": "2026-11-25",
        "params": window["params"] | {"opens": "09:30:00"},
    }
    pack = Pack.from_bytes(msgspec.json.encode(raw | {"rules": [*raw["rules"], later]}))
    for evening, opening in (
        ("2026-11-23T21:00", "2026-11-24T07:00"),
        ("2026-11-24T21:00", "2026-11-25T09:30"),
    ):
        assert ask(facts(), local(evening), pack).until == local(opening)
    assert ask(facts(), NOW + DAY, pack).kind == "allow"
