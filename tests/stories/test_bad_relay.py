"""Never twice, never lost: a relay that drops, delays, refuses, closes and hangs, in a process of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from outreach.config import Settings
from tests.stories.processes import address, installation, reconcile, relay

PEOPLE = 160
REFUSED = (5, 17, 99)
FAULTS = (
    *(f"rcpt:to={address(number)}:reply=550 5.1.1 unknown" for number in REFUSED),
    "mail:every25:close=421 4.3.2 later",
    "mail:p0.01:drop",
    "mail:only60:reply=451 4.7.0 slowly",
    "rcpt:p0.04:reply=450 4.2.1 busy",
    "rcpt:p0.01:hang",
    "data:p0.01:drop",
    "body:p0.02:drop",
    "dot:only70:reply=554 5.7.1 not from you",
    "dot:p0.03:reply=441 4.4.1 no route",
    "dot:p0.03:delay=600",
    "dot:p0.02:drop",
    "dot:p0.02:logdrop",
    "dot:p0.01:hang",
    "dot:p0.01:loghang",
)
SHORT = "&timeout=1&patience=1.5&messages=40"


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1])
def test_whatever_a_relay_does_nothing_goes_out_twice(settings: Settings, tmp_path: Path, seed: int) -> None:
    """Certain failures are tried again until they succeed, uncertain ones never, and refused ones become tasks."""
    options = [part for fault in FAULTS for part in ("--fault", fault)]
    with (
        relay(tmp_path, "--seed", str(seed), *options) as to,
        installation(settings, to, PEOPLE, options=SHORT) as place,
    ):
        place.finish()
        books = reconcile(place, to)
        heard = {token for token, _ in to.accepted()}
    assert books.others == {"refused": len(REFUSED)}
    assert books.accepted + books.in_doubt + len(REFUSED) == PEOPLE
    assert books.tries > PEOPLE, "something was tried again"
    assert books.in_doubt, "the relay left something in doubt"
    assert books.accepted < len(heard), "of which it had accepted some"
    print(
        f"{settings.url.split(':')[0]}: {books}, of those in doubt {len(heard) - books.accepted} had arrived"
    )
