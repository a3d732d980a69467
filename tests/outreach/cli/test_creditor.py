"""`outreach creditor add|set`: amounts as people write them, limits, and strategies of one's own."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import insert, select
from typer.testing import CliRunner, Result

from outreach import bootstrap
from outreach.cli import app
from outreach.config import Settings
from outreach.errors import UsageError
from outreach.store.tables.operations import StrategyInForce
from outreach.store.tables.parties import Creditor
from outreach.store.types import AnyRow, table_of
from tests.installations import initialise


@pytest.fixture
def here(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A database with one creditor, on each database."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OUTREACH_DATA_DIR", str(settings.data_dir))
    if settings.database_url:
        monkeypatch.setenv("OUTREACH_DATABASE_URL", settings.database_url)
    initialise(settings, is_trial=False)
    assert outreach("add", "WOON", "--name", "De Linde").exit_code == 0
    return settings


def outreach(*words: str) -> Result:
    """Run a command about creditors; what a person can mend is raised."""
    result = CliRunner().invoke(app, ["creditor", *words])
    if isinstance(result.exception, UsageError):
        raise result.exception
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def creditor(settings: Settings) -> AnyRow:
    """The one creditor there is."""
    with bootstrap.opened(settings) as opened, opened.store.reading() as conn:
        return conn.execute(select(table_of(Creditor))).one()


def test_the_policy_of_a_creditor_is_set_in_euros_and_days(here: Settings) -> None:
    """Amounts are read as people write them and kept in cents; what is not named stays as it is."""
    assert (creditor(here).tolerance_cents, creditor(here).confirm_payments) == (0, True)
    outreach("set", "WOON", "--tolerance", "5,00", "--plan-floor", "25", "--no-confirm-payments")
    outreach(
        "set", "WOON", "--notice-days", "5", "--handover-to", "Bureau Voorbeeld", "--plan-most-parts", "6"
    )
    outreach("set", "WOON", "--promise-most-days", "10", "--deferral-most-days", "21")
    row = creditor(here)
    assert (row.tolerance_cents, row.plan_floor_cents, row.confirm_payments) == (500, 2_500, False)
    assert (row.notice_days, row.handover_to, row.plan_most_parts) == (5, "Bureau Voorbeeld", 6)
    assert (row.promise_most_days, row.deferral_most_days, row.name) == (10, 21, "De Linde")


@pytest.mark.parametrize(
    ("option", "text", "said"),
    [
        ("--tolerance", "five", "--tolerance: 'five': expected an amount"),
        ("--tolerance", "1.250", "--tolerance: '1.250': expected an amount that can be read in one way"),
        ("--tolerance", "100.01", "--tolerance: expected an amount from 0.00 to 100.00"),
        ("--plan-floor", "0", "--plan-floor: expected an amount from 0.01"),
        ("--notice-days", "31", "--notice-days: expected a number from 0 to 30"),
        ("--plan-most-parts", "0", "--plan-most-parts: expected a number from 1 to 60"),
        ("--promise-most-days", "0", "--promise-most-days: expected a number from 1"),
        ("--deferral-most-days", "400", "--deferral-most-days: expected a number from 1 to 365"),
        ("--strategy", "gruff", "--strategy: there is no strategy 'gruff'; expected one of: "),
    ],
)
def test_what_is_likelier_a_typing_error_is_refused(
    here: Settings, option: str, text: str, said: str
) -> None:
    """The message names the option and what was expected; nothing changes."""
    before = creditor(here)
    with pytest.raises(UsageError) as refused:
        outreach("set", "WOON", option, text)
    assert str(refused.value).startswith(said)
    assert creditor(here) == before


def test_a_strategy_of_ones_own_can_be_chosen(here: Settings) -> None:
    """A creditor may follow a strategy that was added here, as well as those that come with the service."""
    outreach("set", "WOON", "--strategy", "friendly_pair")
    with bootstrap.opened(here) as opened, opened.store.transaction() as conn:
        row = {
            "name": "our_own",
            "hash": "0" * 64,
            "at": datetime(2026, 1, 1, tzinfo=UTC),
            "actor": "staff:els",
        }
        conn.execute(insert(table_of(StrategyInForce)).values(**row))
    outreach("set", "WOON", "--strategy", "our_own")
    assert creditor(here).strategy == "our_own"
    with pytest.raises(UsageError, match=r"friendly_pair, .*our_own"):
        outreach("set", "WOON", "--strategy", "another")
