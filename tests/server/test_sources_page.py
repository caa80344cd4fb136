"""The page of the sources: over real gateway parts, with upstreams that are functions."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from html.parser import HTMLParser
from typing import Any

import httpx
import pytest

from gateway.app import create_app, settings_from
from gateway.model import Operation
from gateway.transport import Response
from gateway.transport.wire import WireRequest
from tests.fakes import FakeClock, FakeWire, answer

pytestmark = pytest.mark.anyio

KEY = "secret"
BROWSER = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
TILLS = ["c7cf3ff9-453b-4c07-8f57-3274a1f04373", "0b6c3b9e-7f0a-4a58-9d8e-0f6f6f2f6f01"]
SHOP = {"system": "shopctrl", "base_url": "https://shop.example", "shop_ids": [1], "shop_owner_id": 1, "retries": 0, "breaker_calls": 2}
POS = {"system": "nimpos", "base_url": "https://pos.example", "terminal_ids": TILLS, "retries": 0}
ORDER = '{ order(by: {native: {source: "shop", id: "%d"}}) { number } }'
TILL_CUSTOMER = '{ customer(by: {native: {source: "pos", id: "3f0c8f52-9d0d-4b52-8a57-6f8b2b8c1d01"}}) { name } }'
CUSTOMERS = '[{"Id": "3f0c8f52-9d0d-4b52-8a57-6f8b2b8c1d01", "CustomerNo": 7, "Name": "Bageri", "Updated": "2026-11-01T10:00:00"}]'


@dataclass
class Reader(HTMLParser):
    """Reads a page as one who hears it: texts by element, tables by caption."""

    headings: list[tuple[str, str]] = field(default_factory=list)
    tables: dict[str, list[list[str]]] = field(default_factory=dict)
    cards: dict[str, dict[str, str]] = field(default_factory=dict)
    times: list[str] = field(default_factory=list)
    scopes: list[str | None] = field(default_factory=list)
    links: list[str | None] = field(default_factory=list)
    elements: set[str] = field(default_factory=set)
    language: str | None = None
    _texts: list[tuple[str, list[str]]] = field(default_factory=list)
    _caption: str = ""
    _card: str = ""
    _term: str = ""

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.elements.add(tag)
        match tag:
            case "html":
                self.language = given.get("lang")
            case "time":
                self.times.append(given["datetime"] or "")
            case "a":
                self.links.append(given["href"])
            case "th":
                self.scopes.append(given.get("scope"))
            case "tr":
                self.tables[self._caption].append([])
        if tag in {"h1", "h2", "h3", "caption", "th", "td", "dt", "dd", "p"}:
            self._texts.append((tag, []))

    def handle_data(self, data: str) -> None:
        for _, texts in self._texts:
            texts.append(data)

    def handle_endtag(self, tag: str) -> None:
        if not self._texts or self._texts[-1][0] != tag:
            return
        text = " ".join("".join(self._texts.pop()[1]).split())
        match tag:
            case "caption":
                self._caption, self.tables[text] = text, []
            case "th" | "td":
                self.tables[self._caption][-1].append(text)
            case "dt":
                self._term = text
            case "dd":
                self.cards[self._card][self._term] = text
            case "h1" | "h2" | "h3":
                self.headings.append((tag, text))
                if tag == "h3":
                    self._card, self.cards[text] = text, {}


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    return reader


@dataclass(frozen=True)
class Gateway:
    client: httpx.AsyncClient
    wire: FakeWire
    clock: FakeClock

    async def ask(self, query: str) -> dict[str, Any]:
        response = await self.client.post("/graphql", json={"query": query}, headers={"authorization": f"Bearer {KEY}"})
        found: dict[str, Any] = response.json()
        return found

    async def page(self, **headers: str) -> httpx.Response:
        return await self.client.get("/sources", headers={**BROWSER, **headers})

    async def shown(self) -> Reader:
        response = await self.page(authorization=f"Bearer {KEY}")
        assert response.status_code == 200, response.text
        return read(response.text)


Opener = Callable[..., AbstractAsyncContextManager[Gateway]]


@asynccontextmanager
async def opened(
    handler: Callable[[WireRequest], Response] = lambda _: answer("null"),
    sources: Mapping[str, Mapping[str, object]] | None = None,
    server: Mapping[str, object] | None = None,
    **tables: object,
) -> AsyncIterator[Gateway]:
    wire, clock = FakeWire(handler), FakeClock()
    settings = {"server": {"state": "sqlite://", **(server or {})}, "sources": sources or {"shop": SHOP, "pos": POS}, **tables}
    app = create_app(settings_from(settings), wire=wire, clock=clock)
    transport = httpx.ASGITransport(app)
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url="http://gateway.example") as client:
        yield Gateway(client, wire, clock)


def caller(*permissions: str, sources: tuple[str, ...] = ("*",), **more: object) -> dict[str, object]:
    return {"name": "c", "key_sha256": sha256(KEY.encode()).hexdigest(), "permissions": list(permissions), "sources": list(sources), **more}


# ------------------------------------------------------------------ what it shows


async def test_at_the_start_every_source_is_there_with_nothing_to_report() -> None:
    async with opened() as gateway:
        page = await gateway.shown()

    assert page.headings == [
        ("h1", "Sources"),
        ("h2", "State"),
        ("h3", "shop"),
        ("h3", "pos"),
        ("h2", "Last errors"),
        ("h2", "Indexes"),
        ("h2", "Capabilities"),
    ]
    assert page.cards["shop"] == {
        "Health": "○ not checked",
        "Breaker": "closed 0 of 0 calls failed in the last 10 s; opens at 50 % of 2 or more",
        "Pause": "none",
        "Calls": "0 of 32 in flight",
        "Queue": "0 of 64 requests wait",
        "Retries": "0 of 3 spent in the last 10 s",
        "Latency": "no call yet",
        "Last call": "none yet",
    }
    assert (page.language, page.times) == ("en", ["2026-11-22T12:00:00Z"])


async def test_after_failures_the_breaker_is_open_the_source_down_and_the_errors_are_told() -> None:
    gateways: list[Gateway] = []

    def handle(_: WireRequest) -> Response:
        gateways[0].clock.advance(0.25)
        return answer("<html>it is a secret</html>", 503)

    async with opened(handle) as gateway:
        gateways.append(gateway)
        for number in (1, 2, 3):
            await gateway.ask(ORDER % number)
        gateway.clock.advance(1.5)
        response = await gateway.page()
        page = read(response.text)

    assert page.cards["shop"]["Health"] == "■ down since 12:00:00 UTC (1 s ago)"
    assert page.cards["shop"]["Breaker"] == "open, next try in 4 s 2 of 2 calls failed in the last 10 s; opens at 50 % of 2 or more"
    assert page.cards["shop"]["Latency"] == "p50 250 ms, p95 250 ms of the last 2 calls, failed ones too"
    assert page.cards["shop"]["Last call"] == "12:00:00 UTC (1 s ago)"
    assert page.tables["Errors by kind, the latest first"] == [
        ["Code", "Source", "Operation", "What", "Last", "How often"],
        [
            "UPSTREAM_CIRCUIT_OPEN",
            "shop",
            "GET v1/Orders/{id}",
            "it failed too often lately and is left alone for a while",
            "12:00:00 UTC (1 s ago)",
            "once",
        ],
        [
            "UPSTREAM_UNAVAILABLE",
            "shop",
            "GET v1/Orders/{id}",
            "it answered 503",
            "12:00:00 UTC (1 s ago)",
            "2 times since 12:00:00 UTC (1 s ago)",
        ],
    ]
    assert "secret" not in response.text
    assert page.cards["pos"]["Health"] == "○ not checked"


async def test_a_breaker_whose_time_is_over_is_half_open() -> None:
    async with opened(lambda _: answer(status=503)) as gateway:
        for number in (1, 2):
            await gateway.ask(ORDER % number)
        gateway.clock.advance(5)
        page = await gateway.shown()

    assert page.cards["shop"]["Breaker"].startswith("half open ")


async def test_health_is_what_the_graph_says() -> None:
    answers = [answer("null"), answer(status=503), answer("null")]
    async with opened(lambda _: answers.pop(0), {"shop": {**SHOP, "breaker_calls": 20}}) as gateway:
        for number in (1, 2, 3):
            gateway.clock.advance(60)
            await gateway.ask(ORDER % number)
        page, graph = await gateway.shown(), await gateway.ask("{ sources { health healthSince } }")

    (source,) = graph["data"]["sources"]
    assert page.cards["shop"]["Health"] == "▲ degraded since 12:03:00 UTC (just now)"
    assert (source["health"], source["healthSince"]) == ("DEGRADED", "2026-11-22T12:03:00+00:00")


async def test_a_pause_that_the_upstream_asked_for_is_counted_down() -> None:
    async with opened(lambda _: answer("", 429, **{"retry-after": "90"})) as gateway:
        await gateway.ask(ORDER % 1)
        gateway.clock.advance(30.5)
        page = await gateway.shown()

    assert page.cards["shop"]["Pause"] == "60 s left, as it asked"


async def test_an_index_is_shown_with_its_rows_its_age_and_when_it_is_read_again() -> None:
    answers = {"GetCustomers": answer(CUSTOMERS), "GetCustomerInvoice": answer("[]")}
    async with opened(lambda request: next(given for name, given in answers.items() if name in request.url)) as gateway:
        await gateway.ask(TILL_CUSTOMER)
        gateway.clock.advance(20)
        page = await gateway.shown()
        gateway.clock.advance(86_400)
        later = await gateway.shown()

    table = page.tables["What is kept in memory for all requests"]
    assert table == [
        ["Index", "Source", "Rows", "Complete", "As of", "Read again"],
        ["GetCustomers", "pos", "1", "yes", "12:00:00 UTC (20 s ago)", "not for 40 s"],
        ["GetCustomerInvoice, till 1", "pos", "0", "not read yet", "never", "when it is next used"],
        ["GetCustomerInvoice, till 2", "pos", "0", "not read yet", "never", "when it is next used"],
        ["GetCustomerDebts", "pos", "0", "not read yet", "never", "when it is next used"],
    ]
    assert later.tables["What is kept in memory for all requests"][1][4:] == ["2026-11-22 12:00 UTC (1 d ago)", "when it is next used"]


async def test_an_index_that_could_not_be_read_tells_the_code() -> None:
    async with opened(lambda _: answer(status=503)) as gateway:
        await gateway.ask(TILL_CUSTOMER)
        page = await gateway.shown()

    assert page.tables["What is kept in memory for all requests"][1][5] == "when it is next used; the last time UPSTREAM_UNAVAILABLE"


async def test_a_sweep_is_an_index_too() -> None:
    async with opened(sources={"subscriptions": {"system": "compilator", "base_url": "https://tyres.example"}}) as gateway:
        page = await gateway.shown()

    assert page.tables["What is kept in memory for all requests"][1:] == [
        ["GET api/customers/{date}", "subscriptions", "0", "not read yet", "never", "when it is next used"]
    ]


async def test_sources_without_an_index_say_so_instead_of_an_empty_table() -> None:
    async with opened(sources={"shop": SHOP}) as gateway:
        page = await gateway.shown()

    assert list(page.tables) == ["What each source can do, and by which upstream operation"]


async def test_capabilities_are_those_of_the_graph_each_with_its_condition_or_reason() -> None:
    async with opened() as gateway:
        page = await gateway.shown()
        graph = await gateway.ask("{ sources { key capabilities { operation support note upstreamOperation } } }")

    head, *rows = page.tables["What each source can do, and by which upstream operation"]
    assert head == ["Operation", "shop", "pos"]
    assert [row[0] for row in rows] == [operation.value for operation in Operation]
    cells = {(source, row[0]): cell for row in rows for source, cell in zip(head[1:], row[1:], strict=True)}
    for source in graph["data"]["sources"]:
        for capability in source["capabilities"]:
            cell = cells[source["key"], capability["operation"]]
            assert capability["support"].replace("_", " ").lower() in cell
            assert (capability["note"] or "").replace("`", "") in cell
            assert (capability["upstreamOperation"] or "") in cell
    assert cells["shop", "CREATE_INVOICE"] == "○ not offered the content of an invoice cannot be passed"


async def test_every_table_has_its_caption_and_every_head_its_scope() -> None:
    async with opened(lambda _: answer(status=503)) as gateway:
        await gateway.ask(ORDER % 1)
        page = await gateway.shown()

    assert list(page.tables) == [
        "Errors by kind, the latest first",
        "What is kept in memory for all requests",
        "What each source can do, and by which upstream operation",
    ]
    assert page.scopes.count("col") == 6 + 6 + 3
    assert page.scopes.count("row") == 1 + 4 + len(Operation)
    assert len(page.scopes) == page.scopes.count("col") + page.scopes.count("row")


async def test_names_from_the_configuration_are_text() -> None:
    name = '<img src=x onerror=alert(1)> & "co"'
    async with opened(lambda _: answer(status=503), {"shop": {**SHOP, "display_name": name}}) as gateway:
        await gateway.ask(ORDER % 1)
        page = await gateway.shown()

    assert page.headings[2] == ("h3", name)
    assert page.tables["Errors by kind, the latest first"][1][1] == name
    assert page.elements.isdisjoint({"img", "script"})


# ------------------------------------------------------------------ how it is answered


async def test_reading_it_asks_no_upstream() -> None:
    async with opened() as gateway:
        await gateway.shown()

    assert gateway.wire.requests == []


async def test_nobody_stores_it_and_a_browser_takes_no_more_than_its_own_style() -> None:
    async with opened() as gateway:
        response = await gateway.page()

    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.headers["cache-control"] == "no-store"
    assert re.sub(r"'sha256-[\w+/]{43}='", "OURS", response.headers["content-security-policy"]) == (
        "default-src 'none'; style-src OURS; img-src data:; form-action 'none'; frame-ancestors 'none'; base-uri 'none'"
    )
    assert {"script", "iframe", "form"}.isdisjoint(read(response.text).elements)


@pytest.mark.parametrize(("explorer", "links"), [(True, ["#content", "/", "/sources"]), (False, ["#content", "/sources"])])
async def test_it_leads_to_the_explorer_where_there_is_one(*, explorer: bool, links: list[str]) -> None:
    async with opened(server={"explorer": explorer}) as gateway:
        page = await gateway.shown()

    assert page.links == links


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
async def test_it_can_only_be_read(method: str) -> None:
    async with opened() as gateway:
        assert (await gateway.client.request(method, "/sources")).status_code == 405


# ------------------------------------------------------------------ for whom


async def test_a_caller_sees_its_own_sources_alone() -> None:
    async with opened(callers=[caller("explorer", sources=("shop",))]) as gateway:
        response = await gateway.page(authorization=f"Bearer {KEY}")

    assert list(read(response.text).cards) == ["shop"]
    assert "NIMPOS" not in response.text


@pytest.mark.parametrize(
    ("headers", "status", "title", "told"),
    [
        ({}, 401, "A key is needed", "Send the caller's key as Authorization: Bearer <key>."),
        ({"authorization": "Bearer other"}, 401, "A key is needed", "This key is not known."),
        ({"authorization": f"Bearer {KEY}"}, 403, "Not for this caller", "This page needs the permission explorer."),
    ],
)
async def test_a_browser_that_may_not_see_it_is_told_why_in_a_line(headers: Mapping[str, str], status: int, title: str, told: str) -> None:
    async with opened(callers=[caller("read", "write", "raw", "audit")]) as gateway:
        response = await gateway.page(**headers)

    assert (response.status_code, response.headers["content-type"]) == (status, "text/html; charset=utf-8")
    assert response.headers["cache-control"] == "no-store"
    assert response.headers.get("www-authenticate") == ("Bearer" if status == 401 else None)
    assert read(response.text).headings == [("h1", title)]
    assert f"<p>{told}</p>" in response.text.replace("&lt;", "<").replace("&gt;", ">").replace("&#x27;", "'")
    assert gateway.wire.requests == []


async def test_who_has_no_key_at_hand_is_shown_the_way_through_the_explorer() -> None:
    async with opened(server={"explorer": True}, callers=[caller("explorer")]) as gateway:
        response = await gateway.page()

    assert 'Or enter the key in <a href="/">the explorer</a> and open Sources from there.' in response.text


async def test_a_script_that_may_not_see_it_is_told_in_json() -> None:
    async with opened(callers=[caller("read")]) as gateway:
        response = await gateway.client.get("/sources", headers={"authorization": f"Bearer {KEY}"})

    assert response.status_code == 403
    assert response.json()["errors"][0]["extensions"]["code"] == "FORBIDDEN"


async def test_who_asks_too_often_is_told_when_to_come_again() -> None:
    async with opened(callers=[caller("explorer", requests_per_minute=1)]) as gateway:
        first, second = [await gateway.page(authorization=f"Bearer {KEY}") for _ in range(2)]

    assert (first.status_code, second.status_code) == (200, 429)
    assert int(second.headers["retry-after"]) > 0
    assert read(second.text).headings == [("h1", "Not now")]
