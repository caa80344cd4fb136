"""The one write, `POST v1/Orders/{orderId}/Invoices`, pure: what is refused, and what an answer or a look proves.

The command has no body and can be told nothing but the order; what it made shows in the invoices of the order.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

import msgspec

from gateway.model import (
    Confirmation,
    CreateInvoice,
    Invoice,
    MutationOutcome,
    Order,
    SetInvoiceSettings,
    UpstreamRefusal,
    UserError,
    UserErrorCode,
)
from gateway.sources.base import Refused, Settled
from gateway.sources.decode import Malformed, decode_tree, text_or_none
from gateway.transport import Response

_LONGEST_MESSAGE: Final = 1000
_MOST_ENTRIES: Final = 50


class Before(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen before the write; goes through the journal as plain JSON."""

    order: str
    number: str | None = None
    hint: str | None = None
    invoices: tuple[str, ...] | None = None
    """Keys of the order's invoices; None: the source did not show them, so a look later cannot compare."""

    def to_plain(self) -> object:
        """Give it as a JSON value."""
        return msgspec.to_builtins(self)

    @classmethod
    def from_plain(cls, value: object) -> Before:
        """Read what `to_plain` gave."""
        return msgspec.convert(value, cls)


def refuse(write: CreateInvoice | SetInvoiceSettings) -> Refused:
    """Refuse a write that the system does not publish, by name."""
    if isinstance(write, CreateInvoice):
        message = "ShopCtrl takes no invoice content: it invoices what is left of an order, see createInvoiceFromOrder"
    else:
        message = "ShopCtrl keeps no invoicing terms on a customer"
    return Refused((UserError(UserErrorCode.UNSUPPORTED_OPERATION, message),), unsupported=True)


def refuse_unknown_order() -> Refused:
    """Refuse to invoice an order that the source does not have."""
    return Refused((UserError(UserErrorCode.NOT_FOUND, "the source has no such order", ("order",)),))


def new_invoices(before: Before, shown: Collection[str] | None) -> tuple[str, ...] | None:
    """Give the invoices that came since; None: cannot be said, as one of the two looks showed nothing."""
    if shown is None or (before.invoices is None and shown):
        return None
    known = frozenset(before.invoices or ())
    return tuple(key for key in shown if key not in known)


def applied(invoice: Invoice, order: Order, confirmation: Confirmation) -> Settled:
    """Say that the invoice was made."""
    return Settled(outcome=MutationOutcome.APPLIED, confirmation=confirmation, record=invoice, order=order)


def nothing_to_do(order: Order) -> Settled:
    """Say that no row was left to invoice, by the source's own answer `null`."""
    return Settled(outcome=MutationOutcome.NOTHING_TO_DO, confirmation=Confirmation.ECHO, order=order)


def absent(order: Order) -> Settled:
    """Say that the order has no invoice that it did not have before."""
    message = "the source made no invoice: the order has none that it did not have before"
    return Settled(outcome=MutationOutcome.REJECTED, order=order, errors=(UserError(UserErrorCode.UPSTREAM_REJECTED, message),))


def unknown(order: Order, because: str) -> Settled:
    """Say that nothing is proven, and where to look by hand."""
    name = f"{order.number} (id {order.ref.native_id})" if isinstance(order.number, str) else f"with id {order.ref.native_id}"
    message = f"it is not known whether an invoice was made, as {because}: look at the invoices of the order {name}"
    return Settled(outcome=MutationOutcome.UNKNOWN, order=order, errors=(UserError(UserErrorCode.OUTCOME_UNKNOWN, message),))


def to_refusals(response: Response) -> tuple[UpstreamRefusal, ...]:
    """Read an error answer: ASP.NET's `Message` and one entry for each text of `ModelState`; at least the status."""
    try:
        tree = decode_tree(response.body)
    except Malformed:
        tree = None
    if isinstance(tree, str):
        tree = {"Message": tree}
    if not isinstance(tree, dict):
        return (UpstreamRefusal(status=response.status),)
    whole = UpstreamRefusal(status=response.status, message=_text(tree.get("Message")))
    return (whole, *_model_state(tree.get("ModelState"), response.status)[:_MOST_ENTRIES])


def _model_state(state: object, status: int) -> list[UpstreamRefusal]:
    if not isinstance(state, Mapping):
        return []
    return [
        UpstreamRefusal(status=status, code=_text(field), message=_text(text))
        for field, texts in state.items()
        for text in (texts if isinstance(texts, list) else [texts])
    ]


def _text(value: object) -> str | None:
    return text_or_none(value[:_LONGEST_MESSAGE]) if isinstance(value, str) else None
