"""From the names of a table's columns to what each holds: by a mapping, a known layout, or the names themselves."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import attrs

from weakcode.errors import InputError, did_you_mean
from weakcode.fields import ABOUT_THE_CLAIM, BY_NAME, LINES
from weakcode.scrub.guard import is_guarded
from weakcode.scrub.read.tables.header import CSV_COLUMNS, Header, header_cells, is_header, seen_columns
from weakcode.scrub.read.tables.layouts import LAYOUTS, RIF, Layout
from weakcode.scrub.read.tables.mapping import SHORT
from weakcode.scrub.read.tables.names import (
    OWN,
    SYNONYMS,
    NumberedColumns,
    indicator_of,
    is_single,
    names_diagnosis,
    position_of,
    principal_of,
    principal_poa_of,
    sequence_of,
    squeezed,
)

_WIDE = re.compile(rf"(?:{'|'.join(OWN)})_?(\d{{1,3}})")
_NINES = frozenset({"9", "09", "icd9", "icd9cm"})
"""Marks of ICD-9-CM beside a code, in any case and without signs."""


def read_header(line: str, file: str, mapping: Mapping[str, str] | None = None, delimiter: str | None = None) -> Header:
    """Return the columns that a header line names; raises InputError with the columns seen if one lacks."""
    cells, delimiter = header_cells(line, delimiter)
    header = resolve(cells, delimiter, file, mapping)
    return attrs.evolve(header, guarded=is_guarded(line, CSV_COLUMNS))


def resolve(
    cells: Sequence[str],
    delimiter: str,
    file: str,
    mapping: Mapping[str, str] | None = None,
    *,
    needs_id: bool = True,
    lists: bool = False,
    whole: bool = False,
) -> Header:
    """Return which of these columns holds what; raises InputError where the codes, or the id if needed, are in none.

    `lists` where a column may hold service lines, `whole` where each row is a whole claim, whatever the names say.
    """
    names = [cell.strip().lower() for cell in cells]
    seen = seen_columns(cells) if cells else "its columns are none"
    columns = _Columns(file, cells, names, seen)
    if mapping:
        return _mapped(columns, delimiter, mapping)
    layout = _layout(columns)
    if layout is not None:
        return _laid_out(columns, delimiter, layout)
    return _by_names(columns, delimiter, needs_id, lists, whole)


class _Columns:
    """The columns of one file by lower-case name, and without blanks and signs in them."""

    def __init__(self, file: str, cells: Sequence[str], names: Sequence[str], seen: str) -> None:
        self.file, self.cells, self.names, self.seen = file, cells, names, seen
        self.keys = [squeezed(name) for name in names]
        self._counts = Counter(names)
        self._key_counts = Counter(self.keys)

    def unique(self, position: int) -> int:
        """Return the position; raises InputError where another column has the same name."""
        if self._counts[self.names[position]] > 1:
            which = f'the column "{self.cells[position]}"' if is_header(self.cells) else "a column"
            raise InputError(f"{self.file}: {which} stands twice in the header; {self.seen}")
        return position

    def at(self, name: str) -> int | None:
        """Return the position of a column: by its name in any case, else by its letters and digits."""
        name = name.strip().lower()
        if name in self._counts:
            return self.unique(self.names.index(name))
        key = squeezed(name)
        if not key or not self._key_counts[key]:
            return None
        if self._key_counts[key] > 1:
            raise InputError(
                f"{self.file}: {self._key_counts[key]} columns could be {name}; name one as it is written; {self.seen}"
            )
        return self.keys.index(key)

    def numbered(self, pattern: str, key: str) -> list[tuple[int | None, int]]:
        """Return (number, position) of the columns that a pattern names: `+` joins, `*` stands for a number."""
        whole = self.at(pattern)
        if whole is not None:
            return [(None, whole)]
        found: list[tuple[int | None, int]] = []
        for name in pattern.split("+"):
            part = name.strip()
            if "*" in part:
                positions = self._of_pattern(part)
                found.extend(positions)
                if not positions:
                    raise self.missing(part, key)
            else:
                position = self.at(part)
                if position is None:
                    raise self.missing(part, key)
                found.append((None, position))
        return found

    def _of_pattern(self, part: str) -> list[tuple[int | None, int]]:
        for names, text in ((self.names, part.lower()), (self.keys, _squeezed_pattern(part))):
            pattern_of_name = re.compile(r"(\d{1,3})".join(re.escape(piece) for piece in text.split("*", 1)))
            positions = [
                (int(match[1]), self.unique(position))
                for position, name in enumerate(names)
                if (match := pattern_of_name.fullmatch(name))
            ]
            if positions:
                return sorted(positions)
        return []

    def has(self, part: str) -> bool:
        """Tell whether a column has this name, in which `*` stands for a number."""
        return bool(self._of_pattern(part)) if "*" in part else self.at(part) is not None

    def missing(self, column: str, key: str) -> InputError:
        hint = did_you_mean(column.lower(), self.names) if is_header(self.cells) else ""
        if "*" in column:
            hint = f"; * stands for a number, as in {column.replace('*', '1')}; + joins columns of other names"
        return InputError(f"{self.file}: there is no column {column}, which is mapped to {key}; {self.seen}{hint}")


def _squeezed_pattern(part: str) -> str:
    return "*".join(squeezed(piece) for piece in part.split("*", 1))


def _layout(columns: _Columns) -> Layout | None:
    names = set(columns.names)
    coded = any(re.fullmatch(r"prncpal_dgns_cd|icd_dgns_cd\d{1,3}", name) for name in names)
    if "clm_id" in names and "claim_id" not in names and coded:
        return RIF
    keys = set(columns.keys)
    return next((one for one in LAYOUTS if keys.issuperset(map(squeezed, one.signature))), None)


def _by_names(columns: _Columns, delimiter: str, needs_id: bool, lists: bool, whole: bool) -> Header:
    names, keys = columns.names, columns.keys
    matched: dict[int, str] = {}

    def named(part: str) -> int | None:
        if part in names:
            return columns.unique(names.index(part))
        found = position_of(SYNONYMS.get(part, ()), keys)
        if found is not None:
            matched[columns.unique(found)] = SHORT.get(part, part)
        return found

    own = tuple(columns.unique(position) for position in _exactly_numbered(names))
    codes, wide, principal = _of_diagnoses(columns, own, matched)
    if codes is None and not wide:
        codes = named("codes")
    if codes is None and not wide and principal is not None:
        wide, principal = (principal,), None
    claim_id = named("claim_id")
    _need(columns, claim_id if needs_id else 0, codes is not None or bool(wide))
    numbered = NumberedColumns.poa(names).positions if wide else {}
    poa = tuple(numbered.get(number) for number in _numbers(names, wide)) if numbered else ()
    matched.update({at: "poa" for at in poa if at is not None and not own})
    principal_poa = principal_poa_of(names) if principal is not None else None
    if principal_poa is not None:
        matched[principal_poa] = "principal_poa"
    about = tuple((name, at) for name in ABOUT_THE_CLAIM if (at := named(name)) is not None)
    one_sex = ""
    if (worded := position_of(SYNONYMS["one_sex"], keys)) is not None and "sex" not in dict(about):
        about += (("sex", worded),)
        one_sex = "F" if "female" in keys[worded] else "M"
    code: int | None = None
    sequence: int | None = None
    if codes is not None and claim_id is not None and principal is None and is_single(keys[codes]) and not whole:
        sequence = sequence_of(keys)
    if sequence is not None and codes is not None:
        # Each row is a diagnosis, and its place in the claim is told.
        matched |= {codes: "code", columns.unique(sequence): "sequence"}
        code, codes = codes, None
        poa = (indicator_of(keys),)
        matched |= {at: "poa" for at in poa if at is not None}
    if matched:
        # With what was guessed, all that is read, so that the whole can be kept.
        exact: dict[int | None, str] = {claim_id: "id", codes: "codes"}
        exact |= dict.fromkeys(wide, "codes")
        exact |= dict.fromkeys(poa, "poa")
        exact |= {at: SHORT.get(name, name) for name, at in about}
        matched = {at: what for at, what in exact.items() if at is not None} | matched
    header = Header(
        width=len(names),
        delimiter=delimiter,
        claim_id=claim_id,
        codes=codes,
        code=code,
        sequence=sequence,
        wide=wide,
        about=about,
        ignored=(),
        principal=principal,
        principal_poa=principal_poa,
        poa=poa if any(one is not None for one in poa) else (),
        one_sex=one_sex,
        listed=names.index(LINES) if lists and LINES in names else None,
        nines=_NINES,
        matched={columns.cells[position]: matched[position] for position in _in_turn(matched, wide)},
    )
    return _ignoring(columns, header)


def _of_diagnoses(
    columns: _Columns, own: tuple[int, ...], matched: dict[int, str]
) -> tuple[int | None, tuple[int, ...], int | None]:
    """Return the column of all codes, those of one diagnosis each, and that of the principal one, as far as names say.

    `own` are those that are called as weakcode calls them. What others hold is put into `matched`.
    """
    names, keys = columns.names, columns.keys
    if "codes" in names:
        if own:
            raise InputError(
                f'{columns.file}: the codes are in a column "codes" or in dx1, dx2, …, not in both; {columns.seen}'
            )
        return columns.unique(names.index("codes")), (), None
    found = _diagnoses(names)
    wide = found if set(found) >= set(own) else own
    principal, others = principal_of(keys), position_of(SYNONYMS["others"], keys)
    if principal is not None and others is not None and not set(wide) - {principal, others}:
        # All the others stand in one column.
        matched |= {columns.unique(others): "codes", principal: "principal"}
        return others, (), principal
    if principal in wide:
        # "Primary Dx" is the first of those that "Secondary Dx" and "Third Dx" go on with.
        principal = None
    if principal is not None:
        matched[principal] = "principal"
    if wide and others is not None and others not in wide:
        wide = (*wide, others)
    if not set(own) >= set(wide):
        matched |= {columns.unique(position): "codes" for position in wide}
    return None, wide, principal


def _in_turn(positions: Iterable[int], wide: Sequence[int]) -> list[int]:
    """Return positions as they stand, but those of diagnoses in the order of these."""
    turns = dict(zip(wide, sorted(wide), strict=True))
    return sorted(positions, key=lambda position: turns.get(position, position))


def _diagnoses(names: Sequence[str]) -> tuple[int, ...]:
    """Return the columns with one diagnosis each: by their numbers, by words for these, or as the boxes of a form."""
    numbered, ordinals = dict(NumberedColumns.diagnoses(names).positions), NumberedColumns.ordinals(names).positions
    if numbered:
        # "Secondary Dx" beside "Dx 1" or "Dx 3"; a principal diagnosis is found by its own name.
        behind = {number: position for number, position in ordinals.items() if number > 1}
        if numbered.keys().isdisjoint(behind):
            numbered |= behind
        return tuple(position for _, position in sorted(numbered.items()))
    return tuple((ordinals or NumberedColumns.boxes(names).positions).values())


def _numbers(names: Sequence[str], wide: Sequence[int]) -> list[int]:
    numbers = {position: number for number, position in NumberedColumns.diagnoses(names).positions.items()}
    return [numbers.get(position, 0) for position in wide]


def _exactly_numbered(names: Sequence[str]) -> list[int]:
    found = ((int(match[1]), at) for at, name in enumerate(names) if (match := _WIDE.fullmatch(name)))
    return [position for _, position in sorted(found)]


def _need(columns: _Columns, claim_id: int | None, has_codes: bool) -> None:
    missing = [] if claim_id is not None else ["claim_id"]
    if not has_codes:
        missing.append("codes (or dx1, dx2, …)")
    if not missing:
        return
    sought = "claim_id" if missing[0] == "claim_id" else "codes"
    hint = did_you_mean(sought, columns.names) if is_header(columns.cells) else ""
    raise InputError(
        f"{columns.file}: there is no column {' and no column '.join(missing)}; {columns.seen}{hint}; "
        "--map id=COLUMN,codes=COLUMN reads any other layout"
    )


def _ignoring(columns: _Columns, header: Header) -> Header:
    known = set(header.known)
    ignored = tuple(cell for position, cell in enumerate(columns.cells) if cell and position not in known)
    diagnoses = list(filter(names_diagnosis, ignored))
    note = header.note
    if diagnoses:
        note = (
            f"{', '.join(diagnoses)}: called as diagnoses are, but not read beside the others; --map codes= takes them"
        )
    return attrs.evolve(header, ignored=ignored, note=note)


def _mapped(columns: _Columns, delimiter: str, mapping: Mapping[str, str]) -> Header:
    def positions_of(key: str) -> list[int]:
        found = columns.numbered(mapping[key], key) if key in mapping else []
        if len(found) > 1 and not (key in BY_NAME and BY_NAME[key].is_list):
            raise InputError(f"{columns.file}: {mapping[key]} is {len(found)} columns; {key} is one")
        return [position for _, position in found]

    def one(key: str) -> int | None:
        return next(iter(positions_of(key)), None)

    codes = columns.numbered(mapping["codes"], "codes") if "codes" in mapping else []
    # A single column without a number may hold several codes in each cell; with indicators or versions beside it, it is
    # read as columns of single codes are, whose cells may hold several too.
    is_single = len(codes) == 1 and codes[0][0] is None and not {"poa", "version"} & mapping.keys()
    single = codes[0][1] if is_single else None

    def of_each_code(key: str) -> tuple[int | None, ...]:
        if key not in mapping or single is not None:
            return ()
        found = columns.numbered(mapping[key], key)
        if len(found) == 1 and found[0][0] is None:
            # One column that speaks of all codes.
            return (found[0][1],) * len(codes) if key == "version" or len(codes) == 1 else ()
        if all(number is None for number, _ in (*found, *codes)):
            # Named one by one, they go together in their order.
            positions: list[int | None] = [position for _, position in found[: len(codes)]]
            return (*positions, *(None,) * (len(codes) - len(positions)))
        numbered = dict(found)
        return tuple(numbered.get(number) for number, _ in codes)

    return Header(
        width=len(columns.cells),
        delimiter=delimiter,
        claim_id=one("claim_id"),
        codes=single,
        wide=() if single is not None else tuple(position for _, position in codes),
        about=tuple((name, at) for name in ABOUT_THE_CLAIM for at in positions_of(name)),
        ignored=(),
        principal=one("principal"),
        principal_poa=one("principal_poa"),
        poa=(one("poa"),) if "code" in mapping and "poa" in mapping else of_each_code("poa"),
        versions=of_each_code("version"),
        principal_version=one("principal_version"),
        line=one("line"),
        procedure=one("procedure"),
        pointers=tuple(at for _, at in columns.numbered(mapping["pointer"], "pointer")) if "pointer" in mapping else (),
        code=one("code"),
        sequence=one("sequence"),
        codetype=one("codetype"),
        nines=_NINES,
    )


def _laid_out(columns: _Columns, delimiter: str, layout: Layout) -> Header:
    """Return the columns of a publisher's table; a part whose columns are not there is left out."""

    def column_of(pattern: str) -> str | None:
        known = ("+".join(filter(columns.has, part.split("+"))) for part in pattern.split("/"))
        return next(filter(None, known), None)

    mapping = {key: part for key, pattern in layout.columns.items() if (part := column_of(pattern))}
    if "codes" not in mapping and "code" not in mapping:
        # A file with the principal diagnosis alone is a claim file all the same.
        mapping["codes"] = mapping.pop("principal")
    header = _mapped(columns, delimiter, mapping)
    if header.codes is not None:
        # A publisher's column holds one code.
        header = attrs.evolve(header, codes=None, wide=(header.codes,))
        if "version" in mapping:
            header = attrs.evolve(header, versions=(columns.at(mapping["version"]),))
    other_codes = tuple(
        (kind, position)
        for kind, pattern in layout.other_codes.items()
        for part in pattern.split("+")
        if columns.has(part)
        for _, position in columns.numbered(part, kind)
    )
    header = attrs.evolve(
        header,
        other_codes=other_codes,
        days=tuple(at for name in layout.days if (at := columns.at(name)) is not None),
        kind=columns.at(layout.kind) if layout.kind else None,
        facility=columns.at(layout.facility) if layout.facility else None,
        nines=layout.nines,
        icd9=layout.icd9,
        layout=layout.name,
        note=layout.note,
    )
    return header if layout is RIF else _ignoring(columns, header)
