"""The command that invoices an order: what is refused beforehand, and what answers and looks prove."""

from __future__ import annotations

import json
from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model import (
    Confirmation,
    CreateInvoice,
    Invoice,
    Kind,
    MutationOutcome,
    Order,
    Ref,
    SetInvoiceSettings,
    UpstreamRefusal,
    UserErrorCode,
)
from gateway.sources.shopctrl import writes
from gateway.sources.shopctrl.writes import Before
from gateway.transport import Response

ORDER = Order(ref=Ref("shop", Kind.ORDER, "55012"), native_type="Order")
KEYS = st.lists(st.integers(1, 30).map(str), unique=True)


def answered(body: str | bytes, status: int = 400) -> Response:
    return Response(status, {}, body.encode() if isinstance(body, str) else body)


def test_an_invoice_with_content_is_unsupported_by_name() -> None:
    refused = writes.refuse(CreateInvoice(native_id=UUID(int=1), native_id_given=False))
    assert refused.unsupported
    assert [error.code for error in refused.errors] == [UserErrorCode.UNSUPPORTED_OPERATION]
    assert "createInvoiceFromOrder" in refused.errors[0].message


def test_invoicing_terms_are_unsupported_by_name() -> None:
    refused = writes.refuse(SetInvoiceSettings(customer=Ref("shop", Kind.CUSTOMER, "1"), values={}))
    assert refused.unsupported
    assert [error.code for error in refused.errors] == [UserErrorCode.UNSUPPORTED_OPERATION]


def test_an_unknown_order_is_refused_at_the_argument_that_names_it() -> None:
    refused = writes.refuse_unknown_order()
    assert not refused.unsupported
    assert [(error.code, error.field) for error in refused.errors] == [(UserErrorCode.NOT_FOUND, ("order",))]


@given(
    st.builds(Before, order=st.just("1"), number=st.none() | st.text(), hint=st.none() | st.text(), invoices=st.none() | KEYS.map(tuple))
)
def test_what_was_seen_before_goes_through_the_journal_as_json_unchanged(before: Before) -> None:
    assert Before.from_plain(json.loads(json.dumps(before.to_plain()))) == before


@given(KEYS, KEYS)
def test_new_is_what_is_shown_now_and_was_not_before(before: list[str], shown: list[str]) -> None:
    new = writes.new_invoices(Before(order="1", invoices=tuple(before)), shown)
    assert new == tuple(key for key in shown if key not in before)


def test_without_a_look_before_only_an_order_without_any_invoice_says_something() -> None:
    assert writes.new_invoices(Before(order="1", invoices=None), []) == ()
    assert writes.new_invoices(Before(order="1", invoices=None), ["88121"]) is None
    assert writes.new_invoices(Before(order="1", invoices=()), None) is None


def test_each_verdict_has_its_outcome_and_the_order() -> None:
    invoice = Invoice(ref=Ref("shop", Kind.INVOICE, "88121"), native_type="InvoiceBase")
    made = writes.applied(invoice, ORDER, Confirmation.ECHO)
    assert (made.outcome, made.confirmation, made.record, made.order, made.errors) == (
        MutationOutcome.APPLIED,
        Confirmation.ECHO,
        invoice,
        ORDER,
        (),
    )
    nothing = writes.nothing_to_do(ORDER)
    assert (nothing.outcome, nothing.confirmation, nothing.record, nothing.order, nothing.errors) == (
        MutationOutcome.NOTHING_TO_DO,
        Confirmation.ECHO,
        None,
        ORDER,
        (),
    )
    absent = writes.absent(ORDER)
    assert (absent.outcome, absent.order, [error.code for error in absent.errors]) == (
        MutationOutcome.REJECTED,
        ORDER,
        [UserErrorCode.UPSTREAM_REJECTED],
    )


def test_an_unknown_outcome_says_what_to_look_at_by_hand() -> None:
    unknown = writes.unknown(ORDER, "the invoices could not be read")
    assert unknown.outcome is MutationOutcome.UNKNOWN
    (error,) = unknown.errors
    assert error.code is UserErrorCode.OUTCOME_UNKNOWN
    assert error.message == (
        "it is not known whether an invoice was made, as the invoices could not be read: look at the invoices of the order with id 55012"
    )
    named = writes.unknown(replace(ORDER, number="UTR-2026-00431"), "the invoices could not be read")
    assert named.errors[0].message == (
        "it is not known whether an invoice was made, as the invoices could not be read: "
        "look at the invoices of the order UTR-2026-00431 (id 55012)"
    )


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('{"Message": "Order is locked"}', [UpstreamRefusal(status=400, message="Order is locked")]),
        ('"Order is locked"', [UpstreamRefusal(status=400, message="Order is locked")]),
        (
            '{"Message": "Invalid", "ModelState": {"orderId": ["not valid", "too large"], "other": "x"}}',
            [
                UpstreamRefusal(status=400, message="Invalid"),
                UpstreamRefusal(status=400, code="orderId", message="not valid"),
                UpstreamRefusal(status=400, code="orderId", message="too large"),
                UpstreamRefusal(status=400, code="other", message="x"),
            ],
        ),
        ('{"Message": 7, "ModelState": [1]}', [UpstreamRefusal(status=400)]),
        ("", [UpstreamRefusal(status=400)]),
        ("null", [UpstreamRefusal(status=400)]),
        ("<html>Bad Request</html>", [UpstreamRefusal(status=400)]),
        ("[1]", [UpstreamRefusal(status=400)]),
    ],
)
def test_a_refusal_gives_the_texts_of_the_source_and_at_least_the_status(body: str, expected: list[UpstreamRefusal]) -> None:
    assert list(writes.to_refusals(answered(body))) == expected


def test_the_text_of_a_refusal_is_bounded() -> None:
    (refusal,) = writes.to_refusals(answered(json.dumps({"Message": "x" * 5000})))
    assert refusal.message == "x" * 1000
    assert len(writes.to_refusals(answered(json.dumps({"ModelState": {"orderId": ["x"] * 80}})))) == 51


@given(st.binary(max_size=40), st.integers(400, 599))
def test_any_answer_gives_at_least_one_refusal_with_its_status(body: bytes, status: int) -> None:
    refusals = writes.to_refusals(answered(body, status))
    assert refusals
    assert {refusal.status for refusal in refusals} == {status}
