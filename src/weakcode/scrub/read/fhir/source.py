"""The claims of a FHIR file, each with the path and line of every diagnosis."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, BinaryIO

from weakcode.errors import InputError
from weakcode.scrub.read.fhir.lines import Resources
from weakcode.scrub.read.fhir.references import References
from weakcode.scrub.read.fhir.resource import CLAIMS, KnownResources, read_resource, undiagnosed_kind
from weakcode.scrub.read.fhir.resources import resources_in
from weakcode.scrub.read.fhir.stream import Element
from weakcode.scrub.read.keys import RepeatedKey, repeated_in, repeated_key
from weakcode.scrub.read.log import IN_NO_ORDER, ReadLog
from weakcode.scrub.read.options import PLAIN, ReadOptions
from weakcode.scrub.read.rows import BadRow, Record, Rejected

if TYPE_CHECKING:
    from weakcode.scrub.read.batch import ClaimBatch

_HELPERS = frozenset({"Patient", "Condition", "OperationOutcome", "Coverage", "Organization", "Practitioner"})
_DIAGNOSES = re.compile(r'"diagnosis"\s*:\s*\[')
_BETWEEN = re.compile(r"[\s,]*")
_decoder = json.JSONDecoder()
_KEYS = (
    "resourceType",
    "id",
    "diagnosis",
    "sequence",
    "code",
    "coding",
    "system",
    "item",
    "patient",
    "provider",
    "resource",
)
"""Keys that can be named when they stand twice."""


class FhirSource:
    """The claims of one file. `ignored` are the types of resources that are neither claims nor belong to one.

    `undiagnosed` counts claims that list no diagnosis and need none, by kind. Raises InputError at the end of a file
    that holds no claim at all, unless it is one of a set, whose `references` are known.
    """

    def __init__(self, file: BinaryIO, name: str, options: ReadOptions = PLAIN) -> None:
        self._name = name
        self._in_set = options.references is not None
        references = options.references
        if references is None:
            references = References()
            references.add(file)
        self.log = ReadLog()
        self.undiagnosed: Counter[str] = Counter()
        self._known = KnownResources(
            references.people.get, references.conditions.get, self.log.count, references.people.is_empty
        )
        self._elements = Resources(file)
        self._empty = True
        self._ignored: dict[str, None] = {}

    @property
    def bytes_read(self) -> int:
        """How far the reading is."""
        return self._elements.bytes_read

    @property
    def ignored(self) -> tuple[str, ...]:
        """Types of resources that are not read."""
        return tuple(kind for kind in self._ignored if kind not in _HELPERS)

    def __iter__(self) -> Iterator[Record | Rejected]:
        for element in self._elements:
            yield from self._outcomes(element)
        self._end()

    def batches(self) -> Iterator[ClaimBatch]:
        """Give the claims in batches, to be judged together."""
        from weakcode.scrub.read.fhir.columns import Columns

        columns = Columns(self._name, self._known, self._again)
        for element in self._elements.each(columns.take, columns.take_at):
            self._empty = self._empty and columns.is_empty
            if element is not None:
                for outcome in self._outcomes(element):
                    yield from columns.put(outcome)
            elif columns.is_full:
                yield from columns.batch()
        self._empty = self._empty and columns.is_empty
        yield from columns.batch()
        self._end()

    def _again(self, element: Element) -> Record:
        """Read a claim once more that was read natively."""
        quiet = KnownResources(self._known.people, self._known.conditions)
        ((resource, path),) = resources_in(element)
        outcome = _outcome(resource, element, path, self._name, quiet)
        assert isinstance(outcome, Record), "the native reader reads what the one in Python reads"
        return outcome

    def _outcomes(self, element: Element) -> Iterator[Record | Rejected]:
        """Give what an element holds of claims."""
        if element.problem:
            self._empty = False
            yield Rejected(self._name, element.line, None, element.problem, "JSON", "", element.path)
            return
        for resource, path in resources_in(element):
            if isinstance(resource, RepeatedKey) and "resourceType" not in resource:
                # What stands around a resource: one of two resources would be lost.
                self._empty = False
                yield Rejected(
                    self._name, element.line, None, repeated_key(resource.key, _KEYS), "JSON", element.text, path
                )
            elif not isinstance(resource, dict):
                self._empty = False
                yield Rejected(
                    self._name, element.line, None, "a resource is no JSON object", "JSON", element.text, path
                )
            elif resource.get("resourceType") in CLAIMS:
                self._empty = False
                if kind := undiagnosed_kind(resource):
                    self.undiagnosed[kind] += 1
                else:
                    outcome = _outcome(resource, element, path, self._name, self._known)
                    if isinstance(outcome, Record) and outcome.order != "all":
                        self.log.count(IN_NO_ORDER)
                    yield outcome
            elif len(self._ignored) < 100:
                kind = resource.get("resourceType")
                self._ignored[kind[:64] if isinstance(kind, str) else "an object that is no resource"] = None

    def _end(self) -> None:
        if self._empty and self._in_set:
            self.log.count("files without claims")
            self.log.said["held"] = ", ".join(self._ignored) or "no resource"
        elif self._empty:
            found = ", ".join(self._ignored) or "no resource"
            raise InputError(f"{self._name} holds no Claim and no ExplanationOfBenefit of FHIR, but {found}")


def _outcome(
    resource: dict[str, Any], element: Element, path: str, name: str, known: KnownResources
) -> Record | Rejected:
    try:
        if not element.sound:
            if (key := repeated_in(resource)) is not None:
                raise BadRow("JSON", repeated_key(key, _KEYS))
            _check_text(resource, element.text)
        read = read_resource(resource, known)
    except BadRow as error:
        return Rejected(name, element.line, error.claim_id, error.reason, error.part, element.text, path)
    lines = _lines_of_diagnoses(element, resource["diagnosis"])
    return Record(
        read.claim,
        name,
        element.line,
        element.text,
        path,
        tuple(f"{path}.diagnosis[{index}]" for index in read.indexes),
        tuple(lines[index] for index in read.indexes) if lines else (),
        read.other_codes,
        order=read.order,
        origin=element.origin(path, read.indexes),
    )


def _check_text(resource: dict[str, Any], text: str) -> None:
    """Refuse text with bytes that are no UTF-8, or with half of a surrogate pair: it could not be written again."""
    if text.isascii() and "\\ud" not in text.lower():
        return
    try:
        json.dumps(resource, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        raise BadRow("encoding", "the resource holds bytes or escapes that are no text in UTF-8") from None


def _lines_of_diagnoses(element: Element, diagnoses: list[Any]) -> tuple[int, ...]:
    """Return the line of each diagnosis of an element's resource; nothing where they are not known for sure."""
    if element.sound and "\n" not in element.text:
        return ()
    for match in _DIAGNOSES.finditer(element.text):
        lines, at, line, counted = [], match.end(), element.line, 0
        for diagnosis in diagnoses:
            between = _BETWEEN.match(element.text, at)
            assert between is not None, "it also matches nothing at all"
            at = between.end()
            line += element.text.count("\n", counted, at)
            counted = at
            try:
                value, at = _decoder.raw_decode(element.text, at)
            except ValueError:
                break
            if value != diagnosis:
                break
            lines.append(line)
        if len(lines) == len(diagnoses):
            return tuple(lines)
    return ()
