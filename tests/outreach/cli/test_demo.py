"""The demo in small: two months of a few debtors, every message counted once."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from outreach.cli import app
from outreach.cli.demo_bank import Bank
from outreach.intake.portfolio import generate
from outreach.intake.portfolio_debtors import CREDITORS

START = date(2026, 9, 1)


@pytest.mark.slow
def test_each_message_has_one_outcome_and_the_same_seed_lives_the_same_lives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The table sums to the messages, each row to its own, and a second run tells the same."""
    found = []
    for run in ("first", "second"):
        monkeypatch.setenv("OUTREACH_DATA_DIR", str(tmp_path / run))
        result = CliRunner().invoke(app, ["--json", "demo", "--size", "90"])
        assert result.exit_code == 0, result.output
        found.append(json.loads(result.stdout))
    first, second = found
    assert first["adds_up"]
    assert first["days"] == 61
    assert first["messages"] > 10
    assert (
        sum(row["messages"] for row in first["steps"]) + first["besides"]
        == first["messages"]
        == first["files"]
    )
    assert all(row["messages"] == sum(row["outcomes"].values()) for row in first["steps"])
    assert sum(first["outcomes"].values()) == first["looked_at"]
    assert (
        sum(one["kept"] + one["broken"] + one["ended"] + one["running"] for one in first["arrangements"]) > 0
    )
    assert first == second


def test_what_a_debtor_arranged_otherwise_does_not_come_in_too(tmp_path: Path) -> None:
    """A cancelled claim is paid no more after the day; what came before, and other claims, stay."""
    portfolio = generate(12, 7, START, CREDITORS[:1], months=2)
    paid = [row for row in portfolio.payments() if row["claim_id"]]
    claim, other = paid[0]["claim_id"], paid[-1]["claim_id"]
    bank = Bank(portfolio, tmp_path)
    bank.cancel({claim}, date(2026, 1, 1))
    left = {meant for rows in bank._coming.values() for meant, _ in rows}
    assert claim not in left
    assert other in left
    untouched = Bank(portfolio, tmp_path)
    untouched.cancel({claim}, date(2027, 12, 31))
    assert claim in {meant for rows in untouched._coming.values() for meant, _ in rows}


def test_segments_and_letters_are_dealt_out_and_leave_the_rest_as_it_was() -> None:
    """With segments and letters the same debtors have the same claims; only those two columns differ."""
    plain = list(generate(40, 7, START, CREDITORS[:1], months=2).claims())
    dealt = list(
        generate(40, 7, START, CREDITORS[:1], months=2, segments=("", "early"), letter_every=4).claims()
    )
    assert {row.get("segment", "") for row in dealt} == {"", "early"}
    assert sum(row["preferred_channel"] == "letter" for row in dealt) > sum(
        row["preferred_channel"] == "letter" for row in plain
    )
    own = {"segment", "preferred_channel", "invoice_sent_to"}
    assert [{k: v for k, v in row.items() if k not in own} for row in plain] == [
        {k: v for k, v in row.items() if k not in own} for row in dealt
    ]
    assert {row["due_on"][:7] for row in plain} == {"2026-09", "2026-10"}
