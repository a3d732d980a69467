"""The register of processing: every purpose has one activity, and what it needs must be there."""

from __future__ import annotations

from datetime import date

import pytest

from consent.packs import PackError
from consent.processing import Declared, lacking, read, shipped_register
from consent.record import PURPOSES

REGISTER = shipped_register()
TODAY = date(2026, 11, 24)
LATER = date(2027, 1, 1)


@pytest.mark.parametrize("sender", ["creditor", "agency"])
@pytest.mark.parametrize("purpose", ["dunning", "call", "confirmation", "service", "handover", *PURPOSES])
def test_every_purpose_of_the_service_has_its_activity(purpose: str, sender: str) -> None:
    """Whatever is said has a basis that a message can cite, with the version of the register."""
    cited = REGISTER.cite(purpose, sender)  # type: ignore[arg-type]
    assert cited.endswith("@" + REGISTER.version)


def test_what_nobody_declared_has_no_basis() -> None:
    """No activity, nothing to cite."""
    assert REGISTER.activity("newsletter", "creditor") is None
    assert REGISTER.cite("newsletter", "creditor") == ""


def test_consent_is_the_basis_of_what_is_asked_for_and_of_no_reminder() -> None:
    """A reminder rests on the contract; withdrawing consent never makes it unlawful."""
    for one in REGISTER.activities:
        assert (one.basis == "6(1)(a)") is bool(set(one.purposes) & set(PURPOSES))


def declared(kind: str, subject: str, until: date | None = None) -> Declared:
    """Something that holds since this year, until a day."""
    return Declared(kind=kind, subject=subject, from_on=date(2026, 1, 1), until_on=until)


ASSESSMENT = declared("assessment", "dunning_for_others")
NOTICE = declared("privacy_notice", "dunning_for_others")


@pytest.mark.parametrize(
    ("sender", "there", "missing"),
    [
        ("creditor", (), ()),
        ("agency", (), ("assessment_missing", "notice_missing")),
        ("agency", (ASSESSMENT,), ("notice_missing",)),
        ("agency", (ASSESSMENT, NOTICE), ()),
        ("agency", (declared("assessment", "dunning"), NOTICE), ("assessment_missing",)),
        ("agency", (declared("assessment", "dunning_for_others", TODAY), NOTICE), ("assessment_missing",)),
        ("creditor", (declared("processor_contract", "relay", LATER),), ()),
        ("creditor", (declared("processor_contract", "relay", TODAY),), ("processor_contract_expired",)),
        ("creditor", (declared("processor_contract", "printer", TODAY),), ()),
        (
            "creditor",
            (declared("processor_contract", "relay", TODAY), declared("processor_contract", "relay", LATER)),
            (),
        ),
    ],
)
def test_what_an_activity_needs_must_hold_today(
    sender: str, there: tuple[Declared, ...], missing: tuple[str, ...]
) -> None:
    """An assessment and a notice where the register asks for them, and no contract that has run out."""
    found = REGISTER.activity("dunning", sender)  # type: ignore[arg-type]
    assert found is not None
    assert lacking(found, there, ("relay",), TODAY) == missing


ROW = """
[[activities]]
code = "a"
title = "A"
purposes = ["dunning"]
sender = "any"
basis = "6(1)(b)"
why = "Contract"
people = []
data = []
recipients = []
retention = "Two years"
safeguards = []
"""
HEAD = 'version = "1"\ncontroller = "The creditor"\nsource = "GDPR"\n'


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        (HEAD + ROW + ROW.replace('"a"', '"b"'), "'dunning' is a's already"),
        (HEAD + ROW.replace("6(1)(b)", "6(1)(z)"), "basis"),
        (HEAD + ROW.replace('"Contract"', '""'), "why"),
        (HEAD + ROW + 'colour = "red"\n', "colour"),
        (ROW, "version"),
    ],
)
def test_a_fault_is_refused_and_named(body: str, fault: str) -> None:
    """The message names the file, the activity or the field."""
    read((HEAD + ROW).encode(), "own.toml")
    with pytest.raises(PackError, match=f"own.toml: .*{fault}"):
        read(body.encode(), "own.toml")
