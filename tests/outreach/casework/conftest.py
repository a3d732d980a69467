"""The office that casework is tested in, on both databases."""

from __future__ import annotations

import pytest

from outreach.config import Settings
from tests.outreach.casework.office import Office, an_office


@pytest.fixture
def office(settings: Settings) -> Office:
    """A book with three open claims of two debtors."""
    return an_office(settings)
