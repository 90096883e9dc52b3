"""Waivers: whose word counts, what they cover, until when, and that nothing is hidden."""

from __future__ import annotations

import datetime as dt
import json
import pickle
from functools import cache

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

import weakcode
from weakcode.cli import main
from weakcode.errors import InputError, RuleFileError, UnknownNameError
from weakcode.rules.waivers import load_waivers

PAIR = ["R53.1", "R54"]
RULE = "weakness/excludes1-weakness"
REASON = "unrelated - weakness of one arm after a fall"
FILE = f"""\
waivers:
  - rule: {RULE}
    codes: [r54, R531]
    claim_id: A1
    reason: {REASON}
    who: Dr. Example
    until: 2026-06-30
  - {{rule: weakness/underlying-cause-first, codes: M62.81, reason: seen by neurology, who: coder}}
"""


def waiver(**changes):
    return weakcode.Waiver(**{"rule": RULE, "codes": PAIR, "reason": REASON, "who": "Dr. Example"} | changes)


@cache
def plain(engine="durable"):
    return weakcode.Validator(packs=["weakness"], engine=engine, today="2026-06-01")


def rules(findings):
    return [finding.rule for finding in findings]


@pytest.mark.parametrize("engine", ["durable", "columnar"])
def test_a_waiver_on_a_claim_sets_its_finding_apart_with_the_reason(engine):
    claim = weakcode.Claim(PAIR, waivers=[waiver(codes=["r54", "R531"])])
    verdict = plain(engine).judge(claim)
    assert RULE in rules(plain(engine).check(weakcode.Claim(PAIR)))
    assert RULE not in rules(verdict.findings)
    (waived,) = verdict.waived
    assert (waived.rule, waived.codes, waived.waiver.who) == (RULE, ("R53.1", "R54"), "Dr. Example")
    assert waived.to_dict()["waiver"]["reason"] == REASON
    assert verdict.notices == ()


def test_a_waiver_for_other_codes_or_another_rule_waives_nothing_and_is_reported():
    others = [
        waiver(codes=["R53.1", "M62.81"]),
        waiver(rule="icd10cm/excludes1"),
        waiver(rule="weakness/underlying-cause-frist", codes=()),
    ]
    verdict = plain().judge(weakcode.Claim(PAIR, waivers=others))
    assert RULE in rules(verdict.findings)
    assert verdict.waived == ()
    assert len(verdict.unmatched) == 3
    assert any("(R53.1, M62.81) fits no finding" in notice for notice in verdict.notices)
    assert any('did you mean "weakness/underlying-cause-first"?' in notice for notice in verdict.notices)


@pytest.mark.parametrize(("today", "waives"), [("2026-06-30", True), ("2026-07-01", False)])
def test_the_last_day_of_a_waiver_still_waives_and_the_day_after_is_reported(today, waives):
    validator = weakcode.Validator(packs=["weakness"], today=today)
    verdict = validator.judge(weakcode.Claim(PAIR, waivers=[waiver(until="2026-06-30")]))
    assert bool(verdict.waived) == waives
    assert ("expired on 2026-06-30" in " ".join(verdict.notices)) != waives
    assert (RULE in rules(verdict.findings)) != waives


def test_without_a_day_waivers_are_held_against_the_day_itself(monkeypatch):
    monkeypatch.delenv("WEAKCODE_TODAY")
    yesterday = dt.date.today() - dt.timedelta(days=1)
    validator = weakcode.Validator(packs=["weakness"])
    assert not validator.judge(weakcode.Claim(PAIR, waivers=[waiver(until=yesterday)])).waived
    assert validator.judge(weakcode.Claim(PAIR, waivers=[waiver(until=dt.date.today())])).waived


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"reason": " "}, "gives no reason"),
        ({"who": ""}, "who answers for it"),
        ({"rule": "weakness"}, "a whole pack is left out by a profile"),
        ({"reason": "payer accepts it"}, 'says "unrelated"'),
        ({"codes": ()}, "names the two codes"),
        ({"codes": ["R53.1", 4]}, "a waiver names codes"),
        ({"until": "next year"}, "last day of the waiver"),
    ],
)
def test_a_waiver_that_leaves_something_out_is_refused_in_a_sentence(changes, said):
    with pytest.raises(InputError, match=said):
        waiver(**changes)


def test_a_mapping_on_a_claim_with_a_key_that_is_unknown_is_refused():
    with pytest.raises(InputError, match='did you mean "reason"'):
        weakcode.Claim(PAIR, waivers=[{"rule": RULE, "reasons": "x", "who": "y"}])


def test_a_file_waives_on_the_claim_it_names_and_a_standing_waiver_on_every_claim(tmp_path):
    path = tmp_path / "waivers.yaml"
    path.write_text(FILE)
    validator = weakcode.Validator(packs=["weakness"], waivers=path, today="2026-06-01")
    assert rules(validator.judge(weakcode.Claim(PAIR, "A1")).waived) == [RULE]
    assert rules(validator.judge(weakcode.Claim(PAIR, "A2")).waived) == []
    assert rules(validator.judge(weakcode.Claim(["M62.81", "I10"], "A2")).waived) == ["weakness/underlying-cause-first"]


def test_a_csv_of_waivers_says_the_same_as_yaml(tmp_path):
    yaml, table = tmp_path / "w.yaml", tmp_path / "w.csv"
    yaml.write_text(FILE)
    table.write_text(
        f"rule,codes,claim_id,reason,who,until\n{RULE},R54 R53.1,A1,{REASON},Dr. Example,2026-06-30\n"
        "weakness/underlying-cause-first,M62.81,,seen by neurology,coder,\n"
    )
    assert load_waivers(table) == load_waivers(yaml)
    assert [one.place for one in load_waivers(table)] == [f"{table}:2", f"{table}:3"]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        (
            "w.yaml",
            "waivers:\n  - {rule: weakness/x, reason: a, who: b}\n",
            "2:5: the waiver of weakness/x names neither",
        ),
        ("w.yaml", "waivers:\n  - {rule: weakness/x, codes: I10, who: b}\n", '2:5: a waiver needs "reason"'),
        ("w.yaml", "waivers:\n  - {rule: weakness/x, codes: I10, reason: a, whom: b}\n", 'did you mean "who"?'),
        ("w.csv", "rule,code,reason,who\n", '1:1: "code" is not a column of waivers (did you mean "codes"?)'),
        ("w.csv", "rule,codes,reason,who\nweakness/x,I10,a\n", "2:1: the row has 3 cells, the header 4"),
        ("w.csv", "rule,codes,reason,who\nweakness/x,I10,,b\n", "2:1: the waiver of weakness/x gives no reason"),
        ("w.csv", "codes\nI10\n", "1:1: the waivers have no column rule, reason, who"),
    ],
)
def test_a_wrong_file_of_waivers_is_refused_with_its_place(tmp_path, name, content, said):
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(RuleFileError) as caught:
        load_waivers(path)
    assert said in str(caught.value)


def test_a_file_with_a_rule_that_no_pack_has_is_refused_and_one_of_another_pack_is_not(tmp_path):
    path = tmp_path / "w.yaml"
    path.write_text("waivers:\n  - {rule: icd10cm/duplicate-code, codes: I10, reason: a, who: b}\n")
    weakcode.Validator(packs=["weakness"], waivers=path)
    path.write_text("waivers:\n  - {rule: icd10cm/duplicate-cods, codes: I10, reason: a, who: b}\n")
    with pytest.raises(RuleFileError, match='did you mean "icd10cm/duplicate-code"'):
        weakcode.Validator(packs=["weakness"], waivers=path)
    with pytest.raises(UnknownNameError, match="there is no file of waivers"):
        weakcode.Validator(packs=["weakness"], waivers=tmp_path / "none.yaml")


def test_a_profile_brings_waivers_and_denial_risks(tmp_path):
    path = tmp_path / "clinic.yaml"
    path.write_text(
        "name: clinic\npacks: weakness\nsources: {p: {title: Policy, publisher: Acme}}\n"
        "denial_risk: {weakness/underlying-cause-first: {risk: low, source: p}}\n"
        "payers:\n  Acme: {denial_risk: {M62.8-: {risk: high, source: p, at: section 2}}}\n"
        f"waivers: [{{rule: {RULE}, codes: R53.1 R54, reason: not related, who: coder}}]\n"
    )
    validator = weakcode.Validator(profile=path)
    assert rules(validator.judge(weakcode.Claim(PAIR)).waived) == [RULE]
    (at_acme,) = validator.check(weakcode.Claim(["M62.81", "I10"], payer="ACME"))
    assert str(at_acme.denial_risk) == "Denial risk at Acme: high (Acme: Policy, section 2)"
    (elsewhere,) = validator.check(weakcode.Claim(["M62.81", "I10"], payer="Other"))
    assert str(elsewhere.denial_risk) == "Denial risk: low (Acme: Policy)"


CLAIMS = [("A1", PAIR, "Acme"), ("A2", PAIR, None), ("A3", ["M62.81"], "acme"), ("A4", ["G72.9", "M62.84"], None),
          ("A5", ["M62.81", "I10"], "Acme")]  # fmt: skip


@pytest.fixture
def marked(tmp_path):
    """A profile with risks, a file of waivers, and the same claims as Parquet and JSON Lines."""
    profile = tmp_path / "acme.yaml"
    profile.write_text(
        "name: acme\npacks: weakness\nsources: {p: {title: Policy}}\n"
        "payers:\n  Acme: {denial_risk: {M62.8-: {risk: high, source: p}, R54: {risk: low, source: p}}}\n"
    )
    waivers = tmp_path / "w.yaml"
    waivers.write_text(
        FILE + "  - {rule: weakness/broad-code-denial-risk, codes: M62.81, reason: old, who: a, until: 2020-01-01}\n"
        "  - {rule: weakness/excludes2-hematoma, codes: M62.81, reason: b, who: c}\n"
    )
    rows = [{"claim_id": one, "codes": codes, "payer": payer} for one, codes, payer in CLAIMS]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "claims.parquet")
    (tmp_path / "claims.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return tmp_path


def test_batches_and_single_claims_are_marked_alike_and_counted_alike(marked):
    tables, counts = [], []
    for kind in ("parquet", "jsonl"):
        output, summary = marked / f"{kind}.parquet", marked / f"{kind}.json"
        args = ["scrub", str(marked / f"claims.{kind}"), "-o", str(output), "--summary", str(summary)]
        args += ["--profile", str(marked / "acme.yaml"), "--waivers", str(marked / "w.yaml"), "--today", "2026-06-01"]
        result = CliRunner().invoke(main, args)
        assert result.exit_code == 1, result.output
        rows = pq.read_table(output).drop_columns(["file", "line", "place"]).to_pylist()
        tables.append(rows)
        counted = json.loads(summary.read_text())
        names = ("waived", "clean", "by_rule", "by_severity", "idle_waivers")
        counts.append({name: counted[name] for name in names})
    assert tables[0] == tables[1]
    assert counts[0] == counts[1]
    by_claim = {(row["claim_id"], row["rule"]): row for row in tables[0]}
    assert by_claim["A1", RULE]["waived_by"] == "Dr. Example"
    assert by_claim["A1", RULE]["waiver"] == REASON
    assert by_claim["A1", RULE]["denial_risk"] == "low"
    assert by_claim["A2", RULE]["waiver"] is None
    assert by_claim["A2", RULE]["denial_risk"] is None
    assert by_claim["A3", "weakness/broad-code-denial-risk"]["denial_risk_source"] == "Policy"
    assert counts[0]["waived"] == sum(row["waiver"] is not None for row in tables[0]) == 2
    assert sum(counts[0]["by_rule"].values()) == len(tables[0]) - 2
    assert counts[0]["clean"] == 2  # the claim in order, and the one whose only finding is waived
    assert [sentence.split(": ", 1)[1] for sentence in counts[0]["idle_waivers"]] == [
        "the waiver of weakness/broad-code-denial-risk (M62.81) expired on 2020-01-01, and the finding counts again",
        "the waiver of weakness/excludes2-hematoma (M62.81) waived nothing",
    ]


def test_a_waived_finding_is_shown_and_does_not_fail_the_command(tmp_path):
    path = tmp_path / "w.yaml"
    path.write_text(f"waivers: [{{rule: {RULE}, codes: R53.1 R54, reason: unrelated, who: coder}}]\n")
    args = ["check", *PAIR, "--only", "weakness", "--waivers", str(path)]
    result = CliRunner().invoke(main, args)
    assert result.exit_code == 0
    assert f"waived   {RULE}" in result.output
    assert "waived by coder: unrelated" in result.output
    assert "1 waived" in result.output
    answer = json.loads(CliRunner().invoke(main, [*args, "--format", "json"]).stdout)
    assert [finding["rule"] for finding in answer["waived"]] == [RULE]
    outcome = json.loads(CliRunner().invoke(main, [*args, "--format", "fhir"]).stdout)
    (issue,) = [one for one in outcome["issue"] if "waived by coder" in one.get("diagnostics", "")]
    assert issue["severity"] == "information"


def test_a_waiver_of_a_file_that_fits_nothing_on_the_claim_is_reported(tmp_path):
    path = tmp_path / "w.yaml"
    path.write_text("waivers: [{rule: icd10cm/excludes1, codes: R53.1 R54, reason: unrelated, who: coder}]\n")
    result = CliRunner().invoke(main, ["check", *PAIR, "--only", "weakness", "--waivers", str(path)])
    assert result.exit_code == 1
    assert f"fits no finding; on these codes there is a finding of {RULE}" in " ".join(result.output.split())


def test_json_lines_carry_waivers_and_a_wrong_one_sets_its_row_aside(tmp_path):
    path = tmp_path / "claims.jsonl"
    good = {"rule": RULE, "codes": PAIR, "reason": "unrelated", "who": "coder"}
    bad = {"rule": RULE, "codes": PAIR, "reason": "unrelated"}
    lines = [{"claim_id": "a", "codes": PAIR, "waivers": [good]}, {"claim_id": "b", "codes": PAIR, "waivers": [bad]},
             {"claim_id": "c", "codes": ["M62.84"], "waivers": [good]}]  # fmt: skip
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    result = CliRunner().invoke(main, ["scrub", str(path), "--only", "weakness", "--rejects", str(tmp_path / "r.csv")])
    assert "1 waived" in result.output
    assert f"{path}, line 3: the waiver of {RULE} (R53.1, R54) fits no finding" in " ".join(result.output.split())
    assert "does not say who answers for it" in (tmp_path / "r.csv").read_text()


def test_a_fix_leaves_waived_findings_alone():
    claim = weakcode.Claim(["M62.84", "G72.9"], waivers=[
        {"rule": "weakness/sarcopenia-underlying-disease-first", "reason": "the record says so", "who": "coder"}
    ])  # fmt: skip
    fixed = plain().fix(claim)
    assert fixed.claim.codes == ("M62.84", "G72.9")
    assert plain().fix(weakcode.Claim(claim.codes)).claim.codes == ("G72.9", "M62.84")


def test_what_is_waived_stands_in_the_output_of_fix_too(tmp_path):
    path = tmp_path / "w.yaml"
    path.write_text(f"waivers: [{{rule: {RULE}, codes: R53.1 R54, reason: unrelated, who: coder}}]\n")
    args = ["fix", *PAIR, "--only", "weakness", "--waivers", str(path)]
    assert "waived by coder: unrelated" in CliRunner().invoke(main, args).output
    answer = json.loads(CliRunner().invoke(main, [*args, "--format", "json"]).stdout)
    assert [finding["rule"] for finding in answer["waived"]] == [RULE]


def test_a_validator_with_waivers_and_risks_is_sent_to_other_processes_whole(marked):
    validator = weakcode.Validator(profile=marked / "acme.yaml", waivers=marked / "w.yaml", today="2026-06-01")
    sent = pickle.loads(pickle.dumps(validator))
    claims = [weakcode.Claim(codes, one, payer=payer) for one, codes, payer in CLAIMS]
    assert [sent.judge(claim) for claim in claims] == [validator.judge(claim) for claim in claims]


def test_mended_claims_are_written_without_their_waivers_and_the_summary_says_so(tmp_path):
    path, mended = tmp_path / "claims.jsonl", tmp_path / "mended.jsonl"
    own = {"rule": RULE, "codes": PAIR, "reason": "unrelated", "who": "coder"}
    path.write_text(json.dumps({"claim_id": "a", "codes": PAIR, "waivers": [own]}) + "\n")
    result = CliRunner().invoke(main, ["scrub", str(path), "--only", "weakness", "--fix", str(mended)])
    assert json.loads(mended.read_text())["codes"] == PAIR
    assert "1 of the claims are without their waivers" in " ".join(result.output.split())
