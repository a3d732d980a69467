"""Rendering refuses what can't be right, and gives the same bytes for the same values."""

from dataclasses import replace
from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from templates.catalogue import UnknownTextError
from templates.inert import FieldError
from templates.render import render
from templates.values import Amount, Line, Reminder
from tests.templates.reminders import lines, reminder, template, with_line


def test_same_values_same_bytes() -> None:
    """A preview shows what a send will say: nothing but the values has any influence."""
    assert render(template(), "nl", "formal", reminder(3)) == render(template(), "nl", "formal", reminder(3))


@pytest.mark.parametrize(("language", "form"), [("de", "formal"), ("nl", "stiff"), ("NL", "formal")])
def test_unknown_language_or_form(language: str, form: str) -> None:
    """A text that isn't there is an error that lists what is; nobody gets a language by accident."""
    with pytest.raises(UnknownTextError, match="nl/informal") as error:
        render(template(), language, form, reminder())
    assert ("nl", "formal") in error.value.available


@given(st.lists(st.integers(1, 10**9), min_size=1, max_size=6), st.integers(-2, 2))
def test_sum_is_that_of_the_lines(cents: list[int], off: int) -> None:
    """A total is shown when it is the sum of the lines, and refused when it is a cent off."""
    total = Amount(sum(cents) + off, "EUR")
    made = tuple(Line(str(at), "", date(2026, 11, 1), Amount(each, "EUR")) for at, each in enumerate(cents))
    given_values = reminder(lines=made, total=total)
    if off == 0:
        assert render(template(), "nl", "formal", given_values).plain
    else:
        with pytest.raises(FieldError, match=r"^total: "):
            render(template(), "nl", "formal", given_values)


WRONG = {
    "lines[0].open": [
        with_line(open=Amount(0, "EUR")),
        with_line(open=Amount(-1, "EUR")),
        reminder(lines=lines(), total=Amount(6420, "USD")),
        reminder(lines=(replace(lines()[0], open=64.2),)),  # type: ignore[arg-type]
        reminder(lines=(replace(lines()[0], open=6420),)),  # type: ignore[arg-type]
    ],
    "total": [reminder(total=6420), reminder(total=Amount(64.2, "EUR")), reminder(total=Amount(6420, "eur"))],  # type: ignore[arg-type]
    "lines": [reminder(lines=()), reminder(lines=list(lines()))],
    "lines[0]": [reminder(lines=("x",))],
    "lines[0].due_on": [with_line(due_on=datetime(2026, 11, 1)), with_line(due_on="2026-11-01")],  # noqa: DTZ001
    "payments_until_on": [reminder(payments_until_on="2026-11-01")],
    "addressee_kind": [reminder(addressee_kind="cat")],
    "addressee_name": [reminder(addressee_name=None)],
    "again": [reminder(again="yes")],
    "creditor_phone": [reminder(creditor_phone="bel evil.example")],
    "creditor_email": [reminder(creditor_email="no address"), reminder(creditor_email="a@b?subject=x")],
    "iban": [reminder(iban="NL91 <ABNA>")],
}


@pytest.mark.parametrize(
    ("field", "given_values"), [(field, each) for field in WRONG for each in WRONG[field]]
)
def test_wrong_values_are_refused_by_name(field: str, given_values: Reminder) -> None:
    """A value of the wrong kind is refused, and the error names the field."""
    with pytest.raises(FieldError) as error:
        render(template(), "nl", "formal", given_values)
    assert error.value.field == field


def test_only_a_reminder() -> None:
    """Other values than a Reminder are refused at the door."""
    with pytest.raises(TypeError, match="Reminder"):
        render(template(), "nl", "formal", {"addressee_name": "Jan"})  # type: ignore[arg-type]
