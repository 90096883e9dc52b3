"""Generated editions, edits and claims. The edition is small, so that codes meet each other often."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Sequence

import attrs
import numpy as np
from hypothesis import settings
from hypothesis import strategies as st

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
code_sets = st.one_of(
    st.sets(st.integers(0, _OFTEN - 1), min_size=1, max_size=3).map(CodeSet.of),
    st.sets(st.integers(0, _OFTEN - 1), min_size=2, max_size=4).map(CodeSet.of),
    st.sets(st.integers(0, EDITION.universe - 1), max_size=6).map(CodeSet.of),
)
# What one of several means shows only where a claim has three of them.
many_codes = st.sets(st.integers(0, _OFTEN), min_size=3).map(CodeSet.of) | code_sets
some_codes = st.sets(st.integers(0, EDITION.universe - 1), min_size=1, max_size=6).map(CodeSet.of)
# Few days and ages, so that a limit is met exactly.
dates = st.one_of(
    st.dates(dt.date(2026, 4, 29), dt.date(2026, 5, 2)), st.dates(dt.date(2026, 3, 1), dt.date(2026, 10, 31))
)
ages = st.one_of(st.integers(39, 42), st.integers(0, 120))
_facts = st.sampled_from([(fact,) for fact in FACTS])


def _mostly_none(strategy):
    return st.one_of(st.none(), st.none(), st.none(), strategy)


PARTS_OF_CONDITIONS = {
    "age_min": ages,
    "age_max": ages,
    "sex": st.sampled_from("FM"),
    "settings": st.just(("inpatient", "outpatient")),
    "payers": st.sampled_from([("acme",), ("med*", "a-1")]),
    "plans": st.just(("MB",)),
    "bill_types": st.sampled_from([("11*",), ("131-139",)]),
    "states": st.just(("CA", "NV")),
    "line_procedures": st.sampled_from([("97110-97150",), ("G*", "97110")]),
    "line_modifiers": st.just(("GP",)),
    "providers": st.just(("1234567893", "19*")),
    "rendering_providers": st.just(("1*",)),
    "diagnoses_min": st.integers(1, 6),
    "diagnoses_max": st.integers(1, 6),
    "principals_min": st.integers(0, 2),
    "principals_max": st.integers(0, 2),
    "frequencies": st.just(("7", "8")),
    "original_references": st.sampled_from([("missing",), ("X*", "12")]),
    "line_units_min": st.integers(1, 2),
    "line_units_max": st.integers(1, 2),
    "line_charge_min": st.just(100),
    "line_charge_max": st.just(100),
    "line_starts": dates,
    "line_ends": dates,
    "starts": dates,
    "ends": dates,
    "documented_all": _facts,
    "documented_any": _facts,
    "documented_none": _facts,
    "present": some_codes,
    "absent": some_codes,
    "first_listed": some_codes,
    "pointer_off_claim": st.just(True),
    "places": st.sampled_from([("11",), ("2*", "11")]),
    "taxonomies": st.just(("207*",)),
    "line_revenues": st.just(("0450-0459",)),
    "line_places": st.just(("11", "2*")),
    "rendering_taxonomies": st.just(("2251*",)),
    "line_rendering_providers": st.just(("19*",)),
    "line_rendering_taxonomies": st.just(("207*", "225100000X")),
    "line_without_pointer": st.just(True),
}
"""What each field of a condition may ask for."""
_RARELY = {"documented_all": 1, "documented_any": 1, "documented_none": 1, "line_without_pointer": 7}


def _mostly_left_out(name):
    left_out = st.just(getattr(Condition(), name))
    return st.one_of(*[left_out] * _RARELY.get(name, 3), PARTS_OF_CONDITIONS[name])


conditions = st.builds(Condition, **{name: _mostly_left_out(name) for name in PARTS_OF_CONDITIONS})
POINTED_KINDS = ("first", "never", "line", "line-first", "line-only")
pointed = st.sampled_from([None, None, None, None, None, *POINTED_KINDS])
indicators = st.lists(st.sampled_from(["Y", "N", "U", "W", "1", "missing"]), min_size=1, max_size=4, unique=True)
_POINTED = pointed.map(lambda one: {"pointed": one})
_ADMITTED = indicators.map(lambda some: {"poa": tuple(some)})
filters = st.sampled_from([*[_POINTED] * 11, _ADMITTED]).flatmap(lambda one: one)


@st.composite
def one_part(draw):
    """A condition with one part of those that `conditions` has, so that it holds often enough."""
    name = draw(st.sampled_from(sorted(PARTS_OF_CONDITIONS)))
    return attrs.evolve(Condition(), **{name: draw(PARTS_OF_CONDITIONS[name])})


# Most edits have no condition or a short one: an edit that is never violated tests nothing.
_OFF_CLAIM = st.just(Condition(pointer_off_claim=True))
_LINED = st.builds(
    Condition,
    line_procedures=st.sampled_from([("97110-97150",), ("G*", "99213"), ("97110", "97140")]),
    line_units_min=st.sampled_from([None, None, 2]),
    sex=st.sampled_from([None, None, "F"]),
)
_DRAWN = [st.none()] * 9 + [one_part()] * 3 + [_LINED] * 2 + [_OFF_CLAIM, conditions]
edit_conditions = st.sampled_from(_DRAWN).flatmap(lambda one: one)

pointed_edits = st.builds(
    Edit,
    rule=st.just(0),
    verb=st.just(Verb.PRESENT),
    subject=many_codes,
    condition=st.none() | _LINED,
    pointed=st.sampled_from(POINTED_KINDS),
)

# The verbs that relate two codes are drawn more often: there is more to get wrong. An order says on which side; a rule
# file with an order without one is refused.
SENTENCES = [
    *((verb, where) for verb, form in FORMS.items() if form.has_relation and verb is not Verb.ORDER for where in Where),
    *((Verb.ORDER, where) for where in (Where.BEFORE, Where.AFTER) for _ in range(2)),
    *((verb, Where.ANYWHERE) for verb, form in FORMS.items() if not form.has_relation),
]


@st.composite
def edits(draw, rules: int = 3, kinds: Sequence[tuple[Verb, Where]] = SENTENCES):
    verb, where = draw(st.sampled_from(kinds))
    form = FORMS[verb]
    subject = draw(many_codes if form.counts_subjects else code_sets) if form.has_subject else CodeSet()
    related = CodeSet()
    if form.needs_object:
        # A code that is its own object forbids nothing: both kinds of edits are wanted.
        drawn = draw(code_sets)
        related = drawn - draw(st.sampled_from([subject, subject, CodeSet()])) or drawn
    condition = draw(edit_conditions)
    # Two codes in one relation meet seldom enough.
    filtered = dict(draw(st.just({}) | filters if form.has_relation else filters)) if form.has_subject else {}
    if condition is not None and condition.faults:
        # A rule file with both is refused.
        filtered.pop("poa", None)
        if filtered.get("pointed") in ("line", "line-first", "line-only"):
            filtered.pop("pointed")
    return Edit(
        rule=draw(st.integers(0, rules - 1)),
        verb=verb,
        subject=subject,
        object=related,
        where=where,
        condition=condition,
        **filtered,
    )


@st.composite
def broad_edits(draw):
    """Edits about service lines of which nearly every code is a subject, as `every` and `any` of rule files are."""
    edit = draw(edits(kinds=[one for one in SENTENCES if one[0] is not Verb.CLAIM_REQUIRE]))
    condition = attrs.evolve(draw(_LINED), present=draw(_mostly_none(some_codes)))
    return attrs.evolve(edit, subject=CodeSet([(0, SIZE)]) - draw(code_sets), condition=condition)


# Half of the claims have lines; some pointers lead beyond the diagnoses, some lines have none.
pointers = st.lists(st.one_of(st.integers(1, 5), st.integers(1, 12)), max_size=4)
service_lines = st.one_of(
    st.just(()),
    st.lists(
        st.builds(
            ServiceLine,
            st.integers(1, 9),
            pointers,
            st.sampled_from([None, None, "97110", "97140", "99213", "G0008"]),
            modifiers=st.sampled_from([(), (), ("GP",), ("25", "GP")]),
            units=st.sampled_from([None, 1, 1.5, 2, 3]),
            charge=st.sampled_from([None, 99.99, 100, 250]),
            start=st.none() | dates,
            revenue=st.sampled_from([None, None, "450", "0300"]),
            place=st.sampled_from([None, None, "11", "23"]),
            rendering_provider=st.sampled_from([None, None, "1999999992"]),
            rendering_taxonomy=st.sampled_from([None, None, "207Q00000X"]),
            main_only=st.sampled_from([False, False, False, True]),
        ),
        max_size=5,
    ),
)
codes = st.one_of(st.sampled_from(NAMES), st.sampled_from(["B00", "B01.0", "401.9", "Q99.99", "ZZZ"]))
frequent_codes = st.one_of(st.sampled_from(NAMES[:_OFTEN]), st.sampled_from(NAMES[:_OFTEN]), codes)
diagnoses = st.one_of(
    st.lists(frequent_codes, min_size=4, max_size=9),
    st.lists(frequent_codes, min_size=1, max_size=8),
    st.lists(codes, min_size=1, max_size=100),
)
with_poa = st.builds(
    lambda code, poa: {"code": code, "poa": poa}, frequent_codes, st.sampled_from([None, "Y", "N", "U", "W", "1"])
)
claims = st.builds(
    Claim,
    st.one_of(diagnoses, st.lists(with_poa, min_size=4, max_size=9)),
    age=st.none() | ages,
    sex=st.sampled_from(["F", "M", None]),
    service_date=st.none() | dates,
    setting=st.sampled_from([None, "professional", "outpatient", "inpatient"]),
    payer=st.sampled_from([None, "Acme", "Medicare", "other"]),
    payer_id=st.sampled_from([(), (), ("A-1",), ("B", "A-1")]),
    plan=st.sampled_from([None, "MB", "CI"]),
    bill_type=st.sampled_from([None, "111", "131", "0139", "140"]),
    state=st.sampled_from([None, "CA", "NY"]),
    frequency=st.sampled_from([None, "1", "7"]),
    original_reference=st.sampled_from([None, "missing", "X12", "99"]),
    principals=st.sampled_from([None, 0, 1, 2]),
    place=st.sampled_from([None, "11", "21", "99"]),
    provider_taxonomy=st.sampled_from([None, "207Q00000X", "225100000X"]),
    provider=st.sampled_from([None, "1234567893", "1999999992"]),
    rendering_provider=st.sampled_from([None, "1234567893", "2"]),
    rendering_taxonomy=st.sampled_from([None, "225100000X", "207Q00000X"]),
    documented=st.sets(st.sampled_from(FACTS)),
    lines=service_lines,
)


def program_of(some_edits: list[Edit], rules: int = 3) -> Program:
    named = [CompiledRule(f"small/rule-{n}", "", "error", True, "small") for n in range(rules)]
    meta, sections = Program.pack("small", ["small 1"], named, FACTS, some_edits)
    return Program.open(meta, sections)


# Edits without terms: a rule that says nothing.
_RULES = tuple(CompiledRule(f"small/{number}", "", "error", True, "small") for number in range(3))


def reference_hits(some_edits, judged) -> set[Hit]:
    """Return what the reference reading finds on a judged claim."""
    return violations(some_edits, _RULES, judged, EDITION)
