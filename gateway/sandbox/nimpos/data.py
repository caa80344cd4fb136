"""The rows that a seed gives: a company for the demo's user and a small second one, so that a mixed-up user shows.

Ids depend on the position only and stay the same for every seed; `Odd` names the invoices made for one oddity each.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from enum import IntEnum
from typing import Final
from uuid import UUID, uuid5

from gateway.sandbox.nimpos import samples
from gateway.sandbox.nimpos.company import OPEN_STATUS, Company, to_table
from gateway.sandbox.nimpos.json_net import UNSET, Moment, Row, to_moment
from gateway.sandbox.nimpos.models import CUSTOM_FIELD, CUSTOMER, CUSTOMER_DEBT, CUSTOMER_INVOICE, ORDER, ZERO_GUID, defaults, paid_status
from gateway.sandbox.parties import Party

CUSTOMER_COUNT: Final = 120
INVOICE_COUNT: Final = 320
DEBT_COUNT: Final = 40
FIRST_INVOICE_NUMBER: Final = 20117
ORDER_STATUSES: Final = range(22)

_LOOSE_COUNT: Final = 64
_SECOND_COMPANY_COUNT: Final = 5
_NAMESPACE: Final = UUID("d7c1f0b2-6a43-5e0e-9c55-0b3f6f2f7a10")
_START: Final = to_moment("2025-01-02")
_SPAN: Final = to_moment("2026-10-30").ticks - _START.ticks
_HOUR: Final = 36_000_000_000
_CREDIT_EVERY: Final = 20
_ORDER_COUNTS: Final = (1, 1, 1, 1, 2, 2, 3, 4)
_PRICES: Final = tuple(Decimal(text) for text in ("50.0", "29.90", "5.0", "12.5", "149", "0.105", "1999.00", "85.00", "33.333"))
_REMARKS: Final = (None, "Månadsfaktura", "Leverans på kaj 3", "", "Tack för köpet!")
_ORDER_PAYMENT: Final = {1: 1, 2: 0}
"""Order.PaymentStatus by the invoice's: the two number their states differently."""

_Lines = tuple[tuple[Decimal, Decimal], ...]
"""Quantity and unit price of each line of an order."""


class Odd(IntEnum):
    """Positions of the invoices that show one oddity each."""

    SAMPLE = 0
    CREDIT = 1
    TWO_DECIMALS = 2
    ONE_DECIMAL = 3
    THREE_DECIMALS = 4
    LARGE = 5
    HUGE = 6
    UNSET_DATES = 7
    DELETED = 8
    EXPORT_ERROR = 9
    NON_ASCII = 10
    NEAR_MIDNIGHT = 11
    TWO_TERMINALS = 12
    ARCHIVED_ORDER = 13
    MANY_ORDERS = 14
    NO_CUSTOMER = 15
    SECOND_TWO_OCLOCK = 16


_ODD_FIELDS: Final[dict[int, Row]] = {
    Odd.UNSET_DATES: {"PaidDate": UNSET, "SentDate": UNSET, "ForeignInvoiceNumber": 0},
    Odd.DELETED: {"Deleted": True},
    Odd.EXPORT_ERROR: {"ExportStatus": 12, "ExportError": ("Fel vid överföring: kontot saknas. " * 15)[:500]},
    Odd.NON_ASCII: {"Remarks": "Påfyllning: rågbröd & 3 kaffe ☕ 漢字 🥐"},
    Odd.NEAR_MIDNIGHT: {"CreationDate": to_moment("2026-03-01T00:30:00.5+01:00")},
    Odd.NO_CUSTOMER: {"CustomerId": ZERO_GUID},
    Odd.SECOND_TWO_OCLOCK: {"CreationDate": to_moment("2025-10-26T02:30:00.0000001+01:00")},
}


@dataclass(frozen=True, slots=True)
class _Scope:
    """What the makers of one company's rows share."""

    seed: int
    company: str
    terminals: list[Row]
    customers: list[Row]

    def id(self, kind: str, index: object) -> str:
        return make_id(self.company, kind, index)

    def chance(self, kind: str, index: int) -> random.Random:
        return random.Random(f"{self.seed}/nimpos/{self.company}/{kind}/{index}")  # noqa: S311  (sample data)  # nosec B311


def make_id(company: str, kind: str, index: object) -> str:
    """Give the GUID of the row of that kind at that position, e.g. `make_id("demo", "invoice", Odd.CREDIT)`."""
    return str(uuid5(_NAMESPACE, f"{company}/{kind}/{index}"))


def terminal_ids() -> list[str]:
    """Give the terminals of the demo's company."""
    return [samples.TERMINAL, make_id("demo", "terminal", 1), make_id("demo", "terminal", 2)]


def make_demo_company(parties: tuple[Party, ...], seed: int) -> Company:
    """Make the company that the demo's user sees, with the samples and one invoice for each oddity."""
    outlets = [
        {"Id": samples.OUTLET, "Name": "Södermalm"},
        {"Id": make_id("demo", "outlet", 1), "Name": "Västerås"},
    ]
    terminals = [
        {"Id": terminal, "OutletId": outlets[max(0, index - 1)]["Id"], "Name": f"Kassa {index + 1}"}
        for index, terminal in enumerate(terminal_ids())
    ]
    customers = list(_make_customers("demo", parties[:CUSTOMER_COUNT], seed))
    scope = _Scope(seed, "demo", terminals, customers)
    company = _make_company(scope, outlets, range(1, INVOICE_COUNT), _LOOSE_COUNT, DEBT_COUNT - 1)
    _add_samples(company)
    _bend_demo(scope, company)
    return company


def make_second_company(parties: tuple[Party, ...], seed: int) -> Company:
    """Make a small company that shares no row with the demo's."""
    outlets = [{"Id": make_id("second", "outlet", 0), "Name": "Filialen"}]
    terminals = [{"Id": make_id("second", "terminal", 0), "OutletId": outlets[0]["Id"], "Name": "Kassa 1"}]
    customers = list(_make_customers("second", parties[:_SECOND_COMPANY_COUNT], seed))
    scope = _Scope(seed, "second", terminals, customers)
    return _make_company(scope, outlets, range(100, 100 + _SECOND_COMPANY_COUNT), 2, 1)


def _make_company(scope: _Scope, outlets: list[Row], invoice_range: range, loose_count: int, debt_count: int) -> Company:
    invoices: list[Row] = []
    orders: list[Row] = []
    for index in invoice_range:
        invoice, covered = _make_invoice(scope, index)
        invoices.append(invoice)
        orders.extend(covered)
    orders.extend(_make_loose_order(scope, index) for index in range(loose_count))
    debts = [_make_debt(scope, invoice) for invoice in invoices[-debt_count:]]
    return Company(
        outlets=outlets,
        terminals=scope.terminals,
        customers=to_table(scope.customers),
        orders=to_table(orders),
        invoices=to_table(invoices),
        debts=to_table(debts),
    )


def _add_samples(company: Company) -> None:
    for row in samples.customers():
        company.put_customer(row)
    company.orders.update(to_table(samples.orders()))
    company.invoices.update(to_table({**row, "OrdersGuid": ()} for row in samples.invoices()))
    company.debts.update(to_table(samples.debts()))


def _bend_demo(scope: _Scope, company: Company) -> None:
    """Give the orders of two odd invoices what makes them odd."""
    company.orders[scope.id("order", f"{Odd.TWO_TERMINALS:d}/1")]["TerminalId"] = scope.terminals[1]["Id"]
    archived = scope.id("order", f"{Odd.ARCHIVED_ORDER:d}/1")
    company.archived_orders[archived] = company.orders.pop(archived)


def _make_customers(company: str, parties: tuple[Party, ...], seed: int) -> Iterator[Row]:
    scope = _Scope(seed, company, [], [])
    rows = [_make_customer(scope, party, index) for index, party in enumerate(parties)]
    for child, parent in ((4, 3), (7, 8), (24, 23), (44, 23)):
        if parent < len(rows) and child < len(rows):
            rows[child]["ParentId"] = rows[parent]["Id"]
            rows[child]["Parent"] = rows[parent]
            rows[parent]["PrimaryContacts"] = [*rows[parent]["PrimaryContacts"], rows[child]]
    return iter(rows)


def _make_customer(scope: _Scope, party: Party, index: int) -> Row:
    chance = scope.chance("customer", index)
    created = _moment(chance)
    updated = Moment(created.ticks + chance.randrange(1000 * _HOUR))
    row_id = scope.id("customer", index)
    contact = f"{party.first_name} {party.last_name}"
    address = f"{party.street} {party.street_number}"
    return {
        **defaults(CUSTOMER),
        "Id": row_id,
        "ParentId": None if index % 5 == 0 else ZERO_GUID,
        "Name": party.name,
        "OrgNo": party.organization_number or (None if index % 8 == 3 else ""),  # noqa: PLR2004  (half of the persons)
        "Address1": address,
        "PortCode": "1234" if index % 9 == 0 else None,
        "CustomerNo": str(2000 + index),
        "City": party.city,
        "Phone": party.phone,
        "Email": None if index % 11 == 0 else party.email,
        "ZipCode": party.postal_code,
        "Reference": contact if party.is_company else None,
        "Active": index % 17 != 0,
        "Synced": True,
        "CustomerType": 1 if party.is_company else 0,
        "PrimaryName": contact,
        "PrimaryEmail": party.email,
        "SendReceipt": index % 2 == 0,
        "Created": created,
        "Updated": updated,
        "PriceListId": None if index % 3 else ZERO_GUID,
        "Customer_CustomField": [_make_custom_field(scope, row_id, index, created)] if index % 6 == 0 else [],
        "OrgNumber": party.organization_number,
        "CustomerName": party.name,
        "Address": address,
        "ContactReference": contact,
    }


def _make_custom_field(scope: _Scope, customer_id: str, index: int, updated: Moment) -> Row:
    return {
        **defaults(CUSTOM_FIELD),
        "Id": scope.id("custom field", index),
        "FieldId": scope.id("field", 0),
        "CustomerId": customer_id,
        "Caption": "Kostnadsställe",
        "Text": str(200 + index),
        "SortOrder": 1,
        "Updated": updated,
    }


def _make_invoice(scope: _Scope, index: int) -> tuple[Row, list[Row]]:
    """Make an invoice and the orders that it covers; its total is theirs."""
    chance = scope.chance("invoice", index)
    customer = chance.choice(scope.customers)
    terminal = scope.terminals[0] if index < len(Odd) else chance.choice(scope.terminals)
    made = _moment(chance)
    status = index % 7
    is_sent = chance.random() < 0.5  # noqa: PLR2004  (half of them)
    invoice: Row = {
        **defaults(CUSTOMER_INVOICE),
        "Id": scope.id("invoice", index),
        "InvoiceNumber": FIRST_INVOICE_NUMBER + index,
        "CustomerId": customer["Id"],
        "Remarks": chance.choice(_REMARKS),
        "PaymentStatus": status,
        "PaidDate": Moment(made.ticks + 200 * _HOUR) if status == 1 else None,
        "DueDate": _due(made),
        "EmailSent": is_sent,
        "SentDate": Moment(made.ticks + _HOUR) if is_sent else None,
        "OutletId": terminal["OutletId"],
        "TerminalId": terminal["Id"],
        "ForeignInvoiceNumber": 900_000 + index if index % 3 == 0 else 0,
        "ExportStatus": chance.randrange(3),
        "CreationDate": made,
        "PaidStatus": paid_status(status),
        **_ODD_FIELDS.get(index, {}),
    }
    orders = [_make_invoiced_order(scope, invoice, f"{index}/{place}", lines) for place, lines in enumerate(_lines(chance, index))]
    invoice["InvoiceTotal"] = sum((order["OrderTotal"] for order in orders[1:]), orders[0]["OrderTotal"])
    return invoice, orders


def _lines(chance: random.Random, index: int) -> list[_Lines]:
    """Choose what each order of an invoice sells; returns have quantities below zero."""
    one = Decimal(1)
    odd: dict[int, list[_Lines]] = {
        Odd.CREDIT: [((Decimal("-25.0"), Decimal("50.0")),)],
        Odd.TWO_DECIMALS: [((one, Decimal("29.90")),)],
        Odd.ONE_DECIMAL: [((one, Decimal("5.0")),)],
        Odd.THREE_DECIMALS: [((one, Decimal("0.105")),)],
        Odd.LARGE: [((one, Decimal("21500000.01")),)],
        Odd.HUGE: [((one, Decimal("123456789012.34")),)],
        Odd.TWO_TERMINALS: [((one, Decimal("100.00")),), ((one, Decimal("50.00")),)],
        Odd.ARCHIVED_ORDER: [((one, Decimal("70.00")),), ((one, Decimal("30.00")),)],
        Odd.MANY_ORDERS: [((Decimal(place), Decimal("10.00")),) for place in (1, 2, 3, 4)],
    }
    if index in odd:
        return odd[index]
    sign = -1 if index % _CREDIT_EVERY == 1 else 1
    return [
        tuple((Decimal(sign * chance.randrange(1, 30)), chance.choice(_PRICES)) for _ in range(chance.randrange(1, 4)))
        for _ in range(chance.choice(_ORDER_COUNTS))
    ]


def _make_invoiced_order(scope: _Scope, invoice: Row, index: str, lines: _Lines) -> Row:
    made = Moment(invoice["CreationDate"].ticks - (10 + len(index)) * _HOUR)
    order = _make_order(scope, index, lines, made, invoice["CustomerId"])
    is_return = order["OrderTotal"] < 0
    order.update(
        {
            "Status": 15 if is_return else 13,
            "Type": 5 if is_return else 0,
            "PaymentStatus": _ORDER_PAYMENT.get(invoice["PaymentStatus"], 2),
            "InvoiceNumber": invoice["InvoiceNumber"],
            "InvoiceDate": invoice["CreationDate"],
            "InvoiceGenerated": True,
            "TerminalId": invoice["TerminalId"],
            "OutletId": invoice["OutletId"],
            "CustomerInvoiceId": invoice["Id"],
            "DueDate": invoice["DueDate"],
        }
    )
    if order["PaymentStatus"] == 1:
        payment = {"Id": scope.id("payment", index), "PaidAmount": order["OrderTotal"], "PaymentDate": invoice["PaidDate"]}
        order.update({"Payments": [payment], "BalanceAmount": Decimal("0.0")})
    return order


def _make_loose_order(scope: _Scope, index: int) -> Row:
    """Make an order that no invoice covers: first one of each status, then open ones."""
    chance = scope.chance("loose order", index)
    terminal = chance.choice(scope.terminals)
    customer_id = None if index % 6 == 0 else chance.choice(scope.customers)["Id"]
    lines = ((Decimal(chance.randrange(1, 9)), chance.choice(_PRICES)),)
    return {
        **_make_order(scope, f"loose/{index}", lines, _moment(chance), customer_id),
        "Status": index if index in ORDER_STATUSES else OPEN_STATUS,
        "Type": index % 7,
        "PaymentStatus": index % 4,
        "TerminalId": terminal["Id"],
        "OutletId": terminal["OutletId"],
        "CustomerInvoiceId": None if index % 2 else ZERO_GUID,
    }


def _make_order(scope: _Scope, index: str, lines: _Lines, made: Moment, customer_id: str | None) -> Row:
    customer = next((row for row in scope.customers if row["Id"] == customer_id), None)
    total = sum((quantity * price for quantity, price in lines[1:]), lines[0][0] * lines[0][1])
    copies = {
        "CustomerName": customer["Name"],
        "CustomerPhone": customer["Phone"],
        "PrimaryContact": customer["PrimaryName"],
        "CustomerNo": customer["CustomerNo"],
        "Email": customer["Email"],
        "CustomerAddress": customer["Address1"],
    } if customer else {}  # fmt: skip
    return {
        **defaults(ORDER),
        "Id": scope.id("order", index),
        "CreationDate": made,
        "OrderNoOfDay": str(1 + made.ticks // _HOUR % 40),
        "CustomerId": customer_id,
        "UserId": scope.id("user", 0),
        "OrderTotal": total,
        "Updated": Moment(made.ticks + _HOUR // 6),
        "OrderLines": [
            {"Id": scope.id("line", f"{index}/{place}"), "Quantity": quantity, "UnitPrice": price}
            for place, (quantity, price) in enumerate(lines)
        ],
        "CreatedBy": "Kassa 1",
        "BalanceAmount": total,
        "ServiceTypeCode": "STD",
        "OpenSynced": True,
        "Synced": True,
        **copies,
    }


def _make_debt(scope: _Scope, invoice: Row) -> Row:
    index = invoice["InvoiceNumber"] - FIRST_INVOICE_NUMBER
    return {
        **defaults(CUSTOMER_DEBT),
        "Id": scope.id("debt", index),
        "OrderId": scope.id("order", f"{index}/0"),
        "CustomerId": invoice["CustomerId"],
        "InvoiceDate": invoice["CreationDate"],
        "TotalAmount": invoice["InvoiceTotal"],
        "Balance": Decimal("0.0") if invoice["PaymentStatus"] == 1 else invoice["InvoiceTotal"],
        "PaymentType": 64,
        "Synced": True,
        "Updated": invoice["CreationDate"],
        "InvoiceNumber": invoice["InvoiceNumber"],
        "BtnColor": "#FFD3D3D3",
    }


def _moment(chance: random.Random) -> Moment:
    """Choose a time; one in four is a whole second, so that times without a fraction occur too."""
    ticks = _START.ticks + chance.randrange(_SPAN)
    return Moment(ticks - ticks % 10_000_000) if chance.random() < 0.25 else Moment(ticks)  # noqa: PLR2004  (one in four)


def _due(made: Moment) -> Moment:
    """Give the midnight thirty days on."""
    return to_moment((made.local() + timedelta(days=30)).date().isoformat())
