"""One spelling for every way in which people write a code."""

from __future__ import annotations

import re
from functools import lru_cache

NO_CODE = "[no-code]"
"""Stands for what was in the place of a code and cannot be one: it might be a name or a number of a person."""

UNTITLED = "title not known"
"""Stands for the title of a code for which no published source at hand has one."""

_NEARLY = re.compile(r"(?=.*\d)[A-Z][A-Z0-9]{1,6}-?|\d{3,5}")


@lru_cache(maxsize=65536)
def compact(text: str) -> str:
    """Return the code without blanks and dot, in upper case: ``" m62.81 "`` gives ``"M6281"``.

    Only a dot after the third character and dots at the end are dropped, so that text which is not a code can
    still be told from one.
    """
    if text.isalnum():
        return text.upper()
    code = "".join(text.split()).upper().rstrip(".")
    if code[3:4] == ".":
        code = code[:3] + code[4:]
    return code


@lru_cache(maxsize=65536)
def canonical(text: str) -> str:
    """Return the code as weakcode writes it, dotted and in upper case: ``"m6281"`` gives ``"M62.81"``.

    Text that cannot be a code, being too long or with other signs in it, gets no dot.
    """
    return dotted(compact(text))


def dotted(code: str) -> str:
    """Return a compact code with its dot; text that cannot be a code gets none."""
    return f"{code[:3]}.{code[3:]}" if 3 < len(code) <= 7 and code.isalnum() else code


@lru_cache(maxsize=65536)
def shown(code: str) -> str:
    """Return a canonical code as findings name it: `NO_CODE` for text that is not even nearly one.

    A typo is worth showing: a letter and up to six letters and digits, one of them a digit, or the three to
    five digits of ICD-9-CM, wherever the dots are; so is a code that its source says to be one of ICD-9-CM (`ICD9:`).
    """
    return code if _NEARLY.fullmatch(code.removeprefix("ICD9:").replace(".", "")) else NO_CODE
