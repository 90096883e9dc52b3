"""Fields of the rule language, each declared with the sentence that an editor shows for it."""

from __future__ import annotations

from typing import Any

import attrs


def doc(
    text: str,
    *,
    key: str | None = None,
    single: bool = False,
    pattern: str | None = None,
    codes: bool = False,
    verb: str = "",
    **kwargs: Any,
) -> Any:
    """Declare a field with the sentence that an editor shows for it.

    `key` is the field's name in a file where it is a word that Python keeps for itself; `single` lets a list
    of one be written without the list; `pattern` is the regular expression for the text, or each text in it; `codes`
    says that the text is a code expression; `verb` that the field is a verb: about each "subject", its
    "subjects" together, or also a "claim".
    """
    metadata = {"doc": text, "key": key, "single": single, "pattern": pattern, "codes": codes, "verb": verb}
    return attrs.field(metadata=metadata, **kwargs)
