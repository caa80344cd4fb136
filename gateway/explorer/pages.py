"""What the explorer serves, and what a browser may do with it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.explorer.journey import Journey
from gateway.explorer.unbuilt import unbuilt_page, unbuilt_style_source

BUNDLE: Final = Path(__file__).parent / "dist"
# Fonts and images as data: the editor carries most of its icons inside its style sheet. Styles inline: it writes its themes
# and the place of each line into the page as it goes, and takes neither a nonce nor a hash. A style runs nothing, and there is
# nowhere to send what it sees.
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self'; font-src 'self' data:; img-src 'self' data:; "
    "style-src 'self' 'unsafe-inline'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'"
)
_UNBUILT_POLICY: Final = (
    f"default-src 'none'; style-src {unbuilt_style_source()}; form-action 'none'; frame-ancestors 'none'; base-uri 'none'"
)
_HEADERS: Final = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-cache",
}
_NAMED_BY_CONTENT: Final = "assets/"
_FOREVER: Final = "public, max-age=31536000, immutable"
_MEDIA_TYPES: Final = MappingProxyType(
    {
        ".html": "text/html; charset=utf-8",
        ".css": "text/css; charset=utf-8",
        ".js": "text/javascript; charset=utf-8",
        ".svg": "image/svg+xml",
        ".ttf": "font/ttf",
    }
)


class _Explorer:
    """The files of a bundle, read once: a bundle that is built anew is served by the next process."""

    def __init__(self, journeys: Sequence[Journey], bundle: Path) -> None:
        self._journeys = journeys
        self._listed = _listed(journeys)
        files = sorted(path for path in bundle.rglob("*") if path.suffix in _MEDIA_TYPES)
        self._files = {path.relative_to(bundle).as_posix(): path.read_bytes() for path in files}

    async def page(self, request: Request) -> Response:
        content = self._files.get("index.html")
        if content is None:
            page = unbuilt_page(self._journeys, str(request.base_url))
            return Response(page, 200, {**_HEADERS, "content-security-policy": _UNBUILT_POLICY}, "text/html; charset=utf-8")
        return Response(content, 200, _HEADERS, "text/html; charset=utf-8")

    async def journeys(self, _request: Request) -> Response:
        return Response(self._listed, 200, _HEADERS, "application/json; charset=utf-8")

    async def asset(self, request: Request) -> Response:
        name = request.path_params["name"]
        content = self._files.get(name)
        if content is None:
            return Response("not found", 404, _HEADERS, "text/plain; charset=utf-8")
        headers = {**_HEADERS, "cache-control": _FOREVER} if name.startswith(_NAMED_BY_CONTENT) else _HEADERS
        return Response(content, 200, headers, _MEDIA_TYPES[Path(name).suffix])


def explorer_routes(journeys: Sequence[Journey], bundle: Path = BUNDLE) -> list[Route]:
    """Give the routes of the explorer. Raises `TypeError` for variables that JSON does not have: write amounts as text."""
    explorer = _Explorer(journeys, bundle)
    return [
        Route("/", explorer.page, methods=["GET"]),
        Route("/explorer/journeys.json", explorer.journeys, methods=["GET"]),
        Route("/explorer/{name:path}", explorer.asset, methods=["GET"]),
    ]


def _listed(journeys: Sequence[Journey]) -> str:
    shown = [
        {"title": each.title, "description": each.description, "query": each.query, "variables": dict(each.variables)} for each in journeys
    ]
    return json.dumps(shown, ensure_ascii=False)
