"""Claims as columns: from claims, and from a batch that was evaluated without an object for any claim.

The columns are those of a code list. `codes` are lists of text, or of structs with `code`, `text` and `poa` where a
claim of the batch says more of a diagnosis than its code; `lines` is there where a claim has service lines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from weakcode.claims import Claim, ServiceLine, parse_lines
from weakcode.codes.normalise import canonical
from weakcode.errors import InputError
from weakcode.fields import FIELDS, LINE_FIELDS, Field
from weakcode.fields.parsers import parse_text, plain_value
from weakcode.scrub.columns.arrow import as_text, listed


def _type_of(field: Field) -> pa.DataType:
    item = pa.type_for_alias(field.arrow)
    return pa.list_(item) if field.is_list else item


PLAIN = pa.list_(pa.string())
RICH = pa.list_(pa.struct([("code", pa.string()), ("text", pa.string()), ("poa", pa.string())]))
LINES = pa.list_(pa.struct([(field.name, _type_of(field)) for field in LINE_FIELDS]))
TYPES: dict[str, pa.DataType] = {
    "claim_id": pa.string(),
    "codes": PLAIN,
    **{field.name: _type_of(field) for field in FIELDS},
}
# Python parts words at these too, Arrow does not.
_OTHER_BLANKS = r"[\x1c-\x1f]|[^\x00-\x7f]"


def columns_of(claims: Sequence[Claim]) -> pa.RecordBatch:
    """Return claims as columns, with `lines` where one has service lines."""
    rich = any(diagnosis.text or diagnosis.poa for claim in claims for diagnosis in claim.diagnoses)
    codes = [_rich(claim) for claim in claims] if rich else [claim.codes for claim in claims]
    columns = {
        "claim_id": pa.array([claim.id for claim in claims], pa.string()),
        "codes": pa.array(codes, RICH if rich else PLAIN),
    }
    for field in FIELDS:
        values = [getattr(claim, field.name) for claim in claims]
        if field.is_list:
            values = [plain_value(names) for names in values]
        columns[field.name] = pa.array(values, TYPES[field.name])
    if any(claim.lines for claim in claims):
        columns["lines"] = pa.array([_columns_of_lines(claim.lines) for claim in claims], LINES)
    return pa.RecordBatch.from_pydict(columns)


def _rich(claim: Claim) -> list[dict[str, str | None]]:
    return [{"code": one.code, "text": one.text, "poa": one.poa} for one in claim.diagnoses]


def _columns_of_lines(lines: Sequence[ServiceLine]) -> list[dict[str, Any]] | None:
    return [_columns_of_line(line) for line in lines] or None


def _columns_of_line(line: ServiceLine) -> dict[str, Any]:
    fields = {field.name: getattr(line, field.name) for field in LINE_FIELDS}
    # Nearly all lines have all their pointers; nothing is said of it where they do.
    return {**fields, "modifiers": line.modifiers or None, "main_only": line.main_only or None}


def tidied(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return the claims of a batch, all of which can be read, with the same values as `columns_of` gives them."""
    if not batch.num_rows:
        return pa.RecordBatch.from_pydict({name: pa.array([], kind) for name, kind in TYPES.items()})
    names = batch.schema.names
    columns = {
        "claim_id": as_text(batch.column("claim_id")) if "claim_id" in names else pa.nulls(batch.num_rows, pa.string()),
        "codes": _codes(batch.column("codes")),
    }
    for field in FIELDS:
        if field.name not in names:
            columns[field.name] = pa.nulls(batch.num_rows, TYPES[field.name])
        elif field.is_list:
            columns[field.name] = _listed_names(batch.column(field.name), field)
        else:
            columns[field.name] = _parsed(batch.column(field.name), TYPES[field.name], field.parse)
    if "lines" in names and batch.column("lines").null_count < batch.num_rows:
        lines = batch.column("lines").to_pylist()
        columns["lines"] = pa.array([_columns_of_lines(parse_lines(value)) for value in lines], LINES)
    return pa.RecordBatch.from_pydict(columns)


def replaced(batch: pa.RecordBatch, rows: Sequence[int], others: pa.RecordBatch) -> pa.RecordBatch:
    """Return the batch with other claims in these rows."""
    if any(one.schema.field("codes").type == RICH for one in (batch, others)):
        batch, others = enriched(batch), enriched(others)
    picked = np.arange(batch.num_rows)
    picked[np.asarray(rows, np.int64)] = batch.num_rows + np.arange(len(rows))
    if "lines" in batch.schema.names or "lines" in others.schema.names:
        batch, others = with_lines(batch), with_lines(others)
    indices = pa.array(picked)
    return pa.RecordBatch.from_pydict(
        {name: pa.concat_arrays([batch.column(name), others.column(name)]).take(indices) for name in batch.schema.names}
    )


def enriched(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return the batch with room for what claims say of each diagnosis."""
    at = batch.schema.get_field_index("codes")
    codes = batch.column(at)
    if codes.type == RICH:
        return batch
    words = codes.flatten()
    nothing = pa.nulls(len(words), pa.string())
    return batch.set_column(at, "codes", _listed(codes, _diagnoses(words, nothing, nothing)))


def with_lines(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return the batch with room for service lines."""
    if "lines" in batch.schema.names:
        return batch
    return batch.append_column("lines", pa.nulls(batch.num_rows, LINES))


def without_lines(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return the batch without service lines."""
    return batch.drop_columns(["lines"]) if "lines" in batch.schema.names else batch


def bare(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return the batch with the codes alone, without what claims say of each."""
    at = batch.schema.get_field_index("codes")
    codes = batch.column(at)
    return (
        batch if codes.type == PLAIN else batch.set_column(at, "codes", _listed(codes, codes.flatten().field("code")))
    )


def _diagnoses(codes: pa.Array, texts: pa.Array, poa: pa.Array) -> pa.Array:
    return pa.StructArray.from_arrays([codes, texts, poa], fields=list(RICH.value_type))


def _listed(lists: pa.Array, values: pa.Array) -> pa.Array:
    """Return values in the lists of another column."""
    bounds = np.zeros(len(lists) + 1, np.int32)
    np.cumsum(np.asarray(pc.list_value_length(lists).fill_null(0)), out=bounds[1:])
    return pa.ListArray.from_arrays(pa.array(bounds), values)


def _codes(column: pa.Array) -> pa.Array:
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if not hasattr(column, "flatten") or not hasattr(column.type, "value_type"):
        column = _split(column.cast(pa.string()))
    codes = column.flatten()
    if not pa.types.is_struct(codes.type):
        return _listed(column, _canonical(codes))
    fields = {field.name for field in codes.type}
    texts, poa = (
        _parsed(codes.field(name), pa.string(), parse_text) if name in fields else pa.nulls(len(codes), pa.string())
        for name in ("text", "poa")
    )
    words = _canonical(codes.field("code"))
    if texts.null_count == poa.null_count == len(codes):
        return _listed(column, words)
    return _listed(column, _diagnoses(words, texts, poa))


def _canonical(codes: pa.Array) -> pa.Array:
    if not pa.types.is_dictionary(codes.type):
        codes = codes.dictionary_encode()
    spelled = pa.array([code and canonical(code) for code in listed(codes.dictionary)], pa.string())
    return spelled.take(codes.indices)


def _split(column: pa.Array) -> pa.Array:
    if pc.any(pc.match_substring_regex(column, _OTHER_BLANKS)).as_py():
        return pa.array([text.replace(";", " ").replace(",", " ").split() for text in column.to_pylist()], PLAIN)
    column = pc.ascii_trim_whitespace(pc.replace_substring_regex(column, "[;,]", " "))
    return pc.ascii_split_whitespace(column).cast(PLAIN)


def _parsed(column: pa.Array, kind: pa.DataType, parse: Callable[[Any], Any]) -> pa.Array:
    """Return a column parsed once for each distinct value."""
    column_type = column.type
    if column.null_count == len(column):
        return pa.nulls(len(column), kind)
    if pa.types.is_timestamp(column_type) or pa.types.is_date(column_type):
        return column.cast(pa.date32(), safe=False)
    if pa.types.is_integer(column_type) and pa.types.is_integer(kind):
        return column.cast(kind)
    if not pa.types.is_dictionary(column_type):
        column = column.dictionary_encode()
    values = [_parsed_or_none(parse, value) for value in listed(column.dictionary)]
    return pa.array(values, kind).take(column.indices)


def _parsed_or_none(parse: Callable[[Any], Any], value: Any) -> Any:
    """Return None for what no claim of the batch has: a dictionary keeps the values of rows that were rejected."""
    try:
        return parse(value)
    except InputError:
        return None


def _listed_names(column: pa.Array, field: Field) -> pa.Array:
    values: Iterable[Any] = column.to_pylist()
    known: dict[Any, list[str] | None] = {}
    lists = []
    for value in values:
        key = tuple(value) if isinstance(value, list) else value
        if key not in known:
            known[key] = plain_value(field.parse(value))
        lists.append(known[key])
    return pa.array(lists, TYPES[field.name])
