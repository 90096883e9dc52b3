"""The diagnosis codes in text from elsewhere: a superbill, a note, a list, with whatever parts them."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

import attrs

from weakcode.codes.normalise import canonical, compact

if TYPE_CHECKING:
    from weakcode.codes.edition import Edition

_CODE = re.compile(r"(?<![^\W_])[A-Z][0-9][0-9A-Z](?:\.?[0-9A-Z]{1,4})?(?![^\W_])", re.IGNORECASE)
_WORD = re.compile(r"[^\W_]+(?:\.[^\W_]+)*")
_PROCEDURE = re.compile(r"[A-V][0-9]{4}", re.IGNORECASE)
"""The form of HCPCS level II codes, which undotted diagnosis codes of five characters have too."""
_OF_SERVICES = re.compile(
    r"\b(?:cpt|hcpcs|procedures?|services?|modifiers?|units?)\b|\$|(?<![\d.,/-])[0-9]{5}(?![\d.,/-])", re.IGNORECASE
)
"""What a line of procedures says: their names, an amount, or a CPT code."""
_TICKED = re.compile(r"\[ ?[xX*\u2713\u2714\u2717\u2718] ?\]|[\u2611\u2612\u2713\u2714\u25a0\u25cf]")
_EMPTY = re.compile(r"\[[ _]{0,3}\]|[\u2610\u25a1\u25cb]")
"""Boxes of a form that are ticked, and that are not."""
_A_BARE_CATEGORY = 3


@attrs.frozen
class Aside:
    """Something in a text that may be a code; `why` is a sentence on why it was left out, or is in doubt."""

    code: str
    why: str


@attrs.frozen
class PastedCodes:
    """The codes of a text in their order, canonical. `doubtful` are those of them that may be something else.

    `left_out` is what looks like a code and was not taken.
    """

    codes: tuple[str, ...] = ()
    doubtful: tuple[Aside, ...] = ()
    left_out: tuple[Aside, ...] = ()


def codes_in(text: str, edition: Edition) -> PastedCodes:
    """Return the diagnosis codes of a text.

    Where nothing but codes stands in it, all are taken, so that those that do not exist become findings. In other
    text, what is no code is left out, and so are procedure codes (HCPCS level II) on lines that speak of procedures.
    Of a form with boxes, some ticked and some not, codes behind a box that is not ticked are left out.
    """
    plain = unicodedata.normalize("NFKC", text)
    found = [(match[0], line) for line in plain.splitlines() for match in _CODE.finditer(line)]
    is_form = _TICKED.search(plain) is not None and _EMPTY.search(plain) is not None
    unticked = [
        is_form and _is_unticked(line[: match.start()]) for line in plain.splitlines() for match in _CODE.finditer(line)
    ]
    only_codes = all(_CODE.fullmatch(word) for word in _WORD.findall(plain))
    has_dots = any("." in written for written, _ in found)
    codes: list[str] = []
    doubtful: list[Aside] = []
    left_out: list[Aside] = []
    for (written, line), is_unticked in zip(found, unticked, strict=True):
        code = canonical(compact(written))
        reason = None if only_codes else _reason_against(written, code, line, edition)
        if reason is None and is_unticked:
            reason = f"The box before {written.upper()} is not ticked"
        if reason is not None:
            left_out.append(Aside(code, reason))
            continue
        codes.append(code)
        if not only_codes and has_dots and _PROCEDURE.fullmatch(written):
            doubtful.append(Aside(code, f"{written.upper()} has the form of a procedure code (HCPCS), too"))
    return PastedCodes(tuple(codes), _distinct(doubtful), _distinct(left_out))


def _is_unticked(before: str) -> bool:
    """Whether the last box in the text before a code is there and is not ticked."""
    ticked, empty = (max((one.end() for one in box.finditer(before)), default=-1) for box in (_TICKED, _EMPTY))
    return empty > ticked


def _reason_against(written: str, code: str, line: str, edition: Edition) -> str | None:
    """Return why a code in a text is no diagnosis; None where it is one."""
    is_dotted = "." in written
    title = edition.title(code)
    if not is_dotted and _PROCEDURE.fullmatch(written):
        if title is None:
            return f"{written.upper()} is no ICD-10-CM code; it has the form of a procedure code (HCPCS)"
        if _OF_SERVICES.search(line):
            return f"{written.upper()} stands on a line of procedures and has the form of their codes (HCPCS)"
    if is_dotted:
        return None
    if title is None and not edition.whole.title(code):
        return f"{written.upper()} is no ICD-10-CM code"
    if len(written) == _A_BARE_CATEGORY and not edition.is_billable(code) and title is not None:
        return f"{written.upper()} is a category ({title}), no whole code"
    return None


def _distinct(asides: list[Aside]) -> tuple[Aside, ...]:
    return tuple(dict.fromkeys(asides))
