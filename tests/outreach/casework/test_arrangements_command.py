"""The commands about arrangements: make one, look at it, end it."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from outreach import bootstrap
from outreach.casework.days import civil_today
from outreach.cli import arrange
from outreach.cli.output import Output
from outreach.clock import machine_clock
from outreach.errors import NotFound, Refused, UsageError
from tests import builders as make
from tests.installations import initialise

TODAY = civil_today(machine_clock())


@pytest.fixture(autouse=True)
def book(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A debtor with two contracts, of which one has something open, and one who owes nothing."""
    monkeypatch.setenv("OUTREACH_DATA_DIR", str(tmp_path / "data"))
    settings = bootstrap.read_settings()
    initialise(settings, is_trial=True)
    with bootstrap.opened(settings) as app, app.store.transaction() as conn:
        jan = make.a_debtor(conn, make.a_creditor(conn), contract="H1")
        for number in ("F1", "F2"):
            make.a_claim(conn, jan, number, cents=9_000, due=date(2026, 1, 5))
        other = make.a_debtor(conn, jan.creditor_id, "D2", person_id=jan.person_id, email=None, contract="H2")
        paid = make.a_claim(conn, other, "F3", cents=9_000, due=date(2026, 1, 5))
        make.a_payment(conn, other, paid, 9_000, date(2026, 1, 6))


def call(*words: str) -> Any:
    """Run a command and return what it printed as JSON; an error is raised as it is."""
    app = typer.Typer()
    arrange.register(app)
    result = CliRunner().invoke(app, ["arrange", *words], obj=Output(as_json=True))
    if result.exception is not None:
        raise result.exception
    return json.loads(result.stdout)


def test_a_plan_is_made_shown_and_ended() -> None:
    """What was agreed is printed with its instalments, found again, and ended by its debtor alone."""
    made = call("plan", "--debtor", "D1", "--parts", "3", "--as", "staff:ans")
    assert [part["cents"] for part in made["parts"]] == [6_000, 6_000, 6_000]
    (shown,) = call("show", "--debtor", "D1")
    assert (shown["pseudonym"], shown["state"], len(shown["instalments"])) == (
        made["arrangement"],
        "running",
        3,
    )
    assert call("end", "--debtor", "D1", "--reason", "paid_in_cash") == {"ended": made["arrangement"]}
    assert call("show", "--debtor", "D1")[0]["state"] == "ended"
    with pytest.raises(NotFound, match="no such arrangement"):
        call("end", "--debtor", "D1")


def test_a_promise_about_one_claim_of_a_part() -> None:
    """The amount and the claim are the creditor's own words."""
    on = str(TODAY + timedelta(days=3))
    made = call("promise", "--debtor", "D1", "--claim", "F1", "--amount", "40,50", "--until", on)
    assert made["parts"] == [{"due_on": on, "cents": 4_050}]


def test_a_deferral_beyond_the_policy_needs_a_colleague() -> None:
    """It is refused with what would be allowed, and taken with a second name."""
    words = ("defer", "--debtor", "D1", "--until", str(TODAY + timedelta(days=45)))
    with pytest.raises(Refused, match=str(TODAY + timedelta(days=30))):
        call(*words)
    assert call(*words, "--approved-by", "bea")["kind"] == "deferral"


def test_what_is_not_clear_is_asked() -> None:
    """Two currencies, nothing open, or a date that is none: each refusal says what was expected."""
    with bootstrap.opened(bootstrap.read_settings()) as app, app.store.transaction() as conn:
        jan = make.Debtor(1, 1, 1, 1, None)
        make.a_claim(conn, jan, "F9", due=date(2026, 1, 5), currency="USD")
    with pytest.raises(UsageError, match="--currency EUR, --contract 'H1' --currency USD"):
        call("plan", "--debtor", "D1")
    assert call("plan", "--debtor", "D1", "--currency", "USD")["currency"] == "USD"
    with pytest.raises(Refused, match="nothing is open"):
        call("plan", "--debtor", "D2")
    with pytest.raises(UsageError, match="--until"):
        call("defer", "--debtor", "D1", "--until", "soon")
