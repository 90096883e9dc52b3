"""Editions that the user adds: what is taken, what is refused, and that a refusal changes nothing on disk."""

from __future__ import annotations

import gzip
import io
import lzma
import zipfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

import weakcode
from weakcode.codes import catalog, installed, unpack
from weakcode.errors import EditionError, InputError

SMALL = (
    b"<?xml version='1.0'?><ICD10CM.tabular><version>2023</version><chapter><name>1</name><desc>x</desc>"
    b"<section id='A00-A09'><desc>x</desc><diag><name>A00</name><desc>one</desc></diag></section></chapter>"
    b"</ICD10CM.tabular>"
)


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder for installed editions."""
    folder = tmp_path / "data"
    monkeypatch.setenv("WEAKCODE_DATA_DIR", str(folder))
    catalog.forget()
    yield folder
    catalog.forget()


def written(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def zipped(members: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return packed.getvalue()


@pytest.mark.parametrize(
    ("name", "version", "starts"),
    [
        ("icd10cm-tabular-April-2025.xml", "2025", date(2025, 4, 1)),
        ("icd10cm_tabular_2021_jan.xml.xz", "2021", date(2021, 1, 1)),
        ("icd10cm-table-index-April-2025.zip", "2025", date(2025, 4, 1)),
        ("icd10c-tabular-October-1-2025.xml", "2026", date(2025, 10, 1)),
        ("icd10cm-tabular-2024.xml", "2024", date(2023, 10, 1)),
        ("tabular.xml", "2024", date(2023, 10, 1)),
        ("april.xml", "2024", date(2024, 4, 1)),
        ("tabular.xml", "", None),
        ("tabular-april-and-october.xml", "2024", None),
    ],
)
def test_the_first_day_is_told_by_the_name_and_the_version(name: str, version: str, starts: date | None) -> None:
    assert installed.told_start(name, version) == starts


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("icd10cm-tabular-2023.xml", SMALL),
        ("icd10cm-tabular-2023.xml.xz", lzma.compress(SMALL)),
        ("icd10cm-tabular-2023.xml.gz", gzip.compress(SMALL)),
        ("icd10cm-2023.zip", zipped({"a/tabular.xml": SMALL, "index.xml": b"<ICD10CM.index/>", "x.pdf": b"%PDF"})),
    ],
)
def test_a_list_is_taken_however_it_is_packed(name: str, content: bytes, tmp_path: Path) -> None:
    source = installed.add(written(tmp_path, name, content))
    assert (source.name, source.starts, source.ends) == ("2022-10", date(2022, 10, 1), date(2023, 3, 31))
    assert catalog.edition_for(date(2023, 1, 1)).title("A00") == "one"
    assert [one.name for one in catalog.sources()] == ["2022-10", "2026-04"]
    installed.remove("2022-10")
    assert [one.name for one in catalog.sources()] == ["2026-04"]


DOCTYPE = SMALL.replace(b"<ICD10CM.tabular>", b"<!DOCTYPE x [<!ENTITY a 'b'>]><ICD10CM.tabular>", 1)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("tabular-2023.xml", b"A00 Cholera", "not well-formed XML"),
        ("tabular-2023.xml", b"<html/>", "not <ICD10CM.tabular>"),
        ("tabular-2023.xml", SMALL[:-30], "not well-formed XML"),
        ("tabular-2023.xml", DOCTYPE, "document type or entities"),
        ("tabular-2023.xml.xz", lzma.compress(SMALL)[:-40], "cut short"),
        ("tabular-2023.xml.gz", gzip.compress(SMALL)[:-12], "cut short"),
        ("tabular-2023.zip", zipped({"tabular.xml": SMALL})[:-30], "cut short"),
        ("tabular-2023.zip", zipped({"readme.txt": b"hello"}), r"no Tabular List in XML, but readme\.txt"),
        ("tabular-2023.zip", zipped({"a.xml": SMALL, "b.xml": SMALL}), "several Tabular Lists"),
        ("tabular-2023.xml.xz", lzma.compress(b"<ICD10CM.tabular>" + b" " * 20_000_000), "unpacks to more than"),
        ("tabular-2023.zip", zipped({"a.xml": b"<ICD10CM.tabular>" + b" " * 20_000_000}), "unpacks to more than"),
        ("tabular-April-2021.xml", SMALL, "fiscal year 2023"),
        ("tabular.xml", SMALL.replace(b"2023", b""), "add --from"),
        ("tabular-2023.xml", b"", "not well-formed XML"),
    ],
)
def test_what_is_no_whole_list_is_refused_in_one_line_and_changes_nothing(
    name: str, content: bytes, says: str, tmp_path: Path, data: Path
) -> None:
    path = written(tmp_path, name, content)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(EditionError, match=says) as refused:
        installed.add(path)
    assert "\n" not in str(refused.value)
    assert sorted(tmp_path.rglob("*")) == before
    assert not data.exists()


def test_a_file_that_is_too_big_is_not_even_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpack, "MOST_UNPACKED", 100)
    with pytest.raises(EditionError, match="less than 100"):
        installed.add(written(tmp_path, "tabular-2023.xml", SMALL))


def test_overlapping_dates_are_refused_with_both_names(tmp_path: Path, data: Path) -> None:
    path = written(tmp_path, "tabular.xml", SMALL)
    with pytest.raises(EditionError, match=r"2026-01 \(.*\) and 2026-04 \(.*\) are both in force on 2026-04-01"):
        installed.add(path, date(2026, 1, 1), date(2026, 4, 1))
    with pytest.raises(EditionError, match="give a last day that is later"):
        installed.add(path, date(2025, 1, 1), date(2024, 4, 1))
    assert not data.exists()


def test_the_bundled_edition_and_an_unknown_one_cannot_be_removed() -> None:
    with pytest.raises(EditionError, match="cannot be removed"):
        installed.remove("2026-04")
    with pytest.raises(EditionError, match='no edition "2025-04"'):
        installed.remove("2025-04")


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, "tabular-2023.xml", SMALL)
    monkeypatch.setenv("WEAKCODE_DATA_DIR", str(path))
    with pytest.raises(EditionError, match="WEAKCODE_DATA_DIR"):
        installed.add(path)


def test_a_strict_validator_refuses_a_day_whose_codes_are_not_known() -> None:
    claim = weakcode.Claim(["I10"], service_date="2027-05-04")
    with pytest.raises(InputError, match="no codes are known for 2027-05-04, only for 2015-10-01 to 2027-03-31"):
        weakcode.Validator(strict_edition=True).check(claim)
    verdict = weakcode.Validator().judge(claim)
    assert (verdict.edition, verdict.notes_edition, verdict.out_of_force) == ("2026-10", "2026-04", True)
    assert "codes are known until 2027-03-31" in verdict.notices[0]
    within = weakcode.Claim(["I10"], service_date="2023-05-04")
    assert weakcode.Validator(strict_edition=True).judge(within).notices == ()


@pytest.mark.slow
def test_each_claim_of_a_batch_is_judged_by_the_edition_of_its_day(shared: Path, tmp_path: Path) -> None:
    for name in ("2021_jan", "2025_april"):
        installed.add(shared / "icd10cm" / f"icd10cm_tabular_{name}.xml.xz")
    validator = weakcode.Validator(packs=["icd10cm"])

    def judged(day: str) -> tuple[str, list[str]]:
        verdict = validator.judge(weakcode.Claim(["M54.5"], service_date=day))
        return verdict.edition, [finding.rule for finding in verdict.findings]

    assert judged("2021-01-15") == ("2021-01", [])
    assert judged("2025-04-15") == ("2025-04", ["icd10cm/not-billable"])
    assert judged("2026-04-15") == ("2026-04", ["icd10cm/not-billable"])

    table = written(
        tmp_path,
        "claims.csv",
        b"claim_id,codes,service_date\na,M54.5,2021-01-15\nb,M54.5,2025-04-15\nc,M54.50,2021-01-15\nd,M54.50,2026-04-15\n",
    )
    found = [row for batch in validator.scrub(str(table)) for row in batch.to_pylist()]
    assert [(row["claim_id"], row["rule"], row["edition"]) for row in found] == [
        ("b", "icd10cm/not-billable", "2025-04"),
        ("c", "icd10cm/not-valid-on-date", "2021-01"),
    ]
