"""Policies that the user has added: a file for each download, kept beside the editions by kind and day."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import attrs

from weakcode.codes.sources.kept import DATA_VARIABLE, data_dir
from weakcode.codes.storage import store
from weakcode.coverage.policies import PolicyFile
from weakcode.coverage.published import FORMAT, compiled
from weakcode.errors import InputError, UnknownNameError, did_you_mean

_STORED = re.compile(r"(article|lcd|ncd)-(\d{4}-\d\d-\d\d)\.bin")


def folder() -> Path:
    """Return the folder of the installed policies."""
    return data_dir() / "policies"


def names() -> list[str]:
    """Return the names of the installed files, such as `article-2026-05-01`, by kind and then day."""
    try:
        return sorted(path.stem for path in folder().iterdir() if _STORED.fullmatch(path.name))
    except OSError:
        return []


def opened(name: str) -> PolicyFile:
    """Open an installed file. Raises UnknownNameError where there is none, InputError where it is damaged."""
    path = folder() / f"{name}.bin"
    known = names()
    if name not in known:
        choices = f"there are {', '.join(known)}" if known else "none are installed; weakcode policies add FILE"
        raise UnknownNameError(f'there are no policies "{name}"{did_you_mean(name, known)}; {choices}')
    try:
        stored = store.open_bytes(path.read_bytes(), FORMAT)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {(error.strerror or 'unknown reason').lower()}") from None
    if stored is None:
        raise InputError(
            f"the policies {name} are damaged or of another version of weakcode; weakcode policies remove {name}, "
            "and add the file again"
        )
    return PolicyFile(name, stored)


def all_opened() -> tuple[PolicyFile, ...]:
    """Open all installed files, the newest last. Raises InputError where one is damaged."""
    return tuple(sorted(map(opened, names()), key=lambda one: (one.day, one.kind)))


@attrs.frozen
class AddedFile:
    """A file that was installed, and whether it stands in the place of one that was there."""

    file: PolicyFile
    replaced: bool


def add(path: Path, day: dt.date | None = None) -> tuple[AddedFile, ...]:
    """Install a zip of the Medicare Coverage Database; one with several kinds of policies gives a file of each.

    `day` is the day that it is of; without it the newest change that it tells of. Raises InputError, and leaves the
    disk as it was, for a file that is damaged, cut short or none of CMS's.
    """
    known_names = names()
    made = compiled(path, day)
    added = []
    for one in made:
        name = f"{one.kind}-{one.day}"
        if not store.write_bytes(folder() / f"{name}.bin", one.content):
            raise InputError(f"{folder()} cannot be written; set {DATA_VARIABLE} to a folder that can")
        added.append(AddedFile(opened(name), name in known_names))
    return tuple(added)


def remove(name: str) -> None:
    """Remove an installed file by its name. Raises UnknownNameError where there is none."""
    path = folder() / f"{name}.bin"
    if name not in names():
        opened(name)
    try:
        path.unlink()
    except OSError as error:
        raise InputError(f"{path} cannot be removed: {(error.strerror or 'unknown reason').lower()}") from None
