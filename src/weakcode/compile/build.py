"""From rule files to a program: from what is compiled already where that holds exactly these rules, else compiled.

The packs that weakcode ships are one program, the base, shared by all validators of a process. Whatever else is chosen
is an overlay over it: only the user's own rules are compiled, and those rules of the base whose code sets a profile
replaces.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

import attrs

from weakcode._version import __version__
from weakcode.base.building import uncollected
from weakcode.base.progress import doing
from weakcode.codes import table
from weakcode.codes.edition import Edition
from weakcode.codes.storage import shipped, store
from weakcode.codes.storage.shape import PROGRAM
from weakcode.compile.layered import LayeredRules
from weakcode.compile.program import PackFile, Program
from weakcode.compile.records import program_holds
from weakcode.rules.library import bundled_packs, read_bytes, readings_file, shared_files

if TYPE_CHECKING:
    from weakcode.rules.load import LoadedPack
    from weakcode.rules.profile import Profile

_SETS = re.compile(r"\$([A-Za-z][A-Za-z0-9_-]*)")

_known: WeakValueDictionary[str, Program] = WeakValueDictionary()
"""Programs in use, by key, so that all who ask for the same one share it."""


def build_program(paths: Sequence[Path], edition: Edition, profile: Profile | None = None) -> Program:
    """Return the program of the rule files for the Tabular List of an edition, which serves every day it judges.

    The code sets of a profile stand in place of the files' own. Raises RuleFileError for a file that was refused, and
    for a code set of the profile that nothing uses.
    """
    base_files = _base_files()
    if not any(path in base_files for path in paths):
        return _program(paths, edition, profile)
    base = _program(base_files, edition, None)
    chosen = _Choice(base, base_files, paths, edition, profile)
    if chosen.clashes:
        # Compiled together, they are refused with the place of each rule.
        return _program(paths, edition, profile)
    return chosen.program()


def base_program(edition: Edition) -> Program:
    """Return the program of every pack that weakcode ships."""
    return _program(_base_files(), edition, None)


def _base_files() -> tuple[Path, ...]:
    return tuple(path for paths in bundled_packs().values() for path in paths)


def _program(
    paths: Sequence[Path], edition: Edition, profile: Profile | None, only: Mapping[Path, frozenset[str]] | None = None
) -> Program:
    """Return the program of whole files; of those in `only`, of these rules by their short ids."""
    key = _key(paths, edition, profile, only)
    program = _known.get(key)
    if program is None:
        place = store.cache_dir() / f"program-{hashlib.blake2b(key.encode(), digest_size=12).hexdigest()}.bin"
        stored = shipped.opened(place, key, PROGRAM)
        program = None if stored is None else Program.open(stored.meta, stored.sections)
        if program is None:

            def compile_all() -> Program:
                what = "the bundled rules" if tuple(paths) == _base_files() else "rules"
                with doing(f"compiling {what}, which are kept for the next time"), uncollected():
                    return Program.open(*_compile(paths, edition.whole, key, place, profile, only or {}))

            stored = store.read(place, key, PROGRAM, lambda one: program_holds(one, edition))
            program = compile_all() if stored is None else Program.open(stored.meta, stored.sections, compile_all)
        program = _known.setdefault(key, program)
    return program


def _key(
    paths: Sequence[Path], edition: Edition, profile: Profile | None, only: Mapping[Path, frozenset[str]] | None
) -> str:
    """Return what a program is made of: never where its files are, or how old."""
    made_of = (edition.notes_name, edition.digest, table.digest(), rules_digest(paths, profile, only))
    return ":".join((__version__, shipped.made_by("codes", "compile", "rules", "semantics"), *made_of))


def rules_digest(
    paths: Iterable[Path], profile: Profile | None, only: Mapping[Path, frozenset[str]] | None = None
) -> str:
    """Return the digest of the content of rule files, of what they share, and of the code sets of a profile."""
    contents = {path: read_bytes(path) for path in paths}
    shared = {one for path, content in contents.items() for one in shared_files(path, content)}
    contents |= {path: read_bytes(path) for path in sorted({*shared, readings_file()})}
    digest = hashlib.blake2b(digest_size=16)
    for path, content in contents.items():
        digest.update(f"{path.name}:{len(content)}:".encode() + content)
        if only and path in only:
            digest.update(json.dumps(sorted(only[path])).encode())
    if profile is not None and profile.code_sets:
        digest.update(json.dumps(profile.code_sets, sort_keys=True).encode())
    return digest.hexdigest()


def _compile(
    paths: Sequence[Path],
    edition: Edition,
    key: str,
    place: Path,
    profile: Profile | None,
    only: Mapping[Path, frozenset[str]],
) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    from weakcode.compile.compiler import compile_packs
    from weakcode.rules.load import load_pack, refuse_clashes
    from weakcode.rules.profilechecks import check_code_sets

    whole = tuple(paths) == _base_files() and profile is None
    own_sets = profile.code_sets if profile is not None else {}
    names = {name.rpartition("/")[2] for name in own_sets}
    loaded = [load_pack(path, given_sets=names) for path in paths]
    refuse_clashes(loaded)
    if profile is not None and own_sets and not only:
        check_code_sets(profile, loaded)
    loaded = [_of_rules(one, only.get(path)) for path, one in zip(paths, loaded, strict=True)]
    lines = {f"{one.pack.pack}/{rule}": line for one in loaded for rule, line in one.lines.items()}
    if any(rule.notes for one in loaded for rule in one.pack.rules):
        # They ask for nearly every place; a few rules of one's own for hardly any.
        edition.prepare()
    rules, edits = compile_packs([one.pack for one in loaded], edition, lines, own_sets)
    edition.let_go()
    facts = {fact for one in loaded for fact in one.pack.facts}
    files = _files(paths, loaded)
    packs = list(dict.fromkeys(one.shown for one in files))
    meta, sections = Program.pack(edition.notes_name, packs, rules, facts, edits, files)
    shipped.keep(place, store.pack(key, meta, sections), ships=whole)
    return meta, sections


def _of_rules(loaded: LoadedPack, rules: frozenset[str] | None) -> LoadedPack:
    if rules is None:
        return loaded
    kept = tuple(rule for rule in loaded.pack.rules if rule.id in rules)
    return attrs.evolve(loaded, pack=attrs.evolve(loaded.pack, rules=kept))


def _files(paths: Sequence[Path], loaded: Iterable[LoadedPack]) -> list[PackFile]:
    files: list[PackFile] = []
    first = 0
    for path, one in zip(paths, loaded, strict=True):
        pack, end = one.pack, first + len(one.pack.rules)
        files.append(PackFile(path.name, pack.pack, pack.version, tuple(pack.facts), dict(pack.code_sets), first, end))
        first = end
    return files


class _Choice:
    """Rule files of which some are in a base, as a program over it."""

    def __init__(
        self,
        base: Program,
        base_files: Sequence[Path],
        paths: Sequence[Path],
        edition: Edition,
        profile: Profile | None,
    ) -> None:
        self._base, self._paths, self._edition, self._profile = base, paths, edition, profile
        files = dict(zip(base_files, base.files, strict=True))
        self._bundled = {path: files[path] for path in paths if path in files}
        self._replaced = {
            path: rules
            for path, file in self._bundled.items()
            if profile is not None and (rules := _rules_with(path, file, profile.code_sets))
        }
        own = [path for path in paths if path not in self._bundled]
        self._own_paths = [*self._replaced, *own]
        self._own = _program(self._own_paths, edition, profile, self._replaced) if self._own_paths else None
        if profile is not None and profile.code_sets:
            self._check_code_sets(profile)

    @property
    def _own_files(self) -> dict[Path, PackFile]:
        return dict(zip(self._own_paths, self._own.files, strict=True)) if self._own is not None else {}

    @property
    def clashes(self) -> bool:
        """Whether two of the files have a rule of the same full id."""
        ids = [self._rule(number).id for number in self._numbers()]
        return len(set(ids)) < len(ids)

    def _rule(self, number: int) -> Any:
        count = len(self._base.rules)
        if number < count or self._own is None:
            return self._base.rules[number]
        return self._own.rules[number - count]

    def _numbers(self) -> list[int]:
        """Return the numbers of the rules chosen, in the order of the files."""
        count, own = len(self._base.rules), self._own_files
        new_numbers = {} if self._own is None else {rule.id: count + n for n, rule in enumerate(self._own.rules)}
        numbers: list[int] = []
        for path in self._paths:
            file = self._bundled.get(path)
            if file is None:
                numbers += range(count + own[path].first, count + own[path].end)
                continue
            again = self._replaced.get(path, frozenset())
            for number in range(file.first, file.end):
                full = self._base.rules[number].id
                numbers.append(new_numbers[full] if full.partition("/")[2] in again else number)
        return numbers

    def program(self) -> Program:
        """Return the program: the base itself where exactly that was chosen."""
        files = [self._bundled[path] if path in self._bundled else self._own_files[path] for path in self._paths]
        if self._own is None and files == list(self._base.files):
            return self._base
        facts = (fact for file in files for fact in file.facts)
        return LayeredRules.over(self._base, self._own, self._numbers(), (file.shown for file in files), facts)

    def _check_code_sets(self, profile: Profile) -> None:
        from weakcode.rules.load import LoadedPack
        from weakcode.rules.model import Pack
        from weakcode.rules.profilechecks import check_code_sets

        files = {**self._own_files, **self._bundled}
        loaded = [
            LoadedPack(Pack(pack=file.pack, title=file.pack, code_sets=dict(file.code_sets)), str(path), "", {})
            for path, file in ((path, files[path]) for path in self._paths)
        ]
        check_code_sets(profile, loaded)


def _rules_with(path: Path, file: PackFile, own_sets: Mapping[str, str]) -> frozenset[str]:
    """Return the short ids of the rules of a file that use a code set which a profile replaces."""
    replaced = {name for key in own_sets for prefix, _, name in [key.rpartition("/")] if prefix in ("", file.pack)}
    replaced &= set(file.code_sets)
    if not replaced:
        return frozenset()
    more = True
    while more:
        using = {name for name, text in file.code_sets.items() if replaced.intersection(_SETS.findall(text))}
        more = not using <= replaced
        replaced |= using
    return frozenset(rule for rule, names in _sets_of_rules(path, path.read_bytes()).items() if names & replaced)


@lru_cache(maxsize=64)
def _sets_of_rules(path: Path, content: bytes) -> dict[str, frozenset[str]]:
    """Return the code sets that each rule of a file names, by its short id; cached by the file's content."""
    from weakcode.rules.load import load_pack

    return {
        rule.id: frozenset(_SETS.findall(json.dumps(attrs.asdict(rule), default=str)))
        for rule in load_pack(path).pack.rules
    }
