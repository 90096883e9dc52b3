"""A program over another one that is shared: a choice of its rules, and a few rules of one's own.

The base is what weakcode ships, compiled once and kept once by a process. Edits and rules of the base keep their
numbers; those of the overlay follow them.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from typing import Any

import attrs

from weakcode.base.lazy import lazy
from weakcode.compile.program import Program, ProgramPart
from weakcode.semantics.edits import Edit


@attrs.frozen(eq=False, slots=False)
class LayeredRules(Program):
    """The rules `chosen`, by number and in order, of a base and an overlay."""

    base: Program = attrs.field(kw_only=True)
    own: Program | None = attrs.field(kw_only=True)
    chosen: tuple[int, ...] = attrs.field(kw_only=True)

    @classmethod
    def over(
        cls, base: Program, own: Program | None, present: Sequence[int], packs: Iterable[str], facts: Iterable[str]
    ) -> LayeredRules:
        """Return the layered program; `packs` and `facts` are those of the files chosen."""
        rules = base.rules if own is None else (*base.rules, *own.rules)
        shown, known = tuple(dict.fromkeys(packs)), tuple(sorted(set(facts)))
        return cls(base.edition, shown, rules, known, {}, base=base, own=own, chosen=tuple(present))

    def __reduce__(self) -> tuple[Any, ...]:
        return LayeredRules.over, (self.base, self.own, self.chosen, self.packs, self.facts)

    @property
    def present(self) -> Sequence[int]:
        return self.chosen

    def __len__(self) -> int:
        return len(self.base) + (len(self.own) if self.own is not None else 0)

    @lazy
    def parts(self) -> tuple[ProgramPart, ...]:
        base = ProgramPart(self.base)
        return (base,) if self.own is None else (base, ProgramPart(self.own, len(self.base), len(self.base.rules)))

    def _part_of(self, number: int) -> ProgramPart:
        return self.parts[-1] if number >= self.parts[-1].first_edit else self.parts[0]

    def edit(self, number: int) -> Edit:
        part = self._part_of(number)
        if not part.first_edit:
            return self.base.edit(number)
        found = self._edits.get(number)
        if found is None:
            own = part.program.edit(number - part.first_edit)
            found = self._edits[number] = attrs.evolve(own, rule=own.rule + part.first_rule)
        return found

    def edits_of(self, rule: int) -> range:
        part = self.parts[-1] if rule >= self.parts[-1].first_rule else self.parts[0]
        found = part.program.edits_of(rule - part.first_rule)
        return range(found.start + part.first_edit, found.stop + part.first_edit)

    @lazy
    def _is_present(self) -> bytes:
        present = bytearray(len(self.rules))
        for number in self.present:
            present[number] = 1
        return bytes(present)

    def _shifted(self, numbers: Iterable[Iterable[int]]) -> tuple[int, ...]:
        """Return numbers of edits, given by part, as numbers here."""
        return tuple(
            number + part.first_edit for part, found in zip(self.parts, numbers, strict=True) for number in found
        )

    @lazy
    def claim_edits(self) -> tuple[int, ...]:
        found = self._shifted(part.program.claim_edits for part in self.parts)
        return tuple(number for number in found if self._is_present[self.rule_of_edit[number]])

    @lazy
    def wide_edits(self) -> frozenset[int]:
        return frozenset(self._shifted(part.program.wide_edits for part in self.parts))

    @lazy
    def broad_edits(self) -> tuple[int, ...]:
        return self._shifted(part.program.broad_edits for part in self.parts)

    @property
    def rule_of_edit(self) -> Sequence[int]:
        return self.merging[0]

    @lazy
    def merging(self) -> tuple[array[int], bytes]:
        rules, either_way = self.base.merging
        if self.own is None:
            return rules, either_way
        more, ways = self.own.merging
        return rules + array("i", [rule + len(self.base.rules) for rule in more]), either_way + ways

    def column(self, name: str) -> memoryview:
        raise KeyError(f"a layered program has no column {name!r}; ask its parts")

    def code_class(self, code_id: int) -> Any:
        """Return the classes of a code id, one for each part."""
        return tuple(part.program.code_class(code_id) for part in self.parts)

    def listed_roles(self, code_class: Any) -> tuple[tuple[int, ...], tuple[int, ...]]:
        found = [part.program.listed_roles(one) for part, one in zip(self.parts, code_class, strict=True)]
        return self._shifted(subject for subject, _ in found), self._shifted(other for _, other in found)

    def roles(self, code_id: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
        found = [part.program.roles(code_id) for part in self.parts]
        present, rule_of = self._is_present, self.rule_of_edit
        subject, other = (self._shifted(one[role] for one in found) for role in (0, 1))
        return tuple(n for n in subject if present[rule_of[n]]), tuple(n for n in other if present[rule_of[n]])
