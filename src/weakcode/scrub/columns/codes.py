"""The codes of a batch, from any of the shapes in which Arrow holds them.

A row's codes are a list of text, of dictionary-encoded text or of structs with a field `code`; or one text, parted by
blanks, semicolons or commas.
"""

from __future__ import annotations

import attrs
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from weakcode.codes.normalise import canonical
from weakcode.engines.kernel import _kernel
from weakcode.scrub.columns.arrow import filled, listed, valid, viewed
from weakcode.scrub.columns.views import plain_list

Places = NDArray[np.int64]
INDICATORS = ("", "Y", "N", "U", "W", "1")
_NO_INDICATOR = 255


@attrs.frozen(eq=False)
class CodeColumn:
    """Text of codes with the bounds of each row in them.

    Code i is text `picked[i]`, or text i itself where `picked` is None; text t is data[low[t]:high[t]]. `absent` marks
    codes that are null. `bad` marks rows without codes, and all rows where codes are something else than text.
    """

    data: NDArray[np.uint8]
    low: Places
    high: Places
    bounds: Places
    bad: NDArray[np.bool_]
    picked: NDArray[np.int32] | None = None
    absent: NDArray[np.bool_] | None = None
    texts: pa.Array | None = None
    """What the record says for each code, where the codes are structs with a field `text`."""
    poa: NDArray[np.uint8] | None = None
    """The place in `INDICATORS` of what each code has, where the codes are structs with a field `poa`."""

    @property
    def has_poa(self) -> NDArray[np.bool_]:
        """Tells which rows have a code with an indicator."""
        found = np.zeros(len(self.bounds) - 1, np.bool_)
        if self.poa is not None:
            found[np.repeat(np.arange(len(found)), np.diff(self.bounds))[self.poa != 0]] = True
        return found

    def tokens(self, reading: _kernel.Reading, rows: NDArray[np.bool_] | None = None) -> NDArray[np.int32]:
        """Return a token for each code: see CodedRows. A code that is null or blank has one below zero.

        Where `rows` are given, those of other rows are nothing that may be used.
        """
        if rows is not None and self.picked is None and not rows.all():
            asked = np.repeat(rows, np.diff(self.bounds))
            tokens = np.zeros(len(self.low), np.int32)
            found = np.empty(int(asked.sum()), np.int32)
            reading.tokens(self.data, self.low[asked], self.high[asked], found, canonical)
            tokens[asked] = found
        else:
            tokens = np.empty(len(self.low), np.int32)
            reading.tokens(self.data, self.low, self.high, tokens, canonical)
        if self.picked is not None:
            tokens = tokens[self.picked]
        if self.absent is not None:
            tokens[self.absent] = _kernel.NO_TEXT
        return tokens

    @classmethod
    def of(cls, column: pa.Array) -> CodeColumn:
        """Read a column of codes."""
        kind = column.type
        if pa.types.is_dictionary(kind):
            column = column.cast(kind.value_type)
            kind = column.type
        if _is_text(kind):
            return _split(column)
        if pa.types.is_list_view(kind) or pa.types.is_large_list_view(kind):
            column = plain_list(column)
        elif pa.types.is_fixed_size_list(kind):
            column = column.cast(pa.large_list(kind.value_type))
        elif not (pa.types.is_list(kind) or pa.types.is_large_list(kind)):
            return _nothing(len(column))
        return _listed(column)


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _nothing(rows: int) -> CodeColumn:
    empty = np.empty(0, np.uint8)
    none = np.empty(0, np.int64)
    return CodeColumn(empty, none, none, np.zeros(rows + 1, np.int64), np.ones(rows, np.bool_))


def _text(column: pa.Array) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return the bytes of a text column, and where each text begins and the last one ends."""
    if pa.types.is_string_view(column.type):
        column = column.cast(pa.large_string())
    if len(column) == 0:
        return np.empty(0, np.uint8), np.zeros(1, np.int64)
    _, offsets, data = column.buffers()
    width = np.int64 if pa.types.is_large_string(column.type) else np.int32
    at = viewed(offsets, width)[column.offset : column.offset + len(column) + 1].astype(np.int64)
    return np.empty(0, np.uint8) if data is None else viewed(data, np.uint8), at


def _listed(column: pa.Array) -> CodeColumn:
    bounds = filled(column.offsets, 0).astype(np.int64)
    codes = column.values.slice(bounds[0], bounds[-1] - bounds[0])
    bounds -= bounds[0]
    bad = np.diff(bounds) == 0
    if column.null_count:
        bad |= ~valid(column)
    texts = poa = None
    hidden = ~valid(codes) if codes.null_count else None
    if pa.types.is_struct(codes.type):
        fields = {field.name for field in codes.type}
        texts = codes.field("text") if "text" in fields else None
        if "poa" in fields:
            poa, wrong = _indicators(codes.field("poa"))
            bad[np.searchsorted(bounds, np.flatnonzero(wrong), "right") - 1] = True
        codes = codes.field("code") if "code" in fields else pa.nulls(len(codes))
    absent = ~valid(codes) if codes.null_count else None
    if hidden is not None:
        absent = hidden if absent is None else absent | hidden
    picked = None
    if pa.types.is_dictionary(codes.type):
        indices = codes.indices.cast(pa.int32())
        picked = filled(indices, 0)
        codes = codes.dictionary
        if codes.null_count:
            nulls = ~valid(codes)[picked]
            absent = nulls if absent is None else absent | nulls
    if not _is_text(codes.type):
        return _nothing(len(column))
    if picked is not None and not len(codes):
        # All codes are null, and there is no text for the kernel to read.
        codes, picked = pa.nulls(len(picked), pa.string()), None
    data, at = _text(codes)
    return CodeColumn(data, at[:-1], at[1:], bounds, bad, picked, absent, texts, poa)


def _indicators(column: pa.Array) -> tuple[NDArray[np.uint8] | None, NDArray[np.bool_]]:
    """Return the place in `INDICATORS` of each present-on-admission indicator, and which are none at all."""
    if pa.types.is_null(column.type):
        return None, np.zeros(len(column), np.bool_)
    if not (_is_text(column.type) or pa.types.is_dictionary(column.type)):
        return None, valid(column)
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    known = {name: place for place, name in enumerate(INDICATORS)}
    numbers = [known.get((value or "").strip().upper(), _NO_INDICATOR) for value in listed(column.dictionary)]
    index = filled(column.indices.cast(pa.int32()), len(numbers))
    places = np.array([*numbers, 0], np.uint8)[index]
    return places, places == _NO_INDICATOR


def _split(column: pa.Array) -> CodeColumn:
    data, at = _text(column)
    if len(data) and (data[at[0] : at[-1]] >= 128).any():
        # Blanks of other scripts part codes too; the kernel knows those of ASCII.
        plain = [text and " ".join(text.replace(";", " ").replace(",", " ").split()) for text in column.to_pylist()]
        column = pa.array(plain, pa.large_string())
        data, at = _text(column)
    counts = np.empty(len(column), np.int64)
    words = np.frombuffer(_kernel.split(data, at, counts), np.int64)
    bounds = np.zeros(len(column) + 1, np.int64)
    np.cumsum(counts, out=bounds[1:])
    bad = counts == 0
    if column.null_count:
        bad |= ~valid(column)
    return CodeColumn(data, words[0::2], words[1::2], bounds, bad)
