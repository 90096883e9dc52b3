"""Pseudonymised claim ids (HMAC-SHA256), for outputs that others see."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from typing import TYPE_CHECKING, Any, cast

import attrs

from weakcode.engines.ids import with_claim_id
from weakcode.errors import InputError
from weakcode.scrub.read.rows import Rejected
from weakcode.scrub.schema import PERSONAL

if TYPE_CHECKING:
    import pyarrow as pa

    from weakcode.scrub.judge.rows import EvaluatedRecord

KEY_VARIABLE = "WEAKCODE_HASH_KEY"
_DIGITS = 16


def hash_key(joining: str = "") -> bytes:
    """Return the key from WEAKCODE_HASH_KEY, so that runs can be joined; without it, a random one for this run.

    Raises InputError without it where something is `joining` the claims of several runs.
    """
    variable = os.environ.get(KEY_VARIABLE, "")
    if joining and not variable:
        raise InputError(
            f"--hash-ids with {joining} needs {KEY_VARIABLE}: with a new key in each run, no claim is that of an "
            "earlier one"
        )
    return variable.encode("utf-8", "surrogateescape") if variable else secrets.token_bytes(32)


def hashed_id(claim_id: str, key: bytes) -> str:
    """Return 16 hexadecimal digits (64 bits) of the claim id's HMAC-SHA256 under `key`.

    Without the key nobody can try out ids until one fits; with the same key the same id gives the same digits.
    """
    return hmac.digest(key, claim_id.encode("utf-8", "surrogatepass"), hashlib.sha256).hex()[:_DIGITS]


@attrs.frozen
class HashedIds:
    """Puts `hashed_id` in the place of claim ids wherever a scrub tells them. No id, null or empty, stays none."""

    _key: bytes = attrs.field(repr=False)

    def text(self, claim_id: str | None) -> str | None:
        """Return an id hashed."""
        return hashed_id(claim_id, self._key) if claim_id else claim_id

    def ids(self, ids: pa.Array) -> pa.Array:
        """Return a column of ids hashed, each distinct id once."""
        import pyarrow as pa

        distinct = ids.dictionary_encode()
        hashed = pa.array([self.text(value) for value in distinct.dictionary.to_pylist()], pa.string())
        return hashed.take(distinct.indices)

    def judged(self, judged: EvaluatedRecord) -> EvaluatedRecord:
        """Return a claim that was evaluated under its hashed id, without its row and without `PERSONAL` values.

        The ids of its findings are those of the claim under this id.
        """
        record, verdict = judged.record, judged.verdict
        kept: dict[str, Any] = {"id": self.text(record.claim.id), **dict.fromkeys(PERSONAL)}
        claim = attrs.evolve(record.claim, **kept)
        renamed = {name: with_claim_id(getattr(verdict, name), claim.id) for name in ("findings", "waived")}
        verdict = attrs.evolve(cast("Any", verdict), **renamed)
        return attrs.evolve(judged, record=attrs.evolve(record, claim=claim, raw=""), verdict=verdict)

    def rejected(self, rejected: Rejected) -> Rejected:
        """Return a rejected row under its hashed id, with nothing else of what it says."""
        return attrs.evolve(rejected, claim_id=self.text(rejected.claim_id), reason=rejected.part, raw="")
