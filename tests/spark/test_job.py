"""The job of the recipe for Databricks, on a Spark of this machine."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest

JOB = Path(__file__).parents[2] / "examples" / "recipes" / "databricks" / "job.py"


def test_the_job_replaces_the_table_of_findings_unless_too_many_rows_are_rejected(session: Any) -> None:
    job = runpy.run_path(str(JOB))["run"]
    rows = [(f"C{number}", ["M62.84", "I10"]) for number in range(100)]
    for number in range(2):
        bad = [("bad", [])] * number
        session.createDataFrame(rows + bad, "claim_id string, codes array<string>").write.mode("overwrite").saveAsTable(
            "job_claims"
        )
        counts = job(session, "job_claims", "job_findings", "job_run")
        assert (counts["claims_in"], counts["rejected"]) == (100 + number, number)
        assert session.table("job_findings").count() == counts["findings"] > 99
    session.createDataFrame([("bad", [])], "claim_id string, codes array<string>").write.mode("overwrite").saveAsTable(
        "job_claims"
    )
    with pytest.raises(RuntimeError, match="1 of 1 rows are no claims; job_findings is as it was"):
        job(session, "job_claims", "job_findings", "job_run")
    assert session.table("job_findings").count() > 99
