"""Small files of text that are read whole."""

from __future__ import annotations

from pathlib import Path

from weakcode.errors import InputError


def text_of(path: Path, what: str) -> str:
    """Return the text of a file; `what` says what is in it, for the message.

    Raises InputError where it cannot be read or is not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"{path} cannot be read: {(error.strerror or 'unknown reason').lower()}") from None
    except UnicodeDecodeError:
        raise InputError(f"{path} is not text in UTF-8; give {what} as CSV or JSON Lines") from None
