"""The email channel when no relay is set: files that one can open. Nothing leaves the machine."""

from __future__ import annotations

import asyncio
import errno
import re
from contextlib import AbstractAsyncContextManager
from email.utils import parsedate_to_datetime
from pathlib import Path

from channels.kinds import Kind
from channels.places import Places
from channels.protocol import Outcome, OutcomeKind, Prepared, Slot

_TOKEN = re.compile(r"[0-9a-f]{32}")
_DATE = re.compile(rb"^Date: ([ -~]+)\r\n", re.MULTILINE)


class OutboxChannel:
    """Writes `<folder>/<day>/<token>.eml`, whole or not at all, once per token.

    The day is that of the mail's own Date header, so that a trial of a year fills a year of folders and a
    second hand-over of the same mail finds the first. The file is not forced to disk: this is for looking.
    """

    kind = Kind.EMAIL

    def __init__(self, folder: Path, *, places: int = 4) -> None:
        """The folder is made when the first mail is written."""
        self._folder = folder
        self._places = Places(places, self._hand_over)

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

    async def _hand_over(self, prepared: Prepared) -> Outcome:
        """Accepted with the path below the folder; refused because of us when the disk says no.

        ValueError for a token or bytes that are not ours.
        """
        name = Path(_day(prepared.payload)) / f"{_checked(prepared.token)}.eml"
        try:
            await asyncio.to_thread(self._write, name, prepared.payload)
        except OSError as error:
            word = errno.errorcode.get(error.errno or 0, "os_error")
            return Outcome(OutcomeKind.REFUSED_US, word, str(error))
        return Outcome(OutcomeKind.ACCEPTED, "written", provider_id=name.as_posix())

    def _write(self, name: Path, payload: bytes) -> None:
        """Write through a neighbouring file; one that is there already stays (one token is one mail)."""
        path = self._folder / name
        if path.exists():
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".part")
        try:
            unfinished.write_bytes(payload)
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)


def _checked(token: str) -> str:
    if not _TOKEN.fullmatch(token):
        raise ValueError("token: expected 32 lower-case hex characters")
    return token


def _day(payload: bytes) -> str:
    """The civil day in the Date header, as YYYY-MM-DD."""
    found = _DATE.search(payload.partition(b"\r\n\r\n")[0] + b"\r\n")
    try:
        if found:
            return parsedate_to_datetime(found.group(1).decode("ascii")).date().isoformat()
    except ValueError as error:
        raise ValueError("payload: expected a Date header that can be read") from error
    raise ValueError("payload: expected a mail with a Date header")
