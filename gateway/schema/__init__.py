"""The graph: one Strawberry schema over whatever sources are configured."""

from __future__ import annotations

import strawberry
from graphql import GraphQLError
from strawberry.schema.config import StrawberryConfig
from strawberry.types import ExecutionContext

import gateway.schema.enums  # noqa: F401  (makes the model's enums the graph's)
from gateway.mutations import Writes
from gateway.schema.completion import read_field
from gateway.schema.context import Context
from gateway.schema.cost import CostModel, Weighed
from gateway.schema.entities import Customer, Invoice, InvoiceSettings, Order
from gateway.schema.explain import Explainer, InvalidDocument
from gateway.schema.mutation import Mutation
from gateway.schema.query import Query
from gateway.schema.scalars import SCALARS
from gateway.schema.source import Source


class _Graph(strawberry.Schema):
    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Log nothing: what is an error of ours is known, and logged, where errors are shown."""


def build_schema() -> strawberry.Schema:
    """Build the graph; it is the same whatever is configured."""
    return _Graph(
        query=Query,
        mutation=Mutation,
        types=[Customer, Order, Invoice, InvoiceSettings, Source],
        config=StrawberryConfig(default_resolver=read_field, scalar_map=SCALARS, disable_field_suggestions=True),
    )


def print_schema() -> str:
    """Print the SDL, ending in a line feed."""
    return build_schema().as_str().rstrip() + "\n"


__all__ = ["Context", "CostModel", "Explainer", "InvalidDocument", "Weighed", "Writes", "build_schema", "print_schema"]
