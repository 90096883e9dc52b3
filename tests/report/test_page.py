"""The page as text: what stands on it, what cannot run on it, and that it needs nothing from elsewhere."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.report.conftest import FOUR, MakeFindings, finding
from weakcode.cli import main

HOSTILE = "</script></title></style><script>window.hacked = 1</script><img src=x onerror='window.hacked=1'>"


class Page(HTMLParser):
    """The tags with their attributes, the text outside scripts and styles, and the scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.scripts: list[str] = []
        self._inside = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside = tag
        if tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "script":
            self.scripts[-1] += data
        elif self._inside != "style":
            self.text += data + " "

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.tags if name == tag]


def report(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["report", *map(str, arguments)])


@pytest.fixture
def page_of(tmp_path: Path) -> Callable[..., Page]:
    def make(*arguments: object) -> Page:
        target = tmp_path / "report.html"
        result = report(*arguments, "-o", target)
        assert (result.exit_code, result.stderr) == (0, "")
        return Page(target.read_text(encoding="utf-8"))

    return make


def test_the_page_says_counts_rules_and_what_made_the_findings(
    page_of: Callable[..., Page], make_findings: MakeFindings, claims: Path
) -> None:
    text = " ".join(page_of(make_findings(), "--claims", claims).text.split())
    for part in (
        "in findings.parquet, judged by ICD-10-CM 2026-04",
        "Clean claims 70.0 % 7 of 10 claims have no finding",
        "Findings 4 by 3 rules",
        "Rejected 1",
        "Findings made by weakcode 9.8.7, columnar engine",
        "Packs icd10cm 1, weakness 1",
        "M62.81 Muscle weakness (generalized)",
        "All 4 findings.",
        "Blue River 5 5 100 %",
    ):
        assert part in text


def test_every_rule_that_found_something_has_its_reasons_sources_and_examples(
    page_of: Callable[..., Page], make_findings: MakeFindings
) -> None:
    page = page_of(make_findings())
    places = {attrs.get("id") for attrs in page.all("details")}
    assert {"rule-weakness-excludes1-weakness", "rule-icd10cm-excludes1"} <= places
    text = " ".join(page.text.split())
    for part in ("What it checks", "Why", "Known problems", "Sources", "Examples", "Found", "Passes"):
        assert part in text
    links = [attrs["href"] or "" for attrs in page.all("a")]
    assert links
    assert {link.removeprefix("#") for link in links} <= places, "a link leads to a rule on the page"


def test_a_rule_of_ones_own_is_explained_when_its_file_is_given(
    page_of: Callable[..., Page], make_findings: MakeFindings, tmp_path: Path
) -> None:
    own = tmp_path / "practice.yaml"
    own.write_text(
        "pack: practice\ntitle: Ours\nrules:\n"
        "  - id: no-weakness\n    title: Weakness is not paid\n    severity: info\n"
        "    subject: R53.1\n    position: first\n    why: The contract says so.\n"
    )
    findings = make_findings([finding("A", "practice/no-weakness", "info", "R53.1")])
    assert "The file of this rule was not at hand" in page_of(findings).text
    assert "The contract says so." in page_of(findings, "--rules", own).text


def test_findings_that_were_left_out_of_the_table_are_reported(
    page_of: Callable[..., Page], make_findings: MakeFindings
) -> None:
    rows = [finding(f"C{i}", "icd10cm/excludes1", "error", "M62.84 R53.1") for i in range(30)]
    assert "5 of 30 findings" in " ".join(page_of(make_findings(rows), "--rows", 5).text.split())


def test_hostile_values_stay_text(page_of: Callable[..., Page], make_findings: MakeFindings, tmp_path: Path) -> None:
    everywhere = {"message": HOSTILE, "sources": [HOSTILE], "file": HOSTILE, "place": HOSTILE, "edition": HOSTILE}
    claims = tmp_path / "claims.jsonl"
    claims.write_text(
        json.dumps({"claim_id": HOSTILE, "codes": ["I10"], "payer": HOSTILE, "service_date": "2026-04-02"})
    )
    tame = [attrs for attrs in page_of(make_findings(), "--claims", claims).tags if attrs[0] in ("script", "img")]
    rows = [finding(HOSTILE, "practice/own", "error", "M62.81 R53.1", **everywhere)]
    page = page_of(make_findings(rows, said={"packs": HOSTILE, "edition": HOSTILE}), "--claims", claims)
    assert [attrs for attrs in page.tags if attrs[0] in ("script", "img")] == tame
    assert HOSTILE in page.text
    assert not any("hacked" in script for script in page.scripts[1:]), "only the data of the charts name the payer"
    assert json.loads(page.scripts[0])


def test_only_the_pages_own_scripts_may_run_and_nothing_may_be_loaded(
    page_of: Callable[..., Page], make_findings: MakeFindings
) -> None:
    page = page_of(make_findings())
    policy = next(attrs["content"] or "" for attrs in page.all("meta") if "Content-Security" in str(attrs))
    allowed = {
        "'sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() + "'"
        for attrs, script in zip(page.all("script"), page.scripts, strict=True)
        if "type" not in attrs
    }
    directives = {name: set(values) for name, *values in (part.split() for part in policy.split(";"))}
    assert directives["default-src"] == {"'none'"}
    assert directives["script-src"] == allowed
    assert len(allowed) == 2
    for tag, attrs in page.tags:
        address = attrs.get("src") or attrs.get("href") or ""
        assert address.startswith(("#", "data:")) or not address, f"<{tag}> refers to {address}"


def test_the_library_in_the_page_comes_with_its_licences(
    page_of: Callable[..., Page], make_findings: MakeFindings
) -> None:
    text = page_of(make_findings()).text
    assert "University of Washington Interactive Data Lab" in text
    assert "THIS SOFTWARE IS PROVIDED BY THE COPYRIGHT HOLDERS" in text


def test_no_findings_make_a_page_that_says_so(
    page_of: Callable[..., Page], make_findings: MakeFindings, claims: Path
) -> None:
    text = " ".join(page_of(make_findings([], said={"evaluated": 10, "rejected": 0, "clean": 10})).text.split())
    assert "100 %" in text
    assert "Nothing to object to. All 10 claims are clean" in text
    for name in ("none.csv", "none.jsonl"):
        assert "The file has no findings." in page_of(make_findings([], name=name)).text
        assert "10 of 10 claims have no finding" in page_of(make_findings([], name=name), "--claims", claims).text


def test_hashed_ids_replace_the_claim_ids_on_the_page(
    page_of: Callable[..., Page], make_findings: MakeFindings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEAKCODE_HASH_KEY", "secret")
    findings = make_findings([finding("CLAIM-4711", "icd10cm/excludes1", "error", "M62.84 R53.1")])
    assert "CLAIM-4711" in page_of(findings).text
    hidden = page_of(findings, "--hash-ids").text
    assert "CLAIM-4711" not in hidden
    assert "Claim ids are hashed." in hidden
    assert set(re.findall(r"\b[0-9a-f]{16}\b", hidden)) == {"73c7b28bbf0be35d"}


def test_folders_of_the_machine_are_not_named(page_of: Callable[..., Page], make_findings: MakeFindings) -> None:
    for path in ("/home/jane/inbox/claims.csv", r"C:\Users\jane\claims.csv"):
        text = page_of(make_findings([{**FOUR[0], "file": path}])).text
        assert "claims.csv:2" in text
        assert "jane" not in text


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "there is no input"),
        (("{findings}",), "-o FILE is missing"),
        (("{findings}", "-o", "{folder}/report.txt"), "an output ends in .html"),
        (("{findings}", "-o", "{folder}/none/report.html"), "does not exist"),
        (
            ("{findings}", "-o", "{folder}/report.html", "--rules", "no-such.yaml"),
            'there is no rule file "no-such.yaml"',
        ),
    ],
)
def test_what_cannot_be_is_reported_in_one_sentence_and_nothing_is_written(
    make_findings: MakeFindings, tmp_path: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    findings = make_findings()
    result = report(*(one.format(findings=findings, folder=tmp_path) for one in arguments))
    assert result.exit_code == 2
    assert sentence in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["findings.parquet"]


def test_a_missing_extra_is_reported_with_its_name(
    make_findings: MakeFindings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    result = report(make_findings(), "-o", tmp_path / "report.html")
    assert result.exit_code == 2
    assert "weakcode[report]" in result.stderr
    assert not (tmp_path / "report.html").exists()


def test_the_findings_of_a_scrub_become_a_report(tmp_path: Path) -> None:
    claims = Path(__file__).resolve().parents[2] / "examples" / "claims.csv"
    findings = tmp_path / "findings.parquet"
    scrubbed = CliRunner().invoke(
        main, ["scrub", str(claims), "-o", str(findings), "--summary", str(tmp_path / "s.json"), "--fail-on", "never"]
    )
    assert scrubbed.exit_code == 0
    summary = json.loads((tmp_path / "s.json").read_text())
    result = report(findings, "--claims", claims, "-o", tmp_path / "report.html")
    assert result.exit_code == 0
    page = Page((tmp_path / "report.html").read_text(encoding="utf-8"))
    text = " ".join(page.text.split())
    assert f"{summary['clean']} of {summary['evaluated']} claims have no finding" in text
    assert f"All {summary['findings']} findings." in text
    assert len([attrs for attrs in page.all("details") if attrs.get("class") == "rule"]) == len(summary["by_rule"])
    assert "The file of this rule was not at hand" not in text
