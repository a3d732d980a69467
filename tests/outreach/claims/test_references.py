"""Payment references: those of the vectors, and errors that they show."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from outreach.claims.references import (
    ISO,
    KENMERK,
    OGM,
    belgian_reference,
    check_reference,
    dutch_reference,
    iso_reference,
)
from tests.outreach.claims.vectors import ABSENT, HERE, vectors

VECTORS = vectors("payment_references.json")
WEIGHTS = (2, 4, 8, 5, 10, 9, 7, 3, 6, 1)


@pytest.mark.skipif(not HERE, reason=ABSENT)
def test_references_are_made_as_in_the_vectors() -> None:
    """Sixteen digits with the check digit in front; the shorter ones are known when they come in."""
    for case in VECTORS["generated_16"]:
        assert dutch_reference(case["input"]) == case["kenmerk"]
    for case in VECTORS["generated_9_14"]:
        assert check_reference(case["kenmerk"]).valid, case


@pytest.mark.skipif(not HERE, reason=ABSENT)
def test_references_are_checked_as_in_the_vectors() -> None:
    """Each valid one is known by its scheme, each invalid one is not valid."""
    example = VECTORS["published_example_14"]
    assert check_reference(example["value"]).valid == example["valid_by_algorithm"]
    for key, scheme in (("published_valid", KENMERK), ("iso11649_valid", ISO), ("ogm_valid", OGM)):
        for text in VECTORS[key]:
            found = check_reference(text)
            assert (found.valid, found.scheme) == (True, scheme), text
    for key in ("invalid", "iso11649_invalid", "ogm_invalid"):
        assert not any(check_reference(text).valid for text in VECTORS[key])


@given(st.integers(0, 10**15 - 1), st.integers(0, 15), st.integers(1, 9))
def test_a_changed_digit_of_a_betalingskenmerk_is_found_but_for_the_digit_that_two_remainders_share(
    number: int, place: int, step: int
) -> None:
    """Only where the remainders are 1 and 10, which both make the check digit 1, does an error pass."""
    right = dutch_reference(str(number))
    wrong = _changed(right, place, step)
    shared = {_remainder(right[1:]), _remainder(wrong[1:])} == {1, 10} and place > 0
    assert check_reference(right).valid
    assert check_reference(wrong).valid == shared


@given(st.integers(0, 10**10 - 1), st.integers(0, 11), st.integers(1, 9))
def test_a_changed_digit_of_a_belgian_reference_is_found(number: int, place: int, step: int) -> None:
    """Remainders of 97 find every error of one digit."""
    right = belgian_reference(str(number))
    at = [n for n, sign in enumerate(right) if sign.isdigit()][place]
    assert check_reference(right).valid
    assert not check_reference(_changed(right, at, step)).valid


@given(
    st.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=1, max_size=21),
    st.integers(0, 22),
    st.integers(1, 9),
)
def test_a_changed_digit_of_an_rf_reference_is_found(text: str, place: int, step: int) -> None:
    """Remainders of 97 find every error of one digit here too, spaces and small letters make no difference."""
    right = iso_reference(text)
    found = check_reference(f"{right[:4]} {right[4:]}".lower())
    assert (found.valid, found.scheme) == (True, ISO)
    at = place + 2
    assume(at < len(right) and right[at].isdigit())
    assert not check_reference(_changed(right, at, step)).valid


@pytest.mark.parametrize(
    "text", ["", "12345678", "123456789012345", "RF", "RF18", "+++1/2/3+++", "é", "١٢٣٤٥٦٧"]
)
def test_what_has_no_form_of_a_reference_has_no_scheme(text: str) -> None:
    """It is not valid, and no scheme is guessed."""
    found = check_reference(text)
    assert (found.valid, found.scheme) == (False, None)


@pytest.mark.parametrize("number", ["", "1234567890123456", "12a", "-1", "1 2", "1\n"])
def test_what_is_no_number_makes_no_reference(number: str) -> None:
    """One to fifteen digits, one to ten in Belgium, and nothing else."""
    with pytest.raises(ValueError, match="expected 1 to 15 digits"):
        dutch_reference(number)
    with pytest.raises(ValueError, match="expected 1 to 10 digits"):
        belgian_reference(number)
    with pytest.raises(ValueError, match="capital letters"):
        iso_reference("abc")


def _changed(text: str, place: int, step: int) -> str:
    return f"{text[:place]}{(int(text[place]) + step) % 10}{text[place + 1 :]}"


def _remainder(body: str) -> int:
    return sum(int(digit) * WEIGHTS[n % 10] for n, digit in enumerate(reversed(body))) % 11
