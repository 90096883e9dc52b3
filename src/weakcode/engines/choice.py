"""The engines by name, and which of them judges where none was asked for."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import TYPE_CHECKING

from weakcode.codes.edition import Edition
from weakcode.compile.program import Program
from weakcode.errors import MissingExtraError, UnknownNameError, did_you_mean

if TYPE_CHECKING:
    from weakcode.engines.columnar import ColumnarEngine
    from weakcode.engines.durable import DurableEngine

ENGINES = ("columnar", "durable")
"""The first judges unless another is asked for."""


def engine_named(name: str | None) -> str:
    """Return the name of the engine that was asked for.

    Raises UnknownNameError where there is none of that name, MissingExtraError where what it runs on is not installed.
    """
    if name is not None and name not in ENGINES:
        raise UnknownNameError(
            f'the engine "{name}" does not exist; there is {", ".join(ENGINES)}{did_you_mean(name, ENGINES)}'
        )
    if name == "durable" and importlib.util.find_spec("durable_rules_engine") is None:
        raise MissingExtraError(
            "claims judged by the engine durable",
            extra="durable",
            needs="durable-rules, built with a C compiler,",
        )
    return name or ENGINES[0]


def engine_for(
    name: str, program: Program, edition: Edition, is_active: Callable[[int], bool]
) -> ColumnarEngine | DurableEngine:
    """Return an engine for the edits of a program, of those rules that are active by their numbers."""
    if name == "durable":
        from weakcode.engines.durable import DurableEngine

        return DurableEngine(program, edition, is_active)
    from weakcode.engines.columnar import ColumnarEngine

    return ColumnarEngine(program, edition, is_active)
