"""Which column of a table holds what: told by the header's names, or by a mapping that the user gives.

Three layouts are known: a code list (`claim_id`, `codes`), a wide table (`dx1`, `dx2`, …) and the research files of CMS
(`CLM_ID`, `PRNCPAL_DGNS_CD`, `ICD_DGNS_CD1`, …), where a claim has one row for each of its service lines.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence

import attrs

from weakcode.errors import InputError, did_you_mean
from weakcode.fields import ABOUT_THE_CLAIM, FIELDS
from weakcode.scrub.guard import is_guarded

_DELIMITERS = ",\t|;"
_WIDE = re.compile(r"(?:dx|i10_dx|icd_dgns_cd)_?(\d{1,3})")
_MOST_COLUMNS_SHOWN = 40
# What a claim has and a name of a column has not: a number or date in front, or the form of a code.
_NO_NAME = re.compile(r"\s*\d|.{64}|.*[@/]")
_A_CODE = re.compile(r"[A-Za-z]\d[0-9A-Za-z](\.?[0-9A-Za-z]{1,4})?")

CSV_COLUMNS = ("claim_id", "codes", *ABOUT_THE_CLAIM)
"""The header of the claims that are written as CSV."""

MAP_KEYS = {
    "id": "claim_id",
    "claim_id": "claim_id",
    "codes": "codes",
    "principal": "principal",
    "poa": "poa",
    **{field.short: field.name for field in FIELDS if field.short},
    "line": "line",
    "procedure": "procedure",
    "pointer": "pointer",
    **{name: name for name in ABOUT_THE_CLAIM},
}
"""What `--map` can name, and the name of the same thing here."""

_RIF = {
    "claim_id": "CLM_ID",
    "principal": "PRNCPAL_DGNS_CD",
    "codes": "ICD_DGNS_CD*",
    "poa": "CLM_POA_IND_SW*",
    "version": "ICD_DGNS_VRSN_CD*",
    "principal_version": "PRNCPAL_DGNS_VRSN_CD",
    "birth_date": "DOB_DT",
    "sex": "GNDR_CD",
    "procedure": "HCPCS_CD",
    "pointer": "LINE_ICD_DGNS_CD",
}
_RIF_LINES = ("LINE_NUM", "CLM_LINE_NUM")
_RIF_APART = {
    "admitting": "ADMTG_DGNS_CD",
    "reason-for-visit": "RSN_VISIT_CD*",
    "external-cause": "FST_DGNS_E_CD+ICD_DGNS_E_CD*",
}


@attrs.frozen
class Header:
    """Which column holds what. Positions count from 0; `wide` are the columns with one code each, in their order.

    `poa` and `versions` (9 for ICD-9-CM) stand beside `wide`. Where `line` is known, rows that follow each other with
    one claim id are one claim. `guarded` cells were written by weakcode with an apostrophe before formulas.
    `apart` are codes that are not among the claim's diagnoses. `rif` are the columns that only CMS's files have.
    """

    width: int
    delimiter: str
    claim_id: int
    codes: int | None
    wide: tuple[int, ...]
    about: tuple[tuple[str, int], ...]
    ignored: tuple[str, ...]
    principal: int | None = None
    poa: tuple[int | None, ...] = ()
    versions: tuple[int | None, ...] = ()
    principal_version: int | None = None
    line: int | None = None
    procedure: int | None = None
    pointer: int | None = None
    apart: tuple[tuple[str, int], ...] = ()
    rif: tuple[tuple[str, int], ...] = ()
    guarded: bool = False

    @property
    def known(self) -> tuple[int, ...]:
        """Positions of all columns that are read."""
        single = (self.codes, self.principal, self.line, self.procedure, self.pointer)
        return (
            self.claim_id,
            *(position for position in single if position is not None),
            *self.wide,
            *(position for _, position in self.about),
        )


def header_cells(line: str) -> tuple[list[str], str]:
    """Return the cells of a header line as they are written, and the delimiter that it uses."""
    delimiter = max(_DELIMITERS, key=line.count)
    cells = next(csv.reader([line], delimiter=delimiter), [])
    return [cell.strip() for cell in cells], delimiter


def parse_mapping(given: Sequence[str]) -> dict[str, str]:
    """Return what `id=CLM_ID,codes=ICD_DGNS_CD*` maps, by the names used here; raises InputError if it is none."""
    mapping: dict[str, str] = {}
    for part in (part.strip() for text in given for part in text.split(",")):
        key, equals, column = (piece.strip() for piece in part.partition("="))
        if not equals or not column:
            raise InputError(f"--map {part!r} is not NAME=COLUMN, as in id=CLM_ID,codes=ICD_DGNS_CD*")
        if key not in MAP_KEYS:
            raise InputError(f"--map does not know {key!r}; it maps {', '.join(MAP_KEYS)}{did_you_mean(key, MAP_KEYS)}")
        if MAP_KEYS[key] in mapping:
            raise InputError(f"--map names {key} twice; give it once, with columns joined by + where there are several")
        mapping[MAP_KEYS[key]] = column
    if mapping and not {"claim_id", "codes"} <= set(mapping):
        raise InputError("--map must name id and codes, as in id=CLM_ID,codes=ICD_DGNS_CD*")
    return mapping


def read_header(line: str, file: str, mapping: Mapping[str, str] | None = None) -> Header:
    """Return the columns that a header line names; raises InputError with the columns seen if one lacks."""
    cells, delimiter = header_cells(line)
    header = resolve(cells, delimiter, file, mapping)
    return attrs.evolve(header, guarded=is_guarded(line, CSV_COLUMNS))


def resolve(cells: Sequence[str], delimiter: str, file: str, mapping: Mapping[str, str] | None = None) -> Header:
    """Return which of these columns holds what."""
    names = [cell.lower() for cell in cells]
    seen = seen_columns(cells)
    twice = {name for name in names if name and names.count(name) > 1} if len(set(names)) < len(names) else set()
    if twice:
        which = f'the column "{min(twice)}"' if is_header(cells) else "a column"
        raise InputError(f"{file}: {which} stands twice in the header; {seen}")
    columns = _Columns(file, cells, {name: position for position, name in enumerate(names) if name}, seen)
    if mapping:
        return _mapped(columns, delimiter, mapping)
    coded = columns.has(_RIF["principal"]) or columns.has(_RIF["codes"])
    if "clm_id" in names and "claim_id" not in names and coded:
        return _rif(columns, delimiter)
    return _code_list(columns, delimiter, names)


@attrs.frozen
class _Columns:
    """The columns of one file by lower-case name."""

    file: str
    cells: Sequence[str]
    by_name: Mapping[str, int]
    seen: str

    def numbered(self, pattern: str, key: str) -> list[tuple[int | None, int]]:
        """Return (number, position) of the columns that a pattern names: `+` joins, `*` stands for a number."""
        found: list[tuple[int | None, int]] = []
        for given in pattern.split("+"):
            part = given.strip().lower()
            if "*" in part:
                wanted = re.compile(r"(\d{1,3})".join(re.escape(piece) for piece in part.split("*", 1)))
                here = sorted(
                    (int(match[1]), position)
                    for name, position in self.by_name.items()
                    if (match := wanted.fullmatch(name))
                )
                found.extend(here)
                if not here:
                    raise self.missing(given.strip(), key)
            elif part in self.by_name:
                found.append((None, self.by_name[part]))
            else:
                raise self.missing(given.strip(), key)
        return found

    def has(self, part: str) -> bool:
        """Tell whether a column has this name, in which `*` stands for a number."""
        wanted = re.compile(r"\d{1,3}".join(re.escape(piece) for piece in part.lower().split("*", 1)))
        return any(map(wanted.fullmatch, self.by_name))

    def missing(self, column: str, key: str) -> InputError:
        hint = did_you_mean(column.lower(), self.by_name) if is_header(self.cells) else ""
        if "*" in column:
            hint = f"; * stands for a number, as in {column.replace('*', '1')}; + joins columns of other names"
        return InputError(f"{self.file}: there is no column {column}, which is mapped to {key}; {self.seen}{hint}")


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


def _numbered(names: Sequence[str]) -> list[int]:
    found = ((int(match[1]), at) for at, name in enumerate(names) if (match := _WIDE.fullmatch(name)))
    return [position for _, position in sorted(found)]


def _code_list(columns: _Columns, delimiter: str, names: list[str]) -> Header:
    file, seen = columns.file, columns.seen
    wide = tuple(_numbered(names))
    if "codes" in names and wide:
        raise InputError(f'{file}: the codes are in a column "codes" or in dx1, dx2, …, not in both; {seen}')
    missing = [] if "claim_id" in names else ["claim_id"]
    if "codes" not in names and not wide:
        missing.append("codes (or dx1, dx2, …)")
    if missing:
        sought = "claim_id" if missing[0] == "claim_id" else "codes"
        hint = did_you_mean(sought, names) if is_header(columns.cells) else ""
        raise InputError(
            f"{file}: there is no column {' and no column '.join(missing)}; {seen}{hint}; "
            "--map id=COLUMN,codes=COLUMN reads any other layout"
        )
    used = {"claim_id", "codes", *ABOUT_THE_CLAIM, *(names[position] for position in wide)}
    return Header(
        width=len(names),
        delimiter=delimiter,
        claim_id=names.index("claim_id"),
        codes=names.index("codes") if "codes" in names else None,
        wide=wide,
        about=tuple((name, names.index(name)) for name in ABOUT_THE_CLAIM if name in names),
        ignored=tuple(cell for cell, name in zip(columns.cells, names, strict=True) if name not in used),
    )


def _mapped(columns: _Columns, delimiter: str, mapping: Mapping[str, str]) -> Header:
    def one(key: str) -> int | None:
        if key not in mapping:
            return None
        found = columns.numbered(mapping[key], key)
        if len(found) > 1:
            raise InputError(f"{columns.file}: {mapping[key]} is {len(found)} columns; {key} is one")
        return found[0][1]

    codes = columns.numbered(mapping["codes"], "codes")

    def beside(key: str) -> tuple[int | None, ...]:
        numbered = dict(columns.numbered(mapping[key], key)) if key in mapping else {}
        return tuple(numbered.get(number) for number, _ in codes) if numbered and single is None else ()

    # A single column without a number may hold several codes in each cell.
    single = codes[0][1] if len(codes) == 1 and codes[0][0] is None else None
    claim_id = one("claim_id")
    assert claim_id is not None
    return Header(
        width=len(columns.cells),
        delimiter=delimiter,
        claim_id=claim_id,
        codes=single,
        wide=() if single is not None else tuple(position for _, position in codes),
        about=tuple((name, at) for name in ABOUT_THE_CLAIM if (at := one(name)) is not None),
        ignored=(),
        principal=one("principal"),
        poa=beside("poa"),
        versions=beside("version"),
        principal_version=one("principal_version"),
        line=one("line"),
        procedure=one("procedure"),
        pointer=one("pointer"),
    )


def _rif(columns: _Columns, delimiter: str) -> Header:
    def there(pattern: str) -> bool:
        return columns.has(pattern.split("+")[0])

    mapping = {key: pattern for key, pattern in _RIF.items() if there(pattern)}
    for line in _RIF_LINES:
        if there(line):
            mapping["line"] = line
    if "codes" not in mapping:
        # A file with the principal diagnosis alone is a claim file all the same.
        mapping["codes"] = mapping.pop("principal")
    apart = tuple(
        (kind, position)
        for kind, pattern in _RIF_APART.items()
        for part in pattern.split("+")
        if there(part)
        for _, position in columns.numbered(part, kind)
    )
    rif = tuple(
        (name, columns.by_name[name])
        for name in ("clm_from_dt", "clm_thru_dt", "nch_clm_type_cd")
        if name in columns.by_name
    )
    return attrs.evolve(_mapped(columns, delimiter, mapping), apart=apart, rif=rif)
