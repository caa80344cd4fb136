"""What goes over the wire for each call of ShopCtrl."""

from __future__ import annotations

from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.sources.shopctrl import endpoints
from gateway.transport import Request


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
        (endpoints.first_order(3), "GET v1/Shops/{shopId}/Orders", "/v1/Shops/3/Orders?pageSize=1"),
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
def test_a_code_stays_one_segment_of_the_path_whatever_is_in_it(code: str) -> None:
    *above, segment = endpoints.order_by_code(3, code).path.split("/")
    assert above == ["", "v1", "Shops", "3", "Orders"]
    assert segment not in {".", ".."}
    assert "?" not in segment
    assert unquote(segment) == code
