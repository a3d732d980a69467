"""The landlord's office that sharing is tested in, on both databases."""

from __future__ import annotations

import pytest

from outreach.config import Settings
from tests.outreach.sharing.scene import Office, a_landlord


@pytest.fixture
def office(settings: Settings) -> Office:
    """Jan is in arrears, and the help offer went out."""
    return a_landlord(settings)
