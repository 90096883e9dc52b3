"""Which rules touch which codes: category by category, for pages that are looked up by code."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator

import attrs

from weakcode.codes.codeset import CodeSet
from weakcode.codes.edition import Edition
from weakcode.codes.expression.spelling import stems
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
    categories = []
    for name, title, chapter in _categories(edition):
        span = edition.span(name)
        touches = [
            Touch(rule, role, tuple(stems(CodeSet(inside), edition)))
            for (rule, role), codes in parts.items()
            if (inside := list(_within(codes, *span)))
        ]
        categories.append(Category(name, title, chapter, tuple(touches)))
    return CodeIndex(tuple(Touch(rule, role, ()) for rule, role in sets if (rule, role) in whole), tuple(categories))


def _within(codes: CodeSet, low: int, high: int) -> Iterator[tuple[int, int]]:
    at = max(bisect_right(codes.spans, (low, float("inf"))) - 1, 0)
    for first, last in codes.spans[at:]:
        if first >= high:
            return
        if max(first, low) < min(last, high):
            yield max(first, low), min(last, high)


def _categories(edition: Edition) -> Iterator[tuple[str, str, str]]:
    chapter = ""
    for node in edition.titled():
        if node.kind == "chapter":
            chapter = node.name
        elif node.kind != "section" and len(node.name) == _CATEGORY and edition.billable_below(node.name):
            yield node.name, node.title, chapter
