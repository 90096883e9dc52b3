"""`check --jsonl`: claims as JSON on standard input, a verdict a line out."""

from __future__ import annotations

import json

from click.testing import CliRunner, Result

import weakcode
from weakcode.cli import main


def check(*options: str, lines: bytes = b"") -> Result:
    return CliRunner().invoke(main, ["check", "--jsonl", *options], input=lines)


def test_every_line_gets_the_verdict_of_the_library_in_its_place() -> None:
    claims = [{"id": "A", "codes": ["K31.84", "E11.43"]}, {"claim_id": "B", "codes": "I10", "age": 60}]
    result = check(lines="\n\n".join(map(json.dumps, claims)).encode())
    got = [json.loads(line) for line in result.stdout.splitlines()]
    validator = weakcode.Validator()
    for claim, values in zip(claims, got, strict=True):
        assert values.pop("claim_id") in ("A", "B")
        assert values == json.loads(json.dumps(validator.judge(claim).to_dict()))
    assert result.exit_code == 1


def test_the_exit_status_is_that_of_check() -> None:
    assert check(lines=b'{"codes": ["I10"]}\n').exit_code == 0
    assert check("--fail-on", "never", lines=b'{"codes": ["K31.84", "E11.43"]}\n').exit_code == 0


def test_a_line_that_is_not_a_claim_gets_an_error_in_its_place_and_nothing_is_repeated() -> None:
    bad = [
        b"{",
        b"[]",
        b"\xff{}",
        b'{"codes": ["I10"], "age": "SECRET"}',
        b'{"codes": ["I10"], "codes": ["I11"]}',
        b'{"codes": ' + json.dumps(["I10"] * 1001).encode() + b"}",
        b'{"codes": ["I10"], "id": ["SECRET"]}',
        b'{"codes": ["I10"], "payer": "' + b"x" * (1 << 20) + b'"}',
        b"[" * 100_000,
    ]
    result = check(lines=b"\n".join([*bad, b'{"id": "last", "codes": ["I10"]}']))
    got = [json.loads(line) for line in result.stdout.splitlines()]
    assert [one.get("line") for one in got] == [*range(1, len(bad) + 1), None]
    assert all(one["error"] for one in got[:-1])
    assert got[-1]["claim_id"] == "last"
    assert "SECRET" not in result.stdout
    assert result.exit_code == 2


def test_options_about_one_claim_do_not_go_with_it() -> None:
    for options in (["I10"], ["--age", "3"], ["--explain"], ["--format", "fhir"]):
        result = check(*options)
        assert result.exit_code == 2
        assert "--jsonl reads whole claims" in result.stderr
    assert "Missing argument 'CODE...'" in CliRunner().invoke(main, ["check"]).stderr


def test_a_byte_order_mark_before_the_first_line_is_not_an_error() -> None:
    result = check(lines=b'\xef\xbb\xbf{"codes": ["I10"]}\n')
    assert result.exit_code == 0
    assert "error" not in json.loads(result.stdout)
