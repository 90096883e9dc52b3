"""Which Arrow types each column of a code list may have. Anything else is refused before a row is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pyarrow as pa

from weakcode.errors import InputError
from weakcode.fields import FIELDS, LINES, Field
from weakcode.scrub.read.tables.header import Header

_types = pa.types
_IsKind = Callable[[Any], bool]


def _is_text(kind: Any) -> bool:
    if _types.is_dictionary(kind):
        return bool(_types.is_string(kind.value_type) or _types.is_large_string(kind.value_type))
    return _types.is_null(kind) or _is_plain_text(kind)


def _is_plain_text(kind: Any) -> bool:
    return bool(_types.is_string(kind) or _types.is_large_string(kind) or _types.is_string_view(kind))


def _is_number(kind: Any) -> bool:
    return bool(
        _types.is_integer(kind) or _types.is_float32(kind) or _types.is_float64(kind) or _types.is_boolean(kind)
    )


def _is_scalar(kind: Any) -> bool:
    return _is_text(kind) or _is_number(kind)


def _is_day(kind: Any) -> bool:
    return bool(_types.is_date(kind) or _types.is_timestamp(kind))


def _is_list_of(kind: Any, is_item: _IsKind) -> bool:
    return bool(_types.is_list(kind) or _types.is_large_list(kind)) and is_item(kind.value_type)


def _has(kind: Any, fields: Mapping[str, _IsKind]) -> bool:
    """Whether it is a struct whose fields of these names have such types; others have values, days or lists."""
    if not _types.is_struct(kind) or len({field.name for field in kind}) < kind.num_fields:
        return False
    return all(fields.get(field.name, _is_any)(field.type) for field in kind)


def _is_any(kind: Any) -> bool:
    return _is_value(kind) or _is_day(kind) or bool(_types.is_decimal128(kind))


def _is_code(kind: Any) -> bool:
    return _is_scalar(kind) or _has(kind, {"code": _is_text, "text": _is_text, "poa": _is_text})


def _is_value(kind: Any) -> bool:
    """Whether a column has single values; rows with a list instead are rejected one by one."""
    return _is_scalar(kind) or _is_list_of(kind, _is_scalar)


def _is_name(kind: Any) -> bool:
    return bool(_is_value(kind) or _is_day(kind) or _types.is_decimal128(kind) or _types.is_binary(kind))


def _is_codes(kind: Any) -> bool:
    if _types.is_fixed_size_list(kind) or _types.is_list_view(kind) or _types.is_large_list_view(kind):
        return _is_code(kind.value_type)
    return _is_scalar(kind) or _is_list_of(kind, _is_code)


def _is_pointers(kind: Any) -> bool:
    return _types.is_null(kind) or _is_list_of(kind, lambda item: _types.is_null(item) or _is_scalar(item))


def _is_line(kind: Any) -> bool:
    """Whether a service line may have this type; rows with a single value instead are rejected one by one."""
    fields = {"number": _is_scalar, "pointers": _is_pointers, "procedure": _is_scalar, "main_only": _is_scalar}
    return _is_pointers(kind) or _is_scalar(kind) or _has(kind, fields)


def _is_listed(kind: Any) -> bool:
    return _is_scalar(kind) or _is_list_of(kind, _is_text)


def _allowed(field: Field) -> tuple[_IsKind, str]:
    """Return what a column of a claim field may have, from what it is written as."""
    if field.is_list:
        return _is_listed, "text, or a list of text"
    if field.arrow == "date32":
        return lambda kind: _is_value(kind) or _is_day(kind) or bool(_types.is_decimal128(kind)), "a date, or text"
    return (
        lambda kind: _is_value(kind) or bool(_types.is_decimal128(kind)),
        "text" if field.arrow == "string" else "a whole number",
    )


ALLOWED: dict[str, tuple[_IsKind, str]] = {
    "claim_id": (_is_name, "text or a number"),
    "codes": (_is_codes, "text, or a list of text or of structs with code, text and poa"),
    **{field.name: _allowed(field) for field in FIELDS},
    LINES: (lambda kind: _is_scalar(kind) or _is_list_of(kind, _is_line), "a list of service lines"),
}
"""By column, whether it may have a type, and what it may have in words."""


def refuse_types(schema: pa.Schema, header: Header, file: str) -> None:
    """Raise InputError for a column whose type its values cannot be read from; columns not in ALLOWED are codes."""
    parts = {at: name for name, at in header.about}
    single = {"claim_id": header.claim_id, "codes": header.codes, LINES: header.listed}
    parts |= {at: name for name, at in single.items() if at is not None}
    for position in header.known:
        field = schema.field(position)
        kind = plain_type(field.type)
        is_allowed, words = ALLOWED.get(parts.get(position, ""), (_is_text, "text"))
        if not is_allowed(kind):
            type_name = str(kind)
            type_name = type_name if len(type_name) < 80 else f"{type_name[:77]}..."
            raise InputError(f"{file}: the column {field.name} has the Arrow type {type_name}; give {words}")


def refuse_cells(schema: pa.Schema, header: Header, file: str) -> None:
    """Raise InputError for a column whose values cannot be cells of text."""
    for position in header.known:
        field = schema.field(position)
        if not is_cell(field.type):
            raise InputError(f"{file}: the column {field.name} has the Arrow type {field.type}; give text or numbers")


def plain_type(kind: Any) -> Any:
    """Return the type of a column once extensions and run-end encoding are taken off."""
    while isinstance(kind, pa.BaseExtensionType) or _types.is_run_end_encoded(kind):
        kind = kind.storage_type if isinstance(kind, pa.BaseExtensionType) else kind.value_type
    kind = _as_text(kind)
    if _types.is_dictionary(kind) and _types.is_string_view(kind.value_type):
        # Views in a dictionary are taken out where the column is read.
        return pa.dictionary(kind.index_type, pa.large_string())
    if (_types.is_list(kind) or _types.is_large_list(kind)) and (
        inner := plain_type(kind.value_type)
    ) != kind.value_type:
        return pa.large_list(inner)
    return kind


def text_of(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return a batch with bytes as text: files of older programs (Hive, Impala, Spark) do not say that it is text.

    Whether it is UTF-8 is not looked at here.
    """
    kinds = [_as_text(kind) for kind in batch.schema.types]
    if kinds == batch.schema.types:
        return batch
    columns = [one if one.type == kind else one.view(kind) for one, kind in zip(batch.columns, kinds, strict=True)]
    return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)


def _as_text(kind: Any) -> Any:
    """Return the type of text with the same layout as one of bytes, and so of lists and dictionaries of bytes."""
    for is_kind, text in (
        (_types.is_binary, pa.string()),
        (_types.is_large_binary, pa.large_string()),
        (_types.is_binary_view, pa.string_view()),
    ):
        if is_kind(kind):
            return text
    if _types.is_dictionary(kind) and (text := _as_text(kind.value_type)) != kind.value_type:
        return pa.dictionary(kind.index_type, text, kind.ordered)
    if (_types.is_list(kind) or _types.is_large_list(kind)) and (text := _as_text(kind.value_type)) != kind.value_type:
        return (pa.list_ if _types.is_list(kind) else pa.large_list)(kind.value_field.with_type(text))
    return kind


def is_cell(kind: Any) -> bool:
    """Whether the values of a column can be cells of a table: scalars, and lists of them."""
    kind = plain_type(kind)
    return _is_scalar(kind) or _is_day(kind) or _types.is_decimal128(kind) or _is_list_of(kind, _is_scalar)
