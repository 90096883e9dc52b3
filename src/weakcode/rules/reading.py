"""Files of rules as bytes: how large they may be, where those may stand that a profile names, and which kind they are.

A profile may come from someone else, a tenant. What it names is read from below one folder, and what turns out to be no
rule file, profile or file of waivers is not repeated in any message.

A program may give rule files and profiles as mappings, such as from its database. A mapping becomes the text of a file
and is then read like one, so that the same is allowed and refused. Errors name the path that leads to them
in the mapping, such as `also[0].rules[2].subject`, for there is no line.
"""

from __future__ import annotations

import datetime as dt
import errno
import os
import re
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from weakcode.errors import Problem, RuleFileError, did_you_mean

if TYPE_CHECKING:
    from weakcode.rules.yamlmarks import Path as Place

LARGEST = 32 << 20
"""Bytes that a rule file, a profile or a file of waivers may have. The largest that weakcode ships has a hundredth."""
_TOP_KEY = re.compile(r"^[\"']?([A-Za-z_][\w.-]*)[\"']?[ \t]*:(?=\s|$)", re.MULTILINE)


# Before Python 3.12 only the system's own class of paths can be derived from, which no checker of types follows.
class GivenFile(type(Path())):  # type: ignore[misc]
    """A mapping that a program gave in the place of a file, as the file's `content`; its name is the argument's."""

    content: bytes

    @classmethod
    def of(cls, name: str, content: bytes) -> GivenFile:
        """Return content as a file of this name."""
        made = cls(name)
        made.content = content
        return made

    def __reduce__(self) -> Any:
        """Travel with the content."""
        return GivenFile.of, (str(self), self.content)


Given = Mapping[str, Any]
Names = tuple[str | GivenFile, ...]


def read_whole(path: Path, largest: int = LARGEST) -> bytes:
    """Return the bytes of a file; raises OSError, also for one that is larger or without an end."""
    if isinstance(path, GivenFile):
        if len(path.content) > largest:
            raise OSError(errno.EFBIG, f"it is larger than {largest:,} bytes")
        return path.content
    with path.open("rb") as file:
        if stat.S_ISREG(os.fstat(file.fileno()).st_mode) and os.fstat(file.fileno()).st_size > largest:
            raise OSError(errno.EFBIG, f"it is larger than {largest:,} bytes")
        content = file.read(largest + 1)
    if len(content) > largest:
        raise OSError(errno.EFBIG, f"it is larger than {largest:,} bytes")
    return content


def leads_out(path: Path, root: Path) -> bool:
    """Tell whether a path stands outside of a folder once symbolic links are resolved, whether or not it is there."""
    try:
        place, top = os.path.realpath(path), os.path.realpath(root)
        return os.path.commonpath([place, top]) != top
    except ValueError:  # a path that no system has, or one on another drive
        return True


def hide_other_kinds(
    error: RuleFileError, content: str | bytes, name: str, wanted: str, *, given: bool = False
) -> RuleFileError:
    """Return the error on a file, without anything of a file that is neither rule file, profile nor waivers.

    `wanted` is what it was given as, such as "a profile"; `given` tells that a program gave it as a mapping, so that
    nothing of it is hidden.
    """
    from weakcode.rules.model import Pack, Publications
    from weakcode.rules.profile import Profile, WaiverFile

    if given or not content.strip():
        return error
    keys = _top_keys(content, name)
    if any(_fits(keys, kind) for kind in (Pack, Publications, Profile, WaiverFile)):
        return error
    return RuleFileError([Problem(name, 1, 1, f"this is not {wanted}: none of the keys that one has stand at its top")])


def _top_keys(content: str | bytes, name: str) -> list[str]:
    from weakcode.rules.yamlmarks import read

    try:
        return [str(key) for key in read(content, name).data]
    except RuleFileError:
        # It is broken YAML, or something else: its plain lines show which.
        text = content if isinstance(content, str) else content.decode("utf-8", "replace")
        return _TOP_KEY.findall(text.removeprefix("\ufeff"))


def _fits(keys: list[str], kind: type[Any]) -> bool:
    """Tell whether the keys are those of a kind of file, slips of the pen allowed for."""
    from weakcode.rules.structure import file_fields, file_key

    allowed = [file_key(field) for field in file_fields(kind)]
    return bool(set(keys) & set(allowed)) and all(key in allowed or did_you_mean(key, allowed) for key in keys)


def several(names: Iterable[str | Path | Given] | str | Path | Given | None, argument: str) -> Names | None:
    """Return names, paths and mappings given as one or as several; None for None. Mappings go by the argument."""
    if names is None:
        return None
    if isinstance(names, str | Path | Mapping):
        return (_named(names, argument),)
    return tuple(_named(one, f"{argument}[{number}]") for number, one in enumerate(names))


def _named(one: str | Path | Given, argument: str) -> str | GivenFile:
    if isinstance(one, Mapping):
        return as_file(one, argument)
    return one if isinstance(one, GivenFile) else str(one)


def as_file(data: Given, name: str) -> GivenFile:
    """Return a mapping as a file. Raises RuleFileError, with the path to it, for a value that no file could hold."""
    import yaml

    # libyaml's where PyYAML was built with it: which class that is, no checker of types knows.
    class Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
        def ignore_aliases(self, data: object) -> bool:
            return True

    text = yaml.dump(_plain(data, (), name), Dumper=Dumper, sort_keys=False, allow_unicode=True, width=1 << 20)
    return GivenFile.of(name, text.encode())


def _refused(name: str, path: Place, message: str) -> RuleFileError:
    from weakcode.rules.yamlmarks import path_text

    return RuleFileError([Problem(name, 1, 1, message, path_text(path))])


def _plain(value: Any, path: Place, name: str) -> Any:
    """Return a value as a file would give it: dates as text, any mapping and sequence as keys and lists."""
    from weakcode.rules.yamlmarks import DEEPEST

    if len(path) >= DEEPEST:
        raise _refused(name, path[:3], f"nested deeper than {DEEPEST} levels; no rule file needs that")
    if isinstance(value, Mapping):
        return {_key(key, path, name): _plain(item, (*path, key), name) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, (*path, index), name) for index, item in enumerate(value)]
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return value.isoformat()
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _text(value, path, name)
    for kind in (int, float):
        if isinstance(value, kind):
            return kind(value)
    message = f"expected text, a number, a date, a list or keys with values, found {type(value).__name__}"
    raise _refused(name, path, message)


def _key(key: Any, path: Place, name: str) -> str | int:
    if isinstance(key, bool) or not isinstance(key, str | int):
        raise _refused(name, path, f"a key is a word, or a position such as 1; found {type(key).__name__}")
    return _text(key, path, name) if isinstance(key, str) else int(key)


def _text(text: str, path: Place, name: str) -> str:
    from weakcode.rules.yamlmarks import check_characters

    problem = check_characters(text)
    if problem:
        raise _refused(name, path, problem)
    return str(text)
