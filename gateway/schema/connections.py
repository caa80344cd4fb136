"""Lists in the graph: Relay connections over several sources, each with how it did."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from datetime import date, datetime
from enum import Enum
from typing import Any, Final

import strawberry

from gateway import loaders, model
from gateway.errors import InvalidInput
from gateway.loaders import Lister, MergedLister, Page
from gateway.model import Criteria, Kind, Ref
from gateway.schema.bulk import Column, bulk_field
from gateway.schema.completion import complete_each, complete_lists
from gateway.schema.context import Info
from gateway.schema.entities import Customer, Invoice, Order
from gateway.schema.inputs import Lookup, or_none
from gateway.schema.paging import check_first, looks_ahead
from gateway.schema.source import Source, SourceView
from gateway.schema.system import NOT_GIVEN


@strawberry.type
class PageInfo:
    """Where a page stands."""

    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


def _source(root: strawberry.Parent[loaders.SourceResult]) -> Any:  # noqa: ANN401  (here and below: the annotation of the field is its type)
    return SourceView(root.source)


@strawberry.type(
    description=(
        "One for every source asked, on every page: a source that is down must not look like an empty answer. A row that cannot be "
        "read is left out, and its source is PARTIAL with the code."
    )
)
class SourceResult:
    """See the description."""

    source: Source = strawberry.field(resolver=_source)
    status: model.SourceResultStatus
    code: str | None = strawberry.field(description="As in `errors[].extensions.code`.")
    message: str | None
    retry_after_seconds: int | None
    count: int = strawberry.field(description="On this page.")
    total: int | None = strawberry.field(description="All matches, where the source says.")
    undecided: int = strawberry.field(description="Left out because the source does not say what the filter asks.")
    resume_cursor: str | None = strawberry.field(description="Pass as `after` to go on with this source alone.")


def _page_info(root: strawberry.Parent[Page]) -> PageInfo:
    return PageInfo(
        has_next_page=root.has_next_page,
        has_previous_page=root.has_previous_page,
        start_cursor=root.edges[0].cursor if root.edges else None,
        end_cursor=root.end_cursor,
    )


def _results(root: strawberry.Parent[Page]) -> Any:  # noqa: ANN401
    return root.results


def _nodes(roots: Sequence[Any], info: Info) -> Column | Awaitable[Column]:
    return complete_lists(info, [[edge.node for edge in root.edges] for root in roots])


def _node(roots: Sequence[Any], info: Info) -> Column | Awaitable[Column]:
    return complete_each(info, [root.node for root in roots])


@strawberry.type
class CustomerEdge:
    """A customer and the cursor behind it."""

    cursor: str
    node: Customer = bulk_field(_node)


@strawberry.type
class CustomerConnection:
    """A page of customers."""

    edges: list[CustomerEdge]
    nodes: list[Customer] = bulk_field(_nodes)
    page_info: PageInfo = strawberry.field(resolver=_page_info)
    source_results: list[SourceResult] = strawberry.field(resolver=_results)


@strawberry.type
class OrderEdge:
    """An order and the cursor behind it."""

    cursor: str
    node: Order = bulk_field(_node)


@strawberry.type
class OrderConnection:
    """A page of orders."""

    edges: list[OrderEdge]
    nodes: list[Order] = bulk_field(_nodes)
    page_info: PageInfo = strawberry.field(resolver=_page_info)
    source_results: list[SourceResult] = strawberry.field(resolver=_results)


@strawberry.type
class InvoiceEdge:
    """An invoice and the cursor behind it."""

    cursor: str
    node: Invoice = bulk_field(_node)


@strawberry.type
class InvoiceConnection:
    """A page of invoices."""

    edges: list[InvoiceEdge]
    nodes: list[Invoice] = bulk_field(_nodes)
    page_info: PageInfo = strawberry.field(resolver=_page_info)
    source_results: list[SourceResult] = strawberry.field(resolver=_results)


# ------------------------------------------------------------------ links


def _linked(roots: Sequence[Any], info: Info) -> Column | Awaitable[Column]:
    return complete_each(info, [root.customer for root in roots])


@strawberry.type
class CustomerLink:
    """A customer of another source that is the same party."""

    customer: Customer = bulk_field(_linked)
    rule: loaders.LinkRule


@strawberry.type
class CustomerLinks:
    """The same party in other sources."""

    nodes: list[CustomerLink]
    source_results: list[SourceResult]


# ------------------------------------------------------------------ filters


@strawberry.enum(
    description=(
        "SOURCE: as each source gives them. ISSUE_DATE_DESC merges the sources; one that cannot sort is read whole within the filter, "
        "up to 1 000 records, else it is UNSUPPORTED."
    )
)
class InvoiceOrder(Enum):
    """See the description."""

    SOURCE = "SOURCE"
    ISSUE_DATE_DESC = "ISSUE_DATE_DESC"


@strawberry.input
class SourceCodeInput:
    """A code of one source."""

    field: str
    code: str


@strawberry.input
class CustomerFilter:
    """Which customers."""

    sources: list[str] | None = NOT_GIVEN
    number: str | None = NOT_GIVEN
    organization_number: str | None = NOT_GIVEN
    email: str | None = NOT_GIVEN
    search: str | None = strawberry.field(default=NOT_GIVEN, description="Name or number, as the source's own search takes it.")
    updated_since: datetime | None = NOT_GIVEN


@strawberry.input
class OrderFilter:
    """Which orders."""

    sources: list[str] | None = NOT_GIVEN
    number: str | None = NOT_GIVEN
    customer: Lookup | None = NOT_GIVEN
    status: model.OrderStatus | None = NOT_GIVEN
    source_status: SourceCodeInput | None = NOT_GIVEN
    ordered_from: datetime | None = NOT_GIVEN
    ordered_to: datetime | None = NOT_GIVEN
    updated_since: datetime | None = NOT_GIVEN
    email: str | None = NOT_GIVEN


@strawberry.input
class InvoiceFilter:
    """Which invoices."""

    sources: list[str] | None = NOT_GIVEN
    number: str | None = NOT_GIVEN
    customer: Lookup | None = NOT_GIVEN
    order: Lookup | None = NOT_GIVEN
    type: model.InvoiceType | None = NOT_GIVEN
    is_credit: bool | None = NOT_GIVEN
    payment_status: list[model.PaymentStatus] | None = NOT_GIVEN
    issued_from: date | None = NOT_GIVEN
    issued_to: date | None = NOT_GIVEN
    due_from: date | None = NOT_GIVEN
    due_to: date | None = NOT_GIVEN
    updated_since: datetime | None = NOT_GIVEN
    group_key: str | None = NOT_GIVEN
    include_deleted: bool = False


_REFERENCES: Final = {"customer": Kind.CUSTOMER, "order": Kind.ORDER}
_NOT_CRITERIA: Final = frozenset({"sources", "include_deleted", *_REFERENCES})


async def _criteria(info: Info, kind: Kind, value: Any) -> Criteria:  # noqa: ANN401  (one of the filters, or nothing)
    if not value:
        return Criteria(kind=kind)
    given = {name: or_none(item) for name, item in vars(value).items() if name not in _NOT_CRITERIA}
    values: dict[str, Any] = {name: _plain(name, item) for name, item in given.items() if item is not None}
    for name in _REFERENCES:
        if lookup := or_none(getattr(value, name, None)):
            values[name] = await _reference(info, lookup, name)
    return Criteria(kind=kind, include_deleted=getattr(value, "include_deleted", False), **values)


def _plain(name: str, value: Any) -> Any:  # noqa: ANN401  (of the criterion's own type)
    match name:
        case "organization_number":
            return loaders.organization_digits(value)
        case "source_status":
            return value.field, value.code
        case "payment_status":
            return frozenset(value)
        case _:
            return value


async def _reference(info: Info, lookup: Lookup, name: str) -> Ref:
    ref = await loaders.find_ref(info.context.loaders, lookup.plain(), _REFERENCES[name])
    if ref is None:
        raise InvalidInput(f"filter.{name}: there is no such object")
    return ref


def _sources(info: Info, criteria: Criteria, value: Any) -> tuple[list[loaders.Source], tuple[str, ...] | None]:  # noqa: ANN401  (as above)
    """Give the sources to ask, in the order of the configuration: those named, and only the one that a reference belongs to."""
    named: Sequence[str] | None = or_none(value.sources) if value else None
    asked = None if named is None else {loaders.named_source(info.context.loaders, key).profile.key for key in named}
    owners = {ref.source for ref in (criteria.customer, criteria.order) if ref is not None}
    if len(owners) > 1:
        raise InvalidInput("filter: customer and order are of different sources")
    chosen = [
        source
        for source in info.context.loaders.sources
        if (asked is None or source.profile.key in asked) and (not owners or source.profile.key in owners)
    ]
    return chosen, None if asked is None else tuple(sorted(asked))


async def list_page(
    info: Info,
    kind: Kind,
    value: Any,  # noqa: ANN401  (one of the filters, or nothing)
    first: int,
    after: str | None,
    order_by: InvoiceOrder = InvoiceOrder.SOURCE,
) -> Page:
    """Read a page of a root list."""
    check_first(first)
    criteria = await _criteria(info, kind, value)
    sources, asked_for = _sources(info, criteria, value)
    scope = info.context.loaders.scope
    if order_by is InvoiceOrder.ISSUE_DATE_DESC:
        return await MergedLister(criteria, sources, scope, asked_for=asked_for).page(first, or_none(after))
    lister = Lister(criteria, sources, scope, asked_for=asked_for, looks_ahead=looks_ahead(info, kind))
    return await lister.page(first, or_none(after))
