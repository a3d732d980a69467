"""Files that one can open, where a channel has no provider: `<folder>/<day>/<token><suffix>`."""

from __future__ import annotations

import asyncio
import errno
import re
from collections.abc import Callable
from pathlib import Path

from channels.protocol import Outcome, OutcomeKind, Prepared

_TOKEN = re.compile(r"[0-9a-f]{32}")


class Folder:
    """Takes messages as files, each written whole or not at all, once per token.

    The day is the one that the message itself carries, so that a trial of a year fills a year of folders and a
    second hand-over of the same message finds the first. The file is not forced to disk: this is for looking.
    """

    def __init__(self, root: Path, suffix: str, day: Callable[[bytes], str]) -> None:
        """`day` reads YYYY-MM-DD from a payload; the folder is made when the first file is written."""
        self._root = root
        self._suffix = suffix
        self._day = day

    async def put(self, prepared: Prepared) -> Outcome:
        """Accepted with the path below the folder; refused because of us when the disk says no.

        ValueError for a token or bytes that are not ours.
        """
        name = Path(self._day(prepared.payload)) / f"{checked_token(prepared.token)}{self._suffix}"
        try:
            await asyncio.to_thread(self._write, name, prepared.payload)
        except OSError as error:
            word = errno.errorcode.get(error.errno or 0, "os_error")
            return Outcome(OutcomeKind.REFUSED_US, word, str(error))
        return Outcome(OutcomeKind.ACCEPTED, "written", provider_id=name.as_posix())

    def _write(self, name: Path, payload: bytes) -> None:
        """Write through a neighbouring file; one that is there already stays (one token is one message)."""
        path = self._root / name
        if path.exists():
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".part")
        try:
            unfinished.write_bytes(payload)
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)


def checked_token(token: str) -> str:
    """Return the token; ValueError for anything that would not be a plain file name."""
    if not _TOKEN.fullmatch(token):
        raise ValueError("token: expected 32 lower-case hex characters")
    return token
