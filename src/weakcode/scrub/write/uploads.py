"""Outputs in object storage: written into a file first, and put there whole when everything is done."""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath

from weakcode.errors import InputError, first_line
from weakcode.scrub.read.places import is_address, shown_address, system_of
from weakcode.scrub.write.files import OutputError, checked_output, named_in


def checked_target(
    path: str | os.PathLike[str], allowed: Iterable[str], inputs: Iterable[str], usual: str
) -> tuple[Path, str | None]:
    """Return the file to write, and the address that it goes to, if there is one; in a folder it is called `usual`.

    Raises InputError before any work where an output cannot be written.
    """
    if not is_address(path):
        return checked_output(named_in(path, usual), allowed, inputs), None
    address = os.fspath(path)
    plain, mark, query = address.partition("?")
    if plain.endswith("/"):
        plain += usual
    address, name = plain + mark + query, PurePosixPath(plain).name
    suffix = PurePosixPath(plain.lower()).suffix
    if suffix not in allowed:
        found = f"the extension {suffix!r}" if suffix else "no extension"
        raise InputError(f"{shown_address(address)} has {found}; an output ends in {', '.join(allowed)}")
    if any(shown_address(source) == shown_address(address) for source in inputs if is_address(source)):
        raise InputError(f"{shown_address(address)} is also an input; give the output another name")
    with _telling(address):
        system, at = system_of(address)
        # Whether it can be reached at all is known before hours of work.
        system.get_file_info([at])
    return Path(tempfile.gettempdir(), f"{secrets.token_hex(8)}-{name}"), address


def usual_name(inputs: Sequence[str], allowed: Iterable[str]) -> str:
    """Return what mended claims are called in a folder: with the extension of the one input, where that can be."""
    suffix = PurePosixPath(inputs[0].partition("?")[0].lower()).suffix if len(inputs) == 1 else ""
    return f"mended{suffix if suffix in allowed else '.jsonl'}"


def shown_target(path: str | os.PathLike[str] | None) -> str:
    """Return an output as it may be shown."""
    return "" if path is None else shown_address(os.fspath(path)) if is_address(path) else os.fspath(path)


class ObjectStorage:
    """Object storage, by addresses."""

    def upload(self, file: Path, address: str) -> None:
        """Put a file at an address, whole. Raises OutputError, and nothing is there that was not before."""
        from pyarrow import fs

        with _telling(address):
            system, at = system_of(address)
            is_present = self.exists(address)
            try:
                fs.copy_files(str(file), at, source_filesystem=fs.LocalFileSystem(), destination_filesystem=system)
                if system.get_file_info([at])[0].size != file.stat().st_size:
                    raise OSError("not all of it arrived")
            except BaseException:
                if not is_present:
                    self.remove(address)
                raise

    def exists(self, address: str) -> bool:
        """Tell whether something stands at an address. Raises OutputError where that cannot be found out."""
        from pyarrow import fs

        with _telling(address):
            system, at = system_of(address)
            return bool(system.get_file_info([at])[0].type != fs.FileType.NotFound)

    def remove(self, address: str) -> None:
        """Remove what stands at an address, if that can be done."""
        with suppress(OSError, InputError):
            system, at = system_of(address)
            system.delete_file(at)

    def shown(self, address: str) -> str:
        """Return the address without what may be a secret in it."""
        return shown_address(address)


@contextmanager
def _telling(address: str) -> Iterator[None]:
    """Turn what a file system says into one sentence."""
    try:
        yield
    except InputError:
        raise
    except OSError as error:
        raise OutputError(f"{shown_address(address)} cannot be written: {first_line(error)}") from None
