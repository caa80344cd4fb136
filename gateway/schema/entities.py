"""The objects of the sources in the graph. A parent is a record of the model, or an `Incomplete` one."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import strawberry

from gateway import loaders, model
from gateway.errors import GatewayError, LookupUnsupported
from gateway.model import UNREAD, Criteria, CurrencyOrigin, DataWarningCode, Kind, Operation, Permission, Ref, SupportLevel
from gateway.schema.bulk import Column, bulk_field, read_each
from gateway.schema.completion import Incomplete, complete_each, complete_lists, unwrapped
from gateway.schema.context import Info
from gateway.schema.paging import DEFAULT_FIRST, page_of_source
from gateway.schema.raw import show_raw
from gateway.schema.scalars import JSON, CurrencyCode
from gateway.schema.source import Node, Source, SourceView
from gateway.schema.system import NOT_GIVEN
from gateway.schema.systems import InvoiceDetails
from gateway.schema.values import (
    Address,
    Charge,
    CustomField,
    DataWarning,
    Document,
    DocumentView,
    ExternalNumber,
    Line,
    Money,
    Note,
    Payment,
    SourceCode,
    Totals,
    currency_codes,
    each_told,
)

if TYPE_CHECKING:
    Orders: TypeAlias = Any
    Invoices: TypeAlias = Any
    Links: TypeAlias = Any
else:  # the lists hold objects, the objects have lists
    Orders = Annotated["OrderConnection", strawberry.lazy("gateway.schema.connections")]  # noqa: F821  (named there)
    Invoices = Annotated["InvoiceConnection", strawberry.lazy("gateway.schema.connections")]  # noqa: F821  (named there)
    Links = Annotated["CustomerLinks", strawberry.lazy("gateway.schema.connections")]  # noqa: F821  (named there)

# ------------------------------------------------------------------ what all objects have


def _id(root: strawberry.Parent[model.Record]) -> Any:  # noqa: ANN401  (here and below: the annotation of the field is its type)
    return root.ref.global_id


def _itself(root: strawberry.Parent[model.Record]) -> Any:  # noqa: ANN401
    return root


def _warnings(roots: Sequence[Any], info: Info) -> Column | Awaitable[Column]:
    known = [value or () for value in read_each(roots, "warnings")]
    unsure = [at for at, root in enumerate(roots) if not isinstance(known[at], Exception) and _is_unsure(unwrapped(root))]
    return _currency_warnings(roots, info, known, unsure) if unsure else known


def _is_unsure(record: object) -> bool:
    currency = getattr(record, "currency", None)
    return isinstance(currency, model.Currency) and currency.ask is not None and currency.code is None


async def _currency_warnings(roots: Sequence[Any], info: Info, known: Column, unsure: Sequence[int]) -> Column:
    told = each_told(info.context, [roots[at].currency for at in unsure], lambda currency: currency.origin)
    for at, origin in zip(unsure, told if isinstance(told, list) else await told, strict=True):
        if origin is CurrencyOrigin.UNKNOWN:
            message = "no currency in the record, its order or the configuration"
            known[at] = [*known[at], model.DataWarning(DataWarningCode.CURRENCY_UNKNOWN, message, ("currency",))]
        elif isinstance(origin, Exception) and not isinstance(origin, GatewayError):
            known[at] = origin
    return known


def _source_of(root: strawberry.Parent[model.Record], info: Info) -> Any:  # noqa: ANN401
    source = info.context.loaders.sources.get(root.ref.source)
    return None if source is None else SourceView(source)


def _native_id(root: strawberry.Parent[model.Record]) -> Any:  # noqa: ANN401
    return root.ref.native_id


def _raw(root: strawberry.Parent[Any], info: Info) -> Any:  # noqa: ANN401
    source = info.context.loaders.sources.get(root.ref.source)
    if source is None or not info.context.caller.may(Permission.RAW):
        return None
    if root.raw is None and isinstance(root, Incomplete):
        raise root.failure
    return None if root.raw is None else show_raw(root.raw, source.personal_fields)


@strawberry.type
class Origin:
    """Where an object comes from."""

    source: Source = strawberry.field(resolver=_source_of)
    native_type: str = strawberry.field(description="Upstream type, e.g. `CustomerInvoice`, `InvoiceBase`.")
    native_id: str = strawberry.field(
        resolver=_native_id, description="Upstream key as text, one canonical form a kind; composite keys joined by `/`."
    )
    fetched_at: datetime | None = strawberry.field(description="When it was read. Null while nothing had to be fetched to answer.")
    raw: JSON | None = strawberry.field(
        resolver=_raw,
        description="The source's own JSON, personal identity numbers removed. Needs the `raw` permission, null without it.",
    )


@strawberry.interface(description="An object that lives in one source.")
class Record(Node):
    """See the description."""

    id: strawberry.ID = strawberry.field(resolver=_id, description="Opaque and stable. Never parse it.")
    origin: Origin = strawberry.field(resolver=_itself)
    warnings: list[DataWarning] | None = bulk_field(_warnings, "What the gateway left out, derived or found inconsistent in this object.")


def _currencies(roots: Sequence[Any], info: Info) -> Column | Awaitable[Column]:
    return currency_codes(info.context, read_each(roots, "currency"))


def _lines(roots: Sequence[Any], info: Info) -> Column | Awaitable[Column]:
    lines = read_each(roots, "lines")
    unread = [at for at, value in enumerate(lines) if value is UNREAD]
    return _lines_read(roots, info, lines, unread) if unread else lines


async def _lines_read(roots: Sequence[Any], info: Info, lines: Column, unread: Sequence[int]) -> Column:
    for at, read in zip(unread, await info.context.loaders.load_each_lines([roots[at].ref for at in unread]), strict=True):
        lines[at] = read
    return lines


async def _customer_orders(
    root: strawberry.Parent[model.Record], info: Info, first: int = DEFAULT_FIRST, after: str | None = NOT_GIVEN
) -> Any:  # noqa: ANN401
    return await page_of_source(info, root.ref.source, Criteria(kind=Kind.ORDER, customer=root.ref), first, after)


async def _customer_invoices(
    root: strawberry.Parent[model.Record], info: Info, first: int = DEFAULT_FIRST, after: str | None = NOT_GIVEN
) -> Any:  # noqa: ANN401
    return await page_of_source(info, root.ref.source, Criteria(kind=Kind.INVOICE, customer=root.ref), first, after)


async def _customer_links(root: strawberry.Parent[model.Customer], info: Info) -> Any:  # noqa: ANN401
    context = info.context
    context.demand(Permission.READ)
    if not context.link_rules.is_used:
        return loaders.Links((), ())
    known = await context.loaders.load_record(root.ref, frozenset({"number", "organization_number", "email"}))
    return await loaders.find_links(context.loaders, context.link_rules, known) if isinstance(known, model.Customer) else None


async def _order_invoices(
    root: strawberry.Parent[model.Record], info: Info, first: int = DEFAULT_FIRST, after: str | None = NOT_GIVEN
) -> Any:  # noqa: ANN401
    return await page_of_source(info, root.ref.source, Criteria(kind=Kind.INVOICE, order=root.ref), first, after)


# ------------------------------------------------------------------ customer and terms


def _settings_of(roots: Sequence[Any], info: Info) -> Column | Awaitable[Column]:
    info.context.demand(Permission.READ)
    refs = [Ref(root.ref.source, Kind.INVOICE_SETTINGS, root.ref.native_id) if _has_settings(info, root) else None for root in roots]
    return _loaded(info, refs) if any(refs) else [None] * len(roots)


async def _loaded(info: Info, refs: Sequence[Ref | None]) -> Column:
    records = iter(await info.context.loaders.load_records([ref for ref in refs if ref is not None]))
    return [None if ref is None else next(records) for ref in refs]


def _has_settings(info: Info, root: model.Customer) -> bool:
    source = info.context.loaders.sources.get(root.ref.source)
    return source is not None and _offers(source.capabilities, Operation.READ_INVOICE_SETTINGS)


def _offers(capabilities: tuple[model.Capability, ...], operation: Operation) -> bool:
    return any(c.operation is operation and c.support in {SupportLevel.SUPPORTED, SupportLevel.PARTIAL} for c in capabilities)


def _customers_of(roots: Sequence[Any], info: Info) -> Column | Awaitable[Column]:
    return complete_each(info, read_each(roots, "customer"))


def _recipients(roots: Sequence[Any], info: Info) -> Column | Awaitable[Column]:
    return complete_each(info, read_each(roots, "invoice_recipient"))


def _parties(roots: Sequence[Any], info: Info) -> Column | Awaitable[Column]:
    """Give the customers of invoices; where an invoice does not name one, its order does."""
    known = read_each(roots, "customer")
    unnamed = [at for at, root in enumerate(roots) if known[at] is UNREAD and root.orders]
    return _parties_behind(roots, info, known, unnamed) if unnamed else complete_each(info, known)


async def _parties_behind(roots: Sequence[Any], info: Info, known: Column, unnamed: Sequence[int]) -> Column:
    orders = await info.context.loaders.load_records([roots[at].orders[0].ref for at in unnamed], frozenset({"customer"}))
    for at, order in zip(unnamed, orders, strict=True):
        if isinstance(order, Exception):
            known[at] = order
        elif isinstance(order, model.Order):
            known[at] = None if order.customer is UNREAD else order.customer
    column = complete_each(info, known)
    return column if isinstance(column, list) else await column


@strawberry.type
class Customer(Record):
    """BG-7."""

    number: str | None = strawberry.field(description="BT-46.")
    name: str | None = strawberry.field(description="BT-44.")
    kind: model.CustomerKind | None
    organization_number: str | None = strawberry.field(description="BT-47, without hyphen.")
    vat_number: str | None = strawberry.field(description="BT-48.")
    email: str | None = strawberry.field(description="BT-58.")
    phone: str | None = strawberry.field(description="BT-57.")
    billing_address: Address | None = strawberry.field(description="BG-8.")
    invoice_settings: InvoiceSettings | None = bulk_field(_settings_of)
    orders: Orders | None = strawberry.field(resolver=_customer_orders)
    invoices: Invoices | None = strawberry.field(resolver=_customer_invoices)
    links: Links | None = strawberry.field(
        resolver=_customer_links, description="The same party in other sources, by configured rules only."
    )

    @classmethod
    def is_type_of(cls, obj: Any, _info: Any) -> bool:  # noqa: ANN401  (graphql-core's protocol; so below)
        """Recognise the record."""
        return isinstance(unwrapped(obj), model.Customer)


@strawberry.type(description="Invoicing terms of a customer. Its system may call this a customer invoice; it is no invoice.")
class InvoiceSettings(Record):
    """See the description."""

    version: str = strawberry.field(description="Hash of what was read; pass as `expectedVersion`.")
    customer: Customer = bulk_field(_customers_of)
    invoice_recipient: Customer | None = bulk_field(_recipients, "Who receives the invoices, when not the customer.")
    currency: CurrencyCode | None = bulk_field(_currencies)
    source_currency: SourceCode | None
    payment_terms: SourceCode | None = strawberry.field(description="BT-20.")
    invoice_type: SourceCode | None
    interest_type: SourceCode | None
    invoice_cycle: SourceCode | None
    credit_account: SourceCode | None
    retains_invoice_type: bool | None
    pays_invoice_fee: bool | None
    allow_invoice_payment_from_order: bool | None
    send_invoice_from_order_as_email: bool | None
    invoice_email: str | None
    reverse_tax: bool | None = strawberry.field(description="Null: this installation accepts it and does not return it.")

    @classmethod
    def is_type_of(cls, obj: Any, _info: Any) -> bool:  # noqa: ANN401
        """Recognise the record."""
        return isinstance(unwrapped(obj), model.InvoiceSettings)


# ------------------------------------------------------------------ order


@strawberry.type
class Order(Record):
    """A sales order."""

    number: str | None = strawberry.field(description="BT-14.")
    ordered_at: datetime | None
    status: model.OrderStatus | None
    source_statuses: list[SourceCode] | None
    currency: CurrencyCode | None = bulk_field(_currencies)
    totals: Totals | None
    lines: list[Line] | None = bulk_field(_lines, "Null: this source or read gives no lines.")
    customer: Customer | None = bulk_field(_customers_of)
    delivery_method: str | None
    payment_method: str | None
    invoices: Invoices | None = strawberry.field(resolver=_order_invoices)

    @classmethod
    def is_type_of(cls, obj: Any, _info: Any) -> bool:  # noqa: ANN401
        """Recognise the record."""
        return isinstance(unwrapped(obj), model.Order)


# ------------------------------------------------------------------ invoice


@dataclass(frozen=True, slots=True)
class Credited:
    """The number of the invoice that a credit note credits, and where to look for it."""

    source: str
    number: str


def _credited(root: strawberry.Parent[model.Invoice]) -> Any:  # noqa: ANN401
    number = root.credited_invoice_number
    return Credited(root.ref.source, number) if number else None


async def _credited_invoice(root: strawberry.Parent[Credited], info: Info) -> Any:  # noqa: ANN401
    source = info.context.loaders.sources.get(root.source)
    if source is None:
        return None
    try:
        return await info.context.loaders.load_by_number(source, Kind.INVOICE, root.number)
    except LookupUnsupported:
        return None


def _orders(roots: Sequence[Any], info: Info) -> Column | Awaitable[Column]:
    return complete_lists(info, read_each(roots, "orders"))


async def _paid(roots: Sequence[Any], info: Info, field: str) -> Column:
    paid = await info.context.loaders.load_each_payments([_ref_of_payments(root) for root in roots], frozenset({field}))
    return [each if each is None or isinstance(each, Exception) else getattr(each, field) for each in paid]


def _ref_of_payments(root: model.Invoice) -> Ref:
    if root.ref.hint is None and root.orders:
        return replace(root.ref, hint=f"order/{root.orders[0].ref.native_id}")  # saves reading the invoice again to know its order
    return root.ref


async def _amounts_due(roots: Sequence[Any], info: Info) -> Column:
    return await _paid(roots, info, "amount_due")


async def _payments(roots: Sequence[Any], info: Info) -> Column:
    return await _paid(roots, info, "payments")


def _document(root: strawberry.Parent[model.Invoice]) -> Any:  # noqa: ANN401
    return DocumentView(root.ref.global_id, root.document) if root.document else None


@strawberry.type
class CreditedInvoice:
    """BT-25."""

    number: str
    invoice: Invoice | None = strawberry.field(resolver=_credited_invoice, description="Null when the source cannot find it.")


@strawberry.type
class Invoice(Record):
    """An invoice or a credit note."""

    type: model.InvoiceType | None = strawberry.field(
        description=(
            "BT-3 (380, 381) as the source says it. Some sources know invoices only: there a credit is an INVOICE with negative totals."
        )
    )
    is_credit: bool | None = strawberry.field(
        description="Lowers what the customer owes, however the source says it (type, or a negative total)."
    )
    number: str | None = strawberry.field(description="BT-1.")
    external_numbers: list[ExternalNumber] | None
    issue_date: date | None = strawberry.field(description="BT-2.")
    due_date: date | None = strawberry.field(description="BT-9.")
    created_at: datetime | None
    updated_at: datetime | None
    currency: CurrencyCode | None = bulk_field(_currencies, "BT-5.")
    totals: Totals | None
    charges: list[Charge] | None = strawberry.field(description="BG-21.")
    payment_status: model.PaymentStatus | None
    amount_due: Money | None = bulk_field(_amounts_due, "BT-115. Null: the source does not say and no published payment read answers it.")
    payments: list[Payment] | None = bulk_field(_payments)
    paid_at: datetime | None
    source_statuses: list[SourceCode] | None = strawberry.field(description="Every status the source sent, uninterpreted.")
    is_deleted: bool | None
    email_sent: bool | None
    sent_at: datetime | None
    delivery_date: date | None = strawberry.field(description="BT-72.")
    notes: list[Note] | None = strawberry.field(description="BT-22.")
    customer: Customer | None = bulk_field(_parties, "BG-7.")
    orders: list[Order] | None = bulk_field(_orders, "All orders it covers: several in some systems, one in others.")
    credited_invoice: CreditedInvoice | None = strawberry.field(resolver=_credited, description="BT-25.")
    group_key: str | None = strawberry.field(description="Equal on every invoice of one summary invoice.")
    lines: list[Line] | None = bulk_field(_lines, "BG-25. Null: the source gives none. Empty: it says there are none.")
    document: Document | None = strawberry.field(resolver=_document)
    custom_fields: list[CustomField] | None
    details: InvoiceDetails | None = strawberry.field(description="Fields that one source alone has.")

    @classmethod
    def is_type_of(cls, obj: Any, _info: Any) -> bool:  # noqa: ANN401
        """Recognise the record."""
        return isinstance(unwrapped(obj), model.Invoice)
