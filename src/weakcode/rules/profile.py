"""A profile: a payer's or practice's choice of packs, rules and severities, with rules and code sets of its own."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import attrs

from weakcode.base.documented import doc
from weakcode.base.lazy import lazy
from weakcode.claims import Waiver
from weakcode.errors import InputError, Problem
from weakcode.findings import CONFIDENCES, DenialRisk, Severity, Source
from weakcode.rules.model import FULL_ID, Publication
from weakcode.rules.yamlmarks import Marked

# ruff: noqa: RUF009  (doc() declares a field; the linter knows only attrs.field by name)

Setting = Literal["off", "on", "error", "warning", "info"]
Limit = Literal["off", "error", "warning", "info"]
RiskLevel = Literal["low", "medium", "high"]
RISK_LEVELS: tuple[RiskLevel, ...] = ("low", "medium", "high")
_RULES = "Full rule ids, each off, on, error, warning or info."
_LIMITS = "By confidence, off or the highest severity of rules that the profile does not name."
_RISKS = "How likely a finding is denied: by full rule id, or by a code expression for findings on these codes."
_MOST_REMEMBERED = 10_000
OUTSIDE = (
    '"{}" leads out of the profile\'s folder; what a profile names stands below it, or below a root given with it '
    "(--profiles-root)"
)
"""The error for a file that a profile may not name."""


def profile_text(content: Mapping[str, Any]) -> str:
    """Return what a profile says as the text of its file."""
    import yaml

    body = yaml.safe_dump(dict(content), sort_keys=False, allow_unicode=True, width=120)
    return f"# yaml-language-server: $schema=profile.schema.json\n{body}"


@attrs.frozen
class RiskEntry:
    """How likely a payer denies a claim for a finding, and on whose word."""

    risk: RiskLevel = doc("low, medium or high.")
    source: str = doc("A key of the profile's sources.")
    at: str = doc("The place in the source.", default="")


@attrs.frozen
class WaiverEntry:
    """A finding that does not apply, and why; with codes, a claim_id, or both."""

    rule: str = doc("Full id of the rule whose finding is waived.", pattern=FULL_ID)
    reason: str = doc("Why the finding does not apply.")
    who: str = doc("Who answers for it.")
    codes: tuple[str, ...] = doc("The codes of the finding, in any order.", default=(), single=True)
    claim_id: str | None = doc("The claim, by its id; without it, every claim.", default=None)
    until: dt.date | None = doc("The last day on which it waives.", default=None)


@attrs.frozen
class WaiverFile:
    """A file of waivers."""

    waivers: tuple[WaiverEntry, ...] = doc("The waivers.")


@attrs.frozen
class ConfidenceLimits:
    """How much the findings of rules of each confidence may matter: off, or the highest severity that they have."""

    certain: Limit | None = doc("For what follows from the codes.", default=None)
    likely: Limit | None = doc("For what the codes show, with exceptions.", default=None)
    record: Limit | None = doc("For what depends on the record.", default=None)

    def of(self, confidence: str) -> Limit | None:
        """Return the limit for a confidence, None where nothing is said of it."""
        limit: Limit | None = getattr(self, confidence)
        return limit

    def before(self, farther: ConfidenceLimits) -> ConfidenceLimits:
        """Return these limits, and those of `farther` where these say nothing."""
        return ConfidenceLimits(*(self.of(word) or farther.of(word) for word in CONFIDENCES))


@attrs.frozen
class CoverageChoice:
    """Which installed policies a payer goes by: single ones by their ids, or all of a contractor's."""

    articles: tuple[str, ...] = doc(
        "Ids of articles or coverage determinations, such as A57703 or L33631.", default=(), single=True
    )
    contractor: str | None = doc("The number of a Medicare contractor, all of whose policies apply.", default=None)
    states: tuple[str, ...] = doc(
        "States, as in CA, whose claims this is for; needed where a payer has several choices.", default=(), single=True
    )


@attrs.frozen
class PayerProfile:
    """What a profile says for the claims of one payer; it goes before what the profile says for all."""

    ids: tuple[str, ...] = doc(
        "Ids by which claims name the payer, in any case; * stands for any characters.", default=(), single=True
    )
    names: tuple[str, ...] = doc(
        "Other names of the payer, in any case; * stands for any characters.", default=(), single=True
    )
    coverage: tuple[CoverageChoice, ...] = doc(
        "The coverage policies that the payer goes by, of those that are installed.", default=(), single=True
    )

    rules: dict[str, Setting] = doc(_RULES, factory=dict, pattern=FULL_ID)
    confidence: ConfidenceLimits = doc(_LIMITS, factory=ConfidenceLimits)
    denial_risk: dict[str, RiskEntry] = doc(_RISKS, factory=dict)


@attrs.frozen(slots=False)
class Profile:
    """A payer's or practice's choice. Payer names are compared without regard to case.

    A profile that was loaded holds what it extends as well; `layers` are the files it comes from, the nearest first.
    """

    name: str = doc("The profile's name, named in every output.")
    extends: str | None = doc(
        "The profile that this one builds on: a path from this file's folder, or the name of a file there.",
        default=None,
    )
    packs: tuple[str, ...] | None = doc(
        "Packs by name, or rule files by path from the profile's folder; without it, all bundled packs.",
        default=None,
        single=True,
    )
    extra_rules: tuple[str, ...] = doc(
        "Rule files beside the packs, by path from the profile's folder.", default=(), single=True
    )
    code_sets: dict[str, str] = doc(
        "Named code expressions, for the profile's own rules or in place of a pack's, as name or pack/name.",
        factory=dict,
    )
    sources: dict[str, Publication] = doc("Publications that the profile cites.", factory=dict)
    rules: dict[str, Setting] = doc(_RULES, factory=dict, pattern=FULL_ID)
    confidence: ConfidenceLimits = doc(_LIMITS, factory=ConfidenceLimits)
    denial_risk: dict[str, RiskEntry] = doc(_RISKS, factory=dict)
    payers: dict[str, PayerProfile] = doc("What differs by payer.", factory=dict)
    waivers: tuple[WaiverEntry, ...] = doc("Findings that do not apply, and why.", default=())
    # Where everything stood in the file, for the check against rules that are loaded later.
    marked: Marked | None = attrs.field(default=None, eq=False, repr=False)
    farther: tuple[Profile, ...] = attrs.field(default=(), eq=False, repr=False)
    # The folder below which everything stands that the profile names.
    root: Path | None = attrs.field(default=None, eq=False, repr=False)
    own: Profile | None = attrs.field(default=None, eq=False, repr=False)

    def severity_for(
        self, rule_id: str, payer: str | None, default: str, enabled: bool = True, confidence: str = "likely"
    ) -> str | None:
        """Return the severity of a rule for a payer, or None where the rule is off.

        `default` and `confidence` are what the rule's file says, `enabled` whether it is on without a profile. A
        severity switches a rule on; "on" keeps the severity that the profile gives it for all payers, or else its own.
        Limits by confidence hold for rules that are not named.
        """
        general = self.rules.get(rule_id)
        chosen = self._for_payer(payer)
        setting = chosen.rules.get(rule_id, general)
        if setting is None:
            limit = chosen.confidence.of(confidence) or self.confidence.of(confidence)
            if not enabled or limit == "off":
                return None
            return min(default, limit or default, key=Severity.parse)
        if setting == "off":
            return None
        if setting == "on":
            return general if general not in (None, "on", "off") else default
        return setting

    def _for_payer(self, payer: str | None) -> PayerProfile:
        name = self.payer_named(payer)
        return self.payers[name] if name is not None else PayerProfile()

    def payer_named(self, payer: str | None) -> str | None:
        """Return a claim's payer as the profile spells it, None where the profile does not speak of it.

        `payer` is what the claim says, a name or an id. The profile's own name goes before other names, which go before
        patterns; of several payers that fit alike the first.
        """
        return None if payer is None else self._payers.named(payer)

    def payer_of(self, payer: str | None, ids: Sequence[str]) -> str | None:
        """Return a claim's payer as the profile spells it: by one of the ids that the claim gives, or else by name."""
        found = (own for own in map(self._payers.with_id, ids) if own is not None)
        return next(found, None) or self.payer_named(payer)

    @lazy
    def _payers(self) -> PayerNames:
        return PayerNames({name: (chosen.names, chosen.ids) for name, chosen in self.payers.items()})

    @property
    def layers(self) -> tuple[Profile, ...]:
        """The profile as its own file has it, then those that it extends."""
        return (self.own or self, *self.farther)

    @property
    def folder(self) -> Path | None:
        """The folder of the profile's file, from which its paths are read."""
        if self.marked is not None and self.marked.given:
            return self.root
        return Path(self.marked.file).parent if self.marked is not None else None

    @property
    def packs_folder(self) -> Path | None:
        """The folder from which the paths among `packs` are read: that of the file that names them."""
        return next((layer.folder for layer in self.layers if layer.packs), self.folder)

    @lazy
    def rule_files(self) -> tuple[Path, ...]:
        """The extra rule files, those of the farthest profile first."""
        found = [(layer.folder or Path()) / name for layer in reversed(self.layers) for name in layer.extra_rules]
        return tuple(dict.fromkeys(found))

    @lazy
    def risks(self) -> dict[str | None, dict[str, DenialRisk]]:
        """The denial risks by payer, as the profile spells it (None: for all), then by rule id or code expression."""
        found: dict[str | None, dict[str, DenialRisk]] = {}
        for number, layer in reversed(list(enumerate(self.layers))):
            for payer, entries in layer.risk_entries():
                name = None if payer is None else self.payer_named(payer)
                for key, entry in entries.items():
                    publication = cited(self.layers[number:], entry.source)
                    if publication is not None:
                        source = Source(title_of(publication), entry.at)
                        found.setdefault(name, {})[key] = DenialRisk(entry.risk, source, name)
        return found

    def risk_entries(self) -> list[tuple[str | None, dict[str, RiskEntry]]]:
        """Return the denial risks of this file by payer, None being all."""
        return [(None, self.denial_risk), *((payer, chosen.denial_risk) for payer, chosen in self.payers.items())]

    @lazy
    def waiver_list(self) -> tuple[Waiver, ...]:
        """The waivers with their places, the nearest profile's first."""
        return tuple(waiver for layer in self.layers for waiver in waivers_of(layer.waivers, layer.marked, []))


class PayerNames:
    """Payers by what claims call them."""

    def __init__(self, payers: Mapping[str, tuple[Sequence[str], Sequence[str]]]) -> None:
        """Take the other names and the ids of each payer."""
        plain: dict[str, str] = {}
        ids: dict[str, str] = {}
        self._patterns: list[tuple[re.Pattern[str], str]] = []
        self._id_patterns: list[tuple[re.Pattern[str], str]] = []
        for name in payers:
            plain.setdefault(same_payer(name), name)
        for name, (names, own_ids) in payers.items():
            for entries, known, patterns in ((names, plain, self._patterns), (own_ids, ids, self._id_patterns)):
                for one in entries:
                    if "*" in one:
                        patterns.append((_pattern(one), name))
                    else:
                        known.setdefault(same_payer(one), name)
        self._plain, self._ids = plain, ids
        self._known: dict[tuple[str, bool], str | None] = {}

    def named(self, payer: str) -> str | None:
        """Return whom a name means; a name may also be an id."""
        return self._remembered(payer, is_id=False)

    def with_id(self, payer_id: str) -> str | None:
        """Return whom an id means."""
        return self._remembered(payer_id, is_id=True)

    def _remembered(self, text: str, *, is_id: bool) -> str | None:
        key = (text, is_id)
        if key not in self._known:
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            self._known[key] = self._found(same_payer(text), is_id=is_id)
        return self._known[key]

    def _found(self, text: str, *, is_id: bool) -> str | None:
        by_name = () if is_id else (self._plain.get(text),)
        fitting = (own for pattern, own in ([] if is_id else self._patterns) if pattern.fullmatch(text))
        by_id = (own for pattern, own in self._id_patterns if pattern.fullmatch(text))
        ways = (*by_name, self._ids.get(text), next(fitting, None), next(by_id, None))
        return next((own for own in ways if own is not None), None)


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in same_payer(text).split("*")), re.DOTALL)


def same_payer(name: str) -> str:
    """Return the form in which names of payers are compared."""
    return " ".join(name.split()).casefold()


def cited(layers: Sequence[Profile], key: str) -> Publication | None:
    """Return the publication that a key stands for in the nearest of these profiles that has it."""
    return next((layer.sources[key] for layer in layers if key in layer.sources), None)


def title_of(publication: Publication) -> str:
    """Return publisher, title and edition of a payer's publication as one phrase."""
    title = f"{publication.publisher}: {publication.title}" if publication.publisher else publication.title
    return f"{title} ({publication.edition})" if publication.edition else title


def waivers_of(entries: Sequence[WaiverEntry], marked: Marked | None, problems: list[Problem]) -> tuple[Waiver, ...]:
    """Return the waivers that stand under `waivers` in a file, and add to the problems those that cannot be."""
    waivers = []
    for index, entry in enumerate(entries):
        path = ("waivers", index)
        place = marked.place(path) if marked is not None else ""
        values = attrs.asdict(entry) | {"codes": " ".join(entry.codes), "place": place}
        try:
            waivers.append(may_stand_in_a_file(Waiver(**values)))
        except InputError as error:
            if marked is not None:
                problems.append(marked.problem(path, str(error)))
    return tuple(waivers)


def may_stand_in_a_file(waiver: Waiver) -> Waiver:
    """Return a waiver that may stand in a file; raises InputError for one that would waive its rule everywhere."""
    if not waiver.codes and waiver.claim_id is None:
        raise InputError(
            f"the waiver of {waiver.rule} names neither codes nor a claim_id and would waive the whole rule; "
            "give one of them, or switch the rule off in a profile"
        )
    return waiver
