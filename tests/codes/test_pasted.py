"""Codes are taken out of pasted text in their order, and what only looks like one is told."""

from __future__ import annotations

import pytest

from weakcode.codes.catalog import edition_for
from weakcode.codes.expression.pasted import codes_in


def _codes_in(text: str) -> list[str]:
    return list(codes_in(text, edition_for(None)).codes)


def _left_out(text: str) -> list[str]:
    return [one.code for one in codes_in(text, edition_for(None)).left_out]


@pytest.mark.parametrize(
    "between", [" ", ", ", ";", "|", "\t", "\n", " / ", " \u2013 ", "&", "~", " \u2022 ", ") ", "\u00a0"]
)
def test_codes_are_taken_whatever_parts_them(between: str) -> None:
    assert _codes_in(between.join(["I10", "e11.65", "m6281", "U07.1", "T36.0X5A"])) == [
        "I10",
        "E11.65",
        "M62.81",
        "U07.1",
        "T36.0X5A",
    ]


def test_titles_dates_and_procedures_of_a_superbill_are_not_codes() -> None:
    bill = (
        "DOS 05/12/2026  MRN A12345678\n[x] I10 - Essential hypertension  [x] N39.0 UTI\nCPT 99214, 93000 G0439 J1100"
    )
    assert _codes_in(bill) == ["I10", "N39.0"]
    assert _left_out(bill) == ["G04.39", "J11.00"]


@pytest.mark.parametrize(
    ("ticked", "empty"),
    [("[x]", "[ ]"), ("[X]", "[]"), ("\u2612", "\u2610"), ("\u2611", "\u25a1"), ("[\u2713]", "[__]")],
)
def test_of_a_form_with_boxes_only_the_ticked_codes_are_taken(ticked: str, empty: str) -> None:
    form = f"{ticked} I10 Hypertension   {empty} N39.0 UTI\n{empty} E11.9 Diabetes  {ticked} J44.1 COPD"
    assert _codes_in(form) == ["I10", "J44.1"]
    left = codes_in(form, edition_for(None)).left_out
    assert [one.code for one in left] == ["N39.0", "E11.9"]
    assert left[0].why == "The box before N39.0 is not ticked"


def test_where_no_box_is_ticked_boxes_say_nothing() -> None:
    assert _codes_in("[ ] I10 Hypertension [ ] N39.0 UTI") == ["I10", "N39.0"]


@pytest.mark.parametrize(
    ("text", "left_out"),
    [("vitamin B12 level, I10", "B12"), ("Room D25: I10", "D25"), ("I10, A4253 test strips", "A42.53")],
)
def test_what_is_not_a_whole_code_is_left_out_of_prose_with_a_reason(text: str, left_out: str) -> None:
    found = codes_in(text, edition_for(None))
    assert found.codes == ("I10",)
    assert [one.code for one in found.left_out] == [left_out]
    assert found.left_out[0].why


def test_where_nothing_but_codes_stands_all_are_taken_so_that_findings_tell_of_them() -> None:
    assert _codes_in("B12 E11 J1100 Q99999") == ["B12", "E11", "J11.00", "Q99.999"]


def test_a_dotted_code_that_does_not_exist_is_taken_so_that_a_finding_tells_what_was_meant() -> None:
    assert _codes_in("diabetes E11.90 today") == ["E11.90"]


def test_a_code_that_could_be_a_procedure_is_taken_and_reported() -> None:
    found = codes_in("weakness R5381 and E11.65", edition_for(None))
    assert found.codes == ("R53.81", "E11.65")
    assert [one.code for one in found.doubtful] == ["R53.81"]


def test_text_without_codes_gives_none() -> None:
    assert _codes_in("high blood pressure, 99213, 05/12/2026") == []
    assert _codes_in("") == []
