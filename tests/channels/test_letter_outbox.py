"""The outbox of letters: pages as files, and what it reports of them afterwards."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.letter.outbox import OutboxLetters, posted
from channels.protocol import HandedOver, OutcomeKind, Prepared, Receipt, ReceiptKind, Reporting
from tests.channels.letters import letter
from tests.channels.mails import send
from tests.channels.test_outbox import files

FRIDAY = datetime(2026, 5, 1, 7, 0, tzinfo=UTC)
MONTH_LATER = FRIDAY + timedelta(days=30)
ADDRESSES = [f"Kogge {number}\n1657 KA Abbekerk" for number in range(1000)]

moments = st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def handed(number: int = 1, address: str = ADDRESSES[0], at: datetime = FRIDAY) -> HandedOver:
    """A letter that was taken."""
    return HandedOver(f"{number:032x}", address, at)


def kinds(told: list[Receipt]) -> list[ReceiptKind]:
    return [one.kind for one in told]


async def test_a_letter_is_a_page_named_after_its_token_below_its_own_day(tmp_path: Path) -> None:
    """The name holds nothing personal; a second hand-over is accepted and changes nothing."""
    at = datetime(2027, 1, 1, 0, 30, tzinfo=timezone(timedelta(hours=1)))
    prepared = letter(at=at)
    first = await send(OutboxLetters(tmp_path), prepared)
    assert first.provider_id == f"2027-01-01/{prepared.token}.html"
    path = tmp_path / first.provider_id
    assert path.read_bytes() == prepared.payload
    before = path.stat().st_mtime_ns
    assert await send(OutboxLetters(tmp_path), prepared) == first
    assert path.stat().st_mtime_ns == before
    assert files(tmp_path) == [first.provider_id]


async def test_a_folder_that_cannot_be_written_is_our_fault(tmp_path: Path) -> None:
    """The letter stays ready."""
    (tmp_path / "letters").write_text("a file where the folder should be")
    assert (await send(OutboxLetters(tmp_path / "letters"), letter())).kind is OutcomeKind.REFUSED_US


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"<p>x</p>",
        b'<meta name="date" content="9:99">\n',
        b'</head>\n<meta name="date" content="2026-05-01">',
    ],
)
async def test_bytes_without_a_date_are_no_letter(tmp_path: Path, payload: bytes) -> None:
    """Every letter of ours carries one in its head; what its text holds is not asked."""
    good = letter()
    with pytest.raises(ValueError, match=r"payload: .*date"):
        await send(OutboxLetters(tmp_path), Prepared(good.token, good.to_address, good.from_address, payload))


@pytest.mark.parametrize(
    ("at", "on"),
    [
        ("2026-04-30T07:00", "2026-05-01"),
        ("2026-05-01T07:00", "2026-05-04"),
        ("2026-05-02T23:59", "2026-05-04"),
        ("2026-05-03T12:00", "2026-05-04"),
        ("2026-05-04T18:00", "2026-05-05"),
    ],
)
def test_a_letter_is_posted_on_the_next_working_day(at: str, on: str) -> None:
    """Monday to Friday at 17:00 UTC, never on the day it was handed over."""
    assert posted(datetime.fromisoformat(at + "+00:00")) == datetime.fromisoformat(on + "T17:00+00:00")


@given(moments)
def test_posting_takes_a_day_to_four(at: datetime) -> None:
    """Whenever it was handed over."""
    found = posted(at)
    assert found.isoweekday() <= 5
    assert timedelta() < found - at < timedelta(days=4)


def test_it_reports_what_has_happened_by_now_and_no_sooner(tmp_path: Path) -> None:
    """The event is the same whenever it is asked for, so that it can be known again."""
    channel: Reporting = OutboxLetters(tmp_path)
    posted_at = posted(FRIDAY)
    assert channel.receipts([handed()], posted_at - timedelta(seconds=1)) == []
    (told,) = channel.receipts([handed()], posted_at)
    assert (told.kind, told.at, told.token) == (ReceiptKind.POSTED, posted_at, handed().token)
    assert channel.receipts([handed()], MONTH_LATER) == [told]


def test_nothing_comes_back_unless_it_is_asked_for(tmp_path: Path) -> None:
    """On a real database the outbox only says that letters were posted."""
    told = OutboxLetters(tmp_path, seed=7).receipts([handed(address=one) for one in ADDRESSES], MONTH_LATER)
    assert set(kinds(told)) == {ReceiptKind.POSTED}


def test_an_address_is_returned_always_or_never(tmp_path: Path) -> None:
    """About the share that was asked for, 7 to 12 days after posting; another seed takes other addresses."""
    both = [handed(number, one) for one in ADDRESSES for number in (1, 2)]

    def returned(seed: int) -> list[HandedOver]:
        channel = OutboxLetters(tmp_path, returned_per_mille=30, seed=seed)
        found = []
        for one in both:
            told = channel.receipts([one], MONTH_LATER)
            if ReceiptKind.RETURNED in kinds(told):
                assert timedelta(days=7) <= told[1].at - posted(one.at) <= timedelta(days=12)
                found.append(one)
        return found

    some = returned(7)
    assert {one.address for one in some[::2]} == {one.address for one in some[1::2]}
    assert len(some) % 2 == 0
    assert 15 <= len(some) // 2 <= 50
    assert some == returned(7) != returned(8)


@pytest.mark.parametrize("share", [-1, 1001])
def test_a_share_is_between_nothing_and_all(tmp_path: Path, share: int) -> None:
    """A thousand of a thousand is all."""
    with pytest.raises(ValueError, match="returned_per_mille"):
        OutboxLetters(tmp_path, returned_per_mille=share)
