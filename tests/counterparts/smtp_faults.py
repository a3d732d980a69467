"""Faults of a test relay: at which stage, when, and what then happens.

Written as `STAGE:WHEN:ACTION[=TEXT]`, for instance
`dot:p0.01:drop`, `rcpt:to=weg@example.nl:reply=550 5.1.1 unknown`, `mail:every26:close=421 4.3.2 later`.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

STAGES = ("connect", "ehlo", "starttls", "auth", "mail", "rcpt", "data", "body", "dot", "rset", "quit")
"""`body` is in the middle of a mail, `dot` the answer to its end."""
ANYWHERE = ("mail", "rcpt", "data", "body", "dot")
"""What the stage `any` stands for."""
ACTIONS = ("drop", "logdrop", "hang", "loghang", "delay", "reply", "close")
"""drop: close without an answer; hang: never answer (log...: after the mail was accepted and logged);
delay: answer TEXT milliseconds later; reply: answer TEXT instead; close: answer TEXT and close."""


@dataclass(slots=True)
class Fault:
    """One rule; `hits` counts how often its stage was reached (within its recipient)."""

    stage: str
    action: str
    text: str = ""
    chance: float = 1.0
    every: int = 0
    only: int = 0
    recipient: str = ""
    hits: int = field(default=0, compare=False)

    def strikes(self, source: random.Random, recipient: str) -> bool:
        """Whether it happens this time."""
        if self.recipient and self.recipient != recipient:
            return False
        self.hits += 1
        if self.every:
            return self.hits % self.every == 0
        if self.only:
            return self.hits == self.only
        return self.chance >= 1.0 or source.random() < self.chance


def parse(text: str) -> Fault:
    """Read `STAGE:WHEN:ACTION[=TEXT]`; WHEN is always, pN, everyN, onlyN or to=ADDRESS."""
    stage, when, what = text.split(":", 2)
    action, _, words = what.partition("=")
    if stage not in (*STAGES, "any") or action not in ACTIONS:
        raise ValueError(f"fault: expected a stage of {STAGES} and an action of {ACTIONS}")
    fault = Fault(stage, action, words)
    if when.startswith("to="):
        fault.recipient = when[3:]
    elif when.startswith("every"):
        fault.every = int(when[5:])
    elif when.startswith("only"):
        fault.only = int(when[4:])
    elif when.startswith("p"):
        fault.chance = float(when[1:])
    elif when != "always":
        raise ValueError("fault: expected always, pN, everyN, onlyN or to=ADDRESS")
    return fault


class Faults:
    """The rules by stage; one random source, so that a seed repeats a run."""

    def __init__(self, rules: list[Fault], seed: int = 0) -> None:
        self._source = random.Random(seed)
        self._by_stage: dict[str, list[Fault]] = {}
        for rule in rules:
            for stage in ANYWHERE if rule.stage == "any" else (rule.stage,):
                self._by_stage.setdefault(stage, []).append(rule)

    def at(self, stage: str, recipient: str = "") -> Fault | None:
        """The first rule that strikes at this stage."""
        rules = self._by_stage.get(stage)
        if rules is None:
            return None
        for rule in rules:
            if rule.strikes(self._source, recipient):
                return rule
        return None
