"""Import a list of open items: a dated full list of what is owed to one creditor.

What is in it is a claim, new or known; what is in it no more is settled, nobody says how. The list is read twice: once
to judge it, once to take it in. Claims that vanished are settled after all rows, in batches, and the day up to which
payments are known is raised last: a run that breaks off is finished by the next one.
"""

from __future__ import annotations

from datetime import date, datetime
from functools import partial
from pathlib import Path

from sqlalchemy import Connection

from outreach.errors import Refused
from outreach.intake.aside import lift_pause, put_aside
from outreach.intake.list_change import settle
from outreach.intake.list_survey import Survey, survey, why_aside
from outreach.intake.listed_claims import booking, open_claims, open_standings
from outreach.intake.load import GROUP, begin, constant, read
from outreach.intake.load_list import ListLoad, key_of
from outreach.intake.mapping import FileMapping
from outreach.intake.reading import BATCH, read_open_items
from outreach.intake.record_bookings import record
from outreach.intake.report import ImportReport
from outreach.intake.run import OPERATOR_ZONE, Run, Terms, started
from outreach.parties.addresses import AddressKeys
from outreach.store.writer import Store


def load_open_items(
    store: Store,
    address_keys: AddressKeys,
    path: Path,
    *,
    creditor_code: str | None = None,
    mapping: FileMapping | None = None,
    now: datetime,
    as_of: date,
    accept: bool = False,
    dry_run: bool = False,
    is_trial: bool,
    actor: str,
    rejects_folder: Path | None = None,
) -> ImportReport:
    """Import a list that is complete up to and including `as_of`; the same list again changes nothing.

    A list that is old, or in which too much vanishes, is put aside unless a person says `accept`: nothing of it is
    taken, and sending for the creditor pauses until a list is. Raises FileError for a file of two creditors, and
    Refused where a job accepts; otherwise as `load_claims`.
    """
    if accept and actor.startswith("job:"):
        msg = f"{actor} cannot accept a list that was put aside: a person must look at it (--as NAME)"
        raise Refused(msg)
    terms = Terms(store, now, actor, is_trial, as_of, dry_run, address_keys)
    terms.check_as_of()
    code = creditor_code or constant(mapping, "claims")
    found = survey(store, path, code, mapping, creditor_code)
    today = now.astimezone(OPERATOR_ZONE).date()
    why = why_aside(store, found, as_of, today, is_trial=is_trial)
    with started("open-items", path, terms, rejects_folder) as run:
        begin(run, found.code)
        if why and not accept:
            return run.finish(partial(_put_aside, found=found, why=why, terms=terms), put_aside=why)
        if why:
            run.write(partial(run.append, part="accepted", counts={}, reasons=(why,)))
        load = ListLoad(run, found, as_of)
        for batch in read_open_items(path, creditor=creditor_code, mapping=mapping, size=BATCH):
            read(run, batch)
            load.take(batch.rows)
            run.look_at_sizes()
        load.finish()
        if found.unreadable is not None:
            run.listed["unreadable"] = found.unreadable
            return run.finish()
        _settle_vanished(run, found, as_of)
        return run.finish(partial(_lift_pause, found=found, run=run))


def _put_aside(conn: Connection, found: Survey, why: str, terms: Terms) -> None:
    assert found.creditor_id is not None and found.code is not None
    put_aside(conn, found.creditor_id, found.code, why, terms)


def _lift_pause(conn: Connection, found: Survey, run: Run) -> None:
    assert found.code is not None
    lift_pause(conn, run.creditors[found.code], run.terms)


def _settle_vanished(run: Run, found: Survey, as_of: date) -> None:
    """Settle every claim that was known before, was open on the list's day, and is not in the list."""
    after: int | None = 0
    while after is not None and found.creditor_id is not None:
        after, settled = run.write(partial(_settle_page, run=run, found=found, as_of=as_of, after=after))
        run.listed["settled"] += settled
        run.look_at_sizes()


def _settle_page(
    conn: Connection, run: Run, found: Survey, as_of: date, after: int
) -> tuple[int | None, int]:
    """Settle the vanished ones of a page; returns where to go on, and how many were settled."""
    assert found.creditor_id is not None
    further, page = open_claims(conn, found.creditor_id, as_of, after, found.highest, GROUP)
    gone = [claim_id for claim_id in page if claim_id not in found.listed]
    key = key_of(run, as_of)
    bookings = [
        booking(key, number, 0, found.creditor_id, there, one, as_of)
        for there in open_standings(conn, found.creditor_id, gone, as_of).values()
        for number, one in enumerate(settle(there))
    ]
    if bookings:
        record(conn, bookings, [], run.terms.now, run.terms.actor)
        run.append(conn, "vanished", {"settled": len(bookings)})
    return further, len(bookings)
