"""Credentials of a source: fixed headers, or tokens that are fetched once for all who wait and renewed before they expire."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Final, Protocol
from urllib.parse import urlencode

import msgspec

from gateway.settings import BasicAuth, BearerAuth, ClientCredentialsAuth, HeaderAuth, NoAuth, PasswordAuth
from gateway.transport.clock import Clock
from gateway.transport.message import Response

RENEW_BEFORE_SECONDS: Final = 60.0
DEFAULT_LIFE_SECONDS: Final = 300.0

TokenCall = Callable[[str, Mapping[str, str], bytes], Awaitable[Response]]
"""Posts a form to a URL with headers and content; raises the upstream errors of the source."""
AuthSettings = NoAuth | BasicAuth | HeaderAuth | BearerAuth | PasswordAuth | ClientCredentialsAuth


class Credentials(Protocol):
    """Says which headers sign a request."""

    async def headers(self) -> Mapping[str, str]:
        """Give the headers; may fetch a token."""

    def reject(self, headers: Mapping[str, str]) -> bool:
        """Learn that these headers were answered 401; True when new ones can be had."""


class TokenRefused(Exception):
    """The token endpoint did not give a token; `malformed` when its answer cannot be read."""

    def __init__(self, *, malformed: bool) -> None:
        super().__init__("no token")
        self.malformed = malformed


class FixedCredentials:
    """The same headers always."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._headers = headers

    async def headers(self) -> Mapping[str, str]:
        """Give the headers."""
        return self._headers

    def reject(self, headers: Mapping[str, str]) -> bool:
        """Say that there are no others."""
        del headers
        return False


class _TokenPayload(msgspec.Struct, frozen=True):
    access_token: Annotated[str, msgspec.Meta(pattern=r"^[\x21-\x7e]+\Z")]  # it goes into a header
    expires_in: float | None = None


class TokenCredentials:
    """A token from a token endpoint. One renewal serves all who wait, its failure too."""

    def __init__(self, *, url: str, form: Mapping[str, str], prefix: str, call: TokenCall, clock: Clock) -> None:
        self._url = url
        self._content = urlencode(form).encode()
        self._prefix = prefix
        self._call = call
        self._clock = clock
        self._headers: Mapping[str, str] = {}
        self._fresh_until = float("-inf")
        self._renewal: asyncio.Task[None] | None = None

    async def headers(self) -> Mapping[str, str]:
        """Give the token's header, fetching a token when there is none or it is about to expire."""
        if self._clock.monotonic() >= self._fresh_until:
            await self._renew()
        return self._headers

    def reject(self, headers: Mapping[str, str]) -> bool:
        """Drop the token if it is still the one that was refused; another may have been fetched meanwhile."""
        if headers == self._headers:
            self._fresh_until = float("-inf")
        return True

    async def _renew(self) -> None:
        if self._renewal is None:
            self._renewal = asyncio.create_task(self._fetch())
            self._renewal.add_done_callback(self._renewed)
        # Shielded: one caller who leaves must not take the token from the others.
        await asyncio.shield(self._renewal)

    def _renewed(self, task: asyncio.Task[None]) -> None:
        self._renewal = None
        if not task.cancelled():
            task.exception()  # whoever waited has it; a caller who left does not make it "never retrieved"

    async def _fetch(self) -> None:
        headers = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
        response = await self._call(self._url, headers, self._content)
        if not response.is_success:
            raise TokenRefused(malformed=False)
        try:
            token = msgspec.json.decode(response.body, type=_TokenPayload, strict=False)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            raise TokenRefused(malformed=True) from None
        life = DEFAULT_LIFE_SECONDS if token.expires_in is None else token.expires_in
        self._headers = {"authorization": f"{self._prefix} {token.access_token}"}
        self._fresh_until = self._clock.monotonic() + max(life / 2, life - RENEW_BEFORE_SECONDS)


def make_credentials(auth: AuthSettings, *, base_url: str, call: TokenCall, clock: Clock) -> Credentials:
    """Make the credentials that a source's `auth` table asks for."""
    match auth:
        case NoAuth():
            return FixedCredentials({})
        case BasicAuth():
            pair = f"{auth.username}:{auth.password.get_secret_value()}"
            return FixedCredentials({"authorization": "Basic " + base64.b64encode(pair.encode()).decode()})
        case HeaderAuth():
            return FixedCredentials({auth.name.lower(): auth.value.get_secret_value()})
        case BearerAuth():
            return FixedCredentials({"authorization": f"Bearer {auth.token.get_secret_value()}"})
        case PasswordAuth():
            form = {
                "grant_type": auth.grant_type,
                auth.username_field: auth.username,
                auth.password_field: auth.password.get_secret_value(),
            }
            url = base_url.rstrip("/") + auth.token_path
            return TokenCredentials(url=url, form=form, prefix=auth.header_prefix, call=call, clock=clock)
        case ClientCredentialsAuth():
            form = {
                "grant_type": "client_credentials",
                "client_id": auth.client_id,
                "client_secret": auth.client_secret.get_secret_value(),
                **({} if auth.scope is None else {"scope": auth.scope}),
            }
            return TokenCredentials(url=auth.token_url, form=form, prefix="Bearer", call=call, clock=clock)
