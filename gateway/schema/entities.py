"""The objects of the sources in the graph. A parent is a record of the model, or an `Incomplete` one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import strawberry

from gateway import loaders, model
from gateway.errors import GatewayError, LookupUnsupported
from gateway.model import UNREAD, Criteria, CurrencyOrigin, DataWarningCode, Kind, Operation, Permission, Read, Ref, SupportLevel
from gateway.schema.completion import Incomplete, complete, complete_all, unwrapped
from gateway.schema.context import Context, Info
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
    resolve_currency,
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


async def _warnings(root: strawberry.Parent[model.Record], info: Info) -> Any:  # noqa: ANN401
    known = root.warnings or ()
    currency: Read[model.Currency] = getattr(unwrapped(root), "currency", None)
    if currency and currency.ask is not None and currency.code is None and await _is_unknown(info.context, currency):
        message = "no currency in the record, its order or the configuration"
        return [*known, model.DataWarning(DataWarningCode.CURRENCY_UNKNOWN, message, ("currency",))]
    return known


async def _is_unknown(context: Context, currency: model.Currency) -> bool:
    try:
        return (await resolve_currency(context, currency)).origin is CurrencyOrigin.UNKNOWN
    except GatewayError:
        return False


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
    warnings: list[DataWarning] | None = strawberry.field(
        resolver=_warnings, description="What the gateway left out, derived or found inconsistent in this object."
    )


def _currency(root: strawberry.Parent[Any], info: Info) -> Any:  # noqa: ANN401
    currency: Read[model.Currency] = root.currency
    if not currency:
        return None
    return currency.code if currency.ask is None else _asked_code(info.context, currency)


async def _asked_code(context: Context, currency: model.Currency) -> str | None:
    return (await resolve_currency(context, currency)).code


def _lines(root: strawberry.Parent[Any], info: Info) -> Any:  # noqa: ANN401
    return info.context.loaders.load_lines(root.ref) if root.lines is UNREAD else root.lines


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


async def _settings_of(root: strawberry.Parent[model.Customer], info: Info) -> Any:  # noqa: ANN401
    info.context.demand(Permission.READ)
    source = info.context.loaders.sources.get(root.ref.source)
    if source is None or not _offers(source.capabilities, Operation.READ_INVOICE_SETTINGS):
        return None
    return await info.context.loaders.load_record(Ref(root.ref.source, Kind.INVOICE_SETTINGS, root.ref.native_id))


def _offers(capabilities: tuple[model.Capability, ...], operation: Operation) -> bool:
    return any(c.operation is operation and c.support in {SupportLevel.SUPPORTED, SupportLevel.PARTIAL} for c in capabilities)


async def _customer(root: strawberry.Parent[Any], info: Info) -> Any:  # noqa: ANN401
    known: Read[model.Customer] = root.customer
    return await complete(info, None if known is UNREAD else known)


async def _party(root: strawberry.Parent[model.Invoice], info: Info) -> Any:  # noqa: ANN401
    """Give the customer of an invoice; where the invoice does not name one, its order does."""
    known = root.customer
    if known is UNREAD and root.orders:
        order = await info.context.loaders.load_record(root.orders[0].ref, frozenset({"customer"}))
        known = order.customer if isinstance(order, model.Order) else None
    return await complete(info, None if known is UNREAD else known)


async def _recipient(root: strawberry.Parent[model.InvoiceSettings], info: Info) -> Any:  # noqa: ANN401
    known = root.invoice_recipient
    return await complete(info, None if known is UNREAD else known)


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
    invoice_settings: InvoiceSettings | None = strawberry.field(resolver=_settings_of)
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
    customer: Customer = strawberry.field(resolver=_customer)
    invoice_recipient: Customer | None = strawberry.field(
        resolver=_recipient, description="Who receives the invoices, when not the customer."
    )
    currency: CurrencyCode | None = strawberry.field(resolver=_currency)
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
    currency: CurrencyCode | None = strawberry.field(resolver=_currency)
    totals: Totals | None
    lines: list[Line] | None = strawberry.field(resolver=_lines, description="Null: this source or read gives no lines.")
    customer: Customer | None = strawberry.field(resolver=_customer)
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


async def _orders(root: strawberry.Parent[model.Invoice], info: Info) -> Any:  # noqa: ANN401
    known = root.orders
    return await complete_all(info, None if known is UNREAD else known)


async def _paid(root: strawberry.Parent[model.Invoice], info: Info, field: str) -> model.InvoicePayments | None:
    ref = root.ref
    if ref.hint is None and root.orders:
        ref = replace(ref, hint=f"order/{root.orders[0].ref.native_id}")  # saves reading the invoice again to know its order
    return await info.context.loaders.load_payments(ref, frozenset({field}))


async def _amount_due(root: strawberry.Parent[model.Invoice], info: Info) -> Any:  # noqa: ANN401
    paid = await _paid(root, info, "amount_due")
    return None if paid is None else paid.amount_due


async def _payments(root: strawberry.Parent[model.Invoice], info: Info) -> Any:  # noqa: ANN401
    paid = await _paid(root, info, "payments")
    return None if paid is None else paid.payments


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
    currency: CurrencyCode | None = strawberry.field(resolver=_currency, description="BT-5.")
    totals: Totals | None
    charges: list[Charge] | None = strawberry.field(description="BG-21.")
    payment_status: model.PaymentStatus | None
    amount_due: Money | None = strawberry.field(
        resolver=_amount_due, description="BT-115. Null: the source does not say and no published payment read answers it."
    )
    payments: list[Payment] | None = strawberry.field(resolver=_payments)
    paid_at: datetime | None
    source_statuses: list[SourceCode] | None = strawberry.field(description="Every status the source sent, uninterpreted.")
    is_deleted: bool | None
    email_sent: bool | None
    sent_at: datetime | None
    delivery_date: date | None = strawberry.field(description="BT-72.")
    notes: list[Note] | None = strawberry.field(description="BT-22.")
    customer: Customer | None = strawberry.field(resolver=_party, description="BG-7.")
    orders: list[Order] | None = strawberry.field(
        resolver=_orders, description="All orders it covers: several in some systems, one in others."
    )
    credited_invoice: CreditedInvoice | None = strawberry.field(resolver=_credited, description="BT-25.")
    group_key: str | None = strawberry.field(description="Equal on every invoice of one summary invoice.")
    lines: list[Line] | None = strawberry.field(
        resolver=_lines, description="BG-25. Null: the source gives none. Empty: it says there are none."
    )
    document: Document | None = strawberry.field(resolver=_document)
    custom_fields: list[CustomField] | None
    details: InvoiceDetails | None = strawberry.field(description="Fields that one source alone has.")

    @classmethod
    def is_type_of(cls, obj: Any, _info: Any) -> bool:  # noqa: ANN401
        """Recognise the record."""
        return isinstance(unwrapped(obj), model.Invoice)
