"""Runs that judge only what is new, with policies: other policies judge every claim anew."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import yaml
from click.testing import CliRunner

from tests.coverage.conftest import PROFILE
from tests.coverage.made import therapy, zipped
from weakcode.cli import main


def test_claims_are_unchanged_under_the_same_policies_alone(installed: Path, tmp_path: Path) -> None:
    from weakcode.coverage import installed as shelf

    profile, claims, out, state = (tmp_path / name for name in ("p.yaml", "c.jsonl", "f.parquet", "d.parquet"))
    profile.write_text(yaml.safe_dump(PROFILE))
    lines = [{"procedure": "97110", "pointers": [1]}]
    rows = [
        {"claim_id": f"C{number}", "codes": [code], "payer": "Medicare", "service_date": "2026-05-01", "lines": lines}
        for number, code in enumerate(["I10", "M62.81", "R54"])
    ]
    claims.write_text("".join(json.dumps(row) + "\n" for row in rows))

    def run(*options: object) -> Any:
        told = tmp_path / "s.json"
        arguments = ["scrub", claims, "-o", out, "--profile", profile, "--summary", told, "--fail-on", "never"]
        result = CliRunner().invoke(main, [*map(str, arguments), "--digests", str(state), *map(str, options)])
        assert result.exit_code == 0, result.output
        return json.loads(told.read_text())

    run()
    before = pq.read_table(out).to_pylist()
    again = run("--since", state)
    assert again["unchanged"] == 3
    assert pq.read_table(out).to_pylist() == before
    shelf.add(zipped(tmp_path / "later.zip", therapy(), inside="current_lcd_csv.zip"))
    assert run("--since", state)["unchanged"] == 0
