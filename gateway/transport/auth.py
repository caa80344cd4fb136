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
from gateway.settings import BasicAuth, BearerAuth, ClientCredentialsAuth, HeaderAuth, NoAuth, PasswordAuth, read_again
from gateway.transport.clock import Clock
from gateway.transport.message import Response
from gateway.transport.pace import Pace, Paces
from gateway.transport.shared_token import SharedToken, Token, TooSoon

RENEW_BEFORE_SECONDS: Final = 300.0
DEFAULT_LIFE_SECONDS: Final = 300.0
LOOK_AGAIN_SECONDS: Final = 2.0
"""How soon to look for another replica's token while the endpoint may not be asked."""
TRUSTED_SECONDS: Final = 30.0
RATE_LIMITED_SECONDS: Final = 20.0
PAUSES_SECONDS: Final = (0.0, 5.0, 30.0)
"""After the first failed renewal in a row, the second, and each further one."""

_FORM_HEADERS: Final = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}

TokenCall = Callable[[str, Mapping[str, str], bytes], Awaitable[Response]]
"""Posts a form to a URL with headers and content, bounded by the source's own timeout; raises the upstream errors of the source."""
ReadForm = Callable[[], Mapping[str, str]]
Failed = Callable[..., Exception]
"""Makes an error from `retry_after`, in seconds."""
FixedAuth = NoAuth | BasicAuth | HeaderAuth | BearerAuth
TokenAuth = PasswordAuth | ClientCredentialsAuth
AuthSettings = FixedAuth | TokenAuth


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
    """The same headers always, as long as their secret lies in no file that is written anew."""

    def __init__(self, auth: FixedAuth) -> None:
        self._auth = auth
        self._headers = _fixed_headers(auth)

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
        """Read the secret again where it lies in a file; True when it is another than the one refused."""
        again = read_again(self._auth)
        if again is not self._auth:
            self._auth, self._headers = again, _fixed_headers(again)
        return headers != self._headers


class _TokenPayload(msgspec.Struct, frozen=True):
    access_token: Annotated[str, msgspec.Meta(pattern=r"^[\x21-\x7e]+\Z")]  # it goes into a header
    expires_in: float | None = None


class TokenCredentials:
    """A token from a token endpoint. One renewal serves all who wait, its failure too.

    It is renewed in the background before it expires, so that only those wait who come when there is none. Whatever goes
    wrong, renewals keep the `pace` of the endpoint. A form that was refused is read again by `form_again`; None: it stays the same.
    With `shared` the token is that of all replicas, and the pace is kept by all of them together.
    """

    def __init__(
        self,
        *,
        url: str,
        form: Mapping[str, str],
        prefix: str,
        call: TokenCall,
        clock: Clock,
        pace: Pace,
        form_again: ReadForm | None = None,
        shared: SharedToken | None = None,
    ) -> None:
        self._url = url
        self._shared = shared
        self._form_again = form_again
        self._content = urlencode(form).encode()
        self._prefix = prefix
        self._call = call
        self._clock = clock
        self._pace = pace
        self._headers: Mapping[str, str] = {}
        self._due_at = self._expires_at = self._trusted_until = self._paused_until = self._would_expire_at = float("-inf")
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
        self._would_expire_at = self._expires_at
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
            self._begin(spare=1)

    def _begin(self, *, spare: int = 0) -> asyncio.Task[None]:
        seconds = self._seconds_to_wait()
        if seconds > 0:
            raise self._say_again(retry_after=seconds)
        if self._shared is None:
            self._pace.take()
            fetching = self._fetch()
        else:
            fetching = self._obtain(self._shared, spare)
        self._renewal = asyncio.create_task(fetching)
        self._renewal.add_done_callback(self._ended)
        return self._renewal

    def _seconds_to_wait(self, *, spare: int = 0) -> float:
        paused = self._paused_until - self._clock.monotonic()
        # Another replica may have a token while the endpoint may not be asked: the store of both has to say.
        return max(paused, self._pace.seconds_to_wait(spare=spare) if self._shared is None else 0.0)

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
        life = _life_of(token)
        self._keep(token.access_token, asked_at + _due_after(life), asked_at + life)

    async def _obtain(self, shared: SharedToken, spare: int) -> None:
        """Take the token of all replicas, or ask for it for all of them."""
        try:
            token = await shared.obtain(
                lambda: self._content, ask=self._ask_for_all, ask_alone=self._ask_alone, hold_of=_hold_of, spare=spare
            )
        except TooSoon as early:
            # What was refused for one call may still do for others, until there is another.
            self._expires_at, self._would_expire_at = max(self._expires_at, self._would_expire_at), float("-inf")
            self._say_again = TokenTooSoon
            self._paused_until = self._clock.monotonic() + min(early.seconds, LOOK_AGAIN_SECONDS)
            raise TokenTooSoon(early.seconds) from None
        except (UpstreamError, TokenRefused) as error:
            self._note_failure(error)
            raise
        now = self._clock.monotonic()
        self._keep(token.text, now + token.due_seconds, now + token.life_seconds)

    async def _ask_alone(self) -> Token:
        """Ask where nobody knows what the other replicas do."""
        if (seconds := self._pace.seconds_to_wait()) > 0:
            raise TooSoon(seconds)
        return await self._ask_for_all()

    async def _ask_for_all(self) -> Token:
        self._pace.take()
        asked_at = self._clock.monotonic()
        token = await self._ask()
        life, passed = _life_of(token), self._clock.monotonic() - asked_at
        return Token(token.access_token, _due_after(life) - passed, life - passed)

    async def _ask(self) -> _TokenPayload:
        response = await self._post()
        if not response.is_success and self._has_another_form():
            if (seconds := self._pace.seconds_to_wait()) > 0:
                raise TokenRefused(malformed=False, retry_after=seconds)
            self._pace.take()
            response = await self._post()
        if not response.is_success:
            raise TokenRefused(malformed=False)
        token = _read_token(response.body)
        if token is None:
            raise TokenRefused(malformed=True)
        return token

    async def _post(self) -> Response:
        return await self._call(self._url, _FORM_HEADERS, self._content)

    def _has_another_form(self) -> bool:
        """Read again what is posted, and say whether it is another than before."""
        if self._form_again is None:
            return False
        before, self._content = self._content, urlencode(self._form_again()).encode()
        return self._content != before

    def _note_failure(self, error: UpstreamError | TokenRefused) -> None:
        if isinstance(error, UpstreamRateLimited) and error.retry_after is None:
            error.retry_after = RATE_LIMITED_SECONDS
        if isinstance(error, UpstreamError) and error.retry_after is not None:
            self._pace.hold(error.retry_after)
        self._failures += 1
        self._say_again = _again(error)
        self._paused_until = self._clock.monotonic() + PAUSES_SECONDS[min(self._failures, len(PAUSES_SECONDS)) - 1]

    def _keep(self, text: str, due_at: float, expires_at: float) -> None:
        self._headers = {"authorization": f"{self._prefix} {text}"}
        self._due_at, self._expires_at, self._would_expire_at = due_at, expires_at, float("-inf")
        self._trusted_until = self._clock.monotonic() + TRUSTED_SECONDS if self._was_rejected else float("-inf")
        self._was_rejected = False
        self._failures, self._say_again, self._paused_until = 0, TokenTooSoon, float("-inf")


def _life_of(token: _TokenPayload) -> float:
    # Zero and less are no life at all: not said, rather than a request for each call. A 401 ends it as well.
    return token.expires_in if token.expires_in is not None and token.expires_in > 0 else DEFAULT_LIFE_SECONDS


def _due_after(life: float) -> float:
    return max(life / 2, life - RENEW_BEFORE_SECONDS)


def _hold_of(error: Exception) -> float:
    """Say for how many seconds an endpoint that answered so is not to be asked by anybody."""
    if not isinstance(error, UpstreamError):
        return 0.0
    return error.retry_after or (RATE_LIMITED_SECONDS if isinstance(error, UpstreamRateLimited) else 0.0)


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
        case PasswordAuth():
            url, prefix = base_url.rstrip("/") + auth.token_path, auth.header_prefix
        case ClientCredentialsAuth():
            url, prefix = auth.token_url, "Bearer"
        case _:
            return FixedCredentials(auth)
    pace = (paces or Paces(clock)).of(url)
    form_again = _FormOnFile(auth).read_again
    shared = None if paces is None or paces.store is None else SharedToken(paces.store, url)
    return TokenCredentials(
        url=url, form=_form(auth), prefix=prefix, call=call, clock=clock, pace=pace, form_again=form_again, shared=shared
    )


class _FormOnFile:
    """What is posted for a token, with its secret as the file had it last."""

    def __init__(self, auth: TokenAuth) -> None:
        self._auth = auth

    def read_again(self) -> Mapping[str, str]:
        """Give the form with the secret that is in its file now; as before where there is no file."""
        self._auth = read_again(self._auth)
        return _form(self._auth)


def _fixed_headers(auth: FixedAuth) -> Mapping[str, str]:
    match auth:
        case NoAuth():
            return {}
        case BasicAuth():
            pair = f"{auth.username}:{auth.password.get_secret_value()}"
            return {"authorization": "Basic " + base64.b64encode(pair.encode()).decode()}
        case HeaderAuth():
            return {auth.name.lower(): auth.value.get_secret_value()}
        case BearerAuth():
            return {"authorization": f"Bearer {auth.token.get_secret_value()}"}


def _form(auth: TokenAuth) -> Mapping[str, str]:
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
