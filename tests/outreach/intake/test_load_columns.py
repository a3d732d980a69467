"""Optional columns of a claims file: what was done elsewhere, segments, parts in dispute, who acts, protection."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import update

from channels.kinds import Kind
from outreach.correspondence.tables import LogEntry
from outreach.insight import find
from outreach.store.tables.claims import Claim, Signal, Stop
from outreach.store.tables.operations import Task
from outreach.store.tables.parties import ContactPoint, Debtor, Dossier, DossierParty, Person
from outreach.store.types import table_of
from tests.outreach.intake.loads import NOW, Loading, a_claim, day


def reminded(step: str, on: str = "2026-05-15") -> dict[str, str]:
    """The columns of what another system sent last."""
    return {"last_step": step, "last_step_on": on}


@pytest.mark.parametrize(
    ("word", "tone", "signals"),
    [("herinnering", "friendly", 0), ("tweede herinnering", "firm", 1), ("laatste aanmaning", "final", 1)],
)
def test_earlier_reminders_set_the_tone_and_a_signal(
    loading: Loading, word: str, tone: str, signals: int
) -> None:
    """What another system sent stands on the claim; from the second reminder on it is a signal, set once."""
    row = a_claim("C1", **reminded(word))
    loading.claims(row)
    claim = loading.one(Claim)
    assert (claim.last_step, claim.last_step_on) == (tone, day("2026-05-15"))
    again = loading.claims(row)
    assert (again.changed, again.unchanged) == (0, 1)
    found = loading.rows(Signal)
    assert [(row.kind, row.claim_id, row.on_date) for row in found] == signals * [
        ("reminded_elsewhere", claim.id, day("2026-05-15"))
    ]
    assert len([row for row in loading.rows(LogEntry) if row.type == "signal_set"]) == signals


def test_a_later_reminder_elsewhere_changes_the_claim(loading: Loading) -> None:
    """A file that tells of a next step changes the claim and sets its signal; an absent column takes nothing back."""
    loading.claims(a_claim("C1", **reminded("herinnering")))
    assert loading.claims(a_claim("C1", **reminded("aanmaning", "2026-05-25"))).changed == 1
    assert loading.claims(a_claim("C1")).unchanged == 1
    claim = loading.one(Claim)
    assert (claim.last_step, claim.last_step_on) == ("formal", day("2026-05-25"))
    assert loading.one(Signal).on_date == day("2026-05-25")


def test_a_reminder_of_tomorrow_is_refused_outside_a_trial(loading: Loading) -> None:
    """What was sent lies in the past; a trial may play any day."""
    rows = a_claim("C1", **reminded("firm", "2026-05-31")), a_claim("C2", **reminded("firm", "2026-06-01"))
    loading.claims(a_claim("C0"))
    report = loading.real().claims(*rows)
    assert (report.added, report.refused) == (1, 1)
    assert loading.rejects(report)[0]["field"] == "last_step_on"
    assert loading.claims(*rows).added == 1


def test_the_last_segment_counts(loading: Loading, monkeypatch: pytest.MonkeyPatch) -> None:
    """The segment is the dossier's: of several rows the last one's, in one batch or over batches, and stable."""
    rows = [
        a_claim("C1", segment="noord"),
        a_claim("C2", segment="zuid"),
        a_claim("C3"),
        a_claim("C4", contract_id="H1", segment="garage"),
    ]
    loading.claims(*rows)

    def segments() -> dict[str, str]:
        return {row.contract_id: row.segment for row in loading.rows(Dossier)}

    assert segments() == {"": "zuid", "H1": "garage"}
    monkeypatch.setattr("outreach.intake.load.BATCH", 1)
    before = loading.everything()
    assert loading.claims(*rows).changed == 0
    assert loading.everything() == before
    assert loading.claims(a_claim("C5", segment="west")).rows == 1
    assert segments() == {"": "west", "H1": "garage"}
    assert loading.claims(a_claim("C1", segment="west"), a_claim("C2", segment="oost")).changed == 1
    assert segments() == {"": "oost", "H1": "garage"}


def test_a_segment_is_short(loading: Loading) -> None:
    """A word that the database cannot hold is refused with its length."""
    report = loading.claims(a_claim("C1", segment="x" * 61), a_claim("C2", segment="x" * 60))
    assert (report.added, report.refused) == (1, 1)
    assert loading.rejects(report)[0]["field"] == "segment"


def test_direct_debit_stands_on_the_claim(loading: Loading) -> None:
    """Whether the amount is collected by direct debit is a column, and a later file may change it."""
    loading.claims(a_claim("C1", direct_debit="ja"), a_claim("C2"))
    assert {row.external_id: row.direct_debit for row in loading.rows(Claim)} == {"C1": True, "C2": False}
    assert loading.claims(a_claim("C1", direct_debit="nee")).changed == 1
    assert not loading.one(Claim, external_id="C1").direct_debit


@pytest.mark.parametrize(
    ("amount", "scope", "cents"),
    [("", "claim", None), ("40.00", "claim_part", 4_000), ("100.00", "claim", None), ("250", "claim", None)],
)
def test_a_dispute_of_a_part_stops_that_part(
    loading: Loading, amount: str, scope: str, cents: int | None
) -> None:
    """Of a claim of 100.00 a dispute about less stops that part; without an amount, or all of it, the claim."""
    row = a_claim("C1", disputed_on="2026-05-10", dispute_amount=amount)
    loading.claims(row)
    stop = loading.one(Stop)
    assert (stop.kind, stop.scope, stop.amount_cents) == ("dispute", scope, cents)
    assert loading.claims(row).unchanged == 1


def test_a_dispute_follows_its_amount(loading: Loading) -> None:
    """The same dispute about another amount is changed, not doubled; once lifted by a person it stays lifted."""
    loading.claims(a_claim("C1", disputed_on="2026-05-10", dispute_amount="40.00"))
    row = a_claim("C1", disputed_on="2026-05-10", dispute_amount="60.00")
    assert loading.claims(row).changed == 1
    assert loading.one(Stop).amount_cents == 6_000
    assert loading.claims(a_claim("C1", disputed_on="2026-05-10")).changed == 1
    assert (loading.one(Stop).scope, loading.one(Stop).amount_cents) == ("claim", None)
    with loading.app.store.transaction() as conn:
        conn.execute(update(table_of(Stop)).values(lifted_at=NOW, lifted_by="staff:els"))
    loading.claims(row)
    assert loading.one(Stop).lifted_by == "staff:els"


def test_a_representative_is_known_and_the_debtor_stopped(loading: Loading) -> None:
    """Who acts for debtors is one person with an address, a party of each dossier; the debtors are stopped."""
    acting = "B1: Bewind Verzonnen B.V. <post@bewind.example>"
    rows = [
        a_claim("C1", representative=acting),
        a_claim("C2", debtor_id="D2", debtor_name="Els", representative=acting),
    ]
    assert loading.claims(*rows).added == 2
    person = loading.one(Debtor, external_id="B1").person_id
    assert loading.one(Person, id=person).name == "Bewind Verzonnen B.V."
    assert loading.one(ContactPoint, person_id=person).value == "post@bewind.example"
    parties = loading.rows(DossierParty, role="representative")
    assert [row.person_id for row in parties] == [person, person]
    assert {row.dossier_id for row in parties} == {row.id for row in loading.rows(Dossier)}
    stopped = {row.person_id for row in loading.rows(Stop, kind="representative")}
    assert stopped == {loading.one(Debtor, external_id=number).person_id for number in ("D1", "D2")}
    before = loading.everything()
    assert loading.claims(*rows).unchanged == 2
    assert loading.everything() == before


def test_nobody_asks_a_representative_to_pay(loading: Loading) -> None:
    """Who acts for a debtor is no party to remind; that somebody must write to them is a task."""
    loading.claims(a_claim("C1", representative="B1: Bewind Verzonnen B.V. <post@bewind.example>"))
    with loading.app.store.reading() as conn:
        found = find.dossiers_of(conn, debtor="D1", creditor=None, person=None)
        units = find.units_of(conn, found, NOW, (Kind.EMAIL,))
    assert [unit.party.role for unit in units] == ["debtor"]
    task = loading.one(Task, kind="representative")
    assert (task.person_id, task.reason_code) == (units[0].party.person_id, "stop_representative")


def test_protection_and_death_land_at_once(loading: Loading) -> None:
    """Both stand on the person and raise their version, so that what is queued is looked at again."""
    loading.claims(a_claim("C1"), a_claim("C2", debtor_id="D2", debtor_name="Els"))
    before = {row.name: row.facts_version for row in loading.rows(Person)}
    report = loading.claims(
        a_claim("C1", address_protected="ja", street="Verzonnen Laan 12", city="Nieuw-Waterdam"),
        a_claim("C2", debtor_id="D2", debtor_name="Els", deceased_on="2026-05-20"),
    )
    assert report.changed == 2
    protected, deceased = loading.one(Person, name="Jan de Vries"), loading.one(Person, name="Els")
    assert protected.address_protected
    assert loading.one(ContactPoint, kind="letter").value == "Verzonnen Laan 12\nNieuw-Waterdam"
    assert deceased.deceased_on == day("2026-05-20")
    assert protected.facts_version > before["Jan de Vries"]
    assert deceased.facts_version > before["Els"]
    assert {row.next_look_at for row in loading.rows(Dossier)} == {datetime(1970, 1, 1, tzinfo=UTC)}
