"""An operator's own rules: most restrictive wins, so they can only tighten."""

from datetime import date, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.early_signal import early_signal
from consent.facts import GateFacts, VerdictKind
from consent.gate import gate
from consent.packs import Pack, PackError, packs_with, shipped_packs
from tests.consent.cases import NL, NOW, codes, facts, local
from tests.consent.test_early_signal import SIGNAL
from tests.consent.test_gate_properties import messages
from tests.consent.test_packs import changed

RANK = {kind: rank for rank, kind in enumerate(VerdictKind)}
HOURS = st.integers(0, 11).map(lambda hour: f"{hour:02}:00:00")

HEAD = 'name = "own"\nregion = "ALL"\nversion = "1"\nreview_by = 2030-01-01\n'
LATE = (
    '[[rules]]\nid = "OP-LATE"\ntitle = "Nothing before ten"\ntrigger = "contact"\neffect = "delay"\n'
    'predicate = "contact_window"\nsource = "Our own wish"\ncertainty = "policy"\n'
    "params = { opens = 10:00:00, closes = 20:00:00, closed_weekdays = [], closed_holidays = false }\n"
)


def own(text: str) -> Pack:
    return packs_with(text.encode(), "own.toml")["NL"]


PREDICATES: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "frequency_cap": {"at_most": st.integers(1, 5), "days": st.integers(1, 30)},
    "contact_window": {
        "opens": HOURS,
        "closes": st.just("18:30:00"),
        "closed_weekdays": st.lists(st.sampled_from(["monday", "saturday", "sunday"]), unique=True),
        "closed_holidays": st.booleans(),
    },
    "call_cap": {"at_most": st.integers(1, 3), "days": st.integers(1, 9), "rest_days": st.integers(1, 9)},
    "stop_kinds": {"kinds": st.just(["objection"])},
    **{word: {} for word in ("alive", "stops", "payments_known", "interval", "sending_on", "reservation")},
}
NATURAL = {"stop_kinds": "deny", "alive": "deny", "stops": "deny"}


@st.composite
def own_packs(draw: st.DrawFn, base: Pack) -> Pack:
    """A pack with an operator's own rules of every predicate, effect and period added."""
    rules = []
    for number in range(draw(st.integers(1, 3))):
        word = draw(st.sampled_from(sorted(PREDICATES)))
        rules.append(
            {
                "id": f"OP-{number}",
                "title": "t",
                "trigger": "contact",
                "effect": draw(st.sampled_from([NATURAL.get(word, "delay"), "approval", "warn"])),
                "predicate": word,
                "params": {name: draw(values) for name, values in PREDICATES[word].items()},
                "source": "s",
                "certainty": draw(st.sampled_from(["policy", "unverified"])),
                "applies": {"roles": draw(st.sampled_from([[], ["debtor"], ["representative"]]))},
                "valid_from": draw(st.none() | st.dates(date(2025, 1, 1), date(2028, 1, 1)).map(str)),
            }
        )
    raw = msgspec.json.decode(base.bytes)
    part = {"name": "own", "region": "ALL", "version": "1", "review_by": "2027-01-01", "rules": rules}
    raw["parts"].append(part)
    return Pack.from_bytes(msgspec.json.encode(raw))


@given(messages(), own_packs(NL))
def test_a_tightening_pack_never_allows_more(message: tuple[GateFacts, datetime], tightened: Pack) -> None:
    """With own rules the verdict is as strict or stricter, and neither ends sooner nor holds longer."""
    given_facts, now = message
    before, after = gate(given_facts, NL, now), gate(given_facts, tightened, now)
    assert RANK[after.kind] >= RANK[before.kind]
    if before.kind == after.kind == "delay":
        assert after.until is None or (before.until is not None and after.until >= before.until)
    if before.good_until is not None and after.good_until is not None:
        assert after.good_until <= before.good_until


@given(messages(), st.data())
def test_an_own_rule_answers_no_question_that_the_law_left_open(
    message: tuple[GateFacts, datetime], data: st.DataObject
) -> None:
    """Where a pack lost a required rule, an own one of the same predicate does not fill the gap."""
    given_facts, now = message
    lost = changed(
        NL, drop=data.draw(st.sampled_from(["contact_window", "alive", "stops", "payments_known"]))
    )
    tightened = data.draw(own_packs(lost))
    assert (
        RANK[gate(given_facts, tightened, now).kind] >= RANK[gate(given_facts, lost, now).kind] >= RANK["gap"]
    )


def test_an_own_rule_is_kept_and_named() -> None:
    """Where the operator wants more rest the message waits for it, and the reason names the rule."""
    early = local("2026-11-24T08:00")
    assert codes(facts(), early) == ("allow", set())
    verdict = gate(facts(), own(HEAD + LATE), early)
    assert (verdict.kind, verdict.until) == ("delay", local("2026-11-24T10:00"))
    assert [reason.rule for reason in verdict.reasons if reason.refuses] == ["OP-LATE"]
    assert shipped_packs()["NL"].hash != own(HEAD + LATE).hash


@pytest.mark.parametrize(
    ("effect", "kind", "code"), [("warn", "warn", "outside_hours"), ("approval", "gap", "approval_needed")]
)
def test_an_own_rule_may_warn_or_ask(effect: str, kind: str, code: str) -> None:
    """A rule that warns refuses nothing; one that asks waits for a person's approval of this message."""
    early = local("2026-11-24T08:00")
    pack = own(HEAD + LATE.replace('"delay"', f'"{effect}"'))
    verdict = gate(facts(), pack, early)
    (said,) = (reason for reason in verdict.reasons if reason.rule == "OP-LATE")
    assert (said.kind, said.code) == (kind, code)
    assert verdict.kind == ("allow" if effect == "warn" else "gap")
    assert gate(facts(approved_rules=("OP-LATE",)), pack, early).kind == "allow"
    assert gate(facts(), pack, NOW).kind == "allow"


def test_an_own_rule_may_tighten_early_signals() -> None:
    """An operator may ask for more reminders before a signal; where they are there, it is allowed."""
    rule = (
        '[[rules]]\nid = "OP-THREE"\ntitle = "t"\ntrigger = "early_signal"\neffect = "deny"\n'
        'predicate = "signal_reminders"\nsource = "s"\ncertainty = "policy"\nparams = { at_least = 3 }\n'
    )
    pack = own(HEAD + rule)
    today = date(2026, 11, 24)
    assert early_signal(SIGNAL, NL, today).verdict == "allow"
    assert early_signal(SIGNAL, pack, today).verdict == "block"
    assert early_signal(msgspec.structs.replace(SIGNAL, written_reminders=3), pack, today).verdict == "allow"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEAD.replace("ALL", "FR") + LATE, "own.toml: region: 'FR' has no rules"),
        (
            HEAD + LATE.replace("holidays = false", "holidays = true"),
            "^own.toml: rule OP-LATE: params.closed_holidays: the pack has no holidays",
        ),
        (HEAD + LATE + LATE, "own.toml: rule OP-LATE: id: stands twice"),
    ],
)
def test_an_own_part_must_fit_its_countries(text: str, message: str) -> None:
    """An own file for a country without rules, or with holidays where none are known, is refused."""
    assert own(HEAD + LATE)
    with pytest.raises(PackError, match=message):
        own(text)
