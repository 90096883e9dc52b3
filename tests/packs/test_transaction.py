"""What a biller is told about diagnoses that claim transactions reject, from 837, FHIR and tables alike."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.scrub.x12.writing837 import interchange

from weakcode import Claim, Validator, read_claims

ENGINES = ("durable", "columnar")
SEVERAL, NONE = "transaction/several-principals", "transaction/no-principal"
NAMELESS, MIXED = "transaction/original-reference-missing", "transaction/mixed-code-sets"


@cache
def judges(engine: str) -> Validator:
    return Validator(packs=["transaction", "icd10cm"], engine=engine)


def findings_in(path: Path, engine: str, **options: Any) -> list[tuple[str, str]]:
    """Return claim and rule of what the pack finds in a file."""
    batches = judges(engine).scrub(path, **options)
    rows = [row for batch in batches for row in batch.to_pylist()]
    return [(row["claim_id"], row["rule"]) for row in rows if row["rule"].startswith(("transaction/", "icd10cm/icd9"))]


@pytest.mark.parametrize("engine", ENGINES)
def test_an_837_tells_principals_and_what_a_replacement_replaces(tmp_path: Path, engine: str) -> None:
    codes, about = ["I10", "E11.9", "R54"], {"service_date": "2026-05-04", "setting": "professional"}
    written = [
        Claim(codes, "one", frequency="1", **about),
        Claim(codes, "two", principals=2, **about),
        Claim(codes, "none", principals=0, **about),
        Claim(codes, "nameless", frequency="7", **about),
        Claim(codes, "named", frequency="8", original_reference="2026-0417", **about),
    ]
    path = tmp_path / "c.837"
    path.write_text("".join(interchange(written, "P")), encoding="ascii")
    assert findings_in(path, engine) == [("two", SEVERAL), ("none", NONE), ("nameless", NAMELESS)]
    assert [one.original_reference for one in read_claims(path)] == [None, None, None, "MISSING", "2026-0417"]


@pytest.mark.parametrize("engine", ENGINES)
def test_qualifiers_of_both_code_sets_on_one_claim_are_reported_once_for_each_old_code(
    tmp_path: Path, engine: str
) -> None:
    written = Claim(["I10", "E11.9", "R54"], "A", service_date="2026-05-04", setting="professional")
    text = "".join(interchange([written], "P")).replace("ABF:E119", "BF:25000")
    (tmp_path / "c.837").write_text(text, encoding="ascii")
    assert findings_in(tmp_path / "c.837", engine) == [("A", MIXED)]
    (tmp_path / "c.837").write_text(text.replace("ABK:I10", "BK:4019").replace("ABF:R54", "BF:797"), encoding="ascii")
    assert findings_in(tmp_path / "c.837", engine) == [("A", "icd10cm/icd9-code")]


def resource(name: str, kinds: list[str], **more: Any) -> dict[str, Any]:
    system = {"system": "http://hl7.org/fhir/sid/icd-10-cm"}
    return {
        "resourceType": "Claim",
        "id": name,
        "diagnosis": [
            {
                "sequence": number,
                "diagnosisCodeableConcept": {"coding": [{**system, "code": code}]},
                **({"type": [{"coding": [{"code": kind}]}]} if kind else {}),
            }
            for number, (kind, code) in enumerate(zip(kinds, ["I10", "E11.9", "R54"], strict=False), start=1)
        ],
        **more,
    }


def bill(code: str) -> dict[str, Any]:
    return {
        "supportingInfo": [{"category": {"coding": [{"code": "typeofbill"}]}, "code": {"coding": [{"code": code}]}}]
    }


@pytest.mark.parametrize("engine", ENGINES)
def test_fhir_tells_principals_by_types_and_what_is_replaced_by_related_claims(tmp_path: Path, engine: str) -> None:
    prior = {"relationship": {"coding": [{"code": "prior"}]}, "claim": {"identifier": {"value": "ICN1"}}}
    other = {"relationship": {"coding": [{"code": "associated"}]}, "claim": {"identifier": {"value": "ICN2"}}}
    resources = [
        resource("two", ["principal", "secondary", "principal"]),
        resource("none", ["other", "", "other"]),
        resource("untold", ["", "", ""]),
        resource("one", ["secondary", "principal", "other"]),
        resource("nameless", ["principal"], **bill("0138")),
        resource("named", ["principal"], **bill("137"), related=[other, prior]),
        resource("associated", ["principal"], **bill("137"), related=[other]),
    ]
    path = tmp_path / "c.ndjson"
    path.write_text("\n".join(map(json.dumps, resources)), encoding="utf-8")
    found = [("two", SEVERAL), ("none", NONE), ("nameless", NAMELESS), ("associated", NAMELESS)]
    assert findings_in(path, engine) == found


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", ["c.csv", "c.parquet"])
def test_a_blank_cell_of_a_table_with_a_column_for_the_original_says_that_there_is_none(
    tmp_path: Path, engine: str, name: str
) -> None:
    table = pa.table(
        {
            "claim_id": ["A", "B", "C", "D"],
            "codes": ["I10"] * 4,
            "frequency": ["7", "8", "1", "7"],
            "Original Ref No": ["", "ICN9", "", None],
        }
    )
    path = tmp_path / name
    if name == "c.csv":
        rows = [",".join(one or "" for one in row.values()) for row in table.to_pylist()]
        path.write_text("\n".join([",".join(table.column_names), *rows]))
    else:
        pq.write_table(table, path)
    assert findings_in(path, engine) == [("A", NAMELESS), ("D", NAMELESS)]
    without = tmp_path / f"without-{name}.csv"
    without.write_text("claim_id,codes,frequency\nA,I10,7\n")
    assert findings_in(without, engine) == []


@pytest.mark.parametrize("engine", ENGINES)
def test_a_table_of_a_row_a_diagnosis_tells_principals_where_words_stand_for_the_order(
    tmp_path: Path, engine: str
) -> None:
    rows = ["id,dx,kind", "two,I10,P", "two,E11.9,P", "twice,I10,P", "twice,I10,P", "none,I10,S", "none,R54,secondary"]
    rows += ["one,I10,S", "one,R54,principal", "open,I10,X", "open,R54,S"]
    path = tmp_path / "c.csv"
    path.write_text("\n".join(rows))
    mapping = {"id": "id", "code": "dx", "sequence": "kind"}
    assert findings_in(path, engine, mapping=mapping) == [("two", SEVERAL), ("none", NONE)]
    path.write_text("\n".join(["id,dx,kind", "A,I10,1", "A,E11.9,1", "B,I10,2", "B,R54,3"]))
    assert findings_in(path, engine, mapping=mapping) == []
