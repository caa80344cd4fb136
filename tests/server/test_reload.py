"""A gateway that is given another configuration while it serves: what changes, what stays, and that no request notices."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from base64 import b64decode
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import certifi
import httpx
import pytest
from starlette.applications import Starlette

from gateway.app import create_app, make_gateway, settings_from
from gateway.errors import JournalUnavailable, SettingsError
from gateway.model import Kind, Ref
from gateway.sandbox.server import RunningSandbox
from gateway.transport import Request, Response
from gateway.transport.http_upstream import HttpUpstream
from gateway.transport.wire import Wire, WireRequest
from tests.drills.intents import NORCE
from tests.drills.stage import intents_of
from tests.fakes import FakeClock, FakeWire, answer, make_scope
from tests.graph import PATIENCE, SERVER
from tests.server.conftest import IN_MEMORY, SOURCE
from tests.server.issuer import AUDIENCE, ISSUER, URL, claims, listed, rsa_key, sign
from tests.server.sockets import until
from tests.transport.raw_server import Connection, raw_server, reply

pytestmark = pytest.mark.anyio

Tables = dict[str, Any]
SOURCES = {"query": "{ sources { key } }"}
NAME = {"query": "{ caller { name permissions } }"}
DONE = "read again, and in use from now on"
TOKENS = {"kind": "client_credentials", "token_url": "https://id.example/token", "client_id": "c", "client_secret": "s"}


def order_of(source: str) -> dict[str, str]:
    """Ask for an order, which is one upstream call."""
    return {"query": f'{{ node(id: "{Ref(source, Kind.ORDER, "1").global_id}") {{ id }} }}'}


def caller(key: str, **changes: object) -> Tables:
    digest = hashlib.sha256(key.encode()).hexdigest()
    return {"name": "script", "key_sha256": digest, "permissions": ["read"], "sources": ["*"], **changes}


class Shop:
    """The upstreams: nothing is there, at a status each; a token for who asks; and answers wait while they are held."""

    def __init__(self, status: int = 200) -> None:
        self.status = status
        self.calls: list[WireRequest] = []
        self.tokens = 0
        self.asked = asyncio.Event()
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def __call__(self, request: WireRequest) -> Response:
        if request.url == URL:
            self.tokens += 1
            return answer(json.dumps({"keys": [listed(rsa_key())]}))
        if request.url.endswith("/token"):
            self.tokens += 1
            return answer(f'{{"access_token": "t{self.tokens}", "expires_in": 3600}}')
        self.calls.append(request)
        self.asked.set()
        await self.may_answer.wait()
        return answer("null", self.status)


@dataclass(frozen=True, slots=True)
class Running:
    """A gateway that serves; `tables` are those it was started with."""

    app: Starlette
    client: httpx.AsyncClient
    tables: Mapping[str, Any]

    async def take(self, **tables: object) -> list[str]:
        """Give it another configuration: the first one with these tables in the place of its own."""
        settings = settings_from({**self.tables, **tables})
        lines: list[str] = await self.app.state.take(settings)
        return [line for line in lines if line not in settings.notices]

    async def ask(self, body: Mapping[str, object], key: str | None = None) -> httpx.Response:
        headers = {} if key is None else {"authorization": f"Bearer {key}"}
        return await self.client.post("/graphql", json=body, headers=headers)

    async def data(self, body: Mapping[str, object], key: str | None = None) -> dict[str, Any]:
        said = (await self.ask(body, key)).json()
        assert "errors" not in said, said
        data: dict[str, Any] = said["data"]
        return data

    async def codes(self, body: Mapping[str, object]) -> list[str]:
        return [error["extensions"]["code"] for error in (await self.ask(body)).json().get("errors", [])]


@asynccontextmanager
async def serving(wire: Wire | Shop | None = None, clock: FakeClock | None = None, **tables: object) -> AsyncIterator[Running]:
    all_tables = {"server": IN_MEMORY, "sources": {"shop": SOURCE}, **tables}
    used = FakeWire(wire) if isinstance(wire, Shop) else wire
    app = create_app(settings_from(all_tables), used, clock)
    transport = httpx.ASGITransport(app)
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url="http://gateway.example") as client:
        yield Running(app, client, all_tables)


# ------------------------------------------------------------------ callers and limits


async def test_a_new_key_gets_in_and_a_removed_one_does_not() -> None:
    async with serving(Shop(), callers=[caller("old")]) as gateway:
        before = [(await gateway.ask(NAME, key)).status_code for key in ("old", "new")]
        lines = await gateway.take(callers=[caller("new", name="later")])
        after = [(await gateway.ask(NAME, key)).status_code for key in ("old", "new")]

    assert (before, after) == ([200, 401], [401, 200])
    assert lines == [DONE, "callers: added later; removed script"]


async def test_a_caller_may_from_then_on_what_its_new_permissions_say() -> None:
    async with serving(Shop(), callers=[caller("key")]) as gateway:
        await gateway.take(callers=[caller("key", permissions=["read", "audit"])])
        said = await gateway.data(NAME, "key")

    assert said == {"caller": {"name": "script", "permissions": ["audit", "read"]}}


async def test_who_has_asked_for_too_much_is_not_let_off_by_reading_again_but_by_another_allowance() -> None:
    async with serving(Shop(), FakeClock(), callers=[caller("key", requests_per_minute=1)]) as gateway:
        first = (await gateway.ask(NAME, "key")).status_code
        await gateway.take(callers=[caller("key", requests_per_minute=1, permissions=["write"])])
        same = (await gateway.ask(NAME, "key")).status_code
        await gateway.take(callers=[caller("key", requests_per_minute=2)])
        other = (await gateway.ask(NAME, "key")).status_code

    assert (first, same, other) == (200, 429, 200)


async def test_limits_are_the_new_ones() -> None:
    async with serving(Shop()) as gateway:
        before = await gateway.codes(order_of("shop"))
        await gateway.take(limits={"max_depth": 1})
        after = await gateway.codes(order_of("shop"))

    assert (before, after) == ([], ["DEPTH_LIMIT"])


async def test_as_many_requests_are_in_hand_as_the_new_limit_says() -> None:
    shop = Shop()
    shop.may_answer.clear()
    async with serving(shop) as gateway:
        asking = asyncio.ensure_future(gateway.ask(order_of("shop")))
        await shop.asked.wait()
        await gateway.take(limits={"max_requests_in_flight": 1})
        refused = (await gateway.ask(NAME)).status_code
        shop.may_answer.set()
        await asking
        taken = (await gateway.ask(NAME)).status_code

    assert (refused, taken) == (503, 200)


async def test_the_keys_of_an_issuer_are_not_fetched_again_while_its_table_is_the_same() -> None:
    clock, shop, table = FakeClock(), Shop(), {"issuer": ISSUER, "audience": AUDIENCE, "jwks_url": URL}
    token = sign(claims(clock))
    async with serving(shop, clock, jwt=table) as gateway:
        await gateway.data(NAME, token)
        await gateway.take(limits={"max_depth": 5})
        await gateway.data(NAME, token)
        same = shop.tokens
        await gateway.take(jwt={**table, "audience": "another"})
        refused = (await gateway.ask(NAME, token)).status_code

    assert (same, refused) == (1, 401)


async def test_sign_in_can_be_configured_for_the_first_time() -> None:
    clock = FakeClock()
    async with serving(Shop(), clock, callers=[caller("key")]) as gateway:
        await gateway.take(jwt={"issuer": ISSUER, "audience": AUDIENCE, "jwks_url": URL})
        said = await gateway.data(NAME, sign(claims(clock)))

    assert said["caller"]["name"] == f"jwt:{ISSUER}#anna"


async def test_routes_are_the_new_ones() -> None:
    async with serving(Shop()) as gateway:
        before = (await gateway.client.get("/graphql", params=NAME)).status_code
        await gateway.take(server={**IN_MEMORY, "get_queries": True})
        after = (await gateway.client.get("/graphql", params=NAME, headers={"x-requested-with": "x"})).status_code

    assert (before, after) == (405, 200)


async def test_a_graph_of_another_federation_is_built_anew() -> None:
    service = {"query": "{ _service { sdl } }"}
    async with serving(Shop()) as gateway:
        before = (await gateway.ask(service)).status_code
        await gateway.take(federation={"enabled": True})
        sdl = (await gateway.data(service))["_service"]["sdl"]

    assert before == 200
    assert "@key" in sdl


async def test_the_manifest_of_trusted_documents_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps({"name": NAME["query"]}))
    server = {**IN_MEMORY, "trusted_documents": "require", "documents": str(path)}
    async with serving(Shop(), server=server) as gateway:
        before = await gateway.codes({"documentId": "keys"})
        path.write_text(json.dumps({"keys": SOURCES["query"]}))
        await gateway.take()
        after = [await gateway.codes({"documentId": name}) for name in ("keys", "name")]

    assert (before, after) == (["PERSISTED_QUERY_NOT_FOUND"], [[], ["PERSISTED_QUERY_NOT_FOUND"]])


async def test_the_journal_is_cleaned_by_its_new_days(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "gateway"):
        async with serving(Shop()) as gateway:
            await until(lambda: caplog.text.count("journal: ") == 1)
            await gateway.take()
            await gateway.take(journal={"keep_days": 1})
            await until(lambda: caplog.text.count("journal: ") == 2)


# ------------------------------------------------------------------ sources


async def test_sources_that_were_added_are_there_and_removed_ones_are_not() -> None:
    async with serving(Shop(), sources={"a": SOURCE, "b": SOURCE}) as gateway:
        before = await gateway.data(SOURCES)
        lines = await gateway.take(sources={"b": SOURCE, "c": SOURCE})
        after = await gateway.data(SOURCES)
        await gateway.take(sources={"b": {**SOURCE, "enabled": False}, "c": SOURCE})
        last = await gateway.data(SOURCES)

    assert [source["key"] for source in before["sources"]] == ["a", "b"]
    assert [source["key"] for source in after["sources"]] == ["b", "c"]
    assert [source["key"] for source in last["sources"]] == ["c"]
    assert lines == [DONE, "sources: added c; removed a"]


async def test_a_request_in_hand_ends_with_the_source_that_is_removed_meanwhile() -> None:
    shop = Shop()
    shop.may_answer.clear()
    async with serving(shop, sources={"shop": SOURCE, "other": SOURCE}) as gateway:
        asking = asyncio.ensure_future(gateway.data(order_of("shop")))
        await shop.asked.wait()
        await gateway.take(sources={"other": SOURCE})
        new = await gateway.data(SOURCES)
        shop.may_answer.set()
        ended = await asking

    assert (ended, new) == ({"node": None}, {"sources": [{"key": "other"}]})


async def test_what_a_request_in_hand_writes_under_a_key_that_is_given_up_counts_for_the_key_of_now(sandbox: RunningSandbox) -> None:
    (intent,) = intents_of(NORCE, 1)
    commerce = {**PATIENCE, **sandbox.sandbox.source_tables(sandbox.base_url)["commerce"]}
    begun, taken = asyncio.Event(), asyncio.Event()
    body = json.dumps({"query": intent.query, "variables": intent.variables}).encode()

    async def slowly() -> AsyncIterator[bytes]:
        begun.set()
        await taken.wait()
        yield body[:1]
        yield body[1:]

    again = {"query": intent.query.replace("createInvoice(", "createInvoice(dryRun: true, "), "variables": {**intent.variables, "key": "2"}}
    async with serving(server=SERVER, sources={"commerce": commerce}) as gateway:
        asking = asyncio.ensure_future(
            gateway.client.post("/graphql", content=slowly(), headers={"content-type": "application/json"}),
        )
        await begun.wait()
        await gateway.take(sources={"trade": {**commerce, "former_keys": ["commerce"]}})
        taken.set()
        made = (await asking).json()["data"]["made"]["outcome"]
        sandbox.sandbox.reset()  # so that only the journal knows of it
        async with asyncio.timeout(30):
            while not (errors := (await gateway.data(again))["made"]["userErrors"]):
                pass

    assert (made, [error["code"] for error in errors]) == ("APPLIED", ["DUPLICATE_NUMBER"])


async def test_connections_of_a_removed_source_are_closed_after_its_last_request_and_others_are_kept() -> None:
    may_answer, closed = asyncio.Event(), list[int]()

    async def script(connection: Connection) -> None:
        while (request := await connection.next_request()) is not None:
            if request.headers["x-source"] == "gone":
                await may_answer.wait()
            await connection.send(reply(b"null", content_type="application/json"))
        closed.append(connection.number)

    async with raw_server(script) as server:
        sources = {name: {**SOURCE, "base_url": server.url, "headers": {"X-Source": name}} for name in ("gone", "kept")}
        async with serving(sources=sources) as gateway:
            await gateway.data(order_of("kept"))
            asking = asyncio.ensure_future(gateway.data(order_of("gone")))
            await until(lambda: len(server.requests) == 2)
            await gateway.take(sources={"kept": sources["kept"]})
            await gateway.data(order_of("kept"))
            before = (server.connections, len(closed))
            may_answer.set()
            ended = await asking
            await until(lambda: len(closed) == 1)
            await gateway.data(order_of("kept"))
            after = (server.connections, len(closed))

    assert (before, ended, after) == ((2, 0), {"node": None}, (2, 1))


async def test_an_unchanged_source_keeps_its_breaker_and_a_changed_one_begins_anew() -> None:
    shop, source = Shop(status=500), {**SOURCE, "breaker_calls": 1, "retries": 0}
    async with serving(shop, sources={"shop": source}) as gateway:
        first = await gateway.codes(order_of("shop"))
        await gateway.take(sources={"shop": source, "other": SOURCE}, limits={"max_depth": 5})
        kept, calls = await gateway.codes(order_of("shop")), len(shop.calls)
        shop.status = 200
        lines = await gateway.take(sources={"shop": {**source, "max_queue": 5}})
        anew = await gateway.codes(order_of("shop"))

    assert (first, kept, calls, anew) == (["UPSTREAM_UNAVAILABLE"], ["UPSTREAM_CIRCUIT_OPEN"], 1, [])
    assert lines == [DONE, "sources: changed shop; removed other"]


async def test_an_unchanged_source_keeps_its_token() -> None:
    shop = Shop()
    async with serving(shop, sources={"shop": {**SOURCE, "auth": TOKENS}}) as gateway:
        await gateway.data(order_of("shop"))
        await gateway.take(sources={"shop": {**SOURCE, "auth": TOKENS}, "other": SOURCE})
        await gateway.data(order_of("shop"))

    assert [call.headers["authorization"] for call in shop.calls] == ["Bearer t1"] * 2


async def test_however_often_a_source_changes_its_token_endpoint_is_asked_at_its_pace() -> None:
    shop = Shop()
    async with serving(shop, FakeClock(), sources={"shop": {**SOURCE, "auth": TOKENS}}) as gateway:
        codes = []
        for queue in range(1, 5):
            await gateway.take(sources={"shop": {**SOURCE, "auth": TOKENS, "max_queue": queue}})
            codes += [await gateway.codes(order_of("shop"))]

    assert (codes, shop.tokens) == ([[], [], [], ["UPSTREAM_RATE_LIMITED"]], 3)


def test_a_source_is_another_where_its_files_have_something_else(tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    path.write_bytes(Path(certifi.where()).read_bytes())
    settings = settings_from({"server": IN_MEMORY, "sources": {"shop": {**SOURCE, "ca_file": str(path)}, "other": SOURCE}})
    first = make_gateway(settings)

    same = make_gateway(settings, earlier=first)
    path.write_bytes(path.read_bytes() + b"\n# another\n")
    later = make_gateway(settings, earlier=same)

    assert same.connected == first.connected
    assert [later.connected[key].wire is first.connected[key].wire for key in ("shop", "other")] == [False, True]
    assert later.wires - first.wires == {later.connected["shop"].wire}


# ------------------------------------------------------------------ secrets in files


class Keeper:
    """Lets in who has the password of now; its token endpoint, too."""

    def __init__(self, password: str) -> None:
        self.password = password
        self.calls: list[str] = []

    def __call__(self, request: WireRequest) -> Response:
        self.calls.append(request.url.rpartition("/")[2])
        if request.url.endswith("/token"):
            right = f"client_secret={self.password}".encode() in (request.content or b"")
            return answer(f'{{"access_token": "{self.password}", "expires_in": 3600}}') if right else answer("{}", 400)
        said = request.headers.get("authorization", "") + request.headers.get("x-key", "")
        kind, _, value = said.partition(" ")
        password = b64decode(value).decode() if kind == "Basic" else value or kind
        return answer("null") if password.removeprefix("u:") == self.password else answer("{}", 401)


WAYS: dict[str, Tables] = {
    "basic": {"auth": {"kind": "basic", "username": "u", "password": "{file}"}},
    "bearer": {"auth": {"kind": "bearer", "token": "{file}"}},
    "header": {"auth": {"kind": "header", "name": "X-Key", "value": "{file}"}},
    "headers": {"headers": {"X-Key": "{file}"}},
    "token": {"auth": {**TOKENS, "client_secret": "{file}"}},
}


def at(way: str, path: Path) -> Tables:
    """Give a source whose secret is in a file."""
    table: Tables = json.loads(json.dumps(WAYS[way]).replace("{file}", f"file:{path}"))
    return {"shop": {**SOURCE, "retries": 0, **table}}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "secret"
    path.write_text("one\n")
    return path


@pytest.mark.parametrize("way", WAYS)
async def test_a_secret_is_read_again_once_it_is_refused_and_the_call_does_not_fail(way: str, file: Path) -> None:
    keeper, clock = Keeper("one"), FakeClock()
    async with serving(FakeWire(keeper), clock, sources=at(way, file)) as gateway:
        before = await gateway.codes(order_of("shop"))
        clock.advance(600)
        keeper.password = "two"
        file.write_text("two\n")
        keeper.calls.clear()
        after = [await gateway.codes(order_of("shop")) for _ in range(2)]

    token = ["token", "token"] if way == "token" else []
    assert (before, after, keeper.calls) == ([], [[], []], ["1", *token, "1", "1"])


@pytest.mark.parametrize("way", WAYS)
async def test_a_secret_that_is_refused_and_still_the_same_is_not_tried_again(way: str, file: Path) -> None:
    keeper = Keeper("another")
    async with serving(FakeWire(keeper), sources=at(way, file)) as gateway:
        codes = await gateway.codes(order_of("shop"))

    assert (codes, keeper.calls) == (["UPSTREAM_AUTH"], ["token"] if way == "token" else ["1"])


@pytest.mark.parametrize(
    ("way", "content"),
    [(way, content) for way in WAYS for content in (None, b"", b"\xff")]
    + [(way, b"two\nlines") for way in ("bearer", "header", "headers")],
)
async def test_a_file_that_cannot_be_used_leaves_the_secret_that_is_known(way: str, content: bytes | None, file: Path) -> None:
    keeper, clock = Keeper("one"), FakeClock()
    async with serving(FakeWire(keeper), clock, sources=at(way, file)) as gateway:
        await gateway.codes(order_of("shop"))
        clock.advance(600)
        keeper.password = "two"
        file.unlink() if content is None else file.write_bytes(content)
        refused = await gateway.codes(order_of("shop"))
        clock.advance(600)
        keeper.password = "one"
        again = await gateway.codes(order_of("shop"))

    assert (refused, again) == (["UPSTREAM_AUTH"], [])


@pytest.mark.parametrize("way", WAYS)
async def test_a_secret_is_read_again_with_the_configuration(way: str, file: Path) -> None:
    keeper = Keeper("one")
    async with serving(FakeWire(keeper), sources=at(way, file)) as gateway:
        await gateway.codes(order_of("shop"))
        keeper.password = "two"
        file.write_text("two\n")
        lines = await gateway.take()
        keeper.calls.clear()
        after = await gateway.codes(order_of("shop"))

    assert (lines, after) == ([DONE, "sources: changed shop"], [])
    assert keeper.calls == (["token", "1"] if way == "token" else ["1"])


async def test_a_write_that_is_refused_is_not_sent_again_and_the_next_has_the_new_secret(file: Path) -> None:
    wire = FakeWire(lambda _: answer("{}", 401))
    settings = settings_from({"sources": {"shop": {**SOURCE, "auth": {"kind": "bearer", "token": f"file:{file}"}}}})
    upstream = HttpUpstream("shop", settings.sources["shop"], wire, FakeClock())
    file.write_text("two")
    for _ in range(2):
        await upstream.write(Request(operation="POST", method="POST", path="/"), make_scope())

    assert [request.headers["authorization"] for request in wire.requests] == ["Bearer one", "Bearer two"]


# ------------------------------------------------------------------ what cannot be used, or changed


async def test_what_cannot_be_used_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "no.json"
    async with serving(Shop(), callers=[caller("key")]) as gateway:
        with pytest.raises(SettingsError) as failure:
            await gateway.take(
                callers=[], sources={"new": SOURCE}, server={**IN_MEMORY, "trusted_documents": "require", "documents": str(path)}
            )
        status = (await gateway.ask(NAME)).status_code
        sources = await gateway.data(SOURCES, "key")

    assert failure.value.lines[0].startswith(f"server.documents: {path}: ")
    assert (status, sources) == (401, {"sources": [{"key": "shop"}]})


async def test_who_serves_others_is_not_opened_to_them_even_where_the_file_says_this_machine() -> None:
    outside = {**IN_MEMORY, "host": "0.0.0.0"}  # noqa: S104  (nothing listens)
    async with serving(Shop(), server=outside, callers=[caller("key")]) as gateway:
        with pytest.raises(SettingsError) as failure:
            await gateway.take(callers=[], server=IN_MEMORY)

    assert failure.value.lines == ("server.host: 0.0.0.0 can be reached from outside, and no [[callers]] are configured",)


async def test_where_the_journal_cannot_be_written_nothing_is_changed(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    async with serving(Shop(), server={"state": f"sqlite:///{path}"}) as gateway:
        path.unlink()
        with pytest.raises(JournalUnavailable):
            await gateway.take(sources={"new": {**SOURCE, "former_keys": ["shop"]}})
        sources = await gateway.data(SOURCES)

    assert sources == {"sources": [{"key": "shop"}]}


async def test_what_the_process_has_taken_hold_of_stays_and_is_said() -> None:
    async with serving(Shop()) as gateway:
        lines = await gateway.take(server={"state": "sqlite:///other.db", "port": 1, "get_queries": True})

    fixed = [f"server.{name}: stays as it is until the gateway is started again" for name in ("port", "state")]
    assert lines == [DONE, *fixed]


async def test_notices_are_said_as_at_the_start() -> None:
    async with serving(Shop()) as gateway:
        settings = settings_from({**gateway.tables, "federation": {"prefix": "ACME_"}})
        lines = await gateway.app.state.take(settings)

    assert lines == [DONE, *settings.notices]
    assert "federation.prefix: not used while enabled is false" in lines
