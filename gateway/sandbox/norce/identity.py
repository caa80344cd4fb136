"""The token endpoint, and the check of the bearer token that every other operation makes first.

docs.norce.io, "Accessing APIs with OAuth2 accounts": client credentials in the body, a JWT for 3600 seconds, and at most 3 requests a
minute from one address with a burst of 20 more.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs

from starlette.responses import Response
from starlette.routing import Route

from gateway.sandbox.emulator import json_response

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

    from starlette.requests import Request

    Endpoint = Callable[[Request], Awaitable[Response]]

TOKEN_PATH: Final = "/identity/1.0/connect/token"  # noqa: S105  (a path, not a token)
TOKEN_SECONDS: Final = 3600
CLIENT_ID: Final = "demo"
CLIENT_SECRET: Final = "demo"  # noqa: S105  (the sandbox's own client, printed in its configuration)

_TOKENS_A_MINUTE: Final = 3
_BURST: Final = 20
_FORM: Final = "application/x-www-form-urlencoded"
_SIGNING_KEY: Final = b"sandbox"


@dataclass(slots=True)
class _Bucket:
    """A token bucket: full at first, refilled evenly."""

    left: float
    filled_at: float

    def take(self, now: float) -> bool:
        """Take one, or say that there is none."""
        refilled = self.left + (now - self.filled_at) * _TOKENS_A_MINUTE / 60
        self.left, self.filled_at = min(refilled, _TOKENS_A_MINUTE + _BURST), now
        if self.left < 1:
            return False
        self.left -= 1
        return True

    def seconds_to_next(self) -> int:
        """Say when the next one is there, in whole seconds."""
        return math.ceil((1 - self.left) * 60 / _TOKENS_A_MINUTE)


class Identity:
    """Issues tokens and knows which are still good."""

    def __init__(self, switches: MutableMapping[str, Any], clock: Callable[[], float]) -> None:
        self._switches: Final = switches
        self._clock: Final = clock
        self._expiry_by_token: dict[str, float] = {}
        self._bucket_by_host: dict[str, _Bucket] = {}
        self._issued = 0

    def reset(self) -> None:
        """Forget how often each caller has signed in; who has stays signed in."""
        self._bucket_by_host.clear()

    def routes(self) -> list[Route]:
        """Give the token endpoint."""
        return [Route(TOKEN_PATH, self._token, methods=["POST"], name="Token")]

    def signed_in(self, endpoint: Endpoint) -> Endpoint:
        """Let a request through to `endpoint` only with a bearer token that is good now."""

        async def guarded(request: Request) -> Response:
            self._revoke_if_asked()
            scheme, _, token = request.headers.get("authorization", "").partition(" ")
            if scheme.lower() != "bearer" or not token:
                return Response(status_code=401, headers={"WWW-Authenticate": "Bearer"})
            if self._clock() >= self._expiry_by_token.get(token, float("-inf")):
                return Response(status_code=401, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})
            return await endpoint(request)

        return guarded

    async def _token(self, request: Request) -> Response:
        self._revoke_if_asked()
        host = request.client.host if request.client else ""
        now = self._clock()
        bucket = self._bucket_by_host.setdefault(host, _Bucket(_TOKENS_A_MINUTE + _BURST, now))
        if self._switches["token_limit"] and not bucket.take(now):
            return Response(status_code=429, headers={"Retry-After": str(bucket.seconds_to_next())})
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
            return _refused("invalid_request")
        form = {name: values[-1] for name, values in parse_qs((await request.body()).decode("utf-8", "replace")).items()}
        problem = self._problem(form)
        return _refused(problem) if problem else self._issue(form["scope"])

    def _problem(self, form: dict[str, str]) -> str | None:
        """Name what is wrong with a token request in OAuth2's words, or None."""
        if "grant_type" not in form:
            return "invalid_request"
        if form["grant_type"] != "client_credentials":
            return "unsupported_grant_type"
        if form.get("client_id") != CLIENT_ID or form.get("client_secret") != CLIENT_SECRET:
            return "invalid_client"
        scopes = form.get("scope", "").split()
        if not scopes or not set(scopes) <= set(self._switches["scopes"].split()):
            return "invalid_scope"
        return None

    def _issue(self, scope: str) -> Response:
        now = self._clock()
        self._issued += 1
        token = _jwt(
            {"client_id": CLIENT_ID, "scope": scope.split(), "iat": int(now), "exp": int(now) + TOKEN_SECONDS, "jti": self._issued}
        )
        self._expiry_by_token[token] = now + TOKEN_SECONDS
        body = {"access_token": token, "expires_in": TOKEN_SECONDS, "token_type": "Bearer", "scope": scope}  # nosec B105  # a kind
        return json_response(body, headers={"Cache-Control": "no-store"})

    def _revoke_if_asked(self) -> None:
        if self._switches["revoke_tokens"]:
            self._expiry_by_token.clear()
            self._switches["revoke_tokens"] = False


def _refused(error: str) -> Response:
    return json_response({"error": error}, 400, {"Cache-Control": "no-store"})


def _jwt(claims: dict[str, Any]) -> str:
    """Write claims as a JSON web token, signed with a key that is worth nothing."""
    signed = f"{_base64url(json.dumps({'alg': 'HS256', 'typ': 'JWT'}).encode())}.{_base64url(json.dumps(claims).encode())}"
    return f"{signed}.{_base64url(hmac.digest(_SIGNING_KEY, signed.encode(), hashlib.sha256))}"


def _base64url(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")
