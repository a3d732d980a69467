"""Dossiers a second: the pure decision over loaded facts, and the whole look with loading and storing."""

from __future__ import annotations

import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from outreach import bootstrap
from outreach.bench.book import DUE_NOW, make_book, postgresql_database
from outreach.config import Settings
from outreach.planning.batch import Batch, Decided
from outreach.planning.decide import decide
from outreach.planning.facts import UnitFacts
from outreach.planning.load import civil_today, due_dossiers, load
from outreach.planning.record import record
from outreach.schedule.tick import begin_tick

AT_A_TIME = 200


def measure(dossiers: int, database: str) -> dict[str, Any]:
    """Measure on a book where every claim is due, and one where none is: the two ends of a real one."""
    figures: dict[str, Any] = {"dossiers": dossiers, "database": database}
    for word, due_on in (("due", "2026-11-20"), ("waiting", "2026-12-20")):
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="outreach-bench-")))
            url = stack.enter_context(postgresql_database(database, folder))
            settings = Settings(data_dir=folder / "data", database_url=url)
            make_book(settings, dossiers, due_on=due_on)
            figures |= _measure(settings, dossiers, word)
    return figures


def _measure(settings: Settings, dossiers: int, word: str) -> dict[str, Any]:
    with bootstrap.opened(settings) as app:
        planner = app.planner()
        tick = app.store.run(lambda conn: begin_tick(conn, DUE_NOW))
        spent = {"load": 0.0, "decide": 0.0, "store": 0.0}
        while True:
            began = time.perf_counter()
            with app.store.reading() as conn:
                found = load(conn, due_dossiers(conn, DUE_NOW, AT_A_TIME), DUE_NOW, planner.channels)
            if not found.rows:
                break
            loaded = time.perf_counter()
            decided = [_decided(planner.versions, unit) for unit in found.units]
            done = time.perf_counter()
            for one in decided:
                # Composing is measured with the mails; here a due claim is looked at and stored as such.
                one.answer = decide(one.facts, one.rules, DUE_NOW)
            batch = Batch(DUE_NOW, civil_today(DUE_NOW), tick, found.rows, decided, found.empty)
            stored = time.perf_counter()
            app.store.run(lambda conn, batch=batch: record(conn, batch))  # type: ignore[misc]
            spent["load"] += loaded - began
            spent["decide"] += done - loaded
            spent["store"] += time.perf_counter() - stored
    whole = sum(spent.values())
    return {
        f"{word}_step_and_gate_per_second": round(dossiers / spent["decide"]),
        f"{word}_with_load_and_store_per_second": round(dossiers / whole),
        f"{word}_us_load": round(spent["load"] / dossiers * 1e6),
        f"{word}_us_decide": round(spent["decide"] / dossiers * 1e6),
        f"{word}_us_store": round(spent["store"] / dossiers * 1e6),
    }


def _decided(versions: Any, unit: UnitFacts) -> Decided:
    rules = versions.rules(unit)
    return Decided(unit, rules, decide(unit, rules, DUE_NOW))
