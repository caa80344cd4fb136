from __future__ import annotations

import pytest

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
            "/commerce/customer/1.1/GetCustomerByCode?code=C-9&includeCompanies=true",
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
    pascal = endpoints.query_orders(OPTIONS, ["1", "2"])
    camel = endpoints.query_orders(NorceOptions(application_id=7, query_version="3.0"), ["1", "2"])
    assert (pascal.path, dict(pascal.query)["$filter"]) == ("/commerce/query/2.0/Orders/Orders", "Id eq 1 or Id eq 2")
    assert (camel.path, dict(camel.query)["$filter"]) == ("/commerce/query/3.0/Orders/Orders", "id eq 1 or id eq 2")
    assert dict(pascal.query)["$select"].startswith("Id,OrderNo,QuotationId,StatusId,OrderDate,")
    assert dict(camel.query)["$select"].startswith("id,orderNo,quotationId,statusId,orderDate,")
    assert camel.headers == {"application-id": "7"}


def test_a_chunk_of_the_longest_ids_fits_in_a_url() -> None:
    assert len(endpoints.query_orders(OPTIONS, ["9" * 19] * endpoints.CHUNK_SIZE).target) < 4000


def test_the_next_page_keeps_our_path_and_filter_and_takes_only_the_query_of_the_link() -> None:
    first = endpoints.query_orders(OPTIONS, ["1"])
    following = endpoints.next_page(first, "https://elsewhere.example/steal?$skip=500")
    assert (following.path, following.headers) == (first.path, first.headers)
    assert dict(following.query) == {**dict(first.query), "$skip": "500"}
