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
from gateway.server.load import Load

JSON_TYPE: Final = "application/json; charset=utf-8"

Endpoint = Callable[[Request], Awaitable[Response]]


class UnsupportedMediaType(InvalidInput):
    """The body is not in a media type that is taken."""


class BodyTooSlow(InvalidInput):
    """The body did not arrive in time."""


# The first that an error is an instance of says the status (RFC 9110, 15).
_STATUSES: Final[tuple[tuple[type[GatewayError], int], ...]] = (
    (NotAuthenticated, 401),
    (NotPermitted, 403),
    (Overloaded, 503),
    (LimitExceeded, 413),
    (BodyTooSlow, 408),
    (UnsupportedMediaType, 415),
    (UpstreamTimeout, 504),
    (UpstreamError, 502),
    (GatewayError, 400),
)
_HEADERS: Final[Mapping[int, Mapping[str, str]]] = {
    401: {"www-authenticate": "Bearer"},
    408: {"connection": "close"},
    503: {"retry-after": "1"},
}


async def guarded(request_id: str, answer: Callable[[], Awaitable[Response]]) -> Response:
    """Answer a request, or say in JSON why not."""
    try:
        return await answer()
    except GatewayError as error:
        return _refuse(error, request_id)
    except ClientDisconnect:
        return Response(status_code=400)  # nobody is left to read it
    except Exception as error:  # noqa: BLE001  (a bug of ours is told as one, too)
        return respond({"errors": [mask(error, request_id)]}, 500)


def bounded(load: Load, answer: Endpoint) -> Endpoint:
    """Give the endpoint that answers as `answer` does where there is room for another request, and refuses it at once where not."""

    async def answer_if_room(request: Request) -> Response:
        try:
            with load.taken():
                return await answer(request)
        except Overloaded as error:
            return _refuse(error, secrets.token_hex(8))

    return answer_if_room


def _refuse(error: GatewayError, request_id: str) -> Response:
    status = next(status for kind, status in _STATUSES if isinstance(error, kind))
    return respond(show_refusal(error, request_id), status)


def respond(answer: Mapping[str, object], status: int) -> Response:
    """Answer JSON, with the headers that go with the status."""
    return Response(encode(answer), status, _HEADERS.get(status), JSON_TYPE)
