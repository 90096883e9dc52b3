"""From a request to what it asks: the body within its limits, a claim in it, and the validator that is to judge."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from starlette.requests import Request

from weakcode.claims import Claim
from weakcode.errors import WeakcodeError, did_you_mean
from weakcode.scrub.read.jsonl.objects import claim_of, object_in
from weakcode.scrub.read.rows import BadRow
from weakcode.scrub.read.textlines import decoded
from weakcode.serve.metrics import Metrics
from weakcode.serve.problems import ProblemError
from weakcode.serve.settings import MEBIBYTE, Settings
from weakcode.serve.tenants import Tenants
from weakcode.validator import Validator

LONGEST_CLAIM = MEBIBYTE
"""Bytes of a claim as JSON."""
_MOST_BODIES = 16
"""Bodies of the largest size whose parts may be held at a time, while the rest of them is on its way."""
AT_ONCE = 50
"""Diagnoses of a claim that is judged in between, without a thread of its own."""
_T = TypeVar("_T")


class Service:
    """What the routes share: settings, validators, counts, and threads for what takes longer."""

    def __init__(self, settings: Settings, tenants: Tenants) -> None:
        self.settings, self.tenants, self.metrics = settings, tenants, Metrics(())
        self._buffered = 0
        # Made when first used: a forked process has none of its parent's threads.
        self._threads: ThreadPoolExecutor | None = None

    async def in_thread(self, work: Callable[[], _T]) -> _T:
        """Return what `work` gives, done in a thread. Raises TimeoutError where it takes too long."""
        if self._threads is None:
            self._threads = ThreadPoolExecutor(2, "weakcode")
        done = asyncio.get_running_loop().run_in_executor(self._threads, work)
        return await asyncio.wait_for(asyncio.shield(done), self.settings.work_seconds)

    async def validator(self, request: Request, *parameters: str) -> Validator:
        """Return the validator of the profile that a request names, or the usual one.

        Raises ProblemError for a parameter that is neither `profile`, nor one of these, nor FHIR's with a `_`.
        """
        found = self.validator_at_hand(request, *parameters)
        if found is None:
            name = request.query_params["profile"]
            found = await self.in_thread(lambda: self.tenants.of(name))
        return found

    def validator_at_hand(self, request: Request, *parameters: str) -> Validator | None:
        """Return the validator that `validator` returns where nothing has to be read for it."""
        if not request.scope["query_string"]:
            return self.tenants.known(None)
        check_asked(request, "profile", *parameters)
        return self.tenants.known(request.query_params.get("profile"))

    async def body(self, request: Request, most: int) -> bytes:
        """Return the body of a request. Raises ProblemError for one that is too long or does not come in time."""
        most = min(most, self.settings.max_body)
        header = request.headers.get("content-length")
        if header is not None and header.isdecimal() and int(header) > most:
            raise ProblemError(413, f"the body is longer than {most:,} bytes", connection="close")
        parts: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(self.settings.body_seconds):
                async for part in request.stream():
                    size += len(part)
                    self._buffered += len(part)
                    if size > most:
                        raise ProblemError(413, f"the body is longer than {most:,} bytes", connection="close")
                    if self._buffered > _MOST_BODIES * self.settings.max_body:
                        raise ProblemError(503, "the server holds too many bodies; ask again", connection="close")
                    parts.append(part)
        except TimeoutError:
            raise ProblemError(408, "the body did not come in time", connection="close") from None
        finally:
            self._buffered -= size
        return parts[0] if len(parts) == 1 else b"".join(parts)

    async def claim(self, request: Request, most: int | None = None) -> Claim:
        """Return the claim in the body of a request, of at most so many diagnoses. Raises ProblemError."""
        check_type(request, "application/json")
        body = await self.body(request, LONGEST_CLAIM)
        try:
            claim = claim_from(body)
            if most is not None and len(claim.diagnoses) > most:
                raise ProblemError(422, f"the claim has more than {most} diagnoses, too many for an explanation")
        except ProblemError:
            self.metrics.rejected()
            raise
        return claim

    def json(self, body: bytes) -> dict[str, Any]:
        """Return the object that a body is, and count one that is none. Raises ProblemError as `object_from` does."""
        try:
            return object_from(body)
        except ProblemError:
            self.metrics.rejected()
            raise

    async def judged(self, claim: Claim, work: Callable[[Claim], _T]) -> _T:
        """Return what a validator says of a claim. What the claim says wrong is a problem of status 422."""
        try:
            if len(claim.diagnoses) <= AT_ONCE:
                return work(claim)
            return await self.in_thread(lambda: work(claim))
        except WeakcodeError as error:
            self.metrics.rejected()
            raise refused(error) from None


def object_from(body: bytes) -> dict[str, Any]:
    """Return the object that a body is. Raises ProblemError: 400 for what is not JSON, 422 for no object."""
    try:
        return object_in(decoded(body).removeprefix("\ufeff"), strict=True)
    except BadRow as error:
        reason = error.reason.replace("the line", "the body")
        raise ProblemError(422 if "no object" in reason else 400, reason) from None


def claim_from(body: bytes) -> Claim:
    """Return the claim that a body is. Raises ProblemError as `object_from` does, and 422 for no claim."""
    try:
        return claim_of(object_from(body))
    except BadRow as error:
        raise ProblemError(422, error.reason) from None


def refused(error: WeakcodeError) -> ProblemError:
    """Return what an error of weakcode is over HTTP: the claim's fault, but for an engine that failed."""
    from weakcode.errors import EngineError

    return ProblemError(500 if isinstance(error, EngineError) else 422, str(error))


def check_asked(request: Request, *known: str) -> None:
    """Raise ProblemError where a request asks for more than these parameters say, or says one of them twice.

    Names that begin with `_` are FHIR's, as `_format` is, and pass.
    """
    names = [name for name, _ in request.query_params.multi_items() if not name.startswith("_")]
    for name in names:
        if name not in known:
            raise ProblemError(400, f"there is no such parameter{did_you_mean(name, known)}; /openapi.json names all")
        if names.count(name) > 1:
            raise ProblemError(400, f"the parameter {name} stands twice; give it once")


def check_type(request: Request, *known: str) -> None:
    """Raise ProblemError where the body says that it is something else, or packed; a request may leave it unsaid."""
    packed = request.headers.get("content-encoding", "identity").strip().lower()
    if packed not in ("", "identity"):
        raise ProblemError(415, "the body is sent as it is, without a content-encoding", accept_encoding="identity")
    header = request.headers.get("content-type")
    if header is None:
        return
    kind = header.partition(";")[0].strip().lower()
    if kind not in known and not (kind.endswith("+json") and "application/json" in known):
        raise ProblemError(415, f"the body is {' or '.join(known)}", accept=", ".join(known))
