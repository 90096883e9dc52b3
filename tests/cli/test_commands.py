"""The command line, as a biller meets it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from weakcode import __version__
from weakcode.cli import main

PROJECT = Path(__file__).resolve().parents[2]


def weakcode(*args: str, **options: Any) -> Result:
    return CliRunner().invoke(main, list(args), **options)


def rules_in(result: Result) -> list[str]:
    return [finding["rule"] for finding in json.loads(result.stdout)["findings"]]


def test_sarcopenia_alone_is_reported_with_rule_message_and_source() -> None:
    result = weakcode("check", "M62.84", "I10")
    assert result.exit_code == 1
    assert "error    weakness/sarcopenia-underlying-disease-first  M62.84 at 1" in result.stdout
    assert "needs the underlying muscle disease" in result.stdout
    assert "source: ICD-10-CM Tabular List" in result.stdout


def test_a_clean_claim_has_no_findings_and_status_0() -> None:
    result = weakcode("check", "G72.9", "M62.84")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "No findings. Judged by ICD-10-CM 2026-04" in result.stdout


def test_the_order_of_post_covid_codes_is_reported() -> None:
    result = weakcode("check", "u099", "J96.10", "--format", "json")
    assert result.exit_code == 1
    assert set(rules_in(result)) == {"covid/post-covid-condition-first", "covid/post-covid-secondary-only"}


def test_each_pair_that_excludes_the_other_is_reported_once() -> None:
    result = weakcode("check", "M62.81", "R54", "F03.90", "M62.84", "--format", "json")
    pairs = [
        tuple(sorted(finding["codes"]))
        for finding in json.loads(result.stdout)["findings"]
        if "excludes1" in finding["rule"]
    ]
    assert sorted(pairs) == [("F03.90", "R54"), ("M62.81", "M62.84"), ("M62.84", "R54")]


def test_json_is_one_object_with_the_names_that_programs_rely_on() -> None:
    answer = json.loads(weakcode("check", "M62.84 I10", "--only", "weakness", "--format", "json").stdout)
    assert {"edition", "engine", "packs", "findings", "waived"} <= set(answer)
    assert (answer["edition"], answer["engine"], answer["waived"]) == ("2026-04", "columnar", [])
    (finding,) = answer["findings"]
    assert {"rule", "severity", "confidence", "message", "codes", "positions", "sources", "fix", "version"} <= set(
        finding
    )
    assert (finding["codes"], finding["positions"], finding["severity"]) == (["M62.84"], [1], "error")


def test_fail_on_says_from_which_severity_the_status_is_1() -> None:
    codes = ("check", "M62.81", "I10")
    assert weakcode(*codes).exit_code == 0
    assert weakcode(*codes, "--fail-on", "warning").exit_code == 1
    assert weakcode("check", "M62.84", "--fail-on", "never").exit_code == 0


def test_documented_facts_and_texts_reach_the_rules() -> None:
    current = weakcode("check", "J12.82", "--documented", "covid-current", "--format", "json")
    assert "covid/active-infection-is-u071" in rules_in(current)
    text = weakcode("check", "I10", "R53.1", "--text", "2=Senile debility", "--format", "json")
    fixes = {finding["rule"]: finding["fix"] for finding in json.loads(text.stdout)["findings"]}
    assert fixes["weakness/documented-term"]["code"] == "R54"


def test_rules_adds_a_file_or_a_rule_that_is_off_to_the_bundled_rules_and_says_so(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text(
        "pack: own\ntitle: Own\nrules:\n"
        "  - {id: no-cramp, title: Cramp, severity: info, subject: M62.4-, forbid: R25.2}\n"
    )
    pair = ("check", "M62.441", "R25.2", "R25.2", "--format", "json")
    bundled = rules_in(weakcode(*pair))
    assert "icd10cm/duplicate-code" in bundled
    added = weakcode(*pair, "--rules", str(own))
    assert sorted(rules_in(added)) == sorted([*bundled, "own/no-cramp"])
    assert "--only applies only the named rules" in added.stderr
    alone = weakcode(*pair, "--only", str(own))
    assert rules_in(alone) == ["own/no-cramp"]
    assert alone.stderr == ""
    off = ("check", "G72.9", "M62.81", "M79.81", "--format", "json")
    switched_on = rules_in(weakcode(*off, "--rules", "weakness/excludes2-hematoma"))
    assert sorted(switched_on) == sorted([*rules_in(weakcode(*off)), "weakness/excludes2-hematoma"])
    both = rules_in(weakcode(*pair, "--only", "own/no-cramp", "--only", str(own), "--rules", "icd10cm/duplicate-code"))
    assert sorted(both) == ["icd10cm/duplicate-code", "own/no-cramp"]


def test_a_rule_added_by_its_id_may_be_of_a_file_of_the_profile(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(
        "pack: own\ntitle: Own\nrules:\n"
        "  - {id: no-cramp, title: Cramp, severity: info, enabled: false, subject: M62.4-, forbid: R25.2}\n"
    )
    (tmp_path / "payer.yaml").write_text("name: payer\npacks: [covid]\nextra_rules: [own.yaml]\n")
    pair = ("check", "M62.441", "R25.2", "--format", "json", "--profile", str(tmp_path / "payer.yaml"))
    assert rules_in(weakcode(*pair)) == []
    assert rules_in(weakcode(*pair, "--rules", "own/no-cramp")) == ["own/no-cramp"]


def test_only_chooses_a_pack_or_a_single_rule_that_is_off() -> None:
    assert rules_in(weakcode("check", "U09.9", "--only", "covid", "--format", "json")) != []
    assert rules_in(weakcode("check", "M62.84", "--only", "covid", "--format", "json")) == []
    off = ("check", "G72.9", "M62.81", "M79.81", "--format", "json")
    assert "weakness/excludes2-hematoma" not in rules_in(weakcode(*off))
    assert rules_in(weakcode(*off, "--only", "weakness/excludes2-hematoma")) == ["weakness/excludes2-hematoma"]


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["check", ""], "diagnosis 1 is empty"),
        (["check", "I10", "--age", "-3"], "the age is not a whole number of years"),
        (["check", "I10", "--date", "2026-02-30"], "not a date"),
        (["check", "I10", "--setting", "clinic"], "not one of professional, outpatient, inpatient"),
        (["check", "I10", "--documented", "covid-curent"], 'did you mean "covid-current"'),
        (["check", "I10", "--only", "weekness"], 'did you mean "weakness"'),
        (["check", "I10", "--only", "weakness/no-such-rule"], 'has no rule "no-such-rule"'),
        (["check", "I10", "--profile", "none.yaml"], "none.yaml"),
        (["check", "I10", "--engine", "quantum"], 'the engine "quantum" does not exist'),
        (["check", "I10", "--text", "3=Frailty"], "POSITION=TEXT"),
        (["check", "I10", "--text", "1=a", "--text", "1=b"], "twice for position 1"),
        (["scrub", "no-such-file.csv"], "does not exist"),
        (["code", "QQQ.1"], "is not in ICD-10-CM"),
        (["find", " "], "no text to find"),
        (["rules", "show", "weakness/excludes1-frailti"], 'did you mean "weakness/excludes1-frailty"'),
    ],
)
def test_bad_input_is_one_sentence_and_status_2(args: list[str], said: str) -> None:
    result = weakcode(*args)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert said in result.stderr
    assert result.stderr.startswith("weakcode: ")
    assert result.stderr.count("\n") == 1


def test_bad_usage_is_status_2_with_a_hint() -> None:
    assert weakcode("check").exit_code == 2
    assert weakcode("check", "I10", "--fail-on", "fatal").exit_code == 2
    unknown = weakcode("chek", "I10")
    assert unknown.exit_code == 2
    assert 'did you mean "check"' in unknown.stderr


def test_a_bug_is_an_apology_and_not_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("I10 of patient Doe")

    monkeypatch.delenv("WEAKCODE_DEBUG", raising=False)
    monkeypatch.setattr("weakcode.validator.Validator.judge", broken)
    result = weakcode("check", "I10")
    assert result.exit_code == 70
    assert "something went wrong inside weakcode (ZeroDivisionError)" in result.stderr
    assert "Traceback" not in result.stderr
    assert "Doe" not in result.stderr


def test_the_example_claims_are_scrubbed_into_readable_findings_and_a_summary() -> None:
    result = weakcode("scrub", str(PROJECT / "examples" / "claims.csv"))
    assert result.exit_code == 1
    assert "Claim EX-001  M62.84 I10" in result.stdout
    assert "Claim EX-002" not in result.stdout
    assert "42 claims in = 42 evaluated + 0 rejected" in result.stdout
    assert "\x1b[" not in result.stdout


def test_scrub_writes_findings_rejects_and_summary(tmp_path: Path) -> None:
    claims = tmp_path / "claims.csv"
    claims.write_text("claim_id,codes,age,mood\nA,M62.84 I10,81,fine\nB,I10,minus one,fine\nC,I10,50,fine\n")
    files = {name: str(tmp_path / name) for name in ("f.parquet", "r.csv", "s.json")}
    result = weakcode(
        "scrub",
        str(claims),
        "-o",
        files["f.parquet"],
        "--rejects",
        files["r.csv"],
        "--summary",
        files["s.json"],
    )
    assert result.exit_code == 1
    assert "3 claims in = 2 evaluated + 1 rejected" in result.stdout
    assert "line 3 (age)" in result.stdout
    assert "not known: mood" in result.stdout
    assert "minus one" not in result.stdout + result.stderr
    assert "minus one" in (tmp_path / "r.csv").read_text()
    summary = json.loads((tmp_path / "s.json").read_text())
    assert (summary["claims_in"], summary["evaluated"], summary["rejected"], summary["clean"]) == (3, 2, 1, 1)
    assert (tmp_path / "f.parquet").stat().st_size > 0


def test_a_fact_that_no_pack_knows_rejects_its_claim_only(tmp_path: Path) -> None:
    claims = tmp_path / "claims.csv"
    claims.write_text("claim_id,codes,documented\nA,M62.84 I10,\nB,I10,moon-phase\n")
    result = weakcode("scrub", str(claims))
    assert "2 claims in = 1 evaluated + 1 rejected" in result.stdout
    assert "line 3 (documented facts)" in result.stdout


@pytest.mark.parametrize("engine", ["columnar", "durable"])
def test_a_fact_that_only_packs_ask_for_that_were_not_chosen_rejects_no_claim(tmp_path: Path, engine: str) -> None:
    claims = tmp_path / "claims.csv"
    claims.write_text("claim_id,codes,documented\nA,M62.84 U09.9,covid-prior-symptoms\n")
    result = weakcode("scrub", str(claims), "--only", "weakness", "--engine", engine)
    assert "1 claim in = 1 evaluated + 0 rejected" in result.stdout
    assert "weakness/sarcopenia-underlying-disease-first" in result.stdout
    assert weakcode("check", "I10", "--only", "weakness", "--documented", "covid-prior-symptoms").exit_code == 0


def test_nothing_that_could_be_read_is_bad_input(tmp_path: Path) -> None:
    claims = tmp_path / "claims.csv"
    claims.write_text("claim_id,codes\nA,\n")
    assert weakcode("scrub", str(claims)).exit_code == 2


def test_scrub_in_json_prints_one_finding_a_line_and_the_summary_elsewhere(tmp_path: Path) -> None:
    claims = tmp_path / "claims.csv"
    claims.write_text("claim_id,codes\nA,M62.84 I10\n")
    result = weakcode("scrub", str(claims), "--format", "json")
    (line,) = result.stdout.splitlines()
    assert json.loads(line)["claim_id"] == "A"
    assert "1 claim in = 1 evaluated" in result.stderr


def test_a_code_is_shown_with_its_place_its_notes_and_its_rules() -> None:
    result = weakcode("code", "r54")
    assert result.exit_code == 0
    assert result.stdout.startswith("R54  Age-related physical debility\nbillable code")
    assert "R50-R69" in result.stdout
    assert "sarcopenia (M62.84)" in result.stdout
    assert "weakness/excludes1-frailty (subject; error)" in result.stdout


def test_a_category_is_shown_as_not_billable_with_what_is_below_it() -> None:
    result = weakcode("code", "M62.5")
    assert "not billable" in result.stdout
    assert "M62.50" in result.stdout


def test_senile_debility_is_found_as_r54() -> None:
    assert weakcode("find", "senile debility").stdout.splitlines()[0].startswith("R54")
    assert json.loads(weakcode("find", "senile", "debility", "--format", "json").stdout)["hits"][0]["code"] == "R54"
    assert weakcode("find", "xyzzyq").stdout.startswith("Nothing in ICD-10-CM")


def test_rules_are_listed_and_shown() -> None:
    listed = weakcode("rules", "list")
    assert re.search(r"weakness/excludes2-hematoma +off ", listed.stdout)
    shown = weakcode("rules", "show", "weakness/excludes1-frailty")
    for heading in ("What it checks", "Why", "Known problems", "Sources", "Passes", "Fails"):
        assert heading in shown.stdout


def test_the_examples_of_the_bundled_rules_keep_their_word() -> None:
    result = weakcode("rules", "test")
    assert result.exit_code == 0, result.stdout
    assert "0 wrong" in result.stdout


def test_a_wrong_example_fails_with_what_was_found(tmp_path: Path) -> None:
    source = (PROJECT / "rules" / "weakness.yaml").read_text()
    right = "{codes: M62.84 I10, finds: [[1]], note: No muscle disease at all.}"
    assert right in source
    (tmp_path / "weakness.yaml").write_text(source.replace(right, right.replace("[[1]]", "[[2]]")))
    result = weakcode("rules", "test", str(tmp_path / "weakness.yaml"))
    assert result.exit_code == 1
    assert "- a finding at position 2" in result.stdout
    assert "+ a finding at position 1" in result.stdout


def test_a_wrong_mended_claim_fails_with_the_claim_that_the_fix_gives(tmp_path: Path) -> None:
    source = (PROJECT / "rules" / "weakness.yaml").read_text()
    assert "fixed: G72.9 M62.84" in source
    (tmp_path / "weakness.yaml").write_text(source.replace("fixed: G72.9 M62.84", "fixed: M62.84 G72.9"))
    result = weakcode("rules", "test", str(tmp_path / "weakness.yaml"))
    assert result.exit_code == 1
    assert "- fixed: M62.84 G72.9" in result.stdout
    assert "+ fixed: G72.9 M62.84" in result.stdout


def test_the_page_of_a_rule_with_a_safe_fix_shows_the_mended_claim() -> None:
    shown = weakcode("rules", "show", "icd10cm/code-first-order")
    assert "Mended: E11.43 K31.84" in shown.stdout


def test_a_broken_rule_file_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text((PROJECT / "rules" / "weakness.yaml").read_text().replace("severity: error", "severty: error", 1))
    result = weakcode("check", "I10", "--only", str(path))
    assert result.exit_code == 2
    assert "mine.yaml:" in result.stderr
    assert "severity" in result.stderr


def test_version_tells_code_edition_and_packs_as_every_verdict_does() -> None:
    code, edition, packs = weakcode("--version").stdout.splitlines()
    assert code == f"weakcode {__version__}"
    assert edition == "ICD-10-CM 2026-04 (2026-04-01 to 2026-09-30)"
    verdict = json.loads(weakcode("check", "I10", "--format", "json").stdout)
    assert verdict["weakcode"] == __version__
    assert packs == f"packs {', '.join(verdict['packs'])}"
    assert f"weakcode {__version__}." in weakcode("check", "I10").stdout


@pytest.mark.parametrize("args", [["--version"], ["--help"], ["check", "--help"], ["rules", "--help"]])
def test_version_and_help_need_no_heavy_import(args: list[str]) -> None:
    code = (
        "import sys; from weakcode.cli import main\n"
        f"try: main({args!r})\n"
        "except SystemExit as end: assert not end.code\n"
        "heavy = {'numpy', 'pyarrow', 'lark', 'yaml', 'cattrs', 'rich', 'duckdb'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, timeout=60)


def test_a_warm_check_needs_no_heavy_import() -> None:
    weakcode("check", "M62.84", "I10")
    code = (
        "import sys; from weakcode.cli import main\n"
        "try: main(['check', 'M62.84', 'I10'])\n"
        "except SystemExit as end: assert end.code == 1, end.code\n"
        "heavy = {'numpy', 'pyarrow', 'lark', 'yaml', 'cattrs', 'rich', 'duckdb'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, timeout=60)


def test_a_scrub_imports_the_readers_of_its_own_formats_and_no_pandas(tmp_path: Path) -> None:
    claims = tmp_path / "claims.csv"
    claims.write_text("claim_id,codes\nA1,M62.84 I10\n", "utf-8")
    code = (
        "import sys; from weakcode.cli import main\n"
        f"try: main(['scrub', {str(claims)!r}, '-o', {str(tmp_path / 'findings.parquet')!r}])\n"
        "except SystemExit as end: assert end.code == 1, end.code\n"
        "others = ('x12.loops', 'fhir.resource', 'jsonl.file', 'arrow.file')\n"
        "readers = {f'weakcode.scrub.read.{name}' for name in others}\n"
        "unused = {'pandas', 'numpy.random', 'duckdb', 'weakcode.coverage.policies', *readers} & set(sys.modules)\n"
        "assert not unused, unused"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, timeout=60)


def test_a_reader_that_closes_the_pipe_causes_no_error() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "weakcode", "rules", "list"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        noise = process.stderr.read()
    assert b"Traceback" not in noise
    assert b"Exception ignored" not in noise


def test_every_note_of_a_code_says_what_became_of_it() -> None:
    shown = weakcode("code", "R54").stdout
    own, elsewhere = shown.split("Named by notes elsewhere")
    assert "(note at R54)" in own
    assert "(note at Chapter 18)" in own
    assert "-> icd10cm/excludes1" in own
    assert "R53.1  Excludes1" in elsewhere
