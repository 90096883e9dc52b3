"""Mended claims in their own 837: what was mended reads as mended, and every other byte is as it was."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.scrub.x12.test_native import files
from tests.scrub.x12.test_reading_x12 import SIGNS, claims, file_of, rows_of
from tests.scrub.x12.writing837 import interchange

from weakcode import Claim, Diagnosis, InputError, Validator
from weakcode.scrub.read.rows import Record
from weakcode.scrub.read.x12 import native
from weakcode.scrub.read.x12.draft import Origin
from weakcode.scrub.read.x12.source import X12Source
from weakcode.scrub.run import scrub
from weakcode.scrub.write.inplace.x12claim import rewrite

VALIDATOR = Validator(packs=["icd10cm", "weakness"]).in_bulk()


def reversed_claim(claim: Claim) -> Claim:
    """The claim with its diagnoses in the opposite order, and its pointers where they went."""
    size = len(claim.diagnoses)
    return attrs.evolve(
        claim,
        codes=claim.diagnoses[::-1],
        lines=[
            attrs.evolve(line, pointers=tuple(size + 1 - to if to <= size else to for to in line.pointers))
            for line in claim.lines
        ],
    )


def mended(path: Path, out: Path, *, jobs: int = 1) -> int:
    summary = scrub(
        [path], VALIDATOR, columns=VALIDATOR.columns(), jobs=jobs, fixed=out, mend=lambda one: VALIDATOR.fix(one).claim
    )
    return summary.fixed


def claim_and_bytes(content: bytes) -> tuple[Claim, bytes, Origin]:
    (row,) = X12Source(io.BytesIO(content), "f")
    assert isinstance(row, Record)
    assert isinstance(row.origin, Origin)
    return row.claim, content[row.origin.start : row.origin.stop], row.origin


@pytest.mark.parametrize("kind", ["P", "I", "D"])
@given(data=st.data())
def test_a_claim_in_any_order_reads_as_it_was_mended(kind: str, data: st.DataObject) -> None:
    content = "".join(interchange([data.draw(claims(kind))], kind, 1, data.draw(SIGNS))).encode()
    claim, text, origin = claim_and_bytes(content)
    order = data.draw(st.permutations(range(len(claim.diagnoses))))
    moved = {old + 1: new for new, old in enumerate(order, start=1)}
    other = attrs.evolve(
        claim,
        codes=[claim.diagnoses[at] for at in order],
        lines=[attrs.evolve(line, pointers=tuple(moved.get(to, to) for to in line.pointers)) for line in claim.lines],
    )
    written = rewrite(text, origin.delimiters, claim, other)
    assert written is not None
    again, _, _ = claim_and_bytes(content[: origin.start] + written.content + content[origin.stop :])
    assert again == other
    assert written.segments == 0
    same = rewrite(text, origin.delimiters, claim, claim)
    assert same is not None
    assert same.content == text


@settings(deadline=None)
@given(content=files(), size=st.sampled_from([300, 1 << 21]))
def test_a_file_damaged_or_not_keeps_all_but_its_mended_claims(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, size: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "in.837"
    out = path.with_name("out.837")
    out.unlink(missing_ok=True)
    path.write_bytes(content)

    def mend(claim: Claim) -> Claim:
        return attrs.evolve(claim, codes=sorted(claim.diagnoses, key=lambda one: one.code), lines=claim.lines)

    with pytest.MonkeyPatch.context() as changed:
        changed.setattr(native, "BLOCK_BYTES", size)
        try:
            summary = scrub([path], VALIDATOR, columns=VALIDATOR.columns(), fixed=out, mend=mend)
        except InputError:
            return
    if not summary.is_kept:
        assert not out.exists()
        return
    before, after = rows_of(content), rows_of(out.read_bytes())
    assert len(before) == len(after)
    changes = 0
    for was, now in zip(before, after, strict=True):
        if isinstance(was, Record) and isinstance(now, Record) and now.claim != was.claim:
            assert now.claim == mend(was.claim)
            changes += 1
        elif not (isinstance(was, Record) and isinstance(now, Record)):
            assert type(was) is type(now)
    assert changes == summary.fixed
    if not changes:
        assert out.read_bytes() == content


GASTROPARESIS = (
    "HI*ABK:K3184*ABF:I10*ABF:E1143",
    "LX*1",
    "SV1*HC:99213*40*UN*1***1:3",
    "LX*2",
    "SV1*HC:97110*40*UN*1***02",
)


def test_a_mended_claim_changes_its_diagnoses_and_pointers_and_no_other_byte(tmp_path: Path) -> None:
    clean = ("CLM*OK*1***11:B:1", "HI*ABK:I10", "LX*1", "SV1*HC:1*1*UN*1***1")
    content = file_of("CLM*A1*100***11:B:1*Y*A*Y*Y", *GASTROPARESIS, *clean).replace("SE*1*", "SE*20*")
    path, out = tmp_path / "in.837", tmp_path / "out.837"
    path.write_text(content)
    assert mended(path, out) == 1
    expected = VALIDATOR.fix(rows_of(content)[0].claim).claim  # type: ignore[union-attr]
    assert expected.codes[0] != "K31.84"
    first, second = rows_of(out.read_bytes())
    assert isinstance(first, Record)
    assert first.claim == expected
    changed = [
        (was, now) for was, now in zip(content.split("~"), out.read_text().split("~"), strict=True) if was != now
    ]
    assert {was.split("*")[0] for was, _ in changed} <= {"HI", "SV1"}
    assert isinstance(second, Record)
    assert second.raw == "~".join([*clean, ""])


def test_poa_goes_with_its_diagnosis_and_the_principal_keeps_its_segment(tmp_path: Path) -> None:
    content = file_of(
        "CLM*A1*100***11:A:1", "DTP*434*RD8*20260301-20260302", "HI*ABJ:R531", "HI*ABK:M6284:::::::Y",
        "HI*ABF:G35:::::::N*ABF:E1142:::::::W", version="005010X223A2",
    )  # fmt: skip
    claim, text, origin = claim_and_bytes(content.encode())
    written = rewrite(text, origin.delimiters, claim, reversed_claim(claim))
    assert written is not None
    assert b"HI*ABJ:R531~HI*ABK:E1142:::::::W~HI*ABF:G35:::::::N*ABF:M6284:::::::Y~" in written.content


def test_a_repeat_that_is_dropped_takes_its_segment_and_its_count_along(tmp_path: Path) -> None:
    content = file_of(
        "CLM*A1*100***11:A:1", "DTP*434*RD8*20260301-20260302", "HI*ABK:I10", "HI*ABF:I10", version="005010X223A2"
    ).replace("SE*1*", "SE*12*")
    assert content.count("~") - 5 == 11  # without ISA, GS, GE, IEA and what follows them
    path, out = tmp_path / "in.837", tmp_path / "out.837"
    path.write_text(content)
    everything = Validator().in_bulk()
    scrub([path], everything, columns=everything.columns(), fixed=out, mend=lambda one: everything.fix(one).claim)
    assert out.read_text() == content.replace("HI*ABF:I10~", "").replace("SE*12*", "SE*11*")
    assert not X12Source(io.BytesIO(out.read_bytes()), "f").notes


def test_an_added_code_comes_after_the_others() -> None:
    content = file_of("CLM*A1*100***11:B:1", "HI*ABK:I10", "LX*1", "SV1*HC:1*1*UN*1***1")
    claim, text, origin = claim_and_bytes(content.encode())
    more = attrs.evolve(claim, codes=[*claim.diagnoses, Diagnosis("E11.9")])
    written = rewrite(text, origin.delimiters, claim, more)
    assert written is not None
    assert (b"HI*ABK:I10*ABF:E119~" in written.content, written.segments) == (True, 0)
    many = attrs.evolve(claim, codes=[*claim.diagnoses, *[Diagnosis(f"Z00.{n:02}") for n in range(20)]])
    written = rewrite(text, origin.delimiters, claim, many)
    assert written is not None
    assert (written.content.count(b"HI*"), written.segments) == (2, 1)


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_file_of_many_blocks_is_mended_alike_however_many_threads_judge(
    tmp_path: Path, jobs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(native, "BLOCK_BYTES", 1000)
    parts = [part for n in range(60) for part in (f"CLM*A{n}*1***11:B:1", "HI*ABK:K3184*ABF:E1143")]
    path, out = tmp_path / "in.837", tmp_path / "out.837"
    path.write_text(file_of(*parts).replace("SE*1*", "SE*127*"))
    assert mended(path, out, jobs=jobs) == 60
    assert re.findall(r"HI\*[^~]*", out.read_text()) == ["HI*ABK:E1143*ABF:K3184"] * 60


def test_what_cannot_be_written_again_is_reported_in_one_line(tmp_path: Path) -> None:
    path, table = tmp_path / "in.837", tmp_path / "claims.csv"
    path.write_text(file_of("CLM*A1*100***11:B:1", "HI*ABK:I10"))
    table.write_text("claim_id,codes\nA,I10\n")
    with zipfile.ZipFile(tmp_path / "two.zip", "w") as archive:
        archive.write(path, "one.837")
        archive.write(path, "two.837")
    for inputs, said in (
        ([path, path], "has to be one file"),
        ([table], "is not an 837"),
        ([tmp_path / "two.zip"], "several files"),
    ):
        with pytest.raises(InputError, match=said):
            scrub(inputs, VALIDATOR, columns=VALIDATOR.columns(), fixed=tmp_path / "out.837", mend=lambda one: one)
        assert not (tmp_path / "out.837").exists()
