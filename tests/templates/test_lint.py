"""The lint finds what it is there to find, and leaves names and facts alone."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from channels.surfaces import Surface
from templates.lint import HELP_LINE_DAYS, Finding, lint, stale_help_lines
from templates.render import render
from templates.values import Reminder
from tests.templates.reminders import reminder, template


def findings(
    given: Reminder | None = None, /, form: str = "formal", extra: str = "", **changes: str
) -> set[Finding]:
    given = given or reminder()
    found = render(template(), "nl", form, given)
    return set(lint(replace(found, plain=found.plain + extra, **changes), "nl", form, given))


@pytest.mark.parametrize(
    ("form", "extra", "rule"),
    [
        ("formal", "Je kunt bellen.", "address"),
        ("informal", "U kunt bellen.", "address"),
        ("formal", "Dit is uw laatste kans.", "harsh"),
        ("formal", "Betaal direct.", "harsh"),
        ("formal", "Indien u wilt.", "difficult"),
        ("formal", "Wat een dag!", "shouting"),
        ("formal", " ".join(["woord"] * 21) + ".", "long_sentence"),
        ("formal", " ".join(["woord"] * 20) + ".", None),
        ("formal", "Bel ons als u dat wilt.", None),
    ],
)
def test_body(form: str, extra: str, rule: str | None) -> None:
    """One sentence is enough to be found, and a good sentence is not found."""
    assert [found.rule for found in findings(form=form, extra=extra)] == ([rule] if rule else [])


@pytest.mark.parametrize(
    ("subject", "told"),
    [
        ("Herinnering van Waterbedrijf Noord", True),
        ("Uw rekening", True),
        ("Bericht van Incassobureau Zuid", True),
        ("Bericht van Waterbedrijf Noord", False),
    ],
)
def test_open_surfaces(subject: str, told: bool) -> None:
    """A subject or preheader that tells of debt is found."""
    for surface in (Surface.SUBJECT, Surface.PREHEADER):
        found = {(each.rule, each.surface) for each in findings(None, **{surface.value: subject})}
        assert (("tells_of_debt", surface) in found) is told


def test_opening_is_silent() -> None:
    """The first words of the body, which some clients show as a preview, are looked at too."""
    found = render(template(), "nl", "formal", reminder())
    early = replace(found, plain="U moet nog betalen.\n" + found.plain)
    assert Finding("tells_of_debt", Surface.BODY, "betalen") in lint(early, "nl", "formal", reminder())


def test_names_are_not_judged() -> None:
    """A debtor called `Uw Direct` or a firm called `Je Kosten!` is no fault of the text."""
    assert findings(reminder(addressee_name="Je Kosten", creditor_name="Direct Water")) == set()


def test_stale_help_lines() -> None:
    """A help line is named once nobody has looked at it for half a year."""
    seen = template().help["geldfit"].verified_on
    assert stale_help_lines(template(), seen + timedelta(days=HELP_LINE_DAYS)) == ()
    assert stale_help_lines(template(), seen + timedelta(days=HELP_LINE_DAYS + 1)) == ("geldfit",)
    assert stale_help_lines(template(), date.max) == ("geldfit",)
