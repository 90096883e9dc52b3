"""Keys that stand twice in an object of JSON are told: readers keep the last one in silence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from weakcode.cli import main
from weakcode.scrub.read.keys import may_repeat, read_again

GOOD = '{"claim_id": "B", "codes": ["M62.84"]}'
TWICE = [
    '{"claim_id": "A", "codes": ["I10"], "codes": ["M62.84"]}',
    '{"claim_id": "A", "codes": ["I10"], "claim_id": "C"}',
    '{"claim_id": "A", "codes": [{"code": "I10", "code": "M62.84"}]}',
    '{"claim_id": "A", "codes": ["I10"], "lines": [{"pointers": [1], "pointers": [2]}]}',
    '{"claim_id": "A", "codes": ["I10"], "age": 1, "\\u0061ge": 2}',
    '{"claim_id": "A", "codes": ["I10"], "Marker Name": 1, "Marker Name": 2}',
]
RESOURCE = (
    '{"resourceType": "Claim", "id": "%s", "status": "active", "diagnosis": [{"sequence": 1, %s'
    '"diagnosisCodeableConcept": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "M62.84"}]}}]}'
)


def scrub(path: Path, *more: str) -> tuple[str, list[dict[str, Any]]]:
    rejects = path.with_name("rejects.jsonl")
    done = CliRunner().invoke(main, ["scrub", str(path), "--only", "weakness", "--rejects", str(rejects), *more])
    assert done.exit_code in (0, 1), done.output
    return done.output, [json.loads(line) for line in rejects.read_text().splitlines()]


@pytest.mark.parametrize("engine", ["durable", "columnar"])
def test_a_key_that_appears_twice_in_json_lines_is_a_reject_with_its_line(tmp_path: Path, engine: str) -> None:
    path = tmp_path / "c.jsonl"
    path.write_text("\n".join([GOOD, *TWICE, GOOD]) + "\n")
    told, rejected = scrub(path, "--engine", engine, "-o", str(tmp_path / "f.csv"))
    assert f"{len(TWICE) + 2} claims in = 2 evaluated + {len(TWICE)} rejected" in told
    assert [row["line"] for row in rejected] == list(range(2, len(TWICE) + 2))
    assert [row["reason"].partition(" stands twice")[0] for row in rejected] == [
        'the key "codes"',
        'the key "claim_id"',
        "a key",
        "a key",
        'the key "age"',
        "a key",
    ]


def test_a_key_that_appears_twice_in_fhir_is_a_reject_with_its_place(tmp_path: Path) -> None:
    good, bad = RESOURCE % ("B", ""), RESOURCE % ("A", '"sequence": 2, ')
    entries = [
        f'{{"resource": {good}}}',
        f'{{"resource": {bad}}}',
        f'{{"resource": {bad.replace("A", "C", 1)}, "resource": {good}}}',
    ]
    for name, content, places in (
        ("c.ndjson", f"{good}\n{bad}\n", ["Claim"]),
        ("b.json", '{"resourceType": "Bundle", "entry": [' + ", ".join(entries) + "]}", [1, 2]),
    ):
        path = tmp_path / name
        path.write_text(content)
        told, rejected = scrub(path)
        assert f"{1 + len(places)} claims in = 1 evaluated + {len(places)} rejected" in told
        for row, place in zip(rejected, places, strict=True):
            assert "stands twice in one object" in row["reason"]
            assert str(place) in row["place"]


@given(st.recursive(st.text() | st.integers(), lambda inner: st.dictionaries(st.text(), inner) | st.lists(inner)))
def test_objects_without_repeats_are_never_refused(value: Any) -> None:
    values = {"claim_id": value}
    text = json.dumps(values)
    assert read_again(text) is None
    assert may_repeat('{"claim_id": 1, "claim_id": 2}', {"claim_id": 2})
    assert not may_repeat('{"claim_id": 1, "codes": 2}', {"claim_id": 1, "codes": 2})
