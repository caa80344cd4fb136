"""The explorer in a real browser, over loopback."""

from __future__ import annotations

import json
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from tests.explorer.stage import Stage, serving

if TYPE_CHECKING:
    from playwright.async_api import Page

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


@dataclass(slots=True)
class Visit:
    """An open explorer, and what it did."""

    page: Page
    stage: Stage
    base_url: str
    requested: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    async def text(self, selector: str) -> str:
        return await self.page.locator(selector).inner_text()

    async def ran(self, status: str) -> str:
        """Wait for a status, and give the answer that is shown with it."""
        await self.page.locator("#status", has_text=status).wait_for()
        return await self.text("#answer")


@pytest.fixture
async def visit() -> AsyncIterator[Visit]:
    from playwright.async_api import async_playwright  # noqa: PLC0415  (the default selection runs without it)

    found = [path for name in NAMES if (path := shutil.which(name))]
    assert found, f"install chromium: none of {', '.join(NAMES)} is on the path"
    stage = Stage()
    async with serving(stage) as base_url, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=found[0], args=ARGUMENTS)
        page = await (await browser.new_context()).new_page()
        made = Visit(page, stage, base_url)
        page.on("request", lambda request: made.requested.append(request.url))
        page.on("console", lambda message: made.complaints.append(message.text))
        page.on("pageerror", lambda error: made.complaints.append(str(error)))
        await page.goto(base_url)
        await page.locator("#journeys button").first.wait_for()
        yield made
        await browser.close()


async def test_an_example_is_filled_in_run_and_answered_without_a_complaint_or_a_foreign_request(visit: Visit) -> None:
    await visit.page.get_by_role("button", name="An invoice by its number").click()
    assert visit.stage.bodies == []
    await visit.page.get_by_role("button", name="Run").click()
    assert '"number": "1002"' in await visit.ran("200 OK")
    sent = json.loads(visit.stage.bodies[0])
    assert sent == {"query": visit.stage.journeys[0].query.strip(), "variables": visit.stage.journeys[0].variables}
    await visit.page.get_by_role("button", name="Documentation").click()
    await visit.page.get_by_role("button", name="Query", exact=True).wait_for()
    assert visit.complaints == []
    assert [url for url in visit.requested if not url.startswith(f"{visit.base_url}/")] == []


async def test_numbers_are_shown_and_sent_as_they_were_written(visit: Visit) -> None:
    await visit.page.get_by_label("Variables, as JSON").fill('{"amount": 5.00, "id": 12345678901234567890}')
    await visit.page.keyboard.press("Control+Enter")
    lines = [line.strip() for line in (await visit.ran("200 OK")).splitlines()]
    assert {'"total": 5.00,', '"rate": 1E+2,', '"id": 12345678901234567890,', '"empty": {},', '"none": []'} <= set(lines)
    assert b'"variables":{"amount": 5.00, "id": 12345678901234567890}' in visit.stage.bodies[0]


async def test_errors_are_counted_beside_the_status(visit: Visit) -> None:
    visit.stage.answer, visit.stage.status = b'{"errors":[{"message":"a: \\"b\\": c"}]}', 400
    await visit.page.get_by_role("button", name="Run").click()
    assert '"message": "a: \\"b\\": c"' in await visit.ran("400 Bad Request · 1 error")
    assert await visit.page.locator("#answer .string").all_inner_texts() == ['"a: \\"b\\": c"']


async def test_a_lost_connection_is_one_clear_line(visit: Visit) -> None:
    await visit.page.route("**/graphql", lambda route: route.abort())
    await visit.page.get_by_role("button", name="Run").click()
    await visit.page.get_by_text("The gateway could not be reached").wait_for()
    assert await visit.text("#status") == "Failed"
    assert await visit.page.locator("#answer").is_hidden()


@pytest.mark.parametrize(
    ("label", "text", "told"),
    [
        ("Variables, as JSON", "{a: 1}", "Variables are not JSON"),
        ("Variables, as JSON", "[1]", "Variables must be a JSON object"),
        ("Headers, one a line", "no colon", "Headers: write one a line"),
    ],
)
async def test_what_cannot_be_sent_is_told_and_not_sent(visit: Visit, label: str, text: str, told: str) -> None:
    await visit.page.get_by_role("tab", name=label.partition(",")[0]).click()
    await visit.page.get_by_label(label).fill(text)
    await visit.page.get_by_role("button", name="Run").click()
    await visit.page.get_by_text(told).wait_for()
    assert visit.stage.bodies == []


async def test_the_key_is_sent_and_stays_in_its_tab_while_the_query_is_restored_everywhere(visit: Visit) -> None:
    await visit.page.get_by_role("tab", name="Headers").click()
    await visit.page.get_by_label("Headers, one a line").fill("Authorization: Bearer secret-of-the-test")
    await visit.page.get_by_role("textbox", name="Query").fill("{ caller { name } }")
    await visit.page.keyboard.press("Control+Enter")
    await visit.ran("200 OK")
    assert visit.stage.headers[0]["authorization"] == "Bearer secret-of-the-test"
    assert "secret" not in await visit.page.evaluate("JSON.stringify(localStorage) + location.href")
    other = await visit.page.context.new_page()
    await other.goto(visit.base_url)
    assert await other.get_by_role("textbox", name="Query").input_value() == "{ caller { name } }"
    assert await other.locator("#headers").input_value() == ""
    await visit.page.reload()
    assert await visit.page.locator("#headers").input_value() == "Authorization: Bearer secret-of-the-test"


async def test_of_several_operations_the_one_at_the_caret_runs(visit: Visit) -> None:
    query = visit.page.get_by_role("textbox", name="Query")
    await query.fill("query One { caller { name } }\n# query Zero {\nquery Two { caller { name } }")
    await query.press("Control+Home")
    await query.press("Control+Enter")
    await visit.ran("200 OK")
    await query.press("Control+End")
    await visit.page.get_by_role("button", name="Run").wait_for()
    async with visit.page.expect_response("**/graphql"):
        await query.press("Control+Enter")
    assert [json.loads(body)["operationName"] for body in visit.stage.bodies] == ["One", "Two"]


async def test_tab_indents_and_escape_lets_the_keyboard_leave(visit: Visit) -> None:
    query = visit.page.get_by_role("textbox", name="Query")
    await query.fill("")
    await query.press("Tab")
    await query.press("{")
    await query.press("Enter")
    assert await query.input_value() == "  {\n    "
    await query.press("Escape")
    await query.press("Tab")
    assert await visit.page.evaluate("document.activeElement.id") == "variables-tab"


async def test_the_documentation_is_walked_by_keyboard_and_searched(visit: Visit) -> None:
    await visit.page.get_by_role("button", name="Documentation").press("Enter")
    await visit.page.get_by_role("button", name="Query", exact=True).press("Enter")
    await visit.page.get_by_role("heading", name="Query", exact=True, level=2).last.wait_for()
    await visit.page.locator("#docs-body").get_by_role("button", name="Invoice", exact=True).press("Enter")
    assert await visit.text("#docs-title") == "Invoice"
    assert "dueDate" in await visit.text("#docs-body")
    await visit.page.get_by_role("button", name="Query", exact=True).press("Enter")
    assert await visit.text("#docs-title") == "Query"
    await visit.page.get_by_role("searchbox").fill("nativeid")
    assert "Origin.nativeId" in await visit.text("#docs-body")
    await visit.page.get_by_role("searchbox").fill("")
    await visit.page.get_by_role("searchbox").press("Escape")
    assert await visit.page.locator("#docs").is_hidden()
    assert await visit.page.evaluate("document.activeElement.id") == "docs-toggle"


async def test_a_phone_never_scrolls_sideways(visit: Visit) -> None:
    await visit.page.set_viewport_size({"width": 360, "height": 740})
    await visit.page.get_by_role("button", name="Run").click()
    await visit.ran("200 OK")
    assert await visit.page.evaluate("document.documentElement.scrollWidth") == 360
