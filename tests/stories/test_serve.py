"""The service as a process: it sends by itself, stops in good order, and survives being killed."""

from __future__ import annotations

import signal
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from zoneinfo import available_timezones

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text, update

from consent.gate import first_moment
from outreach import tables
from outreach.bootstrap import opened
from outreach.clock import machine_clock
from outreach.config import Settings
from outreach.planning.versions import Versions
from outreach.store import triggers
from outreach.store.types import table_of
from outreach.store.writer import Store
from tests import builders as make
from tests.conftest import postgres_database
from tests.counterparts.smtp_session import Sink
from tests.counterparts.smtp_sink import smtp_sink
from tests.installations import initialise
from tests.outreach.schedule.serving import initialise_with_ready, serving, states, tokens

installation = table_of(tables.operations.Installation)


def over(settings: Settings, sink: Sink) -> Settings:
    """The same installation with this relay."""
    return replace(settings, smtp_url=f"smtp://{sink.host}:{sink.port}?connections=4")


def sql(settings: Settings, statement: str) -> None:
    """Do something to the database behind the service's back."""
    store = Store(settings.url)
    try:
        with store.transaction() as conn:
            conn.execute(text(statement))
    finally:
        store.close()


def open_zone() -> str:
    """A time zone in which people may be approached now, and for a while."""
    now = machine_clock()
    pack = Versions.shipped().packs["NL"]
    for zone in sorted(available_timezones()):
        if zone.startswith("Etc/GMT"):
            soon = now + timedelta(minutes=30)
            if all(first_moment(at.date(), zone, pack, at) == at for at in (now, soon)):
                return zone
    pytest.skip("nobody anywhere may be approached now (a Sunday or a holiday)")


async def test_it_plans_and_sends_by_itself_and_can_be_watched(settings: Settings) -> None:
    """A claim past due becomes a mail without anyone asking; health and metrics tell how it goes."""
    zone = open_zone()
    initialise(settings, is_trial=True)
    with opened(settings) as app, app.store.transaction() as conn:
        due = (machine_clock() - timedelta(days=4)).date()
        jan = make.a_debtor(conn, make.a_creditor(conn), time_zone=zone)
        make.a_claim(conn, jan, due=due)
    async with smtp_sink() as sink, serving(over(settings, sink)) as served:
        await served.until(lambda: states(settings) == {"accepted": 1})
        await served.health(200)
        found = {family.name: family for family in text_string_to_metric_families(await served.metrics())}
        served.signal(signal.SIGTERM)
        assert await served.ended() == 0
        assert len(sink.accepted) == 1
    assert found["outreach_handed_over"].samples[0].labels == {"channel": "email", "outcome": "accepted"}
    assert found["outreach_sending"].samples[0].value == 1
    assert found["outreach_log_head"].samples[0].value > 0
    assert not any("example.net" in str(line) or line.get("plain") for line in served.lines)


async def test_metrics_are_for_those_with_the_token(settings: Settings) -> None:
    """Health is for everyone and says little; metrics ask for the token that was set."""
    initialise(settings, is_trial=True)
    async with serving(replace(settings, metrics_token="geheim")) as served:
        await served.health(200)
        refused = [await served.get("/metrics"), await served.get("/metrics", authorization="Bearer other")]
        allowed = await served.get("/metrics", authorization="Bearer geheim")
        assert [answer.status_code for answer in refused] == [401, 401]
        assert allowed.status_code == 200
        assert "server" not in allowed.headers
        assert allowed.headers["x-content-type-options"] == "nosniff"


async def test_a_stop_lets_slots_finish_what_they_began(settings: Settings) -> None:
    """SIGTERM in the middle of slow hand-overs: those are accepted, the others stay ready, nothing in doubt."""
    await initialise_with_ready(settings, 12)
    async with smtp_sink(["dot:always:delay=2000"]) as sink, serving(over(settings, sink)) as served:
        await served.until(lambda: states(settings)["sending"] == 4)
        served.signal(signal.SIGTERM)
        assert await served.ended() == 0
        accepted = {mail.token for mail in sink.accepted}
    after = states(settings)
    assert set(after) == {"accepted", "ready"}
    assert after["ready"] >= 4
    assert accepted == tokens(settings, "accepted")
    assert workers_left(settings) == 0


def workers_left(settings: Settings) -> int:
    """How many workers neither retired nor were declared dead."""
    store = Store(settings.url)
    try:
        with store.reading() as conn:
            found = make.rows(conn, tables.operations.Worker)
            return sum(row.stopped_at is None and row.declared_dead_at is None for row in found)
    finally:
        store.close()


async def test_after_the_grace_time_what_is_in_the_middle_is_in_doubt(settings: Settings) -> None:
    """A relay that never answers does not keep the service from stopping."""
    await initialise_with_ready(settings, 6)
    async with (
        smtp_sink(["dot:always:loghang"]) as sink,
        serving(over(settings, sink), "--grace", "0.5") as served,
    ):
        await served.until(lambda: states(settings)["sending"] == 4 and len(sink.accepted) == 4)
        served.signal(signal.SIGTERM)
        assert await served.ended() == 0
    assert states(settings) == {"in_doubt": 4, "ready": 2}
    assert workers_left(settings) == 0


async def test_a_second_signal_ends_it_at_once(settings: Settings) -> None:
    """Whoever will not wait need not; the ledger then knows what is in doubt."""
    await initialise_with_ready(settings, 4)
    async with smtp_sink(["dot:always:hang"]) as sink:
        async with serving(over(settings, sink), "--grace", "3600", lease=2.0) as served:
            await served.until(lambda: states(settings)["sending"] == 4)
            served.signal(signal.SIGINT)
            await served.line("stopping")
            served.signal(signal.SIGTERM)
            assert await served.ended() == 128 + signal.SIGTERM
        assert states(settings) == {"sending": 4}
        async with serving(over(settings, sink), lease=2.0) as served:
            await served.until(lambda: states(settings) == {"in_doubt": 4})
            served.signal(signal.SIGTERM)
            assert await served.ended() == 0


async def test_killed_and_started_again_it_loses_nothing(settings: Settings) -> None:
    """Every message is accepted once or in doubt; what was in the middle is never sent again by itself."""
    await initialise_with_ready(settings, 40)
    async with smtp_sink(delay=0.05) as sink:
        async with serving(over(settings, sink)) as served:
            await served.until(lambda: len(sink.accepted) >= 8)
            served.signal(signal.SIGKILL)
            assert await served.ended() == -signal.SIGKILL
        await sink.empty.wait()
        assert states(settings)["ready"] > 0
        async with serving(over(settings, sink)) as served:
            await served.until(lambda: not states(settings)["ready"] and not states(settings)["sending"])
            served.signal(signal.SIGTERM)
            assert await served.ended() == 0
        taken = [mail.token for mail in sink.accepted]
    accepted, doubt = tokens(settings, "accepted"), tokens(settings, "in_doubt")
    assert len(accepted | doubt) == 40
    assert len(taken) == len(set(taken))
    assert accepted <= set(taken) <= accepted | doubt


async def test_a_tick_that_fails_shows_until_one_succeeds(settings: Settings) -> None:
    """Health and metrics tell of it; the loop goes on and recovers by itself."""
    initialise(settings, is_trial=True)
    async with serving(settings) as served:
        await served.health(200)
        sql(settings, "ALTER TABLE tick RENAME TO tick_away")
        await served.health(503, "tick_failed")
        assert 'outreach_ticks_total{result="failed"} 0.0' not in await served.metrics()
        sql(settings, "ALTER TABLE tick_away RENAME TO tick")
        await served.health(200)
        served.signal(signal.SIGTERM)
        assert await served.ended() == 0
    failed = next(line for line in served.lines if line["message"].startswith("a tick failed"))
    assert failed["error"] in {"OperationalError", "ProgrammingError"}
    assert not any("INSERT" in str(line) for line in served.lines)


async def test_nothing_is_sent_while_a_trigger_is_missing(settings: Settings) -> None:
    """Without them a stop would raise no version, so the service asks before every tick."""
    await initialise_with_ready(settings, 1)
    async with smtp_sink() as sink, serving(over(settings, sink)) as served:
        await served.until(lambda: states(settings) == {"accepted": 1})
        store = Store(settings.url)
        with store.transaction() as conn:
            name, (table, _) = sorted(triggers.catalogue(conn).items())[0]
            on = "" if store.dialect == "sqlite" else f" ON {table}"
            conn.execute(text(f"DROP TRIGGER {name}{on}"))
        await served.health(503, "schema_differs")
        with store.transaction() as conn:
            triggers.install(conn)
        store.close()
        await served.health(200)


async def test_an_older_copy_is_unhealthy(settings: Settings) -> None:
    """Somebody must look at it; a word is enough to say so."""
    initialise(settings, is_trial=True)
    sql(settings, "UPDATE installation SET copy_suspected = true")
    async with serving(settings) as served:
        await served.health(503, "copy_suspected")


async def test_a_trial_that_lives_later_is_not_served(settings: Settings) -> None:
    """The machine's clock would go back in time; the refusal says so and what to do."""
    initialise(settings, is_trial=True)
    with opened(settings) as app, app.store.transaction() as conn:
        conn.execute(update(installation).values(trial_now=datetime(2099, 5, 1, tzinfo=UTC)))
    async with serving(settings) as served:
        assert await served.ended() == 1
    assert "lived up to 2099-05-01" in served.lines[-1]["message"]


async def test_an_address_in_use_is_refused(settings: Settings) -> None:
    """Before anything starts, with the reason."""
    initialise(settings, is_trial=True)
    async with serving(settings) as first:
        bind = (await first.url()).removeprefix("http://")
        async with httpx.AsyncClient() as client:
            assert (await client.get(f"http://{bind}/nothing")).status_code == 404
        async with serving(settings, bind=bind) as second:
            assert await second.ended() == 1
        assert "cannot be used" in second.lines[-1]["message"]


async def test_it_outlives_a_database_that_cuts_every_connection(postgres: str, tmp_path: Path) -> None:
    """As at a restart of PostgreSQL: the worker's lease is kept up or replaced, and ticks go on."""
    settings = Settings(data_dir=tmp_path / "data", database_url=postgres_database(postgres))
    initialise(settings, is_trial=True)
    async with serving(settings, lease=2.0) as served:
        await served.health(200)
        for _ in range(3):
            cut = machine_clock()
            sql(settings, CUT)
            await served.until(partial(lease_runs_at, settings, cut + timedelta(seconds=4)))
            await served.health(200)
        served.signal(signal.SIGTERM)
        assert await served.ended() == 0


CUT = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


def lease_runs_at(settings: Settings, at: datetime) -> bool:
    """Whether some worker has its lease still then."""
    store = Store(settings.url)
    try:
        with store.reading() as conn:
            return any(row.lease_until > at for row in make.rows(conn, tables.operations.Worker))
    finally:
        store.close()
