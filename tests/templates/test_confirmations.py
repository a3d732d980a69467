"""What a confirmation promises: exactly what was agreed, how long nothing is asked, whom to call."""

import re
from dataclasses import replace
from datetime import date

from templates import formats
from tests.templates.texts import amounts_of, days, days_of, every, figures, given, in_order, plain

CONFIRMED = ("promise_confirmed", "deferral_confirmed", "arrangement_confirmed", "payment_confirmed")
AGREED = (
    *CONFIRMED,
    "instalment_soon",
    "instalment_missed",
    "dispute_received",
    "complaint_received",
    "pause_confirmed",
)


WHAT_WAS_AGREED: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "payment_confirmed": (("paid", "left"), ()),
    "promise_confirmed": (("lines.open", "younger.open", "total"), ("until_on",)),
    "deferral_confirmed": (("lines.open", "younger.open", "total"), ("until_on",)),
    "arrangement_confirmed": (("parts.amount", "lines.open", "younger.open", "total"), ("parts.due_on",)),
    "instalment_soon": (("next_part.amount",), ("next_part.due_on",)),
    "instalment_missed": (("next_part.amount",), ("next_part.due_on", "payments_until_on")),
    "dispute_received": (("lines.open", "lines.disputed"), ("answer_by_on",)),
    "complaint_received": ((), ("answer_by_on",)),
    "pause_confirmed": ((), ("until_on",)),
}


@every(*AGREED)
def test_a_confirmation_says_what_was_agreed_and_no_more(name: str, language: str, form: str) -> None:
    """Its amounts and dates are exactly those agreed, and it tells whom to call when it doesn't work out."""
    what = given()
    text = plain(name, language, form, what)
    amounts, dates = WHAT_WAS_AGREED[name]
    assert figures(text) == amounts_of(what, language, *amounts)
    assert days(text, language) == days_of(what, language, *dates)
    assert text.count("088 123 45 67") >= 3


@every(
    *CONFIRMED,
    "dispute_received",
    "complaint_received",
    "complaint_answered",
    "pause_confirmed",
    "instalment_missed",
)
def test_a_confirmation_asks_nothing(name: str, language: str, form: str) -> None:
    """No sentence of it tells the reader to pay."""
    assert not re.search(r"\bBetaal\b|[Pp]lease pay|^Pay\b", plain(name, language, form), re.MULTILINE)


@every("payment_confirmed")
def test_all_paid_is_all_said(name: str, language: str, form: str) -> None:
    """Who has paid everything reads that, and gets no bank details."""
    text = plain(name, language, form, replace(given(), left=None, lines=(), younger=(), total=None))
    assert {"nl": "nu niets meer te betalen", "en": "to pay anything else now"}[language] in text
    assert "IBAN" not in text


@every("deferral_confirmed", "promise_confirmed", "arrangement_confirmed", "pause_confirmed")
def test_a_rest_is_promised(name: str, language: str, form: str) -> None:
    """It says how long nothing is asked."""
    rest = {
        "nl": r"vragen w[ei]j? (u|je) (hiervoor |verder )?niets|sturen w[ei]j? (u|je) geen berichten",
        "en": r"(will not|won't) ask (you )?for anything|(will not|won't) send you messages",
    }
    assert re.search(rest[language], plain(name, language, form))


@every("instalment_missed")
def test_a_missed_part_is_met_with_help(name: str, language: str, form: str) -> None:
    """The arrangement goes on, another day or a lower amount is possible, and the help line is named."""
    tells = {
        "nl": (
            "Dat kan gebeuren.",
            "betalingsregeling loopt gewoon door.",
            "een andere dag of een lager bedrag",
        ),
        "en": ("That can happen.", "payment arrangement continues", "another day or a lower amount"),
    }
    assert in_order(plain(name, language, form), *tells[language], "0800 8115")


@every("dispute_received")
def test_a_dispute_is_in_somebodys_hands(name: str, language: str, form: str) -> None:
    """Which bill, who looks at it, by when an answer; nothing is asked for it meanwhile, the rest goes on."""
    what = given()
    part = plain(name, language, form, what)
    whole = plain(name, language, form, replace(what, lines=(replace(what.lines[0], disputed=None),)))
    assert in_order(part, "2026-00001", "Bewoners", formats.day(date(2026, 12, 9), language))
    asks = {
        "nl": r"Voor rekening 2026-00001 vragen w[ei]j? (u|je) nu niets\.",
        "en": r"We (will not|won't) ask you to pay bill 2026-00001 now\.",
    }
    goes_on = {"nl": "andere rekeningen bij ons? Die lopen gewoon door.", "en": "They go on as usual."}
    assert re.search(asks[language], whole)
    assert not re.search(asks[language], part)
    assert goes_on[language] in part
    assert goes_on[language] in whole
    assert "2026-00077" not in part


@every("complaint_received")
def test_receipt_of_a_complaint_tells_all_the_law_asks(name: str, language: str, form: str) -> None:
    """How it goes on, by when, who, what waits and what is kept; about a whole dossier it names no bill."""
    what = given()
    one_bill = plain(name, language, form, what)
    dossier = plain(name, language, form, replace(what, lines=(), younger=(), total=None))
    heads = {
        "nl": ("Hoe gaat het verder?", "9 december 2026", "Wie kijkt naar", "Bewoners", "Wat bewaren w"),
        "en": ("How does it go on?", "9 December 2026", "Who will look", "Bewoners", "What do we keep?"),
    }
    for text in (one_bill, dossier):
        assert in_order(text, *heads[language])
    assert in_order(one_bill, "2026-00001", {"nl": "lopen gewoon door", "en": "go on as usual"}[language])
    assert not re.search("2026-000|lopen gewoon door|go on as usual", dossier)
    nobody = plain(name, language, form, replace(what, department=""))
    assert {"nl": "iemand van Waterbedrijf Noord", "en": "Somebody at Waterbedrijf Noord"}[language] in nobody


@every("dispute_answered")
def test_an_answer_says_what_is_open_and_where_to_ask(name: str, language: str, form: str) -> None:
    """What is open now, who tells what was found, and a way back for who still disagrees."""
    what = given()
    text = plain(name, language, form, what)
    assert amounts_of(what, language, "lines.open", "total") <= figures(text)
    assert in_order(text, "Bewoners", {"nl": "nog niet?\nBel of mail ons.", "en": "mail us."}[language])


@every("pause_confirmed")
def test_a_pause_tells_nothing_of_why(name: str, language: str, form: str) -> None:
    """Until when, and neither a reason nor a bill; without a date it says that we'll tell first."""
    open_ended = plain(name, language, form, replace(given(), until_on=None))
    for text in (plain(name, language, form), open_ended):
        assert not re.search("2026-000|omdat|because|rekening|bill|ziek|schuld", text)
    assert {"nl": "eerst weten.", "en": "tell you first."}[language] in open_ended
