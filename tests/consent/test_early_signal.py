"""The gate of early signals beyond its published cases: each fact at its edge."""

from datetime import date
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.early_signal import QUESTIONS, SignalFacts, early_signal
from consent.packs import Pack, packs_with, shipped_packs
from tests.consent.cases import NL
from tests.consent.test_packs import changed

TODAY = date(2026, 11, 24)
SIGNAL = SignalFacts(
    creditor_type="landlord",
    arrears=True,
    written_reminders=1,
    personal_contact_effort=True,
    pointed_to_debt_help=True,
    offered_data_sharing_in_reminder=True,
    debtor_refused_sharing=False,
    dispute_open=False,
    payment_plan_active_and_kept=False,
    municipality_known=True,
    payload=("name", "address", "phone", "email", "arrears_amount", "creditor_ref"),
)
"""A signal that may be sent."""

OTHERWISE: list[tuple[dict[str, Any], str, set[str]]] = [
    ({}, "allow", set()),
    ({"creditor_type": "municipal_tax"}, "block", {"NL-WGS-001"}),
    ({"creditor_type": "Landlord"}, "block", {"NL-WGS-001"}),
    ({"creditor_type": "heat"}, "allow", set()),
    ({"creditor_type": "health_insurer"}, "allow", set()),
    ({"arrears": False}, "block", {"NL-WGS-ARREARS"}),
    ({"personal_contact_effort": False}, "block", {"NL-WGS-003"}),
    ({"pointed_to_debt_help": False}, "block", {"NL-WGS-004"}),
    ({"written_reminders": 0}, "block", {"NL-WGS-005"}),
    ({"offered_data_sharing_in_reminder": False}, "block", {"NL-WGS-006"}),
    ({"debtor_refused_sharing": True}, "block", {"NL-WGS-006"}),
    ({"payload": (*SIGNAL.payload, "bsn")}, "block", {"NL-WGS-007"}),
    ({"payload": ("name", "arrears_amount")}, "allow", set()),
    ({"open_signal": True}, "block", {"NL-WGS-ONE"}),
    ({"signal_kind": "end_of_supply"}, "block", {"NL-WGS-008"}),
    ({"signal_kind": "end_of_supply", "earlier_signal_sent": True, "open_signal": True}, "allow", set()),
    ({"signal_kind": "what is this"}, "block", {"NL-WGS-008"}),
    ({"municipality_known": False}, "review", {"NL-WGS-012"}),
    ({"dispute_open": True}, "review", {"NL-WGS-DISPUTE"}),
    ({"payment_plan_active_and_kept": True}, "review", {"NL-WGS-ARRANGEMENT"}),
    ({"dispute_open": True, "arrears": False}, "block", {"NL-WGS-ARREARS", "NL-WGS-DISPUTE"}),
]


def asked(facts: SignalFacts, pack: Pack = NL, on: date = TODAY) -> tuple[str, set[str]]:
    """The verdict and the rules that stand in the way."""
    found = early_signal(facts, pack, on)
    return found.verdict, {reason.rule for reason in found.reasons if reason.refuses}


@pytest.mark.parametrize(("changes", "verdict", "rules"), OTHERWISE)
def test_each_fact_at_its_edge(changes: dict[str, Any], verdict: str, rules: set[str]) -> None:
    """One fact that is missing blocks the signal or gives it to a person, under the name of its rule."""
    assert asked(msgspec.structs.replace(SIGNAL, **changes)) == (verdict, rules)


def test_every_answer_names_all_rules_with_their_source() -> None:
    """Also an allowing verdict says which rules spoke and where they come from."""
    reasons = early_signal(SIGNAL, NL, TODAY).reasons
    assert len(reasons) == len(QUESTIONS)
    assert all(reason.kind == "allow" and reason.source and reason.certainty for reason in reasons)


@pytest.mark.parametrize("word", QUESTIONS)
def test_a_pack_that_lost_a_question_blocks(word: str) -> None:
    """A question that no rule asks blocks every signal under the question's name."""
    assert asked(SIGNAL, changed(NL, drop=word)) == ("block", {word})


def test_without_a_law_there_is_no_signal() -> None:
    """Before the decree, and in a country that has none, nothing may be signalled."""
    assert asked(SIGNAL, on=date(2021, 1, 1))[0] == "allow"
    assert asked(SIGNAL, on=date(2020, 12, 31)) == ("block", set(QUESTIONS))
    assert asked(SIGNAL, shipped_packs()["BE"]) == ("block", set(QUESTIONS))


def test_doubtful_law_gives_a_signal_to_a_person() -> None:
    """A condition that nobody verified asks for review where it fails, and blocks once it is confirmed."""
    doubtful = changed(NL, certainty="unverified")
    refused = msgspec.structs.replace(SIGNAL, arrears=False)
    assert (asked(SIGNAL, doubtful)[0], asked(refused, doubtful)[0]) == ("allow", "review")
    confirmed = changed(doubtful, confirmed_by="J. Jansen")
    assert asked(refused, confirmed)[0] == "block"
    assert packs_with(None, confirmed={"NL-WGS-013": "J. Jansen"})


WORSE = {
    name: value
    for change, verdict, _ in OTHERWISE
    if verdict != "allow" and len(change) == 1
    for name, value in change.items()
}


@given(st.sets(st.sampled_from(sorted(WORSE))))
def test_the_strictest_answer_wins(names: set[str]) -> None:
    """However many facts are missing, what blocks alone blocks together with others."""
    alone = {asked(msgspec.structs.replace(SIGNAL, **{name: WORSE[name]}))[0] for name in names}
    strictest = next((word for word in ("block", "review") if word in alone), "allow")
    assert asked(msgspec.structs.replace(SIGNAL, **{name: WORSE[name] for name in names}))[0] == strictest
