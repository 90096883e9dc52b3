"""How files of claims are to be read, where their content leaves a choice."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from weakcode.errors import InputError
from weakcode.scrub.read.tables.dates import given_form
from weakcode.scrub.read.tables.mapping import checked_mapping


def _mapping(mapping: Mapping[str, object] | None) -> Mapping[str, str] | None:
    return checked_mapping(mapping) if mapping else None


def _date_format(form: str | None) -> str | None:
    if form is not None:
        given_form(form)
    return form


def _encoding(name: str | None) -> str | None:
    if name is None:
        return None
    try:
        return codecs.lookup(name).name
    except LookupError:
        raise InputError(
            f"--encoding does not know {name!r}; it takes names such as utf-8, cp1252 and utf-16"
        ) from None


def _words(given: str | Iterable[str]) -> tuple[str, ...]:
    words = given.split(",") if isinstance(given, str) else given
    return tuple(word.strip() for word in words if word.strip())


@attrs.frozen
class ReadOptions:
    """What a caller says of the files. Nothing said, everything is seen from the content.

    `mapping` says which columns of a table hold what, by the names of --map. `date_format` is the form of dates that
    are not ISO: `MM/DD/YYYY`, `%d.%m.%Y`, `excel` or `sas`. `encoding` is that of text. `missing` are words that stand
    for no value beside the usual ones. `sheet` is that of a workbook. Raises InputError for what cannot be.
    """

    mapping: Mapping[str, str] | None = attrs.field(default=None, converter=_mapping)
    date_format: str | None = attrs.field(default=None, converter=_date_format)
    encoding: str | None = attrs.field(default=None, converter=_encoding)
    missing: tuple[str, ...] = attrs.field(default=(), converter=_words)
    sheet: str | None = None
    constants: Mapping[str, str] = attrs.field(factory=dict)
    """What the folders of a file say of all its claims, by the names of columns."""
    row_groups: Mapping[str, range] = attrs.field(factory=dict)
    """By the path of a Parquet file which of its row groups are read, where it is read in parts; rows keep the numbers
    that they have in it."""
    references: Any = attrs.field(default=None, repr=False)
    """What claims of FHIR refer to, where the files of a run are one set."""


PLAIN = ReadOptions()
"""Nothing said."""
