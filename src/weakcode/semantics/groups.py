"""Groups of codes: a rule with `by` compares a subject only with objects of the same group.

Such a rule is one edit for each group, with the group's codes in the place of its subject and its object, so that the
verbs need not know of groups. Codes are of one group where they have the same characters at the places of `by`, and
where their titles name the same side if `by` asks for it. A code that has no character at one of the places, that is
not billable, or whose title names no side or several, is of no group.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import zip_longest
from typing import TYPE_CHECKING

import attrs

from weakcode.base.remembered import remembered
from weakcode.codes.codeset import CodeSet
from weakcode.codes.edition import Edition
from weakcode.codes.expression.spelling import spelled
from weakcode.semantics.edits import Edit
from weakcode.semantics.verbs import FORMS

if TYPE_CHECKING:
    from weakcode.codes.expression.titles import Numbers, TitleWords
    from weakcode.rules.model import Grouping

SIDES = {"right": "right", "left": "left", "bilateral": "both", "both": "both"}
"""The side that a word of a title names."""
_WORD = re.compile(r"[a-z]+")
_NO_CODES = CodeSet()


def side_of(title: str) -> str | None:
    """Return the side that a title names, `right`, `left` or `both`; None where it names no side or several."""
    sides = {SIDES[word] for word in _WORD.findall(title.lower()) if word in SIDES}
    return sides.pop() if len(sides) == 1 else None


def groups_of(codes: CodeSet, by: Grouping, edition: Edition) -> dict[tuple[str, ...], CodeSet]:
    """Return the billable codes of a set by what those of a group have in common: characters and perhaps a side.

    Groups come in the order of their first codes. A code that is too short, or whose title names no side where groups
    have one, is in none.
    """
    import numpy as np

    spans = (codes & CodeSet.between(0, edition.size)).spans
    ids = np.concatenate([np.arange(0), *(np.arange(low, high) for low, high in spans)])
    signs = edition.spelled.at(ids).characters(by.characters)
    kept = (signs != b"").all(axis=1)
    ids = ids[kept].tolist()
    # The characters that a group has in common, as one text for each code.
    common = np.ascontiguousarray(signs[kept]).view(f"S{len(by.characters)}").ravel().tolist() if by.characters else ()
    sides = map(_sides(edition).__getitem__, ids) if by.side else ()
    found: dict[tuple[bytes | None, str | None], list[int]] = {}
    for code_id, key in zip(ids, zip_longest(common, sides), strict=True):
        found.setdefault(key, []).append(code_id)
    groups = {}
    for (characters, side), members in found.items():
        if side is not None or not by.side:
            own = tuple((characters or b"").decode())
            groups[own if side is None else (*own, side)] = CodeSet.of(members)
    return groups


@remembered
def words_of_sides(edition: Edition) -> tuple[Numbers, TitleWords]:
    """Return the places of the list whose titles have a word of a side, or `unspecified`, and the words of each.

    Places of categories of which no title names a side are left out.
    """
    import numpy as np

    titles, categories = edition.titles, edition.categories
    of_sides = np.isin(categories, categories[titles.having(*SIDES)])
    telling = np.flatnonzero(of_sides & titles.having(*SIDES, "unspecified"))
    return telling, titles.words(telling)


def sides_of(words: TitleWords) -> list[str | None]:
    """Return the side that the words of each title name, as `side_of` does."""
    import numpy as np

    sides = list(dict.fromkeys(SIDES.values()))
    naming = np.array([words.having(word for word, one in SIDES.items() if one == side) for side in sides])
    which = np.where(naming.sum(axis=0) == 1, naming.argmax(axis=0), len(sides))
    return list(map([*sides, None].__getitem__, which.tolist()))


@remembered
def _sides(edition: Edition) -> list[str | None]:
    """Return the side that the title of each code names."""
    places, words = words_of_sides(edition)
    of_place = dict(zip(places.tolist(), sides_of(words), strict=True))
    sides = list(map(of_place.get, edition.places.tolist()))
    for code_id in edition.titled_apart(tuple(SIDES)):
        sides[code_id] = side_of(edition.titled_code(code_id)[1])
    return sides


def grouped(edit: Edit, by: Grouping | None, edition: Edition) -> Iterator[Edit]:
    """Yield the edits that an edit with groups stands for, in the order of their first subjects; itself without `by`.

    A group is left out where nothing could violate its edit: without a second subject for `at_most_one`, without an
    object for `forbid` and `order`. A code of no group is not a subject.
    """
    if by is None:
        yield edit
        return
    objects = groups_of(edit.object, by, edition)
    # Spelling out the codes of thousands of groups takes long; most rules never say them.
    form = FORMS[edit.verb]
    says_codes = form.asks_object or "{listed}" in (edit.message or form.message)
    names = [field.name for field in attrs.fields(Edit)]
    values = [getattr(edit, name) for name in names]
    parts = [names.index(name) for name in ("subject", "object", "listed")]

    def alike(subject: CodeSet, related: CodeSet = edit.object, listed: str = edit.listed) -> Edit:
        for at, value in zip(parts, (subject, related, listed), strict=True):
            values[at] = value
        return Edit(*values)

    for group, subject in groups_of(edit.subject, by, edition).items():
        others = objects.get(group, _NO_CODES)
        if form.counts_subjects:
            if len(subject) > 1:
                yield alike(subject)
        elif others:
            yield alike(subject, others, spelled(others, edition) if says_codes else "")
        elif form.asks_object or not form.needs_object:
            yield alike(subject, others)
