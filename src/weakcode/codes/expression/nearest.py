"""The code that was probably meant by text that is none: a letter for a digit, or a character too many."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

from weakcode.codes.normalise import canonical, compact

if TYPE_CHECKING:
    from weakcode.codes.edition import Edition

_DIGITS = {"O": "0", "Q": "0", "D": "0", "I": "1", "L": "1", "Z": "2", "S": "5", "G": "6", "B": "8"}
_LETTERS = {"0": "O", "1": "I", "5": "S", "8": "B", "2": "Z", "6": "G"}
_LONGEST = 8
_TOO_MANY = 2


def nearest_code(code: str, edition: Edition) -> str | None:
    """Return the billable code that a text is nearest to, canonical, or None where nothing is near.

    A code that lacks characters is near to several, and so to none.
    """
    text = compact(code)
    if not 3 <= len(text) <= _LONGEST or not (text.isalnum() and text.isascii()):
        return None
    spellings = list(_respelled(text))
    shorter = [one[:-cut] for cut in range(1, _TOO_MANY + 1) for one in spellings if len(one) - cut >= 3]
    return next((canonical(one) for one in (*spellings, *shorter) if edition.is_billable(one)), None)


def _respelled(text: str) -> list[str]:
    """Return the text with letters and digits that look alike exchanged, what changes least first."""
    spellings = []
    for place, character in enumerate(text):
        other = _LETTERS.get(character) if place == 0 else _DIGITS.get(character)
        spellings.append([character] if other is None else [character, other])
    found = ("".join(one) for one in product(*spellings))
    return sorted(found, key=lambda one: sum(a != b for a, b in zip(one, text, strict=True)))
