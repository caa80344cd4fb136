"""Orders and invoices made from the seed. Nothing but free text joins an order to an invoice, as in the vendor's models."""

# ruff: noqa: PLR2004, S311  (sample data: the shares are plain numbers, and nothing here is a secret)

from __future__ import annotations

import random
import uuid
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Final

from gateway.sandbox.compilator.samples import CONTACT_ID, CUSTOMER_NUMBER, INVOICE_NUMBER, ORDER_KEY, sample_invoice, sample_order

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.sandbox.compilator.samples import Record

BRANCHES: Final = {12: "Däckcenter Västerås", 21: "Däckcenter Uppsala", 34: "Däckcenter Göteborg", 47: "Däckcenter Oslo"}
ORDER_STATUSES: Final = {1: "Öppen", 2: "Stängd", 3: "Borttagen"}
SALES_PEOPLE: Final = ("Anna Berg", "Per-Olov Ström", "Yrsa Lövgren", "Ulf Gårdh")

# Each branch numbers its own orders, so that 5510 to 5519 and 7070 to 7079 are found in two branches.
_FIRST_ORDER_OF_BRANCH: Final = {12: 5440, 21: 5510, 34: 7000, 47: 7070}
_ORDERS_OF_BRANCH: Final = 80
_FIRST_INVOICE: Final = 910001
_INVOICES: Final = 320

_WMS_STATUSES: Final = {1: "Ej skickad", 2: "Skickad", 3: "Bekräftad", 4: "Behandlad", 5: "Sändfel", 6: "Fel", 7: "Låst"}
_CLOSE_TYPES: Final = {1: "Följesedel", 2: "Reservation", 3: "Kontantorder"}
_INVOICE_TYPES: Final = {1: "Kontofaktura", 2: "Kreditfaktura", 3: "Internfaktura", 4: "Samlingsfaktura"}
_ARTICLES: Final = (
    (810045, "Vinterdäck 315/70R22.5", "2950.00"), (810112, "Sommardäck 205/55R16", "849.00"), (820300, "Fälg 17x7.5 aluminium", "1195.50"),
    (990010, "Balansering", "350.00"), (990011, "Däckhotell, säsong", "695.00"), (990020, "Arbetstid, timme", "845.00"),
)  # fmt: skip
_TEXTS: Final = ("Monteras innan kl. 07", "Kontrollera mönsterdjup", "Ring kunden när bilen är klar", "Efterdras efter 5 mil")

_ONE: Final = Decimal(1)
_CENT: Final = Decimal("0.01")


def make_orders(
    seed: int, customers: Mapping[int, Record], currencies: Mapping[int, Record], plates_of: Mapping[int, Sequence[str]]
) -> dict[tuple[int, int], Record]:
    """Make 80 orders for each of the 4 branches, keyed by (id, branch)."""
    orders: dict[tuple[int, int], Record] = {}
    for branch_id, first in _FIRST_ORDER_OF_BRANCH.items():
        for order_id in range(first, first + _ORDERS_OF_BRANCH):
            chance = random.Random(f"{seed}/compilator/order/{branch_id}/{order_id}")  # nosec B311  # sample data
            customer = _some_customer(chance, customers) if chance.random() < 0.9 else None  # the rest are cash sales
            currency = currencies[_currency_id(chance, customer)]
            order = _order(chance, seed, order_id, branch_id, customer, currency)
            plates = plates_of.get(customer["CustomerNo"], ()) if customer else ()
            order["LicensePlate"] = chance.choice(plates) if plates else None
            orders[order_id, branch_id] = order
    orders[ORDER_KEY] = sample_order()
    return orders


def order_totals(lines: Sequence[Record], rounding_unit: Decimal) -> Record:
    """Sum the lines' articles; `RoundingAmount` brings the sum to a multiple of the currency's unit."""
    articles = [line["OrderLineArticle"] for line in lines if line["OrderLineArticle"]]
    excluding = sum((article["Amount"] for article in articles), Decimal("0.00"))
    vat = sum((article["VatAmount"] for article in articles), Decimal("0.00"))
    rounding = rounding_to(excluding + vat, rounding_unit)
    return {
        "TotalAmountIncludingVat": excluding + vat + rounding,
        "TotalAmountExcludingVat": excluding,
        "RoundingAmount": rounding,
    }


def rounding_to(amount: Decimal, unit: Decimal) -> Decimal:
    """Give what must be added to `amount` to make it a multiple of `unit`."""
    return (amount / unit).quantize(_ONE, ROUND_HALF_UP) * unit - amount


def make_invoices(seed: int, customers: Mapping[int, Record], currencies: Mapping[int, Record]) -> tuple[dict[int, Record], frozenset[int]]:
    """Make 320 invoices keyed by number, and say which of them are internal."""
    invoices: dict[int, Record] = {}
    internal: set[int] = set()
    for index in range(_INVOICES):
        number = _FIRST_INVOICE + index
        chance = random.Random(f"{seed}/compilator/invoice/{number}")  # nosec B311  # sample data
        customer = _some_customer(chance, customers)
        currency = currencies[_currency_id(chance, customer)]
        invoices[number] = _invoice(chance, index, customer, currency)
        if invoices[number]["InvoiceType"]["Id"] == 3:  # Internfaktura
            internal.add(number)
    invoices[INVOICE_NUMBER] = sample_invoice()
    return invoices, frozenset(internal - {INVOICE_NUMBER})


def _some_customer(chance: random.Random, customers: Mapping[int, Record]) -> Record:
    """Pick a customer; low numbers come more often, so that some customers have many documents and some none."""
    numbers = tuple(customers)
    return customers[numbers[min(chance.randrange(len(numbers)), chance.randrange(len(numbers)))]]


def _currency_id(chance: random.Random, customer: Record | None) -> int:
    if chance.random() < 0.03:  # a few in the currency with three decimals
        return 4
    return {"NL": 2, "DK": 2, "NO": 3}.get(customer["CountryId"], 1) if customer else 1


def _day(chance: random.Random) -> datetime:
    """Pick a day of 2024, 2025 or the first three weeks of 2026."""
    return datetime.fromisoformat("2024-01-01") + timedelta(days=chance.randrange(750))


def _order(chance: random.Random, seed: int, order_id: int, branch_id: int, customer: Record | None, currency: Record) -> Record:
    status = chance.choice((1, 1, 2, 2, 2, 2, 2, 3))
    wms_status = chance.choice((None, 1, 2, 3, 4, 5, 6, 7))
    close_type = chance.choice((1, 2, 3)) if status == 2 else None  # closed
    ordered = _day(chance)
    agreement = chance.choice((None, 301))
    lines = _lines(chance, branch_id, customer)
    is_sent = chance.random() < 0.2  # share that a carrier takes
    return {
        "Id": order_id,
        "CurrencyName": currency["Name"],
        "IsWebOrder": chance.random() < 0.3,  # share of web orders
        "AgreementName": "Åkeriavtal" if agreement else None,
        "RetailPriceListName": None,
        "OrderStatusId": status,
        "OrderStatusName": ORDER_STATUSES[status],
        "WMSStatusId": wms_status,
        "WMSStatusName": _WMS_STATUSES[wms_status] if wms_status else None,
        "IsWMSExpress": False,
        "CloseOrderTypeId": close_type,
        "CloseOrderTypeName": _CLOSE_TYPES[close_type] if close_type else None,
        "WMSId": None,
        "CarrierId": 7 if is_sent else None,
        "CarrierName": "Vätterns Frakt" if is_sent else None,
        "Waybill": [f"WB{order_id}{branch_id}"] if is_sent else [],
        "PaymentTransactionProviderId": None,
        "AgreementNo": agreement,
        "RetailPriceListId": None,
        "TimebookReservationId": None,
        "CalendarEventId": None,
        "SplitId": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{seed}/compilator/split/{branch_id}/{order_id}")) if is_sent else None,
        "OrderLines": lines,
        "OrderType": 0,
        "SellerBranchId": branch_id,
        "CustomerNumber": customer["CustomerNo"] if customer else None,
        "OrderDate": ordered,
        "LicensePlate": None,
        "Odometer": chance.choice((None, 1000 * chance.randrange(1, 600))),
        "WorkOrderNumber": chance.choice((None, f"W-{order_id}")),
        "SalesPerson": chance.choice(SALES_PEOPLE),
        "CurrencyId": currency["Id"],
        "CurrencyRate": currency["Rate"],
        "DeliveryDate": chance.choice((None, ordered + timedelta(days=chance.randrange(1, 14)))),
        "RequisitionOrderNumber": chance.choice((None, f"R-{chance.randrange(100)}")),
        **order_totals(lines, currency["RoundingAmount"]),
        "CustomerReference": customer["YourReference"] if customer else None,
        "ContactId": CONTACT_ID if customer and customer["CustomerNo"] == CUSTOMER_NUMBER else None,
    }


def _lines(chance: random.Random, branch_id: int, customer: Record | None) -> list[Record]:
    """Make one to four article lines, some with a text of their own, and now and then a line of text alone."""
    lines: list[Record] = []
    is_return = chance.random() < 0.06  # share of returns
    for _ in range(chance.randrange(1, 5)):
        has_text = chance.random() < 0.15  # share of commented lines
        lines.append({
            "OrderLineArticle": _article(chance, branch_id, customer, is_return=is_return),
            "OrderLineText": {"Text": chance.choice(_TEXTS)} if has_text else None,
        })  # fmt: skip
    if chance.random() < 0.3:  # share with a line of text alone
        lines.insert(chance.randrange(len(lines) + 1), {"OrderLineArticle": None, "OrderLineText": {"Text": chance.choice(_TEXTS)}})
    return [{**line, "LineNumber": position} for position, line in enumerate(lines, start=1)]


def _article(chance: random.Random, branch_id: int, customer: Record | None, *, is_return: bool) -> Record:
    number, description, price_text = chance.choice(_ARTICLES)
    price = Decimal(price_text)
    quantity = Decimal(chance.choice(("1.0", "2.0", "4.0", "4.0", "0.5"))) * (-1 if is_return else 1)
    discount_factor = Decimal(chance.choice(("1.0", "1.0", "0.9", "0.85")))
    amount = (price * quantity * discount_factor).quantize(_CENT, ROUND_HALF_UP)
    is_export = bool(customer and customer["Export"])
    is_export_within_eu = bool(customer and customer["WithinEU"])
    has_vat = not (is_export or is_export_within_eu)
    vat_percent = Decimal("25.0") if has_vat else Decimal("0.0")
    return {
        "SalesAccount": 3041,
        "StockNumber": branch_id,
        "CostPrice": (price * Decimal("0.64")).quantize(_CENT, ROUND_HALF_UP),
        "IsExportWithinEU": is_export_within_eu,
        "OrderType": 0,
        "ArticleNumber": number,
        "Quantity": quantity,
        "Description": description,
        "Price": price,
        "DiscountFactor": discount_factor,
        "Amount": amount,
        "VatPercent": vat_percent,
        "VatAmount": (amount * vat_percent / 100).quantize(_CENT, ROUND_HALF_UP) + 0,  # never a negative zero
        "HasVat": has_vat,
        "IsExport": is_export,
    }


def _invoice(chance: random.Random, index: int, customer: Record, currency: Record) -> Record:
    number = _FIRST_INVOICE + index
    type_id = _invoice_type(index)
    dated = _day(chance)
    scale = Decimal("0.001") if currency["CurrencyCode"] == "KWD" else _CENT
    fee = Decimal(chance.choice(("0.00", "29.00", "45.00")))
    net = (Decimal(chance.randrange(20_000, 4_000_000)) / 100).quantize(scale) + fee + scale * chance.randrange(10)
    amount = -net if type_id == 2 else net  # Kreditfaktura
    vat_percent = Decimal("0.0") if customer["Export"] or customer["WithinEU"] else Decimal("25.0")
    vat = (amount * vat_percent / 100).quantize(scale, ROUND_HALF_UP) + 0  # never a negative zero
    rounding = rounding_to(amount + vat, currency["RoundingAmount"])
    # One in forty does not add up, as documents that were mended by hand do not.
    error = _ONE if index % 40 == 7 else Decimal(0)
    has_recipient = index % 25 != 3  # cash sales know a name only
    return {
        "No": number,
        "InvoiceType": {"Id": type_id, "Name": _INVOICE_TYPES[type_id]},
        "InvoiceDate": dated,
        "JournalNumber": 4000 + index // 2,
        "CurrencyCode": currency["CurrencyCode"],
        "CurrencyRate": currency["Rate"],
        "BalanceDue": None if index % 20 == 9 else dated + timedelta(days=chance.choice((10, 30, 60))),  # some are paid at once
        "InvoiceFee": fee,
        "Amount": amount,
        "VatAmount": vat,
        "RoundingAmount": rounding,
        "TotalAmount": amount + vat + rounding + error,
        "DiscountBalanceDue": None,
        "DiscountVatAmount": Decimal("0.00"),
        "DiscountRoundingAmount": Decimal("0.00"),
        "DiscountTotalAmount": Decimal("0.00"),
        "InvoiceReferenceCode": f"{number}{number % 9 + 1}",
        "InvoiceText": chance.choice((None, f"Ordernr {5440 + index % 80}", "Tack för att du handlar hos oss")),
        "InvoiceRecipientId": customer["Id"] if has_recipient else None,
        "InvoiceRecipientName": customer["Name"] if has_recipient else "Kontantkund",
        "SenderName": chance.choice(tuple(BRANCHES.values())),
        "DefaultVatPercent": vat_percent,
        "Created": dated + timedelta(hours=8, seconds=chance.randrange(36_000), microseconds=chance.randrange(1_000_000)),
    }


def _invoice_type(index: int) -> int:
    if index % 9 == 4:  # one in nine is a credit
        return 2
    if index % 16 == 5:  # one in sixteen is internal
        return 3
    return 4 if index % 7 == 0 else 1
