"""Find rule files: the packs that weakcode ships, and the user's own.

A pack may be spread over several files that all name it; its name then stands for all of them.
What the files of a folder share stands in files of its own: publications in `_sources.yaml`, and the version, facts,
ages and code sets of a pack in the file with the pack's name. Nothing here reads YAML as YAML. A warm start asks only
for names, bytes and digests, so names are read from the plain lines `pack: …` and `- id: …`.
"""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Iterable, Iterator
from importlib.resources import files
from pathlib import Path

import attrs

from weakcode.errors import InputError, UnknownNameError, did_you_mean
from weakcode.rules.reading import GivenFile, leads_out, read_whole

_SUFFIXES = (".yaml", ".yml")
_FACTS = re.compile(rb"^facts:\n((?:[ ]+.*\n|\n)+)", re.MULTILINE)
_FACT = re.compile(rb"^  ([a-z0-9-]+):", re.MULTILINE)
_VERSION = re.compile(rb"^version:[ \t]*[\"']?([^\"'\s#]+)", re.MULTILINE)
_PACK = re.compile(rb"^pack:[ \t]*[\"']?([a-z0-9-]+)", re.MULTILINE)
SOURCES_FILE = "_sources.yaml"
"""Publications that every rule file of the folder can cite."""
READINGS_FILE = "tabular-readings.yaml"
"""How notes of the Tabular List are read, beside the bundled packs."""
_RULE = re.compile(rb"^[ \t]*(?:-[ \t]+)?(?:\{[ \t]*)?id:[ \t]*[\"']?([a-z0-9-]+)", re.MULTILINE)


@attrs.frozen
class Selected:
    """A rule file to use: all of it, or `only_rules` (full ids), which run even where off by default."""

    path: Path
    only_rules: frozenset[str] | None = None


@functools.cache
def packs_folder() -> Path:
    """Return the folder of the bundled packs: in the installed package, or rules/ of a source checkout."""
    installed = Path(str(files("weakcode"))) / "packs"
    if installed.is_dir():
        return installed
    return Path(__file__).resolve().parents[3] / "rules"


def bundled_packs() -> dict[str, tuple[Path, ...]]:
    """Return the files of the packs that weakcode ships, by pack name, in the order of the file names."""
    packs: dict[str, tuple[Path, ...]] = {}
    for path in sorted(packs_folder().glob("*.yaml")):
        name = pack_name(read_bytes(path))
        if name is not None:
            packs[name] = (*packs.get(name, ()), path)
    return packs


def pack_file(path: Path, pack: str) -> Path | None:
    """Return the file that speaks for a whole pack, beside another file of it; None where there is no such file."""
    if isinstance(path, GivenFile):
        return None
    own = path.parent / f"{pack}.yaml"
    return own if own != path and own.is_file() and pack_name(read_bytes(own)) == pack else None


def sources_file(path: Path) -> Path | None:
    """Return the file with the publications of a rule file's folder, or weakcode's own where the folder has none."""
    folders = (packs_folder(),) if isinstance(path, GivenFile) else (path.parent, packs_folder())
    places = [folder / SOURCES_FILE for folder in folders]
    return next((place for place in places if place.is_file()), None)


def shared_files(path: Path, content: bytes) -> tuple[Path, ...]:
    """Return the files that a rule file is read together with: the publications of its folder, the file of its pack."""
    pack = pack_name(content)
    found = (sources_file(path), pack_file(path, pack) if pack is not None else None)
    return tuple(one for one in found if one is not None)


def lead_out(paths: Iterable[Path], root: Path) -> Iterator[bool]:
    """Tell of each rule file whether it, or a file that it is read together with, stands outside of a folder."""
    for path in paths:
        yield leads_out(path, root)
        together = shared_files(path, read_bytes(path)) if path.is_file() else ()
        yield any(leads_out(one, root) for one in together if one.parent != packs_folder())


def readings_file() -> Path:
    """Return the file that says how notes of the Tabular List are read."""
    return packs_folder() / READINGS_FILE


def read_bytes(path: Path) -> bytes:
    """Return the bytes of a rule file; raises InputError where it cannot be read."""
    try:
        return read_whole(path)
    except OSError as error:
        reason = (error.strerror or "unknown reason").lower()
        raise InputError(f'the rule file "{path}" cannot be read: {reason}') from None


def digest(content: bytes) -> str:
    """Return the SHA-256 of a rule file's bytes, as `LoadedPack.digest` has it."""
    return hashlib.sha256(content).hexdigest()


def pack_name(content: bytes) -> str | None:
    """Return the name of the pack in a rule file, None where no plain line has it."""
    found = _PACK.search(content)
    return found[1].decode() if found else None


@functools.cache
def bundled_facts() -> frozenset[str]:
    """Return the documented facts that bundled packs declare, from the files' plain lines."""
    contents = [read_bytes(path) for paths in bundled_packs().values() for path in paths]
    blocks = [block[1] for content in contents for block in _FACTS.finditer(content)]
    return frozenset(name.decode() for block in blocks for name in _FACT.findall(block))


def bundled_versions() -> tuple[str, ...]:
    """Return each bundled pack with its version, as verdicts name them, from the files' plain lines."""
    named: list[str] = []
    for pack, paths in bundled_packs().items():
        found = {match[1].decode() for path in paths if (match := _VERSION.search(read_bytes(path)))}
        named.extend(f"{pack} {version}" for version in sorted(found or {"1"}))
    return tuple(named)


def rule_ids(content: bytes) -> tuple[str, ...]:
    """Return the short ids of the rules in a rule file, from its plain lines."""
    return tuple(found.decode() for found in _RULE.findall(content))


@functools.cache
def bundled_rule_ids() -> tuple[str, ...]:
    """Return the full ids of all rules that weakcode ships."""
    packs = bundled_packs().items()
    return tuple(f"{pack}/{rule}" for pack, paths in packs for path in paths for rule in rule_ids(read_bytes(path)))


def resolve_packs(
    names_or_paths: Iterable[str | Path] | None = None,
    *,
    base: Path | None = None,
    root: Path | None = None,
    own: Iterable[Path] = (),
) -> list[Selected]:
    """Return what names and paths stand for: whole files in the order given, then single rules.

    A name is a bundled pack (all its files), a rule file, a folder of rule files, or a full rule id such as
    `weakness/excludes2-hematoma`; None is all bundled packs. A bundled pack goes before a file of the same
    name: write `./weakness` for the latter. Relative paths are taken from `base`. An id alone runs this rule
    alone; an id beside its pack switches the rule on, and the file then stands in the list twice, whole and
    with its rules. `own` are further rule files whose rules an id may name.

    Raises UnknownNameError, with the nearest name, and InputError where a path leads out of `root`.
    """
    packs = bundled_packs()
    if names_or_paths is None:
        return [Selected(path) for paths in packs.values() for path in paths]
    whole: dict[Path, None] = {}
    ids: list[str] = []
    for one in names_or_paths:
        if isinstance(one, GivenFile):
            whole[one] = None
            continue
        name = str(one)
        paths = packs[name] if name in packs else _files(name, base, root)
        if paths is None:
            ids.append(name)
        else:
            whole.update(dict.fromkeys(paths))
    named = _named_rules(ids, packs, (*own, *whole)) if ids else {}
    return [
        *(Selected(path) for path in whole),
        *(Selected(path, frozenset(rules)) for path, rules in named.items()),
    ]


def _files(name: str, base: Path | None, root: Path | None) -> list[Path] | None:
    """Return the rule files at a path, None where there is nothing."""
    path = (base / name if base is not None else Path(name)) if name.strip() else None
    if path is None:
        return None
    found = _existing(name, path)
    if root is not None and any(lead_out([path, *(found or ())], root)):
        raise InputError(f'"{name}" leads out of the folder below which a profile may name files')
    return found


def _existing(name: str, path: Path) -> list[Path] | None:
    if path.is_dir():
        found = sorted(item for item in path.iterdir() if _is_rule_file(item))
        if not found:
            raise UnknownNameError(f'the folder "{name}" has no rule files; they end in .yaml or .yml')
        return found
    if path.is_file():
        return [path]
    if path.suffix in _SUFFIXES:
        raise UnknownNameError(f'there is no rule file "{name}"')
    return None


def _is_rule_file(path: Path) -> bool:
    shared = path.name.startswith("_") or path.name == READINGS_FILE
    return path.suffix in _SUFFIXES and path.is_file() and not shared


def _named_rules(ids: list[str], packs: dict[str, tuple[Path, ...]], own: Iterable[Path]) -> dict[Path, list[str]]:
    """Return the full ids asked for, by the file that has the rule."""
    bundled = {path for paths in packs.values() for path in paths}
    files = dict(packs)
    own_files: dict[str, tuple[Path, ...]] = {}
    for path in own:
        name = pack_name(read_bytes(path))
        if name is not None and path not in bundled:
            own_files[name] = (*own_files.get(name, ()), path)
    files.update(own_files)
    named: dict[Path, list[str]] = {}
    for full in ids:
        pack, slash, rule = full.partition("/")
        if not slash or pack not in files:
            hint = did_you_mean(pack, files) or f"; there are {', '.join(files)}"
            raise UnknownNameError(f'there is no pack or rule file "{full}"{hint}')
        known = {one: path for path in files[pack] for one in rule_ids(read_bytes(path))}
        if rule not in known:
            close = did_you_mean(full, [f"{pack}/{one}" for one in known])
            raise UnknownNameError(f'the pack "{pack}" has no rule "{rule}"{close}')
        named.setdefault(known[rule], []).append(full)
    return named
