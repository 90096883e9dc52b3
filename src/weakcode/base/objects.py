"""Frozen classes as objects of JSON: out, in, and the JSON Schema of each, all three from the declaration of the class.

A class with a `form` is an object that stands by itself; it says the version of its form. Forms only ever gain keys, so
that what is read may have more keys than are known here, and keys that older versions did not write get their defaults.
"""

from __future__ import annotations

import datetime as dt
import types
from collections.abc import Callable
from operator import attrgetter
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import attrs

from weakcode.errors import InputError

DIALECT = "https://json-schema.org/draft/2020-12/schema"
VERSION = 1
"""Of the forms of all objects; it changes only where a key goes away or changes its meaning."""
SOMETIMES = {"sometimes": True}
"""Metadata of a field whose key is left out where there is nothing to say."""

_T = TypeVar("_T")
_Plain = Callable[[Any], Any]


def to_dict(one: object) -> dict[str, Any]:
    """Return an attrs object as plain lists, dicts and text, ready for JSON; dates are ISO text."""
    return cast("dict[str, Any]", _plain(one))


def shallow(one: Any) -> dict[str, Any]:
    """Return what `to_dict` returns with the objects in it as they are, for a writer of JSON that asks for each.

    Raises TypeError for what is no attrs object.
    """
    kind = type(one)
    found = _SHALLOW.get(kind)
    if found is None:
        if not attrs.has(kind):
            raise TypeError(f"{kind.__name__} has no place in an object of JSON")
        start = {"version": VERSION} if hasattr(kind, "form") else {}
        names = tuple(field.name for field in attrs.fields(kind) if "sometimes" not in field.metadata)
        more = tuple(field.name for field in attrs.fields(kind) if "sometimes" in field.metadata)
        # One name alone is given as it is, not as a tuple.
        found = _SHALLOW[kind] = (start, names, attrgetter(*names, names[0]), more)
    start, names, values, more = found
    written = {**start, **dict(zip(names, values(one), strict=False))}
    for name in more:
        value = getattr(one, name)
        if value is not None:
            written[name] = value
    return written


_SHALLOW: dict[type, tuple[dict[str, Any], tuple[str, ...], Callable[[Any], tuple[Any, ...]], tuple[str, ...]]] = {}


def _plain(value: Any) -> Any:
    kind = type(value)
    found = _PLAIN.get(kind)
    if found is None:
        found = _PLAIN[kind] = _writer(kind)
    return found(value)


def _writer(kind: type) -> _Plain:
    """Return what writes values of a type."""
    if not attrs.has(kind):
        if issubclass(kind, str):
            return str.__str__
        raise TypeError(f"{kind.__name__} has no place in an object of JSON")
    start = {"version": VERSION} if hasattr(kind, "form") else {}
    names = [(field.name, "sometimes" in field.metadata) for field in attrs.fields(kind)]

    def write(one: Any) -> dict[str, Any]:
        values: dict[str, Any] = dict(start)
        for name, sometimes in names:
            value = getattr(one, name)
            if value is None:
                if not sometimes:
                    values[name] = None
            elif (kind := type(value)) is str or kind is int or kind is bool:
                values[name] = value
            else:
                values[name] = _plain(value)
        return values

    return write


def _same(value: Any) -> Any:
    return value


_PLAIN: dict[type, _Plain] = {
    **dict.fromkeys((str, int, float, bool, type(None)), _same),
    tuple: lambda value: [_plain(item) for item in value],
    frozenset: lambda value: sorted(_plain(item) for item in value),
    dict: lambda value: {key: _plain(item) for key, item in value.items()},
    dt.date: lambda value: value.isoformat(),
}


def from_dict(cls: type[_T], values: Any) -> _T:
    """Return the object of a class that `to_dict` wrote. Unknown keys are ignored.

    Raises InputError with the path to what does not fit, and for a form of a later version.
    """
    return cast(_T, _read(cls, values, getattr(cls, "form", "") or cls.__name__.lower()))


def _read(kind: Any, value: Any, where: str) -> Any:
    origin, args = get_origin(kind), get_args(kind)
    if kind is Any:
        return value
    if origin in (Union, types.UnionType):
        (inner,) = (arg for arg in args if arg is not type(None))
        return None if value is None else _read(inner, value, where)
    if origin is Literal:
        if value not in args:
            raise InputError.about(f"{where} is one of {', '.join(args)}, found {{value}}", value)
        return value
    if origin in (tuple, frozenset):
        if not isinstance(value, list | tuple):
            raise InputError.about(f"{where} is a list, found {{value}}", value)
        if origin is tuple and args[-1] is not Ellipsis and len(args) != len(value):
            raise InputError(f"{where} has {len(args)} values, found {len(value)}")
        kinds = args if origin is tuple and args[-1] is not Ellipsis else (args[0],) * len(value)
        return origin(_read(kinds[at], item, f"{where}[{at}]") for at, item in enumerate(value))
    if origin is dict:
        if not isinstance(value, dict):
            raise InputError.about(f"{where} is an object, found {{value}}", value)
        return {str(key): _read(args[1], item, f"{where}.{key}") for key, item in value.items()}
    if attrs.has(kind):
        return _read_object(kind, value, where)
    if kind is dt.date:
        return _read_date(value, where)
    if type(value) is not kind and not (kind is float and type(value) is int):
        raise InputError.about(f"{where} is {_NAMES[kind]}, found {{value}}", value)
    return value


_NAMES = {str: "text", int: "a whole number", bool: "true or false", float: "a number"}


def _read_date(value: Any, where: str) -> dt.date:
    if isinstance(value, dt.date):
        return value
    try:
        return dt.date.fromisoformat(value)
    except (TypeError, ValueError):
        raise InputError.about(f"{where} is a date as YYYY-MM-DD, found {{value}}", value) from None


def _read_object(cls: type[Any], values: Any, where: str) -> Any:
    if not isinstance(values, dict):
        raise InputError.about(f"{where} is an object, found {{value}}", values)
    version = values.get("version", VERSION)
    if hasattr(cls, "form") and (type(version) is not int or not 1 <= version <= VERSION):
        raise InputError(f"{where} has a version that this weakcode does not read; it reads version {VERSION}")
    supplied = {}
    kinds = get_type_hints(cls)
    for field in attrs.fields(cls):
        if field.name in values:
            supplied[field.alias] = _read(kinds[field.name], values[field.name], f"{where}.{field.name}")
        elif field.default is attrs.NOTHING:
            raise InputError(f"{where} has no {field.name}")
    return cls(**supplied)


def schema(cls: type[Any]) -> dict[str, Any]:
    """Return the JSON Schema of the objects that `to_dict` makes of a class with a `form`."""
    definitions: dict[str, Any] = {}
    top = object_schema(cls, definitions)
    return {"$schema": DIALECT, "title": cls.form, **top, "$defs": dict(sorted(definitions.items()))}


def object_schema(cls: type[Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of an object; the classes of its fields are added to the definitions."""
    kinds = get_type_hints(cls)
    fields = attrs.fields(cls)
    versioned = {"version": {"const": VERSION}} if hasattr(cls, "form") else {}
    return {
        "description": " ".join((cls.__doc__ or "").split("\n\n")[0].split()),
        "type": "object",
        "properties": {**versioned, **{one.name: kind_schema(kinds[one.name], definitions) for one in fields}},
        "required": [*versioned, *(one.name for one in fields if "sometimes" not in one.metadata)],
    }


def kind_schema(kind: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a type; a class becomes a reference to its definition."""
    origin, args = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        (inner,) = (arg for arg in args if arg is not type(None))
        return {"anyOf": [kind_schema(inner, definitions), {"type": "null"}]}
    if origin is Literal:
        return {"enum": list(args)}
    if origin in (tuple, frozenset):
        if origin is tuple and args[-1] is not Ellipsis:
            return {"type": "array", "prefixItems": [kind_schema(arg, definitions) for arg in args], "items": False}
        return {"type": "array", "items": kind_schema(args[0], definitions)}
    if origin is dict:
        return {"type": "object", "additionalProperties": kind_schema(args[1], definitions)}
    if kind is Any:
        return {}
    if attrs.has(kind):
        name = kind.__name__
        if name not in definitions:
            definitions[name] = {}  # holds the place while its own fields are read
            definitions[name] = object_schema(kind, definitions)
        return {"$ref": f"#/$defs/{name}"}
    if kind is dt.date:
        return {"type": "string", "format": "date", "pattern": r"^\d{4}-\d{2}-\d{2}$"}
    return {"type": {str: "string", int: "integer", bool: "boolean", float: "number"}[kind]}
