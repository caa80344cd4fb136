"""Keys, tokens and rates over HTTP: who gets in, at every endpoint."""

from __future__ import annotations

import json

import httpx
import pytest

from gateway.app import create_app, settings_from
from gateway.errors import SettingsError
from gateway.model import Kind, Ref
from gateway.transport import Response
from gateway.transport.wire import WireFailed, WireRequest
from tests.fakes import FakeClock, answer
from tests.server.conftest import IN_MEMORY, SOURCE, Opener
from tests.server.issuer import AUDIENCE, ISSUER, URL, claims, listed, rsa_key, sign
from tests.server.test_callers import configured

pytestmark = pytest.mark.anyio

CALLER = {"query": "{ caller { name permissions sources } }"}
DOCUMENT = f"/documents/{Ref('shop', Kind.INVOICE, '1').global_id}"
JWT = {"issuer": ISSUER, "audience": AUDIENCE, "jwks_url": URL}
UNAVAILABLE = "tokens cannot be checked at present, as the keys of their issuer are not to be had; ask again later"


class World:
    """The issuer, and a shop that has nothing."""

    def __init__(self, status: int = 200, *, is_down: bool = False) -> None:
        self.status = status
        self.is_down = is_down
        self.asked: list[WireRequest] = []

    def __call__(self, request: WireRequest) -> Response:
        if request.url != URL:
            return answer("null")
        self.asked.append(request)
        if self.is_down:
            raise WireFailed("no connection")
        return answer(json.dumps({"keys": [listed(rsa_key())]}), self.status)


async def ask(client: httpx.AsyncClient, credential: str | None) -> httpx.Response:
    return await client.post("/graphql", json=CALLER, headers={} if credential is None else {"authorization": f"Bearer {credential}"})


async def get(client: httpx.AsyncClient, credential: str | None) -> httpx.Response:
    return await client.get(DOCUMENT, headers={} if credential is None else {"authorization": f"Bearer {credential}"})


async def test_a_token_gets_in_at_every_endpoint(opened: Opener) -> None:
    clock, world = FakeClock(), World()
    async with opened(world, clock=clock, jwt=JWT) as client:
        asked, got = await ask(client, sign(claims(clock))), await get(client, sign(claims(clock)))

    assert asked.json() == {"data": {"caller": {"name": f"jwt:{ISSUER}#anna", "permissions": ["read"], "sources": ["shop"]}}}
    assert (got.status_code, [request.max_answer_bytes for request in world.asked]) == (404, [256_000])


@pytest.mark.parametrize("credential", [None, "right", "a.b.c", "eyJhIjoxfQ.b.c"])
async def test_where_only_tokens_are_configured_nothing_else_gets_in_anywhere(opened: Opener, credential: str | None) -> None:
    async with opened(World(), jwt=JWT) as client:
        answers = [await ask(client, credential), await get(client, credential)]

    assert [(one.status_code, one.json()["errors"][0]["extensions"]["code"]) for one in answers] == [(401, "UNAUTHENTICATED")] * 2


async def test_keys_and_tokens_get_in_beside_each_other(opened: Opener) -> None:
    clock = FakeClock()
    async with opened(World(), clock=clock, jwt=JWT, callers=[configured().model_dump()]) as client:
        names = [(await ask(client, credential)).json()["data"]["caller"]["name"] for credential in ("right", sign(claims(clock)))]

    assert names == ["script", f"jwt:{ISSUER}#anna"]


@pytest.mark.parametrize("world", [World(503), World(302), World(is_down=True)])
async def test_where_no_token_can_be_checked_the_client_is_told_to_ask_again(opened: Opener, world: World) -> None:
    clock = FakeClock()
    async with opened(world, clock=clock, jwt=JWT) as client:
        response = await ask(client, sign(claims(clock)))

    assert (response.status_code, response.headers["retry-after"], response.json()["errors"][0]["message"]) == (503, "1", UNAVAILABLE)


async def test_who_asks_too_often_is_told_when_to_ask_again_at_every_endpoint(opened: Opener) -> None:
    slow = {**configured().model_dump(), "requests_per_minute": 5}
    clock = FakeClock()
    async with opened(World(), clock=clock, callers=[slow]) as client:
        first, second, third = await ask(client, "right"), await ask(client, "right"), await get(client, "right")
        clock.advance(12)
        later = await get(client, "right")

    assert [one.status_code for one in (first, second, third, later)] == [200, 429, 429, 404]
    assert (second.headers["retry-after"], third.headers["retry-after"]) == ("12", "12")
    assert second.json()["errors"][0]["extensions"].items() >= {"code": "RATE_LIMITED", "retryAfter": 12}.items()


async def test_who_is_not_known_uses_up_nobodys_rate(opened: Opener) -> None:
    slow = {**configured().model_dump(), "requests_per_minute": 5}
    async with opened(World(), clock=FakeClock(), callers=[slow]) as client:
        assert [(await ask(client, "wrong")).status_code for _ in range(5)] == [401] * 5
        assert (await ask(client, "right")).status_code == 200


@pytest.mark.parametrize(
    "tables", [{"jwt": JWT}, {"callers": [configured().model_dump()]}, {"jwt": JWT, "callers": [configured().model_dump()]}]
)
def test_a_gateway_that_knows_its_callers_may_be_reached_from_outside(tables: dict[str, object]) -> None:
    create_app(settings_from({"server": {**IN_MEMORY, "host": "0.0.0.0"}, "sources": {"shop": SOURCE}, **tables}))  # noqa: S104  (nothing listens)


def test_a_gateway_that_knows_no_callers_may_not() -> None:
    with pytest.raises(SettingsError) as refused:
        create_app(settings_from({"server": {**IN_MEMORY, "host": "0.0.0.0"}, "sources": {"shop": SOURCE}}))  # noqa: S104  (as above)

    expected = "server.host: 0.0.0.0 can be reached from outside, and no [[callers]] are configured"
    assert refused.value.lines == (expected,)
