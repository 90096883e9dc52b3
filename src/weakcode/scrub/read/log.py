"""What was guessed, passed over or not matched while a file was read: counted, and reported with the summary."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, TypeVar

import attrs
import numpy as np
import pyarrow as pa

from weakcode.fields import FIELDS
from weakcode.scrub.columns.arrow import hash_of, hashes, listed
from weakcode.scrub.ids.hashruns import Hashes, HashRuns, ranges

MOST_IN_MEMORY = 1_000_000
"""Hashes of ids, and counts, that are kept in memory before they are put into a file, or together."""


_Value = TypeVar("_Value")


@attrs.frozen
class ReadCounts:
    """How a file was read. `columns` says what each column was read as, where the name of any did not say so exactly.

    `said` are single facts ("encoding": "Windows-1252"), `counts` numbers of values, rows and claims, and `sentences`
    the same for people.
    """

    columns: dict[str, str] = attrs.field(factory=dict)
    said: dict[str, str] = attrs.field(factory=dict)
    counts: dict[str, int] = attrs.field(factory=dict)
    sentences: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.columns or self.said or self.counts)

    @classmethod
    def added(cls, parts: Iterable[ReadCounts]) -> ReadCounts:
        """Return how a file was read that was read in parts."""
        log, has_sentences = ReadLog(), False
        for part in parts:
            log.columns.update(part.columns)
            log.said.update(part.said)
            log._counted += part.counts.items()
            has_sentences = has_sentences or bool(part.sentences)
        counts = log.counts()
        return cls(log.columns, log.said, counts, tuple(_sentences(log, counts)) if has_sentences else ())


class ReadLog:
    """Takes down what is met while a file is read, from any thread: each call appends to a list.

    Of the ids that were met, as many as `most` stay in memory, as hashes.
    """

    def __init__(self, *, reports: bool = True, most: int = MOST_IN_MEMORY) -> None:
        self._reports = reports
        self.advice = "--map id=…,code=…,sequence=… makes one claim of the rows of an id"
        self.columns: dict[str, str] = {}
        self.said: dict[str, str] = {}
        self._counted: list[tuple[str, int]] = []
        self._ids: list[Hashes] = []
        self._in_files: list[HashRuns] = []
        self._most: float = most
        self._most_single = _MOST_SINGLE
        self._many = 0
        self._turn = [None]

    def count(self, what: str, number: int = 1) -> None:
        """Count something that was met."""
        if number:
            self._counted.append((what, number))
            if len(self._counted) > _MOST_SINGLE:
                self._tidy()

    def ids(self, ids: Iterable[Any]) -> None:
        """Take down the ids of claims; those that are None or empty are none."""
        hashes = [_hashed(one) for one in ids if one is not None and one != ""]
        self._take_ids(np.array(hashes, np.uint64))

    def ids_of(self, column: pa.Array) -> None:
        """Take down the ids of claims in a column; those that are null or empty are none."""
        is_text = pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
        if is_text and column.null_count < len(column):
            self._take_ids(hashes(column).view(np.uint64))
        else:
            self.ids(listed(column))

    def _take_ids(self, found: Hashes) -> None:
        if not len(found):
            return
        self._ids.append(found)
        self._many += len(found)
        if len(self._ids) > self._most_single or self._many >= self._most:
            self._tidy()

    def _tidy(self) -> None:
        """Put together what was taken down singly, and into a file what is much; by one thread at a time."""
        try:
            self._turn.pop()
        except IndexError:
            return
        try:
            self._counted.extend(_total(_popped(self._counted)).items())
            if not (ids := _popped(self._ids)):
                return
            together = np.concatenate(ids)
            self._many = len(together)
            if self._many >= self._most:
                together.sort()
                runs = self._in_files[0] if self._in_files else HashRuns()
                if runs.add(together):
                    self._in_files, self._many = [runs], 0
                    return
                self._most = math.inf
            if self._most == math.inf:
                self._most_single = max(_MOST_SINGLE, len(together))
            self._ids.append(together)
        finally:
            self._turn.append(None)

    def take(self, other: ReadLog) -> None:
        """Take over what another log has."""
        self.columns.update(other.columns)
        self.said.update(other.said)
        self._counted += other._counted
        self._ids += other._ids
        self._many += other._many
        self._in_files += other._in_files

    def counts(self) -> dict[str, int]:
        """Return what was counted, and how many ids stand in more than one row."""
        total = _total(self._counted)
        if self._ids or self._in_files:
            more = np.concatenate(self._ids) if self._ids else np.empty(0, np.uint64)
            total[REPEATED] += sum(map(_repeated, ranges(self._in_files, more, MOST_IN_MEMORY)))
        return {what: number for what, number in sorted(total.items()) if number}

    def result(self) -> ReadCounts:
        """Return how the file was read."""
        counts = self.counts()
        return ReadCounts(
            dict(self.columns), dict(self.said), counts, tuple(_sentences(self, counts)) if self._reports else ()
        )


_MOST_SINGLE = 4096
"""What is taken down one by one before it is put together."""


def _popped(values: list[_Value]) -> list[_Value]:
    """Return what is in a list, and leave in it what others append meanwhile."""
    popped = []
    with suppress(IndexError):
        while True:
            popped.append(values.pop())
    return popped


def _total(counted: Iterable[tuple[str, int]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for what, number in counted:
        total[what] += number
    return total


def _repeated(ids: Hashes) -> int:
    """Return how many ids are there more than once."""
    ids = np.sort(ids)
    again = np.zeros(len(ids) + 1, np.bool_)
    np.equal(ids[1:], ids[:-1], out=again[1:-1])
    # Once for each id, where it first stands again.
    return int(np.count_nonzero(again[1:] & ~again[:-1]))


def _hashed(one: Any) -> int:
    return hash_of((one if isinstance(one, str) else repr(one)).encode("utf-8", "surrogatepass"))


_IN_FULL = {"id": "claim_id", **{field.short: field.name for field in FIELDS if field.short}}
"""The name of a part that a mapping shortens."""
_RESEARCH_FILES = "CMS research files"
REPEATED = "repeated ids"
IN_NO_ORDER = "claims in no order"


def _sentences(log: ReadLog, counts: Mapping[str, int]) -> Iterable[str]:
    if log.columns:
        by_part: dict[str, list[str]] = {}
        for column, part in log.columns.items():
            if column.lower() not in (part, _IN_FULL.get(part)):
                by_part.setdefault(part, []).append(column)
        pairs = "; ".join(f"{part} = {_joined(names)}" for part, names in by_part.items())
        if pairs:
            yield f"columns were recognized by their names: {pairs}; --map says otherwise"
    # CMS's own files have always been known; their layout is no news.
    if log.said.get("layout", _RESEARCH_FILES) != _RESEARCH_FILES:
        yield f"read as a table of the layout {log.said['layout']}"
    for name in ("encoding", "note"):
        if name in log.said:
            yield log.said[name] if name == "note" else f"read as {log.said[name]}"
    for what, number in counts.items():
        if sentence := _SENTENCES.get(what.split(" of ")[0]):
            known = {"of": what.partition(" of ")[2], "form": log.said.get(what, ""), "advice": log.advice}
            yield _sentence(sentence, number, **known)


def _joined(names: list[str]) -> str:
    return ", ".join(names) if len(names) < 4 else f"{names[0]} … {names[-1]} ({len(names)} columns)"


_SENTENCES = {
    REPEATED: "{n} {claim ids stand|claim id stands} in more than one row, and each row was judged as a claim; where a "
    "row is a diagnosis, {advice}",
    "missing": "{n} {cells hold|cell holds} a word for no value (such as NA or NULL) and {were|was} read as empty",
    "prefixed": "{n} {cells of codes have|cell of codes has} a prefix, brackets, quotes or a description, which "
    "{were|was} taken off",
    "several codes": "{n} {cells for one code hold|cell for one code holds} several, which were read as diagnoses in "
    "their order; an indicator or pointer beside such a cell goes for each of them",
    "decimal commas": "{n} {cells of codes have|cell of codes has} a comma in the place of the dot, which was read as "
    "one",
    "fractional ages": "{n} {ages have|age has} a fraction, of which the completed years count",
    "guessed dates": "{n} {dates|date} of {of} {have|has} a form that leaves a choice, and {were|was} read as {form}; "
    "--date-format says otherwise",
    "two-digit years": "{n} {dates|date} of {of} {have|has} a year of two digits",
    "Windows-1252 rows": "{n} {rows are|row is} not UTF-8 and {were|was} read as Windows-1252; --encoding says "
    "otherwise",
    "other code types": "{n} {rows of other code types were|row of another code type was} passed over: neither "
    "ICD-10-CM nor ICD-9-CM",
    "rows that disagree": "{n} {claims have|claim has} rows that disagree about what is known of the claim; the first "
    "row counts",
    "patients not found": "the patient of {n} {claims|claim} was not found, so age and sex are unknown",
    "conditions not found": "{n} {diagnoses refer|diagnosis refers} to a Condition that was not found",
    "groups among diagnoses": "{n} {entries of diagnoses are DRGs and were|entry of diagnoses is a DRG and was} passed "
    "over",
    IN_NO_ORDER: "{n} {claims follow|claim follows} CARIN's profiles, in which sequence is no order: nothing is "
    "found that rests on the order behind the principal diagnosis",
    "lines around the table": "{n} {lines are|line is} no row of the table (titles, rules of dashes, headers once "
    "more, counts of rows, totals) and {were|was} passed over",
    "trailing delimiters": "{n} {rows end|row ends} in delimiters behind the last column, with nothing between them",
    "files without claims": "holds no claim, so it was passed over",
    "empty files": "is empty, so it was passed over",
}
"""What is said of a count: `{many|one}` is chosen by it, `{of}` is the field and `{form}` the form of its dates."""
_BY_NUMBER = re.compile(r"\{([^{}|]*)\|([^{}|]*)\}")


def _sentence(text: str, number: int, **known: str) -> str:
    sentence = _BY_NUMBER.sub(lambda match: match[2 if number == 1 else 1], text)
    return sentence.format(n=f"{number:,}", **known)
