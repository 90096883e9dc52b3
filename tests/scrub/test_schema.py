"""The columns of a findings table, as they are declared and as the guide lists them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import weakcode
from weakcode.scrub.schema import COLUMNS, LATER, NAMES, findings_schema

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "formats.md"
# A claim with waivers of its own is judged by itself.
WAIVED = (
    '{"claim_id": "A", "codes": "M62.84", '
    '"waivers": [{"rule": "weakness/excludes1-frailty", "codes": ["R54", "I10"], "reason": "unrelated", "who": "me"}]}'
)


def test_the_guide_lists_every_column_with_what_it_holds() -> None:
    rows = re.findall(r"^\| `(\w+)` \| [^|]+ \| (.+) \|$", GUIDE.read_text("utf-8"), re.MULTILINE)
    assert rows == [(column.name, column.about) for column in COLUMNS]


@pytest.mark.parametrize("line", ['{"claim_id": "A", "codes": ["M62.84", "I10"]}', WAIVED])
def test_findings_of_a_batch_and_of_single_claims_have_declared_columns(tmp_path: Path, line: str) -> None:
    path = tmp_path / "claims.jsonl"
    path.write_text(line + "\n", "utf-8")
    found = list(weakcode.Validator(packs="weakness").scrub(path))
    assert found
    for batch in found:
        assert set(batch.schema.names) <= set(NAMES)
        for field in batch.schema:
            kind = field.type.value_type if hasattr(field.type, "index_type") else field.type
            declared = findings_schema().field(field.name).type
            assert kind == declared or str(declared).startswith("list<")


def test_every_column_is_filled_where_claims_are_judged_together(tmp_path: Path) -> None:
    path = tmp_path / "claims.jsonl"
    path.write_text('{"claim_id": "A", "codes": ["M62.84", "I10"]}\n', "utf-8")
    batch = next(iter(weakcode.Validator(packs="weakness").scrub(path)))
    empty = [name for name in NAMES if name not in batch.schema.names and name not in LATER]
    assert not empty, f"{empty}: give them in FindingColumns.batch of scrub/judge/findings.py, where they are null else"


def test_a_parquet_file_of_findings_holds_nothing_but_their_values(tmp_path: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    from weakcode.scrub.columns.arrow import distinct
    from weakcode.scrub.run import scrub

    twice = pa.DictionaryArray.from_arrays(pa.array([2, 0, None, 1], pa.int32()), pa.array(["a", "b", "a"]))
    lists = pa.ListArray.from_arrays(pa.array([0, 1, 1, 4], pa.int32()), twice)
    assert distinct(twice).dictionary.to_pylist() == ["a", "b"]
    for column in (twice, lists, lists[1:], pa.array(["a"]), lists.take(pa.array([2, None, 0]))):
        assert distinct(column).to_pylist() == column.to_pylist()
        assert distinct(column).type == column.type
    rows = (f"{n},I10 I10 M62.84,202{4 + n % 3}-01-11\n" for n in range(50))
    (tmp_path / "c.csv").write_text("claim_id,codes,service_date\n" + "".join(rows))
    columns = weakcode.Validator(packs=["weakness", "icd10cm"]).columns()
    validator = weakcode.Validator(packs=["weakness", "icd10cm"])
    scrub([tmp_path / "c.csv"], validator, output=tmp_path / "f.parquet", columns=columns)
    group = parquet.ParquetFile(tmp_path / "f.parquet").metadata.row_group(0)
    messages = parquet.read_table(tmp_path / "f.parquet")["message"].unique().to_pylist()
    parts = [group.column(at) for at in range(group.num_columns)]
    (size,) = (part.total_uncompressed_size for part in parts if part.path_in_schema == "message")
    # Beside the values stand their lengths, and the places of all rows.
    assert size < sum(len(one) + 4 for one in messages) + 150
