"""The JSON Schema of rule files and profiles, generated from the classes that load them.

`python -m weakcode.rules.schema` writes both schemas beside the packs, where the first line of each rule file
names them to editors.
"""

from __future__ import annotations

import datetime as dt
import json
import types
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

import attrs

from weakcode.rules.model import Pack, Publications
from weakcode.rules.profile import Profile
from weakcode.rules.readings import Readings
from weakcode.rules.structure import CHOICES, SHORTHANDS, field_types, file_fields, file_key

DIALECT = "https://json-schema.org/draft/2020-12/schema"
NAMES: dict[str, type[Any]] = {
    "rulefile.schema.json": Pack,
    "profile.schema.json": Profile,
    "sources.schema.json": Publications,
    "tabular-readings.schema.json": Readings,
}


def schema_for(cls: type[Any]) -> dict[str, Any]:
    """Return the schema of files that hold one object of the class."""
    definitions: dict[str, Any] = {}
    top = _object(cls, definitions)
    return {"$schema": DIALECT, "title": _summary(cls), **top, "$defs": dict(sorted(definitions.items()))}


def render(cls: type[Any]) -> str:
    """Return the schema as the text of its file."""
    return json.dumps(schema_for(cls), indent=2, ensure_ascii=False) + "\n"


def write(folder: Path) -> list[Path]:
    """Write every schema into a folder and return the files."""
    paths = []
    for name, cls in NAMES.items():
        (folder / name).write_text(render(cls), encoding="utf-8")
        paths.append(folder / name)
    return paths


def _summary(cls: type[Any]) -> str:
    return " ".join((cls.__doc__ or "").split("\n\n")[0].split())


def _object(cls: type[Any], definitions: dict[str, Any]) -> dict[str, Any]:
    kinds = field_types(cls)
    fields = file_fields(cls)
    schema: dict[str, Any] = {
        "type": "object",
        "additionalProperties": False,
        "properties": {file_key(field): _property(field, kinds[field.name], definitions) for field in fields},
    }
    required = [file_key(field) for field in fields if field.default is attrs.NOTHING]
    if required:
        schema["required"] = required
    if cls.__name__ in CHOICES:
        schema |= {"minProperties": 1, "maxProperties": 1}
    return schema


def _property(field: attrs.Attribute[Any], kind: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    schema = _kind(kind, definitions)
    pattern = field.metadata["pattern"]
    if pattern and schema["type"] == "object":
        schema["propertyNames"] = {"pattern": f"^{pattern}$"}
    elif pattern:
        (schema["items"] if schema["type"] == "array" else schema)["pattern"] = f"^{pattern}$"
    if field.metadata["single"]:
        schema = {"anyOf": [schema["items"], schema]}
    default = field.default
    if isinstance(default, (bool, str)) and default != "":
        schema["default"] = default
    return {"description": field.metadata["doc"], **schema}


def _kind(kind: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a type; a class becomes a reference to its definition."""
    origin, args = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        (inner,) = (arg for arg in args if arg is not type(None))
        return _kind(inner, definitions)
    if origin is Literal:
        return {"type": "string", "enum": list(args)}
    if origin is tuple:
        return {"type": "array", "items": _kind(args[0], definitions)}
    if origin is dict:
        values = _kind(args[1], definitions)
        if args[0] is int:
            return {
                "type": "object",
                "patternProperties": {"^[1-9][0-9]*$": values},
                "additionalProperties": False,
            }
        return {"type": "object", "additionalProperties": values}
    if attrs.has(kind):
        return _reference(kind, definitions)
    if kind is dt.date:
        return {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}$"}
    simple: dict[Any, dict[str, Any]] = {
        str: {"type": "string", "minLength": 1},
        int: {"type": "integer"},
        bool: {"type": "boolean"},
    }
    return dict(simple[kind])


def _reference(cls: type[Any], definitions: dict[str, Any]) -> dict[str, Any]:
    name = cls.__name__
    if name not in definitions:
        definitions[name] = {}  # holds the place while its own fields are read
        schema: dict[str, Any] = _object(cls, definitions)
        if name in SHORTHANDS:
            text = _kind(field_types(cls)[SHORTHANDS[name]], definitions)
            text["description"] = f"Short for {SHORTHANDS[name]}: …"
            schema = {"anyOf": [text, schema]}
        definitions[name] = {"description": _summary(cls), **schema}
    return {"$ref": f"#/$defs/{name}"}


def main() -> None:
    """Write the schemas into the folder of the packs."""
    from weakcode.rules.library import packs_folder

    for path in write(packs_folder()):
        print(path)  # noqa: T201


if __name__ == "__main__":
    main()
