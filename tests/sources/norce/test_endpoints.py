from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.sources.norce import endpoints
from gateway.sources.norce.settings import NorceOptions
from gateway.transport import Request

OPTIONS = NorceOptions(application_id=7)
STORM = NorceOptions(application_id=7, paths="storm", culture_code="sv-SE")


@pytest.mark.parametrize(
    ("request_", "operation", "target"),
    [
        (endpoints.get_invoice(OPTIONS, "50 911"), "GetInvoice", "/commerce/order/1.1/GetInvoice?id=50%20911"),
        (endpoints.get_invoice_by_no(OPTIONS, "F&1"), "GetInvoiceByNo", "/commerce/order/1.1/GetInvoiceByNo?invoiceNo=F%261"),
        (endpoints.get_order_by_no(OPTIONS, "N-1"), "GetOrderByNo", "/commerce/order/1.1/GetOrderByNo?orderno=N-1"),
        (endpoints.get_order_by_basket(OPTIONS, "448120"), "GetOrderByBasket", "/commerce/order/1.1/GetOrderByBasket?basketId=448120"),
        (endpoints.get_customer(OPTIONS, "9"), "GetCustomer", "/commerce/customer/1.1/GetCustomer?id=9&includeCompanies=true"),
        (
            endpoints.get_customer_by_code(OPTIONS, "C-9"),
            "GetCustomerByCode",
            "/commerce/customer/1.1/GetCustomerByCode?code=C-9",
        ),
        (
            endpoints.get_invoice(STORM, "1"),
            "GetInvoice",
            "/api/1.1/OrderService.svc/rest/GetInvoice?id=1&cultureCode=sv-SE",
        ),
        (
            endpoints.get_customer(STORM, "1"),
            "GetCustomer",
            "/api/1.1/CustomerService.svc/rest/GetCustomer?id=1&includeCompanies=true&cultureCode=sv-SE",
        ),
    ],
)
def test_a_read_of_the_services_is_spelled_as_its_page_has_it(request_: Request, operation: str, target: str) -> None:
    assert (request_.method, request_.operation, request_.target) == ("GET", operation, target)
    assert request_.headers == {"application-id": "7"}


@pytest.mark.parametrize(
    ("request_", "operation", "path"),
    [
        (endpoints.create_invoice(OPTIONS, {"A": 1}), "Order/CreateInvoice", "/commerce/connect/4.0/Order/CreateInvoice"),
        (endpoints.create_invoice(STORM, {"A": 1}), "Order/CreateInvoice", "/4.0/api/Order/CreateInvoice"),
        (endpoints.insert_invoice(OPTIONS, {"A": 1}), "InsertInvoice", "/commerce/order/1.1/InsertInvoice"),
        (endpoints.insert_invoice(STORM, {"A": 1}), "InsertInvoice", "/api/1.1/OrderService.svc/rest/InsertInvoice"),
    ],
)
def test_a_write_is_a_post_with_the_body_given(request_: Request, operation: str, path: str) -> None:
    assert (request_.method, request_.operation, request_.target, request_.content) == ("POST", operation, path, b'{"A":1}')
    assert request_.headers == {"application-id": "7"}


def test_query_is_asked_for_many_ids_in_the_spelling_of_its_version() -> None:
    pascal = endpoints.query_by_id(OPTIONS, endpoints.ORDERS, ["1", "2"])
    camel = endpoints.query_by_id(NorceOptions(application_id=7, query_version="3.0"), endpoints.ORDERS, ["1", "2"])
    assert (pascal.path, dict(pascal.query)["$filter"]) == ("/commerce/query/2.0/Orders/Orders", "Id eq 1 or Id eq 2")
    assert (camel.path, dict(camel.query)["$filter"]) == ("/commerce/query/3.0/Orders/Orders", "id eq 1 or id eq 2")
    assert dict(pascal.query)["$select"].startswith("Id,OrderNo,QuotationId,StatusId,OrderDate,")
    assert dict(camel.query)["$select"].startswith("id,orderNo,quotationId,statusId,orderDate,")
    assert camel.headers == {"application-id": "7"}


def test_a_chunk_of_the_longest_ids_fits_in_a_url() -> None:
    assert len(endpoints.query_by_id(OPTIONS, endpoints.ORDERS, ["9" * 19] * endpoints.CHUNK_SIZE, ("Items", "Buyer")).target) < 4000


def test_the_next_page_keeps_our_path_and_filter_and_takes_only_the_query_of_the_link() -> None:
    first = endpoints.query_by_id(OPTIONS, endpoints.ORDERS, ["1"])
    following = endpoints.next_page(first, "https://elsewhere.example/steal?$skip=500")
    assert (following.path, following.headers) == (first.path, first.headers)
    assert dict(following.query) == {**dict(first.query), "$skip": "500"}


def test_a_list_of_query_is_in_the_order_of_ids_with_every_term_and_expansion_spelled_by_its_version() -> None:
    camel = NorceOptions(application_id=7, query_version="3.0")
    where: list[list[endpoints.Term]] = [[("ApplicationId", "eq", "7")], [("BuyerCompanyId", "eq", "9"), ("PayerCompanyId", "eq", "9")]]
    request = endpoints.query_page(camel, endpoints.ORDERS, where, top=51, expand=("Buyer",))
    query = dict(request.query)
    assert query.pop("$select").startswith("id,orderNo,")
    assert query == {
        "$filter": "applicationId eq 7 and (buyerCompanyId eq 9 or payerCompanyId eq 9)",
        "$expand": "buyer",
        "$orderby": "id",
        "$top": "51",
    }
    skipped = dict(endpoints.query_page(OPTIONS, endpoints.CUSTOMERS, [], top=2, skip=4).query)
    assert ("$filter" in skipped, skipped["$skip"], skipped["$orderby"]) == (False, "4", "Id")


@given(st.text(max_size=20))
def test_a_text_stays_one_odata_string_whatever_is_in_it(text: str) -> None:
    literal = endpoints.quoted(text)
    assert (literal[0], literal[-1], literal[1:-1].replace("''", "")) == ("'", "'", text.replace("'", ""))
    assert literal[1:-1].replace("''", "'") == text


@pytest.mark.parametrize(
    ("moment", "literal"),
    [
        (datetime(2026, 1, 1, 1, 0, tzinfo=timezone(timedelta(hours=1))), "2026-01-01T00:00:00Z"),
        (datetime(2026, 1, 1, 0, 0, 0, 250000, tzinfo=UTC), "2026-01-01T00:00:00.250000Z"),
        (datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=1))), "0001-01-01T00:00:00Z"),
    ],
)
def test_an_instant_is_written_in_utc_without_quotes(moment: datetime, literal: str) -> None:
    assert endpoints.instant(moment) == literal


def test_the_lists_of_the_services_are_spelled_as_their_pages_have_it() -> None:
    day = datetime(2026, 1, 1, tzinfo=UTC)
    requests = (
        endpoints.list_invoices(OPTIONS, ("orderId", "70213"), page_no=2, page_size=50, dates=(day, None)),
        endpoints.list_orders(OPTIONS, (("customerId", "9"), ("statusSeed", "4,8")), page_no=1, page_size=5, dates=(None, day)),
        endpoints.search_customers(OPTIONS, "å&b", 51),
        endpoints.list_companies_by_org_no(STORM, "5590123456"),
        endpoints.query_metadata(OPTIONS),
    )
    assert [request.target for request in requests] == [
        "/commerce/order/1.1/ListInvoices?orderId=70213&fromDate=2026-01-01T00%3A00%3A00.000Z&pageNo=2&pageSize=50",
        "/commerce/order/1.1/ListOrders3?customerId=9&statusSeed=4%2C8&toDate=2026-01-01T00%3A00%3A00.000Z&pageNo=1&pageSize=5",
        "/commerce/customer/1.1/SearchCustomer2?searchString=%C3%A5%26b&size=51",
        "/api/1.1/CustomerService.svc/rest/ListCompaniesByOrgNo?orgNo=5590123456&cultureCode=sv-SE",
        "/commerce/query/2.0/Orders/$metadata",
    ]
    assert requests[-1].headers == {"application-id": "7", "accept": "application/xml"}
