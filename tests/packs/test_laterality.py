"""Codes of one condition that differ in the side alone, against CMS's own file of titles and a coder's reading."""

from __future__ import annotations

import lzma
import re
from functools import cache
from pathlib import Path

import pytest

import weakcode
from weakcode.codes.catalog import bundled
from weakcode.compile.tabular.instances import KINDS


@cache
def validator() -> weakcode.Validator:
    return weakcode.Validator(packs=["guidelines", "icd10cm"])


def found(codes: str) -> list[tuple[str, tuple[int, ...]]]:
    claim = weakcode.Claim(codes.split(), service_date="2026-05-04")
    return [(finding.rule, finding.positions) for finding in validator().check(claim)]


TWO_SIDES = "guidelines/right-and-left-of-a-bilateral-code"

# Right, left, both, as they stand in the Tabular List.
TRIPLES = """
C56.1 C56.2 C56.3
G57.41 G57.42 G57.43
H05.121 H05.122 H05.123
H25.11 H25.12 H25.13
H65.01 H65.02 H65.03
H93.11 H93.12 H93.13
I63.311 I63.312 I63.313
I70.211 I70.212 I70.213
I82.411 I82.412 I82.413
I87.001 I87.002 I87.003
M16.11 M16.12 M16.0
M16.31 M16.32 M16.2
M17.11 M17.12 M17.0
M18.11 M18.12 M18.0
M26.631 M26.632 M26.633
N60.01 N60.02 -
R22.31 R22.32 R22.33
S20.211A S20.212A S20.213A
S22.41XA S22.42XA S22.43XA
T86.8481 T86.8482 T86.8483
Z96.651 Z96.652 Z96.653
M25.561 M25.562 -
J38.01 J38.02 -
"""


@pytest.mark.parametrize("line", TRIPLES.split("\n")[1:-1])
def test_right_and_left_are_reported_exactly_where_a_bilateral_code_exists(line: str) -> None:
    right, left, both = line.split()
    told = [finding for finding in found(f"{left} {right}") if finding[0] == TWO_SIDES]
    assert told == ([] if both == "-" else [(TWO_SIDES, (2, 1))])
    if both != "-":
        claim = weakcode.Claim([right, left], service_date="2026-05-04")
        (message,) = (finding.message for finding in validator().check(claim) if finding.rule == TWO_SIDES)
        assert f"report {both} alone" in message
        assert ("guidelines/one-side-beside-bilateral", (1, 2)) in found(f"{both} {left}")


@pytest.mark.parametrize(
    "codes", ["I50.810 I50.1", "H54.413A H54.52A1", "H40.1111 H40.1122", "R10.11 R10.12", "G81.91 G81.94"]
)
def test_words_of_side_that_name_other_conditions_are_not_a_pair(codes: str) -> None:
    assert not [rule for rule, _ in found(codes) if rule == TWO_SIDES]


@pytest.mark.parametrize("codes", ["H40.1112 H40.1122", "H40.231 H40.232"])
def test_only_the_rule_of_their_chapter_reports_two_eyes_with_one_glaucoma(codes: str) -> None:
    assert found(codes) == [("guidelines/glaucoma-of-right-and-left-eye", (1, 2))]


def test_the_titles_in_cms_own_file_name_right_left_and_both(shared: Path) -> None:
    with lzma.open(shared / "icd10cm" / "icd10cm_order_2026.txt.xz", "rt", encoding="latin-1") as lines:
        titles = {line[6:14].strip(): line[77:].strip().lower() for line in lines}
    edition = bundled()
    pairs = 0
    for instance in KINDS["right_and_left"](edition):
        (right,), (left,) = instance.subject, instance.object
        first, second, both = (
            titles[code]
            for code in (edition.compact_code(right), edition.compact_code(left), instance.listed.replace(".", ""))
        )
        assert re.search(r"\bright\b", first)
        assert re.sub(r"\bright\b", "left", first) == second or first.replace(",", "").replace(
            "right", "left"
        ) == second.replace(",", "")
        assert re.search(r"\b(bilateral|both)\b", both)
        assert not re.search(r"\b(right|left|unspecified (eye|ear|side|limb|leg|hip|knee))\b", both)
        pairs += 1
    assert pairs > 900
