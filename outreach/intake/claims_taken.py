"""What a batch of claims rows says of claims, how it fared, and which of the claims are known already."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, Select, select

from outreach.intake.claim_fit import Place
from outreach.intake.load_changes import CLAIM_COLUMNS, claim
from outreach.intake.load_debtors import debtor
from outreach.intake.load_dossiers import dossier
from outreach.intake.load_edits import Kept
from outreach.intake.pending import Note, Pending
from outreach.intake.report import Fared
from outreach.intake.rows import ClaimRow

ClaimKey = tuple[int, str]
"""A creditor's inner key and that creditor's number of the claim."""


@dataclass(slots=True)
class ClaimsTaken(Fared):
    """How a batch of claims fared, and what differs of known claims, dossiers and persons until the run's end.

    `overruled` is what the file says otherwise than a person corrected it to.
    """

    creditors: dict[str, int] = field(default_factory=dict)
    claim_notes: list[Note] = field(default_factory=list)
    dossier_notes: list[Note] = field(default_factory=list)
    person_notes: list[Note] = field(default_factory=list)
    overruled: set[Kept] = field(default_factory=set)


@dataclass(slots=True)
class Wanted:
    """A claim as the batch's rows tell it, the last one counting."""

    line: int
    row: ClaimRow
    place: Place
    columns: dict[str, Any]
    known: Row[Any] | None


@dataclass(frozen=True)
class Held:
    """What earlier batches of the run left: known creditors and changes that wait."""

    creditors: Mapping[str, int]
    claims: Pending
    persons: Pending
    dossiers: Pending = field(default_factory=Pending)


def known_claims(
    conn: Connection, creditors: Collection[int], numbers: Collection[str]
) -> dict[ClaimKey, Row[Any]]:
    """Return the claims of these numbers with where they stand; with several creditors perhaps a few more."""
    query: Select[Any] = (
        select(
            claim.c.id,
            claim.c.creditor_id,
            claim.c.external_id,
            claim.c.currency,
            claim.c.dossier_id,
            *(claim.c[name] for name in CLAIM_COLUMNS),
            dossier.c.contract_id,
            dossier.c.pseudonym.label("dossier"),
            dossier.c.segment,
            debtor.c.external_id.label("debtor_number"),
        )
        .join(dossier, dossier.c.id == claim.c.dossier_id)
        .join(debtor, debtor.c.id == dossier.c.debtor_id)
        .where(claim.c.creditor_id.in_(set(creditors)), claim.c.external_id.in_(numbers))
    )
    return {(row.creditor_id, row.external_id): row for row in conn.execute(query)}


def claim_ids(conn: Connection, keys: Collection[ClaimKey]) -> dict[ClaimKey, int]:
    """Return the inner keys of claims."""
    if not keys:
        return {}
    query = select(claim.c.id, claim.c.creditor_id, claim.c.external_id).where(
        claim.c.creditor_id.in_({key[0] for key in keys}), claim.c.external_id.in_({key[1] for key in keys})
    )
    return {(row.creditor_id, row.external_id): row.id for row in conn.execute(query)}
