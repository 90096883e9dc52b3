"""The forms in which tables have their values: words for nothing, dates, codes with prefixes or in lists.

A cell becomes the text that a code list has in its place; what is not understood stays as it is, and is reported by
whoever reads the claim. Rows and columns both go through the functions here, so that they cannot differ.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from string import ascii_uppercase
from typing import TYPE_CHECKING

import attrs

from weakcode.fields import ABOUT_THE_CLAIM, BY_NAME
from weakcode.scrub.read.tables.cells import BETWEEN, MISSING_CELLS, Read, in_one_cell, in_one_list
from weakcode.scrub.read.tables.dates import DateForm, form_of, given_form
from weakcode.scrub.read.tables.names import SYNONYMS, squeezed

if TYPE_CHECKING:
    from weakcode.scrub.read.options import ReadOptions

MISSING = frozenset((
    "NA", "N/A", "#N/A", "<NA>", "NULL", "(NULL)", "<NULL>", "#NULL!", "\\N", "NAN", "NAT", "NONE", ".", "~", "#REF!",
    "#VALUE!", *(f".{letter}" for letter in ascii_uppercase),
))  # fmt: skip
"""Words that stand for no value, in any case: those of R, SQL, pandas, Python, SAS, Excel and CMS."""
_FEMALE = ("W", "WOMAN", "GIRL", "2", "8532", "248152002")
_MALE = ("MAN", "BOY", "1", "8507", "248153007")
_NO_SEX = (
    "UN", "UNK", "O", "OT", "OTHER", "X", "N", "NB", "NI", "A", "I", "AMBIGUOUS", "INDETERMINATE", "UNSPECIFIED",
    "NOT SPECIFIED", "NOT STATED", "NON-BINARY", "NONBINARY", "0", "3", "9", "8551", "8521", "8570", "UNDIFFERENTIATED",
    "TRANSGENDER", "NOT KNOWN", "DECLINED", "REFUSED",
)  # fmt: skip
# Words of English and codes of CMS (1, 2, 0), PCORnet (A, NI, UN, OT), OMOP (8507, 8532, …) and SNOMED CT.
_SEXES = {**dict.fromkeys(_FEMALE, "F"), **dict.fromkeys(_MALE, "M"), **dict.fromkeys(_NO_SEX, "U")}
_NO_NUMBER = frozenset(f"-{digit * times}" for digit in "689" for times in (1, 2, 3))
"""What HCUP writes for a number that is missing (9), invalid (8) or inconsistent (6)."""
_UNKNOWN = frozenset(
    (
        "-", "--", "---", "?", "??", "UNKNOWN", "UNK", "BLANK", "(BLANK)", "MISSING", "N/K", "NOT KNOWN",
        "0000-00-00", "0000-00-00 00:00:00", "00000000", "00/00/0000", "#DIV/0!", "#NUM!", "#NAME?",
    )
)  # fmt: skip
"""Words that stand for no age, sex, date or single code besides; in the place of a payer they may be something."""
FRACTIONAL = "fractional ages"
"""What a cell is counted as whose age has a fraction, as programs count it from birth dates: completed years count."""
_FRACTION = re.compile(r"(\d{1,3})\.(?!0*(?:\D|$))\d+\s*(?:y|yrs?|years?)?", re.IGNORECASE | re.ASCII)
_YES = frozenset({"1", "Y", "YES", "T", "TRUE", "X"})
_NO = frozenset({"0", "N", "NO", "F", "FALSE"})
_WORDS = {"F": "F", "FEMALE": "F", "M": "M", "MALE": "M", "U": "U", "UNKNOWN": "U"}
_MOST_KEPT = 200_000


def _sex(text: str) -> str:
    """Return the sex that a cell says, in one word or in several that say the same: `F - Female`, `Male (M)`."""
    whole = text.upper().removesuffix(".0")
    if whole in _SEXES:
        return _SEXES[whole]
    sexes = {_SEXES.get(word, _WORDS.get(word, word)) for word in re.split(r"[^A-Z0-9]+", whole) if word}
    return next(iter(sexes)) if len(sexes) == 1 and sexes <= {"F", "M", "U"} else text


def unprotected(text: str) -> str:
    """Return text without the blanks around it, and of `="00123"` what stands in it."""
    text = text.strip()
    return text[2:-1].strip() if text.startswith('="') and text.endswith('"') and len(text) > 2 else text


@attrs.frozen
class Forms:
    """The forms of one file's values: its words for nothing, in upper case, and the form of the dates of each field.

    `constants` hold for all claims of the file that say nothing else: what its folders are called.
    """

    missing: frozenset[str] = MISSING
    dates: Mapping[str, DateForm] = attrs.field(factory=dict)
    constants: Mapping[str, str] = attrs.field(factory=dict)

    @classmethod
    def of(cls, options: ReadOptions, samples: Mapping[str, Iterable[str]]) -> Forms:
        """Return the forms that are given, or that some values of the fields that are dates show."""
        dates = {}
        for name, values in samples.items():
            of_birth = name == "birth_date"
            if options.date_format is not None:
                dates[name] = given_form(options.date_format, of_birth=of_birth)
            else:
                dates[name] = form_of([value.strip() for value in values], of_birth=of_birth)
        return cls(MISSING | {word.upper() for word in options.missing}, dates, _constants(options.constants))

    def is_missing(self, text: str) -> bool:
        """Tell whether a cell without blanks around it stands for no value."""
        return text.upper() in self.missing

    def plain(self, text: str) -> Read:
        """Read a cell of any text. As `="00123"` programs write what a spreadsheet is not to take for a number."""
        text = unprotected(text)
        return ("", MISSING_CELLS) if text and self.is_missing(text) else (text, None)

    def about(self, name: str, text: str) -> Read:
        """Read a cell of a claim field."""
        text, what = self.plain(text)
        if name == "age" and text in _NO_NUMBER:
            return "", MISSING_CELLS
        if text.upper() in _UNKNOWN and (name in ("age", "sex") or BY_NAME[name].arrow == "date32"):
            return "", MISSING_CELLS
        if name == "age" and (years := _FRACTION.fullmatch(text)):
            return years[1], FRACTIONAL
        if name == "sex":
            return _sex(text), what
        if not text or BY_NAME[name].arrow != "date32":
            return text, what
        date, guess = self.dates.get(name, _ANY_DATE).read(text)
        return date, guess and f"{guess} {name}"

    def one_sex(self, sex: str, text: str) -> Read:
        """Read a cell that only says whether the sex is this one, "F" or "M": 1 and 0, yes and no, true and false."""
        text, what = self.plain(text)
        sign = text.upper().removesuffix(".0")
        if sign in _NO_NUMBER:
            return "", MISSING_CELLS
        if sign in _YES:
            return sex, what
        return ("M" if sex == "F" else "F") if sign in _NO else text, what

    def about_or_blank(self, name: str, text: str) -> Read:
        """Read a cell of a claim field of which a blank says more than nothing."""
        text, what = self.about(name, text)
        return text or BY_NAME[name].blank, what

    def one_code(self, text: str) -> Read:
        """Read a cell for one code: bare, or with a prefix, quotes, the box of a form or its title.

        Several codes have `cells.BETWEEN` between them. What is none of this stays as it is.
        """
        text, what = self.plain(text)
        if text.upper() in _UNKNOWN:
            return "", MISSING_CELLS
        return (text, what) if not text or text.isalnum() else in_one_cell(text, self.is_missing)

    def single_code(self, text: str) -> Read:
        """Read a cell for one code where service lines point to places: several in it stay as they are, no code."""
        read = self.one_code(text)
        return (text.strip(), None) if BETWEEN in read[0] else read

    def codes(self, text: str) -> Read:
        """Read a cell for all codes of a claim, parted by blanks, `;`, `,`, `|` or `~`; bare, quoted or in brackets."""
        whole, what = self.plain(text)
        return in_one_list(whole, text, self.is_missing) if whole else (whole, what)


def _constants(values: Mapping[str, str]) -> dict[str, str]:
    """Return what holds for all claims of a file by the fields of a claim, of columns of other names nothing."""
    names = {squeezed(name): value for name, value in values.items()}
    found = {}
    for field in ABOUT_THE_CLAIM:
        name = next((name for name in (squeezed(field), *SYNONYMS.get(field, ())) if names.get(name)), None)
        if name is not None:
            found[field] = names[name]
    return found


_ANY_DATE = DateForm(guessed=True)


class Memo(dict[str, Read]):
    """What a function made of each cell that it was given; forgotten where there are very many."""

    def __init__(self, read: Callable[[str], Read]) -> None:
        self._read = read

    def __missing__(self, text: str) -> Read:
        if len(self) > _MOST_KEPT:
            self.clear()
        found = self[text] = self._read(text)
        return found
