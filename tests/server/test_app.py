"""The routes."""

from __future__ import annotations

import httpx
import pytest

from gateway.app import create_app, settings_from
from gateway.errors import SettingsError
from tests.server.conftest import IN_MEMORY, SOURCE, Opener

pytestmark = pytest.mark.anyio

ORIGIN = "https://app.example"
PREFLIGHT = {"access-control-request-method": "POST", "access-control-request-headers": "authorization,content-type,idempotency-key"}


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
async def test_the_graph_is_asked_by_post_only(client: httpx.AsyncClient, method: str) -> None:
    response = await client.request(method, "/graphql", params={"query": "{ caller { name } }"})

    assert (response.status_code, response.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize("path", ["/health/live", "/health/ready"])
async def test_the_process_says_that_it_is_well_without_a_key(opened: Opener, path: str) -> None:
    caller = {"name": "script", "key_sha256": "0" * 64, "permissions": [], "sources": ["*"]}
    async with opened(callers=[caller]) as client:
        response = await client.get(path)

    assert (response.status_code, response.text) == (200, "ok\n")


@pytest.mark.parametrize("path", ["/nothing", "/health", "/explorer/explorer.js", "/explorer/journeys.json", "/", "/sources/", "/graphql/"])
async def test_there_is_nothing_else(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(path)).status_code == 404


async def test_the_explorer_is_there_where_it_is_switched_on(opened: Opener) -> None:
    async with opened(server={"explorer": True}) as client:
        page, journeys = [await client.get(path) for path in ("/", "/explorer/journeys.json")]

    assert [response.status_code for response in (page, journeys)] == [200, 200]
    assert page.headers["content-type"] == "text/html; charset=utf-8"


# ------------------------------------------------------------------ other origins


async def test_a_page_of_a_configured_origin_may_ask(opened: Opener) -> None:
    async with opened(server={"cors_origins": [ORIGIN]}) as client:
        preflight = await client.options("/graphql", headers={"origin": ORIGIN, **PREFLIGHT})
        response = await client.post("/graphql", json={"query": "{ caller { name } }"}, headers={"origin": ORIGIN})

    assert (preflight.status_code, preflight.headers["access-control-allow-origin"]) == (200, ORIGIN)
    assert preflight.headers["access-control-allow-methods"] == "POST"
    allowed = preflight.headers["access-control-allow-headers"].lower()
    assert all(name in allowed for name in ("authorization", "content-type", "idempotency-key", "traceparent"))
    assert response.headers["access-control-allow-origin"] == ORIGIN
    assert "access-control-allow-credentials" not in response.headers


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "http://app.example",
        "https://app.example:8443",
        "https://app.example.evil",
        "https://sub.app.example",
        "null",
    ],
)
async def test_a_page_of_any_other_origin_may_not(opened: Opener, origin: str) -> None:
    async with opened(server={"cors_origins": [ORIGIN]}) as client:
        preflight = await client.options("/graphql", headers={"origin": origin, **PREFLIGHT})
        response = await client.post("/graphql", json={"query": "{ caller { name } }"}, headers={"origin": origin})

    assert preflight.status_code == 400
    assert "access-control-allow-origin" not in preflight.headers
    assert "access-control-allow-origin" not in response.headers


async def test_without_origins_no_page_elsewhere_may_ask(client: httpx.AsyncClient) -> None:
    preflight = await client.options("/graphql", headers={"origin": ORIGIN, **PREFLIGHT})

    assert preflight.status_code == 405
    assert "access-control-allow-origin" not in preflight.headers


async def test_a_refused_request_is_readable_by_a_page_that_may_ask(opened: Opener) -> None:
    caller = {"name": "script", "key_sha256": "0" * 64, "permissions": [], "sources": ["*"]}
    async with opened(server={"cors_origins": [ORIGIN]}, callers=[caller]) as client:
        response = await client.post("/graphql", json={"query": "{ caller { name } }"}, headers={"origin": ORIGIN})

    assert (response.status_code, response.headers["access-control-allow-origin"]) == (401, ORIGIN)


@pytest.mark.parametrize("path", ["/graphql", "/documents/x", "/health/live", "/health/ready", "/nothing", "/", "/explorer/explorer.js"])
async def test_every_answer_tells_a_browser_to_guess_frame_keep_and_tell_nothing(opened: Opener, path: str) -> None:
    async with opened(server={"explorer": True, "cors_origins": [ORIGIN]}) as client:
        headers = (await client.get(path)).headers

    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert headers["cache-control"] in {"no-store", "no-cache"}
    assert "server" not in headers


# ------------------------------------------------------------------ who may reach it


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "gateway.example"])  # noqa: S104  (refused)
def test_a_gateway_without_callers_does_not_start_where_others_can_reach_it(host: str) -> None:
    with pytest.raises(SettingsError, match=r"server\.host: .* can be reached from outside, and no \[\[callers\]\] are configured"):
        create_app(settings_from({"server": {**IN_MEMORY, "host": host}, "sources": {"shop": SOURCE}}))
