"""Claims from JSON Lines: one claim a line, an object with the same names as the columns of a CSV file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, BinaryIO

import attrs

from weakcode.batch.fields import ABOUT_THE_CLAIM, claim_from
from weakcode.batch.rows import BadRow, Record, Rejected
from weakcode.batch.textlines import Lines, decoded, shown
from weakcode.claims import Claim
from weakcode.errors import WeakcodeError

_KNOWN = {"claim_id", "codes", "lines", "waivers", *ABOUT_THE_CLAIM}


class JsonlSource:
    """The lines of one JSON Lines file. `ignored` are the keys seen so far that are not known."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        self._lines = Lines(file)
        self._name = name
        self._ignored: dict[str, None] = {}

    @property
    def bytes_read(self) -> int:
        """How far the reading is."""
        return self._lines.bytes_read

    @property
    def ignored(self) -> tuple[str, ...]:
        """Keys that are not known, in the order in which they were first seen."""
        return tuple(self._ignored)

    def __iter__(self) -> Iterator[Record | Rejected]:
        for number, line in self._lines:
            if line is not None and not line.strip():
                continue
            try:
                claim = self._claim(decoded(line))
            except BadRow as error:
                yield Rejected(self._name, number, error.claim_id, error.reason, error.part, shown(line))
            else:
                yield Record(claim, self._name, number, shown(line))

    def _claim(self, text: str) -> Claim:
        values = _object(text.removeprefix("\ufeff"))
        claim_id = values.get("claim_id")
        if isinstance(claim_id, bool | float | list | dict):
            raise BadRow("claim_id", f"claim_id is text or a whole number, found {claim_id!r}")
        claim_id = None if claim_id is None or claim_id == "" else str(claim_id)
        codes = values.get("codes")
        if codes is not None and not isinstance(codes, str | list):
            raise BadRow("codes", f"codes is a list or text, found {codes!r}", claim_id)
        for key in values:
            # The bound keeps a file whose keys are all different from filling the memory.
            if key not in _KNOWN and len(self._ignored) < 100:
                self._ignored[key] = None
        return _with_waivers(claim_from(values, codes or [], claim_id), values.get("waivers"))


def _with_waivers(claim: Claim, waivers: Any) -> Claim:
    if waivers is None:
        return claim
    if not isinstance(waivers, list):
        raise BadRow("waivers", f"waivers is a list of waivers, found {waivers!r}", claim.id)
    try:
        return attrs.evolve(claim, waivers=waivers)
    except WeakcodeError as error:
        raise BadRow("waivers", str(error), claim.id) from None


def _object(text: str) -> dict[str, Any]:
    try:
        values = json.loads(text)
    except json.JSONDecodeError as error:
        raise BadRow("JSON", f"the line is not JSON: {error.msg} at character {error.colno}") from None
    except (ValueError, RecursionError):
        raise BadRow("JSON", "the line holds a number or a nesting that is too large to read") from None
    if not isinstance(values, dict):
        raise BadRow("JSON", 'the line is JSON but no object; expected {"claim_id": …, "codes": […]}')
    if "\\ud" in text.lower():
        try:
            json.dumps(values, ensure_ascii=False).encode("utf-8")
        except UnicodeEncodeError:
            raise BadRow("encoding", "the line escapes half of a surrogate pair, which is no character") from None
    return values
