"""The creditors and debtors of a fictitious portfolio: who they are, how they pay, what is odd about them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from random import Random

from outreach.intake import fictitious


class Sector(StrEnum):
    """What a fictitious creditor does: it decides which claims there are."""

    HOUSING = "housing"
    ENERGY = "energy"
    WEBSHOP = "webshop"


@dataclass(frozen=True, slots=True)
class Creditor:
    """A fictitious creditor. `code` is what the column `creditor` holds."""

    code: str
    name: str
    sector: Sector
    iban: str
    phone: str
    email: str


CREDITORS = (
    Creditor(
        "WONEN",
        "Woonstichting De Verzonnen Hof",
        Sector.HOUSING,
        fictitious.iban(1001),
        "+31600000001",
        "huur@wonen.example",
    ),
    Creditor(
        "STROOM",
        "Stroomverzinsel Energie B.V.",
        Sector.ENERGY,
        fictitious.iban(1002),
        "+31600000002",
        "betalen@stroom.example",
    ),
    Creditor(
        "WINKEL",
        "Webwinkel Nergens B.V.",
        Sector.WEBSHOP,
        fictitious.iban(1003),
        "+31600000003",
        "administratie@winkel.example",
    ),
)


class Behaviour(StrEnum):
    """How a debtor pays."""

    PUNCTUAL = "punctual"
    FORGETFUL = "forgetful"
    """Some claims on time, the others after a first reminder."""
    SLOW = "slow"
    """After a second reminder."""
    STRUGGLING = "struggling"
    """In parts, and not always all of it."""
    SILENT = "silent"


class Oddity(StrEnum):
    """What a portfolio must also hold, so that what is built on it meets it."""

    NONE = "none"
    WRONG_EMAIL = "wrong_email"
    NO_EMAIL = "no_email"
    NO_ADDRESS = "no_address"
    UNREACHABLE = "unreachable"
    CO_DEBTOR = "co_debtor"
    REPRESENTATIVE = "representative"
    DISPUTE = "dispute"
    CREDIT_NOTE = "credit_note"
    REVERSAL = "reversal"
    WRITE_OFF = "write_off"
    HOLD = "hold"


_ODD = tuple(oddity for oddity in Oddity if oddity is not Oddity.NONE)
_BEHAVIOUR = (
    [Behaviour.PUNCTUAL] * 66
    + [Behaviour.FORGETFUL] * 20
    + [Behaviour.SLOW] * 7
    + [Behaviour.STRUGGLING] * 5
    + [Behaviour.SILENT] * 2
)


@dataclass(frozen=True, slots=True)
class Debtor:
    """A fictitious debtor. `columns` are those of a claims file that say who they are and where they live."""

    creditor: Creditor
    number: str
    behaviour: Behaviour
    oddity: Oddity
    columns: dict[str, str]
    rng: Random


def make_debtor(index: int, seed: int, creditors: tuple[Creditor, ...]) -> Debtor:
    """Make the debtor of that index, the same for the same seed, without making those before it.

    The first of each creditor pays on time; the next ones have each oddity once; later ones seldom have any.
    """
    rng = Random(f"portfolio:{seed}:{index}")
    ordinal, place = divmod(index, len(creditors))
    creditor = creditors[place]
    number = f"{creditor.code[0]}{ordinal:06d}" if creditor.sector is Sector.HOUSING else f"{ordinal:08d}"
    if ordinal == 0:
        behaviour, oddity = Behaviour.PUNCTUAL, Oddity.NONE
    else:
        behaviour = rng.choice(_BEHAVIOUR)
        chance = rng.random()
        oddity = _ODD[ordinal - 1] if ordinal <= len(_ODD) else Oddity.NONE
        if ordinal > len(_ODD) and chance < 0.15:
            oddity = rng.choice(_ODD)
    return Debtor(creditor, number, behaviour, oddity, _columns(creditor, number, oddity, rng), rng)


def _columns(creditor: Creditor, number: str, oddity: Oddity, rng: Random) -> dict[str, str]:
    business = creditor.sector is not Sector.HOUSING and rng.random() < 0.12
    columns = {"creditor": creditor.code, "debtor_id": number}
    columns |= _business(rng) if business else _person(rng)
    name = columns["debtor_name"]
    columns["email"] = fictitious.email(rng, name, number)
    columns["phone"] = fictitious.mobile(rng) if rng.random() < 0.8 else ""
    columns |= fictitious.address(rng)
    columns["preferred_channel"] = rng.choices(("email", "letter", "sms", ""), (78, 8, 8, 6))[0]
    columns["contact_source"] = "contract" if rng.random() < 0.9 else "other"
    columns["invoice_sent_to"] = "letter" if columns["preferred_channel"] == "letter" else "email"
    _make_odd(columns, oddity, number, rng)
    return columns


def _person(rng: Random) -> dict[str, str]:
    english = rng.random() < 0.07
    return {
        "debtor_name": fictitious.person_name(rng),
        "debtor_kind": "person",
        "capacity": "consumer",
        "language": "en" if english else "nl",
        "form_of_address": "informal" if rng.random() < 0.2 else "formal",
        "date_of_birth": f"{rng.randrange(1938, 2004)}-{rng.randrange(1, 13):02d}-{rng.randrange(1, 29):02d}",
    }


def _business(rng: Random) -> dict[str, str]:
    name, form = rng.choice(fictitious.BUSINESSES)
    return {
        "debtor_name": f"{name} {rng.randrange(2, 999)}",
        "debtor_kind": "business",
        "capacity": "business",
        "legal_form": form,
        # The shape of a register number; those that were given out begin with 01 or higher, as far as known.
        "kvk_number": f"00{rng.randrange(1_000_000):06d}",
        "language": "nl",
        "form_of_address": "formal",
    }


def _make_odd(columns: dict[str, str], oddity: Oddity, number: str, rng: Random) -> None:
    if oddity is Oddity.WRONG_EMAIL:
        columns["email"] = columns["email"].replace("@", rng.choice((" at ", "@@", "")))
    if oddity in (Oddity.NO_EMAIL, Oddity.UNREACHABLE):
        columns["email"] = ""
        columns["preferred_channel"] = ""
        columns["invoice_sent_to"] = "letter"
    if oddity in (Oddity.NO_ADDRESS, Oddity.UNREACHABLE):
        for name in ("street", "house_number", "house_number_suffix", "postcode", "city"):
            columns[name] = ""
    if oddity is Oddity.UNREACHABLE:
        columns["phone"] = ""
    if oddity in (Oddity.CO_DEBTOR, Oddity.REPRESENTATIVE):
        other = fictitious.person_name(rng)
        mail = f" <{fictitious.email(rng, other, number)}>" if rng.random() < 0.7 else ""
        role = "co_debtors" if oddity is Oddity.CO_DEBTOR else "representative"
        columns[role] = f"{number}-2: {other}{mail}"
