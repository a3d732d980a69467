"""A trial database of each kind to import into."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from outreach.bootstrap import opened
from outreach.config import Settings
from tests.installations import initialise
from tests.outreach.intake.loads import Loading


@pytest.fixture
def loading(settings: Settings, tmp_path: Path) -> Iterator[Loading]:
    """An opened trial installation, on each database, and a folder for files."""
    initialise(settings, is_trial=True)
    folder = tmp_path / "files"
    folder.mkdir()
    with opened(settings) as app:
        yield Loading(app, folder)
