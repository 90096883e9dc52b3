"""A CSV file with quotes is read in columns, and each of its rows as the row reader reads it."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tests.scrub.test_blocks import outcome, same_both_ways, validator

from weakcode.scrub.read.csv import quotes
from weakcode.scrub.read.csv.quotes import unquoted_lines
from weakcode.scrub.run import scrub

SEPARATOR = "\x1f"
TEXT = st.lists(
    st.sampled_from(['"', '"', '""', ",", ",", "\n", "\r\n", ";", " ", "é", "I10", '"I10"', '"I10",', '="7"']),
    max_size=25,
).map("".join)


def cells_of(line: str, delimiter: str) -> list[str] | None:
    """Return the cells of a line by the csv module; None where a quote stands wrong."""
    try:
        (cells,) = csv.reader([line], delimiter=delimiter, strict=True)
    except csv.Error:
        return None
    return cells


@settings(max_examples=300)
@given(text=TEXT, delimiter=st.sampled_from(",;"))
@example(text='a,"b"\n"x ""y"" z","1,2"\n""""\n', delimiter=",")
@example(text='a,"b\n"', delimiter=",")
def test_unquoted_lines_have_the_cells_that_the_csv_module_reads(text: str, delimiter: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(quotes, "_FEWEST_LINES", 1)
        found = unquoted_lines(text.encode(), delimiter, 3)
    lines = text.encode().split(b"\n")
    if found is None:
        with pytest.raises(csv.Error, match="unexpected end of data"):
            list(csv.reader([lines[0].decode().removesuffix("\r")], delimiter=delimiter, strict=True))
        return
    assert text.encode().startswith(found.original)
    originals, contents = (part.decode().split("\n") for part in (found.original, found.content))
    assert len(originals) == len(contents)
    for original, content in zip(originals, contents, strict=True):
        assert original.endswith("\r") == content.endswith("\r")
        cells = cells_of(original.removesuffix("\r"), delimiter) if original.strip("\r") else [""]
        expected = [""] * 4 if cells is None else cells
        assert content.removesuffix("\r").split(found.delimiter) == expected
    if len(found.original) < len(text.encode()):
        following = text.encode()[len(found.original) :].split(b"\n")[0].decode().removesuffix("\r")
        with pytest.raises(csv.Error, match="unexpected end of data"):
            list(csv.reader([following], delimiter=delimiter, strict=True))


SIGNS = '","'
CELLS = {
    "claim_id": ["A", '"A"', '="007"', '"=""007"""', "é", '" B "', '"two\nlines"', '"open', '6" x', '"a"b', ""],
    "codes": ["I10", '"M62.84 I10"', '"I10, E11.9"', 'M62.84 "I10"', '"M62.84\nI10"', '""', '"I10""', "'I10'"],
    "payer": ["Acme", '"Acme, Inc."', '"The ""Blue"" Plan"', '""', "", '5"', '"x" '],
    "dx": ['"I10"', "I10", '"E11.9"', '"="', 'I10"', '"I10 ""x"""'],
}


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    rows=st.lists(st.tuples(*[st.sampled_from(CELLS[name]) for name in ("claim_id", "codes", "payer")]), max_size=12),
    size=st.sampled_from([40, 1 << 19]),
    end=st.sampled_from(["\n", "\r\n"]),
    names=st.sampled_from(["claim_id,codes,payer", "claim_id,dx1,dx2", "claim_id,dx1,dx1_poa", "payer,dx1,claim_id"]),
)
def test_rows_with_quotes_come_out_as_claim_by_claim(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, ...]], size: int, end: str, names: str
) -> None:
    folder = tmp_path_factory.mktemp("quotes")
    lines = [f'"{names.replace(",", SIGNS)}"', *map(",".join, rows), ""]
    (folder / "claims.csv").write_text(end.join(lines), newline="")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("weakcode.scrub.read.csv.file.BATCH_BYTES", size)
        patch.setattr(quotes, "_FEWEST_LINES", 1)
        same_both_ways(folder / "claims.csv", folder)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    rows=st.lists(st.tuples(*[st.sampled_from(CELLS[name]) for name in ("claim_id", "dx", "payer")]), max_size=12),
    size=st.sampled_from([40, 1 << 19]),
)
def test_rows_of_a_diagnosis_each_with_quotes_come_out_as_claim_by_claim(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, ...]], size: int
) -> None:
    folder = tmp_path_factory.mktemp("long")
    (folder / "claims.csv").write_text("\n".join(["CLM,DX,PAYER", *map(",".join, rows), ""]))
    mapping = {"id": "CLM", "code": "DX", "payer": "PAYER"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("weakcode.scrub.read.csv.file.BATCH_BYTES", size)
        patch.setattr(quotes, "_FEWEST_LINES", 1)
        one = outcome(folder / "claims.csv", folder / "out", mapping=mapping)
        assert outcome(folder / "claims.csv", folder / "out", mapping=mapping, columns=validator().columns()) == one


def test_no_claim_of_a_file_with_quotes_is_judged_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "claims.csv"
    rows = ['"A","M62.84, I10","The ""Blue"" Plan, Inc."', 'B,I10,5" x', '"=""007""",I10,', '"C"x,I10,', ""]
    path.write_text("\n".join(['"claim_id","codes","payer"', *rows]))
    judge = validator()

    def never(*_: Any, **__: Any) -> None:
        raise AssertionError("a claim was judged by itself")

    monkeypatch.setattr(type(judge), "judge", never)
    summary = scrub([path], judge, columns=judge.columns(), rejects=tmp_path / "r.jsonl", output=tmp_path / "f.jsonl")
    assert (summary.claims_in, summary.evaluated, summary.rejected) == (4, 3, 1)
    (rejected,) = [json.loads(line) for line in (tmp_path / "r.jsonl").read_text().splitlines()]
    assert (rejected["line"], rejected["raw"]) == (5, '"C"x,I10,')
    assert rejected["reason"].startswith("a quote is not closed, or stands inside a field")
