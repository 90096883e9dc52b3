"""From the rows of a table, as cells of text, to claims: one each, or one for the rows of its service lines."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

import attrs

from weakcode.claims import Claim, Diagnosis, ServiceLine
from weakcode.codes.normalise import canonical
from weakcode.scrub.read.rows import BadRow, Record, Rejected
from weakcode.scrub.read.tables.around import PASSED_OVER, is_trailer
from weakcode.scrub.read.tables.cells import boxes_of, count_cells, icd9_of, parts_of, spread
from weakcode.scrub.read.tables.header import Header
from weakcode.scrub.read.tables.names import squeezed
from weakcode.scrub.read.tables.tidy import Tidy
from weakcode.scrub.read.textlines import shown
from weakcode.scrub.read.values import NO_CODES, claim_from
from weakcode.scrub.read.x12.codes import setting_of

INDICATORS = ("Y", "N", "U", "W", "1")
"""What present-on-admission indicators are."""
_MOST_ROWS = 5_000
"""Rows of one claim. Claims have up to some hundred service lines; more is an id that is none."""
_BETWEEN_INDICATORS = re.compile(r"[\s;,|/]+")
_BETWEEN_POINTERS = re.compile(r"[\s,;:|/&+]+")
_POSITION = re.compile(r"0*([1-9]\d{0,2})(?:\.0+)?", re.ASCII)
_LETTERS = re.compile(r"[A-L]{1,12}", re.IGNORECASE)
_A_CODE = re.compile(r"(?:ICD9:)?[A-Z]\d[0-9A-Z.]{1,6}|\d{3}[0-9.]{0,3}", re.IGNORECASE)

_SETTINGS = {
    **dict.fromkeys(("20", "30", "60", "61", "62", "63", "64"), "inpatient"),
    "40": "outpatient",
    **dict.fromkeys(("71", "72", "81", "82"), "professional"),
}
"""By NCH claim type code. Home health (10) and hospice (50) are none of the three."""

Apart = tuple[tuple[str, str], ...]
Row = tuple[int, list[str], bytes]
"""A row's 1-based line, cells, and bytes as they stand in the file."""


def claims_of(rows: Iterable[Row | Rejected], tidy: Tidy, file: str) -> Iterator[Record | Rejected]:
    """Return the claims of these rows: one each, or one for rows of service lines that follow each other."""
    header = tidy.header
    group: list[Row] = []
    for row in rows:
        if isinstance(row, Rejected):
            yield row
            continue
        number, cells, raw = row
        row = number, tidy.row(cells), raw
        if header.line is None:
            if header.claim_id is not None:
                tidy.log.ids([row[1][header.claim_id]])
            yield from _outcomes([row], tidy, file)
            continue
        if group and not _continues(group, row, header.claim_id):
            yield from _outcomes(group, tidy, file)
            group = []
        group.append(row)
    if group:
        yield from _outcomes(group, tidy, file)


def _continues(group: list[Row], row: Row, at: int | None) -> bool:
    assert at is not None
    same = bool(row[1][at].strip()) and row[1][at] == group[0][1][at]
    return same and len(group) < _MOST_ROWS


def _outcomes(group: list[Row], tidy: Tidy, file: str) -> Iterator[Record | Rejected]:
    """Give the claim of these rows, or the reason why they are none; nothing where they are no rows of the table."""
    header, constants = tidy.header, tidy.forms.constants
    number, _, first = group[0]
    raw = shown(first if len(group) == 1 else b"\n".join(raw for _, _, raw in group))
    try:
        claim, other_codes = claim_of_rows(header, [cells for _, cells, _ in group], constants)
    except BadRow as error:
        if error.reason == NO_CODES and len(group) == 1 and is_trailer(group[0][1]):
            tidy.log.count(PASSED_OVER)
            return
        yield Rejected(file, number, error.claim_id, error.reason, error.part, raw)
    else:
        yield Record(claim, file, number, raw, other_codes=other_codes)


def claim_of_rows(header: Header, rows: Sequence[Sequence[str]], constants: Mapping[str, str]) -> tuple[Claim, Apart]:
    """Return the claim of these rows, which are tidy and one claim's, and codes outside its list; raises BadRow."""
    first = rows[0]
    claim_id = (first[header.claim_id] or None) if header.claim_id is not None else None
    codes = _codes(header, first, claim_id)
    if any(_codes(header, row, claim_id) != codes for row in rows[1:]):
        raise BadRow("rows", "the rows of this claim do not have the same diagnoses", claim_id)
    claim_values: dict[str, str] = {}
    for name, position in header.about:
        # A field with several values may have a column for each.
        claim_values[name] = f"{claim_values[name]} {first[position]}" if name in claim_values else first[position]
    values = {**constants, **claim_values}
    if header.days or header.kind is not None:
        values.update(_derived(header, first, values))
    claim = claim_from(values, codes, claim_id)
    if header.line is not None:
        claim = attrs.evolve(claim, lines=tuple(_lines(header, rows, claim)))
    other_codes = tuple(
        (kind, canonical(code))
        for kind, position in header.other_codes
        for code in parts_of(first[position].strip())
        if code
    )
    return claim, other_codes


def _codes(header: Header, cells: Sequence[str], claim_id: str | None) -> str | list[Diagnosis]:
    if header.codes is not None and header.principal is None:
        _check_quotes([cells[header.codes]], claim_id)
        return cells[header.codes]
    if header.codes is not None:
        text = cells[header.codes].replace(";", " ").replace(",", " ")
        found: list[tuple[str, str | None]] = [(code, None) for code in text.split()]
    else:
        nothing = (None,) * len(header.wide)
        found = [
            one
            for position, poa_column, version in zip(
                header.wide, header.poa or nothing, header.versions or nothing, strict=True
            )
            if cells[position]
            for one in _in_cell(header, cells, position, poa_column, version)
        ]
    if header.principal is not None and cells[header.principal]:
        principal = _in_cell(header, cells, header.principal, header.principal_poa, header.principal_version)
        # The list begins with the principal diagnosis once more, or does not hold it; either way it is one diagnosis.
        if _begins_with(found, principal):
            found[: len(principal)] = [
                (code, poa or poa_column)
                for (code, poa), (_, poa_column) in zip(found[: len(principal)], principal, strict=True)
            ]
        else:
            found[:0] = principal
    _check_quotes([code for code, _ in found], claim_id)
    return [Diagnosis(canonical(code) or code, poa=poa) for code, poa in found]


def _check_quotes(codes: Sequence[str], claim_id: str | None) -> None:
    if any('"' in code for code in codes):
        raise BadRow("quotes", "a quote stands among the codes", claim_id)


def _in_cell(
    header: Header, cells: Sequence[str], position: int, poa: int | None, version: int | None
) -> list[tuple[str, str | None]]:
    """Return the codes of a cell for one, each with its present-on-admission indicator: one for all, or one each."""
    codes = parts_of(_versioned(cells[position], cells, version, header))
    if poa is None:
        return [(code, None) for code in codes]
    parts = _BETWEEN_INDICATORS.split(cells[poa]) if len(codes) > 1 else [cells[poa]]
    if len(parts) not in (1, len(codes)):
        reason = f"a cell has {len(parts)} present-on-admission indicators for {len(codes)} codes"
        claim_id = (cells[header.claim_id] or None) if header.claim_id is not None else None
        raise BadRow("present-on-admission indicator", reason, claim_id)
    indicators = parts * len(codes) if len(parts) == 1 else parts
    return [(code, poa_of(one)) for code, one in zip(codes, indicators, strict=True)]


def _begins_with(found: Sequence[tuple[str, str | None]], principal: Sequence[tuple[str, str | None]]) -> bool:
    return [canonical(code) for code, _ in found[: len(principal)]] == [canonical(code) for code, _ in principal]


def _versioned(code: str, cells: Sequence[str], version: int | None, header: Header) -> str:
    is_icd9 = header.icd9 or (version is not None and squeezed(cells[version]) in header.nines)
    return icd9_of(code) if is_icd9 else code


def poa_of(cell: str) -> str | None:
    """Return a present-on-admission indicator; None for what else CMS (0, X, Z) and PCORnet (NI, UN, OT) write."""
    value = cell.upper()
    return value if value in INDICATORS else None


def _derived(header: Header, cells: Sequence[str], values: dict[str, str]) -> dict[str, str]:
    """Return the setting that kind and facility tell, and the day that decides which codes hold."""
    kind = cells[header.kind].lower() if header.kind is not None else ""
    facility = cells[header.facility][:2] if header.facility is not None else ""
    setting = _SETTINGS.get(kind) or setting_of(kind, facility) or values.get("setting", "")
    days = [cells[position] for position in header.days]
    # The day of discharge decides which codes a stay is coded by.
    date = next((day for day in (reversed(days) if setting == "inpatient" else days) if day), "")
    return {"service_date": date or values.get("service_date", ""), "setting": setting}


def _lines(header: Header, rows: Sequence[Sequence[str]], claim: Claim) -> Iterator[ServiceLine]:
    assert header.line is not None
    pointed = [[cells[position] for position in header.pointers] for cells in rows]
    boxes = _boxes(header, rows[0], pointed)
    read = [_pointers(cells, claim, boxes) for cells in pointed]
    # Where codes stand in the place of pointers, or nothing does, each line is known to have one at least, not all.
    main_only = not any(is_position for _, is_position in read)
    for place, (cells, (pointers, _)) in enumerate(zip(rows, read, strict=True), start=1):
        text = cells[header.line]
        yield ServiceLine(
            int(text) if text.isdecimal() and len(text) < 10 else place,
            pointers,
            (cells[header.procedure] or None) if header.procedure is not None else None,
            main_only=main_only,
        )


def _boxes(header: Header, cells: Sequence[str], pointed: Sequence[Sequence[str]]) -> list[list[int]]:
    """Return what positions the cells of codes have, where pointers count cells of which one holds several codes."""
    codes = [_versioned(cells[at], cells, None, header) for at in header.wide if cells[at]]
    if header.principal is not None and (principal := cells[header.principal]):
        first = parts_of(codes[0]) if codes else []
        mirrored = list(map(canonical, first)) == list(map(canonical, parts_of(principal)))
        codes = codes if mirrored else [principal, *codes]
    if not (boxes := boxes_of(codes)):
        return []
    pointers = (positions_in(cell) or () for cells in pointed for cell in cells)
    return boxes if count_cells((one for positions in pointers for one in positions), boxes) else []


def positions_in(text: str) -> list[int] | None:
    """Return the positions that text points to, by numbers (`1`, `1,2`) or by letters of the form (`A`, `AB`)."""
    found: list[int] = []
    for word in filter(None, _BETWEEN_POINTERS.split(text)):
        if match := _POSITION.fullmatch(word):
            found.append(int(match[1]))
        elif _LETTERS.fullmatch(word):
            found += [ord(letter) - ord("A") + 1 for letter in word.upper()]
        else:
            return None
    return found


def _pointers(cells: Sequence[str], claim: Claim, boxes: Sequence[Sequence[int]]) -> tuple[tuple[int, ...], bool]:
    """Return the positions that a line points to, and whether they were given as such; raises BadRow.

    A pointer is a position (`1`), a letter of the form (`A` to `L`), several of them (`1,2`, `1:2`, `AB`), or the code
    of a diagnosis, which need not be on the claim. With `boxes` a position is that of a cell, which holds these.
    """
    found: list[int] = []
    is_position = False
    for word in (word for cell in cells for word in _BETWEEN_POINTERS.split(cell) if word):
        if (positions := positions_in(word)) is not None:
            found += spread(positions, boxes) if boxes else positions
            is_position = True
        elif _A_CODE.fullmatch(word):
            code = canonical(word)
            found += [claim.codes.index(code) + 1] if code in claim.codes else []
        else:
            raise BadRow(
                "lines",
                f"the pointer {word!r} is neither the position of a diagnosis (1, 2, …) nor its letter (A to L) nor "
                "its code",
                claim.id,
            )
    return tuple(dict.fromkeys(found)), is_position
