"""The commands about the law: rules with sources, confirmations, the record of processing, and JSON lines."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from outreach import tables
from outreach.bootstrap import opened
from outreach.cli import law, settings_of_a_call
from outreach.errors import Refused, UsageError
from tests.meta.documents import ROOT
from tests.outreach.casework.office import NOW, Office, an_office

Command = Callable[..., Any]


@pytest.fixture
def office(settings: Any) -> Office:
    """A book with two debtors."""
    return an_office(settings)


@pytest.fixture
def run(office: Office, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Run a command and return what it prints; what it refuses is raised."""
    monkeypatch.setenv("OUTREACH_DATA_DIR", str(office.settings.data_dir))
    monkeypatch.setenv("OUTREACH_DATABASE_URL", office.settings.database_url)
    app = typer.Typer()
    app.callback()(settings_of_a_call)
    law.register(app)

    def running(*arguments: str, asked: str = "", lines: bool = False) -> Any:
        done = CliRunner().invoke(app, [*([] if lines else ["--json"]), "law", *arguments], input=asked)
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        assert done.exit_code == 0, done.output
        return done.output if lines else json.loads(done.output)

    return running


def test_every_rule_is_shown_with_its_source(run: Command) -> None:
    """Each has an effect, a place where it is enforced, a certainty and a source; people read it in one column."""
    rows = run("show")
    assert len(rows) > 60
    assert all(row["source"] and row["certainty"] and row["enforced_by"] and row["title"] for row in rows)
    assert all(row["id"] in run("show", lines=True) for row in rows)
    detail = run("show", "--rule", "NL-POL-WINDOW", lines=True)
    assert "opens 07:00:00" in detail
    assert "source: " in detail
    with pytest.raises(UsageError, match="expected one of"):
        run("show", "--country", "XX")


def test_a_named_person_confirms_a_rule_once(office: Office, run: Command) -> None:
    """From then on it may forbid; a job can't confirm, nor anybody a rule that is sure."""
    source = ("--source", "GDPR art. 21")
    with pytest.raises(Refused, match="by name"):
        run("confirm", "EU-GDPR-021", *source)
    with pytest.raises(UsageError, match="needs no confirmation"):
        run("confirm", "POL-STOPS", *source, "--as", "staff:ans")
    run("confirm", "EU-GDPR-021", *source, "--as", "staff:ans")
    with pytest.raises(Refused, match="confirmed already"):
        run("confirm", "EU-GDPR-021", *source, "--as", "staff:ans")
    [row] = run("show", "--rule", "EU-GDPR-021")
    assert (row["confirmed_by"], row["effect_now"]) == ("staff:ans", "deny")
    assert [kind for kind, _ in office.entries("rule_confirmed")] == ["rule_confirmed"]
    with opened(office.settings) as app, app.store.reading() as conn:
        pack = app.versions.packs["NL"]
        kept = conn.execute(tables.correspondence.Artefact.__table__.select()).all()  # type: ignore[attr-defined]
        assert pack.hash in {one.hash for one in kept}, "what decisions name can be replayed"
    run("withdraw", "EU-GDPR-021", "--as", "staff:ans")
    [row] = run("show", "--rule", "EU-GDPR-021")
    assert (row["confirmed_by"], row["effect_now"]) == ("", "approval")


def test_a_confirmation_makes_everything_be_looked_at_again(office: Office, run: Command) -> None:
    """What was ready under the old rules is planned anew: every creditor's policy has a new epoch."""
    before = office.row(tables.parties.Creditor).policy_epoch
    run("confirm", "EU-GDPR-021", "--source", "GDPR art. 21", "--as", "staff:ans")
    assert office.row(tables.parties.Creditor).policy_epoch > before


def test_the_record_of_processing_counts_what_was_done(office: Office, run: Command) -> None:
    """Two reminders belong to the activity of reminding; nothing was done that nobody declared."""
    office.live(NOW)
    found = run("record")
    assert {row["code"]: row["messages"] for row in found["activities"]}["dunning"] == 2
    assert found["undeclared"] == {}
    assert run("record", "--csv", lines=True).startswith("code,title,basis")
    composed = office.rows(tables.correspondence.LogEntry, type="composed")
    assert all(json.loads(row.versions)["activity"].startswith("dunning@") for row in composed)


def test_an_operators_own_rules_tighten(
    office: Office, run: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The example in the documents holds for every message; a wrong file is refused at the start, by name."""
    text = (ROOT / "docs" / "rules.md").read_text("utf-8").split("```toml\n")[1].split("```")[0]
    path = Path(office.settings.data_dir) / "own.toml"
    path.write_text(text, "utf-8")
    monkeypatch.setenv("OUTREACH_OWN_RULES", str(path))
    assert [row["title"] for row in run("show", "--rule", "OP-")] == ["We write to nobody before nine"]
    path.write_text(text.replace("OP-LATE", "POL-STOPS"), "utf-8")
    with pytest.raises(UsageError, match="OUTREACH_OWN_RULES: rule POL-STOPS"):
        run("show")
    monkeypatch.setenv("OUTREACH_OWN_RULES", str(path) + "x")
    with pytest.raises(UsageError, match="expected a readable file"):
        run("show")


def test_questions_come_and_go_as_lines(run: Command) -> None:
    """One answer for each line, in order, with its id; what can't be read has an error."""
    asked = [
        '{"id":1,"ask":"costs","country":"NL","debtor":"consumer","principals":["1000.00"],"on":"2026-03-01"}',
        '{"id":"b","ask":"sms_segments","text":"Zo\\u00eb"}',
        '{"id":3,"ask":"contact_window","country":"NL","at":"2026-03-04T05:00:00+00:00",'
        '"zone":"Europe/Amsterdam","channel":"sms"}',
        '{"id":4,"ask":"tea"}',
        "",
        "{not json",
    ]
    output = run("batch", asked="\n".join(asked), lines=True)
    answers = [json.loads(line) for line in output.splitlines()]
    assert [one.get("id") for one in answers] == [1, "b", 3, 4, None]
    assert (answers[0]["costs"], answers[1]["segments"], answers[2]["allowed"]) == ("150.00", 1, False)
    assert "expected one of" in answers[3]["error"]
    assert "expected JSON" in answers[4]["error"]


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=8,
)
ASKS = (
    "costs",
    "interest",
    "payment_term",
    "contact_window",
    "early_signal",
    "call_cap",
    "payment_reference",
)
FIELDS = (
    "country",
    "on",
    "principals",
    "principal",
    "from_on",
    "to_on",
    "kind",
    "debtor",
    "zone",
    "at",
    "number",
)
requests = st.builds(
    lambda ask, fields, key: {"ask": ask, "id": key} | fields,
    st.sampled_from(ASKS) | json_values,
    st.dictionaries(
        st.sampled_from(FIELDS),
        json_values | st.sampled_from(["NL", "BE", "2026-03-01", "100.00", "consumer", "Europe/Amsterdam"]),
    ),
    st.integers() | st.text(max_size=5),
)


@given(requests | json_values, st.binary(max_size=40))
def test_no_line_makes_it_crash(request: Any, noise: bytes) -> None:
    """Whatever comes in, a line goes out, with the id where there is one."""
    found = json.loads(law.answered(json.dumps(request).encode()))
    if isinstance(request, dict):
        assert found["id"] == request.get("id")
    assert isinstance(json.loads(law.answered(noise)), dict)
