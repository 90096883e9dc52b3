"""Where claims are: files, folders with all in them, patterns, and addresses of object storage, as a list of files."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import attrs

from weakcode.errors import InputError, first_line
from weakcode.scrub.formats import known_extensions
from weakcode.scrub.read.inputs import PIPE, NamedFile, Stream, name_of, opened_input, read_once
from weakcode.scrub.read.lakes.tables import files_of_table, in_table, is_table

_MOST_FILES = 1_000_000
_NO_VALUE = "__HIVE_DEFAULT_PARTITION__"
Place = str | os.PathLike[str]


@attrs.frozen
class Address(os.PathLike[str]):
    """A file in object storage, by its address. `name` is the same without what may be a secret in it."""

    uri: str = attrs.field(repr=False)

    @property
    def name(self) -> str:
        """How the file is called in messages and findings."""
        return shown_address(self.uri)

    def __fspath__(self) -> str:
        return self.name


def shown_address(uri: str) -> str:
    """Return an address without its query and without a user and password, which may stand in it."""
    scheme, _, rest = uri.partition("?")[0].partition("://")
    bucket, slash, path = rest.partition("/")
    return f"{scheme}://{bucket.rpartition('@')[2]}{slash}{path}"


@attrs.frozen
class Places:
    """The files that some inputs are, in order. `passed_over` counts by folder the files that hold nothing to read."""

    files: tuple[Place, ...]
    passed_over: Mapping[str, int]

    @classmethod
    def of(cls, inputs: Iterable[Place]) -> Places:
        """Look into folders, follow patterns, list what is at addresses; raises InputError where nothing is there."""
        files: list[Place] = []
        passed: dict[str, int] = {}
        for entry in inputs:
            files += _found(entry, passed)
            if len(files) > _MOST_FILES:
                raise InputError(f"the inputs are more than {_MOST_FILES:,} files; give fewer at a time")
        return cls(tuple(files), passed)


def _found(place: Place, passed: dict[str, int]) -> Iterator[Place]:
    if isinstance(place, Stream | NamedFile | Address) or place == PIPE:
        yield place
    elif is_address(place):
        yield from _at_address(os.fspath(place), passed)
    elif _is_folder(place):
        yield from _in_folder(os.fspath(place), passed)
    elif isinstance(place, str) and glob.has_magic(place) and not os.path.exists(place):  # noqa: PTH110
        found = sorted(glob.glob(place, recursive=True))  # noqa: PTH207
        if not found:
            yield place
        for one in found:
            yield from _in_folder(one, passed) if _is_folder(one) else [one]
    else:
        yield place


def is_address(place: Place) -> bool:
    """Tell whether an input is an address such as `s3://bucket/claims`."""
    scheme, colon, _ = os.fspath(place).partition("://")
    return bool(colon) and scheme.isalnum() and len(scheme) > 1


def _is_folder(place: Place) -> bool:
    try:
        return Path(place).is_dir()
    except (OSError, ValueError):
        return False


def _in_folder(folder: str, passed: dict[str, int]) -> Iterator[str]:
    """Give the files of a folder and of those in it; names that begin with a dot or `_` are not looked at.

    Of a folder that is a table of Delta Lake or Iceberg, it gives those of its latest version.
    """
    empty = True
    for at, folders, names in os.walk(folder):
        if is_table(Path(at)):
            # A version of a table without any row has no files.
            empty, folders[:] = False, []
            yield from files_of_table(Path(at))
            continue
        folders[:] = sorted(name for name in folders if not name.startswith((".", "_")))
        for name in sorted(names):
            if not name.startswith((".", "_")):
                if _is_read(name):
                    empty = False
                    yield os.path.join(at, name)  # noqa: PTH118
                else:
                    passed[folder] = passed.get(folder, 0) + 1
    if empty:
        raise InputError(f"{name_of(folder)} is a folder without any file of claims")


def _is_read(name: str) -> bool:
    return bool(known_extensions(name)) or not Path(name).suffix


def partitions_of(path: Place) -> dict[str, str]:
    """Return what the folders of a file say of all its claims: `payer=Medicare` is the payer."""
    found = {}
    for part in Path(name_of(path)).parts[:-1]:
        key, equals, value = part.partition("=")
        if equals and key:
            found[key] = "" if value == _NO_VALUE else unquote(value)
    return found


def _at_address(address: str, passed: dict[str, int]) -> Iterator[Address]:
    from pyarrow import fs

    scheme, _, rest = address.partition("://")
    query = f"?{rest.partition('?')[2]}" if "?" in rest and "=" in rest.partition("?")[2] else ""
    plain = address.removesuffix(query)
    pattern = plain if glob.has_magic(plain) else None
    base = (
        plain
        if pattern is None
        else plain[: min(plain.find(sign) for sign in "*?[" if sign in plain)].rpartition("/")[0]
    )
    with _input_errors(address):
        system, path = system_of(base + query)
        (info,) = system.get_file_info([path])
        if info.type == fs.FileType.File:
            yield Address(address)
            return
        listed = system.get_file_info(fs.FileSelector(path, recursive=True, allow_not_found=True))
    head = f"{scheme}://" if base.startswith(f"{scheme}://{path}") else base.removesuffix(path)
    if any(in_table(info.path) for info in listed):
        raise InputError(
            f"{shown_address(address)} holds a table of Delta Lake or Iceberg, of which only the latest version "
            "counts; read it with Spark, or with --sql (delta_scan, iceberg_scan)"
        )
    empty = True
    for info in sorted(listed, key=lambda one: one.path):
        hidden = any(part.startswith((".", "_")) for part in info.path.removeprefix(path).split("/"))
        if info.type != fs.FileType.File or hidden or (pattern and not _fits(head + info.path, pattern)):
            continue
        if pattern is None and not _is_read(info.base_name):
            passed[shown_address(address)] = passed.get(shown_address(address), 0) + 1
            continue
        empty = False
        yield Address(head + info.path + query)
    if empty:
        raise InputError(f"{shown_address(address)} holds no file of claims")


def _fits(address: str, pattern: str) -> bool:
    from pathlib import PurePosixPath

    if "**" in pattern:
        import fnmatch

        return fnmatch.fnmatchcase(address, pattern.replace("**/", "*"))
    return PurePosixPath(address).match(pattern) and address.count("/") == pattern.count("/")


def system_of(address: str) -> tuple[Any, str]:
    """Return the file system of an address and the path in it: of pyarrow, else of fsspec. Raises InputError."""
    import pyarrow as pa
    from pyarrow import fs

    try:
        found: tuple[Any, str] = fs.FileSystem.from_uri(address)
        return found
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        try:
            import fsspec
        except ImportError:
            raise InputError(
                f"{shown_address(address)} cannot be read ({first_line(error)}); other addresses need the extra cloud: "
                "pip install 'weakcode[cloud]'"
            ) from None
        try:
            system, path = fsspec.core.url_to_fs(address)
        except (ValueError, ImportError) as why:
            raise InputError(f"{shown_address(address)} cannot be read: {first_line(why)}") from None
        return fs.PyFileSystem(fs.FSSpecHandler(system)), path


@contextmanager
def _input_errors(address: str) -> Iterator[None]:
    """Turn what a file system says into one sentence."""
    try:
        yield
    except OSError as error:
        raise InputError(f"{shown_address(address)} cannot be read: {first_line(error)}") from None


@contextmanager
def opened_place(place: Place, piped: Any = None) -> Iterator[Place]:
    """Give an input as `opened_input` does; a file in object storage is read as a stream."""
    if not isinstance(place, Address):
        with opened_input(place, piped) as given:
            yield given
        return
    with _input_errors(place.uri):
        system, path = system_of(place.uri)
        stream = system.open_input_stream(path)
    with stream, read_once(stream, place.name) as given:
        yield given
