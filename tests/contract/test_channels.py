"""What every channel promises, checked on each of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from channels.email.outbox import OutboxChannel
from channels.email.relay import Relay
from channels.email.smtp import SmtpChannel
from channels.kinds import Kind
from channels.letter.outbox import OutboxLetters
from channels.protocol import Channel, Outcome, OutcomeKind, Prepared
from channels.recording import RecordingChannel, accept
from tests.channels.letters import letter
from tests.channels.mails import mail, send
from tests.counterparts.smtp_sink import smtp_sink

UNKNOWN = "weg@example.nl"


@dataclass
class Case:
    """A channel, a look at what the other side has, and messages of its kind."""

    channel: Channel
    delivered: Callable[[], list[bytes]]
    can_refuse: bool = True
    message: Callable[[int], Prepared] = mail
    kind: Kind = Kind.EMAIL


def refuse_unknown(prepared: Prepared) -> Outcome:
    if prepared.to_address == UNKNOWN:
        return Outcome(OutcomeKind.REFUSED_RECIPIENT, "550 5.1.1")
    return accept(prepared)


@pytest.fixture(params=["smtp", "outbox", "letters", "recording"])
async def case(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Case]:
    async with AsyncExitStack() as stack:
        if request.param == "smtp":
            sink = await stack.enter_async_context(smtp_sink([f"rcpt:to={UNKNOWN}:reply=550 5.1.1 unknown"]))
            relay = Relay(sink.host, sink.port, connections=3, timeout=2.0)
            found = Case(SmtpChannel(relay), lambda: [accepted.payload for accepted in sink.accepted])
        elif request.param == "outbox":
            files = tmp_path / "outbox"
            outbox = OutboxChannel(files, places=3)
            found = Case(
                outbox, lambda: [path.read_bytes() for path in files.rglob("*.eml")], can_refuse=False
            )
        elif request.param == "letters":
            pages = tmp_path / "letters"
            found = Case(
                OutboxLetters(pages, places=3),
                lambda: [path.read_bytes() for path in pages.rglob("*.html")],
                can_refuse=False,
                message=letter,
                kind=Kind.LETTER,
            )
        else:
            recording = RecordingChannel(script=refuse_unknown, places=3)
            found = Case(recording, lambda: [one.payload for one in recording.handed_over])
        yield found
        await found.channel.aclose()


async def test_what_is_accepted_arrives_byte_for_byte(case: Case) -> None:
    """Twenty messages at once, each exactly once, each with an id or none but never another's."""
    messages = [case.message(number) for number in range(20)]
    outcomes = await asyncio.gather(*(send(case.channel, prepared) for prepared in messages))
    assert {outcome.kind for outcome in outcomes} == {OutcomeKind.ACCEPTED}
    assert sorted(case.delivered()) == sorted(prepared.payload for prepared in messages)
    assert case.channel.kind is case.kind


async def test_a_recipient_that_is_refused_concerns_no_other(case: Case) -> None:
    """The refusal is definite and says so; the code holds no address."""
    if case.can_refuse:
        refused = await send(case.channel, mail(1, to=UNKNOWN))
        assert refused.kind is OutcomeKind.REFUSED_RECIPIENT
        assert UNKNOWN not in refused.code
    assert (await send(case.channel, case.message(2))).kind is OutcomeKind.ACCEPTED
    assert case.message(2).payload in case.delivered()


async def test_no_more_slots_are_lent_than_there_are_places(case: Case) -> None:
    """The one too many waits until a place is free, and may give up waiting."""
    async with AsyncExitStack() as slots:
        for _ in range(case.channel.places - 1):
            await slots.enter_async_context(case.channel.slot())
        async with case.channel.slot():
            waiting = [asyncio.create_task(send(case.channel, case.message(number))) for number in range(2)]
            await asyncio.wait(waiting, timeout=0.05)
            assert not any(task.done() for task in waiting)
            waiting[0].cancel()
        assert (await waiting[1]).kind is OutcomeKind.ACCEPTED
    assert len(case.delivered()) == 1


async def test_a_slot_is_for_one_message(case: Case) -> None:
    """Its connection and rate token were lent for one; a slot that was not used is simply given back."""
    async with case.channel.slot():
        pass
    async with case.channel.slot() as slot:
        assert (await slot.send(case.message(1))).kind is OutcomeKind.ACCEPTED
        with pytest.raises(RuntimeError, match="one message"):
            await slot.send(case.message(2))
    assert len(case.delivered()) == 1


async def test_a_closed_channel_lends_nothing_and_may_be_closed_again(case: Case) -> None:
    """Closing is no error, however often."""
    assert (await send(case.channel, case.message(1))).kind is OutcomeKind.ACCEPTED
    await case.channel.aclose()
    await case.channel.aclose()
    with pytest.raises(RuntimeError, match="closed"):
        await send(case.channel, case.message(2))
    assert len(case.delivered()) == 1
