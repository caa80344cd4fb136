"""Whether an answer is the right one. Two ways to write the same decimal or the same instant are equal; nothing else is forgiven."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any


class WrongAnswer(Exception):
    """An answer is not the right one; the message says where."""


def check(body: bytes, expected: Any) -> None:  # noqa: ANN401  (any JSON)
    """Compare an answer with the data that it must have. Raises `WrongAnswer`."""
    try:
        answer = json.loads(body)
    except ValueError:
        raise WrongAnswer(f"no JSON: {body[:200]!r}") from None
    if not isinstance(answer, dict) or answer.get("errors"):
        raise WrongAnswer(f"errors: {body[:400]!r}")
    _compare(answer.get("data"), expected, "data")


def _compare(found: Any, expected: Any, path: str) -> None:  # noqa: ANN401  (any JSON)
    if isinstance(expected, dict) and isinstance(found, dict):
        if list(found) != list(expected):
            raise WrongAnswer(f"{path}: fields {list(found)} instead of {list(expected)}")
        for name, value in expected.items():
            _compare(found[name], value, f"{path}.{name}")
    elif isinstance(expected, list) and isinstance(found, list):
        if len(found) != len(expected):
            raise WrongAnswer(f"{path}: {len(found)} rows instead of {len(expected)}")
        for index, pair in enumerate(zip(found, expected, strict=True)):
            _compare(*pair, f"{path}.{index}")
    elif not _is_same(found, expected):
        raise WrongAnswer(f"{path}: {found!r} instead of {expected!r}")


def _is_same(found: object, expected: object) -> bool:
    if found == expected:
        return True
    if not isinstance(expected, str) or not isinstance(found, str | int | float):
        return False
    return _same_instant(str(found), expected) or _same_decimal(str(found), expected)


def _same_decimal(found: str, expected: str) -> bool:
    try:
        return Decimal(found) == Decimal(expected)
    except InvalidOperation:
        return False


def _same_instant(found: str, expected: str) -> bool:
    try:
        return datetime.fromisoformat(found) == datetime.fromisoformat(expected)
    except (ValueError, TypeError):
        return False
