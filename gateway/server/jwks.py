"""The public keys of an issuer of tokens: fetched when they are needed, kept for a while, found by `kid` (RFC 7517).

What a token says may cause one request to the issuer a minute at the most. Keys that cannot check a signature, or of which it is
not clear which is meant, are left out.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import jwt

from gateway.errors import NotAuthenticated
from gateway.loaders import Clock

MAX_BYTES: Final = 256_000
MAX_KEYS: Final = 20
FRESH_SECONDS: Final = 600.0
"""Where the answer has no `max-age`."""
SHORTEST_FRESH_SECONDS: Final = 60.0
LONGEST_FRESH_SECONDS: Final = 3600.0
"""Longer, a key that the issuer has withdrawn would be good for too long."""
STALE_SECONDS: Final = 3600.0
"""How long keys that are no longer fresh are used while no others are to be had."""
PAUSE_SECONDS: Final = 60.0
"""From one request to the next that an unknown `kid` may cause."""
RETRY_SECONDS: Final = 10.0
"""From a request that failed to the next, where the keys are not fresh."""

_LOG: Final = logging.getLogger("gateway")
_MAX_AGE: Final = re.compile(r"(?:^|,)\s*max-age\s*=\s*\"?(\d{1,9})", re.IGNORECASE)
_EC: Final = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}


@dataclass(frozen=True, slots=True)
class KeysAnswer:
    """What the address of the keys answered."""

    body: bytes
    cache_control: str = ""
    """The header."""


class KeysNotFetched(Exception):
    """The keys are not to be had; the message is for the log, in one line without the address."""


FetchKeys = Callable[[str], Awaitable[KeysAnswer]]
"""Gets the keys from an address, in a few seconds; raises `KeysNotFetched`."""


class KeysUnavailable(NotAuthenticated):
    """No token can be checked: the issuer's keys are not to be had, and those there were are too old."""

    def __init__(self) -> None:
        super().__init__("tokens cannot be checked at present, as the keys of their issuer are not to be had; ask again later")


@dataclass(frozen=True, slots=True)
class _KeySet:
    by_use: Mapping[tuple[str, str], jwt.PyJWK]
    """By `kid` and algorithm."""
    kids: frozenset[str]
    """Also of those that cannot be used: the issuer has them, so asking again would give nothing new."""
    fresh_until: float


class Keys:
    """The keys of one issuer. One request serves all who wait for it."""

    def __init__(self, url: str, algorithms: Iterable[str], fetch: FetchKeys, clock: Clock) -> None:
        self._url = url
        self._algorithms = tuple(algorithms)
        self._fetch = fetch
        self._clock = clock
        self._set: _KeySet | None = None
        self._asked_at = float("-inf")
        self._asking: asyncio.Task[None] | None = None

    async def find(self, kid: str, algorithm: str) -> jwt.PyJWK | None:
        """Give the key that checks signatures of an algorithm under an id; None: the issuer has none. Raises `KeysUnavailable`."""
        if self._set is None or self._clock.monotonic() >= self._set.fresh_until:
            await self._ask_after(RETRY_SECONDS)
        if kid not in self._kept().kids:
            await self._ask_after(PAUSE_SECONDS)
        return self._kept().by_use.get((kid, algorithm))

    def _kept(self) -> _KeySet:
        if self._set is None or self._clock.monotonic() >= self._set.fresh_until + STALE_SECONDS:
            raise KeysUnavailable
        return self._set

    async def _ask_after(self, pause: float) -> None:
        """Wait for the answer that is under way, or for a new one; do nothing where the latest was asked for less than a pause ago."""
        if self._asking is None and self._clock.monotonic() - self._asked_at < pause:
            return
        asking = self._asking or self._ask()
        await asyncio.wait({asking})  # not awaited itself: whoever leaves must not take the answer from the others
        asking.result()

    def _ask(self) -> asyncio.Task[None]:
        self._asked_at = self._clock.monotonic()
        self._asking = asyncio.create_task(self._fetch_and_keep())
        self._asking.add_done_callback(self._asked)
        return self._asking

    def _asked(self, asking: asyncio.Task[None]) -> None:
        self._asking = None
        if not asking.cancelled():
            asking.exception()  # whoever waited has it; all may have left

    async def _fetch_and_keep(self) -> None:
        try:
            answer = await self._fetch(self._url)
            self._set = _read(answer, self._algorithms, self._clock.monotonic())
        except KeysNotFetched as error:
            _LOG.warning("the keys of [jwt] are not to be had: %s", error)


def _read(answer: KeysAnswer, algorithms: tuple[str, ...], now: float) -> _KeySet:
    """Read an answer; raises `KeysNotFetched` where no key in it can be used."""
    listed = _listed(answer.body)
    by_use = _by_use(listed, algorithms)
    if not by_use:
        raise KeysNotFetched("none of the keys can be used")
    kids = frozenset(kid for key in listed if isinstance(kid := key.get("kid"), str))
    return _KeySet(by_use, kids, now + _fresh_seconds(answer.cache_control))


def _listed(body: bytes) -> list[dict[str, Any]]:
    if len(body) > MAX_BYTES:
        raise KeysNotFetched(f"the answer is larger than {MAX_BYTES} bytes")
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        raise KeysNotFetched("the answer is not JSON") from None
    keys = answer.get("keys") if isinstance(answer, dict) else None
    if not isinstance(keys, list):
        raise KeysNotFetched("the answer has no list of keys")
    return [key for key in keys if isinstance(key, dict)]


def _by_use(listed: list[dict[str, Any]], algorithms: tuple[str, ...]) -> dict[tuple[str, str], jwt.PyJWK]:
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    taken = [key for key in listed if any(_fits(key, algorithm) for algorithm in algorithms)]
    if len(taken) > MAX_KEYS:
        _LOG.warning("the issuer of [jwt] has %d keys; the first %d are used", len(taken), MAX_KEYS)
    for key in taken[:MAX_KEYS]:
        for algorithm in algorithms:
            same = found.setdefault((key["kid"], algorithm), [])
            if _fits(key, algorithm) and key not in same:
                same.append(key)
    built = {use: _build(same[0], use[1]) for use, same in found.items() if len(same) == 1}
    return {use: key for use, key in built.items() if key is not None}


def _fits(key: Mapping[str, Any], algorithm: str) -> bool:
    """Say whether a key is there to check signatures of an algorithm (RFC 7517, 4; RFC 7518, 6). One with its private half is nobody's."""
    operations = key.get("key_ops", ["verify"])
    is_for_signatures = key.get("use", "sig") == "sig" and isinstance(operations, list) and "verify" in operations
    is_named = isinstance(key.get("kid"), str) and key.get("alg", algorithm) == algorithm
    return is_for_signatures and is_named and "d" not in key and (key.get("kty"), key.get("crv")) == _family(algorithm)


def _family(algorithm: str) -> tuple[str, str | None]:
    if algorithm == "EdDSA":
        return "OKP", "Ed25519"
    return ("EC", _EC[algorithm]) if algorithm in _EC else ("RSA", None)


def _build(key: dict[str, Any], algorithm: str) -> jwt.PyJWK | None:
    try:
        return jwt.PyJWK(key, algorithm)
    except (jwt.PyJWTError, ValueError, TypeError, KeyError, AttributeError):  # what the library says of parts that are no numbers
        return None


def _fresh_seconds(cache_control: str) -> float:
    said = _MAX_AGE.search(cache_control)
    seconds = FRESH_SECONDS if said is None else float(said[1])
    return min(max(seconds, SHORTEST_FRESH_SECONDS), LONGEST_FRESH_SECONDS)
