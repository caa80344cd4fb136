"""From a result of the graph to the bytes of an answer; errors are told or masked here and nowhere else."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import msgspec
from graphql import GraphQLError

from gateway.errors import GatewayError

_LOG: Final = logging.getLogger("gateway")
_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")
INTERNAL: Final = "INTERNAL"


def encode(answer: Mapping[str, object]) -> bytes:
    """Write an answer as JSON; decimals inside raw JSON stay numbers with their scale, in plain notation."""
    return _ENCODER.encode(_plain(answer))


def _plain(value: Any) -> Any:  # noqa: ANN401  (any JSON value)
    if isinstance(value, Decimal):
        return Decimal(format(value, "f"))
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def show_errors(errors: Sequence[GraphQLError], request_id: str) -> list[dict[str, object]]:
    """Show errors to the caller: ours with their code, those about the document as they are, all others masked and logged."""
    return [_show(error, request_id) for error in errors]


def _show(error: GraphQLError, request_id: str) -> dict[str, object]:
    shown: dict[str, object] = {"message": error.message}
    if error.locations:
        shown["locations"] = [{"line": place.line, "column": place.column} for place in error.locations]
    if error.path:
        shown["path"] = list(error.path)
    cause = error.original_error
    if isinstance(cause, GatewayError):
        shown["message"] = cause.message
        extensions = cause.extensions
    elif cause is None or isinstance(cause, GraphQLError):
        extensions = {"code": "BAD_USER_INPUT" if error.path else "GRAPHQL_VALIDATION_FAILED"}
    else:
        _LOG.error("request %s: %s", request_id, type(cause).__name__, exc_info=cause)
        shown["message"] = f"an internal error; say request {request_id} when you report it"
        extensions = {"code": INTERNAL}
    shown["extensions"] = {**extensions, "requestId": request_id}
    return shown


def show_refusal(error: GatewayError, request_id: str) -> dict[str, object]:
    """Show the answer to a request that was refused before it reached the graph."""
    return {"errors": [{"message": error.message, "extensions": {**error.extensions, "requestId": request_id}}]}
