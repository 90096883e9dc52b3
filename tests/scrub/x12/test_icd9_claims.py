"""Claims of another time: what the qualifier says of a code's list reaches the findings."""

from __future__ import annotations

import io

import pytest

import weakcode
from weakcode.scrub.read.rows import Record
from weakcode.scrub.read.x12.source import X12Source

HEAD = (
    "ISA*00*          *00*          *ZZ*SENDER         *ZZ*RECEIVER       *260401*1200*^*00501*000000042*0*T*:~"
    "GS*HC*S*R*20260401*1200*7*X*005010X222A1~ST*837*0099*005010X222A1~CLM*A1*1***11:B:1~"
)


def findings(hi: str, engine: str) -> list[tuple[str, tuple[int, ...]]]:
    content = f"{HEAD}{hi}~SE*4*0099~GE*1*7~IEA*1*000000042~".encode()
    (row,) = X12Source(io.BytesIO(content), "f")
    assert isinstance(row, Record)
    found = weakcode.Validator(packs=["icd10cm"], engine=engine).check(row.claim)
    return [(finding.rule, finding.positions) for finding in found]


@pytest.mark.parametrize("engine", ["durable", "columnar"])
class TestIcd9:
    def test_a_claim_of_icd9_codes_only_is_one_finding(self, engine: str) -> None:
        # V10.3, E888.9 and V58.6 have the form of ICD-10-CM codes too; E88.89 is one.
        hi = "HI*BK:4019*BF:V103*BF:E8889*BF:25000*BF:V586*BF:V5861*BF:41401*BF:2724*BF:496*BF:4280*BF:5859*BF:E887"
        assert findings(hi, engine) == [("icd10cm/icd9-code", (1,))]

    def test_icd9_codes_among_others_are_a_finding_each(self, engine: str) -> None:
        hi = "HI*ABK:I10*BF:V103*ABF:E119*BF:E8889"
        assert findings(hi, engine) == [("icd10cm/icd9-code", (2,)), ("icd10cm/icd9-code", (4,))]

    def test_the_same_letters_and_digits_as_icd10_codes_are_read_as_such(self, engine: str) -> None:
        assert findings("HI*ABK:E8889", engine) == []
