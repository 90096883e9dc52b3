"""Findings measured against what coders say of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from weakcode import Claim, Finding, InputError
from weakcode.cli import main
from weakcode.report.evaluate import Truth, evaluate, read_truth, wilson

CLAIMS = "claim_id,codes,service_date\n1,M62.84 I10,2026-05-01\n2,M62.81 I10,2026-05-01\n3,I10 E11.9,2026-05-01\n"
VERDICTS = """claim_id,rule,codes,verdict
1,weakness/sarcopenia-underlying-disease-first,,right
2,weakness/underlying-cause-first,M62.81,wrong
3,,I10 E11.9,right
3,icd10cm/excludes1,,wrong
"""


class Judge:
    """Finds a/x on every claim, and a/y on its first two codes."""

    def check(self, claim: Claim) -> tuple[Finding, ...]:
        pair = Finding("a/y", "error", "", claim.codes[:2], (1, 2))
        return (Finding("a/x", "error", "", claim.codes[:1], (1,)), pair)


def measured(*truths: Truth) -> dict[str, tuple[int, int, int, int]]:
    found = evaluate([Claim(["A00.0", "A01.00"], id="1"), Claim(["B00.1", "B01.0"], id="2")], truths, Judge())
    return {one.rule: (one.right, one.wrong, one.missed, one.open) for one in found.rules}


def evaluated(folder: Path, *more: str, verdicts: str = VERDICTS) -> Result:
    (folder / "claims.csv").write_text(CLAIMS)
    (folder / "truth.csv").write_text(verdicts)
    return CliRunner().invoke(main, ["evaluate", f"{folder}/claims.csv", "--truth", f"{folder}/truth.csv", *more])


def test_findings_are_counted_by_rule_as_right_wrong_missed_or_without_a_verdict() -> None:
    truths = [Truth("1", True, "a/x"), Truth("2", False, "a/x"), Truth("2", True, "a/z")]
    assert measured(*truths) == {"a/x": (1, 1, 0, 0), "a/y": (0, 0, 0, 2), "a/z": (0, 0, 1, 0)}


def test_a_verdict_on_codes_is_about_findings_on_exactly_these_in_any_order() -> None:
    assert measured(Truth("1", True, codes=frozenset(["A01.00", "A00.0"])))["a/y"] == (1, 0, 0, 1)
    assert measured(Truth("1", True, codes=frozenset(["A01.00"]))) == {
        "": (0, 0, 1, 0),
        "a/x": (0, 0, 0, 2),
        "a/y": (0, 0, 0, 2),
    }


def test_the_most_specific_verdict_counts() -> None:
    truths = [Truth("1", True, codes=frozenset(["A00.0"])), Truth("1", False, "a/x", frozenset(["A00.0"]))]
    assert measured(*truths)["a/x"] == (0, 1, 0, 1)


def test_a_wrong_verdict_without_a_finding_is_correct_silence() -> None:
    found = evaluate([Claim(["A00.0", "I10"], id="1")], [Truth("1", False, "a/z")], Judge())
    assert (found.silent, found.misses) == (1, ())


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"), [(84, 99, 0.765, 0.906), (10, 10, 0.722, 1.0), (0, 5, 0.0, 0.434)]
)
def test_intervals_are_those_of_wilson(hits: int, of: int, low: float, high: float) -> None:
    interval = wilson(hits, of)
    assert interval is not None
    assert (round(interval[0], 3), round(interval[1], 3)) == (low, high)


def test_nothing_has_no_interval() -> None:
    assert wilson(0, 0) is None


def test_the_command_measures_claims_against_verdicts(tmp_path: Path) -> None:
    answer = json.loads(evaluated(tmp_path, "--format", "json").stdout)
    rules = {one["rule"]: one for one in answer["rules"]}
    assert answer["claims"] == 3
    assert rules["weakness/sarcopenia-underlying-disease-first"]["precision"] == 1.0
    assert rules["weakness/underlying-cause-first"]["wrong"] == 1
    assert answer["misses"] == [{"claim_id": "3", "rule": "", "codes": ["E11.9", "I10"]}]
    assert answer["false_alarms"] == [{"claim_id": "2", "rule": "weakness/underlying-cause-first", "codes": ["M62.81"]}]
    assert answer["silent"] == 1


def test_text_and_markdown_have_a_row_for_each_rule(tmp_path: Path) -> None:
    said = evaluated(tmp_path).stdout
    assert "weakness/underlying-cause-first" in said
    assert "Missed\n  3: E11.9 I10" in said
    table = evaluated(tmp_path, "--format", "markdown").stdout.splitlines()
    assert table[0].startswith("| rule | right | wrong | precision | 95% interval |")
    assert table[-1].startswith("| all | 1 | 1 | 50.0% |")


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ("claim_id,codes\n1,I10\n", "has no column verdict"),
        ("claim_id,rule,codes,verdict\n1,,,right\n", "line 2: a verdict names a rule, codes or both"),
        ("claim_id,rule,codes,verdict\n1,,I10,maybe\n", "line 2: the verdict is right or wrong"),
        ("claim_id,rule,codes,verdict\n,,I10,right\n", "line 2: a verdict needs the claim_id"),
        (
            "claim_id,rule,codes,verdict\n1,icd10cm/excludes,,right\n",
            'there is no rule "icd10cm/excludes"',
        ),
        ("claim_id,rule,codes,verdict\n1,,I10,right\n1,,i10,wrong\n", "line 3: the verdict at"),
        ("claim_id,rule,codes,verdict\n9,,I10,right\n", "line 2: there is no claim with this id among the claims"),
        ('{"claim_id": "1"\n', "line 1: this is no JSON object"),
    ],
)
def test_a_file_of_verdicts_with_a_mistake_is_one_clear_error(tmp_path: Path, rows: str, says: str) -> None:
    result = evaluated(tmp_path, verdicts=rows)
    assert result.exit_code == 2
    assert says in result.stderr


def test_claims_that_share_an_id_with_a_verdict_are_refused() -> None:
    claims = [Claim(["I10"], id="1"), Claim(["E11.9"], id="1")]
    with pytest.raises(InputError, match="two claims have the id"):
        evaluate(claims, [Truth("1", True, "a/x")], Judge())


def test_json_lines_have_codes_as_a_list_too(tmp_path: Path) -> None:
    (tmp_path / "t.jsonl").write_text('{"claim_id": 1, "codes": ["m6284"], "verdict": "Right"}\n')
    assert read_truth(tmp_path / "t.jsonl") == (Truth("1", True, codes=frozenset(["M62.84"])),)
