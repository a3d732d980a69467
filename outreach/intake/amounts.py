"""Amounts as people and systems write them, to whole minor units (cents) and back."""

from __future__ import annotations

import re
from functools import lru_cache

from outreach.intake.errors import RefusedValueError

_NO_MINOR = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THREE_MINOR = "BHD IQD JOD KWD LYD OMR TND"
_TWO_MINOR = """
AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP
CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR
IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN
NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP
STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG
"""

MINOR_DIGITS: dict[str, int] = {
    **dict.fromkeys(_TWO_MINOR.split(), 2),
    **dict.fromkeys(_NO_MINOR.split(), 0),
    **dict.fromkeys(_THREE_MINOR.split(), 3),
}
"""How many digits follow the decimal sign, by ISO 4217 code."""

# Twelve whole digits are more than any bill; it also keeps every figure far within a database bigint.
_SHAPES = {
    sign: re.compile(
        rf"(?P<whole>[0-9]{{1,12}}|[1-9][0-9]{{0,2}}(?:{group}[0-9]{{3}}){{1,3}})(?:{sign_}(?P<part>[0-9]{{1,12}}))?"
    )
    for sign, sign_, group in ((".", r"\.", ","), (",", ",", r"\."))
}
_NEGATIVE = re.compile(r"[-−–]\s*[0-9].*|[0-9].*[-−–]|\([0-9].*\)", re.DOTALL)
_PLAIN = "an amount such as 1250.00 or 1250,00, without currency sign or spaces"
_DIRECTION = (
    "a positive amount: `kind` tells the direction"
    " (a credit note reduces what is open, a reversal restores it)"
)


@lru_cache(maxsize=16_384)
def parse_amount(text: str, digits: int, decimal: str | None = None) -> int:
    """Turn a written amount into minor units.

    `digits` is the currency's number of minor digits; `decimal` is the decimal sign the file is known to use,
    None when nobody said. Then each value must speak for itself: `12,50`, `1.250,00` and `1,250.00` do,
    `1.250` does not (twelve hundred and fifty, or one and a quarter) and is refused.
    Raises RefusedValueError with what was expected.
    """
    if _NEGATIVE.fullmatch(text):
        raise RefusedValueError(_DIRECTION)
    signs = (decimal,) if decimal else (".", ",")
    found = {(m["whole"], m["part"] or "") for sign in signs if (m := _SHAPES[sign].fullmatch(text))}
    if not found:
        if decimal:
            raise RefusedValueError(f"{_PLAIN}; this file's decimal sign is stated to be `{decimal}`")
        raise RefusedValueError(_PLAIN)
    if len(found) > 1:
        raise RefusedValueError(
            "an amount that can be read in one way only: the three digits after the sign may be thousands or"
            ' decimals; write 1250.00 or 1250,00, or state [formats] decimal = "." or "," in a mapping'
        )
    whole, part = found.pop()
    if len(part) > digits:
        raise RefusedValueError(f"at most {digits} decimals" if digits else "no decimals for this currency")
    return int(whole.replace(".", "").replace(",", "") + part.ljust(digits, "0"))


def write_amount(amount: int, digits: int = 2) -> str:
    """Write minor units with a decimal point, as the CSV columns have them. Raises ValueError below zero."""
    if amount < 0:
        raise ValueError(_DIRECTION)
    if not digits:
        return str(amount)
    whole, part = divmod(amount, 10**digits)
    return f"{whole}.{part:0{digits}d}"
