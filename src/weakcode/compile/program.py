"""A program: the edits of the chosen packs for one edition, indexed by code, as one block of bytes.

Codes with the same membership in every edit and in every code set of a condition form one class. Two bisections find
the edits that a code can violate or satisfy, and an edit is decoded only when a claim touches it: opening a program
costs milliseconds whatever the number of edits.
"""

from __future__ import annotations

import json
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate, chain
from typing import Any

import attrs

from weakcode.codes.codeset import CodeSet
from weakcode.compile.classes import Spans, classes
from weakcode.compile.edits import CompiledRule, Condition, Edit, EditFix, Verb, Where
from weakcode.findings import Source
from weakcode.lazy import lazy

CONDITIONAL, SPOKEN, LINED = 1, 2, 4
"""Bits of the column `special`: the edit has a claim condition, has terms, looks at the pointers of service lines."""

NO_SET = 0
"""The number of no code set; that of the empty one is another."""

_DATES = ("starts", "ends")
_SETS = ("present", "absent", "first_listed")


_BINARY = (CodeSet, Condition)
"""What has columns of its own and is left out of the JSON of an edit."""


def _plain(value: Any) -> Any:
    if attrs.has(type(value)):
        said = ((f.name, getattr(value, f.name), f.default) for f in attrs.fields(type(value)))
        return {name: _plain(one) for name, one, default in said if one != default and not isinstance(one, _BINARY)}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value.isoformat() if hasattr(value, "isoformat") else value


_said = json.JSONEncoder(separators=(",", ":")).encode


def _written(value: Any) -> bytes:
    return _said(_plain(value)).encode()


def _condition(data: dict[str, Any]) -> Condition:
    """Return a condition but for its code sets."""
    from datetime import date

    read: dict[str, Any] = {}
    for key, value in data.items():
        if key in _DATES:
            read[key] = date.fromisoformat(value)
        else:
            read[key] = tuple(value) if isinstance(value, list) else value
    return Condition(**read)


def _edit(data: dict[str, Any], subject: CodeSet, related: CodeSet, condition: Condition | None) -> Edit:
    return Edit(
        rule=data["rule"],
        verb=Verb(data["verb"]),
        subject=subject,
        object=related,
        where=Where(data.get("where", 0)),
        condition=condition,
        terms=tuple(data.get("terms", ())),
        pointed=data.get("pointed"),
        message=data.get("message"),
        listed=data.get("listed", ""),
        fix=EditFix(**data["fix"]) if "fix" in data else None,
        sources=tuple(Source(**source) for source in data.get("sources", ())),
    )


class _Pool:
    """The distinct code sets of a program, by number."""

    def __init__(self) -> None:
        self._numbers: dict[CodeSet, int] = {CodeSet(): NO_SET + 1}

    def number(self, codes: CodeSet | None) -> int:
        return NO_SET if codes is None else self._numbers.setdefault(codes, NO_SET + 1 + len(self._numbers))

    def columns(self) -> tuple[array[int], array[int]]:
        """Return the spans of all, one after the other, and where those of each begin: of none, of number 1, ..."""
        bounds, spans = array("I", [0, 0]), array("I")
        for codes in self._numbers:
            spans.extend(chain.from_iterable(codes.spans))
            bounds.append(len(spans))
        return bounds, spans


def _record(edit: Edit, cited: dict[tuple[Source, ...], str]) -> bytes:
    """Return an edit as `_written` would, which is much slower; `cited` remembers what sources are as text."""
    parts = [f'{{"rule":{edit.rule},"verb":{int(edit.verb)}']
    if edit.where:
        parts.append(f',"where":{int(edit.where)}')
    if edit.terms:
        parts.append(f',"terms":{_said(edit.terms)}')
    if edit.pointed is not None:
        parts.append(f',"pointed":{_said(edit.pointed)}')
    if edit.message is not None:
        parts.append(f',"message":{_said(edit.message)}')
    if edit.listed:
        parts.append(f',"listed":{_said(edit.listed)}')
    if edit.fix is not None:
        parts.append(f',"fix":{_said(_plain(edit.fix))}')
    if edit.sources:
        text = cited.get(edit.sources)
        if text is None:
            text = cited[edit.sources] = _said(_plain(edit.sources))
        parts.append(f',"sources":{text}')
    return f"{''.join(parts)}}}".encode()


def _by_class(arrays: Mapping[str, array[int]]) -> tuple[list[int], dict[str, bytes]]:
    """Return the wide edits, and the sections of classes: segments, and what the codes of each class are in."""
    import numpy as np

    of = {name: np.asarray(column, np.int64) for name, column in arrays.items()}
    spans = Spans(of["set_bounds"] // 2, of["set_spans"][::2], of["set_spans"][1::2])
    sets = of["condition_sets"]
    asked = np.unique(sets[sets != NO_SET])
    _, _, ends = spans.of(np.unique(np.concatenate((of["subjects"], of["objects"]))))
    reach = int(ends.max(initial=0))
    wide = np.flatnonzero(spans.sizes()[of["objects"]] > reach // 2)
    nothing = wide[:0]
    found = classes((of["subjects"], of["objects"], asked), spans, (nothing, wide, np.arange(len(asked))))
    columns = {"starts": found.starts, "members": found.members}
    for name, (listed, bounds) in zip(("subject", "object"), found.listed[:2], strict=True):
        columns |= {f"{name}_pointers": bounds, f"{name}_edits": listed}
    return wide.tolist(), {name: column.astype(np.uint32).tobytes() for name, column in columns.items()}


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
    _conditions: dict[int, Condition] = attrs.field(factory=dict, init=False)

    @staticmethod
    def pack(
        edition: str,
        packs: Iterable[str],
        rules: Sequence[CompiledRule],
        facts: Iterable[str],
        edits: Sequence[Edit],
    ) -> tuple[dict[str, Any], dict[str, bytes]]:
        """Return a program as the header and the binary sections of a store."""
        pool = _Pool()
        conditions = dict.fromkeys(edit.condition for edit in edits if edit.condition is not None)
        asked = {condition: number for number, condition in enumerate(conditions, start=1)}
        cited: dict[tuple[Source, ...], str] = {}
        records = [_record(edit, cited) for edit in edits]
        columns = {
            "offsets": accumulate(map(len, records), initial=0),
            "rules": [edit.rule for edit in edits],
            "verbs": [edit.verb for edit in edits],
            "wheres": [edit.where for edit in edits],
            "condition": [0 if edit.condition is None else asked[edit.condition] for edit in edits],
            "subjects": [pool.number(edit.subject) for edit in edits],
            "objects": [pool.number(edit.object) for edit in edits],
            "condition_sets": [pool.number(getattr(one, part)) for one in (Condition(), *conditions) for part in _SETS],
            "special": [
                CONDITIONAL * (edit.condition is not None) | SPOKEN * bool(edit.terms) | LINED * edit.asks_lines
                for edit in edits
            ],
        }
        arrays = {name: array("I", column) for name, column in columns.items()}
        arrays["set_bounds"], arrays["set_spans"] = pool.columns()
        sections = {name: column.tobytes() for name, column in arrays.items()}
        sections["records"] = b"".join(records)
        sections["conditions"] = b"\n".join(map(_written, conditions))
        wide, by_class = _by_class(arrays)
        sections |= by_class
        meta = {
            "wide": wide,
            "edition": edition,
            "packs": list(packs),
            "facts": sorted(facts),
            "rules": [_plain(rule) for rule in rules],
            "claim_edits": [number for number, edit in enumerate(edits) if edit.verb is Verb.CLAIM_REQUIRE],
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
            s = self._sections
            low, high = s["offsets"][number : number + 2]
            subject, related = (self.code_set(s[name][number]) or CodeSet() for name in ("subjects", "objects"))
            condition = self._condition_of(s["condition"][number])
            found = self._edits[number] = _edit(json.loads(bytes(s["records"][low:high])), subject, related, condition)
        return found

    def _condition_of(self, place: int) -> Condition | None:
        if not place:
            return None
        known = self._conditions.get(place)
        if known is None:
            plain, sets = self.conditions[place]
            present, absent, first_listed = map(self.code_set, sets)
            known = attrs.evolve(plain, present=present, absent=absent, first_listed=first_listed)
            self._conditions[place] = known
        return known

    @lazy
    def conditions(self) -> tuple[tuple[Condition, tuple[int, int, int]], ...]:
        """The distinct claim conditions, that which asks nothing first: what each asks beside codes, and its code sets.

        The sets are the numbers of `present`, `absent` and `first_listed`. The column `condition` has the place of each
        edit's condition here.
        """
        written = bytes(self._sections["conditions"]).splitlines()
        plain = (Condition(), *(_condition(json.loads(one)) for one in written))
        sets = self._sections["condition_sets"].tolist()
        return tuple(zip(plain, zip(sets[::3], sets[1::3], sets[2::3], strict=True), strict=True))

    def code_set(self, number: int) -> CodeSet | None:
        """Return a code set by its number; None for `NO_SET`."""
        if number == NO_SET:
            return None
        low, high = self._sections["set_bounds"][number : number + 2]
        spans = self._sections["set_spans"][low:high].tolist()
        return CodeSet.stored(zip(spans[::2], spans[1::2], strict=True))

    @property
    def claim_edits(self) -> tuple[int, ...]:
        """The edits without a subject."""
        return self._sections["claim_edits"]  # type: ignore[no-any-return]

    @property
    def wide_edits(self) -> frozenset[int]:
        """The edits of which most codes are an object: they are asked for a code, and not listed with it."""
        return self._sections["wide"]  # type: ignore[no-any-return]

    @property
    def rule_of_edit(self) -> Sequence[int]:
        """The number of each edit's rule."""
        return self._sections["rules"]  # type: ignore[no-any-return]

    def column(self, name: str) -> memoryview:
        """Return a column of the compiled form.

        By edit: `rules`, `verbs`, `wheres`, `special`, `condition`, and the numbers of its code sets, `subjects` and
        `objects`. By number of a set, n: its spans, low and high in turn, in `set_spans` from `set_bounds[n]` to
        `set_bounds[n + 1]`. Classes by code id: class `members[k]` from `starts[k]` on. By class, the edits with it as
        subject: `subject_edits` from `subject_pointers[c]` to `subject_pointers[c + 1]`; so for `object`, without the
        wide edits.
        """
        return self._sections[name]  # type: ignore[no-any-return]

    def code_class(self, code_id: int) -> int:
        """Return the class of a code id."""
        segment = bisect_right(self._sections["starts"], code_id) - 1
        return self._sections["members"][segment]  # type: ignore[no-any-return]

    def listed_roles(self, code_class: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Return the edits in which codes of a class are subject, and those in which they are object, but wide ones."""
        s = self._sections
        subject = s["subject_edits"][s["subject_pointers"][code_class] : s["subject_pointers"][code_class + 1]]
        objects = s["object_edits"][s["object_pointers"][code_class] : s["object_pointers"][code_class + 1]]
        return tuple(subject), tuple(objects)

    def roles(self, code_id: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Return the edits in which a code is subject, and those in which it is object."""
        subject, objects = self.listed_roles(self.code_class(code_id))
        wide = (number for number in self.wide_edits if code_id in self.edit(number).object)
        return subject, tuple(sorted((*objects, *wide)))

    @lazy
    def rule_numbers(self) -> dict[str, int]:
        """The number of each rule by its full id."""
        return {rule.id: number for number, rule in enumerate(self.rules)}


def _arrived(edition: str, packs: Any, rules: Any, facts: Any, parts: Mapping[str, Any]) -> Program:
    views = {
        name: memoryview(part).cast("B" if name in _TEXT else "I") if isinstance(part, bytes) else part
        for name, part in parts.items()
    }
    return Program(edition, packs, rules, facts, views)
