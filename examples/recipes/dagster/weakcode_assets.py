"""Dagster: findings as an asset of their own for each day, with a check that no error was found.

dagster dev -f weakcode_assets.py
"""

import os
from pathlib import Path

import dagster as dg
import pyarrow.parquet as pq

from weakcode import Validator
from weakcode.scrub.gates import Gate
from weakcode.scrub.run import Plan

CLAIMS = Path(os.environ.get("CLAIMS", "/claims"))
FINDINGS = Path(os.environ.get("FINDINGS", "/findings"))
days = dg.DailyPartitionsDefinition(start_date="2026-01-01")


@dg.asset(partitions_def=days)
def findings(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    """The findings on the claims of a day, as Parquet; a run that is repeated replaces them."""
    day, validator = context.partition_key, Validator()
    summary = Plan(
        [CLAIMS / day],
        validator,
        columns=validator.columns(),
        output=FINDINGS / f"{day}.parquet",
        rejects=FINDINGS / f"{day}-rejects.parquet",
        summary=FINDINGS / f"{day}.json",
        most_rejects=Gate.of("max-rejects", "1%"),
    ).run()
    if summary.over:
        raise dg.Failure(f"over the gate: {', '.join(summary.over)}")
    counts = {"claims": summary.evaluated, "rejected": summary.rejected, "findings": summary.findings}
    return dg.MaterializeResult(metadata={**counts, **summary.by_severity})


@dg.asset_check(asset=findings, blocking=False, partitions_def=days)
def no_errors(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
    """Tell whether a claim of the day contradicts a mandatory convention."""
    severities = pq.read_table(FINDINGS / f"{context.partition_key}.parquet", columns=["severity"])["severity"]
    errors = severities.to_pylist().count("error")
    return dg.AssetCheckResult(passed=not errors, severity=dg.AssetCheckSeverity.WARN, metadata={"errors": errors})


defs = dg.Definitions(assets=[findings], asset_checks=[no_errors])
