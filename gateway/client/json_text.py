"""JSON in and out, with each number as it was written: `1.50` stays `1.50`."""

from __future__ import annotations

import json
from typing import Any

import msgspec


def read(content: bytes | str) -> Any:  # noqa: ANN401  (any JSON)
    """Read JSON; numbers with a point or an exponent keep their text. Raises `ValueError`."""
    return json.loads(content, parse_float=_keep, parse_int=_keep, parse_constant=_refuse)


def _keep(text: str) -> msgspec.Raw | int:
    plain = text.isascii() and text.lstrip("-").isdigit() and len(text) < 19  # noqa: PLR2004  (digits that an int of 64 bits has)
    return int(text) if plain and text != "-0" else msgspec.Raw(text.encode())


def _refuse(text: str) -> None:
    raise ValueError(f"{text} is no JSON")


def compact(value: object) -> str:
    """Write JSON in one line."""
    return msgspec.json.encode(value).decode()


def indented(value: object) -> str:
    """Write JSON for people."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()


def cell(value: object) -> str:
    """Write a value as the text of one cell: nothing for null, texts as they are, lists and objects as JSON."""
    match value:
        case None:
            return ""
        case str():
            return value
        case _:
            return compact(value)
