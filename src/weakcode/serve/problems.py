"""Errors as problem details (RFC 9457), in the words of the command line. No value of a claim stands in them."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import orjson

TYPE = "application/problem+json"


class ProblemError(Exception):
    """A request that is refused; `detail` is one sentence for whoever sent it."""

    def __init__(self, status: int, detail: str, **headers: str) -> None:
        super().__init__(detail)
        self.status, self.detail = status, detail
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


def problem(status: int, detail: str) -> dict[str, Any]:
    """Return the members of a problem."""
    return {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}


def body_of(status: int, detail: str) -> bytes:
    """Return a problem as JSON."""
    return orjson.dumps(problem(status, detail))
