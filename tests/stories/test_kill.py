"""Never twice, never lost: senders killed with SIGKILL in the middle of everything."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from outreach.config import Settings
from tests.stories.processes import CONNECTIONS, installation, kill, reconcile, relay, until

PEOPLE = 600
PLANNING_KILLS = 5
SENDING_KILLS = 20
SLOW = ("--delay-ms", "200")
"""Two answers a mail over eight connections: 600 mails take half a minute at the least."""


@pytest.mark.slow
def test_killed_senders_send_nothing_twice_and_lose_nothing(settings: Settings, tmp_path: Path) -> None:
    """However often and wherever a sender is killed, each mail goes out once or is in doubt, and all is booked."""
    chance = random.Random(20261123)
    kills = 0
    with relay(tmp_path, *SLOW) as to, installation(settings, to, PEOPLE) as place:
        planned = []
        for number in range(PLANNING_KILLS):
            sender = place.start()
            until(lambda number=number: place.ticks() > number, "a tick to begin")
            time.sleep(chance.uniform(0, 0.6 * (number + 1)))
            kills += kill(sender)
            planned.append(place.states().total())
        for _ in range(SENDING_KILLS):
            before = to.count()
            sender = place.start()
            until(
                lambda before=before, sender=sender: to.count() > before or sender.poll() is not None,
                "a mail",
            )
            time.sleep(chance.uniform(0, 0.4))
            assert kill(sender), f"nothing was left to send: {place.states()} {place.said()}"
            kills += 1
        place.finish()
        books = reconcile(place, to)
    assert books.accepted + books.in_doubt == PEOPLE
    assert not books.others
    assert books.in_doubt <= CONNECTIONS * kills
    print(f"{settings.url.split(':')[0]}: {kills} kills, planned after each of the first {planned}, {books}")
