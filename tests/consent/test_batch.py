"""The questions of other systems: every row is answered, whatever it holds."""

import json
import re
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from consent.batch import ASKS, answer
from tests.consent.test_early_signal import SIGNAL

WINDOW = {
    "id": "w",
    "ask": "contact_window",
    "country": "NL",
    "at": "2026-03-04T06:00:00+00:00",
    "zone": "Europe/Amsterdam",
    "channel": "sms",
}
CALL = {
    "id": 2,
    "ask": "call_cap",
    "country": "US",
    "calls_on": [],
    "conversations_on": [],
    "on": "2026-03-04",
}
FACTS = {name: getattr(SIGNAL, name) for name in SIGNAL.__struct_fields__}
EARLY = {"id": None, "ask": "early_signal", **FACTS, "payload": list(SIGNAL.payload)}


def test_the_shape_of_each_answer() -> None:
    """The id comes back with the fields that were asked for, and what is answered can be written as JSON."""
    assert answer(WINDOW) == {"id": "w", "allowed": True, "next_at": None, "reasons": ["NL-POL-WINDOW"]}
    night = answer({**WINDOW, "at": "2026-03-04T05:59:59Z"})
    assert night == {
        "id": "w", "allowed": False, "next_at": "2026-03-04T06:00:00+00:00", "reasons": ["NL-POL-WINDOW"]
    }  # fmt: skip
    assert answer(CALL) == {"id": 2, "allowed": True, "reasons": ["US-F-002"]}
    early = answer(EARLY)
    assert (early["id"], early["verdict"]) == (None, "allow")
    assert answer({**EARLY, "arrears": False}) == {
        "id": None,
        "verdict": "block",
        "reasons": ["NL-WGS-ARREARS"],
    }
    assert json.loads(json.dumps([night, early])) == [night, early]


def test_answers_follow_the_law_of_the_day_asked_about() -> None:
    """A day before a rule held is answered without it; a country without a cap has none."""
    assert answer({**CALL, "on": "2021-11-29", "calls_on": ["2021-11-29"] * 9})["allowed"]
    assert not answer({**CALL, "on": "2021-11-30", "calls_on": ["2021-11-29"] * 9})["allowed"]
    assert answer({**CALL, "country": "NL", "calls_on": ["2026-03-04"] * 9}) == {
        "id": 2, "allowed": True, "reasons": []
    }  # fmt: skip
    assert answer({**EARLY, "on": "2020-12-31"})["verdict"] == "block"


def test_the_united_kingdom_has_two_names() -> None:
    """UK is understood as GB."""
    assert answer({**WINDOW, "country": "UK"}) == answer({**WINDOW, "country": "GB"})


def test_an_overdue_review_is_told() -> None:
    """An answer by rules that nobody read again in time says so beside it."""
    late = answer({**WINDOW, "at": "2027-06-01T08:00:00+00:00"})
    assert late["allowed"]
    assert "nl-core: review_overdue" in late["warnings"]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (None, "expected an object"),
        ([], "expected an object"),
        ({"id": 1}, "ask: None is unknown, expected one of contact_window, early_signal, call_cap"),
        ({"id": 1, "ask": ["call_cap"]}, "ask: .* is unknown"),
        ({**WINDOW, "country": "FR"}, "country: 'FR' has no rules here, expected one of .*NL"),
        ({**WINDOW, "zone": "Europe/Nowhere"}, "zone: unknown time zone 'Europe/Nowhere', expected"),
        ({**WINDOW, "zone": "../../etc/passwd"}, "zone: unknown time zone"),
        ({**WINDOW, "at": "2026-03-04T06:00:00"}, r"timezone.*\$\.at"),
        ({**WINDOW, "at": "9999-12-31T23:30:00+00:00"}, "out of range"),
        ({**WINDOW, "channel": "pigeon"}, r"pigeon.*\$\.channel"),
        ({**WINDOW, "chanel": "sms"}, "chanel"),
        ({**CALL, "calls_on": ["yesterday"]}, r"date.*\$\.calls_on\[0\]"),
        ({**CALL, "on": None}, r"\$\.on"),
        ({key: value for key, value in EARLY.items() if key != "arrears"}, "arrears"),
        ({**EARLY, "written_reminders": -1}, r"written_reminders"),
        ({**EARLY, "arrears": "yes"}, r"bool.*\$\.arrears"),
    ],
)
def test_what_cannot_be_read_is_an_error_with_its_id(row: Any, message: str) -> None:
    """The error names the field and what was expected, beside the id where there is one."""
    found = answer(row)
    assert set(found) == {"id", "error"}
    assert found["id"] == (row.get("id") if isinstance(row, dict) else None)
    assert re.search(message, found["error"])


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from([WINDOW, CALL, EARLY]), st.data())
@example(WINDOW, None)
def test_no_row_is_an_exception(base: dict[str, Any], data: st.DataObject | None) -> None:
    """Whatever stands in any field, the answer has the id and either what was asked or an error."""
    row = dict(base)
    if data is not None:
        for name in data.draw(st.lists(st.sampled_from(sorted(base)), max_size=3)):
            row[name] = data.draw(ANYTHING | st.datetimes().map(lambda at: f"{at.isoformat()}Z"))
    found = answer(row)
    assert "id" in found
    assert ("error" in found) != ("reasons" in found)


def test_all_questions_are_there() -> None:
    """The questions about contact and early signals, each by its name."""
    assert set(ASKS) == {"contact_window", "early_signal", "call_cap"}
