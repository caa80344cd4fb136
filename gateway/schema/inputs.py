"""Inputs of the graph, and how they become the model's drafts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, TypeVar
from uuid import UUID

import strawberry

from gateway import loaders, model
from gateway.errors import AmbiguousLookup, InvalidInput, LookupUnsupported
from gateway.model import Kind, Ref, UserError, UserErrorCode
from gateway.schema.scalars import CurrencyCode
from gateway.schema.system import NOT_GIVEN, given
from gateway.schema.systems import SYSTEMS

T = TypeVar("T")


@strawberry.input
class NativeRef:
    """The source's own key."""

    source: str
    id: str


@strawberry.input(description="More than one match: AMBIGUOUS_LOOKUP with their ids. A source that cannot look up so: LOOKUP_UNSUPPORTED.")
class NumberRef:
    """See the description."""

    source: str
    number: str


@strawberry.input(one_of=True)
class Lookup:
    """Exactly one way to name an object."""

    id: strawberry.ID | None = NOT_GIVEN
    native: NativeRef | None = strawberry.field(default=NOT_GIVEN, description="By the source's own key.")
    number: NumberRef | None = strawberry.field(default=NOT_GIVEN, description="By the number the business uses.")

    def plain(self) -> loaders.Lookup:
        """Give the lookup without the graph's types."""
        if self.native:
            return loaders.ByNative(self.native.source, self.native.id)
        if self.number:
            return loaders.ByBusinessNumber(self.number.source, self.number.number)
        return loaders.ById(str(self.id))


@strawberry.input
class MoneyInput:
    """An amount to write."""

    amount: Decimal
    currency: CurrencyCode | None = strawberry.field(default=NOT_GIVEN, description="Refused when it contradicts the source's currency.")

    def plain(self) -> model.MoneyDraft:
        """Give the draft."""
        return model.MoneyDraft(self.amount, or_none(self.currency))


@strawberry.input
class CreateInvoiceLineInput:
    """A line to write."""

    position: int | None = NOT_GIVEN
    item_number: str
    name: str | None = NOT_GIVEN
    description: str | None = NOT_GIVEN
    quantity: Decimal
    unit_price_excl_vat: Decimal
    discount: Decimal | None = NOT_GIVEN
    net_amount: Decimal | None = NOT_GIVEN
    vat_percent: Decimal | None = NOT_GIVEN

    def plain(self) -> model.LineDraft:
        """Give the draft."""
        return model.LineDraft(
            position=or_none(self.position),
            item_number=self.item_number,
            name=or_none(self.name),
            description=or_none(self.description),
            quantity=self.quantity,
            unit_price_excl_vat=self.unit_price_excl_vat,
            discount=or_none(self.discount),
            net_amount=or_none(self.net_amount),
            vat_percent=or_none(self.vat_percent),
        )


class CreateInvoiceFields:
    """The fields of `CreateInvoiceInput` that every system shares."""

    native_id: UUID | None = strawberry.field(
        default=NOT_GIVEN,
        description=(
            "Key for sources that take one from the caller. Left out: made from source, caller and idempotency key, "
            "so that a repeat carries the same one."
        ),
    )
    customer: Lookup | None = NOT_GIVEN
    orders: list[Lookup] | None = NOT_GIVEN
    number: str | None = NOT_GIVEN
    issue_date: date | None = NOT_GIVEN
    due_date: date | None = NOT_GIVEN
    created_at: datetime | None = NOT_GIVEN
    total: MoneyInput | None = NOT_GIVEN
    vat: MoneyInput | None = NOT_GIVEN
    note: str | None = NOT_GIVEN
    credited_invoice_number: str | None = NOT_GIVEN
    lines: list[CreateInvoiceLineInput] | None = NOT_GIVEN
    allow_duplicate_number: bool = strawberry.field(
        default=False,
        description="This gateway has already written this number to this source: DUPLICATE_NUMBER unless true.",
    )


def _make_create_invoice_input() -> Any:  # noqa: ANN401  (a class with a field a system)
    own = {system.input_name: system.input for system in SYSTEMS if system.input_name is not None}
    body = {
        "__doc__": "What a source cannot take is refused by name, never dropped.",
        "__module__": __name__,
        "__annotations__": {
            **CreateInvoiceFields.__annotations__,
            **{name: input_type | None for name, input_type in own.items() if input_type},
        },
        **{name: getattr(CreateInvoiceFields, name) for name in CreateInvoiceFields.__annotations__},
        **dict.fromkeys(own, NOT_GIVEN),
    }
    made = type("CreateInvoiceInput", (), body)
    return strawberry.input(made, description="What a source cannot take is refused by name, never dropped.")


CreateInvoiceInput = _make_create_invoice_input()


@strawberry.input(description="Left out: keep. Null: clear.")
class InvoiceSettingsInput:
    """See the description."""

    retains_invoice_type: bool | None = NOT_GIVEN
    currency_id: int | None = NOT_GIVEN
    payment_terms_id: int | None = NOT_GIVEN
    pays_invoice_fee: bool | None = NOT_GIVEN
    invoice_type_id: int | None = NOT_GIVEN
    interest_type_id: int | None = NOT_GIVEN
    invoice_cycle_id: int | None = NOT_GIVEN
    invoice_recipient: Lookup | None = NOT_GIVEN
    credit_account_id: int | None = NOT_GIVEN
    allow_invoice_payment_from_order: bool | None = NOT_GIVEN
    send_invoice_from_order_as_email: bool | None = NOT_GIVEN
    invoice_email: str | None = strawberry.field(default=NOT_GIVEN, description="At most 50 characters.")
    reverse_tax: bool | None = strawberry.field(
        default=NOT_GIVEN,
        description="Required with MERGE where the installation does not return it: what cannot be read cannot be kept.",
    )


def or_none(value: T | None) -> T | None:
    """Give None for what was left out; for inputs where null means the same."""
    return None if value is strawberry.UNSET else value


def as_given(value: Any) -> object:  # noqa: ANN401  (any value of an argument)
    """Give an argument as JSON, without what was left out or is as if it were: the same for the same meaning only."""
    if isinstance(value, Enum):
        return value.value
    if hasattr(value, "__strawberry_definition__"):
        unsaid = (strawberry.UNSET,) if isinstance(value, InvoiceSettingsInput) else (strawberry.UNSET, None)  # there null clears
        items = {field.name: (getattr(value, field.name), field.default) for field in fields(value)}
        return {name: as_given(item) for name, (item, default) in items.items() if item not in unsaid and item != default}
    if isinstance(value, Mapping):
        return {str(name): as_given(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [as_given(item) for item in value]
    return value if value is None or isinstance(value, bool | int | str) else str(value)


def system_inputs(value: Any) -> Mapping[str, Mapping[str, object]]:  # noqa: ANN401  (CreateInvoiceInput)
    """Give the inputs of single systems that the caller gave, by the name of the input."""
    found = {system.input_name: getattr(value, system.input_name) for system in SYSTEMS if system.input_name is not None}
    return {name: given(item) for name, item in found.items() if item}


async def resolve_reference(
    context_loaders: loaders.Loaders, lookup: Lookup, kind: Kind, source: str, path: tuple[str, ...]
) -> Ref | UserError:
    """Turn a lookup inside an input into a reference of the source that is written to, or say what is wrong with it."""
    try:
        ref = await loaders.find_ref(context_loaders, lookup.plain(), kind)
    except InvalidInput as error:
        return UserError(UserErrorCode.INVALID, error.message, path)
    except AmbiguousLookup as error:
        return UserError(UserErrorCode.AMBIGUOUS, f"{error.message}: {', '.join(error.ids)}", path)
    except LookupUnsupported as error:
        return UserError(UserErrorCode.INVALID, error.message, path)
    if ref is None:
        return UserError(UserErrorCode.NOT_FOUND, "there is no such object", path)
    if ref.source != source:
        return UserError(UserErrorCode.CROSS_SOURCE_REFERENCE, f"this is of the source {ref.source}, the write goes to {source}", path)
    return ref
