"""The data that amounts rest on: whole, in order, and no surer than those who read the law were."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest

from consent.packs import shipped_parts
from outreach.claims.rates import rate_table, shipped_tables
from outreach.claims.rules import AmountRefused, cite, in_force, rule_on, shipped_rules

LAW = Path(__file__).resolve().parents[4] / "shared" / "law"


@pytest.mark.skipif(not LAW.is_dir(), reason="shared law is not beside this repository")
def test_no_rule_is_surer_than_its_reader() -> None:
    """Each rule is known by its id, with the validity that was read; only policy of our own is ours to name."""
    known = {rule["id"]: rule for rule in json.loads((LAW / "rules.json").read_text("utf-8"))["rules"]}
    for pack in shipped_rules().values():
        for rule in pack.rules:
            read = known[rule.id]
            assert rule.certainty in (read["status"], "policy"), rule.id
            if read["effective_from"]:
                assert rule.valid_from == date.fromisoformat(read["effective_from"]), rule.id


@pytest.mark.skipif(not LAW.is_dir(), reason="shared law is not beside this repository")
def test_dutch_rates_are_those_of_the_shared_table() -> None:
    """Row for row, and on each day that the table's own look-ups name."""
    told = json.loads((LAW / "nl_rates.json").read_text("utf-8"))
    for kind in ("consumer", "commercial"):
        table = rate_table("NL", kind)
        rows = [(row.from_on.isoformat(), row.percent) for row in table.rows]
        assert rows == [(row["from"], row["percent"]) for row in told[kind]]
        assert table.known_until.isoformat() == told["stale_after"]
    for look in told["lookups"]:
        on = date.fromisoformat(look["date"])
        [(_, _, rate)] = rate_table("NL", look["kind"]).pieces(on, date.fromordinal(on.toordinal() + 1))
        assert rate.percent == look["percent"], look


def test_every_rule_that_a_table_names_is_there() -> None:
    """A table cites rules of the packs, and every row says who told it."""
    for table in shipped_tables().values():
        assert cite(*table.rules).rules == table.rules
        assert all(row.source for row in table.rows)


def test_rows_out_of_order_are_refused() -> None:
    """A row that would hide another is an error when the file is read."""
    table = rate_table("NL", "consumer")
    with pytest.raises(ValueError, match="dates that rise"):
        msgspec.structs.replace(table, rows=table.rows[::-1])
    with pytest.raises(ValueError, match="dates that rise"):
        msgspec.structs.replace(table, known_until=table.rows[-1].from_on)


def test_an_unknown_country_is_a_refusal_that_names_what_there_is() -> None:
    """No rate is borrowed from another country."""
    country: Any = "DE"
    with pytest.raises(AmountRefused, match="expected one of BE consumer"):
        rate_table(country, "consumer")


def test_rules_hold_from_their_first_day_until_their_pack_is_to_be_read_again() -> None:
    """The law in force on the day counts, and an overdue review stops amounts."""
    assert not in_force("NL-BIK-007", date(2026, 9, 30))
    assert in_force("NL-BIK-007", date(2026, 10, 1))
    review = shipped_rules()["NL"].review_by
    rule_on("NL-BIK-001", date.fromordinal(review.toordinal() - 1))
    with pytest.raises(AmountRefused, match="was to be read again"):
        rule_on("NL-BIK-001", review)


def test_a_citation_names_what_is_unverified() -> None:
    """Rules keep the order in which they spoke, once each."""
    found = cite("NL-LIM-001", "NL-LIM-003").and_also(cite("NL-LIM-001", "NL-BIK-001"))
    assert found.rules == ("NL-LIM-001", "NL-LIM-003", "NL-BIK-001")
    assert found.unverified == ("NL-LIM-003",)


def test_the_rules_that_are_listed_are_those_that_count() -> None:
    """Where the list for people names a rule of money, it says of it what the engine's own file says."""
    listed = {rule.id: rule for one in shipped_parts() for rule in one.part.rules}
    for pack in shipped_rules().values():
        for rule in pack.rules:
            shown = listed[rule.id]
            assert (shown.certainty, shown.valid_from or date.min) == (rule.certainty, rule.valid_from)
