"""Every shipped text says what it must, in plain words, the same in both parts, silent where others look."""

import csv
import re
from datetime import date
from html.parser import HTMLParser
from pathlib import Path

import pytest

from templates.lint import lint
from templates.render import Rendered, render
from templates.values import Reminder
from tests.templates.reminders import CHOICES, reminder, template

TEXTS = pytest.mark.parametrize(("language", "form"), template().available)
CASES = pytest.mark.parametrize(("again", "count", "kind"), CHOICES)
SHARED = Path(__file__).resolve().parents[3] / "shared"
URL = "https://betaal.example/r/8f2c"


def case(again: bool, count: int, kind: str) -> Reminder:
    return reminder(count, again=again, addressee_kind=kind, payment_url=URL)


class Body(HTMLParser):
    """The words of a page that a reader sees, hidden preheader and head left out."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.hidden, self.words = 0, ""
        self.feed(page.partition('role="article"')[2].partition(">")[2])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        # A link or a span belongs to the sentence around it.
        self.words += "" if tag in ("a", "span") else " "

    def handle_endtag(self, tag: str) -> None:
        self.words += ": " if tag == "th" else "" if tag in ("a", "span") else " "

    def handle_data(self, data: str) -> None:
        self.words += data


def words(text: str) -> list[str]:
    return text.replace(" :", ":").split()


@TEXTS
@CASES
def test_lint_finds_nothing(language: str, form: str, again: bool, count: int, kind: str) -> None:
    """No text mixes forms of address, threatens, uses a difficult word, or shows debt on a lock screen."""
    given = case(again, count, kind)
    assert lint(render(template(), language, form, given), language, form, given) == ()


@TEXTS
@CASES
def test_both_parts_say_the_same(language: str, form: str, again: bool, count: int, kind: str) -> None:
    """Plain text and HTML hold the same words in the same order."""
    found = render(template(), language, form, case(again, count, kind))
    assert words(Body(found.html).words) == words(found.plain)


@TEXTS
@CASES
def test_facts_are_there(language: str, form: str, again: bool, count: int, kind: str) -> None:
    """Each claim, the sum, how to pay, and the doors by phone and mail are in every text."""
    given = case(again, count, kind)
    plain = render(template(), language, form, given).plain
    facts = [
        "Jan de Vries",
        "Waterbedrijf Noord",
        "NL91 ABNA 0417 1643 00",
        URL,
        "hallo@waterbedrijf.example",
    ]
    facts += [line.invoice_number for line in given.lines]
    facts += [{"nl": "30 november 2026", "en": "30 November 2026"}[language]]
    facts += {"nl": ["in delen", "al betaald?"], "en": ["in parts", "already paid?"]}[language]
    assert [fact for fact in facts if fact not in plain] == []
    assert plain.count("088 123 45 67") == 3
    sums = plain.count({"nl": "Totaal: €", "en": "Total: €"}[language])
    assert sums == (1 if count > 1 else 0)


@TEXTS
def test_help_line_comes_with_the_second(language: str, form: str) -> None:
    """The help line is in the second reminder and not in the first."""
    first, second = (render(template(), language, form, reminder(again=again)) for again in (False, True))
    assert ("0800 8115" in first.plain, "0800 8115" in second.plain) == (False, True)
    assert first.subject != second.subject


@TEXTS
@pytest.mark.parametrize(
    ("field", "value", "left_out"),
    [
        ("payments_until_on", None, "2026-11-30|30 .ovember"),
        ("creditor_email", "", "mail"),
        ("payment_url", "", "link|https"),
    ],
)
def test_what_is_not_known_is_left_out(
    language: str, form: str, field: str, value: object, left_out: str
) -> None:
    """Without a date, an address or a link nothing is said about it, and no empty place is left."""
    found = render(template(), language, form, reminder(1, **{"payment_url": URL, field: value}))
    assert not re.search(left_out, found.plain)
    assert not re.search(r"\n{3}| $|: *$(?!\n\n|\nhttps)", found.plain, re.MULTILINE)
    assert "None" not in found.html


@TEXTS
def test_description_may_be_empty(language: str, form: str) -> None:
    """A claim without a description has no row for it."""
    usual = reminder()
    line = usual.lines[0].__class__("1", "", date(2026, 11, 1), usual.total)
    found = render(template(), language, form, reminder(lines=(line,)))
    assert not re.search("Waarvoor|What it is for", found.plain + found.html)


def test_surname_without_first_name_takes_a_capital() -> None:
    """`de Vries` is greeted as `De Vries`; a firm's name is left as the firm writes it."""
    assert greeting(addressee_name="de Vries") == "Beste De Vries,"
    assert greeting(addressee_name="ijsbrand Vos") == "Beste IJsbrand Vos,"
    assert greeting(addressee_name="e-Bikes B.V.", addressee_kind="business") == "Goedendag e-Bikes B.V.,"


def greeting(**changes: object) -> str:
    return render(template(), "nl", "formal", reminder(1, **changes)).plain.splitlines()[0]


@TEXTS
def test_page_is_alone_and_readable(language: str, form: str) -> None:
    """A page loads nothing, runs nothing, names its language, knows dark mode, and hides its preheader."""
    page = render(template(), language, form, reminder(payment_url=URL)).html
    assert not re.search(r"<(img|script|iframe|link|object|form|video)\b|url\(|@import|\bsrc=|\bon\w+=", page)
    assert page.count(f'lang="{language}"') == 2
    assert "prefers-color-scheme: dark" in page
    assert "font-size:16px" in page
    assert re.search(r'<div style="display:none[^>]*>[^<]+(&#847;&zwnj;&nbsp;){60,}</div>', page)
    assert page.count("<th ") == page.count('<th scope="row"')


def test_forty_lines_fit() -> None:
    """A message with forty claims stays below the size at which Gmail cuts a message off (about 102 kB)."""
    found = render(template(), "nl", "formal", reminder(40))
    assert found.plain.count("Factuurnummer: ") == 40
    assert len(found.html.encode()) < 100_000


@pytest.mark.skipif(not SHARED.exists(), reason="the team's word lists are not on this machine")
@pytest.mark.parametrize("form", ["formal", "informal"])
@CASES
def test_team_word_lists(form: str, again: bool, count: int, kind: str) -> None:
    """No harsh phrase and no blocked word of the team's own lists is in a Dutch text."""
    found = render(template(), "nl", form, case(again, count, kind))
    assert [phrase for phrase in harsh(found) + blocked(found) if phrase] == []


def harsh(found: Rendered) -> list[str]:
    with (SHARED / "harsh_phrases.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    body = [row["phrase_or_regex"] for row in rows if "scope=" not in row["allowed_when"]]
    seen = [row["phrase_or_regex"] for row in rows if "scope=" in row["allowed_when"]]
    shown = f"{found.subject}\n{found.preheader}"
    return [phrase for phrase in body if re.search(phrase, found.plain, re.IGNORECASE)] + [
        phrase for phrase in seen if re.search(phrase, shown, re.IGNORECASE)
    ]


def blocked(found: Rendered) -> list[str]:
    with (SHARED / "plain_words.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file, delimiter=";") if row["note"].startswith("block")]
    forms = [form for row in rows for form in row["difficult"].split("|")]
    return [
        form for form in forms if re.search(rf"(?<!\w){re.escape(form)}(?!\w)", found.plain, re.IGNORECASE)
    ]
