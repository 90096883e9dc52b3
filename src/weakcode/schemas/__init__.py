"""The JSON Schemas of claims, findings, verdicts and summaries, made from the classes and shipped beside this file.

`python -m weakcode.schemas` writes them again after a class has changed. Each object says the version of its form;
forms only ever gain keys, so that a schema allows keys that it does not name.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_type_hints

from weakcode.base import objects
from weakcode.claims import Claim, Diagnosis, ServiceLine, Waiver
from weakcode.fields import FIELDS
from weakcode.findings import Finding, Verdict
from weakcode.pages.codeinfo import CodeInfo
from weakcode.scrub.summary import Summary

FOLDER = Path(__file__).parent


def _claim() -> dict[str, Any]:
    """The schema of a claim as an object, as `Claim.to_dict` writes it and every reader takes it."""
    definitions: dict[str, Any] = {}
    hints = get_type_hints(Claim)
    text = {"type": "string", "minLength": 1}
    # Fields that a claim gives them, or that stand elsewhere.
    diagnosis = _without(objects.object_schema(Diagnosis, definitions), "position", required=["code"])
    line = _without(objects.object_schema(ServiceLine, definitions), required=[])
    waiver = _without(
        objects.object_schema(Waiver, definitions), "place", "claim_id", required=["rule", "reason", "who"]
    )
    known = {one.name: {"description": one.help, **objects.kind_schema(hints[one.name], definitions)} for one in FIELDS}
    return {
        "$schema": objects.DIALECT,
        "title": "claim",
        "description": "A claim: codes in order, the first-listed first, and what is known about the encounter.",
        "type": "object",
        "properties": {
            "version": {"const": objects.VERSION},
            "claim_id": {"type": ["string", "null"], "description": "The claim's id."},
            "id": {"type": ["string", "null"], "description": "The same as claim_id."},
            "codes": {
                "description": "ICD-10-CM codes in order, dotted or not; an object where more is said of a diagnosis.",
                "anyOf": [
                    text,
                    {"type": "array", "minItems": 1, "items": {"anyOf": [text, {"$ref": "#/$defs/Diagnosis"}]}},
                ],
            },
            **known,
            "lines": {"type": ["array", "null"], "items": {"$ref": "#/$defs/ServiceLine"}},
            "waivers": {"type": ["array", "null"], "items": {"$ref": "#/$defs/Waiver"}},
        },
        "required": ["codes"],
        "additionalProperties": False,
        "$defs": {**definitions, "Diagnosis": diagnosis, "ServiceLine": line, "Waiver": waiver},
    }


def _without(schema: dict[str, Any], *names: str, required: list[str]) -> dict[str, Any]:
    kept = {name: value for name, value in schema["properties"].items() if name not in names}
    return {**schema, "properties": kept, "required": required, "additionalProperties": False}


def _verdict() -> dict[str, Any]:
    schema = objects.schema(Verdict)
    schema["properties"] = {"weakcode": {"type": "string"}, **schema["properties"]}
    return schema


def _summary() -> dict[str, Any]:
    schema = objects.schema(Summary)
    rejected = {name: {"type": "string"} for name in ("where", "part")}
    schema["properties"] |= {
        "weakcode": {"type": "string"},
        "findings": {"type": "integer"},
        "first_rejected": {"type": "array", "items": {"type": "object", "properties": rejected}},
    }
    return schema


_MADE: dict[str, Callable[[], dict[str, Any]]] = {
    "claim": _claim,
    "code": lambda: objects.schema(CodeInfo),
    "finding": lambda: objects.schema(Finding),
    "summary": _summary,
    "verdict": _verdict,
}
NAMES = tuple(_MADE)
"""What there is a schema of."""


def schema_of(name: str) -> dict[str, Any]:
    """Return the schema as it follows from the classes."""
    return _MADE[name]()


def schema(name: str) -> dict[str, Any]:
    """Return the JSON Schema of a `claim`, `code`, `finding`, `summary` or `verdict`, as it is shipped."""
    loaded: dict[str, Any] = json.loads((FOLDER / f"{name}.schema.json").read_text("utf-8"))
    return loaded


def write(folder: Path = FOLDER) -> list[Path]:
    """Write every schema into a folder and return the files."""
    paths = []
    for name in NAMES:
        paths.append(folder / f"{name}.schema.json")
        paths[-1].write_text(json.dumps(schema_of(name), indent=2, ensure_ascii=False) + "\n", "utf-8")
    return paths
