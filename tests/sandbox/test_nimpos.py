import json
import random
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from gateway.sandbox.emulator import Emulator
from gateway.sandbox.nimpos import create
from gateway.sandbox.nimpos.data import Odd, make_id, terminal_ids
from gateway.sandbox.nimpos.json_net import Moment, document, to_moment
from gateway.sandbox.parties import make_parties

pytestmark = pytest.mark.anyio

SAMPLE_CUSTOMER = "3f0c8f52-9d0d-4b52-8a57-6f8b2b8c1d01"
SAMPLE_BRANCH = "7b8a1ce9-4b3e-4c0d-8f6b-1d2e3f405162"
SAMPLE_ORDER = "1f3e5d7c-9b8a-4c6d-8e0f-a1b2c3d4e5f6"
SAMPLE_INVOICE = "6a1d2f3e-4b5c-4d6e-8f70-8192a3b4c5d6"
SAMPLE_DEBT = "0d7a4f1b-3e55-4e0b-9bb3-2b1c6a7d8e90"
KASSA_1, KASSA_2, KASSA_3 = terminal_ids()
ZERO_GUID = "00000000-0000-0000-0000-000000000000"
UNKNOWN_ORDER = "aaaaaaaa-0000-4000-8000-000000000001"
NEW_INVOICE = "41f83e66-5ef3-4365-95e3-2a2fb099ee33"
WIDE = {"LastExecutedDate": "2020-01-01", "CurrentDate": "2030-01-01", "SharedDB": "false"}
DENIED = {"Message": "Authorization has been denied for this request."}

# The sample of the vendor's page `Api/POST-api-Order-PostCustomerInvoice`, with an order that exists and one that does not.
POSTED_INVOICE = {
    "Id": NEW_INVOICE,
    "InvoiceNumber": 2,
    "CustomerId": "ca84d3b1-7162-4058-a30f-ed1e7296139f",
    "Remarks": "sample string 4",
    "InvoiceTotal": 5.0,
    "PaymentStatus": 6,
    "PaidDate": "2026-06-21T22:48:27.9745441+02:00",
    "DueDate": "2026-06-21T22:48:27.9745441+02:00",
    "EmailSent": True,
    "SentDate": "2026-06-21T22:48:27.9745441+02:00",
    "OutletId": "c7cf3ff9-453b-4c07-8f57-3274a1f04373",
    "TerminalId": "610114fe-ea20-43a1-a947-8e012046867d",
    "ForeignInvoiceNumber": 10,
    "Deleted": True,
    "ExportStatus": 12,
    "ExportError": "sample string 13",
    "CreationDate": "2026-06-21T22:48:27.9745441+02:00",
    "Synced": False,
    "OrdersGuid": [SAMPLE_ORDER, UNKNOWN_ORDER],
    "PaidStatus": "Betald",
}

READS = {
    "GetCustomers": "/api/Customer/GetCustomers",
    "GetCustomerDebts": "/api/Customer/GetCustomerDebts",
    "GetSettings": "/api/Setting/GetSettings",
    "GetOrderById": "/api/Order/GetOrderById",
    "GetOrders": "/api/Order/GetOrders",
    "GetOpenOrder": "/api/Order/GetOpenOrder",
    "GetUpdatedOrders": "/api/Order/GetUpdatedOrders",
    "GetCustomerInvoice": "/api/Order/GetCustomerInvoice",
}
WRITES = {"PostCustomerInvoice": "/api/Order/PostCustomerInvoice", "PostCustomer": "/api/Customer/PostCustomer"}


class Pos:
    """A caller of the emulator with a token of its own."""

    def __init__(self, emulator: Emulator, http: httpx.AsyncClient) -> None:
        self.switches = emulator.switches
        self.emulator = emulator
        self.http = http
        self.headers: dict[str, str] = {}

    async def log_in(self, username: str = "demo", password: str | None = None) -> httpx.Response:
        form = {"grant_type": "password", "userName": username, "password": username if password is None else password}
        answer = await self.http.post("/Token", data=form)
        if answer.status_code == 200:
            self.headers = {"Authorization": f"bearer {answer.json()['access_token']}", "Accept": "application/json"}
        return answer

    async def get(self, operation: str, query: dict[str, str] | None = None) -> httpx.Response:
        return await self.http.get(READS[operation], params=query or {}, headers=self.headers)

    async def read(self, operation: str, query: dict[str, str] | None = None) -> Any:  # noqa: ANN401  (any JSON value)
        answer = await self.get(operation, query)
        assert answer.status_code == 200, answer.text
        return json.loads(answer.text, parse_float=Decimal)

    async def post(self, operation: str, body: object) -> httpx.Response:
        return await self.http.post(WRITES[operation], json=body, headers=self.headers)

    async def invoices(self, terminal: str = KASSA_1) -> dict[str, Any]:
        rows = await self.read("GetCustomerInvoice", WIDE | {"TerminalId": terminal})
        return {row["Id"]: row for row in rows}

    async def invoices_of_all_terminals(self) -> list[Any]:
        return [row for terminal in terminal_ids() for row in (await self.invoices(terminal)).values()]

    async def order(self, order_id: str) -> Any:  # noqa: ANN401  (an object or null)
        return await self.read("GetOrderById", {"id": order_id})

    async def customers(self) -> dict[str, Any]:
        resolved = _resolve(await self.read("GetCustomers", WIDE | {"TerminalId": KASSA_1}))
        return {row["Id"]: row for row in resolved}


@pytest.fixture
async def stranger(anyio_backend: str) -> AsyncIterator[Pos]:
    assert anyio_backend == "asyncio"
    emulator = create(make_parties(1), 1)
    async with _open_http(emulator) as http:
        yield Pos(emulator, http)


@pytest.fixture
async def pos(stranger: Pos) -> Pos:
    await stranger.log_in()
    return stranger


@pytest.fixture(scope="module")
def shared_emulator() -> Emulator:
    return create(make_parties(1), 1)


@pytest.fixture
async def reader(anyio_backend: str, shared_emulator: Emulator) -> AsyncIterator[Pos]:
    """Give a caller for tests that leave rows and switches as they are, so that all of them share one emulator."""
    assert anyio_backend == "asyncio"
    async with _open_http(shared_emulator) as http:
        caller = Pos(shared_emulator, http)
        await caller.log_in()
        yield caller


def _open_http(emulator: Emulator) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=Starlette(routes=emulator.routes)), base_url="http://nimpos")


def _resolve(rows: list[Any]) -> list[Any]:
    """Put numbered objects in the place of references to them."""
    known = {row["$id"]: row for row in _objects(rows) if "$id" in row}
    return [known[row["$ref"]] if "$ref" in row else row for row in rows]


def _objects(value: object) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for member in value.values():
            yield from _objects(member)
    elif isinstance(value, list):
        for item in value:
            yield from _objects(item)


# How a gateway is pointed here


async def test_the_config_names_the_terminals_and_a_user_that_is_accepted(stranger: Pos) -> None:
    emulator = stranger.emulator

    assert (emulator.name, emulator.config_key) == ("nimpos", "pos")
    assert emulator.config == {
        "system": "nimpos",
        "terminal_ids": [KASSA_1, KASSA_2, KASSA_3],
        "window_start": "2020-01-01",
        "default_currency": "SEK",
        "time_zone": "Europe/Stockholm",
        "total_vat_basis": "unknown",
        "auth": {"kind": "password", "token_path": "/Token", "username": "demo", "password": "demo"},
    }


async def test_each_route_has_the_name_of_its_operation(stranger: Pos) -> None:
    assert {route.name: route.path for route in stranger.emulator.routes} == {"Token": "/Token", **READS, **WRITES}


# Tokens


async def test_a_password_grant_answers_a_bearer_token_for_fourteen_days(stranger: Pos) -> None:
    answer = await stranger.log_in()

    assert answer.status_code == 200
    assert answer.json() == {"access_token": "nimpos-demo-1", "token_type": "bearer", "expires_in": 1209599}


async def test_the_names_in_the_token_form_are_read_in_any_case(stranger: Pos) -> None:
    form = {"Grant_Type": "password", "USERNAME": "demo", "Password": "demo"}

    assert (await stranger.http.post("/Token", data=form)).status_code == 200


@pytest.mark.parametrize(("username", "password"), [("demo", "wrong"), ("nobody", "demo"), ("", "")])
async def test_bad_credentials_are_an_invalid_grant(stranger: Pos, username: str, password: str) -> None:
    answer = await stranger.log_in(username, password)

    assert (answer.status_code, answer.json()) == (400, {"error": "invalid_grant"})


async def test_another_grant_is_refused(stranger: Pos) -> None:
    answer = await stranger.http.post("/Token", data={"grant_type": "client_credentials", "userName": "demo", "password": "demo"})

    assert (answer.status_code, answer.json()) == (400, {"error": "unsupported_grant_type"})


async def test_a_token_request_in_json_is_refused(stranger: Pos) -> None:
    answer = await stranger.http.post("/Token", json={"grant_type": "password", "userName": "demo", "password": "demo"})

    assert (answer.status_code, answer.json()) == (400, {"error": "unsupported_grant_type"})


@pytest.mark.parametrize("operation", [*READS, *WRITES])
@pytest.mark.parametrize("header", [None, "bearer wrong", "bearer", "Basic nimpos-demo-1", "nimpos-demo-1"])
async def test_without_a_valid_bearer_token_everything_is_denied(reader: Pos, operation: str, header: str | None) -> None:
    reader.headers = {} if header is None else {"Authorization": header}
    answer = await reader.get(operation) if operation in READS else await reader.post(operation, {})

    assert (answer.status_code, answer.json()) == (401, DENIED)


async def test_customers_can_be_left_open_so_that_a_bad_token_reads_nothing(stranger: Pos) -> None:
    stranger.switches["customers_require_token"] = False
    stranger.headers = {"Authorization": "bearer wrong"}

    assert await stranger.read("GetCustomers", WIDE) == []
    assert await stranger.read("GetCustomerDebts", WIDE) == []
    assert (await stranger.get("GetOrders")).status_code == 401
    refused = await stranger.post("PostCustomer", {"Id": SAMPLE_BRANCH})
    assert (refused.status_code, refused.content) == (417, b"")


async def test_a_new_token_generation_ends_the_tokens_before_it(pos: Pos) -> None:
    pos.switches["token_generation"] = 2

    assert (await pos.get("GetOrders")).status_code == 401
    await pos.log_in()
    assert (await pos.get("GetOrders")).status_code == 200


async def test_a_token_ends_with_its_life(stranger: Pos) -> None:
    stranger.switches["token_life_seconds"] = 0
    answer = await stranger.log_in()

    assert answer.json()["expires_in"] == 0
    assert (await stranger.get("GetOrders")).status_code == 401


async def test_the_user_of_the_token_decides_the_company_and_no_header_does(stranger: Pos) -> None:
    await stranger.log_in("second")
    stranger.headers |= {"X-Tenant": "demo", "OutletId": "5b1f7c0e-2a64-4a1d-9a53-0f6f2a0b8e11"}

    assert len(await stranger.customers()) == 5
    assert await stranger.order(SAMPLE_ORDER) is None
    assert await stranger.invoices(KASSA_1) == {}
    assert len(await stranger.invoices(make_id("second", "terminal", 0))) == 5


# Methods and formats


@pytest.mark.parametrize("operation", READS)
@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "PATCH", "DELETE"])
async def test_a_read_takes_get_only(reader: Pos, operation: str, method: str) -> None:
    answer = await reader.http.request(method, READS[operation], headers=reader.headers)

    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET")


@pytest.mark.parametrize("path", [*WRITES.values(), "/Token"])
@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
async def test_a_write_takes_post_only(reader: Pos, path: str, method: str) -> None:
    answer = await reader.http.request(method, path, headers=reader.headers)

    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
    assert answer.json() == {"Message": f"The requested resource does not support http method '{method}'."}


async def test_answers_are_json_in_utf_8(reader: Pos) -> None:
    answer = await reader.get("GetOrderById", {"id": SAMPLE_ORDER})

    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    assert "Leverans bakdörren".encode() in answer.content


@pytest.mark.parametrize("operation", WRITES)
async def test_a_form_is_not_a_body(reader: Pos, operation: str) -> None:
    answer = await reader.http.post(WRITES[operation], data={"Id": NEW_INVOICE}, headers=reader.headers)

    assert answer.status_code == 415


async def test_text_json_is_a_body(pos: Pos) -> None:
    headers = pos.headers | {"Content-Type": "text/json; charset=utf-8"}
    answer = await pos.http.post(WRITES["PostCustomerInvoice"], content=json.dumps(POSTED_INVOICE), headers=headers)

    assert answer.status_code == 200


# References and times


async def test_objects_are_numbered_through_the_document_and_repeats_are_references(reader: Pos) -> None:
    rows = await reader.read("GetCustomers", {"LastExecutedDate": "2026-06-18T14:02:00", "CurrentDate": "2026-06-18T14:06:00"})

    parent, child = rows
    assert (parent["$id"], parent["Id"]) == ("1", SAMPLE_CUSTOMER)
    assert parent["Customer_CustomField"][0]["$id"] == "2"
    assert (child["$id"], child["Id"], child["Parent"]) == ("3", SAMPLE_BRANCH, {"$ref": "1"})


async def test_a_single_object_is_numbered_too(reader: Pos) -> None:
    order = await reader.order(SAMPLE_ORDER)

    assert (order["$id"], order["OrderLines"][0]["$id"]) == ("1", "2")


async def test_numbers_run_without_a_gap_and_references_lead_to_objects_before_them(reader: Pos) -> None:
    objects = list(_objects(await reader.read("GetCustomers", WIDE)))

    numbers = [row["$id"] for row in objects if "$id" in row]
    assert numbers == [str(number) for number in range(1, len(numbers) + 1)]
    references = [row["$ref"] for row in objects if "$ref" in row]
    assert set(references) <= set(numbers)


async def test_a_customer_met_first_as_a_parent_is_only_a_reference_in_the_list(reader: Pos) -> None:
    rows = await reader.read("GetCustomers", WIDE)

    child = next(row for row in rows if row.get("Id") == make_id("demo", "customer", 7))
    assert child["Parent"]["Id"] == make_id("demo", "customer", 8)
    assert {"$ref": child["Parent"]["$id"]} in rows


async def test_a_circle_of_parent_and_contact_is_written_once(reader: Pos) -> None:
    rows = await reader.read("GetCustomers", WIDE)

    parent = next(row for row in rows if row.get("Id") == make_id("demo", "customer", 3))
    (child,) = parent["PrimaryContacts"]
    assert child["Id"] == make_id("demo", "customer", 4)
    assert child["Parent"] == {"$ref": parent["$id"]}


def test_values_are_replaced_only_where_the_key_says() -> None:
    assert document([{"Email": "a", "Name": "b"}], {"Email": None}) == [{"$id": "1", "Email": None, "Name": "b"}]


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("2026-06-21T22:48:27.9745441+02:00", "2026-06-21T22:48:27.9745441+02:00"),
        ("2026-06-21T20:48:27.9745441Z", "2026-06-21T22:48:27.9745441+02:00"),
        ("2026-06-18T14:05:31.0029140+02:00", "2026-06-18T14:05:31.002914+02:00"),
        ("2026-07-21T00:00:00.0000000+02:00", "2026-07-21T00:00:00+02:00"),
        ("2026-01-15T09:00:00", "2026-01-15T09:00:00+01:00"),
        ("2026-07-21", "2026-07-21T00:00:00+02:00"),
        ("2025-10-26T00:30:00.5Z", "2025-10-26T02:30:00.5+02:00"),
        ("2025-10-26T01:30:00.5Z", "2025-10-26T02:30:00.5+01:00"),
        ("2026-02-28T23:30:00Z", "2026-03-01T00:30:00+01:00"),
        ("0001-01-01", "0001-01-01T00:00:00"),
        ("0001-01-01T00:00:00", "0001-01-01T00:00:00"),
        ("0001-01-01T00:00:00+01:00", "0001-01-01T00:00:00"),
    ],
)
def test_times_are_written_in_stockholm_with_up_to_seven_digits(text: str, written: str) -> None:
    assert to_moment(text).text() == written


def test_a_time_survives_being_written_and_read() -> None:
    chance = random.Random(7)  # noqa: S311  (sample data)
    moments = [Moment(chance.randrange(631_139_040_000_000_000, 650_000_000_000_000_000)) for _ in range(200)]

    assert [to_moment(moment.text()) for moment in moments] == moments


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "2026-13-01",
        "2026-06-31",
        "2026-06-21 22:48:27",
        "2026-06-21T22:48:27.97454419+02:00",
        "2026-06-21T22:48:27 02:00",
        "9999-12-31T23:59:59Z",
        "٢٠٢٦-٠٦-٢١",
    ],
)
def test_what_is_not_a_date_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"not a date|month|day"):
        to_moment(text)


# Customers, debts and settings


async def test_customers_are_those_updated_after_the_first_date_and_up_to_the_second(reader: Pos) -> None:
    updated = "2026-06-18T14:02:10.5523117+02:00"
    before, after = "2026-06-18T14:02:10.5523116+02:00", "2026-06-18T14:02:10.5523118+02:00"

    async def ids(first: str, last: str) -> list[str]:
        return [row["Id"] for row in await reader.read("GetCustomers", {"LastExecutedDate": first, "CurrentDate": last})]

    assert await ids(before, updated) == [SAMPLE_CUSTOMER]
    assert await ids(updated, after) == []
    assert await ids(before, before) == []


async def test_customers_are_the_same_for_every_terminal(reader: Pos) -> None:
    first = await reader.read("GetCustomers", WIDE | {"TerminalId": KASSA_1})

    assert await reader.read("GetCustomers", WIDE | {"TerminalId": UNKNOWN_ORDER}) == first
    assert len(first) == 122


async def test_the_sample_customer_is_complete(reader: Pos) -> None:
    customer = (await reader.customers())[SAMPLE_CUSTOMER]

    assert len(customer) == 45
    assert customer["CustomerNo"] == "1042"
    assert customer["OrgNo"] == "556812-3344"
    assert customer["Email"] == "ekonomi@kringlan.example"
    assert customer["ParentId"] == ZERO_GUID
    assert customer["Created"] == "2026-02-03T09:12:44.1180231+01:00"
    assert customer["Customer_CustomField"][0]["Text"] == "210"
    assert customer["Parent"] is None


async def test_customers_are_the_parties_that_other_systems_know(reader: Pos) -> None:
    parties = make_parties(1)
    customers = await reader.customers()

    for party in parties[:120]:
        customer = customers[make_id("demo", "customer", party.index)]
        assert (customer["Name"], customer["CustomerNo"]) == (party.name, str(2000 + party.index))
        assert (customer["OrgNo"] or "") == party.organization_number
        assert customer["Email"] in {party.email, None}


async def test_some_customers_lack_email_number_parent_or_custom_fields(reader: Pos) -> None:
    rows = list((await reader.customers()).values())

    assert {row["ParentId"] is None for row in rows} == {True, False}
    assert {bool(row["Customer_CustomField"]) for row in rows} == {True, False}
    assert {row["Email"] is None for row in rows} == {True, False}
    assert {"", None} <= {row["OrgNo"] for row in rows}
    assert ZERO_GUID in {row["ParentId"] for row in rows}


async def test_email_can_be_trimmed_from_every_customer(pos: Pos) -> None:
    pos.switches["trim_email"] = True
    customers = await pos.customers()

    assert {row["Email"] for row in customers.values()} == {None}
    assert customers[SAMPLE_CUSTOMER]["PrimaryEmail"] == "asa@kringlan.example"
    assert customers[SAMPLE_BRANCH]["Parent"] == {"$ref": customers[SAMPLE_CUSTOMER]["$id"]}


async def test_forty_debts_name_invoices_and_orders_that_exist(reader: Pos) -> None:
    debts = await reader.read("GetCustomerDebts", WIDE)
    invoices = {row["InvoiceNumber"]: row for row in await reader.invoices_of_all_terminals()}

    assert len(debts) == 40
    for debt in debts:
        invoice = invoices[debt["InvoiceNumber"]]
        assert (debt["TotalAmount"], debt["CustomerId"]) == (invoice["InvoiceTotal"], invoice["CustomerId"])
        assert debt["OrderId"] in invoice["OrdersGuid"]


async def test_the_sample_debt_is_there(reader: Pos) -> None:
    window = {"LastExecutedDate": "2026-06-21T22:48:27.9745440+02:00", "CurrentDate": "2026-06-21T22:48:27.9745441+02:00"}

    assert await reader.read("GetCustomerDebts", window) == [
        {
            "$id": "1",
            "Id": SAMPLE_DEBT,
            "OrderId": SAMPLE_ORDER,
            "CustomerId": SAMPLE_CUSTOMER,
            "InvoiceDate": "2026-06-01T00:00:00+02:00",
            "Status": 0,
            "TotalAmount": Decimal("1250.0"),
            "RUTAmount": Decimal("0.0"),
            "Balance": Decimal("1250.0"),
            "PayNow": False,
            "PaymentType": 2,
            "Synced": True,
            "Updated": "2026-06-21T22:48:27.9745441+02:00",
            "InvoiceNumber": 20117,
            "BtnColor": "#FFD3D3D3",
            "PaidBy": None,
        }
    ]


async def test_settings_list_outlets_and_terminals(reader: Pos) -> None:
    settings = await reader.read("GetSettings", WIDE | {"TerminalId": KASSA_1})

    outlets = settings["Outlets"]
    assert settings["$id"] == "1"
    assert outlets[0] == {"$id": "2", "Id": "5b1f7c0e-2a64-4a1d-9a53-0f6f2a0b8e11", "Name": "Södermalm"}
    assert [row["Id"] for row in settings["Terminals"]] == [KASSA_1, KASSA_2, KASSA_3]
    assert [row["OutletId"] for row in settings["Terminals"]] == [outlets[0]["Id"], outlets[0]["Id"], outlets[1]["Id"]]
    assert settings["PaymentTypes"] == []


# Invoices


async def test_the_sample_invoice_is_answered_field_by_field(reader: Pos) -> None:
    invoice = (await reader.invoices())[SAMPLE_INVOICE]

    del invoice["$id"]
    assert invoice == {
        "Id": SAMPLE_INVOICE,
        "InvoiceNumber": 20117,
        "CustomerId": SAMPLE_CUSTOMER,
        "Remarks": "Juni, bröd och kaffe",
        "InvoiceTotal": Decimal("1250.0"),
        "PaymentStatus": 0,
        "PaidDate": None,
        "DueDate": "2026-07-21T00:00:00+02:00",
        "EmailSent": False,
        "SentDate": None,
        "OutletId": "5b1f7c0e-2a64-4a1d-9a53-0f6f2a0b8e11",
        "TerminalId": KASSA_1,
        "ForeignInvoiceNumber": 0,
        "Deleted": False,
        "ExportStatus": 0,
        "ExportError": None,
        "CreationDate": "2026-06-21T22:48:27.9745441+02:00",
        "Synced": False,
        "OrdersGuid": [SAMPLE_ORDER],
        "PaidStatus": "Ej betald",
    }


async def test_invoices_made_at_either_end_of_the_window_are_in_it(reader: Pos) -> None:
    made = "2026-06-21T22:48:27.9745441+02:00"

    async def ids(first: str, last: str) -> list[str]:
        window = {"LastExecutedDate": first, "CurrentDate": last, "TerminalId": KASSA_1}
        return [row["Id"] for row in await reader.read("GetCustomerInvoice", window)]

    assert await ids(made, made) == [SAMPLE_INVOICE]
    assert await ids("2026-06-21T22:48:27.9745442+02:00", "2026-06-21T22:48:28+02:00") == []
    assert await ids("2026-06-21T22:48:27+02:00", "2026-06-21T22:48:27.9745440+02:00") == []


async def test_the_three_terminals_list_all_320_invoices_and_one_of_them_twice(reader: Pos) -> None:
    listed = Counter(row["Id"] for row in await reader.invoices_of_all_terminals())

    assert len(listed) == 320
    assert [row for row, times in listed.items() if times > 1] == [make_id("demo", "invoice", Odd.TWO_TERMINALS)]


async def test_an_invoice_of_two_terminals_names_only_the_orders_of_the_one_asked_for(reader: Pos) -> None:
    invoice_id = make_id("demo", "invoice", Odd.TWO_TERMINALS)

    first, second = (await reader.invoices(KASSA_1))[invoice_id], (await reader.invoices(KASSA_2))[invoice_id]
    assert first["OrdersGuid"] == [make_id("demo", "order", "12/0")]
    assert second["OrdersGuid"] == [make_id("demo", "order", "12/1")]
    assert first["TerminalId"] == second["TerminalId"] == KASSA_1
    assert first["InvoiceTotal"] == second["InvoiceTotal"] == Decimal("150.00")


@pytest.mark.parametrize(
    "query",
    [
        {"LastExecutedDate": "2020-01-01", "CurrentDate": "2030-01-01"},
        {"LastExecutedDate": "2020-01-01", "CurrentDate": "2030-01-01", "TerminalId": ZERO_GUID},
        {"LastExecutedDate": "2020-01-01", "TerminalId": KASSA_1},
        {"TerminalId": KASSA_1},
        {"dates.LastExecutedDate": "2020-01-01", "dates.CurrentDate": "2030-01-01", "dates.TerminalId": KASSA_1},
        {},
    ],
)
async def test_a_missing_window_date_or_terminal_finds_no_invoice(reader: Pos, query: dict[str, str]) -> None:
    assert await reader.read("GetCustomerInvoice", query) == []


async def test_a_missing_first_date_reads_from_the_beginning(reader: Pos) -> None:
    query = {"CurrentDate": "2030-01-01", "TerminalId": KASSA_1}

    assert len(await reader.read("GetCustomerInvoice", query)) == len(await reader.invoices(KASSA_1))


async def test_there_is_no_paging(reader: Pos) -> None:
    query = WIDE | {"TerminalId": KASSA_1, "PageNo": "1", "PageSize": "5"}

    assert len(await reader.read("GetCustomerInvoice", query)) == len(await reader.invoices(KASSA_1))


@pytest.mark.parametrize("operation", ["GetCustomers", "GetCustomerDebts", "GetSettings", "GetUpdatedOrders", "GetCustomerInvoice"])
@pytest.mark.parametrize(
    ("name", "value"),
    [("LastExecutedDate", "2026-06-21T22:48:27 02:00"), ("CurrentDate", "now"), ("TerminalId", "Kassa 1"), ("SharedDB", "maybe")],
)
async def test_a_window_that_cannot_be_read_is_refused(reader: Pos, operation: str, name: str, value: str) -> None:
    answer = await reader.get(operation, WIDE | {"TerminalId": KASSA_1, name: value})

    assert answer.status_code == 400
    assert answer.json()["Message"].startswith(f"The request is invalid. {name}: not a ")


async def test_table_name_changes_nothing(reader: Pos) -> None:
    query = WIDE | {"TerminalId": KASSA_1}

    assert await reader.read("GetCustomerInvoice", query | {"TableName": "0"}) == await reader.read("GetCustomerInvoice", query)


async def test_amounts_keep_the_scale_they_have(reader: Pos) -> None:
    text = (await reader.get("GetCustomerInvoice", WIDE | {"TerminalId": KASSA_1})).text

    for number, total in [
        (20118, "-1250.00"),
        (20119, "29.90"),
        (20120, "5.0"),
        (20121, "0.105"),
        (20122, "21500000.01"),
        (20123, "123456789012.34"),
    ]:
        row = text[text.index(f'"InvoiceNumber":{number},') :]
        assert row[row.index('"InvoiceTotal":') :].startswith(f'"InvoiceTotal":{total},')


async def test_every_payment_status_comes_with_its_swedish_text(reader: Pos) -> None:
    rows = (await reader.invoices()).values()

    assert {row["PaymentStatus"]: row["PaidStatus"] for row in sorted(rows, key=lambda row: row["PaymentStatus"])} == {
        0: "Ej betald",
        1: "Betald",
        2: "Delbetald",
        3: "på Credit",
        4: "Okänd",
        5: "Okänd",
        6: "Okänd",
    }


async def test_odd_invoices_show_their_oddity(reader: Pos) -> None:
    invoices = await reader.invoices()
    odd = {which: invoices[make_id("demo", "invoice", which)] for which in list(Odd)[1:]}

    assert odd[Odd.UNSET_DATES]["PaidDate"] == odd[Odd.UNSET_DATES]["SentDate"] == "0001-01-01T00:00:00"
    assert odd[Odd.UNSET_DATES]["ForeignInvoiceNumber"] == 0
    assert odd[Odd.DELETED]["Deleted"] is True
    assert len(odd[Odd.EXPORT_ERROR]["ExportError"]) == 500
    assert odd[Odd.NON_ASCII]["Remarks"] == "Påfyllning: rågbröd & 3 kaffe ☕ 漢字 🥐"
    assert odd[Odd.NEAR_MIDNIGHT]["CreationDate"] == "2026-03-01T00:30:00.5+01:00"
    assert odd[Odd.NO_CUSTOMER]["CustomerId"] == ZERO_GUID
    assert odd[Odd.SECOND_TWO_OCLOCK]["CreationDate"] == "2025-10-26T02:30:00.0000001+01:00"
    assert odd[Odd.MANY_ORDERS]["OrdersGuid"] == [make_id("demo", "order", f"14/{place}") for place in range(4)]


async def test_an_invoice_can_name_an_order_that_no_order_read_answers(reader: Pos) -> None:
    invoice = (await reader.invoices())[make_id("demo", "invoice", Odd.ARCHIVED_ORDER)]

    here, gone = invoice["OrdersGuid"]
    assert (await reader.order(here))["OrderTotal"] == Decimal("70.00")
    assert await reader.order(gone) is None


async def test_an_invoice_is_the_sum_of_its_orders_and_they_name_it(reader: Pos) -> None:
    orders = {row["Id"]: row for row in await reader.read("GetOrders", {"dtFrom": "2020-01-01", "dtTo": "2030-01-01"})}
    split = {make_id("demo", "invoice", Odd.TWO_TERMINALS), make_id("demo", "invoice", Odd.ARCHIVED_ORDER)}
    rows = [row for row in await reader.invoices_of_all_terminals() if row["Id"] not in split]

    assert len(rows) == 318
    for row in rows:
        covered = [orders[order_id] for order_id in row["OrdersGuid"]]
        assert 1 <= len(covered) <= 4
        assert sum(order["OrderTotal"] for order in covered) == row["InvoiceTotal"]
        assert {(order["CustomerInvoiceId"], order["InvoiceNumber"]) for order in covered} == {(row["Id"], row["InvoiceNumber"])}


async def test_dates_spread_over_both_years_with_both_offsets(reader: Pos) -> None:
    dates = [row["CreationDate"] for row in await reader.invoices_of_all_terminals()]
    utc_days = [datetime.fromisoformat(date).astimezone(UTC).date().isoformat() for date in dates]

    assert min(dates)[:7] == "2025-01"
    assert max(dates)[:7] == "2026-10"
    assert {date[-6:] for date in dates} == {"+01:00", "+02:00"}
    assert any(date[:10] != day for date, day in zip(dates, utc_days, strict=True))
    assert {len(date) for date in dates} >= {25, 33}


# Orders


async def test_an_order_is_answered_with_its_lines(reader: Pos) -> None:
    order = await reader.order(SAMPLE_ORDER)

    assert len(order) == 62
    assert order["OrderTotal"] == Decimal("1250.0")
    assert order["CustomerInvoiceId"] == SAMPLE_INVOICE
    assert order["Updated"] == "2026-06-21T12:10:02.77193+02:00"
    assert order["OrderLines"] == [
        {"$id": "2", "Id": "c0a8f3d1-26b4-4f6e-9d53-40a7b8c9d001", "Quantity": Decimal("25.0"), "UnitPrice": Decimal("50.0")}
    ]


async def test_a_guid_is_found_in_either_case_and_answered_in_lower(reader: Pos) -> None:
    assert (await reader.order(SAMPLE_ORDER.upper()))["Id"] == SAMPLE_ORDER


@pytest.mark.parametrize(
    ("dialect", "status", "content"),
    [("null", 200, b"null"), ("empty", 200, b""), ("204", 204, b""), ("404", 404, b'{"Message":"No order with that id."}')],
)
async def test_an_absent_order_is_answered_in_the_chosen_way(pos: Pos, dialect: str, status: int, content: bytes) -> None:
    pos.switches["order_absent"] = dialect
    answer = await pos.get("GetOrderById", {"id": UNKNOWN_ORDER})

    assert (answer.status_code, answer.content) == (status, content)


@pytest.mark.parametrize("query", ["", "?id=1", f"?id={SAMPLE_ORDER},{UNKNOWN_ORDER}", f"?id={SAMPLE_ORDER}&id={UNKNOWN_ORDER}"])
async def test_an_order_is_read_by_one_guid_only(reader: Pos, query: str) -> None:
    answer = await reader.http.get(READS["GetOrderById"] + query, headers=reader.headers)

    assert answer.status_code == 400
    assert answer.json()["Message"].startswith("The request is invalid. id: ")


async def test_orders_are_read_by_creation_date_with_both_ends(reader: Pos) -> None:
    made = "2026-06-21T12:03:09.4410027+02:00"

    assert [row["Id"] for row in await reader.read("GetOrders", {"dtFrom": made, "dtTo": made})] == [SAMPLE_ORDER]
    assert await reader.read("GetOrders", {"dtFrom": made}) == []


async def test_orders_can_be_read_by_invoice_date(pos: Pos) -> None:
    pos.switches["orders_dated_by"] = "InvoiceDate"
    made, invoiced = "2026-06-21T12:03:09.4410027+02:00", "2026-06-21T12:10:00+02:00"

    assert await pos.read("GetOrders", {"dtFrom": made, "dtTo": made}) == []
    assert [row["Id"] for row in await pos.read("GetOrders", {"dtFrom": invoiced, "dtTo": invoiced})] == [SAMPLE_ORDER]


async def test_order_lists_can_come_without_lines(pos: Pos) -> None:
    pos.switches["orders_with_lines"] = False
    wide = {"dtFrom": "2020-01-01", "dtTo": "2030-01-01"}

    for rows in (await pos.read("GetOrders", wide), await pos.read("GetUpdatedOrders", WIDE | {"TerminalId": KASSA_1})):
        assert [row for row in rows if row["OrderLines"] or row["Payments"]] == []
    assert len((await pos.order(SAMPLE_ORDER))["OrderLines"]) == 1
    assert all(row["OrderLines"] for row in await pos.read("GetOpenOrder", wide))


async def test_orders_show_every_status_type_and_payment_status(reader: Pos) -> None:
    rows = await reader.read("GetOrders", {"dtFrom": "2020-01-01", "dtTo": "2030-01-01"})

    assert {row["Status"] for row in rows} == set(range(22))
    assert {row["Type"] for row in rows} == set(range(7))
    assert {row["PaymentStatus"] for row in rows} == {0, 1, 2, 3}
    assert {row["TerminalId"] for row in rows} == {KASSA_1, KASSA_2, KASSA_3}
    assert {None, ZERO_GUID} <= {row["CustomerInvoiceId"] for row in rows}
    assert len(rows) == 675


async def test_a_paid_order_has_its_payment_nested(reader: Pos) -> None:
    rows = await reader.read("GetOrders", {"dtFrom": "2020-01-01", "dtTo": "2030-01-01"})
    order = next(row for row in rows if row["Id"] == make_id("demo", "order", f"{Odd.CREDIT:d}/0"))

    assert (order["Status"], order["Type"], order["PaymentStatus"]) == (15, 5, 1)
    assert [payment["PaidAmount"] for payment in order["Payments"]] == [Decimal("-1250.00")]
    assert order["BalanceAmount"] == Decimal("0.0")


async def test_open_orders_are_those_in_status_three_between_the_dates(reader: Pos) -> None:
    wide = await reader.read("GetOpenOrder", {"dtFrom": "2020-01-01", "dtTo": "2030-01-01"})

    assert {row["Status"] for row in wide} == {3}
    assert len(wide) == 43
    one = {"dtFrom": wide[0]["CreationDate"], "dtTo": wide[0]["CreationDate"]}
    assert [row["Id"] for row in await reader.read("GetOpenOrder", one)] == [wide[0]["Id"]]
    assert await reader.read("GetOpenOrder", {}) == []


async def test_open_orders_can_take_no_notice_of_the_dates(pos: Pos) -> None:
    pos.switches["open_orders_ignore_dates"] = True

    assert len(await pos.read("GetOpenOrder", {"dtFrom": "2020-01-01", "dtTo": "2020-01-02"})) == 43


async def test_updated_orders_are_those_of_the_terminal_after_the_first_date(reader: Pos) -> None:
    updated = "2026-06-21T12:10:02.7719300+02:00"
    window = {"LastExecutedDate": "2026-06-21T12:10:02.7719299+02:00", "CurrentDate": updated}

    assert [row["Id"] for row in await reader.read("GetUpdatedOrders", window | {"TerminalId": KASSA_1})] == [SAMPLE_ORDER]
    assert await reader.read("GetUpdatedOrders", window | {"TerminalId": KASSA_2}) == []
    assert await reader.read("GetUpdatedOrders", {"LastExecutedDate": updated, "CurrentDate": updated, "TerminalId": KASSA_1}) == []


async def test_updated_orders_can_take_no_notice_of_the_terminal(pos: Pos) -> None:
    pos.switches["updated_orders_by_terminal"] = False

    assert len(await pos.read("GetUpdatedOrders", WIDE)) == 675


@pytest.mark.parametrize("operation", ["GetOrders", "GetOpenOrder"])
async def test_a_bad_date_is_refused(reader: Pos, operation: str) -> None:
    answer = await reader.get(operation, {"dtFrom": "2026-06-21", "dtTo": "21/6 2026"})

    assert (answer.status_code, answer.json()) == (400, {"Message": "The request is invalid. dtTo: not a date"})


# Failing reads


@pytest.mark.parametrize("operation", READS)
async def test_a_failing_read_looks_like_an_empty_one(pos: Pos, operation: str) -> None:
    pos.switches["reads_fail_empty"] = True
    answer = await pos.get(operation, WIDE | {"TerminalId": KASSA_1, "id": SAMPLE_ORDER})

    expected = b"null" if operation in {"GetOrderById", "GetSettings"} else b"[]"
    assert (answer.status_code, answer.content) == (200, expected)


# Writes


async def test_a_posted_invoice_answers_nothing_links_its_orders_and_is_not_listed(pos: Pos) -> None:
    answer = await pos.post("PostCustomerInvoice", POSTED_INVOICE)

    assert (answer.status_code, answer.content) == (200, b"")
    assert (await pos.order(SAMPLE_ORDER))["CustomerInvoiceId"] == NEW_INVOICE
    assert await pos.order(UNKNOWN_ORDER) is None
    assert NEW_INVOICE not in await pos.invoices()


async def test_posted_invoices_can_be_listed(pos: Pos) -> None:
    pos.switches["posted_invoices_listed"] = True
    await pos.post("PostCustomerInvoice", POSTED_INVOICE)
    invoice = (await pos.invoices())[NEW_INVOICE]

    del invoice["$id"]
    assert invoice == POSTED_INVOICE | {"Synced": True, "OrdersGuid": [SAMPLE_ORDER], "PaidStatus": "Okänd"}


@pytest.mark.parametrize(
    ("status", "text"), [(0, "Ej betald"), (1, "Betald"), (2, "Delbetald"), (3, "på Credit"), (4, "Okänd"), (-1, "Okänd")]
)
async def test_paid_status_is_computed_whatever_was_sent(pos: Pos, status: int, text: str) -> None:
    pos.switches["posted_invoices_listed"] = True
    await pos.post("PostCustomerInvoice", POSTED_INVOICE | {"PaymentStatus": status, "PaidStatus": "Makulerad"})

    assert (await pos.invoices())[NEW_INVOICE]["PaidStatus"] == text


async def test_the_same_id_again_is_an_update(pos: Pos) -> None:
    pos.switches["posted_invoices_listed"] = True
    before = len(await pos.invoices())
    for remarks in ("first", "second"):
        await pos.post("PostCustomerInvoice", POSTED_INVOICE | {"Id": SAMPLE_INVOICE.upper(), "Remarks": remarks})

    invoices = await pos.invoices()
    assert len(invoices) == before
    assert invoices[SAMPLE_INVOICE]["Remarks"] == "second"


async def test_posting_over_a_listed_invoice_takes_it_off_the_list(pos: Pos) -> None:
    await pos.post("PostCustomerInvoice", POSTED_INVOICE | {"Id": SAMPLE_INVOICE})

    assert SAMPLE_INVOICE not in await pos.invoices()


async def test_fields_left_out_get_their_defaults(pos: Pos) -> None:
    pos.switches["posted_invoices_listed"] = True
    await pos.post("PostCustomerInvoice", {"Id": NEW_INVOICE, "CreationDate": "2026-06-21", "OrdersGuid": [SAMPLE_ORDER]})
    invoice = (await pos.invoices())[NEW_INVOICE]

    assert invoice["CreationDate"] == "2026-06-21T00:00:00+02:00"
    assert (invoice["InvoiceNumber"], invoice["CustomerId"], invoice["InvoiceTotal"]) == (0, ZERO_GUID, Decimal("0.0"))
    assert (invoice["PaidDate"], invoice["DueDate"], invoice["Remarks"]) == (None, None, None)


async def test_a_decimal_is_stored_as_it_was_written(pos: Pos) -> None:
    pos.switches["posted_invoices_listed"] = True
    body = json.dumps(POSTED_INVOICE).replace('"InvoiceTotal": 5.0', '"InvoiceTotal": 12345678901234567.890')
    await pos.http.post(WRITES["PostCustomerInvoice"], content=body, headers=pos.headers | {"Content-Type": "application/json"})

    assert str((await pos.invoices())[NEW_INVOICE]["InvoiceTotal"]) == "12345678901234567.890"


@pytest.mark.parametrize("operation", WRITES)
async def test_a_failing_write_is_417_without_a_body_and_stores_nothing(pos: Pos, operation: str) -> None:
    pos.switches.update(post_fails_417=True, posted_invoices_listed=True)
    answer = await pos.post(operation, POSTED_INVOICE)

    assert (answer.status_code, answer.content) == (417, b"")
    assert NEW_INVOICE not in await pos.invoices()
    assert (await pos.order(SAMPLE_ORDER))["CustomerInvoiceId"] == SAMPLE_INVOICE
    assert NEW_INVOICE not in await pos.customers()


async def test_export_error_over_500_characters_is_refused(pos: Pos) -> None:
    longest = await pos.post("PostCustomerInvoice", POSTED_INVOICE | {"ExportError": "é" * 500})
    too_long = await pos.post("PostCustomerInvoice", POSTED_INVOICE | {"ExportError": "é" * 501})

    assert longest.status_code == 200
    assert too_long.status_code == 400
    assert too_long.json() == {"Message": "The request is invalid. ExportError: longer than 500 characters"}


async def test_remarks_have_a_limit_only_when_switched_on(pos: Pos) -> None:
    body = POSTED_INVOICE | {"Remarks": "r" * 251}

    assert (await pos.post("PostCustomerInvoice", body)).status_code == 200
    pos.switches["remarks_limited"] = True
    assert (await pos.post("PostCustomerInvoice", body)).status_code == 400
    assert (await pos.post("PostCustomerInvoice", body | {"Remarks": "r" * 250})).status_code == 200


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("Id", "1"),
        ("Id", None),
        ("CustomerId", "{3f0c8f52-9d0d-4b52-8a57-6f8b2b8c1d01}"),
        ("OrdersGuid", ["order 17"]),
        ("OrdersGuid", SAMPLE_ORDER),
        ("InvoiceNumber", "20117"),
        ("InvoiceNumber", 1.5),
        ("InvoiceNumber", 2**63),
        ("InvoiceTotal", "5.0"),
        ("InvoiceTotal", True),
        ("InvoiceTotal", float("nan")),
        ("InvoiceTotal", 2**96),
        ("PaymentStatus", "Betald"),
        ("PaymentStatus", True),
        ("EmailSent", 1),
        ("EmailSent", "true"),
        ("DueDate", "21/7 2026"),
        ("DueDate", 1782000000),
        ("CreationDate", None),
        ("Remarks", 4),
        ("Remarks", "\ud800"),
    ],
)
async def test_a_value_of_another_type_is_refused_by_name(reader: Pos, field: str, value: object) -> None:
    body = json.dumps(POSTED_INVOICE | {field: value})
    headers = reader.headers | {"Content-Type": "application/json"}
    answer = await reader.http.post(WRITES["PostCustomerInvoice"], content=body, headers=headers)

    assert answer.status_code == 400
    assert answer.json()["Message"].startswith(f"The request is invalid. {field}: ")
    assert (await reader.order(SAMPLE_ORDER))["CustomerInvoiceId"] == SAMPLE_INVOICE


@pytest.mark.parametrize("operation", WRITES)
@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[" * 100_000])
async def test_a_body_that_is_not_json_is_refused(reader: Pos, operation: str, content: bytes) -> None:
    answer = await reader.http.post(WRITES[operation], content=content, headers=reader.headers | {"Content-Type": "application/json"})

    assert (answer.status_code, answer.json()) == (400, {"Message": "The request is invalid. The body is not JSON."})


@pytest.mark.parametrize("body", [[POSTED_INVOICE], None, "invoice", 1])
async def test_a_body_is_one_object(reader: Pos, body: object) -> None:
    answer = await reader.http.post(
        WRITES["PostCustomerInvoice"], content=json.dumps(body), headers=reader.headers | {"Content-Type": "application/json"}
    )

    assert (answer.status_code, answer.json()) == (400, {"Message": "The request is invalid. an object is expected"})


async def test_members_of_no_name_we_know_and_numbers_of_objects_are_passed_over(pos: Pos) -> None:
    answer = await pos.post("PostCustomerInvoice", POSTED_INVOICE | {"$id": "1", "Currency": "SEK"})

    assert answer.status_code == 200


async def test_a_customer_is_added_and_then_updated_by_id(pos: Pos) -> None:
    body = {
        "Id": SAMPLE_BRANCH,
        "Name": "Bageri Kringlan Uppsala",
        "OrgNo": "556812-3344",
        "Address1": "Dragarbrunnsgatan 7",
        "CustomerNo": "1043",
        "City": "Uppsala",
        "Email": "uppsala@kringlan.example",
        "Active": True,
        "SendReceipt": False,
        "Created": "2026-06-18T14:05:31.0029140+02:00",
        "Updated": "2026-06-18T14:05:31.0029140+02:00",
    }
    answer = await pos.post("PostCustomer", body)
    customers = await pos.customers()

    assert (answer.status_code, answer.content) == (200, b"")
    assert len(customers) == 122
    stored = customers[SAMPLE_BRANCH]
    assert {name: stored[name] for name in body} == body | dict.fromkeys(("Created", "Updated"), "2026-06-18T14:05:31.002914+02:00")
    assert (stored["Synced"], stored["ParentId"], stored["Parent"], stored["Phone"]) == (True, ZERO_GUID, None, None)


async def test_a_new_customer_is_listed_with_its_parent(pos: Pos) -> None:
    body = {"Id": NEW_INVOICE, "ParentId": SAMPLE_CUSTOMER, "Name": "Filial", "Updated": "2026-10-31T12:00:00+01:00"}
    await pos.post("PostCustomer", body)
    customers = await pos.customers()

    assert len(customers) == 123
    assert customers[NEW_INVOICE]["Parent"] == {"$ref": customers[SAMPLE_CUSTOMER]["$id"]}


async def test_a_customer_without_an_id_becomes_the_zero_guid(pos: Pos) -> None:
    await pos.post("PostCustomer", {"Name": "Utan id", "Updated": "2026-10-31T12:00:00+01:00"})

    assert (await pos.customers())[ZERO_GUID]["Name"] == "Utan id"


@pytest.mark.parametrize(("field", "limit"), [("Name", 100), ("OrgNo", 50), ("ZipCode", 10), ("Phone", 20), ("Email", 250)])
async def test_a_customer_field_over_its_limit_is_refused(pos: Pos, field: str, limit: int) -> None:
    body = {"Id": NEW_INVOICE, field: "x" * limit}

    assert (await pos.post("PostCustomer", body)).status_code == 200
    answer = await pos.post("PostCustomer", body | {field: "x" * (limit + 1)})
    assert answer.json() == {"Message": f"The request is invalid. {field}: longer than {limit} characters"}


async def test_nested_customers_of_a_body_are_checked_too(reader: Pos) -> None:
    answer = await reader.post("PostCustomer", {"Id": NEW_INVOICE, "PrimaryContacts": [{"Name": 4}]})

    assert (answer.status_code, answer.json()) == (400, {"Message": "The request is invalid. Name: not a string"})


# Reset and seed


async def test_reset_brings_rows_and_switches_back_and_ends_no_token(pos: Pos) -> None:
    before = await pos.invoices()
    await pos.post("PostCustomerInvoice", POSTED_INVOICE | {"Id": SAMPLE_INVOICE})
    pos.switches.update(trim_email=True, order_absent="404")
    pos.emulator.reset()

    assert (pos.switches["trim_email"], pos.switches["order_absent"]) == (False, "null")
    assert await pos.invoices() == before
    assert (await pos.order(SAMPLE_ORDER))["CustomerInvoiceId"] == SAMPLE_INVOICE


async def test_a_seed_gives_the_same_rows_each_time_and_another_seed_others() -> None:
    texts = []
    for seed in (1, 1, 2):
        emulator = create(make_parties(seed), seed)
        async with _open_http(emulator) as http:
            caller = Pos(emulator, http)
            await caller.log_in()
            texts.append((await caller.get("GetCustomerInvoice", WIDE | {"TerminalId": KASSA_3})).text)

    assert texts[0] == texts[1] != texts[2]
