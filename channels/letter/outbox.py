"""The letter channel when no print house is set: pages that one can open and print. Nothing leaves the machine."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

from channels.folder import Folder
from channels.kinds import Kind
from channels.places import Places
from channels.protocol import HandedOver, Receipt, ReceiptKind, Slot

PROVIDER = "outbox"
POSTED_AT = time(17, tzinfo=UTC)
"""When the day's letters are given to the post."""
RETURNED_AFTER = range(7, 13)
"""Days after posting within which a letter comes back."""

_DATE = re.compile(rb'^<meta name="date" content="([0-9T:.+-]+)">$', re.MULTILINE)


class OutboxLetters:
    """Writes `<folder>/<day>/<token>.html`; the day is that of the letter's own date.

    It reports every letter as posted. Only where `returned_per_mille` is set, as on a trial database, do letters
    come back: which addresses those are is decided by `seed`, so that an address is returned always or never.
    """

    kind = Kind.LETTER

    def __init__(self, folder: Path, *, places: int = 4, returned_per_mille: int = 0, seed: int = 0) -> None:
        """The folder is made when the first letter is written. ValueError for a share outside 0 to 1000."""
        if not 0 <= returned_per_mille <= 1000:
            raise ValueError("returned_per_mille: expected between 0 and 1000")
        self._places = Places(places, Folder(folder, ".html", _day).put)
        self._returned_per_mille = returned_per_mille
        self._seed = seed

    @property
    def places(self) -> int:
        """How many slots may be open at once."""
        return self._places.count

    def slot(self) -> AbstractAsyncContextManager[Slot]:
        """Wait for a free place."""
        return self._places.slot()

    async def aclose(self) -> None:
        """Lend no more slots."""
        self._places.close()

    def receipts(self, handed: Sequence[HandedOver], now: datetime) -> list[Receipt]:
        """Return what has become of these letters by `now`; a function of these values and the seed alone."""
        return [
            Receipt(PROVIDER, f"{kind}:{one.token}", one.token, kind, at, _said(kind, one.token, at))
            for one in handed
            for kind, at in self._fate(one)
            if at <= now
        ]

    def _fate(self, one: HandedOver) -> Iterator[tuple[ReceiptKind, datetime]]:
        posted_at = posted(one.at)
        yield ReceiptKind.POSTED, posted_at
        lot = int.from_bytes(hashlib.sha256(f"{self._seed}\0{one.address}".encode()).digest()[:8], "big")
        chosen, days = lot % 1000, lot // 1000 % len(RETURNED_AFTER)
        if chosen < self._returned_per_mille:
            yield ReceiptKind.RETURNED, posted_at + timedelta(days=RETURNED_AFTER[days])


def posted(at: datetime) -> datetime:
    """Return when a letter handed over at `at` is posted: on the next working day, Monday to Friday, at 17:00 UTC.

    Public holidays are not counted out; a real print house tells its own time.
    """
    on = at.astimezone(UTC).date() + timedelta(days=1)
    while on.isoweekday() > 5:
        on += timedelta(days=1)
    return datetime.combine(on, POSTED_AT)


def _said(kind: ReceiptKind, token: str, at: datetime) -> bytes:
    return json.dumps({"event": kind, "letter": token, "at": at.isoformat()}).encode()


def _day(payload: bytes) -> str:
    """The civil day of the letter's date, as YYYY-MM-DD."""
    found = _DATE.search(payload.partition(b"</head>")[0])
    try:
        if found:
            return datetime.fromisoformat(found.group(1).decode("ascii")).date().isoformat()
    except ValueError as error:
        raise ValueError("payload: expected a date that can be read") from error
    raise ValueError("payload: expected a letter with its date")
