"""Lines of JSON whose values are plain, as columns; the row reader has the others and those that are refused."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import attrs
import numpy as np
import pyarrow as pa

from weakcode.fields import ABOUT_THE_CLAIM, FIELDS
from weakcode.scrub.read.batch import LineBatch, LineColumns
from weakcode.scrub.read.jsonl.forms import Objects
from weakcode.scrub.read.jsonl.objects import Line, object_in
from weakcode.scrub.read.log import ReadLog
from weakcode.scrub.read.rows import BadRow, Record, Rejected
from weakcode.scrub.read.textlines import decoded

_PARTS = re.compile(r"[\s;,]")


@attrs.frozen(eq=False)
class JsonlBatch(LineBatch):
    """Some lines of a file with their claims as columns. `again` reads lines by the row reader."""

    lines: Sequence[Line]
    table: LineColumns
    name: str
    again: Callable[[Sequence[Line]], list[Record | Rejected]]

    def rows(self) -> list[Record | Rejected]:
        """Read the lines by the row reader."""
        return self.again(self.lines)

    def read_line(self, number: int) -> list[Record | Rejected]:
        return self.again([self.lines[number - self.lines[0][0]]])


def plain_columns(
    lines: Sequence[Line], objects: Objects, take_note: Callable[[Iterable[str]], None], log: ReadLog
) -> LineColumns | None:
    """Return the claims of these lines as columns; None where one says what columns of text do not hold.

    `take_note` gets the keys of each claim, once it is known that all are plain, `log` how they were read.
    """
    ids: list[str | None] = []
    codes: list[list[str] | None] = []
    about: dict[str, list[str | None]] = {name: [] for name in ABOUT_THE_CLAIM}
    numbers, invalid, keys = [], [], []
    for number, line in lines:
        try:
            values = objects.read(object_in(decoded(line).removeprefix("\ufeff")), log)
        except BadRow:
            invalid.append(number)
            continue
        plain = _plain(values)
        if plain is None:
            return None
        numbers.append(number)
        ids.append(plain[0])
        codes.append(plain[1])
        for name, value in zip(ABOUT_THE_CLAIM, plain[2], strict=True):
            about[name].append(value)
        keys.append(values)
    for values in keys:
        take_note(values)
    log.ids(ids)
    columns = {"claim_id": pa.array(ids, pa.string()), "codes": pa.array(codes, pa.list_(pa.string()))}
    for name, column in about.items():
        columns[name] = pa.array(column, pa.string()).dictionary_encode()
    return LineColumns(pa.RecordBatch.from_pydict(columns), np.array(numbers, np.int64), invalid)


def _plain(values: dict[str, Any]) -> tuple[str | None, list[str] | None, list[str | None]] | None:
    claim_id, other, codes = values.get("claim_id"), values.get("id"), values.get("codes")
    if values.get("lines") is not None or values.get("waivers") is not None:
        return None
    if other is not None:
        if claim_id not in (None, other):
            return None
        claim_id = other
    if isinstance(codes, str):
        codes = codes.replace(";", " ").replace(",", " ").split()
    if not isinstance(codes, list | None) or not all(isinstance(code, str) for code in codes or ()):
        return None
    if claim_id is not None and type(claim_id) not in (str, int):
        return None
    about: list[str | None] = []
    for field in FIELDS:
        value = values.get(field.name)
        if type(value) is int and field.arrow == "int32":
            value = str(value)
        elif isinstance(value, list) and field.is_list:
            if not all(isinstance(one, str) and not _PARTS.search(one) for one in value):
                return None
            value = " ".join(value)
        elif not isinstance(value, str | None):
            return None
        about.append(value or None)
    return (None if claim_id is None or claim_id == "" else str(claim_id)), codes, about
