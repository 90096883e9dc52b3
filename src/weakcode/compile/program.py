"""A program: the edits of the chosen packs for one edition, indexed by code, as one block of bytes.

Codes with the same membership in every edit and in every code set of a condition form one class. Two bisections find
the edits that a code can violate or satisfy, and an edit is decoded only when a claim touches it: opening a program
costs milliseconds whatever the number of edits.
"""

from __future__ import annotations

import json
import sys
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import accumulate
from typing import Any

import attrs

from weakcode.base.lazy import lazy
from weakcode.codes.codeset import CodeSet
from weakcode.compile.classes import Spans, classes
from weakcode.compile.records import EditKinds, condition_of, edit_of, plain, read_record, records, written
from weakcode.errors import EngineError
from weakcode.semantics.conditions import CODE_PARTS, Condition
from weakcode.semantics.edits import CompiledRule, Edit
from weakcode.semantics.verbs import FORMS, Verb, Where

CONDITIONAL, TERMED, POINTED, ADMITTED, SERVED = 1, 2, 4, 8, 16
"""Bits of the column `special`: the edit has a claim condition, has terms, looks at the pointers of service lines,
or at present-on-admission indicators."""

NO_SET = 0
"""The number of no code set; that of the empty one is another."""

_SETS = tuple(part.name for part in CODE_PARTS)


class _Pool(dict[CodeSet | None, int]):
    """The numbers of the distinct code sets of a program; that of a new one is the next."""

    def __init__(self) -> None:
        super().__init__({None: NO_SET, CodeSet(): NO_SET + 1})

    def __missing__(self, codes: CodeSet | None) -> int:
        number = self[codes] = len(self)
        return number

    def columns(self) -> tuple[array[int], array[int]]:
        """Return the spans of all, one after the other, and where those of each begin: of none, of number 1, ..."""
        spans, ends = CodeSet.packed(codes for codes in self if codes is not None)
        # The numbers of a program begin with that of no set, which has no spans.
        return array("I", (0, *ends)), array("I", spans)


def _by_class(arrays: Mapping[str, array[int]]) -> tuple[list[int], list[int], dict[str, bytes]]:
    """Return the wide and the broad edits, and the sections of classes: segments, and what the codes of each are in."""
    import numpy as np

    of = {name: np.asarray(column, np.int64) for name, column in arrays.items()}
    spans = Spans(of["set_bounds"] // 2, of["set_spans"][::2], of["set_spans"][1::2])
    sets = of["condition_sets"]
    asked = np.unique(sets[sets != NO_SET])
    last = np.append(0, of["set_spans"])[spans.bounds * 2]
    used = np.concatenate((of["subjects"], of["objects"]))
    reach = int(np.where(spans.bounds[used + 1] > spans.bounds[used], last[used + 1], 0).max(initial=0))
    most = spans.sizes() > reach // 2
    wide = np.flatnonzero(most[of["objects"]])
    # Of these, all subjects of a claim are looked at together.
    together = np.isin(of["verbs"], (Verb.AT_MOST_ONE, Verb.ONCE))
    is_broad = most[of["subjects"]] & ((of["special"] & SERVED) != 0) & ~together
    subjects = np.where(is_broad, NO_SET, of["subjects"])
    # Their subjects make no classes; but a segment lies wholly in one or out of it.
    bounds_only = np.unique(of["subjects"][is_broad])
    unlisted = (wide[:0], wide, np.arange(len(asked)))
    found = classes((subjects, of["objects"], asked), spans, unlisted, bounds_only)
    columns = {"starts": found.starts, "members": found.members}
    for name, (listed, bounds) in zip(("subject", "object"), found.listed[:2], strict=True):
        columns |= {f"{name}_pointers": bounds, f"{name}_edits": listed}
    sections = {name: column.astype(np.uint32, copy=False).tobytes() for name, column in columns.items()}
    return wide.tolist(), np.flatnonzero(is_broad).tolist(), sections


def _special(edit: Edit) -> int:
    """Return what stands in the column `special` for an edit."""
    return (
        CONDITIONAL * (edit.condition is not None)
        | TERMED * bool(edit.terms)
        | POINTED * edit.asks_lines
        | ADMITTED * edit.asks_poa
        | SERVED * edit.asks_service
    )


def _only(value: int) -> bytes:
    """Return a table for `bytes.translate` that makes a number 1 and all others 0."""
    return bytes(one == value for one in range(256))


_TEXT = ("records", "conditions")
"""Sections of JSON; all others are numbers of four bytes."""


@attrs.frozen
class PackFile:
    """What a program knows of a rule file: its pack, the facts and code sets that it declares, its rules by number."""

    name: str
    pack: str
    version: str
    facts: tuple[str, ...]
    code_sets: Mapping[str, str]
    first: int
    end: int

    @property
    def shown(self) -> str:
        """The pack with its version, as verdicts name it."""
        return f"{self.pack} {self.version}"


@attrs.frozen(eq=False)
class ProgramPart:
    """A program that is part of another, and the numbers of its first edit and first rule there."""

    program: Program
    first_edit: int = 0
    first_rule: int = 0


@attrs.frozen(eq=False, slots=False)
class Program:
    """The compiled packs. Edits are numbered as compiled; ids of codes are those of `edition`.

    `files` are the rule files that it was compiled from, in order.
    """

    edition: str
    packs: tuple[str, ...]
    rules: tuple[CompiledRule, ...]
    facts: tuple[str, ...]
    _sections: dict[str, Any]
    files: tuple[PackFile, ...] = ()
    _anew: Callable[[], Program] | None = None
    """Compiles it again; where it is from the cache, whose records are looked at when they are read."""
    shared: dict[Any, Any] = attrs.field(factory=dict, init=False)
    """What engines make of the program and share, such as the tables of the kernel."""
    _edits: dict[int, Edit] = attrs.field(factory=dict, init=False)
    _conditions: dict[int, Condition] = attrs.field(factory=dict, init=False)

    @staticmethod
    def pack(
        edition: str,
        packs: Iterable[str],
        rules: Sequence[CompiledRule],
        facts: Iterable[str],
        edits: Sequence[Edit],
        files: Iterable[PackFile] = (),
    ) -> tuple[dict[str, Any], dict[str, bytes]]:
        """Return a program as the header and the binary sections of a store."""
        pool = _Pool()
        kinds = EditKinds.of(edits)
        conditions = dict.fromkeys(edit.condition for edit in kinds.first if edit.condition is not None)
        asked = {condition: number for number, condition in enumerate(conditions, start=1)}
        distinct, record = records(edits, kinds)
        of_kind: dict[str, list[int]] = {
            "rules": [edit.rule for edit in kinds.first],
            "verbs": [edit.verb for edit in kinds.first],
            "wheres": [edit.where for edit in kinds.first],
            "condition": [0 if edit.condition is None else asked[edit.condition] for edit in kinds.first],
            "special": list(map(_special, kinds.first)),
        }
        columns: dict[str, Iterable[int]] = {
            "record": record,
            "offsets": accumulate(map(len, distinct), initial=0),
            **{name: map(column.__getitem__, kinds.numbers) for name, column in of_kind.items()},
            "subjects": [pool[edit.subject] for edit in edits],
            "objects": [pool[edit.object] for edit in edits],
            "condition_sets": [pool[getattr(one, part)] for one in (Condition(), *conditions) for part in _SETS],
        }
        arrays = {name: array("I", column) for name, column in columns.items()}
        arrays["set_bounds"], arrays["set_spans"] = pool.columns()
        sections = {name: column.tobytes() for name, column in arrays.items()}
        sections["records"] = b"".join(distinct)
        sections["conditions"] = b"\n".join(map(written, conditions))
        wide, broad, by_class = _by_class(arrays)
        sections |= by_class
        meta = {
            "wide": wide,
            "broad": broad,
            "edition": edition,
            "packs": list(packs),
            "facts": sorted(facts),
            "rules": [plain(rule) for rule in rules],
            "files": [attrs.astuple(one) for one in files],
            "claim_edits": [number for number, edit in enumerate(edits) if not FORMS[edit.verb].has_subject],
        }
        return meta, sections

    @classmethod
    def open(
        cls, meta: Mapping[str, Any], sections: Mapping[str, Any], anew: Callable[[], Program] | None = None
    ) -> Program:
        """Return the program in a header and sections made by `pack`; `anew` compiles it where a record is damaged."""
        views: dict[str, Any] = {
            name: memoryview(data) if name in _TEXT else memoryview(data).cast("I") for name, data in sections.items()
        }
        views["wide"] = frozenset(meta["wide"])
        views["broad"] = tuple(meta["broad"])
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
        files = tuple(
            PackFile(name, pack, version, tuple(facts), code_sets, first, end)
            for name, pack, version, facts, code_sets, first, end in meta.get("files", ())
        )
        return cls(meta["edition"], tuple(meta["packs"]), rules, tuple(meta["facts"]), views, files, anew)

    def __reduce__(self) -> tuple[Any, ...]:
        views = {name: bytes(part) if isinstance(part, memoryview) else part for name, part in self._sections.items()}
        return _unpickled, (self.edition, self.packs, self.rules, self.facts, views, self.files)

    def __len__(self) -> int:
        return len(self._sections["rules"])

    @property
    def parts(self) -> tuple[ProgramPart, ...]:
        """The programs that this one is made of."""
        return (ProgramPart(self),)

    @property
    def present(self) -> Sequence[int]:
        """The numbers of the rules that were chosen, in order; a program may hold others as well."""
        return range(len(self.rules))

    @property
    def chosen_rules(self) -> tuple[CompiledRule, ...]:
        """The rules that were chosen, in order."""
        return tuple(self.rules[number] for number in self.present)

    def edits_of(self, rule: int) -> range:
        """Return the numbers of the edits of a rule, by its number."""
        rules = self.rule_of_edit
        return range(bisect_left(rules, rule), bisect_right(rules, rule))

    @lazy
    def chosen_edits(self) -> tuple[int, ...]:
        """The numbers of the edits of the rules that were chosen."""
        return tuple(number for rule in self.present for number in self.edits_of(rule))

    @lazy
    def merging(self) -> tuple[array[int], bytes]:
        """The rule of each edit, and whether it is one finding for a pair of diagnoses, whichever is the subject."""
        low = 0 if sys.byteorder == "little" else 3
        forbids, anywhere = (
            int.from_bytes(bytes(self.column(name))[low::4].translate(_only(value)), "big")
            for name, value in (("verbs", Verb.FORBID), ("wheres", Where.ANYWHERE))
        )
        either_way = (forbids & anywhere).to_bytes(len(self), "big")
        return array("i", self.rule_of_edit), either_way

    def edit(self, number: int) -> Edit:
        """Return an edit by its number."""
        found = self._edits.get(number)
        if found is None:
            s = self._sections
            written = self._record(number)
            subject, related = (self.code_set(s[name][number]) or CodeSet() for name in ("subjects", "objects"))
            condition = self._condition_of(s["condition"][number])
            found = self._edits[number] = edit_of(written, subject, related, condition)
        return found

    def _record(self, number: int) -> dict[str, Any]:
        s = self._sections
        at = s["record"][number]
        low, high = s["offsets"][at : at + 2]
        if self._anew is None:
            record: dict[str, Any] = json.loads(bytes(s["records"][low:high]))
            return record
        columns = ("rules", "verbs", "wheres")
        try:
            return read_record(bytes(s["records"][low:high]), *(s[name][number] for name in columns))
        except ValueError:
            fresh = self._anew()
        if any(fresh.column(name) != s[name] for name in columns):
            raise EngineError("the compiled rules in the cache were damaged; run it again")
        s |= {name: fresh.column(name) for name in ("records", "record", "offsets")}
        return fresh._record(number)

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
        plain = (Condition(), *(condition_of(json.loads(one)) for one in written))
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
        found: tuple[int, ...] = self._sections["claim_edits"]
        return found

    @property
    def wide_edits(self) -> frozenset[int]:
        """The edits of which most codes are an object: they are asked for a code, and not listed with it."""
        found: frozenset[int] = self._sections["wide"]
        return found

    @property
    def broad_edits(self) -> tuple[int, ...]:
        """The edits about service lines of which most codes are a subject, rising: they are not listed with it."""
        found: tuple[int, ...] = self._sections["broad"]
        return found

    @property
    def rule_of_edit(self) -> Sequence[int]:
        """The number of each edit's rule."""
        found: Sequence[int] = self._sections["rules"]
        return found

    def column(self, name: str) -> memoryview:
        """Return a column of the compiled form.

        By edit: `rules`, `verbs`, `wheres`, `special`, `condition`, and the numbers of its code sets, `subjects` and
        `objects`. By number of a set, n: its spans, low and high in turn, in `set_spans` from `set_bounds[n]` to
        `set_bounds[n + 1]`. Classes by code id: class `members[k]` from `starts[k]` on. By class, the edits with it as
        subject: `subject_edits` from `subject_pointers[c]` to `subject_pointers[c + 1]`, without the broad edits; so
        for `object`, without the wide edits.
        """
        column: memoryview = self._sections[name]
        return column

    def code_class(self, code_id: int) -> int:
        """Return the class of a code id."""
        segment = bisect_right(self._sections["starts"], code_id) - 1
        found: int = self._sections["members"][segment]
        return found

    def listed_roles(self, code_class: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Return the edits in which codes of a class are subject, but broad ones, and object, but wide ones."""
        s = self._sections
        subject = s["subject_edits"][s["subject_pointers"][code_class] : s["subject_pointers"][code_class + 1]]
        objects = s["object_edits"][s["object_pointers"][code_class] : s["object_pointers"][code_class + 1]]
        return tuple(subject), tuple(objects)

    def roles(self, code_id: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Return the edits in which a code is subject, and those in which it is object."""
        subject, objects = self.listed_roles(self.code_class(code_id))
        wide = (number for number in self.wide_edits if code_id in self.edit(number).object)
        broad = (number for number in self.broad_edits if code_id in self.edit(number).subject)
        return tuple(sorted((*subject, *broad))), tuple(sorted((*objects, *wide)))

    @lazy
    def rule_numbers(self) -> dict[str, int]:
        """The number of each rule by its full id."""
        return {self.rules[number].id: number for number in self.present}


def _unpickled(edition: str, packs: Any, rules: Any, facts: Any, parts: Mapping[str, Any], files: Any) -> Program:
    views = {
        name: memoryview(part).cast("B" if name in _TEXT else "I") if isinstance(part, bytes) else part
        for name, part in parts.items()
    }
    return Program(edition, packs, rules, facts, views, files)
