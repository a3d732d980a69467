"""Breaker and throttle in the channel: who waits for what, and who is not made to."""

from __future__ import annotations

import asyncio
import socket
from datetime import timedelta

import pytest

from channels.email.pace import Breaker, Throttle
from channels.email.relay import Relay
from channels.email.smtp import SmtpChannel
from channels.protocol import OutcomeKind
from tests.channels.mails import mail, send
from tests.counterparts.smtp_session import Sink
from tests.counterparts.smtp_sink import smtp_sink

NEVER = 100_000.0


def channel_to(sink: Sink, *, pause: float, connections: int = 2) -> SmtpChannel:
    """A channel whose breaker stays open for `pause` seconds."""
    relay = Relay(sink.host, sink.port, connections=connections, timeout=1.0)
    return SmtpChannel(relay, breaker=Breaker(first=pause))


@pytest.mark.parametrize(
    ("fault", "opens"),
    [
        ("connect:always:reply=554 no", True),
        ("connect:always:drop", True),
        ("mail:always:reply=550 5.1.8 no", True),
        ("dot:always:reply=554 5.7.1 spam", True),
        ("rcpt:always:reply=550 5.1.1 no", False),
        ("dot:always:reply=550 5.1.1 no", False),
        ("rcpt:always:reply=450 4.2.1 later", False),
        ("dot:always:drop", False),
        ("quit:always:drop", False),
    ],
)
async def test_the_breaker_opens_on_our_faults_and_the_relay_s_never_on_a_recipient_s(
    fault: str, opens: bool
) -> None:
    """While it is open the dispatcher sees for how long and why."""
    async with smtp_sink([fault]) as sink:
        channel = channel_to(sink, pause=NEVER)
        outcome = await send(channel, mail())
        assert (channel.open_for > timedelta(0)) is opens
        assert channel.trouble == (outcome if opens else None)
        await channel.aclose()


@pytest.mark.parametrize("fault", ["connect:only1:drop", "mail:only1:reply=550 5.7.1 no"])
async def test_after_the_pause_mail_flows_again(fault: str) -> None:
    """Slots wait for the pause; one that gets through closes the breaker for all."""
    async with smtp_sink([fault]) as sink:
        channel = channel_to(sink, pause=0.05)
        assert (await send(channel, mail(0))).kind is not OutcomeKind.ACCEPTED
        outcomes = await asyncio.gather(*(send(channel, mail(number)) for number in range(6)))
        assert {outcome.kind for outcome in outcomes} == {OutcomeKind.ACCEPTED}
        assert channel.open_for == timedelta(0)
        assert channel.trouble is None
        await channel.aclose()


async def test_waiting_for_the_breaker_can_be_cancelled() -> None:
    """Whoever waits holds no connection and nothing is left behind."""
    async with smtp_sink(["connect:always:drop"]) as sink:
        channel = channel_to(sink, pause=NEVER)
        await send(channel, mail())
        waiting = [asyncio.create_task(send(channel, mail(number))) for number in range(4)]
        await asyncio.sleep(0.02)
        assert not any(task.done() for task in waiting)
        for task in waiting:
            task.cancel()
        results = await asyncio.gather(*waiting, return_exceptions=True)
        assert all(isinstance(result, asyncio.CancelledError) for result in results)
        assert sink.connections == 1
        await channel.aclose()


@pytest.mark.parametrize(("faults", "opens"), [(["dot:always:drop"], True), (["dot:every2:drop"], False)])
async def test_a_relay_that_keeps_silent_is_left_alone(faults: list[str], opens: bool) -> None:
    """Three silences in a row open the breaker, or mail after mail would be left in doubt."""
    async with smtp_sink(faults) as sink:
        channel = channel_to(sink, pause=NEVER)
        for number in range(3):
            assert channel.trouble is None
            await send(channel, mail(number))
        assert (channel.trouble is not None) is opens
        await channel.aclose()


async def test_a_relay_that_is_down_is_not_reached_and_said_so() -> None:
    """Nothing listens on the port: certainly not accepted, to be offered later."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    channel = SmtpChannel(Relay("127.0.0.1", port, timeout=1.0))
    outcome = await send(channel, mail())
    assert outcome.kind is OutcomeKind.RETRY_AFTER
    assert channel.open_for > timedelta(0)
    await channel.aclose()


@pytest.mark.parametrize(
    ("fault", "slows"),
    [
        ("dot:only1:reply=451 4.3.0 busy", True),
        ("rcpt:only1:reply=450 4.7.1 later", True),
        ("rcpt:only1:reply=452 4.2.2 full", False),
        ("rcpt:only1:reply=550 5.1.1 no", False),
    ],
)
async def test_a_relay_that_complains_is_offered_less(fault: str, slows: bool) -> None:
    """There is no limit until it does."""
    async with smtp_sink([fault]) as sink:
        channel = channel_to(sink, pause=NEVER)
        assert channel.rate is None
        await send(channel, mail())
        assert (channel.rate is not None) is slows
        await channel.aclose()


async def test_a_set_rate_is_shared_by_all_places() -> None:
    """The token is taken before a connection is made, so a slot is ready to send at once."""
    async with smtp_sink() as sink:
        throttle = Throttle(ceiling=200.0)
        channel = SmtpChannel(Relay(sink.host, sink.port, connections=4), throttle=throttle)
        start = asyncio.get_running_loop().time()
        await asyncio.gather(*(send(channel, mail(number)) for number in range(8)))
        # Whatever the machine did: eight intervals of 5 ms have been handed out, the ninth comes after them.
        assert throttle.take(start) >= 8 / 200.0 - 1e-6
        assert len(sink.accepted) == 8
        await channel.aclose()
