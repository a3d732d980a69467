"""The shared vectors of the law; without them beside this repository a test that reads them has no cases."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[4] / "shared" / "vectors"
HERE = FOLDER.is_dir()
ABSENT = "shared vectors are not beside this repository"


def vectors(file: str) -> dict[str, Any]:
    """Return a file of vectors, or nothing where it is absent."""
    path = FOLDER / file
    found: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return found


def cents(text: str) -> int:
    """Return an amount of a vector in cents."""
    return round(float(text) * 100)
