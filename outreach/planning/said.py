"""What a message says: the facts and the plan in, the values of its template out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date

from outreach.casework.service import PAYMENT
from outreach.claims.amounts import asked_cents, disputed_cents, is_held, open_cents
from outreach.claims.facts import ClaimFact
from outreach.planning.answer import Plan
from outreach.planning.facts import PartFact, ServiceFact, UnitFacts
from templates.values import Amount, Line, Notice, Part

_AGENCY = {"nl": "een incassobureau", "en": "a collection agency"}
"""Whom a final notice names where the creditor has not said who takes over."""


def notice(facts: UnitFacts, plan: Plan, language: str) -> Notice:
    """Return what the texts may say; amounts come from the one place that knows what is open."""
    told = dict(plan.steps)
    claims = [claim for claim in facts.claims if claim.id in told]
    wish = next((one for one in facts.service if one.id == plan.service_id), None)
    apart = set(plan.apart)
    lines = tuple(_line(claim, wish) for claim in claims if claim.id not in apart)
    younger = tuple(_line(claim, wish) for claim in claims if claim.id in apart)
    total = sum(line.open.cents for line in (*lines, *younger))
    named = claims or [claim for claim in facts.settled if wish is not None and claim.id in wish.claims]
    said = Notice(
        addressee_name=facts.party.name,
        addressee_kind=facts.party.kind,
        creditor_name=facts.creditor.name,
        creditor_phone=facts.creditor.phone,
        creditor_email=facts.creditor.email,
        iban=facts.creditor.iban,
        payment_reference=named[0].invoice_number if len(named) == 1 else facts.debtor_external_id,
        lines=lines,
        younger=younger,
        total=Amount(total, facts.currency) if claims else None,
        again=plan.again,
        payments_until_on=_known_until(facts, claims),
        payment_url=claims[0].payment_url if len(claims) == 1 else "",
        pay_by_on=plan.pay_by_on,
        handover_to=(facts.creditor.handover_to or _AGENCY.get(language, "")) if plan.handover_on else "",
        handover_on=plan.handover_on,
        register_number=facts.creditor.register_number if facts.creditor.is_agency else "",
    )
    return said if wish is None else _answering(said, wish, facts, claims)


def _line(claim: ClaimFact, wish: ServiceFact | None) -> Line:
    """Return a claim as the reader sees it: what is asked, or in an answer about it all that is open."""
    disputed = disputed_cents(claim)
    asked = open_cents(claim) if wish is not None else asked_cents(claim)
    return Line(
        invoice_number=claim.invoice_number,
        description=claim.description,
        due_on=claim.due_on,
        open=Amount(asked, claim.currency),
        disputed=Amount(disputed, claim.currency) if disputed else None,
    )


def _known_until(facts: UnitFacts, claims: Iterable[ClaimFact]) -> date | None:
    """Return up to which day payments are included, where that is known for all of these claims."""
    known_until = facts.creditor.payments_until_on
    latest_due_on = max((claim.due_on for claim in claims), default=None)
    return known_until if known_until and latest_due_on and known_until >= latest_due_on else None


def _answering(said: Notice, wish: ServiceFact, facts: UnitFacts, claims: Iterable[ClaimFact]) -> Notice:
    """Add what an answer says beside the claims."""
    paid = wish.cents if wish.template == PAYMENT else None
    left = sum(asked_cents(claim) for claim in claims if not is_held(claim)) if paid else 0
    return replace(
        said,
        until_on=wish.until_on,
        parts=tuple(_part(one, facts) for one in wish.parts),
        next_part=_part(wish.part, facts) if wish.part is not None else None,
        department=wish.department,
        answer_by_on=wish.answer_by_on,
        paid=Amount(paid, facts.currency) if paid else None,
        left=Amount(left, facts.currency) if left > 0 else None,
    )


def _part(fact: PartFact, facts: UnitFacts) -> Part:
    return Part(due_on=fact.due_on, amount=Amount(fact.cents, facts.currency))
