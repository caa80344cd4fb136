from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model import Kind, Ref, SetInvoiceSettings, SettingsWriteMode, UpstreamRefusal, UserErrorCode
from gateway.sources.compilator.mapping import version_of
from gateway.sources.compilator.payloads import SettingsPayload
from gateway.sources.compilator.writes import (
    Body,
    Proof,
    as_read,
    body_of,
    mistakes_against,
    mistakes_in_values,
    proof_of,
    to_refusals,
)
from gateway.sources.decode import decode
from tests.sources.compilator.samples import APPLIED, PILOT_SETTINGS, REFUSED, SETTINGS

PILOT = decode(PILOT_SETTINGS.encode(), SettingsPayload)
DEMO = decode(SETTINGS.encode(), SettingsPayload)


def write(*, mode: SettingsWriteMode = SettingsWriteMode.MERGE, expected: str | None = None, **values: object) -> SetInvoiceSettings:
    return SetInvoiceSettings(customer=Ref("src", Kind.CUSTOMER, "40017"), values=values, mode=mode, expected_version=expected)


def test_a_merge_keeps_what_was_read_and_sends_all_fourteen_fields_in_the_published_order() -> None:
    body = body_of(write(pays_invoice_fee=False), PILOT)
    assert list(body.items()) == list({**msgspec.json.decode(PILOT_SETTINGS), "PaysInvoiceFee": False}.items())
    assert len(body) == 14


def test_a_merge_adds_the_field_that_is_not_returned() -> None:
    body = body_of(write(reverse_tax=True), DEMO)
    assert body == {**msgspec.json.decode(SETTINGS), "ReverseTax": True}
    assert list(body)[-1] == "ReverseTax"


def test_a_merge_where_nothing_is_yet_sends_what_is_given() -> None:
    assert body_of(write(currency_id=1, payment_terms_id=30), None) == {"CustomerNumber": 40017, "CurrencyId": 1, "TermsOfPaymentId": 30}


def test_a_replacement_sends_exactly_what_is_given() -> None:
    body = body_of(write(mode=SettingsWriteMode.REPLACE, credit_account_id=4), PILOT)
    assert body == {"CustomerNumber": 40017, "CreditAccountId": 4}


def test_every_given_field_has_its_published_name() -> None:
    body = body_of(
        write(
            retains_invoice_type=True,
            currency_id=1,
            payment_terms_id=2,
            pays_invoice_fee=False,
            invoice_type_id=3,
            interest_type_id=4,
            invoice_cycle_id=5,
            invoice_recipient=Ref("src", Kind.CUSTOMER, "40001"),
            credit_account_id=6,
            allow_invoice_payment_from_order=True,
            send_invoice_from_order_as_email=False,
            invoice_email="a@b.example",
            reverse_tax=True,
        ),
        None,
    )
    assert list(body.items()) == [
        ("CustomerNumber", 40017),
        ("RetainsInvoiceType", True),
        ("CurrencyId", 1),
        ("TermsOfPaymentId", 2),
        ("PaysInvoiceFee", False),
        ("InvoiceTypeId", 3),
        ("InterestTypeId", 4),
        ("InvoiceCycleId", 5),
        ("InvoiceRecipientCustomerNumber", 40001),
        ("CreditAccountId", 6),
        ("AllowInvoicePaymentFromOrder", True),
        ("SendInvoiceFromOrderAsEmail", False),
        ("InvoiceOrderPaymentEmailAddress", "a@b.example"),
        ("ReverseTax", True),
    ]


def test_null_clears_by_the_means_that_the_field_has() -> None:
    body = body_of(write(currency_id=None, pays_invoice_fee=None, invoice_recipient=None, invoice_email=None), None)
    assert body == {
        "CustomerNumber": 40017,
        "CurrencyId": None,
        "PaysInvoiceFee": None,
        "InvoiceRecipientCustomerNumber": 40017,
        "InvoiceOrderPaymentEmailAddress": "",
    }


def test_every_mistake_is_told_by_name_at_once() -> None:
    mistakes = mistakes_in_values(
        {
            "color": "red",
            "currency_id": 2**31,
            "invoice_type_id": True,
            "pays_invoice_fee": "yes",
            "invoice_recipient": Ref("src", Kind.ORDER, "1/2"),
            "invoice_email": "x" * 51,
        }
    )
    assert [(mistake.code, mistake.field) for mistake in mistakes] == [
        (UserErrorCode.NOT_ACCEPTED_BY_SOURCE, ("settings", "color")),
        (UserErrorCode.INVALID, ("settings", "currencyId")),
        (UserErrorCode.INVALID, ("settings", "paysInvoiceFee")),
        (UserErrorCode.INVALID, ("settings", "invoiceTypeId")),
        (UserErrorCode.INVALID, ("settings", "invoiceRecipient")),
        (UserErrorCode.TOO_LONG, ("settings", "invoiceEmail")),
    ]


def test_fifty_characters_of_address_and_nulls_are_fine() -> None:
    assert mistakes_in_values({"invoice_email": "x" * 50, "currency_id": None, "invoice_recipient": None}) == []


def test_a_recipient_known_by_another_key_only_is_refused() -> None:
    (mistake,) = mistakes_in_values({"invoice_recipient": Ref("src", Kind.CUSTOMER, "7c1d0e5a-91b4-4c39-8a77-2f6b5f0d1e21")})
    assert (mistake.code, mistake.field) == (UserErrorCode.INVALID, ("settings", "invoiceRecipient"))


def test_a_merge_needs_the_field_that_is_not_returned() -> None:
    (mistake,) = mistakes_against(write(pays_invoice_fee=False), DEMO)
    assert (mistake.code, mistake.field) == (UserErrorCode.REQUIRED, ("settings", "reverseTax"))
    assert mistakes_against(write(reverse_tax=None), DEMO) == []
    assert mistakes_against(write(pays_invoice_fee=False), PILOT) == []
    assert mistakes_against(write(pays_invoice_fee=False), None) == []
    assert mistakes_against(write(mode=SettingsWriteMode.REPLACE, pays_invoice_fee=False), DEMO) == []


def test_an_older_version_is_stale_and_the_present_one_is_told() -> None:
    assert mistakes_against(write(expected=version_of(PILOT)), PILOT) == []
    (mistake,) = mistakes_against(write(expected="0" * 32), PILOT)
    assert (mistake.code, mistake.field) == (UserErrorCode.STALE_VERSION, ("expectedVersion",))
    assert version_of(PILOT) in mistake.message


def test_a_version_of_settings_that_are_gone_is_stale() -> None:
    (mistake,) = mistakes_against(write(expected="0" * 32), None)
    assert mistake.code is UserErrorCode.STALE_VERSION


BEFORE = as_read(PILOT)
SENT: Body = {**BEFORE, "PaysInvoiceFee": False}


def test_settings_as_sent_prove_the_write() -> None:
    assert proof_of(SENT, BEFORE, dict(SENT)) is Proof.WRITTEN
    assert proof_of(SENT, None, dict(SENT)) is Proof.WRITTEN


def test_settings_as_before_prove_that_nothing_was_written() -> None:
    assert proof_of(SENT, BEFORE, dict(BEFORE)) is Proof.UNCHANGED
    assert proof_of(SENT, None, None) is Proof.UNCHANGED


def test_settings_that_are_neither_prove_nothing() -> None:
    assert proof_of(SENT, BEFORE, {**BEFORE, "CurrencyId": 9}) is Proof.NONE
    assert proof_of(SENT, BEFORE, None) is Proof.NONE
    assert proof_of(SENT, None, dict(BEFORE)) is Proof.NONE


def test_a_field_that_is_not_returned_is_not_proven_by_fields_that_did_not_change() -> None:
    before = as_read(DEMO)
    assert proof_of({**before, "ReverseTax": True}, before, dict(before)) is Proof.NONE


def test_a_field_that_is_not_returned_is_proven_by_the_change_of_another() -> None:
    before = as_read(DEMO)
    now = {**before, "PaysInvoiceFee": False}
    assert proof_of({**now, "ReverseTax": True}, before, now) is Proof.WRITTEN


def test_a_cleared_field_may_come_back_as_any_form_of_nothing() -> None:
    sent: Body = {**BEFORE, "CurrencyId": None, "PaysInvoiceFee": None, "InvoiceOrderPaymentEmailAddress": ""}
    now: Body = {**BEFORE, "CurrencyId": 0, "PaysInvoiceFee": False, "InvoiceOrderPaymentEmailAddress": None}
    assert proof_of(sent, BEFORE, {**now, "InvoiceRecipientCustomerNumber": 0}) is Proof.WRITTEN


@given(st.dictionaries(st.sampled_from(["currency_id", "payment_terms_id", "invoice_cycle_id"]), st.integers(1, 2**31 - 1)))
def test_reading_back_a_merge_proves_it(values: dict[str, int]) -> None:
    body = body_of(replace(write(), values=values), PILOT)
    assert proof_of(body, BEFORE, body) is Proof.WRITTEN


def test_the_proof_survives_the_journal() -> None:
    kept = msgspec.json.decode(msgspec.json.encode(BEFORE))
    assert proof_of(SENT, kept, dict(BEFORE)) is Proof.UNCHANGED


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (REFUSED, UpstreamRefusal(status=200, code="1", message="Kundnummer 40017 saknas")),
        ('{"Errors": [{"ErrorCode": "InternalServerError"}]}', UpstreamRefusal(status=200, code="InternalServerError")),
        (APPLIED, UpstreamRefusal(status=200)),
        ("<html>", UpstreamRefusal(status=200)),
        ("", UpstreamRefusal(status=200)),
    ],
)
def test_a_refusal_has_at_least_the_status(body: str, expected: UpstreamRefusal) -> None:
    assert to_refusals(200, body.encode()) == (expected,)


def test_a_refusal_is_bounded() -> None:
    body = msgspec.json.encode({"Errors": [{"ErrorCode": 1, "ErrorMessage": "x" * 5000}] * 80, "Success": False})
    assert to_refusals(200, body) == (UpstreamRefusal(status=200, code="1", message="x" * 1000),) * 50
