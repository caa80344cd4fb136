"""Values inside records: money, addresses, codes, lines, totals. Amounts are exact decimals as sent."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from enum import StrEnum

from gateway.model.ref import Ref
from gateway.model.value import value


class CurrencyOrigin(StrEnum):
    """Who said which currency an amount is in."""

    RECORD = "RECORD"
    RELATED_ORDER = "RELATED_ORDER"
    SOURCE_DEFAULT = "SOURCE_DEFAULT"
    UNKNOWN = "UNKNOWN"


class VatBasis(StrEnum):
    """Whether an amount includes VAT."""

    INCLUDING_VAT = "INCLUDING_VAT"
    EXCLUDING_VAT = "EXCLUDING_VAT"
    UNKNOWN = "UNKNOWN"


@value(frozen=True, slots=True)
class Currency:
    """An ISO 4217 code and who said it.

    With `ask`, another object says it: an order (origin RELATED_ORDER) or a currency row of the source (origin RECORD). `code`
    and `origin` are then what holds when that object does not say.
    """

    code: str | None
    origin: CurrencyOrigin
    ask: Ref | None = None


@value(frozen=True, slots=True)
class Money:
    """An exact amount; never guessed in currency, never rounded."""

    amount: Decimal
    currency: Currency


@value(frozen=True, slots=True)
class SourceCode:
    """A code that means something inside one source only; `field` is the upstream's name for it.

    `ask`: the row of the source that has the label, where neither the record nor the configuration says.
    """

    field: str
    code: str
    label: str | None = None
    ask: Ref | None = None


@value(frozen=True, slots=True, kw_only=True)
class Address:
    """A postal address; `gln` is a GS1 Global Location Number."""

    line1: str | None = None
    line2: str | None = None
    care_of: str | None = None
    postal_code: str | None = None
    city: str | None = None
    region: str | None = None
    country_code: str | None = None
    country_name: str | None = None
    gln: str | None = None
    phone: str | None = None


class ExternalNumberRole(StrEnum):
    """Whose number it is."""

    EXPORT_LEDGER = "EXPORT_LEDGER"
    PSP = "PSP"


@value(frozen=True, slots=True)
class ExternalNumber:
    """A number that another system gave the invoice."""

    role: ExternalNumberRole
    value: str


@value(frozen=True, slots=True)
class CustomField:
    """Application data that the source keeps on the object."""

    code: str
    name: str | None = None
    description: str | None = None
    value: str | None = None


class ChargeKind(StrEnum):
    """What is charged beside the lines (UNTDID 7161: FC, IS)."""

    FREIGHT = "FREIGHT"
    INVOICE_FEE = "INVOICE_FEE"
    PAYMENT_FEE = "PAYMENT_FEE"


@value(frozen=True, slots=True)
class Charge:
    """BG-21, document level charge."""

    kind: ChargeKind
    amount: Money
    vat_basis: VatBasis


class NoteRole(StrEnum):
    """Which of the source's text fields it was."""

    REMARKS = "REMARKS"
    INVOICE_TEXT = "INVOICE_TEXT"
    COMMENT = "COMMENT"


@value(frozen=True, slots=True)
class Note:
    """BT-22."""

    role: NoteRole
    text: str


@value(frozen=True, slots=True)
class Document:
    """The file of an invoice, known without asking for it."""

    file_id: str
    media_type: str
    file_name: str


@value(frozen=True, slots=True)
class DocumentContent:
    """A file, read whole and checked."""

    content: bytes
    media_type: str
    file_name: str


@value(frozen=True, slots=True)
class Payment:
    """A payment that counts for an invoice; `reference` as the payer or the bank gave it."""

    amount: Money
    paid_on: date | None = None
    reference: str | None = None


@value(frozen=True, slots=True)
class InvoicePayments:
    """What is paid and what is left (BT-115). None: the source does not say."""

    amount_due: Money | None = None
    payments: tuple[Payment, ...] | None = None


@value(frozen=True, slots=True, kw_only=True)
class Line:
    """BG-25: a line of an order or an invoice. `vat_percent` is `25` for 25 %."""

    position: str | None = None
    item_number: str | None = None
    name: str | None = None
    description: str | None = None
    quantity: Decimal | None = None
    unit_price_excl_vat: Money | None = None
    unit_price_incl_vat: Money | None = None
    unit_discount_excl_vat: Money | None = None
    net_amount: Money | None = None
    vat_amount: Money | None = None
    gross_amount: Money | None = None
    vat_percent: Decimal | None = None
    delivery_date: date | None = None


@value(frozen=True, slots=True, kw_only=True)
class Totals:
    """Document totals. `rounding_of`: the orders whose roundings add up to `rounding`, where the record itself has none."""

    vat_basis: VatBasis
    total: Money | None = None
    excl_vat: Money | None = None
    vat: Money | None = None
    incl_vat: Money | None = None
    rounding: Money | None = None
    signed_total: Money | None = None
    rounding_of: tuple[Ref, ...] = ()


@value(frozen=True, slots=True)
class Details:
    """Fields that one system alone has: `system` as its spec spells it, `fields` by the attribute names of its graph type."""

    system: str
    fields: Mapping[str, object]
