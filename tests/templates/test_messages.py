"""What every message and every demand promises its reader: facts, doors, and nothing before its step."""

import json
import re
from dataclasses import replace

import pytest

from templates.catalogue import SwitchedOffError, Template, archive
from templates.render import render, render_letter, render_sms
from tests.templates.notices import notice
from tests.templates.texts import (
    SHIPPED,
    amounts_of,
    days,
    days_of,
    every,
    figures,
    given,
    in_order,
    plain,
    written,
)

MILD = ("notice", "friendly", "firm", "help", "confirmation")


def test_every_message_has_all_languages_and_forms() -> None:
    """Nobody waits for a text: each message is written in Dutch and English, formal and informal."""
    expected = {(language, form) for language in ("nl", "en") for form in ("formal", "informal")}
    assert {name: set(SHIPPED.get(name).available) for name in SHIPPED.names} == dict.fromkeys(
        SHIPPED.names, expected
    )


@every()
def test_nothing_shows_where_others_look(name: str, language: str, form: str) -> None:
    """Subject, preheader and text message hold no figure but our phone number, and no name that tells of debt."""
    for creditor, shown in (("Waterbedrijf Noord", True), ("Incassobureau Zuid", False)):
        what = given(creditor_name=creditor)
        mail = written(name, language, form, what)
        sms = render_sms(SHIPPED.get(name).for_preview(), language, form, what)
        seen = f"{mail.subject}\n{mail.preheader}\n{sms}"
        assert (creditor in mail.subject, creditor in sms) == (shown, shown)
        assert not re.search(r"\d|€", seen.replace("088 123 45 67", ""))
        assert "088 123 45 67" in sms
        assert len(sms) <= 160
        assert sms[0].isupper()


@pytest.mark.parametrize(
    ("language", "form"), [(lang, form) for lang in ("nl", "en") for form in ("formal", "informal")]
)
def test_messages_are_told_apart(language: str, form: str) -> None:
    """No two messages have the same subject or the same text message."""
    what = given()
    templates = [SHIPPED.get(name).for_preview() for name in SHIPPED.names]
    assert len({render(each, language, form, what).subject for each in templates}) == len(templates)
    assert len({render_sms(each, language, form, what) for each in templates}) == len(templates)


@every()
def test_every_surface_says_the_same(name: str, language: str, form: str) -> None:
    """Mail as text, mail as a page and the letter on paper hold the same words in the same order."""
    mail = written(name, language, form)
    letter = render_letter(SHIPPED.get(name).for_preview(), language, form, given())
    page = mail.html.partition('role="article"')[2].partition(">")[2]
    assert words(page) == words(mail.plain)
    assert words(letter) == words(mail.plain)


def words(text: str) -> list[str]:
    """The words of a text or a page, without tags and punctuation."""
    bare = re.sub(r"</?(?:a|span)\b[^>]*>", "", text)
    return re.findall(r"[^\W_]+", re.sub(r"<[^>]+>|&#?\w+;|['’]", " ", bare))


@every()
def test_what_is_not_given_leaves_no_gap(name: str, language: str, form: str) -> None:
    """With only what the message can't do without, no empty place, loose word or `None` is left."""
    full = given()
    needed = SHIPPED.get(name).needs
    bare = notice(**{field: getattr(full, field) for field in needed if field not in ("lines",)})
    bare = replace(bare, creditor_email="", payments_until_on=None)
    text = plain(name, language, form, bare)
    assert not re.search(r"\n{3}|None| $|^ | {2}|(?<!:)\s[.,?]|mail", text, re.MULTILINE | re.IGNORECASE)
    assert not re.search(r": *$(?!\n\n)", text, re.MULTILINE)


@every()
def test_nobody_is_judged_or_compared(name: str, language: str, form: str) -> None:
    """No moral, no norm, no reproach, no hurry; in both languages."""
    judged = {
        "nl": r"iedereen|anderen|de meeste|eerlijk|plicht|fatsoen|helaas|weer niet|nog steeds|dringend|spoed",
        "en": r"everyone|others|most people|fair|duty|unfortunately|still not|urgent|quickly|as soon as",
    }
    assert not re.search(judged[language], plain(name, language, form), re.IGNORECASE)


@every(purpose="dunning")
def test_a_message_that_asks_says_what_and_how(name: str, language: str, form: str) -> None:
    """Which bill, its date, what is open, what is looked into, how to pay, by when, up to when it is counted."""
    what = given()
    text = plain(name, language, form, what)
    by = "term_until_on" if name == "fourteen_day_letter" else "pay_by_on"
    bills = ("lines.open", "lines.disputed", "younger.open", "total")
    dates = ("lines.due_on", "younger.due_on", "payments_until_on", by)
    assert amounts_of(what, language, *bills) <= figures(text)
    assert days_of(what, language, *dates) <= days(text, language)
    facts = (
        "2026-00001",
        "2026-00077",
        "NL91 ABNA 0417 1643 00",
        "2026-00000",
        "https://betaal.example/r/8f2c",
    )
    assert [fact for fact in facts if fact not in text] == []


@every(purpose="dunning")
def test_a_message_that_asks_opens_every_door(name: str, language: str, form: str) -> None:
    """A phone number, an arrangement by its name, paid already, not right, not for you."""
    text = plain(name, language, form)
    doors = {
        "nl": ("betalingsregeling", "30 november 2026 is verwerkt", "Klopt er iets niet?", "niet voor"),
        "en": ("payment arrangement", "30 November 2026 has been", "Is something not right?", "not for you?"),
    }
    assert text.count("088 123 45 67") >= 3
    assert [door for door in doors[language] if door not in text] == []


@every(tones=("friendly", "firm", "formal", "final"))
def test_the_date_stands_in_one_plain_sentence(name: str, language: str, form: str) -> None:
    """`Betaal op zijn laatst op ...`: what to do and by when, never a length of time; the law's letter apart."""
    if name == "fourteen_day_letter":
        pytest.skip("its term is counted from the day after delivery (art. 6:96 lid 6 BW)")
    asked = {
        "nl": "Betaal op zijn laatst op 14 december 2026.",
        "en": "Please pay by 14 December 2026.",
    }
    text = plain(name, language, form)
    assert text.count(asked[language]) == 1
    assert not re.search(r"\b(binnen|within)\b", text)


STRICT = {
    "nl": r"incasso|deurwaarder|kosten|rechter|gevolg|volgende stap|Wat gebeurt er|geven w[ei]j? de",
    "en": r"collect|bailiff|costs|court|consequence|next step|What happens|pass the bill",
}


@every(tones=MILD)
def test_before_the_formal_step_nothing_is_announced(name: str, language: str, form: str) -> None:
    """No consequence, no cost and no handover, also where the values for them are given."""
    what = given()
    text = plain(name, language, form, what)
    assert not re.search(STRICT[language], text, re.IGNORECASE)
    assert what.handover_to not in text
    assert not amounts_of(what, language, "costs") & figures(text)
    assert not days_of(what, language, "handover_on") & days(text, language)


@every("formal_notice")
def test_the_formal_notice_is_exact_and_calm(name: str, language: str, form: str) -> None:
    """It says what happens after its date, and speaks of neither costs nor handover."""
    text = plain(name, language, form)
    tells = {
        "nl": ("op 14 december 2026 geen betaling of bericht", "wat de volgende stap is"),
        "en": ("by 14 December 2026?", "what the next step is"),
    }
    assert in_order(text, *tells[language])
    assert not re.search(r"kosten|costs|incasso|collect|Kantoor Bosman|21 .ecember", text)


@every("final_notice")
def test_the_final_notice_tells_a_handover_as_a_dated_fact(name: str, language: str, form: str) -> None:
    """By when, from when, to whom, who that is; which bills it isn't about; and a call comes first."""
    text = plain(name, language, form)
    we, you = {"formal": ("wij", "u"), "informal": ("we", "je")}[form]
    tells = {
        "nl": (
            f"Hebben {we} op 14 december 2026 geen betaling of bericht van {you}? "
            f"Dan geven {we} de rekening op 21 december 2026 aan Kantoor Bosman. Dat is een bedrijf dat",
            "Voor de nieuwere rekening geldt dit niet.",
            f"eerder? Dan zoeken {we} eerst samen een oplossing.",
        ),
        "en": (
            "from you by 14 December 2026?",
            "the bill to Kantoor Bosman on 21 December 2026.",
            "a company that asks you to pay on our behalf.",
            "the newer bill.",
            "If you call us sooner, we first look for a solution together.",
        ),
    }
    assert in_order(text, *tells[language])
    assert not re.search(r"laatste|kosten|last (chance|warning)|final|costs", text, re.IGNORECASE)


@every("final_notice")
def test_without_newer_bills_nothing_is_said_of_them(name: str, language: str, form: str) -> None:
    """A sentence about newer bills stands only where there are some."""
    what = given()
    alone = replace(what, younger=(), total=what.lines[0].open)
    assert not re.search("nieuwere|newer", plain(name, language, form, alone), re.IGNORECASE)


@every(purpose="dunning")
def test_newer_bills_stand_apart(name: str, language: str, form: str) -> None:
    """A newer bill has a heading of its own, after the bills the message is about and before the sum."""
    heading, total = {"nl": ("Nieuwere rekening\n", "Totaal: "), "en": ("Newer bill\n", "Total: ")}[language]
    text = plain(name, language, form)
    assert in_order(text, "2026-00001", heading, "2026-00077", total)


@every("fourteen_day_letter")
def test_the_fourteen_day_letter_holds_what_the_law_asks(name: str, language: str, form: str) -> None:
    """Term from the day after delivery, the costs that follow, and what both mean in plain words.

    Art. 6:96 lid 6 BW; the wording of the term is one that the Supreme Court accepts (ECLI:NL:HR:2016:2704).
    A term from the letter's own date, or a second account, would leave the letter without effect.
    """
    what = given()
    text = plain(name, language, form, what)
    you = {"formal": "u", "informal": "je"}[form]
    tells = {
        "nl": (
            f"Betaal het bedrag binnen 14 dagen vanaf de dag nadat deze brief bij {you} is bezorgd.",
            "Dat betekent: de dag nadat de brief is bezorgd, is de eerste dag.",
            "op zijn laatst op 18 december 2026? Dan",
            "in ieder geval op tijd.",
            "niet binnen deze 14 dagen? Dan moet",
            "Incassokosten zijn extra kosten omdat",
            "op tijd? Dan betaal",
            "Voor de nieuwere rekening vragen",
        ),
        "en": (
            "Please pay the amount within 14 days from the day after delivery of this letter.",
            "This means: the day after delivery is the first day.",
            "by 18 December 2026? Then",
            "within these 14 days? Then you must also pay collection costs:",
            "Collection costs are extra costs because",
            "pay on time",
            "collection costs for the newer bill.",
        ),
    }
    assert in_order(text, *tells[language])
    assert text.count("NL91 ABNA 0417 1643 00") == 1
    bills = ("lines.open", "lines.disputed", "younger.open", "total", "costs")
    assert figures(text) == amounts_of(what, language, *bills)
    assert not re.search(r"na (heden|dagtekening|verzending|ontvangst)|14 december", text, re.IGNORECASE)


@every("fourteen_day_letter")
def test_the_fourteen_day_letter_is_switched_off(name: str, language: str, form: str) -> None:
    """It may be looked at, and isn't sent until the law's engine gives its amount and its term."""
    with pytest.raises(SwitchedOffError):
        render(SHIPPED.get(name), language, form, given())


@every("help_offer")
def test_an_offer_of_help_begins_with_help(name: str, language: str, form: str) -> None:
    """First what we can do and who else helps (municipality and Geldfit), then the bill; paying is a question."""
    tells = {
        "nl": ("gemeente", "2026-00001", "nu betalen?"),
        "en": ("municipality", "2026-00001", "pay now?"),
    }
    assert in_order(plain(name, language, form), "088 123 45 67", "0800 8115", *tells[language])


@every(*SHIPPED.names)
def test_an_agency_shows_its_mark_on_every_surface(name: str, language: str, form: str) -> None:
    """Mail, page, paper and text message name its number in the register; who is no agency has none to show."""
    template = SHIPPED.get(name).for_preview()
    agency = replace(given(), creditor_name="Bureau Noord B.V.", register_number="2024-00123")
    mail, sms = render(template, language, form, agency), render_sms(template, language, form, agency)
    for text in (mail.plain, mail.html, render_letter(template, language, form, agency), sms):
        assert "2024-00123" in text
        assert "Bureau Noord B.V" in text
    assert "egister" not in plain(name, language, form)


def test_a_version_kept_before_there_was_a_mark_is_read_as_it_was() -> None:
    """Its own shapes have none, so it shows none."""
    record = json.loads(SHIPPED.get("friendly_reminder").bytes)
    shapes = record["files"]["layout/shapes.toml"]
    record["files"]["layout/shapes.toml"] = shapes.partition("# An agency's mark")[0]
    old = Template.from_bytes(archive(record["name"], record["files"], record["message"]))
    assert "2024-00123" not in render(old, "nl", "formal", given(register_number="2024-00123")).plain
