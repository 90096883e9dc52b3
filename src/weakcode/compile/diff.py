"""What changed from one edition to another: codes, titles, notes, and the rules that this touches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import attrs

from weakcode.codes.codeset import CodeSet
from weakcode.codes.edition import Edition
from weakcode.compile.tabular.notes import NOTE_KINDS


@attrs.frozen
class TitleChange:
    """A code that stayed, with its title before and after."""

    code: str
    before: str
    after: str


@attrs.frozen
class NoteLine:
    """One line of a note and where it stands."""

    kind: str
    place: str
    text: str


@attrs.frozen
class TouchedRule:
    """A rule of a pack whose codes changed: those it gained, those it lost, and those with another title."""

    rule: str
    gained: tuple[str, ...]
    lost: tuple[str, ...]
    reworded: tuple[str, ...]


@attrs.frozen
class Difference:
    """Everything that changed from edition `before` to edition `after`. Codes are (code, title)."""

    before: str
    after: str
    added: tuple[tuple[str, str], ...]
    retired: tuple[tuple[str, str], ...]
    reworded: tuple[TitleChange, ...]
    notes_added: tuple[NoteLine, ...]
    notes_removed: tuple[NoteLine, ...]
    rules: tuple[TouchedRule, ...]


def difference(before: Edition, after: Edition, packs: Sequence[Path] = ()) -> Difference:
    """Return what changed between two editions, and which rules of the rule files that touches."""
    old, new = _titles(before), _titles(after)
    added, retired = new.keys() - old.keys(), old.keys() - new.keys()
    reworded = {code for code in old.keys() & new.keys() if old[code] != new[code]}
    gone, come = _lines(before), _lines(after)
    return Difference(
        before=before.name,
        after=after.name,
        added=tuple((code, new[code]) for code in sorted(added)),
        retired=tuple((code, old[code]) for code in sorted(retired)),
        reworded=tuple(TitleChange(code, old[code], new[code]) for code in sorted(reworded)),
        notes_added=_sorted_lines(come - gone),
        notes_removed=_sorted_lines(gone - come),
        rules=tuple(_touched(before, after, packs, frozenset(reworded))),
    )


def _titles(edition: Edition) -> dict[str, str]:
    return {code: edition.title(code) or "" for code in map(edition.code, edition.billable_ids)}


def _lines(edition: Edition) -> Counter[NoteLine]:
    return Counter(
        NoteLine(kind, note.place, line)
        for kind in NOTE_KINDS
        for note in edition.all_notes(kind)
        for line in note.lines
    )


def _sorted_lines(lines: Counter[NoteLine]) -> tuple[NoteLine, ...]:
    return tuple(sorted(lines.elements(), key=lambda line: (line.place, line.kind, line.text)))


def _touched(before: Edition, after: Edition, packs: Sequence[Path], reworded: frozenset[str]) -> Iterator[TouchedRule]:
    """Rules made from notes are left out, since the changed notes tell them; so are sets that hold every code."""
    old, new = _sets(before, packs), _sets(after, packs)
    for rule in old:
        was, now = old[rule], new.get(rule, frozenset())
        if was != now or was & reworded:
            yield TouchedRule(
                rule, tuple(sorted(now - was)), tuple(sorted(was - now)), tuple(sorted(was & now & reworded))
            )


def _sets(edition: Edition, packs: Sequence[Path]) -> dict[str, frozenset[str]]:
    """Return, for each rule that names codes, every billable code that it names."""
    from weakcode.compile.compiler import Scope, compile_rule
    from weakcode.rules.load import load_pack

    billable = edition.billable
    code = cache(edition.code)
    named: dict[str, frozenset[str]] = {}
    for path in packs:
        pack = load_pack(path).pack
        scope = Scope(pack, edition)
        for rule in pack.rules:
            if rule.notes:
                continue
            codes = CodeSet()
            for edit in compile_rule(pack, rule, 0, scope):
                for one in (edit.subject, edit.object):
                    codes |= one & billable if len(one & billable) < len(billable) else CodeSet()
            named[f"{pack.pack}/{rule.id}"] = frozenset(map(code, codes))
    return named
