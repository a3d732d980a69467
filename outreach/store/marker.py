"""How far the log of a database has come, kept outside it, so that an older copy is known as one.

A restored copy of a database has forgotten what was sent and who objected since. The marker is a small file per
database id in the data folder; after every commit it holds the highest log position. A database whose log
ends before that is an older copy, and sending stays off until a person confirms.
"""

from __future__ import annotations

import fcntl
import os
import struct
from pathlib import Path

_POSITION = struct.Struct(">Q")


class Marker:
    """The highest log position known to be committed, in `<folder>/generation-<database id>`."""

    def __init__(self, folder: Path, database_id: str) -> None:
        self.path = folder / f"generation-{database_id}"
        folder.mkdir(parents=True, exist_ok=True)
        self._file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        self._known = 0

    def read(self) -> int:
        """Return the highest position noted so far, 0 where there is none."""
        raw = os.pread(self._file, _POSITION.size, 0)
        return _POSITION.unpack(raw)[0] if len(raw) == _POSITION.size else 0

    def advance(self, position: int) -> None:
        """Note a position; a lower one than another process noted is left alone."""
        if position <= self._known:
            return
        # Survives a killed process; a power cut may lose the last notes, which errs towards sending less
        # often being refused, never towards a copy being trusted that a later flush would have unmasked.
        fcntl.flock(self._file, fcntl.LOCK_EX)
        try:
            if position > self.read():
                os.pwrite(self._file, _POSITION.pack(position), 0)
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)
        self._known = position

    def accept(self, position: int) -> None:
        """Take the database as it is: a person confirmed that this copy is the one to go on with."""
        os.pwrite(self._file, _POSITION.pack(position), 0)
        os.fsync(self._file)
        self._known = position

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)
