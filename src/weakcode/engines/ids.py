"""Ids of findings: the same for the same finding of the same claim, in every run and by every engine.

An id is made of the claim's id, the rule, the codes and their positions, and of nothing else: not of wording,
severity or edition. It is the SipHash-2-4-128 of the positions and the claim's id under a key, of which 96 bits are
written in hexadecimal; the key is the SipHash-2-4-128 of rule and codes. Where a rule finds several things on the
same codes of a claim, the nth has an id made of the first's and of its number.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import accumulate

import attrs

from weakcode.engines.kernel._kernel import finding_id, nth_id, siphash, siphashes
from weakcode.findings import Finding

PART = "\x1f"
_NO_KEY = bytes(16)


def key_of(rule: str, codes: Iterable[str]) -> bytes:
    """Return what stands for a rule and the codes of a finding, 16 bytes."""
    return siphash(_NO_KEY, PART.join((rule, *codes)).encode("utf-8", "surrogatepass"))


def keys_of(texts: Sequence[str]) -> bytes:
    """Return what stands for each of several rules and the codes of a finding, each parted by `PART`, 16 bytes each."""
    joined = "".join(texts)
    sizes = map(len, texts) if joined.isascii() else (len(text.encode("utf-8", "surrogatepass")) for text in texts)
    bounds = array("i", accumulate(sizes, initial=0))
    return bytes(siphashes(_NO_KEY, bounds, joined.encode("utf-8", "surrogatepass")))


def id_of(claim_id: str | None, rule: str, codes: Iterable[str], positions: Sequence[int]) -> str:
    """Return the id of a finding, 24 hexadecimal digits. No claim id and an empty one are the same."""
    subject, other = (*positions, 0, 0)[:2]
    return keyed_id(key_of(rule, codes), claim_id, subject, other)


def keyed_id(key: bytes, claim_id: str | None, subject: int, other: int) -> str:
    """Return the id of a finding whose rule and codes have this key; a position of 0 is none."""
    return finding_id(key, subject, other, claim_id.encode("utf-8", "surrogatepass") if claim_id else b"")


def with_claim_id(findings: Iterable[Finding], claim_id: str | None) -> tuple[Finding, ...]:
    """Return findings with the ids that they have on a claim of another id."""
    return unique(tuple(attrs.evolve(one, id=id_of(claim_id, one.rule, one.codes, one.positions)) for one in findings))


def unique(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Return the findings on a claim, in their order, with ids of which none stands twice."""
    met: Counter[str] = Counter()
    numbered = []
    for one in findings:
        met[one.id] += 1
        nth = met[one.id]
        numbered.append(one if nth == 1 else attrs.evolve(one, id=nth_id(one.id, nth)))
    return tuple(numbered)
