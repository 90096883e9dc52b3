"""Claims from a list in JSON: `[{"claim_id": …, "codes": […]}, …]`, read item by item."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from itertools import chain, islice
from typing import TYPE_CHECKING, BinaryIO

import attrs

from weakcode.scrub.read.fhir.stream import Elements
from weakcode.scrub.read.jsonl.file import JsonlSource
from weakcode.scrub.read.jsonl.forms import Objects
from weakcode.scrub.read.log import ReadLog
from weakcode.scrub.read.options import PLAIN, ReadOptions
from weakcode.scrub.read.rows import Record, Rejected

if TYPE_CHECKING:
    from weakcode.scrub.read.fhir.stream import Element

_SAMPLE = 200
"""Items that show in which form dates are written."""


class JsonListSource:
    """The items of a list, each read as a line of JSON Lines is; the place of each is its number, from `[0]`.

    Memory holds one item, not the list. `log` says how the items were read.
    """

    def __init__(self, file: BinaryIO, name: str, options: ReadOptions = PLAIN) -> None:
        self._name = name
        self._elements = Elements(file)
        self._first = list(islice(self._elements, _SAMPLE))
        objects = Objects(options, [_bytes(one) for one in self._first if not one.problem])
        self._items = JsonlSource(BytesIO(), name, options, objects=objects)

    @property
    def log(self) -> ReadLog:
        """How the items were read."""
        return self._items.log

    @property
    def bytes_read(self) -> int:
        """How far the reading is."""
        return self._elements.bytes_read

    @property
    def ignored(self) -> tuple[str, ...]:
        """Keys that are not known, in the order in which they were first seen."""
        return self._items.ignored

    def __iter__(self) -> Iterator[Record | Rejected]:
        for element in chain(self._first, self._elements):
            if element.problem:
                yield Rejected(self._name, element.line, None, element.problem, "JSON", "", element.path)
                continue
            for row in self._items.rows([(element.line, _bytes(element))]):
                yield attrs.evolve(row, place=element.path)


def _bytes(element: Element) -> bytes:
    return element.text.encode("utf-8", "surrogateescape")
