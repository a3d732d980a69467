"""The command that runs the service: web, scheduler and sender in one process and one event loop."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
from datetime import timedelta
from functools import partial

import typer
import uvloop
from prometheus_client import CollectorRegistry, Gauge

from outreach import bootstrap
from outreach.clock import machine_clock
from outreach.schedule import logs
from outreach.schedule.heartbeat import heartbeat
from outreach.schedule.pulse import Pulse
from outreach.schedule.service import GRACE, Service, refuse_unfit
from outreach.schedule.tick import Ticker, reporting
from outreach.schedule.watched import WatchedChannel, watched
from outreach.secrets import secret
from outreach.web.health import Health
from outreach.web.metrics import Metrics
from outreach.web.server import listen, serving, url_of
from outreach.web.site import Site, monitoring

log = logging.getLogger(__name__)


def register(app: typer.Typer) -> None:
    """Add this command."""
    app.command("serve")(serve)


def serve(
    grace: float = typer.Option(
        GRACE.total_seconds(), "--grace", min=0, help="Seconds that sending may take to finish at a stop."
    ),
) -> None:
    """Run the service until SIGTERM or Ctrl-C; a second one ends it at once.

    GET /health is public; GET /metrics asks for OUTREACH_METRICS_TOKEN, or the token in keys/metrics below
    the data folder.
    """
    settings = bootstrap.read_settings()
    with bootstrap.opened(settings, for_sending=True) as app:
        with app.store.reading() as conn:
            refuse_unfit(conn, machine_clock())
        logs.to_stderr()
        with (
            listen(settings.bind) as listening,
            asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
        ):
            runner.run(_serve(app, listening, timedelta(seconds=grace)))
    log.info("stopped")


async def _serve(app: bootstrap.App, listening: socket.socket, grace: timedelta) -> None:
    asyncio.get_running_loop().set_exception_handler(logs.of_loop)
    registry = CollectorRegistry()
    pulse = Pulse(app.settings.tick_seconds, registry)
    opened = app.channels()
    channels = [WatchedChannel(channel, pulse) for channel in opened]
    _meter_breakers(channels, registry)
    ticker = Ticker(app.store, watched(app.planner(), pulse), channels, reporting(opened))
    lease = timedelta(seconds=app.settings.lease_seconds)
    service = Service(ticker, pulse, channels=channels, lease=lease, grace=grace)
    _stop_on_signals(service)
    site = Site(
        monitoring(Health(app.store, pulse.trouble), Metrics(app.store, registry), _metrics_token(app))
    )
    try:
        async with serving(site, listening) as server:
            log.info("listening on %s", url_of(listening))
            _tell_what_holds_back(app)
            with heartbeat(app.settings.tick_seconds, service.wake):
                await _run_both(service, server)
    finally:
        for channel in channels:
            await channel.aclose()


async def _run_both(service: Service, server: asyncio.Task[None]) -> None:
    """Run the loop; where the web server fails, stop the loop in good order as well."""
    working = asyncio.create_task(service.run())
    await asyncio.wait({working, server}, return_when=asyncio.FIRST_COMPLETED)
    service.ask_to_stop()
    await working


def _stop_on_signals(service: Service) -> None:
    def stop(number: int) -> None:
        if service.stop.is_set():
            # At once means without cleaning up: the ledger is made for a process that dies anywhere.
            os._exit(128 + number)
        log.info("stopping: what was begun is finished")
        service.ask_to_stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop, number)


def _metrics_token(app: bootstrap.App) -> str:
    made = app.settings.data_dir / "keys"
    return app.settings.metrics_token or secret(made, "metrics").hex()


def _meter_breakers(channels: list[WatchedChannel], registry: CollectorRegistry) -> None:
    gauge = Gauge(
        "outreach_breaker_open",
        "Whether a channel holds back because of trouble",
        ["channel"],
        registry=registry,
    )
    for channel in channels:
        gauge.labels(channel.kind.value).set_function(partial(_as_number, channel))


def _as_number(channel: WatchedChannel) -> float:
    return float(channel.breaker_open)


def _tell_what_holds_back(app: bootstrap.App) -> None:
    if app.installed.copy_suspected:
        log.warning("sending is off: an older copy (see: outreach sending on --confirm-copy)")
    elif not app.installed.sending:
        log.warning("sending is off (see: outreach sending on)")
