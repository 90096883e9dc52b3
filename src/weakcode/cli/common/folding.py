"""Lines that are longer than the terminal is wide, folded between words."""

from __future__ import annotations

import re

_STYLE = re.compile(r"\x1b\[[0-9;]*m")
_COLUMN = re.compile(r"\S {2,}(?=\S)")
_NARROWEST, _HANGING = 40, 2


def folded(text: str, width: int) -> str:
    """Return a text whose lines are at most `width` columns wide, styles not counted; a longer word stays whole.

    What follows of a line stands under the last of its columns in the left half, or under its indent.
    """
    width = max(width, _NARROWEST)
    return "\n".join(_folded(line, width) if _width(line) > width else line for line in text.split("\n"))


def _folded(line: str, width: int) -> str:
    plain = _STYLE.sub("", line)
    indent = len(plain) - len(plain.lstrip())
    columns = [found.end() for found in _COLUMN.finditer(plain)]
    hanging = max((at for at in columns if at <= width // 2), default=indent + _HANGING if columns else indent)
    lines, row = [], ""
    # Blanks within a line are kept: they set its columns.
    for blanks, word in re.findall(r"( *)([^ ]+)", line):
        if row.strip() and _width(row) + len(blanks) + _width(word) > width:
            lines.append(row)
            row = " " * hanging + word
        else:
            row += blanks + word
    return "\n".join([*lines, row])


def _width(text: str) -> int:
    return len(_STYLE.sub("", text))
