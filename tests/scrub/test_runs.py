"""Runs have an id, a time and inputs with digests; gates tell the good ones from the bad."""

from __future__ import annotations

import hashlib
import json
import os
import re
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from weakcode import Validator, schemas
from weakcode.cli import main
from weakcode.cli.claims.scrubtext import summary_text
from weakcode.cli.common.status import Status
from weakcode.errors import InputError, UnavailableError
from weakcode.scrub import watching
from weakcode.scrub.gates import Gate
from weakcode.scrub.judge.rows import EvaluatedRecord
from weakcode.scrub.run import Plan
from weakcode.scrub.runs import Digests
from weakcode.scrub.summary import Summary

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "nightly.md"
GOOD, BAD, WRONG = "A{},I10\n", "B{},\n", "C{},M62.84\n"


def run(*arguments: object, status: int = 0, piped: bytes | None = None) -> Result:
    result = CliRunner().invoke(main, ["scrub", "--only", "weakness", *map(str, arguments)], input=piped)
    assert result.exit_code == status, result.output
    return result


def claims(folder: Path, good: int = 0, bad: int = 0, wrong: int = 0) -> Path:
    path = folder / "claims.csv"
    rows = [
        line.format(number) for line, count in ((GOOD, good), (BAD, bad), (WRONG, wrong)) for number in range(count)
    ]
    path.write_text("claim_id,codes\n" + "".join(rows))
    return path


@pytest.fixture
def yesterday(tmp_path: Path) -> Path:
    path = tmp_path / "findings.csv"
    path.write_text("yesterday\n")
    return path


def test_a_summary_and_a_findings_file_say_which_run_it_was_and_what_it_read(tmp_path: Path) -> None:
    path, out, told = claims(tmp_path, good=1, wrong=1), tmp_path / "f.parquet", tmp_path / "s.json"
    run(path, "-o", out, "--summary", told, "--run-id", "night-7", status=1)
    summary = json.loads(told.read_text())
    assert summary["run"]["id"] == "night-7"
    assert summary["run"]["started"] <= summary["run"]["ended"]
    content = path.read_bytes()
    read = {"path": str(path), "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    assert summary["inputs"] == [read]
    metadata = pq.read_metadata(out).metadata
    assert metadata[b"weakcode.run.id"] == b"night-7"
    assert json.loads(metadata[b"weakcode.inputs"]) == [read]
    assert metadata[b"weakcode.rules"].decode() == summary["rules"]
    assert set(schemas.schema("summary")["required"]) <= set(summary)


def test_standard_input_has_a_digest_too(tmp_path: Path) -> None:
    content = claims(tmp_path, good=3).read_bytes()
    run("-", "-o", tmp_path / "f.csv", "--summary", tmp_path / "s.json", piped=content)
    (read,) = json.loads((tmp_path / "s.json").read_text())["inputs"]
    assert read == {
        "path": "standard input",
        "size": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }


def test_every_run_has_an_id_of_its_own_and_other_rules_another_digest(tmp_path: Path) -> None:
    path, told = claims(tmp_path, good=1), tmp_path / "s.json"
    runs = []
    for options in ((), (), ("--only", "covid")):
        run(path, "-o", tmp_path / "f.csv", "--summary", told, *options)
        runs.append(json.loads(told.read_text()))
    assert len({one["run"]["id"] for one in runs}) == 3
    assert [one["rules"] == runs[0]["rules"] for one in runs] == [True, True, False]


def test_a_run_with_the_same_id_and_time_writes_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1780000000")
    path, out = claims(tmp_path, good=2, wrong=2), tmp_path / "f.parquet"
    for options in (["--run-id", "again"], []):
        contents = set()
        for _ in range(2):
            run(path, "-o", out, *options, status=1)
            contents.add(out.read_bytes())
        assert len(contents) == 1
    run(path, "-o", out, "--run-id", "again", status=1)
    assert pq.read_metadata(out).metadata[b"weakcode.run.started"] == b"2026-05-28T20:26:40Z"


@pytest.mark.parametrize("name", ["", " night", "a" * 129, "night 7", "-x", "a\n"])
def test_an_id_that_cannot_be_is_refused_before_anything_is_read(tmp_path: Path, name: str) -> None:
    said = run(tmp_path / "none.csv", f"--run-id={name}", status=2).output
    assert "the id of a run is" in said


@pytest.mark.parametrize(
    ("gate", "bad", "status"),
    [("0", 0, 0), ("0", 1, 3), ("1", 1, 0), ("1", 2, 3), ("10%", 1, 0), ("10.5%", 2, 3), ("100%", 9, 0), ("0%", 1, 3)],
)
def test_more_rejects_than_a_gate_allows_give_status_3(tmp_path: Path, gate: str, bad: int, status: int) -> None:
    run(claims(tmp_path, good=10 - bad, bad=bad), "-o", tmp_path / "f.csv", "--max-rejects", gate, status=status)


@pytest.mark.parametrize("columnar", [True, False])
def test_of_a_run_with_too_many_rejects_only_rejects_and_summary_are_written(
    tmp_path: Path, yesterday: Path, columnar: bool
) -> None:
    path, aside, told, mended = claims(tmp_path, 1, 2, 1), *(tmp_path / name for name in ("r.jsonl", "s.json", "m.csv"))
    options = () if columnar else ("--engine", "durable")
    run(
        path, "-o", yesterday, "--rejects", aside, "--summary", told, "--fix", mended, "--max-rejects", 1, *options,
        status=3,
    )  # fmt: skip
    assert yesterday.read_text() == "yesterday\n"
    assert len(aside.read_text().splitlines()) == 2
    summary = json.loads(told.read_text())
    assert (summary["over"], summary["is_kept"]) == (["--max-rejects 1"], False)
    assert sorted(one.name for one in tmp_path.iterdir()) == sorted([path.name, yesterday.name, aside.name, told.name])


@pytest.mark.parametrize("name", ["f.csv", "f.jsonl", "f.parquet", "f.arrow", "f.arrows"])
def test_a_run_in_which_every_row_was_rejected_leaves_what_stood_there(tmp_path: Path, name: str) -> None:
    out = tmp_path / name
    out.write_text("yesterday\n")
    said = run(claims(tmp_path, bad=2), "-o", out, status=2).output
    assert "the output was left as it was" in said
    assert out.read_text() == "yesterday\n"


def test_a_run_without_any_row_writes_that_there_are_no_findings(tmp_path: Path, yesterday: Path) -> None:
    run(claims(tmp_path), "-o", yesterday)
    assert "yesterday" not in yesterday.read_text()


@pytest.mark.parametrize(("gate", "status"), [("2", 1), ("1", 3), ("20%", 1), ("19.9%", 3)])
@pytest.mark.parametrize("engine", ["columnar", "durable"])
def test_more_claims_with_errors_than_a_gate_allows_give_status_3_and_are_written(
    tmp_path: Path, yesterday: Path, gate: str, status: int, engine: str
) -> None:
    path = claims(tmp_path, good=8, wrong=2)
    run(path, "-o", yesterday, "--max-errors", gate, "--engine", engine, status=status)
    assert yesterday.read_text().count("M62.84") >= 2


@pytest.mark.parametrize("text", ["", "x", "-1", "101%", "5 %%", "1e3", "0.5", "5/100"])
def test_a_gate_is_a_number_or_a_percentage(text: str) -> None:
    with pytest.raises(InputError, match="--max-rejects is a number of claims"):
        Gate.of("max-rejects", text)


def test_the_rejects_in_parquet_have_the_reason_and_the_row_as_it_stands(tmp_path: Path) -> None:
    path, aside = tmp_path / "claims.csv", tmp_path / "r.parquet"
    path.write_text("claim_id,codes,age\nA,I10,\nB,,\nC,I10,seventy\n")
    run(path, "-o", tmp_path / "f.csv", "--rejects", aside)
    rows = pq.read_table(aside).to_pylist()
    assert [(row["line"], row["claim_id"], row["raw"]) for row in rows][:2] == [
        (3, "B", "B,,"),
        (4, "C", "C,I10,seventy"),
    ]
    assert len(rows) == 2
    assert all(row["reason"] and row["raw"] for row in rows)


def test_quiet_says_nothing_of_a_run_that_went_well_and_what_went_wrong_of_another(tmp_path: Path) -> None:
    for form in ("text", "json"):
        assert run(claims(tmp_path, good=2), "-o", tmp_path / "f.csv", "--quiet", "--format", form).output == ""
    assert "no row could be read" in run(claims(tmp_path, bad=1), "-o", tmp_path / "f.csv", "--quiet", status=2).output


def test_the_summary_names_the_20_most_frequent_rules_unless_asked_for_all() -> None:
    rules = {f"pack/rule-{number}": 30 - number for number in range(25)}
    summary = Summary(
        claims_in=9, evaluated=9, rejected=0, clean=0, by_severity={"error": sum(rules.values())}, by_rule=rules,
        seconds=1.0,
    )  # fmt: skip
    assert "rule-19" in (said := summary_text(summary, None))
    assert "rule-20" not in said
    assert "5 more rules; --all-rules shows them" in said
    assert all(rule in summary_text(summary, None, all_rules=True) for rule in rules)


def test_the_guide_has_every_exit_status_with_what_it_says() -> None:
    rows = re.findall(r"^\| (\d+) \| (.+) \|$", GUIDE.read_text("utf-8"), re.MULTILINE)
    assert [(int(number), said) for number, said in rows] == [(one.value, one.meaning) for one in Status]


def _holds(schema: dict[str, Any], given: dict[str, Any]) -> str:
    """Return what a value of a schema holds, as the guide says it."""
    if "const" in given:
        return f"number {given['const']}"
    if "anyOf" in given:
        return " or ".join(_holds(schema, one) for one in given["anyOf"])
    given = schema["$defs"][given["$ref"].rpartition("/")[2]] if "$ref" in given else given
    if "properties" in given:
        return f"object ({', '.join(f'`{name}`' for name in given['properties'])})"
    if given["type"] == "array":
        return f"list: {_holds(schema, given['items'])}"
    if given["type"] == "object":
        return f"by name: {_holds(schema, given['additionalProperties'])}"
    return {"integer": "number", "string": "text", "boolean": "true or false"}.get(given["type"], given["type"])


def test_the_guide_has_every_key_of_the_summary_with_what_it_holds(tmp_path: Path) -> None:
    schema = schemas.schema("summary")
    (table,) = re.findall(r"### The summary\n(.+?)\n## ", GUIDE.read_text("utf-8"), re.DOTALL)
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \| .+ \|$", table, re.MULTILINE)
    assert rows == [(name, _holds(schema, one)) for name, one in schema["properties"].items()]
    run(claims(tmp_path, good=1, bad=0, wrong=0), "-o", tmp_path / "f.csv", "--summary", tmp_path / "s.json", status=0)
    assert set(json.loads((tmp_path / "s.json").read_text())) == {name for name, _ in rows}


def test_the_counts_are_written_as_openmetrics(tmp_path: Path) -> None:
    told = tmp_path / "run.prom"
    run(claims(tmp_path, good=2, bad=1, wrong=3), "-o", tmp_path / "f.csv", "--metrics", told, status=1)
    lines = told.read_text().splitlines()
    assert lines[-1] == "# EOF"
    for line in (
        'weakcode_claims{outcome="evaluated"} 5',
        'weakcode_claims{outcome="rejected"} 1',
        'weakcode_findings{severity="error"} 3',
        'weakcode_findings_by_rule{rule="weakness/sarcopenia-underlying-disease-first"} 3',
        "weakcode_run_kept 1",
    ):
        assert line in lines
    names = [line.split()[2] for line in lines if line.startswith("# TYPE")]
    assert len(set(names)) == len(names)
    assert all(line.startswith(("# ", *names)) for line in lines)


def test_without_a_terminal_a_line_now_and_then_says_how_far_a_run_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "EVERY", 0.0)
    path = claims(tmp_path, good=3)
    said = run(path, "-o", tmp_path / "f.csv").stderr
    assert re.search(r"^weakcode: \d+ claims.* findings(, \d+%, \d+ min left)?$", said, re.MULTILINE)
    assert "min left" not in run(path, "-o", tmp_path / "f.csv", "--quiet").stderr


@pytest.mark.parametrize("change", ["grows", "is cut", "is replaced", "is other", "gets another time"])
def test_a_file_of_claims_that_is_written_into_while_it_is_read_fails_the_run(
    tmp_path: Path, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, output = tmp_path / "claims.csv", tmp_path / "f.csv"
    add = Digests.add
    monkeypatch.setattr(Digests, "add", lambda self, file: (add(self, file), self.wait()))
    path.write_text("claim_id,codes\nA,M62.84\nB,I10\n")
    output.write_text("of yesterday")

    def meanwhile(_: EvaluatedRecord) -> None:
        if change == "grows":
            path.write_text("claim_id,codes\nA,M62.84\nB,I10\nC,M62.84\n")
        elif change == "is cut":
            path.write_text("claim_id,codes\n")
        elif change == "is other":
            path.write_text("claim_id,codes\nA,M62.84\nB,I11\n")
            os.utime(path, (1, 1))
        elif change == "gets another time":  # as from a program that copies it with its times
            os.utime(path, (1, 1))
        else:
            (tmp_path / "other.csv").write_text("claim_id,codes\nC,I10\n")
            (tmp_path / "other.csv").replace(path)

    plan = Plan([path], Validator(packs="weakness"), on_judged=meanwhile, output=output)
    if change in ("is replaced", "gets another time"):
        assert plan.run().evaluated == 2
        assert "M62.84" in output.read_text()
    else:
        with pytest.raises(UnavailableError, match=r"claims.csv was changed while it was read; run again"):
            plan.run()
        assert output.read_text() == "of yesterday"


def test_a_digest_that_may_be_of_what_came_later_does_not_excuse_a_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, add = tmp_path / "claims.csv", Digests.add
    path.write_text("claim_id,codes\nA,M62.84\n")

    def touched_before(digests: Digests, file: Path) -> None:
        os.utime(path, (1, 1))
        add(digests, file)

    monkeypatch.setattr(Digests, "add", touched_before)
    with pytest.raises(UnavailableError, match="was changed while it was read"):
        Plan([path], Validator(packs="weakness"), output=tmp_path / "f.csv").run()
