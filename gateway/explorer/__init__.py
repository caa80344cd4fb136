"""The explorer at `/`: a page of this process that needs no network, for writing a query and seeing its answer."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from starlette.responses import Response

_FOLDER: Final = Path(__file__).parent
_POLICY: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; "
    "form-action 'none'; frame-ancestors 'none'; base-uri 'none'"
)
_HEADERS: Final = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-cache",
}
_PAGE: Final = (_FOLDER / "page.html").read_bytes()
_FILES: Final = {
    "explorer.css": ("text/css; charset=utf-8", (_FOLDER / "explorer.css").read_bytes()),
    "explorer.js": ("text/javascript; charset=utf-8", (_FOLDER / "explorer.js").read_bytes()),
    "explorer.svg": ("image/svg+xml", (_FOLDER / "explorer.svg").read_bytes()),
}


@dataclass(frozen=True, slots=True)
class Journey:
    """A prepared query that the page offers; choosing it fills the editors and sends nothing."""

    title: str
    description: str
    query: str
    variables: Mapping[str, object] = field(default_factory=dict)


def page() -> Response:
    """Give the page."""
    return Response(_PAGE, 200, _HEADERS, "text/html; charset=utf-8")


def asset(name: str) -> Response:
    """Give a file that the page uses; 404 for any other name."""
    if name not in _FILES:
        return Response("not found", 404, _HEADERS, "text/plain; charset=utf-8")
    media_type, content = _FILES[name]
    return Response(content, 200, _HEADERS, media_type)


def journeys(items: Sequence[Journey]) -> Response:
    """Give the prepared queries, in order. Raises `TypeError` for variables that JSON does not have: write amounts as text."""
    shown = [
        {"title": item.title, "description": item.description, "query": item.query, "variables": dict(item.variables)} for item in items
    ]
    return Response(json.dumps(shown, ensure_ascii=False), 200, _HEADERS, "application/json; charset=utf-8")
