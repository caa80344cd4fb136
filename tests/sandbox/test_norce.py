import base64
import json
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree as ET

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from gateway.sandbox.emulator import Emulator
from gateway.sandbox.norce import create
from gateway.sandbox.parties import make_parties

pytestmark = pytest.mark.anyio

ORDERS = "/commerce/order/1.1"
STORM_ORDERS = "/api/1.1/OrderService.svc/rest"
SHORT_STORM_ORDERS = "/OrderService.svc/rest"
CUSTOMERS = "/commerce/customer/1.1"
STORM_CUSTOMERS = "/api/1.1/CustomerService.svc/rest"
QUERY_2 = "/commerce/query/2.0"
QUERY_3 = "/commerce/query/3.0"
CREATE_INVOICE = "/commerce/connect/4.0/Order/CreateInvoice"
STORM_CREATE_INVOICE = "/4.0/api/Order/CreateInvoice"
TOKEN = "/identity/1.0/connect/token"

TOKEN_FORM = {"grant_type": "client_credentials", "client_id": "demo", "client_secret": "demo", "scope": "prod"}
APPLICATION = {"application-id": "2210"}

COMPANY = {"Id": 902, "No": "F-902", "Name": "Nordvik Möbler AB", "OrgNo": "5590123456"}
INVOICE = {
    "Id": "50911",
    "InvoiceNo": "F-2026-0088",
    "InvoiceDate": "2026-01-17T00:00:00Z",
    "InvoiceDueDate": "2026-02-16T00:00:00Z",
    "InvoiceText": "Märke: butik 4",
    "OrderId": "70213",
    "OrderNo": "N-100341",
    "OrderDate": "2026-01-15T08:41:12Z",
    "Source": "WEB",
    "DeliveryDate": "2026-01-17T00:00:00Z",
    "DeliveryMethod": "Hemleverans",
    "PaymentMethod": "Faktura",
    "BillTo": {
        "Company": COMPANY,
        "Customer": {
            "Id": 31877,
            "No": "C-31877",
            "FirstName": "Linnea",
            "LastName": "Nordvik",
            "SSN": None,
            "Email": "faktura@nordvik.example",
            "Phone": None,
            "CellPhone": None,
        },
        "Address": {
            "Line1": "Kungsportsavenyen 21",
            "Line2": None,
            "CareOf": None,
            "City": "Göteborg",
            "ZipCode": "411 36",
            "Country": "Sverige",
            "CountryCode": "SE",
            "Region": None,
            "ShippingPhoneNumber": None,
            "GlobalLocationNo": "7350098765432",
        },
        "DropPointCode": None,
    },
    "OrderFreight": Decimal("0.0"),
    "InvoiceCharge": Decimal("0.0"),
    "InvoiceAmountExVat": Decimal("4800.0"),
    "VatAmount": Decimal("1200.0"),
    "Items": [
        {
            "RowNumber": 1,
            "ItemNo": "STOL-09",
            "ItemDescription": "Pinnstol ek",
            "Quantity": 4,
            "UnitPrice": Decimal("1200.0"),
            "UnitDiscount": Decimal("0.0"),
            "RowAmount": Decimal("4800.0"),
            "RowAmountVat": Decimal("1200.0"),
            "DeliveryDate": None,
            "VatRate": Decimal("1.25"),
            "UnitPriceIncVat": Decimal("1500.0"),
        }
    ],
    "Info": [{"Code": "CC", "Name": "Kostnadsställe", "Description": "Bokföring", "Value": "4100"}],
    "InvoiceNoPsp": None,
    "CreditedInvoiceNo": None,
    "IsDebit": True,
    "GroupByKey": None,
    "Comment": None,
    "InvoiceAmountIncVat": Decimal("6000.0"),
}
INVOICE_LIST_ITEM = {
    "Id": "50911",
    "InvoiceNo": "F-2026-0088",
    "InvoiceDate": "2026-01-17T00:00:00Z",
    "InvoiceDueDate": "2026-02-16T00:00:00Z",
    "InvoiceText": "Märke: butik 4",
    "OrderNo": "N-100341",
    "OrderDate": "2026-01-15T08:41:12Z",
    "Source": "WEB",
    "DeliveryDate": "2026-01-17T00:00:00Z",
    "DeliveryMethod": "Hemleverans",
    "PaymentMethod": "Faktura",
    "BillTo": {"Company": COMPANY, "Customer": None, "Address": None, "DropPointCode": None},
    "InvoiceAmountExVat": Decimal("4800.0"),
    "VatAmount": Decimal("1200.0"),
    "InvoiceNoPsp": None,
    "IsDebit": True,
    "GroupByKey": None,
}
ORDER_LIST_ITEM = {
    "Id": "70213",
    "QuotationId": 448120,
    "OrderNo": "N-100341",
    "OrderDate": "2026-01-15T08:41:12Z",
    "Status": "Levererad",
    "Source": "WEB",
    "Currency": "SEK",
    "OrderTotalIncVat": Decimal("6000.0"),
    "OrderTotalExVat": Decimal("4800.0"),
    "TypeId": 1,
}
QUERY_ORDER = {
    "id": 70213,
    "clientId": 1044,
    "applicationId": 2210,
    "quotationId": 448120,
    "orderNo": "N-100341",
    "orderDate": "2026-01-15T08:41:12Z",
    "buyerCompanyCode": "F-902",
    "buyerCompanyId": 902,
    "buyerCustomerCode": "C-31877",
    "buyerCustomerId": 31877,
    "buyerCustomerInfoId": 600000,
    "payerCompanyCode": None,
    "payerCompanyId": None,
    "payerCustomerCode": None,
    "payerCustomerId": None,
    "resellerCompanyCode": None,
    "resellerCompanyId": None,
    "resellerCustomerCode": None,
    "resellerCustomerId": None,
    "groupCode": None,
    "statusId": 5,
    "source": "WEB",
    "deliveryTerms": None,
    "deliveryMode": "Hemleverans",
    "deliveryDate": "2026-01-17T00:00:00Z",
    "isPartDelivery": False,
    "paymentTerms": "30",
    "currencyId": 2,
    "vatRate": Decimal("25.0"),
    "cashDiscount": Decimal("0.0"),
    "lineDiscount": Decimal("0.0"),
    "freightCost": Decimal("0.0"),
    "orderFee": Decimal("0.0"),
    "deliveryAttention": None,
}
QUERY_INVOICE_ITEM = {
    "id": 81,
    "invoiceId": 50911,
    "lineNumber": 1,
    "statusId": 5,
    "partNo": "STOL-09",
    "productName": "Pinnstol ek",
    "quantity": 4,
    "quantity2": Decimal("4.0"),
    "currencyId": 2,
    "vatRate": Decimal("25.0"),
    "priceSale": Decimal("1200.0"),
    "discountPercentage": Decimal("0.0"),
    "discountAmount": Decimal("0.0"),
    "lineAmount": Decimal("4800.0"),
}

NEW_INVOICE: dict[str, Any] = {
    "ClientOrderRef": 448120,
    "CurrencyCode": "SEK",
    "ErpOrderNo": "N-100341",
    "InvoiceDate": "2026-01-18T00:00:00",
    "InvoiceNo": "F-9001",
    "AddressLine1": "Kungsportsavenyen 21",
    "City": "Göteborg",
    "ZipCode": "411 36",
    "Name": "Nordvik Möbler AB",
    "Country": "Sverige",
    "CountryCode": "SE",
    "Gln": "7350098765432",
    "InvoiceDueDate": "2026-02-17T00:00:00",
    "TotalAmount": 6000.5,
    "Vat": 1200.1,
    "Items": [
        {
            "PartNo": "STOL-09",
            "Quantity": 4,
            "UnitPrice": 1200.1,
            "Description": "Pinnstol ek",
            "LineAmount": 4800.4,
            "LineNo": 1,
            "UnitVat": 300.025,
            "VatRate": 25.0,
        }
    ],
    "Payment": {"PaymentCode": 7781, "PaymentRef": "res-55AA"},
    "SuppressPspCall": True,
}


class Clock:
    """Seconds that pass only when a test says so."""

    now = 1_760_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def used_emulator(clock: Clock) -> Emulator:
    return create(make_parties(1), 1, clock)


@pytest.fixture
def emulator(used_emulator: Emulator) -> Emulator:
    """The emulator as it was at first; to make it anew for each test would take longer than the tests."""
    used_emulator.reset()
    return used_emulator


@pytest.fixture
async def stranger(emulator: Emulator) -> AsyncIterator[httpx.AsyncClient]:
    """A caller without a token."""
    app = Starlette(routes=[Mount("/norce", routes=list(emulator.routes))])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://sandbox/norce") as client:
        yield client


@pytest.fixture
async def client(stranger: httpx.AsyncClient) -> httpx.AsyncClient:
    """A caller with a token and an application id."""
    answer = await stranger.post(TOKEN, data=TOKEN_FORM)
    stranger.headers.update({"Authorization": f"Bearer {answer.json()['access_token']}", **APPLICATION})
    return stranger


def read(answer: httpx.Response, status: int = 200) -> Any:  # noqa: ANN401  (any JSON value)
    assert answer.status_code == status
    return json.loads(answer.text, parse_float=Decimal)


async def get(client: httpx.AsyncClient, path: str, **params: str | int) -> Any:  # noqa: ANN401  (any JSON value)
    return read(await client.get(path, params=params))


async def query(client: httpx.AsyncClient, path: str, **options: str | int) -> Any:  # noqa: ANN401  (any JSON value)
    """Ask Query; the options are named without their `$`."""
    return read(await ask(client, path, **options))


async def ask(client: httpx.AsyncClient, path: str, **options: str | int) -> httpx.Response:
    return await client.get(path, params={f"${name}": value for name, value in options.items()})


# The seam


async def test_the_configuration_names_the_client_that_the_token_endpoint_knows(emulator: Emulator, stranger: httpx.AsyncClient) -> None:
    auth = emulator.config["auth"]
    address = auth["token_url"].replace("{base_url}", "http://sandbox/norce")
    form = {"grant_type": auth["kind"], **{name: auth[name] for name in ("client_id", "client_secret", "scope")}}
    assert (await stranger.post(address, data=form)).status_code == 200


def test_the_configuration_is_a_source_of_this_system(emulator: Emulator) -> None:
    assert {key: value for key, value in emulator.config.items() if key != "auth"} == {
        "system": "norce",
        "application_id": 2210,
        "query_version": "2.0",
        "create_via": "connect",
        "default_currency": "SEK",
        "time_zone": "Europe/Stockholm",
    }
    assert (emulator.name, emulator.config_key) == ("norce", "commerce")


def test_routes_are_named_by_operation(emulator: Emulator) -> None:
    assert {route.name for route in emulator.routes} == {
        "Token",
        "GetInvoice",
        "GetInvoiceByNo",
        "ListInvoices",
        "InsertInvoice",
        "GetOrderByNo",
        "GetOrderByBasket",
        "ListOrders3",
        "ListOrderStatuses",
        "GetCustomer",
        "GetCustomerByCode",
        "GetCustomerByEmail",
        "SearchCustomer2",
        "ListCompaniesByOrgNo",
        "QueryOrders",
        "QueryCustomers",
        "QueryInvoices",
        "QueryMetadata",
        "CreateInvoice",
    }


async def test_reset_brings_data_and_switches_back_and_ends_no_token(emulator: Emulator, client: httpx.AsyncClient) -> None:
    emulator.switches["invoice_set"] = True
    emulator.switches["parameter_names"]["GetCustomer"] = "customerId"
    await client.post(CREATE_INVOICE, json={**NEW_INVOICE, "SuppressPspCall": False})
    emulator.reset()
    assert emulator.switches["captures"] == []
    assert emulator.switches["invoice_set"] is False
    assert emulator.switches["parameter_names"]["GetCustomer"] == "id"
    assert await get(client, f"{ORDERS}/GetInvoiceByNo", invoiceNo="F-9001") is None


async def test_another_seed_gives_other_amounts_below_the_same_numbers(client: httpx.AsyncClient) -> None:
    other = create(make_parties(2), 2)
    app = Starlette(routes=list(other.routes))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://other") as second:
        token = (await second.post(TOKEN, data=TOKEN_FORM)).json()["access_token"]
        second.headers["Authorization"] = f"Bearer {token}"
        theirs = await get(second, f"{ORDERS}/GetInvoice", id="50912")
    ours = await get(client, f"{ORDERS}/GetInvoice", id="50912")
    assert ours["InvoiceNo"] == theirs["InvoiceNo"] == "F-2026-0089"
    assert ours["InvoiceAmountExVat"] != theirs["InvoiceAmountExVat"]


# Token: form POST, credentials in the body, scope checked; JWT, 3600 s; past 3 a minute plus burst 20: 429


async def test_a_token_is_a_jwt_for_an_hour(stranger: httpx.AsyncClient, clock: Clock) -> None:
    answer = read(await stranger.post(TOKEN, data=TOKEN_FORM))
    _, claims, _ = answer.pop("access_token").split(".")
    assert answer == {"expires_in": 3600, "token_type": "Bearer", "scope": "prod"}
    assert json.loads(base64.urlsafe_b64decode(claims + "=="))["exp"] == int(clock.now) + 3600


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"client_secret": "wrong"}, "invalid_client"),
        ({"client_id": "nobody"}, "invalid_client"),
        ({"scope": "stage"}, "invalid_scope"),
        ({"scope": "prod stage"}, "invalid_scope"),
        ({"scope": ""}, "invalid_scope"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": ""}, "invalid_request"),
    ],
)
async def test_a_token_request_that_is_wrong_is_a_400(stranger: httpx.AsyncClient, change: dict[str, str], error: str) -> None:
    assert read(await stranger.post(TOKEN, data=TOKEN_FORM | change), 400) == {"error": error}


async def test_the_scopes_of_the_client_are_a_switch(emulator: Emulator, stranger: httpx.AsyncClient) -> None:
    emulator.switches["scopes"] = "playground stage"
    answer = await stranger.post(TOKEN, data=TOKEN_FORM | {"scope": "playground stage"})
    assert read(answer)["scope"] == "playground stage"


async def test_credentials_are_read_from_a_form_body_only(stranger: httpx.AsyncClient) -> None:
    form = {"grant_type": "client_credentials", "scope": "prod"}
    assert read(await stranger.post(TOKEN, data=form, auth=("demo", "demo")), 400) == {"error": "invalid_client"}
    assert read(await stranger.post(TOKEN, params=TOKEN_FORM), 400) == {"error": "invalid_request"}
    assert read(await stranger.post(TOKEN, json=TOKEN_FORM), 400) == {"error": "invalid_request"}
    assert (await stranger.get(TOKEN)).status_code == 405


async def test_the_token_endpoint_takes_23_at_once_then_three_a_minute(stranger: httpx.AsyncClient, clock: Clock) -> None:
    async def status() -> int:
        return (await stranger.post(TOKEN, data=TOKEN_FORM)).status_code

    assert [await status() for _ in range(24)] == [200] * 23 + [429]
    assert (await stranger.post(TOKEN, data=TOKEN_FORM)).headers["Retry-After"] == "20"
    clock.now += 60
    assert [await status() for _ in range(4)] == [200, 200, 200, 429]


async def test_the_token_limit_can_be_turned_off(emulator: Emulator, stranger: httpx.AsyncClient) -> None:
    emulator.switches["token_limit"] = False
    assert {(await stranger.post(TOKEN, data=TOKEN_FORM)).status_code for _ in range(30)} == {200}


# 401 without bearer; Query without application id 500, with it context only


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", f"{ORDERS}/GetInvoice?id=50911"),
        ("GET", f"{SHORT_STORM_ORDERS}/GetInvoice?id=50911"),
        ("POST", f"{ORDERS}/InsertInvoice"),
        ("GET", f"{CUSTOMERS}/GetCustomer?id=31877"),
        ("GET", f"{QUERY_2}/Orders/Orders"),
        ("GET", f"{QUERY_2}/Orders/$metadata"),
        ("POST", CREATE_INVOICE),
    ],
)
async def test_without_a_bearer_token_everything_is_a_401(stranger: httpx.AsyncClient, method: str, path: str) -> None:
    for headers in ({}, {"Authorization": "Bearer invented"}, {"Authorization": "Basic ZGVtbzpkZW1v"}):
        assert (await stranger.request(method, path, headers={**APPLICATION, **headers})).status_code == 401


async def test_a_token_dies_after_an_hour(client: httpx.AsyncClient, clock: Clock) -> None:
    clock.now += 3599
    assert (await client.get(f"{ORDERS}/ListOrderStatuses")).status_code == 200
    clock.now += 1
    answer = await client.get(f"{ORDERS}/ListOrderStatuses")
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, 'Bearer error="invalid_token"')


async def test_revoked_tokens_are_a_401_in_mid_life_and_new_ones_work(emulator: Emulator, client: httpx.AsyncClient) -> None:
    emulator.switches["revoke_tokens"] = True
    assert (await client.get(f"{ORDERS}/ListOrderStatuses")).status_code == 401
    token = (await client.post(TOKEN, data=TOKEN_FORM)).json()["access_token"]
    answer = await client.get(f"{ORDERS}/ListOrderStatuses", headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, emulator.switches["revoke_tokens"]) == (200, False)


@pytest.mark.parametrize("path", ["/Orders/Orders", "/Orders/Orders(70213)", "/Customers/Customers", "/Orders/$metadata"])
async def test_query_without_an_application_id_is_a_500(client: httpx.AsyncClient, path: str) -> None:
    del client.headers["application-id"]
    assert (await client.get(f"{QUERY_2}{path}")).status_code == 500
    assert (await client.get(f"{QUERY_2}{path}", headers={"application-id": "web"})).status_code == 500
    for name in ("application-id", "applicationId", "ApplicationId"):
        assert (await client.get(f"{QUERY_2}{path}", headers={name: "2210"})).status_code == 200


async def test_the_application_id_of_the_header_filters_nothing(client: httpx.AsyncClient) -> None:
    everything = await query(client, f"{QUERY_2}/Orders/Orders", select="ApplicationId")
    assert len(everything["value"]) == 320
    assert {order["ApplicationId"] for order in everything["value"]} == {2210, 2211}
    ours = await query(client, f"{QUERY_2}/Orders/Orders", filter="ApplicationId eq 2210", select="Id")
    assert len(ours["value"]) == 288


async def test_services_need_no_application_id_unless_a_switch_says_so(emulator: Emulator, client: httpx.AsyncClient) -> None:
    del client.headers["application-id"]
    assert (await client.get(f"{ORDERS}/ListOrderStatuses")).status_code == 200
    emulator.switches["services_need_application_id"] = True
    assert (await client.get(f"{ORDERS}/ListOrderStatuses")).status_code == 500
    assert (await client.get(f"{ORDERS}/ListOrderStatuses", headers=APPLICATION)).status_code == 200


# Both path prefixes; 200 body or 200 null, never 404; `orderno` lower case


@pytest.mark.parametrize("prefix", [ORDERS, STORM_ORDERS, SHORT_STORM_ORDERS])
async def test_an_invoice_is_found_by_id_and_by_number_below_every_prefix(client: httpx.AsyncClient, prefix: str) -> None:
    assert await get(client, f"{prefix}/GetInvoice", id="50911") == INVOICE
    assert await get(client, f"{prefix}/GetInvoiceByNo", invoiceNo="F-2026-0088") == INVOICE


@pytest.mark.parametrize("prefix", [ORDERS, STORM_ORDERS, SHORT_STORM_ORDERS])
async def test_an_order_is_found_by_number_and_by_basket_below_every_prefix(client: httpx.AsyncClient, prefix: str) -> None:
    order = await get(client, f"{prefix}/GetOrderByNo", orderno="N-100341")
    assert {name: order[name] for name in ORDER_LIST_ITEM} == ORDER_LIST_ITEM
    assert order["SellTo"]["Company"] == COMPANY
    assert [(item["PartNo"], item["VatRate"]) for item in order["Items"]] == [("STOL-09", Decimal("1.25"))]
    assert (order["BillTo"], order["ShipTo"]) == (None, None)
    assert await get(client, f"{prefix}/GetOrderByBasket", basketId=448120) == order


@pytest.mark.parametrize(
    ("path", "parameter", "key"),
    [
        (f"{ORDERS}/GetInvoice", "id", "1"),
        (f"{ORDERS}/GetInvoiceByNo", "invoiceNo", "none"),
        (f"{ORDERS}/GetOrderByNo", "orderno", "none"),
        (f"{ORDERS}/GetOrderByBasket", "basketId", "1"),
        (f"{CUSTOMERS}/GetCustomer", "id", "1"),
        (f"{CUSTOMERS}/GetCustomerByCode", "code", "none"),
        (f"{CUSTOMERS}/GetCustomerByEmail", "email", "nobody@nordvik.example"),
    ],
)
async def test_what_does_not_exist_is_null_with_200(client: httpx.AsyncClient, path: str, parameter: str, key: str) -> None:
    answer = await client.get(path, params={parameter: key})
    assert (answer.status_code, answer.text) == (200, "null")


@pytest.mark.parametrize(
    ("path", "parameter", "key"),
    [
        (f"{ORDERS}/GetOrderByNo", "orderNo", "N-100341"),
        (f"{ORDERS}/GetInvoiceByNo", "invoiceno", "F-2026-0088"),
        (f"{ORDERS}/GetInvoice", "id", ""),
        (f"{ORDERS}/GetOrderByBasket", "basketId", "N-1"),
        (f"{CUSTOMERS}/GetCustomer", "customerId", "31877"),
        (f"{CUSTOMERS}/GetCustomer", "id", "C-31877"),
    ],
)
async def test_a_parameter_that_is_missing_or_spelled_otherwise_is_a_500(
    client: httpx.AsyncClient, path: str, parameter: str, key: str
) -> None:
    assert (await client.get(path, params={parameter: key})).status_code == 500


async def test_amounts_keep_their_scale_on_the_wire(client: httpx.AsyncClient) -> None:
    sample = await client.get(f"{ORDERS}/GetInvoice", params={"id": "50911"})
    assert '"InvoiceAmountExVat":4800.0,' in sample.text
    zeros = await client.get(f"{ORDERS}/GetInvoice", params={"id": "50976"})
    assert '"InvoiceAmountExVat":0,' in zeros.text
    fives = await client.get(f"{ORDERS}/GetInvoice", params={"id": "50977"})
    assert '"InvoiceAmountExVat":5.0,' in fives.text


# ListInvoices, ListOrders3


async def test_an_order_lists_its_invoices_without_rows_order_id_and_amount_including_vat(client: httpx.AsyncClient) -> None:
    expected = {"ItemCount": 1, "Items": [INVOICE_LIST_ITEM]}
    assert await get(client, f"{ORDERS}/ListInvoices", orderId="70213") == expected
    assert await get(client, f"{STORM_ORDERS}/ListInvoices", companyId=902) == expected
    assert await get(client, f"{SHORT_STORM_ORDERS}/ListInvoices", customerId=31877) == expected


async def test_invoices_are_listed_between_two_dates_of_one_parent(client: httpx.AsyncClient) -> None:
    async def count(**dates: str) -> int:
        found = await get(client, f"{ORDERS}/ListInvoices", companyId=902, **dates)
        return int(found["ItemCount"])

    assert await count(fromDate="2026-01-17T00:00:00.000Z", toDate="2026-01-17T00:00:00.000z") == 1
    assert await count(fromDate="2026-01-17T00:00:01") == 0
    assert await count(toDate="2026-01-16T23:59:59") == 0


@pytest.mark.parametrize(
    ("operation", "params"),
    [
        ("ListInvoices", {}),
        ("ListInvoices", {"fromDate": "2026-01-01T00:00:00Z"}),
        ("ListInvoices", {"pageNo": "1", "pageSize": "10"}),
        ("ListInvoices", {"orderId": "70213", "pageNo": "0", "pageSize": "10"}),
        ("ListInvoices", {"orderId": "70213", "fromDate": "yesterday"}),
        ("ListInvoices", {"companyId": "F-902"}),
        ("ListOrders3", {}),
        ("ListOrders3", {"statusSeed": "5", "source": "WEB"}),
        ("ListOrders3", {"customerId": "31877", "statusSeed": "5;6"}),
    ],
)
async def test_a_list_without_a_parent_or_with_a_wrong_parameter_is_a_500(
    client: httpx.AsyncClient, operation: str, params: dict[str, str]
) -> None:
    assert (await client.get(f"{ORDERS}/{operation}", params=params)).status_code == 500


async def test_orders_are_listed_lightly_by_each_parent(client: httpx.AsyncClient) -> None:
    expected = {"ItemCount": 1, "Items": [ORDER_LIST_ITEM]}
    assert await get(client, f"{ORDERS}/ListOrders3", companyId=902) == expected
    assert await get(client, f"{ORDERS}/ListOrders3", customerId=31877) == expected
    day = {"fromDate": "2026-01-15T08:41:12Z", "toDate": "2026-01-15T08:41:12Z"}
    assert await get(client, f"{ORDERS}/ListOrders3", **day) == expected
    assert (await get(client, f"{ORDERS}/ListOrders3", divisionCode="BUTIK"))["ItemCount"] == 64
    assert (await get(client, f"{ORDERS}/ListOrders3", fromDate="2020-01-01T00:00:00Z"))["ItemCount"] == 320


async def test_the_status_seed_is_a_comma_separated_list_of_ids(client: httpx.AsyncClient) -> None:
    async def statuses(seed: str) -> set[str]:
        found = await get(client, f"{ORDERS}/ListOrders3", divisionCode="WEB", statusSeed=seed)
        return {order["Status"] for order in found["Items"] if order["Id"] != "70213"}

    assert await statuses("6") == {"Makulerad"}
    assert await statuses("6, 8") == {"Makulerad", "Delvis levererad"}
    assert await statuses("3") == set()


async def test_pages_count_from_one_and_past_the_end_there_are_no_items(client: httpx.AsyncClient) -> None:
    async def page(**params: int) -> tuple[int, list[str]]:
        found = await get(client, f"{ORDERS}/ListOrders3", divisionCode="BUTIK", **params)
        return found["ItemCount"], [order["Id"] for order in found["Items"]]

    total, everything = await page()
    assert (total, len(everything)) == (64, 64)
    assert await page(pageSize=30) == (64, everything[:30])
    assert await page(pageNo=3, pageSize=30) == (64, everything[60:])
    assert await page(pageNo=4, pageSize=30) == (64, [])


async def test_a_page_number_means_nothing_without_a_page_size(client: httpx.AsyncClient) -> None:
    found = await get(client, f"{ORDERS}/ListOrders3", divisionCode="BUTIK", pageNo=2)
    assert (found["ItemCount"], len(found["Items"])) == (64, 64)


async def test_status_names_follow_the_culture(client: httpx.AsyncClient) -> None:
    statuses = await get(client, f"{ORDERS}/ListOrderStatuses")
    assert statuses == [
        {"Id": 0, "Name": "Skapad"},
        {"Id": 1, "Name": "Reserverad"},
        {"Id": 2, "Name": "Bekräftad"},
        {"Id": 4, "Name": "Levererad"},
        {"Id": 5, "Name": "Fakturerad"},
        {"Id": 6, "Name": "Makulerad"},
        {"Id": 8, "Name": "Delvis levererad"},
    ]
    english = await get(client, f"{ORDERS}/GetOrderByNo", orderno="N-100341", cultureCode="en-GB")
    assert english["Status"] == "Delivered"


# The invoices that are odd


async def test_group_by_key_is_null_on_all_but_parts_of_summary_invoices(client: httpx.AsyncClient) -> None:
    async def keys(company_id: int) -> list[tuple[str, str]]:
        found = await get(client, f"{ORDERS}/ListInvoices", companyId=company_id)
        return [(item["Id"], item["GroupByKey"]) for item in found["Items"] if item["GroupByKey"] is not None]

    assert await keys(1008) == [("50951", "SAM-2026-01"), ("50952", "SAM-2026-01"), ("50953", "SAM-2026-01")]
    assert await keys(1009) == [("50954", "SAM-2026-02"), ("50955", "SAM-2026-02")]
    assert await keys(902) == []


@pytest.mark.parametrize(("invoice_id", "credited", "is_negative"), [("50916", "F-2026-0092", True), ("50932", "F-2026-0108", False)])
async def test_a_credit_names_what_it_credits_and_has_no_info(
    client: httpx.AsyncClient, invoice_id: str, credited: str, *, is_negative: bool
) -> None:
    credit = await get(client, f"{ORDERS}/GetInvoice", id=invoice_id)
    assert (credit["IsDebit"], credit["CreditedInvoiceNo"], credit["Info"]) == (False, credited, [])
    assert (credit["InvoiceAmountIncVat"] < 0) is is_negative
    original = await get(client, f"{ORDERS}/GetInvoiceByNo", invoiceNo=credited)
    assert (original["IsDebit"], original["OrderId"]) == (True, credit["OrderId"])


async def test_a_guest_has_no_ids(client: httpx.AsyncClient) -> None:
    order = await get(client, f"{ORDERS}/GetOrderByNo", orderno="N-100347")
    assert (order["SellTo"]["Customer"]["Id"], order["SellTo"]["Customer"]["No"]) == (None, None)
    assert order["SellTo"]["Customer"]["Email"].endswith(".example")
    row = await query(client, f"{QUERY_2}/Orders/Orders(70219)", expand="Buyer($select=EmailAddress)")
    assert (row["BuyerCustomerId"], row["BuyerCustomerCode"]) == (None, None)
    assert row["Buyer"] == {"EmailAddress": order["SellTo"]["Customer"]["Email"]}


async def test_the_odd_invoices_are_as_odd_as_their_table_says(client: httpx.AsyncClient) -> None:
    invoices = {place: await get(client, f"{ORDERS}/GetInvoice", id=str(50911 + place)) for place in (*range(60, 69), 70, 7, 4, 3)}
    assert invoices[60]["Items"][0]["VatRate"] == 0
    assert invoices[61]["InvoiceDate"] == "2026-03-31T22:00:00Z"
    assert invoices[62]["OrderNo"] == "N-999999"
    assert await get(client, f"{ORDERS}/GetOrderByNo", orderno="N-999999") is None
    for place in (63, 64):
        assert invoices[place]["InvoiceAmountIncVat"] == invoices[place]["InvoiceAmountExVat"] + invoices[place]["VatAmount"] + 1
    assert invoices[67]["InvoiceNoPsp"] == "PSP-7700067"
    assert invoices[68]["BillTo"] is None
    assert invoices[70]["Items"][0]["Quantity"] == Decimal("0.5")
    assert invoices[7]["InvoiceDueDate"] is None
    assert invoices[4]["OrderFreight"] == 49
    assert invoices[3]["InvoiceCharge"] == 29


async def test_every_other_invoice_adds_up_and_every_date_carries_z(client: httpx.AsyncClient) -> None:
    for place in range(320):
        invoice = await get(client, f"{ORDERS}/GetInvoice", id=str(50911 + place))
        added = invoice["InvoiceAmountExVat"] + invoice["VatAmount"]
        rows = sum(item["RowAmount"] for item in invoice["Items"]) + invoice["OrderFreight"] + invoice["InvoiceCharge"]
        assert (added == invoice["InvoiceAmountIncVat"]) is (place not in {63, 64})
        assert rows == invoice["InvoiceAmountExVat"]
        assert {invoice[name][-1] for name in ("InvoiceDate", "OrderDate", "DeliveryDate")} == {"Z"}


async def test_vat_rates_are_multipliers_in_services_and_percent_in_query(client: httpx.AsyncClient) -> None:
    rates: set[tuple[Decimal, Decimal]] = set()
    rows = await query(client, f"{QUERY_2}/Orders/Orders", expand="Items($select=VatRate)", select="OrderNo", top=40)
    for row in rows["value"]:
        order = await get(client, f"{ORDERS}/GetOrderByNo", orderno=row["OrderNo"])
        rates |= set(zip([i["VatRate"] for i in order["Items"]], [i["VatRate"] for i in row["Items"]], strict=True))
    assert rates == {
        (Decimal("1.25"), Decimal("25.0")),
        (Decimal("1.12"), Decimal("12.0")),
        (Decimal("1.06"), Decimal("6.0")),
        (Decimal(1), Decimal("0.0")),
    }


# Customers


@pytest.mark.parametrize("prefix", [CUSTOMERS, STORM_CUSTOMERS])
async def test_a_customer_is_found_by_id_code_and_email(client: httpx.AsyncClient, prefix: str) -> None:
    company = {
        "Id": 902,
        "Key": "5d4c3b2a-1f0e-4d9c-8b7a-6f5e4d3c2b1a",
        "Code": "F-902",
        "Name": "Nordvik Möbler AB",
        "OrgNo": "5590123456",
        "Phone": None,
        "ReferId": None,
        "ReferUrl": None,
        "DeliveryAddresses": [],
    }
    customer = {
        "Id": 31877,
        "Key": "b0f1c2d3-4e5f-4a6b-8c7d-9e0f1a2b3c4d",
        "Code": "C-31877",
        "Email": "inkop@nordvik.example",
        "SSN": None,
        "FirstName": "Linnea",
        "LastName": "Nordvik",
        "Phone": "+46 31 555 020",
        "CellPhone": None,
        "ReferId": None,
        "ReferUrl": None,
        "Account": None,
        "Companies": [company],
    }
    assert await get(client, f"{prefix}/GetCustomer", id=31877) == customer
    assert await get(client, f"{prefix}/GetCustomerByCode", code="C-31877") == customer
    assert await get(client, f"{prefix}/GetCustomerByEmail", email="inkop@nordvik.example") == customer
    assert await get(client, f"{prefix}/GetCustomer", id=31877, includeCompanies="false") == {**customer, "Companies": []}
    assert await get(client, f"{prefix}/ListCompaniesByOrgNo", orgNo="559012-3456") == [company]
    assert await get(client, f"{prefix}/ListCompaniesByOrgNo", orgNo="556000-0000") == []


async def test_the_name_of_the_customer_parameter_is_a_switch(emulator: Emulator, client: httpx.AsyncClient) -> None:
    emulator.switches["parameter_names"] = {"GetCustomer": "customerId", "GetCustomerByCode": "code", "GetCustomerByEmail": "email"}
    assert (await get(client, f"{CUSTOMERS}/GetCustomer", customerId=31877))["Code"] == "C-31877"


async def test_parties_are_known_by_number_without_hyphen_and_by_email(client: httpx.AsyncClient) -> None:
    parties = make_parties(1)
    for party in (parties[0], parties[118]):
        customer = await get(client, f"{CUSTOMERS}/GetCustomerByEmail", email=party.email)
        assert (customer["Id"], customer["FirstName"]) == (31000 + party.index, party.first_name)
        [company] = await get(client, f"{CUSTOMERS}/ListCompaniesByOrgNo", orgNo=party.organization_number)
        assert (company["OrgNo"], company["Name"]) == (party.organization_number.replace("-", ""), party.name)
    person = await get(client, f"{CUSTOMERS}/GetCustomer", id=31119)
    assert (person["Companies"], person["Email"]) == ([], parties[119].email)


async def test_some_customers_have_a_social_security_number(client: httpx.AsyncClient) -> None:
    found = await query(client, f"{QUERY_2}/Customers/Customers", filter="SocialSecurityNumber ne null", select="Id,SocialSecurityNumber")
    assert len(found["value"]) == 15
    assert found["value"][0] == {"Id": 31003, "SocialSecurityNumber": "19000101-0003"}
    assert (await get(client, f"{CUSTOMERS}/GetCustomer", id=31003))["SSN"] == "19000101-0003"


async def test_a_search_gives_a_plain_array_of_light_customers(client: httpx.AsyncClient) -> None:
    light = {
        "Id": 31877,
        "Key": "b0f1c2d3-4e5f-4a6b-8c7d-9e0f1a2b3c4d",
        "Code": "C-31877",
        "Email": "inkop@nordvik.example",
        "FirstName": "Linnea",
        "LastName": "Nordvik",
    }
    assert await get(client, f"{CUSTOMERS}/SearchCustomer2", searchString="INKOP@nordvik") == [light]
    assert await get(client, f"{CUSTOMERS}/SearchCustomer2", searchString="linnea", companyId=902) == [light]
    full = await get(client, f"{CUSTOMERS}/SearchCustomer2", searchString="C-31877", expand="Full")
    assert full == [{**light, "Account": None, "Flags": [], "Info": [], "Addresses": [], "PriceLists": []}]


async def test_a_search_gives_fifty_by_last_name_unless_told_otherwise(client: httpx.AsyncClient) -> None:
    found = await get(client, f"{CUSTOMERS}/SearchCustomer2", searchString="example")
    names = [(customer["LastName"], customer["FirstName"]) for customer in found]
    assert (len(found), names) == (50, sorted(names))
    assert len(await get(client, f"{CUSTOMERS}/SearchCustomer2", searchString="example", size=500)) == 119
    shown = await get(client, f"{CUSTOMERS}/SearchCustomer2", searchString="example", size=500, showInactive="true", sort="Id")
    assert [customer["Id"] for customer in shown] == [*range(31000, 31120), 31877]


@pytest.mark.parametrize(
    "params", [{}, {"searchString": "a"}, {"searchString": "ab", "expand": "Orders"}, {"searchString": "ab", "sort": "Age"}]
)
async def test_a_search_that_is_wrong_is_a_500(client: httpx.AsyncClient, params: dict[str, str]) -> None:
    assert (await client.get(f"{CUSTOMERS}/SearchCustomer2", params=params)).status_code == 500


# Query


async def test_query_3_is_camel_case_in_an_envelope(client: httpx.AsyncClient) -> None:
    found = await query(client, f"{QUERY_3}/Orders/Orders", filter="id eq 70213 or id eq 1")
    assert found == {"@odata.context": "http://sandbox/norce/commerce/query/3.0/Orders/$metadata#Orders", "value": [QUERY_ORDER]}


async def test_query_2_is_the_same_in_pascal_case(client: httpx.AsyncClient) -> None:
    found = await query(client, f"{QUERY_2}/Orders/Orders", filter="Id eq 70213")
    assert found["@odata.context"] == "http://sandbox/norce/commerce/query/2.0/Orders/$metadata#Orders"
    assert found["value"] == [{name[0].upper() + name[1:]: value for name, value in QUERY_ORDER.items()}]


async def test_one_entity_is_the_bare_model(client: httpx.AsyncClient) -> None:
    assert await query(client, f"{QUERY_3}/Orders/Orders(70213)") == QUERY_ORDER
    assert await query(client, f"{QUERY_3}/Orders/Orders('70213')") == QUERY_ORDER
    customer = await query(client, f"{QUERY_2}/Customers/Customers(31877)", select="CustomerCode,TypeId")
    assert customer == {"CustomerCode": "C-31877", "TypeId": 1}
    assert (await client.get(f"{QUERY_2}/Orders/Orders(1)")).status_code == 404
    assert (await client.get(f"{QUERY_2}/Orders/Orders(abc)")).status_code == 400
    assert (await ask(client, f"{QUERY_2}/Orders/Orders(70213)", top=1)).status_code == 400


async def test_customers_have_the_fields_of_their_page(client: httpx.AsyncClient) -> None:
    found = await query(client, f"{QUERY_3}/Customers/Customers", filter="customerCode eq 'C-31877'")
    assert found["value"] == [
        {
            "id": 31877,
            "key": "b0f1c2d3-4e5f-4a6b-8c7d-9e0f1a2b3c4d",
            "clientId": 1044,
            "customerCode": "C-31877",
            "customerCodePrefix": None,
            "typeId": 1,
            "emailAddress": "inkop@nordvik.example",
            "socialSecurityNumber": None,
            "title": None,
            "firstName": "Linnea",
            "middleName": None,
            "lastName": "Nordvik",
            "suffix": None,
            "phoneNumber": "+46 31 555 020",
            "cellPhoneNumber": None,
            "useBillingAddressAsShippingAddress": True,
        }
    ]


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("Id eq 70213 or Id eq 70215 or Id eq 1", [70213, 70215]),
        ("Id ge 70213 and Id lt 70216 and Id ne 70214", [70213, 70215]),
        ("(Id eq 70213 or Id eq 70214) and BuyerCompanyId eq 902", [70213]),
        ("Id eq 70214 or Id eq 70213 and BuyerCompanyId eq 902", [70213, 70214]),
        ("OrderNo eq 'N-100341'", [70213]),
        ("OrderDate eq 2026-01-15T08:41:12Z", [70213]),
        ("OrderDate eq 2026-01-15T09:41:12+01:00", [70213]),
        ("Id le 70213 and IsPartDelivery eq false and VatRate gt 24.5", [70213]),
        ("Id lt 70221 and BuyerCustomerId eq null", [70219]),
        ("Id lt 70215 and DeliveryDate ne null", [70213]),
        ("OrderNo eq 'O''Hara'", []),
    ],
)
async def test_a_filter_compares_and_joins(client: httpx.AsyncClient, text: str, ids: list[int]) -> None:
    found = await query(client, f"{QUERY_2}/Orders/Orders", filter=text, select="Id")
    assert found["value"] == [{"Id": order_id} for order_id in ids]


@pytest.mark.parametrize(
    "options",
    [
        {"filter": "id eq 70213"},
        {"filter": "Id in (70213,70214)"},
        {"filter": "Id eq '70213'"},
        {"filter": "OrderNo eq N-100341"},
        {"filter": "OrderDate ge '2026-01-01T00:00:00Z'"},
        {"filter": "OrderDate ge 2026-01-01"},
        {"filter": "contains(OrderNo,'N')"},
        {"filter": "not (Id eq 1)"},
        {"filter": "Id eq 1 or"},
        {"filter": "(Id eq 1"},
        {"filter": "Id eq 1)"},
        {"filter": ""},
        {"filter": "Items/any(i: i/Quantity gt 1)"},
        {"select": "Id,Total"},
        {"expand": "Invoices"},
        {"expand": "Items($expand=Order)"},
        {"expand": "Items($levels=2)"},
        {"expand": "Items($select=Id"},
        {"expand": "Items,Items"},
        {"orderby": "Id downwards"},
        {"top": "-1"},
        {"skip": "x"},
        {"count": "yes"},
        {"search": "stol"},
        {"apply": "aggregate(Id with max as Max)"},
    ],
)
async def test_what_query_does_not_know_is_a_400(client: httpx.AsyncClient, options: dict[str, str]) -> None:
    assert (await ask(client, f"{QUERY_2}/Orders/Orders", **options)).status_code == 400


async def test_expand_takes_a_selection_and_a_filter_inside(client: httpx.AsyncClient) -> None:
    options = "Items($select=PartNo,VatRate,Quantity2;$filter=PartNo eq 'STOL-09' or PartNo eq 'x;y'),Buyer($select=FirstName,EmailAddress)"
    found = await query(client, f"{QUERY_2}/Orders/Orders", filter="Id eq 70213", select="Id", expand=options)
    assert found["value"] == [
        {
            "Id": 70213,
            "Items": [{"PartNo": "STOL-09", "VatRate": Decimal("25.0"), "Quantity2": Decimal("4.0")}],
            "Buyer": {"FirstName": "Linnea", "EmailAddress": "inkop@nordvik.example"},
        }
    ]
    none = await query(client, f"{QUERY_3}/Orders/Orders(70213)", select="id", expand="items($filter=quantity gt 4)")
    assert none == {"id": 70213, "items": []}


async def test_pages_are_cut_at_the_cap_and_linked_by_skip(emulator: Emulator, client: httpx.AsyncClient) -> None:
    emulator.switches["query_page_cap"] = 150
    first = await query(client, f"{QUERY_2}/Orders/Orders", select="Id", orderby="Id desc", count="true")
    assert (first["@odata.count"], len(first["value"]), first["value"][0]["Id"]) == (320, 150, 70532)
    assert first["@odata.nextLink"].endswith("/norce/commerce/query/2.0/Orders/Orders?$select=Id&$orderby=Id%20desc&$count=true&$skip=150")
    second = read(await client.get(first["@odata.nextLink"]))
    third = read(await client.get(second["@odata.nextLink"]))
    ids = [row["Id"] for page in (first, second, third) for row in page["value"]]
    assert ids == list(range(70532, 70212, -1))
    assert "@odata.nextLink" not in third


async def test_a_larger_top_is_lowered_silently(emulator: Emulator, client: httpx.AsyncClient) -> None:
    assert emulator.switches["query_page_cap"] == 500
    emulator.switches["query_page_cap"] = 100
    lowered = await query(client, f"{QUERY_2}/Orders/Orders", select="Id", top=250)
    assert len(lowered["value"]) == 100
    assert lowered["@odata.nextLink"].endswith("?$select=Id&$top=150&$skip=100")
    asked_for = await query(client, f"{QUERY_2}/Orders/Orders", select="Id", top=100, skip=10)
    assert [row["Id"] for row in asked_for["value"]] == list(range(70223, 70323))
    assert "@odata.nextLink" not in asked_for


async def test_an_installation_may_give_no_next_link(emulator: Emulator, client: httpx.AsyncClient) -> None:
    emulator.switches.update({"query_page_cap": 100, "query_next_link": False})
    cut = await query(client, f"{QUERY_2}/Orders/Orders", select="Id")
    assert (len(cut["value"]), "@odata.nextLink" in cut) == (100, False)


async def test_a_set_of_order_items_does_not_exist(client: httpx.AsyncClient) -> None:
    assert (await client.get(f"{QUERY_2}/Orders/OrderItems")).status_code == 404
    assert (await client.get("/commerce/query/1.0/Orders/Orders")).status_code == 404


@pytest.mark.parametrize(
    "options",
    [
        {"expand": "Items,Buyer", "top": "500"},
        {"expand": "Items($expand=Product($expand=Parts($expand=Stock)))"},
    ],
)
async def test_a_deep_or_double_expand_over_a_full_page_is_a_500(client: httpx.AsyncClient, options: dict[str, str]) -> None:
    assert (await ask(client, f"{QUERY_2}/Orders/Orders", **options)).status_code == 500
    assert (await ask(client, f"{QUERY_2}/Orders/Orders", expand="Items,Buyer", top=100)).status_code == 200


async def test_query_is_read_only(client: httpx.AsyncClient) -> None:
    assert (await client.post(f"{QUERY_2}/Orders/Orders", json={})).status_code == 405


async def test_query_answers_429_past_the_limit_of_a_switch(emulator: Emulator, client: httpx.AsyncClient, clock: Clock) -> None:
    emulator.switches["query_rate_limit"] = 2

    async def call() -> tuple[int, str | None]:
        answer = await client.get(f"{QUERY_2}/Orders/Orders(70213)")
        return answer.status_code, answer.headers.get("Retry-After")

    assert [await call() for _ in range(3)] == [(200, None), (200, None), (429, "60")]
    clock.now += 60
    assert await call() == (200, None)
    emulator.switches["query_rate_limit"] = 0
    assert (await call())[0] == 429


async def test_a_batch_of_fifty_keys_fits_and_a_much_longer_one_is_a_414(client: httpx.AsyncClient) -> None:
    async def batch(size: int) -> httpx.Response:
        return await ask(client, f"{QUERY_2}/Orders/Orders", select="Id", filter=" or ".join(f"Id eq {70213 + n}" for n in range(size)))

    assert len(read(await batch(50))["value"]) == 50
    assert (await batch(300)).status_code == 414


async def test_guest_checkout_leaves_every_order_without_a_buyers_customer_id(emulator: Emulator, client: httpx.AsyncClient) -> None:
    emulator.switches["guest_buyers_only"] = True
    found = await query(client, f"{QUERY_2}/Orders/Orders", filter="BuyerCustomerId ne null or BuyerCustomerCode ne null", count="true")
    assert found["@odata.count"] == 0


async def test_there_is_no_set_of_invoices_unless_the_installation_has_one(emulator: Emulator, client: httpx.AsyncClient) -> None:
    assert (await client.get(f"{QUERY_3}/Orders/Invoices")).status_code == 404
    assert 'EntitySet Name="Invoices"' not in (await client.get(f"{QUERY_3}/Orders/$metadata")).text
    emulator.switches["invoice_set"] = True
    assert 'EntitySet Name="Invoices"' in (await client.get(f"{QUERY_3}/Orders/$metadata")).text
    found = await query(client, f"{QUERY_3}/Orders/Invoices", filter="invoiceNo eq 'F-2026-0088'", expand="items")
    [invoice] = found["value"]
    assert (invoice["id"], invoice["referenceOrderId"], invoice["buyerCompanyId"], invoice["buyerCustomerId"]) == (50911, 70213, 902, 31877)
    assert (invoice["quantity"], invoice["currencyRate"], invoice["typeId"]) == (Decimal("4.0"), Decimal("1.0"), 1)
    assert invoice["items"] == [QUERY_INVOICE_ITEM]
    orphan = await query(client, f"{QUERY_2}/Orders/Invoices(50973)", select="ReferenceOrderId")
    assert orphan == {"ReferenceOrderId": 99999999}
    assert (await query(client, f"{QUERY_2}/Orders/Invoices", count="true"))["@odata.count"] == 320


async def test_metadata_lists_the_sets_of_a_namespace_in_the_versions_spelling(client: httpx.AsyncClient) -> None:
    edm = "{http://docs.oasis-open.org/odata/ns/edm}"
    for version, path, expected in ((QUERY_2, "Orders", "OrderNo"), (QUERY_3, "Customers", "customerCode")):
        root = ET.fromstring((await client.get(f"{version}/{path}/$metadata")).text)  # noqa: S314  (from the emulator)
        assert [entity_set.get("Name") for entity_set in root.iter(f"{edm}EntitySet")] == [path]
        assert expected in {element.get("Name") for element in root.iter(f"{edm}Property")}


# CreateInvoice


@pytest.mark.parametrize("path", [CREATE_INVOICE, STORM_CREATE_INVOICE])
async def test_a_created_invoice_answers_nothing_and_is_read_by_its_number(
    emulator: Emulator, client: httpx.AsyncClient, path: str
) -> None:
    answer = await client.post(path, json=NEW_INVOICE)
    assert (answer.status_code, answer.content) == (200, b"")
    stored = await get(client, f"{ORDERS}/GetInvoiceByNo", invoiceNo="F-9001")
    assert stored == {
        **INVOICE,
        "Id": "51231",
        "InvoiceNo": "F-9001",
        "InvoiceDate": "2026-01-18T00:00:00Z",
        "InvoiceDueDate": "2026-02-17T00:00:00Z",
        "InvoiceText": None,
        "DeliveryDate": None,
        "BillTo": {
            "Company": COMPANY,
            "Customer": {**INVOICE["BillTo"]["Customer"], "Email": "inkop@nordvik.example"},  # type: ignore[index]  # it is a dict
            "Address": INVOICE["BillTo"]["Address"],  # type: ignore[index]  # it is a dict
            "DropPointCode": None,
        },
        "InvoiceAmountExVat": Decimal("4800.4"),
        "VatAmount": Decimal("1200.1"),
        "InvoiceAmountIncVat": Decimal("6000.5"),
        "Items": [
            {
                "RowNumber": 1,
                "ItemNo": "STOL-09",
                "ItemDescription": "Pinnstol ek",
                "Quantity": 4,
                "UnitPrice": Decimal("1200.1"),
                "UnitDiscount": 0,
                "RowAmount": Decimal("4800.4"),
                "RowAmountVat": Decimal("1200.100"),
                "DeliveryDate": None,
                "VatRate": Decimal("1.25"),
                "UnitPriceIncVat": Decimal("1500.125"),
            }
        ],
        "Info": [],
    }
    assert await get(client, f"{ORDERS}/GetInvoice", id="51231") == stored
    assert (await get(client, f"{ORDERS}/ListInvoices", orderId="70213"))["ItemCount"] == 2
    assert emulator.switches["captures"] == []


@pytest.mark.parametrize("name", ["ClientOrderRef", "ErpOrderNo", "CurrencyCode", "InvoiceDate"])
async def test_an_invoice_without_a_required_field_is_refused(client: httpx.AsyncClient, name: str) -> None:
    without = {key: value for key, value in NEW_INVOICE.items() if key != name}
    for body in (without, {**without, name: None}):
        assert list(read(await client.post(CREATE_INVOICE, json=body), 400)["Messages"]) == [name]
    assert await get(client, f"{ORDERS}/GetInvoiceByNo", invoiceNo="F-9001") is None


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"ClientOrderRef": "448120"}, "ClientOrderRef"),
        ({"ClientOrderRef": 2**31}, "ClientOrderRef"),
        ({"ClientOrderRef": True}, "ClientOrderRef"),
        ({"ClientOrderRef": 448123}, "ClientOrderRef"),
        ({"ErpOrderNo": "N-100342"}, "ClientOrderRef"),
        ({"CurrencyCode": "kronor"}, "CurrencyCode"),
        ({"InvoiceDate": "17 januari"}, "InvoiceDate"),
        ({"InvoiceNo": 9001}, "InvoiceNo"),
        ({"InvoiceNo": "F" * 51}, "InvoiceNo"),
        ({"TotalAmount": "6000.5"}, "TotalAmount"),
        ({"TotalAmount": -6000.5}, "CreditedInvoiceNo"),
        ({"ApplicationKey": "web"}, "ApplicationKey"),
        ({"SuppressPspCall": "true"}, "SuppressPspCall"),
        ({"Items": {"PartNo": "STOL-09"}}, "Items"),
        ({"Items": [{"PartNo": "STOL-09", "UnitPrice": 1}]}, "Items[0].Quantity"),
        ({"Items": [{"PartNo": "STOL-09", "UnitPrice": 1, "Quantity": "4"}]}, "Items[0].Quantity"),
        ({"Items": [], "SuppressPspCall": False}, "Items"),
        ({"Payment": {"PaymentMethodCode": "INV"}}, "Payment"),
        ({"Payment": {"PaymentCode": "7781"}}, "Payment.PaymentCode"),
    ],
)
async def test_an_invoice_that_is_wrong_is_refused(client: httpx.AsyncClient, change: dict[str, Any], name: str) -> None:
    assert list(read(await client.post(CREATE_INVOICE, json=NEW_INVOICE | change), 400)["Messages"]) == [name]
    assert await get(client, f"{ORDERS}/GetInvoiceByNo", invoiceNo="F-9001") is None


async def test_an_invoice_that_is_not_json_is_refused(client: httpx.AsyncClient) -> None:
    headers = {"Content-Type": "application/json"}
    assert (await client.post(CREATE_INVOICE, content="<Invoice/>", headers=headers)).status_code == 400
    assert (await client.post(CREATE_INVOICE, json=[NEW_INVOICE])).status_code == 400
    assert (await client.post(CREATE_INVOICE, data={"InvoiceNo": "F-9001"})).status_code == 415


@pytest.mark.parametrize("status", [400, 409])
async def test_a_number_that_is_taken_is_refused_and_captures_nothing(emulator: Emulator, client: httpx.AsyncClient, status: int) -> None:
    emulator.switches["duplicate_invoice_no"] = str(status)
    body = {**NEW_INVOICE, "InvoiceNo": "F-2026-0088", "SuppressPspCall": False}
    assert list(read(await client.post(CREATE_INVOICE, json=body), status)["Messages"]) == ["InvoiceNo"]
    assert await get(client, f"{ORDERS}/GetInvoiceByNo", invoiceNo="F-2026-0088") == INVOICE
    assert emulator.switches["captures"] == []


async def test_a_number_that_is_taken_may_be_stored_twice(emulator: Emulator, client: httpx.AsyncClient) -> None:
    emulator.switches["duplicate_invoice_no"] = "stored"
    assert (await client.post(CREATE_INVOICE, json={**NEW_INVOICE, "InvoiceNo": "F-2026-0088"})).status_code == 200
    assert (await get(client, f"{ORDERS}/GetInvoiceByNo", invoiceNo="F-2026-0088"))["Id"] == "51231"
    assert await get(client, f"{ORDERS}/GetInvoice", id="50911") == INVOICE


@pytest.mark.parametrize("suppress", [False, None])
async def test_the_payment_is_captured_unless_that_is_suppressed(
    emulator: Emulator, client: httpx.AsyncClient, *, suppress: bool | None
) -> None:
    assert (await client.post(CREATE_INVOICE, json={**NEW_INVOICE, "SuppressPspCall": suppress})).status_code == 200
    assert emulator.switches["captures"] == [
        {
            "InvoiceNo": "F-9001",
            "ClientOrderRef": 448120,
            "ErpOrderNo": "N-100341",
            "Amount": Decimal("6000.5"),
            "CurrencyCode": "SEK",
            "PaymentRef": "res-55AA",
        }
    ]


async def test_a_credit_is_stored_with_what_it_credits(client: httpx.AsyncClient) -> None:
    credit = {**NEW_INVOICE, "TotalAmount": -6000.5, "Vat": -1200.1, "CreditedInvoiceNo": "F-2026-0088"}
    assert (await client.post(CREATE_INVOICE, json=credit)).status_code == 200
    stored = await get(client, f"{ORDERS}/GetInvoiceByNo", invoiceNo="F-9001")
    assert (stored["IsDebit"], stored["CreditedInvoiceNo"], stored["Info"]) == (False, "F-2026-0088", [])
    assert (stored["InvoiceAmountExVat"], stored["InvoiceAmountIncVat"]) == (Decimal("-4800.4"), Decimal("-6000.5"))


async def test_amounts_that_are_not_sent_are_worked_out_from_the_rows(client: httpx.AsyncClient) -> None:
    items = [{"PartNo": "BOK-118", "Quantity": 2.5, "UnitPrice": 100.10, "Discount": 0.1, "VatRate": 6}]
    body = {key: value for key, value in NEW_INVOICE.items() if key not in {"TotalAmount", "Vat", "AddressLine1"}}
    assert (await client.post(CREATE_INVOICE, json={**body, "Items": items})).status_code == 200
    stored = await get(client, f"{ORDERS}/GetInvoiceByNo", invoiceNo="F-9001")
    amounts = (stored["InvoiceAmountExVat"], stored["VatAmount"], stored["InvoiceAmountIncVat"])
    assert amounts == (Decimal("250.00"), Decimal("15.00"), Decimal("265.00"))
    assert (stored["Items"][0]["VatRate"], stored["Items"][0]["RowNumber"]) == (Decimal("1.06"), 1)
    assert stored["BillTo"]["Address"]["GlobalLocationNo"] is None


async def test_the_storm_profile_reads_the_names_as_its_page_spells_them(emulator: Emulator, client: httpx.AsyncClient) -> None:
    emulator.switches["connect_profile"] = "storm"
    assert list(read(await client.post(CREATE_INVOICE, json=NEW_INVOICE), 400)["Messages"]) == ["InoviceNo"]
    storm = {**NEW_INVOICE, "InoviceNo": "F-9002", "ContryCode": "NO"}
    assert (await client.post(STORM_CREATE_INVOICE, json=storm)).status_code == 200
    assert await get(client, f"{ORDERS}/GetInvoiceByNo", invoiceNo="F-9001") is None
    stored = await get(client, f"{ORDERS}/GetInvoiceByNo", invoiceNo="F-9002")
    assert stored["BillTo"]["Address"]["CountryCode"] == "NO"


async def test_the_commerce_profile_does_not_insist_on_a_number(client: httpx.AsyncClient) -> None:
    unnumbered = {**NEW_INVOICE, "InvoiceNo": None, "InoviceNo": "F-9002"}
    assert (await client.post(CREATE_INVOICE, json=unnumbered)).status_code == 200
    assert await get(client, f"{ORDERS}/GetInvoiceByNo", invoiceNo="F-9002") is None
    assert (await get(client, f"{ORDERS}/GetInvoice", id="51231"))["InvoiceNo"] is None


@pytest.mark.parametrize(("kind", "text"), [("empty", ""), ("null", "null"), ("id", '{"Id":"51231"}')])
async def test_the_answer_of_a_create_is_a_switch(emulator: Emulator, client: httpx.AsyncClient, kind: str, text: str) -> None:
    emulator.switches["connect_answer"] = kind
    assert (await client.post(CREATE_INVOICE, json=NEW_INVOICE)).text == text


async def test_the_answer_of_a_create_may_be_the_invoice(emulator: Emulator, client: httpx.AsyncClient) -> None:
    emulator.switches["connect_answer"] = "invoice"
    answer = read(await client.post(CREATE_INVOICE, json=NEW_INVOICE))
    assert answer == await get(client, f"{ORDERS}/GetInvoiceByNo", invoiceNo="F-9001")


async def test_a_created_invoice_may_never_become_readable(emulator: Emulator, client: httpx.AsyncClient) -> None:
    emulator.switches["connect_stores"] = False
    assert (await client.post(CREATE_INVOICE, json=NEW_INVOICE)).status_code == 200
    assert await get(client, f"{ORDERS}/GetInvoiceByNo", invoiceNo="F-9001") is None


# InsertInvoice


@pytest.mark.parametrize("prefix", [ORDERS, STORM_ORDERS, SHORT_STORM_ORDERS])
async def test_insert_invoice_is_not_implemented(client: httpx.AsyncClient, prefix: str) -> None:
    answer = read(await client.post(f"{prefix}/InsertInvoice", json={"InvoiceNo": "F-9001"}), 500)
    assert answer == {"Message": "Not implemented. Invoices are inserted through integrations."}
    assert await get(client, f"{ORDERS}/GetInvoiceByNo", invoiceNo="F-9001") is None


async def test_insert_invoice_echoes_and_stores_when_a_switch_says_so(emulator: Emulator, client: httpx.AsyncClient) -> None:
    emulator.switches["insert_invoice"] = True
    body = {"InvoiceNo": "F-9001", "OrderId": "70213", "InvoiceAmountExVat": 10.50, "IsDebit": True, "Items": [{"ItemNo": "STOL-09"}]}
    echo = read(await client.post(f"{SHORT_STORM_ORDERS}/InsertInvoice", json=body))
    assert set(echo) == set(INVOICE)
    assert (echo["Id"], echo["InvoiceNo"], echo["InvoiceAmountExVat"], echo["VatAmount"]) == ("51231", "F-9001", Decimal("10.5"), None)
    assert (echo["Items"][0]["ItemNo"], echo["Items"][0]["Quantity"]) == ("STOL-09", 0)
    assert await get(client, f"{ORDERS}/GetInvoiceByNo", invoiceNo="F-9001") == echo
    emulator.switches["invoice_set"] = True
    assert (await query(client, f"{QUERY_2}/Orders/Invoices(51231)"))["ReferenceOrderId"] == 70213


@pytest.mark.parametrize(
    "body",
    [[], {"InvoiceNo": "F-2026-0088"}, {"InvoiceAmountExVat": "10"}, {"BillTo": {"Company": "F-902"}}, {"Items": [{"Quantity": "1"}]}],
)
async def test_an_insert_that_is_wrong_is_a_500(emulator: Emulator, client: httpx.AsyncClient, body: object) -> None:
    emulator.switches["insert_invoice"] = True
    assert (await client.post(f"{ORDERS}/InsertInvoice", json=body)).status_code == 500


# XML on request; `?format=json` accepted


async def test_services_answer_xml_when_asked(client: httpx.AsyncClient) -> None:
    answer = await client.get(f"{ORDERS}/GetInvoice", params={"id": "50911"}, headers={"Accept": "application/xml"})
    assert answer.headers["Content-Type"] == "application/xml; charset=utf-8"
    invoice = ET.fromstring(answer.text)  # noqa: S314  (from the emulator)
    assert (invoice.tag, invoice.findtext("InvoiceNo"), invoice.findtext("InvoiceAmountExVat")) == ("Invoice", "F-2026-0088", "4800.0")
    assert invoice.findtext("Items/InvoiceItem/VatRate") == "1.25"
    comment = invoice.find("Comment")
    assert comment is not None
    assert comment.attrib == {"{http://www.w3.org/2001/XMLSchema-instance}nil": "true"}


async def test_absence_and_lists_are_xml_too(client: httpx.AsyncClient) -> None:
    client.headers["Accept"] = "text/xml"
    absent = await client.get(f"{ORDERS}/GetInvoice", params={"id": "1"})
    assert absent.text.endswith('<Invoice xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:nil="true" />')
    found = await client.get(f"{CUSTOMERS}/SearchCustomer2", params={"searchString": "C-31877"})
    assert [entry.tag for entry in ET.fromstring(found.text)] == ["Customer"]  # noqa: S314  (from the emulator)


async def test_format_json_wins_over_the_accept_header(client: httpx.AsyncClient) -> None:
    params = {"id": "50911", "format": "json"}
    answer = await client.get(f"{ORDERS}/GetInvoice", params=params, headers={"Accept": "application/xml"})
    assert read(answer) == INVOICE
    either = {"Accept": "application/json, application/xml"}
    assert read(await client.get(f"{ORDERS}/GetInvoice", params={"id": "50911"}, headers=either)) == INVOICE
