"""Claims as JSON on standard input, a verdict a line out: `check --jsonl`, and with a flush each `serve --stdio`."""

from __future__ import annotations

import json
import sys
from codecs import BOM_UTF8
from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO

from weakcode.cli.common.output import flush, say_json
from weakcode.errors import InputError, WeakcodeError
from weakcode.scrub.read.jsonl.objects import claim_in
from weakcode.scrub.read.rows import BadRow
from weakcode.scrub.read.textlines import decoded

if TYPE_CHECKING:
    from weakcode.cli.common.options import Choice
    from weakcode.validator import Validator

MOST_BYTES = 1 << 20
"""Of a line; a longer one is not a claim."""


def judge_lines(choice: Choice, *, at_once: bool = False) -> int:
    """Print a verdict for every line of standard input and return the exit status.

    A line that is not a claim gets an object with its number and `error`, and the exit status is 2. `at_once` flushes
    after each line, for a program that waits for the answer.
    """
    if sys.stdin is None:
        raise InputError("standard input is closed; give claims on it, one as JSON a line")
    validator = choice.validator()
    failed = wrong = False
    for number, line in _lines(sys.stdin.buffer):
        try:
            values, fails = _verdict(validator, choice, line)
        except (BadRow, WeakcodeError) as error:
            message = error.reason if isinstance(error, BadRow) else str(error)
            values, fails, wrong = {"line": number, "error": message}, False, True
        failed = failed or fails
        say_json(json.dumps(values, ensure_ascii=False))
        if at_once:
            flush()
    return 2 if wrong else 1 if failed else 0


def _verdict(validator: Validator, choice: Choice, line: bytes | None) -> tuple[dict[str, object], bool]:
    claim = claim_in(decoded(line))
    verdict = validator.judge(claim)
    fails = choice.fails([finding.severity for finding in verdict.findings])
    return {"claim_id": claim.id, **verdict.to_dict()}, fails


def _lines(stream: BinaryIO) -> Iterator[tuple[int, bytes | None]]:
    """Give the lines that are not blank with their 1-based numbers; None for one that is too long to be a claim."""
    number = 0
    while line := stream.readline(MOST_BYTES + 1):
        number += 1
        if len(line) > MOST_BYTES:
            while line and not line.endswith(b"\n"):
                line = stream.readline(MOST_BYTES)
            yield number, None
        elif line.strip():
            # Windows writes a byte order mark before the first line.
            yield number, line.removeprefix(BOM_UTF8) if number == 1 else line
