"""Segments that a claims file tells: an imported word on the dossier, of which the last row's counts.

A segment chooses the strategy of trajectories that start from now on; what runs stays on its own.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Generic, TypeVar

from sqlalchemy import Connection

from outreach.intake.load_dossiers import DossierKey
from outreach.intake.load_edits import Kept, corrections, divided, overruled
from outreach.intake.pending import Note, Pending

K = TypeVar("K", bound=Hashable)


class Segments(Generic[K]):
    """The segments that the rows of a batch tell, by claim."""

    def __init__(self) -> None:
        self.told: dict[K, tuple[int, str]] = {}

    def tell(self, line: int, claim: K, segment: str | None) -> None:
        """Take a row's word; an empty one says nothing."""
        if segment:
            self.told[claim] = (line, segment)

    def of_new(self, places: Mapping[K, DossierKey]) -> dict[DossierKey, str]:
        """Return the dossiers of new claims, each with its segment."""
        found = dict.fromkeys(places.values(), "")
        for claim, (_, segment) in self._in_order():
            if claim in places:
                found[places[claim]] = segment
        return found

    def notes(
        self, conn: Connection, there: Mapping[K, tuple[int, str]], held: Pending
    ) -> tuple[list[Note], set[Kept]]:
        """Return what differs of known dossiers, and what a person corrected otherwise.

        `there` are the dossier and its known segment of each claim.
        """
        last: dict[int, tuple[int, str, str]] = {}
        for claim, (line, segment) in self._in_order():
            dossier_id, known = there[claim]
            last[dossier_id] = (line, segment, known)
        standing = corrections(conn, "dossier", last.keys())
        notes, kept = [], set()
        for dossier_id, (line, segment, known) in last.items():
            told = {"segment": segment}
            kept |= overruled("dossier", dossier_id, told, standing)
            free, beside = divided(dossier_id, told, standing)
            differing = beside if segment == known else beside | free
            if differing or dossier_id in held:
                notes.append(Note(dossier_id, line, differing, told.keys() - differing.keys()))
        return notes, kept

    def _in_order(self) -> list[tuple[K, tuple[int, str]]]:
        """Return what was told in the order of the rows."""
        return sorted(self.told.items(), key=lambda one: one[1])
