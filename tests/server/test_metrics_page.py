"""What is scraped of a gateway, over real gateway parts, with upstreams that are functions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from gateway.app import create_app, settings_from
from gateway.model import MutationOutcome
from gateway.server import AttemptCounts
from gateway.settings import Settings
from gateway.transport import Response
from gateway.transport.wire import WireRequest, WireTimeout
from tests.fakes import FakeClock, FakeWire, Handler, answer
from tests.trail import Story, take_down

pytestmark = pytest.mark.anyio

KEY = "secret"
TILL = "c7cf3ff9-453b-4c07-8f57-3274a1f04373"
SHOP = {"system": "shopctrl", "base_url": "https://shop.example", "shop_ids": [1], "shop_owner_id": 1, "retries": 0}
POS = {"system": "nimpos", "base_url": "https://pos.example", "terminal_ids": [TILL], "retries": 0}
ORDER = 'query Named { order(by: {native: {source: "shop", id: "1"}}) { number } }'
CUSTOMER = '{ customer(by: {native: {source: "pos", id: "3f0c8f52-9d0d-4b52-8a57-6f8b2b8c1d01"}}) { name } }'
CUSTOMERS = '[{"Id": "3f0c8f52-9d0d-4b52-8a57-6f8b2b8c1d01", "CustomerNo": 7, "Name": "Bageri", "Updated": "2026-11-01T10:00:00"}]'

Labels = frozenset[tuple[str, str]]


def labels(**values: str) -> Labels:
    return frozenset(values.items())


@dataclass(frozen=True)
class Scrape:
    """What `/metrics` gave; names without what they all begin with."""

    values: Mapping[tuple[str, Labels], float]

    def of(self, name: str) -> dict[Labels, float]:
        return {found: value for (known, found), value in self.values.items() if known == f"invoice_gateway_{name}"}

    def one(self, name: str, **values: str) -> float | None:
        return self.values.get((f"invoice_gateway_{name}", labels(**values)))


@dataclass(frozen=True)
class Gateway:
    client: httpx.AsyncClient
    wire: FakeWire
    clock: FakeClock
    take: Callable[[Settings], Awaitable[object]]

    async def ask(self, query: str, **body: object) -> dict[str, Any]:
        response = await self.client.post("/graphql", json={"query": query, **body}, headers={"authorization": f"Bearer {KEY}"})
        found: dict[str, Any] = response.json()
        return found

    async def scrape(self, key: str = KEY) -> Scrape:
        response = await self.client.get("/metrics", headers={"authorization": f"Bearer {key}"})
        assert response.status_code == 200, response.text
        samples = [sample for family in text_string_to_metric_families(response.text) for sample in family.samples]
        return Scrape({(sample.name, frozenset(sample.labels.items())): sample.value for sample in samples})


@asynccontextmanager
async def opened(
    handler: Handler = lambda _: answer("null"),
    sources: Mapping[str, Mapping[str, object]] | None = None,
    server: Mapping[str, object] | None = None,
    clock: FakeClock | None = None,
    **tables: object,
) -> AsyncIterator[Gateway]:
    wire, used_clock = FakeWire(handler), clock or FakeClock()
    settings = {"server": {"state": "sqlite://", **(server or {})}, "sources": sources or {"shop": SHOP, "pos": POS}, **tables}
    app = create_app(settings_from(settings), wire=wire, clock=used_clock)
    transport = httpx.ASGITransport(app)
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url="http://gateway.example") as client:
        yield Gateway(client, wire, used_clock, app.state.take)


def caller(*permissions: str, sources: tuple[str, ...] = ("*",), name: str = "c", key: str = KEY) -> dict[str, object]:
    return {"name": name, "key_sha256": sha256(key.encode()).hexdigest(), "permissions": list(permissions), "sources": list(sources)}


# ------------------------------------------------------------------ requests


async def test_requests_are_counted_by_what_became_of_them() -> None:
    async with opened(lambda request: answer(status=503) if request.url.endswith("/1") else answer("null")) as gateway:
        await gateway.ask('{ order(by: {native: {source: "shop", id: "2"}}) { number } }')
        await gateway.ask(ORDER)
        await gateway.ask("{ nothing }")
        await gateway.client.post("/graphql", content="{")
        scrape = await gateway.scrape()

    assert scrape.of("requests_total") == {
        labels(operation="other", type="query", outcome="ok"): 1,
        labels(operation="other", type="query", outcome="partial"): 1,
        labels(operation="other", type="query", outcome="refused"): 1,
        labels(operation="other", type="unread", outcome="refused"): 1,
    }
    assert scrape.of("errors_total") == {
        labels(code="UPSTREAM_UNAVAILABLE"): 1,
        labels(code="GRAPHQL_VALIDATION_FAILED"): 1,
        labels(code="BAD_USER_INPUT"): 1,
    }


async def test_a_bug_is_counted_as_a_failure_of_ours() -> None:
    def bug(_: WireRequest) -> Response:
        raise RuntimeError("a bug")

    async with opened(bug) as gateway:
        await gateway.ask(ORDER)
        scrape = await gateway.scrape()

    assert scrape.of("requests_total") == {labels(operation="other", type="query", outcome="partial"): 1}
    assert scrape.of("errors_total") == {labels(code="INTERNAL"): 1}


async def test_only_operations_that_are_configured_are_told_by_name() -> None:
    async with opened(telemetry={"operations": ["Named", "Other"]}) as gateway:
        await gateway.ask(ORDER)
        await gateway.ask(ORDER.replace("Named", "Secret"))
        await gateway.ask(f"{ORDER} query Further {{ __typename }}", operationName="Further")
        await gateway.ask(f"{ORDER} query Further {{ __typename }}", operationName="Named")
        scrape = await gateway.scrape()

    assert scrape.of("requests_total") == {
        labels(operation="Named", type="query", outcome="ok"): 2,
        labels(operation="other", type="query", outcome="ok"): 2,
    }


async def test_operations_of_trusted_documents_are_told_by_name(tmp_path: Path) -> None:
    manifest = tmp_path / "manifest.json"
    manifest.write_text('{"overview": "query Overview { __typename }"}')
    async with opened(server={"trusted_documents": "allow", "documents": str(manifest)}) as gateway:
        await gateway.ask("query Overview { __typename }")
        await gateway.ask("query Unknown { __typename }")
        scrape = await gateway.scrape()

    assert {dict(found)["operation"] for found in scrape.of("requests_total")} == {"Overview", "other"}


async def test_a_request_for_which_there_is_no_room_is_counted() -> None:
    asked, release = asyncio.Event(), asyncio.Event()

    async def hold(_: WireRequest) -> Response:
        asked.set()
        await release.wait()
        return answer("null")

    async with opened(hold, limits={"max_requests_in_flight": 1}) as gateway:
        first = asyncio.ensure_future(gateway.ask(ORDER))
        await asked.wait()
        await gateway.ask(ORDER)
        meanwhile = await gateway.scrape()
        release.set()
        await first

    assert meanwhile.of("requests_total") == {labels(operation="other", type="unread", outcome="failed"): 1}
    assert meanwhile.of("errors_total") == {labels(code="OVERLOADED"): 1}
    assert meanwhile.one("requests_in_flight") == 1


async def test_documents_are_requests_too() -> None:
    async with opened() as gateway:
        await gateway.client.get("/documents/none")
        scrape = await gateway.scrape()

    assert [dict(found)["type"] for found in scrape.of("requests_total")] == ["document"]


# ------------------------------------------------------------------ time


async def test_overhead_is_the_time_in_which_no_upstream_was_waited_for() -> None:
    clock = FakeClock()

    def takes_two_seconds(_: WireRequest) -> Response:
        clock.advance(2)
        return answer("null")

    async with opened(takes_two_seconds, clock=clock) as gateway:
        await gateway.ask(ORDER)
        scrape = await gateway.scrape()

    assert scrape.one("request_seconds_sum", type="query") == 2
    assert scrape.one("overhead_seconds_sum", type="query") == 0
    assert scrape.one("upstream_call_seconds_sum", source="shop", operation="GET v1/Orders/{id}") == 2


async def test_calls_at_the_same_time_are_waited_for_once() -> None:
    clock, both = FakeClock(), asyncio.Barrier(2)

    async def one_after_another(request: WireRequest) -> Response:
        await both.wait()
        clock.advance(1 if request.url.endswith("/1") else 4)
        return answer("null")

    order = 'order(by: {native: {source: "shop", id: "%d"}}) { number }'
    async with opened(one_after_another, clock=clock) as gateway:
        await gateway.ask(f"{{ a: {order % 1} b: {order % 2} }}")
        scrape = await gateway.scrape()

    assert scrape.one("request_seconds_sum", type="query") == 5
    assert scrape.one("overhead_seconds_sum", type="query") == 0


async def test_who_waits_for_what_another_request_has_begun_waits_for_an_upstream() -> None:
    clock, asked, release = FakeClock(), asyncio.Event(), asyncio.Event()

    async def hold(_: WireRequest) -> Response:
        asked.set()
        await release.wait()
        return answer(CUSTOMERS)

    async with opened(hold, clock=clock) as gateway:
        requests = [asyncio.ensure_future(gateway.ask(CUSTOMER))]
        await asked.wait()
        requests.append(asyncio.ensure_future(gateway.ask(CUSTOMER)))
        for _ in range(200):
            await asyncio.sleep(0)
        clock.advance(3)
        release.set()
        await asyncio.gather(*requests)
        scrape = await gateway.scrape()

    assert len(gateway.wire.requests) == 1
    assert scrape.one("request_seconds_sum", type="query") == 6
    assert scrape.one("overhead_seconds_sum", type="query") == 0


async def test_the_arrival_of_a_body_is_no_time_of_the_gateway() -> None:
    clock = FakeClock()

    async def slowly() -> AsyncIterator[bytes]:
        yield b'{"query": '
        clock.advance(4)
        yield b'"{ __typename }"}'

    async with opened(clock=clock) as gateway:
        await gateway.client.post("/graphql", content=slowly(), headers={"content-type": "application/json"})
        scrape = await gateway.scrape()

    assert scrape.of("request_seconds_sum") == scrape.of("overhead_seconds_sum") == {labels(type="query"): 0}


async def test_time_of_the_gateway_itself_is_overhead() -> None:
    class Ticking(FakeClock):
        """Goes on by an eighth of a second each time it is looked at."""

        def monotonic(self) -> float:
            self.advance(0.125)
            return super().monotonic()

    async with opened(clock=Ticking()) as gateway:
        await gateway.ask("{ __typename }")
        scrape = await gateway.scrape()

    overhead = scrape.one("overhead_seconds_sum", type="query")
    assert overhead is not None
    assert overhead == scrape.one("request_seconds_sum", type="query")
    assert overhead >= 0.125


# ------------------------------------------------------------------ upstreams


async def test_upstream_calls_are_counted_by_source_operation_and_code() -> None:
    codes = {"/1": answer(status=503), "/2": answer("null", 404), "/3": answer("{", 200), "/4": answer(status=403), "/5": answer("null")}

    def handle(request: WireRequest) -> Response:
        if request.url.endswith("/6"):
            raise WireTimeout("no answer in time")
        return next(given for end, given in codes.items() if request.url.endswith(end))

    async with opened(handle, {"shop": {**SHOP, "breaker_calls": 100}}) as gateway:
        for number in range(1, 7):
            await gateway.ask(f'{{ order(by: {{native: {{source: "shop", id: "{number}"}}}}) {{ number }} }}')
        scrape = await gateway.scrape()

    calls = {dict(found)["code"]: value for found, value in scrape.of("upstream_calls_total").items()}
    failures = {dict(found)["code"]: value for found, value in scrape.of("upstream_failures_total").items()}
    assert {dict(found)["operation"] for found in scrape.of("upstream_calls_total")} == {"GET v1/Orders/{id}"}
    assert calls == {"UPSTREAM_UNAVAILABLE": 1, "NOT_FOUND": 1, "OK": 2, "UPSTREAM_AUTH": 1, "UPSTREAM_TIMEOUT": 1}
    assert failures == {"UPSTREAM_UNAVAILABLE": 1, "UPSTREAM_BAD_RESPONSE": 1, "UPSTREAM_AUTH": 1, "UPSTREAM_TIMEOUT": 1}


async def test_attempts_after_the_first_are_counted() -> None:
    async with opened(lambda _: answer(status=503, **{"retry-after": "0"}), {"shop": {**SHOP, "retries": 2}}) as gateway:
        await gateway.ask(ORDER)
        scrape = await gateway.scrape()

    operation = {"source": "shop", "operation": "GET v1/Orders/{id}"}
    assert scrape.one("upstream_calls_total", code="UPSTREAM_UNAVAILABLE", **operation) == 3
    assert scrape.one("upstream_retries_total", **operation) == 2
    assert scrape.one("upstream_failures_total", code="UPSTREAM_UNAVAILABLE", **operation) == 1


async def test_reads_that_share_a_call_are_counted_and_so_are_those_in_flight() -> None:
    release = asyncio.Event()

    async def hold(_: WireRequest) -> Response:
        await release.wait()
        return answer("null")

    async with opened(hold) as gateway:
        requests = [asyncio.ensure_future(gateway.ask(ORDER)) for _ in range(3)]
        for _ in range(200):
            await asyncio.sleep(0)
        meanwhile = await gateway.scrape()
        release.set()
        await asyncio.gather(*requests)

    assert meanwhile.one("upstream_coalesced_total", source="shop", operation="GET v1/Orders/{id}") == 2
    assert meanwhile.one("upstream_in_flight", source="shop") == 1
    assert meanwhile.one("upstream_in_flight_limit", source="shop") == 32


async def test_requests_that_wait_for_a_call_are_counted() -> None:
    release = asyncio.Event()

    async def hold(_: WireRequest) -> Response:
        await release.wait()
        return answer("null")

    async with opened(hold, {"shop": {**SHOP, "max_in_flight": 1}}) as gateway:
        requests = [asyncio.ensure_future(gateway.ask(ORDER.replace('"1"', f'"{number}"'))) for number in (1, 2, 3)]
        for _ in range(200):
            await asyncio.sleep(0)
        meanwhile = await gateway.scrape()
        release.set()
        await asyncio.gather(*requests)

    assert meanwhile.one("upstream_queue", source="shop") == 2
    assert meanwhile.one("upstream_queue_limit", source="shop") == 64


async def test_an_open_breaker_and_a_pause_are_told() -> None:
    answers = {"shop.example": answer(status=500), "pos.example": answer(status=429, **{"retry-after": "90"})}
    handle = lambda request: next(given for host, given in answers.items() if host in request.url)  # noqa: E731  (of this test alone)
    async with opened(handle, {"shop": {**SHOP, "breaker_calls": 1}, "pos": POS}) as gateway:
        before = await gateway.scrape()
        await gateway.ask(ORDER)
        await gateway.ask(CUSTOMER)
        gateway.clock.advance(4)
        after = await gateway.scrape()

    assert before.of("breaker_open") == {labels(source="shop"): 0, labels(source="pos"): 0}
    assert after.of("breaker_open") == {labels(source="shop"): 1, labels(source="pos"): 0}
    assert after.of("gate_seconds") == {labels(source="shop"): 0, labels(source="pos"): 86}


async def test_an_index_is_told_with_its_rows_and_age_once_it_was_read() -> None:
    async with opened(lambda request: answer(CUSTOMERS if "GetCustomers" in request.url else "[]")) as gateway:
        before = await gateway.scrape()
        await gateway.ask(CUSTOMER)
        gateway.clock.advance(20)
        after = await gateway.scrape()

    assert before.of("index_age_seconds") == {}
    assert after.of("index_age_seconds") == {labels(source="pos", index="GetCustomers"): 20}
    assert after.one("index_rows", source="pos", index="GetCustomers") == 1


async def test_plans_are_counted() -> None:
    async with opened() as gateway:
        await gateway.ask(ORDER)
        scrape = await gateway.scrape()

    assert scrape.of("plans_total") == {labels(way="plan"): 1, labels(way="fallback"): 0}


# ------------------------------------------------------------------ the journal


async def test_writes_that_are_not_settled_are_counted_by_how_far_they_came(tmp_path: Path) -> None:
    state = f"sqlite:///{tmp_path}/gateway.db"
    stories = [Story(key="a", outcome=MutationOutcome.UNKNOWN), Story(key="b", outcome=None), Story(key="c", outcome=None, was_sent=False)]
    await take_down(state, *stories, Story(key="d"))
    async with opened(server={"state": state}) as gateway:
        scrape = await gateway.scrape()

    assert scrape.of("attempts") == {labels(state="UNKNOWN"): 1, labels(state="SENDING"): 1, labels(state="RECEIVED"): 1}
    assert scrape.one("journal_up") == 1


async def test_the_journal_is_asked_once_in_ten_seconds(tmp_path: Path) -> None:
    state = f"sqlite:///{tmp_path}/gateway.db"
    async with opened(server={"state": state}) as gateway:
        first = await gateway.scrape()
        await take_down(state, Story(key="a", outcome=MutationOutcome.UNKNOWN))
        gateway.clock.advance(9)
        second = await gateway.scrape()
        gateway.clock.advance(1)
        third = await gateway.scrape()

    assert [scrape.one("attempts", state="UNKNOWN") for scrape in (first, second, third)] == [0, 0, 1]


async def test_a_journal_that_is_gone_is_told_and_all_else_is_told_nevertheless(tmp_path: Path) -> None:
    file = tmp_path / "gateway.db"
    async with opened(server={"state": f"sqlite:///{file}"}) as gateway:
        await gateway.ask(ORDER)
        file.unlink()
        gateway.clock.advance(10)
        scrape = await gateway.scrape()

    assert scrape.one("journal_up") == 0
    assert scrape.of("attempts") == {}
    assert scrape.one("requests_total", operation="other", type="query", outcome="ok") == 1


async def test_a_journal_that_takes_too_long_is_not_waited_for() -> None:
    async def hang() -> Mapping[str, int]:
        await asyncio.Event().wait()
        return {}

    assert await AttemptCounts(hang, FakeClock(), longest_seconds=0).current() is None


async def test_who_asks_while_the_journal_is_asked_is_told_the_same() -> None:
    asked = 0

    async def count() -> Mapping[str, int]:
        nonlocal asked
        asked += 1
        await asyncio.sleep(0)
        return {"UNKNOWN": 2}

    counts = AttemptCounts(count, FakeClock())

    assert list(await asyncio.gather(counts.current(), counts.current())) == [{"UNKNOWN": 2}, {"UNKNOWN": 2}]
    assert asked == 1


async def test_writes_are_counted_by_their_outcome() -> None:
    write = """mutation { createInvoiceFromOrder(order: {native: {source: "shop", id: "1"}}, idempotencyKey: "%s") { outcome } }"""
    async with opened(lambda _: answer(status=400)) as gateway:
        for key in ("first", "second"):
            await gateway.ask(write % key)
        scrape = await gateway.scrape()

    assert sum(scrape.of("writes_total").values()) == 2
    assert {dict(found)["source"] for found in scrape.of("writes_total")} == {"shop"}


async def test_numbers_outlive_another_configuration() -> None:
    tables = {"server": {"state": "sqlite://"}, "sources": {"shop": {**SHOP, "timeout_seconds": 2}}, "telemetry": {"operations": ["Named"]}}
    async with opened() as gateway:
        await gateway.ask(ORDER)
        await gateway.take(settings_from(tables))
        await gateway.ask(ORDER)
        scrape = await gateway.scrape()

    assert scrape.of("requests_total") == {
        labels(operation="other", type="query", outcome="ok"): 1,
        labels(operation="Named", type="query", outcome="ok"): 1,
    }
    assert scrape.one("upstream_calls_total", source="shop", operation="GET v1/Orders/{id}", code="OK") == 2
    assert scrape.one("plans_total", way="plan") == 2
    assert scrape.of("breaker_open") == {labels(source="shop"): 0}


# ------------------------------------------------------------------ for whom


async def test_it_is_prometheus_text() -> None:
    async with opened() as gateway:
        response = await gateway.client.get("/metrics")

    assert response.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert response.headers["cache-control"] == "no-store"


async def test_it_is_for_callers_with_the_permission_alone() -> None:
    scraper, script = caller("metrics", name="scraper"), caller("read", "write", "raw", "explorer", "audit", name="script", key="other")
    async with opened(callers=[scraper, script]) as gateway:
        answers = [
            await gateway.client.get("/metrics", headers=headers)
            for headers in ({}, {"authorization": "Bearer other"}, {"authorization": f"Bearer {KEY}"})
        ]

    assert [response.status_code for response in answers] == [401, 403, 200]
    assert answers[1].json()["errors"][0]["message"] == "this page needs the permission metrics"


async def test_a_scraper_can_do_nothing_else() -> None:
    async with opened(callers=[caller("metrics")]) as gateway:
        asked = await gateway.ask(ORDER)
        page = await gateway.client.get("/sources", headers={"authorization": f"Bearer {KEY}"})

    assert asked["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert page.status_code == 403


async def test_a_caller_is_told_of_its_own_sources_alone() -> None:
    callers = [caller("metrics", sources=("shop",)), caller("read", name="reader", key="reader")]
    async with opened(callers=callers) as gateway:
        await gateway.client.post("/graphql", json={"query": CUSTOMER}, headers={"authorization": "Bearer reader"})
        response = await gateway.client.get("/metrics", headers={"authorization": f"Bearer {KEY}"})

    assert 'source="shop"' in response.text
    assert 'source="pos"' not in response.text


async def test_where_it_is_open_nobody_needs_a_key() -> None:
    async with opened(callers=[caller("read")], telemetry={"open_metrics": True}) as gateway:
        response = await gateway.client.get("/metrics")

    assert response.status_code == 200
    assert 'source="pos"' in response.text


async def test_without_a_word_on_it_a_gateway_with_callers_shows_it_to_nobody_without_a_key() -> None:
    async with opened(callers=[caller("metrics")]) as gateway:
        assert (await gateway.client.get("/metrics")).status_code == 401


async def test_reading_it_asks_no_upstream() -> None:
    async with opened() as gateway:
        await gateway.scrape()

    assert gateway.wire.requests == []


async def test_nothing_that_a_caller_sends_gets_into_it() -> None:
    async with opened(lambda _: answer(status=503)) as gateway:
        await gateway.ask("query Canary1 { canary2 }")
        await gateway.ask('query Canary3 { canary4: order(by: {native: {source: "canary5", id: "canary6"}}) { number } }')
        await gateway.ask(ORDER.replace('"1"', '"canary7"'), operationName="Canary8", extensions={"canary9": 1})
        await gateway.client.get("/documents/canary10", headers={"traceparent": "canary11"})
        response = await gateway.client.get("/metrics")

    assert "canary" not in response.text.lower()


async def test_it_is_told_also_where_there_is_no_room_for_requests() -> None:
    asked, release = asyncio.Event(), asyncio.Event()

    async def hold(_: WireRequest) -> Response:
        asked.set()
        await release.wait()
        return answer("null")

    async with opened(hold, limits={"max_requests_in_flight": 1}) as gateway:
        first = asyncio.ensure_future(gateway.ask(ORDER))
        await asked.wait()
        scrape = await gateway.scrape()
        release.set()
        await first

    assert scrape.one("ready") == 1
