"""A program: the edits of the chosen packs for one edition, indexed by code, as one block of bytes.

Codes with the same membership in every edit form one class. `Program.roles` answers with two bisections which edits a
code can violate or satisfy; an edit is decoded only when a claim touches it, so that opening a program costs
milliseconds whatever the number of edits.
"""

from __future__ import annotations

import json
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

import attrs

from weakcode.codes.codeset import CodeSet
from weakcode.compile.edits import CompiledRule, Condition, Edit, EditFix, Verb, Where
from weakcode.findings import Source

CONDITIONAL, SPOKEN, LINED = 1, 2, 4
"""Bits of the column `special`: the edit has a claim condition, has terms, looks at the pointers of service lines."""

_DATES = ("starts", "ends")
_SETS = ("present", "absent", "first_listed")


def _plain(value: Any) -> Any:
    if isinstance(value, CodeSet):
        return value.spans
    if attrs.has(type(value)):
        fields = attrs.fields(type(value))
        return {f.name: _plain(v) for f in fields if (v := getattr(value, f.name)) != f.default}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value.isoformat() if hasattr(value, "isoformat") else value


def _condition(data: dict[str, Any] | None) -> Condition | None:
    from datetime import date

    if data is None:
        return None
    read: dict[str, Any] = {}
    for key, value in data.items():
        if key in _DATES:
            read[key] = date.fromisoformat(value)
        elif key in _SETS:
            read[key] = CodeSet.stored(value)
        else:
            read[key] = tuple(value) if isinstance(value, list) else value
    return Condition(**read)


def _edit(data: dict[str, Any]) -> Edit:
    return Edit(
        rule=data["rule"],
        verb=Verb(data["verb"]),
        subject=CodeSet.stored(data["subject"]),
        object=CodeSet.stored(data.get("object", ())),
        where=Where(data.get("where", 0)),
        condition=_condition(data.get("condition")),
        terms=tuple(data.get("terms", ())),
        pointed=data.get("pointed"),
        message=data.get("message"),
        listed=data.get("listed", ""),
        fix=EditFix(**data["fix"]) if "fix" in data else None,
        sources=tuple(Source(**source) for source in data.get("sources", ())),
    )


def _classes(
    edits: Sequence[Edit],
) -> tuple[list[int], list[int], list[tuple[tuple[int, ...], tuple[int, ...]]]]:
    """Return the first id of each segment, the class of each segment, and each class's (subject, object) edits."""
    changes: dict[int, list[tuple[int, int, bool]]] = {0: []}
    for number, edit in enumerate(edits):
        for role, codes in enumerate((edit.subject, edit.object)):
            for low, high in codes.spans:
                changes.setdefault(low, []).append((role, number, True))
                changes.setdefault(high, []).append((role, number, False))
    active: tuple[set[int], set[int]] = (set(), set())
    starts: list[int] = []
    members: list[int] = []
    known: dict[tuple[tuple[int, ...], tuple[int, ...]], int] = {}
    for start in sorted(changes):
        for role, number, begins in changes[start]:
            if begins:
                active[role].add(number)
        for role, number, begins in changes[start]:
            if not begins and (role, number, True) not in changes[start]:
                active[role].discard(number)
        membership = (tuple(sorted(active[0])), tuple(sorted(active[1])))
        starts.append(start)
        members.append(known.setdefault(membership, len(known)))
    return starts, members, list(known)


_TEXT = ("records", "conditions")
"""Sections of JSON; all others are numbers of four bytes."""


@attrs.frozen(eq=False, slots=False)
class Program:
    """The compiled packs. Edits are numbered as compiled; ids of codes are those of `edition`."""

    edition: str
    packs: tuple[str, ...]
    rules: tuple[CompiledRule, ...]
    facts: tuple[str, ...]
    _sections: dict[str, Any]
    _edits: dict[int, Edit] = attrs.field(factory=dict, init=False)

    @staticmethod
    def pack(
        edition: str,
        packs: Iterable[str],
        rules: Sequence[CompiledRule],
        facts: Iterable[str],
        edits: Sequence[Edit],
    ) -> tuple[dict[str, Any], dict[str, bytes]]:
        """Return a program as the header and the binary sections of a store."""
        starts, members, classes = _classes(edits)
        records = [json.dumps(_plain(edit), separators=(",", ":")).encode() for edit in edits]
        sections = {"records": b"".join(records), "starts": array("I", starts).tobytes()}
        sections["members"] = array("I", members).tobytes()
        offsets = array("I", [0])
        for record in records:
            offsets.append(offsets[-1] + len(record))
        sections["offsets"] = offsets.tobytes()
        conditions: dict[bytes, int] = {}
        asked = [
            0
            if edit.condition is None
            else conditions.setdefault(
                json.dumps(_plain(edit.condition), separators=(",", ":")).encode(), len(conditions) + 1
            )
            for edit in edits
        ]
        sections["condition"] = array("I", asked).tobytes()
        sections["conditions"] = b"\n".join(conditions)
        sections["verbs"] = array("I", [edit.verb for edit in edits]).tobytes()
        sections["wheres"] = array("I", [edit.where for edit in edits]).tobytes()
        special = [
            CONDITIONAL * (edit.condition is not None) | SPOKEN * bool(edit.terms) | LINED * edit.asks_lines
            for edit in edits
        ]
        sections["special"] = array("I", special).tobytes()
        for role, name in enumerate(("subject", "object")):
            pointers, flat = array("I", [0]), array("I")
            for membership in classes:
                flat.extend(membership[role])
                pointers.append(len(flat))
            sections[f"{name}_pointers"], sections[f"{name}_edits"] = pointers.tobytes(), flat.tobytes()
        whole = [number for number, edit in enumerate(edits) if edit.verb is Verb.CLAIM_REQUIRE]
        reach = max(
            (high for edit in edits for codes in (edit.subject, edit.object) for _, high in codes.spans),
            default=0,
        )
        meta = {
            "wide": [number for number, edit in enumerate(edits) if len(edit.object) > reach // 2],
            "edition": edition,
            "packs": list(packs),
            "facts": sorted(facts),
            "rules": [_plain(rule) for rule in rules],
            "claim_edits": whole,
            "rule_of_edit": [edit.rule for edit in edits],
        }
        return meta, sections

    @classmethod
    def open(cls, meta: Mapping[str, Any], sections: Mapping[str, Any]) -> Program:
        """Return the program in a header and sections made by `pack`."""
        views: dict[str, Any] = {
            name: memoryview(data) if name in _TEXT else memoryview(data).cast("I") for name, data in sections.items()
        }
        views["wide"] = frozenset(meta["wide"])
        views["claim_edits"] = tuple(meta["claim_edits"])
        views["rule_of_edit"] = meta["rule_of_edit"]
        rules = tuple(
            CompiledRule(
                **{
                    **rule,
                    "supersedes": tuple(rule.get("supersedes", ())),
                    "terms": tuple((term, code) for term, code in rule.get("terms", ())),
                }
            )
            for rule in meta["rules"]
        )
        return cls(meta["edition"], tuple(meta["packs"]), rules, tuple(meta["facts"]), views)

    def __reduce__(self) -> tuple[Any, ...]:
        views = {name: bytes(part) if isinstance(part, memoryview) else part for name, part in self._sections.items()}
        return _arrived, (self.edition, self.packs, self.rules, self.facts, views)

    def __len__(self) -> int:
        return len(self._sections["offsets"]) - 1

    def edit(self, number: int) -> Edit:
        """Return an edit by its number."""
        found = self._edits.get(number)
        if found is None:
            low, high = self._sections["offsets"][number : number + 2]
            found = self._edits[number] = _edit(json.loads(bytes(self._sections["records"][low:high])))
        return found

    @cached_property
    def conditions(self) -> tuple[Condition | None, ...]:
        """The distinct claim conditions, None first. The column `condition` has the place of each edit's."""
        return (None, *(_condition(json.loads(one)) for one in bytes(self._sections["conditions"]).splitlines()))

    @property
    def claim_edits(self) -> tuple[int, ...]:
        """The edits without a subject."""
        return self._sections["claim_edits"]  # type: ignore[no-any-return]

    @property
    def wide_edits(self) -> frozenset[int]:
        """The edits of which most codes are an object, so that asking the edit is cheaper than listing it."""
        return self._sections["wide"]  # type: ignore[no-any-return]

    @property
    def rule_of_edit(self) -> list[int]:
        """The number of each edit's rule."""
        return self._sections["rule_of_edit"]  # type: ignore[no-any-return]

    def column(self, name: str) -> memoryview:
        """Return a column of the compiled form.

        By edit: `verbs`, `wheres`, `special` and `condition`. Classes by code id: class `members[k]` from `starts[k]`
        on. By class, the edits with it as subject: `subject_edits` from `subject_pointers[c]` to
        `subject_pointers[c + 1]`; so for `object`.
        """
        return self._sections[name]  # type: ignore[no-any-return]

    def code_class(self, code_id: int) -> int:
        """Return the class of a code id."""
        segment = bisect_right(self._sections["starts"], code_id) - 1
        return self._sections["members"][segment]  # type: ignore[no-any-return]

    def roles(self, code_class: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Return the edits in which codes of this class are subject, and those in which they are object."""
        s = self._sections
        subject = s["subject_edits"][s["subject_pointers"][code_class] : s["subject_pointers"][code_class + 1]]
        objects = s["object_edits"][s["object_pointers"][code_class] : s["object_pointers"][code_class + 1]]
        return tuple(subject), tuple(objects)

    @cached_property
    def rule_numbers(self) -> dict[str, int]:
        """The number of each rule by its full id."""
        return {rule.id: number for number, rule in enumerate(self.rules)}


def _arrived(edition: str, packs: Any, rules: Any, facts: Any, parts: Mapping[str, Any]) -> Program:
    views = {
        name: memoryview(part).cast("B" if name in _TEXT else "I") if isinstance(part, bytes) else part
        for name, part in parts.items()
    }
    return Program(edition, packs, rules, facts, views)
