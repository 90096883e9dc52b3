"""Rows with bytes that are no text, or days that are in no calendar: Arrow lets both through."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

import weakcode


def as_text(binary: pa.Array) -> pa.Array:
    """Return the bytes as they are, called text: what readers of files give without looking."""
    return pa.Array.from_buffers(pa.string(), len(binary), binary.buffers(), binary.null_count)


def scrubbed(**columns: Any) -> tuple[list[str | None], list[tuple[str | None, str, str]]]:
    """Return the ids of claims with a finding, and for each reject its id, part and reason."""
    rejects: list[Any] = []
    batches = weakcode.Validator(packs="weakness").scrub(pa.table(columns), on_reject=rejects.append)
    found = [claim for batch in batches for claim in batch["claim_id"].to_pylist()]
    return found, [(one.claim_id, one.part, one.reason) for one in rejects]


FINDS = [["M62.84", "I10"]] * 3
IDS = ["A", "B", "C"]


@pytest.mark.parametrize("column", ["payer", "sex", "setting", "documented"])
def test_a_value_that_is_not_text_sets_its_row_aside_and_no_other(column: str) -> None:
    values = pa.array([b"", b"caf\xe9", None], pa.binary())

    found, rejects = scrubbed(claim_id=IDS, codes=FINDS, **{column: as_text(values)})

    assert found == ["A", "C"]
    assert rejects == [(None, column, f"the column {column} holds bytes that are not UTF-8")]


def test_codes_that_are_not_text_set_their_row_aside_in_whatever_shape_they_come() -> None:
    text = as_text(pa.array([b"M62.84", b"\xff", b"M62.84"], pa.binary()))
    offsets = pa.array([0, 1, 2, 3], pa.int32())
    shapes = {
        "text": text,
        "list": pa.ListArray.from_arrays(offsets, text),
        "dictionary": pa.ListArray.from_arrays(
            offsets, pa.DictionaryArray.from_arrays(pa.array([0, 1, 2], pa.int32()), text)
        ),
        "spoken": pa.ListArray.from_arrays(
            offsets, pa.StructArray.from_arrays([pa.array(["M62.84"] * 3), text], ["code", "text"])
        ),
    }
    for shape, codes in shapes.items():
        found, rejects = scrubbed(claim_id=IDS, codes=codes)

        assert found == ["A", "C"], shape
        assert rejects == [(None, "codes", "the column codes holds bytes that are not UTF-8")], shape


def test_a_day_outside_the_calendar_sets_its_row_aside() -> None:
    days = pa.array([20_000 * 365, 20_575, None], pa.int32()).cast(pa.date32())

    found, rejects = scrubbed(claim_id=IDS, codes=FINDS, service_date=days)

    assert found == ["B", "C"]
    assert rejects == [(None, "service date", "the column service_date holds a day outside the years 1 to 9999")]


def test_rejects_keep_the_line_of_their_row_beside_unreadable_ones() -> None:
    rejects: list[Any] = []
    table = pa.table(
        {
            "claim_id": as_text(pa.array([b"\xff", b"B", b"C"], pa.binary())),
            "codes": [["I10"], [], ["M62.84"]],
        }
    )

    batches = list(weakcode.Validator(packs="weakness").scrub(table, on_reject=rejects.append))

    assert [(one.line, one.part) for one in rejects] == [(1, "claim id"), (2, "codes")]
    assert [line for batch in batches for line in batch["line"].to_pylist()] == [3]


@pytest.mark.parametrize("column", ["sex", "payer", "setting", "age", "service_date", "birth_date"])
def test_a_list_where_one_value_belongs_sets_its_row_aside(column: str) -> None:
    found, rejects = scrubbed(claim_id=IDS, codes=FINDS, **{column: [None, ["F"], None]})

    assert found == ["A", "C"]
    assert [(claim, part) for claim, part, _ in rejects] == [("B", column.replace("_", " "))]


def test_a_claim_id_of_any_type_is_written_as_text() -> None:
    assert scrubbed(claim_id=[[1], [2, 3], None], codes=FINDS) == (["[1]", "[2, 3]", None], [])
