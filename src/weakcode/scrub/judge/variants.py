"""What findings say, each variant once: its words by their numbers, so that no text is compared or copied twice.

A variant is what findings of the same edits on the same codes say. Its words are put together once, however many claims
have it; batches pick the numbers of those that they use.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import attrs
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from weakcode.engines.kernel import _kernel
from weakcode.scrub.columns import arrow

Column = NDArray[np.int32]


@attrs.frozen(eq=False)
class Words:
    """A column of texts: row r has values[index[r]]. Each stands once, in the order in which rows have it."""

    index: Column
    values: pa.StringArray

    @classmethod
    def of(cls, texts: Sequence[str]) -> Words:
        """Return texts as a column."""
        known: dict[str, int] = {}
        index = [known.setdefault(text, len(known)) for text in texts]
        return cls(np.array(index, np.int32), arrow.texts(list(known)))

    @classmethod
    def together(cls, parts: Sequence[Words]) -> Words:
        """Return the rows of columns one after the other."""
        values = pa.concat_arrays([part.values for part in parts]).dictionary_encode()
        numbers = arrow.filled(values.indices, 0).astype(np.int32, copy=False)
        starts = np.cumsum([0, *(len(part.values) for part in parts)])
        index = [numbers[part.index + start] for part, start in zip(parts, starts[:-1], strict=True)]
        return cls(np.concatenate(index).astype(np.int32, copy=False), values.dictionary)

    @classmethod
    def behind(cls, parts: Sequence[Words]) -> Words:
        """Return the rows of columns one after the other; a text of several of them stands as often."""
        starts = np.cumsum([0, *(len(part.values) for part in parts)], dtype=np.int32)
        index = [part.index + start for part, start in zip(parts, starts[:-1], strict=True)]
        return cls(np.concatenate(index), pa.concat_arrays([part.values for part in parts]))

    def of_rows(self, rows: Column) -> pa.DictionaryArray:
        """Return the texts of these rows."""
        return arrow.words(self.index[rows], self.values)

    def listed(self) -> list[str]:
        """Return the text of each row."""
        values = self.values.to_pylist()
        return [values[number] for number in self.index.tolist()]


@attrs.frozen(eq=False)
class WordLists:
    """A column of lists of texts: row r has those of words[bounds[r]:bounds[r + 1]]."""

    bounds: Column
    words: Words

    @classmethod
    def of(cls, lists: Sequence[Sequence[str]]) -> WordLists:
        """Return lists of texts as a column."""
        bounds = np.zeros(len(lists) + 1, np.int32)
        np.cumsum([len(one) for one in lists], out=bounds[1:])
        return cls(bounds, Words.of([text for one in lists for text in one]))

    @classmethod
    def together(cls, parts: Sequence[WordLists]) -> WordLists:
        """Return the rows of columns one after the other."""
        bounds = np.zeros(1 + sum(len(part.bounds) - 1 for part in parts), np.int32)
        np.cumsum(np.concatenate([np.diff(part.bounds) for part in parts]), out=bounds[1:])
        return cls(bounds, Words.together([part.words for part in parts]))

    def taken(self, rows: Column) -> WordLists:
        """Return the lists of these rows as a column."""
        ends, found = picked_lists(self.bounds, self.words.index, np.ascontiguousarray(rows, np.int32))
        return WordLists(ends, Words(found, self.words.values))

    def of_rows(self, rows: Column) -> pa.ListArray:
        """Return the lists of these rows; their texts are dictionary-encoded."""
        ends, found = picked_lists(self.bounds, self.words.index, rows)
        return arrow.lists(ends, arrow.words(found, self.words.values))

    def listed(self) -> list[list[str]]:
        """Return the texts of each row."""
        texts, bounds = self.words.listed(), self.bounds.tolist()
        return [texts[low:high] for low, high in pairwise(bounds)]


def picked_lists(bounds: Column, values: Column, rows: Column) -> tuple[Column, Column]:
    """Return the bounds and the numbers of the lists of these rows."""
    ends, found = _kernel.pick_lists(bounds, values, rows)
    return np.frombuffer(ends, np.int32), np.frombuffer(found, np.int32)


@attrs.frozen(eq=False)
class Variants:
    """What findings say, a row for each variant.

    `title` is the rule's, `fix` empty where there is none; `moves` is 1 where it is only there on a claim with another
    code, to change places with. `keys` has 16 bytes a row, which stand for rule and codes in ids.
    """

    rule: Words
    message: Words
    codes: WordLists
    sources: WordLists
    edition: Words
    confidence: Words
    title: Words
    fix: Words
    moves: Column
    keys: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.moves)

    @classmethod
    def of(cls, worded: Sequence[Worded], edition: str) -> Variants:
        """Return variants from all of it but the edition, for each."""
        rules, messages, codes, sources, confidences, titles, fixes, moves, keys = (
            zip(*worded, strict=True) if worded else [()] * 9
        )
        return cls(
            Words.of(rules),
            Words.of(messages),
            WordLists.of(codes),
            WordLists.of(sources),
            Words.of([edition] * len(worded)),
            Words.of(confidences),
            Words.of(titles),
            Words.of(fixes),
            np.array(moves, np.int32),
            np.frombuffer(b"".join(keys), np.uint8),
        )

    @classmethod
    def together(cls, parts: Sequence[Variants]) -> Variants:
        """Return variants one after the other."""

        def words(of: Callable[[Variants], Words]) -> Words:
            return Words.together([of(part) for part in parts])

        return cls(
            words(lambda part: part.rule),
            # Messages are many, and those of different parts differ.
            Words.behind([part.message for part in parts]),
            WordLists.together([part.codes for part in parts]),
            WordLists.together([part.sources for part in parts]),
            words(lambda part: part.edition),
            words(lambda part: part.confidence),
            words(lambda part: part.title),
            words(lambda part: part.fix),
            np.concatenate([part.moves for part in parts]),
            np.concatenate([part.keys for part in parts]),
        )


Worded = tuple[str, str, Sequence[str], Sequence[str], str, str, str, bool, bytes]
"""Rule, message, codes, sources, confidence, title, fix, moves and key of a variant."""


class InternedTexts:
    """Texts by numbers, in the order in which they first came; each stands once."""

    def __init__(self, texts: Sequence[str] = ()) -> None:
        self._numbers: dict[str, int] = {}
        self._new: list[str] = []
        self._values = arrow.texts([])
        for text in texts:
            self.number(text)

    def number(self, text: str) -> int:
        """Return the number of a text."""
        known = self._numbers.get(text)
        if known is None:
            known = self._numbers[text] = len(self._numbers)
            self._new.append(text)
        return known

    def words(self, numbers: Column) -> Words:
        """Return the texts of these numbers as a column, with no text that none of them has."""
        if self._new:
            self._values = pa.concat_arrays([self._values, arrow.texts(self._new)])
            self._new.clear()
        first, index = _kernel.first_met(np.ascontiguousarray(numbers, np.int32), len(self._numbers))
        values = arrow.taken_texts(self._values, np.frombuffer(first, np.int32))
        return Words(np.frombuffer(index, np.int32), values)
