"""Databricks: the findings on a table of claims, as a table; the task of a job (see databricks.yml)."""

from __future__ import annotations

import sys
from typing import Any

import weakcode.spark


def run(spark: Any, claims: str, findings: str, run: str) -> dict[str, Any]:
    """Judge the table `claims`, replace the table `findings`, and return the counts.

    Everything that became of the claims is written once into the table `run`, and taken apart there.
    """
    became = weakcode.spark.outcomes(spark.table(claims))
    became.write.mode("overwrite").saveAsTable(run)
    became = spark.table(run)
    summary = weakcode.spark.summary(became)  # raises where a claim was lost
    if summary.rejected > summary.claims_in // 100:
        raise RuntimeError(f"{summary.rejected:,} of {summary.claims_in:,} rows are no claims; {findings} is as it was")
    weakcode.spark.findings(became).write.mode("overwrite").saveAsTable(findings)
    return summary.to_dict()


if __name__ == "__main__":
    from pyspark.sql import SparkSession

    counts = run(SparkSession.builder.getOrCreate(), *sys.argv[1:4])
    print({name: counts[name] for name in ("claims_in", "evaluated", "rejected", "findings")})
