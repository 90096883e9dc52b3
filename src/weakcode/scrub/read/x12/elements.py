"""Elements of a segment, and the text in them."""

from __future__ import annotations


def value_at(elements: list[str], number: int) -> str:
    """Return an element without blanks around it, empty where the segment ends before it."""
    return elements[number].strip() if len(elements) > number else ""


def components(elements: list[str], number: int, sign: str) -> list[str]:
    """Return the components of an element, at least one. Their sign may be one that strip() takes off."""
    return (elements[number] if len(elements) > number else "").strip(" ").split(sign)


def decoded(text: str) -> str:
    """Return text of the file, read as one character a byte, as the text it is: UTF-8, else Latin-1."""
    if text.isascii():
        return text.strip()
    try:
        return text.encode("latin-1").decode("utf-8").strip()
    except UnicodeError:
        return text.strip()
