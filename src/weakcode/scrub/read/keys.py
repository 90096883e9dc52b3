"""Keys that stand twice in an object of JSON, of which readers of JSON keep the last one in silence."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any


class RepeatedKey(dict[str, Any]):
    """An object in which a key stands more than once."""

    key: str = ""


def paired(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the object of these keys and values, for `object_pairs_hook`."""
    values = dict(pairs)
    if len(values) == len(pairs):
        return values
    repeated = RepeatedKey(values)
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            repeated.key = key
            break
        seen.add(key)
    return repeated


def may_repeat(text: str, values: dict[str, Any]) -> bool:
    """Tell whether a key may stand twice in a text of JSON: it has more colons than the object that it became has keys.

    Cheap, and never wrong about an object without objects in it and without colons in its text.
    """
    return text.count(":") != len(values)


def repeated_in(value: Any) -> str | None:
    """Return a key that stands twice in one of the objects of a value, None where there is none.

    The value was read with `paired`.
    """
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, RepeatedKey):
            return one.key
        if isinstance(one, dict):
            waiting.extend(one.values())
        elif isinstance(one, list):
            waiting.extend(one)
    return None


def repeated_key(key: str, known: Collection[str]) -> str:
    """Return the sentence on a key that stands twice. One that is not known may be about a person."""
    what = f'the key "{key}"' if key in known else "a key"
    return f"{what} stands twice in one object; keep the one that is meant"


def read_again(text: str) -> str | None:
    """Return a key that stands twice in a text of JSON that could be read."""
    return repeated_in(json.loads(text, object_pairs_hook=paired))
