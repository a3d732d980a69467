"""The law as people read it: every rule of a pack, also those that are enforced elsewhere, with its source."""

from __future__ import annotations

from datetime import date

from consent.facts import Struct
from consent.packs import Pack
from consent.parts import Part, parameters
from consent.rules import Effect, Rule

HERE = {"contact": "gate", "early_signal": "early signal"}
"""What enforces a rule that has a predicate, by its trigger."""


class LawRow(Struct, frozen=True):
    """One rule to show. `effect_now` is milder than `effect` while nobody verified or confirmed the rule."""

    id: str
    title: str
    trigger: str
    condition: str
    effect: Effect
    effect_now: Effect
    enforced_by: str
    valid_from: date | None
    valid_until: date | None
    source: str
    certainty: str
    confirmed_by: str
    note: str
    part: str
    region: str
    version: str
    review_by: date | None


def law_rows(pack: Pack) -> tuple[LawRow, ...]:
    """Every rule of a pack in its order: the country's, the Union's, those of everywhere, the operator's."""
    return tuple(_row(rule, part) for part in pack.parts for rule in part.rules)


def _row(rule: Rule, part: Part) -> LawRow:
    is_softened = bool(rule.predicate) and rule.is_doubtful and rule.effect == "deny"
    return LawRow(
        id=rule.id,
        title=rule.title,
        trigger=rule.trigger,
        condition=_condition(rule),
        effect=rule.effect,
        effect_now="approval" if is_softened else rule.effect,
        enforced_by=HERE[rule.trigger] if rule.predicate else rule.enforced_by,
        valid_from=rule.valid_from,
        valid_until=rule.valid_until,
        source=rule.source,
        certainty=rule.standing,
        confirmed_by=rule.confirmed_by,
        note=rule.note,
        part=part.name,
        region=part.region,
        version=part.version,
        review_by=part.review_by,
    )


def _condition(rule: Rule) -> str:
    """The predicate with its parameters, empty where the rule is enforced elsewhere."""
    if not rule.predicate:
        return ""
    _, params = parameters(rule, rule.id)
    shown = [
        f"{name} {_shown(getattr(params, name))}" for name in params.__struct_fields__ if name in rule.params
    ]
    return f"{rule.predicate}: {', '.join(shown)}" if shown else rule.predicate


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return "/".join(str(one) for one in value) or "none"
    return str(value).lower() if isinstance(value, bool) else str(value)
