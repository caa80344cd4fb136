from __future__ import annotations

from datetime import date

from gateway.sources.compilator import endpoints


def test_the_first_page_of_customers_is_asked_without_a_number() -> None:
    request = endpoints.customers_since(date(2000, 1, 1), 25)
    assert (request.method, request.target) == ("GET", "/api/customers/2000-01-01?pageSize=25")
    assert request.operation == "GET api/customers/{date}"


def test_a_later_page_of_customers_is_asked_by_number() -> None:
    assert endpoints.customers_since(date(2000, 1, 1), 25, 5).target == "/api/customers/2000-01-01?pageNumber=5&pageSize=25"


def test_an_order_is_asked_by_both_parts_of_its_key() -> None:
    request = endpoints.order("5512", "12")
    assert (request.method, request.target, request.operation) == ("GET", "/api/orders/5512/12", "GET api/orders/{id}/{branchId}")


def test_orders_of_a_customer_or_branch_are_asked_with_both_days() -> None:
    by_customer = endpoints.customer_orders("40017", date(2025, 1, 2), date(2026, 11, 23))
    assert (by_customer.method, by_customer.target) == ("GET", "/api/orders/40017/2025-01-02/2026-11-23")
    assert by_customer.operation == "GET api/orders/{customerNumber}/{fromDate}/{toDate}"
    by_branch = endpoints.branch_orders("12", date(2025, 1, 2), date(2026, 11, 23))
    assert (by_branch.method, by_branch.target) == ("GET", "/api/orders/search/12/2025-01-02/2026-11-23")
    assert by_branch.operation == "GET api/orders/search/{branchId}/{fromDate}/{toDate}"


def test_an_invoice_is_always_asked_with_whether_internal_ones_count() -> None:
    assert endpoints.invoice("910234", include_internal=False).target == "/api/invoice/910234/false"
    assert endpoints.invoice("910234", include_internal=True).target == "/api/invoice/910234/true"


def test_a_currency_is_asked_by_id() -> None:
    assert endpoints.currency("1").target == "/api/Currencies/1"


def test_settings_are_asked_by_customer_number() -> None:
    request = endpoints.customer_invoice("40017")
    assert (request.method, request.target) == ("GET", "/api/customers/invoice?customerNumber=40017")


def test_settings_are_written_by_post_with_the_body_in_the_order_given() -> None:
    request = endpoints.set_customer_invoice({"CustomerNumber": 40017, "ReverseTax": None})
    assert (request.method, request.target, request.content) == (
        "POST",
        "/api/customers/invoice",
        b'{"CustomerNumber":40017,"ReverseTax":null}',
    )


def test_a_key_stays_one_segment_of_the_path() -> None:
    assert endpoints.order("1/2", "a?b").target == "/api/orders/1%2F2/a%3Fb"
