"""Editions that the user adds: what is taken, what is refused, and that a refusal changes nothing on disk."""

from __future__ import annotations

import gzip
import io
import lzma
import zipfile
from collections.abc import Iterator
from datetime import date
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

import pytest

import weakcode
from weakcode.codes import catalog, installed
from weakcode.codes.sources import kept, orders, unpack
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
def test_the_first_day_is_detected_by_the_name_and_the_version(name: str, version: str, starts: date | None) -> None:
    assert installed.stated_start(name, version) == starts


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
def test_what_is_not_a_whole_list_is_refused_in_one_line_and_changes_nothing(
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


def release_of_october(xml: bytes) -> bytes:
    """The bundled list as a made-up release of fiscal year 2027: chapter 13 alone, with codes and a note of its own."""
    root = ElementTree.fromstring(xml)
    for chapter in root.findall("chapter"):
        if chapter.findtext("name") != "13":
            root.remove(chapter)
    version = root.find("version")
    assert version is not None
    version.text = "2027"
    (foot,) = (code for code in root.iter("diag") if code.findtext("name") == "M72.2")
    for name, side in (("M72.20", "unspecified"), ("M72.21", "right"), ("M72.22", "left")):
        below = ElementTree.SubElement(foot, "diag")
        ElementTree.SubElement(below, "name").text = name
        ElementTree.SubElement(below, "desc").text = f"Plantar fascial fibromatosis, {side} foot"
    note = ElementTree.SubElement(ElementTree.SubElement(foot, "excludes1"), "note")
    note.text = "invented reason (M62.81)"
    return ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)


def test_the_real_list_of_a_release_takes_over_on_its_days_and_on_no_others(tmp_path: Path) -> None:
    day = date(2026, 11, 28)
    assert catalog.edition_for(day).notes_name == "2026-04"
    content = release_of_october(catalog.sources()[0].path.read_bytes())
    source = installed.add(written(tmp_path, "icd10cm-tabular-2027.xml", content))
    assert (source.starts, source.ends) == (date(2026, 10, 1), date(2027, 3, 31))
    judge = weakcode.Validator(packs=["icd10cm"])
    verdict = judge.judge(weakcode.Claim(["M72.21", "M62.81"], service_date=day))
    assert (verdict.edition, verdict.notes_edition, verdict.notes_out_of_force) == ("2026-10", "2026-10", False)
    (pair,) = (finding for finding in verdict.findings if finding.rule == "icd10cm/excludes1")
    assert "invented reason" in pair.message
    assert "ICD-10-CM Tabular List (2026-10), M72.2, Excludes1" in [str(one).partition(":")[0] for one in pair.sources]
    # What the list does not have is no code on its days, whatever the shipped table says.
    (gone,) = judge.check(weakcode.Claim(["I10"], service_date=day))
    assert gone.message.endswith("is not valid on the service date: not valid since 2026-10-01.")
    for other in (date(2026, 9, 30), date(2027, 4, 1)):
        assert catalog.edition_for(other).notes_name == ("2026-04" if other < day else "2026-10")
    assert catalog.edition_for(date(2026, 9, 30)).is_billable("I10")
    installed.remove("2026-10")
    assert catalog.edition_for(day).notes_name == "2026-04"
    assert catalog.edition_for(day).is_billable("I10")


@cache
def order_lines() -> list[str]:
    """An order file of the codes of September 2026, line by line."""
    return orders.order_text(orders.listed_in(catalog.edition_for(date(2026, 9, 30)))).splitlines(keepends=True)


def order_text(*changes: str, without: int = 0) -> bytes:
    """An order file of the codes of September 2026, as CMS writes it, and lines that replace its last ones."""
    lines = order_lines()
    return "".join([*lines[: len(lines) - without], *changes]).replace("\n", "\r\n").encode()


def added(*lines: str) -> bytes:
    return "".join(
        f"{line[:13]}{line[13:14]} {line[15:22]:<7} {line[23:]:<60} {line[23:]}\r\n" for line in lines
    ).encode()


def change(action: str, code: str, title: str = "Invented condition", billable: bool = True) -> str:
    return f"{action:<13}{int(billable)} {code:<8}{title}"


def test_an_order_file_brings_codes_alone_packed_or_not(tmp_path: Path) -> None:
    number = order_text().count(b"\n") + 1
    text = order_text(f"{number:05} ZZZ9    1 {'Invented condition':<60} Invented condition\n")
    packed = installed.add(written(tmp_path, "codes-2028.zip", zipped({"x/icd10cm-order-2028.txt": text})))
    stored = packed.path.read_bytes()
    installed.remove("2027-10")
    source = installed.add(written(tmp_path, "icd10cm-order-2028.txt", text))
    assert source == packed
    assert source.path.read_bytes() == stored
    assert (source.name, source.starts, source.ends, source.notes) == (
        "2027-10",
        date(2027, 10, 1),
        date(2028, 3, 31),
        False,
    )
    edition = catalog.edition_for(date(2027, 12, 1))
    assert edition.title("ZZZ.9") == "Invented condition"
    assert (edition.name, edition.notes_name) == ("2027-10", "2026-04")
    assert not catalog.edition_for(date(2026, 12, 1)).is_billable("ZZZ.9")
    installed.remove("2027-10")
    assert not list(kept.folder().iterdir())


def test_order_addenda_are_laid_over_the_codes_of_the_day_before(tmp_path: Path) -> None:
    lines = [
        change("Delete:", "R54"),
        change("Add:", "R54", billable=False),
        change("Add:", "R540"),
        change("Add:", "R541"),
    ]
    source = installed.add(written(tmp_path, "icd10cm-order-addenda-2028.txt", added(*lines)))
    assert source.name == "2027-10"
    edition = catalog.edition_for(date(2027, 12, 1))
    assert [edition.is_billable(code) for code in ("R54", "R54.0", "R54.1", "R53.1")] == [False, True, True, True]
    assert catalog.edition_for(date(2027, 9, 30)).is_billable("R54")
    installed.remove("2027-10")


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        (
            "order-addenda-2028.txt",
            added(change("Delete:", "Q4242")),
            r"deletes the code Q42\.42, which edition 2026-10 does not",
        ),
        (
            "order-addenda-2028.txt",
            added(change("Add:", "R54")),
            "adds the code R54, which edition 2026-10 has already",
        ),
        ("order-addenda-2028.txt", added(change("Revise from:", "R54")), "without its"),
        ("order-addenda-2028.txt", b"Add:         1 R5\r\n", r"order-addenda-2028\.txt, line 1"),
        ("order-addenda.txt", added(change("Add:", "R540")), "add --from"),
        ("order-addenda-2028.zip", zipped({"read me.txt": b"hello"}), "no Tabular List"),
        ("order-2028.txt", b"00001 R54     1 Frailty\r\n", "fewer than 1,000 billable codes"),
    ],
)
def test_codes_that_do_not_fit_are_refused_in_one_line_and_change_nothing(
    name: str, content: bytes, says: str, tmp_path: Path, data: Path
) -> None:
    with pytest.raises(EditionError, match=says) as refused:
        installed.add(written(tmp_path, name, content))
    assert "\n" not in str(refused.value)
    assert not data.exists()


def test_an_order_file_that_was_cut_is_refused(tmp_path: Path, data: Path) -> None:
    with pytest.raises(EditionError, match=r"billable codes of 2026-10, such as .*; it is cut short"):
        installed.add(written(tmp_path, "icd10cm-order-2028.txt", order_text(without=9_000)))
    lines = order_text().splitlines(keepends=True)
    gap = written(tmp_path, "icd10cm-order-2028.txt", b"".join(lines[:2000] + lines[2002:]))
    with pytest.raises(EditionError, match=r"line 2001: row 02003 where 02001 comes next"):
        installed.add(gap)
    assert not data.exists()


def test_codes_and_a_tabular_list_of_the_same_days_are_refused_with_the_name(tmp_path: Path) -> None:
    installed.add(written(tmp_path, "icd10cm-order-addenda-2028.txt", added(change("Add:", "R540"))))
    list_of_2028 = SMALL.replace(b"2023", b"2028")
    with pytest.raises(
        EditionError, match=r"edition 2027-10 \(2027-10-01 to 2028-03-31\) is installed already; remove it"
    ):
        installed.add(written(tmp_path, "icd10cm-tabular-2028.xml", list_of_2028))
    with pytest.raises(EditionError, match=r"2027-09 \(.*\) and 2027-10 \(.*\) are both in force on 2027-10-01"):
        installed.add(written(tmp_path, "tabular.xml", list_of_2028), date(2027, 9, 1), date(2027, 12, 1))
    installed.remove("2027-10")
