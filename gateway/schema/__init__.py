"""The graph: one Strawberry schema over whatever sources are configured."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

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
from gateway.schema.federation import ANY, Federation, subgraph_query
from gateway.schema.mutation import Mutation
from gateway.schema.naming import Names
from gateway.schema.query import Query
from gateway.schema.scalars import SCALARS
from gateway.schema.source import Source
from gateway.schema.subgraph import print_subgraph


class _Graph(strawberry.Schema):
    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Log nothing: what is an error of ours is known, and logged, where errors are shown."""


@cache
def build_schema(federation: Federation | None = None) -> strawberry.Schema:
    """Build the graph, once; it is the same whatever is configured, but for `federation`, which makes it a subgraph."""
    if federation is None:
        return _build(Query, Names())
    return _build(subgraph_query(print_schema(federation)), Names(federation.prefix))


def _build(query: type[Query], names: Names) -> strawberry.Schema:
    scalars = {known: replace(scalar, name=names.prefixed(scalar.name)) for known, scalar in (SCALARS | ANY).items()}
    return _Graph(
        query=query,
        mutation=Mutation,
        types=[Customer, Order, Invoice, InvoiceSettings, Source],
        config=StrawberryConfig(default_resolver=read_field, scalar_map=scalars, disable_field_suggestions=True, name_converter=names),
    )


def print_schema(federation: Federation | None = None) -> str:
    """Print the SDL, ending in a line feed; with `federation` as those who compose supergraphs read it."""
    if federation is None:
        return build_schema().as_str().rstrip() + "\n"
    return print_subgraph(_build(Query, Names(federation.prefix)))


__all__ = [
    "Context",
    "CostModel",
    "Explainer",
    "Federation",
    "InvalidDocument",
    "Weighed",
    "Writes",
    "build_schema",
    "print_schema",
]
