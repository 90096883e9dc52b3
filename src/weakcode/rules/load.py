"""Load a rule file: YAML to a `Pack`, or every problem in the file at once, each with its line and column."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

import attrs

from weakcode.errors import Problem, RuleFileError
from weakcode.rules.checks.pack import check_pack
from weakcode.rules.library import pack_file, sources_file
from weakcode.rules.model import Pack, Publications, Rule
from weakcode.rules.reading import GivenFile, hide_other_kinds, read_whole
from weakcode.rules.structure import describe, structure
from weakcode.rules.yamlmarks import Marked, read


@attrs.frozen
class LoadedPack:
    """A pack, its file, the SHA-256 of the file's bytes, and the 1-based line where each rule begins.

    Lines are 0 in a mapping that was given in place of a file.
    """

    pack: Pack
    path: str
    digest: str
    lines: dict[str, int]


def load_pack(
    source: Path | str | bytes, *, name: str | None = None, bundled: bool = False, given_sets: Collection[str] = ()
) -> LoadedPack:
    """Load a rule file from a path, or from its content as text or bytes; `name` stands for it in messages.

    A file is read with what its folder and its pack share: the publications in `_sources.yaml`, and the version, facts,
    ages, code sets and publications in the file with the pack's name. With `bundled`, every rule must say why, cite a
    source, and have a passing and a failing example. `given_sets` are the names of code sets that a profile gives.

    Raises RuleFileError with all problems found, in the order of the file.
    """
    name = name or (str(source) if isinstance(source, Path) else "<rules>")
    content = read_content(source, name)
    try:
        return _loaded(source, content, name, bundled=bundled, given_sets=given_sets)
    except RuleFileError as error:
        raise hide_other_kinds(error, content, name, "a rule file", given=isinstance(source, GivenFile)) from None


def _loaded(
    source: Path | str | bytes, content: str | bytes, name: str, *, bundled: bool, given_sets: Collection[str]
) -> LoadedPack:
    marked = read(content, name, given=isinstance(source, GivenFile))
    refuse_other_kind(marked, "a rule file")
    problems: list[Problem] = []
    rules = _rules(marked, problems)
    header = {key: value for key, value in marked.data.items() if key != "rules"}
    pack, found = structure(marked, Pack, (), header)
    problems += found
    shared = _shared(source, marked) if isinstance(source, Path) else Pack(pack="", title="")
    problems += check_pack(marked, rules, bundled=bundled, given_sets=given_sets, shared=shared)
    if problems or pack is None:
        raise RuleFileError(in_order(problems))
    raw = content if isinstance(content, bytes) else content.encode("utf-8")
    return LoadedPack(
        pack=_joined(attrs.evolve(pack, rules=tuple(rules.values())), shared, versioned="version" in header),
        path=name,
        digest=hashlib.sha256(raw).hexdigest(),
        lines={rule.id: marked.line(("rules", index)) for index, rule in rules.items()},
    )


def _shared(path: Path, marked: Marked) -> Pack:
    """Return what a file has from the others of its folder and of its pack, as a pack without rules."""
    sources = sources_file(path)
    written = read_content(sources, str(sources)) if sources is not None else b""
    published = publications_of(sources)
    name = marked.data.get("pack")
    head = pack_file(path, name) if isinstance(name, str) else None
    if head is None:
        return Pack(pack="", title="", version="", sources=published.sources)
    return attrs.evolve(_head(head, read_content(head, str(head)), written), rules=())


@lru_cache(maxsize=8)
def _head(path: Path, content: str | bytes, sources: str | bytes) -> Pack:
    """Return the pack in the file that speaks for it, cached by the content of that file and of the publications."""
    return load_pack(path).pack


def publications_of(path: Path | None) -> Publications:
    """Return what a file of publications declares, nothing for None. Raises RuleFileError with its problems."""
    return Publications() if path is None else _publications(read_content(path, str(path)), str(path))


@lru_cache(maxsize=8)
def _publications(content: str | bytes, name: str) -> Publications:
    try:
        marked = read(content, name)
        published, problems = structure(marked, Publications)
        if problems or published is None:
            raise RuleFileError(in_order(problems))
    except RuleFileError as error:
        raise hide_other_kinds(error, content, name, "a file of publications") from None
    checked: Publications = published
    return checked


def _joined(pack: Pack, shared: Pack, *, versioned: bool) -> Pack:
    """Return a pack with what its file shares with others; what stands in the file itself goes before it."""
    return attrs.evolve(
        pack,
        version=pack.version if versioned else shared.version or pack.version,
        sources={**shared.sources, **pack.sources},
        facts={**shared.facts, **pack.facts},
        code_sets={**shared.code_sets, **pack.code_sets},
        ages={**shared.ages, **pack.ages},
    )


def read_content(source: Path | str | bytes, name: str) -> str | bytes:
    """Return the bytes of a file, or the content given; raises RuleFileError where it cannot be read."""
    if not isinstance(source, Path):
        return source
    try:
        return read_whole(source)
    except OSError as error:
        reason = (error.strerror or "it cannot be read").lower()
        raise RuleFileError([Problem(name, 1, 1, f"the file cannot be read: {reason}")]) from None


def refuse_other_kind(marked: Marked, wanted: str) -> None:
    """Raise RuleFileError where a file is plainly of another kind than the one it was given as."""
    keys = set(marked.data)
    if "pack" in keys:
        kind, option = "a rule file", "--rules"
    elif "name" in keys and "title" not in keys:
        kind, option = "a profile", "--profile"
    elif keys == {"waivers"}:
        kind, option = "a file of waivers", "--waivers"
    else:
        return
    if kind != wanted:
        with_option = "" if marked.given else f"; give it with {option}"
        raise RuleFileError([marked.problem((), f"this is {kind}, not {wanted}{with_option}")])


def in_order(problems: list[Problem]) -> list[Problem]:
    """Return the problems in the order of the file, each once."""
    return sorted(set(problems), key=lambda problem: (problem.line, problem.column, problem.message))


def refuse_clashes(loaded: Iterable[LoadedPack]) -> None:
    """Raise RuleFileError where two files have a rule of the same full id."""
    first: dict[str, str] = {}
    problems = []
    for one in loaded:
        for rule, line in one.lines.items():
            full = f"{one.pack.pack}/{rule}"
            spot = f"{one.path}:{line}" if line else one.path
            place = first.setdefault(full, spot)
            if place != spot:
                message = f'the rule "{full}" is already in {place}; give the pack or the rule another name'
                problems.append(Problem(one.path, line, 1, message, None if line else ""))
    if problems:
        raise RuleFileError(problems)


def _rules(marked: Marked, problems: list[Problem]) -> dict[int, Rule]:
    """Return the rules that could be read, by index; one that could not hides no other's problems."""
    items: Any = marked.data.get("rules", [])
    if not isinstance(items, list):
        message = f'"rules": expected a list, found {describe(items)}; begin each rule with "- id: …"'
        problems.append(marked.problem(("rules",), message))
        return {}
    rules = {}
    for index, item in enumerate(items):
        path = ("rules", index)
        if not isinstance(item, dict):
            message = f'a rule is keys with values, found {describe(item)}; begin it with "- id: …"'
            problems.append(marked.problem(path, message))
            continue
        rule, found = structure(marked, Rule, path, item)
        problems += found
        if rule is not None:
            rules[index] = rule
    return rules
