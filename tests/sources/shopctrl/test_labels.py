"""Names of statuses: asked once an hour, by askers together."""

from __future__ import annotations

import asyncio

import pytest

from gateway.errors import UpstreamUnavailable
from gateway.model import Kind, LabelRow, Ref
from gateway.sources.base import Fetch
from gateway.sources.shopctrl import labels
from gateway.sources.shopctrl.labels import Labels
from gateway.sources.shopctrl.source import ShopctrlSource
from gateway.transport import Response
from gateway.transport.wire import WireRequest
from tests.fakes import FakeClock, answer, make_parts, make_scope
from tests.sources.shopctrl.samples import INVOICE_STATUS, OPTIONS, ORDER_STATUS

pytestmark = pytest.mark.anyio

OF_INVOICES = Ref("shop", Kind.LABEL, "invoice-status/31")
OF_ORDERS = Ref("shop", Kind.LABEL, "order-status/12")


class Definitions:
    """Answers from `answers`, by the last word of the URL, and counts."""

    def __init__(self, **answers: Response) -> None:
        self.answers = answers
        self.asked: list[str] = []
        parts, _ = make_parts(OPTIONS, self.handle, key="shop", system="SHOPCTRL")
        assert isinstance(parts.clock, FakeClock)
        self.clock = parts.clock
        self.source = ShopctrlSource(parts)

    async def handle(self, request: WireRequest) -> Response:
        self.asked.append(request.url.split("/base", 1)[-1])
        await asyncio.sleep(0)
        return self.answers.get(request.url.rsplit("/", 1)[-1], answer("", 404))

    async def labels(self, *refs: Ref) -> list[object]:
        found = await self.source.fetch_many(Fetch.LABEL, refs, make_scope(10_000))
        return [row.label if isinstance(row, LabelRow) else row for row in found]


def definitions() -> Definitions:
    return Definitions(**{"31": answer(INVOICE_STATUS), "12": answer(ORDER_STATUS)})


async def test_a_status_of_invoices_and_one_of_orders_are_read_where_each_is_defined() -> None:
    there = definitions()
    assert await there.labels(OF_INVOICES, OF_ORDERS) == ["Open", "In behandeling"]
    assert sorted(there.asked) == ["/v1/InvoiceStatuses/31", "/v1/OrderStatuses/12"]


async def test_a_name_is_kept_for_an_hour() -> None:
    there = definitions()
    await there.labels(OF_INVOICES)
    there.clock.advance(3599)
    assert await there.labels(OF_INVOICES) == ["Open"]
    assert len(there.asked) == 1
    there.clock.advance(1)
    assert await there.labels(OF_INVOICES) == ["Open"]
    assert len(there.asked) == 2


@pytest.mark.parametrize("nothing", [answer("", 404), answer("null")])
async def test_a_status_that_is_not_defined_is_none_and_that_is_kept_too(nothing: Response) -> None:
    there = Definitions(**{"31": nothing})
    assert await there.labels(OF_INVOICES) == [None]
    assert await there.labels(OF_INVOICES) == [None]
    assert len(there.asked) == 1


async def test_askers_at_the_same_time_share_a_call() -> None:
    there = definitions()
    found = await asyncio.gather(*(there.labels(OF_INVOICES) for _ in range(20)))
    assert found == [["Open"]] * 20
    assert len(there.asked) == 1


async def test_a_failure_is_a_value_and_is_asked_again() -> None:
    there = Definitions(**{"31": answer("", 503)})
    (failure,) = await there.labels(OF_INVOICES)
    assert isinstance(failure, UpstreamUnavailable)
    there.answers["31"] = answer(INVOICE_STATUS)
    assert await there.labels(OF_INVOICES) == ["Open"]


async def test_no_more_names_are_kept_than_fit_and_the_oldest_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(labels, "KEPT_AT_MOST", 2)
    asked: list[str] = []

    async def fetch(ref: Ref, _scope: object) -> LabelRow | None:
        asked.append(ref.native_id)
        return None

    kept = Labels(fetch, FakeClock())
    for key in ("a", "b", "c", "b", "c", "a"):
        await kept.get(Ref("shop", Kind.LABEL, key), make_scope())
    assert asked == ["a", "b", "c", "a"]
