"""A list of open items read once before anything is written: what it holds, and whether it can be believed.

A list that is cut off or a day too old would settle claims that nobody paid. So its date and the share of claims that
would vanish are judged before the first row is taken; memory stays flat, a bit for each claim.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from sqlalchemy import Connection, func, select

from outreach.intake.errors import FileError
from outreach.intake.ledger import claim
from outreach.intake.listed_claims import open_claims
from outreach.intake.load_creditors import creditor
from outreach.intake.mapping import FileMapping
from outreach.intake.reading import BATCH, Batch, read_open_items
from outreach.intake.rows import ClaimKind, ClaimRow
from outreach.store.writer import Store

MOST_AGE = timedelta(days=3)
"""A list of an earlier day than this says too little of today."""

MOST_VANISHING = 5
"""At most one in so many open claims may vanish at once ..."""

FEW = 2
"""... and so many always may: of a few claims two paid in a week are no sign of a broken list."""


class Marks:
    """A set of inner keys, in a bit each."""

    def __init__(self) -> None:
        self._bits = bytearray()

    def __contains__(self, key: int) -> bool:
        place = key >> 3
        return place < len(self._bits) and bool(self._bits[place] >> (key & 7) & 1)

    def add(self, keys: Collection[int]) -> None:
        """Add keys."""
        if keys:
            self._bits.extend(bytes(max((max(keys) >> 3) + 1 - len(self._bits), 0)))
        for key in keys:
            self._bits[key >> 3] |= 1 << (key & 7)


@dataclass
class Survey:
    """What a list holds. `listed` are known claims in it, those of refused rows too; `empty` are without an amount.

    `credits` are the credit notes in it, with their amounts; `highest` is the last claim known before the list;
    `unreadable` is the first line whose claim nobody can read, `refused` are claims of refused rows not looked up
    yet, since no row has told the creditor.
    """

    code: str | None
    creditor_id: int | None = None
    highest: int = 0
    listed: Marks = field(default_factory=Marks)
    empty: Marks = field(default_factory=Marks)
    credits: dict[str, int] = field(default_factory=dict)
    unreadable: int | None = None
    refused: set[str] = field(default_factory=set)


def survey(
    store: Store, path: Path, code: str | None, mapping: FileMapping | None, given: str | None
) -> Survey:
    """Read a list through without changing anything.

    `code` is the creditor where it is one for the whole file, `given` the one of the command line. Raises FileError
    where the file cannot be read, or is of no creditor or of two.
    """
    found = Survey(code)
    for batch in read_open_items(path, creditor=given, mapping=mapping, size=BATCH):
        _one_creditor(path, batch, found)
        with store.reading() as conn:
            _look(conn, batch, found)
    if found.code is None:
        raise FileError(path.name, ["names no creditor: a list without rows needs --creditor CODE"])
    if found.creditor_id is None:
        with store.reading() as conn:
            _find_creditor(conn, found)
    return found


def why_aside(store: Store, found: Survey, as_of: date, today: date, *, is_trial: bool) -> str:
    """Return why a list should not be used without a person's word; empty where it may be.

    It is older than the last list, older than three days (not on a trial, whose clock is set), or more than one
    in five of the open claims would vanish; of fewer than ten claims two may.
    """
    if found.creditor_id is None:
        return ""
    with store.reading() as conn:
        last = conn.execute(
            select(func.max(claim.c.listed_on)).where(claim.c.creditor_id == found.creditor_id)
        ).scalar()
    if last is not None and as_of < last:
        return "older_than_last_list"
    if not is_trial and today - as_of > MOST_AGE:
        return "old"
    known, vanishing = _vanishing(store, found, as_of)
    return "vanishing" if vanishing > max(FEW, known // MOST_VANISHING) else ""


def _vanishing(store: Store, found: Survey, as_of: date) -> tuple[int, int]:
    """Count the claims that are open here, and those of them that the list leaves nothing of."""
    assert found.creditor_id is not None
    known = vanishing = 0
    after: int | None = 0
    while after is not None:
        with store.reading() as conn:
            after, page = open_claims(conn, found.creditor_id, as_of, after, found.highest, BATCH)
        known += len(page)
        vanishing += sum(key not in found.listed or key in found.empty for key in page)
    return known, vanishing


def _one_creditor(path: Path, batch: Batch[ClaimRow], found: Survey) -> None:
    for line, row in batch.rows:
        found.code = found.code or row.creditor
        if row.creditor != found.code:
            raise FileError(
                path.name,
                [
                    f"row {line} is of the creditor {row.creditor!r}, others of {found.code!r}: a list of open "
                    "items is of one creditor, so that what is missing in it can be told; give each its own file"
                ],
            )


def _find_creditor(conn: Connection, found: Survey) -> None:
    """Find the creditor and the last claim known of it; both stay unknown for a creditor that is new."""
    found.creditor_id = conn.execute(select(creditor.c.id).where(creditor.c.code == found.code)).scalar()
    highest = select(func.max(claim.c.id)).where(claim.c.creditor_id == found.creditor_id)
    found.highest = conn.execute(highest).scalar() or 0


def _look(conn: Connection, batch: Batch[ClaimRow], found: Survey) -> None:
    """Mark the known claims that a batch holds."""
    if found.creditor_id is None and found.code is not None:
        _find_creditor(conn, found)
    for line, number in batch.claims:
        if not number and found.unreadable is None:
            found.unreadable = line
    for _, row in batch.rows:
        if row.kind is ClaimKind.CREDIT_NOTE:
            found.credits[row.claim_id] = row.principal
    found.refused |= {number for _, number in batch.claims if number}
    if found.creditor_id is None:
        return
    numbers = found.refused | {row.claim_id for _, row in batch.rows}
    found.refused = set()
    query = select(claim.c.id, claim.c.external_id).where(
        claim.c.creditor_id == found.creditor_id, claim.c.external_id.in_(numbers)
    )
    ids = {row.external_id: row.id for row in conn.execute(query)}
    found.listed.add(ids.values())
    found.empty.add([ids[row.claim_id] for _, row in batch.rows if not row.principal and row.claim_id in ids])
