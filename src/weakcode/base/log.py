"""Loggers of weakcode below "weakcode", silent until a program says where their records go.

Records name files, runs and counts; never a claim, its id, or a value of its fields.
"""

from __future__ import annotations

import logging

ROOT = "weakcode"
EVENT = "event"
"""The attribute of a record that says what happened, as run.started."""
FIELDS = "fields"
"""The attribute of a record with the counts and names that its message says, for programs."""

logging.getLogger(ROOT).addHandler(logging.NullHandler())


def logger(part: str = "") -> logging.Logger:
    """Return the logger of a part of weakcode, such as "weakcode.scrub"."""
    return logging.getLogger(f"{ROOT}.{part}" if part else ROOT)


def about(event: str, **fields: object) -> dict[str, object]:
    """Return what a record holds beside its message, as `extra` takes it."""
    return {EVENT: event, FIELDS: fields}
