"""In which encoding a file was written: its byte order mark says so, or what its bytes can be read as."""

from __future__ import annotations

import codecs
import re
from pathlib import Path

UTF_8 = "utf-8-sig"
WINDOWS = "cp1252"
UTF_16 = "utf-16"

NAMES = {
    UTF_8: "UTF-8",
    WINDOWS: "Windows-1252",
    UTF_16: "UTF-16",
    "iso-8859-1": "ISO-8859-1",
    "iso-8859-15": "ISO-8859-15",
}
"""How an encoding is called, by the name under which Python knows it."""

ERRORS = "outreach_surrogates"
"""The error handler for bytes that are no text: they become lone surrogates, so that only their own row is refused.

Python's own handler of this kind can only be used where the encoding keeps ASCII as it is, so not with UTF-16.
"""

_BLOCK = 1 << 16
_LOST = re.compile("[\udc80-\udcff]")
_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def _surrogates(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    lost = error.object[error.start : error.end]
    return "".join(chr(0xDC00 + byte) if byte >= 0x80 else "\udc80" for byte in lost), error.end


codecs.register_error(ERRORS, _surrogates)


def encoding_of(path: Path, stated: str | None) -> str:
    """Return the encoding to read a file with: its mark's, else the `stated` one, else what fits its bytes.

    Without a mark it is UTF-8, or Windows-1252 where more letters read well as that: the two that bookkeeping
    programs write here. ISO 8859-15 and the like must be stated, since any bytes can be read as them.
    Raises OSError.
    """
    with path.open("rb") as file:
        begin = file.read(2)
        if begin in _MARKS:
            return UTF_16
        if stated is not None:
            return stated
        file.seek(0)
        decoder = codecs.getincrementaldecoder("utf-8")(ERRORS)
        letters = lost = 0
        while block := file.read(_BLOCK):
            text = decoder.decode(block)
            if not text.isascii():
                bad = len(_LOST.findall(text))
                lost += bad
                letters += sum(char > "\x7f" for char in text) - bad
    return WINDOWS if lost > letters else UTF_8
