"""The test relay as a process of its own, as kill tests and measurements use it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from channels.email.relay import Relay
from channels.email.smtp import SmtpChannel
from channels.protocol import OutcomeKind
from tests.channels.mails import mail, send
from tests.counterparts.smtp_faults import parse

ROOT = Path(__file__).parents[2]


@asynccontextmanager
async def running(*options: str) -> AsyncIterator[int]:
    """The port of a relay that runs until the block ends."""
    module = "tests.counterparts.smtp_sink"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, *options, cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        yield int(await process.stdout.readline())
    finally:
        process.terminate()
        await process.wait()
        await process.stdout.read()


async def test_what_was_accepted_is_in_the_log_before_the_answer(tmp_path: Path) -> None:
    """So that a kill test knows what the other side has, also of a mail in doubt."""
    log = tmp_path / "accepted.log"
    faults = ["--fault", "dot:only2:logdrop", "--fault", "dot:only2:drop"]
    async with running("--log", str(log), *faults) as port:
        channel = SmtpChannel(Relay("127.0.0.1", port, connections=1, timeout=5.0))
        outcomes = [await send(channel, mail(number)) for number in range(4)]
        await channel.aclose()
        doubt, accepted = OutcomeKind.IN_DOUBT, OutcomeKind.ACCEPTED
        assert [outcome.kind for outcome in outcomes].count(doubt) == 2
        assert outcomes[0].kind is outcomes[3].kind is accepted
        logged = log.read_text().splitlines()
    assert logged == [f"{mail(number).token} {mail(number).to_address}" for number in (0, 1, 3)]


@pytest.mark.parametrize(
    "text", ["dot:p0.01:drop", "any:every25:close=421 4.3.2 a: b", "rcpt:to=a@b.nl:reply=550 x"]
)
def test_a_fault_is_one_line_of_text(text: str) -> None:
    """Stage, when, what."""
    assert parse(text).stage in {"dot", "any", "rcpt"}
    with pytest.raises(ValueError, match="fault"):
        parse(text.replace(":", ":sometimes", 1))
    with pytest.raises(ValueError, match="fault"):
        parse("moon" + text)
