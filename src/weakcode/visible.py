"""Text from elsewhere, safe to show: what steers a terminal, or is not seen, is spelled out."""

from __future__ import annotations

import re

# Control characters, halves of surrogate pairs, and what changes how text runs or has no width: marks of direction,
# joiners, fillers, selectors and tags (Unicode, categories Cc, Cf, Cs, Zl and Zp, and the blank letters).
_HIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\u2800\u3164\ud800-\udfff\ufe00-\ufe0f\ufeff\uffa0\ufff0-\uffff\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff]"
)
_RUNS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def visible(text: str, keep: str = "") -> str:
    """Return the text with everything that is not seen spelled out, as `\\x1b` or `<U+202E>`, but what is in `keep`."""
    if text.isascii() and text.isprintable():
        return text
    return _HIDDEN.sub(lambda found: found[0] if found[0] in keep else _spelled(found[0]), text)


def _spelled(character: str) -> str:
    number = ord(character)
    if 0xDC80 <= number <= 0xDCFF:  # how Python keeps a byte that is not UTF-8
        number -= 0xDC00
    return f"\\x{number:02x}" if number < 0x100 else f"<U+{number:04X}>"


def visible_json(text: str) -> str:
    """Return JSON text that says the same with everything that is not seen as an escape of JSON."""
    # The one character of ASCII that JSON takes unescaped and nobody sees is that of the key Delete.
    if text.isascii() and "\x7f" not in text:
        return text
    return _HIDDEN.sub(lambda found: found[0] if found[0] in "\n\t" else _escaped(found[0]), text)


def _escaped(character: str) -> str:
    number = ord(character)
    if number < 0x10000:
        return f"\\u{number:04x}"
    number -= 0x10000
    return f"\\u{0xD800 + (number >> 10):04x}\\u{0xDC00 + (number & 0x3FF):04x}"


def steers(text: str) -> re.Match[str] | None:
    """Return the first character that steers a terminal or turns text around, None where there is none."""
    return None if text.isascii() and text.isprintable() else _RUNS.search(text)


def named(name: str) -> str:
    """Return the name of a file, or any text of the system, as text that can be written everywhere.

    Bytes that are not UTF-8, which Python keeps as halves of surrogate pairs, are spelled out.
    """
    return name if name.isascii() else name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
