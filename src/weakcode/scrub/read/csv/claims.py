"""From the cells of a table's rows to a claim, by the header's layout."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Sequence

import attrs

from weakcode.claims import Claim, Diagnosis, ServiceLine
from weakcode.codes.normalise import canonical
from weakcode.fields import BY_NAME
from weakcode.scrub.read.layouts import Header
from weakcode.scrub.read.rows import BadRow
from weakcode.scrub.read.values import claim_from
from weakcode.scrub.read.x12.codes import icd9

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAY_MONTH_YEAR = re.compile(r"(\d{1,2})-([A-Za-z]{3})-(\d{4})")
_CMS_SEX = {"0": "U", "1": "M", "2": "F"}
_POA = frozenset("YNUW1")

_SETTINGS = {
    **dict.fromkeys(("20", "30", "60", "61", "62", "63", "64"), "inpatient"),
    "40": "outpatient",
    **dict.fromkeys(("71", "72", "81", "82"), "professional"),
}
"""By NCH claim type code. Home health (10) and hospice (50) are none of the three."""

Apart = tuple[tuple[str, str], ...]


def claim_of_rows(header: Header, rows: Sequence[Sequence[str]]) -> tuple[Claim, Apart]:
    """Return the claim of these rows, which are one claim's, and the codes that stand apart; raises BadRow."""
    first = rows[0]
    claim_id = first[header.claim_id] or None
    codes = _codes(header, first, claim_id)
    if any(_codes(header, row, claim_id) != codes for row in rows[1:]):
        raise BadRow("rows", "the rows of this claim do not have the same diagnoses", claim_id)
    values = {name: about_value(name, first[position].strip()) for name, position in header.about}
    if header.rif:
        values.update(_rif_values(header, first))
    claim = claim_from(values, codes, claim_id)
    if header.line is not None:
        claim = attrs.evolve(claim, lines=tuple(_lines(header, rows, claim)))
    apart = tuple((kind, canonical(code)) for kind, position in header.apart if (code := first[position].strip()))
    return claim, apart


def iso_date(text: str) -> str:
    """Return `19-Mar-2017` as `2017-03-19`; any other text, also of a day that does not exist, stays as it is."""
    match = _DAY_MONTH_YEAR.fullmatch(text)
    if not match or match[2].lower() not in _MONTHS:
        return text
    try:
        return dt.date(int(match[3]), _MONTHS.index(match[2].lower()) + 1, int(match[1])).isoformat()
    except ValueError:
        return text


def _codes(header: Header, cells: Sequence[str], claim_id: str | None) -> str | list[Diagnosis]:
    if header.codes is not None and header.principal is None:
        if '"' in cells[header.codes]:
            raise BadRow("quotes", "a quote stands among the codes", claim_id)
        return cells[header.codes]
    if header.codes is not None:
        text = cells[header.codes].replace(";", " ").replace(",", " ")
        found: list[tuple[str, str | None]] = [(code, None) for code in text.split()]
    else:
        nothing = (None,) * len(header.wide)
        found = [
            (_versioned(code, cells, version), None if beside is None else _poa(cells[beside]))
            for position, beside, version in zip(
                header.wide, header.poa or nothing, header.versions or nothing, strict=True
            )
            if (code := cells[position].strip())
        ]
    principal = cells[header.principal].strip() if header.principal is not None else ""
    if principal:
        principal = _versioned(principal, cells, header.principal_version)
    # The list begins with the principal diagnosis once more, or does not hold it; either way it is one diagnosis.
    if principal and not (found and canonical(found[0][0]) == canonical(principal)):
        found.insert(0, (principal, None))
    if any('"' in code for code, _ in found):
        raise BadRow("quotes", "a quote stands among the codes", claim_id)
    return [Diagnosis(canonical(code) or code, poa=poa) for code, poa in found]


def _versioned(code: str, cells: Sequence[str], version: int | None) -> str:
    return icd9(code) if version is not None and cells[version].strip() == "9" else code


def _poa(cell: str) -> str | None:
    # CMS also writes 0, X, Z and ~ where nothing is said.
    value = cell.strip().upper()
    return value if value in _POA else None


def about_value(name: str, text: str) -> str:
    """Return what a cell says of a claim in the words of a code list."""
    if BY_NAME[name].arrow == "date32":
        return iso_date(text)
    return _CMS_SEX.get(text, text) if name == "sex" else text


def _rif_values(header: Header, cells: Sequence[str]) -> dict[str, str]:
    found = {name: cells[position].strip() for name, position in header.rif}
    setting = _SETTINGS.get(found.get("nch_clm_type_cd", ""), "")
    # The day of discharge decides which codes a stay is coded by.
    days = ("clm_thru_dt", "clm_from_dt") if setting == "inpatient" else ("clm_from_dt", "clm_thru_dt")
    date = next((day for name in days if (day := found.get(name, ""))), "")
    return {"service_date": iso_date(date), "setting": setting}


def _lines(header: Header, rows: Sequence[Sequence[str]], claim: Claim) -> Iterator[ServiceLine]:
    assert header.line is not None
    for place, cells in enumerate(rows, start=1):
        text = cells[header.line].strip()
        code = canonical(cells[header.pointer]) if header.pointer is not None else ""
        yield ServiceLine(
            int(text) if text.isdecimal() and len(text) < 10 else place,
            (claim.codes.index(code) + 1,) if code in claim.codes else (),
            (cells[header.procedure].strip() or None) if header.procedure is not None else None,
            # Such tables have one column for the diagnosis of a line.
            main_only=True,
        )
