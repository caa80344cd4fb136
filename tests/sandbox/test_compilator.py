"""The emulator of Compilator DDAPI, line by line of what its vendor's help pages promise."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from gateway.sandbox.compilator import create
from gateway.sandbox.parties import make_parties

if TYPE_CHECKING:
    from gateway.sandbox.emulator import Emulator

pytestmark = pytest.mark.anyio

SEED = 1
KEY = {"X-Api-Key": "demo-key"}
XML = {"Accept": "application/xml"}
NAMESPACE = "{http://schemas.datacontract.org/2004/07/Compilator.DDAPI.DTO.Business}"
SUCCESS = {"Errors": [], "Success": True}
SETTINGS = "/api/customers/invoice"
ADDRESSES = "/api/customers/deliveryaddress"
HACKSTA = "f2a7c9b1-3d5e-4f60-8172-93a4b5c6d7e8"
NOWHERE = "00000000-0000-4000-8000-000000000000"
SAMPLE_SETTINGS = {
    "CustomerNumber": 40017,
    "RetainsInvoiceType": True,
    "CurrencyId": 1,
    "TermsOfPaymentId": 30,
    "PaysInvoiceFee": True,
    "InvoiceTypeId": 2,
    "InterestTypeId": 1,
    "InvoiceCycleId": 1,
    "InvoiceRecipientCustomerNumber": 40017,
    "CreditAccountId": 1,
    "AllowInvoicePaymentFromOrder": True,
    "SendInvoiceFromOrderAsEmail": True,
    "InvoiceOrderPaymentEmailAddress": "faktura@malarakeri.example",
}
NEW_ORDER = {
    "SellerBranchId": 12,
    "CustomerNumber": 40017,
    "OrderType": 0,
    "OrderDate": "2026-01-22",
    "LicensePlate": "ABC123",
    "SalesPerson": "Anna Berg",
    "CurrencyId": 1,
    "CurrencyRate": 1.0,
    "CustomerReference": "ML",
    "Note": "Ring innan leverans",
    "OrderLines": [
        {
            "OrderLineArticle": {
                "ArticleNumber": 990010,
                "Quantity": 1.0,
                "Description": "Balansering",
                "Price": 350.0,
                "DiscountFactor": 1.0,
                "Amount": 350.0,
                "VatPercent": 25.0,
                "VatAmount": 87.5,
                "HasVat": True,
            },
            "LineNumber": 1,
        }
    ],
}


@pytest.fixture
def emulator() -> Emulator:
    return create(make_parties(SEED), SEED)


@pytest.fixture
def ddapi(emulator: Emulator) -> httpx.AsyncClient:
    return _client(emulator, KEY)


def _client(emulator: Emulator, headers: dict[str, str]) -> httpx.AsyncClient:
    app = Starlette(routes=emulator.routes)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://ddapi.example", headers=headers)


def _body(response: httpx.Response) -> Any:  # noqa: ANN401  (any JSON)
    assert response.status_code == 200, response.text
    return json.loads(response.text, parse_float=Decimal)


def _xml(content: bytes) -> ET.Element:
    return ET.fromstring(content)  # noqa: S314  (the emulator's own answer)


def _failure(message: str) -> dict[str, Any]:
    return {"Errors": [{"ErrorCode": 1, "ErrorMessage": message}], "Success": False}


async def _sweep(ddapi: httpx.AsyncClient) -> list[dict[str, Any]]:
    customers: list[dict[str, Any]] = _body(await ddapi.get("/api/customers/2000-01-01", params={"pageSize": 1000}))["CustomerReponse"]
    return customers


def test_it_tells_how_a_gateway_is_pointed_at_it(emulator: Emulator) -> None:
    assert (emulator.name, emulator.config_key) == ("compilator", "subscriptions")
    assert emulator.config == {
        "system": "compilator",
        "json_dates": "iso",
        "sweep_start": "2000-01-01",
        "time_zone": "Europe/Stockholm",
        "default_currency": "SEK",
        "auth": {"kind": "header", "name": "X-Api-Key", "value": "demo-key"},
    }


def test_each_operation_has_a_route_of_its_name(emulator: Emulator) -> None:
    assert {route.name for route in emulator.routes} == {
        "GetCustomersChangedSince", "GetCustomersByLicensePlate", "GetCustomerInvoice", "PostCustomerInvoice", "PutCustomerInvoice",
        "DeleteCustomerInvoice", "GetAccountsReceivable", "GetDeliveryAddress", "PostDeliveryAddress", "DeleteDeliveryAddress", "GetOrder",
        "GetOpenOrdersOfCustomer", "GetOrdersOfCustomer", "GetOrdersOfBranch", "GetInvoice", "GetCurrency", "GetContact", "PostOrder",
        "NoRoute",
    }  # fmt: skip


# Dates


@pytest.mark.parametrize(("dates", "text"), [("iso", "2026-01-21 22:50:59"), ("us", "1/21/2026 10:50:59 PM")])
async def test_json_dates_are_naive_and_follow_the_installation(
    emulator: Emulator, ddapi: httpx.AsyncClient, dates: str, text: str
) -> None:
    emulator.switches["json_dates"] = dates
    assert _body(await ddapi.get("/api/invoice/910234/false"))["Created"] == text


async def test_us_dates_write_midnight_as_twelve_am(emulator: Emulator, ddapi: httpx.AsyncClient) -> None:
    emulator.switches["json_dates"] = "us"
    assert _body(await ddapi.get("/api/orders/5512/12"))["OrderDate"] == "1/19/2026 12:00:00 AM"


@pytest.mark.parametrize("dates", ["iso", "us"])
async def test_xml_dates_are_iso_with_the_swedish_offset(emulator: Emulator, ddapi: httpx.AsyncClient, dates: str) -> None:
    emulator.switches["json_dates"] = dates
    invoice = _xml((await ddapi.get("/api/invoice/910234/false", headers=XML)).content)
    assert invoice.findtext(f"{NAMESPACE}Created") == "2026-01-21T22:50:59+01:00"
    created = _xml((await ddapi.get("/api/customers/2026-01-01", headers=XML)).content).findtext(f".//{NAMESPACE}Created")
    assert created == "2019-05-02T09:00:00+02:00"


# Authentication


@pytest.mark.parametrize(
    ("scheme", "headers"),
    [
        ("header", {"X-Api-Key": "demo-key"}),
        ("basic", {"Authorization": "Basic ZGVtbzpkZW1vLWtleQ=="}),
        ("bearer", {"Authorization": "Bearer demo-key"}),
    ],
)
async def test_a_caller_without_the_scheme_in_force_is_answered_401(emulator: Emulator, scheme: str, headers: dict[str, str]) -> None:
    emulator.switches["auth"] = scheme
    assert (await _client(emulator, headers).get("/api/currencies/1")).status_code == 200
    refusal = await _client(emulator, {}).get("/api/currencies/1")
    assert (refusal.status_code, refusal.json()) == (401, {"Message": "Authorization has been denied for this request."})
    assert (await _client(emulator, dict.fromkeys(headers, "wrong")).get("/api/currencies/1")).status_code == 401


async def test_no_scheme_asks_for_nothing(emulator: Emulator) -> None:
    emulator.switches["auth"] = "none"
    assert (await _client(emulator, {}).get("/api/currencies/1")).status_code == 200


async def test_the_key_header_is_demanded_at_first(emulator: Emulator) -> None:
    assert (await _client(emulator, {}).get("/api/currencies/1")).status_code == 401


# Formats


async def test_json_is_the_format_that_nobody_has_to_ask_for(ddapi: httpx.AsyncClient) -> None:
    currency = await ddapi.get("/api/currencies/1")
    assert currency.headers["content-type"] == "application/json; charset=utf-8"
    assert currency.text == '{"Id":1,"Name":"Svenska kronor","Rate":1.0000000000,"RoundingAmount":1.00,"CurrencyCode":"SEK"}'


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("text/xml", "text/xml"),
        ("text/json", "text/json"),
        ("application/xml;q=0.5, application/json", "application/json"),
        ("application/json;q=0.1, application/xml", "application/xml"),
        ("application/xml;q=0", "application/json"),
        ("image/png", "application/json"),
    ],
)
async def test_the_accept_header_chooses_the_format(ddapi: httpx.AsyncClient, accept: str, media_type: str) -> None:
    currency = await ddapi.get("/api/currencies/1", headers={"Accept": accept})
    assert currency.headers["content-type"] == f"{media_type}; charset=utf-8"


async def test_xml_has_the_data_contract_namespace_and_its_elements_in_alphabetical_order(ddapi: httpx.AsyncClient) -> None:
    settings = await ddapi.get(SETTINGS, params={"customerNumber": 40017}, headers=XML)
    assert settings.text == (
        '<CustomerInvoiceResponse xmlns:i="http://www.w3.org/2001/XMLSchema-instance"'
        ' xmlns="http://schemas.datacontract.org/2004/07/Compilator.DDAPI.DTO.Business">'
        "<AllowInvoicePaymentFromOrder>true</AllowInvoicePaymentFromOrder><CreditAccountId>1</CreditAccountId><CurrencyId>1</CurrencyId>"
        "<CustomerNumber>40017</CustomerNumber><InterestTypeId>1</InterestTypeId><InvoiceCycleId>1</InvoiceCycleId>"
        "<InvoiceOrderPaymentEmailAddress>faktura@malarakeri.example</InvoiceOrderPaymentEmailAddress>"
        "<InvoiceRecipientCustomerNumber>40017</InvoiceRecipientCustomerNumber><InvoiceTypeId>2</InvoiceTypeId>"
        "<PaysInvoiceFee>true</PaysInvoiceFee><RetainsInvoiceType>true</RetainsInvoiceType>"
        "<SendInvoiceFromOrderAsEmail>true</SendInvoiceFromOrderAsEmail><TermsOfPaymentId>30</TermsOfPaymentId>"
        "</CustomerInvoiceResponse>"
    )


async def test_an_error_code_is_a_name_in_xml(ddapi: httpx.AsyncClient) -> None:
    answer = _xml((await ddapi.post(SETTINGS, json={"CustomerNumber": 99999}, headers=XML)).content)
    assert answer.tag == f"{NAMESPACE}CustomerInvoicePostResponse"
    assert answer.findtext(f"{NAMESPACE}Errors/{NAMESPACE}PostCustomerInvoiceError/{NAMESPACE}ErrorCode") == "InternalServerError"
    assert answer.findtext(f"{NAMESPACE}Success") == "false"


async def test_xml_lists_are_arrays_of_their_model_and_nulls_are_nil(ddapi: httpx.AsyncClient) -> None:
    orders = _xml((await ddapi.get("/api/orders/40017", headers=XML)).content)
    assert orders.tag == f"{NAMESPACE}ArrayOfOrderHeadResponse"
    lines = orders.find(f"{NAMESPACE}OrderHeadResponse/{NAMESPACE}OrderLines")
    assert lines is not None
    assert lines.attrib == {"{http://www.w3.org/2001/XMLSchema-instance}nil": "true"}


async def test_a_body_may_be_xml_or_a_form(ddapi: httpx.AsyncClient) -> None:
    text = (
        '<CustomerInvoicePostRequest xmlns="http://schemas.datacontract.org/2004/07/Compilator.DDAPI.DTO.Business">'
        "<CurrencyId>3</CurrencyId><CustomerNumber>40017</CustomerNumber><PaysInvoiceFee>true</PaysInvoiceFee></CustomerInvoicePostRequest>"
    )
    assert _body(await ddapi.post(SETTINGS, content=text, headers={"Content-Type": "application/xml"})) == SUCCESS
    settings = _body(await ddapi.get(SETTINGS, params={"customerNumber": 40017}))
    assert (settings["CurrencyId"], settings["PaysInvoiceFee"]) == (3, True)
    assert _body(await ddapi.post(SETTINGS, data={"CustomerNumber": "40017", "CurrencyId": "2"})) == SUCCESS
    assert _body(await ddapi.get(SETTINGS, params={"customerNumber": 40017}))["CurrencyId"] == 2


@pytest.mark.parametrize(
    ("content", "media_type", "status"),
    [
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"<CustomerInvoicePostRequest/>", "application/xml", 400),
        (b"{}", "text/plain", 415),
    ],
)
async def test_a_body_that_cannot_be_read_is_refused(ddapi: httpx.AsyncClient, content: bytes, media_type: str, status: int) -> None:
    answer = await ddapi.post(SETTINGS, content=content, headers={"Content-Type": media_type})
    assert answer.status_code == status
    assert "Message" in answer.json()


async def test_bodies_are_bound_by_pascal_case_names_alone(ddapi: httpx.AsyncClient) -> None:
    assert _body(await ddapi.post(SETTINGS, json={"customerNumber": 40017})) == _failure("Kundnummer saknas")


# Invoices


async def test_an_invoice_is_read_by_its_number_with_all_its_fields(ddapi: httpx.AsyncClient) -> None:
    assert _body(await ddapi.get("/api/invoice/910234/false")) == {
        "No": 910234,
        "InvoiceType": {"Id": 1, "Name": "Kontofaktura"},
        "InvoiceDate": "2026-01-21 00:00:00",
        "JournalNumber": 4411,
        "CurrencyCode": "SEK",
        "CurrencyRate": Decimal("1.0"),
        "BalanceDue": "2026-02-20 00:00:00",
        "InvoiceFee": Decimal("29.0"),
        "Amount": Decimal("10649.0"),
        "VatAmount": Decimal("2662.25"),
        "RoundingAmount": Decimal("-0.25"),
        "TotalAmount": Decimal("13311.0"),
        "DiscountBalanceDue": None,
        "DiscountVatAmount": Decimal("0.0"),
        "DiscountRoundingAmount": Decimal("0.0"),
        "DiscountTotalAmount": Decimal("0.0"),
        "InvoiceReferenceCode": "9102341",
        "InvoiceText": "Ordernr 5512",
        "InvoiceRecipientId": "7c1d0e5a-91b4-4c39-8a77-2f6b5f0d1e21",
        "InvoiceRecipientName": "Mälaråkeriet AB",
        "SenderName": "Däckcenter Västerås",
        "DefaultVatPercent": Decimal("25.0"),
        "Created": "2026-01-21 22:50:59",
    }


async def test_an_unknown_invoice_is_204_and_zero_length(ddapi: httpx.AsyncClient) -> None:
    answer = await ddapi.get("/api/invoice/999999/true")
    assert (answer.status_code, answer.content, "content-type" in answer.headers) == (204, b"", False)


@pytest.mark.parametrize("path", ["/api/invoice/abc/false", "/api/invoice/91.5", "/api/invoice/99999999999", "/api/invoice/910234/maybe"])
async def test_an_invoice_path_of_the_wrong_type_is_400(ddapi: httpx.AsyncClient, path: str) -> None:
    answer = await ddapi.get(path)
    assert (answer.status_code, answer.json()["Message"]) == (400, "The request is invalid.")


async def test_an_internal_invoice_is_there_only_for_those_who_ask_for_internal_ones(ddapi: httpx.AsyncClient) -> None:
    assert (await ddapi.get("/api/invoice/910006/false")).status_code == 204
    assert (await ddapi.get("/api/invoice/910006")).status_code == 204
    assert _body(await ddapi.get("/api/invoice/910006/true"))["InvoiceType"] == {"Id": 3, "Name": "Internfaktura"}


async def test_invoices_have_credits_other_currencies_and_a_few_that_do_not_add_up(ddapi: httpx.AsyncClient) -> None:
    invoices = [_body(await ddapi.get(f"/api/invoice/{number}/true")) for number in range(910001, 910321)]
    off = [row["No"] for row in invoices if row["Amount"] + row["VatAmount"] + row["RoundingAmount"] != row["TotalAmount"]]
    assert off == [910008, 910048, 910088, 910128, 910168, 910208, 910248, 910288]
    assert {row["CurrencyCode"] for row in invoices} == {"SEK", "EUR", "NOK", "KWD"}
    credits_ = [row for row in invoices if row["InvoiceType"]["Id"] == 2]
    assert all(row["TotalAmount"] < 0 for row in credits_)
    assert (len(invoices), len(credits_)) == (320, 36)


# Settings


async def test_settings_are_read_without_reverse_tax_as_on_the_demo_host(ddapi: httpx.AsyncClient) -> None:
    assert _body(await ddapi.get(SETTINGS, params={"customerNumber": 40017})) == SAMPLE_SETTINGS


async def test_settings_are_read_with_reverse_tax_as_on_the_pilot_host(emulator: Emulator, ddapi: httpx.AsyncClient) -> None:
    emulator.switches["settings_return_reverse_tax"] = True
    assert _body(await ddapi.get(SETTINGS, params={"customerNumber": 40017})) == SAMPLE_SETTINGS | {"ReverseTax": False}


@pytest.mark.parametrize("query", ["", "?customerNumber=", "?customerNumber=abc", "?id=40017"])
async def test_settings_without_a_customer_number_are_400(ddapi: httpx.AsyncClient, query: str) -> None:
    assert (await ddapi.get(SETTINGS + query)).status_code == 400
    assert (await ddapi.delete(SETTINGS + query)).status_code == 400


@pytest.mark.parametrize(("way", "status", "text"), [("204", 204, ""), ("404", 404, ""), ("null", 200, "null"), ("empty_list", 200, "[]")])
async def test_absent_settings_are_answered_as_the_switch_says(
    emulator: Emulator, ddapi: httpx.AsyncClient, way: str, status: int, text: str
) -> None:
    assert (await ddapi.get(SETTINGS, params={"customerNumber": 40007})).status_code == 204
    emulator.switches["settings_absent"] = way
    answer = await ddapi.get(SETTINGS, params={"customerNumber": 40007})
    assert (answer.status_code, answer.text) == (status, text)


@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_post_and_put_both_add_settings_and_write_over_them(emulator: Emulator, ddapi: httpx.AsyncClient, method: str) -> None:
    emulator.switches["settings_return_reverse_tax"] = True
    new = SAMPLE_SETTINGS | {"CustomerNumber": 40007, "InvoiceRecipientCustomerNumber": 40017, "ReverseTax": True}
    assert _body(await ddapi.request(method, SETTINGS, json=new)) == SUCCESS
    assert _body(await ddapi.get(SETTINGS, params={"customerNumber": 40007})) == new
    assert _body(await ddapi.request(method, SETTINGS, json=new | {"TermsOfPaymentId": 10})) == SUCCESS
    assert _body(await ddapi.get(SETTINGS, params={"customerNumber": 40007})) == new | {"TermsOfPaymentId": 10}


@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_unsent_settings_are_reset(ddapi: httpx.AsyncClient, method: str) -> None:
    assert _body(await ddapi.request(method, SETTINGS, json={"CustomerNumber": 40017, "CurrencyId": 3})) == SUCCESS
    assert _body(await ddapi.get(SETTINGS, params={"customerNumber": 40017})) == {
        "CustomerNumber": 40017,
        "RetainsInvoiceType": False,
        "CurrencyId": 3,
        "TermsOfPaymentId": 0,
        "PaysInvoiceFee": False,
        "InvoiceTypeId": 0,
        "InterestTypeId": 0,
        "InvoiceCycleId": 0,
        "InvoiceRecipientCustomerNumber": 0,
        "CreditAccountId": 0,
        "AllowInvoicePaymentFromOrder": False,
        "SendInvoiceFromOrderAsEmail": False,
        "InvoiceOrderPaymentEmailAddress": None,
    }


async def test_unsent_settings_are_kept_when_the_switch_says_so(emulator: Emulator, ddapi: httpx.AsyncClient) -> None:
    emulator.switches["unsent_settings"] = "kept"
    await ddapi.post(SETTINGS, json={"CustomerNumber": 40017, "PaysInvoiceFee": False, "InvoiceOrderPaymentEmailAddress": None})
    changed = {"PaysInvoiceFee": False, "InvoiceOrderPaymentEmailAddress": None}
    assert _body(await ddapi.get(SETTINGS, params={"customerNumber": 40017})) == SAMPLE_SETTINGS | changed


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"CustomerNumber": 99999}, "Kundnummer 99999 saknas"),
        ({"CustomerNumber": None}, "Kundnummer saknas"),
        ({"InvoiceRecipientCustomerNumber": 88888}, "Kundnummer 88888 saknas"),
        ({"CurrencyId": 77}, "Valuta 77 saknas"),
        ({"InvoiceOrderPaymentEmailAddress": f"{'a' * 44}@b.test"}, "InvoiceOrderPaymentEmailAddress får vara högst 50 tecken"),
    ],
)
async def test_a_failing_rule_is_said_in_the_body_and_changes_nothing(
    ddapi: httpx.AsyncClient, change: dict[str, object], message: str
) -> None:
    assert _body(await ddapi.post(SETTINGS, json=SAMPLE_SETTINGS | {"TermsOfPaymentId": 10} | change)) == _failure(message)
    assert _body(await ddapi.get(SETTINGS, params={"customerNumber": 40017})) == SAMPLE_SETTINGS


async def test_an_email_of_fifty_characters_is_taken(ddapi: httpx.AsyncClient) -> None:
    email = f"{'a' * 44}@b.test"[1:]
    assert _body(await ddapi.post(SETTINGS, json={"CustomerNumber": 40017, "InvoiceOrderPaymentEmailAddress": email})) == SUCCESS


@pytest.mark.parametrize("status", ["400", "500"])
async def test_failures_may_have_a_status_of_their_own(emulator: Emulator, ddapi: httpx.AsyncClient, status: str) -> None:
    emulator.switches["failures_as"] = status
    answer = await ddapi.post(SETTINGS, json={"CustomerNumber": 99999})
    assert (answer.status_code, answer.json()) == (int(status), _failure("Kundnummer 99999 saknas"))


@pytest.mark.parametrize("wrong", [{"CustomerNumber": "x"}, {"CurrencyId": 1.5}, {"PaysInvoiceFee": 1}, {"TermsOfPaymentId": 2**31}])
async def test_a_setting_of_the_wrong_type_is_400(ddapi: httpx.AsyncClient, wrong: dict[str, object]) -> None:
    assert (await ddapi.post(SETTINGS, json=SAMPLE_SETTINGS | wrong)).status_code == 400


async def test_settings_are_removed_once(ddapi: httpx.AsyncClient) -> None:
    assert _body(await ddapi.delete(SETTINGS, params={"customerNumber": 40017})) == SUCCESS
    assert (await ddapi.get(SETTINGS, params={"customerNumber": 40017})).status_code == 204
    missing = _failure("Fakturainställningar för kundnummer 40017 saknas")
    assert _body(await ddapi.delete(SETTINGS, params={"customerNumber": 40017})) == missing


async def test_settings_name_no_other_or_another_recipient(ddapi: httpx.AsyncClient) -> None:
    recipients = [
        _body(await ddapi.get(SETTINGS, params={"customerNumber": number}))["InvoiceRecipientCustomerNumber"]
        for number in (40001, 40002, 40003)
    ]
    assert recipients == [0, 40001, 40003]


# Customers


async def test_customers_come_in_pages_of_25_with_links(ddapi: httpx.AsyncClient) -> None:
    page = _body(await ddapi.get("/api/customers/2000-01-01"))
    address = "http://ddapi.example/api/customers/2000-01-01?pageNumber="
    assert len(page.pop("CustomerReponse")) == 25
    assert page == {
        "TotalPages": 5,
        "NextPage": f"{address}2&pageSize=25",
        "PreviousPage": None,
        "LastPage": f"{address}5&pageSize=25",
        "FirstPage": f"{address}1&pageSize=25",
    }


async def test_following_next_page_meets_each_customer_once(ddapi: httpx.AsyncClient) -> None:
    numbers: list[int] = []
    link: str | None = "/api/customers/2000-01-01?pageSize=50"
    while link:
        page = _body(await ddapi.get(link))
        numbers += [customer["CustomerNo"] for customer in page["CustomerReponse"]]
        link = page["NextPage"]
    assert sorted(numbers) == list(range(40001, 40121))


async def test_the_page_after_the_last_is_empty_and_page_zero_is_400(ddapi: httpx.AsyncClient) -> None:
    assert _body(await ddapi.get("/api/customers/2000-01-01?pageNumber=6"))["CustomerReponse"] == []
    assert (await ddapi.get("/api/customers/2000-01-01?pageNumber=0")).status_code == 400
    assert (await ddapi.get("/api/customers/2000-01-01?pageSize=many")).status_code == 400


async def test_nothing_changed_is_no_page(ddapi: httpx.AsyncClient) -> None:
    nothing = {"CustomerReponse": [], "TotalPages": 0, "NextPage": None, "PreviousPage": None, "LastPage": None, "FirstPage": None}
    assert _body(await ddapi.get("/api/customers/2030-01-01")) == nothing


async def test_links_hold_the_path_that_the_emulator_is_mounted_at(emulator: Emulator) -> None:
    app = Starlette(routes=[Mount("/compilator", routes=list(emulator.routes))])
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost", headers=KEY)
    page = _body(await client.get("/compilator/api/customers/2000-01-01"))
    assert page["NextPage"] == "http://localhost/compilator/api/customers/2000-01-01?pageNumber=2&pageSize=25"


@pytest.mark.parametrize("date", ["2026-01-01", "01-01-2026", "01-01-26"])
async def test_a_sweep_takes_three_forms_of_date(ddapi: httpx.AsyncClient, date: str) -> None:
    assert [customer["CustomerNo"] for customer in _body(await ddapi.get(f"/api/customers/{date}"))["CustomerReponse"]] == [40017]


async def test_a_customer_has_its_delivery_addresses_embedded(ddapi: httpx.AsyncClient) -> None:
    (customer,) = _body(await ddapi.get("/api/customers/2026-01-14"))["CustomerReponse"]
    assert customer["Id"] == "7c1d0e5a-91b4-4c39-8a77-2f6b5f0d1e21"
    assert customer["Changed"] == "2026-01-14 13:22:05"
    assert customer["OrgNo"] == "556701-2231"
    assert customer["CreditLimit"] == Decimal("50000.00")
    assert [address["Name"] for address in customer["DeliveryAddresses"]] == ["Terminal Hacksta"]


@pytest.mark.parametrize("key", ["40017", "7c1d0e5a-91b4-4c39-8a77-2f6b5f0d1e21", "2026-13-01", "2026-01"])
async def test_there_is_no_route_to_one_customer(ddapi: httpx.AsyncClient, key: str) -> None:
    answer = await ddapi.get(f"/api/customers/{key}")
    message = f"No HTTP resource was found that matches the request URI 'http://ddapi.example/api/customers/{key}'."
    assert (answer.status_code, answer.json()) == (404, {"Message": message})


async def test_customers_are_of_every_kind(ddapi: httpx.AsyncClient) -> None:
    customers = await _sweep(ddapi)
    assert len({customer["Id"] for customer in customers}) == 120
    assert {customer["CountryId"] for customer in customers} == {"SE", "NO", "NL", "DK"}
    assert {len(customer["OrgNo"]) for customer in customers if customer["OrgNo"]} == {10, 11, 12}
    assert {len(customer["GlobalLocationNumber"]) for customer in customers if customer["GlobalLocationNumber"]} == {13}
    assert {customer["Inactive"] for customer in customers} == {customer["IsCompany"] for customer in customers} == {True, False}
    assert max(len(customer["SearchCode"]) for customer in customers) == 10


async def test_customers_by_licence_plate_are_a_bare_array(ddapi: httpx.AsyncClient) -> None:
    for spelling in ("ABC123", "abc 123"):
        found = _body(await ddapi.get(f"/api/Customers/licensePlate/{spelling}"))
        assert [customer["Name"] for customer in found] == ["Mälaråkeriet AB"]
    assert _body(await ddapi.get("/api/customers/licensePlate/XXX999")) == []


async def test_a_vehicle_that_was_sold_is_known_at_two_customers(ddapi: httpx.AsyncClient) -> None:
    found = _body(await ddapi.get("/api/customers/licensePlate/YXC405"))
    assert [customer["CustomerNo"] for customer in found] == [40004, 40005]


async def test_accounts_receivable_are_read_by_customer_number(emulator: Emulator, ddapi: httpx.AsyncClient) -> None:
    ledger = _body(await ddapi.get("/api/customers/accountsreceivable", params={"customerNumber": 40017}))
    assert (ledger["IBAN"], ledger["CurrentClaim"], ledger["CreditChangeDate"]) == (
        "SE3550000000054910000003",
        Decimal("12840.0"),
        "2025-11-03 00:00:00",
    )
    assert (await ddapi.get("/api/customers/accountsreceivable?customerNumber=40010")).status_code == 204
    emulator.switches["ledger_absent"] = "404"
    assert (await ddapi.get("/api/customers/accountsreceivable?customerNumber=40010")).status_code == 404
    assert (await ddapi.get("/api/customers/accountsreceivable")).status_code == 400


# Delivery addresses


async def test_delivery_addresses_are_read_by_customer_or_by_id(emulator: Emulator, ddapi: httpx.AsyncClient) -> None:
    (address,) = _body(await ddapi.get(ADDRESSES, params={"customerNumber": 40017}))
    assert (address["Id"], address["Address1"], address["IsDefaultAddress"]) == (HACKSTA, "Tunbytorpsgatan 10", True)
    assert _body(await ddapi.get(ADDRESSES, params={"id": HACKSTA.upper()})) == address
    assert _body(await ddapi.get(ADDRESSES, params={"customerNumber": 99999})) == []
    assert (await ddapi.get(ADDRESSES, params={"id": NOWHERE})).status_code == 404
    emulator.switches["delivery_address_absent"] = "null"
    assert _body(await ddapi.get(ADDRESSES, params={"id": NOWHERE})) is None


@pytest.mark.parametrize("query", ["", "?id=x", "?customerNumber=x"])
async def test_a_delivery_address_without_a_key_is_400(ddapi: httpx.AsyncClient, query: str) -> None:
    assert (await ddapi.get(ADDRESSES + query)).status_code == 400


async def test_a_new_delivery_address_answers_its_id_and_is_found_by_the_next_sweep(ddapi: httpx.AsyncClient) -> None:
    new = {"CustomerNumber": 40003, "Name": "Terminal Köping", "Address1": "Ringvägen 3", "PostalCode": "731 33", "Town": "Köping"}
    answer = _body(await ddapi.post(ADDRESSES, json=new | {"CountryId": "SE", "IsDefaultAddress": True}))
    address_id = answer.pop("Id")
    assert answer == SUCCESS
    address = _body(await ddapi.get(ADDRESSES, params={"id": address_id}))
    assert (address["Name"], address["CountryName"], address["Phone1"]) == ("Terminal Köping", "Sverige", None)
    (customer,) = _body(await ddapi.get("/api/customers/2026-02-01"))["CustomerReponse"]
    assert (customer["CustomerNo"], customer["Changed"], customer["DeliveryAddresses"][-1]) == (40003, "2026-02-01 09:00:01", address)
    assert [known["Id"] for known in customer["DeliveryAddresses"] if known["IsDefaultAddress"]] == [address_id]


@pytest.mark.parametrize(
    ("new", "message"),
    [
        ({"CustomerNumber": 40017}, "Name saknas"),
        ({"CustomerNumber": 99999, "Name": "Lager"}, "Kundnummer 99999 saknas"),
        ({"Name": "Lager"}, "Kundnummer saknas"),
        ({"CustomerNumber": 40017, "Name": "Lager", "CountryId": "SWE"}, "CountryId får vara högst 2 tecken"),
    ],
)
async def test_a_delivery_address_that_breaks_a_rule_has_the_empty_id(
    ddapi: httpx.AsyncClient, new: dict[str, object], message: str
) -> None:
    expected = _failure(message) | {"Id": "00000000-0000-0000-0000-000000000000"}
    assert _body(await ddapi.post(ADDRESSES, json=new)) == expected


async def test_a_delivery_address_is_removed_once(ddapi: httpx.AsyncClient) -> None:
    assert _body(await ddapi.delete(ADDRESSES, params={"id": HACKSTA})) == SUCCESS
    assert _body(await ddapi.get(ADDRESSES, params={"customerNumber": 40017})) == []
    assert (await ddapi.delete(ADDRESSES, params={"id": HACKSTA})).status_code == 404


# Lookups


async def test_a_currency_is_read_by_its_id_with_its_full_scale(ddapi: httpx.AsyncClient) -> None:
    codes = [_body(await ddapi.get(f"/api/Currencies/{number}"))["CurrencyCode"] for number in (1, 2, 3, 4)]
    assert codes == ["SEK", "EUR", "NOK", "KWD"]
    assert '"Rate":31.0987654321,' in (await ddapi.get("/api/Currencies/4")).text


async def test_a_contact_is_read_by_its_guid(ddapi: httpx.AsyncClient) -> None:
    contact = _body(await ddapi.get("/api/Contacts/0b6f2b1a-6f4e-4c1c-9a7b-7d1f0b2c3d4e"))
    assert (contact["Name"], contact["CustomerNo"], contact["ChangedDate"]) == ("Mikael Lindqvist", 40017, "2026-01-09 10:12:45")


@pytest.mark.parametrize("path", ["/api/currencies/99", f"/api/contacts/{NOWHERE}"])
async def test_an_absent_currency_or_contact_is_404(ddapi: httpx.AsyncClient, path: str) -> None:
    assert (await ddapi.get(path)).status_code == 404


@pytest.mark.parametrize("path", ["/api/currencies/SEK", "/api/contacts/7"])
async def test_a_lookup_by_the_wrong_type_is_400(ddapi: httpx.AsyncClient, path: str) -> None:
    assert (await ddapi.get(path)).status_code == 400


# Orders


async def test_an_order_is_read_by_both_parts_of_its_key(ddapi: httpx.AsyncClient) -> None:
    order = _body(await ddapi.get("/api/orders/5512/12"))
    assert (order["SellerBranchId"], order["CustomerNumber"], order["OrderStatusName"]) == (12, 40017, "Öppen")
    assert order["TotalAmountIncludingVat"] == Decimal("13275.0")
    assert order["OrderLines"][0]["OrderLineArticle"]["DiscountFactor"] == Decimal("0.9")
    assert order["OrderLines"][1] == {"OrderLineArticle": None, "OrderLineText": {"Text": "Monteras innan kl. 07"}, "LineNumber": 2}


async def test_the_same_order_id_in_another_branch_is_another_order(ddapi: httpx.AsyncClient) -> None:
    order = _body(await ddapi.get("/api/orders/5512/21"))
    assert (order["Id"], order["SellerBranchId"], order["CustomerNumber"] != 40017) == (5512, 21, True)


@pytest.mark.parametrize(("way", "status", "text"), [("404", 404, ""), ("204", 204, ""), ("null", 200, "null"), ("empty_list", 200, "[]")])
async def test_the_wrong_branch_finds_nothing_in_the_way_the_switch_says(
    emulator: Emulator, ddapi: httpx.AsyncClient, way: str, status: int, text: str
) -> None:
    assert (await ddapi.get("/api/orders/5512/34")).status_code == 404
    emulator.switches["order_absent"] = way
    answer = await ddapi.get("/api/orders/5512/34")
    assert (answer.status_code, answer.text) == (status, text)


async def test_orders_of_a_customer_without_dates_are_the_open_ones_without_lines(ddapi: httpx.AsyncClient) -> None:
    orders = _body(await ddapi.get("/api/orders/40017"))
    assert [(order["Id"], order["SellerBranchId"], order["OrderLines"]) for order in orders] == [(5512, 12, None)]
    assert {order["OrderStatusId"] for order in _body(await ddapi.get("/api/orders/40007"))} == {1}
    assert _body(await ddapi.get("/api/orders/99999")) == []


async def test_lists_carry_lines_when_the_switch_says_so(emulator: Emulator, ddapi: httpx.AsyncClient) -> None:
    emulator.switches["list_lines"] = True
    assert _body(await ddapi.get("/api/orders/40017")) == [_body(await ddapi.get("/api/orders/5512/12"))]


@pytest.mark.parametrize(
    ("days", "ids"),
    [
        ("2026-01-19/2026-01-19", [5512]),
        ("2026-01-20/2026-01-31", []),
        ("2025-01-01/2025-12-31", [7050, 5543]),
        ("2025-08-01", [5543, 5512]),
    ],
)
async def test_orders_of_a_customer_by_date_include_both_days_and_every_status(ddapi: httpx.AsyncClient, days: str, ids: list[int]) -> None:
    assert [order["Id"] for order in _body(await ddapi.get(f"/api/orders/40017/{days}"))] == ids


async def test_orders_of_a_branch_come_all_at_once(ddapi: httpx.AsyncClient) -> None:
    orders = _body(await ddapi.get("/api/orders/search/12/2024-01-01/2026-12-31"))
    assert len(orders) == 80
    assert {(order["SellerBranchId"], order["OrderLines"]) for order in orders} == {(12, None)}
    assert {order["OrderStatusId"] for order in orders} == {1, 2, 3}
    assert None in {order["CustomerNumber"] for order in orders}


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/orders/abc", 404),
        ("/api/orders/abc/12", 404),
        ("/api/orders/5512/12x", 400),
        ("/api/orders/99999999999/12", 400),
        ("/api/orders/40017/01-01-2026/2026-01-31", 400),
        ("/api/orders/search/12/yesterday/today", 400),
        ("/api/orders/search/12/2026-01-01", 404),
        ("/api/search/orders/12/2026-01-01/2026-01-31", 404),
    ],
)
async def test_an_order_path_of_the_wrong_shape_is_refused(ddapi: httpx.AsyncClient, path: str, status: int) -> None:
    assert (await ddapi.get(path)).status_code == status


async def test_a_new_order_is_found_among_the_open_ones(ddapi: httpx.AsyncClient) -> None:
    assert _body(await ddapi.post("/api/Orders", json=NEW_ORDER)) == SUCCESS
    orders = _body(await ddapi.get("/api/orders/40017"))
    assert [(order["Id"], order["SellerBranchId"]) for order in orders] == [(5512, 12), (5520, 12)]
    order = _body(await ddapi.get("/api/orders/5520/12"))
    assert (order["OrderDate"], order["OrderStatusId"], order["CurrencyName"]) == ("2026-01-22 00:00:00", 1, "Svenska kronor")
    assert (order["TotalAmountExcludingVat"], order["RoundingAmount"], order["TotalAmountIncludingVat"]) == (
        Decimal("350.0"),
        Decimal("0.5"),
        Decimal("438.0"),
    )
    assert order["OrderLines"][0]["OrderLineArticle"]["Description"] == "Balansering"


@pytest.mark.parametrize("lines", [None, []])
async def test_an_order_without_lines_has_no_success(ddapi: httpx.AsyncClient, lines: object) -> None:
    assert _body(await ddapi.post("/api/Orders", json=NEW_ORDER | {"OrderLines": lines})) == _failure("Orderrader saknas")
    assert len(_body(await ddapi.get("/api/orders/40017"))) == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"CustomerNumber": 99999}, "Kundnummer 99999 saknas"),
        ({"SellerBranchId": 13}, "Filial 13 saknas"),
        ({"SellerBranchId": None}, "Filial saknas"),
        ({"CurrencyId": 9}, "Valuta 9 saknas"),
        ({"ContactId": NOWHERE}, f"Kontakt {NOWHERE} saknas"),
        ({"CustomerReference": "x" * 41}, "CustomerReference får vara högst 40 tecken"),
    ],
)
async def test_an_order_that_breaks_a_rule_has_no_success(ddapi: httpx.AsyncClient, change: dict[str, object], message: str) -> None:
    assert _body(await ddapi.post("/api/Orders", json=NEW_ORDER | change)) == _failure(message)


@pytest.mark.parametrize(
    "wrong",
    [{"OrderLines": "x"}, {"OrderLines": [1]}, {"OrderLines": [{"OrderLineText": "x"}]}, {"OrderDate": "soon"}, {"CurrencyRate": "x"}],
)
async def test_an_order_of_the_wrong_types_is_400(ddapi: httpx.AsyncClient, wrong: dict[str, object]) -> None:
    assert (await ddapi.post("/api/Orders", json=NEW_ORDER | wrong)).status_code == 400


# Routing


async def test_paths_are_taken_in_any_case(ddapi: httpx.AsyncClient) -> None:
    for path in ("/api/Customers/Invoice?CustomerNumber=40017", "/API/customers/INVOICE?customernumber=40017"):
        assert _body(await ddapi.get(path)) == SAMPLE_SETTINGS


async def test_an_unknown_route_is_answered_as_asp_net_does(ddapi: httpx.AsyncClient) -> None:
    answer = await ddapi.get("/api/invoices")
    message = "No HTTP resource was found that matches the request URI 'http://ddapi.example/api/invoices'."
    assert (answer.status_code, answer.json()) == (404, {"Message": message})
    assert (await ddapi.get("/api/invoices", headers=XML)).text == f"<Error><Message>{message}</Message></Error>"


async def test_a_known_path_with_another_method_is_405(ddapi: httpx.AsyncClient) -> None:
    answer = await ddapi.post("/api/invoice/910234/false", json={})
    assert (answer.status_code, answer.json()) == (405, {"Message": "The requested resource does not support this http method."})


# Determinism


async def test_the_same_seed_gives_the_same_system_and_another_seed_another(ddapi: httpx.AsyncClient) -> None:
    twin = _client(create(make_parties(SEED), SEED), KEY)
    other = _client(create(make_parties(SEED), SEED + 1), KEY)
    path = "/api/orders/search/21/2024-01-01/2026-12-31"
    assert (await ddapi.get(path)).content == (await twin.get(path)).content
    assert (await ddapi.get(path)).content != (await other.get(path)).content
    assert (await ddapi.get("/api/orders/5512/12")).content == (await other.get("/api/orders/5512/12")).content


async def test_reset_brings_data_and_switches_back(emulator: Emulator, ddapi: httpx.AsyncClient) -> None:
    switches = dict(emulator.switches)
    before = await _sweep(ddapi)
    await ddapi.delete(ADDRESSES, params={"id": HACKSTA})
    await ddapi.delete(SETTINGS, params={"customerNumber": 40017})
    await ddapi.post("/api/Orders", json=NEW_ORDER)
    emulator.switches["json_dates"] = "us"
    emulator.reset()
    assert emulator.switches == switches
    assert await _sweep(ddapi) == before
    assert _body(await ddapi.get(SETTINGS, params={"customerNumber": 40017})) == SAMPLE_SETTINGS
    assert (await ddapi.get("/api/orders/5520/12")).status_code == 404
