"""Files of CMS's Medicare Coverage Database: read as published, and refused where they are not whole."""

from __future__ import annotations

import datetime as dt
import io
import json
import random
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.coverage.made import HEADS, article, table, tables, therapy, zipped
from weakcode import Validator
from weakcode.cli import main
from weakcode.coverage import installed
from weakcode.coverage.policies import Policies
from weakcode.coverage.published import compiled
from weakcode.errors import InputError


def _policies(path: Path) -> Policies:
    installed.add(path)
    return Policies(installed.all_opened())


def test_a_zip_in_a_zip_is_read_as_published(tmp_path, data_dir):
    policies = _policies(zipped(tmp_path / "a.zip", therapy(), inside="current_article_csv.zip"))
    (therapy_article,) = policies.versions["A90001"]
    assert therapy_article.all_covered == {"M62.50", "M62.84", "G72.9"}
    assert therapy_article.procedures == {"97110": (1,), "G0007": (1,)}
    assert therapy_article.starts == dt.date(2024, 1, 1)
    assert policies.files[0].name == "article-2026-05-01"
    assert policies.of_contractor("01111") == {f"A{number}" for number in range(90001, 90007)}
    assert [states for number, _, states, _ in policies.files[0].contractors if number == "01111"] == [("CA",)]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp1252", "utf-16"])
def test_encodings_that_cms_has_used_are_read(tmp_path, data_dir, encoding):
    files = therapy()
    files["article.csv"] = table(HEADS["article"], [article(90001, "Caf\xe9 \u2013 therapy")], encoding=encoding)
    files = {name: data for name, data in files.items() if name == "article.csv"} | {
        name: data
        for name, data in tables([article(90001)], {"97110": [(90001, 1)]}, {(90001, 1): ["I10"]}).items()
        if name != "article.csv"
    }
    (policy,) = _policies(zipped(tmp_path / "a.zip", files)).versions["A90001"]
    assert policy.title == "Caf\xe9 \u2013 therapy"


def test_columns_stand_in_any_order_and_others_are_skipped(tmp_path, data_dir):
    files = tables([article(1)], {"97110": [(1, 1)]}, {(1, 1): ["I10"]})
    head = "description,icd10_covered_group,icd10_code_id,sequence,article_version,article_id"
    files["article_x_icd10_covered.csv"] = table(head, [("x", 1, "i10", 1, 1, 1)], end="\n")
    (policy,) = _policies(zipped(tmp_path / "a.zip", files)).versions["A1"]
    assert policy.all_covered == {"I10"}


def test_tables_that_may_be_absent_are_reported(tmp_path, data_dir):
    needed = ("article.csv", "article_x_hcpc_code.csv", "article_x_icd10_covered.csv")
    path = zipped(tmp_path / "a.zip", {name: data for name, data in therapy().items() if name in needed})
    done = CliRunner().invoke(main, ["policies", "add", str(path)])
    assert done.exit_code == 0
    assert "it lacks article_x_hcpc_code_group" in done.output
    assert "article_x_icd10_noncovered" in done.output


def test_what_cms_writes_for_none_is_not_a_code(tmp_path, data_dir):
    files = tables(
        [article(1), article(2)], {"97110": [(1, 1)], "XX000": [(2, 1)]}, {(1, 1): ["I10"], (2, 1): ["XX000"]}
    )
    policies = _policies(zipped(tmp_path / "a.zip", files))
    assert not policies.versions["A2"][0].is_judged
    assert list(policies.by_procedure) == ["97110"]


def test_ncds_and_lcds_are_kept_with_their_titles_and_days(tmp_path, data_dir):
    ncd = table(
        "NCD_id,NCD_vrsn_num,NCD_mnl_sect,NCD_mnl_sect_title,NCD_efctv_dt", [(7, 2, "220.6", "A scan", "1/31/2024")]
    )
    lcd = table("lcd_id,lcd_version,title,display_id,rev_eff_date", [(33631, 9, "Therapy", "L33631", "2024-02-01")])
    policies = _policies(zipped(tmp_path / "all.zip", {"ncd_trkg.csv": ncd, "lcd.csv": lcd}))
    assert {file.kind for file in policies.files} == {"ncd", "lcd"}
    assert policies.versions["NCD 220.6"][0].starts == dt.date(2024, 1, 31)
    assert policies.versions["L33631"][0].label == "LCD L33631"


def test_an_older_version_ends_where_the_next_begins(tmp_path, data_dir):
    for version, starts in ((1, "2024-01-01"), (2, "2025-07-01")):
        files = tables([article(1, version=version, starts=starts)], {"97110": [(1, 1)]}, {(1, 1): ["I10"]})
        installed.add(zipped(tmp_path / f"{version}.zip", files), dt.date(2024 + version, 1, 1))
    first, second = Policies(installed.all_opened()).versions["A1"]
    assert (first.version, first.ends) == (1, dt.date(2025, 6, 30))
    assert (second.version, second.ends) == (2, None)


def test_a_retired_policy_without_an_end_date_judges_no_line(tmp_path, data_dir):
    retired = [*article(1)[:4], "R", *article(1)[5:]]
    ended = [*article(2)[:4], "R", article(2)[5], "2025-12-31"]
    procedures, covered = {"97110": [(1, 1), (2, 1)]}, {(1, 1): ["I10"], (2, 1): ["I10"]}
    path = zipped(tmp_path / "a.zip", tables([retired, ended], procedures, covered))
    said = CliRunner().invoke(main, ["policies", "add", str(path)]).output
    assert "1 policy is retired and does not say since when" in " ".join(said.split())
    versions = Policies(installed.all_opened()).versions
    assert not versions["A1"][0].in_force(dt.date(2024, 5, 1))
    assert versions["A2"][0].in_force(dt.date(2025, 12, 31))
    assert not versions["A2"][0].in_force(dt.date(2026, 1, 1))
    assert "retired" in CliRunner().invoke(main, ["policies", "show", "A1"]).output
    profile = {"name": "p", "payers": {"Acme": {"coverage": {"articles": ["A1"]}}}}
    validator = Validator(profile=profile, packs=["coverage"])
    claim = {"codes": ["R52"], "payer": "Acme", "lines": [{"number": 1, "procedure": "97110", "pointers": [1]}]}
    assert validator.check(claim) == ()
    (step,) = validator.explain(claim).steps
    assert "retired on a day that is not told, is not in force" in step.reason


@pytest.mark.parametrize("engine", ["columnar", "durable"])
def test_without_any_installed_policies_claims_of_payers_that_go_by_some_are_not_judged_by_them(data_dir, engine):
    profile = {"name": "p", "payers": {"Acme": {"coverage": {"articles": ["A1"]}}, "Other": {}}}
    validator = Validator(profile=profile, packs=["coverage"], engine=engine)
    lines = [{"number": 1, "procedure": "97110", "pointers": [1]}]
    claims = [{"claim_id": name, "codes": ["R52"], "payer": name, "lines": lines} for name in ("Acme", "Other")]
    assert [[one.needs for one in validator.judge(claim).not_judged] for claim in claims] == [["policies"], []]
    path = data_dir.parent / "claims.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in claims))
    (data_dir.parent / "p.yaml").write_text(json.dumps(profile))
    arguments = ["scrub", str(path), "--profile", str(data_dir.parent / "p.yaml"), "--engine", engine]
    said = CliRunner().invoke(main, [*arguments, "--fail-on", "never"]).output
    assert "policies on 1 (coverage)" in " ".join(said.split())


def _without(name):
    return lambda files: {key: data for key, data in files.items() if key != name}


def _with(name, change):
    return lambda files: files | {name: change(files[name])}


DAMAGED = {
    "renamed table": (
        lambda files: {one.replace("_x_icd10_covered.", "_icd10_covered."): files[one] for one in files},
        'no table article_x_icd10_covered.csv (did you mean "article_icd10_covered.csv"?)',
    ),
    "no articles": (_without("article.csv"), "no table article.csv"),
    "no procedures": (_without("article_x_hcpc_code.csv"), "no table article_x_hcpc_code.csv"),
    "renamed column": (
        _with("article_x_icd10_covered.csv", lambda data: data.replace(b"icd10_code_id", b"icd10_code")),
        'no column icd10_code_id (did you mean "icd10_code"?)',
    ),
    "row cut short": (
        _with("article_x_icd10_covered.csv", lambda data: data[: data.rindex(b",Made")]),
        "fields where its header has 7",
    ),
    "open quote": (_with("article.csv", lambda data: data.replace(b"Therapy", b'"Therapy')), "cannot be read"),
    "not a number": (_with("article.csv", lambda data: data.replace(b"90001,", b"x,")), "both whole numbers"),
    "not a date": (_with("article.csv", lambda data: data.replace(b"2025-12-31", b"2025-13-31")), "is not a date"),
    "bytes": (_with("article.csv", lambda data: data.replace(b"Therapy", b"The\0rapy")), "bytes that are no text"),
    "articles cut short": (
        _with("article.csv", lambda data: b"\r\n".join(data.split(b"\r\n")[:2]) + b"\r\n"),
        "are of policies that it does not have",
    ),
    "the same twice": (
        _with("article.csv", lambda data: data + data.split(b"\r\n")[1] + b"\r\n"),
        "stands twice; it is damaged",
    ),
    "no code": (
        _with("article_x_icd10_covered.csv", lambda data: data.replace(b"M62.50", b"M62.5-")),
        'article_x_icd10_covered: 1 of 12 codes are none, "M62.5-" among them',
    ),
    "no procedure": (
        _with("article_x_hcpc_code.csv", lambda data: data.replace(b"97110", b"97110-GP")),
        'article_x_hcpc_code: 1 of 9 codes are none, "97110-GP" among them',
    ),
    "no procedures at all": (
        _with("article_x_hcpc_code.csv", lambda data: data.split(b"\r\n")[0] + b"\r\n"),
        "names no procedure",
    ),
    "no group": (
        _with("article_x_icd10_covered.csv", lambda data: data.replace(b",2,,Made", b",2.0,,Made")),
        '"2.0" is not the number of a group',
    ),
    "one id twice": (
        _with("article.csv", lambda data: data.replace(b"A90002", b"A90001")),
        "policy A90001, version 1, stands twice",
    ),
    "a column twice": (
        _with("article_x_icd10_covered.csv", lambda data: data.replace(b"range", b"icd10_code_id")),
        "has two columns icd10_code_id",
    ),
    "parted by semicolons": (_with("article.csv", lambda data: data.replace(b",", b";")), "is parted by semicolons"),
    "an empty table": (lambda files: files | {"state_lookup.csv": b""}, "has no column state_id"),
    "no rows": (_with("article.csv", lambda data: data.split(b"\r\n")[0] + b"\r\n"), "holds no policies"),
}  # fmt: skip


@pytest.mark.parametrize("kind", DAMAGED)
def test_a_file_that_is_not_whole_is_one_line_and_changes_nothing(tmp_path, data_dir, kind):
    installed.add(zipped(tmp_path / "whole.zip", therapy()))
    before = {path: path.read_bytes() for path in installed.folder().iterdir()}
    change, said = DAMAGED[kind]
    path = zipped(tmp_path / "current_article.zip", change(therapy()))
    done = CliRunner().invoke(main, ["policies", "add", str(path)])
    assert done.exit_code == 2
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert {path: path.read_bytes() for path in installed.folder().iterdir()} == before


def _holding(inner: bytes) -> bytes:
    outer = io.BytesIO()
    with zipfile.ZipFile(outer, "w") as archive:
        archive.writestr("current_article_csv.zip", inner)
    return outer.getvalue()


def test_a_zip_that_is_damaged_or_none_is_refused(tmp_path, data_dir):
    whole = zipped(tmp_path / "whole.zip", therapy()).read_bytes()
    for name, content in (
        ("cut.zip", whole[: len(whole) // 2]),
        ("flipped.zip", whole[:400] + bytes(200) + whole[600:]),
        ("page.zip", b"<html></html>"),
        ("empty.zip", b""),
        ("inner.zip", _holding(whole[: len(whole) // 2])),
        ("empty-inner.zip", _holding(b"")),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError, match=name):
            installed.add(tmp_path / name)
    assert installed.names() == []


@pytest.mark.parametrize("how", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_a_zip_with_any_bytes_wrong_is_read_or_refused(tmp_path, how):
    made, draw = io.BytesIO(), random.Random(how)
    with zipfile.ZipFile(made, "w", how) as archive:
        for name, content in therapy().items():
            archive.writestr(name, content)
    refused = 0
    for _ in range(60):
        wrong = bytearray(made.getvalue())
        for _ in range(draw.choice([1, 2, 9])):
            at = draw.choice([draw.randrange(len(wrong)), len(wrong) - draw.randrange(1, 900)])
            if draw.random() < 0.6:
                wrong[at] = draw.randrange(256)
            else:
                del wrong[at : at + draw.randrange(1, 40)]
        (tmp_path / "a.zip").write_bytes(wrong)
        try:
            compiled(tmp_path / "a.zip")
        except InputError:
            refused += 1
    assert refused > 20


def test_a_zip_that_unpacks_to_too_much_is_refused_unread(tmp_path, data_dir):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("article.csv", b"article_id")
    # The size that the directory of the zip tells, without the gigabyte.
    content = made.getvalue().replace((10).to_bytes(4, "little"), ((1 << 30) + 1).to_bytes(4, "little"))
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(InputError, match="unpacks to more than 1,073,741,824 bytes"):
        installed.add(tmp_path / "a.zip")
    with pytest.raises(InputError, match="is a folder"):
        installed.add(tmp_path)


def test_a_few_codes_that_cannot_be_read_are_reported(tmp_path, data_dir):
    codes = [f"A{number:02}.{more}" for number in range(10) for more in range(5)]
    files = tables([article(1)], {"97110": [(1, 1)]}, {(1, 1): [*codes, "?"]})
    done = CliRunner().invoke(main, ["policies", "add", str(zipped(tmp_path / "a.zip", files))])
    assert "50 diagnosis codes" in done.output
    assert "1 code in its lists could not be read and was left out" in " ".join(done.output.split())


def test_a_damaged_kept_file_is_reported_by_name(tmp_path, data_dir):
    installed.add(zipped(tmp_path / "a.zip", therapy()))
    path = installed.folder() / "article-2026-05-01.bin"
    path.write_bytes(path.read_bytes()[:-9] + bytes(9))
    done = CliRunner().invoke(main, ["policies", "list"])
    assert done.exit_code == 2
    assert "article-2026-05-01 are damaged" in done.stderr
    assert CliRunner().invoke(main, ["policies", "remove", "article-2026-05-01"]).exit_code == 0
    assert installed.names() == []


def test_two_files_are_compared_policy_by_policy(tmp_path, data_dir):
    for version, codes in ((1, ["I10", "E11.9"]), (2, ["I10", "N18.30"])):
        rows = [article(1, version=version), *([article(2)] if version == 2 else [])]
        files = tables(rows, {"97110": [(1, 1)]}, {(1, 1): codes})
        installed.add(zipped(tmp_path / f"{version}.zip", files), dt.date(2024 + version, 1, 1))
    done = CliRunner().invoke(main, ["policies", "diff", "article-2025-01-01", "article-2026-01-01"])
    assert "1 policy added, 0 removed, 1 changed" in done.output
    assert "covered added N18.30; covered removed E11.9" in done.output


def test_a_policy_is_shown_with_its_codes_and_words(tmp_path, data_dir):
    installed.add(zipped(tmp_path / "a.zip", therapy()))
    done = CliRunner().invoke(main, ["policies", "show", "A90002"])
    assert "Covers, group 2: N18.30, N18.31." in done.output
    assert "The following support G0002:" in done.output
    wrong = CliRunner().invoke(main, ["policies", "show", "A9002"])
    assert wrong.exit_code == 2
    assert 'did you mean "A90002"?' in wrong.stderr
