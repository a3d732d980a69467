"""A version of a message is its bytes: found once, kept for ever, and said again as it was."""

import json
from hashlib import sha256

import pytest

from templates.catalogue import Catalogue, SwitchedOffError, Template, UnknownTemplateError, archive
from templates.letter import LetterError
from templates.lint_samples import samples
from templates.render import render, render_letter, render_sms
from tests.templates.notices import notice, template


def changed(path: str, old: str, new: str) -> bytes:
    record = json.loads(template().bytes)
    assert old in record["files"][path]
    record["files"][path] = record["files"][path].replace(old, new)
    return archive(record["name"], record["files"], record["message"])


def with_body(body: str) -> bytes:
    record = json.loads(template().bytes)
    record["files"] = {path: text for path, text in record["files"].items() if not path.startswith("en/")}
    record["files"]["nl/formal.txt"] = f"subject: x\npreheader: y\nsms: z\n---\n{body}\n"
    return archive(record["name"], record["files"], record["message"])


def test_shipped() -> None:
    """The shipped messages are found once, and each can be read in the languages and forms we promise."""
    assert Catalogue.shipped() is Catalogue.shipped()
    promised = {(x, y) for x in ("nl", "en") for y in ("formal", "informal")}
    for message in Catalogue.shipped().templates.values():
        assert set(message.checked().available) == promised
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
    assert "Dat overkomt iedereen weleens." in render(old, "nl", "formal", notice()).plain
    assert "Dat kan gebeuren." in render(template(), "nl", "formal", notice()).plain
    assert old.version != template().version
    assert Template.from_bytes(old.bytes) is old
    same = Template.from_bytes(template().bytes)
    assert render(same, "nl", "formal", notice()) == render(template(), "nl", "formal", notice())


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
        ("{% for line in m.younger %}\n{{ line.size }}\n{% endfor %}", "line.size: there is no such field"),
        ("{% for part in m.parts %}\n{{ part.open }}\n{% endfor %}", "part.open: there is no such field"),
        ("{% for each in m.total %}\nx\n{% endfor %}{{ each.cents }}", "each: nothing has this name"),
        ("{{ m.next_part.open }}", "m.next_part.open: there is no such field"),
        ("{{ m.total.cents }}", "m.total.cents: there is no such field"),
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
    """A letter that names what isn't there, or computes, is refused when it is checked, by its own name."""
    assert Template.from_bytes(with_body("{{ m.addressee_name }}")).checked()
    with pytest.raises(LetterError, match=r"^friendly_reminder nl/formal\.txt: ") as error:
        Template.from_bytes(with_body(body)).checked()
    assert why in str(error.value)


@pytest.mark.parametrize("body", ["{{ 64.2 }}", "{{ 6420 }}", "{{ m.lines }}", "{{ m.again }}", "{{ m }}"])
def test_value_without_written_form(body: str) -> None:
    """A bare number, or a record as a whole, is an error rather than something strange in a letter."""
    with pytest.raises(TypeError, match="has no written form"):
        render(Template.from_bytes(with_body(body)), "nl", "formal", notice())


@pytest.mark.parametrize(
    "body",
    [
        "{{ m.__class__ }}",
        "{{ m.addressee_name.__class__ }}",
        "{{ m.lines.count }}",
        "{{ m.next_part.__class__ }}",
    ],
)
def test_nothing_but_declared_fields(body: str) -> None:
    """No attribute but a declared field can be reached from a letter."""
    with pytest.raises(LetterError, match="friendly_reminder nl/formal"):
        render(Template.from_bytes(with_body(body)), "nl", "formal", notice())


def test_layout_has_no_way_around_escaping() -> None:
    """A layout can't mark a value as safe, and a mistake in it shows when it is checked."""
    with pytest.raises(LetterError, match=r"layout/mail\.html: No filter named 'safe'"):
        Template.from_bytes(
            changed("layout/mail.html", "{{ preheader }}", "{{ preheader | safe }}")
        ).checked()


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"tone": "stern"}, "tone must be one of notice, friendly"),
        ({"purpose": "fun"}, "purpose must be one of dunning"),
        ({"needs": ["colour"]}, "needs names colour"),
        ({"needs": "lines"}, "needs must be a list"),
        ({"enabled": 1}, "enabled must be true or false"),
        ({"colour": "red"}, "nothing else"),
    ],
)
def test_table_of_a_message(change: dict[str, object], why: str) -> None:
    """What a message is for is part of its version, and a mistake in it is refused by the message's name."""
    record = json.loads(template().bytes)
    other = archive(record["name"], record["files"], {**record["message"], "tone": "firm"})
    assert Template.from_bytes(other).tone == "firm"
    assert Template.from_bytes(other).version != template().version
    with pytest.raises(LetterError, match=f"^friendly_reminder: .*{why}"):
        Template.from_bytes(archive(record["name"], record["files"], {**record["message"], **change}))


def test_switched_off() -> None:
    """A message that is switched off can be looked at and not written for anybody."""
    off = Catalogue.shipped().get("fourteen_day_letter")
    given = samples(off)[0]
    for write in (render, render_sms, render_letter):
        assert write(off.for_preview(), "nl", "formal", given)
        with pytest.raises(SwitchedOffError, match="fourteen_day_letter is switched off"):
            write(off, "nl", "formal", given)
    assert template().for_preview() is template()


def test_letter_in_a_language_without_formats() -> None:
    """A letter in a language in which we can't write dates and amounts yet is refused."""
    record = json.loads(template().bytes)
    record["files"]["fy/formal.txt"] = record["files"]["nl/formal.txt"]
    with pytest.raises(LetterError, match=r"fy/formal\.txt: values can't be written"):
        Template.from_bytes(archive(record["name"], record["files"], record["message"])).checked()
