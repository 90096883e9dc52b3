"""Which columns hold what, in the user's words: `--map`, the mapping of Python, and a file in which it is kept."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from weakcode.errors import InputError, did_you_mean
from weakcode.fields import ABOUT_THE_CLAIM, FIELDS

MAP_KEYS = {
    "id": "claim_id",
    "claim_id": "claim_id",
    "codes": "codes",
    "code": "code",
    "sequence": "sequence",
    "codetype": "codetype",
    "principal": "principal",
    "principal_poa": "principal_poa",
    "poa": "poa",
    **{field.short: field.name for field in FIELDS if field.short},
    "line": "line",
    "procedure": "procedure",
    "pointer": "pointer",
    **{name: name for name in ABOUT_THE_CLAIM},
}
"""What `--map` can name, and the name of the same thing here."""
SHORT = {name: key for key, name in reversed(MAP_KEYS.items())}
"""The same the other way round: what a part of a claim is called by `--map`."""
_BOTH_NEEDED = (
    "--map must name id and codes, as in id=CLM_ID,codes=ICD_DGNS_CD*, or id and code where a row is a diagnosis"
)


def parse_mapping(arguments: Sequence[str]) -> dict[str, str]:
    """Return what `id=CLM_ID,codes=ICD_DGNS_CD*` maps, by the names used here; raises InputError if it is none."""
    mapping: dict[str, str] = {}
    for part in (part.strip() for text in arguments for part in text.split(",")):
        key, equals, column = (piece.strip() for piece in part.partition("="))
        if not equals or not column:
            raise InputError(f"--map {part!r} is not NAME=COLUMN, as in id=CLM_ID,codes=ICD_DGNS_CD*")
        _add(mapping, key, column)
    return _checked_whole(mapping)


def checked_mapping(entries: Mapping[str, object]) -> dict[str, str]:
    """Return a mapping from the names of --map, or of the fields of a claim, to columns; raises InputError.

    A column is its name, in which `*` stands for a number; a list of names joins them as `+` does.
    """
    mapping: dict[str, str] = {}
    for key, column in entries.items():
        names = [column] if isinstance(column, str) else column
        if not isinstance(names, list | tuple) or not names or not all(isinstance(one, str) and one for one in names):
            raise InputError(f"the mapping of {key!r} is the name of a column, or a list of names")
        _add(mapping, str(key), "+".join(names))
    return _checked_whole(mapping)


def _add(mapping: dict[str, str], key: str, column: str) -> None:
    if key not in MAP_KEYS:
        raise InputError(f"--map does not know {key!r}; it maps {', '.join(MAP_KEYS)}{did_you_mean(key, MAP_KEYS)}")
    if MAP_KEYS[key] in mapping:
        raise InputError(f"--map names {key} twice; give it once, with columns joined by + where there are several")
    mapping[MAP_KEYS[key]] = column


def _checked_whole(mapping: dict[str, str]) -> dict[str, str]:
    if not mapping:
        return mapping
    if "claim_id" not in mapping or not {"codes", "code"} & set(mapping):
        raise InputError(_BOTH_NEEDED)
    if "codes" in mapping and "code" in mapping:
        raise InputError(
            "--map names both codes and code; codes are all of a claim's in one row, code is one of them a row"
        )
    if "code" not in mapping and (also := [key for key in ("sequence", "codetype") if key in mapping]):
        raise InputError(f"--map names {also[0]}, which goes with code=COLUMN: a row a diagnosis")
    if "code" in mapping and (
        not_with := [key for key in ("principal", "principal_poa", "line", "procedure", "pointer") if key in mapping]
    ):
        raise InputError(f"--map names {not_with[0]}, which does not go with code=COLUMN: a row is a diagnosis there")
    return mapping


def read_map_file(path: str | os.PathLike[str]) -> dict[str, str]:
    """Return the mapping that a file keeps, a JSON object as `{"id": "Acct #", "codes": "Dx *"}`; raises InputError."""
    try:
        values = json.loads(Path(path).read_text("utf-8"))
    except OSError as error:
        raise InputError(f"--map-file {os.fspath(path)} cannot be read: {error.strerror or error}") from None
    except ValueError:
        values = None
    if not isinstance(values, dict):
        raise InputError(
            f'--map-file {os.fspath(path)} is no JSON object such as {{"id": "CLM_ID", "codes": "ICD_DGNS_CD*"}}'
        )
    return checked_mapping(values)


def write_map_file(path: str | os.PathLike[str], columns: Mapping[str, str]) -> None:
    """Keep a mapping, by the names of --map, in a file that `read_map_file` reads."""
    try:
        Path(path).write_text(json.dumps(dict(columns), indent=2, ensure_ascii=False) + "\n", "utf-8")
    except OSError as error:
        raise InputError(f"--map-file {os.fspath(path)} cannot be written: {error.strerror or error}") from None
