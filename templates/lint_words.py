"""Judges single words and phrases: harsh, early, difficult, telling, the wrong form of address."""

from __future__ import annotations

import csv
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files

from templates.inert import is_discreet
from templates.lint_findings import Fault, Level
from templates.lint_gates import limits, words


@dataclass(frozen=True, slots=True)
class _Phrase:
    """One row of `harsh_phrases.csv`; in its `tones` a person decides, elsewhere it is refused."""

    pattern: re.Pattern[str]
    tones: frozenset[str]
    instead: str


@dataclass(frozen=True, slots=True)
class _Word:
    """One row of `plain_words.csv`: block, warn, or explain where it stands."""

    pattern: re.Pattern[str]
    kind: str
    instead: str


@dataclass(frozen=True, slots=True)
class _Lists:
    harsh: tuple[_Phrase, ...]
    harsh_where_seen: tuple[_Phrase, ...]
    words: tuple[_Word, ...]
    terms: tuple[_Word, ...]
    early: re.Pattern[str]
    telling: re.Pattern[str]
    term: re.Pattern[str]
    other_address: Mapping[str, re.Pattern[str]]
    explained: Mapping[str, re.Pattern[str]]


@lru_cache(maxsize=8192)
def judge_line(line: str, language: str, form: str, tone: str, has_term: bool) -> tuple[Fault, ...]:
    """Judge one line, without its facts; `has_term` where the law wants a number of days in this message."""
    return tuple(_judge_line(line, language, form, tone, has_term))


def _judge_line(line: str, language: str, form: str, tone: str, has_term: bool) -> Iterator[Fault]:
    lists = _lists(language)
    for found in lists.other_address[form].finditer(line):
        yield Fault("address", Level.BLOCK, found[0], f"keep to the {form} form of address")
    for phrase in lists.harsh:
        level = Level.WARN if tone in phrase.tones else Level.BLOCK
        yield from (
            Fault("harsh", level, found[0], phrase.instead) for found in phrase.pattern.finditer(line)
        )
    if tone in limits()["early_tones"]:
        for found in lists.early.finditer(line):
            yield Fault(
                "early", Level.BLOCK, found[0], "leave duty, costs and consequences to the formal tones"
            )
    if not has_term:
        for found in lists.term.finditer(line):
            yield Fault("term", Level.BLOCK, found[0], "give the date on which it ends")
    for word in lists.words:
        if word.kind != "explain":
            level = Level.BLOCK if word.kind == "block" else Level.WARN
            for found in word.pattern.finditer(line):
                if found[0].lower() not in lists.explained:  # then `judge_terms` looks at it
                    yield Fault("difficult", level, found[0], word.instead)


def judge_seen(text: str, language: str) -> Iterator[Fault]:
    """Judge a text that somebody else may see, without its facts: nothing in it says or suggests debt."""
    lists = _lists(language)
    for found in lists.telling.finditer(text):
        yield Fault(
            "tells_of_debt", Level.BLOCK, found[0], "somebody else may read this; say who writes, and call us"
        )
    for phrase in lists.harsh_where_seen:
        for found in phrase.pattern.finditer(text):
            yield Fault("tells_of_debt", Level.BLOCK, found[0], phrase.instead)
    if not is_discreet(text):
        yield Fault("tells_of_debt", Level.BLOCK, text.strip(), "somebody else may read this")


def judge_terms(text: str, language: str) -> Iterator[Fault]:
    """Look whether each term of the trade is explained in plain words where it first stands."""
    lists = _lists(language)
    for word in lists.terms:
        found = word.pattern.search(text)
        if found is None:
            continue
        explained = lists.explained.get(found[0].lower())
        if explained is None:
            if word.kind == "explain":
                yield Fault("unexplained", Level.WARN, found[0], word.instead)
        elif not explained.search(_around(text, found)):
            level = Level.BLOCK if word.kind == "explain" else Level.WARN
            yield Fault("unexplained", level, found[0], f"explain it at once: {word.instead}")


def _around(text: str, found: re.Match[str]) -> str:
    """Return the sentence up to the term, and what follows it closely."""
    before = re.split(r"[.?!\n]", text[: found.start()])[-1]
    return before + " " + " ".join(words(text[found.end() :])[: limits()["explained_within"]])


@cache
def _lists(language: str) -> _Lists:
    short = tomllib.loads(files("templates").joinpath("lint_words.toml").read_text("utf-8"))[language]
    harsh = _rows("harsh_phrases.csv", language)
    plain = tuple(_word(row) for row in _rows("plain_words.csv", language))
    explained = limits()["explained"][language]
    return _Lists(
        harsh=tuple(_phrase(row) for row in harsh if row["where"] == "all"),
        harsh_where_seen=tuple(_phrase(row) for row in harsh if row["where"] == "open"),
        words=plain,
        terms=tuple(
            word
            for word in plain
            if word.kind == "explain" or any(word.pattern.search(term) for term in explained)
        ),
        early=_any(short["early"]),
        telling=_any(short["telling"]),
        term=_any(short["term"]),
        other_address={form: _any(other) for form, other in short["other_address"].items()},
        explained={term: re.compile(pattern, re.IGNORECASE) for term, pattern in explained.items()},
    )


def _rows(name: str, language: str) -> list[dict[str, str]]:
    lines = files("templates").joinpath(name).read_text("utf-8").splitlines()
    rows = csv.DictReader(lines, delimiter=";", quoting=csv.QUOTE_NONE)
    return [row for row in rows if row["language"] == language]


def _phrase(row: dict[str, str]) -> _Phrase:
    pattern = re.compile(row["phrase_or_regex"], re.IGNORECASE)
    return _Phrase(
        pattern, frozenset(row["tones"].split()), f"{row['reason']}; allowed: {row['allowed_when']}"
    )


def _word(row: dict[str, str]) -> _Word:
    # Longest first, so that the whole of a phrase is named.
    forms = sorted(row["difficult"].split("|"), key=len, reverse=True)
    kind, _, note = row["note"].partition(":")
    instead = row["plain"].replace("|", " / ") + (f" ({note.strip()})" if note else "")
    return _Word(_any([re.escape(form) for form in forms]), kind.partition(",")[0].split()[0], instead)


def _any(patterns: list[str]) -> re.Pattern[str]:
    # An empty list matches nothing at all, rather than everywhere.
    return re.compile(rf"(?<!\w)(?:{'|'.join(patterns)})(?!\w)" if patterns else r"(?!)", re.IGNORECASE)
