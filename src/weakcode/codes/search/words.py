"""Words of titles, terms and queries, in the one form in which they are compared, and words with a slip."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

_WORD = re.compile(r"[^\W_]+")
FILLERS = frozenset(
    ("an", "and", "at", "by", "for", "from", "his", "her", "in", "is", "my", "nos", "of", "on", "or", "the", "to")
)
"""Words that say nothing of what is looked for."""
SAYS_NOTHING = frozenset(("unspecified", "site", "part", "type", "organism", "not", "elsewhere", "classified", "nec"))
"""Words of titles that a query is not expected to say."""
_ONE_SLIP, _TWO_SLIPS = 4, 6
ENDINGS = (
    *("", "e", "ed", "es", "ing", "ion", "ive", "al", "ial", "ic", "ical", "ious", "ous", "ia", "y", "ies", "ity"),
    *("ly", "ation", "is", "us", "um", "a", "i", "tic", "sis", "t", "ce", "cy", "ally", "ism", "er", "ment"),
    *("able", "ent"),
)
"""Endings of words that have one root: infected, infection, infectious; stenosis, stenotic."""
_ROOT = 5
_SOUNDS = (
    (r"^(?:pn|kn|gn|mn)", "n"), (r"^ps", "s"), (r"^pt", "t"), (r"^wr", "r"), (r"^x", "z"), ("rrh|rh", "r"), ("ph", "f"),
    ("sch|sh|tio|cio|cia|sio", "s"), ("ch|ck|qu|q|x", "k"), ("c(?=[eiy])", "s"), ("c", "k"), ("ae|oe|ea|ei|ie|ee", "e"),
    ("eu|ue|ou|oo|ew", "u"), ("au|aw", "o"), ("ai|ay", "a"), ("y", "i"), ("z", "s"), ("gh", ""),
    (r"([a-z])\1+", r"\1"), (r"(?<!^)h", ""), (r"e$", ""),
)  # fmt: skip
"""Spellings and how they sound, applied in this order: words that sound alike are written alike."""


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """Return the word without a plural ending, so that one form is compared."""
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 5 and word.endswith(("sses", "shes", "xes")):
        return word[:-2]
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "is", "us")):
        return word[:-1]
    return word


def roots(word: str) -> list[str]:
    """Return what is left of a word without an ending that it may have, the longest first."""
    ends = sorted((ending for ending in ENDINGS if word.endswith(ending)), key=len)
    return [root for ending in ends if len(root := word.removesuffix(ending)) >= _ROOT]


def split(text: str) -> list[str]:
    """Return the words of a text in lower case, as they are written."""
    return _WORD.findall(text.lower().replace("'s", "").replace("\u2019s", "").replace("'", "").replace("\u2019", ""))


def words_of(text: str) -> list[str]:
    """Return the words of a text that count, in lower case and singular, in order; all where none counts."""
    words = list(map(stem, split(text)))
    return [word for word in words if word not in FILLERS] or words


def slips(word: str, other: str, most: int) -> int:
    """Return how many letters were added, dropped, changed or swapped with their neighbour; `most` + 1 for more."""
    if abs(len(word) - len(other)) > most:
        return most + 1
    before: list[int] = []
    last = list(range(len(other) + 1))
    for i, letter in enumerate(word, 1):
        row = [i]
        for j, other_letter in enumerate(other, 1):
            cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (letter != other_letter))
            if i > 1 and j > 1 and letter == other[j - 2] and word[i - 2] == other_letter:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
        before, last = last, row
    return last[-1]


def nearest(word: str, known: Iterable[str]) -> list[str]:
    """Return the known words that differ by the fewest slips: one from five letters on, two from six; or none.

    Words that share the first letter go before the others.
    """
    if len(word) <= _ONE_SLIP:
        return []
    most = 2 if len(word) >= _TWO_SLIPS else 1
    candidates = [other for other in known if abs(len(other) - len(word)) <= most and len(other) >= _ONE_SLIP]
    best: dict[int, list[str]] = {}
    for allowed, same in ((most, True), (1, False)):
        for other in candidates:
            if (other[0] == word[0]) is same and (same or other[1:3] == word[:2] or other[:2] == word[1:3]):
                distance = slips(word, other, allowed)
                if distance <= allowed:
                    best.setdefault(distance, []).append(other)
        if best:
            return best[min(best)]
    return []


@lru_cache(maxsize=65536)
def sound(word: str) -> str:
    """Return how an English medical word sounds, roughly: pneumonia and nuemonia are one."""
    for spelling, sound_of in _SOUNDS:
        word = re.sub(spelling, sound_of, word)
    return word


def sounds_like(word: str, known: Mapping[str, list[str]]) -> list[str]:
    """Return the words, known by how they sound, that sound as this one does, or with one slip; or none."""
    if len(word) <= _ONE_SLIP:
        return []
    heard = sound(word)
    if len(heard) < _ONE_SLIP:
        return []
    if heard in known:
        return known[heard]
    candidates = nearest(heard, known) if len(heard) >= _TWO_SLIPS else []
    return [other for one in candidates if slips(heard, one, 1) <= 1 for other in known[one]]
