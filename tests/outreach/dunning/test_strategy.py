"""Strategies as data: what is read, what is refused and by which words, and where answers lead."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.dunning.strategy import (
    FORMAL,
    Step,
    Version,
    check_answers,
    read,
    shipped,
    shipped_names,
    triage_of,
)
from outreach.errors import UsageError
from templates.catalogue import Catalogue

SOUND = """
name = "own"
title = "Call, announce, hand over"

[[steps]]
id = "call"
kind = "call"
after_due_days = 3
tone = "friendly"

[[steps.guide]]
id = "will"
nl = "Wilt u betalen?"
en = "Do you want to pay?"
answers = ["yes", "no"]

[[steps.routes]]
when = { will = "no" }
to = "formal"

[[steps]]
id = "last"
triage = ["formal"]
after_previous_days = 10
tone = "final"
template = "final_notice"

[[steps]]
id = "handover"
kind = "handover"
triage = ["formal"]
after_previous_days = 16
tone = "final"
"""

FAULTS = {
    "an unknown field": (
        'tone = "friendly"',
        'tone = "friendly"\ncolour = "red"',
        ("colour", "steps"),
    ),
    "an unknown tone": (
        'tone = "friendly"',
        'tone = "angry"',
        ("angry", "steps", "tone"),
    ),
    "a negative offset": ("after_due_days = 3", "after_due_days = -3", ("steps", "after_due_days")),
    "days as a word": (
        "after_due_days = 3",
        'after_due_days = "three"',
        ("steps", "after_due_days"),
    ),
    "an unknown channel": (
        'kind = "call"',
        'kind = "call"\nchannels = ["fax"]',
        ("fax", "steps", "channels"),
    ),
    "an id with a space": (
        'id = "last"',
        'id = "last one"',
        ("steps", "id"),
    ),
    "a guide of one answer": (
        '["yes", "no"]',
        '["yes"]',
        ("steps", "guide", "answers"),
    ),
    "no TOML": ("name =", "name", ("line 2",)),
    "an id twice": (
        'id = "last"',
        'id = "call"',
        ("'call'", "id of its own"),
    ),
    "a reserved id": (
        'id = "last"',
        'id = "listed"',
        ("'listed'", "id of its own"),
    ),
    "a first step without a day": ("after_due_days = 3\n", "", ("'call'", "after_due_days")),
    "a first step after another": (
        "after_due_days = 3",
        "after_previous_days = 3",
        ("'call'", "after_previous_days"),
    ),
    "a later step without a day": (
        "after_previous_days = 10\n",
        "",
        ("'last'", "after_due_days, after_previous_days"),
    ),
    "a message without a template": (
        'template = "final_notice"\n',
        "",
        ("'last'", "template"),
    ),
    "a call with a template": (
        "after_due_days = 3",
        'after_due_days = 3\ntemplate = "help_offer"',
        ("'call'", "template"),
    ),
    "a message that asks questions": (
        'kind = "call"',
        'template = "friendly_reminder"',
        ("'call'", "guide"),
    ),
    "a route on an unknown question": (
        'when = { will = "no" }',
        'when = { means = "no" }',
        ("'call'", "routes", "means"),
    ),
    "a route on an unknown answer": (
        'when = { will = "no" }',
        'when = { will = "never" }',
        ("'call'", "routes", "never"),
    ),
    "a handover that nothing announced": (
        'tone = "final"\ntemplate',
        'tone = "formal"\ntemplate',
        ("'handover'", "tone"),
    ),
    "a handover announced to others": (
        'triage = ["formal"]\nafter_previous_days = 10',
        'triage = ["plan"]\nafter_previous_days = 10',
        ("'handover'", "tone 'final'"),
    ),
    "an announcement of nothing": (
        SOUND[SOUND.rindex("[[steps]]") :],
        "",
        ("'last'", "tone 'final'"),
    ),
    "formal before the answers": (
        'triage = ["formal"]\nafter_previous_days = 10',
        "after_previous_days = 10",
        ("'last'", "triage"),
    ),
}


def test_a_sound_strategy_is_read_and_named_by_its_bytes() -> None:
    """The same bytes are the same version; one blank more is another."""
    version = read(SOUND.encode(), "own.toml")
    assert [step.id for step in version.strategy.steps] == ["call", "last", "handover"]
    assert read(SOUND.encode(), "elsewhere.toml").hash == version.hash
    assert read((SOUND + "\n").encode(), "own.toml").hash != version.hash


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_refused_with_step_and_field(fault: str) -> None:
    """The sound strategy with one fault: the message names the file, the step and what is wrong with it."""
    sound, faulty, expected = FAULTS[fault]
    assert sound in SOUND
    with pytest.raises(UsageError) as refused:
        read(SOUND.replace(sound, faulty, 1).encode(), "own.toml")
    assert [word for word in ("own.toml", *expected) if word not in str(refused.value)] == []


def test_bytes_that_are_no_text_are_refused() -> None:
    """A file of another sort is named, not passed on as an error of the decoder."""
    with pytest.raises(UsageError, match=r"own\.toml"):
        read(b"\xff\xfe\x00", "own.toml")


@pytest.mark.parametrize("name", shipped_names())
def test_what_is_shipped_is_sound_and_can_be_said(name: str) -> None:
    """Each is read, its messages exist and may be sent, and its templates are no stricter than its steps."""
    strategy = shipped(name).strategy
    assert strategy.name == name
    templates = Catalogue.shipped()
    for step in strategy.steps:
        if step.kind == "message":
            assert templates.get(step.template).enabled
            assert templates.get(step.template).tone == step.tone


def test_five_are_shipped_and_another_is_not_known() -> None:
    """An unknown name is answered with the known ones."""
    names = shipped_names()
    assert len(names) == 5
    with pytest.raises(UsageError, match=", ".join(names)):
        shipped("no_such")


@pytest.mark.parametrize(
    "name", [name for name in shipped_names() if any(step.routes for step in shipped(name).strategy.steps)]
)
def test_nobody_comes_to_a_formal_step_by_an_answer_of_help(name: str) -> None:
    """Where a call asks first, no step for who needs help or a plan is formal, and none hands over."""
    for step in shipped(name).strategy.steps:
        if not step.triage or {"help", "plan", "department"} & set(step.triage):
            assert step.rank < FORMAL and step.kind != "handover"


def _call(version: Version) -> Step:
    return next(step for step in version.strategy.steps if step.routes)


CALL = _call(shipped("result_first"))


@given(
    st.fixed_dictionaries({question.id: st.sampled_from(question.answers) for question in CALL.guide}),
)
def test_answers_lead_somewhere_and_never_harm_who_cannot(answers: dict[str, str]) -> None:
    """Any full set of answers is taken; who disputes is heard, and who can't pay or wants help never goes formal."""
    check_answers(CALL, answers)
    triage = triage_of(CALL, answers)
    if answers["will"] == "disagrees":
        assert triage == "department"
    elif answers["self_direction"] == "with_help" or answers["means"] == "nothing":
        assert triage in {"help", "plan", "open"}
    if triage == "formal":
        assert answers["will"] == "no" and answers["means"] != "nothing"


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda all_: all_ | {"weather": "fine"}, "weather"),
        (lambda all_: all_ | {"will": "perhaps"}, "will=perhaps"),
        (lambda all_: {"will": all_["will"]}, "means"),
    ],
)
def test_answers_that_the_guide_does_not_know_are_refused(
    change: Callable[[dict[str, Any]], dict[str, str]], named: str
) -> None:
    """A question too many, an unknown answer and a missing one are each named."""
    answers = {question.id: question.answers[0] for question in CALL.guide}
    check_answers(CALL, answers)
    with pytest.raises(UsageError, match=named):
        check_answers(CALL, change(answers))
