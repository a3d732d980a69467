"""Show a kept message as a person would read it: as a page, as text for a terminal, as a line of a list.

`codec` is the word under which the bytes are kept: "rfc822" for a mail, "html" for a letter; anything else is text.
"""

from __future__ import annotations

import email
import html
import re
from email import policy
from email.message import EmailMessage
from html.parser import HTMLParser

SUFFIXES = {"rfc822": ".eml", "html": ".html"}
"""How a file with such bytes is named, so that it opens in the right program."""


def page(payload: bytes, codec: str) -> str:
    """Return the message as an HTML page; empty where it has nothing to show."""
    if codec == "rfc822":
        body = _mail(payload).get_body(("html", "plain"))
        return str(body.get_content()) if body is not None else ""
    said = payload.decode("utf-8", "replace")
    return said if codec == "html" else f"<!DOCTYPE html>\n<pre>{html.escape(said)}</pre>\n"


def text(payload: bytes, codec: str) -> str:
    """Return what a reader sees: of a mail the heads and the plain text, of a letter all that is on paper."""
    if codec == "html":
        return _Paper(payload).text
    if codec != "rfc822":
        return payload.decode("utf-8", "replace")
    message = _mail(payload)
    heads = [f"{name}: {message[name]}" for name in ("From", "To", "Subject", "Date", "Message-ID")]
    body = message.get_body(("plain",))
    return "\n".join([*heads, "", str(body.get_content()) if body is not None else ""])


def heads(payload: bytes, codec: str) -> tuple[str, str]:
    """Return to whom a message goes and its subject."""
    if codec == "rfc822":
        message = _mail(payload)
        return str(message["To"]), str(message["Subject"])
    paper = _Paper(payload)
    return paper.addressee, paper.subject


def _mail(payload: bytes) -> EmailMessage:
    return email.message_from_bytes(payload, policy=policy.default)


_BLOCKS = {"p", "h1", "table", "address", "div", "ul", "ol"}
"""Elements that stand apart; a heading is close to what follows, and so are rows among each other."""
_LINES = {"h2", "h3", "tr", "li"}
_UNSEEN = {"head", "style", "title"}


class _Paper(HTMLParser):
    """A letter's page as text: a line for each paragraph, line of the address and row of a table."""

    def __init__(self, payload: bytes) -> None:
        super().__init__()
        self.subject = ""
        self._open: list[str] = []
        self._parts: list[str] = []
        self._address: list[str] = []
        self.feed(payload.decode("utf-8", "replace"))

    @property
    def text(self) -> str:
        """All that is on paper."""
        lines = [re.sub(" +", " ", line).strip(" ") for line in "".join(self._parts).split("\n")]
        return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip() + "\n"

    @property
    def addressee(self) -> str:
        """The first line of the address: the name."""
        return "".join(self._address).strip().partition("\n")[0]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a line, or an element within one."""
        if tag == "br":
            self._say("\n")
        elif tag != "meta":
            self._open.append(tag)
            self._say("\n" if tag in _BLOCKS else "")

    def handle_endtag(self, tag: str) -> None:
        """End it; what labels a row is told from its value."""
        if tag in self._open:
            del self._open[len(self._open) - 1 - self._open[::-1].index(tag) :]
        self._say(": " if tag == "th" else "\n\n" if tag in _BLOCKS else "\n" if tag in _LINES else "")

    def handle_data(self, data: str) -> None:
        """Say the words; a line's end in the source is a space to a reader."""
        if "title" in self._open:
            self.subject += data
        self._say(re.sub(r"[ \t\n]+", " ", data))

    def _say(self, words: str) -> None:
        if _UNSEEN.isdisjoint(self._open):
            self._parts.append(words)
        if "address" in self._open:
            self._address.append(words)
