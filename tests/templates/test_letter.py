"""A letter's own markup becomes blocks, and its writer's words become text, never tags."""

import tomllib
from importlib.resources import files

import pytest

from templates.letter import LetterError, body, read

HEAD = "subject: a\npreheader: b\nsms: c\n---\n"
SHAPES = tomllib.loads(files("templates").joinpath("layout/shapes.toml").read_text("utf-8"))


def plain(text: str) -> str:
    return body(read(HEAD + text), SHAPES["plain"], html=False)


def html(text: str) -> str:
    return body(read(HEAD + text), SHAPES["html"], html=True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("one\ntwo", "one two\n\n"),
        ("one\\\ntwo", "one\ntwo\n\n"),
        ("# One\ntwo", "One\ntwo\n\n"),
        ("- One: 1\n= Two: 2", "One: 1\nTwo: 2\n\n"),
        ("- One: {{ m.x }}", "{% if m.x %}One: {{ m.x }}\n{% endif %}\n"),
        (
            "- {% for x in m.y %}\n- {{ x.a }}: {{ x.b }}\n- {% endfor %}",
            "{% for x in m.y %}{% if x.b %}{{ x.a }}: {{ x.b }}\n{% endif %}{% endfor %}\n",
        ),
        ("- One: {{ m.x }} and", "One: {{ m.x }} and\n\n"),
        ("{% if m.x %}\none\n{% endif %}", "{% if m.x %}one\n\n{% endif %}"),
        ("{% if m.x %}a{% endif %}\nb", "{% if m.x %}a{% endif %} b\n\n"),
    ],
)
def test_blocks(text: str, expected: str) -> None:
    """Paragraphs flow, breaks and facts keep their lines, and a tag alone on a line goes around blocks."""
    assert plain(text) == expected


def test_a_question_and_its_answer_share_a_line_on_paper() -> None:
    """A heading is joined with a paragraph right below it, and with nothing else; a screen keeps it apart."""
    text = "# One?\ntwo\n\n# Three?\n- Four: 4\n\nfive\n\n# Six"
    paper = body(read(HEAD + text), {**SHAPES["plain"], "answer": "[@heading@ @text@]\n"}, html=False)
    assert paper == "[One? two]\nThree?\nFour: 4\n\nfive\n\nSix\n"
    assert "answer" in SHAPES["letter"]
    assert "One?\ntwo" in plain(text)


def test_writers_words_are_text() -> None:
    """A writer's own `<` and `&` are shown as such; the expressions between them stay whole."""
    assert "a &lt;b&gt; &amp; {{ m.x < 1 }}" in html("a <b> & {{ m.x < 1 }}")


@pytest.mark.parametrize(
    "source",
    [
        "",
        "x",
        "subject: a\n---\nx",
        "subject: a\npreheader: b\n---\nx",
        "preheader: b\nsubject: a\nsms: c\n---\nx",
        "subject:\n---\n",
    ],
)
def test_headers_are_needed(source: str) -> None:
    """A letter without subject, preheader and text message is refused."""
    assert read(HEAD + "x").subject == "a"
    with pytest.raises(LetterError):
        read(source)
