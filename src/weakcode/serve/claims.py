"""Routes about claims: check, check-many, fix, explain."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import time
from codecs import BOM_UTF8
from collections.abc import AsyncIterator
from typing import Any

import attrs
import orjson
from starlette.requests import Request
from starlette.responses import Response

from weakcode._version import __version__
from weakcode.base import objects
from weakcode.claims import Claim
from weakcode.errors import WeakcodeError
from weakcode.findings import Verdict
from weakcode.scrub.read.jsonl.objects import claim_in
from weakcode.scrub.read.rows import BadRow
from weakcode.scrub.read.textlines import decoded
from weakcode.serve.guard import Receive, Send
from weakcode.serve.problems import ProblemError
from weakcode.serve.requests import AT_ONCE, LONGEST_CLAIM, Service, check_type, claim_from, refused
from weakcode.validator import Validator

JSON, NDJSON = "application/json", "application/x-ndjson"
MOST_EXPLAINED = 200
"""Diagnoses of a claim that is explained."""
_SLICE = 0.002
"""Seconds of many claims after which others have their turn."""


def json_response(values: object) -> Response:
    """Return an object as the answer."""
    return Response(_json(values), media_type=JSON)


def _json(values: object) -> bytes:
    try:
        return orjson.dumps(values, objects.shallow)
    except TypeError:
        # A claim may have a pointer above 64 bits, which orjson does not write.
        return json.dumps(values, default=_plain, ensure_ascii=False).encode()


def _plain(one: object) -> object:
    return one.isoformat() if isinstance(one, dt.date) else objects.shallow(one)


class VerdictStream(Response):
    """An answer that goes out in parts while the request comes in.

    Starlette's own would listen for the end of the connection meanwhile, and take parts of the request for it.
    """

    media_type = NDJSON

    def __init__(self, parts: AsyncIterator[bytes]) -> None:
        super().__init__()
        del self.headers["content-length"]
        self._parts = parts

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        async for part in self._parts:
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


@attrs.frozen
class ClaimRoutes:
    """The routes of one service."""

    service: Service

    async def check(self, request: Request) -> Response:
        """POST /v1/check: a claim in, its verdict out."""
        service = self.service
        validator = await service.validator(request)
        verdict = await service.judged(await service.claim(request), validator.judge)
        self._count(verdict)
        return json_response(verdict.shallow())

    def check_at_once(self, request: Request, body: bytes) -> bytes | None:
        """Return what `check` answers to a request with this body, where that takes no thread; otherwise None.

        Raises what `check` raises. Nothing is counted where it does, nor where it returns None.
        """
        validator = self.service.validator_at_hand(request)
        check_type(request, JSON)
        claim = claim_from(body)
        if validator is None or len(claim.diagnoses) > AT_ONCE:
            return None
        verdict = validator.judge(claim)
        answer = _json(verdict.shallow())
        self._count(verdict)
        return answer

    def _count(self, verdict: Verdict) -> None:
        self.service.metrics.claim(finding.severity for finding in verdict.findings)

    async def fix(self, request: Request) -> Response:
        """POST /v1/fix: a claim in; out, the claim mended where that is safe, what was done, and what remains."""
        service = self.service
        validator = await service.validator(request, "unsafe")
        unsafe = _is_true(request, "unsafe")
        claim = await service.claim(request)

        def mend(claim: Claim) -> dict[str, Any]:
            fixed = validator.fix(claim, unsafe=unsafe)
            verdict = validator.judge(fixed.claim)
            return {
                "version": objects.VERSION,
                "weakcode": __version__,
                "claim": fixed.claim.to_dict(),
                "applied": [objects.to_dict(one) for one in fixed.applied],
                "remaining": [finding.to_dict() for finding in fixed.remaining],
                "notices": list(fixed.notices),
                "verdict": verdict.to_dict(),
            }

        return json_response(await service.judged(claim, mend))

    async def explain(self, request: Request) -> Response:
        """POST /v1/explain: a claim in; out, its verdict and what became of every edit about its codes."""
        service = self.service
        validator = await service.validator(request)
        claim = await service.claim(request, MOST_EXPLAINED)

        def explain() -> dict[str, Any]:
            explained = validator.explain(claim)
            return {**explained.verdict.to_dict(), "explanation": explained.to_dict()}

        try:
            return json_response(await service.in_thread(explain))
        except WeakcodeError as error:
            raise refused(error) from None

    async def check_many(self, request: Request) -> Response:
        """POST /v1/check-many: a claim a line in, a verdict a line out, in their order, while they come.

        A line that is not a claim gets an object with its number and `error` in its place. The server reads no further
        while the client does not read. An answer that is whole ends as HTTP says; one that was cut short does not.
        """
        check_type(request, NDJSON, "application/jsonl", JSON)
        validator = await self.service.validator(request)
        return VerdictStream(self._verdicts(request, validator))

    async def _verdicts(self, request: Request, validator: Validator) -> AsyncIterator[bytes]:
        number = 0
        async for lines in _lines_of(request):
            out: list[bytes] = []
            started = time.perf_counter()
            for line in lines:
                number += 1
                if number == 1 and line is not None:
                    line = line.removeprefix(BOM_UTF8)
                if number > self.service.settings.max_claims:
                    most = self.service.settings.max_claims
                    out.append(orjson.dumps({"line": number, "error": f"a request has at most {most:,} claims"}))
                    yield b"\n".join([*out, b""])
                    return
                if line is None or line.strip():
                    out.append(self._line(number, line, validator))
                if time.perf_counter() - started > _SLICE:
                    yield b"\n".join([*out, b""])
                    out = []
                    await asyncio.sleep(0)
                    started = time.perf_counter()
            if out:
                yield b"\n".join([*out, b""])

    def _line(self, number: int, line: bytes | None, validator: Validator) -> bytes:
        try:
            claim = claim_in(decoded(line))
            verdict = validator.judge(claim)
        except (BadRow, WeakcodeError) as error:
            self.service.metrics.rejected()
            message = error.reason if isinstance(error, BadRow) else str(error)
            return orjson.dumps({"line": number, "error": message})
        self._count(verdict)
        return _json({"claim_id": claim.id, **verdict.shallow()})


def _is_true(request: Request, name: str) -> bool:
    text = request.query_params.get(name, "false")
    if text not in ("true", "false"):
        raise ProblemError(400, f"{name} is true or false")
    return text == "true"


async def _lines_of(request: Request) -> AsyncIterator[list[bytes | None]]:
    """Give the lines of a body as they come; None for one that is too long to be a claim."""
    rest, too_long = b"", False
    async for part in request.stream():
        *lines, rest = (rest + part).split(b"\n")
        whole: list[bytes | None] = list(lines)
        if too_long and whole:
            whole[0], too_long = None, False
        for at, line in enumerate(whole):
            if line is not None and len(line) > LONGEST_CLAIM:
                whole[at] = None
        if too_long or len(rest) > LONGEST_CLAIM:
            rest, too_long = b"", True
        if whole:
            yield whole
    if too_long:
        yield [None]
    elif rest.strip():
        yield [rest]
