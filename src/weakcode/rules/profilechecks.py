"""What is wrong in a profile whose values all have the right shape, and what it names that is not there."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from weakcode.errors import NotationError, Problem, RuleFileError, did_you_mean
from weakcode.rules.library import bundled_packs, lead_out, read_bytes
from weakcode.rules.load import LoadedPack, in_order
from weakcode.rules.model import BUILTIN_SETS, FULL_ID, Pack
from weakcode.rules.profile import OUTSIDE, PayerProfile, Profile, RiskEntry, cited, same_payer, waivers_of
from weakcode.rules.yamlmarks import Path as Place

_SET = re.compile(r"(?:[a-z0-9]+(?:-[a-z0-9]+)*/)?[A-Za-z][A-Za-z0-9_-]*")
_NAMED = re.compile(r"\$([A-Za-z][A-Za-z0-9_-]*)")


def problems_of(layers: Sequence[Profile], root: Path) -> list[Problem]:
    """Return what is wrong in the first of these profiles; the others are those that it extends.

    The files that it names stand below `root`.
    """
    profile = layers[0]
    marked = profile.marked
    if marked is None:
        return []
    problems = [marked.problem(place, message, key=key) for place, message, key in _misfits(layers)]
    problems += [marked.problem(place, OUTSIDE.format(name)) for place, name in _outside(profile, root)]
    for place, text in _expressions(profile):
        in_key = "denial_risk" in place
        try:
            _check_expression(text, layers)
        except NotationError as error:
            words = str(error).rstrip(".")
            problems.append(
                marked.problem(place, words, key=True) if in_key else marked.problem(place, words, column=error.column)
            )
    waivers_of(profile.waivers, marked, problems)
    return in_order(problems)


def _outside(profile: Profile, root: Path) -> Iterator[tuple[Place, str]]:
    """Give each file that is named and may not be, with its place; a pack of weakcode's own goes by its name."""
    own = bundled_packs() if profile.packs else {}
    for key, names in (("packs", profile.packs or ()), ("extra_rules", profile.extra_rules)):
        for index, name in enumerate(names):
            if not (key == "packs" and name in own) and any(lead_out([(profile.folder or Path()) / name], root)):
                yield (key, index), name


def _misfits(layers: Sequence[Profile]) -> Iterator[tuple[Place, str, bool]]:
    """Give place and message of each problem, and whether it is the key that is wrong."""
    profile = layers[0]
    seen: dict[str, str] = {}
    for payer in profile.payers:
        first = seen.setdefault(same_payer(payer), payer)
        if first != payer:
            yield ("payers", payer), f'"{payer}" is the same payer as "{first}"; keep one', True
    for payer, chosen in profile.payers.items():
        yield from _coverage_misfits(payer, chosen, seen)
    for index, name in enumerate(profile.extra_rules):
        path = (profile.folder or Path()) / name
        if not path.is_file():
            yield ("extra_rules", index), f'there is no rule file "{name}" in {profile.folder or Path()}', False
    for payer_place, entries in _risk_places(profile):
        for key, entry in entries.items():
            if cited(layers, entry.source) is None:
                known = [source for layer in layers for source in layer.sources]
                hint = did_you_mean(entry.source, known) or "; declare it with title and publisher under sources"
                yield (*payer_place, key, "source"), f'"{entry.source}" is not among sources{hint}', False
    for name in profile.code_sets:
        if not _SET.fullmatch(name):
            yield ("code_sets", name), f'the code set "{name}" needs a name of letters, digits and hyphens', True
        elif name.rpartition("/")[2] in BUILTIN_SETS:
            yield ("code_sets", name), f'"{name}" is a code set of weakcode itself and stays as it is', True


def _coverage_misfits(payer: str, chosen: PayerProfile, payers: Mapping[str, str]) -> Iterator[tuple[Place, str, bool]]:
    """Give what is wrong in the names of a payer and the policies that it goes by."""
    for index, name in enumerate(chosen.names):
        other = payers.get(same_payer(name))
        if other is not None and other != payer:
            yield ("payers", payer, "names", index), f'"{name}" is a payer of its own; keep it in one place', False
    for index, choice in enumerate(chosen.coverage):
        place: Place = (
            ("payers", payer, "coverage", index) if len(chosen.coverage) > 1 else ("payers", payer, "coverage")
        )
        if bool(choice.articles) == (choice.contractor is not None):
            yield place, 'coverage names "articles" or a "contractor", one of the two', False
        elif len(chosen.coverage) > 1 and not choice.states:
            yield (
                place,
                '"states" are needed where there are several choices: they tell which one is for a claim',
                False,
            )


def _risk_places(profile: Profile) -> Iterator[tuple[Place, Mapping[str, RiskEntry]]]:
    for payer, entries in profile.risk_entries():
        yield (("denial_risk",) if payer is None else ("payers", payer, "denial_risk")), entries


def _expressions(profile: Profile) -> Iterator[tuple[Place, str]]:
    for name, text in profile.code_sets.items():
        yield ("code_sets", name), text
    for place, entries in _risk_places(profile):
        for key in entries:
            if not re.fullmatch(FULL_ID, key):
                yield (*place, key), key


def _check_expression(text: str, layers: Iterable[Profile]) -> None:
    """Raise NotationError for an expression that cannot be read or names a set that the profiles do not have."""
    from weakcode.codes.expression.parsing import parse

    known = {name.rpartition("/")[2] for layer in layers for name in layer.code_sets}
    for name in sorted(parse(text).names):
        if name not in known and name not in BUILTIN_SETS:
            hint = did_you_mean(name, [*known, *BUILTIN_SETS])
            message = f'"${name}" is not among the code_sets of the profile{hint}'
            raise NotationError(message, text=text, column=text.find(f"${name}") + 1, expected="")


def check_profile(profile: Profile, known_rule_ids: Collection[str], of_record: Collection[str] = ()) -> None:
    """Raise RuleFileError where the profile speaks of rules that are not among the full ids known.

    Also where it makes an error of one of `of_record`, the rules that depend on what the record says.
    """
    problems = []
    for layer in profile.layers:
        for place, rule in _named_rules(layer):
            if rule in known_rule_ids:
                continue
            hint = did_you_mean(rule, known_rule_ids) or "; the list is in: weakcode rules list"
            message = f'there is no rule "{rule}" in the packs of this profile{hint}'
            if layer.marked is not None:
                problems.append(layer.marked.problem(place, message, key=place[-1] != "rule"))
            else:
                problems.append(Problem(f'profile "{layer.name}"', 1, 1, message))
        for place, rule, setting in _settings(layer):
            if setting == "error" and rule in of_record:
                message = f'"{rule}" depends on what the record says and is never an error; make it a warning'
                if layer.marked is not None:
                    problems.append(layer.marked.problem(place, message))
                else:
                    problems.append(Problem(f'profile "{layer.name}"', 1, 1, message))
    if problems:
        raise RuleFileError(problems)


def _settings(profile: Profile) -> Iterator[tuple[Place, str, str]]:
    """Give the rules that are set, each with its place and what it is set to."""
    for rule, setting in profile.rules.items():
        yield ("rules", rule), rule, setting
    for payer, chosen in profile.payers.items():
        for rule, setting in chosen.rules.items():
            yield ("payers", payer, "rules", rule), rule, setting


def _named_rules(profile: Profile) -> Iterator[tuple[Place, str]]:
    for place, rule, _ in _settings(profile):
        yield place, rule
    for place, entries in _risk_places(profile):
        for key in entries:
            if re.fullmatch(FULL_ID, key):
                yield (*place, key), key
    for index, waiver in enumerate(profile.waivers):
        yield ("waivers", index, "rule"), waiver.rule


def code_sets_for(pack: Pack, own_sets: Mapping[str, str]) -> dict[str, str]:
    """Return the code sets of a rule file with those of a profile in place of its own.

    What a profile gives as pack/name goes before what it gives as name. A set that names itself means the pack's own.
    """
    texts = dict(pack.code_sets)
    for key, text in sorted(own_sets.items(), key=lambda item: "/" in item[0]):
        prefix, _, name = key.rpartition("/")
        if prefix in ("", pack.pack):
            texts[name] = _with_own(text, name, pack.code_sets.get(name))
    return texts


def _with_own(text: str, name: str, own: str | None) -> str:
    if own is None:
        return text
    return _NAMED.sub(lambda found: f"({own})" if found[1] == name else found[0], text)


def check_code_sets(profile: Profile, loaded: Sequence[LoadedPack]) -> None:
    """Raise RuleFileError where a code set of the profile is in no pack and nothing of the profile's own uses it."""
    used = _used_names(profile)
    problems = []
    for layer in profile.layers:
        for key, text in layer.code_sets.items():
            prefix, _, name = key.rpartition("/")
            packs = [one.pack for one in loaded if prefix in ("", one.pack.pack)]
            is_known = any(name in pack.code_sets for pack in packs)
            message = ""
            if not is_known and (prefix or name not in used):
                known = sorted({own for pack in packs for own in pack.code_sets})
                where = f'the pack "{prefix}"' if prefix else "any pack or own rule"
                message = f'the code set "{key}" is not used by {where}{did_you_mean(name, known)}'
            elif not is_known and name in _NAMED.findall(text):
                message = f'the code set "{key}" names itself, and no pack has one of this name'
            if message and layer.marked is not None:
                problems.append(layer.marked.problem(("code_sets", key), message, key=True))
    if problems:
        raise RuleFileError(problems)


def _used_names(profile: Profile) -> set[str]:
    """Return the code sets that the profile's own rules, code sets and risks name."""
    used = {name for path in profile.rule_files for name in _NAMED.findall(read_bytes(path).decode("utf-8", "replace"))}
    for layer in profile.layers:
        for place, text in _expressions(layer):
            own = str(place[1]).rpartition("/")[2] if place[0] == "code_sets" else ""
            used.update(name for name in _NAMED.findall(text) if name != own)
    return used
