"""What every source promises its callers, the same for all of them, over the emulated systems and real HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.app import Gateway, make_gateway, settings_from
from gateway.errors import GatewayError, InvalidInput, UpstreamError
from gateway.loaders import Loaders
from gateway.model import Kind, Record, Ref
from gateway.sandbox.faults import Fault
from gateway.sandbox.server import RunningSandbox
from gateway.sources.base import Answer, Fetch, Scope, Source
from gateway.transport import Response
from gateway.transport.http1_wire import Http1Wire
from gateway.transport.tls import usual_tls_context
from gateway.transport.wire import Wire, WireRequest
from tests.fakes import FakeClock

pytestmark = pytest.mark.anyio

MARK = "7770"
"""Begins every key that no system has."""
ABSENT_GUID = "77700000-0000-4000-8000-{:012d}"
BAD = "UPSTREAM_BAD_RESPONSE"
LOST = "UPSTREAM_UNAVAILABLE"
FOUND = "found"
NOTHING = "nothing"
UNPROVEN = "ABSENCE_UNPROVEN"
AT_ONCE = 1000
SLOTS = 32

_KINDS = {
    Fetch.CUSTOMER: Kind.CUSTOMER,
    Fetch.ORDER: Kind.ORDER,
    Fetch.ORDER_LINES: Kind.ORDER,
    Fetch.INVOICE: Kind.INVOICE,
    Fetch.INVOICE_LINES: Kind.INVOICE,
    Fetch.PAYMENTS: Kind.INVOICE,
    Fetch.DOCUMENT: Kind.INVOICE,
    Fetch.INVOICE_SETTINGS: Kind.INVOICE_SETTINGS,
    Fetch.CURRENCY: Kind.CURRENCY,
    Fetch.LABEL: Kind.LABEL,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """One kind of fetch of one source.

    `struck`: the operation that fails, and how the request for the second key is known among the others; None: one read answers
    all keys, so that its failure is theirs. `empty`: what an empty 200 means. `absent`: what is answered to a key that is not there.
    """

    source: str
    system: str
    fetch: Fetch
    keys: tuple[str, str, str]
    missing: str
    operation: str
    struck: str | None
    empty: str = BAD
    absent: str = NOTHING

    def ref(self, key: str) -> Ref:
        return Ref(self.source, _KINDS[self.fetch], key)

    def missing_ref(self, number: int = 0) -> Ref:
        return self.ref(self.missing.format(number))

    def __str__(self) -> str:
        return f"{self.source}: {self.fetch}, {self.operation}"


_CUSTOMERS = ("1f900042-7ce6-5880-aa9d-bba4eb25a82d", "490f8a64-d263-5050-94c7-b735caf15b0f", "67ab945f-677b-58f0-b1b3-94960bc87621")
_TILL_ORDERS = ("1f3e5d7c-9b8a-4c6d-8e0f-a1b2c3d4e5f6", "72cab7fa-986a-52de-983f-d5e31db17fa5", "e310f285-5b8a-550c-85dd-6d199970cd3a")
_TILL_INVOICES = ("6a1d2f3e-4b5c-4d6e-8f70-8192a3b4c5d6", "c2134771-3d78-5e3a-9544-ab0618431e76", "6a060e3d-f4c0-5d38-94e3-0c0bebf06130")


def _till(fetch: Fetch, keys: tuple[str, str, str], operation: str, struck: str | None, **more: Any) -> Promise:  # noqa: ANN401  (fields)
    return Promise(source="pos", system="nimpos", fetch=fetch, keys=keys, missing=ABSENT_GUID, operation=operation, struck=struck, **more)


def _tyres(fetch: Fetch, keys: tuple[str, str, str], operation: str, struck: str | None, missing: str = f"{MARK}{{:04d}}") -> Promise:
    return Promise(source="subscriptions", system="compilator", fetch=fetch, keys=keys, missing=missing, operation=operation, struck=struck)


def _shop(fetch: Fetch, keys: tuple[str, str, str], operation: str, struck: str, **more: Any) -> Promise:  # noqa: ANN401  (fields)
    # Its pages do not say how it answers when there is nothing: an empty 200 is taken for that, too.
    given_fields = {"missing": f"{MARK}{{:04d}}", "empty": NOTHING, **more}
    return Promise(source="shop", system="shopctrl", fetch=fetch, keys=keys, operation=operation, struck=struck, **given_fields)


def _web(fetch: Fetch, keys: tuple[str, str, str], operation: str, struck: str | None, **more: Any) -> Promise:  # noqa: ANN401  (fields)
    given_fields = {"missing": f"{MARK}{{:04d}}", **more}
    return Promise(source="commerce", system="norce", fetch=fetch, keys=keys, operation=operation, struck=struck, **given_fields)


_SHOP_INVOICES = ("88010", "88014", "88015")
_SHOP_ORDERS = ("54712", "54714", "54716")
_WEB_INVOICES = ("50911", "50912", "50913")
_WEB_ORDERS = ("70213", "70214", "70215")
_TYRE_ORDERS = ("5440/12", "5441/12", "5442/12")

PROMISES = (
    _till(Fetch.CUSTOMER, _CUSTOMERS, "GetCustomers", None),
    _till(Fetch.ORDER, _TILL_ORDERS, "GetOrderById", _TILL_ORDERS[1], empty=NOTHING),
    _till(Fetch.ORDER_LINES, _TILL_ORDERS, "GetOrderById", _TILL_ORDERS[1], empty=NOTHING),
    _till(Fetch.INVOICE, _TILL_INVOICES, "GetCustomerInvoice", None, absent=UNPROVEN),
    _till(Fetch.PAYMENTS, _TILL_INVOICES, "GetCustomerInvoice", None, absent=UNPROVEN),
    _till(Fetch.PAYMENTS, _TILL_INVOICES, "GetCustomerDebts", None, absent=UNPROVEN),
    _tyres(Fetch.CUSTOMER, ("40001", "40002", "40017"), "GetCustomersChangedSince", None),
    _tyres(Fetch.ORDER, _TYRE_ORDERS, "GetOrder", "/5441/", f"{MARK}{{:04d}}/12"),
    _tyres(Fetch.ORDER_LINES, _TYRE_ORDERS, "GetOrder", "/5441/", f"{MARK}{{:04d}}/12"),
    _tyres(Fetch.INVOICE, ("910001", "910002", "910003"), "GetInvoice", "910002"),
    _tyres(Fetch.INVOICE_SETTINGS, ("40001", "40002", "40017"), "GetCustomerInvoice", "40002"),
    _tyres(Fetch.CURRENCY, ("1", "2", "3"), "GetCurrency", "/2"),
    _shop(Fetch.CUSTOMER, ("20400", "20401", "20417"), "GetCustomer", "20401"),
    _shop(Fetch.ORDER, _SHOP_ORDERS, "GetOrder", "54714"),
    _shop(Fetch.ORDER_LINES, _SHOP_ORDERS, "GetOrderRows", "54714"),
    _shop(Fetch.INVOICE, _SHOP_INVOICES, "GetInvoice", "88014"),
    _shop(Fetch.INVOICE_LINES, _SHOP_INVOICES, "GetInvoiceRows", "88014"),
    _shop(Fetch.PAYMENTS, _SHOP_INVOICES, "GetInvoice", "88014"),
    _shop(Fetch.PAYMENTS, _SHOP_INVOICES, "GetOrderPayments", "54716", empty=FOUND),
    _shop(Fetch.DOCUMENT, _SHOP_INVOICES, "GetInvoice", "88014"),
    _shop(Fetch.DOCUMENT, _SHOP_INVOICES, "GetFile", "990104"),
    _shop(
        Fetch.LABEL,
        ("invoice-status/41", "invoice-status/63", "invoice-status/46"),
        "GetInvoiceStatus",
        "/63",
        missing=f"invoice-status/{MARK}{{:04d}}",
    ),
    _web(
        Fetch.CUSTOMER,
        ("customer/31000", "customer/31001", "customer/31002"),
        "GetCustomer",
        "31001",
        missing=f"customer/{MARK}{{:04d}}",
    ),
    _web(Fetch.ORDER, _WEB_ORDERS, "QueryOrders", None),
    _web(Fetch.ORDER, _WEB_ORDERS, "GetOrderByNo", "N-100342"),
    _web(Fetch.ORDER_LINES, _WEB_ORDERS, "QueryOrders", None),
    _web(Fetch.INVOICE, _WEB_INVOICES, "GetInvoice", "50912"),
    _web(Fetch.INVOICE_LINES, _WEB_INVOICES, "GetInvoice", "50912"),
)
# Of each kind of fetch the first: what else it asks does not change which keys there are.
FETCHES = tuple({(promise.source, promise.fetch): promise for promise in reversed(PROMISES)}.values())
NODES = {Kind.CUSTOMER, Kind.ORDER, Kind.INVOICE, Kind.INVOICE_SETTINGS}
EACH_PROMISE = pytest.mark.parametrize("promise", PROMISES, ids=str)
EACH_FETCH = pytest.mark.parametrize("promise", FETCHES, ids=str)


class CountingWire:
    """Carries requests, and counts how many are under way; what is asked of keys that no system has is asked once and then known."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._absences: dict[str, Response] = {}
        self.in_flight = 0
        self.most_in_flight = 0
        self.count = 0

    async def send(self, request: WireRequest) -> Response:
        self.count += 1
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            return await self._answer(request)
        finally:
            self.in_flight -= 1

    async def _answer(self, request: WireRequest) -> Response:
        path, mark, _ = request.url.partition(MARK)
        if mark and path in self._absences:
            await asyncio.sleep(0)  # under way for a moment, as every call is
            return self._absences[path]
        answer = await self._wire.send(request)
        if mark:
            self._absences[path] = answer
        return answer

    async def aclose(self) -> None:
        await self._wire.aclose()


@asynccontextmanager
async def open_gateway(running: RunningSandbox, clock: FakeClock, wire: Wire | None = None) -> AsyncIterator[Gateway]:
    gateway = make_gateway(settings_from({"sources": running.sandbox.source_tables(running.base_url)}), wire, clock)
    try:
        yield gateway
    finally:
        await gateway.aclose()


@pytest.fixture(scope="module")
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(scope="module")
async def shared_gateway(shared_sandbox: RunningSandbox, clock: FakeClock) -> AsyncIterator[Gateway]:
    async with open_gateway(shared_sandbox, clock) as gateway:
        yield gateway


@pytest.fixture
def gateway(shared_gateway: Gateway, sandbox: RunningSandbox, clock: FakeClock) -> Gateway:
    """Take the one gateway of this module over a sandbox at its seed, and so much later that no source knows anything any more."""
    del sandbox
    clock.advance(100_000)
    return shared_gateway


def source_of(gateway: Gateway, promise: Promise) -> Source:
    found = gateway.sources.get(promise.source)
    assert found is not None
    return found


def scope(clock: FakeClock) -> Scope:
    return Scope(request_id="test", deadline=clock.monotonic() + 30)


async def answers(gateway: Gateway, promise: Promise, refs: list[Ref], clock: FakeClock) -> list[Answer]:
    return list(await source_of(gateway, promise).fetch_many(promise.fetch, refs, scope(clock)))


def outcome(answer: Answer) -> str:
    """Say in a word what an answer is; a failure by its code."""
    if isinstance(answer, GatewayError):
        return answer.code
    return NOTHING if answer is None else FOUND


def outcomes(got: Sequence[Answer]) -> list[str]:
    return [outcome(answer) for answer in got]


def fail(running: RunningSandbox, promise: Promise, kind: Any) -> None:  # noqa: ANN401  (one of the kinds of `Fault`)
    status = 500 if kind == "status" else None
    running.sandbox.faults.add(Fault(system=promise.system, operation=promise.operation, kind=kind, match=promise.struck, status=status))


# ------------------------------------------------------------------ keys


@EACH_FETCH
async def test_each_key_has_its_own_answer_in_the_order_asked(gateway: Gateway, clock: FakeClock, promise: Promise) -> None:
    first, second, third = promise.keys
    refs = [promise.ref(third), promise.missing_ref(), promise.ref(first), promise.ref(second)]

    together = await answers(gateway, promise, refs, clock)

    alone = [(await answers(gateway, promise, [ref], clock))[0] for ref in refs]
    assert outcomes(together) == [FOUND, promise.absent, FOUND, FOUND]
    assert [answer for answer in together if outcome(answer) == FOUND] == [answer for answer in alone if outcome(answer) == FOUND]
    assert all(answer.ref == ref for ref, answer in zip(refs, together, strict=True) if isinstance(answer, Record))


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
@EACH_FETCH
async def test_any_mix_of_keys_is_answered_in_order_and_completely(
    shared_gateway: Gateway, clock: FakeClock, promise: Promise, data: st.DataObject
) -> None:
    there = st.sampled_from([promise.ref(key) for key in promise.keys])
    absent = st.integers(0, 9).map(promise.missing_ref)
    refs = data.draw(st.lists(st.one_of(there, absent), max_size=6, unique=True))

    got = await answers(shared_gateway, promise, refs, clock)

    assert outcomes(got) == [FOUND if ref.native_id in promise.keys else promise.absent for ref in refs]
    assert [answer.ref for answer in got if isinstance(answer, Record)] == [
        ref for ref, answer in zip(refs, got, strict=True) if isinstance(answer, Record)
    ]


@pytest.mark.parametrize("source", ["pos", "subscriptions", "shop", "commerce"])
async def test_a_key_asked_for_many_times_in_a_request_is_asked_of_the_source_once(
    gateway: Gateway, sandbox: RunningSandbox, clock: FakeClock, source: str
) -> None:
    promise = next(promise for promise in FETCHES if promise.source == source and promise.fetch is Fetch.ORDER)
    ref = promise.ref(promise.keys[0])
    await answers(gateway, promise, [ref], clock)  # signs in
    sandbox.sandbox.reset_calls()
    await answers(gateway, promise, [ref], clock)
    cost_of_one = dict(sandbox.sandbox.calls.by_operation)
    sandbox.sandbox.reset_calls()
    loaders = Loaders(gateway.sources, scope(clock))

    first, *others = await asyncio.gather(*(loaders.load_record(ref) for _ in range(50)))

    again = await loaders.load_record(ref)
    assert first is not None
    assert all(other is first for other in (*others, again))
    assert dict(sandbox.sandbox.calls.by_operation) == cost_of_one


async def test_a_source_is_asked_for_its_own_keys_only(gateway: Gateway, sandbox: RunningSandbox, clock: FakeClock) -> None:
    loaders = Loaders(gateway.sources, scope(clock))
    orders = [promise for promise in FETCHES if promise.fetch is Fetch.ORDER]
    foreign = Ref("nobody", Kind.ORDER, "1")

    got = await asyncio.gather(*(loaders.load_record(promise.ref(promise.keys[0])) for promise in orders), loaders.load_record(foreign))

    assert [None if record is None else record.ref.source for record in got] == [*(promise.source for promise in orders), None]
    asked = {system: [request.path for request in sandbox.sandbox.requests.of(system)] for system in sandbox.sandbox.emulators}
    for promise in orders:
        others = [path for system, paths in asked.items() if system != promise.system for path in paths]
        assert not any(promise.keys[0] in path for path in others)


@pytest.mark.parametrize("promise", [promise for promise in FETCHES if _KINDS[promise.fetch] in NODES], ids=str)
async def test_what_can_be_no_key_is_refused_without_a_call(gateway: Gateway, sandbox: RunningSandbox, promise: Promise) -> None:
    with pytest.raises(InvalidInput):
        source_of(gateway, promise).canonical(_KINDS[promise.fetch], " \n")
    assert sandbox.sandbox.calls.total == 0


BULK = [
    promise
    for promise in FETCHES
    if promise.fetch in {Fetch.CUSTOMER, Fetch.INVOICE} or (promise.source, promise.fetch) == ("pos", Fetch.ORDER)
]


@pytest.mark.parametrize("promise", BULK, ids=str)
async def test_a_thousand_keys_at_once_are_answered_in_order_and_never_take_more_than_the_slots(
    sandbox: RunningSandbox, clock: FakeClock, promise: Promise
) -> None:
    wire = CountingWire(Http1Wire(tls=usual_tls_context()))
    refs = [promise.missing_ref(number) for number in range(AT_ONCE)]
    there = {number: promise.ref(key) for number, key in zip((0, 500, AT_ONCE - 1), promise.keys, strict=True)}
    for number, ref in there.items():
        refs[number] = ref

    async with open_gateway(sandbox, clock, wire) as cold:
        got = await answers(cold, promise, refs, clock)

    assert [number for number, answer in enumerate(got) if isinstance(answer, Record)] == sorted(there)
    assert [answer.ref for answer in got if isinstance(answer, Record)] == list(there.values())
    assert {outcome(answer) for number, answer in enumerate(got) if number not in there} == {promise.absent}
    assert wire.most_in_flight == SLOTS if promise.struck is not None else wire.most_in_flight <= SLOTS
    assert wire.in_flight == 0


# ------------------------------------------------------------------ failures


@pytest.mark.parametrize(
    ("kind", "code"), [("malformed", BAD), ("wrong_type", BAD), ("empty", None), ("reset_mid_body", LOST), ("status", LOST)]
)
@EACH_PROMISE
async def test_an_answer_that_is_none_is_a_failure_of_the_keys_it_was_for_and_of_no_other(
    gateway: Gateway, sandbox: RunningSandbox, clock: FakeClock, promise: Promise, kind: str, code: str | None
) -> None:
    fail(sandbox, promise, kind)

    got = await answers(gateway, promise, [promise.ref(key) for key in promise.keys], clock)

    expected = code or promise.empty
    assert outcomes(got) == ([expected] * 3 if promise.struck is None else [FOUND, expected, FOUND])
    errors = [answer for answer in got if isinstance(answer, UpstreamError)]
    assert all(error.source == promise.source and error.operation for error in errors)


@pytest.mark.parametrize("promise", [promise for promise in PROMISES if promise.struck is None], ids=str)
async def test_a_read_for_all_keys_that_failed_is_made_again_by_the_next_request(
    sandbox: RunningSandbox, clock: FakeClock, promise: Promise
) -> None:
    refs = [promise.ref(key) for key in promise.keys]
    async with open_gateway(sandbox, clock) as cold:
        fail(sandbox, promise, "status")
        assert outcomes(await answers(cold, promise, refs, clock)) == [LOST] * 3
        sandbox.sandbox.faults.clear()

        assert outcomes(await answers(cold, promise, refs, clock)) == [FOUND] * 3
