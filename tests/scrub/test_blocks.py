"""CSV, JSON Lines and the other row formats judged in blocks: everything comes out as it does claim by claim."""

from __future__ import annotations

import json
import zipfile
from functools import cache
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import weakcode
from weakcode.scrub.read.csv.batch import is_well_formed
from weakcode.scrub.run import scrub
from weakcode.scrub.summary import JudgedBy

PACKS = ["weakness", "covid", "icd10cm", "guidelines", "lines", "poa", "mce"]


@cache
def validator() -> weakcode.Validator:
    return weakcode.Validator(packs=PACKS).in_bulk()


def outcome(path: Path, folder: Path, **given: Any) -> tuple[Any, ...]:
    """Everything that a scrub leaves behind."""
    folder.mkdir(exist_ok=True)
    one = validator()
    summary = scrub(
        [path],
        one,
        output=folder / "findings.jsonl",
        rejects=folder / "rejects.jsonl",
        fixed=folder / "fixed.jsonl",
        mend=lambda claim: one.fix(claim).claim,
        judged_by=JudgedBy(one.engine, one.packs),
        **given,
    )
    # Where every row was rejected, what was there before stays.
    names = [folder / f"{name}.jsonl" for name in ("findings", "rejects", "fixed")]
    written = tuple(path.read_text() if path.exists() else "" for path in names)
    for path in names:
        path.unlink(missing_ok=True)
    return attrs.evolve(summary, seconds=0.0, run=None), *written


def same_both_ways(path: Path, tmp_path: Path, jobs: int = 1) -> tuple[Any, ...]:
    claim_by_claim = outcome(path, tmp_path / "out")
    in_blocks = outcome(path, tmp_path / "out", columns=validator().columns(), jobs=jobs)
    assert in_blocks == claim_by_claim
    return in_blocks


CODES = [
    "M62.84",
    "G72.9",
    "K31.84",
    "E1143",
    "i10",
    "I10",
    "N18.30",
    "E11.22",
    "ZZZ",
    "728.87",
    "J96.10",
    "U07.1",
    "O80",
]
CODE_TEXTS = st.lists(st.sampled_from(CODES), max_size=6).flatmap(
    lambda codes: st.sampled_from([" ", ";", " ; ", "  ", "\u00a0", "\u2003", "\x0b"]).map(
        lambda blank: blank.join(codes)
    )
)
ODD_CODES = [
    "NA",
    "null",
    ".",
    "I10 NA",
    "ICD10:M62.84",
    "ICD-9: 250.00",
    "['M62.84'; 'I10']",
    "M62.84|I10",
    "[]",
    "'I10",
    "I10.",
]
CELLS = {
    "claim_id": st.sampled_from(["A", "B 1", "", " x ", "é", '"q"', '"two\nlines"', '"open']),
    "codes": st.one_of(
        CODE_TEXTS,
        CODE_TEXTS,
        st.sampled_from(ODD_CODES),
        st.sampled_from(['"I10, E11.9"', '"I10', "", " ", "M 62", "x\x1fy", "I10\ud800"]),
    ),
    "service_date": st.sampled_from(
        [
            "2026-05-02",
            "20260502",
            "02-May-2026",
            "",
            " 2024-01-01 ",
            "2026-02-30",
            "soon",
            "1999-01-01",
            "5/2/2026",
            "25/12/2026",
            "2026-05-02T00:00:00Z",
            "02MAY26",
            "1.5.2026",
            "46144",
            "NULL",
            "05022026",
        ]
    ),
    "age": st.sampled_from(["70", " 5 ", "", "0", "151", "-1", "4.5", "70.0", "old", "\u0667", "6 mo", "NaN"]),
    "birth_date": st.sampled_from(["1950-01-31", "", "31-Jan-1950", "2027-01-01", "x", "1/31/50", "NA"]),
    "sex": st.sampled_from(["F", "m", "female", "1", "2", "0", "U", "", "X", "Woman", "none", "Q"]),
    "setting": st.sampled_from(["inpatient", "Outpatient", "", "home"]),
    "payer": st.sampled_from(["Acme", " Acme ", "", "  ", "Ünïon", "n/a"]),
    "documented": st.sampled_from(["covid-current", "", "no-such-fact", "covid-current;covid-current"]),
}
WHOLE_LINES = st.sampled_from(
    ["", "   ", "\t\t\t\t", ",,,,,,,,,,,,", "A", "A,I10,,,,,,,,,,,,,,,,,,", '"', "\r", "A\rB,I10"]
)
BAD_BYTES = "\ud8ff"


@st.composite
def tables(draw: st.DrawFn) -> bytes:
    delimiter = draw(st.sampled_from([",", ",", "\t", "|", ";"]))
    about = draw(st.lists(st.sampled_from([*list(CELLS)[2:], "note"]), unique=True, max_size=4))
    wide = draw(st.booleans())
    named = draw(st.sampled_from(["dx1", "Dx 1", "DIAG_1_CD"])) if wide else ""
    columns = ["claim_id", *([named.replace("1", str(n)) for n in (1, 2, 3)] if wide else ["codes"]), *about]
    if wide and draw(st.booleans()):
        columns.append("Primary Dx")
    columns = draw(st.permutations(columns))
    lines = [delimiter.join(columns)]
    single = st.sampled_from([*CODES, *CODES, *ODD_CODES, "", " I10 ", "M62 81", "I10;E11.9", "I10\u00a0"])
    tidy = draw(st.booleans())
    for _ in range(draw(st.integers(0, 25))):
        if not tidy and draw(st.integers(0, 7)) == 0:
            lines.append(draw(WHOLE_LINES))
            continue
        cells = [
            draw(single if name[:2].lower() in ("dx", "di", "pr") else CELLS.get(name, st.sampled_from(["", "n", "ä"])))
            for name in columns
        ]
        if tidy:
            cells = [
                cell.replace('"', "").replace("\n", "").replace(delimiter, " ").replace("\x00", "") for cell in cells
            ]
        lines.append(delimiter.join(cells))
    end = draw(st.sampled_from(["\n", "\n", "\r\n"]))
    last = draw(st.sampled_from([end, "", end * 2]))
    return (end.join(lines) + last).encode("utf-8", "surrogatepass")


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(content=tables(), size=st.sampled_from([16, 120, 1 << 19]), jobs=st.sampled_from([1, 1, 2]))
@example(b"claim_id,codes\nA,I10\n\nB,M62.84 I10", 1 << 19, 1)
@example(b'claim_id,codes\nA,"I10\nB,M62.84 I10\nC,I10\n', 16, 2)
@example(b"codes\tclaim_id\nI10\tA\n\t\nI10 I10\tB\n", 1 << 19, 1)
@example(b"claim_id,codes,age\r\nA,I10,70\r\n\r\nB,I10,x\r\n", 1 << 19, 1)
def test_tables_come_out_as_claim_by_claim(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, size: int, jobs: int
) -> None:
    folder = tmp_path_factory.mktemp("table")
    (folder / "claims.csv").write_bytes(content)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("weakcode.scrub.read.csv.file.BATCH_BYTES", size)
        same_both_ways(folder / "claims.csv", folder, jobs)


OBJECTS = st.fixed_dictionaries(
    {"codes": st.one_of(CODE_TEXTS, st.lists(st.sampled_from([*CODES, *ODD_CODES, "", None]), max_size=5))},
    optional={
        "claim_id": st.sampled_from(["A", 7, None, "", 1.5]),
        "age": st.sampled_from([70, "70", None, 200, 4.5, "6 mo", float("nan"), "NA"]),
        "sex": st.sampled_from(["F", "X", None, "2", "Q", "NULL"]),
        "SEX": st.sampled_from(["F", None]),
        "service_date": st.sampled_from(["2026-05-02", "never", None, "2026-05-02T10:00:00Z", "5/2/2026", "NaT"]),
        "DOB": st.sampled_from(["1/31/1950", "1950-01-31"]),
        "documented": st.sampled_from([["covid-current"], "covid-current", ["no-such-fact"], [1]]),
        "payer": st.sampled_from(["Acme", 3]),
        "lines": st.one_of(
            st.sampled_from([[[1]], [{"pointers": [9]}], [[0]], 4, [{"pointers": [1], "main_only": "yes"}]]),
            st.lists(
                st.fixed_dictionaries(
                    {"pointers": st.lists(st.integers(1, 4), max_size=3)},
                    optional={
                        "number": st.integers(1, 3),
                        "procedure": st.just("99213"),
                        "main_only": st.sampled_from([True, False, None]),
                    },
                ),
                max_size=3,
            ),
        ),
        "waivers": st.sampled_from(
            [
                [{"rule": "lines/diagnosis-without-line", "reason": "known", "who": "pat"}],
                [
                    {
                        "rule": "weakness/sarcopenia-underlying-disease-first",
                        "codes": "M62.84",
                        "reason": "x",
                        "who": "y",
                    }
                ],
                [{"rule": "icd10cm/excludes1", "reason": "no", "who": "y"}],
                [{"rule": "covid/no-such", "reason": "no", "who": "y", "until": "2001-01-01"}],
                [{"who": "y"}],
                "none",
            ]
        ),
        "note": st.just("x"),
    },
)
SPOKEN = st.fixed_dictionaries(
    {
        "codes": st.lists(
            st.fixed_dictionaries(
                {"code": st.sampled_from(CODES)},
                optional={
                    "text": st.sampled_from(["sarcopenia", "general weakness", None]),
                    "poa": st.sampled_from(["Y", "?"]),
                },
            ),
            max_size=4,
        )
    }
)
JSON_LINES = st.lists(
    st.one_of(
        OBJECTS.map(json.dumps),
        OBJECTS.map(json.dumps),
        SPOKEN.map(json.dumps),
        st.sampled_from(["", "{", "[]", '{"a":']),
    )
)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(lines=JSON_LINES, size=st.sampled_from([1, 3, 4096]), jobs=st.sampled_from([1, 2]))
def test_json_lines_come_out_as_claim_by_claim(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], size: int, jobs: int
) -> None:
    folder = tmp_path_factory.mktemp("lines")
    (folder / "claims.jsonl").write_text("\n".join(['{"codes": ["I10"]}', *lines]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("weakcode.scrub.read.batch.ROWS", size)
        same_both_ways(folder / "claims.jsonl", folder, jobs)


def test_stretches_that_arrow_reads_are_judged_by_columns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "claims.csv"
    path.write_text("claim_id,codes\n" + "A,M62.84 I10\n" * 5 + "B,I10,odd\nC,\n")

    def never(*_: Any, **__: Any) -> None:
        raise AssertionError("a claim was judged by itself")

    judge = validator()
    monkeypatch.setattr(type(judge), "judge", never)
    summary = scrub([path], judge, columns=judge.columns(), rejects=tmp_path / "r.jsonl")
    assert (summary.claims_in, summary.evaluated, summary.rejected) == (7, 5, 2)
    rejected = [json.loads(line) for line in (tmp_path / "r.jsonl").read_text().splitlines()]
    assert [(row["line"], row["raw"]) for row in rejected] == [(7, "B,I10,odd"), (8, "C,")]


@pytest.mark.parametrize(
    ("block", "plain"),
    [
        (b"A,I10\n", True),
        (b"A,I10\r\nB,I10\r\n", True),
        (b'A,"I10"\n', True),
        (b"A\rB\n", False),
        (b"A\r\r\n", False),
        (b"\x00\n", False),
        ("A,\u00e9\n".encode(), True),
        (b"A,\xe9\n", False),
    ],
)
def test_odd_line_ends_and_control_characters_are_left_to_the_row_reader(block: bytes, plain: bool) -> None:
    assert is_well_formed(block) is plain


def test_a_line_that_is_too_long_is_one_reject_among_the_others(tmp_path: Path) -> None:
    path = tmp_path / "claims.csv"
    path.write_bytes(b"claim_id,codes\nA,I10\nB," + b"x" * 3_000_000 + b"\nC,M62.84 I10\n")
    summary, findings, rejects, _ = same_both_ways(path, tmp_path)
    assert (summary.evaluated, summary.rejected) == (2, 1)
    assert json.loads(rejects)["line"] == 3
    assert {json.loads(line)["line"] for line in findings.splitlines()} == {4}


def test_files_in_an_archive_come_out_as_claim_by_claim(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "claims.zip", "w") as archive:
        archive.writestr("a.csv", "claim_id,codes,x\nA,M62.84 I10,1\nB,,2\nC,I10 I10,3\n")
        archive.writestr("b.jsonl", '{"claim_id": "D", "codes": ["K31.84", "E11.43"], "y": 1}\n{"claim_id": "E"}\n')
        archive.writestr("c.csv", "claim_id,codes\nF,I10\n")
    summary, findings, rejects, _ = same_both_ways(tmp_path / "claims.zip", tmp_path)
    assert (summary.evaluated, summary.rejected) == (4, 2)
    assert {json.loads(line)["file"].rpartition("/")[2] for line in findings.splitlines()} == {"a.csv", "b.jsonl"}
    assert [json.loads(line)["line"] for line in rejects.splitlines()] == [3, 2]
    assert list(summary.ignored_columns.values()) == [("x", "y")]


RIF = "CLM_ID|PRNCPAL_DGNS_CD|ICD_DGNS_CD1|ICD_DGNS_CD2|CLM_FROM_DT|LINE_NUM|LINE_ICD_DGNS_CD\n"


@pytest.mark.parametrize("size", [1, 4096])
def test_lines_with_one_pointer_each_come_out_as_claim_by_claim(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr("weakcode.scrub.read.batch.ROWS", size)
    path = tmp_path / "carrier.csv"
    path.write_text(
        RIF
        + "1|I10|I10|W010XXA|02-May-2026|1|W010XXA\n1|I10|I10|W010XXA|02-May-2026|2|I10\n"
        + "2|I10|I10|E119|02-May-2026|1|I10\n3|I10|I10|E119|02-May-2026|1|\n"
    )
    summary, *_ = same_both_ways(path, tmp_path)
    assert summary.evaluated == 3
    assert summary.by_rule["lines/first-pointer-never-first"] == 1
    # Claims 2 and 3 keep no word of other pointers.
    assert "lines/diagnosis-without-line" not in summary.by_rule


def test_items_of_a_benefit_with_one_pointer_each_come_out_as_claim_by_claim(tmp_path: Path) -> None:
    def benefit(kind: str, name: str) -> str:
        codes = ["I10", "W01.0XXA", "E11.9"]
        diagnoses = [
            {
                "sequence": number,
                "diagnosisCodeableConcept": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": code}]},
            }
            for number, code in enumerate(codes, start=1)
        ]
        items = [{"sequence": 1, "diagnosisSequence": [2]}, {"sequence": 2, "diagnosisSequence": [1]}]
        return json.dumps({"resourceType": kind, "id": name, "diagnosis": diagnoses, "item": items})

    path = tmp_path / "benefits.ndjson"
    path.write_text(f"{benefit('ExplanationOfBenefit', 'B')}\n{benefit('Claim', 'C')}\n")
    summary, findings, *_ = same_both_ways(path, tmp_path)
    told = {(row["claim_id"], row["rule"]) for row in map(json.loads, findings.splitlines())}
    assert {(name, "lines/first-pointer-never-first") for name in "BC"} <= told
    # What was on the claim is known in full; what a payer keeps of it is not.
    assert [name for name, rule in told if rule == "lines/diagnosis-without-line"] == ["C"]
    assert summary.evaluated == 2


def test_no_claim_of_such_files_is_judged_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "carrier.csv"
    path.write_text(RIF + "1|I10|I10|W010XXA|02-May-2026|1|W010XXA\n")
    judge = validator()
    monkeypatch.setattr(type(judge), "judge", lambda *_: pytest.fail("a claim was judged by itself"))
    assert scrub([path], judge, columns=judge.columns()).evaluated == 1


@pytest.mark.parametrize(
    "name",
    [
        "x12/hccinfhir_sample_837_0.txt",
        "claims/bfd_carrier.csv",
        "claims/bfd_inpatient.csv",
        "fhir/bfd_eobReadCarrier.json",
    ],
)
def test_real_files_come_out_as_claim_by_claim(shared: Path, tmp_path: Path, name: str) -> None:
    summary, *_ = same_both_ways(shared / name, tmp_path)
    assert summary.evaluated > 0


FRAMES = st.fixed_dictionaries(
    {
        "codes": st.lists(
            st.one_of(st.none(), st.lists(st.sampled_from([*CODES, *ODD_CODES, "", None]), max_size=4)), min_size=1
        )
    }
).flatmap(
    lambda drawn: st.fixed_dictionaries(
        {
            "CODES": st.just(drawn["codes"]),
            **{
                name: st.lists(cells, min_size=len(drawn["codes"]), max_size=len(drawn["codes"]))
                for name, cells in {
                    "Claim_ID": st.sampled_from(["A", "B", None, ""]),
                    "SEX": st.sampled_from([1, 2, None, 7]),
                    "Age": st.sampled_from([70.0, 4.5, None, float("nan")]),
                    "SERVICE_DATE": st.sampled_from(["2026-05-02", "5/2/2026", "25.12.2026", None, "46144", "NA", "x"]),
                }.items()
            },
        }
    )
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(frame=FRAMES, encoded=st.booleans())
def test_parquet_with_other_names_and_forms_comes_out_as_claim_by_claim(
    tmp_path_factory: pytest.TempPathFactory, frame: dict[str, list[Any]], encoded: bool
) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder = tmp_path_factory.mktemp("frame")
    columns = {
        name: pa.array(values, pa.list_(pa.string()) if name == "CODES" else None) for name, values in frame.items()
    }
    if encoded:
        columns["Claim_ID"] = columns["Claim_ID"].cast(pa.string()).dictionary_encode()
        columns["SERVICE_DATE"] = columns["SERVICE_DATE"].cast(pa.string()).dictionary_encode()
    pq.write_table(pa.table(columns), folder / "claims.parquet")
    same_both_ways(folder / "claims.parquet", folder)


LONG_ROWS = st.lists(
    st.tuples(
        st.sampled_from(["A", "B", "C", "", "D"]),
        st.sampled_from([*CODES, "", "NA", "ICD10:I10"]),
        st.sampled_from(["1", "2", "P", "", "3"]),
        st.sampled_from(["10", "9", "CPT", ""]),
        st.sampled_from(["70", "", "x"]),
    ),
    max_size=20,
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(rows=LONG_ROWS, quoted=st.booleans(), size=st.sampled_from([16, 1 << 19]))
@example(rows=[("A", "I10", "1", "10", "70"), ("", "", "", "", ""), ("", "I10", "", "", "")], quoted=True, size=16)
def test_tables_of_a_row_a_diagnosis_come_out_as_claim_by_claim(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, ...]], quoted: bool, size: int
) -> None:
    folder = tmp_path_factory.mktemp("long")
    sign = '"' if quoted else ""
    lines = ["CLM,DX,SEQ,TYPE,AGE", *(",".join(f"{sign}{cell}{sign}" for cell in row) for row in rows)]
    (folder / "claims.csv").write_text("\n".join([*lines, "too,short", ""]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("weakcode.scrub.read.csv.file.BATCH_BYTES", size)
        mapping = {"id": "CLM", "code": "DX", "sequence": "SEQ", "codetype": "TYPE", "age": "AGE"}
        one = outcome(folder / "claims.csv", folder / "out", mapping=mapping)
        assert outcome(folder / "claims.csv", folder / "out", mapping=mapping, columns=validator().columns()) == one
    ids = {row[0] for row in rows if row[0]}
    # A row of empty cells is an empty line.
    assert one[0].claims_in == len(ids) + sum(any(row) and not row[0] for row in rows) + 1


ADMITTED = {
    "principal": st.sampled_from(["", "I10", "K31.84", "i10", "E11.43", "I10; E11.9", "NA"]),
    "code": st.sampled_from(
        ["", "", "I10", "K31.84", "E11.43", "e1143", "M62.84", '"I10, E11.9"', "I10 E11.9", "n/a", "Z00 x"]
    ),
    "poa": st.sampled_from(["", "Y", "n", " U ", "W", "1", "X", "YN", "Y N", "NA", '"Y,N"', '"N"']),
}


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    rows=st.lists(
        st.tuples(*[ADMITTED[name] for name in ("principal", "poa", "code", "poa", "code", "poa")]), max_size=8
    ),
    own=st.booleans(),
    size=st.sampled_from([40, 1 << 19]),
)
@example(rows=[("I10", "Y", "i10", "", "E11.43", "N"), ("I10", "Y", "", "W", "I10", "N")], own=True, size=1 << 19)
def test_tables_with_indicators_come_out_as_claim_by_claim(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, ...]], own: bool, size: int
) -> None:
    folder = tmp_path_factory.mktemp("admitted")
    header = ["principal_dx", "principal_poa", "dx1", "dx1_poa", "dx2", "dx2_poa"]
    table = [header, *rows] if own else [row[2:] for row in [tuple(header), *rows]]
    begins = ["claim_id,setting", *(f"C{number},inpatient" for number in range(len(rows)))]
    lines = [",".join([first, *row]) for first, row in zip(begins, table, strict=True)]
    (folder / "claims.csv").write_text("\n".join([*lines, ""]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("weakcode.scrub.read.csv.file.BATCH_BYTES", size)
        same_both_ways(folder / "claims.csv", folder)


def test_no_claim_of_a_table_with_indicators_is_judged_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "claims.csv"
    path.write_text("claim_id,principal_dx,principal_poa,dx1,dx1_poa\nA,I10,Y,I10,\nB,I10,N,E11.9,Y\nC,,,,\n")
    judge = validator()
    monkeypatch.setattr(type(judge), "judge", lambda *_: pytest.fail("a claim was judged by itself"))
    summary = scrub([path], judge, columns=judge.columns(), rejects=tmp_path / "r.jsonl")
    assert (summary.evaluated, summary.rejected) == (2, 1)
