"""Whatever a caller writes reaches no path, query, header or body of an upstream but as the value it is, or is refused by name."""

from __future__ import annotations

import asyncio
import base64
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import quote
from uuid import UUID

import httpx
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.app import create_app, make_gateway, settings_from
from gateway.errors import GatewayError, InvalidInput
from gateway.loaders.criteria import organization_digits
from gateway.model import CreateInvoice, CreateInvoiceFromOrder, Criteria, Kind, LineDraft, MoneyDraft, Ref, SetInvoiceSettings, Write
from gateway.sources.base import Fetch, Prepared, Scope, Source
from gateway.sources.decode import organization_number
from gateway.sources.nimpos.writes import EXPORT_ERROR_MAX_LENGTH
from gateway.transport import Response
from gateway.transport.wire import WireRequest
from tests.fakes import FakeClock, FakeWire, answer
from tests.sources.judge import body_of, judge, leaves, source_of

pytestmark = pytest.mark.anyio

TILL = "c7cf3ff9-453b-4c07-8f57-3274a1f04373"
NOT_TRIED_AGAIN = {"retries": 0, "max_queue": 100_000, "breaker_calls": 100_000}
COMMERCE = {
    **NOT_TRIED_AGAIN,
    "system": "norce",
    "application_id": 7,
    "auth": {
        "kind": "client_credentials",
        "token_url": "https://commerce.example/identity/1.0/connect/token",
        "client_id": "i",
        "client_secret": "s",
    },
}
SOURCES: dict[str, dict[str, Any]] = {
    "pos": {
        **NOT_TRIED_AGAIN,
        "system": "nimpos",
        "base_url": "https://pos.example",
        "terminal_ids": [TILL],
        "auth": {"kind": "password", "username": "u", "password": "p"},
    },
    "subscriptions": {
        **NOT_TRIED_AGAIN,
        "system": "compilator",
        "base_url": "https://subscriptions.example",
        "branch_ids": [12],
        "auth": {"kind": "header", "name": "X-Api-Key", "value": "k"},
    },
    "shop": {
        **NOT_TRIED_AGAIN,
        "system": "shopctrl",
        "base_url": "https://shop.example",
        "shop_ids": [1, 2],
        "shop_owner_id": 1,
        "auth": {"kind": "basic", "username": "u", "password": "p"},
    },
    "commerce": {**COMMERCE, "base_url": "https://commerce.example"},
    "inserting": {**COMMERCE, "base_url": "https://inserting.example", "create_via": "insert-invoice", "query_version": "off"},
}
HEADERS: Mapping[str, Mapping[str, str]] = {
    "pos": {"authorization": "Bearer t0k3n"},
    "subscriptions": {"x-api-key": "k"},
    "shop": {"authorization": "Basic dTpw"},
    "commerce": {"authorization": "Bearer t0k3n", "application-id": "7"},
    "inserting": {"authorization": "Bearer t0k3n", "application-id": "7"},
}
FETCHES = {
    Fetch.CUSTOMER: Kind.CUSTOMER,
    Fetch.ORDER: Kind.ORDER,
    Fetch.ORDER_LINES: Kind.ORDER,
    Fetch.INVOICE: Kind.INVOICE,
    Fetch.INVOICE_LINES: Kind.INVOICE,
    Fetch.PAYMENTS: Kind.INVOICE,
    Fetch.DOCUMENT: Kind.INVOICE,
    Fetch.INVOICE_SETTINGS: Kind.INVOICE_SETTINGS,
}
LISTS = (Kind.CUSTOMER, Kind.ORDER, Kind.INVOICE)

# ------------------------------------------------------------------ what a caller may write

PARTS = (
    "..", ".", "../", "/..", "/", "\\", "..\\", "%2e%2e", "%2E", "%2f", "..;", "..;/", ";x=1", "\r\n", "\nX-Evil: 1",
    "\r\n\r\nGET / HTTP/1.1", "?", "?a=b", "#", "&", "&$filter=1", "=", "%", "%00", "%0d%0a", "\x00", "\t", "\x7f", "\x85", "\u2028",
    "\u2029", "\ufeff", "\u202e", "'", "''", "' or 1 eq 1", "') or (1 eq 1", "') or ('1' eq '1", "eq", " ", "+", ",", "(", ")", "$",
    "{id}", "{0}", "{", "@", ":", "//evil.example", '"', '","x":"', "<", "1", "12", "40017", "1/2", "customer/1", "order/", "/billto",
    "order/1/billto", "0x1", "1_0", "\u0661", "Å", "😀", "a", "ZZ", "x" * 3000,
)  # fmt: skip
TEXT = st.one_of(
    st.lists(st.sampled_from(PARTS), min_size=1, max_size=4).map("".join),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
    st.integers(-1, 2**64).map(str),
    st.sampled_from(
        [TILL, f"{TILL}/..", f"{{{TILL}}}", "order/../billto", "order/1?x=/billto", "customer/1/../2", "5512/12", "5512/../12"]
    ),
)
LONG = pytest.param("9" * 100_000, id="very long")
SURROGATES = ("\ud800", "a\udfff", "\udc80../")


OURS = frozenset({"1", "F-1", "N-1", "a@b.example"})
"""What these tests themselves put where nothing else is known to stand."""


def own_texts(text: str) -> frozenset[str]:
    """Give the forms in which a text may stand in a request: as it is, without blanks around it, and what a composite key holds."""
    stripped = text.strip()
    in_key = stripped.removeprefix("order/").removesuffix("/billto")
    return frozenset({text, text[:EXPORT_ERROR_MAX_LENGTH], stripped, in_key, organization_number(text) or "", organization_digits(text)})


# ------------------------------------------------------------------ upstreams that have next to nothing


def _path_of(request: WireRequest) -> str:
    return request.url.split(".example", 1)[1].partition("?")[0]


def _object(request: WireRequest) -> str:
    return json.dumps({"Id": int(_path_of(request).rpartition("/")[2]), "Email": "a@b.example", "OrderId": 7})


def _till_order(request: WireRequest) -> str:
    return json.dumps({"Id": request.url.rpartition("=")[2], "CustomerInvoiceId": None})


ANSWERS: tuple[tuple[str, Callable[[WireRequest], str]], ...] = (
    (r"POST .*/[Tt]oken", lambda _: '{"access_token":"t0k3n","expires_in":86400}'),
    (r".*/\$metadata", lambda _: '<EntitySet Name="Invoices"/>'),
    (r".*/query/.*", lambda _: '{"value":[]}'),
    (r".*/(ListInvoices|ListOrders3)", lambda _: '{"ItemCount":0,"Items":[]}'),
    (r".*/commerce/.*", lambda _: "null"),
    (r"GET /api/customers/\d{4}-.*", lambda _: '{"CustomerReponse":[],"TotalPages":1}'),
    (r".*/GetOrderById", _till_order),
    (r"GET /v1/(Customers|Orders|Invoices)/\d+", _object),
    (r"(GET|POST) /(v1|api/Customer|api/Order)/.*", lambda _: "[]"),
)


def handle(request: WireRequest) -> Response:
    """Answer so that as many further calls as possible follow; the first answer that fits counts."""
    asked_for = f"{request.method} {_path_of(request)}"
    found = next((body for pattern, body in ANSWERS if re.fullmatch(pattern, asked_for)), None)
    return answer("", 404) if found is None else answer(found(request))


def judge_all(wire: FakeWire, text: str) -> None:
    requests, wire.requests = wire.requests, []
    for request in requests:
        judge(request, own_texts(text) | OURS)
        if _path_of(request).lower().endswith("/token"):
            continue
        typed = {} if request.content is None else {"content-type": "application/json; charset=utf-8"}
        accept = "application/xml" if request.url.endswith("$metadata") else "application/json"
        expected = {"accept": accept, "user-agent": "invoice-gateway", **HEADERS[source_of(request)], **typed}
        assert dict(request.headers) == expected


# ------------------------------------------------------------------ over the protocol of the sources


@pytest.fixture(scope="module")
def wire() -> FakeWire:
    return FakeWire(handle)


@pytest.fixture(scope="module")
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(scope="module")
async def sources(anyio_backend: str, wire: FakeWire, clock: FakeClock) -> tuple[Source, ...]:
    """Make the sources once: what they keep (tokens, windows) is the same for all texts."""
    del anyio_backend
    return tuple(make_gateway(settings_from({"server": {"state": "sqlite://"}, "sources": SOURCES}), wire, clock).sources)


async def settled(work: Iterable[Awaitable[object]]) -> list[object]:
    """Do all; what is refused is refused by an error of ours."""
    found = await asyncio.gather(*work, return_exceptions=True)
    for outcome in found:
        if isinstance(outcome, BaseException) and not isinstance(outcome, GatewayError):
            raise outcome
    return list(found)


def refs_of(source: Source, text: str) -> dict[Kind, Ref]:
    """Give the keys that a source takes the text for, in its own spelling."""
    found = {}
    for kind in {*FETCHES.values()}:
        with suppress(InvalidInput):
            found[kind] = Ref(source.profile.key, kind, source.canonical(kind, text))
    return found


def reads(source: Source, text: str, scope: Scope) -> Iterable[Awaitable[object]]:
    refs = refs_of(source, text)
    for fetch, kind in FETCHES.items():
        if kind in refs:
            yield source.fetch_many(fetch, [refs[kind]], scope)
            yield source.fetch_many(fetch, [refs[kind]], scope, frozenset({"number"}))
    for kind in (*LISTS, Kind.INVOICE_SETTINGS):
        yield source.find(kind, text, scope)
    for kind in LISTS:
        for criteria in asked(kind, text, refs):
            yield source.fetch_page(criteria, None, 2, scope)
        yield source.fetch_page(Criteria(kind=kind), text, 2, scope)
        yield source.fetch_page(Criteria(kind=kind, number="1"), text, 2, scope)


def asked(kind: Kind, text: str, refs: Mapping[Kind, Ref]) -> Iterable[Criteria]:
    yield Criteria(kind=kind, number=text)
    yield Criteria(kind=kind, organization_number=text)
    yield Criteria(kind=kind, email=text)
    yield Criteria(kind=kind, number=text, email=text)
    yield Criteria(kind=kind, search=text)
    yield Criteria(kind=kind, group_key=text)
    yield Criteria(kind=kind, source_status=(text, text))
    for field in ("Status", "StatusId", "MainStatusId", "OrderStatusId"):
        yield Criteria(kind=kind, source_status=(field, text))
    if Kind.CUSTOMER in refs:
        yield Criteria(kind=kind, customer=refs[Kind.CUSTOMER])
    if Kind.ORDER in refs:
        yield Criteria(kind=kind, order=refs[Kind.ORDER])


@pytest.mark.parametrize("text", [LONG])
async def test_a_very_long_text_stays_the_value_it_is(sources: tuple[Source, ...], wire: FakeWire, clock: FakeClock, text: str) -> None:
    scope = Scope(request_id="test", deadline=clock.monotonic() + 30)

    await settled(work for source in sources for work in reads(source, text, scope))
    await bodies(sources, wire, text, scope)

    judge_all(wire, text)


@settings(max_examples=40)
@given(TEXT)
async def test_any_text_that_is_read_by_stays_the_value_it_is(
    sources: tuple[Source, ...], wire: FakeWire, clock: FakeClock, text: str
) -> None:
    scope = Scope(request_id="test", deadline=clock.monotonic() + 30)

    await settled(work for source in sources for work in reads(source, text, scope))

    judge_all(wire, text)
    clock.advance(7200)  # nothing is kept of it


def invoices(text: str, refs: Mapping[Kind, Ref]) -> Iterable[Write]:
    """Give writes with the text in every place that takes one; some alone, since another place may refuse it."""
    line = LineDraft(item_number=text, name=text, description=text, quantity=Decimal(1), unit_price_excl_vat=Decimal(1))
    plain: dict[str, Any] = {
        "native_id": UUID(int=1),
        "native_id_given": False,
        "issue_date": date(2026, 11, 1),
        "due_date": date(2026, 12, 1),
        "total": MoneyDraft(Decimal("10.00"), "SEK"),
    }
    bare: dict[str, Any] = {"native_id": UUID(int=1), "native_id_given": False}
    till = {
        **bare,
        "number": "1",
        "customer": Ref("pos", Kind.CUSTOMER, TILL),
        "orders": (Ref("pos", Kind.ORDER, TILL),),
        "total": MoneyDraft(Decimal("10.00")),
        "due_date": date(2026, 12, 1),
    }
    own_till = {"outlet_id": UUID(TILL), "terminal_id": UUID(TILL)}
    yield CreateInvoice(**{**till, "number": text, "system": {"nimpos": own_till}})
    yield CreateInvoice(
        **{
            **till,
            "note": text,
            "system": {"nimpos": {**own_till, "export_error": text[:EXPORT_ERROR_MAX_LENGTH], "paid_status_label": text}},
        }
    )
    yield CreateInvoice(**{**till, "system": {"nimpos": {**own_till, "foreign_invoice_number": text}}})
    web: dict[str, Any] = {"client_order_ref": 7, "erp_order_number": "N-1", "capture_payment": False}
    yield CreateInvoice(**plain, number=text, system={"norce": web})
    yield CreateInvoice(**plain, number="F-1", note=text, credited_invoice_number=text, system={"norce": {**web, "erp_order_number": text}})
    yield CreateInvoice(**plain, number="F-1", lines=(line,), system={"norce": {**web, "group_key": text, "payment_method_code": text}})
    yield CreateInvoice(**plain, number="F-1", orders=(refs.get(Kind.ORDER, Ref("commerce", Kind.ORDER, "1")),), system={"norce": web})
    for body in (
        {"InvoiceNo": text},
        {"InvoiceNo": "F-1", "Comment": text, "Items": [{"ItemNo": text}]},
        {"InvoiceNo": "F-1", text: text},
        text,
    ):
        yield CreateInvoice(**bare, system={"norce": {"insert_invoice": body}})
    if Kind.ORDER in refs:
        yield CreateInvoiceFromOrder(order=refs[Kind.ORDER])
    for customer in (refs.get(Kind.CUSTOMER), Ref("subscriptions", Kind.CUSTOMER, "40017")):
        if customer is not None:
            yield SetInvoiceSettings(customer=customer, values={"invoice_email": text, "currency_id": 1})


async def write(source: Source, wanted: Write, scope: Scope) -> Prepared | None:
    prepared = await source.prepare(wanted, scope)
    if not isinstance(prepared, Prepared):
        assert all(error.message for error in prepared.errors)
        return None
    await source.send(prepared, scope)
    await source.look(prepared, scope)
    return prepared


def shown(value: Any, text: str) -> Any:  # noqa: ANN401  (any JSON value)
    """Put a mark in the place of the text."""
    match value:
        case str():
            return "<text>" if value in own_texts(text) else value
        case dict():
            return {shown(name, text): shown(item, text) for name, item in value.items()}
        case list():
            return [shown(item, text) for item in value]
        case _:
            return value


async def bodies(sources: tuple[Source, ...], wire: FakeWire, text: str, scope: Scope) -> list[tuple[str, Any]]:
    """Write everything with a text, and give what was sent."""
    for source in sources:
        await settled(write(source, wanted, scope) for wanted in invoices(text, refs_of(source, text)))
    sent = [
        (_path_of(request), body_of(request))
        for request in wire.requests
        if request.content is not None and not _path_of(request).lower().endswith("/token")
    ]
    judge_all(wire, text)
    return sent


KNOWN = "Some text"


@settings(max_examples=40)
@given(TEXT)
async def test_any_text_that_is_written_stays_the_value_it_is(
    sources: tuple[Source, ...], wire: FakeWire, clock: FakeClock, text: str
) -> None:
    scope = Scope(request_id="test", deadline=clock.monotonic() + 30)
    usual: set[str] = set()
    for known in (KNOWN, "1"):
        usual |= {leaf for _, body in await bodies(sources, wire, known, scope) for leaf in leaves(shown(body, known))}

    for _, body in await bodies(sources, wire, text, scope):
        assert leaves(shown(body, text)) <= usual


async def test_writes_with_a_harmless_text_are_sent_so_that_the_tests_above_see_bodies(
    sources: tuple[Source, ...], wire: FakeWire, clock: FakeClock
) -> None:
    sent = await bodies(sources, wire, KNOWN, Scope(request_id="test", deadline=clock.monotonic() + 30))

    assert {path for path, _ in sent} == {
        "/api/Order/PostCustomerInvoice",
        "/api/customers/invoice",
        "/commerce/connect/4.0/Order/CreateInvoice",
        "/commerce/order/1.1/InsertInvoice",
    }
    assert all("<text>" in leaves(shown(body, KNOWN)) for path, body in sent if path.startswith("/commerce/order"))


# ------------------------------------------------------------------ what an upstream itself wrote, and is asked by later


@asynccontextmanager
async def opened(wire: FakeWire, clock: FakeClock, *sources: str) -> AsyncIterator[httpx.AsyncClient]:
    tables = {"server": {"state": "sqlite://"}, "sources": {key: SOURCES[key] for key in sources}}
    app = create_app(settings_from(tables), wire, clock)
    transport = httpx.ASGITransport(app)
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url="http://gateway.example") as client:
        yield client


class Evil(FakeWire):
    """Upstreams whose records have a text wherever the gateway may ask by it next."""

    def __init__(self) -> None:
        super().__init__(self._answer)
        self.text = ""

    def _answer(self, request: WireRequest) -> Response:
        path = _path_of(request)
        if path.endswith(("/v1/Customers/1", "/v1/Orders/1", "/v1/Invoices/1")):
            return answer(
                json.dumps({"Id": 1, "Email": self.text, "OrderId": 1, "OrderCode": self.text, "ShopId": 1, "PdfFileId": self.text})
            )
        if path.endswith("/GetInvoice"):
            return answer(json.dumps({"Id": 1, "InvoiceNo": self.text, "OrderId": 7, "OrderNo": self.text}))
        if path.endswith("/Orders/Orders"):
            row = {"Id": 7, "OrderNo": self.text, "QuotationId": 7, "StatusId": 1}
            link = f"https://[evil.example/{quote(self.text)}?%24skiptoken={quote(self.text, safe='')}"
            return answer(json.dumps({"value": [row], "@odata.nextLink": link}))
        return handle(request)


@pytest.fixture(scope="module")
async def evil(anyio_backend: str, clock: FakeClock) -> AsyncIterator[tuple[Evil, httpx.AsyncClient]]:
    del anyio_backend
    wire = Evil()
    async with opened(wire, clock, "shop", "commerce") as client:
        yield wire, client


OF_INVOICE = """query ($source: String!) { invoice(by: {native: {source: $source, id: "1"}}) {
  number lines { quantity } orders { number totals { total { amount } } } document { url }
  customer { name orders { nodes { number } } } } }"""
OF_ORDER = """query ($source: String!) { order(by: {native: {source: $source, id: "1"}}) {
  number status totals { total { amount } } lines { name } invoices { nodes { number } } customer { name } } }"""


@settings(max_examples=30)
@given(TEXT)
async def test_any_text_of_an_upstream_stays_the_value_it_is_in_the_next_call(evil: tuple[Evil, httpx.AsyncClient], text: str) -> None:
    wire, client = evil
    wire.text = text
    for query in (OF_INVOICE, OF_ORDER):
        for source in ("shop", "commerce"):
            response = await client.post("/graphql", json={"query": query, "variables": {"source": source}})
            assert response.status_code == 200, response.text
            assert all(error["extensions"]["code"] != "INTERNAL" for error in response.json().get("errors", ()))

    judge_all(wire, text)


# ------------------------------------------------------------------ over HTTP, as a caller does


@pytest.fixture(scope="module")
async def client(anyio_backend: str, wire: FakeWire, clock: FakeClock) -> AsyncIterator[httpx.AsyncClient]:
    del anyio_backend
    async with opened(wire, clock, *SOURCES) as client:
        yield client


KINDS = {"customer": Kind.CUSTOMER, "order": Kind.ORDER, "invoice": Kind.INVOICE}
FIELDS = {
    "customer": "id number orders { nodes { id } } invoices { nodes { id } } invoiceSettings { version }",
    "order": "id number lines { name } customer { name } invoices { nodes { id } }",
    "invoice": "id number lines { name } customer { name } orders { number } payments { reference } document { url }",
}
LOOKUPS = "query ($by: Lookup!) {{ {kind}(by: $by) {{ {fields} }} }}"
PAGES = {
    "customers": ("CustomerFilter", ("number", "organizationNumber", "email", "search")),
    "orders": ("OrderFilter", ("number", "email")),
    "invoices": ("InvoiceFilter", ("number", "groupKey")),
}
RESULT = "outcome userErrors { code message field } request { method path body sent }"
CREATE = f"""mutation ($source: String!, $input: CreateInvoiceInput!, $key: String) {{
  createInvoice(source: $source, input: $input, idempotencyKey: $key) {{ {RESULT} }} }}"""
FROM_ORDER = f"mutation ($by: Lookup!, $key: String) {{ createInvoiceFromOrder(order: $by, idempotencyKey: $key) {{ {RESULT} }} }}"
SETTINGS = f"""mutation ($by: Lookup!, $settings: InvoiceSettingsInput!, $key: String) {{
  setInvoiceSettings(customer: $by, settings: $settings, mode: REPLACE, idempotencyKey: $key) {{ {RESULT} }} }}"""
PAGE = """query ($filter: {filter}, $after: String) {{
  {list}(filter: $filter, first: 2, after: $after) {{ nodes {{ id }} sourceResults {{ code message }} }} }}"""


def global_id(kind: str, source: str, native_id: str) -> str:
    """Spell an id as the gateway does, of a kind and key that it may never have given one."""
    text = json.dumps([kind, source, native_id], ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode(errors="surrogatepass")).rstrip(b"=").decode()


def questions(text: str) -> Iterable[tuple[str, dict[str, object]]]:
    for source in SOURCES:
        for name, kind in KINDS.items():
            query = LOOKUPS.format(kind=name, fields=FIELDS[name])
            for by in ({"native": {"source": source, "id": text}}, {"number": {"source": source, "number": text}}):
                yield query, {"by": by}
            yield query, {"by": {"id": global_id(kind.value, source, text)}}
        ids = [global_id(kind.value, source, text) for kind in Kind]
        yield "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", {"ids": ids}
    yield "query ($id: ID!) { node(id: $id) { id } }", {"id": text}
    yield "query ($text: String!) { source(key: $text) { key } attempt(idempotencyKey: $text) { subject } }", {"text": text}
    for name, (kind_of_filter, fields) in PAGES.items():
        query = PAGE.format(filter=kind_of_filter, list=name)
        for field in fields:
            yield query, {"filter": {field: text}}
        yield query, {"filter": {}, "after": text}
        yield query, {"filter": {"sources": [text]}}
    yield "query ($f: OrderFilter) { orders(filter: $f) { nodes { id } } }", {"f": {"sourceStatus": {"field": "StatusId", "code": text}}}


def orders_to_write(text: str) -> Iterable[tuple[str, dict[str, object]]]:
    shared = {"issueDate": "2026-11-01", "dueDate": "2026-12-01", "total": {"amount": "10.00", "currency": "SEK"}}
    at_till = {"native": {"source": "pos", "id": TILL}}
    till = {"nimpos": {"outletId": TILL, "terminalId": TILL}, "customer": at_till, "orders": [at_till], "total": {"amount": "10.00"}}
    yield CREATE, {"source": "pos", "input": {**till, "number": "1", "dueDate": "2026-12-01", "note": text}}
    web = {"clientOrderRef": 7, "erpOrderNumber": text}
    yield CREATE, {"source": "commerce", "input": {**shared, "number": text, "norce": web}}
    yield CREATE, {"source": "commerce", "input": {**shared, "number": "F-1", "note": text, "norce": {**web, "groupKey": text}}}
    yield CREATE, {"source": "inserting", "input": {"norce": {"insertInvoice": {"InvoiceNo": text, "Comment": text}}}}
    yield CREATE, {"source": text, "input": {**shared, "number": text}}
    for source in SOURCES:
        for by in ({"native": {"source": source, "id": text}}, {"number": {"source": source, "number": text}}):
            yield FROM_ORDER, {"by": by}
            yield SETTINGS, {"by": by, "settings": {"currencyId": 1, "invoiceEmail": text}}
    yield SETTINGS, {"by": {"native": {"source": "subscriptions", "id": "40017"}}, "settings": {"currencyId": 1, "invoiceEmail": text}}


@settings(max_examples=4)
@given(TEXT)
@example("..")
@example("' or 1 eq 1")
async def test_whatever_a_client_asks_by_stays_the_value_it_is(
    client: httpx.AsyncClient, wire: FakeWire, clock: FakeClock, text: str
) -> None:
    for query, variables in questions(text):
        clock.advance(1)
        response = await client.post("/graphql", json={"query": query, "variables": variables})
        assert response.status_code == 200, (query, response.text)
        assert all(error["extensions"]["code"] != "INTERNAL" for error in response.json().get("errors", ()))

    judge_all(wire, text)


@settings(max_examples=6)
@given(TEXT)
async def test_whatever_a_client_writes_stays_the_value_it_is(
    client: httpx.AsyncClient, wire: FakeWire, clock: FakeClock, text: str
) -> None:
    for number, (query, variables) in enumerate(orders_to_write(text)):
        clock.advance(1)
        for key in (f"{clock.monotonic()}-{number}", text):
            response = await client.post("/graphql", json={"query": query, "variables": {**variables, "key": key}})
            assert response.status_code == 200, (query, response.text)
            assert all(error["extensions"]["code"] != "INTERNAL" for error in response.json().get("errors", ()))

    for request in wire.requests:
        if request.content is not None and not _path_of(request).lower().endswith("/token"):
            body_of(request)
    judge_all(wire, text)


@pytest.mark.parametrize("text", SURROGATES)
async def test_half_a_character_is_refused_before_anybody_is_asked(client: httpx.AsyncClient, wire: FakeWire, text: str) -> None:
    wire.requests.clear()
    for query, variables in (*questions(text), *orders_to_write(text)):
        response = await client.post(
            "/graphql", content=json.dumps({"query": query, "variables": variables}), headers={"content-type": "application/json"}
        )
        assert response.status_code in {200, 400}, response.text
        assert {error["extensions"]["code"] for error in response.json()["errors"]} == {"BAD_USER_INPUT"}

    assert [request.url for request in wire.requests] == []


@pytest.mark.parametrize("text", ["\r\nX-Evil: 1", "../../etc", "' or 1 eq 1", "\x00", "x" * 300, "😀"])
async def test_an_idempotency_key_leads_to_no_header_and_no_address(client: httpx.AsyncClient, wire: FakeWire, text: str) -> None:
    query = CREATE.replace(", $key: String", "").replace(", idempotencyKey: $key", "")
    variables = {"source": "inserting", "input": {"norce": {"insertInvoice": {"InvoiceNo": "F-1"}}}}
    body = json.dumps({"query": query, "variables": variables}).encode()
    headers = [(b"content-type", b"application/json"), (b"idempotency-key", text.encode())]

    response = await client.post("/graphql", content=body, headers=headers)

    assert response.status_code == 200, response.text
    assert text not in {value for request in wire.requests for value in request.headers.values()}
    judge_all(wire, "F-1")
