"""A version of a message is its bytes: found once, kept for ever, and said again as it was."""

import json
from hashlib import sha256

import pytest

from templates.catalogue import Catalogue, Template, UnknownTemplateError, archive
from templates.letter import LetterError
from templates.render import render
from tests.templates.reminders import reminder, template


def changed(path: str, old: str, new: str) -> bytes:
    record = json.loads(template().bytes)
    assert old in record["files"][path]
    record["files"][path] = record["files"][path].replace(old, new)
    return archive(record["name"], record["files"])


def with_body(body: str) -> bytes:
    record = json.loads(template().bytes)
    record["files"] = {path: text for path, text in record["files"].items() if not path.startswith("en/")}
    record["files"]["nl/formal.txt"] = f"subject: x\npreheader: y\n---\n{body}\n"
    return archive(record["name"], record["files"])


def test_shipped() -> None:
    """The shipped messages are found and compiled once, and each has the languages and forms we promise."""
    assert Catalogue.shipped() is Catalogue.shipped()
    assert Catalogue.shipped().names == ("friendly_reminder",)
    assert set(template().available) == {(x, y) for x in ("nl", "en") for y in ("formal", "informal")}
    with pytest.raises(UnknownTemplateError, match="friendly_reminder"):
        Catalogue.shipped().get("friendly")


def test_version_is_the_hash_of_its_bytes() -> None:
    """The bytes name every file the message uses, and their sha256 is its version."""
    assert template().version == sha256(template().bytes).hexdigest()
    paths = set(json.loads(template().bytes)["files"])
    assert {"nl/formal.txt", "layout/mail.html", "layout/shapes.toml", "help_lines.toml"} <= paths


def test_kept_version_says_what_it_said() -> None:
    """An older version, read from its bytes, says its own words; today's version is another one."""
    old = Template.from_bytes(changed("nl/formal.txt", "Dat kan gebeuren.", "Dat overkomt iedereen weleens."))
    assert "Dat overkomt iedereen weleens." in render(old, "nl", "formal", reminder()).plain
    assert "Dat kan gebeuren." in render(template(), "nl", "formal", reminder()).plain
    assert old.version != template().version
    assert Template.from_bytes(old.bytes) is old
    same = Template.from_bytes(template().bytes)
    assert render(same, "nl", "formal", reminder()) == render(template(), "nl", "formal", reminder())


@pytest.mark.parametrize(
    "data",
    [b"", b"{}", b"[]", b"\xff", template().bytes + b" ", template().bytes.replace(b'":"', b'": "', 1)],
)
def test_altered_bytes_are_refused(data: bytes) -> None:
    """Bytes that aren't exactly a kept template are refused."""
    with pytest.raises(LetterError, match="not a kept template"):
        Template.from_bytes(data)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("{{ m.colour }}", "m.colour: there is no such field"),
        ("{% for line in m.lines %}\n{{ line.size }}\n{% endfor %}", "line.size: there is no such field"),
        ("{{ colour }}", "colour: nothing has this name"),
        ("{{ help.moon.name }}", "help.moon: there is no such field"),
        ("{{ m.lines | length }}", "Filter has no place"),
        ("{{ 7 * 7 }}", "Mul has no place"),
        ("{{ m.total ~ '' }}", "Concat has no place"),
        ("{{ m.addressee_name.upper() }}", "Call has no place"),
        ("{% include 'mail' %}", "Include has no place"),
        ("{% set x = m %}", "Assign has no place"),
        ("{% if m.again is odd %}\nx\n{% endif %}", "odd"),
        ("{% if m.again %}\nx", "endif"),
        ("- no label", "not a fact"),
    ],
)
def test_letter_that_asks_too_much(body: str, why: str) -> None:
    """A letter that names what isn't there, or computes, is refused when it is loaded, by its own name."""
    assert Template.from_bytes(with_body("{{ m.addressee_name }}"))
    with pytest.raises(LetterError, match=r"^friendly_reminder nl/formal\.txt: ") as error:
        Template.from_bytes(with_body(body))
    assert why in str(error.value)


@pytest.mark.parametrize("body", ["{{ 64.2 }}", "{{ 6420 }}", "{{ m.lines }}", "{{ m.again }}", "{{ m }}"])
def test_value_without_written_form(body: str) -> None:
    """A bare number, or a record as a whole, is an error rather than something strange in a letter."""
    with pytest.raises(TypeError, match="has no written form"):
        render(Template.from_bytes(with_body(body)), "nl", "formal", reminder())


@pytest.mark.parametrize(
    "body", ["{{ m.__class__ }}", "{{ m.addressee_name.__class__ }}", "{{ m.lines.count }}"]
)
def test_nothing_but_declared_fields(body: str) -> None:
    """No attribute but a declared field can be reached from a letter."""
    with pytest.raises(LetterError, match="friendly_reminder nl/formal"):
        render(Template.from_bytes(with_body(body)), "nl", "formal", reminder())


def test_layout_has_no_way_around_escaping() -> None:
    """A layout can't mark a value as safe, and a mistake in it shows when it is loaded."""
    with pytest.raises(LetterError, match=r"layout/mail\.html: No filter named 'safe'"):
        Template.from_bytes(changed("layout/mail.html", "{{ preheader }}", "{{ preheader | safe }}"))


def test_letter_in_a_language_without_formats() -> None:
    """A letter in a language in which we can't write dates and amounts yet is refused."""
    record = json.loads(template().bytes)
    record["files"]["fy/formal.txt"] = record["files"]["nl/formal.txt"]
    with pytest.raises(LetterError, match=r"fy/formal\.txt: values can't be written"):
        Template.from_bytes(archive(record["name"], record["files"]))
