"""Trusted documents as a client meets them: named by id, sent with their hash, refused where only those of the manifest are taken."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from hashlib import md5, sha1, sha256
from pathlib import Path
from typing import Any, Protocol

import httpx
import pytest

from gateway.app import create_app, settings_from
from gateway.errors import SettingsError
from gateway.server import TrustedDocuments
from tests.fakes import FakeWire, answer
from tests.server.conftest import IN_MEMORY, SOURCE, open_gateway

pytestmark = pytest.mark.anyio

NAME = "query Name { caller { name } }"
ORDER = 'query Order { order(by: {native: {source: "shop", id: "1"}}) { number } }'
DEEP = "query Deep($id: ID!) { node(id: $id) { id ... on Customer { orders { nodes { customer { name } } } } } }"
SCHEMA = "query Schema { __schema { queryType { name } } }"
WRITE = 'mutation Write { createInvoice(source: "shop", dryRun: true, input: {}) { outcome } }'
OTHER = "{ caller { name } }"
NAMED = {"caller": {"name": "anybody"}}
RESPONSE = {"accept": "application/graphql-response+json"}
KEY = "secret"


def digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def apq(digest: object, version: object = 1) -> dict[str, object]:
    return {"extensions": {"persistedQuery": {"version": version, "sha256Hash": digest}}}


def caller(*permissions: str) -> dict[str, object]:
    return {"name": "c", "key_sha256": digest(KEY), "permissions": list(permissions), "sources": ["*"]}


class Opened(Protocol):
    def __call__(
        self, trust: str, *documents: str, server: Mapping[str, object] | None = None, **settings: object
    ) -> AbstractAsyncContextManager[httpx.AsyncClient]: ...


def manifest(folder: Path, documents: Mapping[str, str]) -> str:
    path = folder / "manifest.json"
    path.write_text(json.dumps(documents), encoding="utf-8")
    return str(path)


@pytest.fixture
def trusting(tmp_path: Path) -> Opened:
    """Open a gateway that trusts documents, each by the name of its operation."""

    @asynccontextmanager
    async def open_trusting(
        trust: str, *documents: str, server: Mapping[str, object] | None = None, **settings: object
    ) -> AsyncIterator[httpx.AsyncClient]:
        path = manifest(tmp_path, {text.split()[1].partition("(")[0]: text for text in documents})
        tables = {"trusted_documents": trust, "documents": path, **(server or {})}
        async with open_gateway(lambda _: answer("null"), tables, None, **settings) as client:
            yield client

    return open_trusting


async def send(client: httpx.AsyncClient, **body: object) -> httpx.Response:
    return await client.post("/graphql", json=body, headers=RESPONSE)


async def told(client: httpx.AsyncClient, **body: object) -> tuple[int, str, str] | Any:  # noqa: ANN401  (any JSON value)
    """Give the data of an answer, or status, code and message of its one error."""
    return seen(await send(client, **body))


def seen(response: httpx.Response) -> tuple[int, str, str] | Any:  # noqa: ANN401  (as above)
    whole = response.json()
    if "errors" not in whole:
        return whole["data"]
    (error,) = whole["errors"]
    return response.status_code, error["extensions"]["code"], error["message"]


NOT_FOUND = (400, "PERSISTED_QUERY_NOT_FOUND", "PersistedQueryNotFound")
NOT_SUPPORTED = (400, "PERSISTED_QUERY_NOT_SUPPORTED", "PersistedQueryNotSupported")
NOT_TRUSTED = (403, "DOCUMENT_NOT_TRUSTED", "only documents that this gateway was given beforehand are taken; this is none of them")
ANOTHER = (400, "BAD_USER_INPUT", "the query is not the document that is named beside it")


# ------------------------------------------------------------------ naming a document


@pytest.mark.parametrize("trust", ["allow", "require"])
@pytest.mark.parametrize(
    "body",
    [
        {"documentId": "Name"},
        {"documentId": f"sha256:{digest(NAME)}"},
        {"documentId": digest(NAME)},
        {"doc_id": "Name"},
        {"documentId": None, "doc_id": "Name"},
        apq(digest(NAME)),
        apq("Name"),
        {"documentId": f"sha256:{digest(NAME)}", **apq(digest(NAME))},
        {"documentId": "Name", "query": NAME},
        {"query": NAME, **apq(digest(NAME))},
        {"query": NAME},
    ],
    ids=[
        "id",
        "sha256",
        "hash",
        "relay",
        "relay beside null",
        "apollo",
        "apollo by id",
        "both ids",
        "id and text",
        "hash and text",
        "text",
    ],
)
async def test_a_document_of_the_manifest_is_meant_by_its_id_its_hash_and_its_text(
    trusting: Opened, trust: str, body: dict[str, object]
) -> None:
    async with trusting(trust, NAME) as client:
        assert await told(client, **body) == NAMED


async def test_a_manifest_by_md5_as_relay_writes_it_and_by_sha1_as_codegen_writes_it_are_asked_by_those_ids(tmp_path: Path) -> None:
    for hashing in (md5, sha1):
        name = hashing(NAME.encode()).hexdigest()  # an id, no protection
        server = {"trusted_documents": "require", "documents": manifest(tmp_path, {name: NAME})}
        async with open_gateway(server=server) as client:
            assert await told(client, documentId=name) == NAMED


async def test_variables_and_the_name_of_an_operation_go_with_an_id(trusting: Opened) -> None:
    two = "query Two($id: ID!) { node(id: $id) { id } } query Name { caller { name } }"
    async with trusting("require", two) as client:
        assert await told(client, documentId="Two", operationName="Name") == NAMED
        assert (await told(client, documentId="Two", operationName="Two"))[2].startswith("Variable '$id'")
        assert await told(client, documentId="Two", operationName="Two", variables={"id": "WyJvIiwic2hvcCIsIjEiXQ"}) == {"node": None}


@pytest.mark.parametrize("trust", ["allow", "require"])
@pytest.mark.parametrize("body", [{"documentId": "Nobody"}, {"documentId": f"sha256:{digest(OTHER)}"}, apq(digest(OTHER))])
async def test_an_id_that_is_not_known_is_told_as_apollos_clients_look_for_it(
    trusting: Opened, trust: str, body: dict[str, object]
) -> None:
    async with trusting(trust, NAME) as client:
        assert await told(client, **body) == NOT_FOUND
        plain = await client.post("/graphql", json=body, headers={"accept": "application/json"})
        assert (plain.status_code, plain.headers["cache-control"]) == (200, "no-store")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"documentId": 5}, "documentId must be text"),
        ({"documentId": ""}, "documentId must be text"),
        ({"doc_id": ["Name"]}, "documentId must be text"),
        (apq(digest(NAME), version=2), "extensions.persistedQuery must have version 1 and sha256Hash, as text"),
        (apq(5), "extensions.persistedQuery must have version 1 and sha256Hash, as text"),
        (apq(""), "extensions.persistedQuery must have version 1 and sha256Hash, as text"),
        ({"extensions": {"persistedQuery": "x"}}, "extensions.persistedQuery must have version 1 and sha256Hash, as text"),
        ({"documentId": "Name", **apq(digest(NAME))}, "documentId and extensions.persistedQuery name different documents"),
        ({"extensions": {"persistedQuery": None}}, "the body needs a query, as text"),
        ({"documentId": "Name", "query": ""}, "the body needs a query, as text"),
    ],
)
async def test_a_name_that_cannot_be_meant_is_refused(trusting: Opened, body: dict[str, object], message: str) -> None:
    async with trusting("allow", NAME) as client:
        assert await told(client, **body) == (400, "BAD_USER_INPUT", message)


@pytest.mark.parametrize("trust", ["allow", "require"])
@pytest.mark.parametrize("body", [{"documentId": "Name", "query": ORDER}, {"query": ORDER, **apq(digest(NAME))}])
async def test_a_query_beside_an_id_must_be_that_document(trusting: Opened, trust: str, body: dict[str, object]) -> None:
    async with trusting(trust, NAME, ORDER) as client:
        assert await told(client, **body) == ANOTHER


async def test_a_text_beside_an_id_that_nobody_knows_cannot_be_proven_to_be_it(trusting: Opened) -> None:
    async with trusting("allow", NAME) as client:
        assert await told(client, documentId="Other", query=OTHER) == ANOTHER


# ------------------------------------------------------------------ over GET


@pytest.mark.parametrize(
    "parameters",
    [{"documentId": "Name"}, {"documentId": f"sha256:{digest(NAME)}"}, {"extensions": json.dumps(apq(digest(NAME))["extensions"])}],
)
async def test_a_get_may_name_a_document(trusting: Opened, parameters: dict[str, str]) -> None:
    async with trusting("require", NAME, server={"get_queries": True}) as client:
        assert seen(await client.get("/graphql", params=parameters, headers=RESPONSE)) == NAMED


async def test_a_get_names_one_document_and_never_a_mutation(trusting: Opened) -> None:
    async with trusting("require", NAME, WRITE, server={"get_queries": True}) as client:
        twice = await client.get("/graphql?documentId=Name&documentId=Write", headers=RESPONSE)
        write = await client.get("/graphql", params={"documentId": "Write"}, headers=RESPONSE)
        unmeant = await client.get("/graphql", params={"documentId": "Name"})

    assert seen(twice) == (400, "BAD_USER_INPUT", "documentId is there more than once")
    assert seen(write) == (405, "BAD_USER_INPUT", "a mutation is sent by POST")
    assert unmeant.status_code == 403


# ------------------------------------------------------------------ off, allow, require


async def test_where_it_is_off_a_name_alone_is_not_supported_and_one_beside_a_query_is_ignored() -> None:
    async with open_gateway() as client:
        assert await told(client, documentId="Name") == NOT_SUPPORTED
        assert await told(client, **apq(digest(NAME))) == NOT_SUPPORTED
        assert await told(client, query=NAME, **apq(digest(ORDER))) == NAMED
        assert await told(client, query=NAME, **apq(digest(NAME))) == NAMED
        assert await told(client, **apq(digest(NAME))) == NOT_SUPPORTED
        assert await told(client, query=NAME, documentId="Other") == NAMED
        assert await told(client) == (400, "BAD_USER_INPUT", "the body needs a query, as text")
        plain = await client.post("/graphql", json=apq(digest(NAME)), headers={"accept": "application/json"})
        assert plain.status_code == 200


async def test_where_documents_are_allowed_any_other_is_taken_too(trusting: Opened) -> None:
    async with trusting("allow", ORDER) as client:
        assert await told(client, query=OTHER) == NAMED


@pytest.mark.parametrize("query", [OTHER, NAME + " ", NAME.replace("{ ", "{  ")])
async def test_where_they_are_required_a_text_that_differs_by_a_byte_is_refused(trusting: Opened, query: str) -> None:
    async with trusting("require", NAME) as client:
        assert await told(client, query=query) == NOT_TRUSTED
        assert await told(client, query=query, **apq(digest(query))) == NOT_TRUSTED
        plain = await client.post("/graphql", json={"query": query}, headers={"accept": "application/json"})
        assert plain.status_code == 403
        assert await told(client, **apq(digest(query))) == NOT_FOUND


async def test_where_they_are_required_the_explorer_is_no_way_around(trusting: Opened) -> None:
    async with trusting("require", NAME, server={"explorer": True}, callers=[caller("read", "explorer")]) as client:
        client.headers["authorization"] = f"Bearer {KEY}"
        assert await told(client, query=SCHEMA) == NOT_TRUSTED
        assert await told(client, query=NAME) == {"caller": {"name": "c"}}


# ------------------------------------------------------------------ sent with their hash


async def test_a_document_sent_with_its_hash_is_known_by_it_from_then_on(trusting: Opened) -> None:
    async with trusting("allow", NAME) as client:
        assert await told(client, **apq(digest(OTHER))) == NOT_FOUND
        assert await told(client, query=OTHER, **apq(digest(OTHER))) == NAMED
        assert await told(client, **apq(digest(OTHER))) == NAMED
        assert await told(client, documentId=f"sha256:{digest(OTHER)}") == NAMED


async def test_a_hash_of_another_text_is_refused_and_nothing_is_kept(trusting: Opened) -> None:
    async with trusting("allow", NAME) as client:
        for wrong in (digest(ORDER), "0" * 64, "x"):
            assert await told(client, query=OTHER, **apq(wrong)) == ANOTHER
            assert await told(client, **apq(wrong)) == NOT_FOUND
        assert await told(client, **apq(digest(OTHER))) == NOT_FOUND


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ caller {", "GRAPHQL_VALIDATION_FAILED"),
        ("{ " + " ".join(f"a{number}: caller {{ name }}" for number in range(31)) + " }", "ALIAS_LIMIT"),
        ("{ caller { name } } # " + "x" * 15_000, "DOCUMENT_TOO_LARGE"),
        ("{ invoices(first: 100) { nodes { orders { invoices(first: 100) { nodes { number orders { number } } } } } } }", "COST_LIMIT"),
        (SCHEMA, "BAD_USER_INPUT"),
    ],
)
async def test_what_is_refused_is_not_kept(trusting: Opened, query: str, code: str) -> None:
    async with trusting("allow", NAME, callers=[caller("read")]) as client:
        client.headers["authorization"] = f"Bearer {KEY}"
        assert (await told(client, query=query, **apq(digest(query))))[1] == code
        assert await told(client, **apq(digest(query))) == NOT_FOUND


async def test_nobody_can_replace_a_document_of_the_manifest_by_its_id(tmp_path: Path) -> None:
    server = {"trusted_documents": "allow", "documents": manifest(tmp_path, {digest(OTHER): ORDER})}
    async with open_gateway(server=server) as client:
        assert await told(client, query=OTHER, **apq(digest(OTHER))) == ANOTHER
        assert await told(client, documentId=f"sha256:{digest(OTHER)}", query=OTHER) == NAMED
        assert await told(client, **apq(digest(OTHER))) == {"order": None}


# ------------------------------------------------------------------ what holds all the same


async def test_limits_hold_for_documents_of_the_manifest(trusting: Opened) -> None:
    async with trusting("require", DEEP, limits={"max_cost": 50}) as client:
        assert (await told(client, documentId="Deep", variables={"id": "x"}))[:2] == (400, "COST_LIMIT")


async def test_introspection_stays_off_for_documents_of_the_manifest(trusting: Opened) -> None:
    async with trusting("require", SCHEMA, callers=[caller("read")]) as client:
        client.headers["authorization"] = f"Bearer {KEY}"
        assert await told(client, documentId="Schema") == (400, "BAD_USER_INPUT", "introspection is switched off")


async def test_permissions_hold_for_documents_of_the_manifest(trusting: Opened) -> None:
    async with trusting("require", ORDER, WRITE, callers=[caller("write")]) as client:
        assert (await send(client, documentId="Order")).status_code == 401
        client.headers["authorization"] = f"Bearer {KEY}"
        whole = (await send(client, documentId="Order")).json()
        assert [error["extensions"]["code"] for error in whole["errors"]] == ["FORBIDDEN"]
        assert (await send(client, documentId="Write")).json()["data"]["createInvoice"]["outcome"] == "UNSUPPORTED"


@pytest.mark.parametrize("trust", ["off", "allow", "require"])
async def test_an_id_is_never_repeated_in_an_answer(trusting: Opened, trust: str) -> None:
    canary = "canary" * 20
    async with trusting(trust, NAME) as client:
        for body in ({"documentId": canary}, {"documentId": canary, "query": OTHER}, apq(canary), {"query": OTHER, **apq(canary)}):
            assert "canary" not in (await send(client, **body)).text


# ------------------------------------------------------------------ at the start


def start(path: str, **limits: int) -> None:
    server = {**IN_MEMORY, "trusted_documents": "require", "documents": path}
    settings = settings_from({"server": server, "sources": {"shop": SOURCE}, "limits": limits})
    create_app(settings, wire=FakeWire(lambda _: answer("null")))


def test_each_document_that_can_never_be_answered_stops_the_start_with_a_line(tmp_path: Path) -> None:
    documents = {"good": NAME, "broken": "query {", "old": "{\n nothing more }", "none": "fragment F on Caller { name }", "deep": DEEP}
    path = manifest(tmp_path, documents)

    with pytest.raises(SettingsError) as caught:
        start(path, max_depth=4)

    assert caught.value.lines == (
        f"server.documents: {path}: broken: 1:8: Syntax Error: Expected Name, found <EOF>.",
        f"server.documents: {path}: old: 2:2: Cannot query field 'nothing' on type 'Query'.",
        f"server.documents: {path}: none: 1:1: Fragment 'F' is never used.",
        f"server.documents: {path}: deep: fields or values are nested 5 deep; at most 4 are taken",
    )


def test_a_document_that_may_cost_too_much_does_not_stop_the_start(tmp_path: Path) -> None:
    start(manifest(tmp_path, {"deep": DEEP}), max_cost=1)


def test_a_manifest_that_cannot_be_read_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        start(str(tmp_path / "none.json"))

    assert caught.value.lines == (f"server.documents: {tmp_path / 'none.json'}: No such file or directory",)


def test_a_long_id_is_shortened_in_a_line(tmp_path: Path) -> None:
    path = manifest(tmp_path, {"i" * 500 + "\n": "{ nothing }"})

    with pytest.raises(SettingsError) as caught:
        start(path)

    assert caught.value.lines == (f"server.documents: {path}: {'i' * 100}: 1:3: Cannot query field 'nothing' on type 'Query'.",)


def test_without_a_word_on_trust_nothing_is_trusted_and_everything_taken() -> None:
    assert TrustedDocuments()._trust == "off"  # noqa: SLF001  (what `Graph` has where nobody says)
