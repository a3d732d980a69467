"""A handover dossier: complete, or refused with what is missing; and nothing of any other debtor."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import Connection, delete, insert, select, update

from outreach import tables
from outreach.casework import conversations
from outreach.casework.targets import Named
from outreach.errors import Refused
from outreach.sharing import dossier
from outreach.sharing.dossier_data import amount
from outreach.sharing.fields import HANDOVER_RECORDS
from outreach.store.types import new_id, table_of
from tests import builders as make
from tests.outreach.sharing.scene import (
    ADDRESS,
    ANNA,
    DAY,
    DUE,
    JAN,
    NOW,
    Content,
    Disclosure,
    Neighbour,
    Office,
    a_neighbour,
    agreed,
    approved_handover,
    changed,
    creditor_id,
    jan,
    restricted,
    spoke,
)

CODE = "handover_example_bailiff"
kept = table_of(Content)


def ready(office: Office) -> Office:
    """All that a handover needs is there."""
    office.run(lambda conn: agreed(conn, "handover"))
    office.run(spoke)
    office.run(approved_handover)
    return office


def handed(office: Office, named: Named = JAN, actor: str = ANNA, code: str = CODE) -> dossier.Handed:
    """Make the dossier, as the command does."""
    return office.run(lambda conn: dossier.hand_over(conn, named, code, make.KEYS, actor, NOW))


def test_a_dossier_is_whole(office: Office, tmp_path: Path) -> None:
    """Claims, payments, every message with its bytes and proof, decisions, approval; each file has its hash."""
    ready(office)
    office.run(_paid)
    made = handed(office)
    assert made.shared.answer.allowed, made.shared.answer.reasons
    said = json.loads(made.files["dossier.json"])
    data = said["data"]
    assert data.keys() == HANDOVER_RECORDS.keys()
    assert [(row["invoice_number"], row["open"]) for row in data["claim"]] == [
        ("F1", "590.00"),
        ("F2", "50.00"),
    ]
    assert [(row["amount"], row["invoice_number"]) for row in data["payment"]] == [("10.00", "F1")]
    assert [(row["name"], row["address"], row["number"]) for row in data["party"]] == [
        ("Jan de Vries", ADDRESS, "JAN")
    ]
    [message] = data["message"]
    assert (message["state"], message["template"]) == ("accepted", "help_offer")
    assert {"composed", "handed_over", "accepted"} <= {one["type"] for one in message["proof"]}
    assert hashlib.sha256(made.files[message["file"]]).hexdigest() == message["sha256"]
    [talk] = data["said"]
    assert made.files[talk["file"]] == b"We spoke of help."
    assert data["approval"][0]["approved"] is True
    assert data["decision"]
    listed = json.loads(made.files["manifest.json"])["files"]
    assert {one["path"]: one["sha256"] for one in listed} == {
        name: hashlib.sha256(body).hexdigest() for name, body in made.files.items() if name != "manifest.json"
    }
    row = office.row(Disclosure)
    assert (row.kind, row.pseudonym) == ("handover", said["id"])
    assert office.content(row.content_id) == made.files["dossier.json"]
    shown = made.files["dossier.html"].decode()
    assert "Jan de Vries" in shown and "F1" in shown and "<script" not in shown and "http" not in shown
    dossier.expect_empty(tmp_path / "new")
    dossier.write(tmp_path / "new", made.files)
    with pytest.raises(Refused, match="not an empty folder"):
        dossier.expect_empty(tmp_path / "new")


def _paid(conn: Connection) -> None:
    where = jan(conn)
    owed = make.Debtor(where.creditor_id, where.person_id, where.debtor_id, where.id, None)
    claim = conn.execute(select(make.claim.c.id).where(make.claim.c.external_id == "F1")).scalar_one()
    make.a_payment(conn, owed, claim, 1_000, NOW.date() - DAY)


def _dispute(conn: Connection, **values: Any) -> int:
    claim = conn.execute(select(make.claim.c.id)).scalars().first()
    return make.a_stop(conn, "dispute", "claim", claim_id=claim, **values)


REFUSED: dict[str, tuple[Callable[[Connection], Any], str]] = {
    "not decided": (
        lambda conn: conn.execute(delete(table_of(tables.claims.Approval))),
        "handover_not_approved",
    ),
    "decided against since": (
        lambda conn: approved_handover(conn, approved=False, at=NOW),
        "handover_not_approved",
    ),
    "a decision used up": (
        lambda conn: conn.execute(update(table_of(tables.claims.Approval)).values(until_at=NOW)),
        "handover_not_approved",
    ),
    "disputed": (_dispute, "dispute_open"),
    "no address": (
        lambda conn: conn.execute(delete(make.point).where(make.point.c.kind == "letter")),
        "no_address",
    ),
    "nothing due": (
        lambda conn: conn.execute(update(make.claim).values(due_on=NOW.date())),
        "nothing_open",
    ),
    "in doubt": (
        lambda conn: conn.execute(update(table_of(tables.messages.Attempt)).values(state="in_doubt")),
        "message_in_doubt",
    ),
    "erased": (
        lambda conn: conn.execute(delete(kept).where(kept.c.codec == "rfc822")),
        "correspondence_erased",
    ),
    "restricted": (restricted, "person:restriction"),
    "expired": (lambda conn: changed(conn, expires_on=NOW.date()), "expired"),
    "not agreed": (lambda conn: changed(conn, code="another"), "no_agreement"),
    "another purpose": (lambda conn: changed(conn, purpose="early_signal"), "other_purpose"),
    "a field less": (
        lambda conn: conn.execute(
            update(table_of(tables.sharing.Agreement)).values(
                fields=json.dumps(
                    [
                        f"{r}.{n}"
                        for r, names in HANDOVER_RECORDS.items()
                        for n in names
                        if (r, n) != ("claim", "open")
                    ]
                )
            )
        ),
        "outside_agreement:claim.open",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_one_thing_missing_refuses_the_whole(office: Office, name: str) -> None:
    """The dossier that may be handed over is refused for one thing, which its entry names; no file is made."""
    change, reason = REFUSED[name]
    ready(office).run(change)
    made = handed(office)
    assert made.shared.answer.reasons == (reason,)
    assert made.files == {}
    assert office.rows(Disclosure) == []
    assert reason in office.entries("disclosure_refused")[0][1]


def test_an_answered_dispute_is_in_the_dossier(office: Office) -> None:
    """It no longer stands in the way, and the recipient sees that it was there."""
    ready(office).run(lambda conn: _dispute(conn, lifted_at=NOW - DAY, reason_code="wrong_amount"))
    [row] = json.loads(handed(office).files["dossier.json"])["data"]["dispute"]
    assert (row["cause"], row["ended"]) == ("wrong_amount", (NOW - DAY).isoformat())


def test_a_job_hands_nothing_over(office: Office) -> None:
    """A person decides it."""
    with pytest.raises(Refused, match="a person does"):
        handed(ready(office), actor="job:handover")


def test_a_name_is_text_on_the_page(office: Office) -> None:
    """What somebody is called can't change the page."""
    ready(office).run(lambda conn: conn.execute(update(make.person).values(name="<b>Jan</b> & Zn")))
    assert "&lt;b&gt;Jan&lt;/b&gt; &amp; Zn" in handed(office).files["dossier.html"].decode()


# Nothing of any other debtor: the same name, the same person elsewhere, a co-debtor with a dossier of their own.


def _split_payment(conn: Connection, first: int, second: int, whose: make.Debtor) -> str:
    """One payment for the claims of two dossiers; return the other's part as it is written."""
    cents = 100_000_000 + secrets.randbelow(100_000_000)
    key = make.a_payment(conn, whose, first, 100, DUE)
    values = {"payment_id": key, "claim_id": second, "booked_on": DUE, "amount_cents": cents}
    conn.execute(insert(make.allocation).values(**values))
    return amount(cents)


def a_street(conn: Connection, kinds: list[str]) -> list[Neighbour]:
    """Neighbours of Jan, each related to him in another way."""
    where = jan(conn)
    first = conn.execute(select(make.claim.c.id).where(make.claim.c.dossier_id == where.id)).scalars().first()
    owed = make.Debtor(where.creditor_id, where.person_id, where.debtor_id, where.id, None)
    made = []
    for kind in kinds:
        creditor = creditor_id(conn)
        if kind == "elsewhere":
            creditor = make.a_creditor(conn, f"ZON-{new_id()[:8]}", name=f"Zonnestroom {new_id()[:8]}")
        person_id = where.person_id if kind in {"same_person", "elsewhere"} else None
        name = "Jan de Vries" if kind == "namesake" else f"Buur {new_id()[:8]}"
        one = a_neighbour(conn, creditor, f"N-{new_id()[:8]}", name, person_id=person_id)
        there = one.dossier
        claim = conn.execute(select(make.claim.c.id).where(make.claim.c.dossier_id == there.id)).scalar_one()
        mark = new_id()
        said = conversations.Said(
            Named(
                claim=conn.execute(
                    select(make.claim.c.external_id).where(make.claim.c.id == claim)
                ).scalar_one()
            ),
            "conversation",
            is_in=True,
            at=NOW - DAY,
            body=mark.encode(),
        )
        conversations.record(conn, said, ANNA, NOW)
        words = [*one.words[:1], *one.words[3:], mark, there.pseudonym]
        if person_id is None:
            words += one.words[1:3]
        if kind not in {"namesake"} and person_id is None:
            words.append(name)
        if kind == "co_debtor":
            # Jan owes with them there: what is theirs alone is still not his.
            make.insert_row(
                conn, make.party, dossier_id=there.id, person_id=where.person_id, role="co_debtor"
            )
        if kind == "split":
            assert first is not None
            words.append(_split_payment(conn, first, claim, owed))
        made.append(Neighbour(there, tuple(words)))
    return made


KINDS = ["stranger", "namesake", "same_person", "elsewhere", "co_debtor", "split"]


def all_bytes(made: dossier.Handed) -> bytes:
    """Everything that leaves."""
    return b"\n".join([*made.files.values(), *(name.encode() for name in made.files)])


@hypothesis_settings(max_examples=6)
@given(kinds=st.lists(st.sampled_from(KINDS), min_size=1, max_size=8))
def test_nothing_of_any_other_debtor_is_in_it(street: Office, kinds: list[str]) -> None:
    """Whoever else lives, owes or is called alike: no number, name, address, bill or word of theirs leaves."""
    neighbours = street.run(lambda conn: a_street(conn, kinds))
    made = handed(street)
    assert made.shared.answer.allowed, made.shared.answer.reasons
    everything = all_bytes(made).decode()
    assert "Jan de Vries" in everything and "F1" in everything
    for one in neighbours:
        assert [word for word in one.words if word in everything] == []
    for one in neighbours:
        street.run(lambda conn, one=one: _approve(conn, one))
        named = Named(claim=street.run(lambda conn, one=one: _claim(conn, one)))
        other = handed(street, named)
        theirs = all_bytes(other).decode()
        strangers = [word for two in neighbours if two is not one for word in two.words if word in theirs]
        assert strangers == []
        assert "F1" not in json.dumps(
            json.loads(other.files["dossier.json"])["data"]["claim"] if other.files else ""
        )


def _claim(conn: Connection, one: Neighbour) -> str:
    query = select(make.claim.c.external_id).where(make.claim.c.dossier_id == one.dossier.id)
    return str(conn.execute(query).scalar_one())


def _approve(conn: Connection, one: Neighbour) -> None:
    approved_handover(conn, where=one.dossier)


@pytest.fixture
def street(office: Office) -> Office:
    """The office in which neighbours come to live."""
    return ready(office)
