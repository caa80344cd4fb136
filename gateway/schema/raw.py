"""A source's own JSON, made fit to be shown: without personal identity numbers, and with nothing that no answer can carry."""

from __future__ import annotations

import json
from collections.abc import Set as AbstractSet
from decimal import Decimal, InvalidOperation
from typing import Any, Final

_MAX_EXPONENT: Final = 30


def show_raw(raw: bytes, personal_fields: AbstractSet[str]) -> Any:  # noqa: ANN401  (any JSON value)
    """Read the JSON with its numbers exact. A number beyond reason is shown as its text, what is no text is replaced."""
    names = frozenset(name.casefold() for name in personal_fields)  # some servers spell theirs in camel case
    return _without(json.loads(raw.decode(errors="replace"), parse_float=_number, parse_int=_number), names)


def _number(text: str) -> Decimal | str:
    try:
        value = Decimal(text)
    except InvalidOperation:  # an exponent that has itself too many digits
        return text
    return value if abs(value.adjusted()) <= _MAX_EXPONENT else text


def _without(tree: Any, names: AbstractSet[str]) -> Any:  # noqa: ANN401  (any JSON value)
    match tree:
        case dict():
            return {_text(name): _without(value, names) for name, value in tree.items() if name.casefold() not in names}
        case list():
            return [_without(item, names) for item in tree]
        case str():
            return _text(tree)
        case _:
            return tree


def _text(value: str) -> str:
    return value if value.isascii() else value.encode(errors="replace").decode()  # half a surrogate pair is no text
