"""The resources that an element of a FHIR file holds, each with its path."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from weakcode.scrub.read.fhir.stream import Element
from weakcode.scrub.read.keys import RepeatedKey


def resources_in(element: Element) -> Iterator[tuple[Any, str]]:
    """Yield what an element holds: itself, the resource of an entry, or the entries of a Bundle read as a whole."""
    value, path = element.value, element.path
    if not isinstance(value, dict):
        yield value, path
    elif value.get("resourceType") == "Bundle":
        yield from _entries(value, f"{path}{'.' if path else ''}Bundle")
    elif _is(value, "Parameters"):
        yield from _parameters(value, "parameter", f"{path}{'.' if path else ''}Parameters")
    elif "resourceType" not in value and "resource" in value and not isinstance(value, RepeatedKey):
        yield from _inner(value["resource"], f"{path}.resource".removeprefix("."))
    else:
        kind = value.get("resourceType")
        yield value, path or (kind if isinstance(kind, str) else "")


def _entries(bundle: dict[str, Any], path: str) -> Iterator[tuple[Any, str]]:
    entries = bundle.get("entry")
    for number, entry in enumerate(entries if isinstance(entries, list) else []):
        at = f"{path}.entry[{number}]"
        if isinstance(entry, RepeatedKey) or not isinstance(entry, dict):
            yield entry, at
        else:
            yield from _inner(entry.get("resource", {}), f"{at}.resource")


def _parameters(value: dict[str, Any], key: str, path: str) -> Iterator[tuple[Any, str]]:
    """Yield the resources of Parameters, which are the input of an operation, and those of their parts."""
    item = value.get(key)
    for number, one in enumerate(item if isinstance(item, list) else []):
        at = f"{path}.{key}[{number}]"
        if isinstance(one, RepeatedKey) or not isinstance(one, dict):
            yield one, at
            continue
        if "resource" in one:
            yield from _inner(one["resource"], f"{at}.resource")
        yield from _parameters(one, "part", at)


def _inner(resource: Any, path: str) -> Iterator[tuple[Any, str]]:
    """Yield the resource of an entry, or what it holds where it is a Bundle: the answer to a batch of searches."""
    if _is(resource, "Bundle"):
        yield from _entries(resource, path)
    elif _is(resource, "Parameters"):
        yield from _parameters(resource, "parameter", path)
    else:
        yield resource, path


def _is(value: Any, kind: str) -> bool:
    return isinstance(value, dict) and value.get("resourceType") == kind and not isinstance(value, RepeatedKey)
