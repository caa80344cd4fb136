"""Whatever is sent to the gateway, it answers: no failure of its own, no traceback in the log, JSON with the id of the request."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.model import Kind
from gateway.sandbox.examples import EXAMPLES
from gateway.sandbox.server import RunningSandbox
from tests.graph import open_graph

pytestmark = pytest.mark.anyio

FUZZ = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
KEYS = ("pos", "subscriptions", "shop", "commerce", "nobody", "")
ODD = (
    "",
    " ",
    "0",
    "-1",
    "1",
    "40017",
    "..",
    "\x00",
    "\r\n",
    "\u2028",
    "😀",
    "%",
    "'",
    "x" * 2000,
    "9" * 400,
    "null",
    "true",
    "1e999",
    "NaN",
)
CODES = st.characters(exclude_categories=["Cs"])
TEXT = st.one_of(st.sampled_from(ODD), st.text(CODES, max_size=20))
ANY_TEXT = st.one_of(TEXT, st.text(max_size=20))
"""With halves of surrogate pairs, which JSON can spell."""
JSON_VALUE = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.integers(-(10**400), 10**400), ANY_TEXT),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(ANY_TEXT, inner, max_size=4)),
    max_leaves=8,
)
HEADER = st.one_of(
    st.sampled_from(
        [b"application/json", b"application/json; charset=utf-16", b"text/plain", b"multipart/form-data", b"*/*", b"", b"Bearer x"]
    ),
    st.binary(max_size=30).map(lambda value: bytes(byte for byte in value if byte not in b"\r\n\x00")),
)
NAMES = ("accept", "authorization", "content-encoding", "content-type", "idempotency-key", "origin", "x-gateway-cost", "x-gateway-explain")
HEADERS = st.dictionaries(st.sampled_from(NAMES), HEADER, max_size=4)


@pytest.fixture(scope="module")
async def client(anyio_backend: str, shared_sandbox: RunningSandbox) -> AsyncIterator[httpx.AsyncClient]:
    del anyio_backend
    server = {"explorer": True, "signing_key": "key", "cors_origins": ["https://app.example"]}
    async with open_graph(shared_sandbox, server=server) as graph:
        yield graph.client


@pytest.fixture(autouse=True)
def nothing_logged(caplog: pytest.LogCaptureFixture) -> Iterable[None]:
    """The test ends without a traceback, and without a word that an operator would have to look at."""
    caplog.set_level(logging.WARNING)
    yield
    assert [record.getMessage() for record in caplog.records] == []


def judge(response: httpx.Response) -> dict[str, Any]:
    """Fail unless this is an answer of a gateway that is well."""
    assert response.status_code < 500, (response.status_code, response.text)
    assert response.headers["content-type"].partition(";")[0] in {"application/json", "application/graphql-response+json"}, response.headers
    found: dict[str, Any] = json.loads(response.content)
    assert isinstance(found, dict)
    assert found.keys() <= {"data", "errors", "extensions"}
    for error in found.get("errors", ()):
        assert error["message"]
        assert error["extensions"]["code"] != "INTERNAL", error
        assert len(error["extensions"]["requestId"]) == 16
    assert response.status_code == 200 or found["errors"]
    return found


async def post(client: httpx.AsyncClient, body: bytes, headers: Mapping[str, bytes] | None = None) -> dict[str, Any]:
    given_headers = {"content-type": b"application/json", **(headers or {})}
    return judge(await client.post("/graphql", content=body, headers=[(name.encode(), value) for name, value in given_headers.items()]))


async def ask(client: httpx.AsyncClient, query: str, **variables: object) -> dict[str, Any]:
    return await post(client, json.dumps({"query": query, "variables": variables}).encode())


# ------------------------------------------------------------------ bodies and headers

QUERIES = ("{ caller { name } }", "query A { caller { name } } mutation B { __typename }", *(example.query for example in EXAMPLES))
MEMBERS = st.fixed_dictionaries(
    {},
    optional={
        "query": st.one_of(st.sampled_from(QUERIES), JSON_VALUE),
        "variables": JSON_VALUE,
        "operationName": JSON_VALUE,
        "extensions": JSON_VALUE,
        "documentId": JSON_VALUE,
    },
)


def spoil(text: str, at: int, cut: int, put: str) -> str:
    place = at % (len(text) + 1)
    return text[:place] + put + text[place + cut :]


SPOILT = st.builds(
    spoil,
    st.sampled_from(QUERIES),
    st.integers(0, 5000),
    st.integers(0, 3),
    st.one_of(
        st.sampled_from(["{", "}", "(", ")", '"', '"""', "#", "@include(if: 1)", "...", "$x", "!", "\\u", "\ufeff", "[", ":", "9" * 40]),
        TEXT,
    ),
)


@FUZZ
@given(
    st.one_of(
        st.binary(max_size=200),
        JSON_VALUE.map(lambda value: json.dumps(value).encode()),
        MEMBERS.map(lambda value: json.dumps(value).encode()),
    )
)
async def test_any_body_is_answered(client: httpx.AsyncClient, body: bytes) -> None:
    await post(client, body)


@FUZZ
@given(HEADERS, st.sampled_from([b'{"query":"{ caller { name } }"}', b'{"query":"{ caller { name } }"}'.decode().encode("utf-16"), b""]))
async def test_any_headers_are_answered(client: httpx.AsyncClient, headers: Mapping[str, bytes], body: bytes) -> None:
    await post(client, body, headers)


@FUZZ
@given(SPOILT)
async def test_any_document_is_answered(client: httpx.AsyncClient, query: str) -> None:
    await ask(client, query)


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"query":' + b'{"a":' * 50_000,
        json.dumps({"query": "{" * 20_000}).encode(),
        json.dumps({"query": "{ a(b: " + "[" * 6_000 + "]" * 6_000 + ") }"}).encode(),
        json.dumps({"query": "query (" + "$a: " + "[" * 6_000 + "Int" + "]" * 6_000 + ") { caller { name } }"}).encode(),
        b'{"query":"{ caller { name } }","variables":{"a":' + b"9" * 5_000 + b"}}",
        b'{"query":"{ caller { name } }","variables":{"a":1e99999999999}}',
        b'{"query":"{ caller { name } }","query":7}',
        b"\xef\xbb\xbf" + b'{"query":"{ caller { name } }"}',
    ],
    ids=lambda body: body[:24].decode(errors="replace"),
)
async def test_a_body_that_is_deep_or_long_is_answered(client: httpx.AsyncClient, body: bytes) -> None:
    await post(client, body)


# ------------------------------------------------------------------ variables

BY = """query ($by: Lookup!, $ids: [ID!]!, $id: ID!, $text: String!) {
  customer(by: $by) { number } order(by: $by) { number } invoice(by: $by) { number }
  nodes(ids: $ids) { id } node(id: $id) { id } source(key: $text) { key } attempt(idempotencyKey: $text) { outcome } }"""
LISTS = """query ($c: CustomerFilter, $o: OrderFilter, $i: InvoiceFilter, $a: AttemptFilter, $first: Int!, $after: String) {
  customers(filter: $c, first: $first, after: $after) { nodes { number } sourceResults { code } }
  orders(filter: $o, first: $first) { nodes { number } sourceResults { code } }
  invoices(filter: $i, first: $first, after: $after) { nodes { number } sourceResults { code } }
  attempts(filter: $a, first: $first, after: $after) { nodes { outcome } } }"""
WRITE = """mutation ($source: String!, $input: CreateInvoiceInput!, $key: String) {
  createInvoice(source: $source, input: $input, idempotencyKey: $key, dryRun: true) {
    outcome userErrors { code message field } request { body } } }"""
SET = """mutation ($by: Lookup!, $settings: InvoiceSettingsInput!) {
  setInvoiceSettings(customer: $by, settings: $settings, dryRun: true) { outcome userErrors { code } }
  createInvoiceFromOrder(order: $by, dryRun: true) { outcome userErrors { code } } }"""


def global_id(parts: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts, separators=(",", ":")).encode()).rstrip(b"=").decode()


IDS = st.one_of(
    TEXT,
    st.tuples(st.sampled_from([kind.value for kind in Kind]), st.sampled_from(KEYS), ANY_TEXT).map(lambda parts: global_id(list(parts))),
    JSON_VALUE.map(global_id),
)
NATIVE = st.fixed_dictionaries({"source": st.sampled_from(KEYS), "id": TEXT})
NUMBER = st.fixed_dictionaries({"source": st.sampled_from(KEYS), "number": TEXT})
LOOKUP: st.SearchStrategy[Any] = st.one_of(
    IDS.map(lambda text: {"id": text}), NATIVE.map(lambda by: {"native": by}), NUMBER.map(lambda by: {"number": by})
)
DAY = st.one_of(st.dates().map(str), TEXT)
INSTANT = st.one_of(
    st.datetimes().map(lambda at: at.isoformat() + "Z"), st.sampled_from(["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"]), TEXT
)
AMOUNT = st.one_of(st.decimals(allow_nan=True).map(str), TEXT, st.integers(-(10**30), 10**30))


def some(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Give an input with some of its fields."""
    return st.fixed_dictionaries({}, optional=fields)


SOURCES = st.lists(st.sampled_from(KEYS), max_size=3)
CUSTOMERS = some(sources=SOURCES, number=TEXT, organizationNumber=TEXT, email=TEXT, search=TEXT, updatedSince=INSTANT)
CODE = st.fixed_dictionaries({"field": st.sampled_from(["Status", "StatusId", "MainStatusId", "x"]), "code": TEXT})
ORDERS = some(sources=SOURCES, number=TEXT, customer=LOOKUP, email=TEXT, sourceStatus=CODE, orderedFrom=INSTANT, orderedTo=INSTANT)
INVOICES = some(
    sources=SOURCES, number=TEXT, customer=LOOKUP, order=LOOKUP, issuedFrom=DAY, issuedTo=DAY, groupKey=TEXT, updatedSince=INSTANT
)
ATTEMPTS = some(source=TEXT, caller=TEXT, result=IDS, since=INSTANT, until=INSTANT)
MONEY = st.fixed_dictionaries({"amount": AMOUNT}, optional={"currency": st.sampled_from(["SEK", "EUR", "sek", ""])})
LINE = st.fixed_dictionaries(
    {"itemNumber": TEXT, "quantity": AMOUNT, "unitPriceExclVat": AMOUNT}, optional={"name": TEXT, "position": st.integers()}
)
NORCE = some(clientOrderRef=st.integers(), erpOrderNumber=TEXT, capturePayment=st.booleans(), groupKey=TEXT, insertInvoice=JSON_VALUE)
NIMPOS = st.fixed_dictionaries(
    {"outletId": st.uuids().map(str), "terminalId": st.uuids().map(str)},
    optional={"foreignInvoiceNumber": TEXT, "exportError": TEXT, "paidAt": INSTANT},
)
CREATE = some(
    nativeId=st.one_of(st.uuids().map(str), TEXT),
    customer=LOOKUP,
    orders=st.lists(LOOKUP, max_size=2),
    number=TEXT,
    issueDate=DAY,
    dueDate=DAY,
    createdAt=INSTANT,
    total=MONEY,
    vat=MONEY,
    note=TEXT,
    lines=st.lists(LINE, max_size=2),
    norce=NORCE,
    nimpos=NIMPOS,
)
SETTINGS = some(currencyId=st.integers(), invoiceEmail=TEXT, invoiceRecipient=LOOKUP, reverseTax=st.booleans())


@settings(FUZZ, max_examples=40)
@given(LOOKUP, st.lists(IDS, max_size=4), IDS, TEXT)
async def test_objects_by_anything_are_answered(client: httpx.AsyncClient, by: object, ids: list[str], id_: str, text: str) -> None:
    await ask(client, BY, by=by, ids=ids, id=id_, text=text)


@settings(FUZZ, max_examples=25)
@given(CUSTOMERS, ORDERS, INVOICES, ATTEMPTS, st.one_of(st.integers(-2, 101), st.integers()), st.one_of(st.none(), IDS))
async def test_lists_of_anything_are_answered(
    client: httpx.AsyncClient, c: object, o: object, i: object, a: object, first: int, after: object
) -> None:
    await ask(client, LISTS, c=c, o=o, i=i, a=a, first=first, after=after)


@settings(FUZZ, max_examples=40)
@given(st.sampled_from(KEYS), CREATE, st.one_of(st.none(), TEXT), LOOKUP, SETTINGS)
async def test_dry_runs_of_anything_are_answered(
    client: httpx.AsyncClient, source: str, create: object, key: object, by: object, settings_: object
) -> None:
    await ask(client, WRITE, source=source, input=create, key=key)
    await ask(client, SET, by=by, settings=settings_)


# ------------------------------------------------------------------ cursors

PAGES = {
    "customers": '{ customers(first: 1, filter: {sources: ["pos"]} AFTER) { pageInfo { endCursor } sourceResults { code } } }',
    "orders": '{ orders(first: 1, filter: {sources: ["shop", "subscriptions"]} AFTER) { pageInfo { endCursor } sourceResults { code } } }',
    "invoices": '{ invoices(first: 1, filter: {sources: ["shop", "pos"]} AFTER) { pageInfo { endCursor } sourceResults { code } } }',
    "attempts": "{ attempts(first: 1 AFTER) { pageInfo { endCursor } } }",
}


def unpack(cursor: str) -> Any:  # noqa: ANN401  (any JSON)
    return json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))


def changed(tree: Any, at: int, put: object) -> Any:  # noqa: ANN401  (any JSON)
    """Put something in the place of one part of a cursor."""
    return [*tree[: at % len(tree)], put, *tree[at % len(tree) + 1 :]] if isinstance(tree, list) and tree else put


POSITIONS = st.one_of(
    ANY_TEXT,
    st.sampled_from(
        [
            "submitted:[0,null]",
            'submitted:[1,"x"]',
            "submitted:[9e99,null]",
            "1/0/0",
            "1/99999999999999999999",
            "id:1",
            "row:5",
            "skip:-1",
            "end",
        ]
    ),
    st.lists(st.tuples(st.sampled_from(KEYS), ANY_TEXT, st.one_of(st.none(), TEXT)).map(list), max_size=2),
    JSON_VALUE,
)


@pytest.mark.parametrize("page", PAGES)
@settings(FUZZ, max_examples=20)
@given(at=st.integers(0, 5), put=POSITIONS)
async def test_a_cursor_that_was_changed_is_answered(client: httpx.AsyncClient, page: str, at: int, put: object) -> None:
    query = PAGES[page]
    first = await ask(client, query.replace("AFTER", ""))
    (found,) = first["data"].values()
    cursor = found["pageInfo"]["endCursor"]
    if cursor is None:
        cursor = global_id([1, "x", "pos", None, [], False])
    after = global_id(changed(unpack(cursor), at, put))

    await ask(client, query.replace("AFTER", f', after: "{after}"'))


async def test_half_a_character_in_a_cursor_is_refused(client: httpx.AsyncClient) -> None:
    query = PAGES["orders"]
    version, made_for, *_ = unpack((await ask(client, query.replace("AFTER", "")))["data"]["orders"]["pageInfo"]["endCursor"])
    after = global_id([version, made_for, "subscriptions", None, [["shop", "\ud800", None]], False])

    answer = await ask(client, query.replace("AFTER", f', after: "{after}"'))

    assert answer["errors"][0]["extensions"]["code"] == "INVALID_CURSOR"


@pytest.mark.parametrize("position", ["00", "x", "\ud800", pytest.param("[" * 2500, id="deep")])
async def test_a_position_of_a_merged_list_that_is_no_json_is_refused(client: httpx.AsyncClient, position: str) -> None:
    query = '{ invoices(first: 1, orderBy: ISSUE_DATE_DESC, filter: {sources: ["pos"]} AFTER) { pageInfo { endCursor } } }'
    cursor = (await ask(client, query.replace("AFTER", "")))["data"]["invoices"]["pageInfo"]["endCursor"]
    after = global_id(changed(unpack(cursor), 3, position))

    answer = await ask(client, query.replace("AFTER", f', after: "{after}"'))

    assert answer["errors"][0]["extensions"]["code"] == "INVALID_CURSOR"


# ------------------------------------------------------------------ paths

PATHS = st.one_of(
    st.sampled_from(
        [
            "/",
            "/graphql",
            "/graphql/",
            "/documents/",
            "/documents/x",
            "/health/live",
            "/health/ready",
            "/metrics",
            "/explorer/x",
            "//",
            "/..",
        ]
    ),
    st.text(CODES, max_size=20).map(lambda text: "/" + quote(text)),
    st.text(CODES, max_size=20).map(lambda text: "/explorer/" + quote(text)),
)


@FUZZ
@given(PATHS, st.sampled_from(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "X"]), HEADERS)
async def test_any_path_and_method_is_answered(client: httpx.AsyncClient, path: str, method: str, headers: Mapping[str, bytes]) -> None:
    response = await client.request(method, path, headers=[(name.encode(), value) for name, value in headers.items()])

    assert response.status_code < 500, (path, response.text)
    assert "Traceback" not in response.text


@FUZZ
@given(
    IDS,
    st.one_of(st.none(), TEXT),
    st.one_of(st.none(), TEXT),
    st.one_of(st.none(), st.sampled_from(["*", '"x"', "W/"]), TEXT.filter(str.isascii)),
)
async def test_any_document_link_is_answered(
    client: httpx.AsyncClient, id_: str, expires: str | None, signature: str | None, if_none_match: str | None
) -> None:
    query = {name: value for name, value in (("expires", expires), ("signature", signature)) if value is not None}
    headers = {} if if_none_match is None else {"if-none-match": if_none_match}
    response = await client.get("/documents/" + quote(id_, safe=""), params=query, headers=headers)

    assert response.status_code in {200, 304, 400, 401, 404}, response.text
    if response.status_code >= 400 and response.headers["content-type"].startswith("application/json"):
        judge(response)
