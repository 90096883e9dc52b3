"""Findings and claims that reports are made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from weakcode.scrub.schema import findings_schema

Finding = Mapping[str, Any]
MakeFindings = Callable[..., Path]


def finding(claim: str | None, rule: str, severity: str, codes: str, **more: Any) -> dict[str, Any]:
    """Return one row of a findings table; positions count up from 1."""
    listed = codes.split()
    return {
        "claim_id": claim,
        "rule": rule,
        "severity": severity,
        "message": f"{' and '.join(listed) or 'The claim'} should be looked at.",
        "codes": listed,
        "positions": list(range(1, len(listed) + 1)),
        "sources": ["Tabular List, somewhere"],
        "edition": "2026-04",
        "file": "claims.csv",
        "line": 2,
        "place": "",
        **more,
    }


FOUR = (
    finding("A", "weakness/excludes1-weakness", "error", "M62.81 R53.1"),
    finding("A", "weakness/broad-code-denial-risk", "warning", "M62.81"),
    finding("B", "weakness/excludes1-weakness", "error", "R53.1 M62.81"),
    finding("C", "icd10cm/excludes1", "info", "M62.84 R53.1"),
)


@pytest.fixture
def make_findings(tmp_path: Path) -> MakeFindings:
    """Write findings as scrub does, with what the run counted in the metadata unless `said` is None."""

    def make(
        rows: Sequence[Finding] = FOUR,
        name: str = "findings.parquet",
        said: Mapping[str, object] | None = {"evaluated": 10, "rejected": 1, "clean": 7, "claims_in": 11},
    ) -> Path:
        import pyarrow as pa

        from weakcode.scrub.write.findings import findings_writer

        path = tmp_path / name
        names = findings_schema()
        batch = pa.RecordBatch.from_pylist([dict(row) for row in rows], schema=names)
        with path.open("wb") as file:
            writer = findings_writer(path, file)
            writer.write(batch)
            about = {"version": "9.8.7", "edition": "2026-04", "engine": "columnar", "packs": "icd10cm 1, weakness 1"}
            counts = {} if said is None else {key: str(value) for key, value in said.items()}
            writer.finish({f"weakcode.{key}": value for key, value in {**about, **counts}.items()})
        return path

    return make


@pytest.fixture
def claims(tmp_path: Path) -> Path:
    """Ten claims of three payers in two months."""
    path = tmp_path / "claims.csv"
    lines = ["claim_id,codes,service_date,payer"]
    for place, claim in enumerate("ABCDEFGHIJ"):
        payer = "Acme" if place < 4 else "Blue River" if place < 9 else ""
        lines.append(f"{claim},I10,2026-0{4 + place % 2}-15,{payer}")
    path.write_text("\n".join(lines) + "\n")
    return path
