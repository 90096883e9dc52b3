"""A folder of generated pages that appears whole or not at all."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

from weakcode.errors import InputError

_MARK = ".weakcode-pages"


def write_pages(pages: Iterable[tuple[str, str]], output: Path | str) -> int:
    """Write pages, given as path and text, into a folder; return how many there are.

    The folder is new, empty, or one that this function wrote and now replaces. Raises InputError for any other.
    """
    target = Path(output).resolve()
    if target.exists() and not target.is_dir():
        raise InputError(f"{output} is a file; give the name of a folder for the pages")
    if target.is_dir() and any(target.iterdir()) and not (target / _MARK).is_file():
        raise InputError(f"the folder {output} holds other files than rule pages; give a new or an empty folder")
    if not target.parent.is_dir():
        raise InputError(f"the folder {target.parent} does not exist; make it first")
    try:
        new_folder = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".partial", dir=target.parent))
    except OSError as error:
        raise InputError(f"{output} cannot be written: {(error.strerror or str(error)).lower()}") from None
    try:
        count = 0
        for name, text in pages:
            path = new_folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            count += 1
        (new_folder / _MARK).write_text("Made by weakcode rules pages, which replaces this folder as a whole.\n")
        new_folder.chmod(0o755)
        if target.exists():
            shutil.rmtree(target)
        new_folder.rename(target)
    except OSError as error:
        raise InputError(f"{output} cannot be written: {(error.strerror or str(error)).lower()}") from None
    finally:
        shutil.rmtree(new_folder, ignore_errors=True)
    return count
