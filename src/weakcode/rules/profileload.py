"""Profiles read from their files, with those that they extend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from weakcode.errors import RuleFileError, UnknownNameError, did_you_mean
from weakcode.rules.load import in_order, read_content, refuse_other_kind
from weakcode.rules.profile import OUTSIDE, PayerProfile, Profile, same_payer
from weakcode.rules.profilechecks import problems_of
from weakcode.rules.reading import GivenFile, as_file, hide_other_kinds, leads_out
from weakcode.rules.structure import structure
from weakcode.rules.yamlmarks import read

_SUFFIXES = (".yaml", ".yml")


def load_profile(path: Path | str | Mapping[str, Any], root: Path | str | None = None) -> Profile:
    """Load a profile, from its file or as a mapping, with those that it extends.

    What a mapping names is read from `root`, or else from the current folder. Every file that it names stands below
    `root`, or below the profile's folder where there is none, once symbolic links are resolved. Raises UnknownNameError
    where there is no file, RuleFileError with its problems.
    """
    if isinstance(path, Mapping):
        path = as_file(path, "profile")
    if isinstance(path, GivenFile):
        return _parsed(read_content(path, str(path)), str(path), Path() if root is None else Path(root), given=True)
    if not Path(path).exists():
        raise UnknownNameError(f'there is no profile "{path}"; a profile is a YAML file')
    return parse_profile(read_content(Path(path), str(path)), str(path), root)


def parse_profile(content: str | bytes, file: str = "<profile>", root: Path | str | None = None) -> Profile:
    """Read a profile from its content; `file` stands for it in messages, and paths are read from its folder.

    They lead below `root`, or below that folder where there is none.

    Raises RuleFileError.
    """
    return _parsed(content, file, Path(file).parent if root is None else Path(root), given=False)


def _parsed(content: str | bytes, file: str, top: Path, *, given: bool) -> Profile:
    layers = [_layer(content, file)] if not given else [attrs.evolve(_layer(content, file, given=True), root=top)]
    while layers[-1].extends is not None:
        layers.append(_extended(layers, top))
    problems = [problem for number in range(len(layers)) for problem in problems_of(layers[number:], top)]
    if problems:
        raise RuleFileError(problems)
    return attrs.evolve(_merged(layers), root=top)


def _layer(content: str | bytes, file: str, *, given: bool = False) -> Profile:
    try:
        return _read_layer(content, file, given)
    except RuleFileError as error:
        raise hide_other_kinds(error, content, file, "a profile", given=given) from None


def _read_layer(content: str | bytes, file: str, given: bool) -> Profile:
    marked = read(content, file, given=given)
    refuse_other_kind(marked, "a profile")
    profile, problems = structure(marked, Profile)
    if profile is None or problems:
        raise RuleFileError(in_order(problems))
    layer: Profile = attrs.evolve(profile, marked=marked)
    return layer


def _extended(layers: Sequence[Profile], root: Path) -> Profile:
    """Return the profile that the last of these extends."""
    last = layers[-1]
    assert last.marked is not None
    assert last.extends is not None
    folder = last.folder or Path()
    candidates = [folder / last.extends, *(folder / f"{last.extends}{suffix}" for suffix in _SUFFIXES)]
    # Before it is asked whether anything is there: that is nobody's business either.
    if any(leads_out(candidate, root) for candidate in candidates):
        raise RuleFileError([last.marked.problem(("extends",), OUTSIDE.format(last.extends))])
    path = next((candidate for candidate in candidates if candidate.is_file()), None)
    if path is None:
        names = [item.name for item in sorted(folder.iterdir()) if item.suffix in _SUFFIXES] if folder.is_dir() else []
        hint = did_you_mean(last.extends, [*names, *(Path(name).stem for name in names)])
        message = f'there is no profile "{last.extends}" to extend{hint}; give its path from {folder}'
        raise RuleFileError([last.marked.problem(("extends",), message)])
    files = [Path(layer.marked.file) for layer in layers if layer.marked is not None and not layer.marked.given]
    if path.resolve() in [file.resolve() for file in files]:
        circle = " -> ".join(file.name for file in [*files, path])
        message = f"the profiles extend each other in a circle: {circle}; take one of these out"
        raise RuleFileError([last.marked.problem(("extends",), message)])
    return _layer(read_content(path, str(path)), str(path))


def _merged(layers: Sequence[Profile]) -> Profile:
    """Return the nearest profile with what those after it say of anything that it says nothing of."""
    nearest = layers[0]
    payers: dict[str, PayerProfile] = {}
    for layer in layers:
        for name, chosen in layer.payers.items():
            known = next((one for one in payers if same_payer(one) == same_payer(name)), name)
            nearer = payers.get(known, PayerProfile())
            payers[known] = PayerProfile(
                ids=tuple(dict.fromkeys((*nearer.ids, *chosen.ids))),
                names=tuple(dict.fromkeys((*nearer.names, *chosen.names))),
                coverage=nearer.coverage or chosen.coverage,
                rules={**chosen.rules, **nearer.rules},
                confidence=nearer.confidence.before(chosen.confidence),
                denial_risk={**chosen.denial_risk, **nearer.denial_risk},
            )
    limits = layers[-1].confidence
    for layer in reversed(layers[:-1]):
        limits = layer.confidence.before(limits)
    farthest_first = list(reversed(layers))
    return attrs.evolve(
        nearest,
        packs=next((layer.packs for layer in layers if layer.packs), None),
        code_sets={name: text for layer in farthest_first for name, text in layer.code_sets.items()},
        rules={rule: setting for layer in farthest_first for rule, setting in layer.rules.items()},
        confidence=limits,
        payers=payers,
        own=nearest,
        farther=tuple(layers[1:]),
    )
