"""Finds codes by words or by a part of a code, the best first."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

import attrs

from weakcode.codes.normalise import canonical, compact
from weakcode.codes.search.fits import fit_ranges, fits_of
from weakcode.codes.search.index import SearchIndex, index_of
from weakcode.codes.search.query import Concept, concepts_of, without_encounter
from weakcode.codes.search.words import words_of

if TYPE_CHECKING:
    from weakcode.codes.edition import Edition

_CODE = re.compile(r"[A-Z][0-9][0-9A-Z](\.?[0-9A-Z]{0,4})?(\.?-)?", re.IGNORECASE)
_ICD9 = re.compile(r"\d{3}\.\d{1,2}|V\d{2}\.\d{1,2}|E\d{3}\.\d", re.IGNORECASE)
_DENIED = re.compile(r"\b(?:without|not specified as|no)\b(?P<what>[^,;]*)")
_SEVENTH_FIRST = "A0"
_ONLY, _ONLY_LATER = 18.0, 2.0
_LOOKED_AT = 250
_DENIES = 15.0
_DENYING = frozenset(("without", "no", "not", "non"))


def is_icd9(text: str) -> bool:
    """Whether a text has the form of a code of ICD-9-CM such as 250.00, whose digits are no words of ICD-10-CM."""
    return _ICD9.fullmatch(text.strip()) is not None


@attrs.frozen
class SearchHit:
    """One code found: `matched` is the title, inclusion term or index term that the words were found in.

    `is_billable` tells codes from categories. `sevenths` are the 7th characters that the code may have instead of its
    own. `successors` are the codes that came when a retired code went.
    """

    code: str
    title: str
    matched: str
    score: float
    is_billable: bool = True
    sevenths: str = ""
    is_retired: bool = False
    successors: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, object]:
        """Return the hit as an object of JSON, as `find --format json` and the service write it."""
        return {
            "code": self.code,
            "title": self.title,
            "matched": self.matched,
            "is_billable": self.is_billable,
            "seventh_characters": list(self.sevenths),
            "is_retired": self.is_retired,
            "successors": list(self.successors),
        }


@lru_cache(maxsize=4)
def index_for(whole: Edition) -> SearchIndex:
    """Return the search index of a Tabular List, opened once."""
    return index_of(whole)


def find(index: SearchIndex, edition: Edition, text: str, limit: int) -> list[SearchHit]:
    """Return the best hits for words, or for the beginning of a code, one a code, the best first."""
    if limit < 1:
        return []
    if _CODE.fullmatch(text.strip()):
        family = list(_family(edition, compact(text.strip().rstrip("-").rstrip(".")), limit))
        if family:
            return family[:limit]
    if is_icd9(text):
        return []
    plain, encounter = without_encounter(text)
    concepts = concepts_of(plain, index)
    if not concepts:
        return []
    found = _Hits(edition, encounter)
    for name, entry, score in _ranked(index, concepts, words_of(plain), max(_LOOKED_AT, 4 * limit)):
        found.add(name, index.text(entry), score)
    return found.best(limit)


def _ranked(
    index: SearchIndex, concepts: list[Concept], phrase: list[str], most_looked_at: int
) -> list[tuple[str, int, float]]:
    """Return the codes and categories that fit at least half as well as the best, with the text that fits, in order."""
    fits = [fits_of(index, concept, alone=len(concepts) == 1) for concept in concepts]
    fit_ranges(index, concepts, fits)
    whole = sum(one.weight for one in fits)
    total: dict[int, float] = {}
    for one in fits:
        for entry, fit in one.of.items():
            total[entry] = total.get(entry, 0.0) + one.weight * fit
    if not total:
        return []
    most = max(total.values())
    best: dict[int, tuple[float, int]] = {}
    for entry, fit in total.items():
        if fit < 0.5 * most:
            continue
        share = fit / whole
        concept_words = sum(concept.word_count for concept, one in zip(concepts, fits, strict=True) if entry in one.of)
        named = any(entry in one.named for one in fits)
        covered = 1.0 if named else min(1.0, concept_words / max(1, index.sizes[entry]))
        score = 60 * share * share + 25 * share * covered
        if len(fits) == 1 and (place := fits[0].named.get(entry)) is not None:
            score += _ONLY - _ONLY_LATER * place
        key = index.keys[entry]
        if score > best.get(key, (0.0, 0))[0]:
            best[key] = (score, entry)
    front = sorted(best.items(), key=lambda item: -item[1][0])[:most_looked_at]
    asked = _words_asked_for(concepts)
    ranked = []
    for _, (score, entry) in front:
        text = index.text(entry)
        if words_of(text) == phrase:
            score += 30
        elif _denies(text, asked):
            score -= _DENIES
        ranked.append((index.name(entry), entry, score))
    return sorted(ranked, key=lambda one: -one[2])


def _words_asked_for(concepts: list[Concept]) -> frozenset[str]:
    """Return the words that a query asks for, and single words for them; none where it denies some itself."""
    own = [one.alternatives[0].words for one in concepts]
    if any(word in _DENYING for words in own for word in words):
        return frozenset()
    return frozenset(one.words[0] for concept in concepts for one in concept.alternatives if len(one.words) == 1)


def _denies(text: str, asked: frozenset[str]) -> bool:
    """Whether a text says of something that is asked for, and only so, that it is not there."""
    denied = {word for one in _DENIED.finditer(text.lower()) for word in words_of(one["what"])} & asked
    return bool(denied) and not denied <= set(words_of(_DENIED.sub(" ", text.lower())))


class _Hits:
    """Hits collected: categories stand for the code that says no more than they do."""

    def __init__(self, edition: Edition, encounter: str = "") -> None:
        self._edition = edition
        self._first = encounter + _SEVENTH_FIRST
        self._hits: dict[str, SearchHit] = {}

    def add(self, name: str, matched: str, score: float) -> None:
        """Take a code or category by its compact name."""
        title = self._edition.title(name)
        if title is None:
            retired = _retired(self._edition, name, matched, score - 12)
            if retired is not None and retired.title:
                self._keep(retired)
            return
        score -= 0.4 * len(name)
        if self._edition.is_billable(name):
            self._keep(SearchHit(canonical(name), title, matched, score + 4 + _plain(title)))
            return
        finished = _finished(self._edition, name, self._first)
        if finished is not None:
            code, sevenths = finished
            own = self._edition.title(code) or title
            self._keep(SearchHit(canonical(code), own, matched, score + 3 + _plain(title), sevenths=sevenths))
            return
        default = _default(self._edition, name, self._first)
        if default is not None:
            code, sevenths = default
            self._keep(
                SearchHit(canonical(code), self._edition.title(code) or title, matched, score, sevenths=sevenths)
            )
        self._keep(SearchHit(canonical(name), title, matched, score - 10, is_billable=False))

    def _keep(self, hit: SearchHit) -> None:
        before = self._hits.get(hit.code)
        if before is None or hit.score > before.score:
            self._hits[hit.code] = hit

    def best(self, limit: int) -> list[SearchHit]:
        """Return the hits in order, with rounded scores."""
        ordered = sorted(self._hits.values(), key=lambda hit: (-hit.score, hit.code))[:limit]
        return [attrs.evolve(hit, score=round(hit.score, 3)) for hit in ordered]


def _plain(title: str) -> float:
    """Return how much a title says that nothing more is known, which is what a short query means."""
    text = title.lower()
    if text.startswith("unspecified") or text.endswith("unspecified") or "without complication" in text:
        return 2.5
    return 1.5 if "unspecified" in text else 0.0


def _finished(edition: Edition, name: str, text: str) -> tuple[str, str] | None:
    """Return the code with the first 7th character of those wanted, and all it may have; None where it needs none."""
    sevenths = edition.seventh_characters(name)
    if not sevenths:
        return None
    first = next((one for one in text if one in sevenths), min(sevenths))
    return f"{name.ljust(6, 'X')}{first}", "".join(sevenths)


def _default(edition: Edition, name: str, text: str) -> tuple[str, str] | None:
    """Return the billable code below a category that says least, with its 7th characters."""
    for _ in range(7):
        if edition.is_billable(name):
            return name, ""
        finished = _finished(edition, name, text)
        if finished is not None:
            return finished
        children = edition.children_of(name)
        if not children:
            return None
        name = compact(max(children, key=lambda node: (_says_least(node.name, node.title), node.name)).name)
    return None


def _says_least(name: str, title: str) -> float:
    text = title.lower()
    return (
        3 * (text.startswith("unspecified") or text.endswith("unspecified"))
        + 2 * ("without complication" in text)
        + name.endswith("9")
        + 0.5 * name.endswith("0")
        - 2 * text.startswith("other")
    )


def _retired(edition: Edition, name: str, matched: str, score: float) -> SearchHit | None:
    """Return a code that went before the days of the edition; one that came after them is not retired."""
    title, number = edition.whole.title(name), edition.whole.code_id(name)
    if title is None or number >= edition.size:
        return None
    if not any(last and last < edition.starts for _, last in edition.window(number).intervals):
        return None
    return SearchHit(
        canonical(name), title, matched, score, is_billable=False, is_retired=True, successors=successors(edition, name)
    )


def successors(edition: Edition, code: str) -> tuple[str, ...]:
    """Return the codes of an edition that came when a code went: below it, or else beside it; empty where none did."""
    name = compact(code)
    number = edition.whole.code_id(name)
    if edition.is_billable(name) or number >= edition.size:
        return ()
    below = edition.billable_below(name)
    if below:
        return tuple(map(edition.code, below))
    ended = max((last for _, last in edition.window(number).intervals if last and last < edition.ends), default=None)
    node = edition.whole.node(name)
    if ended is None or node is None or node.parent is None:
        return ()
    day = ended + dt.timedelta(days=1)
    near = edition.billable_below(node.parent)
    return tuple(edition.code(one) for one in near if any(day == first for first, _ in edition.window(one).intervals))


def _family(edition: Edition, name: str, limit: int) -> Iterator[SearchHit]:
    """Yield a code itself, what is billable below it, and what it is itself where it is a category."""
    title = edition.title(name)
    if title is None:
        retired = _retired(edition, name, "", 100.0)
        if retired is not None:
            yield retired
        return
    if edition.is_billable(name):
        yield SearchHit(canonical(name), title, title, 100.0)
        return
    codes = [edition.code(number) for number in edition.billable_below(name)][:limit]
    for place, code in enumerate(codes):
        own = edition.title(code) or ""
        yield SearchHit(code, own, own, 99.0 - place / 1000)
    yield SearchHit(canonical(name), title, title, 90.0, is_billable=False)
