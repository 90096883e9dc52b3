"""The search index of a Tabular List: every title and term once, and for each word the texts that contain it."""

from __future__ import annotations

import hashlib
from array import array
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from weakcode.base.building import uncollected
from weakcode.base.lazy import lazy
from weakcode.codes.holds import search_holds
from weakcode.codes.keys import pack_key, unpack_key
from weakcode.codes.search import lexicon
from weakcode.codes.search.words import (
    ENDINGS,
    FILLERS,
    SAYS_NOTHING,
    nearest,
    roots,
    slips,
    sound,
    sounds_like,
    split,
    stem,
    words_of,
)
from weakcode.codes.storage import shipped, store
from weakcode.codes.storage.shape import SEARCH

if TYPE_CHECKING:
    from weakcode.codes.edition import Edition

_PREFIX = 3
"""From so many letters on, the beginning of a word finds it."""


class _Words(dict[str, str | None]):
    """The words of texts as `words_of` has them, each read once; None for those that do not count."""

    def __init__(self) -> None:
        self.postings: dict[str, array[int]] = {}

    def __missing__(self, written: str) -> str | None:
        word = stem(written)
        found = self[written] = None if word in FILLERS else word
        return found

    def add(self, text: str, entry: int) -> int:
        """Note that a text, by its number, has its words; return how many say something."""
        words = [self[word] for word in split(text)]
        counted = [word for word in words if word is not None] or words_of(text)
        for word in dict.fromkeys(counted):
            if word not in self.postings:
                self.postings[word] = array("I")
            self.postings[word].append(entry)
        return sum(word not in SAYS_NOTHING for word in counted)


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
    """Return the sections of the search index: titles, terms and Includes notes, and terms of the Alphabetic Index.

    The edition keeps the last as `alphabetic.write_terms` has them. Texts are in the order of their codes, so
    that those of a family of codes stand together.
    """
    more: dict[str, list[str]] = {}
    for note in edition.all_notes("includes"):
        more.setdefault(note.place.replace(".", ""), []).extend(note.lines)
    for line in bytes(edition.stored.sections["terms"]).decode().splitlines():
        name, _, words = line.partition("\t")
        more.setdefault(name, []).append(words)
    known = _Words()
    node_of, words_in, text_at = array("Q"), array("H"), array("I")
    texts = bytearray()
    for key, name, own in sorted((pack_key(name), name, own) for name, own in edition.texts()):
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
        "search_phrases": "\n".join(lexicon.lines()).encode(),
    }


class SearchIndex:
    """The search index of one Tabular List, opened. An entry is a text, by number; `keys` has the code of each."""

    def __init__(self, sections: Mapping[str, memoryview]) -> None:
        self.keys = sections["search_node"].cast("Q")
        self.sizes = sections["search_size"].cast("H")
        self._at = sections["search_at"].cast("I")
        self._texts = sections["search_texts"]
        self._words = bytes(sections["search_words"]).decode().split("\n")
        self._starts = sections["search_starts"].cast("I")
        self._entries = sections["search_entries"].cast("I")
        self._phrases = bytes(sections["search_phrases"]).decode()

    def __len__(self) -> int:
        return len(self.keys)

    @lazy
    def lexicon(self) -> lexicon.Lexicon:
        """What people say and titles do not."""
        return lexicon.Lexicon(self._phrases.splitlines())

    def name(self, entry: int) -> str:
        """Return the compact name of the code or category that has a text."""
        return unpack_key(self.keys[entry])

    def text(self, entry: int) -> str:
        """Return a text."""
        return bytes(self._texts[self._at[entry] : self._at[entry + 1]]).decode()

    def family(self, prefix: str) -> range:
        """Return the texts of the codes whose compact name begins with `prefix`."""
        low = pack_key(prefix)
        if not low:
            return range(0)
        return range(bisect_left(self.keys, low), bisect_left(self.keys, low + (1 << (8 * (8 - len(prefix))))))

    def words_of_title(self, code: str) -> tuple[str, ...]:
        """Return the words that say something in the title of a code, a category or what stands below `M54-`."""
        name = code.rstrip("-")
        family = self.family(name if len(name) < 7 else name[:6].rstrip("X"))
        if not family or self.name(family[0]) not in (name, name[:6].rstrip("X")):
            return ()
        return tuple(dict.fromkeys(word for word in words_of(self.text(family[0])) if word not in SAYS_NOTHING))

    def entries(self, word: str) -> memoryview | array[int]:
        """Return the texts that have a word."""
        at = self._word(word)
        return array("I") if at is None else self._entries[self._starts[at] : self._starts[at + 1]]

    def entries_from(self, prefix: str) -> Iterator[int]:
        """Yield the texts that have a longer word with this beginning."""
        at = bisect_left(self._words, prefix)
        while at < len(self._words) and self._words[at].startswith(prefix):
            if self._words[at] != prefix:
                yield from self._entries[self._starts[at] : self._starts[at + 1]]
            at += 1

    def derived(self, word: str) -> list[str]:
        """Return the words of texts that have the root of a word, and an ending of their own."""
        found: list[str] = []
        for root in roots(word):
            at = bisect_left(self._words, root)
            while at < len(self._words) and self._words[at].startswith(root):
                other = self._words[at]
                if other != word and other[len(root) :] in ENDINGS and other not in found:
                    found.append(other)
                at += 1
        return found

    def is_known(self, word: str) -> bool:
        """Whether a word stands in a text or a phrase."""
        return self._word(word) is not None or word in self.lexicon.words

    def begins(self, word: str) -> bool:
        """Whether a longer word of a text begins with this one."""
        if len(word) < _PREFIX:
            return False
        at = bisect_left(self._words, word)
        return at < len(self._words) and self._words[at].startswith(word)

    def nearest(self, word: str) -> list[str]:
        """Return the words that were probably meant, the most frequent first."""
        similar = nearest(word, self._known)
        if not similar or slips(word, similar[0], 1) > 1:
            similar = sounds_like(word, self._sounds) or similar
        return sorted(similar, key=lambda other: -len(self.entries(other)))

    @lazy
    def _known(self) -> list[str]:
        return [*self._words, *(self.lexicon.words - set(self._words))]

    @lazy
    def _sounds(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for word in self._known:
            if word.isalpha():
                found.setdefault(sound(word), []).append(word)
        return found

    def _word(self, word: str) -> int | None:
        at = bisect_left(self._words, word)
        return at if at < len(self._words) and self._words[at] == word else None
