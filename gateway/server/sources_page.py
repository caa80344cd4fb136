"""`GET /sources`: how things stand with each source, for callers with the explorer permission. Reading it asks no upstream."""

from __future__ import annotations

import secrets
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from gateway.errors import GatewayError, NotAuthenticated, NotPermitted
from gateway.loaders import Clock, SourceSet
from gateway.model import Permission
from gateway.server.callers import Admission
from gateway.server.door import guarded, refuse
from gateway.server.markup import element
from gateway.server.pages import document, respond_page
from gateway.server.sources_html import sources_page

_TITLES: Final = {401: "A key is needed", 403: "Not for this caller"}


class SourcesPage:
    """Answers requests for the page."""

    def __init__(self, sources: SourceSet, admission: Admission, clock: Clock, *, has_explorer: bool) -> None:
        self._sources = sources
        self._admission = admission
        self._clock = clock
        self._has_explorer = has_explorer

    async def answer(self, request: Request) -> Response:
        """Answer with the page, or say why not: to a browser as a page, to others as JSON."""
        request_id = secrets.token_hex(8)
        return await guarded(request_id, lambda: self._answer(request, request_id))

    async def _answer(self, request: Request, request_id: str) -> Response:
        try:
            async with self._admission.admitted(request.headers.get("authorization")) as caller:
                if not caller.may(Permission.EXPLORER):
                    raise NotPermitted(f"this page needs the permission {Permission.EXPLORER.value}")
                sources = tuple(self._sources.seen_by(caller.sources))
                return respond_page(sources_page(sources, self._clock.now(), has_explorer=self._has_explorer))
        except GatewayError as error:
            if "text/html" not in request.headers.get("accept", "").lower():
                raise
            return self._refuse(error, request_id)

    def _refuse(self, error: GatewayError, request_id: str) -> Response:
        """Say why not in a document, with the status and the headers that it has as JSON."""
        refusal = refuse(error, request_id, None)
        told = [element("p", f"{error.message[:1].upper()}{error.message[1:]}.")]
        if isinstance(error, NotAuthenticated) and self._has_explorer:
            told.append(element("p", "Or enter the key in ", element("a", "the explorer", href="/"), " and open Sources from there."))
        title = _TITLES.get(refusal.status_code, "Not now")
        response = respond_page(document(title, *told, has_explorer=self._has_explorer), refusal.status_code)
        for name in ("www-authenticate", "retry-after"):
            if name in refusal.headers:
                response.headers[name] = refusal.headers[name]
        return response
