"""`GET /documents/{id}`: the file of an invoice, read whole, checked, then sent; for a caller's key or a signed link."""

from __future__ import annotations

import hashlib
import hmac
from contextlib import aclosing
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from gateway.errors import NotAuthenticated, NotPermitted
from gateway.loaders import Clock, Loaders, Scope, SourceSet, Trace, to_ref
from gateway.model import DocumentContent, Kind, Permission
from gateway.server.callers import ANYBODY, Admission
from gateway.server.door import observing, respond
from gateway.server.observed import Observed, Observer
from gateway.server.presence import while_present
from gateway.settings import Settings


class LinkSigner:
    """Makes and checks links to one document each, that hold until a moment."""

    def __init__(self, key: bytes, clock: Clock) -> None:
        self._key = key
        self._clock = clock

    def sign(self, invoice_id: str, seconds: int) -> str:
        """Give a path that opens the document of an invoice for some seconds."""
        expires = str(int(self._clock.now().timestamp()) + seconds)
        return f"/documents/{invoice_id}?expires={expires}&signature={self._signature(invoice_id, expires)}"

    def check(self, invoice_id: str, expires: str, signature: str) -> None:
        """Raise `NotAuthenticated` unless this very link was made here and still holds."""
        if not hmac.compare_digest(signature.encode(), self._signature(invoice_id, expires).encode()):
            raise NotAuthenticated("this link was not made by this gateway")
        if int(expires) < self._clock.now().timestamp():
            raise NotAuthenticated("this link has expired; ask for a new one")

    def _signature(self, invoice_id: str, expires: str) -> str:
        return hmac.new(self._key, f"{invoice_id}\n{expires}".encode(), hashlib.sha256).hexdigest()


class DocumentEndpoint:
    """Answers requests for documents."""

    def __init__(
        self, sources: SourceSet, settings: Settings, clock: Clock, signer: LinkSigner | None, admission: Admission, observer: Observer
    ) -> None:
        self._sources = sources
        self._settings = settings
        self._clock = clock
        self._signer = signer
        self._admission = admission
        self._observer = observer

    async def answer(self, request: Request) -> Response:
        """Answer with the file, 304 when the client has it, or JSON that says why not."""
        return await observing(self._observer, "document", request, lambda observed: self._answer(request, observed))

    async def _answer(self, request: Request, observed: Observed) -> Response:
        content = await self._content(request, observed)
        if content is None:
            observed.refused("NOT_FOUND")
            error = {"message": "there is no such document", "extensions": {"code": "NOT_FOUND", "requestId": observed.request_id}}
            return respond({"errors": [error]}, 404)
        return _send(content, request.headers.get("if-none-match"))

    async def _content(self, request: Request, observed: Observed) -> DocumentContent | None:
        """Read the file for a caller, or for a signed link, which opens all sources: whoever signed it saw the invoice."""
        invoice_id = request.path_params["id"]
        if self._has_link(request, invoice_id):
            return await self._read(request, observed, invoice_id, self._sources.seen_by(ANYBODY.sources))
        async with self._admission.admitted(request.headers.get("authorization")) as caller:
            if not caller.may(Permission.READ):
                raise NotPermitted(f"this needs the permission {Permission.READ.value}")
            return await self._read(request, observed, invoice_id, self._sources.seen_by(caller.sources))

    async def _read(self, request: Request, observed: Observed, invoice_id: str, sources: SourceSet) -> DocumentContent | None:
        trace = None if observed.span is None else Trace.start(self._clock, observed.span)
        deadline = self._clock.monotonic() + self._settings.server.deadline_seconds
        scope = observed.scope = Scope(request_id=observed.request_id, deadline=deadline, trace=trace)
        async with aclosing(Loaders(sources, scope)) as loaders:
            ref = to_ref(loaders, invoice_id, Kind.INVOICE)
            return None if ref is None else await while_present(request.receive, loaders.load_document(ref))

    def _has_link(self, request: Request, invoice_id: str) -> bool:
        """Say whether a signed link is used; raises `NotAuthenticated` for one that does not hold."""
        expires, signature = request.query_params.get("expires"), request.query_params.get("signature")
        if expires is None or signature is None or self._signer is None:
            return False
        self._signer.check(invoice_id, expires, signature)
        return True


def _send(content: DocumentContent, if_none_match: str | None) -> Response:
    tag = f'"{hashlib.sha256(content.content).hexdigest()}"'
    headers = {
        "etag": tag,
        "cache-control": "private, no-cache",
        "content-disposition": _disposition(content.file_name),
        "x-content-type-options": "nosniff",
        "content-security-policy": "default-src 'none'; sandbox",
    }
    if if_none_match is not None and not {tag, "*"}.isdisjoint(part.strip().removeprefix("W/") for part in if_none_match.split(",")):
        return Response(status_code=304, headers=headers)
    return Response(content.content, 200, headers, content.media_type)


def _disposition(name: str) -> str:
    """Name the file twice: for clients that read ASCII only, and as it is (RFC 6266)."""
    plain = "".join(character if character.isascii() and (character.isalnum() or character in "._- ") else "_" for character in name)
    return f"inline; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
