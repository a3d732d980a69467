"""Amounts and dates as files write them."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.intake.amounts import parse_amount, write_amount
from outreach.intake.dates import date_parser
from outreach.intake.errors import RefusedValueError

CENTS = st.integers(min_value=0, max_value=10**12 - 1)
DAYS = st.dates(min_value=date(1900, 1, 1), max_value=date(2199, 12, 31))


@given(CENTS, st.sampled_from((0, 2, 3)))
def test_an_amount_survives_writing_and_reading(amount: int, digits: int) -> None:
    """What write_amount writes, parse_amount reads back exactly when the decimal sign is stated."""
    assert parse_amount(write_amount(amount, digits), digits, ".") == amount


@given(CENTS)
def test_grouped_amounts_with_two_decimals_need_no_stated_sign(amount: int) -> None:
    """Thousands with `.` and decimals with `,`, or the other way round, mean the same amount."""
    english = f"{amount // 100:,}.{amount % 100:02d}"
    dutch = english.translate(str.maketrans(",.", ".,"))
    assert parse_amount(english, 2) == parse_amount(dutch, 2) == amount


@pytest.mark.parametrize("text", ["1.250", "1,250", "999.999"])
def test_three_digits_after_a_lone_sign_are_refused_unless_the_sign_is_stated(text: str) -> None:
    """Nobody can tell 1250 from 1.25 with three digits after the only sign, so nobody guesses."""
    with pytest.raises(RefusedValueError, match="one way only"):
        parse_amount(text, 2)
    assert (
        parse_amount(text, 2, "," if "." in text else ".")
        == int(text.replace(".", "").replace(",", "")) * 100
    )


@pytest.mark.parametrize("text", ["-1.00", "1.00-", "(1.00)", "−5", "- 3,50", "–2"])
def test_a_negative_amount_is_refused_with_the_explanation(text: str) -> None:
    """The direction of an amount is told by `kind`, in every notation of less than zero."""
    with pytest.raises(RefusedValueError, match="`kind` tells the direction"):
        parse_amount(text, 2)


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        *(("1.005", 2), ("0.125", 2), ("1.5", 0), ("12.3456", 3), ("1,2,3", 2), ("1.25,0.0", 2), ("€ 5", 2)),
        *(("", 2), ("5 EUR", 2), ("1e3", 2), ("٣", 2), ("1234567890123", 2), (".50", 2), ("5.", 2)),
        *(("1 000", 2), ("01.000,00", 2)),
    ],
)
def test_what_is_no_amount_of_the_currency_is_refused(text: str, digits: int) -> None:
    """Too many decimals, signs, letters, foreign digits and absurd sizes are no amounts."""
    with pytest.raises(RefusedValueError):
        parse_amount(text, digits)


@given(st.text(max_size=40), st.sampled_from((None, ".", ",")))
def test_any_text_is_an_amount_or_refused(text: str, decimal: str | None) -> None:
    """No text makes the amount parser fail in another way, and no result is negative."""
    try:
        assert parse_amount(text, 2, decimal) >= 0
    except RefusedValueError as refused:
        assert refused.expected


@given(DAYS)
def test_a_date_survives_every_format(day: date) -> None:
    """A date written in a stated format is read back as the same day."""
    assert date_parser()(day.isoformat()) == day
    assert date_parser("M/D/YYYY")(f"{day.month}/{day.day}/{day.year}") == day
    assert date_parser("D-M-YYYY")(f"{day.day}-{day.month}-{day.year}") == day
    assert date_parser("DD.MM.YYYY")(f"{day:%d.%m.%Y}") == day
    assert date_parser("YYYYMMDD")(f"{day:%Y%m%d}") == day


@pytest.mark.parametrize(
    "text",
    [
        "2026-02-30",
        "2026-2-1",
        "20260201",
        "1/2/2026",
        "2026-01-01T00:00",
        "1899-12-31",
        "9999-12-31",
        "٢٠٢٦-01-01",
    ],
)
def test_what_is_no_iso_date_is_refused(text: str) -> None:
    """Days that do not exist, other formats and years that are typing errors are refused."""
    with pytest.raises(RefusedValueError):
        date_parser()(text)


@pytest.mark.parametrize(
    "form", ["", "YYYY-MM", "D/D/YYYY", "YY-MM-DD", "%Y-%m-%d", "DMYYYY", "MM/DD/YYYY HH"]
)
def test_a_date_format_that_leaves_doubt_is_refused(form: str) -> None:
    """A format names year, month and day once, and one can tell where each ends."""
    with pytest.raises(RefusedValueError):
        date_parser(form)
