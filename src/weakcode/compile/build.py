"""From rule files to a program: from the cache where it holds exactly these rules, else compiled and kept there."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from weakcode._version import __version__
from weakcode.codes import store, table
from weakcode.codes.edition import Edition
from weakcode.codes.shape import PROGRAM
from weakcode.compile.program import Program
from weakcode.rules.library import read_bytes, readings_file, shared_files

if TYPE_CHECKING:
    from weakcode.rules.profile import Profile

_COMPILERS = ("compile", "codes")


@cache
def _compiler() -> str:
    """Return a digest of the code that reads notes and rules, so that no program outlives the compiler that made it."""
    digest = hashlib.blake2b(digest_size=16)
    package = Path(__file__).parents[1]
    for folder in _COMPILERS:
        for path in sorted((package / folder).rglob("*.*")):
            if path.suffix in (".py", ".lark"):
                digest.update(path.read_bytes())
    return digest.hexdigest()


def build_program(paths: Sequence[Path], edition: Edition, profile: Profile | None = None) -> Program:
    """Return the program of the rule files for the Tabular List of an edition, which serves every day it judges.

    The code sets of a profile stand in place of the files' own. Raises RuleFileError for a file that was refused, and
    for a code set of the profile that nothing uses.
    """
    contents = {path: read_bytes(path) for path in paths}
    shared = {one for path, content in contents.items() for one in shared_files(path, content)}
    contents |= {path: read_bytes(path) for path in sorted({*shared, readings_file()})}
    digest = hashlib.blake2b(digest_size=16)
    for path, content in contents.items():
        digest.update(f"{path.name}:{len(content)}:".encode() + content)
    if profile is not None and profile.code_sets:
        digest.update(json.dumps(profile.code_sets, sort_keys=True).encode())
    made_of = (edition.notes_name, edition.digest, table.digest(), digest.hexdigest())
    key = ":".join((__version__, _compiler(), *made_of))
    place = store.cache_dir() / f"program-{hashlib.blake2b(key.encode(), digest_size=12).hexdigest()}.bin"
    stored = store.read(place, key, PROGRAM)
    opened = None if stored is None else _opened(stored)
    return opened or Program.open(*_compile(paths, edition.whole, key, place, profile))


def _opened(stored: store.Stored) -> Program | None:
    """Return the program in a container; None where its header is not one that `Program.pack` writes."""
    try:
        return Program.open(stored.meta, stored.sections)
    except (ValueError, LookupError, TypeError, AttributeError):
        return None


def _compile(
    paths: Sequence[Path], edition: Edition, key: str, place: Path, profile: Profile | None
) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    from weakcode.compile.compiler import compile_packs
    from weakcode.rules.load import load_pack, refuse_clashes
    from weakcode.rules.profilechecks import check_code_sets

    given = profile.code_sets if profile is not None else {}
    names = {name.rpartition("/")[2] for name in given}
    loaded = [load_pack(path, given_sets=names) for path in paths]
    refuse_clashes(loaded)
    if profile is not None and given:
        check_code_sets(profile, loaded)
    lines = {f"{one.pack.pack}/{rule}": line for one in loaded for rule, line in one.lines.items()}
    rules, edits = compile_packs([one.pack for one in loaded], edition, lines, given)
    edition.let_go()
    facts = {fact for one in loaded for fact in one.pack.facts}
    packs = list(dict.fromkeys(f"{one.pack.pack} {one.pack.version}" for one in loaded))
    meta, sections = Program.pack(edition.notes_name, packs, rules, facts, edits)
    store.write(place, key, meta, sections)
    return meta, sections
