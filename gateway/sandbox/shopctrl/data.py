"""The installation's data, made from a seed: never from the clock, and the same for the same seed.

What an order or invoice is *like* follows from its place alone, so that its id means the same under every seed; the seed
decides who buys, what, when and how much.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Final, Literal

from gateway.sandbox.parties import Party
from gateway.sandbox.shopctrl.documents import make_invoice_file
from gateway.sandbox.shopctrl.instants import AMSTERDAM, stamp_of, to_moment
from gateway.sandbox.shopctrl.reference import (
    COUNTRIES,
    CULTURE_OF_COUNTRY,
    GRONINGEN,
    INVOICE_CREDITED,
    INVOICE_DRAFT,
    INVOICE_PAID,
    INVOICE_SENT,
    ORDER_ACTIVE,
    ORDER_COMPLETED,
    ORDER_NEW,
    ORDER_PAID,
    ORDER_STATUSES,
    ORDER_UNPAID,
    PRODUCTS,
    UTRECHT,
    Record,
)
from gateway.sandbox.shopctrl.samples import CUSTOMER_ID, INVOICE_ID, ORDER_ID, add_sample_order, sample_customer
from gateway.sandbox.shopctrl.store import ZERO, Store, invoice_code, make_invoice, make_invoice_row, status_object, total

CUSTOMER_COUNT: Final = 120
ORDER_COUNT: Final = 320

_FIRST_PARTY: Final = 40
_FIRST_CUSTOMER_ID: Final = 20_400
_FIRST_ORDER_ID: Final = 54_712
_FIRST_INVOICE_ID: Final = 88_010
_FIRST_INVOICE_ROW_ID: Final = 101
_FIRST_ORDER_ROW_ID: Final = 760_001
_FIRST_FILE_ID: Final = 990_101
_FIRST_PAYMENT_ID: Final = 4_001
_ORDER_CODE_OFFSET: Final = 54_581
_SHARED_CODE_ID: Final = 20_430
_NO_CODE_ID: Final = 20_440
_SAMPLE_DATE: Final = datetime(2026, 1, 10, 8, 31, tzinfo=UTC)
_HOURS_BETWEEN_ORDERS: Final = 26
_CENT: Final = Decimal("0.01")

# The places of orders whose invoice is odd; all of them have one invoice over all rows, but for the credit.
_CURRENCY_CODES: Final = {6: "eur", 54: "Eur", 14: "€", 22: " EUR", 30: None}
_SWEDISH_CROWNS: Final = (38, 78)
_PLACEHOLDER_TOTALS: Final = 46
_INC_BELOW_EX: Final = 62
_SIGNS_DIFFER: Final = 70
_CREDIT_WITH_POSITIVE_TOTALS: Final = 21
_NEW_YEARS_NIGHT: Final = 286

Kind = Literal["open", "partial", "bare", "split", "credited", "whole"]


def build_store(parties: tuple[Party, ...], seed: int) -> Store:
    """Make all records of the installation."""
    store = Store()
    for offset, party in enumerate(parties[_FIRST_PARTY : _FIRST_PARTY + CUSTOMER_COUNT]):
        customer = _make_customer(party, _FIRST_CUSTOMER_ID + offset, seed)
        store.customers[customer["Id"]] = customer
    builder = _OrderBuilder(store, seed)
    for index in range(ORDER_COUNT):
        builder.add(index)
    return store


def kind_of(index: int) -> Kind:
    """Tell how far the order at this place is invoiced."""
    if index % 8 == 0 or index % 16 == 10:  # noqa: PLR2004  (a place in the pattern, here and below)
        return "open"
    if index % 8 == 4:  # noqa: PLR2004
        return "partial"
    if index % 16 == 1:
        return "bare"
    if index % 16 == 2:  # noqa: PLR2004
        return "split"
    if index % 8 == 5:  # noqa: PLR2004
        return "credited"
    return "whole"


def money(amount: Decimal) -> Decimal:
    """Round to cents; whole amounts keep one decimal, as the vendor's samples have it."""
    rounded = amount.quantize(_CENT)
    whole = rounded.quantize(Decimal("0.1"))
    return whole if whole == rounded.to_integral_value() == rounded else rounded


def _chance(seed: int, what: str) -> random.Random:
    return random.Random(f"{seed}/shopctrl/{what}")  # noqa: S311  (sample data)  # nosec B311


def _make_customer(party: Party, customer_id: int, seed: int) -> Record:
    if customer_id == CUSTOMER_ID:
        return sample_customer()
    chance = _chance(seed, f"customer/{customer_id}")
    changed = _SAMPLE_DATE - timedelta(minutes=chance.randrange(500_000), microseconds=chance.randrange(1_000_000))
    bill_to = make_contact(party, 9_002 + customer_id - _FIRST_CUSTOMER_ID)
    return {
        "CustomerCode": _customer_code(customer_id),
        "ReceiveNewsLetter": chance.random() < 0.3,  # noqa: PLR2004  (a third or so)
        "CustomerGroupId": chance.choice((1, 2, 3, None)),
        "BillToAddress": bill_to,
        "ShipToAddress": {**bill_to, "Id": bill_to["Id"] + 200} if chance.random() < 0.25 else None,  # noqa: PLR2004  (a quarter)
        "ShopOwnerId": 1,
        "PersonTitle": None,
        "FirstName": bill_to["FirstName"],
        "MiddleName": None,
        "LastNamePrefix": bill_to["LastNamePrefix"],
        "LastName": bill_to["LastName"],
        "CultureId": CULTURE_OF_COUNTRY[party.country_code][0],
        "PersonalNumber": None,
        "ChangedTimestamp": stamp_of(changed, chance.randrange(1, 10)),
        "Id": customer_id,
        "FullName": bill_to["FullName"],
        "CompanyName": bill_to["CompanyName"],
        "EMail": party.email,
        "ContactReference": party.first_name,
    }


def _customer_code(customer_id: int) -> str | None:
    if customer_id == _NO_CODE_ID:
        return None
    return f"K-{_SHARED_CODE_ID if customer_id == _SHARED_CODE_ID + 1 else customer_id}"


def make_contact(party: Party, contact_id: int) -> Record:
    """Make the contact of a party; the chamber of commerce number is its organization number."""
    prefix, _, last_name = party.last_name.rpartition(" ")
    country_id = next(country["Id"] for country in COUNTRIES if country["Code"] == party.country_code)
    return {
        "Id": contact_id,
        "CompanyName": party.name if party.is_company else None,
        "VatNumber": party.vat_number or None,
        "CocNumber": party.organization_number or None,
        "FullName": f"{party.first_name} {party.last_name}",
        "DateOfBirth": None,
        "Gender": None,
        "PersonTitle": None,
        "FirstName": party.first_name,
        "MiddleName": None,
        "LastNamePrefix": prefix or None,
        "LastName": last_name,
        "Address": f"{party.street} {party.street_number}",
        "Address2": None,
        "StreetAddress": party.street,
        "StreetAddressNumber": party.street_number,
        "StreetAddressExtension": None,
        "PostalCode": party.postal_code,
        "City": party.city,
        "CountryId": country_id,
        "CountryCode": party.country_code,
        "EMail": party.email,
        "Phone": party.phone,
        "Phone2": None,
        "StateProvince": None,
    }


class _OrderBuilder:
    """Adds orders with all that hangs on them; hands out ids one after the other."""

    def __init__(self, store: Store, seed: int) -> None:
        self._store = store
        self._seed = seed
        self._row_ids = count(_FIRST_ORDER_ROW_ID)
        self._invoice_ids = (number for number in count(_FIRST_INVOICE_ID) if number != INVOICE_ID)
        self._invoice_row_ids = count(_FIRST_INVOICE_ROW_ID)
        self._file_ids = count(_FIRST_FILE_ID)
        self._payment_ids = count(_FIRST_PAYMENT_ID)

    def add(self, index: int) -> None:
        """Add the order at this place."""
        order_id = _FIRST_ORDER_ID + index
        if order_id == ORDER_ID:
            add_sample_order(self._store)
            return
        chance = _chance(self._seed, f"order/{order_id}")
        kind = kind_of(index)
        order = self._make_order(index, chance)
        rows = self._make_rows(kind, chance)
        self._store.add_order(order, rows)
        if kind == "whole" and index % 3 == 0:
            _charge_shipping(order)
        for number, group in enumerate(_rows_by_invoice(kind, rows)):
            self._add_invoice(index, order, group, timedelta(days=3 * number), chance)
        self._pay(index, order, chance)
        _add_order_totals(order, rows)
        changes = (order["ChangeTimestamp"], *(invoice["InvoiceDate"] for invoice in self._store.invoices_of[order_id]))
        order["ChangeTimestamp"] = max(changes, key=to_moment)

    def _make_order(self, index: int, chance: random.Random) -> Record:
        order_id = _FIRST_ORDER_ID + index
        shop_id = UTRECHT if order_id % 2 == 0 else GRONINGEN
        date = _SAMPLE_DATE + timedelta(hours=_HOURS_BETWEEN_ORDERS * (index - 300), minutes=chance.randrange(600))
        changed = date + timedelta(minutes=chance.randrange(600, 4_000), microseconds=chance.randrange(1_000_000))
        customer = self._store.customers[chance.randrange(_FIRST_CUSTOMER_ID, _FIRST_CUSTOMER_ID + CUSTOMER_COUNT)]
        is_guest = index % 11 == 7  # noqa: PLR2004  (a place in the pattern)
        status = {"open": ORDER_NEW, "bare": ORDER_NEW, "partial": ORDER_ACTIVE}.get(kind_of(index), ORDER_COMPLETED)[shop_id]
        culture_id, culture_code = CULTURE_OF_COUNTRY[customer["BillToAddress"]["CountryCode"]]
        is_swedish = index in _SWEDISH_CROWNS
        return {
            "OrderType": 0,
            "PreferredDeliveryDate": stamp_of(date + timedelta(days=3)) if index % 10 == 0 else None,
            "MainStatus": order_status_object(status),
            "PaymentStatus": order_status_object(ORDER_UNPAID),
            "StockStatus": None,
            "FulfilmentStatus": None,
            "ShipmentStatus": None,
            "CustomStatus": None,
            "CultureCode": culture_code,
            "CultureId": culture_id,
            "Incoterms": 0,
            "ExchangeRate": Decimal("0.0875") if is_swedish else Decimal("1.0"),
            "ShopId": shop_id,
            "ViewModusIncVAT": shop_id == UTRECHT,
            "ExternalOrderKey": f"WEB-{8_000 + index}" if index % 2 else None,
            "CouponCode": "LENTE" if index % 20 == 3 else None,  # noqa: PLR2004  (a place in the pattern)
            "PaymentFeeIncVat": ZERO,
            "PaymentFeeExVat": ZERO,
            "ShippingCostsIncVat": ZERO,
            "ShippingCostsExVat": ZERO,
            "PaymentTypeId": 4,
            "CarrierAccountId": None,
            "CustomerId": None if is_guest else customer["Id"],
            "CustomerCode": None if is_guest else customer["CustomerCode"],
            "CustomerReference": f"PO {100 + index}" if index % 3 == 0 else None,
            "CustomerNote": None,
            "CustomerRating": None,
            "ShopNote": None,
            "SyncSource": "web",
            "CustomerIpaddress": None,
            "DiscountExVat": ZERO,
            "DiscountIncVat": ZERO,
            "DownPayment": ZERO,
            "BillToContact": dict(customer["BillToAddress"]),
            "ShipToContact": None,
            "Params": [],
            "OrderRows": [],
            "Shipments": [],
            "Id": order_id,
            "OrderCode": f"{'UTR' if shop_id == UTRECHT else 'GRO'}-{stamp_of(date)[:4]}-{order_id - _ORDER_CODE_OFFSET:05d}",
            "Date": stamp_of(date),
            "OrderTotalIncVat": ZERO,
            "OrderTotalExVat": ZERO,
            "CurrencyId": 3 if is_swedish else 1,
            "CurrencyCode": "SEK" if is_swedish else "EUR",
            "Deleted": index % 40 == 39,  # noqa: PLR2004  (a place in the pattern)
            "ChangeTimestamp": stamp_of(changed, chance.randrange(1, 10)),
            "MainStatusId": status,
            "AffiliateId": None,
        }

    def _make_rows(self, kind: Kind, chance: random.Random) -> list[Record]:
        counts = {"open": (1, 3), "partial": (2, 3), "bare": (0, 0), "split": (3, 3), "credited": (1, 2), "whole": (1, 4)}
        rows = [self._make_row(sequence, chance) for sequence in range(1, chance.randint(*counts[kind]) + 1)]
        if kind == "credited":
            rows.append(_credit_row(next(self._row_ids), rows[0], len(rows) + 1))
        return rows

    def _make_row(self, sequence: int, chance: random.Random) -> Record:
        product = chance.choice(PRODUCTS)
        quantity = Decimal(chance.choice(product.quantities))
        price_ex = money(product.price_inc_vat * 100 / (100 + product.vat_percentage))
        gross_inc, gross_ex = money(quantity * product.price_inc_vat), money(quantity * price_ex)
        has_discount = chance.random() < 0.2  # noqa: PLR2004  (a fifth)
        discount_inc = money(gross_inc / 10) if has_discount else ZERO
        discount_ex = money(gross_ex / 10) if has_discount else ZERO
        return {
            "Id": next(self._row_ids),
            "ProductSelectionProductId": None,
            "OrderRowKey": f"r{sequence}",
            "ItemQuantity": quantity,
            "ProductName": product.name,
            "ProductCode": product.code,
            "ProductDescription": None,
            "ItemPriceExVat": price_ex,
            "ItemPriceIncVat": product.price_inc_vat,
            "RowDiscountExVat": discount_ex,
            "RowDiscountIncVat": discount_inc,
            "Vatperc": product.vat_percentage,
            "VATTariffId": product.tariff_id,
            "VATTariffCode": product.tariff_code,
            "RowTotalExVat": money(gross_ex - discount_ex),
            "RowTotalIncVat": money(gross_inc - discount_inc),
            "Comment": None,
            "SupplierId": None,
            "ItemPurchasePrice": money(price_ex * 6 / 10),
            "CreditForOrderRowId": None,
            "Sequence": sequence,
            "ShopProductUrl": None,
            "ShopProductImageUrl": None,
            "Params": [{"Key": "uren", "Value": str(quantity)}] if product.code == "UUR-1" else [],
            "StockStatus": None,
        }

    def _add_invoice(self, index: int, order: Record, rows: list[Record], delay: timedelta, chance: random.Random) -> None:
        invoice_id = next(self._invoice_ids)
        moment = datetime.fromisoformat(order["Date"]) + delay
        moment += timedelta(minutes=chance.randrange(60, 3_000), microseconds=chance.randrange(60_000_000))
        date = "2026-01-01T00:12:41.0304578+01:00" if index == _NEW_YEARS_NIGHT else stamp_of(moment, chance.randrange(1, 10))
        invoice = make_invoice(invoice_id, invoice_code(invoice_id, date), order, rows, date)
        _add_fees(invoice, order)
        _make_odd(index, invoice)
        self._store.add_invoice(invoice, [make_invoice_row(next(self._invoice_row_ids), row) for row in rows])
        if invoice["MainStatusId"] != INVOICE_DRAFT:
            invoice["SentStatusId"], invoice["SentStatus"] = INVOICE_SENT, status_object(INVOICE_SENT)
            invoice["SentStatusActionDate"] = date
            self._store.add_file(invoice, make_invoice_file(next(self._file_ids), invoice, date))

    def _pay(self, index: int, order: Record, chance: random.Random) -> None:
        """Pay the order's invoices: one payment for all of a split order now and then, else each fully, in part or not at all."""
        invoices = [i for i in self._store.invoices_of[order["Id"]] if not i["Deleted"] and i["MainStatusId"] != INVOICE_DRAFT]
        if index % 32 == 2:  # noqa: PLR2004  (a place in the pattern)
            self._add_payment(order, [(invoice, invoice["InvoiceTotalIncVat"]) for invoice in invoices], chance)
        else:
            for invoice in invoices:
                share = chance.choice((100, 100, 40, 0))
                if share:
                    self._add_payment(order, [(invoice, money(invoice["InvoiceTotalIncVat"] * share / 100))], chance)
        if invoices and all(invoice["PaymentStatusId"] == INVOICE_PAID for invoice in invoices):
            order["PaymentStatus"] = order_status_object(ORDER_PAID)

    def _add_payment(self, order: Record, shares: list[tuple[Record, Decimal]], chance: random.Random) -> None:
        created = datetime.fromisoformat(shares[-1][0]["InvoiceDate"]) + timedelta(minutes=chance.randrange(20_000))
        payment = {
            "Id": next(self._payment_ids),
            "ShopId": order["ShopId"],
            "ShopOwnerId": 1,
            "Amount": sum((amount for _, amount in shares), ZERO),
            "PaymentDate": stamp_of(created.astimezone(AMSTERDAM).replace(hour=0, minute=0, second=0, microsecond=0)),
            "CurrencyId": order["CurrencyId"],
            "CurrencyCode": order["CurrencyCode"],
            "Note": "iDEAL" if order["ShopId"] == UTRECHT else None,
            "AccountNumber": None,
            "AccountName": order["BillToContact"]["FullName"],
            "TransactionId": f"tr_{chance.randrange(16**6):06x}",
            "ImportSource": "psp",
            "CreationDate": stamp_of(created, chance.randrange(1, 10)),
            "PaymentTypeId": 4 if order["ShopId"] == UTRECHT else 9,
            "PaymentAllocations": [
                {"OrderId": order["Id"], "InvoiceId": invoice["Id"], "AllocatedAmount": amount} for invoice, amount in shares
            ],
        }
        self._store.add_payment(order["Id"], payment)


def order_status_object(status_id: int) -> Record:
    """Give an order status as it stands in an order."""
    return {"Id": status_id, "Name": ORDER_STATUSES[status_id]["Name"]}


def _credit_row(row_id: int, credited: Record, sequence: int) -> Record:
    negative = ("ItemQuantity", "RowDiscountExVat", "RowDiscountIncVat", "RowTotalExVat", "RowTotalIncVat")
    return {
        **credited,
        **{name: ZERO - credited[name] for name in negative},
        "Id": row_id,
        "OrderRowKey": f"r{sequence}",
        "Comment": "retour",
        "CreditForOrderRowId": credited["Id"],
        "Sequence": sequence,
    }


def _rows_by_invoice(kind: Kind, rows: list[Record]) -> list[list[Record]]:
    if kind == "partial":
        return [rows[:1]]
    if kind == "split":
        return [[row] for row in rows]
    if kind == "credited":
        return [rows[:-1], rows[-1:]]
    return [rows] if kind == "whole" else []


def _charge_shipping(order: Record) -> None:
    order["ShippingCostsIncVat"], order["ShippingCostsExVat"] = Decimal("6.95"), Decimal("5.74")
    order["PaymentFeeIncVat"], order["PaymentFeeExVat"] = Decimal("0.50"), Decimal("0.41")


def _add_fees(invoice: Record, order: Record) -> None:
    """Put the order's shipping and payment fee on the invoice, and into its totals."""
    for vat in ("IncVat", "ExVat"):
        shipping, fee = order[f"ShippingCosts{vat}"], order[f"PaymentFee{vat}"]
        invoice[f"ShippingCosts{vat}"], invoice[f"PaymentFee{vat}"] = shipping, fee
        invoice[f"InvoiceTotal{vat}"] = money(invoice[f"InvoiceTotal{vat}"] + shipping + fee)


def _add_order_totals(order: Record, rows: list[Record]) -> None:
    for vat in ("IncVat", "ExVat"):
        order[f"OrderTotal{vat}"] = money(total(rows, f"RowTotal{vat}") + order[f"ShippingCosts{vat}"] + order[f"PaymentFee{vat}"])


def _make_odd(index: int, invoice: Record) -> None:
    """Give the invoice the oddity that its order's place has, if any."""
    if index % 32 == 9:  # noqa: PLR2004  (a place in the pattern, here and below)
        invoice["Deleted"] = True
    if index % 24 == 3:  # noqa: PLR2004
        invoice.update(InvoiceCode="", MainStatusId=INVOICE_DRAFT, MainStatus=status_object(INVOICE_DRAFT))
    if kind_of(index) == "credited" and invoice["InvoiceTotalIncVat"] > 0:
        invoice.update(MainStatusId=INVOICE_CREDITED, MainStatus=status_object(INVOICE_CREDITED))
    if index in _CURRENCY_CODES:
        invoice["CurrencyCode"] = _CURRENCY_CODES[index]
    _make_totals_odd(index, invoice)


def _make_totals_odd(index: int, invoice: Record) -> None:
    inc, ex = invoice["InvoiceTotalIncVat"], invoice["InvoiceTotalExVat"]
    if index == _PLACEHOLDER_TOTALS:
        inc, ex = Decimal("5.0"), Decimal("6.0")
    elif index == _INC_BELOW_EX:
        inc, ex = min(inc, ex) - 1, max(inc, ex)
    elif index == _SIGNS_DIFFER:
        ex = -ex
    elif index == _CREDIT_WITH_POSITIVE_TOTALS:
        inc, ex = abs(inc), abs(ex)
    invoice["InvoiceTotalIncVat"], invoice["InvoiceTotalExVat"] = inc, ex
