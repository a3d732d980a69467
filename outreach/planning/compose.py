"""Write one message: facts, `now` and a token in, the exact bytes out, for a send and a preview alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from channels.kinds import Kind
from channels.protocol import Builder, Envelope, Text
from outreach.planning.answer import Plan
from outreach.planning.facts import UnitFacts
from outreach.planning.said import notice
from templates.catalogue import Template
from templates.render import render, render_letter, render_sms, render_subject
from templates.values import Notice

FALLBACK_LANGUAGE = "nl"
"""What is written to a person whose own language a message has no text in."""


@dataclass(frozen=True, slots=True)
class Sender:
    """How the operator's mail is addressed: the address in From, and the domain of ids and return paths."""

    address: str
    domain: str

    def return_path(self, token: str) -> str:
        """Return the envelope address that brings a bounce back to its attempt."""
        return f"bounce+{token}@{self.domain}"


@dataclass(frozen=True, slots=True)
class Composed:
    """The bytes as they are kept, shown and sent, with the address they go to."""

    token: str
    address: str
    return_path: str
    payload: bytes
    codec: str


@dataclass(frozen=True, slots=True)
class Composer:
    """Composes with the operator's sender and one builder per channel."""

    sender: Sender
    builders: Mapping[Kind, Builder]

    def compose(
        self, facts: UnitFacts, plan: Plan, template: Template, token: str, now: datetime
    ) -> Composed:
        """Return the message; raises ValueError naming the field for what can't be said on the channel."""
        wished = (facts.party.language, facts.party.form_of_address)
        language, form = wished if wished in template.available else (FALLBACK_LANGUAGE, wished[1])
        said = notice(facts, plan, language)
        envelope = Envelope(
            token=token,
            to_name=facts.party.name,
            to_address=plan.address,
            from_name=facts.creditor.name,
            from_address=self.sender.address,
            reply_to=facts.creditor.email or self.sender.address,
            domain=self.sender.domain,
            language=language,
            at=now,
        )
        text = _text(plan.channel, template, language, form, said)
        return Composed(
            token=token,
            address=plan.address,
            return_path=self.sender.return_path(token),
            payload=self.builders[plan.channel](text, envelope),
            codec=_CODECS[plan.channel],
        )


_CODECS = {Kind.EMAIL: "rfc822", Kind.LETTER: "html", Kind.SMS: "text", Kind.VIDEO: "text"}


def _text(channel: Kind, template: Template, language: str, form: str, said: Notice) -> Text:
    """Return what a channel shows of a message: a text of one line, a letter's inside, or a mail."""
    if channel in {Kind.SMS, Kind.VIDEO}:
        return Text(subject="", plain=render_sms(template, language, form, said))
    if channel is Kind.LETTER:
        subject = render_subject(template, language, form, said)
        return Text(subject=subject, plain="", html=render_letter(template, language, form, said))
    rendered = render(template, language, form, said)
    return Text(subject=rendered.subject, plain=rendered.plain, html=rendered.html)
