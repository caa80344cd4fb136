"""What one emulated system hands to the sandbox: its routes, its switches, its data and how to point a gateway at it.

An emulator is an upstream. It follows the vendor's published pages, shares no code with the gateway's sources, and is never
bent to make one of them pass.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import msgspec
from starlette.responses import Response

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, MutableMapping, Sequence

    from starlette.requests import Request
    from starlette.routing import Route

_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")


@dataclass(frozen=True, slots=True)
class Emulator:
    """One system, ready to be mounted below `/<name>` by the sandbox."""

    name: str
    """Path prefix, and the name that the control endpoint knows it by."""
    routes: Sequence[Route]
    """Each route's `name` is the operation that calls are counted and faults are matched by, e.g. `GetOrderById`."""
    switches: MutableMapping[str, Any]
    """Dialects and quirks that can be turned while it runs; read at each request. `reset` brings the first values back."""
    reset: Callable[[], None]
    """Bring data, tokens and switches back to what the seed gave."""
    config_key: str
    """The key that the demo uses for this source, e.g. `pos`."""
    config: Mapping[str, Any]
    """The `[sources.<config_key>]` table of a gateway pointed here, without `base_url`.

    A value may hold the text `{base_url}`; the sandbox puts in the address that the emulator is mounted at.
    """


def json_response(
    value: object, status: int = 200, headers: Mapping[str, str] | None = None, media_type: str = "application/json; charset=utf-8"
) -> Response:
    """Answer JSON; a `Decimal` is written as a number with the scale it has, so amounts need no float."""
    return Response(_ENCODER.encode(value), status, dict(headers or {}), media_type)


async def read_json(request: Request) -> Any:  # noqa: ANN401  (any JSON value)
    """Read a JSON body with decimals kept as `Decimal`; raises `ValueError` when it is not JSON."""
    return json.loads(await request.body(), parse_float=Decimal)
