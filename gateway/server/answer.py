"""The bytes of an answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from gateway.errors import GatewayError

_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")


def encode(answer: Mapping[str, object]) -> bytes:
    """Write an answer as JSON; the decimals in it are those inside raw JSON, and stay numbers with their scale."""
    return _ENCODER.encode(answer)


def show_refusal(error: GatewayError, request_id: str) -> dict[str, object]:
    """Show the answer to a request that was refused before it reached the graph."""
    return {"errors": [{"message": error.message, "extensions": {**error.extensions, "requestId": request_id}}]}
