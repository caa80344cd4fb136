"""What the pages for people have in common: one style, no script, and a policy that lets in nothing else."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Final

from starlette.responses import Response

from gateway.server.markup import Markup, element, raw, together

_STYLE: Final = (Path(__file__).parent / "pages.css").read_text(encoding="utf-8")
_DIGEST: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_ICON: Final = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E"
    "%3Crect x='2' y='1' width='12' height='14' rx='2' fill='%234f46e5'/%3E%3Cpath d='M5 5h6M5 8h6M5 11h3' stroke='%23fff'/%3E%3C/svg%3E"
)
_POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{_DIGEST}'; img-src data:; form-action 'none'; frame-ancestors 'none'; base-uri 'none'"
)


def document(title: str, *content: str, has_explorer: bool) -> Markup:
    """Make a whole document."""
    head = (
        element("meta", charset="utf-8"),
        element("meta", name_="viewport", content_="width=device-width, initial-scale=1"),
        element("meta", name_="color-scheme", content_="light dark"),
        element("title", f"{title} · Invoice gateway"),
        element("link", rel="icon", href=_ICON),
        element("style", raw(_STYLE)),
    )
    explorer = (element("nav", element("a", "Explorer", href="/"), aria_label="Gateway"),) if has_explorer else ()
    body = (
        element("a", "Skip to the content", href="#content", class_="skip"),
        element("header", element("span", "Invoice gateway", class_="brand"), *explorer),
        element("main", element("h1", title), *content, id="content", tabindex="-1"),
    )
    return together(raw("<!doctype html>\n"), element("html", element("head", *head), element("body", *body), lang="en"), "\n")


def respond_page(page: Markup, status: int = 200) -> Response:
    """Answer a document. Nobody stores it, as `headers.SAFE` has it."""
    return Response(page, status, {"content-security-policy": _POLICY}, "text/html; charset=utf-8")
