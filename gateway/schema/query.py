"""The root of reads."""

from __future__ import annotations

from typing import Any

import strawberry

from gateway import loaders
from gateway.errors import LimitExceeded
from gateway.model import Kind, Permission
from gateway.schema.attempts import AttemptFilter, MutationAttempt, MutationAttemptConnection, attempt_of_key, attempts_page
from gateway.schema.completion import complete, wanted
from gateway.schema.connections import (
    CustomerConnection,
    CustomerFilter,
    InvoiceConnection,
    InvoiceFilter,
    InvoiceOrder,
    OrderConnection,
    OrderFilter,
    list_page,
)
from gateway.schema.context import Info
from gateway.schema.entities import Customer, Invoice, Order
from gateway.schema.inputs import Lookup, or_none
from gateway.schema.nodes import RECORD_TYPES, load_node, load_nodes
from gateway.schema.paging import DEFAULT_FIRST
from gateway.schema.source import Node, Source, SourceView
from gateway.schema.system import NOT_GIVEN
from gateway.schema.systems import SourceSystem


async def node(info: Info, id: strawberry.ID) -> Any:  # noqa: A002, ANN401  (the argument's name is the contract's)
    """Load one object."""
    info.context.demand(Permission.READ)
    return await load_node(info, id)


async def nodes(info: Info, ids: list[strawberry.ID]) -> Any:  # noqa: ANN401  (here and below: the annotation of the field is its type)
    """Load many; the failure of one is an error at its place in the list."""
    context = info.context
    context.demand(Permission.READ)
    if len(ids) > context.max_nodes:
        raise LimitExceeded("NODES_LIMIT", f"ids: {len(ids)} are asked for, {context.max_nodes} is the most")
    # An error as a value is raised at its place in the list, and takes no other object away.
    return await load_nodes(info, ids)


async def _find(info: Info, by: Lookup, kind: Kind) -> Any:  # noqa: ANN401
    info.context.demand(Permission.READ)
    fields = wanted(info, RECORD_TYPES[kind])
    return await complete(info, await loaders.find_record(info.context.loaders, by.plain(), kind, fields))


async def customer(info: Info, by: Lookup) -> Any:  # noqa: ANN401
    """Find a customer."""
    return await _find(info, by, Kind.CUSTOMER)


async def order(info: Info, by: Lookup) -> Any:  # noqa: ANN401
    """Find an order."""
    return await _find(info, by, Kind.ORDER)


async def invoice(info: Info, by: Lookup) -> Any:  # noqa: ANN401
    """Find an invoice."""
    return await _find(info, by, Kind.INVOICE)


async def customers(
    info: Info,
    filter: CustomerFilter | None = NOT_GIVEN,  # noqa: A002  (the argument's name is the contract's; so below)
    first: int = DEFAULT_FIRST,
    after: str | None = NOT_GIVEN,
) -> Any:  # noqa: ANN401
    """List customers."""
    info.context.demand(Permission.READ)
    return await list_page(info, Kind.CUSTOMER, filter, first, after)


async def orders(
    info: Info,
    filter: OrderFilter | None = NOT_GIVEN,  # noqa: A002
    first: int = DEFAULT_FIRST,
    after: str | None = NOT_GIVEN,
) -> Any:  # noqa: ANN401
    """List orders."""
    info.context.demand(Permission.READ)
    return await list_page(info, Kind.ORDER, filter, first, after)


async def invoices(
    info: Info,
    filter: InvoiceFilter | None = NOT_GIVEN,  # noqa: A002
    order_by: InvoiceOrder = InvoiceOrder.SOURCE,
    first: int = DEFAULT_FIRST,
    after: str | None = NOT_GIVEN,
) -> Any:  # noqa: ANN401
    """List invoices."""
    info.context.demand(Permission.READ)
    return await list_page(info, Kind.INVOICE, filter, first, after, order_by)


def sources(info: Info, system: SourceSystem | None = NOT_GIVEN) -> Any:  # noqa: ANN401
    """Show the sources that the caller may see."""
    views = [SourceView(source) for source in info.context.loaders.sources]
    return [view for view in views if not system or view.system is system]


def source(info: Info, key: str) -> Any:  # noqa: ANN401
    """Show one source."""
    found = info.context.loaders.sources.get(key)
    return None if found is None else SourceView(found)


async def attempt(info: Info, idempotency_key: str) -> Any:  # noqa: ANN401
    """Tell what became of an earlier mutation."""
    return await attempt_of_key(info.context, idempotency_key)


async def attempts(
    info: Info,
    filter: AttemptFilter | None = NOT_GIVEN,  # noqa: A002
    first: int = DEFAULT_FIRST,
    after: str | None = NOT_GIVEN,
) -> Any:  # noqa: ANN401
    """List the trail of writes."""
    return await attempts_page(info, or_none(filter), first, or_none(after))


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
    customers: CustomerConnection | None = strawberry.field(
        resolver=customers,
        description=(
            "Pages over one or more sources, asked at the same time. With SOURCE order they follow one another in `sources` order, each in "
            "its own order. A cursor holds for other `first` values; with another filter or an older format: INVALID_CURSOR."
        ),
    )
    orders: OrderConnection | None = strawberry.field(resolver=orders)
    invoices: InvoiceConnection | None = strawberry.field(resolver=invoices)
    sources: list[Source] = strawberry.field(resolver=sources, description="The configured sources and what each can do. Calls no source.")
    source: Source | None = strawberry.field(resolver=source)
    attempt: MutationAttempt | None = strawberry.field(
        resolver=attempt,
        description="What became of an earlier mutation: settles an UNKNOWN outcome without sending anything again.",
    )
    attempts: MutationAttemptConnection | None = strawberry.field(
        resolver=attempts,
        description="The trail of writes: own attempts; everybody's with the `audit` permission. Newest first.",
    )
    caller: CallerType = strawberry.field(resolver=caller, description="Who the gateway takes you for.")
