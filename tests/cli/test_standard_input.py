"""weakcode scrub -: claims from standard input, in the formats of files."""

from __future__ import annotations

import csv
import gzip
import io
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result
from tests.scrub.x12.writing837 import interchange

import weakcode.scrub.run
from weakcode import Claim
from weakcode.cli import main
from weakcode.scrub.read import inputs

CLAIMS = b"claim_id,codes\nA,M62.84 I10\nB,I10\nC,R54 M62.84\n"
ROWS = [{"claim_id": "A", "codes": ["M62.84", "I10"]}, {"claim_id": "C", "codes": ["R54", "M62.84"]}]


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A temporary folder of the test's own; the current folder is another."""
    folder, work = tmp_path / "temporary", tmp_path / "work"
    folder.mkdir()
    work.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.chdir(work)
    return folder


def scrub(given: bytes, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["scrub", "--only", "weakness", *arguments], input=given)


def rows_of(output: str) -> list[dict[str, str]]:
    with Path(output).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def parquet(rows: list[dict[str, object]]) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), sink)
    return sink.getvalue()


def zipped(content: bytes) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        archive.writestr("claims.csv", content)
    return sink.getvalue()


def arrow_stream(rows: list[dict[str, object]]) -> bytes:
    table, sink = pa.Table.from_pylist(rows), io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return sink.getvalue()


FORMATS = {
    "csv": CLAIMS,
    "csv-in-gzip": gzip.compress(CLAIMS),
    "csv-in-zip": zipped(CLAIMS),
    "json-lines": b'{"claim_id": "A", "codes": ["M62.84", "I10"]}\n{"claim_id": "C", "codes": "R54 M62.84"}\n',
    "parquet": parquet(ROWS),
    "arrow-stream": arrow_stream(ROWS),
    "837": "".join(interchange([Claim(["M62.84", "I10"], id="A"), Claim(["R54", "M62.84"], id="C")], "P")).encode(),
    "fhir": b'{"resourceType": "Claim", "id": "A", "status": "active", "diagnosis": [{"sequence": 1, '
    b'"diagnosisCodeableConcept": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "M62.84"}]}}]}\n',
}


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_detected_by_its_content_and_found_in_as_in_a_file(name: str) -> None:
    Path("claims").write_bytes(FORMATS[name])
    for source, output in (("claims", "file.csv"), ("-", "pipe.csv")):
        assert scrub(FORMATS[name], source, "-o", output).exit_code == 1
    tables = [rows_of(output) for output in ("file.csv", "pipe.csv")]
    assert tables[1]
    for by_file, by_pipe in zip(*tables, strict=True):
        assert by_pipe.pop("file") == by_file.pop("file").replace("claims", "standard input", 1)
        assert by_pipe == by_file


def test_printed_findings_rejects_and_messages_say_standard_input(temporary: Path) -> None:
    printed = scrub(CLAIMS + b"D,\n", "-", "--rejects", "rejects.csv")
    assert "standard input:2" in printed.output
    assert "4 claims in = 3 evaluated + 1 rejected" in printed.output
    assert Path("rejects.csv").read_text().splitlines()[1].startswith("standard input,5,")
    assert str(temporary) not in printed.output + Path("rejects.csv").read_text()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (b"", "standard input is empty"),
        (b"%PDF-1.7", "standard input is a PDF"),
        (b"\x1f\x8bbroken", "standard input is damaged or cut short"),
        (b"PK\x03\x04broken", "standard input is a zip archive that is damaged"),
        (b"PAR1broken", "standard input is damaged or cut short"),
        (b"name,day\nA,B\n", "standard input"),
    ],
)
@pytest.mark.parametrize("mapped", [(), ("--map", "id=NR,codes=D*")], ids=["", "mapped"])
def test_input_without_claims_is_one_sentence_about_standard_input(
    given: bytes, said: str, mapped: tuple[str, ...], temporary: Path
) -> None:
    result = scrub(given, "-", *mapped)
    assert result.exit_code == 2
    assert result.output.startswith(f"weakcode: {said}")
    assert result.output.count("\n") == 1
    assert str(temporary) not in result.output


def test_columns_of_a_piped_table_are_mapped() -> None:
    for given in (b"NR,D1,D2\nA,M6284,I10\n", parquet([{"NR": "A", "D1": "M6284", "D2": "I10"}])):
        assert scrub(given, "-", "--map", "id=NR,codes=D*", "-o", "f.csv").exit_code == 1
        assert "standard input" in Path("f.csv").read_text()


def test_it_stands_among_files_in_its_place() -> None:
    Path("one.csv").write_bytes(b"claim_id,codes\nX,M62.84\n")
    assert scrub(CLAIMS, "one.csv", "-", "one.csv", "-o", "f.csv").exit_code == 1
    files = [row["file"] for row in rows_of("f.csv")]
    assert list(dict.fromkeys(files)) == ["one.csv", "standard input"]
    assert (files[0], files[-1]) == ("one.csv", "one.csv")


def test_a_file_of_that_name_is_read_by_its_path() -> None:
    Path("-").write_bytes(b"claim_id,codes\nX,M62.84\n")
    assert "1 claims in" in scrub(CLAIMS, "./-").output.replace("1 claim in", "1 claims in")


def test_standard_input_is_given_once() -> None:
    result = scrub(CLAIMS, "-", "-")
    assert (result.exit_code, result.output) == (
        2,
        "weakcode: standard input (-) is given twice; it can be read once\n",
    )


def test_closed_standard_input_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(weakcode.InputError, match="standard input is closed"):
        weakcode.scrub.run.scrub(["-"], weakcode.Validator("weakness"))


def test_spark_reads_no_standard_input() -> None:
    pytest.importorskip("pyspark", reason="needs the extra spark")
    result = scrub(CLAIMS, "-", "--spark", "local[1]", "-o", "out.parquet")
    assert (result.exit_code, "--spark cannot go with -;" in result.output) == (2, True)


def test_a_temporary_folder_that_cannot_be_written_is_one_sentence(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(temporary / "not-there"))
    result = scrub(FORMATS["parquet"], "-", "-o", "f.csv")
    assert result.exit_code == 2
    assert result.output.startswith("weakcode: standard input cannot be kept in a file while it is read: No such file")
    assert list(Path().iterdir()) == []


def _large_parquet() -> bytes:
    sink = io.BytesIO()
    rows = [{"claim_id": f"{os.urandom(8).hex()}", "codes": ["M62.84", "I10"]} for _ in range(20_000)]
    pq.write_table(pa.Table.from_pylist(rows), sink)
    return sink.getvalue()


PARQUET = _large_parquet()


def _ended(given: subprocess.Popen[bytes]) -> None:
    given.communicate(b"")


def _terminated(given: subprocess.Popen[bytes]) -> None:
    given.send_signal(signal.SIGTERM)
    given.wait()


def _hung_up(given: subprocess.Popen[bytes]) -> None:
    given.send_signal(signal.SIGHUP)
    given.wait()


@pytest.mark.parametrize(("end", "status"), [(_ended, 1), (_terminated, 130), (_hung_up, 130)])
def test_claims_are_kept_where_nobody_else_can_read_them_and_are_gone_afterwards(
    temporary: Path, end: Callable[[subprocess.Popen[bytes]], None], status: int
) -> None:
    # Tests that are run under nohup pass an ignored SIGHUP on, by which a run is right not to end.
    command = (
        "import signal, sys; signal.signal(signal.SIGHUP, signal.SIG_DFL); "
        "from weakcode.cli import main; main(sys.argv[1:])"
    )
    with subprocess.Popen(
        [sys.executable, "-c", command, "scrub", "--only", "weakness", "-", "-o", "f.csv"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "TMPDIR": str(temporary), "PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path))},
    ) as running:
        assert running.stdin is not None
        # More than the start that is looked at, so that the rest is waited for.
        running.stdin.write(PARQUET)
        running.stdin.flush()
        patience = time.monotonic() + 60
        while not (kept := list(temporary.iterdir())) and time.monotonic() < patience:
            time.sleep(0.02)
        assert [path.stat().st_mode & 0o777 for path in kept] == [0o600]
        end(running)
    assert running.returncode == status
    assert list(temporary.iterdir()) == []
    assert Path("f.csv").exists() == (status == 1)


def test_what_is_read_from_start_to_end_is_never_kept(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(temporary / "not-there"))
    for name in ("csv", "csv-in-gzip", "json-lines", "837"):
        assert scrub(FORMATS[name], "-", "-o", "f.csv").exit_code == 1, name
    assert {row["file"] for row in rows_of("f.csv")} == {"standard input"}


def test_what_is_kept_has_a_limit(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inputs, "MOST_SPOOLED", 1_000)
    result = scrub(PARQUET, "-", "-o", "f.csv")
    assert (result.exit_code, result.output.count("\n")) == (2, 1)
    assert "standard input holds more than 1,000 bytes of a format that is not read from start to end" in result.output
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("name", FORMATS)
def test_a_named_pipe_is_read_once_like_a_file(name: str) -> None:
    Path("claims").write_bytes(FORMATS[name])
    for source, output in (("claims", "file.csv"), ("pipe", "pipe.csv")):
        writing = None
        if source == "pipe":
            os.mkfifo("pipe")
            writing = threading.Thread(target=Path("pipe").write_bytes, args=(FORMATS[name],))
            writing.start()
        assert scrub(b"", source, "-o", output).exit_code == 1
        if writing is not None:
            writing.join()
    tables = [rows_of(output) for output in ("file.csv", "pipe.csv")]
    assert tables[1]
    for by_file, by_pipe in zip(*tables, strict=True):
        assert by_pipe.pop("file") == by_file.pop("file").replace("claims", "pipe", 1)
        assert by_pipe == by_file


def test_a_library_reads_named_pipes_too() -> None:
    os.mkfifo("pipe")
    validator = weakcode.Validator("weakness")
    for name in ("csv", "parquet"):
        for read in (
            lambda: [claim.id for claim in weakcode.read_claims("pipe")],
            lambda: list(validator.scrub("pipe")),
        ):
            writing = threading.Thread(target=Path("pipe").write_bytes, args=(FORMATS[name],))
            writing.start()
            assert read()
            writing.join()


def test_an_endless_stream_of_text_is_read_in_bounded_memory(temporary: Path) -> None:
    script = (
        "import resource, sys\nresource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))\n"
        "from weakcode.cli import main; main(sys.argv[1:])"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, "scrub", "--only", "weakness", "-", "-o", "f.csv"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "TMPDIR": str(temporary), "PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path))},
    ) as running:
        assert running.stdin is not None
        running.stdin.write(b"claim_id,codes\n")
        for _ in range(40):
            running.stdin.write(b"A,I10\n" * 20_000)
        assert list(temporary.iterdir()) == []
        told, _ = running.communicate()
    assert (running.returncode, b"800,000 claims in" in told) == (0, True)


def test_what_a_killed_run_kept_is_removed_by_the_next(temporary: Path) -> None:
    dead, theirs = temporary / "weakcode-abcdefgh.spool", temporary / "other-abcdefgh.spool"
    for path in (dead, theirs):
        path.write_bytes(b"claims")
    assert scrub(FORMATS["parquet"], "-", "-o", "f.csv").exit_code == 1
    assert list(temporary.iterdir()) == [theirs]
