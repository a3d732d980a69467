"""Words that come from elsewhere can't become markup, a link, a header, or a template."""

import re
from html.parser import HTMLParser

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from templates.inert import FieldError, is_discreet, unlinked
from templates.render import Rendered, render
from templates.values import Notice
from tests.templates.notices import notice, template, with_line

EVIL = '<b>x</b> http://evil.example "{{7*7}}" www.evil.example'

# What mail clients take for a link, from strict to sloppy.
LINKS = re.compile(r"\w+:[/\\]+\S|www\.\S|[\w-]\.[a-z]{2,}\b|\S@\S|\b(?:mailto|tel|sms):\S", re.IGNORECASE)


class Tags(HTMLParser):
    """Collects the tags with their attributes, and the text between them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, tuple[tuple[str, str | None], ...]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, tuple(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def rendered(given: Notice) -> Rendered:
    return render(template(), "nl", "formal", given)


def changed(field: str, value: str) -> Notice:
    if field in ("invoice_number", "description"):
        return with_line(**{field: value})
    return notice(1, **{field: value})


FOREIGN = ["addressee_name", "invoice_number", "description"]


@pytest.mark.parametrize("field", FOREIGN)
def test_markup_stays_text(field: str) -> None:
    """Markup and template code in a value are shown as they are written, and the page keeps its own tags."""
    usual, evil = rendered(changed(field, "usual")), rendered(changed(field, EVIL))
    assert Tags(evil.html).tags == Tags(usual.html).tags
    assert "<b>x</b>" in Tags(evil.html).text
    assert "<b>x</b>" in evil.plain
    assert "{{7*7}}" in evil.plain
    assert "49" not in evil.plain.replace(usual.plain, "")
    assert (evil.subject, evil.preheader) == (usual.subject, usual.preheader)


@given(name=st.text(min_size=1, max_size=40), field=st.sampled_from(FOREIGN))
def test_any_text_is_inert_or_refused(name: str, field: str) -> None:
    """Whatever a value holds, it adds no tag, no line and no header, or it is refused by the field's name."""
    assume(name.strip())
    usual = rendered(changed(field, "usual"))
    try:
        found = rendered(changed(field, name))
    except FieldError as error:
        assert error.field.endswith(field)
        return
    assert Tags(found.html).tags == Tags(usual.html).tags
    assert len(found.plain.splitlines()) == len(usual.plain.splitlines())
    assert "\n" not in found.subject + found.preheader


@example("mailto:0")
@example("www.0")
@given(
    st.lists(
        st.sampled_from(
            ["http://", "www", ".", "evil", "@", "nl", "mailto:", "/", " ", "\u200b", "é", "-", "tel:"]
        )
        | st.characters(codec="utf-8", exclude_categories=("C", "Z")),
        max_size=12,
    ).map("".join)
)
def test_no_client_links_it(name: str) -> None:
    """Nothing in a parted text looks like an address to a mail client, sloppy ones included."""
    assert not LINKS.search(unlinked(name))


@pytest.mark.parametrize(
    "name",
    ["Jan de Vries", "J.P. van 't Hart-O’Neill", "Bakkerij Jansen B.V.", "Zoë Üçgenoğlu", "2026.001", "9:30"],
)
def test_usual_names_stay_as_they_are(name: str) -> None:
    """A name with initials, a legal form or diacritics, a number and a time are not touched."""
    assert unlinked(name) == name


TEXT_FIELDS = [*FOREIGN, "creditor_name", "creditor_phone", "creditor_email", "iban", "payment_reference"]


@pytest.mark.parametrize("field", [*TEXT_FIELDS, "payment_url"])
@pytest.mark.parametrize("sign", ["\r\nBcc: x", "\n", "\x00", "\x1b", "\u2028", "\u202e", "\ud800"])
def test_controls_are_refused_by_name(field: str, sign: str) -> None:
    """A control character is refused in every text field, and the error says in which."""
    with pytest.raises(ValueError, match=rf"^(lines\[0\]\.)?{field}: holds the control character U\+"):
        rendered(changed(field, f"a{sign}b"))


@pytest.mark.parametrize(
    "field", [*TEXT_FIELDS[:2], "creditor_name", "creditor_phone", "iban", "payment_reference"]
)
@pytest.mark.parametrize("value", ["", "   "])
def test_needed_fields(field: str, value: str) -> None:
    """A field without which the message makes no sense can't be empty."""
    with pytest.raises(FieldError, match="is empty"):
        rendered(changed(field, value))


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://betaal.example/r/8f2c?x=1&copy=2", True),
        ("http://127.0.0.1:8000/r/8f2c", True),
        ("http://betaal.example/r", False),
        ("javascript:alert(1)", False),
        ("https://bank.example@evil.example/", False),
        ('https://betaal.example/"onclick="x', False),
        ("https://", False),
        ("https://[", False),
        ("betaal.example", False),
    ],
)
def test_payment_url(url: str, allowed: bool) -> None:
    """The payment link is https with nothing hidden in it, and the reader sees all of it."""
    given = notice(payment_url=url)
    if not allowed:
        with pytest.raises(FieldError, match=r"^payment_url: "):
            rendered(given)
        return
    assert f"\n{url}\n" in rendered(given).plain
    page = Tags(rendered(given).html)
    assert url in [dict(attrs).get("href") for _, attrs in page.tags]
    assert url in page.text


@pytest.mark.parametrize(
    ("reference", "allowed"), [("2026/001-A", True), ("K:12", True), ("evil.example", False)]
)
def test_reference_is_exact(reference: str, allowed: bool) -> None:
    """What the reader copies into the bank's app is never altered; what would link is refused instead."""
    given = notice(payment_reference=reference)
    if allowed:
        assert f"Zet dit nummer erbij: {reference}\n" in rendered(given).plain
    else:
        with pytest.raises(FieldError, match="payment_reference"):
            rendered(given)


@pytest.mark.parametrize(
    ("name", "discreet"),
    [("Waterbedrijf Noord", True), ("Incassobureau Zuid", False), ("Schuldhulp BV", False)],
)
def test_subject_keeps_a_telling_name_to_itself(name: str, discreet: bool) -> None:
    """A creditor's name stands in the subject only when it says nothing of debt."""
    assert is_discreet(name) is discreet
    found = rendered(notice(creditor_name=name))
    assert (name in found.subject) is discreet
    assert name in found.plain
