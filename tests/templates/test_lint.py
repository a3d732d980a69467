"""The lint finds what it is there to find, lets a good sentence pass, and leaves names and facts alone."""

from __future__ import annotations

import json
from datetime import date, timedelta
from functools import cache

import pytest

from channels.surfaces import Surface
from templates.catalogue import Catalogue
from templates.lint import lint_catalogue, lint_files
from templates.lint_facts import without_facts, written_at
from templates.lint_findings import Finding, Level, blocked
from templates.lint_gates import judge_sentences, judge_sms, judge_words, limits
from templates.lint_samples import full, samples
from templates.lint_words import judge_line, judge_seen, judge_terms
from templates.messages import message_tables
from templates.shown import shown
from tests.templates.notices import notice, template


@cache
def findings(name: str, language: str, form: str, old: str, new: str) -> tuple[Finding, ...]:
    """What the lint says of a shipped text in which one thing was changed, and of nothing else."""
    path = f"{language}/{form}.txt"
    text = json.loads(template(name).bytes)["files"][path]
    assert old in text
    found = lint_files(name, {path: text.replace(old, new)}, message_tables()[name])
    return tuple(each for each in found if each.rule != "missing_text")


def after(
    extra: str, name: str = "friendly_reminder", language: str = "nl", form: str = "formal"
) -> set[str]:
    """The rules broken when a paragraph is added to a text."""
    return {found.rule for found in findings(name, language, form, "\n# ", f"\n{extra}\n\n# ")}


@pytest.mark.parametrize(
    ("language", "form", "extra", "rule"),
    [
        ("nl", "formal", "Je kunt bellen.", "address"),
        ("nl", "informal", "U kunt bellen.", "address"),
        ("nl", "formal", "Dit is uw laatste kans.", "harsh"),
        ("nl", "formal", "Wij zullen niet aarzelen.", "harsh"),
        ("nl", "formal", "U moet betalen.", "early"),
        ("nl", "formal", "Indien u wilt, mag het.", "difficult"),
        ("nl", "formal", "Wat een dag!", "harsh"),
        ("nl", "formal", "Betaal binnen tien dagen.", "term"),
        ("nl", "formal", "Er komt een deurwaarder.", "unexplained"),
        ("nl", "formal", "Betaal 64,20 euro.", "typed_value"),
        ("nl", "formal", "Betaal in december.", "typed_value"),
        ("nl", "formal", "Wij bellen u over {{ m.department }} .", "hole"),
        ("nl", "formal", "Dit is " + "een " * 19 + "dag.", "long_sentence"),
        ("nl", "formal", "Voornoemde sommatie behelst vernietigbare kwijtingsclausules.", "rare_word"),
        ("nl", "formal", "Het gaat om {{ m.total }}.", "not_written"),
        ("nl", "formal", "{{ m.colour }}", "unreadable"),
        ("en", "formal", "You must pay.", "early"),
        ("en", "formal", "This is your final warning.", "harsh"),
        ("en", "formal", "We are contacting you pursuant to this.", "difficult"),
        ("en", "formal", "Pay within ten days.", "term"),
    ],
)
def test_one_sentence_is_found(language: str, form: str, extra: str, rule: str) -> None:
    """One sentence that breaks a rule is found by that rule, and a good sentence in its place is not."""
    name = "payment_confirmed" if rule == "not_written" else "friendly_reminder"
    assert rule in after(extra, name, language, form)
    good = {"nl": "Wij denken graag mee.", "en": "We are here for you."}[language]
    assert after(good, name, language, form) - {"length"} == set()


@pytest.mark.parametrize(
    ("surface", "header", "told"),
    [
        (Surface.SUBJECT, "Herinnering van {{ m.creditor_name }}", True),
        (Surface.SUBJECT, "Uw rekening", True),
        (Surface.SUBJECT, "Bericht van {{ m.creditor_name }}", True),
        (Surface.SUBJECT, "Een bericht voor u", False),
        (Surface.PREHEADER, "Er staat nog iets open", True),
        (Surface.PREHEADER, "Wij helpen u graag", False),
        (Surface.SMS, "Betaal via {{ m.payment_url }} of bel {{ m.creditor_phone }}.", True),
        (Surface.SMS, "Bericht voor u: het gaat om {{ m.total }}. Bel {{ m.creditor_phone }}.", True),
        (Surface.SMS, "Bericht voor u. Bel {{ m.creditor_phone }}.", False),
    ],
)
def test_open_surfaces(surface: Surface, header: str, told: bool) -> None:
    """What others may see says nothing of debt: no word of it, no amount, and no creditor's telling name."""
    text = json.loads(template().bytes)["files"]["nl/formal.txt"]
    old = next(line for line in text.splitlines() if line.startswith(f"{surface}: "))
    found = findings("friendly_reminder", "nl", "formal", old, f"{surface}: {header}")
    seen = {each.rule for each in found if each.surface is surface} - {"required"}
    assert bool(seen & {"tells_of_debt", "hidden"}) is told
    assert blocked(found) is told


def test_opening_is_silent() -> None:
    """The first words of the body, which some clients show as a preview, are looked at too."""
    found = findings("friendly_reminder", "nl", "formal", "\n---\n", "\n---\nU kunt nog betalen.\n\n")
    assert ("tells_of_debt", Surface.BODY) in {(each.rule, each.surface) for each in found}


@pytest.mark.parametrize(
    ("name", "old", "new", "rule"),
    [
        ("friendly_reminder", "{{ m.payments_until_on }}", "vandaag", "counted_until: payments_until_on"),
        ("friendly_reminder", "{{ line.due_on }}", "bekend", "which_bill: lines.due_on"),
        ("friendly_reminder", "{{ m.iban }}", "bekend", "how_to_pay: iban"),
        ("friendly_reminder", "{{ m.pay_by_on }}", "tijd", "pay_by: pay_by_on"),
        ("friendly_reminder", "al betaald?", "een vraag?", "already_paid"),
        ("friendly_reminder", "{{ help.geldfit.number }}", "gratis", "help_line_again: help.geldfit.number"),
        ("final_notice", "{{ m.handover_on }}", "later", "handover: handover_on"),
        ("fourteen_day_letter", "{{ m.costs }}", "later", "fourteen_days: costs"),
        ("arrangement_confirmed", "{{ part.due_on }}", "later", "parts: parts.due_on"),
        ("payment_confirmed", "{{ m.paid }}", "alles", "paid"),
    ],
)
def test_required(name: str, old: str, new: str, rule: str) -> None:
    """What a message must say and show is missed when it is taken away, and only that."""
    found = findings(name, "nl", "formal", old, new)
    assert rule in {each.words for each in found if each.rule == "required"}
    assert {each.rule for each in found if each.level is Level.BLOCK} <= {"required", "early"}
    assert not blocked(findings(name, "nl", "formal", old, old))


def test_costs_wait_for_their_message() -> None:
    """A formal notice speaks of no costs; the fourteen-day letter does, and explains them."""
    assert "never" in after("Er komen nog kosten bij.", "formal_notice")
    assert after("Er komen nog kosten bij.", "fourteen_day_letter") - {"length"} == set()


@pytest.mark.parametrize(
    ("tone", "level"), [("friendly", Level.BLOCK), ("formal", Level.BLOCK), ("final", Level.WARN)]
)
def test_phrase_that_a_tone_allows(tone: str, level: Level) -> None:
    """What only a final message may say, if it is true, is shown to a person there and refused before."""
    found = judge_line("Dit is de laatste mogelijkheid.", "nl", "formal", tone, False)
    assert {fault.level for fault in found if fault.rule == "harsh"} == {level}


def test_what_to_say_instead() -> None:
    """A finding names what to say instead."""
    [fault] = judge_line("Betaal conform de afspraak.", "nl", "formal", "final", False)
    assert (fault.words, fault.instead) == ("conform", "volgens / zoals in")


@pytest.mark.parametrize(
    ("text", "explained"),
    [
        ("Dan moet u incassokosten betalen. Dat zijn extra kosten, omdat u te laat betaalt.", True),
        ("Dan moet u incassokosten betalen.", False),
        ("Een incassobureau is een bedrijf dat geld ophaalt.", True),
        ("Dan gaat de rekening naar een incassobureau.", False),
        ("U kunt vragen om een betalingsregeling. Dan betaalt u in delen.", True),
    ],
)
def test_terms_are_explained(text: str, explained: bool) -> None:
    """A term of the trade may stand where plain words explain it at once."""
    assert (list(judge_terms(text, "nl")) == []) is explained


def test_short_sentences_of_jargon_and_long_ones_of_easy_words() -> None:
    """Each gate catches what the other lets through, and an easy text passes both."""
    jargon = "Sommatie volgt. Vordering blijft opeisbaar. Nakoming blijft uit. Verzuim treedt in. " * 4
    endless = "dan gaan wij met u naar het huis van uw vader en moeder en " * 3 + "dan weer terug."
    easy = "U kunt ons bellen. Wij zoeken samen naar een oplossing. Dat doen wij graag voor u. " * 4
    assert "rare_words" in {fault.rule for fault in judge_words(jargon, "nl") if fault.level is Level.BLOCK}
    assert not [fault for fault in judge_sentences(jargon) if fault.rule.startswith("long")]
    assert "long_sentence" in {fault.rule for fault in judge_sentences(endless) if fault.level is Level.BLOCK}
    assert list(judge_words(endless, "nl")) == []
    assert [*judge_words(easy, "nl"), *judge_sentences(easy)] == []


@pytest.mark.parametrize(
    ("count", "level"), [(15, None), (16, Level.WARN), (20, Level.WARN), (21, Level.BLOCK)]
)
def test_longest_sentence(count: int, level: Level | None) -> None:
    """A sentence is looked at above 15 words and refused above 20, as the data say."""
    found = [fault.level for fault in judge_sentences("een " * count) if fault.rule == "long_sentence"]
    assert found == ([level] if level else [])


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        ("Bericht van Waterbedrijf Noord. Bel 088 123 45 67 of € 1.", set()),
        ("Bericht – bel ons", {"sms_alphabet"}),
        ("a" * 161, {"sms_parts"}),
        ("a" * 160, set()),
    ],
)
def test_text_message_fits(text: str, rules: set[str]) -> None:
    """A text message that costs two, by length or by one sign, is shown."""
    assert {fault.rule for fault in judge_sms(text)} == rules


def test_names_are_not_judged() -> None:
    """A debtor called `Je Kosten` or a firm called `Direct Water B.V.` is no fault of the text."""
    m = shown(notice(addressee_name="Je Kosten", creditor_name="Direct Water B.V."))
    text = "Beste Je Kosten, bel Direct Water B.V. Wij helpen. Betaal € 64,20 voor 14 december 2026."
    bare = without_facts(text, m, template().help, "nl")
    assert bare.split() == ["Beste", ",", "bel", ".", "Wij", "helpen.", "Betaal", "voor", "."]
    assert len(bare) == len(text)


@pytest.mark.parametrize(
    ("path", "written"),
    [
        ("lines.open", ("€ 64,20", "€ 64,21")),
        ("pay_by_on", ("14 december 2026",)),
        ("help.geldfit.number", ("0800 8115",)),
        ("iban", ("NL91 ABNA 0417 1643 00",)),
        ("younger.open", ()),
        ("next_part.amount", ()),
        ("help.moon.number", ()),
    ],
)
def test_value_at_a_path(path: str, written: tuple[str, ...]) -> None:
    """A rule names values by their path, and nothing is asked of what isn't given."""
    assert written_at(path, shown(notice(2)), template().help, "nl") == written


def test_seen_by_others() -> None:
    """A telling word and a telling name are found; a call for a talk is not."""
    assert {fault.rule for fault in judge_seen("Uw achterstand", "nl")} == {"tells_of_debt"}
    assert {fault.rule for fault in judge_seen("Your debt", "en")} == {"tells_of_debt"}
    assert list(judge_seen("Bel ons gerust", "nl")) == []


def test_samples_lead_everywhere() -> None:
    """The lint reads each message with one bill and with several, with everything and with the least."""
    for message in Catalogue.shipped().templates.values():
        given = samples(message)
        assert {(each.again, len(each.lines)) for each in given} >= {
            (x, y) for x in (False, True) for y in (1, 3)
        }
        assert any(each.younger for each in given)
        for each in given:
            shown(each)
            assert all(getattr(each, field) for field in message.needs)
    # An agency's mark is in a sample of its own, with an agency's name.
    assert any(each.register_number for each in given)
    everything = set(notice().__slots__) - {"register_number"}
    assert all(getattr(full(1, again=True), field) for field in everything)


def test_missing_text() -> None:
    """A message without one of the languages or forms can't be approved."""
    texts = json.loads(template().bytes)["files"]
    found = lint_files(
        "friendly_reminder", {"nl/formal.txt": texts["nl/formal.txt"]}, message_tables()["friendly_reminder"]
    )
    missing = {each.words for each in found if each.rule == "missing_text"}
    assert missing == {"nl/informal", "en/formal", "en/informal"}
    assert blocked(found)


def test_stale_help_lines() -> None:
    """A help line is named once nobody has looked at it for half a year."""
    catalogue = Catalogue({})
    assert lint_catalogue(catalogue, date.max) == ()
    catalogue = Catalogue({"x": template("pause_confirmed")})
    seen = template().help["geldfit"].verified_on + timedelta(days=limits()["help_line_days"])
    assert [each.rule for each in lint_catalogue(catalogue, seen)] == []
    assert [each.words for each in lint_catalogue(catalogue, seen + timedelta(days=1))] == ["geldfit"]
