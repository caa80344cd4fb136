"""What a tenant has configured: users, shops, status definitions, payment terms, currencies, VAT tariffs and products."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

Record = dict[str, Any]
"""One object under the names it has on the wire; amounts are `Decimal`, instants are texts with the Amsterdam offset."""

UTRECHT: Final = 3
GRONINGEN: Final = 7
GENT: Final = 11

OWNER_OF_SHOP: Final = ((UTRECHT, 1), (GRONINGEN, 1), (GENT, 2))


@dataclass(frozen=True, slots=True)
class User:
    """An API user; lists cover what the user may see."""

    name: str
    password: str
    shop_ids: frozenset[int]

    @property
    def owner_ids(self) -> frozenset[int]:
        """Give the shop owners whose shops the user may see."""
        return frozenset(owner for shop, owner in OWNER_OF_SHOP if shop in self.shop_ids)


USERS: Final = (
    User("demo", "demo", frozenset({UTRECHT, GRONINGEN})),
    User("utrecht", "utrecht", frozenset({UTRECHT})),
    User("gent", "gent", frozenset({GENT})),
)

SHOPS: Final[tuple[Record, ...]] = (
    {"Id": UTRECHT, "Name": "Fietswinkel Utrecht", "ShopOwnerId": 1, "ShopGroupId": None, "Active": True},
    {"Id": GRONINGEN, "Name": "Fietswinkel Groningen", "ShopOwnerId": 1, "ShopGroupId": 2, "Active": True},
    {"Id": GENT, "Name": "Fietshuis Gent", "ShopOwnerId": 2, "ShopGroupId": None, "Active": False},
)
SHOP_STATUS: Final[tuple[Record, ...]] = (
    {
        "Id": UTRECHT,
        "Name": "Fietswinkel Utrecht",
        "Active": True,
        "LastMailCheck": "2026-01-11T16:10:02.1180231+01:00",
        "LastOrderSync": "2026-01-11T16:12:44.5500127+01:00",
    },
    {
        "Id": GRONINGEN,
        "Name": "Fietswinkel Groningen",
        "Active": True,
        "LastMailCheck": None,
        "LastOrderSync": "2026-01-11T16:12:45.0917703+01:00",
    },
    {"Id": GENT, "Name": "Fietshuis Gent", "Active": False, "LastMailCheck": None, "LastOrderSync": None},
)
PAYMENT_TERMS: Final[dict[int, tuple[Record, ...]]] = {
    UTRECHT: ({"Id": 1, "Name": "14 dagen netto", "DaysToPay": 14},),
    GRONINGEN: ({"Id": 5, "Name": "30 dagen netto", "DaysToPay": 30}, {"Id": 6, "Name": "Contant", "DaysToPay": 0}),
    GENT: (),
}
PAYMENT_TYPES: Final[dict[int, tuple[Record, ...]]] = {
    UTRECHT: ({"Id": 4, "Code": "IDEAL"},),
    GRONINGEN: ({"Id": 4, "Code": "IDEAL"}, {"Id": 9, "Code": "BANK"}),
    GENT: ({"Id": 12, "Code": "BANCONTACT"},),
}
CURRENCIES: Final[tuple[Record, ...]] = (
    {"Id": 1, "Code": "EUR", "Name": "Euro"},
    {"Id": 2, "Code": "USD", "Name": "Amerikaanse dollar"},
    {"Id": 3, "Code": "SEK", "Name": "Zweedse kroon"},
)
CULTURES: Final[tuple[Record, ...]] = (
    {"Id": 6, "Code": "da-DK"},
    {"Id": 19, "Code": "nl-NL"},
    {"Id": 20, "Code": "nb-NO"},
    {"Id": 29, "Code": "sv-SE"},
)
COUNTRIES: Final[tuple[Record, ...]] = (
    {"Id": 57, "Code": "DK", "Name": "Denemarken"},
    {"Id": 150, "Code": "NL", "Name": "Nederland"},
    {"Id": 160, "Code": "NO", "Name": "Noorwegen"},
    {"Id": 205, "Code": "SE", "Name": "Zweden"},
)
CULTURE_OF_COUNTRY: Final = {"DK": (6, "da-DK"), "NL": (19, "nl-NL"), "NO": (20, "nb-NO"), "SE": (29, "sv-SE")}

BASE_ORDER_STATUSES: Final[tuple[Record, ...]] = (
    {"Id": 1, "Code": "New"},
    {"Id": 2, "Code": "Active"},
    {"Id": 3, "Code": "Completed"},
    {"Id": 4, "Code": "Cancelled"},
)
MAIN_TYPE: Final = 1
PAYMENT_TYPE: Final = 2
SENT_TYPE: Final = 3
CUSTOM_TYPE: Final = 6

INVOICE_DRAFT: Final = 28
INVOICE_OPEN: Final = 31
INVOICE_CREDITED: Final = 34
INVOICE_UNPAID: Final = 39
INVOICE_PARTLY_PAID: Final = 41
INVOICE_PAID: Final = 46
INVOICE_SENT: Final = 51
INVOICE_NOT_SENT: Final = 55
ORDER_UNPAID: Final = 21
ORDER_PAID: Final = 23
ORDER_NEW: Final = {UTRECHT: 10, GRONINGEN: 45}
ORDER_ACTIVE: Final = {UTRECHT: 12, GRONINGEN: 47}
ORDER_COMPLETED: Final = {UTRECHT: 15, GRONINGEN: 52}


def _invoice_status(owner_id: int, status_id: int, type_id: int, base_id: int, name: str, *, action: str | None = None) -> Record:
    return {
        "ShopOwnerId": owner_id,
        "ShopId": None,
        "IsDefaultStatus": status_id in {INVOICE_OPEN, INVOICE_UNPAID, INVOICE_NOT_SENT, 32},
        "HasActionDate": action is not None,
        "ActionDateCaption": action,
        "ActionDateMessage": None if action is None else f"{action} is verstreken",
        "Sequence": 10 if status_id == INVOICE_OPEN else 10 * (status_id % 7) + 10,
        "Id": status_id,
        "BaseInvoiceStatusId": base_id,
        "InvoiceStatusTypeId": type_id,
        "Name": name,
    }


def _order_status(owner_id: int, shop_id: int | None, status_id: int, type_id: int, base_id: int, name: str) -> Record:
    is_custom = type_id == CUSTOM_TYPE
    return {
        "ShopOwnerId": owner_id,
        "ShopId": shop_id,
        "IsDefaultStatusForId": None,
        "HasActionDate": is_custom,
        "ActionDateCaption": "Terugbellen op" if is_custom else None,
        "ActionDateMessage": "Bel de klant terug" if is_custom else None,
        "Sequence": 10 if status_id == ORDER_ACTIVE[UTRECHT] else 10 * (status_id % 7) + 10,
        "Id": status_id,
        "BaseOrderStatusId": base_id,
        "OrderStatusTypeId": type_id,
        "Name": name,
        "Enabled": True,
    }


INVOICE_STATUSES: Final[dict[int, Record]] = {
    record["Id"]: record
    for record in (
        _invoice_status(1, INVOICE_DRAFT, MAIN_TYPE, 1, "Concept"),
        _invoice_status(1, INVOICE_OPEN, MAIN_TYPE, 2, "Open"),
        _invoice_status(1, INVOICE_CREDITED, MAIN_TYPE, 3, "Gecrediteerd"),
        _invoice_status(1, INVOICE_UNPAID, PAYMENT_TYPE, 4, "Niet betaald"),
        _invoice_status(1, INVOICE_PARTLY_PAID, PAYMENT_TYPE, 5, "Deels betaald"),
        _invoice_status(1, INVOICE_PAID, PAYMENT_TYPE, 6, "Betaald"),
        _invoice_status(1, INVOICE_SENT, SENT_TYPE, 8, "Verzonden"),
        _invoice_status(1, INVOICE_NOT_SENT, SENT_TYPE, 7, "Niet verzonden"),
        _invoice_status(1, 63, CUSTOM_TYPE, 9, "Wacht op akkoord", action="Akkoord voor"),
        _invoice_status(2, 29, MAIN_TYPE, 1, "Ontwerp"),
        _invoice_status(2, 32, MAIN_TYPE, 2, "Openstaand"),
        _invoice_status(2, 44, PAYMENT_TYPE, 6, "Voldaan"),
    )
}
ORDER_STATUSES: Final[dict[int, Record]] = {
    record["Id"]: record
    for record in (
        _order_status(1, UTRECHT, ORDER_NEW[UTRECHT], MAIN_TYPE, 1, "Nieuw"),
        _order_status(1, UTRECHT, ORDER_ACTIVE[UTRECHT], MAIN_TYPE, 2, "In behandeling"),
        _order_status(1, UTRECHT, ORDER_COMPLETED[UTRECHT], MAIN_TYPE, 3, "Afgerond"),
        _order_status(1, UTRECHT, 17, CUSTOM_TYPE, 2, "Wacht op klant"),
        _order_status(1, None, ORDER_UNPAID, PAYMENT_TYPE, 1, "Open"),
        _order_status(1, None, ORDER_PAID, PAYMENT_TYPE, 3, "Betaald"),
        _order_status(1, GRONINGEN, ORDER_NEW[GRONINGEN], MAIN_TYPE, 1, "Binnengekomen"),
        _order_status(1, GRONINGEN, ORDER_ACTIVE[GRONINGEN], MAIN_TYPE, 2, "Wordt verwerkt"),
        _order_status(1, GRONINGEN, ORDER_COMPLETED[GRONINGEN], MAIN_TYPE, 3, "Klaar"),
        _order_status(1, GRONINGEN, 58, CUSTOM_TYPE, 2, "Wacht op levering"),
        _order_status(2, GENT, 71, MAIN_TYPE, 2, "Lopend"),
    )
}


@dataclass(frozen=True, slots=True)
class Product:
    """Something that order rows sell; prices are per piece."""

    code: str
    name: str
    price_inc_vat: Decimal
    vat_percentage: Decimal
    tariff_id: int
    tariff_code: str
    quantities: tuple[str, ...] = ("1.0", "2.0", "3.0", "5.0")


def _product(code: str, name: str, price: str, vat: str, tariff_id: int, tariff_code: str) -> Product:
    return Product(code, name, Decimal(price), Decimal(vat), tariff_id, tariff_code)


PRODUCTS: Final = (
    _product("TAS-21", "Fietstas waterdicht", "121.0", "21.0", 2, "HOOG"),
    _product("LAMP-02", "Koplamp LED", "29.90", "21.0", 2, "HOOG"),
    _product("PLAK-1", "Plakset", "5.0", "21.0", 2, "HOOG"),
    _product("BAND-28", 'Buitenband 28" & binnenband', "34.95", "21.0", 2, "HOOG"),
    _product("KRT-100", "Fietskaart Veluwe", "12.50", "9.0", 3, "LAAG"),
    _product("KOF-500", "Koffiebonen 500 g", "8.95", "9.0", 3, "LAAG"),
    _product("BOEK-6", "Routeboek (oud tarief)", "19.95", "6.0", 5, "LAAG6"),
    _product("BON-25", "Cadeaubon", "25.0", "0.0", 1, "NUL"),
    _product("CYK-25", "Cykelkorg Åre", "249.00", "25.0", 8, "SE25"),
    Product("UUR-1", "Werkplaats, per uur", Decimal("72.60"), Decimal("21.0"), 2, "HOOG", ("0.5", "1.25", "2.0")),
)
