"""Files of rules as bytes: how large they may be, where those may stand that a profile names, and which kind they are.

A profile may come from someone else, a tenant. What it names is read from below one folder, and what turns out to be no
rule file, profile or file of waivers is not repeated in any message.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from pathlib import Path
from typing import Any

from weakcode.errors import Problem, RuleFileError, did_you_mean

LARGEST = 32 << 20
"""Bytes that a rule file, a profile or a file of waivers may have. The largest that weakcode ships has a hundredth."""
_TOP_KEY = re.compile(r"^[\"']?([A-Za-z_][\w.-]*)[\"']?[ \t]*:(?=\s|$)", re.MULTILINE)


def read_whole(path: Path, largest: int = LARGEST) -> bytes:
    """Return the bytes of a file; raises OSError, also for one that is larger or without an end."""
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


def hide_other_kinds(error: RuleFileError, content: str | bytes, name: str, wanted: str) -> RuleFileError:
    """Return the error on a file, without anything of a file that is neither rule file, profile nor waivers.

    `wanted` is what it was given as, such as "a profile".
    """
    from weakcode.rules.model import Pack, Publications
    from weakcode.rules.profile import Profile, WaiverFile

    if not content.strip():
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
        # It is broken YAML, or something else: its plain lines tell.
        text = content if isinstance(content, str) else content.decode("utf-8", "replace")
        return _TOP_KEY.findall(text.removeprefix("\ufeff"))


def _fits(keys: list[str], kind: type[Any]) -> bool:
    """Tell whether the keys are those of a kind of file, slips of the pen allowed for."""
    from weakcode.rules.structure import file_fields, file_key

    allowed = [file_key(field) for field in file_fields(kind)]
    return bool(set(keys) & set(allowed)) and all(key in allowed or did_you_mean(key, allowed) for key in keys)
