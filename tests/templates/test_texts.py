"""Every shipped text can be approved, says the same on each surface, and stays silent where others look."""

import csv
import re
from datetime import date
from functools import cache
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path

import pytest

from templates.catalogue import Catalogue
from templates.lint import lint_message
from templates.lint_findings import Finding, Level
from templates.lint_samples import samples
from templates.messages import message_tables
from templates.render import render, render_letter, render_sms
from templates.values import Amount, Notice
from tests.templates.notices import CHOICES, lines, notice, template

MESSAGES = pytest.mark.parametrize("name", tuple(message_tables()))
FORMS = pytest.mark.parametrize("form", ["formal", "informal"])
LANGUAGES = pytest.mark.parametrize("language", ["nl", "en"])
CASES = pytest.mark.parametrize(("again", "count", "kind"), CHOICES)
URL = "https://betaal.example/r/8f2c"


def case(again: bool, count: int, kind: str) -> Notice:
    return notice(count, again=again, addressee_kind=kind, payment_url=URL)


class Body(HTMLParser):
    """The words of a page or fragment that a reader sees, hidden preheader and head left out."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.words, self.tags = "", list[str]()
        before, inside, after = page.partition('role="article"')
        self.feed(after.partition(">")[2] if inside else before)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        # A link or a span belongs to the sentence around it.
        self.words += "" if tag in ("a", "span") else " "
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        self.words += ": " if tag == "th" else "" if tag in ("a", "span") else " "

    def handle_data(self, data: str) -> None:
        self.words += data


def words(text: str) -> list[str]:
    return text.replace(" :", ":").split()


@cache
def found_in(name: str) -> tuple[Finding, ...]:
    return lint_message(template(name))


def test_every_message_has_its_folder() -> None:
    """Each table of messages.toml has texts, and each folder of texts has a table."""
    assert set(Catalogue.shipped().names) == set(message_tables())


@MESSAGES
def test_it_can_be_approved(name: str) -> None:
    """In all languages and forms, on all surfaces, the lint finds nothing that forbids approval."""
    assert [finding for finding in found_in(name) if finding.level is Level.BLOCK] == []


@MESSAGES
def test_nothing_to_look_at(name: str) -> None:
    """Nor does it find a word or sentence that somebody should look at again; some need more than a page."""
    assert [finding for finding in found_in(name) if finding.rule != "length"] == []


@MESSAGES
@LANGUAGES
@FORMS
def test_all_surfaces_say_the_same(name: str, language: str, form: str) -> None:
    """Plain text, page and paper hold the same words in the same order; paper has nothing to press."""
    for given in (samples(template(name))[index] for index in (0, 3, -1)):
        mail = render(template(name), language, form, given)
        paper = Body(render_letter(template(name), language, form, given))
        assert words(Body(mail.html).words) == words(mail.plain)
        assert words(paper.words) == words(mail.plain)
        assert {"a", "style", "html", "body"}.isdisjoint(paper.tags)


@MESSAGES
@LANGUAGES
@FORMS
def test_text_message_is_discreet(name: str, language: str, form: str) -> None:
    """A text message names who writes and a number to call, on one line, and a telling name not at all."""
    given = samples(template(name))[0]
    text = render_sms(template(name), language, form, given)
    assert given.creditor_name in text
    assert "023 555 12 34" in text
    assert re.fullmatch(r"[^\n\u00a0\u202f€]+", text)
    assert "  " not in text
    telling = Notice(**{**{f: getattr(given, f) for f in given.__slots__}, "creditor_name": "Incasso Zuid"})
    assert "Incasso" not in render_sms(template(name), language, form, telling)


@MESSAGES
@LANGUAGES
@FORMS
def test_page_is_alone_and_readable(name: str, language: str, form: str) -> None:
    """A page loads nothing, runs nothing, names its language, knows dark mode, and hides its preheader."""
    page = render(template(name), language, form, samples(template(name))[0]).html
    assert not re.search(r"<(img|script|iframe|link|object|form|video)\b|url\(|@import|\bsrc=|\bon\w+=", page)
    assert page.count(f'lang="{language}"') == 2
    assert "prefers-color-scheme: dark" in page
    assert "font-size:16px" in page
    assert re.search(r'<div style="display:none[^>]*>[^<]+(&#847;&zwnj;&nbsp;){60,}</div>', page)
    assert page.count("<th ") == page.count('<th scope="row"')


def test_colours_can_be_told_apart() -> None:
    """Each colour of words differs enough from each ground it may stand on (WCAG 2.2, 1.4.3: 4.5 to 1)."""
    style = files("templates").joinpath("layout/mail.html").read_text("utf-8").partition("</style>")[0]
    light, _, dark = style.partition("@media")
    for scheme in (light, dark):
        grounds = re.findall(r"background: (#\w{6})", scheme)
        inks = re.findall(r"(?<!-)color: (#\w{6})", scheme.replace("border-color", "border-"))
        assert len(grounds) == 3
        assert len(inks) >= 3
        assert [(ink, ground) for ink in inks for ground in grounds if contrast(ink, ground) < 4.5] == []


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted(map(luminance, (one, other)))
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@LANGUAGES
@FORMS
@CASES
def test_facts_are_there(language: str, form: str, again: bool, count: int, kind: str) -> None:
    """Each claim, the sum, how to pay, and the doors by phone and mail are in every friendly reminder."""
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
    assert [fact for fact in facts if fact not in plain] == []
    assert "088 123 45 67" in plain
    sums = plain.count({"nl": "Totaal: €", "en": "Total: €"}[language])
    assert sums == (1 if count > 1 else 0)


@LANGUAGES
@FORMS
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
    found = render(template(), language, form, notice(1, **{"payment_url": URL, field: value}))
    assert not re.search(left_out, found.plain)
    assert not re.search(r"\n{3}| $|: *$(?!\n\n|\nhttps)", found.plain, re.MULTILINE)
    assert "None" not in found.html


@LANGUAGES
@FORMS
def test_description_may_be_empty(language: str, form: str) -> None:
    """A claim without a description has no row for it."""
    line = lines()[0].__class__("1", "", date(2026, 11, 1), Amount(6420, "EUR"))
    found = render(template(), language, form, notice(lines=(line,)))
    assert not re.search("Waarvoor|What it is for", found.plain + found.html)


def test_surname_without_first_name_takes_a_capital() -> None:
    """`de Vries` is greeted as `De Vries`; a firm's name is left as the firm writes it."""
    assert greeting(addressee_name="de Vries") == "Beste De Vries,"
    assert greeting(addressee_name="ijsbrand Vos") == "Beste IJsbrand Vos,"
    assert greeting(addressee_name="e-Bikes B.V.", addressee_kind="business") == "Goedendag e-Bikes B.V.,"


def greeting(**changes: object) -> str:
    return render(template(), "nl", "formal", notice(1, **changes)).plain.splitlines()[0]


def test_forty_lines_fit() -> None:
    """A message with forty claims stays below the size at which Gmail cuts a message off (about 102 kB)."""
    found = render(template(), "nl", "formal", notice(40))
    assert found.plain.count("Factuurnummer: ") == 40
    assert len(found.html.encode()) < 100_000


@pytest.mark.parametrize(
    ("file", "columns"),
    [("harsh_phrases.csv", ["phrase_or_regex", "reason"]), ("plain_words.csv", ["difficult", "plain"])],
)
def test_team_word_lists_are_ours(file: str, columns: list[str], shared: Path) -> None:
    """Each row of the team's own Dutch lists is in the lists by which we judge."""
    theirs = rows((shared / file).read_text("utf-8"))
    ours = rows(files("templates").joinpath(file).read_text("utf-8"))
    kept = {tuple(row[name] for name in columns) for row in ours if row["language"] == "nl"}
    assert {tuple(row[name] for name in columns) for row in theirs} <= kept


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(text.splitlines(), delimiter=";", quoting=csv.QUOTE_NONE))
