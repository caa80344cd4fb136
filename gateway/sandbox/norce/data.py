"""The customers, orders and invoices of the emulated shop, the same for the same seed.

121 customers (`samples.py` has the first, then one for each of 120 parties), 320 orders and 320 invoices. Every eighth order is a
guest's. Ids and numbers do not depend on the seed; an invoice's number is `F-2026-` and its place + 88, so place 5 is `F-2026-0093`.
The odd ones, by place:

| place | what |
|---|---|
| 0 | the sample, 50911 |
| 5, 37, 69 ... (every 32nd) | credit with negative amounts, of the invoice before it |
| 21, 53, 85 ... (every 32nd) | credit with positive amounts, of the invoice before it |
| 40 to 42, 43 to 44 | parts of the summary invoices `SAM-2026-01` and `SAM-2026-02` |
| every 9th from 4, every 11th from 3 | freight, invoice charge |
| every 13th from 7 | no due date |
| 60 | an item whose VatRate is 0 |
| 61 | dated 2026-03-31T22:00:00Z, in Sweden the first of April |
| 62 | of an order that does not exist |
| 63, 64 | amounts that do not add up |
| 65 | amounts written as the integer 0 |
| 66 | amounts with one decimal, 5.0 |
| 67 | has the payment provider's own number |
| 68 | no bill-to party |
| 70 | half a piece on its first row |
"""

from __future__ import annotations

import random
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from gateway.sandbox.norce.fields import to_instant, to_text
from gateway.sandbox.norce.samples import CUSTOMER_TEXT, INVOICE_TEXT, ORDER_TEXT, read_sample

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.sandbox.parties import Party

Payload = dict[str, Any]

CUSTOMER_COUNT: Final = 120
ORDER_COUNT: Final = 320
INVOICE_COUNT: Final = 320
APPLICATION_ID: Final = 2210
FIRST_ORDER_ID: Final = 70213
FIRST_INVOICE_ID: Final = 50911

_SECOND_APPLICATION_ID: Final = 2211
_FIRST_CUSTOMER_ID: Final = 31000
_FIRST_COMPANY_ID: Final = 1000
_FIRST_ORDER_NO: Final = 100341
_FIRST_BASKET_ID: Final = 448120
_FIRST_INVOICE_NO: Final = 88
_FIRST_DAY: Final = datetime(2025, 1, 2, tzinfo=UTC)
_DAYS: Final = 440
_MINUTES_A_DAY: Final = 24 * 60
_CENT: Final = Decimal("0.01")
_STANDARD_VAT: Final = Decimal("1.25")

STATUS_NAMES: Final = {
    0: "Skapad",
    1: "Reserverad",
    2: "Bekräftad",
    4: "Levererad",
    5: "Fakturerad",
    6: "Makulerad",
    8: "Delvis levererad",
}
_OPEN_STATUSES: Final = (0, 1, 2, 4, 6, 8)
_INVOICED: Final = 5

_PARTS: Final = (
    ("STOL-09", "Pinnstol ek", "1.25"), ("BORD-02", "Matbord 180 cm", "1.25"), ("LAMP-31", "Taklampa mässing", "1.25"),
    ("MATTA-7", "Ullmatta 200x300", "1.25"), ("KAFFE-1", "Bryggkaffe 12-pack", "1.12"), ("BOK-118", "Träets hemligheter", "1.06"),
    ("KORT-500", "Presentkort 500", "1"), ("HYLLA-4", "Hyllplan björk", "1.25"),
)  # fmt: skip
_GROUPS: Final = {40: "SAM-2026-01", 41: "SAM-2026-01", 42: "SAM-2026-01", 43: "SAM-2026-02", 44: "SAM-2026-02"}
_PARTY_BY_GROUP: Final = {"SAM-2026-01": 8, "SAM-2026-02": 9}
_WRONG_TOTALS: Final = (63, 64)
_FLAT_AMOUNTS: Final[Mapping[int, tuple[Decimal | int, Decimal | int]]] = {65: (0, 0), 66: (Decimal("5.0"), Decimal("0.0"))}
_ODD_FIELDS: Final[Mapping[int, Payload]] = {
    61: {"InvoiceDate": "2026-03-31T22:00:00Z", "InvoiceDueDate": "2026-04-30T22:00:00Z"},
    62: {"OrderId": "99999999", "OrderNo": "N-999999"},
    67: {"InvoiceNoPsp": "PSP-7700067"},
    68: {"BillTo": None},
}
_CURRENCY_BY_COUNTRY: Final = {"NO": "NOK", "NL": "EUR"}


@dataclass(frozen=True, slots=True)
class OrderRecord:
    """An order as Services show it, with what only other places show."""

    payload: Payload
    status_id: int
    application_id: int
    division_code: str


@dataclass(frozen=True, slots=True)
class Data:
    """All that the seed gives; nobody changes it."""

    customers: tuple[Payload, ...]
    inactive_customer_ids: frozenset[int]
    orders: tuple[OrderRecord, ...]
    invoices: tuple[Payload, ...]


def make_data(parties: tuple[Party, ...], seed: int) -> Data:
    """Make the shop's data from the first 120 parties."""
    known = parties[:CUSTOMER_COUNT]
    customers = tuple(_make_customer(_chance(seed, "customer", party.index), party) for party in known)
    order_places = _order_places(seed)
    invoiced = frozenset(order_places)
    orders = (_sample_order(), *(_make_order(seed, place, known, customers, invoiced) for place in range(1, ORDER_COUNT)))
    invoices = [read_sample(INVOICE_TEXT)]
    for place in range(1, INVOICE_COUNT):
        invoices.append(_make_invoice(seed, place, orders[order_places[place]].payload, invoices[-1]))
    return Data(
        customers=(read_sample(CUSTOMER_TEXT), *customers),
        inactive_customer_ids=frozenset({_FIRST_CUSTOMER_ID + 18, _FIRST_CUSTOMER_ID + 55}),
        orders=orders,
        invoices=tuple(invoices),
    )


def row_amounts(quantity: Decimal | int, unit_price: Decimal, unit_discount: Decimal, vat_rate: Decimal) -> tuple[Decimal, Decimal]:
    """Work out a row's amount ex VAT and its VAT, in whole cents; `vat_rate` is a multiplier."""
    amount = ((unit_price - unit_discount) * quantity).quantize(_CENT)
    return amount, (amount * (vat_rate - 1)).quantize(_CENT)


def _chance(seed: int, *what: object) -> random.Random:
    return random.Random(f"{seed}/norce/{'/'.join(str(part) for part in what)}")  # noqa: S311  (sample data)  # nosec B311


def _guid(chance: random.Random) -> str:
    return str(uuid.UUID(int=chance.getrandbits(128), version=4))


def _make_customer(chance: random.Random, party: Party) -> Payload:
    customer_id = _FIRST_CUSTOMER_ID + party.index
    return {
        "Id": customer_id,
        "Key": _guid(chance),
        "Code": f"C-{customer_id}",
        "Email": party.email,
        "SSN": f"19000101-{party.index:04d}" if _has_social_security_number(party) else None,
        "FirstName": party.first_name,
        "LastName": party.last_name,
        "Phone": party.phone,
        "CellPhone": None if chance.random() < 0.5 else f"+46 70 000 {party.index:04d}",  # noqa: PLR2004  (half of them)
        "ReferId": None,
        "ReferUrl": None,
        "Account": None,
        "Companies": [_make_company(chance, party)] if party.is_company else [],
    }


def _has_social_security_number(party: Party) -> bool:
    return not party.is_company and party.index % 8 == 3  # noqa: PLR2004  (every other person)


def _make_company(chance: random.Random, party: Party) -> Payload:
    company_id = _FIRST_COMPANY_ID + party.index
    return {
        "Id": company_id,
        "Key": _guid(chance),
        "Code": f"F-{company_id}",
        "Name": party.name,
        "OrgNo": party.organization_number.replace("-", ""),
        "Phone": party.phone,
        "ReferId": None,
        "ReferUrl": None,
        "DeliveryAddresses": [_make_address(party)],
    }


def _make_address(party: Party, *, for_invoice: bool = False) -> Payload:
    return {
        "Line1": f"{party.street} {party.street_number}",
        "Line2": None,
        "CareOf": None,
        "City": party.city,
        "ZipCode": party.postal_code,
        "Country": party.country_name,
        "CountryCode": party.country_code,
        "Region": None,
        "ShippingPhoneNumber": None,
        "GlobalLocationNo": (party.gln or None) if for_invoice else None,
    }


def _make_customer_data(party: Party, customer: Payload, *, is_guest: bool, for_invoice: bool = False) -> Payload:
    """Take the snapshot of a party that orders and invoices keep; a guest's has no ids."""
    company = next(iter(customer["Companies"]), None)
    return {
        "Company": company
        and {
            "Id": None if is_guest else company["Id"],
            "No": None if is_guest else company["Code"],
            "Name": company["Name"],
            "OrgNo": company["OrgNo"],
        },
        "Customer": {
            "Id": None if is_guest else customer["Id"],
            "No": None if is_guest else customer["Code"],
            **{name: customer[name] for name in ("FirstName", "LastName", "SSN", "Email", "Phone", "CellPhone")},
        },
        "Address": _make_address(party, for_invoice=for_invoice),
        "DropPointCode": None,
    }


def _order_places(seed: int) -> list[int]:
    """Choose each invoice's order; a credit shares the order of the invoice that it credits."""
    chance = _chance(seed, "invoiced orders")
    places = [0]
    for place in range(1, INVOICE_COUNT):
        if place in _GROUPS:
            places.append(place)
        elif _is_credit(place):
            places.append(places[-1])
        else:
            places.append(chance.randrange(1, ORDER_COUNT))
    return places


def _sample_order() -> OrderRecord:
    return OrderRecord(read_sample(ORDER_TEXT), status_id=_INVOICED, application_id=APPLICATION_ID, division_code="WEB")


def _make_order(seed: int, place: int, parties: tuple[Party, ...], customers: tuple[Payload, ...], invoiced: frozenset[int]) -> OrderRecord:
    chance = _chance(seed, "order", place)
    index = _PARTY_BY_GROUP[_GROUPS[place]] if place in _GROUPS else chance.randrange(CUSTOMER_COUNT)
    party, customer = parties[index], customers[index]
    is_guest = place % 8 == 6  # noqa: PLR2004  (every eighth)
    items = [_make_order_item(chance, number) for number in range(1, chance.randrange(2, 6))]
    total = sum((item["RowAmount"] for item in items), Decimal(0))
    vat = sum((row_vat(item) for item in items), Decimal(0))
    status_id = _INVOICED if place in invoiced else chance.choice(_OPEN_STATUSES)
    ordered_at = _FIRST_DAY + timedelta(days=chance.randrange(_DAYS), minutes=chance.randrange(_MINUTES_A_DAY))
    payload = {
        "Id": str(FIRST_ORDER_ID + place),
        "QuotationId": None if place % 40 == 17 else _FIRST_BASKET_ID + 3 * place,  # noqa: PLR2004  (orders without a basket)
        "OrderNo": f"N-{_FIRST_ORDER_NO + place}",
        "OrderDate": to_text(ordered_at),
        "Status": STATUS_NAMES[status_id],
        "Source": chance.choice(("WEB", "WEB", "WEB", "ERP")),
        "Currency": _CURRENCY_BY_COUNTRY.get(party.country_code, "SEK"),
        "Items": items,
        "SellTo": _make_customer_data(party, customer, is_guest=is_guest),
        "BillTo": _make_customer_data(party, customer, is_guest=is_guest, for_invoice=True),
        "ShipTo": None,
        "OrderTotalIncVat": total + vat,
        "OrderTotalExVat": total,
        "PaymentMethod": chance.choice(("Faktura", "Kort", "Swish")),
        "DeliveryMethod": chance.choice(("Hemleverans", "Ombud", "Hämtas i butik")),
        "TypeId": 3 if place % 25 == 0 else 1,
        "DeliveryMark": None,
        "DropPoint": None,
        "Info": [],
    }
    return OrderRecord(
        payload,
        status_id=status_id,
        application_id=_SECOND_APPLICATION_ID if place % 10 == 9 else APPLICATION_ID,  # noqa: PLR2004  (every tenth)
        division_code="BUTIK" if place % 5 == 4 else "WEB",  # noqa: PLR2004  (every fifth)
    )


def row_vat(item: Payload) -> Decimal:
    """Work out the VAT of an order's row from its multiplier."""
    vat: Decimal = (item["RowAmount"] * (item["VatRate"] - 1)).quantize(_CENT)
    return vat


def _make_order_item(chance: random.Random, number: int) -> Payload:
    part_no, name, vat_rate = chance.choice(_PARTS)
    quantity = chance.randrange(1, 9)
    unit_price = Decimal(chance.randrange(1_000, 500_000)).scaleb(-2)
    unit_discount = (unit_price / 10).quantize(_CENT) if chance.randrange(5) == 0 else Decimal("0.00")
    return {
        "RowNumber": number,
        "PartNo": part_no,
        "Name": name,
        "QtyOrdered": quantity,
        "UnitPrice": unit_price,
        "UnitDiscount": unit_discount,
        "RowAmount": row_amounts(quantity, unit_price, unit_discount, Decimal(vat_rate))[0],
        "VatRate": Decimal(vat_rate),
        "ImageKey": None,
        "Type": 1,
    }


def _is_credit(place: int) -> bool:
    return place % 16 == 5  # noqa: PLR2004  (every sixteenth)


def _make_invoice(seed: int, place: int, order: Payload, previous: Payload) -> Payload:
    is_credit = _is_credit(place)
    sign = -1 if is_credit and place % 32 == 5 else 1  # noqa: PLR2004  (the pages do not say which sign a credit has; both occur)
    items = [_make_invoice_item(item, sign) for item in order["Items"]]
    if place == 60:  # noqa: PLR2004  (the table above)
        items[0] |= {"VatRate": Decimal(0), "RowAmountVat": Decimal("0.00"), "UnitPriceIncVat": items[0]["UnitPrice"]}
    if place == 70:  # noqa: PLR2004  (the table above)
        items[0] = _with_quantity(items[0], Decimal("0.5"))
    invoice_date = _invoice_date(_chance(seed, "invoice", place), order)
    invoice = {
        "Id": str(FIRST_INVOICE_ID + place),
        "InvoiceNo": f"F-2026-{_FIRST_INVOICE_NO + place:04d}",
        "InvoiceDate": to_text(invoice_date),
        "InvoiceDueDate": None if place % 13 == 7 else to_text(invoice_date + timedelta(days=30)),  # noqa: PLR2004  (some)
        "InvoiceText": None if place % 3 else f"Märke: {place}",
        "OrderId": order["Id"],
        "OrderNo": order["OrderNo"],
        "OrderDate": order["OrderDate"],
        "Source": order["Source"],
        "DeliveryDate": to_text(invoice_date),
        "DeliveryMethod": order["DeliveryMethod"],
        "PaymentMethod": order["PaymentMethod"],
        "BillTo": order["BillTo"],
        **_invoice_totals(place, items, sign),
        "Items": items,
        "Info": [] if is_credit else [{"Code": "CC", "Name": "Kostnadsställe", "Description": None, "Value": str(4000 + place)}],
        "InvoiceNoPsp": None,
        "CreditedInvoiceNo": previous["InvoiceNo"] if is_credit else None,
        "IsDebit": not is_credit,
        "GroupByKey": _GROUPS.get(place),
        "Comment": "Returnerad vara" if is_credit else None,
    }
    return _make_odd(place, invoice)


def _invoice_date(chance: random.Random, order: Payload) -> datetime:
    """Choose a day after the order: midnight UTC, or the hour that is midnight in Sweden in winter."""
    day = to_instant(order["OrderDate"]).replace(hour=0, minute=0, second=0)
    return day + timedelta(days=chance.randrange(1, 6), hours=chance.choice((0, 0, 23)))


def _make_invoice_item(item: Payload, sign: int) -> Payload:
    quantity, vat_rate = sign * item["QtyOrdered"], item["VatRate"]
    amount, vat = row_amounts(quantity, item["UnitPrice"], item["UnitDiscount"], vat_rate)
    return {
        "RowNumber": item["RowNumber"],
        "ItemNo": item["PartNo"],
        "ItemDescription": item["Name"],
        "Quantity": quantity,
        "UnitPrice": item["UnitPrice"],
        "UnitDiscount": item["UnitDiscount"],
        "RowAmount": amount,
        "RowAmountVat": vat,
        "DeliveryDate": None,
        "VatRate": vat_rate,
        "UnitPriceIncVat": (item["UnitPrice"] * vat_rate).quantize(_CENT),
    }


def _with_quantity(item: Payload, quantity: Decimal) -> Payload:
    amount, vat = row_amounts(quantity, item["UnitPrice"], item["UnitDiscount"], item["VatRate"])
    return {**item, "Quantity": quantity, "RowAmount": amount, "RowAmountVat": vat}


def _invoice_totals(place: int, items: list[Payload], sign: int) -> Payload:
    """Add up an invoice: rows, freight and charge ex VAT, then their VAT."""
    freight = sign * Decimal("49.00") if place % 9 == 4 else Decimal("0.00")  # noqa: PLR2004  (the table above)
    charge = sign * Decimal("29.00") if place % 11 == 3 else Decimal("0.00")  # noqa: PLR2004  (the table above)
    amount = sum((item["RowAmount"] for item in items), freight + charge)
    vat = sum((item["RowAmountVat"] for item in items), ((freight + charge) * (_STANDARD_VAT - 1)).quantize(_CENT))
    return {
        "OrderFreight": freight,
        "InvoiceCharge": charge,
        "InvoiceAmountExVat": amount,
        "VatAmount": vat,
        "InvoiceAmountIncVat": amount + vat,
    }


def _make_odd(place: int, invoice: Payload) -> Payload:
    """Give an invoice the oddity that the table above lists for its place, if any."""
    if place in _WRONG_TOTALS:
        return {**invoice, "InvoiceAmountIncVat": invoice["InvoiceAmountIncVat"] + 1}
    if place in _FLAT_AMOUNTS:
        return {**invoice, **_flat_amounts(invoice["Items"][0], *_FLAT_AMOUNTS[place])}
    return {**invoice, **_ODD_FIELDS.get(place, {})}


def _flat_amounts(item: Payload, amount: Decimal | int, nothing: Decimal | int) -> Payload:
    """Give the fields of an invoice with one row of `amount` and no VAT; `nothing` is how a zero is written."""
    row = {
        **item,
        "Quantity": 1,
        "VatRate": Decimal(1),
        **dict.fromkeys(("UnitPrice", "RowAmount", "UnitPriceIncVat"), amount),
        **dict.fromkeys(("UnitDiscount", "RowAmountVat"), nothing),
    }
    return {
        "Items": [row],
        **dict.fromkeys(("InvoiceAmountExVat", "InvoiceAmountIncVat"), amount),
        **dict.fromkeys(("OrderFreight", "InvoiceCharge", "VatAmount"), nothing),
    }
