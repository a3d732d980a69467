"""Questions from other systems: the answers of the vectors, and an error by field for what cannot be read."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.claims.batch import ASKS, answer
from tests.outreach.claims.vectors import ABSENT, HERE, vectors

COSTS = {
    "id": "a-1",
    "ask": "costs",
    "country": "NL",
    "debtor": "consumer",
    "principals": ["100.00", "150.00"],
    "outsourced": False,
    "creditor_deducts_vat": True,
    "on": "2026-03-01",
}
INTEREST = {
    "id": 2,
    "ask": "interest",
    "country": "NL",
    "kind": "consumer",
    "principal": "1000.00",
    "from_on": "2025-03-01",
    "to_on": "2025-03-31",
}
TERM = {
    "id": 3,
    "ask": "payment_term",
    "country": "NL",
    "sent_on": "2026-03-02",
    "channel": "letter",
    "transit_days": 2,
    "received_on": None,
}
REFERENCE = {"id": 4, "ask": "payment_reference", "country": "NL", "number": "1"}
CHECK = {"id": 5, "ask": "check_payment_reference", "text": "5000 0567 8901 2345"}
REQUESTS: tuple[dict[str, Any], ...] = (COSTS, INTEREST, TERM, REFERENCE, CHECK)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["NL", "9999-12-31"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


def test_costs() -> None:
    """Claims together, without VAT, with the rules that spoke."""
    assert answer(COSTS) == {
        "id": "a-1",
        "costs": "40.00",
        "vat": "0.00",
        "total": "40.00",
        "rules": ["NL-BIK-001", "NL-BIK-005", "NL-BIK-003"],
    }


def test_interest() -> None:
    """Half-open, and every line shows base, rate and period."""
    assert answer(INTEREST) == {
        "id": 2,
        "interest": "4.93",
        "lines": [
            {
                "from_on": "2025-03-01",
                "to_on": "2025-03-31",
                "days": 30,
                "base": "1000.00",
                "rate": "6.00",
                "interest": "4.93",
            }
        ],
        "rules": ["NL-INT-001", "NL-INT-003", "NL-INT-005"],
    }


def test_references_and_terms() -> None:
    """The three other asks."""
    assert answer(REFERENCE) == {"id": 4, "reference": "9000000000000001"}
    assert answer(CHECK) == {"id": 5, "valid": True, "scheme": "betalingskenmerk"}
    assert answer(TERM) == {
        "id": 3,
        "received_on": "2026-03-04",
        "first_day_on": "2026-03-05",
        "last_day_on": "2026-03-18",
        "costs_from_on": "2026-03-19",
    }


@pytest.mark.skipif(not HERE, reason=ABSENT)
def test_the_vectors_by_way_of_the_questions() -> None:
    """Scale, interest, terms and references come out as the vectors have them."""
    for case in vectors("law_nl_bik.json")["cases"]:
        ask = {**COSTS, "principals": [case["principal"]], "outsourced": True, "creditor_deducts_vat": False}
        assert answer(ask)["total"] == case["costs_incl_vat_21"], case
    for case in vectors("law_nl_interest.json")["cases"]:
        dates = {"from_on": case["from"], "to_on": case["to_exclusive"]}
        ask = {**INTEREST, "kind": case["kind"], "principal": case["principal"], **dates}
        if case["mode"] == "compound":
            assert answer(ask)["interest"] == case["interest"]["anniv_year"], case["name"]
    for case in vectors("law_nl_14days.json")["cases"]:
        ask = {**TERM, "sent_on": case["sent"], "channel": case["channel"]}
        ask |= {"transit_days": case["transit_days_policy"], "received_on": case["evidence_received"]}
        found = answer(ask)
        assert (found["received_on"], found["last_day_on"]) == (case["received"], case["last_day_safe_atw"])
    for case in vectors("law_be_book_xix.json")["caps"]:
        ask = {**COSTS, "country": "BE", "principals": [case["balance"]]}
        assert answer(ask)["costs"] == case["max_lump_sum"], case
    for case in vectors("law_be_book_xix.json")["waiting"]:
        ask = {**TERM, "country": "BE", "sent_on": case["sent"], "channel": case["channel"]}
        assert answer(ask)["costs_from_on"] == case["costs_from"], case


@pytest.mark.parametrize(
    ("request_", "change", "error"),
    [
        (COSTS, {"country": "FR"}, "country: expected NL or BE"),
        (COSTS, {"principals": []}, "principals: expected a list of one or more amounts"),
        (COSTS, {"principals": ["100.00", 5]}, "principals[1]: expected a list of one or more amounts"),
        (COSTS, {"principals": ["1e5"]}, "principals[0]: expected a list of one or more amounts"),
        (COSTS, {"on": "20260301"}, "on: expected a date like 2026-03-01"),
        (COSTS, {"on": "2012-06-30"}, "on: NL-BIK-001 did not hold; expected a date from 2012-07-01 on"),
        (COSTS, {"outsourced": "no"}, "outsourced: expected true or false"),
        (
            INTEREST,
            {"to_on": "2027-01-02"},
            "to_on: the table of consumer interest in NL is known until 2027",
        ),
        (INTEREST, {"to_on": "2025-02-28"}, "to_on: expected a date on or after from_on"),
        (INTEREST, {"principal": "-1.00"}, "principal: expected an amount as text, zero or more"),
        (INTEREST, {"principal": 1000.0}, "principal: expected an amount as text, zero or more"),
        (TERM, {"sent_on": "9999-12-31"}, "sent_on: expected a date from 1990 to 2199"),
        (TERM, {"transit_days": True}, "transit_days: expected a whole number of days"),
        (TERM, {"received_on": "2026-03-01"}, "received_on: expected a date on or after sent_on"),
        (REFERENCE, {"number": 1}, "number: expected digits as text"),
        (REFERENCE, {"number": "1234567890123456"}, "number: expected 1 to 15 digits"),
        (CHECK, {"text": None}, "text: expected a text"),
        (CHECK, {"ask": "everything"}, "ask: expected one of check_payment_reference, costs"),
    ],
)
def test_what_cannot_be_read_is_an_error_that_names_the_field(
    request_: dict[str, Any], change: dict[str, Any], error: str
) -> None:
    """The id comes back, and the message tells what was expected."""
    found = answer({**request_, **change})
    assert found.keys() == {"id", "error"}
    assert found["id"] == request_["id"]
    assert found["error"].startswith(error)


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda request: request["ask"])
def test_a_missing_field_is_named(request_: dict[str, Any]) -> None:
    """Whatever field is left out: there is an answer, or an error about that field."""
    for name in request_.keys() - {"id"}:
        found = answer({key: value for key, value in request_.items() if key != name})
        assert found["id"] == request_["id"]
        assert "error" not in found or found["error"].startswith(f"{name}: expected")


def test_a_misspelt_field_takes_no_default() -> None:
    """A field that is not known is left alone, unless one like it is missing."""
    wrong = {**COSTS, "outsorced": True}
    del wrong["outsourced"]
    assert answer(wrong)["error"] == "outsorced: not known, expected outsourced"
    assert "error" not in answer({**COSTS, "note": "from the ledger"})


def test_an_unverified_rate_is_told() -> None:
    """The answer names it; an answer without one has no such key."""
    doubt = {**INTEREST, "kind": "commercial", "from_on": "2013-03-16", "to_on": "2013-04-01"}
    assert answer(doubt)["unverified"] == ["rate of commercial interest in NL from 2013-03-16"]
    assert "unverified" not in answer(INTEREST)


@given(st.sampled_from(REQUESTS), st.dictionaries(st.text(), VALUES, max_size=2), st.data())
def test_nothing_makes_it_raise(request_: dict[str, Any], more: dict[str, Any], data: st.DataObject) -> None:
    """Any value in any field gives an answer or an error, with the id."""
    name = data.draw(st.sampled_from(sorted(request_.keys() - {"id"})))
    found = answer({**request_, **more, name: data.draw(VALUES), "id": 7})
    assert found["id"] == 7
    assert all(isinstance(key, str) for key in found)
    json.dumps(found)


@pytest.mark.parametrize("line", [[], None, "costs", 1])
def test_a_line_that_is_no_object(line: Any) -> None:
    """It has no id to give back, and says what a line is."""
    assert answer(line) == {
        "id": None,
        "error": 'the line: expected an object, like {"id": 1, "ask": "costs"}',
    }


def test_other_asks_can_be_joined() -> None:
    """Whoever has more to answer hands over a larger table."""
    found = answer({"id": 1, "ask": "echo"}, {**ASKS, "echo": lambda request: {"said": request["ask"]}})
    assert found == {"id": 1, "said": "echo"}
