"""The native reader of 837 files and the one in Python: one outcome for every file, damaged ones included."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.scrub.x12.agreement import agree
from tests.scrub.x12.test_reading_x12 import SIGNS, claims, file_of
from tests.scrub.x12.writing837 import interchange

from weakcode.scrub.read.x12 import native

FOLDER = Path(__file__).resolve().parents[4] / "shared" / "data"
FILES = sorted([*FOLDER.glob("x12/*"), *FOLDER.glob("cases/*.837")])


@pytest.mark.parametrize("path", FILES or [None], ids=lambda path: path.name if path else "none")
def test_both_readers_agree_on_real_files_and_on_pieces_of_them(path: Path | None, shared: Path) -> None:
    assert path is not None
    content = path.read_bytes()
    agree(content)
    for cut in range(1, 8):
        agree(content[: len(content) * cut // 8])
        agree(content[: len(content) * cut // 9] + content[len(content) * (cut + 1) // 9 :])


SEGMENTS = """
    ~ * : ^ | é CLM*X1*1***11:B:1~ HI*ABK:I10~ HI*ABF:I10*ABF:E119~ HI*BK:4019~ HI*ABK:I10:ABF:E119~
    HI*ABK:I10^ABF:E119~ HI*ABN:W010XXA~ HI*ABJ:I10*APR:R52*BH:11:D8:20260101~ HI*ABK:a41.9:::::::N~
    HI*ABK:I10:::::::Q~ LX*1~ LX~ SV1*HC:99213*1*UN*1***1:2~ SV1*HC:1*1*UN*1***0~ SV2*0300*HC:1~
    SV3*AD:1*1****1****1~ DTP*472*D8*20260302~ DTP*472*D8*20260231~ DTP*434*RD8*20260301-20260305~
    DTP*472*DT*202603021200~ HL*2*1*22*0~ HL*9*1*22*0~ HL*3*2*23*0~ SBR*P*18~ PAT*19~ DMG*D8*19500301*F~
    DMG*D8*19501301*F~ DMG*D8**Q~ NM1*IL*1*DOE~ NM1*QC*1*DOE~ NM1*PR*2*ACMÉ~ NM1*PR*2*OTHER~
    NM1*PR*2******PI*77~ REF*87*004010X098A1~ ST*837*0002*005010X223A2~ ST*837*0003*005010X224A2~ ST*835*0004~
    SE*5*0001~ SE*12*0002~ GE*1*1~ IEA*1*000000001~ GS*HC*S*R*1*1*1*X*004010X096A1~ NTE*ADD*ABK:I10~ ZZZ*1~ H1~
    N3~ ABK: NM1*85*2*CLINIC*****XX*1234567893~ NM1*85*2*CLINIC*****24*1~ N4*TOWN*ca*94000~ NM1*87*2~ NM1*77*2~
    NM1*82*1*W*****XX*199~ PRV*BI*PXC*207q~ SBR*P*18*******mb~ NM1*PR*2*A*****PI*1,2~ HL*4**20*1~ HL*5**19*1~
    SV1*HC:g1:25:25:gp:59:x*1.50*UN*2*2**1~ SV1*HC:1*x*MJ*-.5~ SV1*HC:1*1234567890123456*UN*.~ SV2*45**-1.*DA*3~
    SV3*AD:D1:1*1*11***02*****2~ CLM*X2*1***13:A:7~ CLM*X3*1***2:B:~ CLM*X4*1***131:A:11~
    CLM*X5*1***11:B:8~ REF*F8*icn1~ REF*F8*~ REF*F8~ REF*G1*X~ HI*ABK:I10*ABK:E119~ DTP*472*RD8*20260301-20260305~
"""
PARTS = st.sampled_from(SEGMENTS.split()) | st.sampled_from(
    [
        "ISA*00*          *00*          *ZZ*S              *ZZ*R              *260401*1200*^*00501*000000009*0*T*:~",
        "ISA|00|          |00|          |ZZ|S              |ZZ|R              |260401|1200|U|00401|000000008|0|T|>\n",
        " ",
        "  \r\n",
        "\n",
        "\x00",
        "\x1a",
        "\xff",
    ]
)


@st.composite
def files(draw: st.DrawFn) -> bytes:
    """A file of some claims, with up to five changes."""
    parts = []
    for number in range(1, draw(st.integers(2, 4))):
        kind = draw(st.sampled_from("PID"))
        written = draw(st.lists(claims(kind), min_size=1, max_size=4))
        parts.append("".join(interchange(written, kind, number, draw(SIGNS))))
    content = "".join(parts).encode()
    for _ in range(draw(st.integers(0, 5))):
        at = draw(st.integers(0, len(content)))
        if draw(st.booleans()) and b"~" in content:
            # At the start of a segment, where most parts belong.
            at = content.find(b"~", at) + 1
        to = min(len(content), at + draw(st.sampled_from([0, 0, 0, 1, 2, 5, 30, 200])))
        content = content[:at] + draw(PARTS).encode("latin-1") + content[to:]
    return content


@given(content=files(), size=st.sampled_from([64, 300, 1 << 21]))
def test_both_readers_agree_on_any_file(content: bytes, size: int) -> None:
    with pytest.MonkeyPatch.context() as changed:
        changed.setattr(native, "BLOCK_BYTES", size)
        agree(content)


@given(content=st.binary(max_size=300), start=st.booleans())
def test_both_readers_agree_on_what_is_not_an_837(content: bytes, start: bool) -> None:
    agree(file_of("CLM*A*1***11:B:1", "HI*ABK:I10").encode()[:200] + content if start else content)


def test_plain_claims_are_read_natively() -> None:
    content = file_of(*[part for n in range(50) for part in (f"CLM*A{n}*1***11:B:1", "HI*ABK:I10*ABF:E119")])
    assert agree(content.replace("SE*1*", "SE*107*").encode()) == 50


def test_a_claim_that_is_not_plain_does_not_keep_those_around_it_from_being_read_natively() -> None:
    claims = [part for n in range(90) for part in (f"CLM*A{n}*1***11:B:1", "HI*ABK:I10*ABF:E119")]
    claims[60] = "CLM*Ü*1***11:B:1"
    claims[121] = "HI*ABK:I10:::::::Q"
    assert agree(file_of(*claims).replace("SE*1*", "SE*187*").encode()) == 88
