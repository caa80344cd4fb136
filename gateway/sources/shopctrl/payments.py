"""Payments of an order -> what is paid and what is left of one of its invoices, pure.

An installation says in one of two shapes which invoice a payment is for: flat `InvoiceId`, or `PaymentAllocations` with an amount for
each. Pages: `GET v1/Orders/{orderId}/Payments` of https://feedback.salesupply.com/Help and https://www.shopctrl.com/docs/api/subs/.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import reduce

from gateway.model import InvoicePayments, Money, Payment
from gateway.sources.base import SourceProfile
from gateway.sources.decode import EXACTLY, Reading, exact, text_or_none
from gateway.sources.shopctrl.mapping import key_of, to_currency
from gateway.sources.shopctrl.payloads import PaymentPayload


@dataclass(frozen=True, slots=True)
class PaidPart:
    """A payment, or the part of it for one invoice. `invoice` None: it does not say which; `payment` None: not how much."""

    invoice: str | None
    payment: Payment | None


def to_parts(payments: Iterable[PaymentPayload], order: str, profile: SourceProfile) -> list[PaidPart]:
    """Map the payments of an order to what each is for; what is allocated to another order is left out."""
    return [part for payload in payments for part in _parts(payload, order, profile)]


def _parts(payload: PaymentPayload, order: str, profile: SourceProfile) -> Iterator[PaidPart]:
    if not payload.payment_allocations:
        yield PaidPart(key_of(payload.invoice_id), _to_payment(payload, payload.amount, profile))
    for allocation in payload.payment_allocations or ():
        if key_of(allocation.order_id) in {None, order}:
            yield PaidPart(key_of(allocation.invoice_id), _to_payment(payload, allocation.allocated_amount, profile))


def _to_payment(payload: PaymentPayload, sent: Decimal | None, profile: SourceProfile) -> Payment | None:
    reading = Reading(profile.time_zone)
    amount = exact(sent)
    if amount is None:
        return None
    return Payment(
        amount=Money(amount, to_currency(payload, profile, reading)),
        paid_on=reading.day(payload.payment_date),
        reference=text_or_none(payload.transaction_id) or text_or_none(payload.note),
    )


def to_payments(parts: Iterable[PaidPart], invoice: str, total: Money | None) -> InvoicePayments:
    """Give what is paid of an invoice and what is left.

    What is left is None where that cannot be said: a payment of the order names no invoice or no amount, the total is not known,
    or a payment is in another currency.
    """
    may_be_its = [part for part in parts if part.invoice in {None, invoice}]
    found = tuple(part.payment for part in may_be_its if part.invoice is not None and part.payment is not None)
    is_certain = len(found) == len(may_be_its)
    return InvoicePayments(_left(total, [payment.amount for payment in found]) if is_certain else None, found)


def _left(total: Money | None, paid: list[Money]) -> Money | None:
    if total is None or any(money.currency.code != total.currency.code for money in paid):
        return None
    return Money(reduce(EXACTLY.subtract, (money.amount for money in paid), total.amount), total.currency)
