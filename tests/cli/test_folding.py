"""Lines that a terminal is too narrow for are folded between words."""

from __future__ import annotations

import pytest

from weakcode.cli.common.folding import folded

SENTENCE = (
    "1 error, 1 warning. Judged by ICD-10-CM 2026-10, packs coverage 1, covid 1, guidelines 3, icd10cm 5, lines 2."
)
ROW = "S93.409A  Sprain of unspecified ligament of unspecified ankle, initial encounter  (7th character one of A, D, S)"


@pytest.mark.parametrize("width", [40, 60, 80])
@pytest.mark.parametrize("line", [SENTENCE, ROW])
def test_no_line_is_wider_than_the_terminal_and_no_word_is_lost(line: str, width: int) -> None:
    lines = folded(line, width).split("\n")
    assert max(map(len, lines)) <= width
    assert " ".join(lines).split() == line.split()


def test_a_row_goes_on_below_its_last_column_in_the_left_half() -> None:
    assert folded(ROW, 60).split("\n")[1].startswith(" " * 10 + "ankle")
    assert folded("  " + SENTENCE, 60).split("\n")[1].startswith("  coverage")


def test_styles_take_no_room() -> None:
    styled = f"\x1b[1m{'word ' * 7}\x1b[0m".strip()
    assert folded(styled, 40) == styled


def test_a_word_that_is_longer_than_the_terminal_stays_whole() -> None:
    address = "https://example.org/" + "long/" * 12
    assert folded(f"or its table from {address}", 40).split("\n") == ["or its table from", address]


def test_lines_that_fit_stay_as_they_are() -> None:
    assert folded("a  b\n\n  c", 80) == "a  b\n\n  c"
