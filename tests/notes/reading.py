"""A second reading of the Tabular List's Excludes1 notes, written without weakcode's own, to hold it to.

Works on spellings of codes, with prefixes and characters, where weakcode works on intervals of numbers.
"""

from __future__ import annotations

import importlib.util
import re
import xml.etree.ElementTree as ET
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from pathlib import Path

Test = Callable[[str], bool]

# The dash at the end of a code is not the one of a range.
_CODE = r"[A-Z]\d[0-9A-Z](?:\.[0-9A-Z]{0,4})?\.?(?:-(?!\s*[A-Z]\d))?"
_ITEM = re.compile(rf"({_CODE})(?:\s*-\s*({_CODE}))?")
_ORDINALS = {"fifth": 5, "5th": 5, "sixth": 6, "6th": 6, "seventh": 7, "7th": 7, "fifth-": 5}
_OPEN_FRACTURE = "BCEFHJMNQR"


def tabular_list() -> Path:
    """The list that comes with the package simple-icd-10-cm."""
    spec = importlib.util.find_spec("simple_icd_10_cm")
    assert spec is not None
    assert spec.origin is not None
    (path,) = (Path(spec.origin).parent / "data").glob("*tabular*.xml")
    return path


def plain(code: str) -> str:
    return code.replace(".", "").rstrip("-").strip()


class Reading:
    """Every line of an Excludes1 note: where it stands, and tests for the codes that it holds for and that it names."""

    def __init__(self, path: Path) -> None:
        root = ET.parse(path).getroot()
        self.categories: list[str] = []
        self.lines: list[tuple[str, str]] = []
        self.members: dict[str, list[str]] = defaultdict(list)
        for chapter in root.iter("chapter"):
            name = "Chapter " + (chapter.findtext("name") or "")
            for section in chapter.iter("section"):
                here = section.get("id") or ""
                for diagnosis in section.findall("diag"):
                    category = diagnosis.findtext("name") or ""
                    self.categories.append(category)
                    self.members[name].append(category)
                    self.members[here].append(category)
            self._note(chapter, name)
            for section in chapter.iter("section"):
                self._note(section, section.get("id") or "")
            for diagnosis in chapter.iter("diag"):
                self._note(diagnosis, diagnosis.findtext("name") or "")
        self.rank = {category: number for number, category in enumerate(self.categories)}
        for section in root.iter("section"):
            here = section.get("id") or ""
            if here not in self.members:
                low, high = here.split("-")
                self.members[here] = [one for one in self.categories if low <= one <= high]

    def _note(self, element: ET.Element, place: str) -> None:
        for note in element.findall("excludes1"):
            self.lines.extend((place, " ".join("".join(line.itertext()).split())) for line in note)

    @cached_property
    def notes(self) -> list[tuple[str, str, Test, Test]]:
        """(place, line, holds for this code, names this code) of each line that names a code."""
        found = []
        for place, line in self.lines:
            named = list(self._named(line))
            if named:
                found.append((place, line, self._holder(place), _any(named)))
        return found

    def _holder(self, place: str) -> Test:
        if place in self.members:
            members = frozenset(self.members[place])
            return lambda code: code[:3] in members
        stem = plain(place)
        return lambda code: code.startswith(stem)

    def _named(self, line: str) -> Iterator[Test]:
        for inner in re.findall(r"\(([^()]*)\)", line):
            codes, _, qualifier = inner.partition("with ")
            if not (found := [self._item(*match.groups()) for match in _ITEM.finditer(codes)]):
                continue
            if not any(category in self.rank for category in re.findall(r"[A-Z]\d[0-9A-Z]", codes)):
                continue
            yield _both(_any(found), _qualified(qualifier)) if qualifier else _any(found)

    def _item(self, first: str, last: str | None) -> Test:
        low = plain(first)
        if last is None:
            return lambda code: code.startswith(low)
        high = plain(last)

        def within(code: str) -> bool:
            at = self.rank[code[:3]]
            start, stop = self.rank[low[:3]], self.rank[high[:3]]
            after = at > start or (at == start and code[: len(low)] >= low)
            before = at < stop or (at == stop and code[: len(high)] <= high)
            return after and before

        return within

    def conflict(self, one: str, other: str) -> bool:
        """Whether some note at one of two compact codes names the other.

        A note that names both keeps neither from the other: it is about what stands outside of it.
        """
        return any(
            holds(a) and names(b) and not names(a)
            for a, b in ((one, other), (other, one))
            for _, _, holds, names in self._notes_of[a[:3]]
        )

    @cached_property
    def _notes_of(self) -> Mapping[str, list[tuple[str, str, Test, Test]]]:
        """The notes that may hold for some code of each category."""
        found = defaultdict(list)
        for note in self.notes:
            place = note[0]
            for category in self.members[place] if place in self.members else [plain(place)[:3]]:
                found[category].append(note)
        return found


def _any(tests: list[Test]) -> Test:
    return lambda code: any(test(code) for test in tests)


def _both(first: Test, second: Test) -> Test:
    return lambda code: first(code) and second(code)


def _qualified(words: str) -> Test:
    words = words.strip().lower()
    if words == "open fracture 7th character":
        return lambda code: code[6:7] in set(_OPEN_FRACTURE)
    if words.startswith("."):
        endings = [one.strip(" .-") for one in re.split(r"[,-]", words) if one.strip(" .-")]
        return lambda code: any(code[3:].lower().startswith(ending) for ending in endings)
    if words.startswith("final characters"):
        ending = words.rsplit("-", 1)[1]
        return lambda code: code.endswith(ending)
    if match := re.fullmatch(r"fifth to sixth characters (\w\w)", words):
        return lambda code: code[4:6].lower() == match[1]
    found = re.fullmatch(r"(fifth|sixth|seventh|5th|6th|7th)[ -]character \.?(\w)", words)
    assert found, f"an unknown qualifier: {words}"
    at = _ORDINALS[found[1]]
    return lambda code: code[at - 1 : at].lower() == found[2]
