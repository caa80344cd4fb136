"""What goes over the wire for each call of ShopCtrl."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import InvalidInput
from gateway.sources.shopctrl import endpoints
from gateway.sources.shopctrl.endpoints import OrderFilters
from gateway.transport import Request

CHANGED = datetime(2026, 1, 11, 16, 17, 35, tzinfo=timezone(timedelta(hours=1)))


@pytest.mark.parametrize(
    ("request_", "operation", "target"),
    [
        (endpoints.customer("20411"), "GET v1/Customers/{id}", "/v1/Customers/20411"),
        (
            endpoints.customers_by_code(1, "K-20411"),
            "GET v1/ShopOwners/{shopOwnerId}/Customers/CustomerCode/{customerCode}",
            "/v1/ShopOwners/1/Customers/CustomerCode/K-20411",
        ),
        (endpoints.order("55012"), "GET v1/Orders/{id}", "/v1/Orders/55012"),
        (
            endpoints.order_by_code(3, "UTR-2026-00431"),
            "GET v1/Shops/{shopId}/Orders/{orderCode}",
            "/v1/Shops/3/Orders/UTR-2026-00431",
        ),
        (endpoints.order_rows("55012"), "GET v1/Orders/{orderId}/Rows", "/v1/Orders/55012/Rows"),
        (endpoints.order_invoices("55012"), "GET v1/Orders/{orderId}/Invoices", "/v1/Orders/55012/Invoices"),
        (endpoints.invoice("88121"), "GET v1/Invoices/{invoiceId}", "/v1/Invoices/88121?includeDeleted=true"),
        (endpoints.invoice_rows("88121"), "GET v1/Invoices/{invoiceId}/Rows", "/v1/Invoices/88121/Rows"),
        (endpoints.shop_status(), "GET v1/Shops/ShopStatus", "/v1/Shops/ShopStatus"),
        (endpoints.orders(3, OrderFilters(), 1, 1), "GET v1/Shops/{shopId}/Orders", "/v1/Shops/3/Orders?pageSize=1&pageNumber=1"),
        (
            endpoints.orders(3, OrderFilters(CHANGED, "12", "a+b@example.se"), 2, 100),
            "GET v1/Shops/{shopId}/Orders",
            (
                "/v1/Shops/3/Orders?fromDateChanged=2026-01-11T16%3A17%3A35%2B01%3A00&mainStatusId=12&emailAddress=a%2Bb%40example.se"
                "&pageSize=100&pageNumber=2"
            ),
        ),
        (endpoints.order_payments("55012"), "GET v1/Orders/{orderId}/Payments", "/v1/Orders/55012/Payments"),
        (endpoints.file("990017"), "GET v1/Files/{fileId}", "/v1/Files/990017"),
        (endpoints.invoice_status("31"), "GET v1/InvoiceStatuses/{id}", "/v1/InvoiceStatuses/31"),
        (endpoints.order_status("12"), "GET v1/OrderStatuses/{id}", "/v1/OrderStatuses/12"),
    ],
)
def test_a_read_is_a_get_without_a_body_under_the_vendors_name(request_: Request, operation: str, target: str) -> None:
    assert (request_.method, request_.operation, request_.target, request_.content) == ("GET", operation, target, None)


def test_the_command_that_invoices_an_order_is_a_post_without_any_body() -> None:
    request = endpoints.invoice_what_is_left("55012")
    assert (request.method, request.operation) == ("POST", "POST v1/Orders/{orderId}/Invoices")
    assert request.target == "/v1/Orders/55012/Invoices"
    assert request.content is None


@given(st.text(min_size=1))
def test_a_code_stays_one_segment_of_the_path_or_is_refused_whatever_is_in_it(code: str) -> None:
    try:
        path = endpoints.order_by_code(3, code).path
    except InvalidInput:
        assert "." in code
        return
    *above, segment = path.split("/")
    assert above == ["", "v1", "Shops", "3", "Orders"]
    assert segment not in {".", ".."}
    assert "?" not in segment
    assert unquote(segment) == code
