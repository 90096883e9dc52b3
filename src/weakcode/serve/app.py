"""The routes of the service put together, behind the guard."""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Mount, Route, Router
from starlette.staticfiles import StaticFiles

from weakcode.scrub.formats import TITLES
from weakcode.serve.claims import ClaimRoutes
from weakcode.serve.files.routes import FileRoutes
from weakcode.serve.guard import Guard
from weakcode.serve.metrics import Metrics
from weakcode.serve.reference import ReferenceRoutes
from weakcode.serve.requests import Service
from weakcode.serve.settings import Settings
from weakcode.serve.standards import StandardRoutes
from weakcode.serve.tenants import Tenants

CHECK = "/v1/check"
PAGE = Path(str(resources.files("weakcode.serve") / "page"))
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
"""The page loads nothing from elsewhere, and nobody may frame it."""


class _PageFiles(StaticFiles):
    """Files of the page, with the policy that holds for all of it."""

    def file_response(self, *args: Any, **more: Any) -> Response:
        answer: Response = super().file_response(*args, **more)
        answer.headers["content-security-policy"] = _POLICY
        return answer


async def _page(request: Request) -> Response:
    """GET /: the page."""
    return HTMLResponse(_html(), headers={"content-security-policy": _POLICY})


@cache
def _html() -> str:
    """Return the page, which says what can be read."""
    return (PAGE / "index.html").read_text("utf-8").replace("A file of claims.", f"{TITLES}.")


def _routes(service: Service, claims: ClaimRoutes) -> list[BaseRoute]:
    reference, standards, files = ReferenceRoutes(service), StandardRoutes(service), FileRoutes(service)
    return [
        Route(CHECK, claims.check, methods=["POST"]),
        Route("/v1/check-many", claims.check_many, methods=["POST"]),
        Route("/v1/fix", claims.fix, methods=["POST"]),
        Route("/v1/explain", claims.explain, methods=["POST"]),
        Route("/fhir/Claim/$validate", standards.claim, methods=["POST"]),
        Route("/fhir/ExplanationOfBenefit/$validate", standards.benefit, methods=["POST"]),
        Route("/x12", standards.x12, methods=["POST"]),
        Route("/v1/codes/{code}", reference.code),
        Route("/v1/codes", reference.codes),
        Route("/v1/codes", reference.pasted, methods=["POST"]),
        Route("/v1/rules/{pack}/{rule}", reference.rule),
        Route("/v1/rules", reference.rules),
        Route("/v1/files", files.add, methods=["POST"]),
        Route("/v1/files/{id}", files.state),
        Route("/v1/files/{id}", files.remove, methods=["DELETE"]),
        Route("/v1/files/{id}/again", files.again, methods=["POST"]),
        Route("/v1/files/{id}/rejects", files.rejects),
        Route("/v1/files/{id}/claims", files.claims),
        Route("/v1/files/{id}/claim", files.claim),
        Route("/v1/files/{id}/waivers", files.waive, methods=["POST"]),
        Route("/v1/files/{id}/{what}", files.download),
        Route("/openapi.json", reference.openapi),
        Route("/healthz", reference.health),
        Route("/readyz", reference.ready),
        Route("/metrics", reference.metrics),
        Route("/", _page),
        Mount("/page", _PageFiles(directory=PAGE, follow_symlink=False)),
    ]


def paths(routes: Sequence[BaseRoute]) -> list[str]:
    """Return the patterns of routes, under which requests are counted."""
    return list(dict.fromkeys(route.path for route in routes if isinstance(route, Route | Mount)))


class Application:
    """The service as an ASGI application, with what is counted of it."""

    def __init__(self, settings: Settings, tenants: Tenants) -> None:
        service = Service(settings, tenants)
        claims = ClaimRoutes(service)
        routes = _routes(service, claims)
        self.metrics = service.metrics = Metrics(paths(routes), settings.workers)
        self.guarded = Guard(Router(routes), settings, self.metrics)
        self._check = claims.check_at_once

    def at_once(self, scope: MutableMapping[str, Any], body: bytes) -> bytes | None:
        """Return the JSON with which a request is answered that came whole, None where `guarded` has to answer it."""
        if scope["path"] != CHECK or scope["method"] != "POST":
            return None
        return self.guarded.at_once(scope, body, self._check)
