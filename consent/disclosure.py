"""Whether data may be given to somebody else: an agreement in force, and nothing in the payload beyond it.

The payload goes out exactly as it was asked for or not at all: a field outside the agreement is an error that names
the field, never left out in silence. No agreement is an answer of its own, a gap, and treated as no.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from consent.facts import Struct, VerdictKind

Payload = Mapping[str, Sequence[Mapping[str, Any]]]
"""What is to leave: rows by the name of their record, such as `claim`."""

_EEA = "AT BE BG HR CY CZ DK EE FI FR DE GR HU IE IT LV LT LU MT NL PL PT RO SK SI ES SE IS LI NO"
EEA = frozenset(_EEA.split())
"""Where the GDPR holds itself (EU, Iceland, Liechtenstein, Norway)."""

TRANSFERS = ("adequacy", "scc", "bcr")
"""What allows a transfer to a country outside the EEA (GDPR art. 45, 46(2)(c) and (b))."""


class AgreementFacts(Struct, frozen=True):
    """What one version of an agreement allows; `fields` are `record.field` names, dates those of the operator."""

    code: str
    version: int
    recipient: str
    purpose: str
    fields: tuple[str, ...]
    country: str
    transfer: str
    valid_from_on: date
    expires_on: date
    approved: bool
    withdrawn: bool


class Disclosure(Struct, frozen=True):
    """The answer: ALLOW with the fields that leave, DENY, or GAP where there is no agreement; with every reason."""

    kind: VerdictKind
    reasons: tuple[str, ...]
    fields: tuple[str, ...]

    @property
    def allowed(self) -> bool:
        """Whether the payload may leave."""
        return self.kind is VerdictKind.ALLOW


def names(payload: Payload) -> tuple[str, ...]:
    """Return the `record.field` names that stand in a payload, sorted."""
    return tuple(
        sorted({f"{record}.{name}" for record, rows in payload.items() for row in rows for name in row})
    )


def disclose(
    agreement: AgreementFacts | None,
    recipient: str,
    purpose: str,
    payload: Payload,
    restricted: Sequence[str],
    today: date,
) -> Disclosure:
    """Decide whether exactly this payload may go to a recipient for a purpose.

    `restricted` are the kinds of the stops that forbid sharing about this person, such as a restriction.
    """
    fields = names(payload)
    if agreement is None:
        return Disclosure(kind=VerdictKind.GAP, reasons=("no_agreement",), fields=fields)
    reasons = [
        *_not_in_force(agreement, today),
        *(["other_recipient"] if recipient != agreement.recipient else []),
        *(["no_purpose"] if not purpose else ["other_purpose"] if purpose != agreement.purpose else []),
        *(["nothing_to_share"] if not fields else []),
        *(f"outside_agreement:{name}" for name in fields if name not in agreement.fields),
        *(f"person:{kind}" for kind in dict.fromkeys(restricted)),
    ]
    kind = VerdictKind.DENY if reasons else VerdictKind.ALLOW
    return Disclosure(kind=kind, reasons=tuple(reasons), fields=fields)


def _not_in_force(agreement: AgreementFacts, today: date) -> list[str]:
    found = []
    if not agreement.approved:
        found.append("not_approved")
    if agreement.withdrawn:
        found.append("withdrawn")
    if today < agreement.valid_from_on:
        found.append("not_yet_valid")
    if today >= agreement.expires_on:
        found.append("expired")
    if agreement.country not in EEA and agreement.transfer not in TRANSFERS:
        found.append("no_transfer_ground")
    return found
