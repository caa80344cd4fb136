"""A token of all replicas: one signs in, the others take what it was given, and nobody depends on the others being there."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from gateway.errors import JournalUnavailable
from gateway.journal import Journal
from gateway.settings import SourceSettings
from gateway.transport import Response
from gateway.transport.auth import Credentials, TokenRefused, TokenTooSoon, make_credentials
from gateway.transport.pace import Paces
from tests.fakes import FakeClock, answer

pytestmark = pytest.mark.anyio

URL = "https://id.example/token"
SECRET = "a secret that nobody guesses"


class Endpoint:
    """Gives out `t1`, `t2`, ... for an hour each, and counts how often it was asked; `refusal` is answered instead."""

    def __init__(self) -> None:
        self.asked = 0
        self.refusal: Response | None = None

    async def __call__(self, _url: str, _headers: object, _content: bytes) -> Response:
        self.asked += 1
        await asyncio.sleep(0)
        return self.refusal or answer(f'{{"access_token": "t{self.asked}", "expires_in": 3600}}')


class Replicas:
    """Replicas over one journal; each has credentials of its own."""

    def __init__(self, stack: AsyncExitStack, path: Path) -> None:
        self.clock = FakeClock()
        self.endpoint = Endpoint()
        self.journals: list[Journal] = []
        self.path = path
        self._stack = stack

    async def journal(self) -> Journal:
        made = Journal(f"sqlite:///{self.path}", now=self.clock.now)
        await made.open()
        self._stack.push_async_callback(made.aclose)
        self.journals.append(made)
        return made

    async def one(self, secret: str = SECRET) -> Credentials:
        paces = Paces(self.clock, (await self.journal()).tokens)
        auth = {"kind": "client_credentials", "token_url": URL, "client_id": "id", "client_secret": secret}
        data: dict[str, Any] = {"system": "system", "base_url": "https://upstream.example", "auth": auth}
        settings = SourceSettings.model_validate(data)
        return make_credentials(settings.auth, base_url=settings.base_url, call=self.endpoint, clock=self.clock, paces=paces)

    def stored(self) -> list[tuple[str, bytes]]:
        """Give name and content of what the database has, as who has nothing but the database sees it."""
        with closing(sqlite3.connect(self.path)) as database:
            return list(database.execute("SELECT name, sealed FROM tokens"))


@pytest.fixture
async def replicas(tmp_path: Path) -> AsyncIterator[Replicas]:
    async with AsyncExitStack() as stack:
        yield Replicas(stack, tmp_path / "journal.db")


async def token_of(credentials: Credentials) -> str:
    """Give the token, once a renewal that this began has ended."""
    headers = await credentials.headers()
    await quiet(lambda: not credentials.is_renewing)
    return headers["authorization"].removeprefix("Bearer ")


async def quiet(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not is_so():  # noqa: ASYNC110  (what is waited for is in other hands, and sets no event)
            await asyncio.sleep(0.005)


async def test_one_signs_in_and_the_others_take_its_token(replicas: Replicas) -> None:
    several = [await replicas.one() for _ in range(4)]

    assert await asyncio.gather(*(token_of(one) for one in several)) == ["t1"] * 4
    assert await token_of(await replicas.one()) == "t1"
    assert replicas.endpoint.asked == 1


async def test_it_is_renewed_by_one_before_it_expires_and_nobody_waits(replicas: Replicas) -> None:
    several = [await replicas.one() for _ in range(3)]
    for one in several:
        await token_of(one)
    replicas.clock.advance(3301)

    assert [one.at_hand() for one in several] == [{"authorization": "Bearer t1"}] * 3
    await quiet(lambda: not any(one.is_renewing for one in several))

    assert [await token_of(one) for one in several] == ["t2"] * 3
    assert replicas.endpoint.asked == 2


async def test_a_token_that_is_refused_is_asked_for_once_again_by_all(replicas: Replicas) -> None:
    several = [await replicas.one() for _ in range(3)]
    for one in several:
        await token_of(one)

    assert [one.reject({"authorization": "Bearer t1"}) for one in several] == [True] * 3
    assert await asyncio.gather(*(token_of(one) for one in several)) == ["t2"] * 3
    assert replicas.endpoint.asked == 2


async def test_all_of_them_ask_three_times_a_minute_at_the_most(replicas: Replicas) -> None:
    several = [await replicas.one() for _ in range(3)]
    replicas.endpoint.refusal = answer("{}", 400)
    said = []
    for _ in range(3):
        for one in several:
            with pytest.raises(TokenRefused) as refused:
                await one.headers()
            said.append(type(refused.value))
        replicas.clock.advance(6)

    assert replicas.endpoint.asked == 3
    assert set(said) == {TokenRefused, TokenTooSoon}


async def test_a_token_that_was_refused_once_still_serves_where_no_other_may_be_asked_for(replicas: Replicas) -> None:
    first, second, third = [await replicas.one() for _ in range(3)]
    for number, one in enumerate((first, second), 1):
        assert await token_of(one) == f"t{number}"
        assert one.reject({"authorization": f"Bearer t{number}"}) is True
        assert await token_of(one) == f"t{number + 1}"
    assert await token_of(third) == "t3"

    assert third.reject({"authorization": "Bearer t3"}) is True
    with pytest.raises(TokenTooSoon):
        await third.headers()
    assert third.at_hand() == {"authorization": "Bearer t3"}
    assert third.reject({"authorization": "Bearer t3"}) is False
    replicas.clock.advance(60)
    assert third.reject({"authorization": "Bearer t3"}) is True
    assert await token_of(third) == "t4"


async def test_another_secret_has_a_token_of_its_own(replicas: Replicas) -> None:
    assert await token_of(await replicas.one()) == "t1"
    assert await token_of(await replicas.one("another secret")) == "t2"
    assert await token_of(await replicas.one()) == "t1"


async def test_the_database_alone_gives_no_token_away(replicas: Replicas) -> None:
    await token_of(await replicas.one())
    ((_, sealed),) = replicas.stored()

    assert b"t1" not in sealed
    assert len(sealed) == 12 + 2 + 16  # nonce, token, tag
    for journal in replicas.journals:
        await journal.aclose()
    contents = b"".join(path.read_bytes() for path in replicas.path.parent.glob("journal.db*"))
    assert SECRET.encode() not in contents
    assert URL.encode() not in contents


async def test_what_somebody_else_wrote_in_its_place_is_no_token(replicas: Replicas) -> None:
    await token_of(await replicas.one())
    ((name, _),) = replicas.stored()
    await replicas.journals[0].tokens.keep(name, "somewhere", b"\0" * 40, due_seconds=3000, life_seconds=3600)

    assert await token_of(await replicas.one()) == "t2"


async def test_without_the_database_each_asks_for_itself(replicas: Replicas) -> None:
    several = [await replicas.one() for _ in range(2)]
    for journal in replicas.journals:
        await journal.aclose()

    with pytest.raises(JournalUnavailable):
        await replicas.journals[0].tokens.turn("token", "here", known=0)
    assert [await token_of(one) for one in several] == ["t1", "t2"]
    for number in (3, 4):
        assert several[0].reject({"authorization": "Bearer t1" if number == 3 else "Bearer t3"}) is True
        assert await token_of(several[0]) == f"t{number}"
        replicas.clock.advance(31)
    assert replicas.endpoint.asked == 4


async def test_without_the_database_each_keeps_the_pace_by_itself(replicas: Replicas) -> None:
    one = await replicas.one()
    await replicas.journals[0].aclose()
    replicas.endpoint.refusal = answer("{}", 400)
    for _ in range(12):
        with pytest.raises(TokenRefused):
            await one.headers()
        replicas.clock.advance(4.9)

    assert replicas.endpoint.asked == 3
