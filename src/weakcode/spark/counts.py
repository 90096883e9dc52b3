"""The counts of partitions as text, and all of them as one summary."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

import attrs

from weakcode.findings import NotJudgedCount
from weakcode.scrub.read.log import ReadCounts
from weakcode.scrub.summary import Counts, Summary

_FIRST_REJECTED = 20


def as_text(summary: Summary) -> str:
    """Return the summary of one partition as JSON, to be read by `from_text`."""
    return json.dumps(as_part(summary), ensure_ascii=False)


def as_part(summary: Summary) -> dict[str, Any]:
    """Return the summary of one partition as `together` takes it."""
    return attrs.asdict(summary)


def from_text(text: str) -> dict[str, Any]:
    """Return what `as_text` wrote down."""
    part: dict[str, Any] = json.loads(text)
    return part


def together(parts: Sequence[dict[str, Any]], seconds: float) -> Summary:
    """Return the summaries of all partitions as one: numbers are added up, names joined.

    Raises EngineError when they do not add up.
    """
    # What only the whole run has, or has a way of its own to be put together; DRGs are not asked for on Spark.
    alone = {"run", "inputs", "over", "is_kept", "not_judged", "reading", "remarks", "drg"}
    parts = parts or [as_part(Counts().summary(0.0, {}))]
    merged = {
        field.name: _merged([part[field.name] for part in parts])
        for field in attrs.fields(Summary)
        if field.name not in alone
    }
    merged["seconds"] = seconds
    merged["by_rule"] = dict(sorted(merged["by_rule"].items(), key=lambda item: (-item[1], item[0])))
    merged["editions"] = dict(sorted(merged["editions"].items()))
    merged["notes_editions"] = dict(sorted(merged["notes_editions"].items()))
    merged["packs"] = tuple(merged["packs"])
    merged["ignored_columns"] = {name: tuple(columns) for name, columns in merged["ignored_columns"].items()}
    merged["first_rejected"] = tuple((where, part) for where, part in merged["first_rejected"][:_FIRST_REJECTED])
    merged["not_judged"] = NotJudgedCount.added(
        NotJudgedCount(one["needs"], one["claims"], tuple(one["packs"]), tuple(one["rules"]))
        for part in parts
        for one in part["not_judged"]
    )
    merged["reading"], merged["remarks"] = _read(parts)
    return Summary(**merged)


def _read(parts: Sequence[dict[str, Any]]) -> tuple[dict[str, ReadCounts], dict[str, tuple[str, ...]]]:
    """Return how files were read that were read in parts, and what is to be remarked of them."""
    counted: dict[str, list[ReadCounts]] = {}
    remarked: dict[str, list[str]] = {}
    for part in parts:
        for name, one in part["reading"].items():
            counts = ReadCounts(one["columns"], one["said"], one["counts"], tuple(one["sentences"]))
            counted.setdefault(name, []).append(counts)
        for name, remarks in part["remarks"].items():
            remarked.setdefault(name, []).extend(remarks)
    reading = {name: ReadCounts.added(some) for name, some in counted.items()}
    remarks = {}
    for name, sentences in remarked.items():
        # What each part says of its own numbers is said once, of all of them.
        of_parts = {sentence for one in counted.get(name, ()) for sentence in one.sentences}
        rest = [sentence for sentence in sentences if sentence not in of_parts]
        remarks[name] = tuple(dict.fromkeys((*rest, *(reading[name].sentences if name in reading else ()))))
    return reading, remarks


def _merged(values: list[Any]) -> Any:
    first = values[0]
    if isinstance(first, int | float):
        return sum(values)
    if isinstance(first, str):
        return ", ".join(sorted({value for value in values if value}))
    if isinstance(first, dict):
        every = {key: one for value in values for key, one in value.items()}
        if all(isinstance(one, int) for one in every.values()):
            added: Counter[str] = Counter()
            for value in values:
                # Unlike a sum of counters, this keeps what was counted as none.
                added.update(value)
            return dict(added)
        return every
    return [*dict.fromkeys(tuple(one) if isinstance(one, list) else one for value in values for one in value)]
