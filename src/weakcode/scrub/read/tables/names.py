"""What the columns of a table are called in the field: names are told apart by their letters and digits alone."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import attrs

_NO_SIGN = re.compile(r"[^a-z0-9]")
_NUMBERED = re.compile(r"(.*?[a-z])[^a-z0-9]*(\d{1,3})[^a-z0-9]*(?:code|cd|icd[^a-z0-9]*10(?:[^a-z0-9]*cm)?)?")
_ICD10_NUMBERED = re.compile(
    r"(.*icd[^a-z0-9]*10)(?:[^a-z0-9]+|[^a-z0-9]*([a-z](?:[^0-9]*[a-z])?)[^a-z0-9]*)(\d{1,3})[^a-z0-9]*(?:code|cd)?"
)
_LETTERED = re.compile(r"(.*[a-z])[^a-z0-9]+([a-l])")
_PRINCIPAL = re.compile(
    r"(?:prin|princ|principal|prncpal|primary|prim|pri|main|firstlisted)(?:icd10|icd)?"
    r"(?:dx|diag|diagnosis|dgns|icd10cm|icd10|icd)(?:icd10cm|icd10)?(?:code|cd)?"
)
_ORDINALS = {
    word: number
    for number, words in enumerate(
        (
            "primary first", "secondary second", "tertiary third", "quaternary fourth", "fifth", "sixth", "seventh",
            "eighth", "ninth", "tenth", "eleventh", "twelfth",
        ),
        start=1,
    )
    for word in words.split()
}  # fmt: skip
_ORDINAL = re.compile(rf"({'|'.join(_ORDINALS)})[^a-z0-9]*(.*[a-z])[^a-z0-9]*")
_SEQUENCE = re.compile(
    r"(?:dx|diag|diagnosis|diagnoses|dgns|icd10?|condition)(?:code|cd)?"
    r"(?:seq|sequence|rank|ranking|order|ordinal|num|nbr|no|number|position|pos|priority|level)(?:no|num|nbr|number)?"
)
"""What the place of a diagnosis in its claim is called where each row is a diagnosis."""
_BOX = re.compile(r"(?:fl|box|item|field|locator|form locator)?[^a-z0-9]*(21|67)[^a-z0-9]*([a-q]|1[0-2]|[1-9])?")
"""Item 21 of the CMS-1500 form (A to L, 1 to 4 before 2014), form locator 67 of the UB-04 (alone, then A to Q)."""
_PRESENT = re.compile(r"poa|presentonadmission|presentonadm")
_BESIDE_PRESENT = re.compile(r"clm|indicator|ind|flag|value|status|icd10cm|icd10|i10|code|cd$|sw")
_PRINCIPAL_WORDS = re.compile(
    r"(?:prin|princ|principal|prncpal|primary|prim|pri|main|firstlisted|pdx|p)(?:dx|diag|diagnosis|dgns|dgnscd)?"
)
_FIRST_NUMBER = re.compile(r"(\d{1,2})(?:st|nd|rd|th)?[^a-z0-9]+(.*)")


SYNONYMS: dict[str, tuple[str, ...]] = {
    part: tuple(" ".join(lines).split())
    for part, lines in json.loads(Path(__file__).with_suffix(".json").read_text("utf-8")).items()
}
"""What else a column may be called, the likeliest name first; all in lower case, without blanks and signs.

`diagnosis` has the names of columns of one diagnosis each, without their numbers, `indicator` those of its
present-on-admission indicator.
"""
_DIAGNOSES = frozenset(SYNONYMS["diagnosis"])
_OTHERS = frozenset(stem for stem in _DIAGNOSES if stem.startswith(("other", "sec", "addl", "additional", "odx")))
"""Those that say that the principal diagnosis stands elsewhere."""
OWN = ("dx", "i10_dx", "icd_dgns_cd")
"""What stands before the number of a diagnosis in weakcode's own tables, and in those of HCUP and CMS."""
_BEHIND = 1000
"""Added to the numbers of other diagnoses that stand behind those of the same numbers."""
_POA = frozenset(SYNONYMS["indicator"])


def squeezed(name: str) -> str:
    """Return a name in lower case, without blanks, punctuation and other signs: `Patient Acct #` is `patientacct`."""
    return _NO_SIGN.sub("", name.lower())


@attrs.frozen
class NumberedColumns:
    """Columns of one kind, each with a number in its name: positions by number, in their order."""

    positions: Mapping[int, int]

    @classmethod
    def diagnoses(cls, names: Sequence[str]) -> NumberedColumns:
        """Find the columns with one diagnosis each.

        Columns of one name go together, those that are called as weakcode calls them before others, else the most. Some
        of another name join them where their numbers are others (`Dx 1`, `Diag 2`). Those that are called other or
        secondary diagnoses join them in any case: behind them where the numbers are the same.
        """
        families, own = cls._families(names, _DIAGNOSES), set(map(squeezed, OWN))
        known = dict(sorted(families.items(), key=lambda one: (one[0] in _OTHERS, one[0] not in own, -len(one[1]))))
        found: dict[int, int] = {}
        for stem, numbered in known.items():
            if found.keys().isdisjoint(numbered):
                found |= numbered
            elif stem in _OTHERS:
                found |= {_BEHIND + number: position for number, position in numbered.items()}
        return cls(dict(sorted(found.items())))

    @classmethod
    def poa(cls, names: Sequence[str]) -> NumberedColumns:
        """Find the present-on-admission indicators beside them."""
        found: dict[int, int] = {}
        for numbered in cls._families(names, _POA).values():
            found = numbered | found
        for position, name in enumerate(names):
            number = _poa_number(name)
            if number:
                found.setdefault(number, position)
        return cls(dict(sorted(found.items())))

    @classmethod
    def ordinals(cls, names: Sequence[str]) -> NumberedColumns:
        """Find the columns with one diagnosis each whose numbers are words: `Primary Dx`, `Secondary Dx`."""
        found: dict[int, int] = {}
        for position, name in enumerate(names):
            if (match := _ORDINAL.fullmatch(name)) and squeezed(match[2]) in _DIAGNOSES:
                found.setdefault(_ORDINALS[match[1]], position)
        return cls(dict(sorted(found.items())))

    @classmethod
    def boxes(cls, names: Sequence[str]) -> NumberedColumns:
        """Find the columns that are called as the boxes of a paper form: `21A`, `FL 67`, `67A`."""
        found: dict[int, int] = {}
        for position, name in enumerate(names):
            if match := _BOX.fullmatch(name.strip()):
                form, place = match.groups()
                if place is None and form == "21":
                    continue
                number = 0 if place is None else int(place) if place.isdecimal() else ord(place) - ord("a") + 1
                found.setdefault(number, position)
        # A single number may be the name of anything.
        return cls(dict(sorted(found.items())) if len(found) > 1 else {})

    @classmethod
    def _families(cls, names: Sequence[str], stems: frozenset[str]) -> dict[str, dict[int, int]]:
        """Return positions by number for each of some names, in the order of the columns.

        The same name without a number comes first: where the numbers begin at 2, and where a program has numbered
        columns of one name (`Dx`, `Dx.1`, `Dx.2`).
        """
        found: dict[str, dict[int, int]] = {}
        for position, name in enumerate(names):
            parted = stem_of(name)
            if parted is not None and parted[0] in stems:
                found.setdefault(parted[0], {}).setdefault(parted[1], position)
        for stem, numbered in found.items():
            alone = [position for position, name in enumerate(names) if squeezed(name) == stem]
            if len(alone) == 1 and min(numbered) > 0:
                again = f"{names[alone[0]].strip().lower()}."
                repeats = all(names[position].strip().lower() == f"{again}{n}" for n, position in numbered.items())
                if repeats or min(numbered) > 1:
                    numbered[0 if repeats else 1] = alone[0]
        return found


def stem_of(name: str) -> tuple[str, int] | None:
    """Return a column's name without its number, and the number: of `Dx 1`, `DIAG_1_CD` or `1st Diagnosis`."""
    name = name.lower().strip()
    if match := _ICD10_NUMBERED.fullmatch(name):
        return squeezed(match[1] + (match[2] or "")), int(match[3])
    if match := _FIRST_NUMBER.fullmatch(name):
        return squeezed(match[2]), int(match[1])
    if (match := _NUMBERED.fullmatch(name)) and squeezed(name) not in ("icd10", "icd9"):
        return squeezed(match[1]), int(match[2])
    if match := _LETTERED.fullmatch(name):
        return squeezed(match[1]), ord(match[2]) - ord("a") + 1
    return None


def _poa_number(name: str) -> int | None:
    """Return the number of the diagnosis that a present-on-admission indicator goes with: 2 of `Dx 2 POA Ind`.

    0 stands for the principal diagnosis, None for any other name.
    """
    key = squeezed(name)
    if not _PRESENT.search(key):
        return None
    rest = _BESIDE_PRESENT.sub("", _PRESENT.sub("", key))
    match = re.fullmatch(r"([a-z]*?)(\d{0,2})([a-z]*)", rest)
    if match is None:
        return None
    words, number = match[1] + match[3], match[2]
    if not number:
        return 0 if _PRINCIPAL_WORDS.fullmatch(words) else None
    return int(number) if not words or words in _DIAGNOSES or f"{words}dx" in _DIAGNOSES else None


def sequence_of(names: Sequence[str]) -> int | None:
    """Return the position, among squeezed names, of the place of a diagnosis in its claim: `Dx Rank`, `DX_SEQ_NUM`."""
    return next((position for position, name in enumerate(names) if _SEQUENCE.fullmatch(name)), None)


def indicator_of(names: Sequence[str]) -> int | None:
    """Return the position, among squeezed names, of the only present-on-admission indicator of a row."""
    found = [position for position, name in enumerate(names) if name in _POA]
    return found[0] if len(found) == 1 else None


def is_single(name: str) -> bool:
    """Whether a squeezed name is that of one diagnosis, and not of a list."""
    return name in _DIAGNOSES


def names_diagnosis(name: str) -> bool:
    """Whether a column is called as those of a diagnosis are."""
    parted, ordinal = stem_of(name), _ORDINAL.fullmatch(name.strip().lower())
    stems = (squeezed(name), parted and parted[0], ordinal and squeezed(ordinal[2]))
    return not _DIAGNOSES.isdisjoint(stems)


def principal_poa_of(names: Sequence[str]) -> int | None:
    """Return the position of the present-on-admission indicator of a principal diagnosis of its own."""
    return next((position for position, name in enumerate(names) if _poa_number(name) == 0), None)


def principal_of(names: Sequence[str]) -> int | None:
    """Return the position of the principal diagnosis among squeezed names: `Prin Dx`, `PRIMARY_DX_ICD10`."""
    found = position_of(SYNONYMS["principal"], names)
    if found is not None:
        return found
    return next((position for position, name in enumerate(names) if _PRINCIPAL.fullmatch(name)), None)


def position_of(wanted: Iterable[str], names: Sequence[str]) -> int | None:
    """Return the position of the first of the wanted names among squeezed ones."""
    return next((names.index(name) for name in wanted if name in names), None)
