"""The explorer's routes: what they answer, and what a browser is allowed to do with it."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
import shlex
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import httpx
import pytest

from gateway.explorer import Journey, explorer_routes
from tests.explorer.stage import JOURNEYS, Stage

pytestmark = pytest.mark.anyio

FILES = {
    "index.html": ("/", "text/html; charset=utf-8", "no-cache"),
    "explorer.svg": ("/explorer/explorer.svg", "image/svg+xml", "no-cache"),
    "assets/index-C0ffee.js": ("/explorer/assets/index-C0ffee.js", "text/javascript; charset=utf-8", "public, max-age=31536000, immutable"),
    "assets/index-C0ffee.css": ("/explorer/assets/index-C0ffee.css", "text/css; charset=utf-8", "public, max-age=31536000, immutable"),
    "assets/icons-C0ffee.ttf": ("/explorer/assets/icons-C0ffee.ttf", "font/ttf", "public, max-age=31536000, immutable"),
}
PATHS = (*(path for path, _, _ in FILES.values()), "/explorer/journeys.json", "/explorer/nothing.js")


@pytest.fixture
async def http(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an explorer whose bundle is small."""
    for name in FILES:
        (tmp_path / "dist" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "dist" / name).write_text(f"this is {name}", encoding="utf-8")
    (tmp_path / "dist" / "built-from").write_text("0", encoding="utf-8")
    (tmp_path / "secret.js").write_text("outside", encoding="utf-8")
    transport = httpx.ASGITransport(Stage(bundle=tmp_path / "dist").app())
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
        yield client


@pytest.fixture
async def unbuilt(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an explorer that was never built."""
    transport = httpx.ASGITransport(Stage(bundle=tmp_path / "none").app())
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
        yield client


def policy_of(response: httpx.Response) -> dict[str, str]:
    return dict(rule.split(" ", 1) for rule in response.headers["content-security-policy"].split("; "))


@pytest.mark.parametrize("path", PATHS)
async def test_every_answer_forbids_what_is_not_ours(http: httpx.AsyncClient, path: str) -> None:
    response = await http.get(path)

    ours = dict.fromkeys(("script-src", "worker-src", "connect-src"), "'self'")
    drawn = {"font-src": "'self' data:", "img-src": "'self' data:", "style-src": "'self' 'unsafe-inline'"}
    denied = dict.fromkeys(("default-src", "form-action", "frame-ancestors", "base-uri"), "'none'")
    assert ours | drawn | denied == policy_of(response)
    assert (response.headers["x-content-type-options"], response.headers["referrer-policy"]) == ("nosniff", "no-referrer")


@pytest.mark.parametrize("name", FILES)
async def test_files_come_with_their_media_type_and_are_kept_only_where_their_name_tells_their_content(
    http: httpx.AsyncClient, name: str
) -> None:
    path, media_type, cache_control = FILES[name]
    answer = await http.get(path)

    assert (answer.status_code, answer.text) == (200, f"this is {name}")
    assert (answer.headers["content-type"], answer.headers["cache-control"]) == (media_type, cache_control)


@pytest.mark.parametrize(
    "name", ["nothing.js", "built-from", "__init__.py", "..%2Fsecret.js", "../secret.js", "assets/../../secret.js", "%2Fetc%2Fpasswd", ""]
)
async def test_any_other_name_is_not_found(http: httpx.AsyncClient, name: str) -> None:
    assert (await http.get(f"/explorer/{name}")).status_code == 404


async def test_journeys_are_listed_in_order_with_their_variables(http: httpx.AsyncClient) -> None:
    expected = [
        {"title": item.title, "description": item.description, "query": item.query, "variables": dict(item.variables)} for item in JOURNEYS
    ]
    answer = await http.get("/explorer/journeys.json")

    assert expected == answer.json()
    assert (answer.headers["content-type"], answer.headers["cache-control"]) == ("application/json; charset=utf-8", "no-cache")


async def test_no_journeys_are_an_empty_list(tmp_path: Path) -> None:
    transport = httpx.ASGITransport(Stage(journeys=(), bundle=tmp_path).app())
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
        assert (await client.get("/explorer/journeys.json")).json() == []
        assert "{ caller { name permissions } }" in (await client.get("/")).text


def test_variables_that_json_does_not_have_are_refused() -> None:
    with pytest.raises(TypeError):
        explorer_routes([Journey("An amount", "", "{ caller { name } }", {"amount": Decimal("5.00")})])


# ------------------------------------------------------------------ never built


async def test_an_explorer_that_was_never_built_says_how_to_get_it_and_shows_the_journeys(unbuilt: httpx.AsyncClient) -> None:
    answer = await unbuilt.get("/")

    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "uv run python -m gateway.explorer.bundle" in answer.text
    assert [html.escape(journey.query) in answer.text for journey in JOURNEYS] == [True, True]


async def test_the_command_on_that_page_asks_the_first_journey_of_this_gateway(unbuilt: httpx.AsyncClient) -> None:
    page = (await unbuilt.get("/")).text

    found = re.search(r"<pre>(curl .*)</pre>", page)
    assert found
    words = shlex.split(html.unescape(found[1]))
    assert words[:5] == ["curl", "-s", "http://127.0.0.1:8000/graphql", "-H", "content-type: application/json"]
    assert json.loads(words[6]) == {"query": JOURNEYS[0].query, "variables": dict(JOURNEYS[0].variables)}


async def test_that_page_runs_nothing_and_has_the_one_style_that_it_names(unbuilt: httpx.AsyncClient) -> None:
    answer = await unbuilt.get("/")

    style = re.search(r"<style>(.*?)</style>", answer.text, re.DOTALL)
    assert style
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    denied = dict.fromkeys(("default-src", "form-action", "frame-ancestors", "base-uri"), "'none'")
    assert policy_of(answer) == {"style-src": f"'sha256-{digest}'", **denied}
    assert re.findall(r"<script|<link|<img|\sstyle=|\son\w+=", answer.text) == []


async def test_that_page_escapes_what_it_shows(unbuilt: httpx.AsyncClient) -> None:
    answer = await unbuilt.get("/", headers={"host": "<b>.example"})

    assert "<b>" not in answer.text
