"""Real 837 files, whole and mutilated: every one ends in claims, rejects or one clear line."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.scrub.x12.writing837 import Signs, interchange

from weakcode import Claim, InputError
from weakcode.claims import ServiceLine
from weakcode.scrub.read.rows import Record, Rejected
from weakcode.scrub.read.x12.source import X12Source

FOLDER = Path(__file__).resolve().parents[4] / "shared" / "data" / "x12"
FILES = sorted(path.name for path in FOLDER.iterdir()) if FOLDER.is_dir() else ["none"]
ROLES = {"ABK": 0, "ABF": 1, "ABN": 2}


def outcome(content: bytes) -> list[Record | Rejected]:
    """Read a file that may be broken; anything but rows or an InputError of one line fails the test."""
    try:
        return list(X12Source(io.BytesIO(content), "f"))
    except InputError as error:
        if "\n" in str(error):
            raise
        return []


def claims_as_written(text: str) -> Iterator[tuple[str, list[str], dict[str, str]]]:
    """Claim id, ICD-10 diagnoses in the guide's order and facts, read with nothing but `split`."""
    element, component, end = text[3], text[104], text[105]
    listed: list[tuple[int, str]] = []
    claim_id, facts, patient = None, {}, {}
    for segment in text.split(end):
        values = segment.strip().split(element)
        if values[0] in ("CLM", "HL", "SE") and claim_id is not None:
            yield claim_id, [code for _, code in sorted(listed, key=lambda one: one[0])], facts
            claim_id, listed = None, []
        if values[0] == "HL":
            patient = {}
        elif values[0] == "DMG":
            patient = {"born": values[2], "sex": values[3]}
        elif values[0] == "CLM":
            claim_id, facts = values[1], dict(patient)
        elif values[0] == "HI":
            for value in values[1:]:
                qualifier, code = value.split(component)[:2]
                listed.append((ROLES[qualifier], code))
        elif values[0] == "DTP" and values[1] in ("434", "472") and claim_id is not None:
            facts.setdefault(values[1], values[3])


@pytest.mark.parametrize("name", [name for name in FILES if name.startswith("hccinfhir") or name == "none"])
def test_every_icd10_claim_has_the_diagnoses_of_its_hi_segments_in_order(shared: Path, name: str) -> None:
    content = (shared / "x12" / name).read_bytes()
    expected = list(claims_as_written(content.decode()))
    rows = outcome(content)
    assert [type(row) for row in rows] == [Record] * len(expected)
    assert expected
    for row, (claim_id, codes, facts) in zip(rows, expected, strict=True):
        assert isinstance(row, Record)
        claim = row.claim
        assert (claim.id, [code.replace(".", "") for code in claim.codes]) == (claim_id, codes)
        assert claim.sex == facts.get("sex")
        assert (f"{claim.birth_date:%Y%m%d}" if claim.birth_date else None) == facts.get("born")
        dates = facts.get("434") or facts["472"]
        assert f"{claim.service_date:%Y%m%d}" == (dates[-8:] if claim.setting == "inpatient" else dates[:8])


@pytest.mark.parametrize("name", FILES)
def test_no_claim_of_a_real_file_is_lost(shared: Path, name: str) -> None:
    content = (shared / "x12" / name).read_bytes()
    if not content.startswith(b"ISA"):
        with pytest.raises(InputError, match="an X12 file begins with an ISA segment"):
            list(X12Source(io.BytesIO(content), name))
        return
    ids = [
        part.split(content[3:4])[1].decode() for part in content.split(content[105:106]) if part.strip()[:3] == b"CLM"
    ]
    if "bad_first_line" in name:
        ids = ["A37YH556", "A37YH667"]
    rows = outcome(content)
    assert [row.claim.id if isinstance(row, Record) else row.claim_id for row in rows] == ids


def test_every_cut_of_a_real_file_gives_whole_claims_and_at_most_one_reject(shared: Path) -> None:
    content = (shared / "x12" / "hccinfhir_sample_837_0.txt").read_bytes()
    whole = [row.claim for row in outcome(content) if isinstance(row, Record)]
    for end in range(len(content)):
        rows = outcome(content[:end])
        claims = [row.claim for row in rows if isinstance(row, Record)]
        assert claims == whole[: len(claims)]
        assert len(rows) - len(claims) <= 1
        begun = content[:end].count(b"~CLM*")
        assert len(claims) >= begun - 1
        if b"~IEA" not in content[:end] and begun:
            assert len(rows) > len(claims), end


def test_a_lost_or_garbled_or_moved_segment_never_moves_a_diagnosis_to_another_claim(shared: Path) -> None:
    content = (shared / "x12" / "hccinfhir_sample_837_0.txt").read_bytes()
    # Every claim has codes of its own, so that one on a wrong claim is seen.
    codes = iter(["A00.0", "B00.1", "C00.2", "D00.01", "E03.0", "F01.50", "G00.0", "H00.011", "J00", "K00.0"])
    segments = [
        b"HI*ABK:%s*ABF:%s" % (next(codes).replace(".", "").encode(), next(codes, "I10").replace(".", "").encode())
        if segment.startswith(b"HI*") else segment
        for segment in content.split(b"~")
    ][: content[: content.rindex(b"ST*837")].count(b"~")] + content.split(b"~")[-3:]  # fmt: skip
    owner = {row.claim.id: set(row.claim.codes) for row in outcome(b"~".join(segments)) if isinstance(row, Record)}
    assert len(owner) == 4
    for at in range(2, len(segments)):
        gone = segments[:at] + segments[at + 1 :]
        garbled = [*segments[:at], b"X" + segments[at][1:], *segments[at + 1 :]]
        swapped = [*segments[: at - 1], segments[at], segments[at - 1], *segments[at + 1 :]]
        merged = [*segments[: at - 1], segments[at - 1] + b"?" + segments[at], *segments[at + 1 :]]
        for changed in (gone, garbled, swapped, merged):
            for row in outcome(b"~".join(changed)):
                if isinstance(row, Record) and row.claim.id in owner:
                    assert set(row.claim.codes) <= owner[row.claim.id] or "?" in "".join(row.claim.codes), at


CLAIMS = [
    Claim(
        ["M62.84", "I10", "E11.9"], f"C{n}", sex="F", birth_date="1950-01-01", service_date="2026-04-02",
        setting="professional", lines=[ServiceLine(1, (1, 2), "99213"), ServiceLine(2, (3,), "99214")],
    )
    for n in range(3)
]  # fmt: skip
GENERATED = "".join(interchange(CLAIMS, "P")) + "".join(interchange(CLAIMS, "D", 2, Signs("|", "^", "'", "\n")))


@settings(max_examples=300)
@given(st.data())
def test_cuts_and_changed_bytes_end_in_rows_or_one_line(data: st.DataObject) -> None:
    content = bytearray(GENERATED.encode())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content)))
        match data.draw(st.sampled_from(["cut", "byte", "insert", "move"])):
            case "cut":
                del content[at : at + data.draw(st.integers(1, 200))]
            case "byte" if at < len(content):
                content[at] = data.draw(st.integers(0, 255) | st.sampled_from(b"*:~^\n"))
            case "move":
                piece = content[at : at + 60]
                del content[at : at + 60]
                to = data.draw(st.integers(0, len(content)))
                content[to:to] = piece
            case _:
                content[at:at] = data.draw(st.binary(max_size=8))
    for row in outcome(bytes(content)):
        assert row.file == "f"
        assert row.line >= 1
        if isinstance(row, Record):
            assert len(row.places) == len(row.lines) == len(row.claim.codes)
            attrs.asdict(row.claim)
        else:
            assert row.reason
            assert row.part
            assert "\n" not in row.part


@given(st.binary(max_size=300))
def test_anything_after_the_header_ends_in_rows_or_one_line(rest: bytes) -> None:
    head = GENERATED[: GENERATED.index("CLM*")].encode()
    outcome(head + rest)
    outcome(head[:106] + rest)
    outcome(b"ISA" + rest)
    outcome(rest)


def test_segments_agree_with_pyx12_where_it_reads_a_file(shared: Path) -> None:
    """An independent reader; it stops at an empty segment and wants an ISA segment of 106 characters."""
    reader = pytest.importorskip("pyx12.rawx12file", reason="needs pyx12, which is no part of the dev extra").RawX12File
    from weakcode.scrub.read.x12.segments import Segments

    compared = 0
    for path in sorted((shared / "x12").iterdir()):
        if "no_isa" in path.name or "bad_first" in path.name:
            continue
        theirs = [text.strip() for text in reader(io.StringIO(path.read_text()))]
        assert [segment.text.strip() for segment in Segments(io.BytesIO(path.read_bytes()), path.name)] == theirs
        compared += 1
    assert compared >= 20
