"""Cells of codes, for one code or for all codes of a claim, in the forms in which people write them.

A cell for one code that holds several is read as these, in their order: its text has `BETWEEN` between them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from weakcode.scrub.read.x12.codes import icd9

BETWEEN = "\x1f"
"""Parts the codes of a cell for one code that holds several. No other cell holds it once it was read."""
MISSING_CELLS = "missing"
"""What a cell is counted as that holds a word for no value."""
PREFIXED = "prefixed"
"""What a cell is counted as from whose codes a prefix, brackets, quotes or a description were taken."""
SEVERAL = "several codes"
"""What a cell for one code is counted as that holds several."""
DECIMAL = "decimal commas"
"""What a cell is counted as that has a comma where the dot of a code belongs."""

Read = tuple[str, str | None]
"""The text that a cell is read as, and what it is counted as."""
IsMissing = Callable[[str], bool]

_PREFIX = re.compile(
    r"(?:https?://|urn:oid:)[^\s|]*\||"
    r"ICD[-_ ]?(?P<list>9|10)[-_ ]?(?:CM)?[-_ ]?(?:DX|DIAG)?"
    r"(?:\s*[:/|=^]\s*|\s+(?=[A-Z0-9]\d[0-9A-Z])|[-_]?(?<=[-_])(?=[A-Z]\d[0-9A-Z]))|"
    r"\b(?:DX|DIAG|DIAGNOSIS)\s?\d{0,2}\s*[:=]\s*(?=[A-Z]\d[0-9A-Z])",
    re.IGNORECASE,
)
_URL_9 = re.compile(r"icd-?9|6\.103\||6\.2\|", re.IGNORECASE)
_CODE = r"[A-Z]\d[0-9A-Z](?:\.?[0-9A-Z]{1,4})?"
_ONE_CODE = re.compile(_CODE, re.IGNORECASE)
# What begins with another code is no description.
_DESCRIBED = re.compile(rf"({_CODE})\s*(?:[-:\u2013]\s+|\s\()(?!{_CODE}\b)[^\W\d].*", re.IGNORECASE)
_BETWEEN = re.compile(r"[\s;,|~&]+")
# Signs that part codes in some lists, where codes alone stand beside them.
_TIGHT = re.compile(rf"{_CODE}(?:(?:[/^&+:]|\\n){_CODE})+", re.IGNORECASE)
_BETWEEN_TIGHT = re.compile(r"[/^&+:]|\\n")
# Codes of a list with a description each: what parts them stands before a code.
_NEXT_DESCRIBED = re.compile(rf"\s*(?:[;|~\n]|,(?=\s*{_CODE}\b))\s*", re.IGNORECASE)
_ODD = re.compile(r"[^A-Za-z0-9.\s;,]")
_PAIRS = {"[": "]", "(": ")", "{": "}"}
_QUOTES = "'\"`\u2018\u2019\u201c\u201d"

# In a cell for one code more is told apart, since no other code is expected there.
_TITLED = re.compile(rf"({_CODE})(?:\s*[-:\u2013,]|\s+\(|)\s+(?!{_CODE}\b)([^\W\d]{{2}}.*)", re.IGNORECASE | re.DOTALL)
# In titles stand vitamin B12 and vertebrae such as T12; what is longer or dotted is a code.
_SURELY_A_CODE = re.compile(r"\b[A-Z]\d[0-9A-Z](?:\.[0-9A-Z]{1,4}|[0-9A-Z]{1,4})\b", re.IGNORECASE)
_ANY_BETWEEN = re.compile(r"\s*(?:[;,|~/^&+:\n]|\\n|<br\s?/?>|\band\b)\s*|\s+", re.IGNORECASE)
_SIGNS_BETWEEN = re.compile(r"\s*[;,|~\n]\s*")
_ICD9_CODE = re.compile(r"\d{3}(?:\.?\d{1,2})?|E\d{3}\.\d", re.IGNORECASE)
# The boxes of a form (A to L, 21A) and numbers of a list before a code.
_BOX = re.compile(rf"(?<![\w.])(?:\(?(?:21\s?)?[A-L]|\(?\d{{1,2}})\s*[:.)]\s*(?={_CODE}\b)", re.IGNORECASE)
_COMMA_FOR_DOT = re.compile(rf"\b([A-Z]\d[0-9A-Z]),(?!{_CODE}\b)([0-9A-Z]{{1,4}})(?![\w.])", re.IGNORECASE)


def is_code(text: str) -> bool:
    """Tell whether a text has the form of a code of ICD-10-CM."""
    return _ONE_CODE.fullmatch(text) is not None


def parts_of(text: str) -> list[str]:
    """Return the codes that a cell for one code holds, once it was read."""
    return text.split(BETWEEN)


def icd9_of(text: str) -> str:
    """Return what a cell for one code holds as codes of ICD-9-CM."""
    return BETWEEN.join(map(icd9, text.split(BETWEEN)))


def in_one_cell(text: str, is_missing: IsMissing) -> Read:
    """Read a cell for one code, which holds anything; see `Forms.one_code`."""
    if _ONE_CODE.fullmatch(text):
        return text, None
    bare = _BOX.sub("", _unwrapped(_PREFIX.sub(_without_prefix, text).strip()))
    if bare and is_missing(bare):
        return "", MISSING_CELLS
    dotted = _COMMA_FOR_DOT.sub(r"\1.\2", bare)
    codes = _several(dotted, is_missing) or _titled(dotted, is_missing)
    if codes is None:
        bare = _nine(bare).replace(BETWEEN, " ")
        return (bare, PREFIXED) if bare != text else (text, None)
    what = SEVERAL if len(codes) > 1 else DECIMAL if dotted != bare else PREFIXED
    codes_text = BETWEEN.join(map(_nine, codes))
    return codes_text, (None if codes_text == text else what)


def in_one_list(whole: str, text: str, is_missing: IsMissing) -> Read:
    """Read a cell for all codes of a claim, which holds `whole` within blanks; see `Forms.codes`."""
    bare = _undescribed(_without_brackets(_PREFIX.sub(_without_prefix, whole)))
    words = _words(_BETWEEN, bare)
    words = [part for word in words for part in (_BETWEEN_TIGHT.split(word) if _TIGHT.fullmatch(word) else [word])]
    codes = [_nine(word) for word in words if not is_missing(word)]
    joined_codes = " ".join(codes)
    if len(codes) < len(words):
        return joined_codes, MISSING_CELLS
    if whole != text.strip() or (_ODD.search(whole) and joined_codes != whole):
        return joined_codes, PREFIXED
    return text, None


def _several(text: str, is_missing: IsMissing) -> list[str] | None:
    """Return the codes of a text in which nothing else stands; of ICD-9-CM too where signs part them."""
    for between, forms in ((_ANY_BETWEEN, (_ONE_CODE,)), (_SIGNS_BETWEEN, (_ONE_CODE, _ICD9_CODE))):
        codes = [word for word in _words(between, text) if not is_missing(word)]
        if codes and all(any(form.fullmatch(word.lstrip("\x00")) for form in forms) for word in codes):
            return codes
    return None


def _titled(text: str, is_missing: IsMissing) -> list[str] | None:
    """Return the codes of a text in which one at least has its title behind it, None where it is no such text."""
    codes = []
    for part in filter(None, _NEXT_DESCRIBED.split(text)):
        whole = part.lstrip("\x00")
        nine = part[: len(part) - len(whole)]
        match = _TITLED.fullmatch(whole) or _DESCRIBED.fullmatch(whole)
        if match is not None and not _SURELY_A_CODE.search(whole, match.end(1)):
            codes.append(nine + match[1])
        elif found := _several(part, is_missing):
            codes += found
        else:
            return None
    return codes or None


def _words(between: re.Pattern[str], text: str) -> list[str]:
    """Return what stands between separators, without quotes around it."""
    return [word for part in between.split(text) if part and (word := _unquoted(part))]


def _without_brackets(text: str) -> str:
    while len(text) > 1 and _PAIRS.get(text[0]) == text[-1]:
        text = text[1:-1].strip()
    return text


def _unwrapped(text: str) -> str:
    """Return text without the brackets and quotes around it."""
    text = _without_brackets(text)
    return text if text[1:-1].count(text[:1]) else _unquoted(text)


def _nine(code: str) -> str:
    """Return a code, as one of ICD-9-CM where its prefix said so."""
    return icd9(code[1:]) if code.startswith("\x00") else code


def _without_prefix(match: re.Match[str]) -> str:
    nine = match["list"] == "9" or (match["list"] is None and _URL_9.search(match[0]) is not None)
    return "\x00" if nine else ""


def _unquoted(word: str) -> str:
    """Return a word without the quotes around it; with one that is not closed it stays as it is."""
    if len(word) > 1 and word[0] in _QUOTES and word[-1] in _QUOTES:
        return word[1:-1].strip()
    return word


def _undescribed(text: str) -> str:
    """Return the codes of a list of which one at least has a description behind it; any other text as it is."""
    if not _ODD.search(text):
        return text
    parts = [part for part in _NEXT_DESCRIBED.split(text.strip()) if part]
    matches = [_DESCRIBED.fullmatch(part) for part in parts]
    if not any(matches) or not all(
        match or _ONE_CODE.fullmatch(part) for match, part in zip(matches, parts, strict=True)
    ):
        return text
    return " ".join(match[1] if match else part for match, part in zip(matches, parts, strict=True))


def boxes_of(cells: Iterable[str]) -> list[list[int]]:
    """Return for each cell of one code the positions that its codes have on the claim, where one holds several.

    Empty where each holds one: then a position is that of a cell.
    """
    boxes: list[list[int]] = []
    position = 1
    for text in filter(None, cells):
        many = len(parts_of(text))
        boxes.append(list(range(position, position + many)))
        position += many
    return boxes if position - 1 > len(boxes) else []


def spread(pointers: Sequence[int], boxes: Sequence[Sequence[int]]) -> list[int]:
    """Return the positions of diagnoses that pointers to the cells of codes lead to."""
    return [position for pointer in pointers for position in boxes[pointer - 1]]


def count_cells(pointers: Iterable[int], boxes: Sequence[Sequence[int]]) -> bool:
    """Tell whether the pointers of a claim count cells and not codes: there are several, and none leads beyond them."""
    return len(boxes) > 1 and all(0 < pointer <= len(boxes) for pointer in pointers)
