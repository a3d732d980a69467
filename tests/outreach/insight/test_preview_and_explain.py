"""What staff see beforehand is what is sent; why it was or was not sent can be told afterwards."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from outreach import tables
from outreach.bootstrap import opened
from outreach.config import Settings
from outreach.insight.preview import PREVIEW_TOKEN
from tests import builders as make
from tests.installations import initialise
from tests.stories.living import lived

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)


def outreach(settings: Settings, *arguments: str, status: int = 0) -> Any:
    """Run a command as a person would and return what it prints as JSON."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("OUTREACH_")}
    environ |= {"OUTREACH_DATA_DIR": str(settings.data_dir), "OUTREACH_DATABASE_URL": settings.database_url}
    done = subprocess.run(
        [sys.executable, "-m", "outreach", "--json", *arguments],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == status, done.stderr + done.stdout
    return json.loads(done.stdout) if done.stdout.strip() else None


@pytest.fixture
def book(settings: Settings) -> Settings:
    """Jan owes two invoices, Piet has no address, and Klaas disputes his."""
    initialise(settings, is_trial=True)
    with opened(settings) as app, app.store.transaction() as conn:
        who = make.a_creditor(conn)
        jan = make.a_debtor(conn, who, "JAN", name="Jan «O'Brien» de Vries-Žižka")
        make.a_claim(conn, jan, "F1", due=date(2026, 11, 20), description="Huur <b>november</b>")
        make.a_claim(conn, jan, "F2", due=date(2026, 11, 22), cents=125_000)
        make.a_claim(conn, make.a_debtor(conn, who, "PIET", email=None), "F3", due=date(2026, 11, 20))
        klaas = make.a_debtor(conn, who, "KLAAS", email="klaas@example.net")
        disputed = make.a_claim(conn, klaas, "F4", due=date(2026, 11, 20))
        make.a_stop(conn, "dispute", "claim", claim_id=disputed)
    return settings


def sent_bytes(settings: Settings) -> list[tuple[str, bytes]]:
    """The token and the exact bytes of every mail that left."""
    with opened(settings) as app, app.store.reading() as conn:
        bodies = {row.id: row.body for row in make.rows(conn, tables.correspondence.Content)}
        attempts = make.rows(conn, tables.messages.Attempt, state="accepted")
    return [(row.token, bodies[row.content_id]) for row in attempts]


def test_a_preview_is_the_message_that_is_sent_byte_for_byte(book: Settings, tmp_path: Path) -> None:
    """Only the random token differs between what staff saw and what left."""
    folder = tmp_path / "preview"
    [shown] = outreach(book, "preview", "--debtor", "JAN", "--at", NOW.isoformat(), "--out", str(folder))
    assert shown["may_go"] is True
    lived(book, [NOW])
    [(token, body)] = sent_bytes(book)
    previewed = Path(shown["message"]).read_bytes()
    assert previewed == body.replace(token.encode(), PREVIEW_TOKEN.encode())
    [file] = book.outbox.rglob("*.eml")
    assert file.read_bytes() == body


def test_a_preview_of_what_may_not_go_says_so_and_leaves_out_the_payment_date(
    book: Settings, tmp_path: Path
) -> None:
    """A Sunday: the message can be looked at, with the reason why it waits and without that sentence."""
    sunday = (NOW + timedelta(days=5)).isoformat()
    [shown] = outreach(book, "preview", "--debtor", "JAN", "--at", sunday, "--out", str(tmp_path / "p"))
    assert shown["may_go"] is False
    assert shown["code"] == "closed_weekday"
    page = Path(shown["message"]).with_suffix(".html").read_text()
    assert "verwerkt" not in page
    [allowed] = outreach(
        book, "preview", "--debtor", "JAN", "--at", NOW.isoformat(), "--out", str(tmp_path / "q")
    )
    assert "verwerkt" in Path(allowed["message"]).with_suffix(".html").read_text()


def test_a_preview_without_an_address_names_the_gap(book: Settings, tmp_path: Path) -> None:
    """The text can be judged although nobody could be reached."""
    [shown] = outreach(
        book, "preview", "--debtor", "PIET", "--at", NOW.isoformat(), "--out", str(tmp_path / "p")
    )
    assert (shown["may_go"], shown["code"]) == (False, "no_contact_point")


def test_the_past_is_explained_from_what_was_recorded_and_made_again(book: Settings) -> None:
    """The recorded decision names every rule with its source, and comes out the same from its frozen facts."""
    lived(book, [NOW])
    with opened(book) as app, app.store.transaction() as conn:
        conn.exec_driver_sql("UPDATE person SET name = 'Someone Else'")
    [one] = outreach(book, "explain", "--debtor", "JAN", "--at", NOW.isoformat())
    assert one["run_again"] == "same"
    assert one["facts"]["party"]["name"].startswith("Jan")
    assert one["answer"]["plan"]["channel"] == "email"
    rules = {reason["rule"]: reason["kind"] for reason in one["answer"]["reasons"]}
    assert rules["NL-POL-WINDOW"] == "allow"
    assert all(reason["source"] for reason in one["answer"]["reasons"])


@pytest.mark.parametrize(
    ("debtor", "outcome", "code"),
    [("PIET", "task", "no_contact_point"), ("KLAAS", "stopped", "dispute")],
)
def test_a_silence_is_explained_too(book: Settings, debtor: str, outcome: str, code: str) -> None:
    """Nothing was said, and the reason is on record."""
    lived(book, [NOW])
    [one] = outreach(book, "explain", "--debtor", debtor, "--at", NOW.isoformat())
    assert (one["answer"]["outcome"], one["answer"]["code"]) == (outcome, code)
    assert one["run_again"] == "same"


def test_the_future_is_explained_from_the_facts_as_they_are(book: Settings) -> None:
    """A week after the first reminder the second will be due."""
    lived(book, [NOW])
    [soon] = outreach(book, "explain", "--debtor", "JAN", "--at", (NOW + timedelta(days=3)).isoformat())
    assert (soon["answer"]["outcome"], soon["answer"]["code"]) == ("waiting", "step_not_yet")
    [later] = outreach(book, "explain", "--debtor", "JAN", "--at", (NOW + timedelta(days=7)).isoformat())
    assert {told for _, told in later["answer"]["plan"]["steps"]} == {"reminder_again"}


def test_the_log_tells_who_looked_and_what_was_withheld(book: Settings, tmp_path: Path) -> None:
    """A preview and a silence are entries; none of them holds a name, an address or an amount."""
    outreach(
        book,
        "preview",
        "--debtor",
        "JAN",
        "--at",
        NOW.isoformat(),
        "--out",
        str(tmp_path),
        "--as",
        "staff:an",
    )
    lived(book, [NOW])
    entries = outreach(book, "log", "show")
    types = {entry["type"] for entry in entries}
    assert {"previewed", "composed", "handed_over", "accepted", "withheld"} <= types
    [previewed] = [entry for entry in entries if entry["type"] == "previewed"]
    assert previewed["actor"] == "staff:an"
    everything = json.dumps(entries)
    for secret in ("Vries", "jan@example.net", "64.20", "6420", "125000"):
        assert secret not in everything


def test_an_unknown_debtor_is_bad_usage(book: Settings) -> None:
    """Exit status 2, and a message that names what was looked for."""
    outreach(book, "explain", "--debtor", "NOBODY", status=2)
