"""What a run leaves for the next one, so that it judges only claims that are new or changed: their digests.

The digests file has a row for each claim that was evaluated, in order: its digest, how many findings it has, and which
claim of its id it is. It says which findings file it belongs to, and the digest of that file's ids.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import attrs
import numpy as np

from weakcode.errors import InputError
from weakcode.scrub.columns.digests import SIZE, as_column, as_words
from weakcode.scrub.schema import Encoding, findings_schema, parquet_leaves
from weakcode.scrub.unchanged import EarlierClaims
from weakcode.scrub.write.files import writing

if TYPE_CHECKING:
    import pyarrow as pa

    from weakcode.scrub.judge.batch import FindingBatch
    from weakcode.validator import Validator

DIGESTS_EXTENSIONS = (".parquet",)
_FINDINGS, _IDS = b"weakcode.findings_file", b"weakcode.finding_ids"
_MOST_WAITING = 65_536


def what_judges(validator: Validator, rules: str, hash_key: bytes | None) -> str | None:
    """Return what stands for everything that judges claims beside the codes of their days; None where nothing does.

    `rules` is the digest of the rules. With waivers, denial risks and coverage policies no claim is known to be judged
    as before: these have dates and files of their own.
    """
    from weakcode import __version__

    columns = validator.columns()
    if columns.marker is not None or columns.coverage is not None:
        return None
    profile = validator._chosen.profile
    said = None if profile is None else _plain(attrs.asdict(profile))
    key = hashlib.blake2b(hash_key, digest_size=16).hexdigest() if hash_key else ""
    content = json.dumps([__version__, rules, validator.packs, validator.strict_edition, said, key], sort_keys=True)
    return hashlib.blake2b(content.encode(), digest_size=16).hexdigest()


def _plain(value: Any) -> Any:
    """Return a value as JSON has it, sets in order."""
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, set | frozenset):
        return sorted(map(repr, value))
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else repr(value)


class DigestsWriter:
    """Writes the digests of the claims of a run; `findings` is where its findings will stand."""

    def __init__(self, target: Path, file: BinaryIO, findings: Path) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        self._target, self._findings = target, findings
        self._schema = pa.schema([("digest", pa.binary(SIZE)), ("findings", pa.int32()), ("nth", pa.int32())])
        self._ids = hashlib.blake2b(digest_size=16)
        self._single: list[int] = []
        with writing(target):
            self._writer = pq.ParquetWriter(file, self._schema, compression="zstd", use_dictionary=False)

    def batch(self, part: FindingBatch, nth: Any) -> None:
        """Take the claims of a batch."""
        if part.digests is None or part.rows is None:
            return
        self._flush()
        self._put(part.digests, np.bincount(part.rows, minlength=len(part.digests)), nth)

    def claim(self, findings: int) -> None:
        """Take a claim that was judged alone, which is judged again by the next run."""
        self._single.append(findings)
        if len(self._single) >= _MOST_WAITING:
            self._flush()

    def findings(self, batch: pa.RecordBatch) -> None:
        """Take findings as they are written."""
        import pyarrow as pa

        from weakcode.scrub.columns.arrow import text_buffers

        bounds, data = text_buffers(batch.column("finding_id").cast(pa.string()))
        self._ids.update(data[int(bounds[0]) : int(bounds[-1])].tobytes())

    def _flush(self) -> None:
        if self._single:
            count = len(self._single)
            self._put(np.zeros((count, SIZE), np.uint8), np.array(self._single), np.zeros(count, np.int32))
            self._single.clear()

    def _put(self, digests: Any, counts: Any, nth: Any) -> None:
        import pyarrow as pa

        from weakcode.scrub.columns.arrow import numbers

        columns = [as_column(digests), numbers(counts.astype(np.int32)), numbers(nth.astype(np.int32))]
        with writing(self._target):
            self._writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=self._schema))

    def finish(self, metadata: Mapping[str, str]) -> None:
        """Write what remains."""
        self._flush()
        with writing(self._target):
            where = os.path.relpath(self._findings, self._target.parent)
            told = {_FINDINGS.decode(): where, _IDS.decode(): self._ids.hexdigest()}
            self._writer.add_key_value_metadata({**metadata, **told})
            self._writer.close()

    def abandon(self) -> None:
        """Let go of the file."""
        with suppress(Exception):
            self._writer.close()
        self._writer.is_open = False


def earlier_claims(path: str | os.PathLike[str]) -> EarlierClaims:
    """Return the claims and findings of the run that wrote a digests file.

    Raises InputError where that is none, and where the findings that it belongs to are others now.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    from weakcode.scrub.columns.arrow import filled, text_buffers

    given = Path(path)
    if not given.is_file():
        raise InputError(f"--since {given}: there is no such file; give what --digests of an earlier run wrote")
    try:
        table = pq.read_table(given, columns=["digest", "findings", "nth"])
        said = pq.read_metadata(given).metadata or {}
        findings = given.parent / said[_FINDINGS].decode()
        repeated = [one for one in parquet_leaves(Encoding.REPEATS) if "list" not in one]
        found = pq.read_table(findings, read_dictionary=repeated)
    except (pa.ArrowException, OSError, KeyError, ValueError, UnicodeDecodeError):
        raise InputError(
            f"--since {given} is not a digests file whose findings are where it says; give what --digests of an "
            "earlier run wrote, or run once without --since"
        ) from None
    ids = hashlib.blake2b(digest_size=16)
    if set(findings_schema().names) <= set(found.column_names):
        for chunk in found["finding_id"].chunks:
            bounds, data = text_buffers(chunk)
            ids.update(data[int(bounds[0]) : int(bounds[-1])].tobytes())
    counts = filled(_whole(table["findings"]), 0).astype(np.int64)
    if ids.hexdigest().encode() != said.get(_IDS) or int(counts.sum()) != found.num_rows:
        raise InputError(
            f"--since {given} belongs to other findings than those that {findings} holds now; run once without --since"
        )
    digests = as_words(_whole(table["digest"]))
    return EarlierClaims(digests, counts, filled(_whole(table["nth"]), 0).astype(np.int64), found.combine_chunks())


def _whole(column: pa.ChunkedArray) -> pa.Array:
    import pyarrow as pa

    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)
