"""The files of editions, bundled and added: their names, their days, and the folder of those that the user added."""

from __future__ import annotations

import os
import re
from datetime import date
from pathlib import Path

import attrs

from weakcode.codes.storage.store import user_folder
from weakcode.codes.validity import CodeSource, Release
from weakcode.errors import EditionError

DATA_VARIABLE = "WEAKCODE_DATA_DIR"
_STORED = re.compile(r"(\d{4}-\d\d-\d\d)_(\d{4}-\d\d-\d\d)\.(xml|codes)\.xz")


@attrs.frozen
class EditionSource:
    """A Tabular List file, or one of codes alone (`notes` is False), with the days, both included, of its force."""

    path: Path
    starts: date
    ends: date
    bundled: bool = True
    notes: bool = True

    @property
    def name(self) -> str:
        """The name of the edition: year and month, such as ``2026-04``."""
        return f"{self.starts:%Y-%m}"

    @property
    def label(self) -> str:
        """The name with the days on which it is in force."""
        return self.release.label

    @property
    def release(self) -> Release:
        """The code set of the file."""
        return Release(self.name, self.starts, self.ends, tabled=False)


def data_dir() -> Path:
    """Return the folder for what the user installs: ``WEAKCODE_DATA_DIR``, or the user's data folder."""
    variable = os.environ.get(DATA_VARIABLE)
    return Path(variable) if variable else user_folder("user_data_path")


def folder() -> Path:
    """Return the folder of the installed editions."""
    return data_dir() / "editions"


def installed(place: Path) -> list[EditionSource]:
    """Return the editions in a folder, in no particular order; files of other names are left alone."""
    found: list[EditionSource] = []
    try:
        paths = sorted(place.iterdir())
    except OSError:
        return found
    for path in paths:
        match = _STORED.fullmatch(path.name)
        if match:
            days = date.fromisoformat(match[1]), date.fromisoformat(match[2])
            found.append(EditionSource(path, *days, bundled=False, notes=match[3] == "xml"))
    return found


def index_of(path: Path) -> Path:
    """Return where the terms of the Alphabetic Index of an installed list are kept; there may be none."""
    return path.with_name(path.name.removesuffix(".xml.xz") + ".index.xz")


def read_codes(source: EditionSource) -> CodeSource:
    """Return what `add_codes` installed."""
    from weakcode.codes.sources import orders, unpack

    try:
        content = unpack.unpacked(source.path.read_bytes(), source.path.name)
        listed = orders.read_order(content.decode(), source.path.name)
    except OSError as error:
        raise EditionError(f"{source.path.name} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise EditionError(f"{source.path.name} is no text; remove it and add it again.") from None
    codes = {one.code: one.title for one in listed.values() if one.billable}
    headers = {one.code: one.title for one in listed.values() if not one.billable}
    return CodeSource(source.release, codes, headers)
