"""The explorer's routes: what they answer, and what a browser is allowed to do with it."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from decimal import Decimal

import httpx
import pytest

from gateway import explorer
from gateway.explorer import Journey
from tests.explorer.stage import JOURNEYS, Stage

pytestmark = pytest.mark.anyio

PATHS = (
    "/",
    "/explorer/explorer.css",
    "/explorer/explorer.js",
    "/explorer/explorer.svg",
    "/explorer/journeys.json",
    "/explorer/nothing.js",
)


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(Stage().app()), base_url="http://gateway") as client:
        yield client


@pytest.mark.parametrize("path", PATHS)
async def test_every_answer_forbids_what_is_not_ours(http: httpx.AsyncClient, path: str) -> None:
    headers = (await http.get(path)).headers
    policy = dict(rule.split(" ", 1) for rule in headers["content-security-policy"].split("; "))
    expected = {"script-src": "'self'", "style-src": "'self'", "connect-src": "'self'", "img-src": "'self'"}
    denied = dict.fromkeys(("default-src", "form-action", "frame-ancestors", "base-uri"), "'none'")
    assert expected | denied == policy
    assert (headers["x-content-type-options"], headers["referrer-policy"], headers["cache-control"]) == (
        "nosniff",
        "no-referrer",
        "no-cache",
    )


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/explorer/explorer.css", "text/css; charset=utf-8"),
        ("/explorer/explorer.js", "text/javascript; charset=utf-8"),
        ("/explorer/explorer.svg", "image/svg+xml"),
        ("/explorer/journeys.json", "application/json; charset=utf-8"),
    ],
)
async def test_files_come_with_their_media_type(http: httpx.AsyncClient, path: str, media_type: str) -> None:
    answer = await http.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (200, media_type)
    assert answer.content


@pytest.mark.parametrize("name", ["nothing.js", "page.html", "__init__.py", "..%2F__init__.py"])
async def test_any_other_name_is_not_found(http: httpx.AsyncClient, name: str) -> None:
    assert (await http.get(f"/explorer/{name}")).status_code == 404


async def test_the_page_uses_only_files_that_are_served(http: httpx.AsyncClient) -> None:
    used = re.findall(r'(?:src|href)="([^"#]+)"', (await http.get("/")).text)
    assert {"/explorer/explorer.css", "/explorer/explorer.js", "/explorer/explorer.svg"} == set(used)


async def test_the_page_has_nothing_that_its_policy_would_block(http: httpx.AsyncClient) -> None:
    page = (await http.get("/")).text
    assert re.findall(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", page) == []


async def test_journeys_are_listed_in_order_with_their_variables(http: httpx.AsyncClient) -> None:
    expected = [
        {"title": item.title, "description": item.description, "query": item.query, "variables": dict(item.variables)} for item in JOURNEYS
    ]
    assert expected == (await http.get("/explorer/journeys.json")).json()


def test_no_journeys_are_an_empty_list() -> None:
    assert json.loads(bytes(explorer.journeys([]).body)) == []


def test_variables_that_json_does_not_have_are_refused() -> None:
    with pytest.raises(TypeError):
        explorer.journeys([Journey("An amount", "", "{ caller { name } }", {"amount": Decimal("5.00")})])
