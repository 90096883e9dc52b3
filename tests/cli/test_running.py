"""What a long command shows while it runs."""

from __future__ import annotations

import gzip
import io
import sys
from pathlib import Path

import pytest

from weakcode.cli.common.running import bytes_in, progress_text, shown_progress


def test_progress_says_claims_claims_a_second_and_findings() -> None:
    assert progress_text(3_000, 12, 2.0) == "3,000 claims, 1,500/s, 12 findings"
    assert progress_text(0, 0, 0.0) == "0 claims, 0 findings"


def test_what_there_is_to_read_is_known_of_plain_files_only(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("claim_id,codes\n")
    (tmp_path / "b.csv.gz").write_bytes(gzip.compress(b"claim_id,codes\n"))
    assert bytes_in([str(tmp_path / "a.csv")] * 2) == 30
    assert bytes_in([str(tmp_path / "a.csv"), str(tmp_path / "b.csv.gz")]) is None
    assert bytes_in([str(tmp_path / "absent.csv")]) is None
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "c.csv").write_text("claim_id,codes\n")
    assert bytes_in([str(tmp_path / "folder"), str(tmp_path / "*.csv")]) == 30
    assert bytes_in([str(tmp_path / "a.csv"), "s3://bucket/claims"]) is None
    assert bytes_in([]) is None


def test_a_bar_is_shown_on_a_terminal_and_nothing_in_the_first_minute_elsewhere(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with shown_progress([], shown=True) as progress:
        assert progress is not None
        progress(10, 4_321, 7)
    assert capsys.readouterr().err == ""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    with shown_progress([], shown=False) as progress:
        assert progress is None
    with shown_progress([], shown=True) as progress:
        assert progress is not None
        progress(10, 4_321, 7)
    assert "4,321 claims" in terminal.getvalue()
    assert "7 findings" in terminal.getvalue()
