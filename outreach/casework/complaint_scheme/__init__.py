"""The complaints scheme as people read it: a creditor's own, in the words of each language (Bki art. 6.1)."""

from __future__ import annotations

from importlib.resources import files
from string import Template

from outreach.casework.complaints import ANSWER_DAYS, CONFIRM_DAYS
from outreach.store.types import AnyRow

LANGUAGES = ("nl", "en")

_WORDS = {
    "nl": {
        "email": "E-mail",
        "dispute": "U kunt uw klacht ook voorleggen aan",
        "register": "In het register van incassodiensten staan wij als",
    },
    "en": {
        "email": "Email",
        "dispute": "You can also bring your complaint to",
        "register": "In the register of collection services we are",
    },
}


def scheme(creditor: AnyRow, language: str, dispute_scheme: str = "") -> str:
    """Return the text for a creditor's debtors; `dispute_scheme` is where they can go on, if there is one."""
    words = _WORDS[language]
    text = Template(files(__package__).joinpath(f"{language}.txt").read_text("utf-8"))
    return text.substitute(
        creditor_name=creditor.name,
        creditor_phone=creditor.phone,
        confirm_days=CONFIRM_DAYS,
        answer_days=ANSWER_DAYS,
        email_line=f"\n{words['email']}: {creditor.email}" if creditor.email else "",
        dispute_line=f"\n{words['dispute']} {dispute_scheme}." if dispute_scheme else "",
        register_line=f"\n\n{words['register']} {creditor.register_number}." if creditor.is_agency else "",
    )
