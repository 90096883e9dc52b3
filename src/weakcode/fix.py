"""Mending a claim: safe fixes reorder the fewest codes and drop exact repeats; the rest is done only on request.

A safe fix never adds a finding, never loses a code and changes nothing when done again. Where the order rules lead in a
circle, nothing is guessed: the findings stay.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import combinations, pairwise

import attrs

from weakcode.claims import Claim, Diagnosis, ServiceLine
from weakcode.findings import Finding, Fix

Check = Callable[[Claim], tuple[Finding, ...]]
Pair = tuple[str, str]
_ROUNDS = 12
_MOST_MOVED = 6
_MOST_TRIED = 5_000
"""Choices of codes to move; a claim with more than that to choose from is a column gone wrong, or an attack."""


@attrs.frozen
class Fixed:
    """A mended claim, the fixes that were applied to it, and the findings that remain.

    `notices` say why an order could not be mended.
    """

    claim: Claim
    applied: tuple[Fix, ...]
    remaining: tuple[Finding, ...]
    notices: tuple[str, ...] = ()


def fix(claim: Claim, check: Check, *, unsafe: bool = False) -> Fixed:
    """Return the claim with every safe fix applied, and with `unsafe` the proposals of the other findings too."""
    before = check(claim)
    if not any(found.fix and (found.fix.safe or unsafe) for found in before):
        return Fixed(claim, (), before)
    applied: list[Fix] = []
    mended, dropped = _without_repeats(claim, before)
    applied += dropped
    mended, moves, notices = _reordered(mended, check)
    applied += moves
    if unsafe:
        mended, changes = _proposals(mended, check)
        applied += changes
        mended, moves, more = _reordered(mended, check)
        applied += moves
        notices = tuple(dict.fromkeys((*notices, *more)))
    return Fixed(mended, tuple(applied), check(mended), notices)


def _without_repeats(claim: Claim, findings: Iterable[Finding]) -> tuple[Claim, list[Fix]]:
    fixes = [f.fix for f in findings if f.fix and f.fix.safe and f.fix.action == "drop-repeat"]
    dropped = {position for one in fixes for position in one.positions}
    if not dropped:
        return claim, []
    kept = [position for position in range(1, len(claim.codes) + 1) if position not in dropped]
    moved = {old: new for new, old in enumerate(kept, start=1)}
    for position in dropped:
        moved[position] = moved[claim.codes.index(claim.codes[position - 1]) + 1]
    return _arranged(claim, [claim.diagnoses[i - 1] for i in kept], moved), fixes


def _arranged(claim: Claim, diagnoses: Sequence[Diagnosis], moved: dict[int, int]) -> Claim:
    """Return the claim with these diagnoses, the pointers of its lines following where `moved` says."""
    lines = tuple(
        attrs.evolve(line, pointers=tuple(dict.fromkeys(moved.get(pointer, pointer) for pointer in line.pointers)))
        for line in claim.lines
    )
    return evolve(claim, diagnoses, lines)


def evolve(claim: Claim, diagnoses: Sequence[Diagnosis], lines: Sequence[ServiceLine]) -> Claim:
    """Return the claim with other diagnoses and lines."""
    return attrs.evolve(claim, codes=tuple(diagnoses), lines=tuple(lines))


def _demands(claim: Claim, findings: Iterable[Finding]) -> set[Pair]:
    """Return the (earlier, later) codes that safe resequencing asks for."""
    demands: set[Pair] = set()
    for finding in findings:
        one = finding.fix
        if one is None or not one.safe or one.action != "resequence" or len(one.positions) != 2:
            continue
        first, second = (claim.codes[position - 1] for position in sorted(one.positions))
        demands.add((second, first))
    return demands


def _reordered(claim: Claim, check: Check) -> tuple[Claim, list[Fix], tuple[str, ...]]:
    """Return the claim in the order that every safe resequencing asks for, moving the fewest codes."""
    demands: set[Pair] = set()
    current, order = claim, list(range(len(claim.codes)))
    before = check(claim)
    for _ in range(_ROUNDS):
        asked = _demands(current, check(current))
        if asked <= demands:
            break
        demands |= asked
        found = _fewest_moves(claim.codes, demands)
        if found is None:
            circle = ", ".join(sorted({code for pair in demands for code in pair}))
            return claim, [], (f"the order rules for {circle} contradict each other, so their order is left alone",)
        order = found
        current = _in_order(claim, order)
    if order == list(range(len(claim.codes))):
        return claim, [], ()
    if _added(before, check(current)) or _demands(current, check(current)):
        return claim, [], ("reordering would bring up another finding, so the order is left alone",)
    moves = [Fix("resequence", "Write the codes in this order: " + ", ".join(current.codes) + ".", True)]
    return current, moves, ()


def _in_order(claim: Claim, order: Sequence[int]) -> Claim:
    moved = {old + 1: new for new, old in enumerate(order, start=1)}
    return _arranged(claim, [claim.diagnoses[index] for index in order], moved)


def _added(before: Iterable[Finding], after: Iterable[Finding]) -> bool:
    def problems(findings: Iterable[Finding]) -> Counter[tuple[str, frozenset[str]]]:
        return Counter((finding.rule, frozenset(finding.codes)) for finding in findings)

    return bool(problems(after) - problems(before))


def _fewest_moves(codes: Sequence[str], demands: Iterable[Pair]) -> list[int] | None:
    """Return the order of indexes that meets the demands with the fewest codes moved; None for a circle.

    Where there are too many choices to try, each code stands as early as it may.
    """
    index = {code: number for number, code in reversed(list(enumerate(codes)))}
    edges = {(index[a], index[b]) for a, b in demands if a in index and b in index}
    if _sorted(len(codes), edges) is None:
        return None
    wrong = [(a, b) for a, b in edges if a > b]
    involved = sorted({number for pair in wrong for number in pair})
    tried = 0
    for size in range(min(len(involved), _MOST_MOVED) + 1):
        for moving in combinations(reversed(involved), size):
            tried += 1
            if tried > _MOST_TRIED:
                return _sorted(len(codes), edges)
            if all(a in moving or b in moving for a, b in wrong):
                staying = [number for number in range(len(codes)) if number not in moving]
                order = _sorted(len(codes), edges | set(pairwise(staying)))
                if order is not None:
                    return order
    return _sorted(len(codes), edges)


def _sorted(size: int, edges: Iterable[tuple[int, int]]) -> list[int] | None:
    """Return the indexes in an order that meets the edges, each as early as its number; None for a circle."""
    ahead: dict[int, set[int]] = {number: set() for number in range(size)}
    for first, second in edges:
        ahead[second].add(first)
    order: list[int] = []
    while ahead:
        ready = min((number for number, waiting in ahead.items() if not waiting), default=None)
        if ready is None:
            return None
        order.append(ready)
        del ahead[ready]
        for waiting in ahead.values():
            waiting.discard(ready)
    return order


def _proposals(claim: Claim, check: Check) -> tuple[Claim, list[Fix]]:
    """Apply the unsafe fixes one at a time, each on the findings that the one before left."""
    applied: list[Fix] = []
    for _ in range(_ROUNDS):
        change = next(
            (f.fix for f in check(claim) if f.fix and not f.fix.safe and _doable(claim, f.fix, applied)), None
        )
        if change is None:
            break
        applied.append(change)
        claim = _changed(claim, change)
    return claim, applied


def _doable(claim: Claim, one: Fix, applied: Sequence[Fix]) -> bool:
    if one in applied:
        return False
    if one.action == "remove":
        return len(claim.codes) > 1
    return one.action in ("replace", "add") and one.code is not None


def _changed(claim: Claim, one: Fix) -> Claim:
    diagnoses = list(claim.diagnoses)
    if one.action == "add":
        # A pointer beyond the claim is not to the diagnosis that is added there.
        beyond = {pointer: pointer + 1 for line in claim.lines for pointer in line.pointers if pointer > len(diagnoses)}
        return _arranged(claim, [*diagnoses, Diagnosis(one.code or "")], beyond)
    at = one.positions[0] - 1
    if one.action == "replace":
        diagnoses[at] = attrs.evolve(diagnoses[at], code=one.code or "")
        return _arranged(claim, diagnoses, {})
    del diagnoses[at]
    moved = {position: position - 1 for position in range(at + 2, len(claim.codes) + 1)}
    lines = [
        attrs.evolve(line, pointers=tuple(moved.get(p, p) for p in line.pointers if p != at + 1))
        for line in claim.lines
    ]
    return evolve(claim, diagnoses, lines)
