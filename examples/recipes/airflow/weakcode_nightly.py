"""Airflow: scrub the claims of a day, keep one copy of their findings, and fail where too many rows are rejected.

The task's run id names the run, so that a retry replaces what the attempt before it wrote. Exit status 1 says that
there are findings, which is not a failure of the job; 2 (bad input) and 3 (over a gate) are.
"""

from __future__ import annotations

import datetime as dt

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

SCRUB = """
weakcode scrub "{{ params.claims }}/{{ ds }}" \
  -o "{{ params.findings }}/{{ ds }}.parquet" \
  --rejects "{{ params.findings }}/{{ ds }}-rejects.parquet" \
  --summary "{{ params.findings }}/{{ ds }}.json" \
  --run-id "nightly-{{ ds }}" --max-rejects 1% --fail-on never --quiet
"""
REPORT = """
weakcode report "{{ params.findings }}"/*.json "{{ params.findings }}/{{ ds }}.parquet" \
  -o "{{ params.findings }}/report.html" --work-list "{{ params.findings }}/work-list.xlsx"
"""

with DAG(
    dag_id="weakcode_nightly",
    schedule="0 2 * * *",
    start_date=dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
    catchup=False,
    max_active_runs=1,
    params={"claims": "/claims", "findings": "/findings"},
    default_args={"retries": 2, "retry_delay": dt.timedelta(minutes=5)},
) as dag:
    scrub = BashOperator(task_id="scrub", bash_command=SCRUB)
    report = BashOperator(task_id="report", bash_command=REPORT)
    scrub >> report
