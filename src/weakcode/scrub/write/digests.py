"""What a run leaves for the next one, so that it judges only claims that are new or changed: their digests.

The digests file has a row for each claim that was evaluated, in order: its digest, how many findings it has, of which
rule and severity each, and which claim of its id it is. It says which findings file it belongs to, and the digest of
that file's ids; or which table, and the run that wrote into it.
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
from weakcode.scrub.columns.spilled import SpilledColumn
from weakcode.scrub.schema import findings_schema
from weakcode.scrub.unchanged import EarlierClaims, EarlierFindings, texts_of
from weakcode.scrub.write.files import writing

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from weakcode.scrub.judge.batch import FindingBatch
    from weakcode.validator import Validator

_FINDINGS, _IDS = b"weakcode.findings_file", b"weakcode.finding_ids"
_TABLE, _RUN, _NAMES = b"weakcode.findings_table", b"weakcode.digests_run", b"weakcode.numbers"
_MOST_WAITING = 65_536


def what_judges(validator: Validator, rules: str, hash_key: bytes | None) -> str | None:
    """Return what stands for everything that judges claims beside the codes of their days; None where nothing does.

    `rules` is the digest of the rules. With waivers no claim is known to be judged as before: these have dates.
    """
    from weakcode import __version__

    columns = validator.columns()
    if columns.marker is not None and len(columns.marker.book):
        return None
    policies = [] if columns.coverage is None else [one.files for of in columns.coverage.scopes.values() for one in of]
    profile = validator._chosen.profile
    # What a profile does not compare by, such as where its keys stand in the file, judges nothing.
    settings = None if profile is None else _plain(attrs.asdict(profile, filter=lambda field, _: bool(field.eq)))
    key = hashlib.blake2b(hash_key, digest_size=16).hexdigest() if hash_key else ""
    judging = [__version__, rules, validator.packs, validator.strict_edition, settings, key, policies]
    content = json.dumps(judging, sort_keys=True)
    return hashlib.blake2b(content.encode(), digest_size=16).hexdigest()


def _plain(value: Any) -> Any:
    """Return a value as JSON has it, sets in order."""
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, set | frozenset):
        return sorted(map(repr, value))
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else repr(value)


class DigestsWriter:
    """Writes the digests of the claims of a run; `findings` is where its findings will stand, a file or a table.

    `earlier` are the claims whose findings stay where they are, in a table.
    """

    def __init__(
        self, target: Path, file: BinaryIO, findings: Path | str, earlier: EarlierClaims | None = None
    ) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        self._target, self._findings, self._earlier = target, findings, earlier
        kinds = {"digest": pa.binary(SIZE), "findings": pa.int32(), "nth": pa.int32(), "found": pa.list_(pa.int32())}
        self._schema = pa.schema(list(kinds.items()))
        self._ids = hashlib.blake2b(digest_size=16)
        self._numbers: dict[tuple[str, str], int] = {}
        self._single: list[int] = []
        # The numbers of the earlier run go on.
        for pair in () if earlier is None else earlier.pairs:
            self._numbers[pair] = len(self._numbers)
        with writing(target):
            self._writer = pq.ParquetWriter(
                file, self._schema, compression="zstd", use_dictionary=["found.list.element"]
            )

    def batch(self, part: FindingBatch, nth: Any) -> None:
        """Take the claims of a batch."""
        if part.known is None or part.rows is None or part.scrubbed is None:
            return
        self._flush()
        count = len(part.known.digests)
        counts = np.bincount(part.rows, minlength=count)
        numbers = self._numbered(part.scrubbed.findings)
        if self._earlier is not None:
            counts, numbers = self._with_earlier(part.known.earlier, part.rows, counts, numbers)
        self._put(part.known.digests, counts, nth, counts, numbers)

    def _numbered(self, findings: pa.RecordBatch) -> NDArray[np.int32]:
        """Return for each finding the number of its rule and severity."""
        rules, severities = (texts_of(findings.column(name)) for name in ("rule", "severity"))
        width = max(len(severities.names), 1)
        pairs = rules.index * width + severities.index
        found, index = np.unique(pairs, return_inverse=True)
        known = [
            self._numbers.setdefault((rules.names[one // width], severities.names[one % width]), len(self._numbers))
            for one in found.tolist()
        ]
        return np.asarray(known, np.int32)[index] if known else np.zeros(0, np.int32)

    def _with_earlier(
        self, claims: NDArray[np.int64], rows: Any, counts: Any, numbers: NDArray[np.int32]
    ) -> tuple[Any, NDArray[np.int32]]:
        """Return the counts and numbers with those of claims whose findings stay where they are."""
        assert self._earlier is not None
        unchanged = np.flatnonzero(claims >= 0)
        kept, of = self._earlier.numbers_of(claims[unchanged])
        where = np.concatenate([rows, unchanged[of]])
        order = np.argsort(where, kind="stable")
        return counts + np.bincount(unchanged[of], minlength=len(claims)), np.concatenate([numbers, kept])[order]

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
            none = np.zeros(count, np.int32)
            self._put(np.zeros((count, SIZE), np.uint8), np.array(self._single), none, none, np.zeros(0, np.int32))
            self._single.clear()

    def _put(self, digests: Any, counts: Any, nth: Any, lengths: Any, found: NDArray[np.int32]) -> None:
        import pyarrow as pa

        from weakcode.scrub.columns.arrow import numbers

        bounds = numbers(np.concatenate([np.zeros(1, np.int32), np.cumsum(lengths, dtype=np.int32)]))
        columns = [as_column(digests), numbers(counts.astype(np.int32)), numbers(nth.astype(np.int32))]
        columns.append(pa.ListArray.from_arrays(bounds, numbers(found)))
        with writing(self._target):
            self._writer.write_batch(pa.RecordBatch.from_arrays(columns, names=self._schema.names).cast(self._schema))

    def finish(self, metadata: Mapping[str, str], wrote: str) -> None:
        """Write what remains; `wrote` stands for the run in the table of findings."""
        self._flush()
        described = {_RUN.decode(): wrote, _NAMES.decode(): json.dumps([*self._numbers])}
        if isinstance(self._findings, Path):
            where = os.path.relpath(self._findings, self._target.parent)
            described |= {_FINDINGS.decode(): where, _IDS.decode(): self._ids.hexdigest()}
        else:
            described[_TABLE.decode()] = self._findings
        with writing(self._target):
            self._writer.add_key_value_metadata({**metadata, **described})
            self._writer.close()

    def abandon(self) -> None:
        """Let go of the file."""
        with suppress(Exception):
            self._writer.close()
        self._writer.is_open = False


def earlier_claims(path: str | os.PathLike[str], table: str | None = None) -> EarlierClaims:
    """Return the claims and findings of the run that wrote a digests file; with `table`, those in that table.

    Raises InputError where that is none, and where the findings that it belongs to are others now. Whether the table
    has them is not asked.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    file = Path(path)
    if not file.is_file():
        raise InputError(f"--since {file}: there is no such file; give what --digests of an earlier run wrote")
    try:
        metadata = pq.read_metadata(file).metadata or {}
        columns, total = _read(file)
        pairs = tuple((str(rule), str(severity)) for rule, severity in json.loads(metadata[_NAMES]))
        wrote, of = metadata[_RUN].decode(), metadata.get(_TABLE, b"").decode() or None
        if of != table:
            there, here = (f"the table {one}" if one else "a findings file" for one in (of, table))
            raise InputError(
                f"--since {file} belongs to {there}, and this run writes into {here}; run once without --since"
            )
        findings = None
        if table is None:
            where = file.parent / metadata[_FINDINGS].decode()
            if not where.is_file():
                raise InputError(
                    f"--since {file} goes with the findings in {where}, which are not there; run once without --since"
                )
            findings = EarlierFindings(where)
    except (pa.ArrowException, OSError, KeyError, ValueError, UnicodeDecodeError):
        raise InputError(
            f"--since {file} is not a digests file whose findings are where it says; give what --digests of an "
            "earlier run wrote, or run once without --since"
        ) from None
    if findings is not None and (_ids_in(findings) != metadata.get(_IDS) or total != len(findings)):
        raise InputError(
            f"--since {file} belongs to other findings than those that {findings.path} holds now; run once without "
            "--since"
        )
    return EarlierClaims(
        **{name: one.whole() for name, one in columns.items()}, pairs=pairs, wrote=wrote, findings=findings
    )


def _read(path: Path) -> tuple[dict[str, SpilledColumn], int]:
    """Return the columns of earlier claims out of a digests file, and how many findings they have."""
    import pyarrow.parquet as pq

    from weakcode.scrub.columns.arrow import filled

    kinds = {"counts": np.int32, "starts": np.int64, "nth": np.int32, "found": np.int32, "bounds": np.int64}
    read = {name: SpilledColumn(kind) for name, kind in {"first": np.uint64, "second": np.uint64, **kinds}.items()}
    total = listed = 0
    read["bounds"].add(np.zeros(1, np.int64))
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(_MOST_WAITING, columns=["digest", "findings", "nth", "found"]):
            words = as_words(batch["digest"])
            counts = filled(batch["findings"], 0)
            ends = np.cumsum(counts, dtype=np.int64) + total
            bounds = np.cumsum(filled(batch["found"].value_lengths(), 0), dtype=np.int64) + listed
            columns = {"first": words[:, 0], "second": words[:, 1], "counts": counts, "starts": ends - counts}
            columns |= {"nth": filled(batch["nth"], 0), "found": filled(batch["found"].flatten(), 0), "bounds": bounds}
            for name, column in columns.items():
                read[name].add(column)
            total, listed = int(ends[-1]), int(bounds[-1])
    return read, total


def _ids_in(findings: EarlierFindings) -> bytes:
    from weakcode.scrub.columns.arrow import text_buffers

    ids = hashlib.blake2b(digest_size=16)
    if set(findings_schema().names) <= set(findings.names):
        for chunk in (chunk for column in findings.column("finding_id") for chunk in column.chunks):
            bounds, data = text_buffers(chunk)
            ids.update(data[int(bounds[0]) : int(bounds[-1])].tobytes())
    return ids.hexdigest().encode()
