"""Parts of packs: what a file must be to be trusted, an operator's own as well."""

import re
from typing import Any

import pytest

from consent.packs import Pack, PackError
from consent.parts import read_own_part, read_part
from tests.consent.cases import NL, asked_of, facts

HEAD = 'name = "xx"\nregion = "XX"\nversion = "1"\nreview_by = 2027-01-01\n'
ALIVE = (
    '[[rules]]\nid = "A"\ntitle = "t"\ntrigger = "contact"\neffect = "deny"\npredicate = "alive"\n'
    'source = "s"\ncertainty = "policy"\n'
)
CAP = (
    ALIVE.replace('"A"', '"C"').replace('"alive"', '"frequency_cap"').replace('"deny"', '"delay"')
    + "params = { at_most = 1, days = 1 }\n"
)
WINDOW = (
    ALIVE.replace('"A"', '"W"').replace('"alive"', '"contact_window"').replace('"deny"', '"delay"')
    + "params = { opens = 07:00:00, closes = 20:00:00, closed_weekdays = [], closed_holidays = false }\n"
)
LISTED = ALIVE.replace('"A"', '"L"').replace('predicate = "alive"', 'enforced_by = "templates"')


def own(text: str) -> str:
    """The same rules as an operator's own."""
    return text.replace('id = "', 'id = "OP-')


def load(text: str) -> Pack:
    """A pack of this one part."""
    return Pack.composed("XX", [read_part(text.encode(), "xx.toml")])


MISTAKES: list[tuple[str, str]] = [
    ("country = ", "not readable"),
    (HEAD.replace('region = "XX"\n', "") + ALIVE, "region"),
    (HEAD.replace('"XX"', '"xx"') + ALIVE, r"\$\.region"),
    (HEAD.replace("review_by = 2027-01-01\n", "") + ALIVE, "review_by"),
    ('colour = "red"\n' + HEAD + ALIVE, "colour"),
    ('calendar = "mars"\n' + HEAD + ALIVE, "calendar: 'mars' is none"),
    (HEAD + ALIVE.replace('id = "A"\n', ""), "rule number 1: .*id"),
    (HEAD + ALIVE.replace('source = "s"\n', ""), "rule A: .*source"),
    (HEAD + ALIVE.replace('source = "s"', 'source = ""'), r"rule A: .*length >= 1.*source"),
    (HEAD + ALIVE.replace("policy", "hearsay"), r"rule A: .*hearsay.*certainty"),
    (HEAD + ALIVE.replace('"contact"', '"contcat"'), r"rule A: .*contcat.*trigger"),
    (HEAD + ALIVE.replace('"deny"', '"maybe"'), r"rule A: .*maybe.*effect"),
    (
        HEAD + ALIVE.replace('"deny"', '"delay"'),
        "rule A: effect: 'delay' does not fit, expected one of approval, deny, warn",
    ),
    (
        HEAD + ALIVE.replace('"alive"', '"alife"'),
        "rule A: predicate: unknown 'alife', expected one of .*alive",
    ),
    (HEAD + ALIVE.replace('"contact"', '"charge"'), "rule A: predicate: .*none on charge: .*elsewhere"),
    (
        HEAD + ALIVE + 'enforced_by = "claims"\n',
        "rule A: predicate: expected either a predicate or enforced_by",
    ),
    (HEAD + ALIVE.replace('predicate = "alive"\n', ""), "rule A: predicate: expected either"),
    (HEAD + ALIVE + "colour = 1\n", "rule A: .*colour"),
    (HEAD + ALIVE + 'confirmed_by = "J"\n', "rule A: confirmed_by: expected none"),
    (HEAD + ALIVE + "params = { days = 1 }\n", "rule A: params.days: unknown, expected none"),
    (HEAD + CAP.replace(", days = 1", ""), "rule C: params.days: missing, expected at_most, days"),
    (HEAD + CAP.replace("days = 1", "days = 0"), r"rule C: params: .*>= 1.*days"),
    (HEAD + CAP.replace("days = 1", 'days = "1"'), r"rule C: params: .*int.*days"),
    (HEAD + WINDOW.replace("20:00", "06:00"), "rule W: params: closes: 06:00:00 expected after opens"),
    (HEAD + WINDOW.replace("[]", '["zondag"]'), r"rule W: params: .*zondag"),
    (
        HEAD + WINDOW.replace("holidays = false", "holidays = true"),
        "rule W: params.closed_holidays: .*calendar",
    ),
    (HEAD + ALIVE + 'applies = { purposes = ["duning"] }\n', "rule A: purposes: unknown duning, .*dunning"),
    (HEAD + ALIVE + 'applies = { addressee_kinds = ["cat"] }\n', "rule A: addressee_kinds: unknown cat"),
    (HEAD + ALIVE + "valid_from = 2026-02-30\n", "not readable"),
    (HEAD + ALIVE + 'valid_from = "soon"\n', r"rule A: .*valid_from"),
    (
        HEAD + ALIVE + "valid_from = 2026-02-01\nvalid_until = 2026-02-01\n",
        "rule A: valid_until: 2026-02-01 expected after valid_from",
    ),
    (HEAD + ALIVE + ALIVE, "rule A: id: stands twice"),
    (HEAD + own(ALIVE), "rule OP-A: id: OP- is kept for an operator's own rules"),
]


@pytest.mark.parametrize(("text", "message"), MISTAKES)
def test_a_part_with_a_mistake_is_refused(text: str, message: str) -> None:
    """The error names file, rule, field and what was expected; without the mistake the part loads."""
    assert load(HEAD + ALIVE + WINDOW + CAP + LISTED).country == "XX"
    with pytest.raises(PackError, match=message) as caught:
        load(text)
    assert re.match(r"xx\.toml: ", str(caught.value))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEAD + ALIVE, "rule A: id: expected one that begins with OP-"),
        (HEAD + own(LISTED), "rule OP-L: predicate: missing, expected one of contact_window, .*signal_"),
        ('calendar = "nl"\n' + HEAD + own(ALIVE), "calendar: expected none"),
        (HEAD + own(ALIVE).replace('"alive"', '"alife"'), "rule OP-A: predicate: unknown 'alife'"),
    ],
)
def test_an_own_part_adds_rules_of_its_own_only(text: str, message: str) -> None:
    """An operator's file can name no rule of the law, bring no calendar, and enforce nothing elsewhere."""
    assert read_own_part((HEAD + own(ALIVE + CAP)).encode(), "own.toml").part.name == "xx"
    with pytest.raises(PackError, match=message) as caught:
        read_own_part(text.encode(), "own.toml")
    assert str(caught.value).startswith("own.toml: ")


def test_a_rule_without_a_predicate_is_listed_and_never_asked() -> None:
    """What is enforced elsewhere stands in the pack and is no question to the gate."""
    rules: dict[str, Any] = {rule.id: rule for rule in NL.rules}
    assert rules["NL-BIK-001"].enforced_by == "claims"
    assert "NL-BIK-001" not in {rule.id for rule in asked_of(NL, facts())}
