"""Values are written as readers of the language know them."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from templates.formats import amount, day, dial, iban, phone
from templates.values import Amount


@pytest.mark.parametrize(
    ("cents", "currency", "dutch", "english"),
    [
        (125000, "EUR", "€\u00a01.250,00", "€\u00a01,250.00"),
        (6420, "EUR", "€\u00a064,20", "€\u00a064.20"),
        (5, "EUR", "€\u00a00,05", "€\u00a00.05"),
        (123456789, "GBP", "£\u00a01.234.567,89", "£\u00a01,234,567.89"),
        (1250, "JPY", "JPY\u00a01.250", "JPY\u00a01,250"),
        (1250, "KWD", "KWD\u00a01,250", "KWD\u00a01.250"),
        (-6420, "EUR", "€\u00a0-64,20", "€\u00a0-64.20"),
    ],
)
def test_amount(cents: int, currency: str, dutch: str, english: str) -> None:
    """An amount has its sign, a no-break space, the language's separators and the currency's decimals."""
    assert amount(Amount(cents, currency), "nl") == dutch
    assert amount(Amount(cents, currency), "en") == english


@given(st.integers(0, 10**14))
def test_amount_is_exact(cents: int) -> None:
    """No amount loses a cent by being written, whatever its size."""
    assert int("".join(filter(str.isdecimal, amount(Amount(cents, "EUR"), "nl")))) == cents


@pytest.mark.parametrize("cents", [64.2, 64.0, True, "6420"])
def test_amount_refuses_what_is_not_cents(cents: object) -> None:
    """Only integer cents are money."""
    with pytest.raises(TypeError, match="integer cents"):
        amount(Amount(cents, "EUR"), "nl")  # type: ignore[arg-type]


def test_day() -> None:
    """A date has its month in letters, with the capital the language wants."""
    assert day(date(2026, 12, 1), "nl") == "1 december 2026"
    assert day(date(2026, 12, 1), "en") == "1 December 2026"


@pytest.mark.parametrize(
    ("given", "written", "dialled"),
    [
        ("0881234567", "088 123 45 67", "+31881234567"),
        ("+31 (0)88 123 4567", "088 123 45 67", "+31881234567"),
        ("020-1234567", "020 123 45 67", "+31201234567"),
        ("0229 123456", "0229 12 34 56", "+31229123456"),
        ("+31612345678", "06 12 34 56 78", "+31612345678"),
        ("08008115", "0800 8115", "08008115"),
        ("0900-1234567", "0900 123 45 67", "09001234567"),
        ("+32 2 123 45 67", "+32 2 123 45 67", "+3221234567"),
        ("112", "112", "112"),
    ],
)
def test_phone(given: str, written: str, dialled: str) -> None:
    """A Dutch number is written in the groups people speak it in, and dialled with its country."""
    assert phone(given) == written
    assert dial(given) == dialled


def test_iban() -> None:
    """An account number stands in groups of four, however it was given."""
    assert iban("nl91abna0417164300") == iban("NL91 ABNA 0417 1643 00") == "NL91 ABNA 0417 1643 00"
