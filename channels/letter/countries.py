"""The names of countries as they stand on a letter: in capitals, on the last line of the address."""

from __future__ import annotations

# The two letters (ISO 3166), then the name in Dutch and in English.
_TABLE = """
AT Oostenrijk|Austria
AU Australië|Australia
AW Aruba|Aruba
BA Bosnië en Herzegovina|Bosnia and Herzegovina
BE België|Belgium
BG Bulgarije|Bulgaria
BQ Caribisch Nederland|Caribbean Netherlands
BR Brazilië|Brazil
CA Canada|Canada
CH Zwitserland|Switzerland
CN China|China
CW Curaçao|Curaçao
CY Cyprus|Cyprus
CZ Tsjechië|Czech Republic
DE Duitsland|Germany
DK Denemarken|Denmark
EE Estland|Estonia
ES Spanje|Spain
FI Finland|Finland
FR Frankrijk|France
GB Verenigd Koninkrijk|United Kingdom
GR Griekenland|Greece
HR Kroatië|Croatia
HU Hongarije|Hungary
ID Indonesië|Indonesia
IE Ierland|Ireland
IL Israël|Israel
IN India|India
IS IJsland|Iceland
IT Italië|Italy
LI Liechtenstein|Liechtenstein
LT Litouwen|Lithuania
LU Luxemburg|Luxembourg
LV Letland|Latvia
MA Marokko|Morocco
MC Monaco|Monaco
ME Montenegro|Montenegro
MK Noord-Macedonië|North Macedonia
MT Malta|Malta
NO Noorwegen|Norway
NZ Nieuw-Zeeland|New Zealand
PL Polen|Poland
PT Portugal|Portugal
RO Roemenië|Romania
RS Servië|Serbia
SE Zweden|Sweden
SI Slovenië|Slovenia
SK Slowakije|Slovakia
SR Suriname|Suriname
SX Sint-Maarten|Sint Maarten
TH Thailand|Thailand
TR Turkije|Turkey
UA Oekraïne|Ukraine
US Verenigde Staten|United States
ZA Zuid-Afrika|South Africa
"""


def _names() -> dict[str, tuple[str, str]]:
    """Read the table: code to the name in Dutch and in English."""
    rows = [line.partition(" ") for line in _TABLE.strip().splitlines()]
    return {code: (dutch, english) for code, _, names in rows for dutch, _, english in [names.partition("|")]}


_NAMES = _names()


def country_line(code: str, language: str) -> str:
    """Return a country as the post reads it, in the letter's language; a code that is not known here stays."""
    dutch, english = _NAMES.get(code, (code, code))
    return (dutch if language == "nl" else english).upper()
