"""What a caller wants written, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from gateway.model.ref import Ref


class MutationOutcome(StrEnum):
    """What became of a write; the graph's contract explains each."""

    APPLIED = "APPLIED"
    NOTHING_TO_DO = "NOTHING_TO_DO"
    VALIDATED = "VALIDATED"
    REJECTED = "REJECTED"
    UNSUPPORTED = "UNSUPPORTED"
    NOT_APPLIED = "NOT_APPLIED"
    UNKNOWN = "UNKNOWN"


class Confirmation(StrEnum):
    """How a success was confirmed."""

    ECHO = "ECHO"
    READ_BACK = "READ_BACK"
    STATUS_ONLY = "STATUS_ONLY"


class UserErrorCode(StrEnum):
    """What a user or a source did wrong."""

    INVALID = "INVALID"
    REQUIRED = "REQUIRED"
    TOO_LONG = "TOO_LONG"
    NOT_FOUND = "NOT_FOUND"
    NOT_ACCEPTED_BY_SOURCE = "NOT_ACCEPTED_BY_SOURCE"
    CURRENCY_MISMATCH = "CURRENCY_MISMATCH"
    CROSS_SOURCE_REFERENCE = "CROSS_SOURCE_REFERENCE"
    STALE_VERSION = "STALE_VERSION"
    DUPLICATE_NUMBER = "DUPLICATE_NUMBER"
    AMBIGUOUS = "AMBIGUOUS"
    UNSUPPORTED_OPERATION = "UNSUPPORTED_OPERATION"
    UPSTREAM_REJECTED = "UPSTREAM_REJECTED"
    SOURCE_UNAVAILABLE = "SOURCE_UNAVAILABLE"
    OUTCOME_UNKNOWN = "OUTCOME_UNKNOWN"
    IDEMPOTENCY_KEY_REUSED = "IDEMPOTENCY_KEY_REUSED"
    IDEMPOTENCY_KEY_IN_FLIGHT = "IDEMPOTENCY_KEY_IN_FLIGHT"
    FORBIDDEN = "FORBIDDEN"


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamRefusal:
    """What the source itself answered, as text."""

    status: int | None = None
    code: str | None = None
    message: str | None = None


@dataclass(frozen=True, slots=True)
class UserError:
    """One mistake; `field` is the path in the arguments in the graph's spelling, e.g. `("input", "total", "amount")`."""

    code: UserErrorCode
    message: str
    field: tuple[str, ...] | None = None
    upstream: UpstreamRefusal | None = None


@dataclass(frozen=True, slots=True)
class MoneyDraft:
    """An amount to write; `currency` None: the source's own."""

    amount: Decimal
    currency: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LineDraft:
    """A line to write; `vat_percent` is `25` for 25 %."""

    item_number: str
    quantity: Decimal
    position: int | None = None
    name: str | None = None
    description: str | None = None
    unit_price_excl_vat: Decimal | None = None
    discount: Decimal | None = None
    net_amount: Decimal | None = None
    vat_percent: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateInvoice:
    """Record an invoice whose content the caller supplies.

    `native_id` is the caller's, else made from source, caller and idempotency key. None and empty tuples: not given. `system`
    has the inputs that one system alone takes: by the name of that input in the graph, then by attribute name; a key is
    present only when the caller gave it.
    """

    native_id: UUID
    native_id_given: bool
    customer: Ref | None = None
    orders: tuple[Ref, ...] = ()
    number: str | None = None
    issue_date: date | None = None
    due_date: date | None = None
    created_at: datetime | None = None
    total: MoneyDraft | None = None
    vat: MoneyDraft | None = None
    note: str | None = None
    credited_invoice_number: str | None = None
    lines: tuple[LineDraft, ...] = ()
    allow_duplicate_number: bool = False
    """Write it although this gateway has written an invoice with this number to the source already."""
    system: Mapping[str, Mapping[str, object]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateInvoiceFromOrder:
    """Have the source invoice every row of the order that is not invoiced yet."""

    order: Ref


class SettingsWriteMode(StrEnum):
    """MERGE: read, lay the given fields over, write all. REPLACE: write exactly what is given."""

    MERGE = "MERGE"
    REPLACE = "REPLACE"


@dataclass(frozen=True, slots=True, kw_only=True)
class SetInvoiceSettings:
    """Create or change the invoicing terms of a customer.

    `values` has the given fields only, by the snake case of their names in the graph's input; None
    means clear. `invoice_recipient` is a `Ref`, ids are int, flags bool, `invoice_email` str.
    """

    customer: Ref
    values: Mapping[str, object]
    mode: SettingsWriteMode = SettingsWriteMode.MERGE
    expected_version: str | None = None


Write = CreateInvoice | CreateInvoiceFromOrder | SetInvoiceSettings
