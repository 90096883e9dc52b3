"""What changed from one file of policies to another."""

from __future__ import annotations

from typing import Any

import attrs

from weakcode.coverage.policies import Policy, PolicyFile


@attrs.frozen
class PolicyChange:
    """What changed in one policy: its version, and the procedures and codes that came and went."""

    id: str
    before: int
    after: int
    procedures: tuple[tuple[str, ...], tuple[str, ...]]
    covered: tuple[tuple[str, ...], tuple[str, ...]]
    excluded: tuple[tuple[str, ...], tuple[str, ...]]

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists and text, ready for JSON."""
        values: dict[str, Any] = {"id": self.id, "from": self.before, "to": self.after}
        for name in ("procedures", "covered", "excluded"):
            added, removed = getattr(self, name)
            values |= {f"{name}_added": [*added], f"{name}_removed": [*removed]}
        return values


@attrs.frozen
class Changes:
    """Ids of policies that came and went, and what changed in the others."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[PolicyChange, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists and text, ready for JSON."""
        changed = [one.to_dict() for one in self.changed]
        return {"added": [*self.added], "removed": [*self.removed], "changed": changed}


def changes(before: PolicyFile, after: PolicyFile) -> Changes:
    """Return what changed from one file to another, by the newest version of each policy in either."""
    old, new = _newest(before), _newest(after)
    both = [(old[own], new[own]) for own in sorted(old.keys() & new.keys())]
    compared = [_change(first, second) for first, second in both]
    return Changes(
        tuple(sorted(new.keys() - old.keys())),
        tuple(sorted(old.keys() - new.keys())),
        tuple(one for one in compared if one is not None),
    )


def _newest(file: PolicyFile) -> dict[str, Policy]:
    return {policy.id: policy for policy in sorted(file.policies, key=lambda one: one.version)}


def _change(before: Policy, after: Policy) -> PolicyChange | None:
    pairs = [
        (frozenset(before.procedures), frozenset(after.procedures)),
        (before.all_covered, after.all_covered),
        (before.all_excluded, after.all_excluded),
    ]
    if before.version == after.version and all(first == second for first, second in pairs):
        return None
    came_and_went = [(tuple(sorted(second - first)), tuple(sorted(first - second))) for first, second in pairs]
    return PolicyChange(before.id, before.version, after.version, *came_and_went)
