"""What a message says of the sender: an agency's mark in the register is among it, whatever the channel."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import Connection

from channels.kinds import Kind
from outreach.bootstrap import opened
from outreach.config import Settings
from outreach.planning.answer import Plan
from outreach.planning.load import load
from outreach.planning.said import notice
from tests import builders as make
from tests.installations import initialise

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ({"is_agency": True, "register_number": "2024-00123"}, "2024-00123"),
        ({"is_agency": False, "register_number": "2024-00123"}, ""),
    ],
)
def test_an_agency_is_named_with_its_mark(settings: Settings, values: dict[str, Any], shown: str) -> None:
    """Only who acts for others has a mark to show."""
    initialise(settings, is_trial=True)

    def facts(conn: Connection) -> Any:
        jan = make.a_debtor(conn, make.a_creditor(conn, **values), "JAN")
        make.a_claim(conn, jan, "F1", due=date(2026, 11, 20))
        return load(conn, [jan.dossier_id], NOW, (Kind.EMAIL,)).units[0]

    with opened(settings) as app:
        unit = app.store.run(facts)
    plan = Plan.without_way(
        steps=((unit.claims[0].id, "reminder"),),
        template="friendly_reminder",
        tone="friendly",
        again=False,
        purpose="dunning",
        strategy_hash="",
    )
    said = notice(unit, plan, "nl")
    assert (said.register_number, said.creditor_name) == (shown, "Woonstichting De Linde")
