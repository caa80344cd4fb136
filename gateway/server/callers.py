"""Who a request comes from: a key or a token in its Authorization header, or anybody where no caller is configured."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import urlsafe_b64decode
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Final

from gateway.errors import NotAuthenticated
from gateway.model import Caller, Permission
from gateway.server.jwt import Tokens
from gateway.server.rates import Rates
from gateway.server.shared_rates import SharedRates
from gateway.settings import CallerSettings

ANYBODY: Final = Caller("anybody", frozenset(Permission))
MAX_HEADER: Final = 8192
"""Characters of the Authorization header; the tokens of the usual issuers have one or two thousand."""
_DOTS_OF_TOKEN: Final = 2


class Callers:
    """The configured callers; none: everybody may do everything, which only loopback may offer."""

    def __init__(self, settings: Iterable[CallerSettings]) -> None:
        self._by_digest = [(bytes.fromhex(digest), _to_caller(caller)) for caller in settings for digest in caller.key_sha256]

    def identify(self, authorization: str | None) -> Caller:
        """Give the caller behind an `Authorization: Bearer <key>` header; raises `NotAuthenticated`."""
        return self.with_key(_credential(authorization)) if self._by_digest else ANYBODY

    def with_key(self, key: str) -> Caller:
        """Give the caller that has a key; raises `NotAuthenticated`."""
        digest = hashlib.sha256(key.encode()).digest()
        found = None
        for known, caller in self._by_digest:  # every one is compared, so that time tells nothing
            if hmac.compare_digest(known, digest):
                found = caller
        if found is None:
            raise NotAuthenticated("this key is not known")
        return found


class Authenticator:
    """Says who a request comes from, by key or by token.

    Both come as `Authorization: Bearer`. Which of them it is, its shape says: two dots and a JSON object before the first make a
    token. What has the shape of a token is never tried as a key, nor the other way round. `tokens` None: nobody signs in
    elsewhere, and whatever is sent is a key.
    """

    def __init__(self, callers: Callers, tokens: Tokens | None) -> None:
        self._callers = callers
        self._tokens = tokens

    async def identify(self, authorization: str | None) -> Caller:
        """Give the caller behind an Authorization header; raises `NotAuthenticated`."""
        if self._tokens is None:
            return self._callers.identify(authorization)
        credential = _credential(authorization)
        if _is_token(credential):
            return await self._tokens.caller_of(credential)
        return self._callers.with_key(credential)


class Admission:
    """Lets in the requests of known callers that do not ask for too much."""

    def __init__(self, authenticator: Authenticator, rates: Rates, shared_rates: SharedRates | None = None) -> None:
        """With `shared_rates`, requests are counted with those that other processes answer."""
        self._authenticator = authenticator
        self._rates = rates
        self._shared_rates = shared_rates

    @asynccontextmanager
    async def admitted(self, authorization: str | None) -> AsyncIterator[Caller]:
        """Give the caller, with a request in hand for as long as the block runs. Raises `NotAuthenticated` or `RateLimited`."""
        caller = await self._authenticator.identify(authorization)
        if self._shared_rates is None:
            with self._rates.taken(caller):
                yield caller
            return
        with self._rates.in_hand(caller) as account:
            if account is not None:
                await self._shared_rates.pay(caller, account)
            yield caller


def _credential(authorization: str | None) -> str:
    """Give what an Authorization header has after `Bearer`; raises `NotAuthenticated` where it has nothing there."""
    if authorization is not None and len(authorization) > MAX_HEADER:
        raise NotAuthenticated(f"the Authorization header has more than {MAX_HEADER} characters")
    scheme, _, credential = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not credential.strip():
        raise NotAuthenticated("send the caller's key as Authorization: Bearer <key>")
    return credential.strip()


def _is_token(credential: str) -> bool:
    if credential.count(".") != _DOTS_OF_TOKEN:
        return False
    head = credential.partition(".")[0]
    try:
        return isinstance(json.loads(urlsafe_b64decode(head + "=" * (-len(head) % 4))), dict)
    except (ValueError, RecursionError):
        return False


def _to_caller(settings: CallerSettings) -> Caller:
    sources = None if "*" in settings.sources else frozenset(settings.sources)
    return Caller(settings.name, frozenset(Permission(name) for name in settings.permissions), sources)
