"""Names, addresses and numbers of nobody: made up, on reserved domains, and outside what is given out."""

from __future__ import annotations

import re
import unicodedata
from random import Random

_FIRST_NAMES = """
Anouk Bram Cem Daniël Élodie Fatıma Gijs Hatice Ilse Jasmijn Joël Kaoutar Łukasz Marijke Naïma Noëlle Omar
Pien Renée Sjoerd Thijs Ümit Wout Youssef Zoë André Chantal Dirk-Jan José Maëlle Şule Tomasz IJsbrand
"""
_SURNAMES = """
Aerdenhof, Bakkerveld, van den Broekhof, de Grootwater, Çelikbaş, El Fassi-Mourad, ter Horstink, 't Hartland,
van 't Hofstee, IJsselgaard, Jansenstra, Kowalczykowa, van der Lindenaar, Müllerhuis, Nijenhofstra, Óvári,
op den Poelakker, in 't Veldhuizen, Rijnsbergen-de Waal, Söderbloem, de la Tourette, Uyttenhoef,
van Vreeswijck, von Waldegg, Yıldızoğlu, Zijlstrade, den Ouderling, Šimekova, Benaïssa, Coëlho
"""
_STREETS = """
Verzonnen Laan, Nergensstraat, Burgemeester Bedenkselplein, 's-Gravenfictiekade, Zomaarweg, Façadepad,
Dr. Van Fantasiestraat, Van 't Verzinsellaan, IJdeldreef, Luchtkasteelsingel
"""
FIRST_NAMES = tuple(_FIRST_NAMES.split())
SURNAMES = tuple(name.strip() for name in _SURNAMES.split(","))
STREETS = tuple(name.strip() for name in _STREETS.split(","))
BUSINESSES = (
    ("Fietsenmakerij De Scheve Spaak", "eenmanszaak"),
    ("Bakkerij 't Zuurdesempje", "vof"),
    ("Café De Laatste Ronde", "bv"),
    ("Schildersbedrijf Zoë & Zonen", "vof"),
    ("Stichting Buurthuis De Verzinsels", "stichting"),
    ("Garage Nergenshuizen", "bv"),
)
TOWNS = (
    ("Nieuw-Waterdam", "10"),
    ("Oosterfictie", "25"),
    ("Sint Verzinselrode", "41"),
    ("'s-Hertogenverzin", "52"),
    ("Bedenkeradeel", "88"),
    ("IJverzicht", "13"),
)
SUFFIXES = ("", "", "", "", "a", "bis", "2", "hs", "II")
# SA, SD and SS are never used in a Dutch postcode.
_POSTCODE_LETTERS = "ABCEGHJKLMNPRTVWXZ"
# Letters that Unicode does not take apart into a plain one and a sign.
_WHOLE_LETTERS = str.maketrans("łıøđ", "liod")


def slug(text: str) -> str:
    """The letters a to z, digits and dots of a text, for the local part of an address."""
    plain = unicodedata.normalize("NFKD", text.lower()).translate(_WHOLE_LETTERS)
    return re.sub(r"[^a-z0-9]+", ".", "".join(c for c in plain if not unicodedata.combining(c))).strip(".")


def iban(account: int, bank: str = "DEMO") -> str:
    """A Dutch IBAN with a right checksum, of a bank that does not exist. `account` has at most ten digits."""
    rest = f"{bank}{account:010d}"
    digits = "".join(str(int(char, 36)) for char in f"{rest}NL00")
    return f"NL{98 - int(digits) % 97:02d}{rest}"


def mobile(rng: Random) -> str:
    """A number shaped like a mobile one, in a block that is not given out: there are no 06-00 subscribers."""
    return f"+31600{rng.randrange(1_000_000):06d}"


def postcode(rng: Random, region: str) -> str:
    """A postcode by its shape; with a town that does not exist it is nobody's address."""
    letters = rng.choice(_POSTCODE_LETTERS) + rng.choice(_POSTCODE_LETTERS)
    return f"{region}{rng.randrange(100):02d} {letters}"


def address(rng: Random) -> dict[str, str]:
    """A whole Dutch address, by the columns of a claims file."""
    town, region = rng.choice(TOWNS)
    return {
        "street": rng.choice(STREETS),
        "house_number": str(rng.randrange(1, 290)),
        "house_number_suffix": rng.choice(SUFFIXES),
        "postcode": postcode(rng, region),
        "city": town,
        "country": "NL",
    }


def person_name(rng: Random) -> str:
    """A first name and a surname, with Dutch particles and diacritics."""
    return f"{rng.choice(FIRST_NAMES)} {rng.choice(SURNAMES)}"


def email(rng: Random, name: str, number: str) -> str:
    """An address on a domain reserved for examples; the number keeps two people apart."""
    domain = rng.choice(("example.com", "example.net", "example.org", "post.example"))
    return f"{slug(name)}.{number.lower()}@{domain}"
