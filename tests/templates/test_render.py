"""Rendering refuses what can't be right, and gives the same bytes for the same values."""

import json
from dataclasses import replace
from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from templates.catalogue import Template, UnknownTextError, archive
from templates.inert import FieldError
from templates.lint_samples import full
from templates.render import render, render_letter, render_sms
from templates.shown import shown
from templates.values import Amount, Line, Notice, Part
from tests.templates.notices import lines, notice, template, with_line


def test_same_values_same_bytes() -> None:
    """A preview shows what a send will say: nothing but the values has any influence."""
    assert render(template(), "nl", "formal", notice(3)) == render(template(), "nl", "formal", notice(3))


@pytest.mark.parametrize(("language", "form"), [("de", "formal"), ("nl", "stiff"), ("NL", "formal")])
def test_unknown_language_or_form(language: str, form: str) -> None:
    """A text that isn't there is an error that lists what is; nobody gets a language by accident."""
    with pytest.raises(UnknownTextError, match="nl/informal") as error:
        render(template(), language, form, notice())
    assert ("nl", "formal") in error.value.available


@given(st.lists(st.integers(1, 10**9), min_size=1, max_size=6), st.integers(-2, 2))
def test_sum_is_that_of_the_lines(cents: list[int], off: int) -> None:
    """A total is shown when it is the sum of the lines, and refused when it is a cent off."""
    total = Amount(sum(cents) + off, "EUR")
    made = tuple(Line(str(at), "", date(2026, 11, 1), Amount(each, "EUR")) for at, each in enumerate(cents))
    given_values = notice(lines=made, total=total)
    if off == 0:
        assert render(template(), "nl", "formal", given_values).plain
    else:
        with pytest.raises(FieldError, match=r"^total: "):
            render(template(), "nl", "formal", given_values)


WRONG = {
    "lines[0].open": [
        with_line(open=Amount(0, "EUR")),
        with_line(open=Amount(-1, "EUR")),
        notice(lines=lines(), total=Amount(6420, "USD")),
        notice(lines=(replace(lines()[0], open=64.2),)),  # type: ignore[arg-type]
        notice(lines=(replace(lines()[0], open=6420),)),  # type: ignore[arg-type]
    ],
    "total": [
        notice(total=6420),
        notice(total=None),
        notice(lines=()),
        notice(total=Amount(64.2, "EUR")),
        notice(total=Amount(6420, "eur")),
    ],  # type: ignore[arg-type]
    "lines": [notice(lines=(), total=None), notice(lines=list(lines()))],
    "lines[0]": [notice(lines=("x",))],
    "lines[0].disputed": [with_line(disputed=Amount(0, "EUR")), with_line(disputed=Amount(1, "GBP"))],
    "younger": [notice(younger=None)],
    "younger[0]": [notice(younger=(Part(date(2026, 11, 1), Amount(1, "EUR")),))],
    "younger[0].open": [notice(younger=(replace(lines()[0], open=Amount(-1, "EUR")),))],
    "pay_by_on": [notice(pay_by_on="tomorrow"), notice(pay_by_on=datetime(2026, 11, 1))],  # noqa: DTZ001
    "until_on": [notice(until_on=1)],
    "handover_on": [notice(handover_on="soon")],
    "handover_to": [notice(handover_to=None)],
    "department": [notice(department=7)],
    "paid": [notice(paid=Amount(0, "EUR")), notice(paid=Amount(5, "USD")), notice(paid=5)],
    "left": [notice(left=Amount(0, "EUR"))],
    "costs": [notice(costs=Amount(-4000, "EUR"))],
    "term_days": [notice(term_days=-1), notice(term_days="14"), notice(term_days=True)],
    "next_part": [notice(next_part=Amount(1, "EUR"))],
    "next_part.amount": [notice(next_part=Part(date(2026, 11, 1), Amount(0, "EUR")))],
    "parts": [notice(parts=tuple(Part(date(2026, 12, day), Amount(1, "EUR")) for day in (2, 1)))],
    "parts[0].amount": [notice(parts=(Part(date(2026, 12, 1), Amount(0, "EUR")),))],
    "parts[0].due_on": [notice(parts=(Part("2026-12-01", Amount(1, "EUR")),))],  # type: ignore[arg-type]
    "lines[0].due_on": [with_line(due_on=datetime(2026, 11, 1)), with_line(due_on="2026-11-01")],  # noqa: DTZ001
    "payments_until_on": [notice(payments_until_on="2026-11-01")],
    "addressee_kind": [notice(addressee_kind="cat")],
    "addressee_name": [notice(addressee_name=None)],
    "again": [notice(again="yes")],
    "creditor_phone": [notice(creditor_phone="bel evil.example")],
    "creditor_email": [notice(creditor_email="no address"), notice(creditor_email="a@b?subject=x")],
    "iban": [notice(iban="NL91 <ABNA>")],
}


@pytest.mark.parametrize(
    ("field", "given_values"), [(field, each) for field in WRONG for each in WRONG[field]]
)
def test_wrong_values_are_refused_by_name(field: str, given_values: Notice) -> None:
    """A value of the wrong kind is refused, and the error names the field."""
    with pytest.raises(FieldError) as error:
        render(template(), "nl", "formal", given_values)
    assert error.value.field == field


def test_only_a_reminder() -> None:
    """Other values than a Notice are refused at the door."""
    with pytest.raises(TypeError, match="Notice"):
        render(template(), "nl", "formal", {"addressee_name": "Jan"})  # type: ignore[arg-type]


@given(
    st.lists(st.integers(1, 10**9), max_size=4),
    st.lists(st.integers(1, 10**9), max_size=4),
    st.integers(-1, 1),
)
def test_total_counts_younger_bills(asked: list[int], later: list[int], off: int) -> None:
    """The total is that of the bills asked and of the younger ones; without any bill there is no total."""
    first, second = (
        tuple(Line(str(at), "", date(2026, 11, 1), Amount(each, "EUR")) for at, each in enumerate(cents))
        for cents in (asked, later)
    )
    cents = sum(asked) + sum(later) + off
    total = Amount(cents, "EUR") if asked or later or off else None
    given_values = notice(lines=first, younger=second, total=total)
    if off == 0:
        assert shown(given_values).total == total
    else:
        with pytest.raises(FieldError, match=r"^total: "):
            shown(given_values)


def test_every_field_is_shown() -> None:
    """No field of a notice gets lost on its way to the reader."""
    usual = full(2, again=True)
    for field in usual.__slots__:
        assert getattr(shown(usual), field) == getattr(usual, field)


@pytest.mark.parametrize("field", ["pay_by_on", "handover_to", "handover_on"])
def test_what_a_message_needs(field: str) -> None:
    """A message that can't do without a field is refused on every surface where it is empty, by its name."""
    empty = {"handover_to": ""}.get(field)
    for write in (render, render_sms, render_letter):
        assert write(template("final_notice"), "nl", "formal", full(1, again=True))
        with pytest.raises(FieldError, match=f"^{field}: is needed by final_notice"):
            write(template("final_notice"), "nl", "formal", replace(full(1, again=True), **{field: empty}))


def test_name_that_ends_in_a_full_stop() -> None:
    """A sentence that ends in `B.V.` gets no second full stop, and other texts keep theirs."""
    given_values = replace(full(1, again=True), handover_to="Noord & Zn. B.V.")
    found = render(template("final_notice"), "nl", "formal", given_values)
    paper = render_letter(template("final_notice"), "nl", "formal", given_values)
    assert "Noord & Zn. B.V." in found.plain
    assert "Noord &amp; Zn. B.V." in found.html
    assert "Noord &amp; Zn. B.V." in paper
    assert not [text for text in (found.plain, found.html, paper) if "B.V.." in text]


def test_text_message_has_usual_spaces() -> None:
    """A text message keeps to the signs of the telephone's alphabet, so that more of it fits."""
    record = json.loads(template().bytes)
    head, _, body = record["files"]["nl/formal.txt"].partition("\nsms: ")
    rest = body.partition("\n")[2]
    record["files"]["nl/formal.txt"] = f"{head}\nsms: {{{{ m.total }}}} {{{{ m.addressee_name }}}}\n{rest}"
    changed = Template.from_bytes(archive(record["name"], record["files"], record["message"]))
    assert render_sms(changed, "nl", "formal", notice(addressee_name="Jan.nl")) == "€ 64,20 Jan. nl"
