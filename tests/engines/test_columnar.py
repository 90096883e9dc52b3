"""The columnar engine says exactly what the durable engine and the reference say."""

from __future__ import annotations

import datetime as dt
import json
import pickle
from itertools import combinations, permutations
from pathlib import Path

import attrs
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.choices import chosen, chosen_lists, evenly, joined
from tests.engines.strategies import (
    DATES,
    FACTS,
    LINES,
    NAMES,
    PARTS_OF_CONDITIONS,
    SENTENCES,
    THOROUGH,
    SmallEdition,
    broad_edits,
    claims,
    conditions,
    edits,
    line_fields,
    reference_hits,
    some_codes,
)
from weakcode.claims import Claim, ServiceLine
from weakcode.codes.codeset import CodeSet
from weakcode.compile.program import Program
from weakcode.engines.columnar import ColumnarEngine
from weakcode.engines.durable import DurableEngine
from weakcode.engines.findings import Assembler
from weakcode.engines.unjudged import UnjudgedRules
from weakcode.errors import InputError
from weakcode.fields import FIELDS, LINE_FIELDS
from weakcode.scrub.judge.columns import MOST_CODES, ColumnScrubber
from weakcode.semantics.conditions import Condition
from weakcode.semantics.edits import CompiledRule, Edit
from weakcode.semantics.judged import JudgedClaim
from weakcode.semantics.verbs import Verb, Where

CORPUS = Path(__file__).parents[1] / "corpus"
TERMS = ("frailty", "old age")


@attrs.frozen
class Edition(SmallEdition):
    """The small edition with the spelling of its codes."""

    name: str = "small"

    def code(self, code_id: int) -> str:
        return NAMES[code_id]


EDITION = Edition()


@attrs.frozen(eq=False)
class ColumnJudge:
    edition: Edition
    program: Program
    engine: ColumnarEngine
    assembler: Assembler
    unjudged: UnjudgedRules
    durable: DurableEngine


def judge_of(some_edits, supersedes=((), (), ()), severity=lambda rule, payer: "error", edition=EDITION) -> ColumnJudge:
    """Return a judge of these edits of three rules."""
    rules = [
        CompiledRule(f"small/{'bca'[n]}", "", "error", True, "small", supersedes=supersedes[n],
                     terms=tuple((term, NAMES[3]) for term in TERMS))
        for n in range(3)
    ]  # fmt: skip
    meta, sections = Program.pack("small", ["small 1"], rules, FACTS, some_edits)
    program = Program.open(meta, sections)
    return ColumnJudge(
        edition,
        program,
        ColumnarEngine(program, edition, lambda rule: True),
        Assembler(program, edition, severity),
        UnjudgedRules(program, edition, lambda rule: True),
        DurableEngine(program, edition, lambda rule: True),
    )


@THOROUGH
@given(st.lists(edits(), max_size=8), claims)
def test_the_columnar_engine_finds_on_one_claim_what_durable_and_the_reference_find(some_edits, claim):
    judge = judge_of(some_edits)
    judged = JudgedClaim.of(claim, EDITION)
    hits = judge.engine.hits(judged)
    assert len(hits) == len(set(hits))
    assert set(hits) == reference_hits(some_edits, judged)
    assert set(hits) == set(judge.durable.hits(judged))


@settings(max_examples=THOROUGH.max_examples // 4)
@given(st.lists(broad_edits(), min_size=1, max_size=5), st.lists(edits(), max_size=3), claims)
def test_edits_of_lines_that_nearly_every_code_is_a_subject_of_are_listed_with_none_and_found(broad, others, claim):
    judge = judge_of([*broad, *others])
    judged = JudgedClaim.of(claim, EDITION)
    hits = judge.engine.hits(judged)
    assert len(hits) == len(set(hits))
    assert set(hits) == reference_hits([*broad, *others], judged)
    assert set(hits) == set(judge.durable.hits(judged))
    pickled = pickle.loads(pickle.dumps(judge.program))
    unlisted = set(pickled.broad_edits)
    assert unlisted == set(judge.program.broad_edits)
    assert all(
        edit.verb in (Verb.AT_MOST_ONE, Verb.ONCE)
        or 2 * len(set(edit.subject)) <= EDITION.universe
        or number in unlisted
        for number, edit in enumerate(broad)
    )
    listed = pickled.column("subject_edits")
    assert unlisted.isdisjoint(listed)


def test_of_edits_of_lines_that_are_listed_with_no_code_those_are_found_whose_lines_are_on_the_claim():
    """Whichever of them they are: all sets of four."""
    procedures = ("97110", "97140", "99213", "G0008")
    broad = [
        Edit(0, Verb.SECONDARY, CodeSet([(0, 12)]), condition=Condition(line_procedures=(one,))) for one in procedures
    ]
    judge = judge_of(broad)
    assert tuple(judge.program.broad_edits) == (0, 1, 2, 3)
    for count in range(5):
        for billed in combinations(range(4), count):
            claim = Claim(["A00"], lines=[ServiceLine(1, (1,), procedures[at]) for at in billed])
            judged = JudgedClaim.of(claim, EDITION)
            assert {hit.edit for hit in reference_hits(broad, judged)} == set(billed)
            for engine in (judge.engine, judge.durable):
                assert {hit.edit for hit in engine.hits(judged)} == set(billed)


# Batches

SPELLINGS = [str.upper, str.lower, lambda c: f" {c} ", lambda c: c.replace(".", ""), lambda c: c + "."]
UNLISTED = ["B00", "B01.0", "401.9", "Q99.99", "ZZZ", "E849.0", "a0-0", "é"]
DIAGNOSES = {
    "spell": SPELLINGS,
    "code": evenly(NAMES[:5], NAMES[:5], NAMES, UNLISTED),
    "text": [None, None, "Frailty of OLD  age", "frailty", "nothing of the kind"],
    "poa": [None, None, "Y", "n", "U", "W", "1"],
}


def diagnosis(spell, code, text, poa):
    return {"code": spell(code), "text": text, "poa": poa}


diagnoses = chosen_lists(diagnosis, **DIAGNOSES, least=1, most=8) | chosen_lists(
    diagnosis, **DIAGNOSES, least=30, most=100
)
birth_dates = list(map(dt.date.fromordinal, range(dt.date(1930, 1, 1).toordinal(), dt.date(2026, 3, 1).toordinal())))
about = chosen(
    dict,
    age=evenly([None], range(121)),
    birth_date=evenly([None], birth_dates),
    sex=["F", "m", "female", "U", None],
    service_date=evenly([None], DATES),
    setting=[None, "professional", "outpatient", "inpatient"],
    payer=[None, "Acme", " Medicare ", "other"],
    documented=[list(some) for some in ((), FACTS[:1], FACTS[1:], FACTS, FACTS[::-1])],
    payer_id=[[], ["A-1"], ["B", "a-1"]],
    plan=[None, "MB", "CI"],
    bill_type=[None, "111", "131", "0139"],
    state=[None, "CA", "ny"],
    frequency=[None, "1", "7"],
    original_reference=[None, "missing", "x12"],
    principals=[None, 0, 1, 2],
    place=[None, "11", "21"],
    provider=[None, "1234567893"],
    provider_taxonomy=[None, "207q00000x"],
    rendering_provider=[None, "1234567893", "2"],
    rendering_taxonomy=[None, "225100000x"],
    pcs=[None, [], ["0SR90JZ"], ["0SR90JZ", "02HV33Z"]],
    discharge_status=[None, "01", "20"],
)
lines = st.none() | chosen_lists(line_fields, least=0, most=5, **LINES)
rows = joined(lambda codes, about, lines: {"codes": codes, **about, "lines": lines}, diagnoses, about, lines)


WORDS = (
    "plan", "bill_type", "state", "frequency", "original_reference", "place", "provider", "provider_taxonomy",
    "rendering_provider", "rendering_taxonomy", "discharge_status",
)  # fmt: skip
_BY_ARROW = {"string": pa.string(), "int64": pa.int64(), "int32": pa.int32(), "float64": pa.float64(),
             "date32": pa.date32(), "bool": pa.bool_()}  # fmt: skip
LINE_TYPES = {
    field.name: pa.list_(_BY_ARROW[field.arrow]) if field.is_list else _BY_ARROW[field.arrow] for field in LINE_FIELDS
}


def test_every_field_of_conditions_claims_and_lines_is_drawn():
    drawn = some_rows_of(50)
    assert set(PARTS_OF_CONDITIONS) == {field.name for field in attrs.fields(Condition)}
    assert {field.name for field in FIELDS} <= set(drawn[0]) & set(batch_of(drawn[:1]).schema.names)
    lines = [line for row in drawn for line in row["lines"] or ()]
    assert {field.name for field in LINE_FIELDS} - {"end"} <= set(lines[0])
    assert {verb for verb, _ in SENTENCES} == set(Verb)
    assert {where for _, where in SENTENCES} == set(Where)


def some_rows_of(count):
    """Return rows, the same whenever they are asked for."""
    found = []

    @settings(max_examples=count, derandomize=True, database=None)
    @given(rows)
    def draw(row):
        found.append(row)

    draw()
    return found


def _worded(edit, has_terms, message):
    terms = TERMS if has_terms and edit.verb is not Verb.CLAIM_REQUIRE else ()
    return attrs.evolve(edit, terms=terms, message=message)


def all_edits():
    """Edits with every verb, condition and relation, some of them with terms."""
    words = chosen(lambda *words: words, [True, False, False, False], [None, "{subject} {object} {term} {lines}"])
    some_edits = st.one_of(edits(), edits(), edits(), broad_edits())
    return joined(lambda edit, words: _worded(edit, *words), some_edits, words)


supersedes = chosen(
    lambda *replaced: replaced,
    *[evenly(*([list(some) for some in permutations([f"small/{c}" for c in "abc"], size)] for size in range(3)))] * 3,
)
severities = chosen(lambda *levels: list(levels), *[[None, "info", "warning", "error"]] * 12)


def claim_of(row, number=0) -> Claim:
    lines = [ServiceLine(**line) for line in row.get("lines") or ()]
    about = {k: v for k, v in row.items() if k not in ("codes", "lines")}
    return Claim(row["codes"], str(number), lines=lines, **about)


def batch_of(some_rows) -> pa.RecordBatch:
    diagnosis = pa.struct([("code", pa.string()), ("text", pa.string()), ("poa", pa.string())])
    line = pa.struct([(field.name, LINE_TYPES[field.name]) for field in LINE_FIELDS if field.name != "end"])
    schema = pa.schema(
        [
            ("claim_id", pa.string()),
            ("codes", pa.list_(diagnosis)),
            ("age", pa.int16()),
            ("birth_date", pa.date32()),
            ("sex", pa.string()),
            ("service_date", pa.date32()),
            ("setting", pa.string()),
            ("payer", pa.string()),
            ("documented", pa.list_(pa.string())),
            ("payer_id", pa.list_(pa.string())),
            ("pcs", pa.list_(pa.string())),
            *((name, pa.string()) for name in WORDS),
            ("principals", pa.int32()),
            ("lines", pa.list_(line)),
        ]
    )
    return pa.RecordBatch.from_pylist([{"claim_id": str(n), **row} for n, row in enumerate(some_rows)], schema)


def one_by_one(judge, some_rows, engine):
    """Return the findings table, claim by claim."""
    table = []
    for number, row in enumerate(some_rows):
        judged = JudgedClaim.of(claim_of(row, number), judge.edition)
        for finding in judge.assembler.findings(judged, engine.hits(judged)):
            values = {name: getattr(finding, name) for name in ("rule", "severity", "message")}
            values |= {"codes": list(finding.codes), "positions": list(finding.positions)}
            values |= {"sources": list(map(str, finding.sources)), "edition": "small"}
            table.append({"claim_id": str(number), **values})
    return table


SAID = ("claim_id", "rule", "severity", "message", "codes", "positions", "sources", "edition")


def words_of(found):
    """Return what the findings of a batch say, in the columns of `one_by_one`."""
    return found.findings.select(SAID).to_pylist()


def scrubbed(judge, batch):
    return ColumnScrubber(lambda date: judge).scrub(batch)


@given(st.lists(all_edits(), max_size=8), supersedes, severities, st.lists(rows, max_size=6))
def test_a_batch_has_the_findings_of_its_claims_in_the_same_order(some_edits, replaced, levels, some_rows):
    payers = [None, "Acme", "Medicare", "other"]
    judge = judge_of(some_edits, replaced, lambda rule, payer: levels[rule * 4 + payers.index(payer)])
    found = scrubbed(judge, batch_of(some_rows))
    assert found.rejected == ()
    assert found.evaluated == len(some_rows)
    assert words_of(found) == one_by_one(judge, some_rows, judge.durable)
    assert words_of(found) == one_by_one(judge, some_rows, judge.engine)


@given(st.lists(all_edits(), max_size=4), st.lists(rows, min_size=2, max_size=6), st.integers(1, 3))
def test_findings_do_not_depend_on_the_size_of_batches(some_edits, some_rows, size):
    whole = batch_of(some_rows)
    judge = judge_of(some_edits)
    scrubber = ColumnScrubber(lambda date: judge)
    parts = [scrubber.scrub(whole.slice(start, size)) for start in range(0, len(some_rows), size)]
    in_parts = [row for part in parts for row in part.findings.to_pylist()]
    assert in_parts == scrubbed(judge, whole).findings.to_pylist()


NOTHING_ELSE = [Edit(0, verb, CodeSet(((0, 15),)), CodeSet.of([0, 3])) for verb in (Verb.FORBID, Verb.REQUIRE)]


@pytest.mark.parametrize(
    "shape",
    [
        pa.list_(pa.string()),
        pa.large_list(pa.large_string()),
        pa.list_(pa.dictionary(pa.int8(), pa.string())),
        pa.large_list(pa.dictionary(pa.uint16(), pa.large_string())),
        pa.list_(pa.string_view()),
    ],
    ids=str,
)
def test_codes_are_read_from_every_shape_of_arrow_list(shape):
    judge = judge_of([*NOTHING_ELSE, Edit(1, Verb.ONCE, CodeSet(((0, 15),)))])
    lists = [["a00", "A01", "ZZZ"], ["A03 "], ["é", "A00.", "zz-z", "ZZ-Z", "é"]]
    column = pa.array([["A05"], *lists, ["A06"]], pa.list_(pa.string())).slice(1, 3)
    if pa.types.is_dictionary(shape.value_type):
        encoded = column.flatten().dictionary_encode().cast(shape.value_type)
        column = pa.ListArray.from_arrays(pa.array([0, 3, 4, 9], pa.int32()), encoded)
    found = scrubbed(judge, pa.record_batch({"claim_id": ["0", "1", "2"], "codes": column.cast(shape)}))
    assert words_of(found) == one_by_one(judge, [{"codes": some} for some in lists], judge.durable)


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())], ids=str)
def test_codes_in_one_text_are_parted_by_blanks_commas_and_semicolons(kind):
    judge = judge_of(NOTHING_ELSE)
    column = pa.array(["a00;A01, A02", " A03\tA00 ", "A05\u00a0A00"]).cast(kind)
    found = scrubbed(judge, pa.record_batch({"claim_id": ["0", "1", "2"], "codes": column}))
    apart = [["A00", "A01", "A02"], ["A03", "A00"], ["A05", "A00"]]
    assert words_of(found) == one_by_one(judge, [{"codes": some} for some in apart], judge.durable)


@pytest.mark.parametrize(
    ("column", "value", "part", "says"),
    [
        ("codes", None, "codes", "no diagnosis codes"),
        ("codes", [], "codes", "no diagnosis codes"),
        ("codes", ["A00", None], "codes", "diagnosis 2 is of the type NoneType"),
        ("codes", ["A00", "A01", " . "], "codes", "diagnosis 3 is empty"),
        ("codes", ["A00"] * (MOST_CODES + 1), "codes", "1001 codes"),
        ("age", "-1", "age", "-1"),
        ("age", "old", "age", "'old'"),
        ("sex", "X", "sex", "'X'"),
        ("setting", "home", "setting", "'home'"),
        ("service_date", "2026-02-30", "service date", "2026-02-30"),
        ("birth_date", "2026-05-01", "dates or documented facts", "after the service date"),
    ],
)  # fmt: skip
def test_a_row_that_is_not_a_claim_is_rejected_with_its_reason_and_the_rest_is_read(column, value, part, says):
    names = ("age", "sex", "setting", "service_date", "birth_date")
    good = {"codes": ["A00", "A01"], "service_date": "2026-04-02", **dict.fromkeys(names[:3]), "birth_date": None}
    some = [good, {**good, column: value}, good]
    arrays = {"claim_id": pa.array([7, 8, 9]), "codes": pa.array([row["codes"] for row in some], pa.list_(pa.string()))}
    arrays |= {name: pa.array([row[name] for row in some], pa.string()) for name in names}
    judge = judge_of(NOTHING_ELSE)
    found = scrubbed(judge, pa.record_batch(arrays))
    assert [(bad.row, bad.claim_id, bad.part) for bad in found.rejected] == [(1, "8", part)]
    assert says in found.rejected[0].reason
    assert found.rows == 3
    assert found.evaluated == 2
    assert set(found.findings["claim_id"].to_pylist()) == {"7", "9"}


def test_codes_that_are_numbers_are_not_claims():
    found = scrubbed(judge_of(NOTHING_ELSE), pa.record_batch({"codes": pa.array([[250, 401], [1]])}))
    assert found.evaluated == 0
    assert "diagnosis 1 is of the type int" in found.rejected[0].reason


def test_ages_and_dates_of_every_type_mean_the_same():
    edit = Edit(0, Verb.PRESENT, CodeSet.of([0]), condition=attrs.evolve(AGED, starts=dt.date(2026, 4, 2)))
    judge = judge_of([edit])
    born, seen = [dt.date(1961, 4, 2), dt.date(1961, 4, 3)], [dt.date(2026, 4, 2)] * 2
    for kind in (pa.date32(), pa.date64(), pa.timestamp("us"), pa.string()):
        dates_of = {"birth_date": pa.array(born).cast(kind), "service_date": pa.array(seen).cast(kind)}
        found = scrubbed(judge, pa.record_batch({"claim_id": ["a", "b"], "codes": [["A00"]] * 2, **dates_of}))
        assert found.findings["claim_id"].to_pylist() == ["a"], kind
    for kind in (pa.int8(), pa.uint64(), pa.float64(), pa.string()):
        ages = pa.array([65, 64], pa.int64()).cast(kind)
        batch = pa.record_batch({"claim_id": ["a", "b"], "codes": [["A00"]] * 2, "age": ages})
        found = scrubbed(judge_of([attrs.evolve(edit, condition=AGED)]), batch)
        assert found.findings["claim_id"].to_pylist() == ["a"], kind


AGED = Condition(age_min=65)


def test_each_claim_is_judged_by_the_edition_of_its_date_and_stays_in_its_place():
    old = attrs.evolve(EDITION, name="old", starts=dt.date(2025, 10, 1), ends=dt.date(2026, 3, 31))
    now, then = judge_of(NOTHING_ELSE), judge_of(NOTHING_ELSE[1:], edition=old)

    def judge_for(date):
        return then if date is not None and date < EDITION.starts else now

    days = [dt.date(2026, 5, 1), dt.date(2026, 1, 1), None, dt.date(2025, 1, 1)]
    batch = pa.record_batch(
        {"claim_id": list("abcd"), "codes": [["A01"]] * 4, "service_date": pa.array(days, pa.date32())}
    )
    found = ColumnScrubber(judge_for, today=dt.date(2026, 4, 1)).scrub(batch)
    assert found.findings["claim_id"].to_pylist() == list("abcd")
    assert found.findings["edition"].to_pylist() == ["small", "old", "small", "old"]
    assert found.editions == {"small": 2, "old": 2}
    assert found.out_of_force == {(dt.date(2025, 1, 1), "old"): 1}


def test_an_unknown_documented_fact_sets_its_claim_aside():
    def check_facts(facts, known):
        if not facts <= set(known):
            raise InputError("the fact is unknown")

    judge = judge_of(NOTHING_ELSE)
    batch = pa.record_batch({"codes": [["A01"]] * 3, "documented": ["", FACTS[0], "covid"]})
    found = ColumnScrubber(lambda date: judge, check_facts).scrub(batch)
    assert [(bad.row, bad.reason) for bad in found.rejected] == [(2, "the fact is unknown")]


def test_a_claim_of_a_thousand_codes_is_judged_like_a_short_one():
    some_edits = [
        Edit(0, verb, CodeSet.of(range(6)), CodeSet.of(range(5, 12)), where)
        for verb in (Verb.FORBID, Verb.REQUIRE, Verb.ORDER)
        for where in Where
    ]
    some_edits.append(Edit(0, Verb.AT_MOST_ONE, CodeSet.of(range(12))))
    many = [f"Z{n:04d}" for n in range(MOST_CODES - len(NAMES))]
    many[5:5], many[500:500], many[900:900] = NAMES[:4], NAMES[8:], NAMES[4:8]
    judged = JudgedClaim.of(Claim(many), EDITION)
    hits = judge_of(some_edits).engine.hits(judged)
    assert len(hits) == len(set(hits))
    assert set(hits) == reference_hits(some_edits, judged)


@given(conditions, some_codes, st.lists(rows, min_size=1, max_size=5))
def test_every_condition_holds_on_a_batch_where_it_holds_on_the_claim(condition, subject, some_rows):
    edit = Edit(0, Verb.PRESENT, subject, condition=condition)
    found = scrubbed(judge_of([edit]), batch_of(some_rows)).findings
    words_of = list(zip(found["claim_id"].to_pylist(), found["positions"].to_pylist(), strict=True))
    wanted = []
    for number, row in enumerate(some_rows):
        claim = claim_of(row, number)
        judged = JudgedClaim.of(claim, EDITION)
        violations = reference_hits([edit], judged)
        wanted += [(str(number), [hit.subject]) for hit in sorted(violations, key=lambda hit: hit.subject)]
    assert words_of == wanted


@pytest.mark.parametrize("conditions_asked", [1, 62, 63, 64, 65, 126, 127, 128])
def test_every_row_of_a_batch_is_judged_however_many_conditions_there_are(conditions_asked):
    asked = [
        Edit(0, Verb.PRESENT, CodeSet.of([0]), condition=Condition(age_min=age)) for age in range(conditions_asked)
    ]
    judge = judge_of([*asked, Edit(1, Verb.PRESENT, CodeSet.of([1]))])
    found = scrubbed(judge, pa.record_batch({"codes": [["A01"]] * 5})).findings
    assert found.num_rows == 5


@pytest.mark.parametrize("file", sorted(CORPUS.glob("*.json")), ids=lambda file: file.stem)
def test_what_once_failed_does_not_fail_again(file):
    """Each file: `claim` (the arguments of Claim), `packs`, and the `findings` as [rule, positions]."""
    from weakcode import Validator

    case = json.loads(file.read_text())
    claim = Claim(**case["claim"])
    for engine in ("durable", "columnar"):
        findings = Validator(packs=case["packs"], engine=engine).check(claim)
        assert [[finding.rule, list(finding.positions)] for finding in findings] == case["findings"], engine


def test_hits_are_those_of_the_durable_engine_on_real_claims_and_all_packs(shared):
    import csv
    import lzma

    from weakcode import Validator

    durable, columnar = (Validator(engine=engine) for engine in ("durable", "columnar"))
    with lzma.open(shared / "claims" / "claims.csv.xz", "rt") as file:
        for row in list(csv.DictReader(file))[::150]:
            about = {name: row[name] or None for name in ("age", "sex", "service_date")}
            claim = Claim(row["codes"], row["claim_id"], **about)
            assert columnar.check(claim) == durable.check(claim), row


def test_more_conditions_than_words_have_bits_are_distinguished():
    """The kernel keeps the first conditions, sets of codes and edits without a subject in the bits of one word each."""
    pairs = [CodeSet.of(pair) for pair in combinations(range(EDITION.universe), 2)]
    many = [
        edit
        for age, codes in enumerate(pairs)
        for edit in (
            Edit(rule=0, verb=Verb.PRESENT, subject=codes, condition=Condition(age_min=age)),
            Edit(
                rule=1,
                verb=Verb.CLAIM_REQUIRE,
                subject=CodeSet(),
                object=codes,
                condition=Condition(age_max=age, present=pairs[-age]),
            ),
            Edit(
                rule=1,
                verb=Verb.CLAIM_REQUIRE,
                subject=CodeSet(),
                object=codes,
                condition=Condition(first_listed=pairs[age - 7], absent=pairs[age - 50]),
            ),
            Edit(rule=2, verb=Verb.AT_MOST_ONE, subject=codes, condition=Condition(age_min=age, absent=pairs[-age])),
            Edit(
                rule=2,
                verb=Verb.REQUIRE,
                subject=codes,
                object=pairs[age - 20],
                condition=Condition(age_min=age, present=pairs[age - 33]),
            ),
        )
    ]
    judge = judge_of(many)
    found = 0
    for age in (None, 0, 61, 62, 63, 64, 65, 104):
        for codes in (["A00"], ["A00", "A05"], ["A11", "A10", "ZZZ"], NAMES, [*NAMES, "B00", "401.9", *NAMES] * 2):
            claim = Claim(codes, age=age)
            judged = JudgedClaim.of(claim, EDITION)
            expected = reference_hits(many, judged)
            assert set(judge.engine.hits(judged)) == expected
            found += len(expected)
    assert found > 1_000
