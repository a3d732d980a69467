"""Write one message: facts, `now` and a token in, the exact bytes out, for a send and a preview alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from channels.kinds import Kind
from channels.protocol import Builder, Envelope, Text
from outreach.claims.amounts import open_cents
from outreach.planning.decide import Plan
from outreach.planning.facts import UnitFacts
from templates.catalogue import Template
from templates.render import render
from templates.values import Amount, Line, Reminder

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
        rendered = render(template, language, form, reminder(facts, plan))
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
        text = Text(subject=rendered.subject, plain=rendered.plain, html=rendered.html)
        return Composed(
            token=token,
            address=plan.address,
            return_path=self.sender.return_path(token),
            payload=self.builders[plan.channel](text, envelope),
            codec="rfc822",
        )


def reminder(facts: UnitFacts, plan: Plan) -> Reminder:
    """Return what the texts may say; amounts come from the one function that knows what is open."""
    told = dict(plan.steps)
    claims = [claim for claim in facts.claims if claim.id in told]
    lines = tuple(
        Line(
            invoice_number=claim.invoice_number,
            description=claim.description,
            due_on=claim.due_on,
            open=Amount(open_cents(claim), claim.currency),
        )
        for claim in claims
    )
    known_until = facts.creditor.payments_until_on
    latest_due_on = max((claim.due_on for claim in claims), default=None)
    told_until = known_until if known_until and latest_due_on and known_until >= latest_due_on else None
    return Reminder(
        addressee_name=facts.party.name,
        addressee_kind=facts.party.kind,
        creditor_name=facts.creditor.name,
        creditor_phone=facts.creditor.phone,
        creditor_email=facts.creditor.email,
        iban=facts.creditor.iban,
        payment_reference=claims[0].invoice_number if len(claims) == 1 else facts.debtor_external_id,
        lines=lines,
        total=Amount(sum(line.open.cents for line in lines), facts.currency),
        again=plan.again,
        payments_until_on=told_until,
        payment_url=claims[0].payment_url if len(claims) == 1 else "",
    )
