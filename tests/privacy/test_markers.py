"""What a claim says about a person stays in the claim: of all outputs only mended claims and rejects may hold it."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import feather

import weakcode
from weakcode.cli import main

NAME, MEMBER, TEXT, PROCEDURE, PAYER, ZIP = (
    "ZORBLATT", "MBR9988776655", "QUUXITIS", "G99Q7", "PAYERXYZ55", "90219-4711",
)  # fmt: skip
BORN = "1931-07-19"
MARKERS = (NAME, MEMBER, TEXT, PROCEDURE, PAYER, ZIP, BORN, BORN.replace("-", ""), "07/19/1931", "19 July 1931")

Files = Callable[[Path], list[str]]
_CASES: dict[str, Files] = {}


def case(name: str) -> Callable[[Files], Files]:
    """Take down what writes the claims of one format and returns the arguments that read them."""

    def take(write: Files) -> Files:
        _CASES[name] = write
        return write

    return take


BAD_VALUES = [
    {"age": f"seventy {NAME}"},
    {"birth_date": f"19 July 1931 {NAME}"},
    {"birth_date": "07/19/1931"},
    {"birth_date": BORN, "service_date": "1901-01-01"},
    {"service_date": MEMBER},
    {"sex": NAME},
    {"setting": TEXT},
    {"documented": f"{TEXT} {NAME}"},
    {"codes": ""},
]
GOOD: dict[str, str] = {
    "codes": "M62.84 I10", "birth_date": BORN, "service_date": "2026-05-02", "payer": PAYER, "patient": NAME,
}  # fmt: skip
SHIFTED = [f"{NAME} M62.84", f"{MEMBER} M62.84 {NAME}", f"{BORN.replace('-', '')} M62.84", f"M62.84 {TEXT} {TEXT}"]
"""Lists of codes with something else among them, as where a column has slipped."""
COLUMNS = ("claim_id", "codes", "service_date", "birth_date", "age", "sex", "setting", "payer", "documented", "patient")


def rows() -> list[dict[str, str]]:
    """Return claims with findings, claims with no codes among their codes, and rejected rows."""
    said = [GOOD, *({**GOOD, "codes": codes} for codes in SHIFTED), *({**GOOD, **bad} for bad in BAD_VALUES)]
    return [{"claim_id": f"C{number}", **one} for number, one in enumerate(said)]


def csv_text(lines: list[dict[str, str]]) -> str:
    table = [",".join(line.get(name, "") for name in COLUMNS) for line in lines]
    return "\n".join([",".join(COLUMNS), *table, f'CQ,"M62.84 {NAME}', f"CW,{NAME},M62.84,{MEMBER}", ""])


@case("csv")
def _csv(folder: Path) -> list[str]:
    (folder / "claims.csv").write_text(csv_text(rows()))
    return ["claims.csv"]


@case("csv in bytes that are no text")
def _bytes(folder: Path) -> list[str]:
    (folder / "claims.csv").write_bytes(csv_text(rows()).encode() + f"CX,M62.84 {NAME}\xff,,,\n".encode("latin-1"))
    return ["claims.csv"]


@case("csv packed")
def _packed(folder: Path) -> list[str]:
    (folder / "claims.csv.gz").write_bytes(gzip.compress(csv_text(rows()).encode()))
    return ["claims.csv.gz"]


@case("csv with a mapping")
def _mapped(folder: Path) -> list[str]:
    lines = [f"{NAME},C1,M6284,I10,{BORN}", f"{NAME},C2,{MEMBER},M6284,{NAME}", f"{NAME},C3,{TEXT},,"]
    (folder / "claims.csv").write_text("\n".join(["WHO,NR,D1,D2,DAY", *lines, ""]))
    return ["claims.csv", "--map", "id=NR,codes=D*"]


@case("json lines")
def _jsonl(folder: Path) -> list[str]:
    lines: list[Any] = rows()
    lines += [
        {
            "claim_id": "C90",
            "codes": ["M62.84"],
            "lines": [{"pointers": [1], "procedure": PROCEDURE}, {"pointers": [9]}],
        },
        {"claim_id": "C91", "codes": [{"code": "R53.1", "text": f"sarcopenia of {NAME}, {TEXT}"}]},
        {"claim_id": "C92", "codes": [{"code": "M62.84", NAME: TEXT}]},
        {"claim_id": "C93", "codes": ["M62.84", 19310719]},
        {"claim_id": "C94", "codes": ["M62.84"], "lines": [{"pointers": [PROCEDURE]}, PROCEDURE]},
        {"claim_id": "C95", "codes": ["M62.84"], "waivers": [{"rule": NAME, "codes": [TEXT], "reason": TEXT}]},
        {"claim_id": "C96", "codes": ["M62.84"], "payer": [NAME], "age": {NAME: 1}},
    ]
    broken = f'{{"claim_id": "C97", "codes": ["M62.84", "{NAME}]}}\n["{NAME}"]\n"{NAME}"\n{NAME}\n'
    (folder / "claims.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines) + broken)
    return ["claims.jsonl"]


def table() -> pa.Table:
    lines = rows()
    columns = {name: [line.get(name) for line in lines] for name in COLUMNS if name != "codes"}
    return pa.table({**columns, "codes": [line["codes"].split() for line in lines]})


@case("parquet")
def _parquet(folder: Path) -> list[str]:
    pq.write_table(table(), folder / "claims.parquet")
    return ["claims.parquet"]


@case("arrow")
def _arrow(folder: Path) -> list[str]:
    feather.write_feather(table(), folder / "claims.arrow")
    return ["claims.arrow"]


@case("a query")
def _query(folder: Path) -> list[str]:
    (folder / "claims.csv").write_text(csv_text(rows()[:5]).rsplit("\n", 3)[0] + "\n")
    return [
        "--sql",
        f"SELECT claim_id, codes, payer, patient FROM 'claims.csv' WHERE patient = '{NAME}'",
        "--allow",
        "claims.csv",
    ]


@case("837")
def _x12(folder: Path) -> list[str]:
    head = (
        "ISA*00*          *00*          *ZZ*A              *ZZ*B              *260502*1200*^*00501*000000001*0*P*:~\n"
        "GS*HC*A*B*20260502*1200*1*X*005010X222A1~\nST*837*0001*005010X222A1~\nBHT*0019*00*1*20260502*1200*CH~\n"
        "HL*1**20*1~\nNM1*85*2*CLINIC*****XX*1234567893~\nHL*2*1*22*0~\nSBR*P*18*******MB~\n"
        f"NM1*IL*1*{NAME}*JO****MI*{MEMBER}~\nN4*TOWN*CA*{ZIP}~\nDMG*D8*{BORN.replace('-', '')}*F~\n"
        f"NM1*PR*2*{PAYER}*****PI*{PAYER}~\n"
    )
    hi = ["HI*ABK:M6284*ABF:I10~", f"HI*ABK:{NAME}*ABF:M6284~", "HI*ABK:M6284~", f"HI*{NAME}:M6284~", f"{NAME}*M6284~"]
    dates = ["20260502", "20260502", MEMBER, "20260502", "20260502"]
    claims = "".join(
        f"CLM*C{number}*100***11:B:1*Y*A*Y*Y~\nNTE*ADD*{TEXT} {NAME}~\n{codes}\nLX*1~\n"
        f"SV1*HC:{PROCEDURE}*100*UN*1***1:7~\nDTP*472*D8*{day}~\n"
        for number, (codes, day) in enumerate(zip(hi, dates, strict=True))
    )
    second = (
        f"HL*3*1*22*0~\nSBR*P*18*******MB~\nNM1*IL*1*{NAME}*JO****MI*{MEMBER}~\nDMG*D8*{NAME}*{NAME}~\n"
        "CLM*C9*100***11:B:1*Y*A*Y*Y~\nHI*ABK:M6284~\n"
    )
    (folder / "claims.837").write_text(head + claims + second + f"{NAME}*{MEMBER}~\nSE*3*0001~\nGE*1*1~\n")
    return ["claims.837"]


def resource(number: int, code: str, **other: Any) -> dict[str, Any]:
    coding = {"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": code, "display": TEXT}
    return {
        "resourceType": "Claim",
        "id": f"C{number}",
        "patient": {"reference": f"Patient/{MEMBER}", "display": NAME},
        "insurer": {"display": PAYER, "identifier": {"value": PAYER}},
        "billablePeriod": {"start": "2026-05-02"},
        "diagnosis": [{"sequence": 1, "diagnosisCodeableConcept": {"coding": [coding], "text": f"{TEXT} {NAME}"}}],
        "item": [{"sequence": 1, "productOrService": {"coding": [{"code": PROCEDURE}]}, "diagnosisSequence": [1]}],
        **other,
    }


@case("fhir")
def _fhir(folder: Path) -> list[str]:
    person = {
        "resourceType": "Patient", "id": MEMBER, "name": [{"family": NAME}], "birthDate": BORN, "gender": "female",
        "address": [{"postalCode": ZIP}],
    }  # fmt: skip
    resources = [
        person,
        resource(1, "M62.84"),
        resource(2, NAME),
        resource(3, "M62.84", billablePeriod={"start": f"{BORN} {NAME}"}),
        resource(4, "M62.84", diagnosis=[{"sequence": NAME}]),
        resource(5, "M62.84", diagnosis=NAME),
        resource(6, "M62.84", item=[{"sequence": 1, "diagnosisSequence": [NAME]}]),
        resource(7, "M62.84", diagnosis=[{"sequence": 1, "diagnosisReference": {"reference": f"Condition/{NAME}"}}]),
    ]
    entries = [{"fullUrl": f"urn:uuid:{one['id']}-{NAME}", "resource": one} for one in resources]
    (folder / "claims.json").write_text(json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}))
    return ["claims.json"]


def refused(name: str, file: str, content: str | bytes, *options: str) -> None:
    """Take down a file that cannot be read at all."""

    @case(f"refused: {name}")
    def write(folder: Path) -> list[str]:
        (folder / file).write_bytes(content if isinstance(content, bytes) else content.encode())
        return [file, *options]


_PERSON = f"{NAME},{MEMBER},{BORN},{PAYER},M62.84,I10"
refused("no header", "claims.csv", f"C1,{_PERSON}\nC2,{_PERSON}\n")
refused("no header and a code twice", "claims.csv", f"{NAME},M62.84,M62.84,{MEMBER},{BORN}\n")
refused("no header and a mapping", "claims.csv", f"{_PERSON}\n", "--map", "id=ZORBLAT,codes=DX")
refused("xml", "claims.xml", f"<?xml version='1.0'?><Claim><name>{NAME}</name><birthDate>{BORN}</birthDate></Claim>")
refused("a list in json, cut short", "claims.json", json.dumps([rows()[0]])[:-3])
refused("fhir without claims", "claims.json", json.dumps({"resourceType": "Patient", "id": MEMBER, "name": NAME}))
refused("fhir cut short", "claims.json", json.dumps(resource(1, "M62.84"))[:-40], "--format", "fhir")
refused("no 837", "claims.837", f"NM1*IL*1*{NAME}*JO****MI*{MEMBER}~")
refused("837 without delimiters", "claims.837", f"ISA*{NAME}*{MEMBER}~{BORN}")
refused("damaged parquet", "claims.parquet", b"PAR1" + f"{NAME} {MEMBER}".encode() * 9 + b"PAR1")
refused("damaged gzip", "claims.csv.gz", gzip.compress(csv_text(rows()).encode())[:-40])
refused("damaged arrow", "claims.arrow", b"ARROW1\0\0" + f"{NAME} {MEMBER}".encode() * 9)


@case("refused: a query that stumbles over a value")
def _stumbling(folder: Path) -> list[str]:
    (folder / "claims.csv").write_text(csv_text(rows()[:5]))
    return ["--sql", "SELECT claim_id, codes, CAST(patient AS INTEGER) AS age FROM 'claims.csv'", "--allow", "."]


@case("refused: a query over a file without header")
def _headless(folder: Path) -> list[str]:
    (folder / "claims.csv").write_text(f"C1,{_PERSON}\nC2,{_PERSON}\n")
    return ["--sql", "SELECT * FROM read_csv('claims.csv', header = true)", "--allow", "."]


@case("refused: a query that cannot be run")
def _unknown_column(folder: Path) -> list[str]:
    (folder / "claims.csv").write_text(csv_text(rows()[:5]))
    return [
        "--sql",
        f"SELECT claim_id, codes FROM 'claims.csv' WHERE patient = '{NAME}' AND nowhere = '{MEMBER}'",
        "--allow",
        ".",
    ]


def run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as ended:
        main([str(one) for one in arguments])
    assert isinstance(ended.value.code, int)
    return ended.value.code


def clear_of(text: str, *, markers: tuple[str, ...] = MARKERS) -> None:
    lines = [line for line in text.splitlines() if any(marker.lower() in line.lower() for marker in markers)]
    assert not lines, lines


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("WEAKCODE_DEBUG", raising=False)
    return tmp_path


@pytest.mark.parametrize("name", _CASES)
def test_nothing_about_a_person_is_printed_or_stands_in_findings_summary_or_report(
    name: str, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    arguments = _CASES[name](folder)
    for engine in ("columnar", "durable"):
        status = run(
            "scrub", *arguments, "--engine", engine, "-o", "f.jsonl", "--summary", "s.json", "--rejects", "r.jsonl",
            "--log-format", "json", "--lineage", "l.jsonl",
        )  # fmt: skip
        assert status == (2 if name.startswith("refused") else 1)
        if status == 1:
            findings = [json.loads(line) for line in Path("f.jsonl").read_text().splitlines()]
            assert any("M62.84" in finding["codes"] for finding in findings), "the claims were judged"
            assert json.loads(Path("s.json").read_text())["evaluated"]
    for as_format in ("text", "json", "fhir"):
        run("scrub", *arguments, "--format", as_format)
    told = capfd.readouterr()
    clear_of(told.err)
    clear_of(told.out)
    clear_of(Path("l.jsonl").read_text())
    if name.startswith("refused"):
        assert not Path("f.jsonl").exists() or name == "refused: fhir cut short"
        return
    # Findings and the work list of a report say who pays: claims are counted and worked on by payer.
    about_people = tuple(marker for marker in MARKERS if marker != PAYER)
    clear_of(Path("f.jsonl").read_text(), markers=about_people)
    clear_of(Path("s.json").read_text())
    pytest.importorskip("vl_convert", reason="needs the extra report")
    run("scrub", *arguments, "-o", "f.parquet")
    assert run("report", "f.parquet", "-o", "report.html") == 0
    clear_of(Path("report.html").read_text(), markers=about_people)
    told = capfd.readouterr()
    clear_of(told.out + told.err)


def test_of_the_claims_file_a_report_shows_the_payers_and_nothing_else(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("vl_convert", reason="needs the extra report")
    arguments = _CASES["csv"](folder)
    run("scrub", *arguments, "-o", "f.parquet")
    for claims in (arguments[0], *_CASES["parquet"](folder)):
        assert run("report", "f.parquet", "--claims", claims, "-o", "report.html") == 0
        page = Path("report.html").read_text()
        assert PAYER in page
        clear_of(page, markers=tuple(marker for marker in MARKERS if marker != PAYER))
    told = capfd.readouterr()
    clear_of(told.out + told.err)


def test_findings_that_another_hand_made_are_shown_without_what_is_not_a_code(folder: Path) -> None:
    pytest.importorskip("vl_convert", reason="needs the extra report")
    row = {"claim_id": "C1", "rule": "icd10cm/unknown-code", "severity": "error", "codes": [NAME], "positions": [1]}
    Path("f.jsonl").write_text(json.dumps({**row, "message": f"{NAME} is not an ICD-10-CM code."}) + "\n")
    run("report", "f.jsonl", "-o", "report.html")
    clear_of(Path("report.html").read_text())


@pytest.mark.parametrize("error", [RuntimeError, KeyError, ValueError, AssertionError])
def test_an_internal_error_is_reported_by_its_type_only(
    error: type[Exception], folder: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumbles(*_: object) -> None:
        raise error(f"{NAME} born {BORN}")

    monkeypatch.setattr("weakcode.cli.common.text.finding_text", stumbles)
    assert run("scrub", *_CASES["csv"](folder)) == 70
    told = capfd.readouterr()
    clear_of(told.out + told.err)
    assert told.err.count("\n") == 1
    assert error.__name__ in told.err


@pytest.mark.parametrize(
    ("code", "shown"),
    [("M62.8l", "M62.8L"), ("M628I", "M62.8I"), ("72887", "728.87"), ("M62.8-", "M628-"), ("I1O", "I1O")],
)
def test_a_typing_error_in_a_code_is_shown_as_written(code: str, shown: str) -> None:
    assert [one.codes for one in weakcode.check([code], packs=["icd10cm"])] == [(shown,)]


@pytest.mark.parametrize("text", [NAME, MEMBER, BORN, BORN.replace("-", ""), "O'NEIL", "5551234567", "ÅSE1", "I"])
@pytest.mark.parametrize("engine", ["durable", "columnar"])
def test_text_in_the_place_of_a_code_is_a_finding_that_does_not_repeat_it(text: str, engine: str) -> None:
    claim = weakcode.Claim(codes=["I10", text, text])
    found = weakcode.Validator(["icd10cm"], engine=engine).check(claim)
    assert {position for finding in found for position in finding.positions} >= {2, 3}
    assert all(code in ("I10", "[no-code]") for finding in found for code in finding.codes)
    clear_of(repr(found), markers=(text,) if len(text) > 1 else ("I at", "I is"))
