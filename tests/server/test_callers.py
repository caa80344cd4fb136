"""Who a request comes from."""

from __future__ import annotations

from hashlib import sha256

import httpx
import pytest

from gateway.errors import NotAuthenticated
from gateway.model import Caller, Permission
from gateway.server.callers import ANYBODY, Callers
from gateway.settings import CallerSettings
from tests.server.conftest import Opener

pytestmark = pytest.mark.anyio

NAME = "{ caller { name } }"


def digest(key: str) -> str:
    return sha256(key.encode()).hexdigest()


def configured(**changes: object) -> CallerSettings:
    table = {"name": "script", "key_sha256": digest("right"), "permissions": ["read"], "sources": ["*"], **changes}
    return CallerSettings.model_validate(table)


async def answer_to(client: httpx.AsyncClient, authorization: str | None) -> httpx.Response:
    headers = {} if authorization is None else {"authorization": authorization}
    return await client.post("/graphql", json={"query": NAME}, headers=headers)


def test_without_callers_everybody_may_everything() -> None:
    assert Callers(()).identify(None) == ANYBODY == Caller("anybody", frozenset(Permission), None)


@pytest.mark.parametrize("authorization", ["Bearer right", "bearer right", "BEARER right", "Bearer  right "])
def test_a_key_leads_to_its_caller(authorization: str) -> None:
    callers = Callers([configured(), configured(name="other", key_sha256=digest("other"))])

    assert callers.identify(authorization) == Caller("script", frozenset({Permission.READ}), None)


def test_a_caller_has_its_permissions_and_sources() -> None:
    callers = Callers([configured(permissions=["read", "write", "raw"], sources=["shop", "pos"])])

    assert callers.identify("Bearer right") == Caller(
        "script", frozenset({Permission.READ, Permission.WRITE, Permission.RAW}), frozenset({"shop", "pos"})
    )


@pytest.mark.parametrize("key", ["old", "new"])
def test_several_keys_of_one_caller_are_all_good(key: str) -> None:
    assert Callers([configured(key_sha256=[digest("old"), digest("new")])]).identify(f"Bearer {key}").name == "script"


@pytest.mark.parametrize(
    ("authorization", "message"),
    [
        (None, "send the caller's key as Authorization: Bearer <key>"),
        ("", "send the caller's key as Authorization: Bearer <key>"),
        ("right", "send the caller's key as Authorization: Bearer <key>"),
        ("Bearer", "send the caller's key as Authorization: Bearer <key>"),
        ("Bearer   ", "send the caller's key as Authorization: Bearer <key>"),
        ("Basic cmlnaHQ6", "send the caller's key as Authorization: Bearer <key>"),
        ("Bearer wrong", "this key is not known"),
        ("Bearer Right", "this key is not known"),
        ("Bearer right,right", "this key is not known"),
        (f"Bearer {digest('right')}", "this key is not known"),
        ("Bearer å", "this key is not known"),
    ],
)
def test_anything_else_is_nobody(authorization: str | None, message: str) -> None:
    with pytest.raises(NotAuthenticated) as refused:
        Callers([configured()]).identify(authorization)

    assert refused.value.message == message


@pytest.mark.parametrize("authorization", [None, "Bearer wrong"])
async def test_a_request_of_nobody_is_answered_401_and_told_how_to_ask(opened: Opener, authorization: str | None) -> None:
    async with opened(callers=[configured().model_dump()]) as client:
        response = await answer_to(client, authorization)

    assert (response.status_code, response.headers["www-authenticate"]) == (401, "Bearer")
    assert response.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert "data" not in response.json()


async def test_a_known_key_is_answered(opened: Opener) -> None:
    async with opened(callers=[configured().model_dump()]) as client:
        response = await answer_to(client, "Bearer right")

    assert response.json() == {"data": {"caller": {"name": "script"}}}
    assert "www-authenticate" not in response.headers


async def test_who_asks_is_looked_at_before_what_is_asked(opened: Opener) -> None:
    async with opened(callers=[configured().model_dump()]) as client:
        response = await client.post("/graphql", content=b"no json", headers={"content-type": "text/plain"})

    assert response.status_code == 401


@pytest.mark.parametrize(("permissions", "status"), [(["read"], 400), (["explorer"], 200)])
async def test_a_caller_with_the_explorer_permission_is_told_the_schema_always(opened: Opener, permissions: list[str], status: int) -> None:
    async with opened(callers=[configured(permissions=permissions).model_dump()]) as client:
        query = {"query": "{ __schema { queryType { name } } }"}
        response = await client.post("/graphql", json=query, headers={"authorization": "Bearer right"})

    assert response.status_code == status
