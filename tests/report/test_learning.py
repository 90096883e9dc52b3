"""Denials of claims beside findings: what 835 files and tables say, how sure it is, and the profile written from it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

import weakcode
from weakcode.cli import main
from weakcode.errors import InputError
from weakcode.report.learning.measure import LearntRisk, learn
from weakcode.report.learning.remits import read_remits

RULE = "weakness/sarcopenia-underlying-disease-first"
ENVELOPE = (
    "ISA*00*          *00*          *ZZ*PAYER          *ZZ*PROVIDER       *260301*1200*^*00501*000000001*0*P*:~"
    "GS*HP*PAYER*PROVIDER*20260301*1200*1*X*005010X221A1~"
)


def remittance(*claims: str, payer: str = "ACME HEALTH") -> str:
    body = "".join(f"{claim}~" for claim in claims)
    return f"{ENVELOPE}ST*835*0001~N1*PR*{payer}~LX*1~{body}SE*1*0001~GE*1*1~IEA*1*000000001~"


@pytest.fixture
def findings(tmp_path: Path) -> str:
    rows = [f"A{number},M62.84 I10,Acme" for number in range(20)] + ["B1,G72.9 M62.84,Acme", "C1,M62.84 I10,"]
    (tmp_path / "claims.csv").write_text("claim_id,codes,payer\n" + "\n".join(rows) + "\n")
    out = tmp_path / "findings.parquet"
    CliRunner().invoke(main, ["scrub", str(tmp_path / "claims.csv"), "-o", str(out), "--quiet", "--fail-on", "never"])
    return str(out)


def answered(tmp_path: Path, *claims: str, **about: str) -> list[str]:
    path = tmp_path / "r.835"
    path.write_text(remittance(*claims, **about))
    return [str(path)]


@pytest.mark.parametrize(
    ("segments", "denied"),
    [
        (["CLP*A1*1*100*100**12*X"], False),
        (["CLP*A1*4*100*0**12*X", "CAS*CO*11*100"], True),
        (["CLP*A1*4*100*0**12*X", "CAS*PR*11*100"], False),
        (["CLP*A1*4*100*0**12*X", "CAS*CO*45*20**11*80"], True),
        (["CLP*A1*4*100*0**12*X", "CAS*CO*16*100"], False),
        (["CLP*A1*4*100*0**12*X", "CAS*CO*16*100", "MOA***M76"], True),
        (["CLP*A1*1*100*80**12*X", "SVC*HC:97110*50*0", "CAS*PI*16*50", "LQ*HE*MA63"], True),
        (["CLP*A1*4*100*0**12*X", "CAS*OA*16*100", "MIA*0****M64"], True),
        (["CLP*A1*22*-100*0**12*X", "CAS*CO*11*-100"], None),
        (["CLP*A1*4*100*0**12*X", "CAS*CO*11*100", "CLP*A1*1*100*100**12*X"], True),
    ],
    ids=str,
)
def test_a_claim_is_denied_where_an_adjustment_is_about_its_diagnoses(tmp_path, segments, denied):
    if denied is None:
        with pytest.raises(InputError, match="no answer to a claim"):
            read_remits(answered(tmp_path, *segments))
    else:
        assert any(one.is_denied() for one in read_remits(answered(tmp_path, *segments)).answers) is denied


def test_findings_are_counted_by_rule_and_payer_beside_the_claims_without_one(tmp_path, findings):
    denied = [f"CLP*A{number}*4*100*0**12*X~CAS*CO*11*100" for number in range(15)]
    paid = [f"CLP*{claim}*1*100*100**12*X" for claim in ("A15", "A16", "A17", "A18", "B1", "Z9")]
    lesson = learn(read_remits(answered(tmp_path, *denied, *paid)), [findings])
    (risk,) = [one for one in lesson.risks if one.rule == RULE and one.payer == "Acme"]
    assert (risk.answered, risk.denied, risk.level) == (19, 15, "high")
    assert risk.interval == pytest.approx((0.567, 0.915), abs=0.001)
    assert (lesson.answers, lesson.denied, lesson.unanswered) == (21, 15, 2)


@pytest.mark.parametrize(
    ("answers", "denied", "level"),
    [(10, 10, "high"), (3, 2, "medium"), (2, 1, None), (3, 0, None), (40, 0, "low"), (100, 20, "medium"), (0, 0, None)],
)
def test_a_level_is_given_where_the_interval_leaves_no_doubt(answers, denied, level):
    assert LearntRisk("a/b", "", answers, denied).level == level


def test_a_table_of_denials_leaves_all_other_claims_paid(tmp_path, findings):
    table = tmp_path / "denials.csv"
    table.write_text("Claim_ID,CARC,RARC\nA1,CO-11,\nA2,16,M76\nA3,16,N4\nA4,PR-11,\nC1,45 167,\n")
    lesson = learn(read_remits([str(table)]), [findings])
    assert {(one.payer, one.answered, one.denied) for one in lesson.risks if one.rule == RULE} == {
        ("Acme", 20, 2), ("", 1, 1),
    }  # fmt: skip
    only = learn(read_remits([str(table)]), [findings], frozenset(("45",)))
    assert only.denied == 1


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("d.csv", "claim_id;carc;rarc\n A1 ;CO11;\nA2;016.0;m76\nA1;;\n"),
        ("d.csv", '\ufeffCLAIM_ID\tCARC\tRARC\tNote\nA1\t11.0\t\t"two\nlines"\nA2\t16 / 45\tM76\t\n'),
        ("d.jsonl", '{"Claim_ID": "A1", "CARC": 11.0}\n{"CLAIM_ID": "A2", "carc": ["CO-16"], "RARC": "M76"}\n'),
    ],
    ids=str,
)
def test_tables_of_denials_are_read_as_people_write_them(tmp_path, findings, name, content):
    (tmp_path / name).write_text(content)
    answers = read_remits([str(tmp_path / name)] * 2).answers
    assert {one.claim_id for one in answers if one.is_denied()} == {"A1", "A2"}
    assert learn(read_remits([str(tmp_path / name)] * 2), [findings]).denied == 2


@pytest.mark.parametrize(
    ("denied", "answered", "interval"),
    [(0, 10, (0.0, 0.27753)), (1, 20, (0.00888, 0.23613)), (8, 10, (0.49016, 0.94332)), (81, 263, (0.25529, 0.36621))],
    # The last is the example of Newcombe (1998), table I: 0.2553 to 0.3662.
)
def test_intervals_are_those_of_wilson_computed_elsewhere(denied, answered, interval):
    assert LearntRisk("r", "p", answered, denied).interval == pytest.approx(interval, abs=1e-5)


def test_the_profile_that_is_written_loads_and_says_the_risk(tmp_path, findings):
    table = tmp_path / "denials.jsonl"
    table.write_text("".join(json.dumps({"claim_id": f"A{n}", "carc": ["11"]}) + "\n" for n in range(18)))
    out = tmp_path / "learnt.yaml"
    arguments = ["profile", "learn", str(table), "--findings", findings, "-o", str(out)]
    assert CliRunner().invoke(main, arguments).exit_code == 0
    validator = weakcode.Validator(profile=out)
    (found,) = [one for one in validator.check({"codes": ["M62.84"], "payer": "acme"}) if one.rule == RULE]
    assert found.denial_risk is not None
    assert (found.denial_risk.level, found.denial_risk.payer) == ("high", "Acme")
    again = CliRunner().invoke(main, arguments)
    assert again.exit_code == 2
    assert "is there already" in again.output


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("r.835", "ISA nothing", "the ISA segment cannot be read"),
        ("r.835", f"{ENVELOPE}ST*837*0001~CLM*A~", "this is a transaction set 837; remittances are 835"),
        ("r.835", remittance("CLP**4*100*0"), "has no number (CLP01)"),
        ("r.835", remittance(), "no answer to a claim"),
        ("r.835", "", "r.835"),
        ("r.835", remittance("CLP*A1*4*100*0**12*X", "CAS*CO*11*100").partition("SE*")[0], "it was cut off"),
        ("r.835", remittance("CLP*A1*22*-100*0**12*X", "CAS*CO*11*-100"), "no answer to a claim"),
        ("r.835", remittance("CLP*Z9*4*100*0**12*X", "CAS*CO*11*100"), "their ids differ"),
        ("d.csv", "claim_id,carc\nZ9,11\n", "their ids differ"),
        ("d.csv", "claim_id,carc\n", "no answer to a claim"),
        ("d.csv", "Sinistre,Motif\nA1,11\n", "no column claim_id and no column carc"),
        ("d.jsonl", '{"claim_id": "A1", "reason": "11"}\n', "has no object with carc"),
        ("d.csv", "claim_id,reason\nA,1\n", "has no column carc"),
        ("d.csv", "claim_id,carc\n,11\n", "a denial needs the claim_id of a claim"),
        ("d.jsonl", "[1]\n", "d.jsonl, line 1: this is no JSON object"),
        ("d.csv", "", "no column claim_id and no column carc"),
        ("d.parquet", "no", "no Parquet file"),
    ],
    ids=str,
)
def test_what_is_not_a_remittance_is_reported_in_one_line(tmp_path, findings, name, content, said):
    path = tmp_path / name
    path.write_text(content)
    result = CliRunner().invoke(main, ["profile", "learn", str(path), "--findings", findings])
    assert result.exit_code == 2
    assert said in result.output.replace("\n", " ")
    assert "Traceback" not in result.output
