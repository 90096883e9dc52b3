"""`check`: a list of codes in, findings out; and the examples of rules, judged as users' claims are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from weakcode.claims import Claim, Diagnosis
from weakcode.findings import Finding
from weakcode.validator import Validator

if TYPE_CHECKING:
    from weakcode.rules.examples import ExampleCase, ExampleResult
    from weakcode.rules.model import Rule
    from weakcode.rules.profile import Profile

_known: dict[tuple[tuple[str, ...] | None, str | None], Validator] = {}


def check(
    codes: Sequence[str | Diagnosis | Mapping[str, Any]] | str,
    *,
    age: int | None = None,
    sex: str | None = None,
    birth_date: Any = None,
    service_date: Any = None,
    setting: str | None = None,
    payer: str | None = None,
    documented: Iterable[str] = (),
    packs: Iterable[str | Path] | str | None = None,
    profile: Profile | str | Path | None = None,
    engine: str | None = None,
    **fields: Any,
) -> tuple[Finding, ...]:
    """Return the findings on a claim's codes, given in order, the first-listed diagnosis first.

    `fields` are other fields of `Claim`: `lines`, `payer_id`, `place`, …

    Examples:
        >>> [finding.rule for finding in check(["M62.84", "I10"])]
        ['weakness/sarcopenia-underlying-disease-first']
    """
    claim = Claim(
        codes,
        age=age,
        sex=sex,
        birth_date=birth_date,
        service_date=service_date,
        setting=setting,
        payer=payer,
        documented=documented,
        **fields,
    )
    names = (
        None if packs is None else tuple(str(pack) for pack in ([packs] if isinstance(packs, str | Path) else packs))
    )
    validator = _known.get((names, engine)) if profile is None else None
    if validator is None:
        validator = Validator(packs=names, profile=profile, engine=engine)
        # The user's own files may change from call to call; what weakcode ships does not.
        if profile is None and validator.is_bundled:
            _known[names, engine] = validator
    return validator.check(claim)


def run_examples(packs: Iterable[str] | None = None, engine: str | None = None) -> list[ExampleResult]:
    """Run the examples of every rule of the packs; None means every bundled pack.

    Each rule is judged by itself, so that an example of a generic rule does not depend on what supersedes it.
    Raises RuleFileError and UnknownNameError as Validator does.
    """
    return [run() for _, run in cases_in(packs, engine)]


def cases_in(
    packs: Iterable[str] | None = None, engine: str | None = None
) -> Iterator[tuple[ExampleCase, Callable[[], ExampleResult]]]:
    """Give every example of the packs with what runs it, as `run_examples` does."""
    from weakcode.rules.examples import cases_of

    ran: list[Validator] = []
    for path, full_id, rule in _rules(packs):
        validator = Validator(packs=[path], engine=engine, only=[full_id])
        for case in cases_of(full_id, rule):
            yield case, partial(_outcome, case, validator)
            # The first that judged keeps the compiled rules open for the others.
            ran = ran or [validator]


def rules_in(packs: Iterable[str] | None = None) -> list[str]:
    """Return the full ids of the rules of the packs, those without examples too."""
    return [full_id for _, full_id, _ in _rules(packs)]


def _rules(packs: Iterable[str] | None) -> Iterator[tuple[Path, str, Rule]]:
    from weakcode.rules.library import resolve_packs
    from weakcode.rules.load import load_pack

    for selected in resolve_packs(None if packs is None else list(packs)):
        loaded = load_pack(selected.path)
        for rule in loaded.pack.rules:
            full_id = f"{loaded.pack.pack}/{rule.id}"
            if not selected.only_rules or full_id in selected.only_rules:
                yield selected.path, full_id, rule


def _outcome(case: ExampleCase, validator: Validator) -> ExampleResult:
    from weakcode.rules.examples import compare

    claim = validator.fix(case.claim).claim if case.example.fixed else case.claim
    return compare(case, validator.check(case.claim), claim)
