"""Payments in both shapes, and what is left of an invoice."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import MalformedAnswer, UpstreamUnavailable
from gateway.model import Currency, CurrencyOrigin, InvoicePayments, Kind, Money, Payment, Ref
from gateway.sources.base import Answer, Fetch
from gateway.sources.decode import decode
from gateway.sources.shopctrl.payloads import PaymentPayload
from gateway.sources.shopctrl.payments import to_parts, to_payments
from gateway.sources.shopctrl.source import ShopctrlSource
from gateway.transport import Response
from tests.fakes import FakeWire, answer, make_parts, make_scope
from tests.sources.shopctrl.samples import INVOICE, OPTIONS, PAYMENTS_ALLOCATED, PAYMENTS_FLAT, PROFILE

pytestmark = pytest.mark.anyio

EUR = Currency("EUR", CurrencyOrigin.RECORD)
TOTAL = Money(Decimal("242.0"), EUR)
REF = Ref("shop", Kind.INVOICE, "88121")
HINTED = Ref("shop", Kind.INVOICE, "88121", hint="order/55012/242.0/EUR/RECORD")
OF_ORDER = "/v1/Orders/55012/Payments"
THE_INVOICE = "/v1/Invoices/88121?includeDeleted=true"
PAID = InvoicePayments(Money(Decimal("142.0"), EUR), (Payment(Money(Decimal("100.0"), EUR), date(2026, 1, 12), "tr_7Hk2"),))


def payments_of(rows: object, total: Money | None = TOTAL, invoice: str = "88121") -> InvoicePayments:
    text = rows if isinstance(rows, str) else json.dumps(rows)
    return to_payments(to_parts(decode(text.encode(), list[PaymentPayload]), "55012", PROFILE), invoice, total)


def paid(payments: InvoicePayments) -> list[str]:
    return [str(payment.amount.amount) for payment in payments.payments or ()]


@pytest.mark.parametrize("rows", [PAYMENTS_FLAT, PAYMENTS_ALLOCATED])
def test_a_payment_of_either_shape_counts_for_the_invoice_it_names(rows: str) -> None:
    assert payments_of(rows) == PAID


@pytest.mark.parametrize("rows", [PAYMENTS_FLAT, PAYMENTS_ALLOCATED])
def test_a_payment_for_another_invoice_leaves_this_one_whole(rows: str) -> None:
    assert payments_of(rows, invoice="7") == InvoicePayments(TOTAL, ())


def test_no_payment_leaves_everything() -> None:
    assert payments_of("[]") == InvoicePayments(TOTAL, ())


def test_without_a_transaction_the_note_is_the_reference_and_without_a_date_there_is_none() -> None:
    (payment,) = (
        payments_of([{"Amount": 1, "CurrencyCode": "EUR", "InvoiceId": 88121, "TransactionId": " ", "Note": "iDEAL"}]).payments or ()
    )
    assert (payment.reference, payment.paid_on) == ("iDEAL", None)


@pytest.mark.parametrize(
    "rest",
    [
        {"Amount": 5, "CurrencyCode": "EUR"},
        {"Amount": 5, "CurrencyCode": "EUR", "InvoiceId": 0},
        {"Amount": 5, "CurrencyCode": "EUR", "PaymentAllocations": []},
        {"Amount": 5, "CurrencyCode": "EUR", "PaymentAllocations": [{"OrderId": 55012, "AllocatedAmount": 5}]},
        {"CurrencyCode": "EUR", "InvoiceId": 88121},
        {"CurrencyCode": "EUR", "PaymentAllocations": [{"InvoiceId": 88121}]},
    ],
)
def test_what_is_left_is_not_said_where_a_payment_does_not_say_for_which_invoice_or_how_much(rest: dict[str, object]) -> None:
    found = payments_of([*json.loads(PAYMENTS_FLAT), rest])
    assert (found.amount_due, paid(found)) == (None, ["100.0"])


def test_what_is_allocated_elsewhere_is_no_payment_of_this_order() -> None:
    allocations = [
        {"OrderId": 55012, "InvoiceId": 88121, "AllocatedAmount": 40.5},
        {"OrderId": 7, "InvoiceId": 88121, "AllocatedAmount": 9},
        {"OrderId": 7, "AllocatedAmount": 9},
        {"OrderId": 55012, "InvoiceId": 88122, "AllocatedAmount": 50},
    ]
    found = payments_of([{"Amount": 100, "CurrencyCode": "EUR", "InvoiceId": 7, "PaymentAllocations": allocations}])
    assert (found.amount_due, paid(found)) == (Money(Decimal("201.5"), EUR), ["40.5"])


def test_nothing_is_subtracted_in_another_currency_or_from_an_unknown_total() -> None:
    dollars = payments_of([{"Amount": 5, "CurrencyCode": "USD", "InvoiceId": 88121}])
    assert (dollars.amount_due, paid(dollars)) == (None, ["5"])
    assert payments_of(PAYMENTS_FLAT, total=None).amount_due is None


@given(st.lists(st.decimals(-10_000, 10_000, places=4), max_size=8), st.decimals(-10_000, 10_000, places=2))
def test_what_is_left_is_the_total_less_the_payments_exactly(amounts: list[Decimal], total: Decimal) -> None:
    rows = ",".join(f'{{"Amount": {amount}, "CurrencyCode": "EUR", "InvoiceId": 1}}' for amount in amounts)
    found = payments_of(f"[{rows}]", Money(total, EUR), "1")
    assert found.amount_due is not None
    assert found.amount_due.amount == total - sum(amounts)


# ------------------------------------------------------------------ calls


def make(answers: dict[str, Response]) -> tuple[ShopctrlSource, FakeWire]:
    def handler(request: object) -> Response:
        return answers.get(str(getattr(request, "url", "")).split("/base", 1)[-1], answer("", 404))

    parts, wire = make_parts(OPTIONS, handler, key="shop", system="SHOPCTRL")
    return ShopctrlSource(parts), wire


async def fetch(source: ShopctrlSource, *refs: Ref, fields: frozenset[str] | None = None) -> list[Answer]:
    return list(await source.fetch_many(Fetch.PAYMENTS, refs, make_scope(), fields))


def calls(wire: FakeWire) -> list[str]:
    return [request.url.split("/base", 1)[-1] for request in wire.requests]


async def test_the_invoice_is_read_first_where_its_order_or_total_is_not_known() -> None:
    for ref in (REF, Ref("shop", Kind.INVOICE, "88121", hint="order/55012")):
        source, wire = make({THE_INVOICE: answer(INVOICE), OF_ORDER: answer(PAYMENTS_FLAT)})
        assert await fetch(source, ref) == [PAID]
        assert calls(wire) == [THE_INVOICE, OF_ORDER]


async def test_an_invoice_that_was_read_before_is_not_read_again() -> None:
    source, wire = make({OF_ORDER: answer(PAYMENTS_FLAT)})
    assert await fetch(source, HINTED) == [PAID]
    assert calls(wire) == [OF_ORDER]


async def test_where_what_is_left_is_not_asked_the_order_is_enough() -> None:
    source, wire = make({OF_ORDER: answer(PAYMENTS_FLAT)})
    found = await fetch(source, Ref("shop", Kind.INVOICE, "88121", hint="order/55012"), fields=frozenset({"payments"}))
    assert found == [InvoicePayments(None, PAID.payments)]
    assert calls(wire) == [OF_ORDER]


async def test_the_invoices_of_one_order_share_a_call() -> None:
    other = Ref("shop", Kind.INVOICE, "88122", hint="order/55012/10/EUR/RECORD")
    elsewhere = Ref("shop", Kind.INVOICE, "88123", hint="order/55013/10/EUR/RECORD")
    source, wire = make({OF_ORDER: answer(PAYMENTS_FLAT), "/v1/Orders/55013/Payments": answer("", 503)})
    first, second, third = await fetch(source, HINTED, other, elsewhere)
    assert (first, second) == (PAID, InvoicePayments(Money(Decimal(10), EUR), ()))
    assert isinstance(third, UpstreamUnavailable)
    assert sorted(calls(wire)) == [OF_ORDER, "/v1/Orders/55013/Payments"]


async def test_what_is_not_shown_is_not_said_and_what_is_not_there_is_none() -> None:
    source, _ = make({})
    assert await fetch(source, HINTED) == [InvoicePayments()]
    assert await fetch(source, REF) == [None]
    alone, wire = make({THE_INVOICE: answer('{"Id": 88121, "InvoiceTotalIncVat": 1}')})
    assert await fetch(alone, REF) == [InvoicePayments()]
    assert calls(wire) == [THE_INVOICE]


@pytest.mark.parametrize("body", ["{}", '[{"Amount": "x"}]', '[{"InvoiceId": -1}]', '[{"Amount": 1, "PaymentDate": "soon"}]'])
async def test_payments_that_cannot_be_read_are_a_failure_of_each(body: str) -> None:
    source, _ = make({OF_ORDER: answer(body)})
    (failure,) = await fetch(source, HINTED)
    assert isinstance(failure, MalformedAnswer)
