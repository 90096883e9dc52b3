"""Routes about codes and rules, and about the server itself."""

from __future__ import annotations

from typing import Any

import attrs
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from weakcode.base import objects
from weakcode.codes.catalog import edition_for
from weakcode.codes.edition import Edition
from weakcode.codes.expression.pasted import codes_in
from weakcode.errors import InputError, did_you_mean
from weakcode.fields.parsers import parse_date
from weakcode.pages.codeinfo import lookup, search
from weakcode.serve.claims import json_response
from weakcode.serve.openapi import document
from weakcode.serve.problems import ProblemError
from weakcode.serve.requests import Service, check_asked, check_type
from weakcode.serve.settings import MEBIBYTE
from weakcode.validator import Validator

_MOST_FOUND = 100
_LONGEST_TEXT = 200


@attrs.frozen
class ReferenceRoutes:
    """The routes of one service."""

    service: Service

    async def code(self, request: Request) -> Response:
        """GET /v1/codes/{code}: what there is to know of a code, on the day of `date`."""
        check_asked(request, "date")
        name, day = request.path_params["code"], request.query_params.get("date")
        _parsed_day(day)
        try:
            return json_response((await self.service.in_thread(lambda: lookup(name, day))).to_dict())
        except InputError as error:
            raise ProblemError(404, str(error).partition(";")[0]) from None

    async def codes(self, request: Request) -> Response:
        """GET /v1/codes?q=: codes by words, the best first."""
        check_asked(request, "q", "limit", "date")
        text, limit = request.query_params.get("q", ""), request.query_params.get("limit", "10")
        day = request.query_params.get("date")
        if not text.strip() or len(text) > _LONGEST_TEXT:
            raise ProblemError(400, f"q is the words to find, at most {_LONGEST_TEXT} characters")
        if not (limit.isascii() and limit.isdecimal() and 1 <= int(limit[:6]) <= _MOST_FOUND):
            raise ProblemError(400, f"limit is a number from 1 to {_MOST_FOUND}")
        edition = edition_for(_parsed_day(day))
        hits = await self.service.in_thread(lambda: search(text, int(limit), day))
        found = [hit.to_dict() for hit in hits]
        return json_response({"version": objects.VERSION, "edition": edition.name, "hits": found})

    async def pasted(self, request: Request) -> Response:
        """POST /v1/codes: the diagnosis codes in a text, such as a superbill, and what was left out of it."""
        check_asked(request, "date")
        check_type(request, "application/json")
        values = self.service.json(await self.service.body(request, MEBIBYTE))
        text = values.get("text")
        if set(values) != {"text"} or not isinstance(text, str):
            raise ProblemError(422, 'the body is an object with the text: {"text": "…"}')
        edition = edition_for(_parsed_day(request.query_params.get("date")))
        return json_response(await self.service.in_thread(lambda: _pasted(text, edition)))

    async def rules(self, request: Request) -> Response:
        """GET /v1/rules: every rule as the profile has it."""
        validator = await self.service.validator(request)
        rules = [rule.summary() for rule in validator.rules]
        packs, facts = list(validator.packs), list(validator.facts)
        return json_response({"version": objects.VERSION, "packs": packs, "facts": facts, "rules": rules})

    async def rule(self, request: Request) -> Response:
        """GET /v1/rules/{pack}/{rule}: a rule with why, sources and examples."""
        validator = await self.service.validator(request)
        name = f"{request.path_params['pack']}/{request.path_params['rule']}"
        return json_response(await self.service.in_thread(lambda: _rule(validator, name)))

    async def openapi(self, request: Request) -> Response:
        """GET /openapi.json: this interface, with examples."""
        return json_response(document())

    async def health(self, request: Request) -> Response:
        """GET /healthz: the process answers."""
        return json_response({"status": "ok"})

    async def ready(self, request: Request) -> Response:
        """GET /readyz: rules and engine are ready. A server listens only then, so that it is as long as it listens."""
        tenants = self.service.tenants
        content = {"status": "ready", "packs": list(tenants.usual.packs), "profiles": tenants.has_profiles}
        if tenants.stale:
            content["stale_profiles"] = len(tenants.stale)
        return json_response(content)

    async def metrics(self, request: Request) -> Response:
        """GET /metrics: what was counted, for Prometheus."""
        tenants = self.service.tenants
        gauges = {"profiles_refused": float(tenants.refused), "profiles_stale": float(len(tenants.stale))}
        return PlainTextResponse(self.service.metrics.text(gauges), media_type="text/plain; version=0.0.4")


def _pasted(text: str, edition: Edition) -> dict[str, Any]:
    found = codes_in(text, edition)
    return {
        "version": objects.VERSION,
        "edition": edition.name,
        "codes": [{"code": code, "title": edition.title(code)} for code in found.codes],
        "doubtful": [attrs.asdict(one) for one in found.doubtful],
        "left_out": [attrs.asdict(one) for one in found.left_out],
    }


def _rule(validator: Validator, name: str) -> dict[str, Any]:
    rules = {rule.id: rule for rule in validator.rules}
    if name not in rules:
        raise ProblemError(404, f"there is no such rule{did_you_mean(name, rules)}; /v1/rules names all")
    return rules[name].to_dict()


def _parsed_day(day: str | None) -> Any:
    try:
        return parse_date(day)
    except InputError as error:
        raise ProblemError(400, str(error)) from None
