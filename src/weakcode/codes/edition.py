"""ICD-10-CM as it is on a day: the code set in force with the notes of a Tabular List.

A Tabular List with the codes of all other days laid in (`weakcode.codes.universe`) is one `Edition` itself, on which
every code of any day counts: rules are compiled for it, once. `Edition.on` gives the edition of a day, a view of it.

The codes of all days are numbered in alphabetical order of their compact spelling, so that all codes below a prefix
are one interval of numbers. A few more numbers stand for every code that is not billable on the day: `header_id` for a
category or a code that lacks its 7th character, `icd9_id` for what looks like an ICD-9-CM code, `unknown_id`
for the rest. Codes that are billable on other days have two numbers for each window of such days:
`retired_id` where the edition does not have the code, `retired_header_id` where it is a category now.
"""

from __future__ import annotations

import copy
import re
from bisect import bisect_left
from datetime import date
from itertools import compress
from typing import TYPE_CHECKING, Any

from weakcode.base.lazy import lazy
from weakcode.codes.codeset import CodeSet, codes_where
from weakcode.codes.compiled import BILLABLE, KINDS, NOBODY, PLACEHOLDER
from weakcode.codes.keys import pack_key as pack
from weakcode.codes.keys import pack_keys, unpack_keys
from weakcode.codes.keys import unpack_key as unpack
from weakcode.codes.normalise import canonical, compact, dotted
from weakcode.codes.places import Node as Node
from weakcode.codes.places import Note as Note
from weakcode.codes.places import TitledPlace as TitledPlace
from weakcode.codes.tree import Tree
from weakcode.codes.validity import Release, Window, release_on

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from weakcode.codes.search.find import SearchHit
    from weakcode.codes.storage.store import Container

# The dot of an ICD-9-CM E code stands after the fourth character, so compact() leaves it where it is.
_ICD9 = re.compile(r"ICD9:.+|[0-9]{3,5}|V[0-9]{2,4}|E(?:0[0-2][0-9]|030|[89][0-9]{2})(?:\.[0-9])?")
# Without its dot, an E code may as well be one of ICD-10-CM with a digit too many.
_ICD9_UNDOTTED = re.compile(r"E(?:0[0-2][0-9]|030|[89][0-9]{2})[0-9]")
_REMEMBERED = 65536
_SETS_REMEMBERED = 1024


class Edition(Tree):
    """ICD-10-CM of some days, in force from `starts` to `ends`, both included.

    `name` is that of the code set, `notes_name` that of the Tabular List, which is in force from `notes_from` to
    `notes_to`. `size` counts the codes of all days; `billable` are those of these days.
    """

    def __init__(self, stored: Container, *, name: str, starts: date, ends: date, digest: str) -> None:
        super().__init__(stored)
        self.name = self.notes_name = name
        self.starts = self.notes_from = starts
        self.ends = self.notes_to = ends
        self.digest = digest
        self.size = len(self._codes)
        self.header_id = self.size
        self.unknown_id = self.size + 1
        self.icd9_id = self.size + 2
        meta = stored.meta
        self.windows: tuple[Window, ...] = tuple(Window.of(intervals) for intervals in meta["windows"])
        self.releases: tuple[Release, ...] = tuple(
            Release(name, date.fromisoformat(first), date.fromisoformat(last), tabled)
            for name, first, last, tabled in meta["releases"]
        )
        self.universe = self.size + 3 + 2 * len(self.windows)
        self.whole = self
        self._own_titles: dict[str, str] = meta["titles"]
        self._retitled: dict[str, list[Any]] = meta["retitled"]
        self._ids: dict[str, int] = {}
        self._below_names: dict[str, CodeSet] = {}
        self._named_sets: dict[str, CodeSet] = {}
        self._views: dict[Release, Edition] = {}
        # Of each window whether it covers the day; None where every day counts.
        self._valid: bytes | None = None
        self._titles_on: str | None = None

    def __repr__(self) -> str:
        return f"<Edition {self.name} with the notes of {self.notes_name}>"

    @property
    def label(self) -> str:
        """The edition in words: ``ICD-10-CM October 2026``."""
        return f"ICD-10-CM {self.starts:%B %Y}"

    @lazy
    def key(self) -> tuple[str, date, str]:
        """What tells one edition from another: its code set and its Tabular List."""
        return self.name, self.starts, self.notes_name

    @property
    def last_day(self) -> date:
        """The last day of which the codes are known."""
        return max(one.ends for one in self.releases)

    def on(self, day: date) -> Edition:
        """Return the edition of a day with the notes of this Tabular List."""
        release = release_on(day, self.releases)
        view = self.whole._views.get(release)
        if view is None:
            view = self.whole._views[release] = self.whole._view(release, day)
        return view

    def _view(self, release: Release, day: date) -> Edition:
        view = copy.copy(self)
        # What was computed for the whole does not hold for a day.
        view.let_go()
        for name in ("billable", "billable_ids", "key"):
            view.__dict__.pop(name, None)
        view.name, view.starts, view.ends = release.name, release.starts, release.ends
        view._ids, view._below_names, view._named_sets = {}, {}, {}
        view._valid = bytes(window.covers(day) for window in self.windows)
        if not self.notes_from <= day <= self.notes_to:
            view._titles_on = day.isoformat()
        return view

    # codes and numbers

    def code_id(self, code: str) -> int:
        """Return the number of a code in any spelling, or one of those for codes that are not billable."""
        found = self._ids.get(code)
        if found is None:
            if len(self._ids) >= _REMEMBERED:
                self._ids.clear()
            found = self._ids[code] = self._find(compact(code))
        return found

    def _find(self, code: str) -> int:
        index = self._billable_index(code)
        if index is not None and self.in_force(index):
            return index
        window = None if index is None else self._code_window[index]
        if len(code) >= 3 and self._any_in_force(*self._below(code)):
            return self.header_id if window is None else self.retired_header_id(window)
        if window is not None:
            return self.retired_id(window)
        if _ICD9.fullmatch(code) or (_ICD9_UNDOTTED.fullmatch(code) and not self._any_in_force(*self._below(code[:3]))):
            return self.icd9_id
        return self.unknown_id

    def in_force(self, code_id: int) -> bool:
        """Whether the code of a number below `size` is billable on the days of the edition."""
        return self._valid is None or bool(self._valid[self._code_window[code_id]])

    def _any_in_force(self, low: int, high: int) -> bool:
        if self._valid is None:
            return low < high
        return any(self._valid[window] for window in self._code_window[low:high])

    @lazy
    def billable_ids(self) -> tuple[int, ...]:
        """The numbers of the codes that are billable on the days of the edition, in order."""
        if self._valid is None:
            return tuple(range(self.size))
        return tuple(compress(range(self.size), map(self._valid.__getitem__, self._code_window)))

    @lazy
    def billable(self) -> CodeSet:
        """The codes that are billable on the days of the edition."""
        if self._valid is None:
            return CodeSet(((0, self.size),))
        import numpy as np

        return codes_where(np.frombuffer(self._valid, np.bool_)[np.asarray(self._code_window)])

    def keys(self) -> NDArray[np.uint64]:
        """Return the packed code of each number, 0 where it is not billable on the days of the edition."""
        import numpy as np

        is_valid = True if self._valid is None else np.frombuffer(self._valid, np.bool_)[np.asarray(self._code_window)]
        return np.where(is_valid, np.asarray(self._codes), np.uint64(0))

    def window(self, code_id: int) -> Window:
        """Return the days on which the code of a number below `size` is billable."""
        return self.windows[self._code_window[code_id]]

    def retired_id(self, window: int) -> int:
        """Return the number of the codes of a window that this edition does not have."""
        return self.size + 3 + 2 * window

    def retired_header_id(self, window: int) -> int:
        """Return the number of the codes of a window that are categories in this edition."""
        return self.size + 4 + 2 * window

    def missing_days(self, number: int) -> str:
        """Return the days, in words, on which the codes of a `retired_id` or `retired_header_id` are not valid."""
        return self.windows[(number - self.size - 3) // 2].missing(self.starts)

    def is_header(self, code: str) -> bool:
        """Whether the code is in this edition, but as a category or without its 7th character."""
        number = self.code_id(code)
        return number == self.header_id or (number > self.icd9_id and (number - self.size) % 2 == 0)

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

    # sets of codes

    def prepare(self) -> None:
        """Work out at once what compiling asks for place by place: the number of each, and the codes below it."""
        self._node_below = list(zip(*(ends.tolist() for ends in self.below), strict=True))
        self._spans_below = dict(zip(unpack_keys(self._node_key), self._node_below, strict=True))
        self._indexes = {name: index for index, name in enumerate(self.names)}

    def billable_below(self, name: str) -> CodeSet:
        """Return all billable codes below a chapter, section, category or code; empty when there is none."""
        found = self._below_names.get(name)
        if found is None:
            index = self._node_index(name)
            found = CodeSet.between(*self.span(name)) if index is None else self._codes_below(index)
            found = found if self._valid is None else found & self.billable
            if len(self._below_names) >= _REMEMBERED:
                self._below_names.clear()
            self._below_names[name] = found
        return found

    def _codes_below(self, index: int) -> CodeSet:
        spans = self._node_spans(index)
        return CodeSet.between(*spans[0]) if len(spans) == 1 else CodeSet(spans)

    def codeset(self, expression: str) -> CodeSet:
        """Return the codes that a code expression names, of those that are billable on the days of the edition."""
        from weakcode.codes.expression.parsing import parse

        found = self._named_sets.get(expression)
        if found is None:
            found = parse(expression).resolve(self.whole)
            found = found if self._valid is None else found & (self.billable | CodeSet(((self.size, self.universe),)))
            if len(self._named_sets) >= _SETS_REMEMBERED:
                self._named_sets.clear()
            self._named_sets[expression] = found
        return found

    # places

    def _place(self, name: str) -> tuple[int | None, int | None]:
        """Return the node and, for a billable code that a 7th character made, the number of the code."""
        index = self._node_index(name)
        if index is not None:
            return (index, None) if self._is_there(index) else (None, None)
        code_id = self._billable_index(compact(name))
        if code_id is not None:
            return (int(self._code_node[code_id]), code_id) if self.in_force(code_id) else (None, None)
        code = compact(name)
        if 3 < len(code) < 7 and code.endswith("X") and self.is_header(code):
            return self._node_index(code.rstrip("X")), None
        return None, None

    def _is_there(self, index: int) -> bool:
        """Whether the edition has a place: a code that is billable on its days, or something below."""
        if self._valid is None or self._is_group(index):
            return True
        return self._any_in_force(*self._below(unpack(self._node_key[index])))

    def _own_id(self, index: int) -> int | None:
        """Return the number of the code that a place itself is, where it is one on the days of the edition."""
        if not self._node_flags[index] & BILLABLE:
            return None
        code_id = self._below(unpack(self._node_key[index]))[0]
        return code_id if self.in_force(code_id) else None

    def _node(self, index: int) -> Node:
        name, own, flags = self._name(index), self._own_id(index), self._node_flags[index]
        children = () if own is not None and self._valid is not None else self._children(index, name)
        parent = self._node_parent[index]
        return Node(
            name,
            KINDS[self._node_kind[index]] if own is None else KINDS[-1],
            self._place_title(index),
            None if parent == NOBODY else self._name(parent),
            children,
            own is not None,
            bool(flags & PLACEHOLDER),
        )

    def _children(self, index: int, name: str) -> tuple[str, ...]:
        if self._node_seventh[index]:
            low, high = self.span(name)
            return tuple(self.code(i) for i in range(low, high) if self.in_force(i) and i != self._own_id(index))
        return tuple(self._name(child) for child in self._child_nodes(index) if self._is_there(child))

    def has_place(self, name: str) -> bool:
        """Whether the edition has a code, category, section or chapter of a name."""
        return self._place(name)[0] is not None

    def node(self, name: str) -> Node | None:
        """Return the node of a chapter (``Chapter 13``), section (``M60-M63``) or code in any spelling."""
        index, code_id = self._place(name)
        if index is None or code_id is None:
            return None if index is None else self._node(index)
        code, title = self.titled_code(code_id)
        return Node(code, "code", title, self._name(index), (), True, False)

    def title(self, code: str) -> str | None:
        """Return the title of a code, with the text of its 7th character, of a header, section or chapter.

        Empty for a code whose title no source tells; None for what the edition does not have.
        """
        index, code_id = self._place(code)
        if index is None:
            return None
        return self._place_title(index) if code_id is None else self.titled_code(code_id)[1]

    def _place_title(self, index: int) -> str:
        own = self._own_id(index)
        return self.title_at(index) if own is None or self._valid is None else self.titled_code(own)[1]

    def titled_code(self, code_id: int) -> tuple[str, str]:
        """Return the canonical code of a billable number and its title; empty where no source tells it."""
        code = unpack(self._codes[code_id])
        title = self._title_of_day(code)
        return dotted(code), self.listed_title(code_id) if title is None else title

    def titled_codes(self, code_ids: Sequence[int]) -> list[tuple[str, str]]:
        """Return what `titled_code` returns for each of several billable numbers."""
        own, listed = {*self._own_titles, *self._retitled}, zip(code_ids, self.listed_titles(code_ids), strict=True)
        return [self.titled_code(at) if code in own else (dotted(code), title) for at, (code, title) in listed]

    def titled_apart(self, texts: tuple[str, ...]) -> list[int]:
        """Return the codes that may have another title than their place, or 7th characters of which some has a text."""
        import numpy as np

        own = self.numbers_of(pack_keys([*self._own_titles, *self._retitled]))
        telling = [any(one in note.lower() for note in known.values() for one in texts) for known in self._sevenths]
        added = np.array(telling)[np.asarray(self._node_seventh)[self.places]]
        return sorted({*own[own >= 0].tolist(), *np.flatnonzero(added).tolist()})

    def _title_of_day(self, code: str) -> str | None:
        """Return the title of a code where that of its place in the list is not the one of these days."""
        if self._titles_on is not None:
            for starts, ends, title in self._retitled.get(code, ()):
                if starts <= self._titles_on <= ends:
                    return str(title)
        return self._own_titles.get(code)

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
        known = self._sevenths[self._node_seventh[index]]
        stem = unpack(self._node_key[index]).ljust(6, "X")
        return {one: text for one, text in known.items() if self.is_billable(stem + one)}

    def search(self, text: str, limit: int = 20) -> list[SearchHit]:
        """Return the codes whose title or terms fit the words of `text`, or that it begins, best first."""
        from weakcode.codes.search.find import find, index_for

        return find(index_for(self.whole), self, text, limit)
