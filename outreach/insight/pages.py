"""Show a kept mail as a person would read it: its HTML as a page, its text for a terminal."""

from __future__ import annotations

import email
from email import policy
from email.message import EmailMessage


def read(payload: bytes) -> EmailMessage:
    """Read the exact bytes of a mail."""
    return email.message_from_bytes(payload, policy=policy.default)


def page(message: EmailMessage) -> str:
    """Return the mail as an HTML page; empty where it has nothing to show."""
    body = message.get_body(("html", "plain"))
    return str(body.get_content()) if body is not None else ""


def text(message: EmailMessage) -> str:
    """Return the heads that a reader sees, and the plain text."""
    heads = [f"{name}: {message[name]}" for name in ("From", "To", "Subject", "Date", "Message-ID")]
    body = message.get_body(("plain",))
    return "\n".join([*heads, "", str(body.get_content()) if body is not None else ""])
