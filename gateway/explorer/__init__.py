"""The explorer at `/`: a page of this process that needs no network, for writing a query and seeing its answer."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from starlette.responses import Response

_PAGE: Final = (Path(__file__).parent / "page.html").read_text(encoding="utf-8")
_POLICY: Final = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'"
_HEADERS: Final = {"content-security-policy": _POLICY, "x-content-type-options": "nosniff", "referrer-policy": "no-referrer"}
_FILES: Final = {
    "explorer.css": ("text/css; charset=utf-8", (Path(__file__).parent / "explorer.css").read_bytes()),
    "explorer.js": ("text/javascript; charset=utf-8", (Path(__file__).parent / "explorer.js").read_bytes()),
}


def page() -> Response:
    """Give the page."""
    return Response(_PAGE, 200, _HEADERS, "text/html; charset=utf-8")


def asset(name: str) -> Response:
    """Give a file that the page uses; 404 for any other name."""
    if name not in _FILES:
        return Response("not found", 404, _HEADERS, "text/plain; charset=utf-8")
    media_type, content = _FILES[name]
    return Response(content, 200, _HEADERS, media_type)
