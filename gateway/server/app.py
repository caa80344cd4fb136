"""The routes of the gateway."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from gateway.explorer import Journey, explorer_routes
from gateway.server.documents import DocumentEndpoint
from gateway.server.door import Endpoint, bounded
from gateway.server.graphql import GraphqlEndpoint
from gateway.server.headers import SafeHeaders
from gateway.server.load import Load
from gateway.server.metrics_page import MetricsPage
from gateway.server.observed import Observer
from gateway.server.sources_page import SourcesPage
from gateway.settings import ServerSettings


def make_server(
    endpoint: GraphqlEndpoint,
    documents: DocumentEndpoint,
    sources: SourcesPage,
    metrics: MetricsPage,
    settings: ServerSettings,
    journeys: Sequence[Journey],
    load: Load,
    observer: Observer,
) -> Starlette:
    """Put the routes together; the explorer only where it is switched on. Health and metrics are told at any load."""
    routes = [
        Route(
            "/graphql", bounded(load, endpoint.answer, observer, "unread"), methods=["GET", "POST"] if settings.get_queries else ["POST"]
        ),
        Route("/documents/{id}", bounded(load, documents.answer, observer, "document"), methods=["GET"]),
        Route("/sources", bounded(load, sources.answer), methods=["GET"]),
        Route("/metrics", metrics.answer, methods=["GET"]),
        Route("/health/live", _alive, methods=["GET"]),
        Route("/health/ready", _ready(load), methods=["GET"]),
    ]
    if settings.explorer:
        routes += explorer_routes(journeys)
    app = Starlette(routes=routes, middleware=_middleware(settings))
    app.router.redirect_slashes = False  # to where the request says it went, which behind a load balancer is not where it came from
    return app


def _middleware(settings: ServerSettings) -> list[Middleware]:
    safe = Middleware(SafeHeaders)
    if not settings.cors_origins:
        return [safe]
    headers = [
        "authorization",
        "content-type",
        "idempotency-key",
        "traceparent",
        "x-gateway-cost",
        "x-gateway-explain",
        "x-gateway-trace",
        "x-requested-with",
    ]
    origins, methods = list(settings.cors_origins), ["GET", "POST"] if settings.get_queries else ["POST"]
    return [
        safe,
        Middleware(CORSMiddleware, allow_origins=origins, allow_methods=methods, allow_headers=headers, expose_headers=["retry-after"]),
    ]


async def _alive(_request: Request) -> Response:
    return PlainTextResponse("ok\n")


def _ready(load: Load) -> Endpoint:
    async def answer(_request: Request) -> Response:
        why_not = load.why_unready
        return PlainTextResponse("ok\n") if why_not is None else PlainTextResponse(f"{why_not}\n", 503)

    return answer
