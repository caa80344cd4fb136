"""GraphQL over HTTP: forms, methods, and the audit of the npm package graphql-http."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.server.conftest import Opener

CALLER = "{ caller { name } }"
RESPONSE, JSON = "application/graphql-response+json", "application/json"
ON = {"get_queries": True, "introspection": True}
AUDIT = Path(__file__).parent / "audit.mjs"


def content_type(answer: httpx.Response) -> str:
    return answer.headers["content-type"]


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("accept", "form", "statuses"),
    [(RESPONSE, RESPONSE, [200, 400, 400]), (JSON, JSON, [200, 200, 400]), ("*/*", JSON, [200, 200, 400])],
)
async def test_a_status_means_what_the_form_of_the_answer_says(opened: Opener, accept: str, form: str, statuses: list[int]) -> None:
    async with opened() as client:
        bodies = [{"query": CALLER}, {"query": "{ nothing }"}, {"query": 1}]
        answers = [await client.post("/graphql", json=body, headers={"accept": accept}) for body in bodies]
    assert [answer.status_code for answer in answers] == statuses
    assert {content_type(answer) for answer in answers} == {f"{form}; charset=utf-8"}


@pytest.mark.anyio
async def test_a_client_that_takes_no_form_there_is_gets_406(opened: Opener) -> None:
    async with opened() as client:
        answer = await client.post("/graphql", json={"query": CALLER}, headers={"accept": "text/html"})
    assert (answer.status_code, content_type(answer)) == (406, f"{JSON}; charset=utf-8")


@pytest.mark.anyio
async def test_a_body_in_another_encoding_is_not_taken(opened: Opener) -> None:
    async with opened() as client:
        body = json.dumps({"query": CALLER}).encode("utf-16")
        answer = await client.post("/graphql", content=body, headers={"content-type": "application/json; charset=utf-16"})
    assert answer.status_code == 415


@pytest.mark.anyio
async def test_a_get_is_not_there_unless_it_is_switched_on(opened: Opener) -> None:
    async with opened() as client:
        answer = await client.get("/graphql", params={"query": CALLER}, headers={"accept": RESPONSE})
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


@pytest.mark.anyio
async def test_a_query_over_get_is_answered_where_it_is_switched_on(opened: Opener) -> None:
    asked = {"query": "query Q($k: String!) { source(key: $k) { key } }", "operationName": "Q", "variables": '{"k": "shop"}'}
    async with opened(server=ON) as client:
        answer = await client.get("/graphql", params=asked, headers={"accept": RESPONSE})
    assert (answer.status_code, answer.json()) == (200, {"data": {"source": {"key": "shop"}}})


@pytest.mark.anyio
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"accept": "text/html,*/*"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site", "content-type": "text/plain"},
        {"sec-fetch-site": "cross-site", "content-type": "application/x-www-form-urlencoded"},
    ],
)
async def test_a_get_that_any_page_could_send_is_refused(opened: Opener, headers: dict[str, str]) -> None:
    async with opened(server=ON) as client:
        answer = await client.get("/graphql", params={"query": CALLER}, headers=headers)
        own = await client.get("/graphql", params={"query": CALLER}, headers={**headers, "x-requested-with": "script"})
    assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"], own.status_code) == (403, "FORBIDDEN", 200)


@pytest.mark.anyio
@pytest.mark.parametrize(
    "headers", [{"sec-fetch-site": "same-origin"}, {"sec-fetch-site": "none"}, {"content-type": "text/plain"}, {"sec-fetch-mode": "cors"}]
)
async def test_a_get_that_no_other_page_could_send_is_answered(opened: Opener, headers: dict[str, str]) -> None:
    async with opened(server=ON) as client:
        answer = await client.get("/graphql", params={"query": CALLER}, headers=headers)
    assert (answer.status_code, content_type(answer)) == (200, f"{JSON}; charset=utf-8")


@pytest.mark.anyio
async def test_a_mutation_over_get_is_refused_and_does_nothing(opened: Opener) -> None:
    mutation = 'mutation { createInvoiceFromOrder(order: {native: {source: "shop", id: "1"}}, idempotencyKey: "k") { outcome } }'
    async with opened(server=ON) as client:
        answer = await client.get("/graphql", params={"query": mutation}, headers={"accept": RESPONSE})
        trail = await client.post("/graphql", json={"query": "{ attempts { nodes { idempotencyKey } } }"})
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert trail.json() == {"data": {"attempts": {"nodes": []}}}


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("params", "message"),
    [
        ([("query", CALLER), ("query", CALLER)], "query is there more than once"),
        ([("query", CALLER), ("variables", "{")], "variables is not JSON in UTF-8, or has a number beyond reason"),
        ([("query", CALLER), ("variables", "[]")], "variables must be an object"),
        ([("query", CALLER), ("extensions", "1")], "extensions must be an object"),
        ([], "the body needs a query, as text"),
    ],
)
async def test_parameters_that_cannot_be_meant_are_refused(
    opened: Opener, params: list[tuple[str, str | int | float | bool | None]], message: str
) -> None:
    async with opened(server=ON) as client:
        answer = await client.get("/graphql", params=params, headers={"accept": RESPONSE})
    assert (answer.status_code, answer.json()["errors"][0]["message"]) == (400, message)


# ------------------------------------------------------------------ the audit


@contextmanager
def serving(folder: Path, **server: object) -> Iterator[str]:
    """Serve a gateway whose source nobody needs, and give its address."""
    lines = [f"{key} = {json.dumps(value)}" for key, value in {"state": "sqlite://", **server}.items()]
    source = ["[sources.shop]", 'system = "shopctrl"', 'base_url = "http://127.0.0.1:9"', "shop_ids = [1]", "shop_owner_id = 1"]
    config = folder / "gateway.toml"
    config.write_text("\n".join(["[server]", *lines, *source]) + "\n", encoding="utf-8")
    command = [sys.executable, "-m", "gateway", "serve", "--config", str(config), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().split()[-1]
        finally:
            process.terminate()


@pytest.fixture(scope="session")
def auditor(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the audit and the packages that it needs."""
    folder = tmp_path_factory.mktemp("audit")
    shutil.copy(AUDIT, folder)
    npm = shutil.which("npm")
    assert npm is not None, "npm is needed"
    subprocess.run([npm, "install", "--silent", "--no-audit", "--no-fund", "graphql-http@1.23.1", "graphql@16"], cwd=folder, check=True)
    return folder


def audited(auditor: Path, url: str) -> list[dict[str, Any]]:
    node = shutil.which("node")
    assert node is not None, "node is needed"
    done = subprocess.run([node, "audit.mjs", url], cwd=auditor, check=True, capture_output=True, text=True)
    results: list[dict[str, Any]] = json.loads(done.stdout)
    return results


@pytest.mark.node
def test_every_audit_is_passed_with_introspection_and_get_on(auditor: Path, tmp_path: Path) -> None:
    with serving(tmp_path, **ON) as url:
        results = audited(auditor, url)
    assert [result for result in results if result["status"] != "ok"] == []
    assert len(results) == 61


@pytest.mark.node
def test_with_introspection_off_only_audits_that_ask_for_a_type_are_not_passed(auditor: Path, tmp_path: Path) -> None:
    with serving(tmp_path, get_queries=True) as url:
        results = audited(auditor, url)
    failed = {result["id"]: result["name"] for result in results if result["status"] != "ok"}
    assert failed == {}
