"""How money, dates, phone numbers and account numbers are written for a reader of one language."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from templates.values import Amount

NO_BREAK_SPACE = "\u00a0"


class Phone(str):
    """A phone number as it was given; shown in groups."""

    __slots__ = ()


class Iban(str):
    """A bank account number; shown in groups of four."""

    __slots__ = ()


class Email(str):
    """A mail address that the reader may write to."""

    __slots__ = ()


class Count(int):
    """A number of things or days, shown in digits; a bare number is never shown."""

    __slots__ = ()


class Link(str):
    """A web address that is always shown in full, so that the reader sees where it leads."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Locale:
    """What differs between languages when a value is written."""

    thousands: str
    decimal: str
    months: tuple[str, ...]


_NL = "januari februari maart april mei juni juli augustus september oktober november december"
_EN = "January February March April May June July August September October November December"

LOCALES = {"nl": Locale(".", ",", tuple(_NL.split())), "en": Locale(",", ".", tuple(_EN.split()))}
"""The languages that values can be written in; a letter in another language is refused when it is loaded."""

_SYMBOLS = {"EUR": "€", "GBP": "£", "USD": "$"}

# ISO 4217 gives most currencies two decimals; `Amount.cents` counts the smallest unit whatever its size.
_DECIMALS = {"ISK": 0, "JPY": 0, "KRW": 0, "BHD": 3, "JOD": 3, "KWD": 3, "TND": 3}

# Area codes of three digits in the Netherlands, with mobile (06) and service numbers; the rest have four.
_SHORT_AREA = re.compile(
    r"0(?:10|1[345]|20|2[346]|30|3[3568]|40|4[3-6]|50|5[358]|70|7[1-9]|8[2458]|88|9[17])\d{7}"
)


def amount(value: Amount, language: str) -> str:
    """Write money with its sign or code, always with all decimals: `€ 1.250,00`, `€ 1,250.00`."""
    if type(value.cents) is not int:
        raise TypeError(f"an amount is integer cents, not {type(value.cents).__name__}")
    locale = LOCALES[language]
    decimals = _DECIMALS.get(value.currency, 2)
    whole, rest = divmod(abs(value.cents), 10**decimals)
    digits = f"{whole:,}".replace(",", locale.thousands)
    if decimals:
        digits += f"{locale.decimal}{rest:0{decimals}d}"
    sign = "-" if value.cents < 0 else ""
    return f"{_SYMBOLS.get(value.currency, value.currency)}{NO_BREAK_SPACE}{sign}{digits}"


def day(value: date, language: str) -> str:
    """Write a date with the month in letters, so that no reader takes the day for the month."""
    return f"{value.day} {LOCALES[language].months[value.month - 1]} {value.year}"


def iban(value: str) -> str:
    """Write an account number in groups of four, as it stands on a bank card."""
    bare = value.replace(" ", "").upper()
    return " ".join(bare[at : at + 4] for at in range(0, len(bare), 4))


def phone(value: str) -> str:
    """Write a Dutch phone number in groups (`088 123 45 67`); another country's stays as it was given."""
    number = dialled(value)
    if number.startswith("+31"):
        number = "0" + number[3:]
    if not number.isdecimal() or not number.startswith("0") or number.startswith("00"):
        return " ".join(value.split())
    if re.fullmatch(r"0(?:800|90[069])\d{4}", number):
        return f"{number[:4]} {number[4:]}"
    if re.fullmatch(r"0(?:800|90[069])\d{7}", number):
        return f"{number[:4]} {number[4:7]} {number[7:9]} {number[9:]}"
    if re.fullmatch(r"06\d{8}", number):
        return f"06 {number[2:4]} {number[4:6]} {number[6:8]} {number[8:]}"
    if _SHORT_AREA.fullmatch(number):
        return f"{number[:3]} {number[3:6]} {number[6:8]} {number[8:]}"
    if len(number) == 10:
        return f"{number[:4]} {number[4:6]} {number[6:8]} {number[8:]}"
    return " ".join(value.split())


def dial(value: str) -> str:
    """Give what a phone dials from anywhere: a Dutch number with its country, a service number as it is."""
    number = dialled(value)
    if re.fullmatch(r"0[1-7]\d{8}|08[2458]\d{7}|09[17]\d{7}", number):
        return "+31" + number[1:]
    return number


def dialled(value: str) -> str:
    """Keep of a phone number only what a phone dials, or nothing where it holds other words."""
    bare = re.sub(r"[\s().\-/]", "", value.replace("(0)", ""))
    return bare if re.fullmatch(r"\+?[0-9]{3,15}", bare) else ""
