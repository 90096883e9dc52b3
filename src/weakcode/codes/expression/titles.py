"""The titles of a list in lower case, to be looked through for words: all of them at once, as the bytes they are."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

import attrs
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.int64]
    Mask = NDArray[np.bool_]

_LETTERS = b"abcdefghijklmnopqrstuvwxyz0123456789"
_WITHIN_WORDS = bytes(sign if sign in _LETTERS + b"_" or sign >= 128 else 32 for sign in range(256))
_ONLY_WORDS = bytes(sign if sign in _LETTERS else 32 for sign in range(256))


@attrs.frozen(eq=False)
class Titles:
    """Titles by number, one after the other in `text`: title n from `bounds[n]` to `bounds[n + 1]`."""

    text: bytes
    bounds: Numbers
    _having: dict[str, Mask] = attrs.field(factory=dict, init=False, repr=False)

    @classmethod
    def of(cls, text: bytes, bounds: memoryview) -> Titles:
        """Return titles as they are stored; letters that are not ASCII stay as they are."""
        return cls(text.lower(), np.asarray(bounds).astype(np.int64))

    def at(self, numbers: Numbers) -> Titles:
        """Return the titles of these numbers, numbered anew."""
        parts = list(self._parts(numbers))
        return Titles(b"".join(parts), np.cumsum([0, *map(len, parts)]))

    def _parts(self, numbers: Numbers) -> Iterator[bytes]:
        ends = zip(self.bounds[numbers].tolist(), self.bounds[numbers + 1].tolist(), strict=True)
        return (self.text[low:high] for low, high in ends)

    def having(self, *texts: str) -> Mask:
        """Tell of each title whether any of some texts stands in it, within a word or not."""
        found = np.zeros(len(self.bounds) - 1, np.bool_)
        for one in texts:
            if one not in self._having:
                self._having[one] = self._with(one.encode())
            found |= self._having[one]
        return found

    def having_word(self, *texts: str) -> Mask:
        """Tell of each title whether any of some texts stands in it with no letter or digit beside it.

        A letter that is not ASCII counts as one, and so does any other such sign.
        """
        found = np.zeros(len(self.bounds) - 1, np.bool_)
        signs = np.frombuffer(b" " + self.text.translate(_WITHIN_WORDS) + b" ", np.uint8) == ord(" ")
        for one in texts:
            first, numbers = self._places_of(one.encode())
            end = first + len(one)
            alone = (signs[first] | (first == self.bounds[numbers])) & (
                signs[end + 1] | (end == self.bounds[numbers + 1])
            )
            found[numbers[alone]] = True
        return found

    def _with(self, phrase: bytes) -> Mask:
        found = np.zeros(len(self.bounds) - 1, np.bool_)
        if not phrase:
            return ~found
        found[self._places_of(phrase)[1]] = True
        return found

    def _places_of(self, phrase: bytes) -> tuple[Numbers, Numbers]:
        """Return where a text stands, and in which title each time."""
        first = np.array(_occurrences(phrase, self.text), np.int64)
        numbers = np.searchsorted(self.bounds, first, "right") - 1
        # What begins in one title and ends in the next stands in neither.
        whole = first + len(phrase) <= self.bounds[numbers + 1]
        return first[whole], numbers[whole]

    def words(self, numbers: Numbers) -> TitleWords:
        """Return the words of the titles of these numbers: the letters a to z and digits."""
        parts = [part + b" " for part in self._parts(numbers)]
        text = b"".join(parts).translate(_ONLY_WORDS)
        in_word = np.frombuffer(b" " + text, np.uint8) != ord(" ")
        before = np.append(0, np.cumsum(in_word[1:] & ~in_word[:-1]))
        return TitleWords.of(text.decode("ascii").split(), before[np.cumsum([0, *map(len, parts)])])


@attrs.frozen(eq=False)
class TitleWords:
    """The words of texts as numbers: text n has the words `numbers[bounds[n]]` to `numbers[bounds[n + 1]]`.

    `known` has the number of each word, also of words that others of the same origin have.
    """

    known: dict[str, int]
    numbers: Numbers
    bounds: Numbers

    @classmethod
    def of(cls, words: list[str], bounds: Numbers) -> TitleWords:
        """Return the words of all texts, one after the other, parted at `bounds`."""
        known = {word: number for number, word in enumerate(dict.fromkeys(words))}
        return cls(known, np.fromiter(map(known.__getitem__, words), np.int64, len(words)), bounds)

    def number(self, word: str) -> int:
        """Return the number of a word, also of one that no text has."""
        return self.known.setdefault(word, len(self.known))

    def letter(self, word: str) -> str:
        """Return the character that stands for a word in `spelled`."""
        return chr(self.number(word))

    def mapped(self, read: Callable[[str], str]) -> TitleWords:
        """Return the words as `read` has each of them, without those of which it leaves nothing."""
        read_as = map(read, list(self.known))
        numbers = np.array([self.number(word) if word else -1 for word in read_as], np.int64)
        places = numbers[self.numbers]
        kept = places >= 0
        return TitleWords(self.known, places[kept], np.append(0, np.cumsum(kept))[self.bounds])

    def in_order(self) -> TitleWords:
        """Return the words of each text sorted by number, so that texts of the same words are the same."""
        size = max(len(self.known), 1)
        return TitleWords(self.known, np.sort(self._texts() * size + self.numbers) % size, self.bounds)

    def _texts(self) -> Numbers:
        """Return the number of the text that each word stands in."""
        return np.repeat(np.arange(len(self.bounds) - 1), np.diff(self.bounds))

    def having(self, words: Iterable[str]) -> Mask:
        """Tell of each text whether it has any of some words."""
        mask = np.zeros(len(self.known), np.bool_)
        mask[[self.known[word] for word in words if word in self.known]] = True
        found = np.zeros(len(self.bounds) - 1, np.bool_)
        found[self._texts()[mask[self.numbers]]] = True
        return found

    def spelled(self) -> list[str]:
        """Return every text with a character for each of its words, to be compared and looked up as a whole."""
        letters = self.numbers.astype("<u4").tobytes().decode("utf-32-le", "surrogatepass")
        return [letters[low:high] for low, high in pairwise(self.bounds.tolist())]


def _occurrences(phrase: bytes, text: bytes) -> list[int]:
    """Return every place at which a text stands in another one."""
    if any(phrase.startswith(phrase[at:]) for at in range(1, len(phrase))):
        # One may begin within another, as in "eyeye".
        return [found.start() for found in re.finditer(b"(?=%s)" % re.escape(phrase), text)]
    # What stands between them, with which `find` would be called thousands of times.
    before = accumulate(map(len, text.split(phrase)))
    return [length + number * len(phrase) for number, length in enumerate(before)][:-1]
