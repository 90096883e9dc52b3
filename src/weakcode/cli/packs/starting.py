"""A rule file to begin with, and rule files tested again whenever they are saved."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from weakcode.errors import InputError

_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
SCHEMA = "rulefile.schema.json"
_LOOK_AGAIN = 0.3
_START = """\
# yaml-language-server: $schema={schema}
pack: {name}
title: Rules of our own
version: "1"
sources:
  payer: {{title: Manual of our payer, publisher: Our payer}}
rules:
  - id: repeat-of-the-first
    title: What this rule finds, in a few words
    severity: warning
    subject: M62.84
    require: {{before: "G71.-, G72.-, G73.-"}}
    message: "{{subject}} needs its underlying disease before it{{misplaced}}."
    why: Why it matters, for whoever meets the finding.
    sources: [{{source: payer, at: page 12}}]
    examples:
      pass: [G72.9 M62.84]
      fail: [M62.84 I10]
"""


def start(file: str) -> Path:
    """Write a rule file to begin with, and the schema that editors complete it from; nothing that is there is changed.

    Raises InputError where the file is there, or its name makes no name of a pack.
    """
    from weakcode.rules.model import Pack
    from weakcode.rules.schema import render

    path = Path(file)
    name = path.stem.lower().replace("_", "-").replace(" ", "-")
    if path.suffix not in (".yaml", ".yml") or not _NAME.fullmatch(name):
        raise InputError(f'"{file}" is no name for a rule file; one is words joined by hyphens, such as practice.yaml')
    schema = path.parent / SCHEMA
    try:
        with path.open("x", encoding="utf-8") as out:
            out.write(_START.format(name=name, schema=SCHEMA))
        if not schema.exists():
            schema.write_text(render(Pack), "utf-8")
    except FileExistsError:
        raise InputError(f"{file} is there already; it was left as it is") from None
    except OSError as error:
        raise InputError(f"{file} cannot be written: {error.strerror}") from None
    return path


def watch(paths: Iterable[str], test: Callable[[], None], until: Callable[[], bool] = lambda: False) -> None:
    """Test now, and again whenever a file below the paths is saved, until `until` says so or Ctrl-C is pressed."""
    roots = [Path(path) for path in paths]
    seen = None
    while True:
        state = _state(roots)
        if state != seen:
            seen = state
            test()
        if until():
            return
        time.sleep(_LOOK_AGAIN)


def _state(roots: Iterable[Path]) -> dict[str, tuple[int, int]]:
    found: dict[str, tuple[int, int]] = {}
    for root in roots:
        files = [root] if root.is_file() else [*root.rglob("*.yaml"), *root.rglob("*.yml")]
        for file in files:
            try:
                about = file.stat()
            except OSError:
                continue
            found[str(file)] = (about.st_mtime_ns, about.st_size)
    return found
