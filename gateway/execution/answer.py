"""Objects of an answer. Those that have the same keys are of one type: made, kept and written in a fraction of what dicts take."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, TypeAlias

import msgspec

AnswerObject: TypeAlias = msgspec.Struct
"""Its attributes are named by the place of a field, as a key may be a word that Python keeps for itself."""


def attribute_at(place: int) -> str:
    """Name the attribute that holds the value of the field at a place."""
    return f"f{place}"


@lru_cache(maxsize=1024)
def answer_type(keys: Sequence[str]) -> Callable[..., AnswerObject]:
    """Give the type of objects that are written with these keys, in their order."""
    attributes = [attribute_at(place) for place in range(len(keys))]
    return msgspec.defstruct(
        "AnswerObject", [(name, Any) for name in attributes], rename=dict(zip(attributes, keys, strict=True)), gc=False
    )
