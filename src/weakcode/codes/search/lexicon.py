"""What people say that the Tabular List does not: abbreviations, lay words, words that stand for each other.

`codes/data/search-words.yaml` says it. It is read when the index is made, and stands in the index as lines of text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from importlib.resources import files
from typing import Any

import attrs

from weakcode.codes.normalise import compact
from weakcode.codes.search.words import words_of

PLACE = "data/search-words.yaml"


@attrs.frozen
class Meaning:
    """What a phrase stands for: other phrases, each as its words, and codes, compact, best first.

    `M54-` is everything below M54.
    """

    words: tuple[tuple[str, ...], ...] = ()
    codes: tuple[str, ...] = ()


class Lexicon:
    """The phrases that are known, each under its words in alphabetical order, since people turn them round."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._meanings: dict[str, tuple[str, str]] = {}
        self.alike: dict[str, tuple[str, ...]] = {}
        self.within: dict[str, tuple[str, ...]] = {}
        self.words: set[str] = set()
        self.longest = 1
        self._single: dict[str, tuple[str, ...]] = {}
        for line in lines:
            kind, text, words, codes = line.split("\t")
            if kind == "alone":
                self._single[text] = tuple(words.split(";"))
            elif kind in ("alike", "within"):
                (self.alike if kind == "alike" else self.within)[text] = tuple(words.split(";"))
            else:
                self._meanings[text] = words, codes
            self.words.update(text.split())
            self.longest = max(self.longest, text.count(" ") + 1)

    def meaning(self, words: Iterable[str]) -> Meaning | None:
        """Return what a phrase means, or the same with other words that stand for its own."""
        key = key_of(words)
        found = self._meanings.get(key) or self._meanings.get(_plainest(key, self._single))
        if found is None:
            return None
        phrases = tuple(tuple(phrase.split()) for phrase in found[0].split(";") if phrase)
        return Meaning(phrases, tuple(found[1].split()))

    def written_out(self, word: str) -> tuple[str, ...]:
        """Return the words that an abbreviation stands for; the word itself where it is none, or names codes."""
        words, codes = self._meanings.get(word, ("", ""))
        return tuple(words.split()) if words and not codes and ";" not in words else (word,)


def key_of(words: Iterable[str]) -> str:
    """Return under what a phrase is kept."""
    return " ".join(sorted(words))


def _plainest(key: str, single: Mapping[str, Sequence[str]]) -> str:
    """Return a phrase with the alphabetically first word for each that others stand for."""
    return key_of(min([word, *single.get(word, ())]) for word in key.split())


@lru_cache(maxsize=1)
def lines() -> tuple[str, ...]:
    """Return the lexicon as lines: kind, words, words to look for, codes, parted by tabs."""
    import yaml

    content = files("weakcode.codes").joinpath(PLACE).read_text("utf-8")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return tuple(dict.fromkeys(_lines(yaml.load(content, Loader=loader))))  # noqa: S506


def _lines(read: dict[str, Any]) -> Iterator[str]:
    alike = list(_alike(read["alike"]))
    yield from alike
    single = {
        phrase: words.split(";") for kind, phrase, words, _ in (line.split("\t") for line in alike) if kind == "alone"
    }
    phrases: dict[str, str] = {}
    for phrase, what in _phrases(read):
        phrases.setdefault(phrase, what)
    for phrase, what in list(phrases.items()):
        if " " in phrase:
            phrases.setdefault(_plainest(phrase, single), what)
    yield from (f"phrase\t{phrase}\t{what}" for phrase, what in phrases.items())
    for part, whole in read["within"].items():
        wholes = ";".join(" ".join(words_of(text)) for text in whole.split(";"))
        yield f"within\t{key_of(words_of(part))}\t{wholes}\t"


def _phrases(read: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield each phrase, as it is kept, with the words and the codes that it stands for."""
    for phrases, codes in read["terms"].items():
        listed = " ".join(compact(code.strip()) for code in str(codes).split(","))
        group = [words_of(phrase) for phrase in phrases.split(";")]
        others = ";".join(" ".join(words) for words in group)
        for words in group:
            yield key_of(words), f"{others}\t{listed}"
    for phrases, stands_for in read["means"].items():
        for phrase in phrases.split(";"):
            yield key_of(words_of(phrase)), f"{' '.join(words_of(stands_for))}\t"


def _alike(groups: list[list[str]]) -> Iterator[str]:
    """Yield what stands for what. A word of one group only may also be put for another in a phrase: `alone`."""
    together: dict[str, list[str]] = {}
    groups_of: dict[str, int] = {}
    written = [list(dict.fromkeys(" ".join(words_of(text)) for text in group)) for group in groups]
    for group in written:
        for text in group:
            together.setdefault(text, []).extend(other for other in group if other != text)
            groups_of[text] = groups_of.get(text, 0) + 1
    for text, others in together.items():
        yield f"alike\t{key_of(text.split())}\t{';'.join(dict.fromkeys(others))}\t"
    for group in written:
        single = [text for text in group if " " not in text and groups_of[text] == 1]
        for text in single:
            yield f"alone\t{text}\t{';'.join(single)}\t"
