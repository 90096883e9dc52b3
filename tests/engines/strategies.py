"""Generated editions, edits and claims. The edition is small, so that codes meet each other often."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Sequence
from itertools import permutations, product
from typing import Any

import attrs
import numpy as np
from hypothesis import settings
from hypothesis import strategies as st

from tests.choices import Table, chosen, chosen_lists, evenly, joined, mapped, picked, subsets
from weakcode.claims import Claim, ServiceLine
from weakcode.codes.codeset import CodeSet
from weakcode.codes.keys import pack_keys
from weakcode.codes.normalise import canonical
from weakcode.compile.program import Program
from weakcode.semantics.conditions import Condition
from weakcode.semantics.edits import CompiledRule, Edit, Hit
from weakcode.semantics.reference import violations
from weakcode.semantics.verbs import FORMS, Verb, Where

# What the engines are held to deserves more cases than other properties: 100,000 of them in the nightly profile. What
# changes one thing of the page of semantics meets all short claims besides.
THOROUGH = settings(
    max_examples={"nightly": 100_000, "sanitized": 20, "mutants": 100}.get(
        os.environ.get("HYPOTHESIS_PROFILE", ""), 500
    )
)
SIZE = 12
NAMES = [canonical(f"A{number:02d}") for number in range(SIZE)]
PAYERS = ("acme", "medicare")
FACTS = ("covid-current", "covid-prior-symptoms")


@attrs.frozen
class SmallEdition:
    """Twelve billable codes A00 to A11; B00 is a header, B01.0 retired, 401.9 an ICD-9 code, the rest unknown."""

    name: str = "small"
    starts: dt.date = dt.date(2026, 4, 1)
    ends: dt.date = dt.date(2026, 9, 30)
    size: int = SIZE
    universe: int = SIZE + 3
    icd9_id: int = SIZE + 2
    notes_from: dt.date = dt.date(2026, 4, 1)
    notes_to: dt.date = dt.date(2026, 9, 30)
    notes_name: str = "small"

    @property
    def whole(self) -> SmallEdition:
        return self

    @property
    def billable_ids(self) -> range:
        return range(SIZE)

    def on(self, day: dt.date) -> SmallEdition:
        return self

    def keys(self) -> np.ndarray:
        return np.array(pack_keys(NAMES))

    def code_id(self, code: str) -> int:
        if code in NAMES:
            return NAMES.index(code)
        return {"B00": SIZE, "401.9": SIZE + 2}.get(code, SIZE + 1)

    def title(self, code: str) -> str | None:
        return f"disease {code}" if code in NAMES else None

    def compact_code(self, code_id: int) -> str:
        return NAMES[code_id]

    def span(self, prefix: str) -> tuple[int, int]:
        if prefix in ("B00", "B01.0"):  # a category of two codes, and a code of other days
            return (3, 5) if prefix == "B00" else (4, 5)
        ids = [number for number, name in enumerate(NAMES) if name.startswith(prefix)]
        return (ids[0], ids[-1] + 1) if ids else (0, 0)

    def titled_code(self, code_id: int) -> tuple[str, str]:
        return NAMES[code_id], f"disease {NAMES[code_id]}"

    def titled_codes(self, code_ids: Sequence[int]) -> list[tuple[str, str]]:
        return list(map(self.titled_code, code_ids))

    def codeset(self, text: str) -> CodeSet:
        return CodeSet.of([self.code_id(text)])


EDITION = SmallEdition()

# Few codes are drawn often, so that they meet: a claim that no edit speaks of tests nothing.
_OFTEN = 5


def _codes(below: int, least: int, most: int) -> Table:
    return mapped(CodeSet.of, subsets(range(below), least, most))


_FEW_CODES = evenly(_codes(_OFTEN, 1, 3), _codes(_OFTEN, 2, 4), _codes(EDITION.universe, 0, 6))
# What one of several means shows only where a claim has three of them.
_MANY_CODES = evenly(_codes(_OFTEN + 1, 3, 6), *_FEW_CODES.tables)
_SOME_CODES = _codes(EDITION.universe, 1, 6)
some_codes = chosen(lambda codes: codes, _SOME_CODES)
# Few days and ages, so that a limit is met exactly.
DATES = evenly(
    [dt.date(2026, 4, 29) + dt.timedelta(days) for days in range(4)],
    [dt.date(2026, 3, 1) + dt.timedelta(days) for days in range(245)],
)
_AGES = evenly(range(39, 43), range(121))
_FACTS = [(fact,) for fact in FACTS]

PARTS_OF_CONDITIONS: dict[str, Table] = {
    "age_min": _AGES,
    "age_max": _AGES,
    "sex": "FM",
    "settings": [("inpatient", "outpatient")],
    "payers": [("acme",), ("med*", "a-1")],
    "plans": [("MB",)],
    "bill_types": [("11*",), ("131-139",)],
    "states": [("CA", "NV")],
    "line_procedures": [("97110-97150",), ("G*", "97110")],
    "line_modifiers": [("GP",)],
    "providers": [("1234567893", "19*")],
    "rendering_providers": [("1*",)],
    "diagnoses_min": range(1, 7),
    "diagnoses_max": range(1, 7),
    "principals_min": range(3),
    "principals_max": range(3),
    "frequencies": [("7", "8")],
    "original_references": [("missing",), ("X*", "12")],
    "line_units_min": [1, 2],
    "line_units_max": [1, 2],
    "line_charge_min": [100],
    "line_charge_max": [100],
    "line_starts": DATES,
    "line_ends": DATES,
    "starts": DATES,
    "ends": DATES,
    "documented_all": _FACTS,
    "documented_any": _FACTS,
    "documented_none": _FACTS,
    "present": _SOME_CODES,
    "absent": _SOME_CODES,
    "first_listed": _SOME_CODES,
    "pointer_off_claim": [True],
    "places": [("11",), ("2*", "11")],
    "taxonomies": [("207*",)],
    "line_revenues": [("0450-0459",)],
    "line_places": [("11", "2*")],
    "rendering_taxonomies": [("2251*",)],
    "line_rendering_providers": [("19*",)],
    "line_rendering_taxonomies": [("207*", "225100000X")],
    "line_without_pointer": [True],
}
"""What each field of a condition may ask for."""
_RARELY = {"documented_all": 1, "documented_any": 1, "documented_none": 1, "line_without_pointer": 7}


def _mostly_left_out(name: str) -> Table:
    return evenly(*[[getattr(Condition(), name)]] * _RARELY.get(name, 3), PARTS_OF_CONDITIONS[name])


_PARTS = {name: _mostly_left_out(name) for name in PARTS_OF_CONDITIONS}
conditions = chosen(Condition, **_PARTS)
# Conditions with one part, so that they hold often enough.
_ONE_PART = evenly(
    *(
        mapped(lambda value, name=name: Condition(**{name: value}), values)
        for name, values in sorted(PARTS_OF_CONDITIONS.items())
    )
)
one_part = chosen(lambda condition: condition, _ONE_PART)
POINTED_KINDS = ("first", "never", "line", "line-first", "line-only")
_POINTED = [{"pointed": one} for one in (*[None] * 5, *POINTED_KINDS)]
_INDICATORS = ["Y", "N", "U", "W", "1", "missing"]
_ADMITTED = [[{"poa": some} for some in permutations(_INDICATORS, size)] for size in range(1, 5)]
_FILTERS = evenly(*[_POINTED] * 11, evenly(*_ADMITTED))

# Most edits have no condition or a short one: an edit that is never violated tests nothing.
_LINED = mapped(
    lambda asked: Condition(line_procedures=asked[0], line_units_min=asked[1], sex=asked[2]),
    list(product([("97110-97150",), ("G*", "99213"), ("97110", "97140")], [None, None, 2], [None, None, "F"])),
)
_FORMS = [*["none"] * 9, *["one"] * 3, *["lined"] * 2, "off claim", "any"]
_CONDITIONS: dict[str, Table] = {"form": _FORMS, "one": _ONE_PART, "lined": _LINED, **_PARTS}


def _condition(form: str, one: Condition, lined: Condition, **parts: Any) -> Condition | None:
    if form == "any":
        return Condition(**parts)
    return {"none": None, "one": one, "lined": lined, "off claim": Condition(pointer_off_claim=True)}[form]


edit_conditions = chosen(_condition, **_CONDITIONS)
pointed_edits = chosen(
    lambda subject, condition, pointed: Edit(0, Verb.PRESENT, subject, condition=condition, pointed=pointed),
    _MANY_CODES,
    evenly([None], _LINED),
    POINTED_KINDS,
)

# The verbs that relate two codes are drawn more often: there is more to get wrong. An order says on which side; a rule
# file with an order without one is refused.
SENTENCES = [
    *((verb, where) for verb, form in FORMS.items() if form.has_relation and verb is not Verb.ORDER for where in Where),
    *((Verb.ORDER, where) for where in (Where.BEFORE, Where.AFTER) for _ in range(2)),
    *((verb, Where.ANYWHERE) for verb, form in FORMS.items() if not form.has_relation),
]


def edits(rules: int = 3, kinds: Sequence[tuple[Verb, Where]] = SENTENCES) -> st.SearchStrategy[Edit]:
    return chosen(_edit, **_edit_tables(rules, kinds))


def _edit_tables(rules: int, kinds: Sequence[tuple[Verb, Where]]) -> dict[str, Table]:
    return {
        "kind": kinds,
        "few": _FEW_CODES,
        "many": _MANY_CODES,
        "related": _FEW_CODES,
        # A code that is its own object forbids nothing: both kinds of edits are wanted.
        "apart": [True, True, False],
        # Two codes in one relation meet seldom enough.
        "of_relation": evenly([{}], _FILTERS),
        "of_code": _FILTERS,
        "rule": range(rules),
        **_CONDITIONS,
    }


def _edit(
    kind: tuple[Verb, Where],
    few: CodeSet,
    many: CodeSet,
    related: CodeSet,
    apart: bool,
    of_relation: dict[str, Any],
    of_code: dict[str, Any],
    rule: int,
    **about_claim: Any,
) -> Edit:
    verb, where = kind
    form = FORMS[verb]
    subject = (many if form.counts_subjects else few) if form.has_subject else CodeSet()
    filtered = dict(of_relation if form.has_relation else of_code) if form.has_subject else {}
    objects = ((related - subject if apart else related) or related) if form.needs_object else CodeSet()
    condition = _condition(**about_claim)
    if condition is not None and condition.faults:
        # A rule file with both is refused.
        filtered.pop("poa", None)
        if filtered.get("pointed") in ("line", "line-first", "line-only"):
            filtered.pop("pointed")
    return Edit(rule, verb, subject, objects, where, condition, **filtered)


def broad_edits() -> st.SearchStrategy[Edit]:
    """Edits about service lines of which nearly every code is a subject, as `every` and `any` of rule files are."""
    about_codes = _edit_tables(3, [one for one in SENTENCES if one[0] is not Verb.CLAIM_REQUIRE])
    beside = evenly([None], [None], [None], _SOME_CODES)
    return chosen(_broad, lines=_LINED, beside=beside, others=_FEW_CODES, **about_codes)


def _broad(lines: Condition, beside: CodeSet | None, others: CodeSet, **edit: Any) -> Edit:
    condition = attrs.evolve(lines, present=beside)
    return attrs.evolve(_edit(**edit), subject=CodeSet([(0, SIZE)]) - others, condition=condition)


# Some pointers lead beyond the diagnoses, some lines have none.
_POINTERS = evenly(range(1, 6), range(1, 13))
LINES: dict[str, Table] = {
    "number": range(1, 10),
    "pointers": range(5),
    **{f"pointer_{n}": _POINTERS for n in range(4)},
    "procedure": [None, None, "97110", "97140", "99213", "G0008"],
    "modifiers": [(), (), ("GP",), ("25", "GP")],
    "units": [None, 1, 1.5, 2, 3],
    "charge": [None, 99.99, 100, 250],
    "start": evenly([None], DATES),
    "revenue": [None, None, "450", "0300"],
    "place": [None, None, "11", "23"],
    "rendering_provider": [None, None, "1999999992"],
    "rendering_taxonomy": [None, None, "207Q00000X"],
    "main_only": [False, False, False, True],
}
"""What each field of a service line may be, and how many of four pointers it has."""


def line_fields(**values: Any) -> dict[str, Any]:
    to = [values.pop(f"pointer_{n}") for n in range(4)]
    return {**values, "pointers": to[: values["pointers"]]}


# Half of the claims have lines.
_service_lines = st.just([]) | chosen_lists(
    lambda **values: ServiceLine(**line_fields(**values)), least=0, most=5, **LINES
)
_UNLISTED = ["B00", "B01.0", "401.9", "Q99.99", "ZZZ"]
_CODES = evenly(NAMES, _UNLISTED)
_FREQUENT = evenly(NAMES[:_OFTEN], NAMES[:_OFTEN], *_CODES.tables)


def _code(code: str) -> str:
    return code


_diagnoses = st.one_of(
    chosen_lists(_code, _FREQUENT, least=4, most=9),
    chosen_lists(_code, _FREQUENT, least=1, most=8),
    st.binary(min_size=1, max_size=100).map(lambda drawn: [picked(_CODES, byte) for byte in drawn]),
    chosen_lists(dict, code=_FREQUENT, poa=[None, "Y", "N", "U", "W", "1"], least=4, most=9),
)
_about = chosen(
    dict,
    age=evenly([None], _AGES),
    sex=["F", "M", None],
    service_date=evenly([None], DATES),
    setting=[None, "professional", "outpatient", "inpatient"],
    payer=[None, "Acme", "Medicare", "other"],
    payer_id=[(), (), ("A-1",), ("B", "A-1")],
    plan=[None, "MB", "CI"],
    bill_type=[None, "111", "131", "0139", "140"],
    state=[None, "CA", "NY"],
    frequency=[None, "1", "7"],
    original_reference=[None, "missing", "X12", "99"],
    principals=[None, 0, 1, 2],
    place=[None, "11", "21", "99"],
    provider_taxonomy=[None, "207Q00000X", "225100000X"],
    provider=[None, "1234567893", "1999999992"],
    rendering_provider=[None, "1234567893", "2"],
    rendering_taxonomy=[None, "225100000X", "207Q00000X"],
    documented=[frozenset(some) for some in ((), FACTS[:1], FACTS[1:], FACTS)],
)
claims = joined(lambda codes, lines, about: Claim(codes, lines=lines, **about), _diagnoses, _service_lines, _about)


def program_of(some_edits: list[Edit], rules: int = 3) -> Program:
    named = [CompiledRule(f"small/rule-{n}", "", "error", True, "small") for n in range(rules)]
    meta, sections = Program.pack("small", ["small 1"], named, FACTS, some_edits)
    return Program.open(meta, sections)


# Edits without terms: a rule that says nothing.
_RULES = tuple(CompiledRule(f"small/{number}", "", "error", True, "small") for number in range(3))


def reference_hits(some_edits, judged) -> set[Hit]:
    """Return what the reference reading finds on a judged claim."""
    return violations(some_edits, _RULES, judged, EDITION)
