"""The explorer in a real browser, over loopback. It is built before the first test where it is not up to date."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from gateway.app import create_app, settings_from
from gateway.explorer import bundle
from gateway.sandbox.examples import EXAMPLES
from tests.explorer.stage import JOURNEYS, Stage, serving
from tests.fakes import FakeWire, answer
from tests.test_cli import address_in, running

if TYPE_CHECKING:
    from playwright.async_api import Browser, Locator, Page, Route

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]
DESKTOP = (1280, 800)
PHONE = (390, 844)
CALLS = [
    {"source": "shop", "operation": "GET invoices", "startMs": 1.0, "durationMs": 2.5, "attempt": 1, "made": True, "cached": False,
     "coalesced": False, "status": 503, "code": "UPSTREAM_UNAVAILABLE", "bytes": 90, "batch": 1, "keys": 2, "fields": ["invoice"]},
    {"source": "shop", "operation": "GET invoices", "startMs": 53.0, "durationMs": 47.0, "attempt": 2, "made": True, "cached": False,
     "coalesced": False, "status": 200, "code": None, "bytes": 2210, "batch": 1, "keys": 2, "fields": ["invoice", "order"]},
    {"source": "pos", "operation": "Invoices", "startMs": 0.5, "durationMs": 0.0, "attempt": 1, "made": False, "cached": True,
     "coalesced": False, "status": None, "code": None, "bytes": None, "batch": 2, "keys": 1, "fields": ["till"]},
]  # fmt: skip


@dataclass(slots=True)
class Visit:
    """An open explorer, and what it did."""

    page: Page
    base_url: str
    blocked: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    async def run(self) -> dict[str, Any]:
        """Run what the open tab has, wait until the answer is shown, and give it."""
        async with self.page.expect_response("**/graphql") as waiting:
            await self.page.get_by_role("button", name=re.compile("^Execute query")).click()
        answer: dict[str, Any] = await (await waiting.value).json()
        await self.response.get_by_text('"data"').wait_for()
        return answer

    async def open(self, panel: str) -> Locator:
        await self.page.get_by_role("button", name=f"Show {panel}").click()
        return self.page.locator(".graphiql-plugin")

    @property
    def response(self) -> Locator:
        return self.page.locator(".graphiql-response")

    async def shown(self) -> str:
        """Give the lines of the answer as they are shown."""
        return (await self.response.locator(".view-lines").inner_text()).replace("\N{NO-BREAK SPACE}", " ")

    async def overflows(self) -> bool:
        return bool(await self.page.evaluate("document.documentElement.scrollWidth > innerWidth"))


@pytest.fixture(scope="session")
def built() -> None:
    bundle.build(bundle.FOLDER)


@pytest.fixture
async def browser(built: None) -> AsyncIterator[Browser]:
    from playwright.async_api import async_playwright  # noqa: PLC0415  (the default selection runs without it)

    del built
    found = [path for name in NAMES if (path := shutil.which(name))]
    assert found, f"install chromium: none of {', '.join(NAMES)} is on the path"
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(executable_path=found[0], args=ARGUMENTS)
        yield launched
        await launched.close()


@asynccontextmanager
async def visiting(browser: Browser, base_url: str, size: tuple[int, int] = DESKTOP, *, dark: bool = False) -> AsyncIterator[Visit]:
    """Open an explorer; whatever it asks of another host is blocked and taken down."""
    context = await browser.new_context(
        viewport={"width": size[0], "height": size[1]}, color_scheme="dark" if dark else "light", permissions=[]
    )
    made = Visit(await context.new_page(), base_url)

    async def decide(route: Route) -> None:
        if route.request.url.startswith((f"{base_url}/", "data:", f"blob:{base_url}")):
            await route.continue_()
        else:
            made.blocked.append(route.request.url)
            await route.abort()

    await context.route("**/*", decide)
    made.page.on("console", lambda message: made.complaints.append(message.text))
    made.page.on("pageerror", lambda error: made.complaints.append(str(error)))
    made.page.on("requestfailed", lambda request: made.blocked.append(request.url))
    await made.page.goto(base_url)
    await made.page.locator(".graphiql-query-editor .view-line").first.wait_for()
    try:
        yield made
    finally:
        await context.close()


@pytest.fixture
async def stage() -> Stage:
    return Stage()


@pytest.fixture
async def visit(browser: Browser, stage: Stage) -> AsyncIterator[Visit]:
    async with serving(stage) as base_url, visiting(browser, base_url) as made:
        yield made


def traced(calls: object) -> bytes:
    return json.dumps({"data": {"invoice": None}, "extensions": {"upstreamCalls": calls}}).encode()


# ------------------------------------------------------------------ over the demo


@pytest.mark.parametrize(("size", "dark"), [(DESKTOP, False), (PHONE, True)], ids=["desktop", "phone"])
async def test_every_tab_of_the_demo_shows_data_and_its_calls_without_a_complaint_or_a_foreign_request(
    browser: Browser, tmp_path: Path, size: tuple[int, int], *, dark: bool
) -> None:
    with running("demo", "--port", "0") as (_, first):
        async with visiting(browser, address_in(first).rstrip("/"), size, dark=dark) as visit:
            await visit.page.screenshot(path=tmp_path / "1-start.png")
            tabs = visit.page.locator(".graphiql-tabs > li")
            assert await tabs.count() == len(EXAMPLES)
            for at, example in enumerate(EXAMPLES):
                await visit.page.locator(f"#graphiql-session-tab-{at}").click()
                answer = await visit.run()
                assert "errors" not in answer, example.title
                assert all(value is not None for value in answer["data"].values()), example.title
                told = answer["extensions"]["upstreamCalls"]
                panel = await visit.open("Upstream calls")
                rows = panel.locator(".waterfall tbody tr:not(.batch)")
                assert await rows.count() == len(told), example.title
                await visit.page.screenshot(path=tmp_path / f"2-tab-{at}.png")
                await visit.page.get_by_role("button", name="Hide Upstream calls").click()
                assert not await visit.overflows()
            panel = await visit.open("Documentation Explorer")
            await panel.get_by_text("Root Types").wait_for()
            await visit.page.screenshot(path=tmp_path / "3-documentation.png")
            assert (visit.complaints, visit.blocked) == ([], [])


# ------------------------------------------------------------------ the upstream calls


async def test_an_operation_is_traced_and_its_calls_are_drawn_instead_of_shown_in_the_answer(visit: Visit, stage: Stage) -> None:
    stage.answer = traced(CALLS)
    await visit.run()
    assert stage.headers[0]["x-gateway-trace"] == "1"
    assert [headers.get("x-gateway-trace") for headers in stage.introspection_headers] == [None]
    assert "upstreamCalls" not in await visit.shown()

    await visit.page.get_by_role("button", name="Show the calls").click()
    panel = visit.page.locator(".graphiql-plugin")
    assert "InvoiceByNumber: 2 calls, and 1 answered by shared reads" in await panel.inner_text()
    totals = [" ".join((await row.inner_text()).split()) for row in await panel.locator(".totals tbody tr").all()]
    assert totals == ["shop 2 50 ms 2.3 kB 0 1", "pos 1 0.0 ms 0 B 1 0"]
    rows = [" ".join((await row.inner_text()).split()) for row in await panel.locator(".waterfall tbody tr").all()]
    assert rows == [
        "pos Invoices for till batch 2 at 0.5 ms, 0.0 ms cached",
        "Batch 1, 2 keys",
        "shop GET invoices for invoice at 1.0 ms, 2.5 ms 503 UPSTREAM_UNAVAILABLE 90 B 2 keys",
        "shop GET invoices for invoice, order at 53 ms, 47 ms 200 2.2 kB attempt 2 2 keys",
    ]


async def test_a_bar_stands_where_its_call_was(visit: Visit, stage: Stage) -> None:
    stage.answer = traced(CALLS)
    await visit.run()
    panel = await visit.open("Upstream calls")

    bars = [await bar.get_attribute("style") for bar in await panel.locator(".bar").all()]
    assert bars == ["left: 0.5%; width: 0%;", "left: 1%; width: 2.5%;", "left: 53%; width: 47%;"]


async def test_the_calls_are_tables_with_headings_for_who_hears_them(visit: Visit, stage: Stage) -> None:
    stage.answer = traced(CALLS)
    await visit.run()
    panel = await visit.open("Upstream calls")

    assert await panel.get_by_role("table", name="By source").get_by_role("rowheader").count() == 2
    waterfall = panel.get_by_role("table", name="In time, 0 to 100 ms")
    assert [await each.inner_text() for each in await waterfall.get_by_role("columnheader").all()] == ["Call", "When", "Answer"]
    assert await waterfall.get_by_role("row").count() == 5


async def test_a_call_of_which_little_is_told_is_drawn_with_what_there_is(visit: Visit, stage: Stage) -> None:
    stage.answer = traced([{"source": "shop", "operation": "Invoices", "startMs": 1.0, "durationMs": None}, {}])
    await visit.run()
    panel = await visit.open("Upstream calls")

    rows = [" ".join((await row.inner_text()).split()) for row in await panel.locator(".waterfall tbody tr").all()]
    assert rows == ["", "shop Invoices at 1.0 ms, under way"]
    assert visit.complaints == []


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (b'{"data":{"invoice":null}}', "Only callers with the explorer permission are told"),
        (traced([]), "InvoiceByNumber asked no system"),
    ],
)
async def test_where_there_are_no_calls_the_panel_says_why(visit: Visit, stage: Stage, answer: bytes, told: str) -> None:
    stage.answer = answer
    await visit.run()
    panel = await visit.open("Upstream calls")

    await panel.get_by_text(told).wait_for()
    assert await panel.locator("table").count() == 0


# ------------------------------------------------------------------ asking


async def test_the_tabs_are_the_journeys_with_their_variables_and_nothing_is_sent_before_one_is_run(visit: Visit, stage: Stage) -> None:
    titles = [await tab.inner_text() for tab in await visit.page.locator(".graphiql-tabs > li").all()]
    assert (titles, stage.bodies) == (["InvoiceByNumber", "WhoAmI"], [])

    await visit.run()
    assert stage.bodies == [
        {"query": JOURNEYS[0].query, "variables": dict(JOURNEYS[0].variables), "operationName": "InvoiceByNumber"}
    ]  # fmt: skip


async def test_a_tab_that_was_closed_comes_back_from_the_examples(visit: Visit, stage: Stage) -> None:
    tabs = visit.page.locator(".graphiql-tabs > li")
    await tabs.nth(0).get_by_role("button", name="Close Tab").click()
    assert await tabs.count() == 1
    await visit.page.get_by_role("button", name=JOURNEYS[0].title).click()
    await tabs.nth(1).wait_for()

    await visit.run()
    assert (stage.bodies[0]["query"], stage.bodies[0]["variables"]) == (JOURNEYS[0].query, dict(JOURNEYS[0].variables))


async def test_numbers_are_shown_as_they_were_written(visit: Visit) -> None:
    await visit.run()

    lines = [line.strip() for line in (await visit.shown()).splitlines()]
    assert {'"total": 5.00,', '"rate": 1E+2,', '"id": 12345678901234567890'} <= set(lines)


async def test_a_lost_connection_is_one_clear_line(visit: Visit) -> None:
    await visit.page.route("**/graphql", lambda route: route.abort())
    await visit.page.get_by_role("button", name=re.compile("^Execute query")).click()

    await visit.response.get_by_text("The gateway could not be reached.").wait_for()


async def test_an_answer_that_is_not_json_is_shown_with_its_status(visit: Visit, stage: Stage) -> None:
    stage.answer = b"<p>a proxy's own page</p>"
    await visit.page.get_by_role("button", name=re.compile("^Execute query")).click()

    await visit.response.get_by_text("200 OK: <p>a proxy's own page</p>").wait_for()


# ------------------------------------------------------------------ the caller's key


async def test_the_key_is_sent_from_every_tab_and_is_gone_with_the_tab_of_the_browser(visit: Visit, stage: Stage) -> None:
    panel = await visit.open("Caller's key")
    await panel.get_by_label("Key", exact=True).fill("secret-of-the-test")
    await panel.get_by_role("button", name="Use it").click()
    await panel.get_by_text("This key is sent with every operation.").wait_for()
    await visit.run()
    await visit.page.locator("#graphiql-session-tab-1").click()
    await visit.run()

    assert [headers["authorization"] for headers in stage.headers] == ["Bearer secret-of-the-test"] * 2
    assert [headers.get("authorization") for headers in stage.introspection_headers] == [None, "Bearer secret-of-the-test"]
    assert "secret" not in await visit.page.evaluate("JSON.stringify(localStorage) + location.href")
    async with visit.page.context.expect_page() as waiting:
        await visit.page.evaluate("window.open('/', '_blank', 'noopener')")
    assert await (await waiting.value).evaluate("sessionStorage.length") == 0


async def test_without_a_key_none_is_sent(visit: Visit, stage: Stage) -> None:
    await visit.run()

    assert "authorization" not in stage.headers[0]


# ------------------------------------------------------------------ a phone


async def test_on_a_phone_a_panel_takes_the_place_of_the_editors_and_nothing_scrolls_sideways(browser: Browser, stage: Stage) -> None:
    stage.answer = traced(CALLS)
    async with serving(stage) as base_url, visiting(browser, base_url, (360, 740)) as visit:
        await visit.run()
        assert not await visit.overflows()
        panel = await visit.open("Upstream calls")
        box = await panel.bounding_box()
        assert box is not None
        assert (box["x"], box["width"]) == (0, 360)
        assert await panel.evaluate("(each) => each.scrollWidth <= each.clientWidth")
        assert not await visit.response.is_visible()
        assert not await visit.overflows()


async def test_on_a_phone_an_example_that_is_chosen_is_shown_at_once(browser: Browser, stage: Stage) -> None:
    async with serving(stage) as base_url, visiting(browser, base_url, (360, 740)) as visit:
        await visit.open("Examples")
        await visit.page.get_by_role("button", name=JOURNEYS[1].title).click()
        await visit.run()

        assert stage.bodies[0]["operationName"] == "WhoAmI"


# ------------------------------------------------------------------ the page of the sources


@pytest.mark.parametrize(("size", "dark"), [(DESKTOP, False), (PHONE, True)], ids=["desktop", "phone"])
async def test_the_page_of_the_sources_is_read_by_eye_and_ear_at_any_width(
    browser: Browser, tmp_path: Path, size: tuple[int, int], *, dark: bool
) -> None:
    with running("demo", "--port", "0") as (_, first):
        base_url = address_in(first).rstrip("/")
        async with httpx.AsyncClient(base_url=base_url) as client:
            for query in (EXAMPLES[0].query, '{ invoice(by: {number: {source: "shop", number: "F2026-0117"}}) { number } }'):
                assert (await client.post("/graphql", json={"query": query}, timeout=60)).status_code == 200
        context = await browser.new_context(
            viewport={"width": size[0], "height": size[1]}, color_scheme="dark" if dark else "light", java_script_enabled=False
        )
        page = await context.new_page()
        complaints: list[str] = []
        asked: list[str] = []
        page.on("console", lambda message: complaints.append(message.text))
        page.on("request", lambda request: asked.append(request.url))
        await page.goto(f"{base_url}/sources")
        await page.screenshot(path=tmp_path / "sources.png", full_page=True)

        matrix = page.get_by_role("table", name="What each source can do, and by which upstream operation")
        heads = [await each.inner_text() for each in await matrix.get_by_role("columnheader").all()]
        assert heads == ["Operation", "subscriptions", "pos", "commerce", "shop"]
        row = matrix.get_by_role("row").filter(has=page.get_by_role("rowheader", name="CREATE_INVOICE", exact=True))
        assert await row.get_by_role("cell").count() == 4
        assert await row.get_by_role("cell", name="not offered the content of an invoice cannot be passed").count() == 1
        indexes = page.get_by_role("table", name="What is kept in memory for all requests")
        assert await indexes.get_by_role("rowheader", name="GET api/customers/{date}").count() == 1
        heard = await page.get_by_role("article", name="pos").aria_snapshot()
        assert "- term: Health\n  - definition:\n    - text: up since\n" in heard
        assert "term: Breaker" in heard
        assert await page.get_by_role("heading", level=2).all_inner_texts() == ["State", "Last errors", "Indexes", "Capabilities"]

        skip = page.get_by_role("link", name="Skip to the content")
        await page.keyboard.press("Tab")
        box = await skip.bounding_box()
        assert box is not None
        assert box["y"] >= 0
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        await page.get_by_role("link", name="Refresh").click()
        assert [url for url in asked if not url.startswith("data:")] == [f"{base_url}/sources"] * 2
        assert complaints == []
        await context.close()


KEYED = {"name": "c", "key_sha256": sha256(b"secret-of-the-test").hexdigest(), "permissions": ["explorer"], "sources": ["*"]}
SHOP = {"system": "shopctrl", "base_url": "https://shop.example", "shop_ids": [1], "shop_owner_id": 1}


async def test_the_key_of_the_explorer_opens_the_page_of_the_sources(browser: Browser) -> None:
    settings = {"server": {"explorer": True, "state": "sqlite://"}, "callers": [KEYED], "sources": {"shop": SHOP}}
    app = create_app(settings_from(settings), wire=FakeWire(lambda _: answer("null")))
    async with serving(app) as base_url, visiting(browser, base_url) as visit:
        link = visit.page.get_by_role("link", name="Sources", exact=True)
        async with visit.page.context.expect_page() as waiting:
            await link.click()
        await (await waiting.value).get_by_role("heading", name="A key is needed").wait_for()

        panel = await visit.open("Caller's key")
        await panel.get_by_label("Key", exact=True).fill("secret-of-the-test")
        await panel.get_by_role("button", name="Use it").click()
        async with visit.page.context.expect_page() as waiting:
            await link.click()
        shown = await waiting.value
        await shown.get_by_role("article", name="shop").wait_for()
        async with visit.page.expect_response("**/sources") as answered:
            await shown.get_by_role("link", name="Refresh").click()
        assert (await answered.value).status == 200
        await shown.get_by_role("heading", name="Capabilities").wait_for()
        assert await shown.evaluate("getComputedStyle(document.querySelector('article')).borderTopStyle") == "solid"
        assert visit.blocked == []


async def test_the_way_to_the_sources_is_there_on_a_phone(browser: Browser, stage: Stage) -> None:
    async with serving(stage) as base_url, visiting(browser, base_url, PHONE) as visit:
        assert await visit.page.get_by_role("link", name="Sources", exact=True).is_visible()
        assert not await visit.overflows()
