"""What is fuzzed, and what must hold whatever the bytes are: an answer or a sentence, never another exception.

Each target takes bytes and raises when a promise is broken. They need nothing but weakcode, so that the kept corpus is
replayed by the tests; `fuzz/run.py` drives them with a fuzzer.
"""

from __future__ import annotations

import contextlib
import functools
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from weakcode.codes.catalog import edition_for
from weakcode.codes.expression.parsing import parse
from weakcode.codes.normalise import shown
from weakcode.errors import CodeTypeError, EditionError, InputError, NotationError, RuleFileError, UnknownNameError
from weakcode.rules.load import load_pack
from weakcode.rules.profileload import parse_profile
from weakcode.scrub.read.files import is_arrow_file, open_claims
from weakcode.scrub.read.rows import Record, Rejected
from weakcode.scrub.read.tables.mapping import parse_mapping
from weakcode.scrub.run import scrub

PROJECT = Path(__file__).resolve().parents[1]
CORPUS = PROJECT / "fuzz" / "corpus"


def notation(data: bytes) -> None:
    """A code expression is read, and writes itself back, or is refused with a column inside the text."""
    text = data.decode("utf-8", "replace")
    try:
        expression = parse(text)
    except NotationError as error:
        assert 1 <= error.column <= len(text) + 1, error
        assert error.expected
        return
    assert parse(str(expression)) == expression, f"{text!r} is read as {expression}, which is read otherwise"
    try:
        codes = expression.resolve(edition_for(None))
    except (NotationError, UnknownNameError):
        return
    assert codes == parse(str(expression)).resolve(edition_for(None))


def rules(data: bytes) -> None:
    """A rule file or profile is loaded, or refused with problems that stand somewhere in the file."""
    lines = data.count(b"\n") + data.count(b"\r") + 2
    readers: tuple[Callable[[bytes], object], ...] = (load_pack, parse_profile)
    for read in readers:
        try:
            read(data)
        except RuleFileError as error:
            assert error.problems
            for problem in error.problems:
                assert problem.line >= 1, problem
                assert problem.column >= 1, problem
                # YAML counts a few rarer characters as line ends too.
                assert problem.line <= lines + data.count(b"\xc2\x85") + data.count(b"\xe2\x80"), problem


def claims(data: bytes, suffix: str) -> None:
    """Every row of a claim file is a claim or a reject, or the file is refused; a claim that is read can be judged."""
    handle, name = tempfile.mkstemp(suffix=suffix)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        with open_claims(name) as source:
            for row in source:
                _row(row)
    except InputError as error:
        assert str(error).strip(), "a refusal says why"
    finally:
        Path(name).unlink()


def columns(data: bytes, suffix: str) -> None:
    """Every row of a file in Arrow's formats is judged or rejected, whatever the way in, or the file is refused."""
    handle, name = tempfile.mkstemp(suffix=suffix)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        if not is_arrow_file(name):
            return
        for mapping in (None, parse_mapping(["id=claim_id,codes=codes,payer=payer"])):
            with contextlib.suppress(InputError), open_claims(name, mapping) as source:
                for row in source:
                    _row(row)
        judge = _validator()
        with contextlib.suppress(InputError):
            summary = scrub(
                [name],
                judge,
                columns=judge.columns(),
                fixed=f"{name}.parquet",
                mend=lambda claim: judge.fix(claim).claim,
            )
            assert summary.claims_in == summary.evaluated + summary.rejected
    finally:
        Path(name).unlink()
        Path(f"{name}.parquet").unlink(missing_ok=True)


def x12_columns(data: bytes) -> None:
    """The native reader of 837 files and the one in Python make the same of any bytes, cut into blocks of any size."""
    if str(PROJECT) not in sys.path:
        sys.path.insert(0, str(PROJECT))
    from tests.scrub.x12.agreement import agree

    from weakcode.scrub.read.x12 import native

    usual = native.BLOCK_BYTES
    try:
        native.BLOCK_BYTES = 1 + sum(data[-2:]) * 8
        agree(data)
    finally:
        native.BLOCK_BYTES = usual


def fhir_columns(data: bytes) -> None:
    """The native reader of FHIR, wherever its blocks end, and those in Python make the same of any bytes."""
    if str(PROJECT) not in sys.path:
        sys.path.insert(0, str(PROJECT))
    from tests.scrub.fhir_agreement import outcome

    from weakcode.scrub.read.fhir import lines, values

    usual = lines.BLOCK_BYTES, values.BLOCK_BYTES
    try:
        lines.BLOCK_BYTES = values.BLOCK_BYTES = 1 + sum(data[-2:]) * 8
        natively = outcome(data, natively=True)
    finally:
        lines.BLOCK_BYTES, values.BLOCK_BYTES = usual
    assert natively == outcome(data, natively=False)


def cache(data: bytes) -> None:
    """A file of the cache that its user sealed is used or made anew, whatever it says, and leads nowhere else."""
    if str(PROJECT) not in sys.path:
        sys.path.insert(0, str(PROJECT))
    from tests.hardening.forged import file_in, follow

    follow(*file_in(data))


def _row(row: Record | Rejected) -> None:
    assert row.line >= 0
    if isinstance(row, Rejected):
        assert row.part, row
        assert row.reason, row
        return
    codes = row.claim.codes
    try:
        verdict = _validator().judge(row.claim)
    except (InputError, CodeTypeError, EditionError):
        return
    for finding in verdict.findings:
        assert finding.message
        # Text that cannot be a code is not repeated.
        assert [shown(codes[place - 1]) for place in finding.positions] == list(finding.codes), (row, finding)


@functools.cache
def _validator():  # type: ignore[no-untyped-def]
    from weakcode import Validator

    return Validator(engine="columnar")


TARGETS: dict[str, Callable[[bytes], None]] = {
    "notation": notation,
    "rules": rules,
    "x12": functools.partial(claims, suffix=".837"),
    "x12-columns": x12_columns,
    "fhir": functools.partial(claims, suffix=".json"),
    "fhir-columns": fhir_columns,
    "csv": functools.partial(claims, suffix=".csv"),
    "arrow": functools.partial(columns, suffix=".arrow"),
    "arrows": functools.partial(columns, suffix=".arrows"),
    "parquet": functools.partial(columns, suffix=".parquet"),
    "cache": cache,
    "jsonl": functools.partial(claims, suffix=".jsonl"),
}
