"""What a scrub on one machine says of some claims, and what Spark says of them, in one form."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import weakcode

COLUMNS = ("claim_id", "rule", "severity", "message", "codes", "positions", "sources", "edition")


def _hashable(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def counted(rows: Any, columns: tuple[str, ...] = COLUMNS) -> Counter[tuple[Any, ...]]:
    """Return how often each finding is there, by these columns."""
    return Counter(tuple(_hashable(row[name]) for name in columns) for row in rows)


def on_one_machine(
    path: Path, validator: weakcode.Validator | None = None, columns: tuple[str, ...] = COLUMNS
) -> tuple[Counter[tuple[Any, ...]], Counter[tuple[Any, ...]]]:
    """Return the findings, and (claim id, reason, part) of the rejects, of a file."""
    rejects: list[Any] = []
    batches = (validator or weakcode.Validator()).scrub(path, on_reject=rejects.append)
    found: Counter[tuple[Any, ...]] = Counter()
    for batch in batches:
        found += counted(batch.to_pylist(), columns)
    return found, Counter((one.claim_id, one.reason, one.part) for one in rejects)
