"""The seam between the graph and what one system adds to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

import strawberry

from gateway import model


@dataclass(frozen=True, slots=True)
class System:
    """One system: its enum member, the type of its invoice details, and the input that only it takes."""

    name: str
    details: type[Any]
    input_name: str | None = None
    """Field of `CreateInvoiceInput` that takes the input."""
    input: type[Any] | None = None


def _detail(name: str) -> Any:  # noqa: ANN401  (a resolver)
    def read(root: strawberry.Parent[model.Details]) -> Any:  # noqa: ANN401  (the field's type speaks)
        return root.fields.get(name)

    return read


def detail(name: str, description: str | None = None) -> Any:  # noqa: ANN401  (as strawberry.field says)
    """Make a field that is read from `Details.fields`."""
    return strawberry.field(resolver=_detail(name), description=description)


def given(value: Any) -> Mapping[str, object]:  # noqa: ANN401  (any input type)
    """Give the fields of an input that the caller gave, nested inputs as mappings too."""
    result: dict[str, object] = {}
    for field in fields(value):
        item = getattr(value, field.name)
        if item is not strawberry.UNSET:
            result[field.name] = given(item) if hasattr(item, "__strawberry_definition__") else item
    return result


NOT_GIVEN: Final[Any] = strawberry.UNSET
"""Default of an optional input field: left out is not the same as null."""
