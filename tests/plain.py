"""The data of an answer as JSON has it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec


def plain(data: object) -> Any:  # noqa: ANN401  (any JSON value)
    """Give it in dicts and lists, with numbers and what is JSON already as they are."""
    return msgspec.to_builtins(data, builtin_types=(Decimal, msgspec.Raw))
