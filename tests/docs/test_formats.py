"""The page of formats is true: each line that it says reads a kind of file reads one."""

from __future__ import annotations

import datetime as dt
import json
import re
import shlex
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from weakcode.cli import main
from weakcode.scrub.formats import ARCHIVES, EXTENSIONS, FORMATS, PACKED, TITLES, Format, known_extensions

PAGE = Path(__file__).resolve().parents[2] / "docs" / "formats.md"
LINES = re.findall(r"^\| .* \| `(weakcode scrub [^`]*)` \|$", PAGE.read_text("utf-8"), re.MULTILINE)
ELSEWHERE = ("--db ", "s3://")
"""What needs a server, which tests of its own start."""
X12 = (
    "ISA*00*          *00*          *ZZ*SENDER         *ZZ*RECEIVER       *260401*1200*^*00501*000000042*0*T*:~"
    "GS*HC*S*R*20260401*1200*7*X*005010X222A1~ST*837*0099*005010X222A1~CLM*A1*1***11:B:1~"
    "HI*ABK:M6284~SE*4*0099~GE*1*7~IEA*1*000000042~"
)
CLAIM = "claim_id,codes\nA,M62.84 I10\n"
CODING = {"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "M62.84"}
RESOURCE = {
    "resourceType": "Claim",
    "id": "c",
    "diagnosis": [{"sequence": 1, "diagnosisCodeableConcept": {"coding": [CODING]}}],
}


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    table = pa.table({"claim_id": ["A"], "codes": [["M62.84", "I10"]]})
    for folder in ("c", "claims/may", "export"):
        Path(folder).mkdir(parents=True)
    pq.write_table(table, "claims.parquet")
    pq.write_table(table, "claims/may/a.parquet")
    pq.write_table(table.rename_columns(["id", "codes"]), "c/a.parquet")
    texts = {
        "claims.csv": CLAIM,
        "wide.csv": "claim_id,dx1,dx2\nA,M62.84,I10\n",
        "inpatient.csv": "CLM_ID|PRNCPAL_DGNS_CD|ICD_DGNS_CD1\nA|M6284|M6284\n",
        "t.csv": "NR,D1,D2,SEEN\nA,M62.84,I10,2026-05-01\n",
        "long.csv": "CLM,SEQ,TYPE,DX\nA,1,10,M62.84\nA,2,10,I10\n",
        "claims.jsonl": '{"claim_id": "A", "codes": ["M62.84"]}\n',
        "claims.json": '[{"claim_id": "A", "codes": ["M62.84"]}, {"claim_id": "B", "codes": ["I10"]}]',
        "bundle.json": json.dumps({"resourceType": "Bundle", "entry": [{"resource": RESOURCE}]}),
        "export/Claim.ndjson": json.dumps(RESOURCE) + "\n",
        "export/Patient.ndjson": json.dumps({"resourceType": "Patient", "id": "p"}) + "\n",
        "batch.837": X12,
    }
    for name, text in texts.items():
        Path(name).write_text(text)
    return tmp_path


def test_the_page_lists_the_extensions_of_every_format() -> None:
    declared = [(one.extensions, one.title) for one in FORMATS.values()] + [(PACKED + ARCHIVES, "packed")]
    rows = [f"| {' '.join(f'`{name}`' for name in names)} | {title} |" for names, title in declared]
    listed = PAGE.read_text("utf-8").partition("| extensions | format |\n| --- | --- |\n")[2].partition("\n\n")[0]
    assert listed.splitlines() == rows


def test_every_format_is_named_where_users_give_files(capsys: pytest.CaptureFixture[str]) -> None:
    main(["scrub", "--help"], standalone_mode=False)
    page = pytest.importorskip("weakcode.serve.app", reason="needs the extra serve")._html()
    guide = (PAGE.parent / "desk.md").read_text("utf-8")
    for one in FORMATS.values():
        assert one.title in page, f"the page of serve does not name {one.title!r}"
        assert one.title in guide, f"name {one.title!r} in docs/desk.md"
    assert TITLES in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("one", FORMATS.values(), ids=FORMATS)
def test_the_reader_of_every_format_is_there(one: Format) -> None:
    with pytest.raises(TypeError, match="argument"):
        one.open()


def test_a_file_of_a_folder_and_of_the_page_keeps_every_extension_that_is_read() -> None:
    for extension in (*EXTENSIONS, *PACKED, *ARCHIVES):
        assert known_extensions(f"May{extension.upper()}") == extension
    assert known_extensions("claims.csv.gz") == ".csv.gz"
    assert known_extensions("notes.pdf") == known_extensions("claims.csv.bak") == ""


def test_the_page_has_a_line_for_each_kind() -> None:
    assert len(LINES) > 12


@pytest.mark.parametrize("line", [line for line in LINES if not any(mark in line for mark in ELSEWHERE)])
def test_each_line_reads_its_kind_of_file(files: Path, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    if "tables/" in line:
        table = pq.read_table(files / "claims.parquet")
        pytest.importorskip("deltalake", reason="needs the extra lake").write_deltalake("tables/claims", table)
    if ".xlsx" in line:
        xlsxwriter = pytest.importorskip("xlsxwriter")
        pytest.importorskip("python_calamine")
        with xlsxwriter.Workbook(files / "claims.xlsx") as book:
            sheet = book.add_worksheet("Claims")
            sheet.write_row(0, 0, ["Claim No", "Dx 1", "DOS"])
            sheet.write_row(1, 0, ["A", "M62.84"])
            sheet.write_datetime(1, 2, dt.datetime(2026, 5, 1), book.add_format({"num_format": "yyyy-mm-dd"}))
    _, *arguments = shlex.split(line)
    with pytest.raises(SystemExit) as ended:
        main([*arguments, "--fail-on", "never"])
    told = capsys.readouterr()
    assert ended.value.code == 0, told.err
    assert " 0 rejected" in told.out + told.err or arguments[-1] == "fhir"
