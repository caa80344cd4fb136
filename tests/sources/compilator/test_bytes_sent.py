"""The bytes of `POST api/customers/invoice`, to the last one, and that what is kept of it outlives the process."""

from __future__ import annotations

import pytest

from gateway.model import Kind, MutationOutcome, Ref, SetInvoiceSettings, SettingsWriteMode
from gateway.mutations.stored import dump, load
from gateway.sources.base import Claims, Prepared
from gateway.sources.compilator.settings import CompilatorOptions
from gateway.sources.compilator.source import CompilatorSource
from gateway.transport import Response
from gateway.transport.wire import WireRequest
from tests.fakes import BASE_URL, FakeWire, answer, make_parts, make_scope
from tests.sources.compilator.samples import APPLIED, PILOT_SETTINGS, SETTINGS

pytestmark = pytest.mark.anyio

ALL: dict[str, object] = {
    "retains_invoice_type": True,
    "currency_id": 1,
    "payment_terms_id": 30,
    "pays_invoice_fee": False,
    "invoice_type_id": 2,
    "interest_type_id": 3,
    "invoice_cycle_id": 4,
    "invoice_recipient": Ref("src", Kind.CUSTOMER, "40001"),
    "credit_account_id": 5,
    "allow_invoice_payment_from_order": True,
    "send_invoice_from_order_as_email": False,
    "invoice_email": "räkning@målaren.example",
    "reverse_tax": False,
}
NONE = Response(204, {}, b"")


def make_source(*reads: Response) -> tuple[CompilatorSource, FakeWire]:
    """Make a source whose settings read so, one call after the other, the last again and again; all writes succeed."""
    left = list(reads)

    def handle(request: WireRequest) -> Response:
        if request.method == "POST":
            return answer(APPLIED)
        return left.pop(0) if len(left) > 1 else left[0]

    parts, wire = make_parts(CompilatorOptions(), handle, system="COMPILATOR")
    return CompilatorSource(parts), wire


def write(mode: SettingsWriteMode = SettingsWriteMode.MERGE, **values: object) -> SetInvoiceSettings:
    return SetInvoiceSettings(customer=Ref("src", Kind.CUSTOMER, "40017"), values=values, mode=mode)


async def prepared_by(source: CompilatorSource, wanted: SetInvoiceSettings) -> Prepared:
    prepared = await source.prepare(wanted, make_scope())
    assert isinstance(prepared, Prepared)
    return prepared


async def sent(wanted: SetInvoiceSettings, now: Response) -> WireRequest:
    """Send a write over the settings that are there now, and give what went over the wire."""
    source, wire = make_source(now)
    await source.send(await prepared_by(source, wanted), make_scope())
    posts = [request for request in wire.requests if request.method == "POST"]
    assert len(posts) == 1
    return posts[0]


async def test_all_fields_are_these_bytes() -> None:
    request = await sent(write(SettingsWriteMode.REPLACE, **ALL), NONE)
    assert (request.method, request.url) == ("POST", f"{BASE_URL}/api/customers/invoice")
    assert (request.headers["content-type"], request.headers["accept"]) == ("application/json; charset=utf-8", "application/json")
    assert (
        request.content
        == (
            '{"CustomerNumber":40017,"RetainsInvoiceType":true,"CurrencyId":1,"TermsOfPaymentId":30,"PaysInvoiceFee":false,'
            '"InvoiceTypeId":2,"InterestTypeId":3,"InvoiceCycleId":4,"InvoiceRecipientCustomerNumber":40001,"CreditAccountId":5,'
            '"AllowInvoicePaymentFromOrder":true,"SendInvoiceFromOrderAsEmail":false,'
            '"InvoiceOrderPaymentEmailAddress":"räkning@målaren.example","ReverseTax":false}'
        ).encode()
    )


async def test_a_merge_of_one_field_sends_all_the_others_as_they_were() -> None:
    assert (await sent(write(credit_account_id=9), answer(PILOT_SETTINGS))).content == (
        b'{"CustomerNumber":40017,"RetainsInvoiceType":true,"CurrencyId":1,"TermsOfPaymentId":30,"PaysInvoiceFee":true,'
        b'"InvoiceTypeId":2,"InterestTypeId":1,"InvoiceCycleId":1,"InvoiceRecipientCustomerNumber":40017,"CreditAccountId":9,'
        b'"AllowInvoicePaymentFromOrder":true,"SendInvoiceFromOrderAsEmail":true,'
        b'"InvoiceOrderPaymentEmailAddress":"faktura@malarakeri.example","ReverseTax":false}'
    )


async def test_a_merge_keeps_null_as_null() -> None:
    body = (await sent(write(currency_id=1), answer('{"CustomerNumber": 40017, "CreditAccountId": null, "ReverseTax": null}'))).content
    assert body == (
        b'{"CustomerNumber":40017,"RetainsInvoiceType":null,"CurrencyId":1,"TermsOfPaymentId":null,"PaysInvoiceFee":null,'
        b'"InvoiceTypeId":null,"InterestTypeId":null,"InvoiceCycleId":null,"InvoiceRecipientCustomerNumber":null,"CreditAccountId":null,'
        b'"AllowInvoicePaymentFromOrder":null,"SendInvoiceFromOrderAsEmail":null,"InvoiceOrderPaymentEmailAddress":null,"ReverseTax":null}'
    )


@pytest.mark.parametrize("mode", SettingsWriteMode)
async def test_where_there_are_none_yet_either_mode_sends_what_is_given(mode: SettingsWriteMode) -> None:
    assert (await sent(write(mode, currency_id=1), NONE)).content == b'{"CustomerNumber":40017,"CurrencyId":1}'


async def test_a_replacement_sends_what_is_given_and_nothing_else() -> None:
    request = await sent(write(SettingsWriteMode.REPLACE, reverse_tax=True), answer(PILOT_SETTINGS))
    assert request.content == b'{"CustomerNumber":40017,"ReverseTax":true}'


async def test_null_clears_by_the_means_that_each_field_has() -> None:
    body = (await sent(write(SettingsWriteMode.REPLACE, **dict.fromkeys(ALL)), NONE)).content
    assert body == (
        b'{"CustomerNumber":40017,"RetainsInvoiceType":null,"CurrencyId":null,"TermsOfPaymentId":null,"PaysInvoiceFee":null,'
        b'"InvoiceTypeId":null,"InterestTypeId":null,"InvoiceCycleId":null,"InvoiceRecipientCustomerNumber":40017,"CreditAccountId":null,'
        b'"AllowInvoicePaymentFromOrder":null,"SendInvoiceFromOrderAsEmail":null,"InvoiceOrderPaymentEmailAddress":"","ReverseTax":null}'
    )


@pytest.mark.parametrize("before", [answer(PILOT_SETTINGS), answer(SETTINGS), NONE])
@pytest.mark.parametrize("after", [answer(PILOT_SETTINGS.replace('"CreditAccountId": 1', '"CreditAccountId": 9')), None, NONE])
async def test_a_look_from_the_journal_finds_what_a_look_of_this_process_finds(before: Response, after: Response | None) -> None:
    source, _ = make_source(before, after or before)
    prepared = await prepared_by(source, write(credit_account_id=9, reverse_tax=False))
    kept = load(dump(prepared), Prepared)
    assert kept is not None
    assert kept.request == prepared.request
    assert await source.look(kept, make_scope()) == await source.look(prepared, make_scope())
    assert await source.settle(kept, answer(APPLIED), make_scope()) == await source.settle(prepared, answer(APPLIED), make_scope())


async def test_a_look_from_the_journal_proves_a_write_or_that_there_was_none() -> None:
    source, _ = make_source(answer(PILOT_SETTINGS), answer(PILOT_SETTINGS.replace('"CreditAccountId": 1', '"CreditAccountId": 9')))
    kept = load(dump(await prepared_by(source, write(credit_account_id=9))), Prepared)
    assert kept is not None
    assert (await source.look(kept, make_scope())).outcome is MutationOutcome.APPLIED
    source, _ = make_source(answer(PILOT_SETTINGS))
    assert (await source.look(kept, make_scope())).outcome is MutationOutcome.REJECTED


def test_a_write_is_about_its_customer_and_not_about_the_recipient() -> None:
    source, _ = make_source(NONE)
    assert source.claims(write(SettingsWriteMode.MERGE, **ALL)) == Claims(targets=frozenset({"customer/40017"}))
