"""The findings on the model `claims`, as a model: a row a finding, to be joined back by claim_id."""

import pyarrow as pa

from weakcode import Validator
from weakcode.scrub.schema import findings_schema


def model(dbt, session):
    """Return the findings on all claims; a row that is no claim ends the run."""
    dbt.config(materialized="table")
    found = Validator().scrub(dbt.ref("claims").to_arrow_table(), on_reject=refuse)
    return pa.Table.from_batches((batch.cast(findings_schema()) for batch in found), schema=findings_schema())


def refuse(row):
    """Raise ValueError for a row that was rejected, by its place alone: what it says does not belong in a log."""
    raise ValueError(f"row {row.line} of claims is no claim ({row.part})")
