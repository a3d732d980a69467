from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from channels.email.mime import build
from channels.email.outbox import OutboxChannel
from channels.protocol import OutcomeKind, Prepared
from tests.channels.mails import TEXT, envelope, mail, send


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


async def test_a_mail_is_a_file_named_after_its_token_below_its_own_day(tmp_path: Path) -> None:
    """The name holds nothing personal; the day is the civil day that the mail carries."""
    channel = OutboxChannel(tmp_path)
    at = datetime(2027, 1, 1, 0, 30, tzinfo=timezone(timedelta(hours=1)))
    prepared = mail(payload=build(TEXT, envelope(at=at)))
    outcome = await send(channel, prepared)
    assert outcome.provider_id == f"2027-01-01/{prepared.token}.eml"
    assert files(tmp_path) == [outcome.provider_id]
    assert (tmp_path / outcome.provider_id).read_bytes() == prepared.payload


async def test_one_token_is_one_file(tmp_path: Path) -> None:
    """A second hand-over is accepted and changes nothing, also by another channel after a crash."""
    first = await send(OutboxChannel(tmp_path), mail())
    path = tmp_path / str(first.provider_id)
    (path.parent / "unfinished.part").write_bytes(b"of a crash")
    before = path.stat().st_mtime_ns
    again = await send(OutboxChannel(tmp_path), mail())
    assert again == first
    assert path.stat().st_mtime_ns == before
    assert [name for name in files(tmp_path) if name.endswith(".eml")] == [first.provider_id]


async def test_a_folder_that_cannot_be_written_is_our_fault(tmp_path: Path) -> None:
    """The mail stays ready; the detail with the path stays out of the code."""
    (tmp_path / "outbox").write_text("a file where the folder should be")
    outcome = await send(OutboxChannel(tmp_path / "outbox"), mail())
    assert outcome.kind is OutcomeKind.REFUSED_US
    assert outcome.code in {"ENOTDIR", "EEXIST"}


@pytest.mark.parametrize("token", ["../../etc/passwd", "", "0" * 31, "g" * 32])
async def test_a_token_that_is_none_never_becomes_a_path(tmp_path: Path, token: str) -> None:
    """It would leave the folder."""
    good = mail()
    with pytest.raises(ValueError, match="token"):
        await send(OutboxChannel(tmp_path), Prepared(token, good.to_address, good.from_address, good.payload))
    assert files(tmp_path) == []


@pytest.mark.parametrize("payload", [b"", b"Subject: x\r\n\r\nDate: x\r\n", b"Date: gisteren\r\n\r\nx\r\n"])
async def test_bytes_without_a_date_are_no_mail(tmp_path: Path, payload: bytes) -> None:
    """Every mail of ours carries one."""
    good = mail()
    with pytest.raises(ValueError, match="Date"):
        await send(OutboxChannel(tmp_path), Prepared(good.token, good.to_address, good.from_address, payload))
