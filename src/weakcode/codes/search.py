"""Finds codes by words: titles, inclusion terms and terms of the Alphabetic Index, ranked.

The index holds every text once, as numbered words, and for each word the texts that contain it.
"""

from __future__ import annotations

import hashlib
import re
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

import attrs

from weakcode.base.building import uncollected
from weakcode.codes.holds import search_holds
from weakcode.codes.keys import pack_key, unpack_key
from weakcode.codes.normalise import canonical
from weakcode.codes.storage import shipped, store
from weakcode.codes.storage.shape import SEARCH

if TYPE_CHECKING:
    from weakcode.codes.edition import Edition

_WORD = re.compile(r"[^\W_]+")
_FILLERS = frozenset(("a", "an", "and", "by", "for", "in", "of", "on", "or", "the", "to", "with"))


@attrs.frozen
class SearchHit:
    """One code found: `matched` is the title, inclusion term or index term that the words were found in."""

    code: str
    title: str
    matched: str
    score: float


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


def _split(text: str) -> list[str]:
    return _WORD.findall(text.lower().replace("'s", ""))


def words_of(text: str) -> list[str]:
    """Return the words of a text that count, in lower case and singular, in order."""
    words = list(map(stem, _split(text)))
    return [word for word in words if word not in _FILLERS] or words


class _Words(dict[str, str | None]):
    """The words of texts as `words_of` has them, each read once; None for those that do not count."""

    def __init__(self) -> None:
        self.postings: dict[str, array[int]] = {}

    def __missing__(self, written: str) -> str | None:
        word = stem(written)
        found = self[written] = None if word in _FILLERS else word
        return found

    def add(self, text: str, entry: int) -> int:
        """Note that a text, by its number, has its words; return how many they are."""
        words = [self[word] for word in _split(text)]
        counted = [word for word in words if word is not None] or words_of(text)
        for word in dict.fromkeys(counted):
            if word not in self.postings:
                self.postings[word] = array("I")
            self.postings[word].append(entry)
        return len(counted)


def index_of(edition: Edition, *, ships: bool = False) -> SearchIndex:
    """Return the search index of a Tabular List: as it is shipped or cached, else made and kept for the next time."""
    key = hashlib.blake2b(repr((shipped.made_by("codes"), edition.digest)).encode(), digest_size=16).hexdigest()
    place = store.cache_dir() / f"search-{edition.notes_name}-{key[:12]}.bin"
    stored = shipped.read(place, key, SEARCH, search_holds)
    if stored is None:
        with uncollected():
            packed = store.pack(key, {}, index_texts(edition))
        shipped.keep(place, packed, ships=ships)
        stored = store.open_bytes(packed, key)
        assert stored is not None, "a container that was just packed must open"
    return SearchIndex(stored.sections)


def index_texts(edition: Edition) -> dict[str, bytes]:
    """Return the sections of the search index: titles, inclusion terms, and terms of the Alphabetic Index.

    The edition keeps these as `alphabetic.write_terms` has them.
    """
    more: dict[str, list[str]] = {}
    for line in bytes(edition.stored.sections["terms"]).decode().splitlines():
        name, _, words = line.partition("\t")
        more.setdefault(name, []).append(words)
    known = _Words()
    node_of, words_in, text_at = array("Q"), array("H"), array("I")
    texts = bytearray()
    for name, own in edition.texts():
        key = pack_key(name)
        for text in dict.fromkeys([*own, *more.get(name, ())]):
            words_in.append(known.add(text, len(node_of)))
            node_of.append(key)
            text_at.append(len(texts))
            texts += text.encode()
    text_at.append(len(texts))
    ordered = sorted(known.postings)
    starts, entries = array("I", [0]), array("I")
    for word in ordered:
        entries.extend(known.postings[word])
        starts.append(len(entries))
    return {
        "search_node": node_of.tobytes(),
        "search_size": words_in.tobytes(),
        "search_at": text_at.tobytes(),
        "search_texts": bytes(texts),
        "search_words": "\n".join(ordered).encode(),
        "search_starts": starts.tobytes(),
        "search_entries": entries.tobytes(),
    }


def _one_slip(word: str, other: str) -> bool:
    """Whether one letter added, dropped, changed or swapped with its neighbour makes the words equal."""
    if len(word) > len(other):
        word, other = other, word
    at = next((i for i, (a, b) in enumerate(zip(word, other, strict=False)) if a != b), len(word))
    if len(word) != len(other):
        return word[at:] == other[at + 1 :]
    return word[at + 1 :] == other[at + 1 :] or (
        word[at : at + 2] == other[at : at + 2][::-1] and word[at + 2 :] == other[at + 2 :]
    )


class SearchIndex:
    """The search index of one edition, opened."""

    def __init__(self, sections: Mapping[str, memoryview]) -> None:
        self._keys = sections["search_node"].cast("Q")
        self._sizes = sections["search_size"].cast("H")
        self._at = sections["search_at"].cast("I")
        self._texts = sections["search_texts"]
        self._words = bytes(sections["search_words"]).decode().split("\n")
        self._starts = sections["search_starts"].cast("I")
        self._entries = sections["search_entries"].cast("I")

    def _candidates(self, word: str) -> Iterator[tuple[int, float]]:
        """Yield the known words that `word` may mean, with how well each fits."""
        at = bisect_left(self._words, word)
        exact = at < len(self._words) and self._words[at] == word
        if exact:
            yield at, 1.0
        prefixed = False
        if len(word) >= 3:
            for index in range(at + exact, len(self._words)):
                if not self._words[index].startswith(word):
                    break
                prefixed = True
                yield index, 0.6
        if exact or prefixed or len(word) < 5:
            return
        low, high = bisect_left(self._words, word[0]), bisect_left(self._words, word[0] + "\uffff")
        for index in range(low, high):
            known = self._words[index]
            if abs(len(known) - len(word)) <= 1 and _one_slip(word, known):
                yield index, 0.5

    def _entries_for(self, words: Iterable[str]) -> dict[int, float]:
        """Return how well each text fits, summed over the words."""
        total: dict[int, float] = {}
        for word in words:
            best: dict[int, float] = {}
            for number, fit in self._candidates(word):
                for entry in self._entries[self._starts[number] : self._starts[number + 1]]:
                    if fit > best.get(entry, 0.0):
                        best[entry] = fit
            for entry, fit in best.items():
                total[entry] = total.get(entry, 0.0) + fit
        return total

    def find(self, edition: Edition, text: str, limit: int) -> list[SearchHit]:
        """Return the best hits, one a code, best first."""
        wanted = list(dict.fromkeys(words_of(text)))
        if not wanted or limit < 1:
            return []
        fits = self._entries_for(wanted)
        if not fits:
            return []
        most = max(fits.values())
        phrase = words_of(text)
        best: dict[int, tuple[float, int]] = {}
        for entry, fit in fits.items():
            if fit < 0.5 * most:
                continue
            share = fit / len(wanted)
            score = 60 * share * share + 30 * share * min(1.0, len(wanted) / max(1, self._sizes[entry]))
            key = self._keys[entry]
            if score > best.get(key, (0.0, 0))[0]:
                best[key] = (score, entry)
        # Only texts that may still reach the list are looked at more closely.
        front = sorted(best.items(), key=lambda item: -item[1][0])[: max(200, 4 * limit)]
        hits: list[SearchHit] = []
        for key, (score, entry) in front:
            name = unpack_key(key)
            title = edition.title(name)
            if title is None:
                # A code of other days.
                continue
            matched = bytes(self._texts[self._at[entry] : self._at[entry + 1]]).decode()
            if words_of(matched) == phrase:
                score += 40
            if edition.is_billable(name):
                score += 6
            score -= 0.5 * len(name)
            hits.append(SearchHit(canonical(name), title, matched, round(score, 3)))
        hits.sort(key=lambda hit: (-hit.score, hit.code))
        return hits[:limit]
