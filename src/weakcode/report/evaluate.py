"""Findings measured against a file of verdicts: which were right, which were not, and what was missed.

A verdict names a claim, and a rule, codes or both. It is about the findings that fit it; of several verdicts that fit a
finding, the one that says most counts. `right` without a finding is a miss, `wrong` without one was rightly silent.
"""

from __future__ import annotations

import csv
import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import sqrt
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from weakcode.codes.normalise import canonical
from weakcode.errors import InputError, did_you_mean
from weakcode.report.texts import text_of

if TYPE_CHECKING:
    from weakcode.claims import Claim
    from weakcode.findings import Finding
    from weakcode.validator import Validator

_COLUMNS = ("claim_id", "rule", "codes", "verdict")
_VERDICTS = {"right": True, "true": True, "yes": True, "wrong": False, "false": False, "no": False}
_Z = 1.959964
"""The quantile of the normal distribution for intervals of 95%."""


@attrs.frozen
class Truth:
    """A verdict: what a coder says of the findings on a claim that fit. `place` is the file and line of it."""

    claim_id: str
    is_right: bool
    rule: str = ""
    codes: frozenset[str] = frozenset()
    place: str = attrs.field(default="", eq=False)

    def fits(self, finding: Finding) -> bool:
        """Tell whether a verdict on its claim is about a finding."""
        return self.rule in ("", finding.rule) and (not self.codes or self.codes == frozenset(finding.codes))

    def __str__(self) -> str:
        return " on ".join(filter(None, (self.rule, " ".join(sorted(self.codes)))))

    @property
    def says(self) -> int:
        """How much it says, so that the more specific verdict counts."""
        return 2 * bool(self.rule) + bool(self.codes)


@attrs.frozen
class RuleMeasure:
    """How often a rule was right; `open` findings have no verdict. `rule` is empty for misses that name none."""

    rule: str
    right: int = 0
    wrong: int = 0
    missed: int = 0
    open: int = 0

    @property
    def precision(self) -> float | None:
        """The share of findings with a verdict that were right, None where there is none."""
        known = self.right + self.wrong
        return self.right / known if known else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95% interval of the precision by Wilson (1927), None where there is none."""
        return wilson(self.right, self.right + self.wrong)

    @property
    def recall(self) -> float | None:
        """The share of what should be found that was, as far as verdicts tell; None where they tell nothing."""
        wanted = self.right + self.missed
        return self.right / wanted if wanted else None

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        shares = {"precision": self.precision, "interval": self.interval, "recall": self.recall}
        return {**attrs.asdict(self), **shares}


@attrs.frozen
class Evaluation:
    """What became of all verdicts. `silent` of them say that something would be wrong, and nothing was found."""

    claims: int
    rules: tuple[RuleMeasure, ...]
    silent: int
    misses: tuple[Truth, ...]
    alarms: tuple[tuple[str, Finding], ...]

    @property
    def total(self) -> RuleMeasure:
        """All rules together."""
        names = [field.name for field in attrs.fields(RuleMeasure)[1:]]
        return RuleMeasure("", **{name: sum(getattr(one, name) for one in self.rules) for name in names})

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        return {
            "claims": self.claims,
            "total": {name: value for name, value in self.total.to_dict().items() if name != "rule"},
            "silent": self.silent,
            "rules": [one.to_dict() for one in self.rules],
            "misses": [{"claim_id": one.claim_id, "rule": one.rule, "codes": sorted(one.codes)} for one in self.misses],
            "false_alarms": [
                {"claim_id": claim_id, "rule": one.rule, "codes": list(one.codes)} for claim_id, one in self.alarms
            ],
        }


def wilson(hits: int, of: int) -> tuple[float, float] | None:
    """Return the 95% interval of a share by Wilson (1927), None of nothing."""
    if not of:
        return None
    share, square = hits / of, _Z * _Z
    middle = share + square / (2 * of)
    reach = _Z * sqrt(share * (1 - share) / of + square / (4 * of * of))
    return max(0.0, (middle - reach) / (1 + square / of)), min(1.0, (middle + reach) / (1 + square / of))


def evaluate(claims: Iterable[Claim], truths: Sequence[Truth], judge: Validator) -> Evaluation:
    """Measure the findings on claims against verdicts.

    Raises InputError for a verdict on a claim that is not there, and for claims that share an id with verdicts on it.
    """
    of_claim: dict[str, list[Truth]] = {}
    for truth in truths:
        of_claim.setdefault(truth.claim_id, []).append(truth)
    counts: Counter[tuple[str, str]] = Counter()
    misses: list[Truth] = []
    alarms: list[tuple[str, Finding]] = []
    met: set[str] = set()
    total = silent = 0
    for claim in claims:
        total += 1
        known = of_claim.get(claim.id or "", [])
        if known and claim.id in met:
            raise InputError(f"two claims have the id of the verdict at {known[0].place}; ids must tell claims apart")
        met.add(claim.id or "")
        used: set[int] = set()
        for finding in judge.check(claim):
            fitting = [truth for truth in known if truth.fits(finding)]
            used.update(map(id, fitting))
            best = max(fitting, key=lambda truth: truth.says, default=None)
            counts[finding.rule, "open" if best is None else "right" if best.is_right else "wrong"] += 1
            if best is not None and not best.is_right:
                alarms.append((claim.id or "", finding))
        for truth in known:
            if id(truth) not in used and truth.is_right:
                misses.append(truth)
                counts[truth.rule, "missed"] += 1
            silent += id(truth) not in used and not truth.is_right
    for truth in truths:
        if truth.claim_id not in met:
            raise InputError(f"{truth.place}: there is no claim with this id among the claims")
    rules = [
        RuleMeasure(rule, **{name: counts[rule, name] for name in ("right", "wrong", "missed", "open")})
        for rule in {rule for rule, _ in counts}
    ]
    rules.sort(key=lambda one: (-(one.right + one.wrong), -one.missed, one.rule))
    return Evaluation(total, tuple(rules), silent, tuple(misses), tuple(alarms))


def read_truth(path: str | os.PathLike[str], known_rules: Sequence[str] = ()) -> tuple[Truth, ...]:
    """Read verdicts from CSV or JSON Lines with `claim_id`, `rule`, `codes` and `verdict` (right or wrong).

    `rule` or `codes` may be empty. Raises InputError with file and line for what is none, for a rule that is not
    known, and for two verdicts that contradict each other.
    """
    found: dict[tuple[str, str, frozenset[str]], Truth] = {}
    for place, row in _rows(Path(path)):
        truth = _truth(place, row)
        if truth.rule and known_rules and truth.rule not in known_rules:
            raise InputError(f'{place}: there is no rule "{truth.rule}"{did_you_mean(truth.rule, known_rules)}')
        key = (truth.claim_id, truth.rule, truth.codes)
        other = found.setdefault(key, truth)
        if other.is_right != truth.is_right:
            raise InputError(f"{place}: the verdict at {other.place} says the opposite; keep one")
    return tuple(found.values())


def _truth(place: str, row: Mapping[str, Any]) -> Truth:
    claim_id, rule = (str(row.get(name) if row.get(name) is not None else "").strip() for name in ("claim_id", "rule"))
    codes = row.get("codes") or ()
    if isinstance(codes, str):
        codes = codes.replace(";", " ").replace(",", " ").split()
    word = str(row.get("verdict", "")).strip().lower()
    if not claim_id:
        raise InputError(f"{place}: a verdict needs the claim_id of a claim")
    if word not in _VERDICTS:
        raise InputError(f"{place}: the verdict is right or wrong{did_you_mean(word, _VERDICTS)}")
    if not rule and not codes:
        raise InputError(f"{place}: a verdict names a rule, codes or both")
    return Truth(claim_id, _VERDICTS[word], rule, frozenset(map(canonical, map(str, codes))), place)


def _rows(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Give each row of a file of verdicts with its place."""
    text = text_of(path, "verdicts")
    if text.lstrip()[:1] == "{":
        for number, line in enumerate(text.splitlines(), start=1):
            if line.strip():
                try:
                    row = json.loads(line)
                except ValueError:
                    row = None
                if not isinstance(row, dict):
                    raise InputError(f"{path}, line {number}: this is no JSON object")
                yield f"{path}, line {number}", row
        return
    reader = csv.DictReader(text.splitlines())
    missing = [name for name in ("claim_id", "verdict") if name not in (reader.fieldnames or ())]
    if missing:
        raise InputError(
            f"{path} has no column {' and no column '.join(missing)}; a file of verdicts has the columns "
            f"{', '.join(_COLUMNS)}"
        )
    for row in reader:
        yield f"{path}, line {reader.line_num}", row
