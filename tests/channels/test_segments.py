"""What a text message costs: cut as a widely used calculator cuts it, and never through a sign."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.segments import GSM, segments


def cases(shared: Path) -> list[dict[str, Any]]:
    """The published cases, but for those in which the provider rewrites the text."""
    found = json.loads((shared / "vectors" / "sms_segments.json").read_text("utf-8"))["vectors"]
    return [one for one in found if one["encoding_request"] == "auto" and not one["smart_encoding"]]


def test_texts_are_cut_as_the_published_cases_are(shared: Path) -> None:
    """Encoding, segments and bits of every published case."""
    bits = {"GSM-7": 7, "UCS-2": 16}
    for case in cases(shared):
        found = segments(case["body"])
        assert (found.encoding, found.segments) == (case["encoding"], case["segments"]), case["name"]
        if case["name"].startswith("surrogate"):
            # Their calculator counts a pair as one here, and its segments as if it were two.
            continue
        assert found.units * bits[found.encoding] == case["message_bits"], case["name"]


@pytest.mark.parametrize(
    ("text", "encoding", "count"),
    [
        ("a" * 160, "GSM-7", 1),
        ("a" * 161, "GSM-7", 2),
        ("é" * 160, "GSM-7", 1),
        ("ë", "UCS-2", 1),
        ("ë" + "a" * 69, "UCS-2", 1),
        ("ë" + "a" * 70, "UCS-2", 2),
        # An escape that does not fit at the end of a segment goes to the next, whole.
        ("a" * 152 + "€" + "a" * 152, "GSM-7", 3),
        ("a" * 151 + "€" + "a" * 153, "GSM-7", 2),
    ],
)
def test_the_limits(text: str, encoding: str, count: int) -> None:
    """One sign more is one segment more, and a sign outside the alphabet more than halves what fits."""
    found = segments(text)
    assert (found.encoding, found.segments) == (encoding, count)


@given(st.text(max_size=400), st.text(max_size=5))
def test_more_text_never_costs_less(text: str, more: str) -> None:
    """Segments and units never go down as a text grows, and every text takes one segment at least."""
    short, long = segments(text), segments(text + more)
    assert 1 <= short.segments <= long.segments
    if short.encoding == long.encoding:
        assert short.units <= long.units


@given(st.text(alphabet=sorted(GSM), max_size=400))
def test_the_alphabet_stays_in_seven_bits(text: str) -> None:
    """A text of the alphabet alone is never sent in sixteen."""
    assert segments(text).encoding == "GSM-7"
