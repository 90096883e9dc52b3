"""weakcode edition, with the older lists of the shared data."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from tests.codes.webserver import serving

from weakcode.cli import main
from weakcode.codes import catalog
from weakcode.codes.sources import orders


def weakcode(*args: str) -> Result:
    return CliRunner().invoke(main, args)


def test_the_bundled_edition_is_listed_and_shown_with_its_notes() -> None:
    (one,) = json.loads(weakcode("edition", "list", "--format", "json").stdout)
    days = {"from": "2026-04-01", "to": "2026-09-30"}
    assert one == {"version": 1, "name": "2026-04", **days, "bundled": True, "notes": True}
    shown = weakcode("edition", "show").stdout
    assert "74,719 billable codes" in shown
    assert "5,407" in shown
    assert weakcode("edition", "show", "--unresolved").stdout == "0 unresolved references in 2026-04.\n"


@pytest.mark.parametrize(
    ("day", "name", "word", "folder"),
    [("2026-11-28", "October 2026", "2027", "2027/"), ("2027-04-01", "April 2027", "2027-04", "2027-Update/")],
)
def test_the_list_says_what_is_missing_for_today_and_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, day: str, name: str, word: str, folder: str
) -> None:
    monkeypatch.setenv("WEAKCODE_TODAY", day)
    assert weakcode("edition", "list").stdout == (
        "2026-04  2026-04-01 to 2026-09-30  bundled\n"
        f"Missing for today, {day}: the Tabular List of {name}. "
        "Until it is added, the notes of 2026-04 judge the codes of today.\n"
        f"Get it:  weakcode edition fetch {word}\n"
        "or its table and index zip from "
        f"https://ftp.cdc.gov/pub/Health_Statistics/NCHS/Publications/ICD10CM/{folder}\n"
        "and then:  weakcode edition add FILE\n"
    )
    monkeypatch.setenv("WEAKCODE_TODAY", "2026-09-30")
    assert "Missing" not in weakcode("edition", "list").stdout


def test_codes_that_are_added_alone_are_listed_with_whose_notes_they_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEAKCODE_DATA_DIR", str(tmp_path / "data"))
    catalog.forget()
    title = f"{'Invented condition':<60} Invented condition"
    file = tmp_path / "icd10cm-order-addenda-2028.txt"
    file.write_text(f"Add:         1 R540    {title}\n")
    added = weakcode("edition", "add", str(file))
    assert added.stdout == (
        "Installed 2027-10 (2027-10-01 to 2028-03-31): 74,880 billable codes, with the notes of 2026-04.\n"
    )
    assert "2027-10  2027-10-01 to 2028-03-31  installed, codes alone\n" in weakcode("edition", "list").stdout
    assert weakcode("edition", "remove", "2027-10").exit_code == 0
    catalog.forget()


def test_an_unknown_edition_is_one_sentence_with_status_2() -> None:
    result = weakcode("edition", "show", "2026-05")
    assert result.exit_code == 2
    assert 'no edition "2026-05" (did you mean "2026-' in result.stderr


@pytest.mark.slow
def test_an_added_edition_is_shown_compared_and_removed(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEAKCODE_DATA_DIR", str(tmp_path))
    catalog.forget()
    file = shared / "icd10cm" / "icd10cm_tabular_2025_april.xml.xz"
    added = weakcode("edition", "add", str(file))
    assert added.stdout == "Installed 2025-04 (2025-04-01 to 2025-09-30): 74,260 billable codes.\n"
    again = weakcode("edition", "add", str(file))
    assert again.exit_code == 2
    assert again.stderr.count("2025-04-01") == 1
    assert "is installed already; remove it first" in again.stderr
    overlapping = weakcode("edition", "add", str(file), "--from", "2025-05-01", "--to", "2025-06-30")
    assert overlapping.exit_code == 2
    assert "both in force" in overlapping.stderr

    found: dict[str, Any] = json.loads(
        weakcode("edition", "diff", "2025-04", "2026-04", "--rules", "weakness", "--format", "json").stdout
    )
    added_codes = {one["code"] for one in found["codes"]["added"]}
    retired = {one["code"] for one in found["codes"]["retired"]}
    # Multiple sclerosis got its kinds on 1 October 2025.
    assert {"G35.A", "G35.D"} <= added_codes
    assert "G35" in retired
    assert len(added_codes) - len(retired) == 74_719 - 74_260
    assert found["notes"]["added"]
    assert found["notes"]["removed"]
    assert all(one["rule"].startswith("weakness/") for one in found["rules"])

    assert weakcode("edition", "remove", "2025-04").exit_code == 0
    assert list((tmp_path / "editions").iterdir()) == []
    catalog.forget()


def test_a_fetched_edition_is_reported_and_installed_with_what_changed_and_its_index(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEAKCODE_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    catalog.forget()
    # The invented releases are small.
    monkeypatch.setattr(orders, "_FEWEST", 1)
    with serving() as server:
        server.release(2024, ["A00", "A01", "A02"])
        server.release(2025, ["A00", "A02", "A03", "A04"])
        assert weakcode("edition", "fetch", "2024", "--mirror", server.address).exit_code == 0
        done = weakcode("edition", "fetch", "2025", "--mirror", server.address)
        again = weakcode("edition", "fetch", "2025", "--mirror", server.address)
        other = weakcode("edition", "fetch", "2023", "--mirror", server.address)
    assert done.exit_code == 0, done.output
    content = server.files["/2025/icd10cm-table-and-index-2025.zip"]
    told = (
        f"icd10cm-table-and-index-2025.zip\n  {len(content):,} bytes, SHA-256 {hashlib.sha256(content).hexdigest()}\n"
    )
    assert told in done.stdout
    assert (
        "Installed 2024-10 (2024-10-01 to 2025-03-31): 4 billable codes, the same as in its order file." in done.stdout
    )
    assert "Since 2023-10: 2 codes added, 1 retired, 0 reworded; 0 note lines added, 0 removed." in done.stdout
    assert (again.exit_code, again.stdout) == (
        0,
        "Edition 2024-10 (2024-10-01 to 2025-03-31) is at hand already; nothing was fetched.\n",
    )
    assert (other.exit_code, other.stdout) == (2, "")
    assert other.stderr.splitlines()[-1].startswith(
        "weakcode: the release of October 2022 (fiscal year 2023) cannot be"
    )

    found = json.loads(weakcode("find", "persistent wobbliness", "--date", "2024-12-01", "--format", "json").stdout)
    first = {name: found["hits"][0][name] for name in ("code", "title", "matched")}
    assert first == {"code": "A00", "title": "Invented condition A00", "matched": "Wobbliness (acute), persistent"}
    catalog.forget()
