"""What a biller is told about the diagnosis pointers of service lines, from every format that has them."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.scrub.x12.writing837 import interchange

from weakcode import Claim, InputError, Validator, read_claims
from weakcode.claims import ServiceLine

ENGINES = ("durable", "columnar")
FRACTURE_BY_FALL = ["S52.501A", "W01.0XXA"]


def claim(codes: list[str], *pointers: tuple[int, ...], **about) -> Claim:
    return Claim(codes, "A", lines=[ServiceLine(n, to) for n, to in enumerate(pointers, start=1)], **about)


def findings_on(findings) -> list[tuple[str, str, tuple[int, ...]]]:
    return [(f.severity, f.rule, f.positions) for f in findings if f.rule.startswith("lines/")]


@pytest.mark.parametrize("engine", ENGINES)
def test_the_pack_is_on_without_being_asked_for(engine: str) -> None:
    found = Validator(engine=engine).check(claim(FRACTURE_BY_FALL, (1,), (2, 1)))
    assert findings_on(found) == [("error", "lines/first-pointer-never-first", (2,))]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_finding_names_the_lines_it_is_about(engine: str) -> None:
    validator = Validator(packs=["lines"], engine=engine)
    (found,) = validator.check(claim(FRACTURE_BY_FALL, (2,), (1, 2), (2, 1)))
    assert "W01.0XXA" in found.message
    assert "service lines 1 and 3," in found.message
    (found,) = validator.check(claim(FRACTURE_BY_FALL, (1, 2, 5), (9, 1, 8), (1,)))
    assert found.positions == found.codes == ()
    assert "service lines 1 (pointer 5) and 2 (pointers 9, 8)" in found.message
    many = [(1, 2)] + [(1, 7)] * 30
    (found,) = validator.check(claim(FRACTURE_BY_FALL, *many))
    assert "service lines 2 (pointer 7), 3 (pointer 7), 4 (pointer 7) and 27 more" in found.message


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("codes", "pointers", "expected"),
    [
        (["I10", "E11.9"], [], []),
        (["I10", "E11.9"], [(), ()], []),
        (["I10", "E11.9"], [(1,)], [("info", "lines/diagnosis-without-line", (2,))]),
        (["I10", "E11.9"], [(3,)], [
            ("error", "lines/pointer-off-claim", ()),
            ("info", "lines/diagnosis-without-line", (1,)),
            ("info", "lines/diagnosis-without-line", (2,)),
        ]),
        (["E66.813", "Z68.41"], [(2, 1)], [("warning", "lines/first-pointer-additional-code", (2,))]),
        (["J96.10", "U09.9"], [(2, 1)], [("error", "lines/first-pointer-never-first", (2,))]),
        (["N39.0", "B96.20"], [(2, 1)], [("error", "lines/first-pointer-never-first", (2,))]),
        (["G20.A1", "F02.80"], [(2, 1)], [("error", "lines/first-pointer-never-first", (2,))]),
        (["401.9", "250.00"], [(3,)], []),
    ],
)  # fmt: skip
def test_lines_are_judged_by_where_they_point(engine, codes, pointers, expected) -> None:
    assert findings_on(Validator(packs=["lines"], engine=engine).check(claim(codes, *pointers))) == expected


def test_a_claim_of_icd9_codes_stays_one_finding_wherever_its_lines_point() -> None:
    found = Validator().check(claim(["401.9", "250.00", "496"], (1, 9), (2,)))
    assert [finding.rule for finding in found] == ["icd10cm/icd9-code"]


def test_where_a_source_keeps_only_main_pointers_no_diagnosis_is_without_a_line() -> None:
    lines = [ServiceLine(1, (1,), main_only=True)]
    assert findings_on(Validator().check(Claim(["I10", "E11.9"], lines=lines))) == []


@pytest.mark.parametrize("pointer", [0, -1, "1", 1.0, True, None])
def test_what_is_not_a_position_is_not_a_pointer(pointer: object) -> None:
    with pytest.raises(InputError, match="position of a diagnosis"):
        ServiceLine(1, (pointer,))  # type: ignore[arg-type]


SEVERAL = [
    (FRACTURE_BY_FALL, [(1,), (2, 1)]),
    (["I10", "E11.9", "I10"], [(3, 7)]),
    (["I10"], []),
    (["I10", "R05.9"], [(), (2, 1)]),
    (["J96.10", "U09.9", "U09.9"], [(3, 1), (2,)]),
]


def one_by_one() -> list[tuple[str, str, list[int], str]]:
    validator = Validator(engine="durable")
    rows = []
    for number, (codes, pointers) in enumerate(SEVERAL):
        for finding in validator.check(claim(codes, *pointers)):
            rows.append((str(number), finding.rule, list(finding.positions), finding.message))
    return rows


def in_batches(source) -> list[tuple[str, str, list[int], str]]:
    return [
        (row["claim_id"], row["rule"], row["positions"], row["message"])
        for batch in Validator().scrub(source)
        for row in batch.to_pylist()
    ]


OBJECT = pa.struct([("number", pa.int32()), ("pointers", pa.list_(pa.int64())), ("procedure", pa.string())])


@pytest.mark.parametrize(
    ("shape", "item"),
    [
        (pa.list_(pa.list_(pa.int32())), list),
        (pa.large_list(pa.large_list(pa.uint8())), list),
        (pa.list_(OBJECT), lambda to: {"pointers": list(to)}),
        (pa.list_(pa.struct([("pointers", pa.list_(pa.int16()))])), lambda to: {"pointers": list(to) or None}),
    ],
    ids=["lists", "large-lists", "whole-lines", "pointers-alone"],
)
def test_a_table_with_a_column_of_lines_has_the_findings_of_its_claims(shape, item, tmp_path: Path) -> None:
    table = pa.table(
        {
            "claim_id": [str(number) for number in range(len(SEVERAL))],
            "codes": [codes for codes, _ in SEVERAL],
            "lines": pa.array([[item(to) for to in pointers] or None for _, pointers in SEVERAL], shape),
        }
    )
    wanted = one_by_one()
    assert {rule for _, rule, _, _ in wanted} >= {"lines/pointer-off-claim", "lines/first-pointer-never-first"}
    assert in_batches(table) == wanted
    assert in_batches(table.slice(1)) == [row for row in wanted if row[0] != "0"]
    pq.write_table(table, tmp_path / "c.parquet")
    assert in_batches(tmp_path / "c.parquet") == wanted
    validator = Validator(engine="durable")
    read = [validator.check(one) for one in read_claims(tmp_path / "c.parquet")]
    assert [finding.message for found in read for finding in found] == [row[3] for row in wanted]


@pytest.mark.parametrize("bad", [[[0]], [[1, None]], [None], [[-1]]])
def test_a_table_row_with_a_pointer_that_is_none_is_set_aside(bad) -> None:
    lines = pa.array([[[1]], bad, [[1]]], pa.list_(pa.list_(pa.int32())))
    rejected = []
    table = pa.table({"claim_id": ["A", "B", "C"], "codes": [["W01.0XXA"]] * 3, "lines": lines})
    found = pa.Table.from_batches(Validator(packs=["lines"]).scrub(table, on_reject=rejected.append))
    assert [(one.claim_id, one.part) for one in rejected] == [("B", "lines")]
    assert found["claim_id"].to_pylist() == ["A", "C"]


@pytest.mark.parametrize(
    "shape", [pa.string(), pa.list_(pa.string()), pa.list_(pa.int32()), pa.list_(pa.list_(pa.float64()))]
)
def test_a_column_of_lines_that_holds_something_else_sets_its_rows_aside(shape) -> None:
    value = {"string": "1"}.get(
        str(shape), ["1"] if "string" in str(shape) else [1] if "int32" in str(shape) else [[1.0]]
    )
    rejected = []
    table = pa.table({"claim_id": ["A", "B"], "codes": [["I10"]] * 2, "lines": pa.array([value, None], shape)})
    list(Validator(packs=["lines"]).scrub(table, on_reject=rejected.append))
    assert [(one.claim_id, one.part) for one in rejected] == [("A", "lines")]


def test_pointers_beyond_the_claim_come_out_of_every_format(tmp_path: Path) -> None:
    one = claim(["I10", "E11.9"], (1, 4), (2,), service_date="2026-05-04", setting="professional")
    (tmp_path / "c.837").write_text("".join(interchange([one], "P", 1)), encoding="ascii")
    coding = {"system": "http://hl7.org/fhir/sid/icd-10-cm"}
    resource = {
        "resourceType": "Claim",
        "id": "A",
        "diagnosis": [
            {"sequence": n, "diagnosisCodeableConcept": {"coding": [coding | {"code": code}]}}
            for n, code in ((1, "I10"), (7, "E11.9"))
        ],
        "item": [{"sequence": 1, "diagnosisSequence": [1, 4]}, {"sequence": 2, "diagnosisSequence": [7]}],
    }
    (tmp_path / "c.json").write_text(json.dumps(resource), encoding="utf-8")
    row = {"claim_id": "A", "codes": "I10 E11.9", "lines": [{"pointers": [1, 4]}, [2]]}
    (tmp_path / "c.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
    with zipfile.ZipFile(tmp_path / "c.zip", "w") as archive:
        for name in ("c.837", "c.json", "c.jsonl"):
            archive.write(tmp_path / name, name)
    validator = Validator(packs=["lines"])
    for name in ("c.837", "c.json", "c.jsonl", "c.zip"):
        read = list(read_claims(tmp_path / name))
        for each in read:
            assert [line.pointers for line in each.lines] == [(1, 4), (2,)], name
        table = pa.Table.from_batches(validator.scrub(tmp_path / name))
        assert table["rule"].to_pylist() == ["lines/pointer-off-claim"] * len(read), name
        assert table["message"][0].as_py() == validator.check(read[0])[0].message


def test_a_fix_that_moves_a_code_takes_its_pointers_along() -> None:
    fixed = Validator().fix(claim(["W01.0XXA", "S52.501A"], (2, 1)))
    assert fixed.claim.codes == ("S52.501A", "W01.0XXA")
    assert fixed.claim.lines[0].pointers == (1, 2)
    assert findings_on(fixed.remaining) == []


def test_a_code_that_a_fix_adds_is_not_what_a_pointer_beyond_the_claim_meant() -> None:
    fixed = Validator(packs=["lines", "covid"]).fix(
        claim(["J12.82", "J96.01"], (1, 3), documented=["covid-current"]), unsafe=True
    )
    assert "U07.1" in fixed.claim.codes
    assert ("error", "lines/pointer-off-claim", ()) in findings_on(fixed.remaining)


def test_an_explanation_tells_what_lines_do_with_each_diagnosis() -> None:
    steps = Validator(packs=["lines"]).explain(claim(FRACTURE_BY_FALL, (1,), (1, 2))).steps
    said = {(step.rule, step.position): step.reason for step in steps}
    assert said["lines/first-pointer-never-first", 2] == "no service line points to it first"
    assert "points to it" in said["lines/diagnosis-without-line", 1]
    assert "no pointer of a service line leads beyond" in said["lines/pointer-off-claim", 0]
    assert Validator(packs=["lines"]).explain(claim(FRACTURE_BY_FALL)).steps == ()


@pytest.mark.parametrize("engine", ["durable", "columnar"])
def test_a_line_without_a_pointer_beside_others_that_have_one_is_reported(engine: str) -> None:
    validator = Validator(engine=engine)
    found = validator.check(claim(["I10", "E11.9"], (1, 2), (), (1,), service_date="2026-05-04"))
    assert [(one.rule, one.positions) for one in found] == [("lines/line-without-pointer", ())]
    assert "service line 2" in found[0].message
    assert validator.check(claim(["I10", "E11.9"], (), (), service_date="2026-05-04")) == ()


def test_a_line_without_a_pointer_is_reported_in_columns_too() -> None:
    lines = [[{"number": 1, "pointers": [1, 2]}, {"number": 2, "pointers": []}], [{"number": 1, "pointers": []}]]
    table = pa.table({"claim_id": ["A", "B"], "codes": [["I10", "E11.9"]] * 2, "lines": lines})
    (batch,) = Validator(today="2026-05-04").scrub(table)
    assert batch.select(["claim_id", "rule"]).to_pylist() == [{"claim_id": "A", "rule": "lines/line-without-pointer"}]
