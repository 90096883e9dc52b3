"""Lays the codes of all other days into a Tabular List, each below the nearest place that the list has.

The list's notes, 7th characters and sections then hold for these codes as well, so that one compiled edition judges
claims of any day. A code that is billable on some days and a category on others is both: one place with a code.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from weakcode.codes.compiled import compile_tabular
from weakcode.codes.keys import unpack_keys
from weakcode.codes.sources.tabular import Tabular, TabularNode
from weakcode.codes.table import CodeTable
from weakcode.codes.validity import Calendar, CodeSource, Release

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_CATEGORY = 3
_LONGEST = 7
_STEM = 6


def listed(tabular: Tabular, release: Release) -> CodeSource:
    """Return the codes and headers of a Tabular List."""
    codes: dict[str, str] = {}
    headers: dict[str, str] = {}
    for name, node in tabular.places.items():
        if node.children or node.seventh:
            headers[name] = node.title
        else:
            codes[name] = node.title
        if node.seventh:
            stem, title = name.ljust(_STEM, "X"), node.title
            codes |= {stem + seventh: f"{title}, {meaning}" for seventh, meaning in node.seventh.items()}
    return CodeSource(release, codes, headers)


def compile_edition(
    tabular: Tabular,
    own: NDArray[np.uint64],
    others: list[CodeSource],
    table: CodeTable,
    dates: Calendar,
    terms: bytes = b"",
) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Return the `meta` and `sections` of a Tabular List with the codes of all other days laid in.

    `own` are the keys of its own codes, `others` those of other releases at hand, from which titles are taken, `terms`
    those of the Alphabetic Index, as `alphabetic.write_terms` has them.
    """
    titles = {code: table.titles.get(code, "") for code in unpack_keys(dates.without(own))}
    headers = dict(table.headers)
    for source in others:
        headers |= source.headers
        titles |= {code: title for code, title in source.codes.items() if not titles.get(code, "unasked")}
    laid = _Laying(tabular, titles, headers).lay()
    meta, sections = compile_tabular(tabular, terms, dates)
    retitled = {
        code: [[str(one.starts), str(one.ends), one.title] for one in known] for code, known in table.retitled.items()
    }
    windows = [[[day and str(day) for day in interval] for interval in one.intervals] for one in dates.windows]
    meta |= {
        "windows": windows,
        "releases": [[one.name, str(one.starts), str(one.ends), one.tabled] for one in dates.releases],
        "titles": laid,
        "retitled": retitled,
    }
    return meta, sections


class _Laying:
    """Puts codes with these titles into a Tabular List, which it changes."""

    def __init__(self, tabular: Tabular, titles: Mapping[str, str], headers: Mapping[str, str]) -> None:
        self._titles = titles
        self._headers = headers
        self._nodes = tabular.places
        self._sections = [section for chapter in tabular.chapters for section in _sections(chapter)]

    def lay(self) -> dict[str, str]:
        """Lay every code, and return the titles of those that are places of the list already, or have another title."""
        own_titles: dict[str, str] = {}
        for code in sorted(self._titles, key=lambda code: (len(code), code)):
            title = self._titles[code]
            if code in self._nodes:
                # The list has it as a category, or with a 7th character.
                self._nodes[code].billable = True
                own_titles[code] = title
            elif not self._is_seventh(code, title):
                node = self._add(code, title)
                node.billable = True
        return own_titles

    def _is_seventh(self, code: str, title: str) -> bool:
        """Make a code a place of the list with another 7th character where its title says that it is one."""
        if len(code) < _LONGEST:
            return False
        padding = len(code[:_STEM]) - len(code[:_STEM].rstrip("X"))
        for size in range(_STEM, max(_STEM - padding, _CATEGORY) - 1, -1):
            stem = code[:size]
            node = self._nodes.get(stem)
            known = node.title if node is not None else self._headers.get(stem)
            if not known or (node is not None and node.children):
                continue
            meaning = title.removeprefix(f"{known}, ")
            if meaning == title or (node is not None and not node.seventh and node.billable is not False):
                continue
            node = node or self._add(stem, known)
            node.seventh = {**(node.seventh or {}), code[-1]: meaning}
            return True
        return False

    def _add(self, name: str, title: str) -> TabularNode:
        """Put a new place below the nearest one there is; headers in between that are known come with it."""
        parent: TabularNode | None = None
        for size in range(_CATEGORY, len(name)):
            above = name[:size]
            if above in self._nodes:
                parent = self._nodes[above]
            elif above in self._headers:
                parent = self._put(above, self._headers[above], parent)
        return self._put(name, title, parent)

    def _put(self, name: str, title: str, parent: TabularNode | None) -> TabularNode:
        kind = "category" if len(name) == _CATEGORY else "subcategory"
        node = TabularNode(kind, name, title, billable=False)
        if parent is None:
            parent = self._section(name[:_CATEGORY])
        elif not parent.children and parent.billable is None:
            parent.billable = parent.seventh is None
        at = bisect([child.name for child in parent.children], node.name)
        parent.children.insert(at, node)
        self._nodes[name] = node
        return node

    def _section(self, category: str) -> TabularNode:
        """Return the smallest section that embraces a category, or else the last one that begins before it."""
        around = [one for one in self._sections if _first(one) <= category <= one.name.split("-")[1]]
        if around:
            return min(around, key=lambda one: (len(list(one.walk())), one.name))
        return max((one for one in self._sections if _first(one) <= category), key=_first, default=self._sections[0])


def _first(section: TabularNode) -> str:
    return section.name.split("-")[0]


def _sections(place: TabularNode) -> Iterator[TabularNode]:
    """Yield the sections below a chapter or section, in document order."""
    for child in place.children:
        if child.kind == "section":
            yield child
            yield from _sections(child)
