"""The Tabular List as a tree: places with their titles and notes, read from one block of memory."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from weakcode.base.lazy import lazy
from weakcode.codes.codeset import CodeSet
from weakcode.codes.compiled import KINDS, NOBODY, NOTES, columns, node_key
from weakcode.codes.keys import pack_key as pack
from weakcode.codes.keys import unpack_key as unpack
from weakcode.codes.keys import unpack_keys
from weakcode.codes.normalise import compact
from weakcode.codes.places import Note, TitledPlace, name_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    from weakcode.codes.expression.spelled import CodeSpellings, Mask
    from weakcode.codes.expression.titles import Titles
    from weakcode.codes.storage.store import Container


_LISTS = ("_all_titled", "titles", "names", "categories", "has_below", "below", "spelled")
_CHAPTER = re.compile(r"\s*chapter\s+0*(\d{1,2})\s*", re.IGNORECASE)


class Tree:
    """A Tabular List with the codes of other days laid in, whatever the day."""

    def __init__(self, stored: Container) -> None:
        column = columns(stored.sections)
        self._codes = column["codes"]
        self._code_node = column["code_node"]
        self._code_window = column["code_window"]
        self._node_key = column["node_key"]
        self._node_kind = column["node_kind"]
        self._node_flags = column["node_flags"]
        self._node_parent = column["node_parent"]
        self._node_end = column["node_end"]
        self._node_seventh = column["node_seventh"]
        self._key_sorted = column["key_sorted"]
        self._key_node = column["key_node"]
        self._title_at = column["title_at"]
        self._note_first = column["note_first"]
        self._note_kind = column["note_kind"]
        self._note_block = column["note_block"]
        self._note_line = column["note_line"]
        self._line_at = column["line_at"]
        self._titles = stored.sections["titles"]
        self._lines = stored.sections["lines"]
        self.stored = stored
        self._sevenths: list[dict[str, str]] = stored.meta["sevenths"]
        self._group_spans: dict[int, tuple[tuple[int, int], ...]] = {}
        self._indexes: dict[str, int] = {}
        self._spans_below: dict[str, tuple[int, int]] = {}
        self._node_below: list[tuple[int, int]] = []
        self._noted: dict[str, list[Note]] = {}
        self.remembered: dict[Any, Any] = {}

    # places

    def _node_index(self, name: str) -> int | None:
        known = self._indexes.get(name)
        if known is not None:
            return known
        chapter = _CHAPTER.fullmatch(name) if len(name) > 8 else None
        key = node_key(f"Chapter {chapter[1]}" if chapter else compact(name))
        at = bisect_left(self._key_sorted, key)
        if key and at < len(self._key_sorted) and self._key_sorted[at] == key:
            return int(self._key_node[at])
        return None

    def _name(self, index: int) -> str:
        return name_of(unpack(self._node_key[index]))

    def _is_group(self, index: int) -> bool:
        """Whether a node is a chapter or a section."""
        return KINDS[self._node_kind[index]] in ("chapter", "section")

    def _child_nodes(self, index: int) -> Iterator[int]:
        child, end = index + 1, self._node_end[index]
        while child < end:
            yield child
            child = self._node_end[child]

    def _up(self, index: int) -> Iterator[int]:
        """Yield the node and all above it, nearest first."""
        while index != NOBODY:
            yield index
            index = self._node_parent[index]

    def title_at(self, index: int) -> str:
        """Return the title of a place in the list, by its number in `titled`."""
        return str(self._titles[self._title_at[index] : self._title_at[index + 1]], "utf-8")

    def listed_title(self, code_id: int) -> str:
        """Return the title of the place of a billable number in the list, with the text of an added 7th character."""
        index = self._code_node[code_id]
        title, sevenths = self.title_at(index), self._node_seventh[index]
        added = self._sevenths[sevenths].get(unpack(self._codes[code_id])[6:]) if sevenths else None
        return f"{title}, {added}" if added else title

    def listed_titles(self, code_ids: Sequence[int]) -> list[tuple[str, str]]:
        """Return the compact spelling of each of several billable numbers, and what `listed_title` returns for it."""
        import numpy as np

        numbers, bounds = np.asarray(code_ids, np.intp), np.asarray(self._title_at)
        places = np.asarray(self._code_node)[numbers]
        codes = unpack_keys(np.asarray(self._codes)[numbers])
        titles = [
            str(self._titles[low:high], "utf-8")
            for low, high in zip(bounds[places].tolist(), bounds[places + 1].tolist(), strict=True)
        ]
        for at in np.flatnonzero(np.asarray(self._node_seventh)[places]).tolist():
            added = self._sevenths[self._node_seventh[places[at]]].get(codes[at][6:])
            titles[at] += f", {added}" if added else ""
        return list(zip(codes, titles, strict=True))

    def stem(self, code_id: int) -> str:
        """Return a billable code, compact, without an added 7th character and padding: T36.0X5A is T360X5."""
        return unpack(self._node_key[self._code_node[code_id]])

    def windows_at(self, places: NDArray[np.int64]) -> list[frozenset[int]]:
        """Return the numbers of the windows of the billable codes below each of some places, none a group."""
        import numpy as np

        windows, (lows, highs) = np.asarray(self._code_window), self.below
        # One window of many codes is known without looking at each: they are in one run.
        run = np.append(0, np.cumsum(windows[1:] != windows[:-1]))
        single = [frozenset((number,)) for number in range(int(windows.max(initial=0)) + 1)]
        found = []
        for low, high in zip(lows[places].tolist(), highs[places].tolist(), strict=True):
            alike = low < high and run[low] == run[high - 1]
            found.append(single[windows[low]] if alike else frozenset(self._code_window[low:high]))
        return found

    @lazy
    def below(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The first of the billable codes of any day below each place, and where they end; not for groups."""
        import numpy as np

        keys, codes = (np.asarray(column) for column in (self._node_key, self._codes))
        sizes = (keys.view(np.uint8).reshape(-1, 8) != 0).sum(axis=1).astype(np.uint64)
        past = keys + (np.uint64(1) << (np.uint64(8) * (np.uint64(8) - sizes)))
        return np.searchsorted(codes, keys), np.searchsorted(codes, past)

    def titled(self) -> tuple[TitledPlace, ...]:
        """Return every chapter, section and code of the list, in document order; no codes with added 7th characters.

        Those of other days are among them.
        """
        return self._all_titled

    @lazy
    def titles(self) -> Titles:
        """The titles of `titled` in lower case, to be looked through for words."""
        from weakcode.codes.expression.titles import Titles

        return Titles.of(bytes(self._titles), self._title_at)

    @lazy
    def names(self) -> list[str]:
        """The names of `titled`."""
        return list(map(name_of, unpack_keys(self._node_key)))

    @lazy
    def _all_titled(self) -> tuple[TitledPlace, ...]:
        names = self.names
        written, bounds = bytes(self._titles), self._title_at.tolist()
        titles = [written[low:high].decode() for low, high in pairwise(bounds)]
        above = [None if parent == NOBODY else names[parent] for parent in self._node_parent.tolist()]
        kinds = map(KINDS.__getitem__, self._node_kind)
        return tuple(map(TitledPlace._make, zip(names, kinds, titles, above, strict=True)))

    def of_kind(self, *kinds: str) -> Mask:
        """Tell of each of `titled` whether it is of one of some kinds, such as `subcategory`."""
        import numpy as np

        return np.isin(self._node_kind, [KINDS.index(kind) for kind in kinds])

    @property
    def parents(self) -> memoryview:
        """The place above each of `titled`, by number; `NOBODY` for chapters."""
        return self._node_parent

    @lazy
    def categories(self) -> NDArray[np.uint64]:
        """The category of each of `titled`, or what stands in its place, as a number."""
        import numpy as np

        return np.asarray(self._node_key) >> np.uint64(40)

    @lazy
    def has_below(self) -> Mask:
        """Whether each of `titled` has others below it."""
        import numpy as np

        parents = np.asarray(self._node_parent)
        found = np.zeros(len(parents), np.bool_)
        found[parents[parents != NOBODY]] = True
        return found

    @property
    def places(self) -> NDArray[np.uint32]:
        """The place of each billable code of any day, by number in `titled`: without an added 7th character."""
        import numpy as np

        return np.asarray(self._code_node)

    def numbers_of(self, keys: ArrayLike) -> NDArray[np.int64]:
        """Return the number of each of some compact codes, given as `keys.pack_key` has them; -1 where it has none."""
        import numpy as np

        codes, searched = np.asarray(self._codes), np.asarray(keys, np.uint64)
        if not len(codes):
            return np.full(len(searched), -1)
        at = np.minimum(np.searchsorted(codes, searched), len(codes) - 1)
        return np.where(codes[at] == searched, at, -1)

    @lazy
    def spelled(self) -> CodeSpellings:
        """The spellings of all billable codes of any day, to be asked about many at once."""
        from weakcode.codes.expression.spelled import CodeSpellings

        return CodeSpellings.of_keys(self._codes, self._node_key, self._code_node)

    def let_go(self) -> None:
        """Forget the lists of all codes and places, which compiling asks for and judging does not."""
        for name in _LISTS:
            self.__dict__.pop(name, None)
        self._indexes, self._node_below, self._spans_below = {}, [], {}
        self._noted, self.remembered = {}, {}

    # codes as intervals

    def span(self, prefix: str) -> tuple[int, int]:
        """Return the half-open interval of the codes of any day that start with `prefix`."""
        return self._below(compact(prefix))

    def _below(self, prefix: str) -> tuple[int, int]:
        known = self._spans_below.get(prefix)
        if known is not None:
            return known
        # A prefix that no code can have must not become the key of the empty text, the start of all codes.
        if len(prefix) > 7:
            return (0, 0)
        low = pack(prefix)
        if prefix and not low:
            return (0, 0)
        high = low + (1 << (8 * (8 - len(prefix))))
        return bisect_left(self._codes, low), bisect_left(self._codes, high)

    def range_span(self, first: str, last: str) -> tuple[int, int]:
        """Return the interval from the first code below `first` to the last below `last`, alphabetically."""
        low, high = self.span(first)[0], self.span(last)[1]
        return (low, high) if low < high else (low, low)

    def range_spans(self, first: str, last: str) -> tuple[tuple[int, int], ...]:
        """Return the codes from `first` through `last` in the order of the Tabular List, as intervals.

        The Tabular List puts C4A before C44 and C7A, C7B before C76; ``C76-C80`` is without those two. A
        range between categories that the edition does not have is read alphabetically.
        """
        section = self._node_index(f"{compact(first)}-{compact(last)}")
        if section is not None:
            return self._node_spans(section)
        head, tail = compact(first)[:3], compact(last)[:3]
        start, stop = self._node_index(head), self._node_index(tail)
        if start is None or stop is None or start >= stop:
            return (self.range_span(first, last),)
        (low, end), (begin, high) = self._below(head), self._below(tail)
        # A category is its own first and last code.
        spans = [(low if len(first) <= len(head) else self.span(first)[0], end)]
        at = self._node_end[start]
        while at < stop:
            if self._is_group(at):
                at += 1
            else:
                spans += self._node_spans(at)
                at = self._node_end[at]
        spans.append((begin, high if len(last) <= len(tail) else self.span(last)[1]))
        return CodeSet(spans).spans

    def _node_spans(self, index: int) -> tuple[tuple[int, int], ...]:
        if not self._is_group(index):
            return (self._node_below[index] if self._node_below else self._below(unpack(self._node_key[index])),)
        found = self._group_spans.get(index)
        if found is None:
            below = (span for child in self._child_nodes(index) for span in self._node_spans(child))
            found = self._group_spans[index] = CodeSet(below).spans
        return found

    # notes

    def _notes_at(self, index: int, kind: str | None) -> Iterator[Note]:
        for at in range(self._note_first[index], self._note_first[index + 1]):
            if kind is None or NOTES[self._note_kind[at]] == kind:
                yield self._note(at, self._name(index))

    def _note(self, at: int, place: str) -> Note:
        bounds = self._line_at[self._note_line[at] : self._note_line[at + 1] + 1].tolist()
        lines = tuple([str(self._lines[low:high], "utf-8") for low, high in pairwise(bounds)])
        return Note(NOTES[self._note_kind[at]], place, self._note_block[at], lines)

    def all_notes(self, kind: str) -> Iterator[Note]:
        """Yield every note of one kind, in document order."""
        if kind not in NOTES:
            raise ValueError(f"{kind!r} is not a kind of note; use one of {', '.join(NOTES)}")
        found = self._noted.get(kind)
        if found is None:
            found = self._noted[kind] = self._all_notes(NOTES.index(kind))
        return iter(found)

    def _all_notes(self, kind: int) -> list[Note]:
        import numpy as np

        numbers = np.flatnonzero(np.asarray(self._note_kind) == kind)
        places = np.searchsorted(np.asarray(self._note_first), numbers, "right") - 1
        names = self.names
        return [self._note(at, names[place]) for at, place in zip(numbers.tolist(), places.tolist(), strict=True)]

    def texts(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Yield the compact name of each code and category, with its title and inclusion terms, in document order."""
        for index, name in enumerate(unpack_keys(self._node_key)):
            if not self._is_group(index):
                terms = (line for note in self._notes_at(index, "inclusion_term") for line in note.lines)
                yield name, (self.title_at(index), *terms)
