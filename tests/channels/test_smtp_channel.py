"""Real sessions with a relay of our own, over kept connections."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from channels.email.relay import Relay
from channels.email.smtp import SmtpChannel
from channels.protocol import Outcome, OutcomeKind
from tests.channels.mails import mail, send
from tests.counterparts.smtp_session import ANNOUNCED, Sink
from tests.counterparts.smtp_sink import smtp_sink

ACCEPTED = OutcomeKind.ACCEPTED
THEM = OutcomeKind.REFUSED_RECIPIENT
US = OutcomeKind.REFUSED_US
LATER = OutcomeKind.RETRY_AFTER
DOUBT = OutcomeKind.IN_DOUBT

both_ways = pytest.mark.parametrize("announced", [ANNOUNCED, ()], ids=["pipelining", "plain"])


def channel_to(sink: Sink, **limits: Any) -> SmtpChannel:
    """A channel to the sink over one connection, unless told otherwise."""
    return SmtpChannel(Relay(sink.host, sink.port, **{"connections": 1, "timeout": 10.0, **limits}))


def patience_for(fault: str) -> dict[str, float]:
    """Little where the relay hangs, and much where it will answer, however busy this machine is."""
    return {"timeout": 0.25, "patience": 0.25} if "hang" in fault else {}


async def send_all(sink: Sink, count: int, **limits: Any) -> list[Outcome]:
    """Hand over so many mails, one after the other."""
    channel = channel_to(sink, **limits)
    outcomes = [await send(channel, mail(number)) for number in range(count)]
    await channel.aclose()
    return outcomes


@both_ways
@pytest.mark.parametrize(
    ("fault", "kind", "code"),
    [
        ("quit:always:drop", ACCEPTED, "250 2.0.0"),
        ("mail:always:drop", LATER, "connection_lost"),
        ("rcpt:always:drop", LATER, "connection_lost"),
        ("data:always:drop", LATER, "connection_lost"),
        ("body:always:drop", DOUBT, "connection_lost"),
        ("dot:always:drop", DOUBT, "connection_lost"),
        ("dot:always:logdrop", DOUBT, "connection_lost"),
        ("mail:always:hang", LATER, "timeout"),
        ("rcpt:always:hang", LATER, "timeout"),
        ("data:always:hang", LATER, "timeout"),
        ("dot:always:hang", DOUBT, "timeout"),
        ("dot:always:loghang", DOUBT, "timeout"),
        ("connect:always:drop", LATER, "connection_lost"),
        ("connect:always:hang", LATER, "timeout"),
        ("connect:always:reply=554 5.7.1 no", US, "554 5.7.1"),
        ("connect:always:reply=421 4.7.0 later", LATER, "421 4.7.0"),
        ("ehlo:always:hang", LATER, "timeout"),
        ("ehlo:always:reply=550 no", US, "550"),
        ("ehlo:only1:reply=502 no", ACCEPTED, "250 2.0.0"),
        ("mail:always:reply=550 5.1.8 no", US, "550 5.1.8"),
        ("mail:always:close=421 4.3.2 later", LATER, "421 4.3.2"),
        ("rcpt:always:reply=550 5.1.1 no", THEM, "550 5.1.1"),
        ("rcpt:always:reply=450-4.7.1 wait\r\n450 4.7.1 more", LATER, "450 4.7.1"),
        ("data:always:reply=451 4.3.0 no", LATER, "451 4.3.0"),
        ("dot:always:reply=452 4.3.1 no", LATER, "452 4.3.1"),
        ("dot:always:close=421 4.3.2 no", LATER, "421 4.3.2"),
        ("dot:always:reply=550 5.7.1 no", US, "550 5.7.1"),
        ("mail:always:reply=nonsense", LATER, "bad_reply"),
        ("dot:always:reply=nonsense", DOUBT, "bad_reply"),
        ("dot:always:delay=20", ACCEPTED, "250 2.0.0"),
    ],
)
async def test_a_failure_is_certain_until_the_final_dot_and_doubt_after_it(
    fault: str, kind: OutcomeKind, code: str, announced: tuple[str, ...]
) -> None:
    """Whatever goes wrong on a fresh connection has its outcome, and is never offered twice."""
    async with smtp_sink([fault], announced=announced) as sink:
        (outcome,) = await send_all(sink, 1, **patience_for(fault))
        assert (outcome.kind, outcome.code) == (kind, code)
        assert len(sink.accepted) == (kind is ACCEPTED or "log" in fault)
        assert sink.commands.count("MAIL") <= 1


@both_ways
async def test_after_a_refusal_the_same_connection_serves_the_next(announced: tuple[str, ...]) -> None:
    """RSET forgets the refused mail; the accepted ones need none."""
    async with smtp_sink(["rcpt:to=p1@example.nl:reply=550 5.1.1 no"], announced=announced) as sink:
        outcomes = await send_all(sink, 4)
        assert [outcome.kind for outcome in outcomes] == [ACCEPTED, THEM, ACCEPTED, ACCEPTED]
        assert sink.connections == 1
        assert sink.commands.count("RSET") == 1
        assert sink.commands.index("RSET") < len(sink.commands) - 1 - sink.commands[::-1].index("MAIL")


@both_ways
@pytest.mark.parametrize(
    "fault",
    ["mail:only2:drop", "mail:only2:close=421 4.3.2 enough", "mail:every3:close=421 4.3.2 enough"],
)
async def test_a_kept_connection_that_died_is_replaced_unnoticed(
    fault: str, announced: tuple[str, ...]
) -> None:
    """Nothing of the mail was heard, so it is offered once more over a new connection."""
    async with smtp_sink([fault], announced=announced) as sink:
        outcomes = await send_all(sink, 7)
        assert {outcome.kind for outcome in outcomes} == {ACCEPTED}
        assert len(sink.accepted) == 7
        assert sink.connections >= 2


@pytest.mark.parametrize("fault", ["rset:always:drop", "rset:always:hang", "rset:always:reply=500 no"])
async def test_a_connection_that_cannot_forget_is_replaced(fault: str) -> None:
    """A new mail never follows on the ruins of the one before."""
    async with smtp_sink([fault, "rcpt:only1:reply=450 4.2.1 no"]) as sink:
        outcomes = await send_all(sink, 2, **patience_for(fault))
        assert [outcome.kind for outcome in outcomes] == [LATER, ACCEPTED]
        assert sink.connections == 2


async def test_a_second_death_in_a_row_is_an_outcome() -> None:
    """The relay is asked once more, not for ever."""
    async with smtp_sink(["connect:only2:drop", "mail:only2:drop"]) as sink:
        outcomes = await send_all(sink, 2)
        assert [outcome.kind for outcome in outcomes] == [ACCEPTED, LATER]
        assert len(sink.accepted) == 1


async def test_a_connection_serves_its_number_of_mails_and_is_then_closed() -> None:
    """Five mails at two a connection are three connections, each ended by QUIT."""
    async with smtp_sink() as sink:
        await send_all(sink, 5, messages=2)
        assert sink.connections == sink.commands.count("QUIT") == 3
        assert [accepted.token for accepted in sink.accepted] == [mail(number).token for number in range(5)]


async def test_a_connection_is_not_kept_beyond_its_age() -> None:
    """One that is too old is closed properly and replaced."""
    async with smtp_sink() as sink:
        await send_all(sink, 3, age=1e-9)
        assert sink.connections == sink.commands.count("QUIT") == 3


@pytest.mark.parametrize(
    "fault",
    ["quit:always:drop", "quit:always:hang", "quit:always:delay=1", "quit:always:reply=500 no"],
)
async def test_what_becomes_of_quit_is_ignored(fault: str) -> None:
    """The mails before it were accepted, and closing is never an error."""
    async with smtp_sink([fault]) as sink:
        outcomes = await send_all(sink, 3, messages=2, **patience_for(fault))
        assert {outcome.kind for outcome in outcomes} == {ACCEPTED}
        assert sink.connections == 2


async def test_places_use_a_connection_each_and_keep_it() -> None:
    """Forty mails over four places are at most four connections."""
    async with smtp_sink() as sink:
        channel = channel_to(sink, connections=4)
        outcomes = await asyncio.gather(*(send(channel, mail(number)) for number in range(40)))
        await channel.aclose()
        assert {outcome.kind for outcome in outcomes} == {ACCEPTED}
        assert len({accepted.token for accepted in sink.accepted}) == 40
        assert sink.connections == 4


@pytest.mark.parametrize("stage", ["mail", "dot"])
async def test_a_cancelled_hand_over_drops_its_connection(stage: str) -> None:
    """Its late answer would be taken for the next mail's."""
    async with smtp_sink([f"{stage}:only1:delay=100"]) as sink:
        channel = channel_to(sink)
        task = asyncio.create_task(send(channel, mail(1)))
        await sink.struck.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (await send(channel, mail(2))).kind is ACCEPTED
        assert sink.connections == 2
        await channel.aclose()


async def test_a_relay_that_wants_the_mail_of_a_refused_recipient_gets_nothing() -> None:
    """With pipelining a careless relay says 354 after refusing; anything sent then might be accepted."""
    async with smtp_sink(["rcpt:only1:reply=550 5.1.1 no", "data:only1:reply=354 go on"]) as sink:
        outcomes = await send_all(sink, 2)
        assert [outcome.kind for outcome in outcomes] == [THEM, ACCEPTED]
        assert sink.connections == 2
        assert len(sink.accepted) == 1


@pytest.mark.parametrize("payload", [b".\r\n..\r\nx\r\n.\r\n", b"\r\n.\r\n", b"x\r\n", b"x\r\n.y\r\n" * 3000])
async def test_lines_that_begin_with_a_dot_arrive_as_they_are(payload: bytes) -> None:
    """A dot alone on a line must not end the mail."""
    async with smtp_sink() as sink:
        channel = channel_to(sink)
        assert (await send(channel, mail(payload=payload))).kind is ACCEPTED
        assert [accepted.payload for accepted in sink.accepted] == [payload]
        await channel.aclose()


@pytest.mark.parametrize(
    "payload", [b"x\n", b"x\r\r\n", b"x\ry\r\n", b"x", b"x\r\n.\n\r\n", "é\r\n".encode()]
)
async def test_bytes_that_are_no_mail_are_a_programming_error(payload: bytes) -> None:
    """A bare line end may smuggle a second mail in, so it never reaches a relay."""
    async with smtp_sink() as sink:
        channel = channel_to(sink)
        with pytest.raises(ValueError, match="payload"):
            await send(channel, mail(payload=payload))
        assert not sink.accepted
        await channel.aclose()


@pytest.mark.parametrize(
    "to", ["x@example.nl>\r\nRCPT TO:<y@example.nl", "x y@example.nl", "", "é@example.nl"]
)
async def test_an_address_that_would_change_the_commands_is_refused_unsent(to: str) -> None:
    """It is that recipient's failure and leaves the connection as it was."""
    async with smtp_sink() as sink:
        channel = channel_to(sink)
        prepared = mail(to=to or "@")
        assert (await send(channel, prepared)).code == "bad_address"
        assert "MAIL" not in sink.commands
        await channel.aclose()
