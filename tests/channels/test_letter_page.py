"""The letter as a page: what stands where, what is escaped, and what is refused."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.letter.page import MOST_LINES, build, return_code
from channels.protocol import Envelope, Text
from tests.channels.letters import TEXT, envelope

names = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=40)


class Reader(HTMLParser):
    """A page as a browser reads it: the text below each class or tag, and every tag with its attributes."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.text: dict[str, str] = {}
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._open: list[str] = []
        self.feed(page.decode("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in {"meta", "br"}:
            self._open.append(dict(attrs).get("class") or tag)
        elif tag == "br":
            self.handle_data("\n")

    def handle_endtag(self, tag: str) -> None:
        self._open.pop()

    def handle_data(self, data: str) -> None:
        for place in self._open:
            self.text[place] = self.text.get(place, "") + data

    def meta(self, name: str) -> str | None:
        """The content of a meta tag."""
        return next(
            attrs["content"] for tag, attrs in self.tags if tag == "meta" and attrs.get("name") == name
        )


def read(text: Text = TEXT, **changes: object) -> Reader:
    """A built letter, read back."""
    return Reader(build(text, envelope(**changes)))


def test_the_window_shows_name_address_and_return_code_only() -> None:
    """Nothing of the sender, the subject or what is owed; the whole token is outside of it."""
    token = "1f3a9c2e77b04d5e8a90b1c2d3e4f506"
    page = read(token=token)
    lines = [line for line in page.text["window"].split("\n") if line]
    assert lines == ["Retourcode 1F3A 9C2E 77B0", "Zoë Jansen", "Kogge 1", "1657 KA\u00a0\u00a0ABBEKERK"]
    assert (page.meta("token"), page.text["foot"]) == (token, token)
    assert return_code(token).replace(" ", "").lower() == token[:12]


def test_the_page_says_the_letter_with_its_date_written_out() -> None:
    """Sender, date, subject and the fragment as the template made it."""
    page = read()
    assert page.text["from"] == "Energie Noord"
    assert page.text["date"] == "1 mei 2026"
    assert page.text["h1"] == page.text["title"] == TEXT.subject
    assert TEXT.html.strip().encode() in build(TEXT, envelope())
    assert page.meta("date") == "2026-05-01T07:00:00+00:00"


@pytest.mark.parametrize(
    ("language", "date", "label"),
    [
        ("nl", "1 mei 2026", "Retourcode"),
        ("en-GB", "1 May 2026", "Return code"),
        ("de", "2026-05-01", "Return code"),
    ],
)
def test_the_date_is_in_the_letters_language(language: str, date: str, label: str) -> None:
    """A language without months here gets a date that no reader takes for another."""
    page = read(language=language)
    assert page.text["date"] == date
    assert page.text["code"].startswith(label)


def test_the_day_is_the_civil_day_of_the_time_it_carries() -> None:
    """Half past midnight in Amsterdam is not yet that day in UTC."""
    at = datetime(2027, 1, 1, 0, 30, tzinfo=timezone(timedelta(hours=1)))
    assert read(at=at).text["date"] == "1 januari 2027"


def test_nothing_is_fetched_and_nothing_runs() -> None:
    """No page of ours has a thing on it from another host; the browser is told to hold us to that."""
    page = build(TEXT, envelope())
    assert b"default-src 'none'" in page
    assert not re.search(rb"<(script|img|link|iframe|object|form)|https?:|url\(|@import", page)


@given(name=names, street=names, sender=names, subject=names)
def test_whatever_a_name_holds_it_stays_text(name: str, street: str, sender: str, subject: str) -> None:
    """Also markup, quotes, and the names of places in our own sheet."""
    about: dict[str, object] = {
        "to_name": name,
        "to_address": f"{street}\n1657 KA Abbekerk",
        "from_name": sender,
    }
    text = Text(subject, "", TEXT.html)
    page = read(text, **about)
    assert page.text["address"].split("\n")[:2] == [name, street]
    assert (page.text["from"], page.text["h1"]) == (sender, subject)
    assert [tag for tag, _ in page.tags] == [tag for tag, _ in read().tags]
    assert build(text, envelope(**about)) == build(text, envelope(**about))


@pytest.mark.parametrize("text", ["<b>x</b>", "@token@", '"><script>', "&amp;", "@body@"])
def test_markup_in_a_name_is_shown_as_it_is_written(text: str) -> None:
    """A reader sees what is stored."""
    assert read(to_name=text).text["address"].startswith(text + "\n")


@pytest.mark.parametrize("field", ["to_name", "from_name", "subject", "to_address"])
@pytest.mark.parametrize("character", ["\0", "\t", "\r", "\x9f", "\u2028", "\u202e", "\u2066"])
def test_control_characters_are_refused_by_the_fields_name(field: str, character: str) -> None:
    """Nothing is stripped or repaired in silence; a reversed line would show another address."""
    wrong = f"Kogge{character}1"
    text = Text(wrong, "", TEXT.html) if field == "subject" else TEXT
    changes = {} if field == "subject" else {field: wrong}
    with pytest.raises(ValueError, match=f"^{field}: expected no line breaks or other control"):
        build(text, envelope(**changes))


BROKEN: dict[str, Envelope | Text] = {
    "to_address": envelope(to_address="Kogge 1\n\n1657 KA Abbekerk"),
    "to_name": envelope(to_name=" "),
    "from_name": envelope(from_name="a\nb"),
    "token": envelope(token="../x"),
    "language": envelope(language='nl"'),
    "at": envelope(at=datetime(2026, 5, 1)),  # noqa: DTZ001
    "html": Text("Uw rekening", "Beste Zoë", " \n"),
    "subject": Text("", "", "<p>Beste Zoë</p>"),
}


@pytest.mark.parametrize("field", BROKEN)
def test_what_cannot_be_said_in_a_letter_is_refused_by_the_fields_name(field: str) -> None:
    """The one who plans makes a task of it, and needs to know where to look."""
    broken = BROKEN[field]
    text, about = (broken, envelope()) if isinstance(broken, Text) else (TEXT, broken)
    with pytest.raises(ValueError, match=f"^{field}: expected"):
        build(text, about)


def test_an_address_fits_the_window_or_is_refused() -> None:
    """Six lines with the name, where a long line takes the room of two: nothing is cut off."""
    five = [f"Regel {number}" for number in range(MOST_LINES - 1)]
    assert read(to_address="\n".join(five)).text["address"].count("\n") == MOST_LINES - 1
    for too_much in ([*five, "Regel"], [*five[:-1], "x" * 60]):
        with pytest.raises(ValueError, match=r"^to_address: expected at most 6 lines"):
            build(TEXT, envelope(to_address="\n".join(too_much)))


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("1657ka Abbekerk", "1657 KA\u00a0\u00a0ABBEKERK"),
        ("2511 AA  's-Gravenhage", "2511 AA\u00a0\u00a0'S-GRAVENHAGE"),
        ("2000 Antwerpen", "2000 Antwerpen"),
        ("Kogge 11-1", "Kogge 11-1"),
    ],
)
def test_a_dutch_postcode_and_town_are_written_as_the_post_reads_them(line: str, shown: str) -> None:
    """One space within the postcode, two behind it, the town in capitals; another country's line stays."""
    assert read(to_address=f"Straat 1\n{line}").text["address"].split("\n")[-1] == shown


@pytest.mark.parametrize(
    ("language", "address", "shown"),
    [
        ("nl", "Meir 1\n2000 Antwerpen\nBE", "BELGIË"),
        ("en-GB", "Meir 1\n2000 Antwerpen\nBE", "BELGIUM"),
        ("nl", "Straat 1\nPlaats\nXX", "XX"),
        ("nl", "Straat 1\nEE", "EE"),
    ],
)
def test_a_country_is_written_as_its_name(language: str, address: str, shown: str) -> None:
    """In capitals and in the letter's language below street and town; a code that is not known stays."""
    assert read(language=language, to_address=address).text["address"].split("\n")[-1] == shown
