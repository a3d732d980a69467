"""What a monitor sees: one word, and figures that agree with the database."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text, update
from starlette.requests import Request

from outreach import tables
from outreach.config import Settings
from outreach.schedule.pulse import Pulse
from outreach.store.types import table_of
from outreach.store.writer import Store
from outreach.web.figures import figures
from outreach.web.health import Health
from outreach.web.metrics import Metrics
from tests.installations import initialise
from tests.outreach.schedule.serving import attempt, dossier, initialise_with_ready

ANY = Request({"type": "http", "method": "GET", "path": "/", "headers": []})
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    """A store on each database, which a test initialises."""
    store = Store(settings.url)
    yield store
    store.close()


async def test_figures_are_those_of_the_database(settings: Settings, store: Store) -> None:
    """Counted by state; the age is how long the oldest could have been offered."""
    await initialise_with_ready(settings, 3)
    with store.transaction() as conn:
        conn.execute(update(attempt).values(try_at=NOW + timedelta(hours=1)))
        conn.execute(update(attempt).where(attempt.c.id == 1).values(try_at=NOW - timedelta(minutes=5)))
        conn.execute(update(dossier).where(dossier.c.id == 2).values(next_look_at=NOW))
        conn.execute(update(dossier).where(dossier.c.id == 3).values(next_look_at=NOW + timedelta(hours=1)))
    with store.reading() as conn:
        found = figures(conn, NOW)
    assert found.attempts == {"ready": 3, "sending": 0, "in_doubt": 0}
    assert found.ready_age == 300.0
    assert found.dossiers_due == 1
    assert found.sending
    assert found.log_head > 0
    assert set(found.tasks.values()) == {0}


async def test_without_a_database_the_meters_of_the_process_remain(settings: Settings, store: Store) -> None:
    """Old figures are not repeated as if they were new."""
    initialise(settings, is_trial=True)
    registry = CollectorRegistry()
    Pulse(60, registry).succeeded(0.2, adds_up=True)
    metrics = Metrics(store, registry)

    async def samples() -> dict[str, float]:
        body = bytes((await metrics(ANY)).body).decode()
        return {s.name: s.value for family in text_string_to_metric_families(body) for s in family.samples}

    before = await samples()
    with store.transaction() as conn:
        conn.execute(text("ALTER TABLE task RENAME TO task_away"))
    after = await samples()
    assert before["outreach_database_up"] == 1
    assert before["outreach_dossiers_due"] == 0
    assert after["outreach_database_up"] == 0
    assert "outreach_dossiers_due" not in after
    assert after["outreach_tick_seconds_count"] == 1


async def test_health_says_one_word(settings: Settings, store: Store) -> None:
    """The database's trouble first, then the loop's."""
    initialise(settings, is_trial=True)
    trouble: list[str | None] = [None]
    assert await Health(store, lambda: trouble[0]).reason() is None
    trouble[0] = "tick_failed"
    assert await Health(store, lambda: trouble[0]).reason() == "tick_failed"
    with store.transaction() as conn:
        conn.execute(update(table_of(tables.operations.Installation)).values(copy_suspected=True))
    assert await Health(store, lambda: trouble[0]).reason() == "copy_suspected"
    with store.transaction() as conn:
        conn.execute(text("UPDATE alembic_version SET version_num = 'other'"))
    answer = await Health(store, lambda: trouble[0])(ANY)
    assert (answer.status_code, answer.body) == (503, b'{"status":"failing","reason":"schema_differs"}')


async def test_a_database_that_is_away_is_a_reason(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Whatever the driver says of it stays here."""
    nowhere = tmp_path_factory.mktemp("no") / "such" / "folder" / "x.db"
    store = Store(f"sqlite:///{nowhere}")
    assert await Health(store, lambda: None).reason() == "database_unreachable"
    store.close()


async def test_one_look_serves_many_who_ask(settings: Settings, store: Store) -> None:
    """Anybody may ask, so asking a thousand times must not read the database a thousand times."""
    initialise(settings, is_trial=True)
    health = Health(store, lambda: None)
    await health.reason()
    first = health._look
    await health.reason()
    assert health._look is first
