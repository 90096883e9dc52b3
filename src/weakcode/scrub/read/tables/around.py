"""Lines of a text table that are no rows of it: titles above the header, rules, repeated headers, counts and totals."""

from __future__ import annotations

import re
from collections.abc import Sequence

PASSED_OVER = "lines around the table"
"""What a line is counted as that stands in the file of a table and is no row of it."""
TRAILING = "trailing delimiters"
"""What a row is counted as that ends in delimiters behind the last column."""
MOST_TITLES = 30
"""Lines at the start of a file among which the header is looked for."""

_SEPARATOR = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)
_RULE = re.compile(r"[\s,;|+]*(?:[-=_]{3,}[\s,;|+]*)+")
_RULES = re.compile(rb"^[\s,;|+]*(?:[-=_]{3,}[\s,;|+]*)+$", re.MULTILINE)
_COUNT = r"\d[\d,. ]*"
_THINGS = r"(?:rows?|records?|claims?|lines?|results?|row\(s\)|record\(s\))"
_TRAILER = re.compile(
    rf"\(?\s*{_COUNT}\s*{_THINGS}(?:\s+(?:affected|selected|returned|fetched|retrieved|found|exported|written|in set))?"
    r"\.?\s*\)?\.?(?:\s*\([\d.]+\s*s(?:ec)?(?:onds)?\))?"
    rf"|(?:total\s+)?(?:number of\s+)?{_THINGS}(?:\s+count)?(?:\s+\w+)?\s*[:=]\s*{_COUNT}"
    rf"|(?:record|row|claim)?\s*count\s*[:=]?\s*{_COUNT}"
    r"|[*\s-]*end of (?:report|file|data|list)[*\s.-]*|page\s+\d+(?:\s*(?:of|/)\s*\d+)?|query ok.*"
    r"|(?:completion|elapsed|execution|run)\s+(?:time|date)\s*[:=]?.*"
    r"|(?:report\s+)?(?:generated|created|printed|exported)\s+(?:on|by|at)\b.*",
    re.IGNORECASE,
)
_TOTAL = re.compile(
    rf"(?:grand|sub|report)?[\s-]*totals?(?:\s+(?:{_THINGS}|charges?|amount|billed|paid|due))?\s*[:=]?\s*(?:\$?{_COUNT})?",
    re.IGNORECASE,
)


def separator(text: str) -> str | None:
    """Return the delimiter that Excel's first line `sep=;` names, None where a line is no such line."""
    match = _SEPARATOR.fullmatch(text)
    return None if match is None else match[1]


def is_rule(text: str) -> bool:
    """Tell whether a line is a rule of dashes, as clients of databases draw it below and around names of columns."""
    return _RULE.fullmatch(text) is not None


def may_have(block: bytes, header: bytes) -> bool:
    """Tell whether lines may hold a rule or the header once more, which only the row reader passes over."""
    rules = (b"---" in block or b"===" in block or b"___" in block) and _RULES.search(block) is not None
    return rules or (bool(header) and header in block)


def is_trailer(cells: Sequence[str]) -> bool:
    """Tell whether a row that holds no claim tells how many there are, or is a line of totals.

    A count has its cell alone; totals have numbers beside them.
    """
    filled = [cell for cell in map(str.strip, cells) if cell]
    if not filled or filled == ["\x1a"]:  # the end of a file for DOS
        return True
    return (len(filled) == 1 and (is_rule(filled[0]) or _TRAILER.fullmatch(filled[0]) is not None)) or _TOTAL.fullmatch(
        filled[0]
    ) is not None
