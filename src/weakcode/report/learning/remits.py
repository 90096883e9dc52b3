"""What payers answered to claims: remittance advices (X12 835) and tables of denials.

A claim is denied for its diagnoses where an adjustment of it, or of one of its lines, has a reason (CARC) that is about
diagnoses, or one about missing or wrong information with a remark (RARC) that says it is a diagnosis. Adjustments that
are the patient's to pay (group PR) are none. Reason and remark codes: X12's external code lists 139 and 411.
"""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import attrs

from weakcode.errors import InputError
from weakcode.report.texts import text_of
from weakcode.scrub.read.x12.elements import decoded, value_at
from weakcode.scrub.read.x12.segments import Segments

REASONS = frozenset(("9", "10", "11", "12", "50", "146", "167", "233", "B22"))
"""Reasons that are about diagnoses: their age, sex, procedure, provider, necessity, date, coverage, or acquired."""
INCOMPLETE = frozenset(("16", "125", "A1", "226", "227", "252"))
"""Reasons that a remark explains."""
REMARKS = frozenset(("M76", "M64", "M81", "MA63", "N115", "N657"))
"""Remarks that say of a diagnosis that it is missing, wrong, not specific enough or not covered."""
_TABLES = (".csv", ".jsonl", ".ndjson", ".parquet")
_PATIENT, _REVERSAL = "PR", "22"
_BETWEEN = re.compile(r"[\s,;|/]+")
_IN_GROUP = re.compile(r"(?:(?P<group>CO|OA|PI|CR|PR)-?)?0*(?P<code>[1-9]\d{0,3}|[A-Z]{1,2}\d{1,3})(?:\.0+)?")
"""A reason or remark, with the group of its adjustment before it."""


@attrs.frozen
class PayerAnswer:
    """What a payer answered to a claim: the reasons and remarks of its adjustments; `payer` is empty where not said."""

    claim_id: str
    payer: str
    reasons: frozenset[str]
    remarks: frozenset[str]

    def is_denied(self, reasons: frozenset[str] | None = None) -> bool:
        """Tell whether the claim was denied for its diagnoses, or for one of these reasons where some are given."""
        if reasons is not None:
            return not self.reasons.isdisjoint(reasons)
        explained = not self.reasons.isdisjoint(INCOMPLETE) and not self.remarks.isdisjoint(REMARKS)
        return explained or not self.reasons.isdisjoint(REASONS)


@attrs.frozen
class Remits:
    """The answers of some files. `names_all` tells that claims that were paid are among them, as in an 835."""

    answers: tuple[PayerAnswer, ...]
    files: tuple[str, ...]
    names_all: bool


def read_remits(paths: Sequence[str]) -> Remits:
    """Read remittances from X12 835 files, or denials from tables with claim_id, carc and rarc (and payer).

    Raises InputError for a file that is neither, or has no answer.
    """
    answers: list[PayerAnswer] = []
    names_all = True
    for name in paths:
        path = Path(name)
        if not path.is_file():
            raise InputError(f"there is no file {name}")
        if path.suffix.lower() in _TABLES:
            found = list(_of_table(path))
            names_all = False
        else:
            with path.open("rb") as file:
                found = list(_of_remittance(file, name))
        if not found:
            raise InputError(f"{name} has no answer to a claim")
        answers += found
    return Remits(tuple(answers), tuple(paths), names_all)


def _of_remittance(file: BinaryIO, name: str) -> Iterator[PayerAnswer]:
    """Give the answers of an 835 in order; reversals of earlier answers are passed over."""
    segments = Segments(file, name)
    claim, payer, is_835 = "", "", False
    status, reasons, remarks = "", set[str](), set[str]()
    for segment in segments:
        elements = segment.text.split(segments.delimiters.element)
        tag = elements[0].strip()
        if tag in ("CLP", "SE", "ST") and claim:
            if status != _REVERSAL:
                yield PayerAnswer(claim, payer, frozenset(reasons), frozenset(remarks))
            claim = ""
        if tag == "ST":
            is_835 = value_at(elements, 1) == "835"
            if not is_835:
                raise InputError(f"{name}, line {segment.line}: this is a transaction set {value_at(elements, 1)}; "
                                 "remittances are 835")  # fmt: skip
            payer = ""
        elif tag == "N1" and value_at(elements, 1) == "PR":
            payer = decoded(value_at(elements, 2)) or decoded(value_at(elements, 4))
        elif tag == "CLP":
            claim, status = decoded(value_at(elements, 1)), value_at(elements, 2)
            reasons, remarks = set(), set()
            if not claim:
                raise InputError(f"{name}, line {segment.line}: a claim of the remittance has no number (CLP01)")
        elif claim:
            _note(tag, elements, reasons, remarks)
    if claim:
        raise InputError(
            f"{name} ends within its transaction, after claim {claim}; it was cut off, and answers are missing"
        )
    if not is_835:
        raise InputError(f"{name} has no transaction set 835")


def _note(tag: str, elements: list[str], reasons: set[str], remarks: set[str]) -> None:
    """Take note of the reasons and remarks of a segment."""
    if tag == "CAS" and value_at(elements, 1) != _PATIENT:
        # A reason, an amount and a quantity, up to six times.
        reasons.update(filter(None, (value_at(elements, at).upper() for at in range(2, len(elements), 3))))
    elif tag == "LQ" and value_at(elements, 1) == "HE":
        remarks.add(value_at(elements, 2).upper())
    elif tag == "MOA":
        remarks.update(filter(None, (value_at(elements, at).upper() for at in range(3, 8))))
    elif tag == "MIA":
        remarks.update(filter(None, (value_at(elements, at).upper() for at in (5, 20, 21, 22, 23))))


def _of_table(path: Path) -> Iterator[PayerAnswer]:
    """Give the answer to each claim of a table, in the order of their first rows."""
    payers: dict[str, str] = {}
    reasons: dict[str, set[str]] = {}
    remarks: dict[str, set[str]] = {}
    for place, row in _rows(path):
        claim = _word(row.get("claim_id"))
        if not claim:
            raise InputError(f"{place}: a denial needs the claim_id of a claim")
        payers[claim] = payers.get(claim) or _word(row.get("payer"))
        reasons.setdefault(claim, set()).update(_codes(row.get("carc")))
        remarks.setdefault(claim, set()).update(_codes(row.get("rarc")))
    for claim, payer in payers.items():
        yield PayerAnswer(claim, payer, frozenset(reasons[claim]), frozenset(remarks[claim]))


def _word(value: Any) -> str:
    """Return a cell as text without blanks around it; a whole number, which some write as 11.0, without its point."""
    if isinstance(value, float):
        return "" if math.isnan(value) else str(int(value)) if value.is_integer() else str(value)
    return "" if value is None else str(value).strip()


def _codes(value: Any) -> Iterator[str]:
    """Give the codes of a cell, several of them parted by blanks or `,;|/`, without their group (`CO-11`, `CO11`)."""
    words = value if isinstance(value, list | tuple) else [value]
    for word in words:
        for code in _BETWEEN.split(_word(word).upper()):
            match = _IN_GROUP.fullmatch(code)
            if match and match["group"] != _PATIENT:
                # Spreadsheets write 11 as 11.0, and 9 as 009.
                yield match["code"]
            elif code and not match:
                yield code


def _rows(path: Path) -> Iterable[tuple[str, Mapping[str, Any]]]:
    """Return the rows of a table with their places, by names of columns in lower case."""
    if path.suffix.lower() == ".parquet":
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            table = pq.read_table(path)
        except (OSError, pa.ArrowException):
            raise InputError(f"{path} is no Parquet file that can be read") from None
        return _named(path, list(table.column_names), ((f"{path}, row {n}", row) for n, row in
                                                       enumerate(table.to_pylist(), start=1)))  # fmt: skip
    text = text_of(path, "denials")
    if path.suffix.lower() != ".csv":
        return _objects(path, text)
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
    return _named(path, list(reader.fieldnames or ()), ((f"{path}, line {reader.line_num}", row) for row in reader))


def _delimiter(text: str) -> str:
    """Return what parts the columns of a header: the sign among these that stands most often in it."""
    header = text.partition("\n")[0]
    return max(",;\t|", key=header.count)


def _named(
    path: Path, names: list[str], rows: Iterable[tuple[str, Mapping[str, Any]]]
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Give the rows of a table that has the columns of denials."""
    missing = [name for name in ("claim_id", "carc") if name not in {str(one).strip().lower() for one in names}]
    if missing:
        raise InputError(
            f"{path} has no column {' and no column '.join(missing)}; a table of denials has claim_id, carc, rarc and "
            "perhaps payer"
        )
    for place, row in rows:
        yield place, {str(name).strip().lower(): value for name, value in row.items() if name is not None}


def _objects(path: Path, text: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    has_reasons = False
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            try:
                content = json.loads(line)
            except (ValueError, RecursionError):
                content = None
            row = {name.strip().lower(): value for name, value in content.items()} if isinstance(content, dict) else {}
            if "claim_id" not in row:
                raise InputError(f"{path}, line {number}: this is no JSON object with claim_id, carc and rarc")
            has_reasons |= "carc" in row
            yield f"{path}, line {number}", row
    if not has_reasons:
        raise InputError(f"{path} has no object with carc; a denial has claim_id, carc, rarc and perhaps payer")
