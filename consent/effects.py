"""What a rule's effect makes of its answer: a remark, a person's yes, or the refusal that its predicate gave."""

from __future__ import annotations

from consent.facts import REFUSING, VerdictKind
from consent.rules import Answer, Case, Check, Rule

APPROVAL = "approval_needed"
"""The code of a rule that waits for a person: to approve this message, or to confirm the rule."""

SOFT = frozenset({"approval", "warn"})
"""Effects that a rule may have in the place of its predicate's own."""

_FINAL = frozenset({VerdictKind.GAP, VerdictKind.DENY})


def heeding(rule: Rule, check: Check) -> Check:
    """The check with the rule's effect. Doubtful law asks for approval where it would refuse for good."""
    if rule.effect == "warn":
        return _warning(rule, check)
    if rule.effect == "approval":
        return _asking(rule, check, REFUSING)
    return _asking(rule, check, _FINAL) if rule.is_doubtful else check


def _warning(rule: Rule, check: Check) -> Check:
    def warned(case: Case) -> Answer:
        answer = check(case)
        reasons = tuple(
            rule.says(VerdictKind.WARN, reason.code) if reason.refuses else reason
            for reason in answer.reasons
        )
        return Answer(reasons, answer.holds_until)

    return warned


def _asking(rule: Rule, check: Check, softened: frozenset[VerdictKind]) -> Check:
    needed = rule.says(VerdictKind.GAP, APPROVAL)
    approved = rule.says(VerdictKind.ALLOW, "approved")

    def asked(case: Case) -> Answer:
        answer = check(case)
        said = approved if rule.id in case.facts.approved_rules else needed
        reasons = tuple(said if reason.kind in softened else reason for reason in answer.reasons)
        return Answer(reasons, answer.holds_until)

    return asked
