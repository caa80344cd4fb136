"""Credentials of a source: fixed headers, or tokens that are fetched once for all who wait and renewed while they still serve."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from math import isfinite
from typing import Annotated, Final, Protocol
from urllib.parse import urlencode

import msgspec

from gateway.errors import UpstreamError, UpstreamRateLimited
from gateway.settings import BasicAuth, BearerAuth, ClientCredentialsAuth, HeaderAuth, NoAuth, PasswordAuth
from gateway.transport.clock import Clock
from gateway.transport.message import Response
from gateway.transport.pace import Pace, Paces

RENEW_BEFORE_SECONDS: Final = 300.0
DEFAULT_LIFE_SECONDS: Final = 300.0
TRUSTED_SECONDS: Final = 30.0
RATE_LIMITED_SECONDS: Final = 20.0
PAUSES_SECONDS: Final = (0.0, 5.0, 30.0)
"""After the first failed renewal in a row, the second, and each further one."""

TokenCall = Callable[[str, Mapping[str, str], bytes], Awaitable[Response]]
"""Posts a form to a URL with headers and content, bounded by the source's own timeout; raises the upstream errors of the source."""
Failed = Callable[..., Exception]
"""Makes an error from `retry_after`, in seconds."""
AuthSettings = NoAuth | BasicAuth | HeaderAuth | BearerAuth | PasswordAuth | ClientCredentialsAuth


class Credentials(Protocol):
    """Says which headers sign a request."""

    def at_hand(self) -> Mapping[str, str] | None:
        """Give the headers where nobody need wait for them; None: `headers` must be asked."""

    @property
    def is_renewing(self) -> bool:
        """Say whether `headers` would wait for a token that is being fetched already."""

    async def headers(self) -> Mapping[str, str]:
        """Give the headers; may fetch a token."""

    def reject(self, headers: Mapping[str, str]) -> bool:
        """Learn that these headers were answered 401; True when new ones may do better."""


class TokenRefused(Exception):
    """The token endpoint did not give a token; `malformed` when its answer cannot be read.

    `retry_after` is in seconds: when it may be asked again; None: at once.
    """

    def __init__(self, *, malformed: bool, retry_after: float | None = None) -> None:
        super().__init__("no token")
        self.malformed = malformed
        self.retry_after = retry_after


class TokenTooSoon(TokenRefused):
    """The token endpoint was not asked: it was asked too often lately. It may be in `retry_after` seconds."""

    def __init__(self, retry_after: float) -> None:
        super().__init__(malformed=False, retry_after=retry_after)


class FixedCredentials:
    """The same headers always."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._headers = headers

    def at_hand(self) -> Mapping[str, str]:
        """Give the headers."""
        return self._headers

    @property
    def is_renewing(self) -> bool:
        """Say that nothing is fetched."""
        return False

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
    """A token from a token endpoint. One renewal serves all who wait, its failure too.

    It is renewed in the background before it expires, so that only those wait who come when there is none. Whatever goes
    wrong, renewals keep the `pace` of the endpoint.
    """

    def __init__(self, *, url: str, form: Mapping[str, str], prefix: str, call: TokenCall, clock: Clock, pace: Pace) -> None:
        self._url = url
        self._content = urlencode(form).encode()
        self._prefix = prefix
        self._call = call
        self._clock = clock
        self._pace = pace
        self._headers: Mapping[str, str] = {}
        self._due_at = self._expires_at = self._trusted_until = self._paused_until = float("-inf")
        self._was_rejected = False
        self._failures = 0
        self._say_again: Failed = TokenTooSoon
        self._renewal: asyncio.Task[None] | None = None

    def at_hand(self) -> Mapping[str, str] | None:
        """Give the token's header, and see to the next one in time; None: there is no token that has not expired."""
        now = self._clock.monotonic()
        if now >= self._expires_at:
            return None
        if now >= self._due_at:
            self._renew_ahead()
        return self._headers

    @property
    def is_renewing(self) -> bool:
        """Say whether a token is being fetched."""
        return self._renewal is not None

    async def headers(self) -> Mapping[str, str]:
        """Give the token's header, waiting for a token only when there is none that has not expired.

        Raises the upstream errors of the source, `TokenRefused`, or `TokenTooSoon`.
        """
        if (at_hand := self.at_hand()) is not None:
            return at_hand
        await self._renew()
        return self._headers

    def reject(self, headers: Mapping[str, str]) -> bool:
        """Drop the token if it is still the one that was refused; another may have been fetched meanwhile.

        False for a token that just took the place of a refused one: then it is not the token that the upstream minds. False too
        while no other may be asked for: this one may still do for other calls.
        """
        now = self._clock.monotonic()
        if headers != self._headers or now >= self._expires_at:
            return True
        if now < self._trusted_until or (self._renewal is None and self._seconds_to_wait() > 0):
            return False
        self._due_at = self._expires_at = float("-inf")
        self._was_rejected = True
        return True

    async def _renew(self) -> None:
        renewal = self._renewal or self._begin()
        # Not awaited itself: a caller who leaves, or whose time is up, must not take the token from the others.
        await asyncio.wait([renewal])
        renewal.result()

    def _renew_ahead(self) -> None:
        # The last request of a minute is left to those who cannot do without.
        if self._renewal is None and self._seconds_to_wait(spare=1) == 0:
            self._begin()

    def _begin(self) -> asyncio.Task[None]:
        seconds = self._seconds_to_wait()
        if seconds > 0:
            raise self._say_again(retry_after=seconds)
        self._pace.take()
        self._renewal = asyncio.create_task(self._fetch())
        self._renewal.add_done_callback(self._ended)
        return self._renewal

    def _seconds_to_wait(self, *, spare: int = 0) -> float:
        return max(self._paused_until - self._clock.monotonic(), self._pace.seconds_to_wait(spare=spare))

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._renewal = None
        if not task.cancelled():
            task.exception()  # whoever waited has it; a caller who left does not make it "never retrieved"

    async def _fetch(self) -> None:
        asked_at = self._clock.monotonic()
        try:
            token = await self._ask()
        except (UpstreamError, TokenRefused) as error:
            self._note_failure(error)
            raise
        self._keep(token, asked_at)

    async def _ask(self) -> _TokenPayload:
        headers = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
        response = await self._call(self._url, headers, self._content)
        if not response.is_success:
            raise TokenRefused(malformed=False)
        token = _read_token(response.body)
        if token is None:
            raise TokenRefused(malformed=True)
        return token

    def _note_failure(self, error: UpstreamError | TokenRefused) -> None:
        if isinstance(error, UpstreamRateLimited) and error.retry_after is None:
            error.retry_after = RATE_LIMITED_SECONDS
        if isinstance(error, UpstreamError) and error.retry_after is not None:
            self._pace.hold(error.retry_after)
        self._failures += 1
        self._say_again = _again(error)
        self._paused_until = self._clock.monotonic() + PAUSES_SECONDS[min(self._failures, len(PAUSES_SECONDS)) - 1]

    def _keep(self, token: _TokenPayload, asked_at: float) -> None:
        # Zero and less are no life at all: not said, rather than a request for each call. A 401 ends it as well.
        life = token.expires_in if token.expires_in is not None and token.expires_in > 0 else DEFAULT_LIFE_SECONDS
        self._headers = {"authorization": f"{self._prefix} {token.access_token}"}
        self._due_at = asked_at + max(life / 2, life - RENEW_BEFORE_SECONDS)
        self._expires_at = asked_at + life
        self._trusted_until = self._clock.monotonic() + TRUSTED_SECONDS if self._was_rejected else float("-inf")
        self._was_rejected = False
        self._failures, self._say_again, self._paused_until = 0, TokenTooSoon, float("-inf")


def _again(error: UpstreamError | TokenRefused) -> Failed:
    """Make what says the same to those who come before the endpoint may be asked again. The error itself would keep its frames."""
    if isinstance(error, TokenRefused):
        return partial(TokenRefused, malformed=error.malformed)
    return partial(type(error), error.message, source=error.source, operation=error.operation, nothing_sent=True)


def _read_token(body: bytes) -> _TokenPayload | None:
    """Read the answer of a token endpoint; None when it is none, and no error that would quote it."""
    try:
        token = msgspec.json.decode(body, type=_TokenPayload, strict=False)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return token if isfinite(token.expires_in or 0) else None


def make_credentials(auth: AuthSettings, *, base_url: str, call: TokenCall, clock: Clock, paces: Paces | None = None) -> Credentials:
    """Make the credentials that a source's `auth` table asks for.

    Sources that may sign in at one endpoint share `paces`; None: no other source is there.
    """
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
            url, prefix = base_url.rstrip("/") + auth.token_path, auth.header_prefix
        case ClientCredentialsAuth():
            url, prefix = auth.token_url, "Bearer"
    pace = (paces or Paces(clock)).of(url)
    return TokenCredentials(url=url, form=_form(auth), prefix=prefix, call=call, clock=clock, pace=pace)


def _form(auth: PasswordAuth | ClientCredentialsAuth) -> Mapping[str, str]:
    if isinstance(auth, PasswordAuth):
        return {
            "grant_type": auth.grant_type,
            auth.username_field: auth.username,
            auth.password_field: auth.password.get_secret_value(),
        }
    return {
        "grant_type": "client_credentials",
        "client_id": auth.client_id,
        "client_secret": auth.client_secret.get_secret_value(),
        **({} if auth.scope is None else {"scope": auth.scope}),
    }
