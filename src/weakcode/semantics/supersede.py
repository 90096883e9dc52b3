"""What becomes of violations: which are one finding, which another rule says better, and in which order findings come.

- Violations of one rule by the same two diagnoses, in either order, are one finding where the rule forbids codes
  together anywhere; it is named by the first of its edits, and cites all of them.
- A finding of a rule goes where a rule that supersedes it has one too: on the same two diagnoses where both findings
  have two, otherwise on the same subject. A rule that is off supersedes nothing.
- Findings come by subject position, then rule id, then object position.

The kernel (`engines/kernel/_assemble.h`) does the same for one claim and for batches; tests compare the two.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import attrs

from weakcode.semantics.edits import CompiledRule, Edit, Hit
from weakcode.semantics.verbs import Verb, Where


@attrs.frozen
class MergedViolations:
    """A finding: its violations in order, the first of which names it."""

    rule: int
    hits: tuple[Hit, ...]

    @property
    def subject(self) -> int:
        """The position of the subject, 0 for the claim as a whole."""
        return self.hits[0].subject

    @property
    def object(self) -> int:
        """The position of the other diagnosis, 0 where there is none."""
        return self.hits[0].object

    @property
    def edits(self) -> tuple[int, ...]:
        """The edits that the finding says together."""
        return tuple(hit.edit for hit in self.hits)


@attrs.frozen
class Findings:
    """The findings in their order, and by each violation that became none the number of the rule that supersedes it."""

    kept: tuple[MergedViolations, ...]
    superseded: Mapping[Hit, int]


def findings(
    hits: Iterable[Hit], edit_of: Callable[[int], Edit], rules: Sequence[CompiledRule], is_on: Callable[[int], bool]
) -> Findings:
    """Return the findings that the violations on one claim amount to. `is_on` says whether a rule, by number, is on."""
    groups: dict[object, list[Hit]] = {}
    for hit in sorted(hits, key=lambda hit: (hit.subject, hit.object, hit.edit)):
        edit = edit_of(hit.edit)
        if is_on(edit.rule):
            together = edit.verb is Verb.FORBID and edit.where is Where.ANYWHERE
            groups.setdefault((edit.rule, frozenset(hit[1:])) if together else hit, []).append(hit)
    found = [MergedViolations(edit_of(group[0].edit).rule, tuple(group)) for group in groups.values()]
    kept: list[MergedViolations] = []
    superseded: dict[Hit, int] = {}
    for one in found:
        by = [other.rule for other in found if _supersedes(other, one, rules)]
        if by:
            superseded |= dict.fromkeys(one.hits, min(by))
        else:
            kept.append(one)
    kept.sort(key=lambda one: (one.subject, rules[one.rule].id, one.object, one.edits))
    return Findings(tuple(kept), superseded)


def _supersedes(specific: MergedViolations, generic: MergedViolations, rules: Sequence[CompiledRule]) -> bool:
    if rules[generic.rule].id not in rules[specific.rule].supersedes:
        return False
    if specific.object and generic.object:
        return {specific.subject, specific.object} == {generic.subject, generic.object}
    return specific.subject == generic.subject
