"""The graph as a subgraph of an Apollo Federation: `_service`, and `_entities`, which is `nodes` by the keys that other subgraphs have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, NewType, TypeAlias

import strawberry
from strawberry.types.scalar import ScalarDefinition

from gateway import loaders
from gateway.errors import GatewayError, LimitExceeded
from gateway.model import Permission, Ref
from gateway.schema.context import Info
from gateway.schema.entities import Customer, Invoice, Order
from gateway.schema.nodes import load_found
from gateway.schema.query import Query
from gateway.schema.representations import to_kind_and_id

Representation = NewType("Representation", object)
Entity: TypeAlias = Annotated[Customer | Order | Invoice, strawberry.union("_Entity")]
ANY: Final[dict[object, ScalarDefinition]] = {
    Representation: strawberry.scalar(name="_Any", serialize=lambda value: value, parse_value=lambda value: value),
}


@dataclass(frozen=True, slots=True)
class Federation:
    """How the graph is part of a supergraph; `prefix` begins the names of its types, but for the roots."""

    prefix: str = ""


@strawberry.type(name="_Service")
class Service:
    """What composes a supergraph asks for."""

    sdl: str


async def entities(info: Info, representations: list[Representation]) -> Any:  # noqa: ANN401  (the annotation of the field is its type)
    """Load many; the failure of one is an error at its place in the list, as of `nodes`."""
    context = info.context
    context.demand(Permission.READ)
    if len(representations) > context.max_nodes:
        message = f"representations: {len(representations)} are asked for, {context.max_nodes} is the most"
        raise LimitExceeded("NODES_LIMIT", message)
    return await load_found(info, _begin(info, representations))


def _begin(info: Info, representations: Sequence[object]) -> list[Ref | GatewayError | None]:
    """Say what each representation stands for, or why it stands for nothing."""
    schema = info._raw_info.schema  # noqa: SLF001  (Strawberry offers no other way to the types)
    found: list[Ref | GatewayError | None] = []
    for representation in representations:
        try:
            kind, global_id = to_kind_and_id(schema, representation)
            found.append(loaders.to_ref(info.context.loaders, global_id, kind))
        except GatewayError as error:
            found.append(error)
    return found


def subgraph_query(sdl: str) -> type[Query]:
    """Make the root of reads of a subgraph."""

    @strawberry.type(name="Query")
    class Subgraph(Query):
        entities: list[Entity | None] = strawberry.field(name="_entities", resolver=entities)
        service: Service = strawberry.field(name="_service", resolver=lambda: Service(sdl=sdl))

    return Subgraph
