"""Every dossier of the demo's portfolio, lived through for two months, holds nothing of anybody else."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import Connection, select
from typer.testing import CliRunner

from outreach import tables
from outreach.bootstrap import opened
from outreach.casework.targets import dossier_by_id
from outreach.cli import app
from outreach.config import Settings
from outreach.sharing.dossier_data import data_of
from outreach.store.types import table_of
from tests import builders as make

message = table_of(tables.messages.Message)
attempt = table_of(tables.messages.Attempt)
WORD = re.compile(r"[\w.@+-]{6,}")


def owners(conn: Connection) -> dict[str, set[int]]:
    """Words that tell whose something is, with the dossiers that may hold them."""
    found: dict[str, set[int]] = defaultdict(set)
    claims = (make.claim.c.external_id, make.claim.c.invoice_number, make.claim.c.pseudonym)
    for dossier_id, *words in conn.execute(select(make.claim.c.dossier_id, *claims)):
        for word in words:
            found[word].add(dossier_id)
    numbers = select(make.dossier.c.id, make.debtor.c.external_id).join(
        make.debtor, make.debtor.c.id == make.dossier.c.debtor_id
    )
    for dossier_id, number in conn.execute(numbers):
        found[number].add(dossier_id)
    said = select(message.c.dossier_id, message.c.pseudonym, attempt.c.token).join(
        attempt, attempt.c.message_id == message.c.id
    )
    for dossier_id, pseudonym, token in conn.execute(said):
        found[pseudonym].add(dossier_id)
        found[token].add(dossier_id)
    addresses = (
        select(make.party.c.dossier_id, make.point.c.value)
        .join(make.point, make.point.c.person_id == make.party.c.person_id)
        .where(make.point.c.kind == "email")
    )
    for dossier_id, address in conn.execute(addresses):
        found[address].add(dossier_id)
    return found


@pytest.mark.slow
def test_no_dossier_of_the_portfolio_holds_anything_of_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No number, invoice, address, message or token in what would be handed over is another dossier's."""
    monkeypatch.setenv("OUTREACH_DATA_DIR", str(tmp_path))
    done = CliRunner().invoke(app, ["demo", "--size", "300"])
    assert done.exit_code == 0, done.output
    with opened(Settings(data_dir=tmp_path / "demo")) as there, there.store.reading() as conn:
        known = owners(conn)
        seen = 0
        for dossier_id in conn.execute(select(make.dossier.c.id)).scalars().all():
            data = data_of(conn, dossier_by_id(conn, dossier_id), there.now())
            text = msgspec.json.encode(data.records).decode() + "".join(
                body.decode("utf-8", "replace") for body in data.files.values()
            )
            words = set(WORD.findall(text))
            mine = {word for word in words if dossier_id in known.get(word, ())}
            others = {word for word in words - mine if word in known}
            assert not others, f"dossier {dossier_id}"
            assert mine, "its own numbers are found, so that others' would be too"
            seen += 1
    assert seen > 50
