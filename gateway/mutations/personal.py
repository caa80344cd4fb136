"""Personal identity numbers that a caller sends: they go to the source, and are neither kept nor shown again."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import replace

from gateway.sources.base import Prepared


def without_personal(prepared: Prepared, names: AbstractSet[str]) -> Prepared:
    """Give a write without the fields of these names in its body, for the journal and for those who ask what was sent."""
    folded = frozenset(name.casefold() for name in names)
    return replace(prepared, request=replace(prepared.request, json=_without(prepared.request.json, folded)))


def _without(value: object, names: AbstractSet[str]) -> object:
    if isinstance(value, dict):
        return {name: _without(item, names) for name, item in value.items() if str(name).casefold() not in names}
    return [_without(item, names) for item in value] if isinstance(value, list | tuple) else value
