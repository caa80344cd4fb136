"""How errors of an execution are shown to the caller: told or masked here and nowhere else."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Sequence
from typing import Final

from graphql import GraphQLError

from gateway.errors import GatewayError

_LOG: Final = logging.getLogger("gateway")
INTERNAL: Final = "INTERNAL"


def show_errors(errors: Sequence[GraphQLError], request_id: str) -> list[dict[str, object]]:
    """Show errors to the caller: ours with their code, those about the document as they are, all others masked and logged."""
    return [_show(error, request_id) for error in errors]


def let_go(errors: Sequence[GraphQLError]) -> None:
    """Take from errors that were shown the frames they were raised in: these hold all that the request had loaded, and the errors."""
    held: list[BaseException | None] = list(errors)
    while held:
        error = held.pop()
        if error is not None:
            error.__traceback__ = None
            held += [error.__context__, error.original_error if isinstance(error, GraphQLError) else None]


def _show(error: GraphQLError, request_id: str) -> dict[str, object]:
    message, extensions = _told(error, request_id)
    shown: dict[str, object] = {"message": message}
    if error.locations:
        shown["locations"] = [{"line": place.line, "column": place.column} for place in error.locations]
    if error.path:
        shown["path"] = list(error.path)
    shown["extensions"] = {**extensions, "requestId": request_id}
    return shown


def _told(error: GraphQLError, request_id: str) -> tuple[str, dict[str, object]]:
    cause = error.original_error
    if isinstance(cause, GatewayError):
        return cause.message, cause.extensions
    if cause is None or isinstance(cause, GraphQLError):
        return error.message, {"code": "BAD_USER_INPUT" if error.path else "GRAPHQL_VALIDATION_FAILED"}
    return _masked(cause, request_id), {"code": INTERNAL}


def mask(error: Exception, request_id: str) -> dict[str, object]:
    """Log an error that nobody foresaw, and give what the caller is told of it."""
    return {"message": _masked(error, request_id), "extensions": {"code": INTERNAL, "requestId": request_id}}


def _masked(error: Exception, request_id: str) -> str:
    # The text of an exception may hold anything: a key, a name, a number. Where it was raised is enough to find it.
    place = "".join(traceback.format_tb(error.__traceback__)).rstrip()
    _LOG.error("request %s: %s\n%s", request_id, type(error).__name__, place)
    return f"an internal error; say request {request_id} when you report it"
