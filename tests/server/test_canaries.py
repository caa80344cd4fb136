"""What is secret leaves by no door: planted in settings, requests and answers of upstreams, then everything fails in turn."""

from __future__ import annotations

import io
import json
import logging
import re
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest
from anyio import to_thread

from gateway.__main__ import main
from gateway.app import create_app, make_gateway, read_settings, settings_from
from gateway.errors import SettingsError
from gateway.model import Kind, MutationOutcome, Ref, UpstreamRefusal, UserError, UserErrorCode
from gateway.settings import Settings
from gateway.transport import Response
from gateway.transport.http1_wire import Http1Wire
from gateway.transport.wire import AnswerUnreadable, Wire, WireFailed, WireRequest, WireTimeout
from tests.fakes import FakeClock, FakeWire, answer
from tests.sources.compilator import samples as tyres
from tests.sources.norce import samples as web
from tests.sources.shopctrl import samples as shop
from tests.test_cli import Done, _toml
from tests.trail import Story, take_down

pytestmark = pytest.mark.anyio

MARK = "canary"
"""In every secret that is text, so that a part of one is found, too; no module, path or text of ours has it."""
JWT = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJjYW5hcnkifQ.Y2FuYXJ5"
BASIC = "dTpjYW5hcnktYmFzaWM="
HOST = "upstream-canary.example"
PERSONAL = ("19121212-1212", "191212121212", "SE121212121201", "800101-1234", "8001011234", "19800101")
SECRETS = (MARK, JWT, JWT.partition(".")[2], BASIC, *PERSONAL)
KEY = "canary-key-of-a-caller"
KEY_DIGEST = sha256(KEY.encode()).hexdigest()
TILL = "c7cf3ff9-453b-4c07-8f57-3274a1f04373"
BASE = f"https://{HOST}/canary-base"
SOFT: dict[str, Any] = {
    "retries": 0,
    "max_queue": 10_000,
    "breaker_calls": 10_000,
    "headers": {"X-Tenant": "canary-header", "X-Jwt": JWT},
}
SOURCES: dict[str, dict[str, Any]] = {
    "pos": {
        **SOFT,
        "system": "nimpos",
        "base_url": f"{BASE}/pos",
        "terminal_ids": [TILL],
        "auth": {"kind": "password", "username": "u", "password": "canary-password"},
    },
    "subscriptions": {
        **SOFT,
        "system": "compilator",
        "base_url": f"{BASE}/subscriptions",
        "auth": {"kind": "header", "name": "X-Api-Key", "value": "canary-api-key"},
    },
    "shop": {
        **SOFT,
        "system": "shopctrl",
        "base_url": f"{BASE}/shop",
        "shop_ids": [1],
        "shop_owner_id": 1,
        "auth": {"kind": "basic", "username": "u", "password": "canary-basic"},
    },
    "bearer": {
        **SOFT,
        "system": "shopctrl",
        "base_url": f"{BASE}/bearer",
        "shop_ids": [1],
        "shop_owner_id": 1,
        "auth": {"kind": "bearer", "token": JWT},
    },
    "commerce": {
        **SOFT,
        "system": "norce",
        "base_url": f"{BASE}/commerce",
        "application_id": 7,
        "auth": {
            "kind": "client_credentials",
            "token_url": f"{BASE}/connect/token",
            "client_id": "canary-client",
            "client_secret": "canary-client-secret",
        },
    },
}
CALLER = {"name": "script", "key_sha256": KEY_DIGEST, "permissions": ["read", "write", "raw", "explorer", "audit"], "sources": ["*"]}

# ------------------------------------------------------------------ what fails, and how

TRACE = """System.Exception: canary-stack at Nim.Api.Controllers() in C:\\canary\\Api.cs:line 7
  Server=canary-db;User Id=sa;Password=canary-connection-string; 19121212-1212"""
TELLING = {
    "www-authenticate": 'Bearer error="canary-challenge"',
    "set-cookie": "session=canary-cookie",
    "location": f"{BASE}/canary-redirect",
    "retry-after": "canary-wait",
    "x-powered-by": "canary-server",
}
TOKEN = answer('{"access_token":"canary-token","expires_in":60}')


def says(body: str, status: int) -> Response:
    return answer(body, status, **TELLING)


def wrong_types(_: WireRequest) -> Response:
    """Give JSON whose fields have other types than published, and the secrets in them."""
    row = {name: {"canary-field": "canary-value 19121212-1212"} for name in ("Id", "InvoiceNo", "PersonalNumber", "OrgNo", "No", "Number")}
    return answer(json.dumps([{**row, "Id": "canary-id", "CustomerNo": "canary-number", "MainStatusId": "canary-status"}]))


def enveloped(_: WireRequest) -> Response:
    row = {"Id": "canary-id", "CustomerNo": "canary-number", "OrderNo": ["canary"], "OrgNo": "191212121212", "Total": "canary-total"}
    return answer(json.dumps({"value": [row], "Items": [row], "ItemCount": "canary-count", "CustomerReponse": [row], "Id": "canary-id"}))


def bug(_: WireRequest) -> Response:
    raise RuntimeError(TRACE)


def fails(error: Exception) -> Callable[[WireRequest], Response]:
    def handle(_: WireRequest) -> Response:
        raise error

    return handle


def answers(body: str, status: int = 200) -> Callable[[WireRequest], Response]:
    return lambda _: says(body, status)


FAULTS: dict[str, Callable[[WireRequest], Response]] = {
    "no connection": fails(WireFailed("no connection", nothing_sent=True)),
    "connection lost": fails(WireFailed("the connection was lost")),
    "no answer": fails(WireTimeout("no answer in time")),
    "unreadable": fails(AnswerUnreadable("the answer is larger than 10 bytes")),
    **{str(status): answers(TRACE, status) for status in (302, 400, 401, 403, 404, 409, 417, 422, 429, 500, 502, 503)},
    "401 with the token": answers(f'{{"error":"invalid_token","token":"canary-token","jwt":"{JWT}"}}', 401),
    "a refusal in JSON": answers(
        json.dumps({"Message": TRACE, "Messages": {"canary-code": [TRACE]}, "ModelState": {"canary-field": [TRACE]}}), 400
    ),
    "a refusal with 200": answers(json.dumps({"Success": False, "Errors": [{"ErrorCode": 7, "ErrorMessage": TRACE}]})),
    "HTML": answers(f"<html>{TRACE}</html>"),
    "cut JSON": answers('[{"Id": 1, "PersonalNumber": "19121212-1212", "Password": "canary-cut'),
    "no UTF-8": lambda _: answer(b'{"Id": "canary-\xff"}'),
    "deep JSON": answers("[" * 100_000),
    "wrong types": wrong_types,
    "wrong types in an envelope": enveloped,
}
TOKEN_FAULTS: dict[str, Callable[[WireRequest], Response]] = {
    "refused": answers('{"error":"invalid_client","error_description":"canary-client-secret"}', 400),
    "unauthorized": answers(TRACE, 401),
    "broken": answers(TRACE, 500),
    "too often": answers(TRACE, 429),
    "no JSON": answers(TRACE),
    "no token in it": answers('{"canary-field":"canary-value"}'),
    "a token of lines": answers('{"access_token":"canary\\r\\nX-Evil: canary","expires_in":60}'),
    "a token that is none": answers('{"access_token":{"canary":1},"expires_in":"canary"}'),
    "lost": fails(WireFailed("no connection")),
}


def is_token(request: WireRequest) -> bool:
    return request.url.lower().endswith("/token")


class Upstreams(FakeWire):
    """All upstreams; how they answer is changed from test to test."""

    def __init__(self) -> None:
        super().__init__(self._answer)
        self.read: Callable[[WireRequest], Response] = answers("null")
        self.token: Callable[[WireRequest], Response] = lambda _: TOKEN
        self.write: Callable[[WireRequest], Response] | None = None

    def _answer(self, request: WireRequest) -> Response:
        if is_token(request):
            return self.token(request)
        return self.write(request) if self.write is not None and request.method == "POST" else self.read(request)


# ------------------------------------------------------------------ who listens


@dataclass
class Heard:
    """All that came out: answers, log lines as they are written, texts on the terminal."""

    texts: list[str] = field(default_factory=list)

    def response(self, response: httpx.Response) -> Any:  # noqa: ANN401  (any JSON)
        """Take an answer down, but for what the graph says to be the upstream's own text."""
        self.texts.append(repr(response.headers.multi_items()))
        if not response.headers.get("content-type", "").startswith("application/json"):
            self.texts.append(response.text)
            return None
        found = response.json()
        self.texts.append(json.dumps(without_upstream_text(found), ensure_ascii=False))
        return found

    def leaks(self) -> list[str]:
        return [f"{secret}: {text[:1500]}" for text in self.texts for secret in SECRETS if secret in text]


def without_upstream_text(tree: Any) -> Any:  # noqa: ANN401  (any JSON)
    match tree:
        case dict():
            return {name: without_upstream_text(value) for name, value in tree.items() if name != "upstream"}
        case list():
            return [without_upstream_text(value) for value in tree]
        case _:
            return tree


class Listener(logging.Handler):
    """Writes every record of every logger as a log file would have it, traceback and all."""

    def __init__(self, heard: Heard) -> None:
        super().__init__(logging.DEBUG)
        self.setFormatter(logging.Formatter("%(name)s %(levelname)s %(message)s"))
        self._heard = heard

    def emit(self, record: logging.LogRecord) -> None:
        if record.name != "httpx":  # of these tests' own client; the gateway has the transport below it alone
            self._heard.texts.append(self.format(record))


@contextmanager
def listening(level: int = logging.DEBUG) -> Iterator[Heard]:
    """Hear every logger, those of the libraries too."""
    heard, root = Heard(), logging.getLogger()
    listener, usual = Listener(heard), root.level
    root.addHandler(listener)
    root.setLevel(level)
    try:
        yield heard
    finally:
        root.removeHandler(listener)
        root.setLevel(usual)


# ------------------------------------------------------------------ what is asked

ID = '{native: {source: "%s", id: "%s"}}'
KEYS = {"pos": TILL, "subscriptions": "40017", "shop": "1", "bearer": "1", "commerce": "1"}
ORDER_KEYS = {**KEYS, "subscriptions": "5512/12"}
CUSTOMER_KEYS = {**KEYS, "commerce": "customer/1"}
CUSTOMER = """{ id number name kind organizationNumber vatNumber email phone billingAddress { line1 } warnings { message }
  origin { raw nativeId } invoiceSettings { version origin { raw } } orders { nodes { number } } links { nodes { rule } } }"""
ORDER = """{ id number status currency totals { total { amount } } lines { name } sourceStatuses { label } warnings { message }
  origin { raw } customer { number name organizationNumber vatNumber origin { raw } } invoices { nodes { number } } }"""
INVOICE = """{ id number issueDate currency totals { total { amount } } amountDue { amount } payments { reference } lines { name }
  sourceStatuses { label } warnings { message } origin { raw } document { url } notes { text } details { __typename }
  customer { number name organizationNumber vatNumber origin { raw } } orders { number origin { raw } } }"""
RESULT = """outcome userErrors { code message field upstream { status code message } } request { method path body }
  attempt { subject userErrors { message upstream { message } } }"""
RAW = re.compile(r"origin \{ raw( nativeId)? \}")
NUMBER = '{number: {source: "%s", number: "1"}}'


def reads(*, raw: bool = False) -> Iterator[str]:
    for query in _reads():
        yield query if raw else RAW.sub("", query)


def _reads() -> Iterator[str]:
    for key in SOURCES:
        yield f"{{ customer(by: {ID % (key, CUSTOMER_KEYS[key])}) {CUSTOMER} }}"
        yield f"{{ order(by: {ID % (key, ORDER_KEYS[key])}) {ORDER} }}"
        yield f"{{ invoice(by: {ID % (key, KEYS[key])}) {INVOICE} }}"
        by = NUMBER % key
        yield f"{{ a: customer(by: {by}) {{ name }} b: order(by: {by}) {{ number }} c: invoice(by: {by}) {{ number }} }}"
    for name, fields in (("customers", CUSTOMER), ("orders", ORDER), ("invoices", INVOICE)):
        yield f"{{ {name}(first: 2) {{ nodes {fields} sourceResults {{ code message source {{ key }} }} }} }}"
    yield "{ sources { key health capabilities { note } } attempts { nodes { outcome userErrors { message } } } caller { name } }"


def writes(key: str) -> Iterator[str]:
    settings = 'settings: {currencyId: 1, invoiceEmail: "a@b.example"}, mode: REPLACE'
    at_till = ID % ("pos", TILL)
    till = f'customer: {at_till}, orders: [{at_till}], number: "{1 + sum(key.encode())}", dueDate: "2026-12-01", total: {{amount: "10.00"}}'
    web_invoice = f'number: "F-{key}", issueDate: "2026-11-01", total: {{amount: "10.00", currency: "SEK"}}'
    yield f'mutation {{ createInvoiceFromOrder(order: {ID % ("shop", "1")}, idempotencyKey: "shop{key}") {{ {RESULT} }} }}'
    terms = ID % ("subscriptions", "40017")
    yield f'mutation {{ setInvoiceSettings(customer: {terms}, {settings}, idempotencyKey: "set{key}") {{ {RESULT} }} }}'
    yield f"""mutation {{ createInvoice(source: "pos", idempotencyKey: "pos{key}", input: {{ {till},
      nimpos: {{outletId: "{TILL}", terminalId: "{TILL}"}} }}) {{ {RESULT} }} }}"""
    yield f"""mutation {{ createInvoice(source: "commerce", idempotencyKey: "web{key}", input: {{ {web_invoice},
      norce: {{clientOrderRef: 7, erpOrderNumber: "N-1"}} }}) {{ {RESULT} }} }}"""


@dataclass(frozen=True, slots=True)
class Gateway:
    client: httpx.AsyncClient
    wire: Upstreams
    clock: FakeClock

    async def ask(self, heard: Heard, query: str) -> Any:  # noqa: ANN401  (any JSON)
        headers = {"authorization": f"Bearer {KEY}", "x-gateway-explain": "1", "x-gateway-cost": "1", "x-gateway-trace": "1"}
        self.clock.advance(1)
        response = await self.client.post("/graphql", json={"query": query}, headers=headers)
        assert response.status_code == 200, response.text
        return heard.response(response)

    async def ask_all(self, heard: Heard, *, raw: bool = False) -> None:
        for query in reads(raw=raw):
            await self.ask(heard, query)
        for source in SOURCES:
            document = f"/documents/{Ref(source, Kind.INVOICE, KEYS[source]).global_id}"
            heard.response(await self.client.get(document, headers={"authorization": f"Bearer {KEY}"}))
        page = await self.client.get("/sources", headers={"authorization": f"Bearer {KEY}"})
        assert page.status_code == 200, page.text
        heard.response(page)
        self.clock.advance(100_000)


@asynccontextmanager
async def opened(wire: Upstreams, state: str = "sqlite://") -> AsyncIterator[Gateway]:
    clock = FakeClock()
    server = {"state": state, "signing_key": "canary-signing-key"}
    app = create_app(settings_from({"server": server, "callers": [CALLER], "sources": SOURCES}), wire, clock)
    transport = httpx.ASGITransport(app)
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url="http://gateway.example") as client:
        yield Gateway(client, wire, clock)


@pytest.fixture(scope="module")
async def shared(anyio_backend: str) -> AsyncIterator[Gateway]:
    del anyio_backend
    async with opened(Upstreams()) as gateway:
        yield gateway


@pytest.fixture
def gateway(shared: Gateway) -> Gateway:
    shared.wire.__init__()  # type: ignore[misc]  # as it was at first
    shared.clock.advance(100_000)
    return shared


# ------------------------------------------------------------------ reading and writing


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_read_that_fails_tells_nobody_what_is_secret(gateway: Gateway, fault: str) -> None:
    gateway.wire.read = FAULTS[fault]
    with listening() as heard:
        await gateway.ask_all(heard)

    assert heard.leaks() == []
    assert any('"code": "' in text for text in heard.texts)


@pytest.mark.parametrize("fault", TOKEN_FAULTS)
async def test_signing_in_that_fails_tells_nobody_what_is_secret(gateway: Gateway, fault: str) -> None:
    gateway.wire.token = TOKEN_FAULTS[fault]
    with listening() as heard:
        await gateway.ask_all(heard)

    assert heard.leaks() == []
    assert any('"operation": "Token"' in text for text in heard.texts)


def readable(request: WireRequest) -> Response:
    """Answer what the checks before a write ask for."""
    if request.url.endswith("/v1/Orders/1"):
        return answer('{"Id": 1}')
    if "GetOrderById" in request.url:
        return answer(json.dumps({"Id": TILL, "CustomerInvoiceId": None}))
    if "/v1/" in request.url:
        return answer("[]")
    return answer("", 404) if "/subscriptions/" in request.url else answer("null")


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_write_that_fails_tells_the_text_of_the_upstream_in_its_own_place_alone(gateway: Gateway, fault: str) -> None:
    gateway.wire.read, gateway.wire.write = readable, FAULTS[fault]
    with listening(logging.INFO) as heard:  # the debug lines of the journal's driver have a test of their own
        for query in writes(fault):
            await gateway.ask(heard, query)
        await gateway.ask(heard, "{ attempts { nodes { subject userErrors { code message upstream { message } } } } }")

    assert heard.leaks() == []
    assert len([request for request in gateway.wire.requests if request.method == "POST" and not is_token(request)]) == 4


async def test_the_driver_of_the_journal_logs_nothing_of_what_is_kept(gateway: Gateway) -> None:
    gateway.wire.read, gateway.wire.write = readable, FAULTS["a refusal in JSON"]
    with listening() as heard:
        for query in writes("driver"):
            await gateway.ask(heard, query)

    assert heard.leaks() == []


async def test_the_text_of_an_upstream_is_there_in_its_own_place(gateway: Gateway) -> None:
    gateway.wire.read, gateway.wire.write = readable, FAULTS["a refusal in JSON"]
    told = [await gateway.ask(Heard(), query) for query in writes("told")]

    upstream = [error["upstream"] for answer in told for result in answer["data"].values() for error in result["userErrors"]]
    assert sum("canary-stack" in str(said) for said in upstream) >= 3


async def test_a_bug_is_told_to_no_client(gateway: Gateway) -> None:
    gateway.wire.read = bug
    heard = Heard()
    await gateway.ask_all(heard)
    gateway.wire.read, gateway.wire.write = readable, bug
    for query in writes("bug"):
        await gateway.ask(heard, query)

    assert heard.leaks() == []
    assert any("an internal error" in text for text in heard.texts)


async def test_a_bug_is_logged_without_the_text_of_its_exception(gateway: Gateway) -> None:
    gateway.wire.read = bug
    with listening() as heard:
        await gateway.ask_all(heard)

    assert heard.leaks() == []
    assert any("RuntimeError" in text for text in heard.texts)


@pytest.mark.parametrize(
    "authorization",
    ["Bearer canary-wrong", f"Bearer {JWT}", f"Basic {BASIC}", "canary", f"Bearer {KEY} canary", "Bearer " + "canary" * 2000],
)
async def test_a_key_that_is_refused_is_repeated_nowhere(gateway: Gateway, authorization: str) -> None:
    with listening() as heard:
        heard.response(
            await gateway.client.post("/graphql", json={"query": "{ caller { name } }"}, headers={"authorization": authorization})
        )
        heard.response(await gateway.client.get("/documents/x", headers={"authorization": authorization}))
        heard.response(
            await gateway.client.get("/documents/x?expires=1&signature=canary-signature", headers={"authorization": authorization})
        )

    assert heard.leaks() == []


async def test_a_connection_that_fails_tells_nobody_where_it_went() -> None:
    """Over the real client: what it and its own loggers say of an address and of headers."""
    wire: Wire = Http1Wire()
    request = WireRequest(
        method="GET",
        url="http://127.0.0.1:9/canary-path?canary=1",
        headers={"authorization": "canary-token"},
        timeout_seconds=5,
        connect_timeout_seconds=5,
        max_answer_bytes=10,
    )
    with listening() as heard:
        for bad in ({"x": "canary\r\nX-Evil: 1"}, {"x": "canary-å"}, {}):
            changed = WireRequest(
                method="GET",
                url=request.url,
                headers={**request.headers, **bad},
                timeout_seconds=5,
                connect_timeout_seconds=5,
                max_answer_bytes=9,
            )
            with pytest.raises(WireFailed) as failed:
                await wire.send(changed)
            heard.texts += [str(failed.value), repr(failed.value), repr(failed.value.__cause__)]
    await wire.aclose()

    assert heard.leaks() == []


# ------------------------------------------------------------------ personal identity numbers

PERSON = {**json.loads(tyres.CUSTOMER), "IsCompany": False, "OrgNo": "19121212-1212", "VatRegistrationNumber": "SE121212121201"}
UNSAID = {**PERSON, "CustomerNo": 40018, "Id": tyres.GUID[:-1] + "2", "IsCompany": None, "OrgNo": "191212121212"}
SHOPPER = {**json.loads(shop.CUSTOMER), "Id": 1, "PersonalNumber": "19121212-1212", "Nested": [{"PersonalNumber": "19121212-1212"}]}
BUYER = {
    **json.loads(web.CUSTOMER),
    "Id": 1,
    "SSN": "800101-1234",
    "Persons": [{"ssn": "8001011234", "socialSecurityNumber": "8001011234"}],
}


def people(request: WireRequest) -> Response:
    """Answer with people and their numbers, wherever a system has them."""
    address = request.url.partition("?")[0]
    found: dict[str, Any] = {
        "/v1/Customers/1": SHOPPER,
        "/v1/Orders/1": {**json.loads(shop.ORDER), "Id": 1, "CustomerId": 1, "Customer": SHOPPER},
        "/v1/Invoices/1": {**json.loads(shop.INVOICE_BASE_2026), "Id": 1, "OrderId": 1, "Customer": SHOPPER},
        "/GetInvoice": {**json.loads(web.INVOICE), "Id": "1"},
        "/GetInvoiceByNo": {**json.loads(web.INVOICE), "Id": "1", "InvoiceNo": "1"},
        "/GetOrderByNo": {**json.loads(web.ORDER), "Id": "1"},
        "/GetCustomer": BUYER,
        "/GetCustomerByCode": BUYER,
        "/Customers/Customers": {"value": [BUYER]},
        "/Orders/Orders": {"value": [{"Id": 1, "OrderNo": "N-1", "StatusId": 1, "Buyer": {"SSN": "800101-1234"}}]},
        "/ListInvoices": {"ItemCount": 1, "Items": [json.loads(web.INVOICE)]},
        "/api/orders/5512/12": json.loads(tyres.ORDER),
        "/api/invoice/40017/false": {**json.loads(tyres.INVOICE), "No": 40017},
        "/api/customers/invoice": {**json.loads(tyres.SETTINGS), "OrgNo": "19121212-1212"},
        "/CustomerCode/1": [SHOPPER],
    }
    body = next((body for ending, body in found.items() if address.endswith(ending)), None)
    if "/api/customers/2" in address:
        body = {"CustomerReponse": [PERSON, UNSAID, {**PERSON, "CustomerNo": "x"}], "TotalPages": 1}
    return answer("[]" if body is None else json.dumps(body))


async def test_personal_identity_numbers_are_shown_nowhere(gateway: Gateway) -> None:
    gateway.wire.read = people
    with listening() as heard:
        await gateway.ask_all(heard, raw=True)

    assert heard.leaks() == []
    shown = "\n".join(heard.texts)
    for known in ("MALARAKERI", '"CustomerCode": "K-20411"', '"FirstName": "Linnea"', '"ReceiveNewsLetter"', "Mälaråkeriet AB"):
        assert known in shown


async def test_the_journal_keeps_no_personal_identity_number_of_what_it_read(tmp_path: Path) -> None:
    wire = Upstreams()
    wire.read = people
    wire.write = lambda request: people(request) if "/shop/" in request.url else answer("")
    heard = Heard()
    async with opened(wire, f"sqlite:///{tmp_path / 'journal.db'}") as gateway:
        for query in writes("kept"):
            await gateway.ask(heard, query)
        kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())

    assert [number for number in PERSONAL if number.encode() in kept] == []
    assert b"shopkept" in kept


WITH_PERSON = """mutation { createInvoice(source: "inserting", dryRun: %s, idempotencyKey: "ssn", input: {norce: {insertInvoice:
  {InvoiceNo: "F-1", BillTo: {Customer: {FirstName: "Linnea", SSN: "19121212-1212"}}}}}) {
  outcome userErrors { code message } request { body } } }"""
INSERTING = {**SOURCES["commerce"], "create_via": "insert-invoice", "base_url": f"{BASE}/inserting"}


@pytest.mark.parametrize("is_dry", ["true", "false"])
async def test_a_personal_identity_number_that_a_caller_sends_is_not_shown_again_and_not_kept(tmp_path: Path, is_dry: str) -> None:
    heard, wire = Heard(), Upstreams()
    tables = {"server": {"state": f"sqlite:///{tmp_path / 'journal.db'}"}, "sources": {"inserting": INSERTING}}
    app = create_app(settings_from(tables), wire, FakeClock())
    transport = httpx.ASGITransport(app)
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url="http://gateway.example") as client:
        heard.response(await client.post("/graphql", json={"query": WITH_PERSON % is_dry}))
        kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())

    assert any('"FirstName": "Linnea"' in text for text in heard.texts)
    assert [number for number in PERSONAL if number.encode() in kept] == []
    assert heard.leaks() == []


# ------------------------------------------------------------------ the journal


async def test_a_journal_that_is_lost_tells_nobody_where_it_was(tmp_path: Path) -> None:
    folder = tmp_path / "canary-folder"
    folder.mkdir()
    wire = Upstreams()
    wire.read = readable
    async with opened(wire, f"sqlite:///{folder / 'canary.db'}") as gateway:
        for path in folder.iterdir():
            path.unlink()
        with listening() as heard:
            for query in writes("lost"):
                await gateway.ask(heard, query)
            await gateway.ask(heard, "{ attempts { nodes { subject } } }")
            await gateway.ask(heard, '{ attempt(idempotencyKey: "x") { subject } }')

    assert heard.leaks() == []
    assert any("JOURNAL_UNAVAILABLE" in text for text in heard.texts)


# ------------------------------------------------------------------ settings

STATE = "postgresql://canary-user:canary-db-password@127.0.0.1:1/canary-db"


def settings() -> Settings:
    server = {"state": STATE, "signing_key": "canary-signing-key"}
    return settings_from({"server": server, "callers": [CALLER], "sources": SOURCES})


def test_settings_and_what_is_made_of_them_show_no_secret() -> None:
    made = settings()
    gateway = make_gateway(made, Upstreams())
    upstreams = [source._upstream for source in gateway.sources]  # type: ignore[attr-defined]  # noqa: SLF001  (what nobody should show)
    shown = [repr(made), str(made), repr(gateway), *map(repr, gateway.sources), *map(repr, upstreams)]
    shown += [repr(upstream._credentials) for upstream in upstreams]  # noqa: SLF001  (as above)
    public = re.compile(re.escape(BASE) + r"[a-z/-]*|canary-client\b(?!-)")  # what an operator may see: no secret of `Settings`

    assert [text for text in shown for secret in SECRETS if secret in public.sub("", text)] == []


def test_a_request_shows_no_header_and_no_body() -> None:
    request = WireRequest(
        method="POST",
        url="https://a.example",
        headers={"authorization": "canary"},
        content=b"canary",
        timeout_seconds=1,
        connect_timeout_seconds=1,
        max_answer_bytes=1,
    )

    assert MARK not in repr(request)
    assert MARK not in repr(Response(200, {"set-cookie": "canary"}, b"canary"))


MISTAKES: dict[str, Mapping[str, object]] = {
    "a password in the address": {"base_url": "https://u:canary-pw@shop.example"},
    "no address": {"base_url": "canary-address"},
    "a header of two lines": {"headers": {"X-A": "canary\r\nX-Evil: 1"}},
    "a header with umlauts": {"headers": {"X-A": "canary-å"}},
    "a header name": {"headers": {"X A": "canary-value"}},
    "a secret that is a number": {"auth": {"kind": "basic", "username": "u", "password": 19121212}},
    "a secret that is a list": {"auth": {"kind": "basic", "username": "u", "password": ["canary"]}},
    "a secret under a wrong name": {"auth": {"kind": "basic", "username": "u", "passwrod": "canary-pw"}},
    "a secret that is too much": {"auth": {"kind": "none", "password": "canary-pw"}},
    "a bearer of two lines": {"auth": {"kind": "bearer", "token": f"{JWT}\n"}},
    "a table in the place of a secret": {"auth": {"kind": "bearer", "token": {"canary": "canary"}}},
    "auth that is text": {"auth": "canary-auth"},
    "a token address": {
        "auth": {"kind": "client_credentials", "token_url": "https://u:canary@h/", "client_id": "canary", "client_secret": "canary"}
    },
    "a key that nobody knows": {"api_key_value": "canary"},
    "options": {"shop_ids": "canary"},
    "a currency": {"default_currency": "canary"},
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_in_the_settings_of_a_source_is_told_without_its_value(mistake: str) -> None:
    table = {**SOURCES["shop"], **MISTAKES[mistake]}
    with listening() as heard, pytest.raises(SettingsError) as refused:
        settings_from({"server": {"state": "sqlite://"}, "sources": {"shop": table}})

    heard.texts += [str(refused.value), repr(refused.value), repr(refused.value.__cause__)]
    assert heard.leaks() == []


@pytest.mark.parametrize(
    "server",
    [
        {"state": "mysql://u:canary@h/d"},
        {"state": "postgresql://u:canary@h:port/d"},
        {"state": "postgresql://u:canary@h/d?canary_parameter=1"},
        {"state": "sqlite://u:canary@h/d"},
        {"state": 7, "signing_key": ["canary"]},
        {"signing_key": {"canary": "canary"}},
        {"cors_origins": ["canary"], "port": "canary"},
    ],
    ids=str,
)
def test_a_mistake_in_the_settings_of_the_server_is_told_without_its_value(server: Mapping[str, object]) -> None:
    with pytest.raises(SettingsError) as refused:
        create_app(settings_from({"server": {"state": "sqlite://", **server}, "sources": {"shop": SOURCES["shop"]}}))

    assert [line for line in refused.value.lines if MARK in line.replace("canary_parameter", "")] == []


@pytest.mark.parametrize("key", ["canary-key", KEY_DIGEST.upper(), ["canary"], 7])
def test_a_key_in_the_place_of_its_digest_is_not_repeated(key: object) -> None:
    with pytest.raises(SettingsError) as refused:
        settings_from({"callers": [{**CALLER, "key_sha256": key}], "sources": {"shop": SOURCES["shop"]}})

    assert MARK not in str(refused.value)
    assert KEY_DIGEST.upper() not in str(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        'password = "canary',
        "password = canary",
        'password = "canary\\q"',
        'auth = { password = "canary", password = "canary-2" }',
        '[sources]\nshop = "canary"\nshop = "canary"',
        'a = "canary" canary',
        "a = '''canary",
    ],
)
def test_a_file_that_is_no_toml_is_told_without_its_content(tmp_path: Path, text: str) -> None:
    path = tmp_path / "gateway.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError) as refused:
        read_settings(path)

    assert MARK not in str(refused.value)


def test_a_secret_file_that_cannot_be_read_is_told_by_its_name_alone(tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_bytes(b"canary-\xff")
    table = {**SOURCES["shop"], "auth": {"kind": "basic", "username": "u", "password": f"file:{secret}"}}
    with pytest.raises(SettingsError) as refused:
        settings_from({"sources": {"shop": table}})

    assert str(refused.value) == f"configuration: sources.shop.auth.password: the file {secret} cannot be read"


# ------------------------------------------------------------------ the command line


def configure(folder: Path, state: str, **changes: Mapping[str, object]) -> str:
    """Write all the settings to a file; no upstream answers at the addresses."""
    lines = ["[server]", f'state = "{state}"', 'signing_key = "canary-signing-key"', "[[callers]]"]
    lines += [f"{name} = {_toml(value)}" for name, value in CALLER.items()]
    for key, table in SOURCES.items():
        nowhere = {
            **table,
            **changes,
            "base_url": f"http://127.0.0.1:9/canary-base/{key}",
            "timeout_seconds": 1,
            "connect_timeout_seconds": 1,
            "retries": 0,
        }
        auth: Any = nowhere["auth"]
        if "token_url" in auth:
            nowhere["auth"] = {**auth, "token_url": "http://127.0.0.1:9/canary-base/token"}
        lines += [f"[sources.{key}]", *(f"{name} = {_toml(value)}" for name, value in nowhere.items())]
    path = folder / "gateway.toml"
    path.write_text("\n".join(lines), encoding="utf-8")
    return str(path)


async def run(heard: Heard, *arguments: str) -> Done:
    """Run a command in this process, and take down what it prints."""

    def work() -> Done:
        with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()) as err:
            code = main(arguments)
        return Done(code, out.getvalue(), err.getvalue())

    done = await to_thread.run_sync(work)
    heard.texts += [done.stdout, done.stderr]
    return done


SAID = UserError(UserErrorCode.UPSTREAM_REJECTED, "the source refused it", upstream=UpstreamRefusal(status=400, code="c", message=TRACE))


async def test_no_command_prints_a_secret(tmp_path: Path) -> None:
    state = f"sqlite:///{tmp_path / 'journal.db'}"
    config = configure(tmp_path, state)
    document = tmp_path / "document.graphql"
    document.write_text(next(reads()), encoding="utf-8")
    await take_down(
        state,
        Story(key="K-1"),
        Story(key="K-2", outcome=MutationOutcome.UNKNOWN),
        Story(key="K-3", outcome=MutationOutcome.REJECTED, errors=(SAID,)),
    )
    commands: dict[tuple[str, ...], int] = {
        ("check", "--config", config): 0,
        ("check", "--live", "--config", config): 1,
        ("explain", str(document), "--config", config): 0,
        ("attempts", "--config", config): 0,
        ("reconcile", "--config", config): 4,
        ("reconcile", "--json", "--config", config): 4,
        ("forget", "--config", config, "--source", "shop", "--native-id", "1"): 0,
    }
    with listening() as heard:
        done = {command: (await run(heard, *command)).returncode for command in commands}

    assert heard.leaks() == []
    assert done == commands


async def test_the_trail_for_scripts_has_the_text_of_an_upstream_in_its_own_place_alone(tmp_path: Path) -> None:
    state = f"sqlite:///{tmp_path / 'journal.db'}"
    await take_down(state, Story(key="K-3", outcome=MutationOutcome.REJECTED, errors=(SAID,)))
    done = await run(Heard(), "attempts", "--json", "--config", configure(tmp_path, state))

    (found,) = map(json.loads, done.stdout.splitlines())
    assert "canary-stack" in found["userErrors"][0]["upstream"]["message"]
    assert MARK not in json.dumps(without_upstream_text(found))


@pytest.mark.parametrize(
    "command", [("serve",), ("check", "--live"), ("attempts",), ("reconcile",), ("forget", "--source", "shop", "--native-id", "1")]
)
async def test_a_database_that_is_not_there_is_told_without_its_address(tmp_path: Path, command: tuple[str, ...]) -> None:
    config = configure(tmp_path, STATE)
    with listening() as heard:
        done = await run(heard, *command, "--config", config)

    assert heard.leaks() == []
    assert done.returncode == 2
    assert "the database cannot be reached" in done.stderr
