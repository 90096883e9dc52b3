"""The generated pages: one for each rule with all its sections, links that lead somewhere, and an index by code."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from weakcode import Validator
from weakcode.cli import main
from weakcode.pages.facts import RuleBook
from weakcode.pages.markdown import pages, rule_page
from weakcode.rules.library import bundled_rule_ids

SECTIONS = [
    "What it checks",
    "Why",
    "Known problems",
    "Passes",
    "Fails",
    "Fix",
    "Severity, confidence and pack",
    "Sources",
    "Other rules",
    "Profiles",
]
_LINK = re.compile(r"\]\(([^)]+)\)")
_ROW = re.compile(r"^\| \[`([^`]+)`\]\([^)]+\) \| (\w+) \| (subject|object) \| (?:`([^`]+)` \|)?", re.MULTILINE)


def weakcode(*args: str) -> Result:
    return CliRunner().invoke(main, list(args))


@cache
def _book() -> RuleBook:
    return RuleBook.of()


@cache
def _pages() -> dict[str, str]:
    return dict(pages(_book()))


def _section(page: str, title: str) -> str:
    return page.split(f"## {title}\n", 1)[1].split("\n## ", 1)[0]


@pytest.mark.parametrize("rule", bundled_rule_ids())
def test_every_rule_has_a_page_with_all_its_sections(rule: str) -> None:
    page = _pages()[f"{rule}.md"]
    title, named = page.split("\n\n")[:2]
    assert title.startswith("# ")
    assert "/" not in title.split()[1]
    assert named.startswith(f"`{rule}`")
    assert re.findall(r"^## (.+)$", page, re.MULTILINE) == SECTIONS
    for title in SECTIONS:
        assert _section(page, title).strip().startswith("- "), title


@pytest.mark.parametrize("rule", [rule for rule in bundled_rule_ids() if not rule.startswith("coverage/")])
def test_every_page_shows_a_claim_that_passes_and_what_is_found_on_one_that_fails(rule: str) -> None:
    page = _pages()[f"{rule}.md"]
    assert "No example" not in page
    for line in _section(page, "Fails").strip().split("\n- "):
        assert re.search(r"\n    - (At \d|On the claim as a whole)", line), line
    assert "\n    - " not in _section(page, "Passes")


def test_a_message_on_a_page_is_the_one_that_check_gives() -> None:
    findings = Validator(packs=["weakness/excludes1-frailty"]).check
    from weakcode import Claim

    (finding,) = findings(Claim(["R54", "M62.84"]))
    assert finding.message in _pages()["weakness/excludes1-frailty.md"]


def test_every_link_leads_to_a_page() -> None:
    written = _pages()
    for name, text in written.items():
        for target in _LINK.findall(text):
            path = (Path("/") / Path(name).parent / target).resolve().relative_to("/")
            assert str(path) in written, f"{name}: {target}"


def test_every_page_is_reached_from_an_index() -> None:
    written = _pages()
    by_pack = set(_LINK.findall(written["index.md"]))
    by_code = set(_LINK.findall(written["codes/index.md"]))
    for name in written:
        if name.startswith("codes/"):
            assert name == "codes/index.md" or name.removeprefix("codes/") in by_code
        else:
            assert name == "index.md" or name in by_pack


def _covers(stems: str, code: str) -> bool:
    if not stems:
        return True
    return any(
        code.startswith(stem.rstrip("-").rstrip(".")) if stem.endswith("-") else code == stem
        for stem in stems.split(", ")
    )


@pytest.mark.parametrize(
    "code",
    ["M62.84", "M62.019", "R54", "U07.1", "S72.001A", "T36.0X5A", "Z99.89", "O80", "C7A.010", "B95.62", "V00.01XD"],
)
def test_the_index_by_code_agrees_with_the_rules_that_touch_a_code(code: str) -> None:
    rows = _ROW.findall(_pages()[f"codes/{code[:3]}.md"]) + _ROW.findall(_pages()["codes/index.md"])
    listed = {(rule, role) for rule, _, role, stems in rows if _covers(stems, code)}
    assert listed == set(Validator().rules_touching(code))


def test_the_rules_with_a_page_are_all_that_there_are() -> None:
    assert set(_book().ids) == set(bundled_rule_ids()) == {rule.id for rule in Validator().rules}


def test_every_category_of_billable_codes_has_a_page() -> None:
    edition = _book().edition
    categories = {edition.compact_code(number)[:3] for number in edition.billable_ids}
    assert {f"codes/{name}.md" for name in categories} == {
        name for name in _pages() if name.startswith("codes/") and name != "codes/index.md"
    }


def test_a_rule_that_notes_make_says_how_many_and_quotes_three_of_them_as_they_read_now() -> None:
    checks = _section(_pages()["icd10cm/excludes1.md"], "What it checks")
    edition = _book().edition
    assert f"In ICD-10-CM {edition.name} these are" in checks
    quoted = re.findall(r'^    - `(\S+), Excludes1`: "(.+)"$', checks, re.MULTILINE)
    assert len(quoted) == 3
    for place, quote in quoted:
        lines = [line.strip(" ,") for note in edition.notes(place, "excludes1") for line in note.lines]
        assert quote.replace("\\", "") in lines


def test_the_other_side_of_superseding_is_reported_and_linked() -> None:
    page = _pages()["icd10cm/excludes1.md"]
    assert "[`weakness/excludes1-frailty`](../weakness/excludes1-frailty.md)" in _section(page, "Other rules")


def test_a_fix_says_whether_it_is_safe() -> None:
    assert "Safe: " in _section(_pages()["icd10cm/duplicate-code.md"], "Fix")
    assert "A proposal" in _section(_pages()["icd10cm/excludes1.md"], "Fix")


def test_code_sets_are_spelled_out() -> None:
    checks = _section(_pages()["weakness/sarcopenia-underlying-disease-first.md"], "What it checks")
    assert "`$muscle-disease` is `G71.-, G72.-, G73.-`" in checks


def test_a_profile_is_reported_with_what_it_makes_of_a_rule_for_each_payer(tmp_path: Path) -> None:
    profile = tmp_path / "p.yaml"
    profile.write_text(
        "name: Practice\npacks: [weakness]\nrules: {weakness/excludes1-frailty: warning}\n"
        "sources: {policy: {title: Our policy}}\n"
        "denial_risk: {weakness/excludes1-frailty: {risk: high, source: policy, at: page 3}}\n"
        "payers: {Acme: {rules: {weakness/excludes1-frailty: off}}, Same: {rules: {}}}\n"
    )
    book = RuleBook.of(profiles=[profile])
    page = rule_page(book.facts("weakness/excludes1-frailty"), book.ids)
    assert "- Practice: `warning`, off for Acme.\n    - Denial risk: high (Our policy, page 3)." in page
    assert "its pack is not among the profile's" in rule_page(book.facts("icd10cm/excludes1"), book.ids)


def test_what_stands_in_a_rule_file_cannot_break_a_page(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(
        "pack: own\ntitle: T\nrules:\n  - {id: a, title: 'a | b <c> *d* [e](f)', severity: info, subject: I10, "
        "forbid: E11.9, examples: {pass: [I10], fail: [I10 E10.9]}}\n"
    )
    written = dict(pages(RuleBook.of([str(path)])))
    assert r"a \| b \<c\> \*d\* \[e\](f)" in written["index.md"]
    assert "although the rule file says that it does" in written["own/a.md"]
    assert "None are known." in written["own/a.md"]


def test_the_command_writes_a_folder_replaces_its_own_and_spares_others(tmp_path: Path) -> None:
    folder = tmp_path / "pages"
    result = weakcode("rules", "pages", "--output", str(folder), "--rules", "weakness")
    assert result.exit_code == 0, result.stderr
    assert "packs weakness 1" in result.stdout
    assert (folder / "weakness" / "excludes1-frailty.md").is_file()
    assert (folder / "codes" / "M62.md").is_file()
    again = weakcode("rules", "pages", "--output", str(folder), "--rules", "covid")
    assert again.exit_code == 0
    assert not (folder / "weakness").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["pages"]

    other = tmp_path / "mine"
    other.mkdir()
    (other / "thesis.txt").write_text("years of work")
    refused = weakcode("rules", "pages", "--output", str(other), "--rules", "weakness")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "holds other files than rule pages" in refused.stderr
    assert (other / "thesis.txt").read_text() == "years of work"


@pytest.mark.parametrize("rule", ["weakness/documented-term", "icd10cm/excludes1", "covid/active-infection-is-u071"])
def test_show_says_what_the_page_says(rule: str) -> None:
    shown = weakcode("rules", "show", rule).stdout
    page = re.sub(r"\[`([^`]+)`\]\([^)]+\)", r"\1", _pages()[f"{rule}.md"])
    page = re.sub(r"<(https://\S+)>", r"\1", page)
    told = [line.strip() for line in shown.splitlines()[2:] if line.strip()]
    written = re.sub(r"\\(.)", r"\1", page).replace("`", "")
    for line in told:
        assert line in written
    assert [line for line in told if line in SECTIONS] == SECTIONS


def test_sources_link_to_the_pages_of_their_publishers() -> None:
    sources = _section(_pages()["weakness/excludes1-frailty.md"], "Sources")
    assert "<https://www.cdc.gov/nchs/icd/icd-10-cm/files.html>" in sources
    assert "<https://www.cms.gov/" in sources
