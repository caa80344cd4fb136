"""The door of every endpoint: what goes wrong behind it becomes JSON with a code and a status; nobody gets a traceback."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from gateway.errors import (
    GatewayError,
    InvalidInput,
    LimitExceeded,
    NotAuthenticated,
    NotPermitted,
    Overloaded,
    UpstreamError,
    UpstreamTimeout,
)
from gateway.execution import mask
from gateway.server.answer import encode, show_refusal
from gateway.server.asks import UnsupportedMediaType
from gateway.server.jwks import KeysUnavailable
from gateway.server.load import Load
from gateway.server.negotiation import Form, NotAcceptable, choose_form
from gateway.server.observed import INTERNAL, Observed, Observer
from gateway.server.rates import RateLimited
from gateway.server.trusted import PersistedQueryNotFound, PersistedQueryNotSupported

Endpoint = Callable[[Request], Awaitable[Response]]


class MethodNotAllowed(InvalidInput):
    """What is asked cannot be asked by this method."""


class BodyTooSlow(InvalidInput):
    """The body did not arrive in time."""


# The first that an error is an instance of says the status (RFC 9110, 15).
_STATUSES: Final[tuple[tuple[type[GatewayError], int], ...]] = (
    (KeysUnavailable, 503),
    (NotAuthenticated, 401),
    (NotPermitted, 403),
    (Overloaded, 503),
    (RateLimited, 429),
    (LimitExceeded, 400),
    (BodyTooSlow, 408),
    (MethodNotAllowed, 405),
    (NotAcceptable, 406),
    (UnsupportedMediaType, 415),
    (UpstreamTimeout, 504),
    (UpstreamError, 502),
    (GatewayError, 400),
)
_HEADERS: Final[Mapping[int, Mapping[str, str]]] = {
    401: {"www-authenticate": "Bearer"},
    405: {"allow": "POST"},
    408: {"connection": "close"},
    503: {"retry-after": "1"},
}


async def guarded(
    request_id: str, answer: Callable[[], Awaitable[Response]], *, accept: str | None = None, observed: Observed | None = None
) -> Response:
    """Answer a request, or say why not, in the form of JSON that the client accepts; `observed` is told why."""
    try:
        return await answer()
    except GatewayError as error:
        if observed is not None:
            observed.refused(str(error.extensions["code"]))
        return refuse(error, request_id, accept)
    except ClientDisconnect:
        if observed is not None:
            observed.left()
        return Response(status_code=400)  # nobody is left to read it
    except Exception as error:  # noqa: BLE001  (a bug of ours is told as one, too)
        if observed is not None:
            observed.refused(INTERNAL)
        return respond({"errors": [mask(error, request_id)]}, 500)


async def observing(
    observer: Observer, kind: str, request: Request, answer: Callable[[Observed], Awaitable[Response]], *, accept: str | None = None
) -> Response:
    """Answer a request as `guarded` does, and tell operators of it when that is done."""
    observed = observer.begin(secrets.token_hex(8), kind, request.headers)
    status = 499  # none: whoever ends the process, or cuts the connection, has cancelled it
    try:
        response = await guarded(observed.request_id, lambda: answer(observed), accept=accept, observed=observed)
        status = response.status_code
    except BaseException:
        observed.left()
        raise
    finally:
        observer.end(observed, status)
    return response


def bounded(load: Load, answer: Endpoint, observer: Observer | None = None, kind: str = "") -> Endpoint:
    """Give the endpoint that answers as `answer` does where there is room for another request, and refuses it at once where not."""

    async def answer_if_room(request: Request) -> Response:
        try:
            with load.taken():
                return await answer(request)
        except Overloaded as error:
            request_id = secrets.token_hex(8)
            if observer is not None:
                observer.turned_away(request_id, kind, error)
            return refuse(error, request_id, request.headers.get("accept"))

    return answer_if_room


def refuse(error: GatewayError, request_id: str, accept: str | None) -> Response:
    """Say why not, with the status and the headers that go with it, in the form of JSON that the client accepts."""
    form = _form_of_refusal(accept)
    response = respond(show_refusal(error, request_id), _status_of(error, form), form)
    if isinstance(error, RateLimited):
        response.headers["retry-after"] = str(error.retry_after)
    return response


def _status_of(error: GatewayError, form: Form) -> int:
    if isinstance(error, PersistedQueryNotFound | PersistedQueryNotSupported):
        return form.status_of(is_executed=False)  # it is well formed; some clients only read on where the status is 200
    return 413 if _is_too_large(error) else next(status for kind, status in _STATUSES if isinstance(error, kind))


def _is_too_large(error: GatewayError) -> bool:
    return isinstance(error, LimitExceeded) and error.limit == "REQUEST_TOO_LARGE"


def _form_of_refusal(accept: str | None) -> Form:
    try:
        return choose_form(accept)
    except NotAcceptable:  # it is told so in JSON: there is no other way
        return Form.JSON


def respond(answer: Mapping[str, object], status: int, form: Form = Form.JSON) -> Response:
    """Answer JSON, with the headers that go with the status."""
    return Response(encode(answer), status, _HEADERS.get(status), form.content_type)
