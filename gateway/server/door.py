"""The door of every endpoint: what goes wrong behind it becomes JSON with a code and a status; nobody gets a traceback."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from starlette.requests import ClientDisconnect
from starlette.responses import Response

from gateway.errors import GatewayError, InvalidInput, LimitExceeded, NotAuthenticated, NotPermitted, UpstreamError, UpstreamTimeout
from gateway.execution import mask
from gateway.server.answer import encode, show_refusal

JSON_TYPE: Final = "application/json; charset=utf-8"


class UnsupportedMediaType(InvalidInput):
    """The body is not in a media type that is taken."""


# The first that an error is an instance of says the status (RFC 9110, 15).
_STATUSES: Final[tuple[tuple[type[GatewayError], int], ...]] = (
    (NotAuthenticated, 401),
    (NotPermitted, 403),
    (LimitExceeded, 413),
    (UnsupportedMediaType, 415),
    (UpstreamTimeout, 504),
    (UpstreamError, 502),
    (GatewayError, 400),
)


async def guarded(request_id: str, answer: Callable[[], Awaitable[Response]]) -> Response:
    """Answer a request, or say in JSON why not."""
    try:
        return await answer()
    except GatewayError as error:
        status = next(status for kind, status in _STATUSES if isinstance(error, kind))
        return respond(show_refusal(error, request_id), status)
    except ClientDisconnect:
        return Response(status_code=400)  # nobody is left to read it
    except Exception as error:  # noqa: BLE001  (a bug of ours is told as one, too)
        return respond({"errors": [mask(error, request_id)]}, 500)


def respond(answer: Mapping[str, object], status: int) -> Response:
    """Answer JSON; who must sign in is told how."""
    headers = {"www-authenticate": "Bearer"} if status == 401 else {}  # noqa: PLR2004  (HTTP's own number)
    return Response(encode(answer), status, headers, JSON_TYPE)
