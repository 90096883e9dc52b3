"""The share of claims with a finding, by rule, as a Markdown table; and the claims of one rule, drawn to be read.

    python benchmarks/shares.py ../shared/data/claims
    python benchmarks/shares.py ../shared/data/claims --read icd10cm/excludes1 [--claims 20] [--seed 62]

Every claim of every file is judged by all bundled packs as they are switched on by default. A claim counts once for a
rule, however many findings of it there are. `--read` draws claims with a finding of the rule, the same for one seed.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import attrs

import weakcode

GROUPS = {"bfd": "Beneficiary FHIR Data", "medicalcoder": "medicalcoder", "pccc": "pccc"}
"""Where a claim comes from, by how its id begins; the CMS research files are Beneficiary FHIR Data too."""


@attrs.frozen
class Judged:
    """A claim with its findings, and the group that it comes from."""

    claim: weakcode.Claim
    group: str
    findings: tuple[weakcode.Finding, ...]

    def has(self, severity: str) -> bool:
        """Tell whether a finding has this severity."""
        return any(finding.severity == severity for finding in self.findings)

    def rules(self) -> dict[str, str]:
        """Return the severity of each rule that the claim has a finding of."""
        return {finding.rule: finding.severity for finding in self.findings}


def judged(paths: Iterable[Path]) -> Iterator[Judged]:
    """Yield every claim of the files with its findings."""
    validator = weakcode.Validator(engine="columnar")
    for path in paths:
        for claim in weakcode.read_claims(path):
            start = (claim.id or "").partition("_")[0]
            yield Judged(claim, GROUPS.get(start, GROUPS["bfd"]), validator.check(claim))


def table(claims: list[Judged]) -> Iterator[str]:
    """Yield the lines of the table: claims in all, with a finding by severity, and by rule, most frequent first."""
    groups = list(GROUPS.values())
    sizes = Counter(one.group for one in claims)

    def row(name: str, severity: str, having: list[Judged]) -> str:
        within = Counter(one.group for one in having)
        shares = [f"{within[group] / sizes[group]:.1%}" if sizes[group] else "" for group in groups]
        cells = [name, severity, f"{len(having):,}", f"{len(having) / len(claims):.2%}", *shares]
        return f"| {' | '.join(cells)} |"

    yield f"| rule | severity | claims | share | {' | '.join(f'of {group}' for group in groups)} |"
    yield "| --- | --- | ---: | ---: |" + " ---: |" * len(groups)
    yield row("every claim", "", claims)
    yield row("any finding", "", [one for one in claims if one.findings])
    for severity in ("error", "warning", "info"):
        yield row(f"any {severity}", severity, [one for one in claims if one.has(severity)])
    by_rule: dict[str, list[Judged]] = {}
    severities: dict[str, str] = {}
    for one in claims:
        for rule, severity in one.rules().items():
            by_rule.setdefault(rule, []).append(one)
            severities[rule] = severity
    for rule in sorted(by_rule, key=lambda rule: (-len(by_rule[rule]), rule)):
        yield row(f"`{rule}`", severities[rule], by_rule[rule])


def drawn(claims: list[Judged], rule: str, number: int, seed: int) -> Iterator[str]:
    """Yield up to `number` claims with a finding of the rule, and what these findings say."""
    having = [one for one in claims if rule in one.rules()]
    for one in random.Random(seed).sample(having, min(number, len(having))):
        claim = one.claim
        about = f"{claim.service_date or 'no date'}, age {claim.age}, sex {claim.sex}, {claim.setting or 'no setting'}"
        yield f"{claim.id} ({about})"
        yield f"    {' '.join(claim.codes)}"
        for finding in one.findings:
            if finding.rule == rule:
                at = ", ".join(map(str, finding.positions)) or "claim"
                yield f"    {finding.severity} at {at}: {finding.message}"


def main() -> None:
    """Judge the files and print."""
    parser = argparse.ArgumentParser(description="The share of claims with a finding, by rule.")
    parser.add_argument("path", nargs="+", type=Path, help="files of claims, or folders of them")
    parser.add_argument("--read", metavar="RULE", help="draw claims with a finding of this rule instead")
    parser.add_argument("--claims", type=int, default=20, help="how many claims to draw")
    parser.add_argument("--seed", type=int, default=62)
    options = parser.parse_args()
    paths = [file for path in options.path for file in (sorted(path.iterdir()) if path.is_dir() else [path])]
    claims = list(judged(paths))
    if not claims:
        sys.exit("the files hold no claims")
    lines = drawn(claims, options.read, options.claims, options.seed) if options.read else table(claims)
    print("\n".join(lines))


if __name__ == "__main__":
    main()
