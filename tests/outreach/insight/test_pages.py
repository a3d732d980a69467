"""Kept messages as a person reads them."""

from __future__ import annotations

import pytest

from channels.email import mime
from channels.letter import page as letters
from channels.protocol import Text
from outreach.insight import pages
from tests.channels import letters as letter
from tests.channels import mails as mail

INSIDE = (
    "<p>Beste Zoë,<br>\neen bericht.</p>\n<h2>Om welke rekening gaat het?</h2>\n"
    "<table>\n<tr><th>Nummer</th><td>F1</td></tr>\n<tr><th>Nog open</th><td>€ 12,50</td></tr>\n</table>\n"
    "<p>A &amp; B</p>\n"
)


def test_a_letter_is_shown_as_it_is_and_read_as_it_lies_on_paper() -> None:
    """Its page is the page; as text every row of a table and line of the address is a line."""
    kept = letters.build(Text("Uw <rekening>", "", INSIDE), letter.envelope(to_name="Zoë & Jan"))
    assert pages.page(kept, "html").encode() == kept
    assert pages.heads(kept, "html") == ("Zoë & Jan", "Uw <rekening>")
    text = pages.text(kept, "html")
    assert text.startswith("Energie Noord\n\nRetourcode 0000 0000 0000\n\nZoë & Jan\nKogge 1\n1657 KA")
    assert "Uw <rekening>\n\nBeste Zoë,\neen bericht.\n\nOm welke rekening gaat het?\n" in text
    assert "Nummer: F1\nNog open: € 12,50\n\nA & B\n" in text
    assert "font" not in text


def test_a_mail_is_shown_by_its_html_and_read_by_its_heads_and_text() -> None:
    """The heads are those that a mail program shows."""
    kept = mime.build(mail.TEXT, mail.envelope())
    assert pages.page(kept, "rfc822").strip() == mail.TEXT.html.strip()
    assert pages.heads(kept, "rfc822") == ("Zoë Jansen <p1@example.nl>", mail.TEXT.subject)
    text = pages.text(kept, "rfc822")
    assert text.startswith("From: Energie Noord <rekening@mail.example.nl>\nTo: ")
    assert ".. € 12,50 .." in text


@pytest.mark.parametrize("codec", ["text", "json"])
def test_anything_else_is_text(codec: str) -> None:
    """A page of it shows it as it is, whatever it holds."""
    assert pages.text(b"a < b", codec) == "a < b"
    assert "<pre>a &lt; b</pre>" in pages.page(b"a < b", codec)
