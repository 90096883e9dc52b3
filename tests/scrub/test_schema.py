"""The columns of a findings table, as they are declared and as the guide lists them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import weakcode
from weakcode.scrub.schema import COLUMNS, NAMES, findings_schema

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
