"""How well texts fit one thing that a query asks for, and how much it weighs beside the others."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

import attrs

from weakcode.codes.keys import unpack_key
from weakcode.codes.search.query import Alternative, Concept, alternatives_of

if TYPE_CHECKING:
    from weakcode.codes.search.index import SearchIndex

_RANGE = re.compile(r"(\d+(?:\.\d+)?) ?- ?(\d+(?:\.\d+)?)")
_FEW = 500
_A_WORD_AT_MOST, _A_WEAK_WORD_AT_MOST = 6.5, 1.0
_PHRASES, _A_PHRASE_AT_LEAST, _A_PHRASE_AT_MOST = 1.5, 4.0, 9.0
_IN_FAMILY, _LATER, _ALSO_SAID = 0.95, 0.02, 0.05
_NEIGHBOURS = {3: 0.6, 4: 0.75, 5: 0.8}
"""How well the codes fit that begin as a named one does, by how many characters they share with it."""
_LONGEST_CATEGORY = 5
_INHERITED, _HEIRS = 0.8, 3000


@attrs.define
class Fits:
    """How well texts fit one concept, and which of them are of a code that the concept names."""

    of: dict[int, float]
    named: dict[int, int]
    weight: float


def fits_of(index: SearchIndex, concept: Concept, *, alone: bool) -> Fits:
    """Return how well each text fits a concept; one that stands `alone` in its query asks for no neighbours."""
    of: dict[int, float] = {}
    how_many: dict[float, int] = {}
    for one in concept.alternatives:
        entries = _entries(index, one)
        if entries and not one.begun:
            how_many[one.fit] = min(len(entries), how_many.get(one.fit, len(index)))
        for entry in entries:
            if one.fit > of.get(entry, 0.0):
                of[entry] = one.fit
    if len(of) <= _HEIRS:
        _inherit(index, of)
    asked_words = frozenset(of)
    named: dict[int, int] = {}
    for place, code in enumerate(concept.codes):
        name = code.rstrip("-")
        family = index.family(name if code.endswith("-") or len(name) < 7 else name[:6].rstrip("X"))
        fit = (_IN_FAMILY if code.endswith("-") else 1.0) - _LATER * place
        for entry in family:
            if code.endswith("-") or index.name(entry) in (name, name[:6].rstrip("X")):
                of[entry] = max(of.get(entry, 0.0), fit + (_ALSO_SAID if entry in asked_words else 0.0))
                if not code.endswith("-"):
                    named.setdefault(entry, place)
    # A word that few texts have says little of what was meant; a phrase that is known says most, unless it fits much.
    if concept.codes:
        weight = max(_A_PHRASE_AT_LEAST, min(_A_PHRASE_AT_MOST, _PHRASES * math.log(1 + len(index) / len(of))))
    else:
        rarest = how_many[max(how_many)] if how_many else len(index)
        weight = min(_A_WORD_AT_MOST, math.log(1 + len(index) / rarest))
    if concept.is_weak:
        weight = min(_A_WEAK_WORD_AT_MOST, weight)
    if not alone:
        _fit_neighbours(index, concept, of)
    return Fits(of, named, weight)


def _fit_neighbours(index: SearchIndex, concept: Concept, of: dict[int, float]) -> None:
    """Let other words of the query ask for a neighbour of a code, the nearer the better: its side, its place."""
    for code in concept.codes:
        name = code.rstrip("-")
        for length, fit in _NEIGHBOURS.items():
            if length <= len(name):
                for entry in index.family(name[:length]):
                    of[entry] = max(of.get(entry, 0.0), fit)


def _inherit(index: SearchIndex, of: dict[int, float]) -> None:
    """Let what a category says hold for the codes below it, a little less."""
    below: dict[int, float] = {}
    for entry, fit in of.items():
        key = index.keys[entry]
        name = unpack_key(key)
        if len(name) > _LONGEST_CATEGORY:
            continue
        for other in index.family(name):
            if index.keys[other] != key and _INHERITED * fit > below.get(other, 0.0):
                below[other] = _INHERITED * fit
    for entry, fit in below.items():
        if fit > of.get(entry, 0.0):
            of[entry] = fit


def fit_ranges(index: SearchIndex, concepts: list[Concept], fits: list[Fits]) -> None:
    """Let a number fit the texts of a family that give a range with it: BMI 42 is between 40.0 and 44.9."""
    asked = [one.alternatives[0].words for one in concepts]
    numbers = [place for place, words in enumerate(asked) if len(words) == 1 and words[0].isdecimal()]
    families = [one for one, concept in zip(fits, concepts, strict=True) if concept.codes]
    for place in numbers:
        number = float(asked[place][0])
        for entry in {entry for one in families for entry in one.of if len(one.of) <= _FEW}:
            between = _RANGE.search(index.text(entry))
            if between and float(between[1]) <= number <= float(between[2]):
                fits[place].of[entry] = 1.0


def _entries(index: SearchIndex, one: Alternative) -> list[int]:
    if one.begun:
        return list(index.entries_from(one.words[0]))
    if one.loose:
        return _loosely(index, one.words)
    lists = sorted((index.entries(word) for word in one.words), key=len)
    if not lists or not len(lists[0]):
        return []
    found = set(lists[0])
    for other in lists[1:]:
        found.intersection_update(other)
    return list(found)


def _loosely(index: SearchIndex, words: tuple[str, ...]) -> list[int]:
    """Return the texts that say each of the words, or what says the same."""
    found: set[int] | None = None
    for word in words:
        phrases = {
            entry for other in alternatives_of(word, index) for entry in _entries(index, Alternative(other)) if other
        }
        found = phrases if found is None else found & phrases
        if not found:
            return []
    return list(found or ())
