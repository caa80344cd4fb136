"""How the calls look on the wire."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from gateway.sources.nimpos import endpoints
from gateway.sources.nimpos.endpoints import Window
from gateway.transport import Request
from tests.sources.nimpos.samples import ORDER, TILL

STOCKHOLM = ZoneInfo("Europe/Stockholm")
WINDOW = Window(datetime(2020, 1, 1, tzinfo=STOCKHOLM), datetime(2026, 6, 22, 12, 0, tzinfo=STOCKHOLM), UUID(TILL))
WINDOW_QUERY = (
    "LastExecutedDate=2020-01-01T00%3A00%3A00%2B01%3A00&CurrentDate=2026-06-22T12%3A00%3A00%2B02%3A00"
    "&TerminalId=9c2e61d4-77b0-4f0a-8f8e-3f1f6d5b7a20&SharedDB=false"
)


@pytest.mark.parametrize(
    ("request_", "operation", "path"),
    [
        (endpoints.get_customers(WINDOW), "GetCustomers", "/api/Customer/GetCustomers"),
        (endpoints.get_customer_debts(WINDOW), "GetCustomerDebts", "/api/Customer/GetCustomerDebts"),
        (endpoints.get_customer_invoice(WINDOW), "GetCustomerInvoice", "/api/Order/GetCustomerInvoice"),
        (endpoints.get_settings(WINDOW), "GetSettings", "/api/Setting/GetSettings"),
    ],
)
def test_a_window_read_sends_all_four_parameters_and_no_table_name(request_: Request, operation: str, path: str) -> None:
    assert (request_.operation, request_.method, request_.content) == (operation, "GET", None)
    assert request_.target == f"{path}?{WINDOW_QUERY}"


def test_orders_are_asked_for_by_both_ends_of_a_range() -> None:
    request = endpoints.get_orders(WINDOW.since, WINDOW.until)
    assert (request.operation, request.method) == ("GetOrders", "GET")
    assert request.target == "/api/Order/GetOrders?dtFrom=2020-01-01T00%3A00%3A00%2B01%3A00&dtTo=2026-06-22T12%3A00%3A00%2B02%3A00"


def test_an_order_is_asked_for_by_its_guid_in_the_query() -> None:
    request = endpoints.get_order_by_id(ORDER)
    assert (request.operation, request.method) == ("GetOrderById", "GET")
    assert request.target == f"/api/Order/GetOrderById?id={ORDER}"


def test_an_invoice_is_posted_as_json_with_its_amount_as_a_number() -> None:
    request = endpoints.post_customer_invoice({"InvoiceTotal": Decimal("1250.00"), "Remarks": "Åsa"})
    assert (request.operation, request.method, request.target) == ("PostCustomerInvoice", "POST", "/api/Order/PostCustomerInvoice")
    assert request.content == '{"InvoiceTotal":1250.00,"Remarks":"Åsa"}'.encode()
