"""`POST /graphql`: what is taken, what is refused before the graph sees it, and how errors are told."""

from __future__ import annotations

import json
import logging
from hashlib import sha256
from typing import Any

import httpx
import pytest
import strawberry
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import Message
from strawberry.schema.config import StrawberryConfig

from gateway.app import create_app, settings_from
from gateway.execution import Executor
from gateway.schema.scalars import JSON, SCALARS
from gateway.server import Admission, Authenticator, Callers, Graph, GraphqlEndpoint, Observer, make_rates
from gateway.sources.base import SourceSet
from gateway.telemetry import Metrics
from gateway.transport import Response
from gateway.transport.wire import WireRequest
from tests.fakes import FakeClock, FakeWire, answer, make_writes
from tests.server.conftest import IN_MEMORY, SOURCE, Opener

pytestmark = pytest.mark.anyio

CALLER = "{ caller { name } }"
ACCEPT = {"accept": "application/graphql-response+json"}  # in which statuses mean something
INVOICE = '{ invoice(by: {native: {source: "shop", id: "1"}}) { number } }'
TOTAL = 'mutation ($t: MoneyInput) { createInvoice(source: "shop", dryRun: true, input: {total: $t}) { outcome } }'


async def post(client: httpx.AsyncClient, content: str | bytes, content_type: str | None = "application/json") -> httpx.Response:
    headers = {} if content_type is None else {"content-type": content_type}
    return await client.post("/graphql", content=content, headers={**ACCEPT, **headers})


async def ask(client: httpx.AsyncClient, query: str, **body: object) -> httpx.Response:
    return await client.post("/graphql", json={"query": query, **body}, headers=ACCEPT)


def refusal(response: httpx.Response) -> tuple[int, str, str]:
    """Give status, code and message of an answer that is one error and no data."""
    told = response.json()
    (error,) = told["errors"]
    assert "data" not in told
    assert len(error["extensions"].pop("requestId")) == 16
    assert error["extensions"].keys() == {"code"}
    return response.status_code, error["extensions"]["code"], error["message"]


# ------------------------------------------------------------------ bodies


async def test_a_query_is_answered_in_json(client: httpx.AsyncClient) -> None:
    response = await ask(client, CALLER)

    assert (response.status_code, response.headers["content-type"]) == (200, "application/graphql-response+json; charset=utf-8")
    assert response.json() == {"data": {"caller": {"name": "anybody"}}}


@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8", "Application/JSON ;charset=UTF-8"])
async def test_json_is_taken_however_its_media_type_is_written(client: httpx.AsyncClient, content_type: str) -> None:
    assert (await post(client, json.dumps({"query": CALLER}), content_type)).status_code == 200


@pytest.mark.parametrize(
    "content_type",
    [None, "", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/graphql", "application/jsonp"],
)
async def test_another_media_type_is_refused_which_a_page_elsewhere_cannot_get_around(
    client: httpx.AsyncClient, content_type: str | None
) -> None:
    response = await post(client, json.dumps({"query": CALLER}), content_type)

    assert refusal(response) == (415, "BAD_USER_INPUT", "send application/json in UTF-8")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"{'query': 1}",
        b'{"query": "{ caller { name } }"} trailing',
        b'{"query": "\xff"}',
        json.dumps({"query": CALLER}).encode("utf-16"),
        b'{"query": "{ caller { name } }", "variables": {"x": NaN}}',
        b'{"query": "{ caller { name } }", "variables": {"x": -Infinity}}',
        b'{"query": "{ caller { name } }", "variables": {"x": 1e31}}',
        b'{"query": "{ caller { name } }", "variables": {"x": 1e99999999999999999999999}}',
        b'{"query": "{ caller { name } }", "variables": {"x": ' + b"9" * 5000 + b"}}",
        b'{"query": "{ caller { name } }", "variables": {"x": "\\ud800"}}',
        b'{"query": "{ caller { name } }", "variables": {"\\udfff": 1}}',
        b'{"query": "{ caller { name } }", "variables": ' + b'{"a":' * 100_000 + b"1" + b"}" * 100_001,
    ],
    ids=lambda content: repr(content[-40:]),
)
async def test_what_is_no_json_or_has_values_that_no_json_should_have_is_refused(client: httpx.AsyncClient, content: bytes) -> None:
    assert refusal(await post(client, content)) == (400, "BAD_USER_INPUT", "the body is not JSON in UTF-8, or has a number beyond reason")


@pytest.mark.parametrize("text", ["Åkeri", "🥐", "\U0010ffff", "\\ud800", "\x00"])
@pytest.mark.parametrize("ascii_only", [True, False])
async def test_every_text_that_is_one_is_taken_escaped_or_not(client: httpx.AsyncClient, text: str, *, ascii_only: bool) -> None:
    body = {"query": "query ($key: String!) { source(key: $key) { key } }", "variables": {"key": text}}

    response = await post(client, json.dumps(body, ensure_ascii=ascii_only).encode())

    assert response.json() == {"data": {"source": None}}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ([], "the body needs a query, as text"),
        ([{"query": CALLER}], "the body needs a query, as text"),
        ("query", "the body needs a query, as text"),
        (None, "the body needs a query, as text"),
        ({}, "the body needs a query, as text"),
        ({"query": None}, "the body needs a query, as text"),
        ({"query": ""}, "the body needs a query, as text"),
        ({"query": {"a": 1}}, "the body needs a query, as text"),
        ({"query": CALLER, "variables": []}, "variables must be an object"),
        ({"query": CALLER, "variables": "{}"}, "variables must be an object"),
        ({"query": CALLER, "operationName": 1}, "operationName must be text"),
    ],
)
async def test_a_body_of_another_shape_is_refused_by_name(client: httpx.AsyncClient, body: object, message: str) -> None:
    assert refusal(await post(client, json.dumps(body))) == (400, "BAD_USER_INPUT", message)


@examples(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)
@given(st.binary(max_size=60) | st.text(max_size=60).map(lambda text: json.dumps({"query": text}).encode()))
async def test_nothing_that_is_sent_gets_anything_but_json(client: httpx.AsyncClient, content: bytes) -> None:
    response = await post(client, content)

    assert response.status_code in {200, 400}
    assert response.json().keys() <= {"data", "errors"}


async def test_a_body_as_large_as_allowed_is_taken_and_one_byte_more_refused(opened: Opener) -> None:
    body = json.dumps({"query": CALLER}).encode()
    async with opened(limits={"max_body_bytes": 2000}) as client:
        assert (await post(client, body.ljust(2000))).status_code == 200
        assert refusal(await post(client, body.ljust(2001))) == (413, "REQUEST_TOO_LARGE", "the body is larger than 2000 bytes")


async def test_a_body_is_not_read_further_than_its_limit(opened: Opener) -> None:
    async def endless() -> Any:  # noqa: ANN401  (an async generator)
        while True:
            sent.append(b" " * 1024)
            assert len(sent) < 100
            yield sent[-1]

    sent: list[bytes] = []
    async with opened(limits={"max_body_bytes": 2048}) as client:
        response = await client.post("/graphql", content=endless(), headers={"content-type": "application/json"})

    assert response.status_code == 413


async def test_a_client_that_leaves_while_it_sends_is_no_error_of_ours(caplog: pytest.LogCaptureFixture) -> None:
    app = create_app(settings_from({"server": IN_MEMORY, "sources": {"shop": SOURCE}}), wire=FakeWire(lambda _: answer("null")))
    told: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        told.append(message)

    scope = {"type": "http", "method": "POST", "path": "/graphql", "query_string": b"", "headers": [(b"content-type", b"application/json")]}
    with caplog.at_level(logging.WARNING):
        await app(scope, receive, send)

    assert told[0]["status"] == 400
    assert caplog.records == []


# ------------------------------------------------------------------ documents


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("{", "Syntax Error: Expected Name, found <EOF>."),
        ("# nothing", "Syntax Error: Unexpected <EOF>."),
        ("{ nothing }", "Cannot query field 'nothing' on type 'Query'."),
        ("subscription { x }", "The subscription operation is not supported by the schema."),
        ("{ node { id } }", "Argument 'Query.node(id:)' of type 'ID!' is required, but it was not provided."),
    ],
)
async def test_a_document_that_is_not_valid_is_refused_with_a_code(client: httpx.AsyncClient, query: str, message: str) -> None:
    response = await ask(client, query)

    (error,) = response.json()["errors"]
    assert (response.status_code, error["message"], error["extensions"]["code"]) == (400, message, "GRAPHQL_VALIDATION_FAILED")
    assert "data" not in response.json()


async def test_a_mistyped_name_is_not_answered_with_the_names_that_there_are(client: httpx.AsyncClient) -> None:
    assert (await ask(client, "{ invoic { id } }")).json()["errors"][0]["message"] == "Cannot query field 'invoic' on type 'Query'."


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("query A { caller { name } }", "B"),
        ("query A { caller { name } } query B { caller { name } }", None),
        ("query A { caller { name } } query B { caller { name } }", ""),
        ("fragment F on Caller { name }", None),
    ],
)
async def test_which_operation_runs_must_be_clear(client: httpx.AsyncClient, query: str, name: str | None) -> None:
    assert refusal(await ask(client, query, operationName=name)) == (
        400,
        "BAD_USER_INPUT",
        "operationName must name one operation of the document",
    )


async def test_the_operation_that_is_named_runs(client: httpx.AsyncClient) -> None:
    query = 'query A { caller { name } } query B { source(key: "shop") { key } }'

    assert (await ask(client, query, operationName="B")).json() == {"data": {"source": {"key": "shop"}}}


async def test_a_float_in_variables_is_refused_by_name(client: httpx.AsyncClient) -> None:
    response = await post(client, json.dumps({"query": TOTAL, "variables": {"t": {"amount": 29.9}}}))

    (error,) = response.json()["errors"]
    assert (response.status_code, error["message"]) == (
        400,
        "Variable '$t' has invalid value at .amount: Decimal takes text or an integer; quote a number with a point: \"29.90\"",
    )


@pytest.mark.parametrize("amount", [True, {"a": 1}, [1], "NaN", ""])
async def test_what_is_no_amount_is_refused_before_anything_is_asked(client: httpx.AsyncClient, amount: object) -> None:
    response = await ask(client, TOTAL, variables={"t": {"amount": amount}})

    assert response.status_code == 400
    assert "Variable '$t' has invalid value at .amount" in response.json()["errors"][0]["message"]


# ------------------------------------------------------------------ introspection


SCHEMA = "{ __schema { queryType { name } } }"
READER = {"name": "reader", "key_sha256": sha256(b"key").hexdigest(), "permissions": ["read"], "sources": ["*"]}


@pytest.mark.parametrize(
    "query",
    [
        SCHEMA,
        '{ __type(name: "Query") { name } }',
        "query A { caller { name } } query B { ...F } fragment F on Query { hidden: __schema { queryType { name } } }",
    ],
)
async def test_the_schema_is_not_told_where_introspection_is_off(opened: Opener, query: str) -> None:
    async with opened(callers=[READER]) as client:
        body = {"query": query, "operationName": "A" if "query A" in query else None}
        response = await client.post("/graphql", json=body, headers={"authorization": "Bearer key"})

    assert refusal(response) == (400, "BAD_USER_INPUT", "introspection is switched off")


async def test_the_name_of_a_type_is_told_always(client: httpx.AsyncClient) -> None:
    assert (await ask(client, "{ __typename caller { __typename } }")).json() == {
        "data": {"__typename": "Query", "caller": {"__typename": "Caller"}}
    }


@pytest.mark.parametrize("switch", ["introspection", "explorer"])
async def test_the_schema_is_told_where_it_is_switched_on(opened: Opener, switch: str) -> None:
    async with opened(server={switch: True}, callers=[READER]) as client:
        response = await client.post("/graphql", json={"query": SCHEMA}, headers={"authorization": "Bearer key"})

    assert response.json() == {"data": {"__schema": {"queryType": {"name": "Query"}}}}


# ------------------------------------------------------------------ errors


async def test_an_error_of_ours_is_masked_and_logged_with_the_id_that_the_caller_is_told(
    opened: Opener, caplog: pytest.LogCaptureFixture
) -> None:
    def bug(_: WireRequest) -> Response:
        raise KeyError("secret")

    with caplog.at_level(logging.INFO):
        async with opened(bug) as client:
            response = await ask(client, INVOICE)

    told = response.json()
    request_id = told["errors"][0]["extensions"]["requestId"]
    assert (response.status_code, told["data"]) == (200, {"invoice": None})
    assert told["errors"][0]["message"] == f"an internal error; say request {request_id} when you report it"
    assert told["errors"][0]["extensions"] == {"code": "INTERNAL", "requestId": request_id}
    assert told["errors"][0]["path"] == ["invoice"]
    assert "secret" not in response.text
    (record,) = [record for record in caplog.records if record.levelno >= logging.WARNING]
    told_first, *place = record.getMessage().splitlines()
    assert (record.name, told_first) == ("gateway", f"request {request_id}: KeyError")
    assert any("test_graphql.py" in line for line in place)


async def test_an_answer_that_cannot_be_written_is_an_error_of_ours_too(caplog: pytest.LogCaptureFixture) -> None:
    @strawberry.type
    class Query:
        @strawberry.field
        def unwritable(self) -> JSON:
            return JSON(object())

    schema = strawberry.Schema(query=Query, config=StrawberryConfig(scalar_map=SCALARS))
    settings = settings_from({"server": IN_MEMORY, "sources": {"shop": SOURCE}})
    admission = Admission(Authenticator(Callers(()), None), make_rates(settings, FakeClock()))
    graph = Graph(executor=Executor(schema), sources=SourceSet([]), writes=make_writes())
    endpoint = GraphqlEndpoint(graph, admission, settings, FakeClock(), Observer(Metrics(), FakeClock()))
    transport = httpx.ASGITransport(Starlette(routes=[Route("/graphql", endpoint.answer, methods=["POST"])]))

    with caplog.at_level(logging.ERROR):
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway.example") as client:
            response = await ask(client, "{ unwritable }")

    request_id = response.json()["errors"][0]["extensions"]["requestId"]
    assert refusal(response) == (500, "INTERNAL", f"an internal error; say request {request_id} when you report it")
    assert [record.getMessage().splitlines()[0] for record in caplog.records] == [f"request {request_id}: TypeError"]


async def test_every_request_has_an_id_of_its_own(client: httpx.AsyncClient) -> None:
    ids = {(await ask(client, "{")).json()["errors"][0]["extensions"]["requestId"] for _ in range(3)}

    assert len(ids) == 3


async def test_a_request_that_ran_is_answered_200_also_when_all_of_it_failed(client: httpx.AsyncClient) -> None:
    response = await ask(client, "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", variables={"ids": ["x"] * 201})

    assert (response.status_code, response.json()["data"]) == (200, None)
