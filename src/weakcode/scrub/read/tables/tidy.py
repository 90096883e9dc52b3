"""The cells of a table as a code list has them: row by row, and column by column with each distinct value read once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from weakcode.fields import BY_NAME
from weakcode.scrub.columns.arrow import filled, listed, viewed
from weakcode.scrub.read.log import ReadLog
from weakcode.scrub.read.tables.cells import Read
from weakcode.scrub.read.tables.dates import GUESSED
from weakcode.scrub.read.tables.forms import MISSING, Forms, Memo
from weakcode.scrub.read.tables.header import Header

_PLAIN_BYTES = np.zeros(256, np.bool_)
_PLAIN_BYTES[list(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789. \t;,")] = True
_IN_ITEMS = np.zeros(256, np.bool_)
_IN_ITEMS[list(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.")] = True
_IN_CODES = np.zeros(256, np.bool_)
_IN_CODES[list(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")] = True
_ODD_TEXT, _ODD_ITEM = r"[^A-Za-z0-9.\s;,]", r"[^A-Za-z0-9.]"
_LETTERS = np.zeros(256, np.bool_)
_LETTERS[list(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")] = True


class Tidy:
    """Reads the cells under a header. What was guessed or passed over is counted in `log`."""

    def __init__(self, header: Header, forms: Forms, log: ReadLog) -> None:
        self.header, self.forms, self.log = header, forms, log
        self._memos = {position: Memo(read) for position, read in _readers(header, forms).items()}
        self._one_code = Memo(forms.one_code if header.listed is None else forms.single_code)
        self.with_blanks = {position for _, position in header.with_blanks}

    def row(self, cells: Sequence[str]) -> list[str]:
        """Return the cells of a row as a code list has them."""
        tidied = list(cells)
        for position, memo in self._memos.items():
            text, what = memo[cells[position]]
            tidied[position] = text
            if what is not None:
                self._count(what, 1)
        return tidied

    def holds(self, position: int, column: pa.Array, sign: str) -> bool:
        """Tell whether cells of a column that is read cell by cell have a sign once they are read. Counts nothing."""
        memo = self._memos[position]
        values = listed(column.dictionary if pa.types.is_dictionary(column.type) else column)
        return any(value is not None and sign in memo[value][0] for value in values)

    def column(self, position: int, column: pa.Array) -> pa.DictionaryArray:
        """Return a column of text whose values repeat, read once for each distinct one; null and empty are null."""
        memo = self._memos[position]
        if position in self.with_blanks:
            column = column.cast(pa.string()).fill_null("")
        encoded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
        read = [(None, None) if value is None else memo[value] for value in listed(encoded.dictionary)]
        self._count_of(encoded, [what for _, what in read])
        values = pa.array([text or None for text, _ in read], pa.string())
        return pa.DictionaryArray.from_arrays(encoded.indices, values)

    def codes(self, column: pa.Array) -> pa.Array:
        """Return a column of texts with all codes of a claim each; only those that are not plain are read singly."""
        untidy = self._untidy(column)
        if untidy is None:
            return column
        assert self.header.codes is not None
        memo = self._memos[self.header.codes]
        picked = column.filter(untidy)
        texts = []
        for value in picked.to_pylist():
            text, what = memo[value]
            texts.append(text)
            if what is not None:
                self._count(what, 1)
        return pc.replace_with_mask(column, untidy, pa.array(texts, column.type))

    def items(self, codes: pa.Array) -> pa.Array | None:
        """Return the items of lists of codes as texts, null where there is no code; None where all stay as they are.

        An item that holds several codes has `cells.BETWEEN` between them.
        """
        is_encoded = pa.types.is_dictionary(codes.type)
        texts = codes.dictionary if is_encoded else codes
        if not pa.types.is_string(texts.type) and not pa.types.is_large_string(texts.type):
            return None
        has_blanks = pc.any(pc.equal(pc.ascii_trim_whitespace(texts), "")).as_py()
        is_plain = not codes.null_count and not texts.null_count and not has_blanks
        if is_plain and self._untidy(texts, _IN_ITEMS, _ODD_ITEM) is None:
            return None
        encoded = codes if is_encoded else codes.dictionary_encode()
        values = listed(encoded.dictionary)
        read = [("", None) if value is None else self._one_code[value] for value in values]
        if not codes.null_count and all(text and text == value for (text, _), value in zip(read, values, strict=True)):
            return None
        self._count_of(encoded, [what for _, what in read])
        # Null in the indices, not only in the dictionary: they say what is left out.
        is_code = np.array([bool(text) for text, _ in read] + [False], np.bool_)
        index = filled(encoded.indices.cast(pa.int32()), -1)
        indices = pa.array(index, pa.int32(), mask=~is_code[index])
        return pa.DictionaryArray.from_arrays(indices, pa.array([text for text, _ in read], pa.string()))

    def _untidy(
        self, column: pa.Array, plain: NDArray[np.bool_] = _PLAIN_BYTES, untidy_sign: str = _ODD_TEXT
    ) -> pa.Array | None:
        """Return which texts may hold more than plain codes, None where none does."""
        _, offsets, data = column.buffers()
        if data is None or not len(column):
            return None
        width = np.int64 if pa.types.is_large_string(column.type) else np.int32
        bounds = viewed(offsets, width)[column.offset : column.offset + len(column) + 1]
        text = viewed(data, np.uint8)[bounds[0] : bounds[-1]]
        if plain[text].all() and not self._may_be_words(text, np.diff(bounds)):
            return None
        pattern = rf"{untidy_sign}|{_words_pattern(self.forms)}"
        untidy = pc.match_substring_regex(column, pattern, ignore_case=True).fill_null(False)
        return untidy if pc.any(untidy).as_py() else None

    def _may_be_words(self, text: NDArray[np.uint8], sizes: NDArray[np.integer[Any]]) -> bool:
        """Tell whether plain text may hold a word for no value: an N and a letter, or a dot that stands alone."""
        if self.forms.missing != MISSING or (sizes == 1).any():
            return True
        letters = _LETTERS[text]
        if (letters[1:] & ((text[:-1] | 32) == ord("n"))).any():
            return True
        dots = np.flatnonzero(text == ord("."))
        return not _IN_CODES[text[dots - 1]].all()

    def _count_of(self, encoded: pa.DictionaryArray, kinds: Sequence[str | None]) -> None:
        if not any(kinds):
            return
        index = filled(encoded.indices.cast(pa.int64()), -1)
        numbers = np.bincount(index[index >= 0], minlength=len(kinds))
        for what, number in zip(kinds, numbers.tolist(), strict=True):
            if what is not None:
                self._count(what, number)

    def _count(self, what: str, number: int) -> None:
        counted_as(what, self.forms, self.log, number)


def counted_as(what: str, forms: Forms, log: ReadLog, number: int = 1) -> None:
    """Count what cells were read as; of dates whose form was guessed, say the form."""
    kind, _, field = what.rpartition(" ")
    if field in BY_NAME:
        what = f"{'guessed dates' if kind == GUESSED else 'two-digit years'} of {field.replace('_', ' ')}"
        if kind == GUESSED and number and field in forms.dates:
            log.said[what] = forms.dates[field].in_words()
    log.count(what, number)


def _readers(header: Header, forms: Forms) -> Mapping[int, Callable[[str], Read]]:
    """Return what reads the cells of each position; ids stay as they are."""
    readers: dict[int, Callable[[str], Read]] = {}
    plain = (
        *header.poa, *header.versions, *header.pointers, header.principal_poa, header.principal_version,
        header.line, header.procedure,
        header.kind, header.facility, header.sequence, header.codetype,
    )  # fmt: skip
    readers.update({at: forms.plain for at in plain if at is not None})
    readers.update({at: partial(forms.about, "service_date") for at in header.days})
    readers.update({at: partial(forms.about, name) for name, at in header.about})
    if header.one_sex:
        readers[dict(header.about)["sex"]] = partial(forms.one_sex, header.one_sex)
    readers.update({at: partial(forms.about_or_blank, name) for name, at in header.with_blanks})
    singles = (*header.single_codes, header.code, *(at for _, at in header.other_codes))
    one_code = forms.one_code if header.listed is None else forms.single_code
    readers.update({at: one_code for at in singles if at is not None})
    if header.codes is not None:
        readers[header.codes] = forms.codes
    return readers


def _words_pattern(forms: Forms) -> str:
    words = "|".join(sorted((_escaped(word) for word in forms.missing), key=len, reverse=True))
    return rf"(?:^|[\s;,])(?:{words})(?:$|[\s;,])"


def _escaped(word: str) -> str:
    return "".join(sign if sign.isalnum() else f"\\{sign}" for sign in word)
