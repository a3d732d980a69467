"""The published contact-window cases, asked of the whole gate."""

import json
from datetime import datetime
from typing import Any

import pytest

from channels.kinds import Kind
from consent.facts import ContactPointFact
from tests.consent.cases import SHARED, always_paid, ask, codes

FILE = SHARED / "vectors" / "law_contact_windows.json"
CASES: list[dict[str, Any]] = json.loads(FILE.read_text())["cases"] if FILE.exists() else []

pytestmark = pytest.mark.skipif(not CASES, reason="shared vectors are not beside this repository")


@pytest.mark.parametrize(
    "case", [case for case in CASES if case["jurisdiction"] == "NL"], ids=lambda c: c["local"]
)
def test_dutch_windows(case: dict[str, Any]) -> None:
    """The gate allows exactly the instants that the vectors allow; the others it delays into the window."""
    point = ContactPointFact(channel=Kind(case["channel"]), address_key="a")
    now = datetime.fromisoformat(case["utc"])
    verdict = ask(always_paid(zone=case["tz"], contact_points=(point,)), now)
    assert verdict.kind == ("allow" if case["allowed"] else "delay"), case["why"]
    assert case["allowed"] or (verdict.until is not None and verdict.until > now)


@pytest.mark.parametrize(
    "case", [case for case in CASES if case["jurisdiction"] != "NL"], ids=lambda c: c["local"]
)
def test_countries_without_a_pack_are_a_gap(case: dict[str, Any]) -> None:
    """A country whose rules are not known yet gets no message at any hour, without a pack or under ours."""
    given = always_paid(country=case["jurisdiction"], zone=case["tz"])
    now = datetime.fromisoformat(case["utc"])
    assert codes(given, now) == codes(given, now, pack=None) == ("gap", {"no_pack"})
