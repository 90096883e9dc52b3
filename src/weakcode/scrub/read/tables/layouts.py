"""Tables of known publishers, known by their headers: which of their columns holds what; `layouts.json` lists them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import attrs

_ICD9 = frozenset({"9", "09", "icd9", "icd9cm"})


@attrs.frozen
class Layout:
    """A publisher's table. `signature` are columns that its header has, `columns` what each part of a claim stands in.

    `*` stands for a number and `+` joins columns, as in --map; of columns parted by `/` the first that is there is
    read, and a part whose columns are not there is left out. `other_codes` are codes that are not among the diagnoses.
    `days` are columns of the first and the last day, `kind` and `facility` tell the setting. `nines` are the marks of
    ICD-9-CM beside a code; with `icd9` every code is one. `note` is reported of each file.
    """

    name: str
    signature: tuple[str, ...] = attrs.field(converter=tuple)
    columns: Mapping[str, str]
    other_codes: Mapping[str, str] = attrs.field(factory=dict)
    days: tuple[str, ...] = attrs.field(default=(), converter=tuple)
    kind: str = ""
    facility: str = ""
    nines: frozenset[str] = attrs.field(default=_ICD9, converter=frozenset)
    icd9: bool = False
    note: str = ""


RIF, *LAYOUTS = (Layout(**one) for one in json.loads(Path(__file__).with_suffix(".json").read_text("utf-8")))
"""In the order in which they are tried. A file of the first also has the principal diagnosis or the first of the
others; see `resolve`."""
