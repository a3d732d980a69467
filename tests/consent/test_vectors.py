"""The published cases of the law, asked of the rules and of the batch questions alike."""

import json
from datetime import UTC, date, datetime, time
from typing import Any

import pytest

from channels.kinds import Kind
from consent.batch import answer
from consent.breathing_space import crisis_last_on, standard_resumes_on
from consent.facts import ContactPointFact
from consent.gate import gate
from consent.packs import shipped_packs
from tests.consent.cases import SHARED, always_paid, ask

VECTORS = SHARED / "vectors"
HERE = VECTORS.exists()

pytestmark = pytest.mark.skipif(not HERE, reason="shared vectors are not beside this repository")


def cases(file: str, part: str = "cases") -> list[dict[str, Any]]:
    return json.loads((VECTORS / file).read_text())[part] if HERE else []


WINDOWS = cases("law_contact_windows.json")


@pytest.mark.parametrize("case", WINDOWS, ids=lambda case: f"{case['jurisdiction']} {case['local']}")
def test_contact_windows(case: dict[str, Any]) -> None:
    """The window is open at exactly the instants of the vectors; else it tells a later one, which is open."""
    asked = {"ask": "contact_window", "country": case["jurisdiction"], "zone": case["tz"]}
    asked |= {"id": 7, "channel": case["channel"]}
    found = answer({**asked, "at": case["utc"]})
    assert (found["id"], found["allowed"]) == (7, case["allowed"]), case["why"]
    assert found["reasons"]
    if case["allowed"]:
        assert found["next_at"] is None
    else:
        assert datetime.fromisoformat(found["next_at"]) > datetime.fromisoformat(case["utc"])
        assert answer({**asked, "at": found["next_at"]})["allowed"]


@pytest.mark.parametrize(
    "case", [case for case in WINDOWS if case["jurisdiction"] == "NL"], ids=lambda case: case["local"]
)
def test_the_whole_gate_keeps_the_dutch_window(case: dict[str, Any]) -> None:
    """Asked with every other rule, of a creditor and of an agency, the window is the same."""
    point = ContactPointFact(channel=Kind(case["channel"]), address_key="a")
    now = datetime.fromisoformat(case["utc"])
    given: dict[str, Any] = {"zone": case["tz"], "contact_points": (point,), "channel": case["channel"]}
    for sender in ({}, {"sender_kind": "agency", "sender_registered": True}):
        verdict = ask(always_paid(**given, **sender), now)
        assert verdict.kind == ("allow" if case["allowed"] else "delay"), case["why"]


@pytest.mark.parametrize("case", cases("law_us_regf_calls.json"), ids=lambda case: str(case["name"]))
def test_calls_in_the_united_states(case: dict[str, Any]) -> None:
    """Seven calls in seven days, and seven days of rest from a conversation on, by batch and by the whole gate."""
    days = [date(2026, 3, day) for day in case["conversation"]]
    on = date.fromisoformat(case["try_date"])
    asked = {"ask": "call_cap", "country": "US", "calls_on": case["dates"], "on": case["try_date"]}
    found = answer({**asked, "id": "c", "conversations_on": [str(day) for day in days]})
    assert found["allowed"] is case["allowed"]
    assert found["reasons"] == ["US-F-002"]
    given = always_paid(
        country="US",
        zone="America/New_York",
        purpose="call",
        channel="call",
        calls_on=tuple(date.fromisoformat(day) for day in case["dates"]),
        conversations_on=tuple(days),
    )
    verdict = gate(given, shipped_packs()["US"], datetime.combine(on, time(17), UTC))
    assert verdict.kind == ("allow" if case["allowed"] else "delay")


@pytest.mark.parametrize("case", cases("law_nl_wgs_gate.json"), ids=lambda case: str(case["name"]))
def test_the_gate_of_early_signals(case: dict[str, Any]) -> None:
    """Each case is allowed, blocked or for a person, with the rules that say so."""
    found = answer({"id": 1, "ask": "early_signal", **case["input"]})
    assert found["verdict"] == case["expect"], case["why"]
    assert all(rule.startswith("NL-WGS-") for rule in found["reasons"])


@pytest.mark.parametrize("case", cases("law_uk_breathing_space.json"), ids=lambda case: str(case["start"]))
def test_breathing_space(case: dict[str, Any]) -> None:
    """Sixty days with the first as day 1, after which contact resumes."""
    resumes_on = standard_resumes_on(date.fromisoformat(case["start"]))
    assert resumes_on.isoformat() == case["resume_from"]


@pytest.mark.parametrize("case", cases("law_uk_breathing_space.json", "mental_health"))
def test_breathing_space_in_a_crisis(case: dict[str, Any]) -> None:
    """Thirty days after the treatment ended."""
    last_on = crisis_last_on(date.fromisoformat(case["treatment_end"]))
    assert last_on.isoformat() == case["moratorium_end"]
