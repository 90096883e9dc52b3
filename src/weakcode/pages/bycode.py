"""Which rules touch which codes: category by category, for pages that are looked up by code."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache

import attrs

from weakcode.codes.codeset import CodeSet
from weakcode.codes.edition import Edition
from weakcode.codes.expression.spelling import place, places, stems_between
from weakcode.compile.program import Program

_CATEGORY = 3
SUBJECT, OBJECT = "subject", "object"


@attrs.frozen
class Touch:
    """A rule and the part that codes play in it; `codes` as a coder writes them, such as `M62.8-`."""

    rule: str
    role: str
    codes: tuple[str, ...]


@attrs.frozen
class Category:
    """A three-character category with the rules that touch some of its billable codes."""

    name: str
    title: str
    chapter: str
    touches: tuple[Touch, ...]


@attrs.frozen(eq=False)
class CodeIndex:
    """`everywhere` are the (rule, role) in which every billable code plays a part; no category repeats them."""

    everywhere: tuple[Touch, ...]
    categories: tuple[Category, ...]


def code_index(program: Program, edition: Edition) -> CodeIndex:
    """Return the rules that touch the codes of an edition, as `Validator.rules_touching` has them for each code."""
    spans: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for number in program.chosen_edits:
        edit = program.edit(number)
        for role, codes in ((SUBJECT, edit.subject), (OBJECT, edit.object)):
            spans.setdefault((program.rules[edit.rule].id, role), []).extend(codes.spans)
    in_order = sorted(spans, key=lambda key: (key[0], key[1] != SUBJECT))
    sets = {key: CodeSet(spans[key]) for key in in_order}
    all_codes = edition.billable
    whole = {key for key, codes in sets.items() if not all_codes - codes}
    parts = {key: codes for key, codes in sets.items() if codes and key not in whole}
    named = list(_categories(edition))
    placed = cache(lambda stem: place(edition.span(stem), edition))
    # Codes are numbered in alphabetical order, where C44 stands before C4A; the list has C4A before C44.
    places_of_sets = {name: placed(name) for name in sorted(name for name, _, _ in named)}
    touches: dict[str, list[Touch]] = {name: [] for name in places_of_sets}

    def between(low: int, high: int) -> Iterator[str]:
        return stems_between(low, high, edition, placed)

    for (rule, role), codes in parts.items():
        for name, inside in _by_category(places(codes, edition), places_of_sets, between).items():
            touches[name].append(Touch(rule, role, tuple(inside)))
    categories = [Category(name, title, chapter, tuple(touches[name])) for name, title, chapter in named]
    return CodeIndex(tuple(Touch(rule, role, ()) for rule, role in sets if (rule, role) in whole), tuple(categories))


def _by_category(
    inside: Iterable[tuple[int, int]],
    places: Mapping[str, tuple[int, int]],
    between: Callable[[int, int], Iterable[str]],
) -> dict[str, list[str]]:
    """Return the stems of the codes at some places by category; `places` are the places of the categories, in order."""
    found: dict[str, list[str]] = {}
    names, ends = list(places), [last for _, last in places.values()]
    for low, high in inside:
        for number in range(bisect_right(ends, low), len(names)):
            first, last = places[names[number]]
            if first >= high:
                break
            found.setdefault(names[number], []).extend(between(max(first, low), min(last, high)))
    return found


def _categories(edition: Edition) -> Iterator[tuple[str, str, str]]:
    chapter = ""
    for node in edition.titled():
        if node.kind == "chapter":
            chapter = node.name
        elif node.kind != "section" and len(node.name) == _CATEGORY and edition.billable_below(node.name):
            yield node.name, node.title, chapter
