"""What the bench's upstream has: orders and customers in blocks, so that clients can ask for different objects or for the same.

Order number n is in block n // 100. In ShopCtrl two orders have one customer, in Norce each order has its own. Shapes are those of the
vendors' pages: the tests compare them with the sandbox's.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

Row = dict[str, Any]

BLOCK: Final = 100
"""Orders of a block: as many as one page of the graph has."""
SHOP: Final = 1
APPLICATION: Final = 2210
MAIN_STATUS: Final = 12
FIRST_SHOP_ORDER: Final = 1_000_000
FIRST_SHOP_CUSTOMER: Final = 200_000
FIRST_WEB_ORDER: Final = 70_000_000
FIRST_WEB_CUSTOMER: Final = 30_000_000
DELIVERY_MODES: Final = ("Hemleverans", "Ombud", "Hämtas")
_CURRENCY_ID: Final = 2
_PARTY_KEYS: Final = tuple(
    f"{role}{suffix}" for role in ("Buyer", "Payer", "Reseller") for suffix in ("CompanyCode", "CompanyId", "CustomerCode", "CustomerId")
)


def email_of_block(block: int) -> str:
    """Give the address that the ShopCtrl orders of a block are billed to."""
    return f"facturen-{block}@fietsen.example"


def shop_amounts(order: int) -> tuple[float, float]:
    """Give the totals of a ShopCtrl order, with VAT and without."""
    net = 100 + order * 37 % 90_000 / 100
    return round(net * 1.21, 2), round(net, 2)


def shop_instant(order: int) -> str:
    """Give when a ShopCtrl order was made, with its offset."""
    return (datetime(2026, 1, 1) + timedelta(minutes=order)).isoformat() + "+01:00"  # noqa: DTZ001  (the offset follows)


def shop_order_row(order: int) -> Row:
    """Give an OrderBasicInfo, the row of a list."""
    with_vat, net = shop_amounts(order)
    return {
        "CompanyName": f"De Vries Fietsen {_customer_of(order)} B.V.",
        "FullName": "Sanne de Vries",
        "Id": FIRST_SHOP_ORDER + order,
        "OrderCode": shop_code(order),
        "Date": shop_instant(order),
        "OrderTotalIncVat": with_vat,
        "OrderTotalExVat": net,
        "CurrencyId": 1,
        "CurrencyCode": "EUR",
        "Deleted": False,
        "ChangeTimestamp": "2026-03-11T16:17:35.0304578+01:00",
        "MainStatusId": MAIN_STATUS,
        "AffiliateId": None,
    }


def shop_code(order: int) -> str:
    """Give the number of a ShopCtrl order."""
    return f"UTR-{FIRST_SHOP_ORDER + order}"


def shop_order(order: int) -> Row:
    """Give a whole ShopCtrl order."""
    customer = FIRST_SHOP_CUSTOMER + _customer_of(order)
    return {
        "OrderType": 0,
        "PreferredDeliveryDate": None,
        "MainStatus": {"Id": MAIN_STATUS, "Name": "In behandeling"},
        "PaymentStatus": {"Id": 21, "Name": "Open"},
        **dict.fromkeys(("StockStatus", "FulfilmentStatus", "ShipmentStatus", "CustomStatus")),
        "CultureCode": "nl-NL",
        "CultureId": 19,
        "Incoterms": 0,
        "ExchangeRate": 1.0,
        "ShopId": SHOP,
        "ViewModusIncVAT": True,
        "ExternalOrderKey": f"WEB-{order}",
        "CouponCode": None,
        **dict.fromkeys(("PaymentFeeIncVat", "PaymentFeeExVat", "ShippingCostsIncVat", "ShippingCostsExVat"), 0.0),
        "PaymentTypeId": 4,
        "CarrierAccountId": None,
        "CustomerId": customer,
        "CustomerCode": f"K-{customer}",
        "CustomerReference": "PO 77",
        "CustomerNote": None,
        "CustomerRating": None,
        "ShopNote": None,
        "SyncSource": "web",
        "CustomerIpaddress": None,
        **dict.fromkeys(("DiscountExVat", "DiscountIncVat", "DownPayment"), 0.0),
        "BillToContact": _contact(customer),
        "ShipToContact": None,
        "Params": [],
        "OrderRows": [],
        "Shipments": [],
        **{name: value for name, value in shop_order_row(order).items() if name not in {"CompanyName", "FullName"}},
    }


def shop_customer(customer: int) -> Row:
    """Give a ShopCtrl customer by its number in the data set."""
    key = FIRST_SHOP_CUSTOMER + customer
    return {
        "CustomerCode": f"K-{key}",
        "ReceiveNewsLetter": False,
        "CustomerGroupId": 2,
        "BillToAddress": _contact(key),
        "ShipToAddress": None,
        "ShopOwnerId": 1,
        "PersonTitle": "Mevr.",
        "FirstName": "Sanne",
        "MiddleName": None,
        "LastNamePrefix": "de",
        "LastName": "Vries",
        "CultureId": 19,
        "PersonalNumber": None,
        "ChangedTimestamp": "2026-01-09T11:20:31.0304578+01:00",
        "Id": key,
        "FullName": "Sanne de Vries",
        "CompanyName": f"De Vries Fietsen {customer} B.V.",
        "EMail": f"inkoop-{key}@fietsen.example",
        "ContactReference": "Sanne",
    }


def _customer_of(order: int) -> int:
    return order // 2


def _contact(key: int) -> Row:
    return {
        "Id": key - 100_000,
        "CompanyName": f"De Vries Fietsen {key - FIRST_SHOP_CUSTOMER} B.V.",
        "VatNumber": "NL004495445B01",
        "CocNumber": "30123456",
        "FullName": "Sanne de Vries",
        "DateOfBirth": None,
        "Gender": "F",
        "PersonTitle": "Mevr.",
        "FirstName": "Sanne",
        "MiddleName": None,
        "LastNamePrefix": "de",
        "LastName": "Vries",
        "Address": "Oudegracht 112 bis",
        "Address2": None,
        "StreetAddress": "Oudegracht",
        "StreetAddressNumber": "112",
        "StreetAddressExtension": "bis",
        "PostalCode": "3511 AW",
        "City": "Utrecht",
        "CountryId": 150,
        "CountryCode": "NL",
        "EMail": f"facturen-{key}@fietsen.example",
        "Phone": "+31 30 555 0101",
        "Phone2": None,
        "StateProvince": "Utrecht",
    }


def web_instant(order: int) -> datetime:
    """Give when a Norce order was made."""
    return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=order)


def order_at(moment: datetime) -> int:
    """Give the first Norce order that was made at a moment or later."""
    return -(-(moment - web_instant(0)) // timedelta(minutes=1))


def web_order(order: int) -> Row:
    """Give a row of Query `Orders/Orders`, with what `$expand=Buyer` adds: nothing, as it is guests that have a CustomerInfo."""
    customer = FIRST_WEB_CUSTOMER + order
    return {
        "Id": FIRST_WEB_ORDER + order,
        "BuyerCustomerInfoId": None,
        "ClientId": 1044,
        "ApplicationId": APPLICATION,
        "QuotationId": 448_120 + order,
        "StatusId": 5,
        "CurrencyId": _CURRENCY_ID,
        "OrderNo": f"N-{FIRST_WEB_ORDER + order}",
        "GroupCode": None,
        "Source": "WEB",
        "DeliveryTerms": None,
        "DeliveryMode": DELIVERY_MODES[order % len(DELIVERY_MODES)],
        "PaymentTerms": "30",
        "DeliveryAttention": None,
        "OrderDate": web_instant(order).isoformat().replace("+00:00", "Z"),
        "DeliveryDate": None,
        "IsPartDelivery": False,
        "VatRate": 25.0,
        **dict.fromkeys(("CashDiscount", "LineDiscount", "FreightCost", "OrderFee"), 0.0),
        **dict.fromkeys(_PARTY_KEYS),
        "BuyerCustomerCode": f"C-{customer}",
        "BuyerCustomerId": customer,
        "Buyer": None,
    }


def web_customer(customer: int) -> Row:
    """Give a row of Query `Customers/Customers` by its number in the data set."""
    key = FIRST_WEB_CUSTOMER + customer
    return {
        "Id": key,
        "ClientId": 1044,
        "TypeId": 1,
        "Key": f"b0f1c2d3-4e5f-4a6b-8c7d-{key:012d}",
        "CustomerCode": f"C-{key}",
        "CustomerCodePrefix": None,
        "EmailAddress": f"inkop-{key}@nordvik.example",
        "SocialSecurityNumber": None,
        "Title": None,
        "FirstName": "Linnea",
        "MiddleName": None,
        "LastName": "Nordvik",
        "Suffix": None,
        "PhoneNumber": f"+46 31 {key}",
        "CellPhoneNumber": None,
        "UseBillingAddressAsShippingAddress": True,
    }
