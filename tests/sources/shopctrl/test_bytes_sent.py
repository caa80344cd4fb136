"""The command that invoices an order, to the last byte, and that what is kept of it outlives the process."""

from __future__ import annotations

import json

import pytest

from gateway.model import CreateInvoiceFromOrder, Kind, MutationOutcome, Ref
from gateway.mutations.stored import dump, load
from gateway.sources.base import Claims, Prepared
from gateway.sources.shopctrl.source import ShopctrlSource
from gateway.transport import NO_BODY
from tests.fakes import BASE_URL, answer, make_scope
from tests.sources.shopctrl.installation import Installation, invoice, order

pytestmark = pytest.mark.anyio

WRITE = CreateInvoiceFromOrder(order=Ref("shop", Kind.ORDER, "55012"))
BY_ID = "/v1/Orders/55012"


def an_installation(*invoices: int) -> Installation:
    """Make one whose order 55012 has these invoices."""
    rows = [invoice(key, of=55012) for key in invoices]
    return Installation({3: []}, {55012: rows}, {BY_ID: json.dumps(order(55012))})


async def prepared_by(source: ShopctrlSource) -> Prepared:
    prepared = await source.prepare(WRITE, make_scope())
    assert isinstance(prepared, Prepared)
    return prepared


async def test_the_command_has_a_target_and_neither_body_nor_type_of_one() -> None:
    source, wire = an_installation().source()
    prepared = await prepared_by(source)
    assert (prepared.request.json, prepared.request.content) == (NO_BODY, None)
    await source.send(prepared, make_scope())
    (request,) = [request for request in wire.requests if request.method == "POST"]
    assert (request.url, request.content) == (f"{BASE_URL}/v1/Orders/55012/Invoices", None)
    assert request.headers == {"accept": "application/json", "user-agent": "invoice-gateway"}


async def test_a_look_from_the_journal_finds_what_a_look_of_this_process_finds() -> None:
    installation = an_installation(88000)
    source, _ = installation.source()
    prepared = await prepared_by(source)
    kept = load(dump(prepared), Prepared)
    assert kept is not None
    assert kept.request == prepared.request
    assert kept.request.content is None
    absent = await source.look(kept, make_scope())
    assert absent == await source.look(prepared, make_scope())
    assert absent.outcome is MutationOutcome.REJECTED
    installation.invoices[55012].append(invoice(88121, of=55012))
    found = await source.look(kept, make_scope())
    assert found == await source.look(prepared, make_scope())
    assert (found.outcome, found.record and found.record.ref) == (MutationOutcome.APPLIED, Ref("shop", Kind.INVOICE, "88121"))
    echo = answer(json.dumps(invoice(88121, of=55012)))
    assert await source.settle(kept, echo, make_scope()) == await source.settle(prepared, echo, make_scope())


async def test_an_unknown_outcome_names_the_order_to_look_at() -> None:
    installation = an_installation()
    source, _ = installation.source()
    prepared = await prepared_by(source)
    installation.invoices[55012].extend([invoice(88121, of=55012), invoice(88122, of=55012)])
    assert [error.message for error in (await source.look(prepared, make_scope())).errors] == [
        (
            "it is not known whether an invoice was made, as the order has several new invoices (ids 88121, 88122): "
            "look at the invoices of the order O-55012 (id 55012)"
        )
    ]


def test_a_write_is_about_its_order() -> None:
    source, _ = an_installation().source()
    assert source.claims(WRITE) == Claims(targets=frozenset({"order/55012"}))
