"""Who a request comes from."""

from __future__ import annotations

from hashlib import sha256

import httpx
import pytest

from gateway.errors import NotAuthenticated
from gateway.model import Caller, Permission
from gateway.server.callers import ANYBODY, Authenticator, Callers
from gateway.server.jwks import Keys
from gateway.server.jwt import Tokens
from gateway.settings import CallerSettings
from tests.fakes import FakeClock
from tests.server.conftest import Opener
from tests.server.issuer import ISSUER, URL, Published, claims, listed, rsa_key, settings, sign

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


@pytest.mark.parametrize(
    ("length", "message"), [(8192, "this key is not known"), (8193, "the Authorization header has more than 8192 characters")]
)
def test_a_header_of_any_length_is_not_looked_at(length: int, message: str) -> None:
    with pytest.raises(NotAuthenticated) as refused:
        Callers([configured()]).identify("Bearer " + "x" * (length - 7))

    assert refused.value.message == message


def test_where_anybody_may_call_no_header_matters() -> None:
    assert [Callers(()).identify(header) for header in ("Basic x", "Bearer " + "x" * 9000)] == [ANYBODY, ANYBODY]


# ------------------------------------------------------------------ keys and tokens


CLOCK = FakeClock()
SCRIPT, ANNA = "script", f"jwt:{ISSUER}#anna"
JSON_HEAD = "eyJhIjoxfQ"  # {"a":1}


def authenticator(*callers: CallerSettings, with_tokens: bool = True) -> Authenticator:
    jwt, published = settings(), Published(listed(rsa_key()))
    tokens = Tokens(jwt, Keys(URL, jwt.algorithms, published.fetch, CLOCK), CLOCK)
    return Authenticator(Callers(callers), tokens if with_tokens else None)


async def refusal(known: Authenticator, credential: str | None) -> str:
    with pytest.raises(NotAuthenticated) as refused:
        await known.identify(None if credential is None else f"Bearer {credential}")
    return refused.value.message


async def test_keys_and_tokens_come_in_the_same_header() -> None:
    known = authenticator(configured())

    assert (await known.identify("Bearer right")).name == SCRIPT
    assert (await known.identify(f"bearer  {sign(claims(CLOCK))} ")).name == ANNA


async def test_where_only_tokens_are_configured_nothing_else_lets_in() -> None:
    known = authenticator()

    assert (await known.identify(f"Bearer {sign(claims(CLOCK))}")).name == ANNA
    assert await refusal(known, None) == "send the caller's key as Authorization: Bearer <key>"
    assert await refusal(known, "right") == "this key is not known"


@pytest.mark.parametrize(
    ("credential", "message"),
    [
        (f"{JSON_HEAD}.b.c", "this token is not accepted"),
        (f"{JSON_HEAD}..", "this token is not accepted"),
        (f"{JSON_HEAD}.b", "this key is not known"),
        (f"{JSON_HEAD}.b.c.d", "this key is not known"),
        ("WzFd.b.c", "this key is not known"),  # [1]
        ("a.b.c", "this key is not known"),
        ("..", "this key is not known"),
        ("å.b.c", "this key is not known"),
        ("W1tb" * 1500 + ".b.c", "this key is not known"),
    ],
)
async def test_two_dots_after_a_json_object_make_a_token_and_anything_else_a_key(credential: str, message: str) -> None:
    assert await refusal(authenticator(configured()), credential) == message


async def test_what_has_the_shape_of_a_token_is_never_tried_as_a_key() -> None:
    known = authenticator(configured(key_sha256=digest(f"{JSON_HEAD}.b.c")))

    assert await refusal(known, f"{JSON_HEAD}.b.c") == "this token is not accepted"


async def test_where_no_tokens_are_configured_a_token_is_a_key_like_any() -> None:
    token = sign(claims(CLOCK))
    known = authenticator(configured(key_sha256=digest(token)), with_tokens=False)

    assert (await known.identify(f"Bearer {token}")).name == SCRIPT
    assert await refusal(known, sign(claims(CLOCK, sub="bo"))) == "this key is not known"
    assert await authenticator(with_tokens=False).identify(None) == ANYBODY


async def test_a_token_that_is_too_long_is_not_looked_at() -> None:
    token = sign(claims(CLOCK, more="x" * 9000))

    assert await refusal(authenticator(), token) == "the Authorization header has more than 8192 characters"


# ------------------------------------------------------------------ over HTTP


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
