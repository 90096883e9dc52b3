"""One release of ICD-10-CM: its codes, hierarchy, titles and notes, read from one mapped block of memory.

Billable codes are numbered in alphabetical order of their compact spelling, so that all codes below a prefix
are one interval of numbers. A few more numbers stand for every code that is not billable: `header_id` for a
category or a code that lacks its 7th character, `icd9_id` for what looks like an ICD-9-CM code, `unknown_id`
for the rest. Codes that were or will be billable on other days have two numbers for each window of such days:
`retired_id` where the edition does not have the code, `retired_header_id` where it is a category now.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from datetime import date
from itertools import pairwise
from typing import TYPE_CHECKING

from weakcode.codes.codeset import CodeSet
from weakcode.codes.compiled import BILLABLE, KINDS, NOBODY, NOTES, PLACEHOLDER, columns, node_key, unpack_all
from weakcode.codes.compiled import pack_key as pack
from weakcode.codes.compiled import unpack_key as unpack
from weakcode.codes.normalise import canonical, compact
from weakcode.codes.places import Node as Node
from weakcode.codes.places import Note as Note
from weakcode.codes.places import Titled as Titled
from weakcode.codes.places import name_of
from weakcode.lazy import lazy

if TYPE_CHECKING:
    from weakcode.codes.search import SearchHit, SearchIndex
    from weakcode.codes.store import Stored
    from weakcode.codes.validity import Validity, Window

# The dot of an ICD-9-CM E code stands after the fourth character, so compact() leaves it where it is.
_ICD9 = re.compile(r"ICD9:.+|[0-9]{3,5}|V[0-9]{2,4}|E[0-9]{3}(?:\.?[0-9])?")
_CHAPTER = re.compile(r"\s*chapter\s+0*(\d{1,2})\s*", re.IGNORECASE)
_REMEMBERED = 65536


class Edition:
    """An edition of ICD-10-CM, in force from `starts` to `ends`, both included."""

    def __init__(
        self,
        stored: Stored,
        *,
        name: str,
        starts: date,
        ends: date,
        digest: str,
        validity: Validity | None = None,
    ) -> None:
        self.name = name
        self.starts = starts
        self.ends = ends
        self.digest = digest
        self.label = f"ICD-10-CM {starts:%B %Y}"
        column = columns(stored.sections)
        self._codes = column["codes"]
        self._code_node = column["code_node"]
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
        self._ids: dict[str, int] = {}
        self._below_names: dict[str, CodeSet] = {}
        self.size = len(self._codes)
        self.header_id = self.size
        self.unknown_id = self.size + 1
        self.icd9_id = self.size + 2
        self.validity = validity
        self.windows: tuple[Window, ...] = validity.windows if validity else ()
        self.validity_digest = validity.digest if validity else ""
        self.universe = self.size + 3 + 2 * len(self.windows)

    def __repr__(self) -> str:
        return f"<Edition {self.name}, {self.size} billable codes>"

    # codes and numbers

    def code_id(self, code: str) -> int:
        """Return the number of a code in any spelling, or one of the three numbers for codes not billable."""
        found = self._ids.get(code)
        if found is None:
            if len(self._ids) >= _REMEMBERED:
                self._ids.clear()
            found = self._ids[code] = self._find(compact(code))
        return found

    def _find(self, code: str) -> int:
        index = self._billable_index(code)
        if index is not None:
            return index
        window = self.validity.window_of(code) if self.validity else None
        if len(code) >= 3 and self._below(code)[0] < self._below(code)[1]:
            return self.header_id if window is None else self.retired_header_id(window)
        if window is not None:
            return self.retired_id(window)
        return self.icd9_id if _ICD9.fullmatch(code) else self.unknown_id

    def retired_id(self, window: int) -> int:
        """Return the number of the codes of a window that this edition does not have."""
        return self.size + 3 + 2 * window

    def retired_header_id(self, window: int) -> int:
        """Return the number of the codes of a window that are categories in this edition."""
        return self.size + 4 + 2 * window

    def is_header(self, code: str) -> bool:
        """Whether the code is in this edition, but as a category or without its 7th character."""
        number = self.code_id(code)
        return number == self.header_id or (number > self.icd9_id and (number - self.size) % 2 == 0)

    def codes_by_window(self) -> dict[int, CodeSet]:
        """Return the billable codes of each window, by its number."""
        known = self.validity.windows_by_key() if self.validity else {}
        found: dict[int, list[int]] = {}
        for code_id, key in enumerate(self._codes):
            if key in known:
                found.setdefault(known[key], []).append(code_id)
        return {window: CodeSet.of(ids) for window, ids in found.items()}

    def _billable_index(self, code: str) -> int | None:
        key = pack(code)
        index = bisect_left(self._codes, key)
        return index if key and index < self.size and self._codes[index] == key else None

    def code(self, code_id: int) -> str:
        """Return the canonical code of a billable number."""
        if not 0 <= code_id < self.size:
            raise IndexError(f"{code_id} is not a billable code's number; those are 0 to {self.size - 1}")
        return canonical(unpack(self._codes[code_id]))

    def compact_code(self, code_id: int) -> str:
        """Return the code of a billable number without its dot."""
        return unpack(self._codes[code_id])

    def is_billable(self, code: str) -> bool:
        """Whether the code may stand on a claim as it is."""
        return self.code_id(code) < self.size

    def span(self, prefix: str) -> tuple[int, int]:
        """Return the half-open interval of billable codes that start with `prefix`."""
        return self._below(compact(prefix))

    def _below(self, prefix: str) -> tuple[int, int]:
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
        start, stop = (self._node_index(compact(bound)[:3]) for bound in (first, last))
        if start is None or stop is None or start >= stop:
            return (self.range_span(first, last),)
        spans = [(self.span(first)[0], self._node_spans(start)[0][1])]
        at = self._node_end[start]
        while at < stop:
            if KINDS[self._node_kind[at]] in ("chapter", "section"):
                at += 1
            else:
                spans += self._node_spans(at)
                at = self._node_end[at]
        spans.append((self._node_spans(stop)[0][0], self.span(last)[1]))
        return CodeSet(spans).spans

    def billable_below(self, name: str) -> CodeSet:
        """Return all billable codes below a chapter, section, category or code; empty when there is none."""
        found = self._below_names.get(name)
        if found is None:
            index = self._node_index(name)
            found = CodeSet.between(*self.span(name)) if index is None else CodeSet(self._node_spans(index))
            if len(self._below_names) >= _REMEMBERED:
                self._below_names.clear()
            self._below_names[name] = found
        return found

    def _node_spans(self, index: int) -> tuple[tuple[int, int], ...]:
        if KINDS[self._node_kind[index]] not in ("chapter", "section"):
            return (self._below(unpack(self._node_key[index])),)
        return CodeSet(span for child in self._child_nodes(index) for span in self._node_spans(child)).spans

    def codeset(self, expression: str) -> CodeSet:
        """Return the codes that a code expression names."""
        from weakcode.codes.expressions import parse

        return parse(expression).resolve(self)

    def stem(self, code_id: int) -> str:
        """Return a billable code, compact, without an added 7th character and padding: T36.0X5A is T360X5."""
        return unpack(self._node_key[self._code_node[code_id]])

    @lazy
    def spellings(self) -> tuple[tuple[str, str], ...]:
        """Every billable code, compact, with its stem, by number."""
        stems = unpack_all(self._node_key)
        return tuple((code, stems[node]) for code, node in zip(unpack_all(self._codes), self._code_node, strict=True))

    # places

    def _node_index(self, name: str) -> int | None:
        chapter = _CHAPTER.fullmatch(name) if len(name) > 8 else None
        key = node_key(f"Chapter {chapter[1]}" if chapter else compact(name))
        at = bisect_left(self._key_sorted, key)
        if key and at < len(self._key_sorted) and self._key_sorted[at] == key:
            return int(self._key_node[at])
        return None

    def _place(self, name: str) -> tuple[int | None, int | None]:
        """Return the node and, for a billable code that a 7th character made, the number of the code."""
        index = self._node_index(name)
        if index is not None:
            return index, None
        code_id = self._billable_index(compact(name))
        if code_id is not None:
            return int(self._code_node[code_id]), code_id
        code = compact(name)
        if 3 < len(code) < 7 and code.endswith("X") and self.is_header(code):
            return self._node_index(code.rstrip("X")), None
        return None, None

    def _name(self, index: int) -> str:
        return name_of(unpack(self._node_key[index]))

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

    def _base_title(self, index: int) -> str:
        return bytes(self._titles[self._title_at[index] : self._title_at[index + 1]]).decode()

    def _node(self, index: int) -> Node:
        name = self._name(index)
        if self._node_seventh[index]:
            low, high = self.span(name)
            children = tuple(self.code(i) for i in range(low, high))
        else:
            children = tuple(map(self._name, self._child_nodes(index)))
        parent, flags = self._node_parent[index], self._node_flags[index]
        return Node(
            name,
            KINDS[self._node_kind[index]],
            self._base_title(index),
            None if parent == NOBODY else self._name(parent),
            children,
            bool(flags & BILLABLE),
            bool(flags & PLACEHOLDER),
        )

    def titled(self) -> tuple[Titled, ...]:
        """Return every chapter, section and code of the list, in document order; no codes with added 7th characters."""
        return self._all_titled

    @lazy
    def _all_titled(self) -> tuple[Titled, ...]:
        names = list(map(name_of, unpack_all(self._node_key)))
        titles, bounds = bytes(self._titles), self._title_at.tolist()
        return tuple(
            Titled(name, KINDS[kind], titles[low:high].decode(), None if parent == NOBODY else names[parent])
            for name, kind, low, high, parent in zip(
                names, self._node_kind, bounds[:-1], bounds[1:], self._node_parent, strict=True
            )
        )

    def let_go(self) -> None:
        """Forget the lists of all codes and places, which compiling asks for and judging does not."""
        for name in ("_all_titled", "_all_notes", "spellings"):
            self.__dict__.pop(name, None)

    def node(self, name: str) -> Node | None:
        """Return the node of a chapter (``Chapter 13``), section (``M60-M63``) or code in any spelling."""
        index, code_id = self._place(name)
        if index is None or code_id is None:
            return None if index is None else self._node(index)
        code, title = self.titled_code(code_id)
        return Node(code, "code", title, self._name(index), (), True, False)

    def title(self, code: str) -> str | None:
        """Return the title of a code, with the text of its 7th character, of a header, section or chapter."""
        index, code_id = self._place(code)
        if index is None:
            return None
        return self._base_title(index) if code_id is None else self.titled_code(code_id)[1]

    def titled_code(self, code_id: int) -> tuple[str, str]:
        """Return the canonical code of a billable number and its title."""
        code, index = unpack(self._codes[code_id]), self._code_node[code_id]
        title, added = self._base_title(index), self._sevenths[self._node_seventh[index]].get(code[6:])
        return canonical(code), f"{title}, {added}" if added else title

    def ancestors(self, code: str) -> tuple[Node, ...]:
        """Return what stands above a code, nearest first, up to the chapter."""
        index, code_id = self._place(code)
        if index is None:
            return ()
        above = tuple(map(self._node, self._up(index)))
        return above[1:] if code_id is None else above

    def children_of(self, name: str) -> tuple[Node, ...]:
        """Return the nodes directly below; below a code that lacks its 7th character, the finished codes."""
        node = self.node(name)
        return tuple(filter(None, map(self.node, node.children))) if node else ()

    def seventh_characters(self, code: str) -> dict[str, str]:
        """Return the 7th characters a code may take, with their texts; empty when it needs none."""
        index, code_id = self._place(code)
        if index is None or code_id is not None:
            return {}
        return dict(self._sevenths[self._node_seventh[index]])

    # notes

    def _notes_at(self, index: int, kind: str | None) -> Iterator[Note]:
        for at in range(self._note_first[index], self._note_first[index + 1]):
            if kind is None or NOTES[self._note_kind[at]] == kind:
                first, end = self._note_line[at], self._note_line[at + 1]
                lines = tuple(
                    bytes(self._lines[self._line_at[i] : self._line_at[i + 1]]).decode() for i in range(first, end)
                )
                kind_here = NOTES[self._note_kind[at]]
                yield Note(kind_here, self._name(index), self._note_block[at], lines)

    def notes(self, place: str, kind: str | None = None) -> tuple[Note, ...]:
        """Return the notes that stand at a node itself, in document order."""
        index, code_id = self._place(place)
        return () if index is None or code_id is not None else tuple(self._notes_at(index, kind))

    def notes_reaching(self, code: str, kind: str | None = None) -> tuple[Note, ...]:
        """Return the notes that hold for a code: its own and those of all above it, nearest first."""
        index, _ = self._place(code)
        if index is None:
            return ()
        return tuple(note for place in self._up(index) for note in self._notes_at(place, kind))

    def all_notes(self, kind: str) -> Iterator[Note]:
        """Yield every note of one kind, in document order."""
        if kind not in NOTES:
            raise ValueError(f"{kind!r} is not a kind of note; use one of {', '.join(NOTES)}")
        return iter(self._all_notes.get(kind, ()))

    @lazy
    def _all_notes(self) -> dict[str, list[Note]]:
        found: dict[str, list[Note]] = {}
        first = self._note_first.tolist()
        for index, (low, high) in enumerate(pairwise(first)):
            for note in self._notes_at(index, None) if low < high else ():
                found.setdefault(note.kind, []).append(note)
        return found

    # text

    @lazy
    def _search(self) -> SearchIndex:
        from weakcode.codes.search import SearchIndex

        return SearchIndex(self.stored.sections)

    def search(self, text: str, limit: int = 20) -> list[SearchHit]:
        """Return the codes whose title or inclusion term fits the words of `text`, best first."""
        return self._search.find(self, text, limit)
