"""What one installation holds: made from the seed alone, with the fixed samples among it."""

# ruff: noqa: PLR2004, S311  (sample data: the shares are plain numbers, and nothing here is a secret)

from __future__ import annotations

import random
import unicodedata
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from gateway.sandbox.compilator.documents import BRANCHES, SALES_PEOPLE, make_invoices, make_orders
from gateway.sandbox.compilator.samples import (
    CUSTOMER_NUMBER,
    LICENSE_PLATE,
    sample_contact,
    sample_customer,
    sample_ledger,
    sample_settings,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.sandbox.compilator.samples import Record
    from gateway.sandbox.parties import Party

_FIRST_CUSTOMER: Final = 40001
_OUR_PARTIES: Final = slice(20, 140)
_EU_COUNTRIES: Final = frozenset({"NL", "DK"})
_CULTURES: Final = {"SE": "sv-SE", "NO": "nb-NO", "DK": "da-DK", "NL": "en-GB"}
_CATEGORIES: Final = {1: "Privat", 2: "Företag", 3: "Åkeri", 4: "Taxi"}
_CURRENCY_OF_COUNTRY: Final = {"SE": 1, "NL": 2, "DK": 2, "NO": 3}
_FIRST_WRITE: Final = datetime.fromisoformat("2026-02-01 09:00:00")


@dataclass(slots=True)
class Data:
    """All records, by the keys that the API reads them by."""

    seed: int
    customers: dict[int, Record]
    """By customer number; each carries its delivery addresses."""
    settings: dict[int, Record]
    """Invoicing settings by customer number."""
    ledgers: dict[int, Record]
    contacts: dict[str, Record]
    currencies: dict[int, Record]
    owners: dict[str, list[int]]
    """Customer numbers by licence plate."""
    orders: dict[tuple[int, int], Record]
    """By (id, branch): an id alone is not unique."""
    invoices: dict[int, Record]
    internal_invoices: frozenset[int]
    writes: int = field(default=0)

    def next_write(self) -> datetime:
        """Give the time of a new write: the system's own calendar, a second further at each."""
        self.writes += 1
        return _FIRST_WRITE + timedelta(seconds=self.writes)

    def next_id(self) -> str:
        """Give a new GUID, the same one for the same seed and number of writes."""
        return _guid(self.seed, f"write/{self.writes}")


def make_data(parties: tuple[Party, ...], seed: int) -> Data:
    """Make everything anew."""
    ours = parties[_OUR_PARTIES]
    customers = {_FIRST_CUSTOMER + index: _customer(seed, index, party) for index, party in enumerate(ours)}
    customers[CUSTOMER_NUMBER] = sample_customer()
    currencies = _currencies()
    plates_of = {number: _plates(seed, number) for number in customers}
    orders = make_orders(seed, customers, currencies, plates_of)
    invoices, internal_invoices = make_invoices(seed, customers, currencies)
    return Data(
        seed=seed,
        customers=customers,
        settings=_all_settings(customers),
        ledgers=_all_ledgers(seed, customers),
        contacts=_all_contacts(seed, customers, ours),
        currencies=currencies,
        owners=_owners(plates_of),
        orders=orders,
        invoices=invoices,
        internal_invoices=internal_invoices,
    )


def plate_key(text: str) -> str:
    """Write a licence plate as it is kept: upper case, without blanks and hyphens."""
    return text.upper().replace(" ", "").replace("-", "")


def _guid(seed: int, name: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{seed}/compilator/{name}"))


def _currencies() -> dict[int, Record]:
    rows = (
        (1, "Svenska kronor", "1.0000000000", "1.00", "SEK"),
        (2, "Euro", "11.1542000000", "0.01", "EUR"),
        (3, "Norska kronor", "0.9641250000", "1.00", "NOK"),
        (4, "Kuwaitiska dinarer", "31.0987654321", "0.01", "KWD"),  # three decimals
    )
    return {
        currency_id: {"Id": currency_id, "Name": name, "Rate": Decimal(rate), "RoundingAmount": Decimal(rounding), "CurrencyCode": code}
        for currency_id, name, rate, rounding, code in rows
    }


def _customer(seed: int, index: int, party: Party) -> Record:
    number = _FIRST_CUSTOMER + index
    chance = random.Random(f"{seed}/compilator/customer/{number}")  # nosec B311  # sample data
    branch_id = chance.choice(tuple(BRANCHES))
    category = chance.choice((2, 3, 4)) if party.is_company else 1
    created = datetime.fromisoformat("2017-01-02 08:00:00") + timedelta(minutes=chance.randrange(3_000_000))
    changed = datetime.fromisoformat("2023-01-01 00:00:00") + timedelta(seconds=chance.randrange(94_000_000))
    is_unchanged = index % 12 == 8  # nobody touched these after they were made
    has_claim = chance.random() < 0.5  # half owe something
    return {
        "Id": _guid(seed, f"customer/{number}"),
        "BranchName": BRANCHES[branch_id],
        "CountryName": party.country_name,
        "CustomerCategoryId1Name": _CATEGORIES[category],
        "CustomerCategoryId2Name": None,
        "Agreements": [{"ZoneId": 1, "Number": 301, "FixedProductRange": False}] if category == 3 else [],  # hauliers
        "CreatedBy": "import",
        "Created": created,
        "ChangedBy": None if is_unchanged else chance.choice(("anna", "per", "yrsa")),
        "Changed": None if is_unchanged else changed,
        "DeliveryAddresses": [_delivery_address(seed, number, position, party) for position in range(chance.choice((0, 1, 1, 2, 3)))],
        "BreakdownServiceTypeName": None,
        "CurrentClaim": Decimal(chance.randrange(5_000_000)).scaleb(-2) if has_claim else None,
        "CreditLimit": Decimal("50000.00") if party.is_company else None,
        "FreezeFlag": index % 30 == 11,  # a few are frozen
        "CSID": 60 + index,
        "CustomerNo": number,
        "BranchId": branch_id,
        "SearchCode": _search_code(party.name),
        "Name": party.name,
        "OrgNo": _organisation_number(chance, party),
        "Address1": f"{party.street} {party.street_number}",
        "Address2": None,
        "Address3": None,
        "PostalCode": party.postal_code,
        "Town": party.city,
        "CountryId": party.country_code,
        "BoardHome": None,
        "Phone1": party.phone,
        "Phone2": None,
        "WebSite": None,
        "Email": party.email,
        "Note": chance.choice((None, None, "Ring innan leverans")),
        "PreferredCultureId": _CULTURES[party.country_code],
        "VatRegistrationNumber": party.vat_number or None,
        "CustomerCategoryId1": category,
        "CustomerCategoryId2": None,
        "DistrictId": chance.choice((None, 1, 2)),
        "BreakdownServiceTypeId": None,
        "TransportationScheduleId": None,
        "RegionId": None,
        "ParentCustomerNo": number - 1 if index % 7 == 1 else None,
        "ReferencePerson": None,
        "ContactPerson": f"{party.first_name} {party.last_name}" if party.is_company and chance.random() < 0.6 else None,  # share
        "PaysVAT": True,
        "IsCompany": party.is_company,
        "InterestInvoice": party.is_company,
        "IsCashCustomer": not party.is_company,
        "Export": party.country_code == "NO",
        "WithinEU": party.country_code in _EU_COUNTRIES,
        "Inactive": index % 15 == 4,  # one in fifteen
        "YourReference": f"{party.first_name[0]}{party.last_name[0]}".upper() if party.is_company else None,
        "RequisitionOrderNumber": None,
        "InternalWorkingOrderNumber": None,
        "SalesPerson": chance.choice(SALES_PEOPLE),
        "GDPRConsentDate": None if party.is_company else created,
        "CustomerType": None,
        "DocumentPath": None,
        "ExternalReference": None,
        "GlobalLocationNumber": party.gln or None,
    }


def _search_code(name: str) -> str:
    plain = unicodedata.normalize("NFD", name.upper())
    return "".join(letter for letter in plain if letter.isascii() and letter.isalpha())[:10]


def _organisation_number(chance: random.Random, party: Party) -> str | None:
    """Spell the number as people type it: with a hyphen, without, with a blank, or with the century's 16 in front."""
    if not party.is_company:
        return chance.choice((None, ""))
    number = party.organization_number
    bare = number.replace("-", "")
    return chance.choice((number, number, bare, bare, number.replace("-", " "), f"16{bare}"))


def _delivery_address(seed: int, number: int, position: int, party: Party) -> Record:
    return {
        "Id": _guid(seed, f"delivery-address/{number}/{position}"),
        "CountryName": party.country_name,
        "Name": ("Lager", "Verkstad", "Terminal")[position],
        "Address1": f"{party.street} {int(party.street_number) + 2 * position}",
        "Address2": None,
        "Address3": None,
        "PostalCode": party.postal_code,
        "Town": party.city,
        "CountryId": party.country_code,
        "Phone1": party.phone if position == 0 else None,
        "Phone2": None,
        "IsDefaultAddress": position == 0,
    }


def _all_settings(customers: Mapping[int, Record]) -> dict[int, Record]:
    """Make the settings of most customers: one in eight has none."""
    settings = {
        number: _settings(index, customer)
        for index, (number, customer) in enumerate(customers.items())
        if index % 8 != 6  # one in eight
    }
    settings[CUSTOMER_NUMBER] = sample_settings()
    return settings


def _settings(index: int, customer: Record) -> Record:
    number = customer["CustomerNo"]
    recipient = {0: 0, 1: customer["ParentCustomerNo"] or number}.get(index % 7, number)
    has_email = index % 5 != 0
    return {
        "CustomerNumber": number,
        "RetainsInvoiceType": index % 3 == 0,
        "CurrencyId": 4 if index % 50 == 10 else _CURRENCY_OF_COUNTRY[customer["CountryId"]],  # the unusual currency
        "TermsOfPaymentId": (10, 30, 60)[index % 3],
        "PaysInvoiceFee": index % 4 != 0,
        "InvoiceTypeId": 1 + index % 2,
        "InterestTypeId": 1,
        "InvoiceCycleId": 1 + index % 3,
        "InvoiceRecipientCustomerNumber": recipient,
        "CreditAccountId": 1,
        "AllowInvoicePaymentFromOrder": customer["IsCompany"],
        "SendInvoiceFromOrderAsEmail": has_email,
        "InvoiceOrderPaymentEmailAddress": customer["Email"] if has_email else None,
        "ReverseTax": index % 11 == 2,  # building firms
    }


def _all_ledgers(seed: int, customers: Mapping[int, Record]) -> dict[int, Record]:
    """Make the accounts receivable of most customers: one in ten has none."""
    ledgers = {
        number: _ledger(random.Random(f"{seed}/compilator/ledger/{number}"), customer)  # nosec B311  # sample data
        for index, (number, customer) in enumerate(customers.items())
        if index % 10 != 9  # one in ten
    }
    ledgers[CUSTOMER_NUMBER] = sample_ledger()
    return ledgers


def _ledger(chance: random.Random, customer: Record) -> Record:
    return {
        "BankAccount": f"{chance.randrange(100, 1000)}-{chance.randrange(1000, 10_000)}",
        "BankName": "Mälarbanken",
        "BankClearingNo": "6000",
        "IBAN": None,
        "BIC": None,
        "FreezeFlag": customer["FreezeFlag"],
        "PaysReminderFee": True,
        "Reminders": not customer["Inactive"],
        "CreditLimit": customer["CreditLimit"],
        "Turnover": Decimal(chance.randrange(30_000_000)).scaleb(-2),
        "TurnoverLastYear": Decimal(chance.randrange(30_000_000)).scaleb(-2),
        "CurrentClaim": customer["CurrentClaim"],
        "CreditChangeDate": chance.choice((None, customer["Created"])),
        "CustomerStatementTypeId": 1,
    }


def _all_contacts(seed: int, customers: Mapping[int, Record], parties: tuple[Party, ...]) -> dict[str, Record]:
    """Make a contact for each company that names a contact person."""
    contacts = [
        _contact(seed, customer, party)
        for customer, party in zip(customers.values(), parties, strict=True)
        if customer["ContactPerson"] and customer["CustomerNo"] != CUSTOMER_NUMBER
    ]
    return {contact["ContactId"]: contact for contact in (sample_contact(), *contacts)}


def _contact(seed: int, customer: Record, party: Party) -> Record:
    number = customer["CustomerNo"]
    return {
        "ContactId": _guid(seed, f"contact/{number}"),
        "BranchId": customer["BranchId"],
        "BranchName": customer["BranchName"],
        "Name": customer["ContactPerson"],
        "Address1": customer["Address1"],
        "Address2": None,
        "Address3": None,
        "PostalCode": customer["PostalCode"],
        "Town": customer["Town"],
        "CountryId": customer["CountryId"],
        "CountryName": customer["CountryName"],
        "Email": party.email,
        "Phone": party.phone,
        "Mobile": None,
        "BusinessPosition": None,
        "Note": None,
        "PreferredCultureId": customer["PreferredCultureId"],
        "Identification": number - _FIRST_CUSTOMER + 100,
        "IsDefault": True,
        "UseCustomerAddress": True,
        "CustomerNo": number,
        "CreatedDate": customer["Created"],
        "CreatedBy": "import",
        "ChangedDate": customer["Changed"] or customer["Created"],
        "ChangedBy": customer["ChangedBy"] or "import",
        "GDPRConsentDate": customer["GDPRConsentDate"],
        "MarkedForRemoval": False,
    }


def _plates(seed: int, number: int) -> tuple[str, ...]:
    """Give the licence plates of one customer's vehicles, none to two."""
    if number == CUSTOMER_NUMBER:
        return (LICENSE_PLATE,)
    chance = random.Random(f"{seed}/compilator/plates/{number}")  # nosec B311  # sample data
    letters = "BCDFGHJKLMNPRSTUWXYZ"
    count = chance.choice((0, 1, 1, 2))
    return tuple("".join(chance.choices(letters, k=3)) + f"{chance.randrange(1000):03d}" for _ in range(count))


def _owners(plates_of: Mapping[int, tuple[str, ...]]) -> dict[str, list[int]]:
    """Turn plates by customer into customers by plate; one vehicle in ten was sold on and is known at two."""
    owners: dict[str, list[int]] = {}
    for number, plates in plates_of.items():
        for plate in plates:
            owners.setdefault(plate, []).append(number)
    numbers = tuple(plates_of)
    for position, (plate, known) in enumerate(owners.items()):
        buyer = numbers[(numbers.index(known[0]) + 1) % len(numbers)]
        if position % 10 == 3 and plate != LICENSE_PLATE and buyer not in known:  # one in ten
            known.append(buyer)
    return owners
