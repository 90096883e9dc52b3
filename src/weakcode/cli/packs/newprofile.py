"""What a new profile says, from options or from answers to questions, and how it is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import attrs

from weakcode.errors import InputError, WeakcodeError

DENIES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "unspecified": ("codes whose title says unspecified, where another says more", ("icd10cm/unspecified-code",)),
    "side": ("codes that leave the side open", ("icd10cm/unspecified-side",)),
    "excludes1": ("two codes that an Excludes1 note keeps apart", ("icd10cm/excludes1",)),
    "order": ("codes that stand in the wrong order", ("icd10cm/code-first-order", "icd10cm/manifestation-not-first")),
}
"""What payers deny by their policies: what it is, and the rules that find it."""
SOURCE = "policy"


@attrs.frozen
class NewProfile:
    """What is asked of a new profile. `payer` may be empty: then it says for all what it says."""

    name: str
    payer: str = ""
    ids: tuple[str, ...] = ()
    extends: str = ""
    packs: tuple[str, ...] = ()
    denies: tuple[str, ...] = ()
    off: tuple[str, ...] = ()
    contractor: str = ""
    states: tuple[str, ...] = ()
    title: str = ""
    publisher: str = ""
    edition: str = ""

    def data(self) -> dict[str, Any]:
        """Return what its file says. Raises InputError where what a payer denies has no publication or no payer."""
        if self.denies and not self.title:
            raise InputError("what a payer denies is cited: give the title of its policy with --source")
        if (self.ids or self.contractor) and not self.payer:
            raise InputError("ids and coverage are those of a payer; give its name with --payer")
        if self.states and not self.contractor:
            raise InputError("--state says for which states a contractor's policies are; give --contractor too")
        data: dict[str, Any] = {"name": self.name}
        data |= {key: value for key, value in (("extends", self.extends), ("packs", list(self.packs))) if value}
        if self.title:
            cited = {"title": self.title, "publisher": self.publisher, "edition": self.edition}
            data["sources"] = {SOURCE: {key: value for key, value in cited.items() if value}}
        rules = [rule for word in self.denies for rule in DENIES[word][1]]
        choices: dict[str, Any] = {"rules": dict.fromkeys(rules, "on")} if rules else {}
        if rules:
            choices["denial_risk"] = {rule: {"risk": "high", "source": SOURCE} for rule in rules}
        if self.off:
            data["rules"] = dict.fromkeys(self.off, "off")
        if not self.payer:
            return {**data, **choices, **({"rules": {**data.get("rules", {}), **choices["rules"]}} if rules else {})}
        payer: dict[str, Any] = {"ids": list(self.ids)} if self.ids else {}
        if self.contractor:
            payer["coverage"] = {"contractor": self.contractor}
            payer["coverage"] |= {"states": list(self.states)} if self.states else {}
        return {**data, "payers": {self.payer: {**payer, **choices}}}


def ask(name: str, question: Callable[[str, str], str]) -> NewProfile:
    """Return a new profile from the answers to questions; `question` asks one, with the answer that Enter gives."""
    payer = question("Which payer is it for? Enter for all", "")
    ids = _words(question("By which ids do claims name it, parted by blanks? Enter for none", "")) if payer else ()
    extends = question("Which profile does it build on? Enter for none", "")
    packs = _words(question("Which packs, parted by blanks? Enter for all", ""))
    denies = tuple(word for word, (what, _) in DENIES.items() if _yes(question(f"Does it deny {what}? y or n", "n")))
    title = publisher = edition = ""
    if denies:
        title = question("Where does it say so? The title of the policy", "")
        publisher = question("Who published it", payer)
        edition = question("When, or for which service dates", "")
    which = "Which Medicare contractor's coverage policies? Its number, Enter for none"
    contractor = question(which, "") if payer else ""
    states = _words(question("For which states, as CA NV? Enter for all", "")) if contractor else ()
    return NewProfile(name, payer, ids, extends, packs, denies, (), contractor, states, title, publisher, edition)


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.replace(",", " ").split())


def _yes(text: str) -> bool:
    word = text.strip().lower()
    if word not in ("y", "yes", "n", "no"):
        raise InputError(f'"{text}" is neither y nor n')
    return word in ("y", "yes")


def write_profile(path: Path, text: str) -> None:
    """Write a profile that loads, and the schema that editors complete it from; nothing that is there is changed.

    Raises InputError where the file is there or is no name for one, and what a Validator raises that cannot load it.
    """
    from weakcode.rules.profile import Profile
    from weakcode.rules.schema import render
    from weakcode.validator import Validator

    if path.suffix not in (".yaml", ".yml"):
        raise InputError(f'"{path}" is no name for a profile; one is a YAML file, such as acme.yaml')
    if path.exists():
        raise InputError(f"{path} is there already; it was left as it is")
    schema = path.parent / "profile.schema.json"
    try:
        with path.open("x", encoding="utf-8") as out:
            out.write(text)
        try:
            Validator(profile=path)
        except WeakcodeError:
            path.unlink()
            raise
        if not schema.exists():
            schema.write_text(render(Profile), "utf-8")
    except OSError as error:
        raise InputError(f"{path} cannot be written: {(error.strerror or 'unknown reason').lower()}") from None
