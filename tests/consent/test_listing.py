"""The law as people read it."""

from consent.listing import law_rows
from consent.packs import packs_with, shipped_packs
from tests.consent.test_own_rules import HEAD, LATE


def test_every_rule_is_listed_with_its_source() -> None:
    """One row a rule, in every country: title, source, certainty, part, review and who enforces it."""
    for pack in shipped_packs().values():
        rows = law_rows(pack)
        assert [row.id for row in rows] == [rule.id for rule in pack.rules]
        assert all(row.title and row.source and row.certainty and row.enforced_by for row in rows)
        assert all(row.part and row.version and row.review_by for row in rows)


def test_a_row_tells_the_condition_and_what_it_does_today() -> None:
    """A condition reads with its parameters; doubtful law shows what it does until somebody confirms it."""
    rows = {row.id: row for row in law_rows(shipped_packs()["NL"])}
    assert rows["NL-POL-WINDOW"].condition == (
        "contact_window: opens 07:00:00, closes 20:00:00, closed_weekdays sunday, closed_holidays true"
    )
    assert (rows["NL-BIK-001"].condition, rows["NL-BIK-001"].enforced_by) == ("", "claims")
    assert (rows["EU-GDPR-021"].effect, rows["EU-GDPR-021"].effect_now) == ("deny", "approval")
    confirmed = packs_with(None, confirmed={"EU-GDPR-021": "J. Jansen"})["NL"]
    row = next(row for row in law_rows(confirmed) if row.id == "EU-GDPR-021")
    assert (row.effect_now, row.certainty, row.confirmed_by) == ("deny", "confirmed", "J. Jansen")


def test_an_operators_rules_come_last() -> None:
    """What the office added stands below the law."""
    rows = law_rows(packs_with((HEAD + LATE).encode())["NL"])
    assert (rows[-1].id, rows[-1].part, rows[-1].enforced_by) == ("OP-LATE", "own", "gate")
