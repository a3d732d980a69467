"""Never twice, never lost: two senders at once on one database, and one that slept past its lease."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
from pathlib import Path

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.engine import make_url

from outreach.config import Settings
from tests.stories.processes import (
    GENEROUS,
    Installation,
    installation,
    reconcile,
    relay,
    try_,
    until,
    worker,
)


@pytest.mark.slow
def test_two_senders_share_the_work_and_send_nothing_twice(settings: Settings, tmp_path: Path) -> None:
    """Two processes plan and send from one database at once: each mail leaves once, and none is in doubt."""
    people = 400
    with (
        relay(tmp_path, "--delay-ms", "30") as to,
        installation(settings, to, people, lease_seconds=5) as place,
    ):
        senders = [place.start(), place.start()]
        assert [sender.wait(GENEROUS) for sender in senders] == [0, 0], place.said()
        place.finish()
        books = reconcile(place, to)
        with place.store.reading() as conn:
            shares = conn.execute(select(func.count(try_.c.id)).group_by(try_.c.worker_id)).scalars().all()
    assert (books.accepted, books.in_doubt, books.others.total()) == (people, 0, 0)
    assert books.account == {"sent": people}
    assert len(shares) >= 2, "both took part"
    print(f"{settings.url.split(':')[0]}: {books}, shares {sorted(shares)}")


@pytest.mark.slow
def test_a_sender_that_slept_past_its_lease_registers_anew(settings: Settings, tmp_path: Path) -> None:
    """What it had under way is put in doubt, settled by its late answers, and never sent by another."""
    people = 300
    with (
        relay(tmp_path, "--delay-ms", "150") as to,
        installation(settings, to, people, lease_seconds=1) as place,
    ):
        sleeper = place.start()
        until(lambda: to.count() > 20, "the first sender to be at work")
        stall(sleeper, place)
        slept_at = to.count()
        other = place.start()
        until(lambda: place.states()["in_doubt"], "the first sender to be declared dead")
        in_doubt = place.states()["in_doubt"]
        sleeper.send_signal(signal.SIGCONT)
        assert [sleeper.wait(GENEROUS), other.wait(GENEROUS)] == [0, 0], place.said()
        place.finish()
        books = reconcile(place, to)
        with place.store.reading() as conn:
            places = conn.execute(
                select(worker).where(worker.c.pid == sleeper.pid).order_by(worker.c.started_at)
            ).all()
            started = {
                row.worker_id: row.last
                for row in conn.execute(
                    select(try_.c.worker_id, func.max(try_.c.started_at).label("last")).group_by(
                        try_.c.worker_id
                    )
                )
            }
    assert slept_at < people
    assert in_doubt >= 1
    assert books.accepted == people, "the late answers settled what had been put in doubt"
    assert len(places) >= 2, "it registered anew"
    assert places[0].declared_dead_at is not None
    assert started[places[0].id] < places[0].declared_dead_at, "nothing was begun under the lost lease"
    assert places[-1].id in started, "and it sent again under the new one"
    print(f"{settings.url.split(':')[0]}: {in_doubt} were in doubt for a while, {books}")


def stall(sender: subprocess.Popen[bytes], place: Installation) -> None:
    """SIGSTOP a sender outside a transaction, as a machine that sleeps usually is: locks would stop the others."""
    for _ in range(200):
        sender.send_signal(signal.SIGSTOP)
        if not _holds_locks(place):
            return
        sender.send_signal(signal.SIGCONT)
    raise AssertionError("the sender was never outside a transaction")


def _holds_locks(place: Installation) -> bool:
    if place.store.dialect == "sqlite":
        conn = sqlite3.connect(str(make_url(place.settings.url).database), timeout=0.2, isolation_level=None)
        try:
            conn.execute("BEGIN IMMEDIATE")
            conn.execute("ROLLBACK")
        except sqlite3.OperationalError:
            return True
        finally:
            conn.close()
        return False
    with place.store.reading() as conn:
        busy = text(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid() AND state <> 'idle' AND backend_type = 'client backend'"
        )
        return bool(conn.execute(busy).scalar())
