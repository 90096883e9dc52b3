"""Packed files are read as they are, and what was made to do harm is refused."""

from __future__ import annotations

import gzip
import lzma
import zipfile
from pathlib import Path

import pytest

from weakcode import InputError, WeakcodeError, read_claims
from weakcode.scrub.read import archives
from weakcode.scrub.read.files import open_claims

CLAIMS = b"claim_id,codes\nA,I10\nB,R54 E11.9\n"


def codes(path: Path) -> list[tuple[str, ...]]:
    return [claim.codes for claim in read_claims(path)]


def zipped(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize(
    ("name", "pack"), [("c.csv.gz", gzip.compress), ("c.csv.xz", lzma.compress), ("c", gzip.compress)]
)
def test_a_packed_file_is_read_as_it_is(tmp_path: Path, name: str, pack) -> None:
    (tmp_path / name).write_bytes(pack(CLAIMS))
    assert codes(tmp_path / name) == [("I10",), ("R54", "E11.9")]


def test_every_file_of_a_zip_archive_is_read_and_named(tmp_path: Path) -> None:
    path = zipped(
        tmp_path / "c.zip",
        {"one.csv": CLAIMS, "__MACOSX/._one.csv": b"\0", "two/b.jsonl": b'{"claim_id": "C", "codes": "I10"}\n'},
    )
    with open_claims(path) as source:
        rows = list(source)
    assert [(row.file, row.line, row.claim.id) for row in rows] == [
        (f"{path}/one.csv", 2, "A"),
        (f"{path}/one.csv", 3, "B"),
        (f"{path}/two/b.jsonl", 1, "C"),
    ]


@pytest.mark.parametrize("kept", [10, 30, -9, -4])
def test_a_gzip_file_that_was_truncated_is_one_clear_line(tmp_path: Path, kept: int) -> None:
    (tmp_path / "c.csv.gz").write_bytes(gzip.compress(CLAIMS)[:kept])
    with pytest.raises(InputError, match=r"c\.csv\.gz is damaged or cut short|is empty"):
        codes(tmp_path / "c.csv.gz")


@pytest.mark.parametrize("kept", [40, 100, -9])
def test_a_zip_archive_that_was_truncated_is_one_clear_line(tmp_path: Path, kept: int) -> None:
    whole = zipped(tmp_path / "c.zip", {"one.csv": CLAIMS})
    whole.write_bytes(whole.read_bytes()[:kept])
    with pytest.raises(InputError, match="damaged or cut short"):
        codes(whole)


def test_a_zip_archive_with_a_garbled_byte_is_one_clear_line(tmp_path: Path) -> None:
    path = zipped(tmp_path / "c.zip", {"one.csv": CLAIMS * 50})
    content = bytearray(path.read_bytes())
    content[50] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(InputError, match="damaged or cut short"):
        codes(path)


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress])
def test_a_file_that_unpacks_to_far_more_than_it_should_is_refused(
    tmp_path: Path, pack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "FREE", 1 << 20)
    (tmp_path / "bomb.csv.gz").write_bytes(pack(b"claim_id,codes\n" + b"\n" * (16 << 20)))
    with pytest.raises(InputError, match="over 250 times its size"):
        codes(tmp_path / "bomb.csv.gz")


def test_a_zip_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "FREE", 1 << 20)
    path = zipped(tmp_path / "bomb.zip", {"c.csv": b"claim_id,codes\n" + b"\n" * (16 << 20)})
    with pytest.raises(InputError, match="over 250 times its size"):
        codes(path)


def test_archives_in_archives_workbooks_and_empty_archives_are_refused(tmp_path: Path) -> None:
    inner = zipped(tmp_path / "inner.zip", {"c.csv": CLAIMS}).read_bytes()
    for members, said in [
        ({"inner.zip": inner}, "a zip archive in an archive"),
        ({"xl/workbook.xml": b"<x/>"}, "Excel workbooks? "),
        ({}, "without any file"),
        ({f"{number}.csv": b"" for number in range(1001)}, "holds 1,001 files"),
    ]:
        with pytest.raises(WeakcodeError, match=said):
            codes(zipped(tmp_path / "outer.zip", members))


def test_an_encrypted_archive_is_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path / "c.zip", {"c.csv": CLAIMS})
    content = bytearray(path.read_bytes())
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"c\.csv is encrypted"):
        codes(path)


def test_a_member_that_lies_about_its_size_gains_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "FREE", 1 << 20)
    path = zipped(tmp_path / "c.zip", {"c.csv": b"claim_id,codes\n" + b"\n" * (16 << 20)})
    content = bytearray(path.read_bytes())
    at = content.index(b"PK\x01\x02")
    content[at + 20 : at + 24] = (2**31).to_bytes(4, "little")
    path.write_bytes(content)
    with pytest.raises(InputError):
        codes(path)
