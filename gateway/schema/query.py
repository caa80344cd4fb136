"""The root of reads."""

from __future__ import annotations

import asyncio
from typing import Any

import strawberry

from gateway import loaders
from gateway.errors import GatewayError, InvalidInput, LimitExceeded
from gateway.model import Kind, Permission
from gateway.schema.completion import complete
from gateway.schema.context import Context, Info
from gateway.schema.entities import Customer, Invoice, Order
from gateway.schema.inputs import Lookup
from gateway.schema.source import Node, Source, SourceView
from gateway.schema.systems import SourceSystem


async def load_node(context: Context, global_id: str) -> Any:  # noqa: ANN401  (a record, a source, or None)
    """Load whatever an id stands for; None when there is none, or none for this caller."""
    ref = loaders.to_ref(context.loaders, global_id)
    if ref is None:
        return None
    if ref.kind is Kind.SOURCE:
        source = context.loaders.sources.get(ref.source)
        return None if source is None else SourceView(source)
    if ref.kind is Kind.CURRENCY:
        raise InvalidInput("id: this is no id of this gateway")
    return await context.loaders.load_record(ref)


async def node(info: Info, id: strawberry.ID) -> Any:  # noqa: A002, ANN401  (the argument's name is the contract's)
    """Load one object."""
    info.context.demand(Permission.READ)
    return await load_node(info.context, id)


async def nodes(info: Info, ids: list[strawberry.ID]) -> Any:  # noqa: ANN401  (here and below: the annotation of the field is its type)
    """Load many; the failure of one is an error at its place in the list."""
    context = info.context
    context.demand(Permission.READ)
    if len(ids) > context.max_nodes:
        raise LimitExceeded("NODES_LIMIT", f"ids: {len(ids)} are asked for, {context.max_nodes} is the most")
    return await asyncio.gather(*(_value(context, global_id) for global_id in ids))


async def _value(context: Context, global_id: str) -> object:
    try:
        return await load_node(context, global_id)
    except GatewayError as error:
        return error


async def _find(info: Info, by: Lookup, kind: Kind) -> Any:  # noqa: ANN401
    info.context.demand(Permission.READ)
    return await complete(info, await loaders.find_record(info.context.loaders, by.plain(), kind))


async def customer(info: Info, by: Lookup) -> Any:  # noqa: ANN401
    """Find a customer."""
    return await _find(info, by, Kind.CUSTOMER)


async def order(info: Info, by: Lookup) -> Any:  # noqa: ANN401
    """Find an order."""
    return await _find(info, by, Kind.ORDER)


async def invoice(info: Info, by: Lookup) -> Any:  # noqa: ANN401
    """Find an invoice."""
    return await _find(info, by, Kind.INVOICE)


def sources(info: Info, system: SourceSystem | None = None) -> Any:  # noqa: ANN401
    """Show the sources that the caller may see."""
    views = [SourceView(source) for source in info.context.loaders.sources]
    return [view for view in views if system is None or view.system is system]


def source(info: Info, key: str) -> Any:  # noqa: ANN401
    """Show one source."""
    found = info.context.loaders.sources.get(key)
    return None if found is None else SourceView(found)


@strawberry.type(name="Caller")
class CallerType:
    """Who the gateway takes the caller for."""

    name: str
    permissions: list[str]
    sources: list[str]


def caller(info: Info) -> CallerType:
    """Say who asks."""
    known = info.context.caller
    return CallerType(name=known.name, permissions=sorted(known.permissions), sources=list(info.context.loaders.sources.keys))


@strawberry.type
class Query:
    """The root of reads."""

    node: Node | None = strawberry.field(
        resolver=node,
        description=(
            "Any object by its global id. Null alone: the source says that there is no such object. Where a source cannot prove "
            "absence: null and the error ABSENCE_UNPROVEN."
        ),
    )
    nodes: list[Node | None] = strawberry.field(
        resolver=nodes,
        description="Many at once, in the order asked, null where missing. The way to read a hundred invoices in one request.",
    )
    customer: Customer | None = strawberry.field(resolver=customer)
    order: Order | None = strawberry.field(resolver=order)
    invoice: Invoice | None = strawberry.field(resolver=invoice)
    sources: list[Source] = strawberry.field(resolver=sources, description="The configured sources and what each can do. Calls no source.")
    source: Source | None = strawberry.field(resolver=source)
    caller: CallerType = strawberry.field(resolver=caller, description="Who the gateway takes you for.")
