"""Measures how hard a text is to read: long sentences, rare words, length. It proves no level; a person approves.

How often a word is used comes from wordfreq, whose Dutch counts include SUBTLEX-NL (Keuleers, Brysbaert and New,
2010). Two gates are needed: short sentences of jargon pass a count of words per sentence, and long sentences of
easy words pass a count of rare words.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

from channels.segments import GSM
from templates.lint_findings import Fault, Level

_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")


@cache
def limits() -> dict[str, Any]:
    """Return the limits of `lint_limits.toml`."""
    return tomllib.loads(files("templates").joinpath("lint_limits.toml").read_text("utf-8"))


def words(text: str) -> list[str]:
    """Return the words of a text."""
    return _WORD.findall(text)


def sentences(text: str) -> list[str]:
    """Part a text into sentences; a heading, a fact and a line of an address count as one each."""
    return [part for line in text.splitlines() for part in re.split(r"(?<=[.?!:])\s+", line) if words(part)]


def judge_sentences(text: str) -> Iterator[Fault]:
    """Judge how long the sentences are, each and on average, and what crams them."""
    found = sentences(text)
    counts = [len(words(sentence)) for sentence in found]
    limit = limits()["longest_sentence"]
    for sentence, count in zip(found, counts, strict=True):
        if level := _level(count, limit):
            yield Fault("long_sentence", level, sentence.strip(), f"{count} words; make two sentences of it")
        if sentence.count(",") >= 3 or re.search(r"[(;]", sentence):
            yield Fault(
                "crammed_sentence", Level.WARN, sentence.strip(), "one thought per sentence, no brackets"
            )
    mean = sum(counts) / len(counts) if counts else 0
    if level := _level(mean, limits()["mean_sentence"]):
        yield Fault("long_sentences", level, f"{mean:.1f} words per sentence", "write shorter sentences")


def judge_words(text: str, language: str) -> Iterator[Fault]:
    """Judge how many words are rare, and name those that are; a term that must be explained counts as known."""
    known = {*limits()["known"].get(language, ()), *limits()["explained"].get(language, ())}
    all_words = [word.lower() for word in words(text)]
    unknown = [word for word in all_words if word not in known]
    limit = limits()["rare_share"]
    rare = [word for word in unknown if zipf(word, language) < limit["zipf"]]
    share = 100 * len(rare) / len(all_words) if all_words else 0
    listed = ", ".join(dict.fromkeys(rare))
    if len(all_words) < limit["few_words"]:
        if len(rare) >= limit["few_warn"]:
            yield Fault("rare_words", Level.WARN, listed, "use words that everybody uses")
    elif level := _level(share, limit):
        yield Fault("rare_words", level, listed, f"{share:.0f} % is rare; use words that everybody uses")
    for word in dict.fromkeys(unknown):
        if zipf(word, language) < limits()["rare_word"]["zipf"]:
            yield Fault("rare_word", Level.WARN, word, "use a word that everybody uses")
        if len(word) > limits()["long_word"]["letters"]:
            yield Fault("long_word", Level.WARN, word, "split or explain it")


def judge_length(text: str, kind: str) -> Iterator[Fault]:
    """Judge how many words a text has, for a `body` or an `sms`."""
    count, limit = (
        sum(len(words(line)) for line in dict.fromkeys(text.splitlines())),
        limits()["length"][kind],
    )
    if count > limit:
        yield Fault("length", Level.WARN, f"{count} words", f"at most {limit}: one message, one page")


def judge_sms(text: str) -> Iterator[Fault]:
    """Judge what a text message costs to send: its length, and signs that more than halve what fits in one."""
    limit = limits()["sms_characters"]
    if len(text) > limit:
        yield Fault(
            "sms_parts", Level.WARN, f"{len(text)} characters", f"at most {limit} fit in one text message"
        )
    for sign in dict.fromkeys(text):
        if sign not in GSM:
            yield Fault(
                "sms_alphabet", Level.WARN, sign, "with this sign only 70 characters fit in one message"
            )


@lru_cache(maxsize=8192)
def zipf(word: str, language: str) -> float:
    """Tell how often a word is used: log10 of its number in 10^9 words, 0 where it is unknown."""
    from wordfreq import zipf_frequency  # its lists take half a second to load, and only the lint needs them

    return float(zipf_frequency(word, language))


def _level(value: float, limit: dict[str, float]) -> Level | None:
    if value > limit["block"]:
        return Level.BLOCK
    return Level.WARN if value > limit["warn"] else None
