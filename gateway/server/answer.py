"""The bytes of an answer."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

import msgspec

from gateway.errors import GatewayError

_ENCODER: Final = msgspec.json.Encoder()


def encode(answer: Mapping[str, object]) -> bytes:
    """Write an answer as JSON; decimals inside raw JSON stay numbers with their scale, in plain notation."""
    return _ENCODER.encode(_plain(answer))


def _plain(value: Any) -> Any:  # noqa: ANN401  (any JSON value)
    if isinstance(value, Decimal):
        return msgspec.Raw(format(value, "f").encode())
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def show_refusal(error: GatewayError, request_id: str) -> dict[str, object]:
    """Show the answer to a request that was refused before it reached the graph."""
    return {"errors": [{"message": error.message, "extensions": {**error.extensions, "requestId": request_id}}]}
