"""The spellings of many codes at once, to be asked which of them have which characters where."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import attrs
import numpy as np

from weakcode.codes.codeset import CodeSet, codes_at

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from weakcode.codes.edition import Edition
    from weakcode.codes.expression.expressions import Condition

    Mask = NDArray[np.bool_]

_LONGEST = 7
_NONE, _PLACEHOLDER = 0, ord("X")


@attrs.frozen(eq=False)
class CodeSpellings:
    """Codes, compact, and their stems, which are without an added 7th character."""

    codes: NDArray[np.bytes_]
    stems: NDArray[np.bytes_]

    @classmethod
    def of(cls, codes: Sequence[str], stems: Sequence[str]) -> CodeSpellings:
        """Return these codes."""
        return cls(*(np.array([one.encode() for one in each], f"S{_LONGEST}") for each in (codes, stems)))

    @classmethod
    def of_keys(cls, codes: memoryview, stems: memoryview, stem_of: memoryview) -> CodeSpellings:
        """Return codes by their packed keys; `stem_of` gives for each the place of its stem among `stems`."""
        texts, stemmed = (np.asarray(keys).astype(">u8").view("S8").astype(f"S{_LONGEST}") for keys in (codes, stems))
        return cls(texts, stemmed[np.asarray(stem_of)])

    def at(self, ids: NDArray[np.int64]) -> CodeSpellings:
        """Return the codes of these numbers."""
        return CodeSpellings(self.codes[ids], self.stems[ids])

    def _signs(self) -> NDArray[np.uint8]:
        return self.codes.view(np.uint8).reshape(-1, _LONGEST)

    def characters(self, positions: Sequence[int]) -> NDArray[np.bytes_]:
        """Return the characters of each code at some positions, empty beyond its end."""
        return self.codes.view("S1").reshape(-1, _LONGEST)[:, [position - 1 for position in positions]]

    def with_character(self, position: int, among: frozenset[str]) -> Mask:
        """Tell of each code whether its character at a position is one of some."""
        return np.isin(self._signs()[:, position - 1], _numbers("".join(among)))

    def with_last(self, positions: Sequence[int], among: frozenset[str]) -> Mask:
        """Tell the same of the last character at one of these positions that is not the placeholder X."""
        fits = np.zeros(len(self.codes), bool)
        undecided = ~fits
        for position in sorted(positions, reverse=True):
            signs = self._signs()[:, position - 1]
            matches = undecided & (signs != _NONE) & (signs != _PLACEHOLDER)
            fits |= matches & np.isin(signs, _numbers("".join(among)))
            undecided &= ~matches
        return fits

    def with_run(self, first: int, last: int, value: str) -> Mask:
        """Tell of each code whether a text stands from one position to another, as long as it is."""
        run: Mask = (self._signs()[:, first - 1 : last] == _numbers(value)).all(axis=1)
        return run

    def ending(self, ending: str) -> Mask:
        """Tell of each code whether it ends so, with its 7th character or before one was added.

        An ending with a dot is all that follows the category.
        """
        suffix = ending.removeprefix(".").encode()
        if ending.startswith("."):
            fits: Mask = (_after_category(self.codes) == suffix) | (_after_category(self.stems) == suffix)
        else:
            fits = np.char.endswith(self.codes, suffix) | np.char.endswith(self.stems, suffix)
        return fits

    def beginning(self, low: str, high: str) -> Mask:
        """Tell of each code whether what follows its category begins so, or between two texts that are equally long."""
        begins = _after_category(self.codes).astype(f"S{len(low)}")
        between: Mask = (begins >= low.encode()) & (begins <= high.encode())
        return between


def _numbers(text: str) -> NDArray[np.uint8]:
    return np.frombuffer(text.encode(), np.uint8)


def _after_category(codes: NDArray[np.bytes_]) -> NDArray[np.bytes_]:
    signs = codes.view("S1").reshape(-1, _LONGEST)[:, 3:]
    return np.ascontiguousarray(signs).view(f"S{_LONGEST - 3}").reshape(-1)


def fitting(codes: CodeSet, condition: Condition, edition: Edition) -> CodeSet:
    """Return those of some codes, billable on any day, whose spelling fits a condition."""
    codes &= CodeSet.between(0, edition.size)
    ids = np.concatenate([np.arange(0), *(np.arange(low, high) for low, high in codes.spans)])
    return codes_at(ids[condition.fit(edition.spelled.at(ids))])
