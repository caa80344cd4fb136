import base64
import hashlib
import json
import re
import xml.etree.ElementTree as ET
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from gateway.sandbox import shopctrl
from gateway.sandbox.emulator import Emulator
from gateway.sandbox.parties import make_parties
from gateway.sandbox.shopctrl import create
from gateway.sandbox.shopctrl.instants import to_stamp

pytestmark = pytest.mark.anyio

SAMPLE_CUSTOMER = 20411
SAMPLE_ORDER = 55012
SAMPLE_INVOICE = 88121
SAMPLE_FILE = 990017
OPEN_ORDER = 54712
PARTLY_INVOICED_ORDER = 54716
SPLIT_ORDER = 54714
CREDITED_ORDER = 54717
CREDIT = 88016
BARE_ORDER = 54713
DRAFT = 88013
DELETED_INVOICE = 88019
ORDER_OF_DELETED_INVOICE = 54721
GUEST_ORDER = 54719
SHIPPED_INVOICE = 88025
GRONINGEN_ORDER = 54713
NOW = "2026-06-30T23:59:58.1234567+02:00"

BASE_2021 = [
    "Id", "InvoiceCode", "OrderId", "OrderCode", "InvoiceDate", "InvoiceTotalIncVat", "InvoiceTotalExVat", "CurrencyId", "CurrencyCode",
    "Deleted", "ChangeTimestamp", "MainStatusId", "DocumentFileId",
]  # fmt: skip
SALES_INVOICE = """
{"Id": 88121, "InvoiceCode": "F2026-0117", "InvoiceDate": "2026-01-11T16:17:35.0304578+01:00", "InvoiceTotalIncVat": 242.0,
 "InvoiceTotalExVat": 200.0, "CurrencyId": 1, "CurrencyCode": "EUR", "Deleted": false,
 "ChangedTimestamp": "2026-01-11T16:17:36.119204+01:00", "MainStatusId": 31, "PaymentStatusId": 41, "SentStatusId": 51,
 "CustomStatusId": null, "DocumentFileId": 990017, "ShopId": 3, "OrderId": 55012, "OrderCode": "UTR-2026-00431",
 "InvoiceSourceType": 0, "IsReadOnly": false}
"""


@pytest.fixture(scope="module")
def installation() -> Emulator:
    return create(make_parties(1), 1)


@pytest.fixture
def emulator(installation: Emulator) -> Iterator[Emulator]:
    yield installation
    installation.reset()


def client_of(emulator: Emulator, user: str | None = "demo") -> httpx.AsyncClient:
    app = Starlette(routes=[Mount("/shopctrl", routes=list(emulator.routes))])
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app), base_url="http://sandbox/shopctrl", auth=(user, user) if user else None
    )


@pytest.fixture
async def client(emulator: Emulator) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(emulator) as made:
        yield made


def exact(text: str) -> Any:  # noqa: ANN401  (any JSON value)
    return json.loads(text, parse_float=Decimal)


async def read(client: httpx.AsyncClient, path: str) -> Any:  # noqa: ANN401  (any JSON value)
    response = await client.get(path)
    assert response.status_code == 200, response.text
    return exact(response.text)


def xml_names(text: str) -> list[str]:
    return [element.tag for element in ET.fromstring(text)]  # noqa: S314  (our own answer)


# --- who may see what


@pytest.mark.parametrize("authorization", [None, "Basic ZGVtbzp3cm9uZw==", "Basic %%%", "Bearer abc"])
@pytest.mark.parametrize("path", ["/v1/Orders/55012/Invoices", "/v1/Nothing"])
async def test_no_or_wrong_credentials_are_401_with_a_json_message(emulator: Emulator, authorization: str | None, path: str) -> None:
    async with client_of(emulator, user=None) as client:
        response = await client.get(path, headers={"Authorization": authorization} if authorization else {})

    assert response.status_code == 401
    assert response.json() == {"Message": "Authorization has been denied for this request."}
    assert response.headers["www-authenticate"] == 'Basic realm="ShopCtrl"'


async def test_the_configured_user_is_let_in(emulator: Emulator) -> None:
    auth = emulator.config["auth"]
    async with client_of(emulator) as client:
        client.auth = httpx.BasicAuth(auth["username"], auth["password"])
        assert (await client.get("/v1/Currencies")).status_code == 200

    assert emulator.config["shop_ids"] == [3, 7]
    assert (emulator.name, emulator.config_key) == ("shopctrl", "shop")


async def test_a_user_sees_the_shops_that_are_its_own(emulator: Emulator) -> None:
    async with client_of(emulator, "utrecht") as client:
        shops = await read(client, "/v1/Shops/ShopStatus")
        paths = (
            "/v1/Shops/7/Orders",
            f"/v1/Orders/{GRONINGEN_ORDER}",
            f"/v1/Invoices/{DRAFT}",
            "/v1/Files/990105",
            "/v1/InvoiceStatuses/32",
        )
        statuses = [(await client.get(path)).status_code for path in paths]
        own = await client.get("/v1/Orders/55012")

    assert [shop["Id"] for shop in shops] == [3]
    assert statuses == [404, 404, 404, 404, 404]
    assert own.status_code == 200


async def test_an_unknown_route_is_404_and_a_wrong_method_405(client: httpx.AsyncClient) -> None:
    unknown = await client.get("/v1/InvoiceSearch")
    wrong = await client.delete("/v1/Invoices/88121")

    assert (unknown.status_code, wrong.status_code) == (404, 405)
    assert unknown.json() == {
        "Message": "No HTTP resource was found that matches the request URI 'http://sandbox/shopctrl/v1/InvoiceSearch'."
    }
    assert wrong.json() == {"Message": "The requested resource does not support http method 'DELETE'."}


@pytest.mark.parametrize(
    "path", ["/v1/Orders/abc/Invoices", "/v1/Invoices/99999999999", "/v1/Customers/20411.0", "/v1/Shops/%C2%B2/Orders"]
)
async def test_an_id_that_is_no_32_bit_integer_is_400(client: httpx.AsyncClient, path: str) -> None:
    response = await client.get(path)

    assert response.status_code == 400
    assert response.json()["Message"] == "The request is invalid."


# --- formats


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("application/json", "application/json; charset=utf-8"),
        ("text/json", "text/json; charset=utf-8"),
        ("application/xml", "application/xml; charset=utf-8"),
        ("text/xml;q=0.9, application/json;q=0.5", "text/xml; charset=utf-8"),
        ("*/*", "application/json; charset=utf-8"),
    ],
)
async def test_the_accept_header_chooses_json_or_xml(client: httpx.AsyncClient, accept: str, media_type: str) -> None:
    response = await client.get("/v1/Customers/20411", headers={"Accept": accept})

    assert response.headers["content-type"] == media_type


async def test_a_caller_that_accepts_anything_may_get_xml(client: httpx.AsyncClient, emulator: Emulator) -> None:
    emulator.switches["default_format"] = "xml"

    response = await client.get("/v1/Currencies")

    assert response.text.startswith("<ArrayOfCurrency xmlns:xsd=")
    assert (await client.get("/v1/Currencies", headers={"Accept": "application/json"})).json()[0]["Code"] == "EUR"


async def test_xml_of_2021_has_the_order_of_the_json_and_decimals_without_point_zero(client: httpx.AsyncClient, emulator: Emulator) -> None:
    emulator.switches.update(profile="2021", time_digits=6)

    response = await client.get("/v1/Orders/55012/Invoices", headers={"Accept": "application/xml"})

    assert response.text == (
        '<ArrayOfInvoiceBase xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        "<InvoiceBase><Id>88121</Id><InvoiceCode>F2026-0117</InvoiceCode><OrderId>55012</OrderId><OrderCode>UTR-2026-00431</OrderCode>"
        "<InvoiceDate>2026-01-11T16:17:35.030457+01:00</InvoiceDate><InvoiceTotalIncVat>242</InvoiceTotalIncVat>"
        "<InvoiceTotalExVat>200</InvoiceTotalExVat><CurrencyId>1</CurrencyId><CurrencyCode>EUR</CurrencyCode><Deleted>false</Deleted>"
        "<ChangeTimestamp>2026-01-11T16:17:36.119204+01:00</ChangeTimestamp><MainStatusId>31</MainStatusId>"
        "<DocumentFileId>990017</DocumentFileId></InvoiceBase></ArrayOfInvoiceBase>"
    )


async def test_xml_of_2026_has_the_members_of_the_base_class_first(client: httpx.AsyncClient) -> None:
    as_json = (await client.get("/v1/Customers/20411")).json()
    as_xml = (await client.get("/v1/Customers/20411", headers={"Accept": "text/xml"})).text

    assert next(iter(as_json)) == "CustomerCode"
    assert xml_names(as_xml)[:5] == ["Id", "FullName", "CompanyName", "EMail", "ContactReference"]
    assert "PersonalNumber" not in as_xml


async def test_xml_writes_null_numbers_as_nil(client: httpx.AsyncClient, emulator: Emulator) -> None:
    emulator.switches["profile"] = "sales"

    response = await client.get("/v1/Orders/55012/Invoices", headers={"Accept": "text/xml"})

    assert '<CustomStatusId xsi:nil="true" />' in response.text
    assert "<IsReadOnly>false</IsReadOnly>" in response.text


async def test_a_refusal_can_be_xml_too(client: httpx.AsyncClient) -> None:
    response = await client.get("/v1/Invoices/1", headers={"Accept": "text/xml"})

    assert response.status_code == 404
    assert "<Message>Invoice '1' not found.</Message></Error>" in response.text


async def test_names_keep_the_odd_spellings_of_the_vendor(client: httpx.AsyncClient) -> None:
    customer = await read(client, "/v1/Customers/20411")
    order = await read(client, "/v1/Orders/55012")
    order_row = (await read(client, "/v1/Orders/55012/Rows"))[0]
    invoice_row = (await read(client, "/v1/Invoices/88121/Rows"))[0]

    assert "EMail" in customer
    assert "EMail" in customer["BillToAddress"]
    assert "ViewModusIncVAT" in order
    assert {"Vatperc", "VATTariffId", "VATTariffCode"} <= order_row.keys()
    assert {"VatPercentage", "VatTariffId", "VatTariffCode"} <= invoice_row.keys()


# --- model profiles and times


async def test_the_sample_order_has_the_sample_invoice_in_the_sales_profile(client: httpx.AsyncClient, emulator: Emulator) -> None:
    emulator.switches["profile"] = "sales"

    assert await read(client, "/v1/Orders/55012/Invoices") == [exact(SALES_INVOICE)]


async def test_the_demo_profile_has_no_source_and_no_read_only_mark(client: httpx.AsyncClient) -> None:
    expected = exact(SALES_INVOICE)
    del expected["InvoiceSourceType"], expected["IsReadOnly"]

    assert await read(client, "/v1/Orders/55012/Invoices") == [expected]


async def test_the_2021_profile_has_thirteen_fields_and_the_old_timestamp(client: httpx.AsyncClient, emulator: Emulator) -> None:
    emulator.switches["profile"] = "2021"

    invoice = (await read(client, "/v1/Orders/55012/Invoices"))[0]
    detail = await read(client, "/v1/Invoices/88121")

    assert list(invoice) == BASE_2021
    assert invoice["ChangeTimestamp"] == "2026-01-11T16:17:36.119204+01:00"
    assert detail["ChangeTimestamp"] == "2026-01-11T16:17:36.119204+01:00"
    assert not {"ChangedTimestamp", "PaymentStatusId", "PaymentStatus", "ShopId"} & detail.keys()
    assert "DownPayment" not in await read(client, "/v1/Orders/55012")


async def test_a_payment_has_its_invoice_flat(client: httpx.AsyncClient) -> None:
    expected = """
    [{"Id": 4401, "ShopId": 3, "ShopOwnerId": 1, "Amount": 100.0, "PaymentDate": "2026-01-12T00:00:00+01:00", "CurrencyId": 1,
      "CurrencyCode": "EUR", "Note": "iDEAL", "AccountNumber": "NL91ABNA0417164300", "AccountName": "De Vries Fietsen",
      "TransactionId": "tr_7Hk2", "ImportSource": "psp", "CreationDate": "2026-01-12T08:01:44.0304578+01:00", "PaymentTypeId": 4,
      "OrderId": 55012, "InvoiceId": 88121}]
    """
    assert await read(client, "/v1/Orders/55012/Payments") == exact(expected)


@pytest.mark.parametrize("switches", [{"profile": "2021"}, {"payments": "allocations"}])
async def test_a_payment_has_its_invoices_in_allocations(client: httpx.AsyncClient, emulator: Emulator, switches: dict[str, str]) -> None:
    emulator.switches.update(switches)

    expected = """
    [{"Id": 4401, "ShopOwnerId": 1, "Amount": 100.0, "PaymentDate": "2026-01-12T00:00:00+01:00", "CurrencyId": 1, "CurrencyCode": "EUR",
      "TransactionId": "tr_7Hk2", "CreationDate": "2026-01-12T08:01:44.0304578+01:00", "PaymentTypeId": 4,
      "PaymentAllocations": [{"OrderId": 55012, "InvoiceId": 88121, "AllocatedAmount": 100.0}]}]
    """
    assert await read(client, "/v1/Orders/55012/Payments") == exact(expected)


async def test_the_payment_shape_can_be_turned_against_the_profile(client: httpx.AsyncClient, emulator: Emulator) -> None:
    emulator.switches.update(profile="2021", payments="flat")

    assert (await read(client, "/v1/Orders/55012/Payments"))[0]["InvoiceId"] == 88121


async def test_a_payment_of_several_invoices_names_none_when_flat(client: httpx.AsyncClient, emulator: Emulator) -> None:
    (flat,) = await read(client, f"/v1/Orders/{SPLIT_ORDER}/Payments")
    emulator.switches["payments"] = "allocations"
    (allocated,) = await read(client, f"/v1/Orders/{SPLIT_ORDER}/Payments")

    assert (flat["OrderId"], flat["InvoiceId"]) == (SPLIT_ORDER, None)
    assert [share["InvoiceId"] for share in allocated["PaymentAllocations"]] == [88010, 88011, 88012]
    assert sum(share["AllocatedAmount"] for share in allocated["PaymentAllocations"]) == allocated["Amount"]


async def test_an_older_customer_model_has_neither_news_letter_nor_group(client: httpx.AsyncClient, emulator: Emulator) -> None:
    assert {"ReceiveNewsLetter", "CustomerGroupId"} <= (await read(client, "/v1/Customers/20411")).keys()

    emulator.switches["customer_model"] = "feed"

    assert not {"ReceiveNewsLetter", "CustomerGroupId"} & (await read(client, "/v1/Customers/20411")).keys()


@pytest.mark.parametrize(
    ("digits", "expected"),
    [(7, "2026-01-11T16:17:35.0304578+01:00"), (6, "2026-01-11T16:17:35.030457+01:00"), (0, "2026-01-11T16:17:35+01:00")],
)
async def test_times_have_so_many_digits_and_the_amsterdam_offset(
    client: httpx.AsyncClient, emulator: Emulator, digits: int, expected: str
) -> None:
    emulator.switches["time_digits"] = digits

    assert (await read(client, "/v1/Invoices/88121"))["InvoiceDate"] == expected


def test_an_instant_is_written_in_amsterdam_time_without_trailing_zeros() -> None:
    assert to_stamp("2026/01/11 16:17:35") == "2026-01-11T16:17:35+01:00"
    assert to_stamp("2026-07-01T10:00:00.1200000Z") == "2026-07-01T12:00:00.12+02:00"


async def test_an_invoice_of_new_years_night_belongs_to_another_day_and_year_in_utc(client: httpx.AsyncClient) -> None:
    invoice = await read(client, "/v1/Invoices/88297")

    assert invoice["InvoiceDate"] == "2026-01-01T00:12:41.0304578+01:00"
    assert datetime.fromisoformat(invoice["InvoiceDate"]).astimezone(UTC).date().isoformat() == "2025-12-31"


# --- customers


async def test_a_customer_carries_its_chamber_of_commerce_number(client: httpx.AsyncClient) -> None:
    sample = await read(client, "/v1/Customers/20411")
    made = await read(client, "/v1/Customers/20400")
    party = make_parties(1)[40]

    assert (sample["Id"], sample["CustomerCode"], sample["BillToAddress"]["CocNumber"]) == (20411, "K-20411", "30123456")
    assert made["BillToAddress"]["CocNumber"] == party.organization_number
    assert (made["CompanyName"], made["EMail"]) == (party.name, party.email)


async def test_an_unknown_customer_is_404_with_a_message(client: httpx.AsyncClient) -> None:
    response = await client.get("/v1/Customers/1")

    assert (response.status_code, response.json()) == (404, {"Message": "Customer '1' not found."})


async def test_a_customer_code_gives_an_array_as_codes_are_not_unique(client: httpx.AsyncClient) -> None:
    async def ids(owner_id: int, code: str) -> list[int]:
        return [c["Id"] for c in await read(client, f"/v1/ShopOwners/{owner_id}/Customers/CustomerCode/{code}")]

    assert await ids(1, "K-20430") == [20430, 20431]
    assert await ids(1, "K-20411") == [20411]
    assert await ids(1, "K-1") == []
    assert await ids(2, "K-20411") == []


async def test_the_customer_list_has_all_customers_with_few_fields(client: httpx.AsyncClient) -> None:
    customers = await read(client, "/v1/Customers")

    assert [customer["Id"] for customer in customers] == list(range(20400, 20520))
    assert customers[11] == {
        "Id": 20411,
        "FullName": "Sanne de Vries",
        "CompanyName": "De Vries Fietsen B.V.",
        "EMail": "facturen@devriesfietsen.example",
        "ContactReference": "Sanne",
    }


# --- orders


async def test_orders_come_in_bare_pages_of_a_hundred(client: httpx.AsyncClient) -> None:
    first = await read(client, "/v1/Shops/3/Orders")
    second = await read(client, "/v1/Shops/3/Orders?pageNumber=2")

    assert (len(first), len(second)) == (100, 60)
    assert [order["Id"] for order in first + second] == list(range(54712, 55032, 2))
    assert await read(client, "/v1/Shops/3/Orders?pageNumber=3") == []
    assert [order["Id"] for order in await read(client, "/v1/Shops/7/Orders?pageSize=2&pageNumber=2")] == [54717, 54719]


async def test_an_order_summary_has_no_rows_and_no_customer_id(client: httpx.AsyncClient) -> None:
    (summary,) = [order for order in await read(client, "/v1/Shops/3/Orders?pageSize=500") if order["Id"] == SAMPLE_ORDER]

    assert summary == exact("""
    {"CompanyName": "De Vries Fietsen B.V.", "FullName": "Sanne de Vries", "Id": 55012, "OrderCode": "UTR-2026-00431",
     "Date": "2026-01-10T09:31:00+01:00", "OrderTotalIncVat": 242.0, "OrderTotalExVat": 200.0, "CurrencyId": 1, "CurrencyCode": "EUR",
     "Deleted": false, "ChangeTimestamp": "2026-01-11T16:17:35.0304578+01:00", "MainStatusId": 12, "AffiliateId": null}
    """)


@pytest.mark.parametrize("query", ["pageSize=0", "pageNumber=0", "pageSize=x", "fromDateChanged=yesterday", "mainStatusId=open"])
async def test_a_wrong_list_parameter_is_400(client: httpx.AsyncClient, query: str) -> None:
    response = await client.get(f"/v1/Shops/3/Orders?{query}")

    assert (response.status_code, response.json()["Message"]) == (400, "The request is invalid.")


async def test_an_installation_may_cut_large_pages_and_sort_otherwise(client: httpx.AsyncClient, emulator: Emulator) -> None:
    emulator.switches.update(max_page_size=5, order_sort="newest")

    assert [order["Id"] for order in await read(client, "/v1/Shops/3/Orders?pageSize=50")] == [55030, 55028, 55026, 55024, 55022]


async def test_orders_are_filtered_by_the_window_in_which_they_changed(client: httpx.AsyncClient) -> None:
    changed = "2026-01-11T16:17:35.0304578+01:00"

    async def ids(**window: str) -> list[int]:
        response = await client.get("/v1/Shops/3/Orders", params={"pageSize": "500", **window})
        return [order["Id"] for order in response.json()]

    assert await ids(fromDateChanged=changed, untilDateChanged=changed) == [SAMPLE_ORDER]
    assert SAMPLE_ORDER not in await ids(fromDateChanged="2026-01-11T16:17:36")
    assert SAMPLE_ORDER not in await ids(untilDateChanged="2026-01-11T15:17:35Z")
    assert sorted(await ids(fromDateChanged=changed) + await ids(untilDateChanged="2026-01-11T16:17:35+01:00")) == list(
        range(54712, 55032, 2)
    )


async def test_orders_are_filtered_by_status_base_status_and_bill_to_email(client: httpx.AsyncClient) -> None:
    async def ids(shop_id: int, query: str) -> list[int]:
        return [order["Id"] for order in await read(client, f"/v1/Shops/{shop_id}/Orders?pageSize=500&{query}")]

    in_progress = await ids(3, "mainStatusId=12")

    assert len(in_progress) == 40
    assert await ids(3, "mainStatusBaseStatusId=2") == in_progress
    assert await ids(7, "mainStatusId=12") == []
    assert SAMPLE_ORDER in await ids(3, "emailAddress=FACTUREN@devriesfietsen.example")
    assert await ids(3, "emailAddress=nobody@post.example") == []


async def test_an_order_is_read_by_id_and_by_the_code_in_its_shop(client: httpx.AsyncClient) -> None:
    by_id = await read(client, "/v1/Orders/55012")
    by_code = await read(client, "/v1/Shops/3/Orders/UTR-2026-00431")
    elsewhere = await client.get("/v1/Shops/7/Orders/UTR-2026-00431")

    assert by_id == by_code
    assert (by_id["CustomerId"], by_id["MainStatus"]) == (SAMPLE_CUSTOMER, {"Id": 12, "Name": "In behandeling"})
    assert (elsewhere.status_code, elsewhere.json()) == (404, {"Message": "Order 'UTR-2026-00431' not found."})


async def test_routes_that_are_not_published_can_be_missing(client: httpx.AsyncClient, emulator: Emulator) -> None:
    emulator.switches.update(get_order_by_id=False, seen_routes=False, document_upload=False)

    paths = ("/v1/Orders/55012", "/v1/Customers", "/v1/Shops", "/v1/Shops/3/PaymentTypes", "/v1/BaseOrderStatuses")
    upload = await client.post("/v1/InvoiceDocuments/88121/Create", json={"Filename": "a.pdf", "FileDataBase64": "JVBERi0xLjQ="})

    assert [(await client.get(path)).status_code for path in paths] == [404] * 5
    assert (await client.get("/v1/Shops/3/Orders/UTR-2026-00431")).status_code == 200
    assert upload.status_code == 404


async def test_order_rows_stand_in_the_order_only_where_the_installation_fills_them(client: httpx.AsyncClient, emulator: Emulator) -> None:
    assert (await read(client, "/v1/Orders/55012"))["OrderRows"] == []

    emulator.switches["order_rows_in_order"] = True

    assert (await read(client, "/v1/Orders/55012"))["OrderRows"] == await read(client, "/v1/Orders/55012/Rows")


async def test_some_orders_are_of_guests_and_some_are_deleted(client: httpx.AsyncClient) -> None:
    guest = await read(client, f"/v1/Orders/{GUEST_ORDER}")
    orders = await read(client, "/v1/Shops/7/Orders?pageSize=500")

    assert (guest["CustomerId"], guest["CustomerCode"]) == (None, None)
    assert guest["BillToContact"]["FullName"]
    assert [order["Id"] for order in orders if order["Deleted"]] == [54751, 54791, 54831, 54871, 54911, 54951, 54991, 55031]


async def test_lists_of_an_order_are_unpaged_and_empty_when_there_is_nothing(client: httpx.AsyncClient) -> None:
    answers = [await client.get(f"/v1/Orders/{BARE_ORDER}/{what}") for what in ("Rows", "Payments", "Invoices")]

    assert [(answer.status_code, answer.text) for answer in answers] == [(200, "[]")] * 3


async def test_lists_of_something_unknown_are_404_or_empty_as_the_switch_says(client: httpx.AsyncClient, emulator: Emulator) -> None:
    paths = ("/v1/Orders/1/Rows", "/v1/Orders/1/Payments", "/v1/Orders/1/Invoices", "/v1/Invoices/1/Rows")

    assert [(await client.get(path)).status_code for path in paths] == [404] * 4

    emulator.switches["unknown_parent"] = "empty"

    assert [await read(client, path) for path in paths] == [[]] * 4


async def test_a_parameter_of_an_order_row_is_there_or_404(client: httpx.AsyncClient) -> None:
    assert await read(client, "/v1/OrderRows/760011/Parameters/uren") == {"Key": "uren", "Value": "0.5"}
    assert (await client.get("/v1/OrderRows/771001/Parameters/uren")).status_code == 404


# --- invoices


async def test_an_invoice_detail_has_its_status_objects_and_all_base_fields(client: httpx.AsyncClient) -> None:
    detail = await read(client, "/v1/Invoices/88121")
    (base,) = await read(client, "/v1/Orders/55012/Invoices")

    assert detail["PaymentStatus"] == {"Id": 41, "Name": "Deels betaald"}
    assert detail["SentStatusActionDate"] == "2026-01-11T16:20:00+01:00"
    assert base.items() <= detail.items()


async def test_an_unknown_invoice_is_404(client: httpx.AsyncClient) -> None:
    response = await client.get("/v1/Invoices/1?includeDeleted=true")

    assert (response.status_code, response.json()) == (404, {"Message": "Invoice '1' not found."})


async def test_a_deleted_invoice_is_hidden_unless_asked_for(client: httpx.AsyncClient, emulator: Emulator) -> None:
    path = f"/v1/Invoices/{DELETED_INVOICE}"

    assert (await client.get(path)).status_code == 404
    assert (await client.get(f"{path}?includeDeleted=false")).status_code == 404
    assert (await read(client, f"{path}?includeDeleted=true"))["Deleted"] is True
    assert (await client.get(f"{path}?includeDeleted=1")).status_code == 400

    emulator.switches["deleted_invoice"] = "null"

    assert (await client.get(path)).text == "null"


async def test_an_orders_list_may_show_deleted_invoices(client: httpx.AsyncClient, emulator: Emulator) -> None:
    path = f"/v1/Orders/{ORDER_OF_DELETED_INVOICE}/Invoices"

    assert await read(client, path) == []

    emulator.switches["list_deleted_invoices"] = True

    assert [(invoice["Id"], invoice["Deleted"]) for invoice in await read(client, path)] == [(DELETED_INVOICE, True)]


async def test_the_sample_invoice_has_a_credit_row(client: httpx.AsyncClient) -> None:
    rows = await read(client, "/v1/Invoices/88121/Rows")

    assert [(row["Id"], row["OrderRowId"], str(row["ItemQuantity"]), str(row["RowTotalIncVat"])) for row in rows] == [
        (1, 771001, "3.0", "363.0"),
        (2, 771002, "-1.0", "-121.0"),
    ]


async def test_a_credit_is_an_invoice_with_negative_quantities_and_totals(client: httpx.AsyncClient) -> None:
    credit = await read(client, f"/v1/Invoices/{CREDIT}")
    (row,) = await read(client, f"/v1/Invoices/{CREDIT}/Rows")
    order_rows = await read(client, f"/v1/Orders/{CREDITED_ORDER}/Rows")

    assert credit["OrderId"] == CREDITED_ORDER
    assert (str(credit["InvoiceTotalIncVat"]), str(credit["InvoiceTotalExVat"])) == ("-40.27", "-36.95")
    assert (str(row["ItemQuantity"]), str(row["RowTotalIncVat"]), str(row["RowTotalExVat"])) == ("-5.0", "-40.27", "-36.95")
    assert order_rows[-1]["CreditForOrderRowId"] == order_rows[0]["Id"]


async def test_an_order_may_have_several_invoices(client: httpx.AsyncClient) -> None:
    assert [invoice["Id"] for invoice in await read(client, f"/v1/Orders/{SPLIT_ORDER}/Invoices")] == [88010, 88011, 88012]


@pytest.mark.parametrize(
    ("invoice_id", "expected"),
    [
        (88017, {"CurrencyCode": "eur", "CurrencyId": 1}),
        (88024, {"CurrencyCode": "€"}),
        (88033, {"CurrencyCode": " EUR"}),
        (88040, {"CurrencyCode": None, "CurrencyId": 1}),
        (88049, {"CurrencyCode": "SEK", "CurrencyId": 3, "ExchangeRate": Decimal("0.0875")}),
        (88056, {"InvoiceTotalIncVat": Decimal("5.0"), "InvoiceTotalExVat": Decimal("6.0")}),
        (DRAFT, {"InvoiceCode": "", "DocumentFileId": None, "MainStatusId": 28}),
        (SHIPPED_INVOICE, {"ShippingCostsIncVat": Decimal("6.95"), "PaymentFeeExVat": Decimal("0.41")}),
    ],
)
async def test_some_invoices_are_odd(client: httpx.AsyncClient, invoice_id: int, expected: dict[str, Any]) -> None:
    invoice = await read(client, f"/v1/Invoices/{invoice_id}")

    assert expected.items() <= invoice.items()


async def test_some_totals_disagree_about_their_size_or_sign(client: httpx.AsyncClient) -> None:
    below = await read(client, "/v1/Invoices/88072")
    signs = await read(client, "/v1/Invoices/88081")
    credit = await read(client, "/v1/Invoices/88032")
    credit_rows = await read(client, "/v1/Invoices/88032/Rows")

    assert 0 < below["InvoiceTotalIncVat"] < below["InvoiceTotalExVat"]
    assert signs["InvoiceTotalExVat"] < 0 < signs["InvoiceTotalIncVat"]
    assert credit_rows[0]["RowTotalIncVat"] < 0 < credit["InvoiceTotalIncVat"]


async def test_shipping_and_payment_fee_are_part_of_the_totals(client: httpx.AsyncClient) -> None:
    invoice = await read(client, f"/v1/Invoices/{SHIPPED_INVOICE}")
    rows = await read(client, f"/v1/Invoices/{SHIPPED_INVOICE}/Rows")

    assert invoice["InvoiceTotalIncVat"] == sum(row["RowTotalIncVat"] for row in rows) + Decimal("7.45")


async def test_amounts_keep_the_scale_they_have(client: httpx.AsyncClient) -> None:
    sample = (await client.get("/v1/Invoices/88121")).text
    lamp = (await client.get("/v1/Invoices/88028/Rows")).text

    assert '"InvoiceTotalIncVat":242.0,' in sample
    assert '"ItemPriceIncVat":29.90,' in lamp


# --- the create


async def test_creating_an_invoice_needs_no_body_and_invoices_the_rows_exactly(client: httpx.AsyncClient, emulator: Emulator) -> None:
    emulator.switches["now"] = NOW

    response = await client.post(f"/v1/Orders/{OPEN_ORDER}/Invoices")

    assert (response.status_code, response.request.content) == (200, b"")
    assert exact(response.text) == {
        "Id": 88401,
        "InvoiceCode": "F2026-0397",
        "InvoiceDate": NOW,
        "InvoiceTotalIncVat": Decimal("228.72"),
        "InvoiceTotalExVat": Decimal("195.52"),
        "CurrencyId": 1,
        "CurrencyCode": "EUR",
        "Deleted": False,
        "ChangedTimestamp": NOW,
        "MainStatusId": 31,
        "PaymentStatusId": 39,
        "SentStatusId": 55,
        "CustomStatusId": None,
        "DocumentFileId": 991001,
        "ShopId": 3,
        "OrderId": OPEN_ORDER,
        "OrderCode": "UTR-2025-00131",
    }


async def test_the_create_answers_as_the_page_of_2021_shows_it(client: httpx.AsyncClient, emulator: Emulator) -> None:
    emulator.switches.update(profile="2021", time_digits=6, now="2021-12-02T20:19:34.2791047+01:00")

    created = exact((await client.post(f"/v1/Orders/{OPEN_ORDER}/Invoices")).text)

    assert list(created) == BASE_2021
    assert created["InvoiceDate"] == created["ChangeTimestamp"] == "2021-12-02T20:19:34.279104+01:00"


async def test_a_created_invoice_can_be_read_everywhere(client: httpx.AsyncClient, emulator: Emulator) -> None:
    emulator.switches["now"] = NOW
    created = exact((await client.post(f"/v1/Orders/{OPEN_ORDER}/Invoices")).text)

    detail = await read(client, f"/v1/Invoices/{created['Id']}")
    rows = await read(client, f"/v1/Invoices/{created['Id']}/Rows")
    order_rows = await read(client, f"/v1/Orders/{OPEN_ORDER}/Rows")
    file = await read(client, f"/v1/Files/{created['DocumentFileId']}")

    assert created.items() <= detail.items()
    assert [row["OrderRowId"] for row in rows] == [row["Id"] for row in order_rows]
    assert sum(row["RowTotalExVat"] for row in rows) == created["InvoiceTotalExVat"]
    assert await read(client, f"/v1/Orders/{OPEN_ORDER}/Invoices") == [created]
    assert file["Filename"] == "F2026-0397.pdf"
    assert (await read(client, f"/v1/Orders/{OPEN_ORDER}"))["ChangeTimestamp"] == NOW


async def test_only_the_rows_that_are_not_invoiced_yet_are_invoiced(client: httpx.AsyncClient) -> None:
    response = await client.post(f"/v1/Orders/{PARTLY_INVOICED_ORDER}/Invoices")
    rows = await read(client, f"/v1/Invoices/{response.json()['Id']}/Rows")

    assert [row["OrderRowId"] for row in rows] == [760012]
    assert (str(exact(response.text)["InvoiceTotalIncVat"]), str(exact(response.text)["InvoiceTotalExVat"])) == ("12.50", "11.47")


async def test_the_rows_of_a_deleted_invoice_can_be_invoiced_again(client: httpx.AsyncClient) -> None:
    assert (await client.post(f"/v1/Orders/{ORDER_OF_DELETED_INVOICE}/Invoices")).json()["Id"] == 88401


async def test_without_a_fixed_instant_the_clock_dates_the_invoice(client: httpx.AsyncClient) -> None:
    before = datetime.now(UTC)
    created = (await client.post(f"/v1/Orders/{OPEN_ORDER}/Invoices")).json()

    assert before <= datetime.fromisoformat(created["InvoiceDate"]) <= datetime.now(UTC)
    assert created["InvoiceDate"][-6:] in {"+01:00", "+02:00"}


@pytest.mark.parametrize(("switch", "expected"), [("null", (200, "null")), ("204", (204, "")), ("empty", (200, ""))])
async def test_a_second_create_has_nothing_left_to_invoice(
    client: httpx.AsyncClient, emulator: Emulator, switch: str, expected: tuple[int, str]
) -> None:
    emulator.switches["nothing_left"] = switch

    first = await client.post(f"/v1/Orders/{OPEN_ORDER}/Invoices")
    second = await client.post(f"/v1/Orders/{OPEN_ORDER}/Invoices")

    assert first.status_code == 200
    assert (second.status_code, second.text) == expected
    assert len(await read(client, f"/v1/Orders/{OPEN_ORDER}/Invoices")) == 1


@pytest.mark.parametrize("order_id", [SAMPLE_ORDER, BARE_ORDER])
async def test_an_order_that_is_invoiced_or_has_no_rows_answers_null_at_once(client: httpx.AsyncClient, order_id: int) -> None:
    response = await client.post(f"/v1/Orders/{order_id}/Invoices")

    assert (response.status_code, response.text) == (200, "null")


async def test_nothing_left_is_a_nil_element_in_xml(client: httpx.AsyncClient) -> None:
    response = await client.post("/v1/Orders/55012/Invoices", headers={"Accept": "text/xml"})

    assert response.text.endswith('xsi:nil="true" />')


async def test_creating_an_invoice_of_an_unknown_order_is_404(client: httpx.AsyncClient) -> None:
    response = await client.post("/v1/Orders/1/Invoices")

    assert (response.status_code, response.json()) == (404, {"Message": "Order '1' not found."})


# --- files


async def test_the_sample_file_is_its_content_in_base64_with_its_sha1(client: httpx.AsyncClient) -> None:
    assert await read(client, "/v1/Files/990017") == {
        "CreatedTimestamp": "2026-01-11T16:17:40.0304578+01:00",
        "ChangedTimestamp": None,
        "FileLength": 8,
        "Checksum": "18284a4fd0967804c9a02cb5be86798b54509153",
        "Sequence": 0,
        "Base64Data": "JVBERi0xLjQ=",
        "Id": SAMPLE_FILE,
        "Filename": "F2026-0117.pdf",
    }


async def test_every_invoice_file_is_a_pdf_with_a_true_checksum(client: httpx.AsyncClient) -> None:
    invoice = await read(client, f"/v1/Invoices/{CREDIT}")
    file = await read(client, f"/v1/Files/{invoice['DocumentFileId']}")
    content = base64.b64decode(file["Base64Data"])
    xref = int(content.split(b"startxref\n")[1].split(b"\n")[0])

    assert content.startswith(b"%PDF-1.4\n")
    assert content[xref : xref + 4] == b"xref"
    assert b"(Totaal -40.27 EUR)" in content
    assert (file["FileLength"], file["Checksum"]) == (len(content), hashlib.sha1(content).hexdigest())  # noqa: S324  (as the vendor)


async def test_a_checksum_can_be_wrong(client: httpx.AsyncClient, emulator: Emulator) -> None:
    emulator.switches["wrong_checksum"] = True

    assert (await read(client, "/v1/Files/990017"))["Checksum"] == "0" * 40


async def test_an_unknown_file_is_404(client: httpx.AsyncClient) -> None:
    assert (await client.get("/v1/Files/1")).status_code == 404


async def test_an_uploaded_document_makes_the_invoice_read_only(client: httpx.AsyncClient, emulator: Emulator) -> None:
    emulator.switches.update(profile="sales", now=NOW)

    response = await client.post("/v1/InvoiceDocuments/88121/Create", json={"Filename": "F2026-0117.pdf", "FileDataBase64": "JVBERi0xLjU="})
    invoice = await read(client, "/v1/Invoices/88121")
    file = await read(client, "/v1/Files/991001")

    assert (response.status_code, response.text) == (200, "991001")
    assert (invoice["IsReadOnly"], invoice["InvoiceSourceType"], invoice["DocumentFileId"]) == (True, 1, 991001)
    assert invoice["ChangedTimestamp"] == NOW
    assert (file["Base64Data"], file["Filename"]) == ("JVBERi0xLjU=", "F2026-0117.pdf")


@pytest.mark.parametrize(
    ("body", "member"),
    [
        ({"Filename": "F2026-0117.txt", "FileDataBase64": "JVBERi0xLjQ="}, "Filename"),
        ({"Filename": "F2026-0117.pdf", "FileDataBase64": "not base64"}, "FileDataBase64"),
        ({"Filename": "F2026-0117.pdf"}, "DocumentUpload"),
        ({"Filename": "x" * 300 + ".pdf", "FileDataBase64": "JVBERi0xLjQ="}, "Filename"),
    ],
)
async def test_a_document_without_pdf_name_or_content_is_refused(client: httpx.AsyncClient, body: dict[str, str], member: str) -> None:
    response = await client.post("/v1/InvoiceDocuments/88121/Create", json=body)

    assert response.status_code == 400
    assert list(response.json()["ModelState"]) == [member]
    assert (await read(client, "/v1/Invoices/88121"))["DocumentFileId"] == SAMPLE_FILE


async def test_a_document_of_an_unknown_invoice_is_404(client: httpx.AsyncClient) -> None:
    response = await client.post("/v1/InvoiceDocuments/1/Create", json={"Filename": "a.pdf", "FileDataBase64": "JVBERi0xLjQ="})

    assert response.status_code == 404


# --- status definitions and reference data


async def test_the_sample_status_definitions_are_there(client: httpx.AsyncClient) -> None:
    assert await read(client, "/v1/InvoiceStatuses/31") == exact("""
    {"ShopOwnerId": 1, "ShopId": null, "IsDefaultStatus": true, "HasActionDate": false, "ActionDateCaption": null,
     "ActionDateMessage": null, "Sequence": 10, "Id": 31, "BaseInvoiceStatusId": 2, "InvoiceStatusTypeId": 1, "Name": "Open"}
    """)
    assert await read(client, "/v1/OrderStatuses/12") == exact("""
    {"ShopOwnerId": 1, "ShopId": 3, "IsDefaultStatusForId": null, "HasActionDate": false, "ActionDateCaption": null,
     "ActionDateMessage": null, "Sequence": 10, "Id": 12, "BaseOrderStatusId": 2, "OrderStatusTypeId": 1, "Name": "In behandeling",
     "Enabled": true}
    """)


async def test_status_definitions_differ_per_shop_owner_and_have_gaps(emulator: Emulator) -> None:
    async def names(user: str) -> dict[int, str]:
        async with client_of(emulator, user) as client:
            answers = {number: await client.get(f"/v1/InvoiceStatuses/{number}") for number in range(27, 47)}
        return {number: answer.json()["Name"] for number, answer in answers.items() if answer.status_code == 200}

    assert await names("demo") == {28: "Concept", 31: "Open", 34: "Gecrediteerd", 39: "Niet betaald", 41: "Deels betaald", 46: "Betaald"}
    assert await names("gent") == {29: "Ontwerp", 32: "Openstaand", 44: "Voldaan"}


async def test_reference_data_is_that_of_the_users_shops(client: httpx.AsyncClient) -> None:
    assert await read(client, "/v1/Shops") == [
        {"Id": 3, "Name": "Fietswinkel Utrecht", "ShopOwnerId": 1, "ShopGroupId": None, "Active": True},
        {"Id": 7, "Name": "Fietswinkel Groningen", "ShopOwnerId": 1, "ShopGroupId": 2, "Active": True},
    ]
    assert (await read(client, "/v1/Shops/ShopStatus"))[0]["LastMailCheck"] == "2026-01-11T16:10:02.1180231+01:00"
    assert await read(client, "/v1/Shops/3/PaymentTerms") == [{"Id": 1, "Name": "14 dagen netto", "DaysToPay": 14}]
    assert await read(client, "/v1/Shops/3/PaymentTypes") == [{"Id": 4, "Code": "IDEAL"}]
    assert {"Id": 2, "Code": "Active"} in await read(client, "/v1/BaseOrderStatuses")
    assert [currency["Code"] for currency in await read(client, "/v1/Currencies")] == ["EUR", "USD", "SEK"]
    assert len(await read(client, "/v1/Cultures")) == len(await read(client, "/v1/Countries")) == 4


# --- other writes


async def test_a_custom_status_is_answered_with_an_empty_200(client: httpx.AsyncClient, emulator: Emulator) -> None:
    emulator.switches["now"] = NOW
    changes = {"OrderStatusId": 17, "ActionDate": "2026-01-13T00:00:00+01:00", "Comment": "wacht op klant"}

    response = await client.put("/v1/Orders/55012/CustomStatus", json=changes)
    order = await read(client, "/v1/Orders/55012")

    assert (response.status_code, response.content) == (200, b"")
    assert (order["CustomStatus"], order["ChangeTimestamp"]) == ({"Id": 17, "Name": "Wacht op klant"}, NOW)


@pytest.mark.parametrize(
    ("order_id", "body", "status"),
    [
        (1, {"OrderStatusId": 17}, 404),
        (55012, {"OrderStatusId": 999}, 404),
        (55012, {"OrderStatusId": 58}, 404),
        (55012, {"OrderStatusId": 12}, 400),
        (55012, {"OrderStatusId": "17"}, 400),
        (55012, {"OrderStatusId": 17, "ActionDate": "soon"}, 400),
        (55012, {}, 400),
    ],
)
async def test_a_custom_status_that_cannot_be_is_refused(
    client: httpx.AsyncClient, order_id: int, body: dict[str, Any], status: int
) -> None:
    response = await client.put(f"/v1/Orders/{order_id}/CustomStatus", json=body)

    assert response.status_code == status
    assert "Message" in response.json()
    assert (await read(client, "/v1/Orders/55012"))["CustomStatus"] is None


CUSTOMER_CHANGES = {
    "Id": 0,
    "CustomerCode": "K-20500",
    "ReceiveNewsLetter": False,
    "ShopOwnerId": 1,
    "FirstName": "Joost",
    "LastNamePrefix": "van",
    "LastName": "Dijk",
    "FullName": "Joost van Dijk",
    "EMail": "joost@example.nl",
    "BillToAddress": {"Id": 0, "FullName": "Joost van Dijk", "PostalCode": "1017 GL", "City": "Amsterdam", "CountryCode": "NL"},
    "SyncBillToAddressOnSave": True,
    "SyncShipToAddressOnSave": False,
}


async def test_a_posted_customer_is_answered_as_it_is_kept(client: httpx.AsyncClient, emulator: Emulator) -> None:
    emulator.switches["now"] = NOW

    response = await client.post("/v1/Customers", json=CUSTOMER_CHANGES)
    same_code = await read(client, "/v1/ShopOwners/1/Customers/CustomerCode/K-20500")

    assert exact(response.text) == await read(client, "/v1/Customers/20600")
    assert (response.json()["Id"], response.json()["BillToAddress"]["Id"], response.json()["ChangedTimestamp"]) == (20600, 9600, NOW)
    assert [customer["Id"] for customer in same_code] == [20500, 20600]


@pytest.mark.parametrize(("switch", "expected"), [("id", "20600"), ("empty", "")])
async def test_a_post_may_be_answered_otherwise(client: httpx.AsyncClient, emulator: Emulator, switch: str, expected: str) -> None:
    emulator.switches["post_answer"] = switch

    response = await client.post("/v1/Customers", json=CUSTOMER_CHANGES)

    assert (response.status_code, response.text) == (200, expected)


@pytest.mark.parametrize(
    ("changes", "member"),
    [({"Id": 5}, "Id"), ({"CustomerCode": "x" * 51}, "CustomerCode"), ({"EMail": 7}, "EMail"), ({"ShopOwnerId": 2}, "ShopOwnerId")],
)
async def test_a_posted_customer_is_held_to_its_model(client: httpx.AsyncClient, changes: dict[str, Any], member: str) -> None:
    response = await client.post("/v1/Customers", json=CUSTOMER_CHANGES | changes)

    assert response.status_code == 400
    assert list(response.json()["ModelState"]) == [member]


async def test_a_body_that_is_not_json_is_refused(client: httpx.AsyncClient) -> None:
    broken = await client.post("/v1/Customers", content=b"{", headers={"Content-Type": "application/json"})
    as_text = await client.post("/v1/Customers", content=b"{}", headers={"Content-Type": "text/plain"})

    assert (broken.status_code, as_text.status_code) == (400, 415)


PAYMENT_CHANGES = {
    "Id": 0,
    "ShopId": 3,
    "ShopOwnerId": 1,
    "Amount": 142,
    "PaymentDate": "2026-01-20T00:00:00+01:00",
    "CurrencyId": 1,
    "CurrencyCode": "EUR",
    "TransactionId": "tr_9Xw1",
    "CreationDate": "2026-01-20T09:00:00+01:00",
    "PaymentTypeId": 4,
    "OrderId": 55012,
    "InvoiceId": 88121,
}


async def test_a_posted_payment_pays_its_invoice(client: httpx.AsyncClient) -> None:
    response = await client.post("/v1/Orders/55012/Payments", json=PAYMENT_CHANGES)
    payments = await read(client, "/v1/Orders/55012/Payments")
    invoice = await read(client, "/v1/Invoices/88121")

    assert exact(response.text) == payments[1]
    assert [(payment["Id"], str(payment["Amount"]), payment["InvoiceId"]) for payment in payments] == [
        (4401, "100.0", 88121),
        (5001, "142.0", 88121),
    ]
    assert invoice["PaymentStatus"] == {"Id": 46, "Name": "Betaald"}


@pytest.mark.parametrize("changes", [{"OrderId": 54712}, {"InvoiceId": 88010}, {"PaymentDate": "soon"}, {"Amount": None}])
async def test_a_payment_of_something_else_is_refused(client: httpx.AsyncClient, changes: dict[str, Any]) -> None:
    response = await client.post("/v1/Orders/55012/Payments", json=PAYMENT_CHANGES | changes)

    assert response.status_code == 400
    assert len(await read(client, "/v1/Orders/55012/Payments")) == 1


ORDER_CHANGES = """
{"Id": 0, "OrderCode": "UTR-2026-00432", "Date": "2026/01/12 10:00:00", "CurrencyId": 1, "CurrencyCode": "EUR", "PaymentTypeId": 4,
 "MainStatusId": 12, "ShopId": 3, "ExchangeRate": 1.0, "ViewModusIncVAT": true, "OrderTotalIncVat": 0.0, "OrderTotalExVat": 0.0,
 "BillToContact": {"Id": 0, "FullName": "Joost van Dijk", "City": "Amsterdam", "CountryCode": "NL", "EMail": "joost@example.nl"},
 "OrderRows": [{"Id": 0, "ProductCode": "TAS-21", "ItemQuantity": 1.0, "ItemPriceExVat": 100.0, "ItemPriceIncVat": 121.0,
   "RowDiscountExVat": 0.0, "RowDiscountIncVat": 0.0, "Vatperc": 21.0, "RowTotalExVat": 100.0, "RowTotalIncVat": 121.0}],
 "RecalculateTotalsOnSave": true, "SynchronizeOrderParameters": false, "AutoCreateCustomer": true}
"""


async def test_a_posted_order_is_kept_and_can_be_invoiced(client: httpx.AsyncClient) -> None:
    headers = {"Content-Type": "application/json"}
    response = await client.post("/v1/Shops/3/Orders", content=ORDER_CHANGES, headers=headers)
    order = exact(response.text)
    again = await client.post("/v1/Shops/3/Orders", content=ORDER_CHANGES, headers=headers)
    invoice = exact((await client.post(f"/v1/Orders/{order['Id']}/Invoices")).text)

    assert (order["Id"], order["Date"], str(order["OrderTotalIncVat"])) == (55100, "2026-01-12T10:00:00+01:00", "121.0")
    assert (await read(client, f"/v1/Customers/{order['CustomerId']}"))["EMail"] == "joost@example.nl"
    assert [row["ProductCode"] for row in await read(client, "/v1/Orders/55100/Rows")] == ["TAS-21"]
    assert (str(invoice["InvoiceTotalIncVat"]), str(invoice["InvoiceTotalExVat"])) == ("121.0", "100.0")
    assert (again.status_code, list(again.json()["ModelState"])) == (400, ["OrderCode"])


# --- the data as a whole


async def test_the_same_seed_gives_the_same_data_and_another_seed_other_data() -> None:
    async def row(seed: int) -> str:
        async with client_of(create(make_parties(1), seed)) as client:
            return (await client.get(f"/v1/Orders/{OPEN_ORDER}/Rows")).text

    assert await row(1) == await row(1)
    assert await row(1) != await row(2)


async def test_the_data_has_all_vat_rates_and_as_many_invoices_as_orders(client: httpx.AsyncClient, emulator: Emulator) -> None:
    emulator.switches.update(order_rows_in_order=True, list_deleted_invoices=True)
    order_ids = range(54712, 55032)
    orders = [await read(client, f"/v1/Orders/{number}") for number in order_ids]
    invoices = [await read(client, f"/v1/Orders/{number}/Invoices") for number in order_ids]
    rates = {str(row["Vatperc"]) for order in orders for row in order["OrderRows"]}

    assert rates == {"0.0", "6.0", "9.0", "21.0", "25.0"}
    assert sum(len(of_order) for of_order in invoices) == 320
    assert sum(bool(order["OrderRows"]) and not of_order for order, of_order in zip(orders, invoices, strict=True)) == 60


async def test_a_reset_brings_back_the_data_and_the_switches(client: httpx.AsyncClient, emulator: Emulator) -> None:
    emulator.switches.update(profile="sales", wrong_checksum=True)
    await client.post(f"/v1/Orders/{OPEN_ORDER}/Invoices")

    emulator.reset()

    assert (emulator.switches["profile"], emulator.switches["wrong_checksum"]) == ("demo", False)
    assert await read(client, f"/v1/Orders/{OPEN_ORDER}/Invoices") == []


def test_every_route_has_a_clear_and_unique_name(emulator: Emulator) -> None:
    names = [route.name for route in emulator.routes]

    assert len(names) == len(set(names)) == 30
    assert {"CreateOrderInvoice", "GetInvoice", "ListOrders", "GetFile", "PutCustomStatus"} <= set(names)


def test_the_switches_are_all_described(emulator: Emulator) -> None:
    described = re.findall(r"^\| `(\w+)` \|", shopctrl.__doc__ or "", re.MULTILINE)

    assert described == list(emulator.switches)
