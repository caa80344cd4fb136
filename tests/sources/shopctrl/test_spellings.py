"""What comes as the vendor's pages show it is read on a short way: it gives what the way for every other spelling gives."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model import UNREAD, Currency, CurrencyOrigin, Customer, Invoice, Order, PaymentStatus
from gateway.sources.decode import Malformed, decode
from gateway.sources.shopctrl.mapping import Sent, to_customer, to_invoice, to_order, to_order_row
from gateway.sources.shopctrl.payloads import CustomerPayload, InvoicePayload, OrderPayload
from tests.sources.shopctrl.samples import AT, CUSTOMER, INVOICE, INVOICE_BASE_2021, INVOICE_BASE_2026, ORDER, ORDER_ROW, PROFILE

Record = Order | Customer | Invoice
Row = dict[str, Any]

LATER = ("ShopId", "PaymentStatusId", "SentStatusId", "CustomStatusId")


def order_of(body: bytes) -> Order:
    return to_order(decode(body, OrderPayload), PROFILE, Sent("1", body, AT))


def row_of(body: bytes) -> Order:
    return to_order_row(decode(body, OrderPayload), PROFILE, Sent("1", body, AT), 3)


def invoice_of(body: bytes) -> Invoice:
    return to_invoice(decode(body, InvoicePayload), PROFILE, Sent("1", body, AT), is_whole=True)


def base_of(body: bytes) -> Invoice:
    return to_invoice(decode(body, InvoicePayload), PROFILE, Sent("1", body, AT), is_whole=False)


def customer_of(body: bytes) -> Customer:
    return to_customer(decode(body, CustomerPayload), PROFILE, Sent("1", body, AT))


def spelt_otherwise(fields: Row, oddly: Callable[[], bool]) -> Row:
    """Give the same object with ids as text, dates with blanks, and currencies in small letters, each where `oddly` says so."""
    return {name: _spelt(name, value) if oddly() else value for name, value in fields.items()}


def _spelt(name: str, value: object) -> object:
    match value:
        case int() if name.endswith("Id") and not isinstance(value, bool):
            return f" 00{value} "
        case str() if name.endswith(("Date", "Timestamp")):
            return f" {value}".replace("T", " ")
        case str() if name == "CurrencyCode":
            return f" {value.lower()} "
        case _:
            return value


AMOUNTS = st.none() | st.integers(-(10**6), 10**6) | st.decimals(-(10**6), 10**6, places=2).map(float)
IDS = st.none() | st.integers(0, 10**9)
INSTANTS = st.none() | st.sampled_from(
    ["2026-01-11T16:17:35+01:00", "2026-01-11T16:17:35.0304578+01:00", "2026-07-11T00:30:00Z", "2026-01-11T16:17:35", "0001-01-01T00:00:00"]
)
FIELDS = {
    "Amount": AMOUNTS,
    "Id": IDS,
    "Date": INSTANTS,
    "CurrencyCode": st.none() | st.sampled_from(["EUR", "SEK", "XTS", "", "euros"]),
    "Code": st.none() | st.sampled_from(["UTR-1", "a/b", " ", ""]),
    "Deleted": st.none() | st.booleans(),
}
KIND_OF_FIELD = {
    "Id": [
        "CurrencyId",
        "MainStatusId",
        "PaymentStatusId",
        "SentStatusId",
        "CustomStatusId",
        "ShopId",
        "CustomerId",
        "OrderId",
        "DocumentFileId",
    ],
    "Amount": ["OrderTotalIncVat", "OrderTotalExVat", "InvoiceTotalIncVat", "InvoiceTotalExVat", "ShippingCostsExVat", "PaymentFeeIncVat"],
    "Date": ["Date", "InvoiceDate", "ChangedTimestamp"],
    "CurrencyCode": ["CurrencyCode"],
    "Code": ["OrderCode", "InvoiceCode", "CustomerCode"],
    "Deleted": ["Deleted"],
}
ROWS = st.fixed_dictionaries({}, optional={name: FIELDS[kind] for kind, names in KIND_OF_FIELD.items() for name in names})


@given(ROWS, st.randoms(use_true_random=False), st.sampled_from([order_of, row_of, invoice_of, base_of]))
def test_an_object_is_the_same_in_the_published_spelling_and_in_others(row: Row, chance: Any, read: Callable[[bytes], Record]) -> None:  # noqa: ANN401  (a random.Random)
    published, other = (json.dumps(fields).encode() for fields in (row, spelt_otherwise(row, lambda: chance.random() < 0.5)))
    assert replace(read(published), raw=None) == replace(read(other), raw=None)


@pytest.mark.parametrize(
    ("sample", "read"),
    [(ORDER, order_of), (ORDER_ROW, row_of), (INVOICE, invoice_of), (INVOICE_BASE_2026, base_of), (INVOICE_BASE_2021, base_of)],
)
def test_the_samples_are_the_same_in_other_spellings(sample: str, read: Callable[[bytes], Record]) -> None:
    other = json.dumps(spelt_otherwise(json.loads(sample), lambda: True)).encode()
    assert replace(read(other), raw=None) == replace(read(sample.encode()), raw=None)


def test_a_customer_is_the_same_with_blanks_around_an_empty_text_and_null_for_it() -> None:
    fields = json.loads(CUSTOMER)
    published, other = (json.dumps({**fields, "CustomerCode": code, "FullName": code}).encode() for code in (None, "  "))
    assert replace(customer_of(published), raw=None) == replace(customer_of(other), raw=None)


@given(st.text(alphabet="EURSKDAxz8 é", max_size=5))
def test_a_currency_is_read_by_one_rule_whether_it_is_a_usual_one_or_not(code: str) -> None:
    currency = invoice_of(json.dumps({"CurrencyCode": code}).encode()).currency
    letters = code.strip().upper()
    is_code = len(letters) == 3 and letters.isascii() and letters.isalpha()
    assert currency == Currency(letters if is_code else None, CurrencyOrigin.RECORD if is_code else CurrencyOrigin.UNKNOWN)


@pytest.mark.parametrize("read", [order_of, row_of, invoice_of, base_of])
def test_a_usual_currency_hides_no_currency_id_that_is_none(read: Callable[[bytes], Record]) -> None:
    with pytest.raises(Malformed):
        read(b'{"CurrencyCode": "EUR", "CurrencyId": "x"}')


@pytest.mark.parametrize("lacking", LATER)
def test_of_a_base_a_status_that_is_null_is_none_and_one_that_is_not_there_is_left_to_the_whole_invoice(lacking: str) -> None:
    fields = {**json.loads(INVOICE_BASE_2026), **dict.fromkeys(LATER)}
    known = base_of(json.dumps(fields).encode())
    del fields[lacking]
    unknown = base_of(json.dumps(fields).encode())
    assert (known.payment_status, known.details is UNREAD, known.source_statuses is UNREAD) == (PaymentStatus.UNKNOWN, False, False)
    assert (unknown.details is UNREAD, unknown.source_statuses is UNREAD) == (True, lacking != "ShopId")
