"""The keys of an issuer: which are taken, how long they are kept, and how rarely the issuer is asked."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from gateway.server.jwks import MAX_BYTES, Keys, KeysUnavailable
from tests.fakes import FakeClock
from tests.server.issuer import URL, Published, ec_key, ed_key, listed, rsa_key

pytestmark = pytest.mark.anyio

UNAVAILABLE = "tokens cannot be checked at present, as the keys of their issuer are not to be had; ask again later"
ANY = ("RS256", "PS256", "ES256", "ES384", "ES512", "EdDSA")


def make(published: Published, *algorithms: str, clock: FakeClock | None = None) -> Keys:
    return Keys(URL, algorithms or ("RS256",), published.fetch, clock or FakeClock())


async def has(keys: Keys, kid: str = "k1", algorithm: str = "RS256") -> bool:
    return await keys.find(kid, algorithm) is not None


# ------------------------------------------------------------------ which keys are taken


@pytest.mark.parametrize(
    ("key", "algorithms"),
    [
        (listed(rsa_key()), ["RS256", "PS256"]),
        (listed(rsa_key(), alg="RS256"), ["RS256"]),
        (listed(rsa_key(), alg="PS256"), ["PS256"]),
        (listed(ec_key("P-256")), ["ES256"]),
        (listed(ec_key("P-384")), ["ES384"]),
        (listed(ec_key("P-521")), ["ES512"]),
        (listed(ed_key()), ["EdDSA"]),
        (listed(ec_key("P-256"), alg="ES384"), []),
        (listed(rsa_key(), key_ops=["verify"]), ["RS256", "PS256"]),
    ],
)
async def test_a_key_checks_the_algorithms_it_is_made_for(key: dict[str, Any], algorithms: list[str]) -> None:
    keys = make(Published(key, listed(rsa_key("other"), "other")), *ANY)

    assert [algorithm for algorithm in ANY if await has(keys, algorithm=algorithm)] == algorithms


async def test_an_algorithm_that_is_not_configured_has_no_key() -> None:
    assert await has(make(Published(listed(rsa_key())), "RS256"), algorithm="PS256") is False


@pytest.mark.parametrize(
    "changes",
    [
        {"use": "enc"},
        {"use": ["sig"]},
        {"key_ops": ["encrypt"]},
        {"key_ops": "verify"},
        {"kid": 1},
        {"kid": None},
        {"kty": "oct", "k": "c2VjcmV0"},
        {"kty": "EC"},
        {"alg": "HS256"},
        {"alg": "none"},
        {"d": "AQAB"},
        {"n": "!"},
        {"n": 5},
        {"n": None},
        {"e": "AA"},
    ],
)
async def test_a_key_that_is_for_something_else_or_broken_is_left_out(changes: dict[str, object]) -> None:
    keys = make(Published({**listed(rsa_key()), **changes}, listed(rsa_key("other"), "other")))

    assert (await has(keys), await has(keys, "other")) == (False, True)


async def test_two_keys_of_one_id_are_neither_of_them_used() -> None:
    keys = make(Published(listed(rsa_key()), listed(rsa_key("other")), listed(rsa_key("third"), "k3")))

    assert (await has(keys), await has(keys, "k3")) == (False, True)


async def test_one_key_listed_twice_is_one_key() -> None:
    assert await has(make(Published(listed(rsa_key()), listed(rsa_key())))) is True


async def test_keys_of_one_id_for_different_algorithms_are_both_used() -> None:
    keys = make(Published(listed(rsa_key()), listed(ec_key()), listed(rsa_key("other"), use="enc")), *ANY)

    assert [algorithm for algorithm in ANY if await has(keys, algorithm=algorithm)] == ["RS256", "PS256", "ES256"]


async def test_of_very_many_keys_the_first_twenty_are_used(caplog: pytest.LogCaptureFixture) -> None:
    unfit = [listed(rsa_key(), f"e{number}", use="enc") for number in range(30)]
    keys = make(Published(*unfit, *(listed(rsa_key(), f"k{number}") for number in range(21))))

    assert (await has(keys, "k0"), await has(keys, "k19"), await has(keys, "k20")) == (True, True, False)
    assert caplog.messages == ["the issuer of [jwt] has 21 keys; the first 20 are used"]


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "the answer is not JSON"),
        (b"<html>", "the answer is not JSON"),
        (b"\xff", "the answer is not JSON"),
        (b"[" * 100_000, "the answer is not JSON"),
        (b"[]", "the answer has no list of keys"),
        (b"{}", "the answer has no list of keys"),
        (b'{"keys": {}}', "the answer has no list of keys"),
        (b'{"keys": []}', "none of the keys can be used"),
        (b'{"keys": [null, 1, "k1", []]}', "none of the keys can be used"),
        (b" " * (MAX_BYTES + 1), f"the answer is larger than {MAX_BYTES} bytes"),
    ],
)
async def test_an_answer_that_is_no_set_of_keys_is_as_none(body: bytes, why: str, caplog: pytest.LogCaptureFixture) -> None:
    published = Published()
    published.body = body

    with pytest.raises(KeysUnavailable) as refused:
        await make(published).find("k1", "RS256")

    assert (refused.value.message, refused.value.extensions) == (UNAVAILABLE, {"code": "UNAUTHENTICATED"})
    assert caplog.messages == [f"the keys of [jwt] are not to be had: {why}"]


# ------------------------------------------------------------------ how long they are kept


@pytest.mark.parametrize(
    ("cache_control", "seconds"),
    [
        ("", 600),
        ("no-store", 600),
        ("public, max-age=120", 120),
        ("MAX-AGE = 120", 120),
        ('max-age="120", must-revalidate', 120),
        ("s-maxage=120", 600),
        ("max-age=0", 60),
        ("max-age=-5", 600),
        ("max-age=soon", 600),
        ("max-age=21600", 3600),
        ("max-age=99999999999999999999", 3600),
    ],
)
async def test_keys_are_kept_for_as_long_as_the_issuer_says_within_bounds(cache_control: str, seconds: int) -> None:
    clock, published = FakeClock(), Published(listed(rsa_key()))
    published.cache_control = cache_control
    keys = make(published, clock=clock)
    await keys.find("k1", "RS256")

    clock.advance(seconds - 0.5)
    await keys.find("k1", "RS256")
    assert published.asked == 1

    clock.advance(0.5)
    await keys.find("k1", "RS256")
    assert published.asked == 2


async def test_a_key_that_was_withdrawn_is_gone_when_the_keys_are_no_longer_fresh() -> None:
    clock, published = FakeClock(), Published(listed(rsa_key()))
    keys = make(published, clock=clock)
    assert await has(keys) is True

    published.keys = [listed(rsa_key("other"), "k2")]
    clock.advance(600)

    assert await has(keys) is False


async def test_a_new_key_is_asked_for_as_soon_as_a_token_names_it() -> None:
    clock, published = FakeClock(), Published(listed(rsa_key()))
    keys = make(published, clock=clock)
    await keys.find("k1", "RS256")

    published.keys = [listed(rsa_key("other"), "k2"), listed(rsa_key())]
    clock.advance(60)

    assert (await has(keys, "k2"), await has(keys, "k1"), published.asked) == (True, True, 2)


async def test_invented_ids_ask_the_issuer_once_a_minute_at_the_most() -> None:
    clock, published = FakeClock(), Published(listed(rsa_key()))
    keys = make(published, clock=clock)

    for number in range(300):  # five minutes, one every second
        assert await has(keys, f"invented-{number}") is False
        clock.advance(1)

    assert published.asked == 5


@pytest.mark.parametrize("algorithm", ["PS256", "ES256"])
async def test_a_known_id_with_another_algorithm_asks_nobody(algorithm: str) -> None:
    clock, published = FakeClock(), Published(listed(rsa_key(), alg="RS256"), listed(rsa_key("other"), "enc", use="enc"))
    keys = make(published, *ANY, clock=clock)
    await keys.find("k1", "RS256")
    clock.advance(60)

    assert (await has(keys, "k1", algorithm), await has(keys, "enc")) == (False, False)
    assert published.asked == 1


# ------------------------------------------------------------------ while the issuer is down


async def test_old_keys_serve_for_an_hour_while_the_issuer_is_down() -> None:
    clock, published = FakeClock(), Published(listed(rsa_key()))
    keys = make(published, clock=clock)
    await keys.find("k1", "RS256")
    published.is_down = True

    clock.advance(600 + 3599)
    assert await has(keys) is True

    clock.advance(1)
    with pytest.raises(KeysUnavailable) as refused:
        await keys.find("k1", "RS256")
    assert refused.value.message == UNAVAILABLE


async def test_an_answer_that_is_no_set_of_keys_does_not_take_the_place_of_one() -> None:
    clock, published = FakeClock(), Published(listed(rsa_key()))
    keys = make(published, clock=clock)
    await keys.find("k1", "RS256")

    published.keys = []
    clock.advance(600)

    assert await has(keys) is True


async def test_an_issuer_that_is_down_is_asked_every_ten_seconds_at_the_most(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)
    clock, published = FakeClock(), Published(listed(rsa_key()))
    published.is_down = True
    keys = make(published, clock=clock)

    for second in range(60):
        with pytest.raises(KeysUnavailable):
            await keys.find(f"k{second}", "RS256")
        clock.advance(1)

    assert published.asked == 6


async def test_an_issuer_that_is_back_is_asked_within_ten_seconds() -> None:
    clock, published = FakeClock(), Published(listed(rsa_key()))
    published.is_down = True
    keys = make(published, clock=clock)
    with pytest.raises(KeysUnavailable):
        await keys.find("k1", "RS256")

    published.is_down = False
    clock.advance(10)

    assert await has(keys) is True


# ------------------------------------------------------------------ one request for all


async def test_all_who_wait_are_served_by_one_request() -> None:
    published = Published(listed(rsa_key()))
    published.answering.clear()
    keys = make(published)

    asking = asyncio.gather(*(has(keys) for _ in range(50)), has(keys, "unknown"))
    await asyncio.sleep(0)
    published.answering.set()

    assert (await asking, published.asked) == ([True] * 50 + [False], 1)


async def test_who_leaves_does_not_take_the_keys_from_the_others() -> None:
    published = Published(listed(rsa_key()))
    published.answering.clear()
    keys = make(published)

    leaving, staying = asyncio.create_task(has(keys)), asyncio.create_task(has(keys))
    await asyncio.sleep(0)
    leaving.cancel()
    await asyncio.wait({leaving})
    published.answering.set()

    assert (leaving.cancelled(), await staying, published.asked) == (True, True, 1)
