"""The email channel when no relay is set: files that one can open. Nothing leaves the machine."""

from __future__ import annotations

import re
from contextlib import AbstractAsyncContextManager
from email.utils import parsedate_to_datetime
from pathlib import Path

from channels.folder import Folder
from channels.kinds import Kind
from channels.places import Places
from channels.protocol import Slot

_DATE = re.compile(rb"^Date: ([ -~]+)\r\n", re.MULTILINE)


class OutboxChannel:
    """Writes `<folder>/<day>/<token>.eml`; the day is that of the mail's own Date header."""

    kind = Kind.EMAIL

    def __init__(self, folder: Path, *, places: int = 4) -> None:
        """The folder is made when the first mail is written."""
        self._places = Places(places, Folder(folder, ".eml", _day).put)

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


def _day(payload: bytes) -> str:
    """The civil day in the Date header, as YYYY-MM-DD."""
    found = _DATE.search(payload.partition(b"\r\n\r\n")[0] + b"\r\n")
    try:
        if found:
            return parsedate_to_datetime(found.group(1).decode("ascii")).date().isoformat()
    except ValueError as error:
        raise ValueError("payload: expected a Date header that can be read") from error
    raise ValueError("payload: expected a mail with a Date header")
