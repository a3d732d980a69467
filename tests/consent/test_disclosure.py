"""What may be given to somebody else: exactly what an agreement in force allows, or nothing."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from consent.disclosure import EEA, AgreementFacts, disclose, names
from consent.facts import VerdictKind

TODAY = date(2026, 11, 23)
AGREEMENT = AgreementFacts(
    code="utrecht",
    version=1,
    recipient="Gemeente Utrecht",
    purpose="early_signal",
    fields=("contact.name", "contact.phone", "arrears.amount"),
    country="NL",
    transfer="",
    valid_from_on=TODAY,
    expires_on=TODAY + timedelta(days=1),
    approved=True,
    withdrawn=False,
)
PAYLOAD: dict[str, list[dict[str, Any]]] = {"contact": [{"name": "Jan"}], "arrears": [{"amount": "64.20"}]}


def asked(**other: Any) -> Any:
    """The question that is allowed, with something else in it."""
    asks = {
        "agreement": AGREEMENT,
        "recipient": "Gemeente Utrecht",
        "purpose": "early_signal",
        "payload": PAYLOAD,
        "restricted": (),
        "today": TODAY,
    }
    return disclose(**(asks | other))


def test_what_the_agreement_names_may_leave() -> None:
    """Inside the agreement the answer is yes, with the names of exactly what leaves."""
    answer = asked()
    assert answer.allowed
    assert answer.reasons == ()
    assert answer.fields == ("arrears.amount", "contact.name")


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        ({"payload": PAYLOAD | {"contact": [{"name": "Jan", "bsn": "1"}]}}, "outside_agreement:contact.bsn"),
        ({"payload": PAYLOAD | {"flag": [{"code": "ill"}]}}, "outside_agreement:flag.code"),
        ({"payload": {}}, "nothing_to_share"),
        ({"payload": {"contact": []}}, "nothing_to_share"),
        ({"recipient": "Gemeente Zeist"}, "other_recipient"),
        ({"purpose": ""}, "no_purpose"),
        ({"purpose": "handover"}, "other_purpose"),
        ({"restricted": ("restriction",)}, "person:restriction"),
        ({"restricted": ("objection", "objection")}, "person:objection"),
        ({"today": TODAY - timedelta(days=1)}, "not_yet_valid"),
        ({"today": TODAY + timedelta(days=1)}, "expired"),
        ({"agreement": replace(AGREEMENT, approved=False)}, "not_approved"),
        ({"agreement": replace(AGREEMENT, withdrawn=True)}, "withdrawn"),
        ({"agreement": replace(AGREEMENT, country="US")}, "no_transfer_ground"),
        ({"agreement": replace(AGREEMENT, country="US", transfer="because")}, "no_transfer_ground"),
    ],
)
def test_one_thing_wrong_is_a_no_that_names_it(other: dict[str, Any], reason: str) -> None:
    """Each fault alone refuses the whole, and is the only reason."""
    answer = asked(**other)
    assert answer.kind is VerdictKind.DENY
    assert answer.reasons == (reason,)


def test_no_agreement_is_a_gap() -> None:
    """Nobody agreed anything: its own answer, and not a yes."""
    answer = asked(agreement=None)
    assert answer.kind is VerdictKind.GAP
    assert not answer.allowed


def test_a_transfer_outside_the_eea_needs_a_ground() -> None:
    """With a ground the country is no obstacle."""
    assert asked(agreement=replace(AGREEMENT, country="US", transfer="scc")).allowed
    assert "NO" in EEA and "GB" not in EEA


FIELD = st.sampled_from(["name", "phone", "email", "bsn", "iban", "amount", "note"])
ROWS = st.lists(st.dictionaries(FIELD, st.text(max_size=3), max_size=4), max_size=3)


@given(
    payload=st.dictionaries(st.sampled_from(["contact", "arrears", "flag"]), ROWS, max_size=3),
    allowed=st.sets(st.tuples(st.sampled_from(["contact", "arrears", "flag"]), FIELD)),
)
def test_never_a_field_outside_the_agreement(payload: Any, allowed: set[tuple[str, str]]) -> None:
    """Whatever is asked: allowed exactly where every name is in the agreement, else each other one is named."""
    fields = tuple(f"{record}.{name}" for record, name in sorted(allowed))
    answer = asked(agreement=replace(AGREEMENT, fields=fields), payload=payload)
    outside = [name for name in names(payload) if name not in fields]
    assert answer.allowed == (not outside and bool(names(payload)))
    assert [reason for reason in answer.reasons if ":" in reason] == [
        f"outside_agreement:{name}" for name in outside
    ]
    assert set(answer.fields) == set(names(payload))
