"""What Services read from a query string, and how they fail.

Names are matched letter by letter. Only 200 and 500 are listed on the pages of these operations, so a parameter that is missing or cannot
be read is a 500.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from starlette.routing import Route

from gateway.sandbox.norce.answers import answer
from gateway.sandbox.norce.fields import to_instant
from gateway.sandbox.norce.query import names_application

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, MutableMapping
    from datetime import datetime

    from starlette.requests import Request
    from starlette.responses import Response

    from gateway.sandbox.norce.identity import Identity

    Endpoint = Callable[[Request], Awaitable[Response]]


class ServiceError(Exception):
    """The request cannot be answered: 500, the only failure that these pages list."""


class ServiceRoutes:
    """Makes the routes of an operation: one below each prefix, for callers who are signed in."""

    def __init__(self, identity: Identity, switches: MutableMapping[str, Any]) -> None:
        self._identity: Final = identity
        self._switches: Final = switches

    def make(self, prefixes: tuple[str, ...], endpoints: Mapping[str, Endpoint], method: str) -> list[Route]:
        """Give a route for each prefix and operation."""
        return [
            Route(f"{prefix}/{operation}", self._guarded(endpoint), methods=[method], name=operation)
            for prefix in prefixes
            for operation, endpoint in endpoints.items()
        ]

    def _guarded(self, endpoint: Endpoint) -> Endpoint:
        async def checked(request: Request) -> Response:
            try:
                self._check_application(request)
                return await endpoint(request)
            except ServiceError as error:
                return answer(request, {"Message": str(error)}, "Error", 500)

        return self._identity.signed_in(checked)

    def _check_application(self, request: Request) -> None:
        if self._switches["services_need_application_id"] and not names_application(request):
            raise ServiceError("The header application-id is missing.")


def read_text(request: Request, name: str) -> str:
    """Read a text; an empty one is missing."""
    value = request.query_params.get(name)
    if not value:
        raise ServiceError(f"The parameter {name} is missing.")
    return value


def read_whole(request: Request, name: str) -> int:
    """Read a whole number."""
    value = read_text(request, name)
    if not re.fullmatch(r"-?[0-9]{1,10}", value):
        raise ServiceError(f"The parameter {name} is not a whole number.")
    return int(value)


def read_whole_or_none(request: Request, name: str) -> int | None:
    """Read a whole number; None when it is not given."""
    return read_whole(request, name) if request.query_params.get(name) else None


def read_flag(request: Request, name: str, *, default: bool) -> bool:
    """Read true or false."""
    value = request.query_params.get(name, "").lower()
    if value not in {"", "true", "false"}:
        raise ServiceError(f"The parameter {name} is not true or false.")
    return value == "true" if value else default


def read_moment_or_none(request: Request, name: str) -> datetime | None:
    """Read a date-time, without a zone in UTC; None when it is not given."""
    value = request.query_params.get(name)
    try:
        return to_instant(value) if value else None
    except ValueError as error:
        raise ServiceError(f"The parameter {name} is not a date-time.") from error
