"""Value types of the graph: money, addresses, codes, lines, totals."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any, Final

import strawberry

from gateway import model
from gateway.errors import GatewayError, InvalidInput
from gateway.model import Currency, CurrencyOrigin, CurrencyRow, Invoice, Kind, LabelRow, Order, Ref
from gateway.schema.bulk import Column, bulk_field, first_failure
from gateway.schema.context import Context, Info
from gateway.schema.scalars import CurrencyCode

MAX_LINK_SECONDS: Final = 900


async def _ask_currencies(context: Context, currencies: Column, places: Sequence[int]) -> None:
    records = await context.loaders.load_records([currencies[at].ask for at in places], frozenset({"currency"}))
    for at, record in zip(places, records, strict=True):
        currencies[at] = record if isinstance(record, Exception) else _as_told(currencies[at], record)


def _as_told(currency: Currency, record: model.Record | None) -> Currency:
    if isinstance(record, CurrencyRow) and record.code is not None:
        return Currency(record.code, CurrencyOrigin.RECORD)
    if isinstance(record, Order) and record.currency and record.currency.origin is CurrencyOrigin.RECORD and record.currency.code:
        return Currency(record.currency.code, CurrencyOrigin.RELATED_ORDER)
    if isinstance(record, Invoice) and record.currency:
        return replace(record.currency, ask=None)
    return replace(currency, ask=None)


def currency_codes(context: Context, currencies: Sequence[object]) -> Column | Awaitable[Column]:
    """Give the codes of currencies; what is no currency, as a failure, stays as it is."""
    return each_told(context, currencies, lambda told: told.code)


def each_told(context: Context, currencies: Sequence[object], show: Callable[[Currency], object]) -> Column | Awaitable[Column]:
    """Show of each currency what those who know it told; a failure, and what is no currency, stays as it is."""
    for currency in currencies:
        if isinstance(currency, Currency) and currency.ask is not None:
            return _each_asked(context, currencies, show)
    return [show(currency) if isinstance(currency, Currency) else currency for currency in currencies]


async def _each_asked(context: Context, currencies: Sequence[object], show: Callable[[Currency], object]) -> Column:
    """Ask the objects that know currencies; what holds otherwise where such an object does not say."""
    told: Column = list(currencies)
    by_kind: dict[Kind, list[int]] = {}
    for at, currency in enumerate(currencies):
        if isinstance(currency, Currency) and currency.ask is not None:
            by_kind.setdefault(currency.ask.kind, []).append(at)
    await asyncio.gather(*(_ask_currencies(context, told, places) for places in by_kind.values()))
    return [show(currency) if isinstance(currency, Currency) else currency for currency in told]


def money_currencies(roots: Sequence[Any], info: Info) -> Column | Awaitable[Column]:
    """Give the codes; asks the related objects only where there are some."""
    return currency_codes(info.context, [root.currency for root in roots])


def money_origins(roots: Sequence[Any], info: Info) -> Column | Awaitable[Column]:
    """Say who named the currencies; UNKNOWN when that could not be asked (the failure stands at `currency`)."""
    column = each_told(info.context, [root.currency for root in roots], lambda told: told.origin)
    return column if isinstance(column, list) else _without_failures(column)


async def _without_failures(column: Awaitable[Column]) -> Column:
    return [CurrencyOrigin.UNKNOWN if isinstance(origin, GatewayError) else origin for origin in await column]


@strawberry.type
class Money:
    """An exact amount and its currency."""

    amount: Decimal
    currency: CurrencyCode | None = bulk_field(money_currencies, "Null when neither record, order nor configuration says. Never guessed.")
    currency_origin: model.CurrencyOrigin = bulk_field(money_origins)


def source_code_labels(roots: Sequence[Any], info: Info) -> Column | Awaitable[Column]:
    """Give the labels; asks a source only where it keeps the labels in rows of their own."""
    labels = [root.label for root in roots]
    asking = [at for at, root in enumerate(roots) if labels[at] is None and root.ask is not None]
    return _labels(info.context, labels, asking, [roots[at].ask for at in asking]) if asking else labels


async def _labels(context: Context, labels: Column, asking: Sequence[int], refs: Sequence[Ref]) -> Column:
    for at, row in zip(asking, await context.loaders.load_records(refs), strict=True):
        labels[at] = row if isinstance(row, Exception) else row.label if isinstance(row, LabelRow) else None
    return labels


@strawberry.type(description="A code that means something inside one source only.")
class SourceCode:
    """See the description."""

    field: str = strawberry.field(description="Upstream field, e.g. `TermsOfPaymentId`.")
    code: str
    label: str | None = bulk_field(source_code_labels, "From the source or the configuration.")


@strawberry.type
class Address:
    """A postal address."""

    line1: str | None
    line2: str | None
    care_of: str | None
    postal_code: str | None
    city: str | None
    region: str | None
    country_code: str | None
    country_name: str | None
    gln: str | None = strawberry.field(description="GLN (GS1).")
    phone: str | None


@strawberry.type
class ExternalNumber:
    """A number that another system gave."""

    role: model.ExternalNumberRole
    value: str


@strawberry.type
class CustomField:
    """Application data kept on the object."""

    code: str
    name: str | None
    description: str | None
    value: str | None


@strawberry.type
class Charge:
    """A charge beside the lines."""

    kind: model.ChargeKind
    amount: Money = strawberry.field(description="BT-99.")
    vat_basis: model.VatBasis


@strawberry.type
class Note:
    """BT-22."""

    role: model.NoteRole
    text: str


@dataclass(frozen=True, slots=True)
class DocumentView:
    """The file of an invoice, and the id it is fetched by."""

    invoice_id: str
    document: model.Document

    @property
    def file_id(self) -> str:
        """The source's own key of the file."""
        return self.document.file_id

    @property
    def media_type(self) -> str:
        """As far as it is known without reading the file."""
        return self.document.media_type

    @property
    def file_name(self) -> str:
        """A name to save it under."""
        return self.document.file_name

    @property
    def url(self) -> str:
        """Path of this gateway."""
        return f"/documents/{self.invoice_id}"


def _temporary_url(root: strawberry.Parent[DocumentView], info: Info, seconds: int = 300) -> str | None:
    if not 1 <= seconds <= MAX_LINK_SECONDS:
        raise InvalidInput(f"seconds: 1 to {MAX_LINK_SECONDS}")
    return info.context.sign_document(root.invoice_id, seconds)


@strawberry.type(
    description=(
        "The PDF. `url` is a path of this gateway that needs the caller's key; `temporaryUrl` opens in a browser: signed, this one file, "
        "at most 900 s. No upstream call is made to answer these."
    )
)
class Document:
    """See the description."""

    file_id: str
    media_type: str
    file_name: str
    url: str
    temporary_url: str | None = strawberry.field(resolver=_temporary_url)


@strawberry.type
class Payment:
    """A payment that counts for an invoice."""

    amount: Money
    paid_on: date | None
    reference: str | None


@strawberry.type(description="A line of an order or an invoice.")
class Line:
    """See the description."""

    position: str | None = strawberry.field(description="BT-126.")
    item_number: str | None = strawberry.field(description="BT-155.")
    name: str | None = strawberry.field(description="BT-153.")
    description: str | None
    quantity: Decimal | None = strawberry.field(description="BT-129.")
    unit_price_excl_vat: Money | None = strawberry.field(description="BT-146.")
    unit_price_incl_vat: Money | None
    unit_discount_excl_vat: Money | None = strawberry.field(description="BT-147.")
    net_amount: Money | None = strawberry.field(description="BT-131.")
    vat_amount: Money | None
    gross_amount: Money | None
    vat_percent: Decimal | None = strawberry.field(description="BT-152 in percent: `25` for 25 %.")
    delivery_date: date | None


def roundings(roots: Sequence[Any], info: Info) -> Column | Awaitable[Column]:
    """Give the roundings; asks the orders only where a record itself has none."""
    known = [root.rounding for root in roots]
    asking = [at for at, root in enumerate(roots) if known[at] is None and root.rounding_of]
    return _roundings_of(info.context, known, asking, [roots[at].rounding_of for at in asking]) if asking else known


async def _roundings_of(context: Context, known: Column, asking: Sequence[int], refs: Sequence[Sequence[Ref]]) -> Column:
    orders = iter(await context.loaders.load_records([ref for some in refs for ref in some], frozenset({"totals"})))
    for at, some in zip(asking, refs, strict=True):
        known[at] = _sum_of_roundings([next(orders) for _ in some])
    return known


def _sum_of_roundings(orders: Sequence[object]) -> model.Money | Exception | None:
    """Add up the roundings of the orders that an invoice covers; None when none of them says."""
    failure = first_failure(orders)
    if failure is not None:
        return failure
    amounts = [order.totals.rounding for order in orders if isinstance(order, Order) and order.totals and order.totals.rounding]
    if not amounts:
        return None
    return model.Money(sum((money.amount for money in amounts), Decimal(0)), amounts[0].currency)


@strawberry.type
class Totals:
    """Document totals."""

    total: Money | None = strawberry.field(description="The one total that every source has. Read `vatBasis` before adding it up.")
    vat_basis: model.VatBasis
    excl_vat: Money | None = strawberry.field(description="BT-109.")
    vat: Money | None = strawberry.field(description="BT-110.")
    incl_vat: Money | None = strawberry.field(description="BT-112.")
    rounding: Money | None = bulk_field(roundings, "BT-114 (öresavrundning).")
    signed_total: Money | None = strawberry.field(
        description=(
            "`total` signed by what it does to what the customer owes: a credit note is negative whatever sign the source uses. "
            "The field to sum."
        )
    )


@strawberry.type
class DataWarning:
    """Something the gateway left out, derived or found inconsistent."""

    code: model.DataWarningCode
    message: str
    field: list[str] | None = strawberry.field(description='Path of the field, e.g. ["totals", "vat"].')
