"""What the documented text of a diagnosis says, for edits with terms."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from weakcode.codes.edition import Edition
from weakcode.semantics.edits import CompiledRule, Edit


@lru_cache(maxsize=256)
def _pattern(terms: tuple[str, ...]) -> re.Pattern[str]:
    longest_first = sorted(set(terms), key=lambda term: (-len(term), term))
    # Not \b, which asks for a letter behind a term that ends with a full stop or a bracket.
    return re.compile(r"(?<!\w)(?:" + "|".join(map(re.escape, longest_first)) + r")(?!\w)")


def found_term(edit: Edit, rule: CompiledRule, text: str | None, code_id: int, edition: Edition) -> str | None:
    """Return the first of the edit's terms that a diagnosis's text holds, or None.

    Terms are whole words in any case; where several terms of the rule start at one place the longest counts. A text
    that also holds a term of the diagnosis's own code supports that code: None.
    """
    if not text:
        return None
    owners = dict(rule.terms)
    folded = re.sub(r"\s+", " ", text.casefold())
    found: Sequence[str] = _pattern((*owners, *edit.terms)).findall(folded)
    if any(code_id in edition.whole.codeset(owners[term]) for term in found if owners.get(term)):
        return None
    return next((term for term in found if term in edit.terms), None)
