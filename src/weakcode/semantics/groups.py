"""Groups of codes: a rule with `by` compares a subject only with objects of the same group.

Such a rule is one edit for each group, with the group's codes in the place of its subject and its object, so that the
verbs need not know of groups. Codes are of one group where they have the same characters at the places of `by`, and
where their titles name the same side if `by` asks for it. A code that has no character at one of the places, that is
not billable, or whose title names no side or several, is of no group.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import attrs

from weakcode.codes.codeset import CodeSet
from weakcode.codes.edition import Edition
from weakcode.codes.expression.spelling import spelled
from weakcode.semantics.edits import Edit
from weakcode.semantics.verbs import FORMS, Verb

if TYPE_CHECKING:
    from weakcode.rules.model import Grouping

SIDES = {"right": "right", "left": "left", "bilateral": "both", "both": "both"}
"""The side that a word of a title names."""
_WORD = re.compile(r"[a-z]+")
_NO_CODES = CodeSet()


def side_of(title: str) -> str | None:
    """Return the side that a title names, `right`, `left` or `both`; None where it names no side or several."""
    sides = {SIDES[word] for word in _WORD.findall(title.lower()) if word in SIDES}
    return sides.pop() if len(sides) == 1 else None


def group_of(code_id: int, by: Grouping, edition: Edition) -> tuple[str, ...] | None:
    """Return what the codes of a code's group have in common: characters and perhaps a side. None for no group."""
    if not 0 <= code_id < edition.size:
        return None
    code = edition.compact_code(code_id)
    if by.characters and max(by.characters) > len(code):
        return None
    characters = tuple(code[place - 1] for place in by.characters)
    if not by.side:
        return characters
    side = side_of(edition.titled_code(code_id)[1])
    return None if side is None else (*characters, side)


def grouped(edit: Edit, by: Grouping | None, edition: Edition) -> Iterator[Edit]:
    """Yield the edits that an edit with groups stands for, in the order of their first subjects; itself without `by`.

    A group is left out where nothing could violate its edit: without a second subject for `at_most_one`, without an
    object for `forbid` and `order`. A code of no group is not a subject.
    """
    if by is None:
        yield edit
        return
    objects = _groups(edit.object, by, edition)
    for group, subject in _groups(edit.subject, by, edition).items():
        others = objects.get(group, _NO_CODES)
        if FORMS[edit.verb].counts_subjects:
            if len(subject) > 1:
                yield attrs.evolve(edit, subject=subject)
        elif others:
            yield attrs.evolve(edit, subject=subject, object=others, listed=spelled(others, edition))
        elif edit.verb not in (Verb.FORBID, Verb.ORDER):
            yield attrs.evolve(edit, subject=subject, object=others)


def _groups(codes: CodeSet, by: Grouping, edition: Edition) -> dict[tuple[str, ...], CodeSet]:
    found: dict[tuple[str, ...], list[int]] = {}
    for code_id in codes & CodeSet.between(0, edition.size):
        group = group_of(code_id, by, edition)
        if group is not None:
            found.setdefault(group, []).append(code_id)
    return {group: CodeSet.of(ids) for group, ids in found.items()}
