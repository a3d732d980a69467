"""The rules by which money may be asked, as data: what each says, where it was read, and how sure that is.

A result cites the rules that made it. Nothing is computed by a rule before it was in force, nor on or after the
day on which its pack was to be read again: then the amount is refused, with the reason.
"""

from __future__ import annotations

from datetime import date
from functools import cache
from hashlib import sha256
from importlib.resources import files
from types import MappingProxyType
from typing import Annotated, Any, Literal, TypeVar

import msgspec

from outreach.claims.facts import Struct

P = TypeVar("P")
Text = Annotated[str, msgspec.Meta(min_length=1)]
Certainty = Literal["verified-text", "secondary", "unverified", "policy"]


class AmountRefused(ValueError):
    """An amount that the rules or rates at hand cannot tell: it is not guessed. `field` is the fact it is about."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(f"{field}: {why}")
        self.field = field


class Rule(Struct, frozen=True):
    """One rule, valid on `[valid_from, valid_until)`; policy has no dates."""

    id: Text
    title: Text
    source: Text
    certainty: Certainty
    params: dict[str, Any] = msgspec.field(default_factory=dict)
    valid_from: date = date.min
    valid_until: date = date.max

    def read(self, shape: type[P]) -> P:
        """Return the parameters as a typed value."""
        return msgspec.convert(self.params, shape)


class RulePack(Struct, frozen=True):
    """The rules of one country, to be read again before `review_by`; `hash` is that of its file."""

    country: Annotated[str, msgspec.Meta(pattern="^[A-Z]{2}$")]
    version: Text
    review_by: date
    rules: tuple[Rule, ...]
    hash: str = ""


class Cited(Struct, frozen=True):
    """The rules that made a result, by id; `unverified` names those, and the rates, that nobody has seen in print.

    What is unverified may warn or wait for approval. It raises no amount until a named person confirms it.
    """

    rules: tuple[str, ...] = ()
    unverified: tuple[str, ...] = ()

    def and_also(self, other: Cited) -> Cited:
        """Return both, each rule once and in the order in which they spoke."""
        return Cited(
            rules=tuple(dict.fromkeys(self.rules + other.rules)),
            unverified=tuple(dict.fromkeys(self.unverified + other.unverified)),
        )


@cache
def shipped_rules() -> MappingProxyType[str, RulePack]:
    """Return the packs that come with this version of the code, by country."""
    packs = {}
    for file in sorted((files("outreach.claims") / "rules").iterdir(), key=lambda file: file.name):
        data = file.read_bytes()
        pack = msgspec.toml.decode(data, type=RulePack)
        packs[pack.country] = msgspec.structs.replace(pack, hash=sha256(data).hexdigest())
    return MappingProxyType(packs)


@cache
def _by_id() -> dict[str, tuple[RulePack, Rule]]:
    return {rule.id: (pack, rule) for pack in shipped_rules().values() for rule in pack.rules}


def in_force(rule_id: str, on: date) -> bool:
    """Return whether a rule held on a date, whatever is known of it today."""
    rule = _by_id()[rule_id][1]
    return rule.valid_from <= on < rule.valid_until


def rule_on(rule_id: str, on: date, field: str = "on") -> Rule:
    """Return a rule that held on a date. Raises AmountRefused outside its validity or past its pack's review."""
    pack, rule = _by_id()[rule_id]
    if on >= pack.review_by:
        why = f"was to be read again by {pack.review_by}; expected a date before that, or a new pack"
        raise AmountRefused(field, f"the pack {pack.country} {pack.version} {why}")
    if not in_force(rule_id, on):
        until = "" if rule.valid_until == date.max else f" and before {rule.valid_until}"
        raise AmountRefused(
            field, f"{rule_id} did not hold; expected a date from {rule.valid_from} on{until}"
        )
    return rule


def cite(*rule_ids: str) -> Cited:
    """Return the citation of these rules."""
    unsure = (name for name in rule_ids if _by_id()[name][1].certainty == "unverified")
    return Cited(rules=rule_ids, unverified=tuple(unsure))
