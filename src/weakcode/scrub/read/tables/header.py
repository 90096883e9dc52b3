"""Which column of a table holds what, once it is known."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence

import attrs

from weakcode.fields import ABOUT_THE_CLAIM, BY_NAME

_DELIMITERS = ",\t|;"
_MOST_COLUMNS_SHOWN = 40
# What a claim has and a name of a column has not: a number or date in front, or the form of a code.
_NO_NAME = re.compile(r"\s*\d(?!(?:st|nd|rd|th)\b)|.{64}|.*[@/]|[^:]+: *[A-Za-z].*[A-Za-z]")
_A_CODE = re.compile(r"[A-Za-z]\d[0-9A-Za-z](\.?[0-9A-Za-z]{1,4})?")

CSV_COLUMNS = ("claim_id", "codes", *ABOUT_THE_CLAIM)
"""The header of the claims that are written as CSV."""


@attrs.frozen
class Header:
    """Which column holds what. Positions count from 0; `wide` are the columns with one code each, in their order.

    `poa` and `versions` stand beside `wide`; a code beside one of the marks `nines` is one of ICD-9-CM, and with `icd9`
    every code is. Where `line` is known, rows that follow each other with one claim id are one claim; where `code` is,
    a row is one diagnosis, and the rows of an id are one claim in the order of `sequence`. `guarded` cells were written
    by weakcode with an apostrophe before formulas. `other_codes` are codes outside the diagnoses of the claim. `days`
    are the first and the last day, `kind` and `facility` tell the setting. `listed` are service lines as lists, which
    only Arrow has. Where the sex stands in a column that only says whether it is this one, `one_sex`
    is "F" or "M". `matched` says by column what is read in it, where the name of any did not say so exactly.
    """

    width: int
    delimiter: str
    claim_id: int | None
    codes: int | None
    wide: tuple[int, ...]
    about: tuple[tuple[str, int], ...]
    ignored: tuple[str, ...]
    principal: int | None = None
    principal_poa: int | None = None
    poa: tuple[int | None, ...] = ()
    versions: tuple[int | None, ...] = ()
    principal_version: int | None = None
    line: int | None = None
    procedure: int | None = None
    pointers: tuple[int, ...] = ()
    other_codes: tuple[tuple[str, int], ...] = ()
    days: tuple[int, ...] = ()
    kind: int | None = None
    facility: int | None = None
    nines: frozenset[str] = frozenset()
    icd9: bool = False
    code: int | None = None
    sequence: int | None = None
    codetype: int | None = None
    listed: int | None = None
    guarded: bool = False
    one_sex: str = ""
    layout: str = ""
    note: str = ""
    matched: Mapping[str, str] = attrs.field(factory=dict)

    @property
    def known(self) -> tuple[int, ...]:
        """Positions of all columns that are read."""
        single = (
            self.claim_id, self.codes, self.principal, self.principal_poa, self.principal_version, self.line,
            self.procedure, self.kind,
            self.facility, self.code, self.sequence, self.codetype, self.listed, *self.poa, *self.versions,
        )  # fmt: skip
        several = (
            *self.wide,
            *self.pointers,
            *self.days,
            *(position for _, position in (*self.about, *self.other_codes)),
        )
        return tuple(sorted({position for position in (*single, *several) if position is not None}))

    @property
    def with_blanks(self) -> tuple[tuple[str, int], ...]:
        """Fields of which a blank cell says more than nothing, with their columns.

        A table with a column for every field is one that weakcode wrote: it has columns for what its source may not.
        """
        if len(self.about) == len(ABOUT_THE_CLAIM):
            return ()
        return tuple((name, position) for name, position in self.about if BY_NAME[name].blank)

    @property
    def single_codes(self) -> tuple[int, ...]:
        """Positions of the columns with one diagnosis each."""
        return self.wide if self.principal is None else (self.principal, *self.wide)

    @property
    def has_indicators(self) -> bool:
        """Whether codes in a column each have a column for their present-on-admission indicator."""
        return self.principal_poa is not None or any(one is not None for one in self.poa)

    @property
    def is_plain(self) -> bool:
        """Whether each row is one claim that columns can say in full: its codes, and fields of the claim."""
        return self.is_row_a_claim and not self.has_indicators

    @property
    def is_row_a_claim(self) -> bool:
        """Whether each row is one claim: its codes, perhaps with indicators, and fields of the claim."""
        return (
            self.line is None
            and self.code is None
            and not (self.other_codes or self.days)
            and self.kind is None
            and (bool(self.wide) or (self.codes is not None and self.principal is None))
        )


def header_cells(line: str, delimiter: str | None = None) -> tuple[list[str], str]:
    """Return the cells of a header line as they are written, and the delimiter that it uses where none is given."""
    delimiter = delimiter or max(_DELIMITERS, key=line.count)
    cells = next(csv.reader([line], delimiter=delimiter), [])
    return [" ".join(cell.split()) for cell in cells], delimiter


def is_header(cells: Sequence[str]) -> bool:
    """Tell whether these can be names of columns. A first line that holds a claim must not be repeated to anyone."""
    names = {cell.upper() for cell in cells}
    return not any(
        _NO_NAME.match(cell) or (_A_CODE.fullmatch(cell) and f"{cell[0].upper()}1" not in names) for cell in cells
    )


def seen_columns(cells: Sequence[str]) -> str:
    """Return what is said of the columns of a file that lacks some."""
    if not any(cells):
        return "its first line is empty"
    if not is_header(cells):
        return "its first line holds values where the names of columns belong"
    more = len(cells) - _MOST_COLUMNS_SHOWN
    rest = f" and {more:,} more" if more > 0 else ""
    return f"its columns are {', '.join(cells[:_MOST_COLUMNS_SHOWN])}{rest}"
