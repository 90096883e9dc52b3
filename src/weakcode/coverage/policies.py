"""What installed policies say: which procedures they are about, and which diagnoses they cover or exclude for them."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import attrs

from weakcode.base.lazy import lazy
from weakcode.codes.storage.store import Container
from weakcode.coverage.published import COVERED, EXCLUDED
from weakcode.findings import Source

PUBLICATION = "CMS Medicare Coverage Database"
_ANOTHER_GROUP = re.compile(r"\bgroup\s+(\d+)", re.IGNORECASE)
_SECOND = re.compile(
    r"\b(?:secondary|dual diagnos[ei]s|both (?:a|an|one|the)\b|two (?:\S+ ){0,3}codes|in addition to|accompanied|"
    r"in conjunction with|along with|together with|must (?:also )?be (?:reported|billed|submitted|coded) with)",
    re.IGNORECASE,
)
_WORD = re.compile(r"(?<![0-9A-Za-z.])[0-9A-Z]{4,5}(?![0-9A-Za-z])")
_RANGE = re.compile(
    r"(?<![0-9A-Za-z.])([A-Z]?\d{4}[A-Z]?)\s*(?:-|\u2013|to|through)\s*([A-Z]?\d{4}[A-Z]?)(?![0-9A-Za-z])"
)
_DRAFTS = ("P", "D")
_RETIRED = "R"


@attrs.frozen
class CodeGroup:
    """A list of diagnosis codes of a policy: its number, its codes, those with an asterisk, and what is said of it."""

    number: int
    codes: frozenset[str]
    starred: frozenset[str] = frozenset()
    paragraph: str = ""
    meaning: str = ""

    @property
    def words(self) -> str:
        """The paragraph, with what an asterisk means."""
        return " ".join(part for part in (self.paragraph, self.meaning) if part)

    def asks_second(self, code: str) -> str:
        """Return the words by which a second diagnosis is asked for beside a code of the group; blank where none."""
        if code in self.starred:
            return self.meaning if _SECOND.search(self.meaning) else ""
        return self.paragraph if _SECOND.search(self.paragraph) else ""


@attrs.frozen(slots=False, eq=False)
class Policy:
    """A version of an article or of a coverage determination.

    `id` is what CMS calls it (`A57703`, `L33631`, `NCD 220.6`); `starts` and `ends` are the first and last day on which
    it is in force, None where it is not said. `procedures` has the groups of each procedure.
    """

    id: str
    version: int
    title: str
    status: str
    starts: dt.date | None
    ends: dt.date | None
    file: PolicyFile = attrs.field(repr=False)
    number: int = attrs.field(repr=False)

    @lazy
    def label(self) -> str:
        """What it is called in a sentence: `article A57703`."""
        return self.id if self.id.startswith("NCD") else f"{'LCD' if self.file.kind == 'lcd' else 'article'} {self.id}"

    @property
    def is_draft(self) -> bool:
        """Whether it is only proposed."""
        return self.status in _DRAFTS

    @property
    def is_retired(self) -> bool:
        """Whether it was retired and no day is known on which it ended, so that it is known to hold on no day."""
        return self.status == _RETIRED and self.ends is None

    def in_force(self, day: dt.date) -> bool:
        """Tell whether it is in force on a day."""
        if self.is_retired:
            return False
        return (self.starts is None or self.starts <= day) and (self.ends is None or day <= self.ends)

    @lazy
    def covered(self) -> tuple[CodeGroup, ...]:
        """The groups of codes that it covers, by number; none where it covers by its words alone."""
        return self.file.groups_of(self.number, COVERED, "c")

    @lazy
    def excluded(self) -> tuple[CodeGroup, ...]:
        """The groups of codes that it names as not covered, by number."""
        return self.file.groups_of(self.number, EXCLUDED, "n")

    @lazy
    def procedures(self) -> Mapping[str, tuple[int, ...]]:
        """The groups in which each of its procedures stands."""
        return self.file.procedures_of.get(self.number, {})

    @property
    def is_judged(self) -> bool:
        """Whether it has lists of codes: without one, only its words say what is covered."""
        return self.file.has_lists(self.number)

    @lazy
    def all_covered(self) -> frozenset[str]:
        """The codes of all groups that it covers."""
        return frozenset().union(*(group.codes for group in self.covered))

    @lazy
    def all_excluded(self) -> frozenset[str]:
        """The codes of all groups that it excludes."""
        return frozenset().union(*(group.codes for group in self.excluded))

    @lazy
    def covering(self) -> Source:
        """What a finding cites of the codes that it covers."""
        return self.source("ICD-10-CM codes that it covers")

    @lazy
    def is_plain(self) -> bool:
        """Whether lists alone tell what is covered: one group of codes, and no words that part it or ask for more."""
        words = " ".join(group.words for group in self.covered)
        return len(self.covered) < 2 and not _SECOND.search(words) and not self._named_in(words)

    def _named_in(self, words: str) -> frozenset[str]:
        """Return which of its procedures some words name."""
        return _procedures_in(words, self.procedures) if words else frozenset()

    def source(self, place: str = "", quote: str | None = None) -> Source:
        """Return what a finding cites: title, version and day, and the place in it."""
        since = f", in force from {self.starts}" if self.starts else ""
        title = f"{PUBLICATION}: {self.title} (version {self.version}{since})"
        label = self.label[0].upper() + self.label[1:]
        return Source(title, f"{label}{', ' if place else ''}{place}", quote)

    @lazy
    def _paired(self) -> dict[str, tuple[CodeGroup, ...]]:
        return {procedure: self._pair(procedure) for procedure in self.procedures}

    def paired_with(self, procedure: str) -> tuple[CodeGroup, ...]:
        """Return the groups of covered codes that go with a procedure as far as is known.

        A paragraph that names the procedure says so; a group whose paragraph names others of its procedures is for
        those. Where no paragraph names any, the numbers of the groups tell, if procedures stand in several.
        """
        return self._paired.get(procedure, self.covered)

    def _pair(self, procedure: str) -> tuple[CodeGroup, ...]:
        named = {group.number: self._named_in(group.words) for group in self.covered}
        own = tuple(group for group in self.covered if procedure in named[group.number])
        if own:
            return own
        free = tuple(group for group in self.covered if not named[group.number])
        if len({number for numbers in self.procedures.values() for number in numbers}) > 1:
            same = tuple(group for group in free if group.number in self.procedures.get(procedure, ()))
            return same or free
        return free

    def second_for(self, group: CodeGroup, code: str) -> tuple[frozenset[str], str]:
        """Return the codes of which one is asked for beside a covered code, and the words that ask; none and blank."""
        words = group.asks_second(code)
        if not words:
            return frozenset(), ""
        numbers = {int(number) for number in _ANOTHER_GROUP.findall(words)} - {group.number}
        others = [one for one in self.covered if one.number in numbers]
        if not others and len(self.covered) == 2:
            others = [one for one in self.covered if one is not group]
        return frozenset().union(*(one.codes for one in others)), words


def _procedures_in(words: str, procedures: Iterable[str]) -> frozenset[str]:
    """Return the procedures that some words name, alone or within a range such as 97110-97140."""
    words_there = set(_WORD.findall(words))
    ranges = [(low, high) for low, high in _RANGE.findall(words) if len(low) == len(high) and low < high]
    return frozenset(one for one in procedures if one in words_there or any(low <= one <= high for low, high in ranges))


class PolicyFile:
    """An installed file of policies. What it holds is read when it is asked for."""

    def __init__(self, name: str, stored: Container) -> None:
        self.name = name
        self._stored = stored
        self.kind: str = stored.meta["kind"]
        self.day = dt.date.fromisoformat(stored.meta["date"])
        self.procedures: list[str] = stored.meta["procedures"]

    def __reduce__(self) -> tuple[type[PolicyFile], tuple[str, Container]]:
        return PolicyFile, (self.name, self._stored)

    @property
    def meta(self) -> Mapping[str, Any]:
        """What is kept of the file as a whole: file, sha256, absent tables, orphans."""
        return self._stored.meta

    @lazy
    def policies(self) -> tuple[Policy, ...]:
        """Every version of every policy in it, in the order of the file."""
        return tuple(
            Policy(own, version, title, status, _date(starts), _date(ends), self, number)
            for number, (own, version, title, status, starts, ends) in enumerate(self.meta["policies"])
        )

    @lazy
    def links(self) -> tuple[tuple[int, int, int], ...]:
        """Procedure, policy and group of procedures, by number."""
        numbers = self._stored.sections["links"].cast("i").tolist()
        return tuple(zip(numbers[::3], numbers[1::3], numbers[2::3], strict=True))

    @lazy
    def procedures_of(self) -> Mapping[int, Mapping[str, tuple[int, ...]]]:
        """The procedures of each policy by its number, with the groups in which each stands."""
        found: dict[int, dict[str, tuple[int, ...]]] = {}
        for procedure, policy, group in self.links:
            of_policy = found.setdefault(policy, {})
            name = self.procedures[procedure]
            of_policy[name] = (*of_policy.get(name, ()), group)
        return found

    @lazy
    def codes(self) -> list[str]:
        """The diagnosis codes that lists name by number, in canonical form."""
        return bytes(self._stored.sections["codes"]).decode().split()

    @lazy
    def lists(self) -> Mapping[tuple[int, int], list[tuple[int, int, int]]]:
        """By policy and kind of list: the number of each group, and where its members begin and end."""
        heads = self._stored.sections["lists"].cast("i").tolist()
        bounds = self._stored.sections["bounds"].cast("i").tolist()
        found: dict[tuple[int, int], list[tuple[int, int, int]]] = {}
        for place, (policy, kind, group) in enumerate(zip(heads[::3], heads[1::3], heads[2::3], strict=True)):
            found.setdefault((policy, kind), []).append((group, bounds[place], bounds[place + 1]))
        return found

    @property
    def members(self) -> memoryview:
        """The numbers of the codes of all groups, one group after the other."""
        return self._stored.sections["members"].cast("i")

    @lazy
    def _words(self) -> Mapping[tuple[int, str, int], tuple[str, str]]:
        return {(policy, kind, group): (words, stars) for policy, kind, group, words, stars in self.meta["groups"]}

    def paragraph(self, policy: int, kind: str, group: int) -> str:
        """Return the paragraph of a group of procedures ("p"), of covered ("c") or excluded ("n") codes."""
        return self._words.get((policy, kind, group), ("", ""))[0]

    def has_lists(self, policy: int) -> bool:
        """Tell whether a policy covers or excludes any code by a list."""
        return (policy, COVERED) in self.lists or (policy, EXCLUDED) in self.lists

    def groups_of(self, policy: int, kind: int, letter: str) -> tuple[CodeGroup, ...]:
        """Return the groups of codes of a policy, by number."""
        members, codes, starred = self.members, self.codes, self._stored.sections["starred"]
        return tuple(
            CodeGroup(
                group,
                frozenset(codes[number] for number in members[low:high]),
                frozenset(codes[members[at]] for at in range(low, high) if starred[at]),
                *self._words.get((policy, letter, group), ("", "")),
            )
            for group, low, high in sorted(self.lists.get((policy, kind), ()))
        )

    @lazy
    def contractors(self) -> tuple[tuple[str, str, tuple[str, ...], frozenset[int]], ...]:
        """Number, name, states and policies of each contractor."""
        return tuple((number, name, tuple(s), frozenset(p)) for number, name, s, p in self.meta["contractors"])


def _date(text: str | None) -> dt.date | None:
    return dt.date.fromisoformat(text) if text else None


class Policies:
    """All installed policies together. Of two files with the same version of a policy the newer one speaks."""

    def __init__(self, files: Sequence[PolicyFile]) -> None:
        self.files = tuple(files)

    @lazy
    def versions(self) -> Mapping[str, tuple[Policy, ...]]:
        """The versions of each policy by its id, the oldest first; one ends where the next begins."""
        by_id: dict[str, dict[int, Policy]] = {}
        for file in self.files:
            for policy in file.policies:
                if not policy.is_draft:
                    by_id.setdefault(policy.id, {})[policy.version] = policy
        return {own: tuple(_ended(sorted(found.values(), key=_begins))) for own, found in by_id.items()}

    @lazy
    def by_procedure(self) -> Mapping[str, tuple[Policy, ...]]:
        """The versions of policies that name each procedure."""
        current = {(policy.file.name, policy.number): policy for of in self.versions.values() for policy in of}
        found: dict[str, dict[Policy, None]] = {}
        for file in self.files:
            for procedure, number, _ in file.links:
                policy = current.get((file.name, number))
                if policy is not None:
                    found.setdefault(file.procedures[procedure], {})[policy] = None
        return {procedure: tuple(policies) for procedure, policies in found.items()}

    def of_contractor(self, number: str) -> frozenset[str]:
        """Return the ids of the policies of a contractor by its number."""
        found = [
            file.policies[policy].id
            for file in self.files
            for own, _, _, policies in file.contractors
            if own == number
            for policy in policies
        ]
        return frozenset(found)

    @property
    def contractors(self) -> frozenset[str]:
        """The numbers of all contractors."""
        return frozenset(number for file in self.files for number, *_ in file.contractors)


def _begins(policy: Policy) -> tuple[dt.date, int]:
    return policy.starts or dt.date.min, policy.version


def _ended(policies: Iterable[Policy]) -> Iterator[Policy]:
    """Give versions of one policy, each ended where the next one begins."""
    ordered = list(policies)
    for policy, after in zip(ordered, [*ordered[1:], None], strict=True):
        last = after.starts - dt.timedelta(days=1) if after is not None and after.starts else None
        ends = min(filter(None, (policy.ends, last)), default=None)
        yield policy if ends == policy.ends or policy.is_retired else attrs.evolve(policy, ends=ends)
