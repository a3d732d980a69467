"""Import facts about debtors: each becomes a stop at its scope, with what it means for the person."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from pathlib import Path

from sqlalchemy import Connection

from outreach.intake.facts_batch import FactsBatch, FactsTaken
from outreach.intake.facts_effects import follow
from outreach.intake.load import GROUP, begin, read
from outreach.intake.pending import MOST, Mark, Pending
from outreach.intake.reading import BATCH, read_facts
from outreach.intake.report import Counts, ImportReport
from outreach.intake.rows import FactRow
from outreach.intake.run import Run, Terms, started
from outreach.parties.addresses import AddressKeys
from outreach.store.writer import Store


def load_facts(
    store: Store,
    address_keys: AddressKeys,
    path: Path,
    *,
    creditor_code: str | None = None,
    now: datetime,
    dry_run: bool = False,
    is_trial: bool,
    actor: str,
    rejects_folder: Path | None = None,
) -> ImportReport:
    """Import a facts file; the same file again changes nothing, and sets nothing again that a person lifted.

    A fact that is no longer in the file lifts nothing: `until` ends it, or a person. Rows about debtors or claims
    that are not known are refused. Otherwise as `load_claims`.
    """
    terms = Terms(store, now, actor, is_trial, None, dry_run, address_keys)
    batches = read_facts(path, creditor=creditor_code, size=BATCH)
    with started("facts", path, terms, rejects_folder) as run:
        begin(run, creditor_code)
        load = _FactsLoad(run)
        for batch in batches:
            read(run, batch)
            load.take(batch.rows)
        load.finish()
        return run.finish()


class _FactsLoad:
    """The batches of a facts file, and the ends that wait for its last word."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._ends = Pending()

    def take(self, rows: list[tuple[int, FactRow]]) -> None:
        """Write one batch."""
        if not rows:
            return
        for taken in self._run.in_parts(rows, self._take):
            self._run.creditors |= taken.creditors
            self._run.notices.update(taken.notices)
            self._run.merge(taken)
            for note in taken.notes:
                self._ends.note(note, taken.lines)
        if len(self._ends.marks) > MOST:
            self.finish()

    def finish(self) -> None:
        """Write the ends that the file's last rows tell."""
        while self._ends.marks:
            ends = self._ends.take(GROUP)
            changed = self._run.write(partial(self._follow, ends=ends))
            lines = sorted({mark.line for mark in changed if mark.unchanged})
            self._run.counts.add(Counts(changed=len(lines), unchanged=-len(lines)))
            self._run.shown.take((line, "changed") for line in lines)

    def _take(self, conn: Connection, rows: list[tuple[int, FactRow]]) -> FactsTaken:
        taken = FactsBatch(conn, self._run.file, self._run.terms, self._run.creditors, self._ends).take(rows)
        self._run.note(conn, taken.counts())
        return taken

    def _follow(self, conn: Connection, ends: Mapping[int, Mark]) -> list[Mark]:
        changed = [ends[key] for key in follow(conn, ends, self._run.terms.now, self._run.terms.actor)]
        self._run.note(conn, Counts(changed=len({mark.line for mark in changed})))
        return changed
