"""weakcode: a linter for diagnosis coding.

Names are imported when they are first used, so that `import weakcode` costs almost nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from weakcode._version import __version__ as __version__

if TYPE_CHECKING:
    from weakcode.checking import check
    from weakcode.claims import Claim, Diagnosis, ServiceLine, Waiver
    from weakcode.errors import (
        CodeTypeError,
        EditionError,
        EngineError,
        InputError,
        NotationError,
        RuleFileError,
        UnavailableError,
        UnknownNameError,
        WeakcodeError,
    )
    from weakcode.findings import DenialRisk, Finding, Fix, Severity, Source
    from weakcode.pages.codeinfo import CodeInfo, lookup, search
    from weakcode.scrub.read.files import read_claims
    from weakcode.validator import RuleInfo, Validator, Verdict

_HOMES = {
    "weakcode.validator": ("RuleInfo", "Validator", "Verdict"),
    "weakcode.scrub.read.files": ("read_claims",),
    "weakcode.checking": ("check",),
    "weakcode.pages.codeinfo": ("CodeInfo", "lookup", "search"),
    "weakcode.claims": ("Claim", "Diagnosis", "ServiceLine", "Waiver"),
    "weakcode.errors": (
        "CodeTypeError",
        "EditionError",
        "EngineError",
        "InputError",
        "NotationError",
        "RuleFileError",
        "UnavailableError",
        "UnknownNameError",
        "WeakcodeError",
    ),
    "weakcode.findings": ("DenialRisk", "Finding", "Fix", "Severity", "Source"),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "Claim",
    "CodeInfo",
    "CodeTypeError",
    "DenialRisk",
    "Diagnosis",
    "EditionError",
    "EngineError",
    "Finding",
    "Fix",
    "InputError",
    "NotationError",
    "RuleFileError",
    "RuleInfo",
    "ServiceLine",
    "Severity",
    "Source",
    "UnavailableError",
    "UnknownNameError",
    "Validator",
    "Verdict",
    "Waiver",
    "WeakcodeError",
    "check",
    "lookup",
    "read_claims",
    "search",
]


def _refuse_subinterpreters() -> None:
    """Raise ImportError in a subinterpreter: native code is there once for all of them."""
    for name in ("_interpreters", "_xxsubinterpreters"):
        try:
            interpreters = importlib.import_module(name)
        except ImportError:
            continue
        # From Python 3.13 on, they are tuples with the id first.
        if interpreters.get_current() != interpreters.get_main():
            raise ImportError(
                "weakcode does not run in a subinterpreter; use threads or processes, and with mod_wsgi the main"
                " interpreter (WSGIApplicationGroup %{GLOBAL})"
            )
        return


_refuse_subinterpreters()


def __getattr__(name: str) -> Any:
    if name == "spark":
        return importlib.import_module("weakcode.spark")
    if name not in _HOME_OF:
        raise AttributeError(f"module 'weakcode' has no attribute {name!r}")
    value = globals()[name] = getattr(importlib.import_module(_HOME_OF[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME_OF})
