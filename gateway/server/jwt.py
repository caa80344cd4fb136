"""Callers that signed in elsewhere: from a signed token (RFC 7519, with the advice of RFC 8725) to who asks and what they may do.

Why a token is refused is in the debug log and nowhere else: whoever tries tokens learns nothing from the answers.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from typing import Any, Final

import jwt

from gateway.errors import NotAuthenticated
from gateway.loaders import Clock
from gateway.model import Caller, Permission
from gateway.server.jwks import Keys
from gateway.settings import SIGNED_IN, JwtSettings

_LOG: Final = logging.getLogger("gateway")
_MAX_SUBJECT: Final = 255
"""Characters; what OpenID Connect Core 1.0, 2, allows a subject."""
_ALL: Final = "*"


class _Refused(Exception):
    """Why a token is refused, in words of ours."""


class Tokens:
    """Says who brings a token.

    The caller's name is `jwt:<issuer>#<subject>`: stable for as long as the issuer keeps its subjects apart, which is what a
    subject is for, and nobody else's. No issuer has a `#`, no configured caller may be named `jwt:`; so the journal, which keeps
    attempts by this name, never shows one caller's to another, also when `[jwt]` comes to name another issuer.
    """

    def __init__(self, settings: JwtSettings, keys: Keys, clock: Clock) -> None:
        self._settings = settings
        self._keys = keys
        self._clock = clock

    async def caller_of(self, token: str) -> Caller:
        """Give the caller that a token stands for. Raises `NotAuthenticated`, or `KeysUnavailable` where none can be checked."""
        try:
            claims = self._claims(token, await self._key_for(token))
            self._check_times(claims)
            return self._to_caller(claims)
        except (jwt.PyJWTError, _Refused) as error:
            # The library's messages may quote the token.
            _LOG.debug("a token is refused: %s", error if isinstance(error, _Refused) else type(error).__name__)
            raise NotAuthenticated("this token is not accepted") from None

    async def _key_for(self, token: str) -> jwt.PyJWK:
        header = jwt.get_unverified_header(token)
        algorithm, kid = header.get("alg"), header.get("kid")
        if not isinstance(algorithm, str) or algorithm not in self._settings.algorithms:
            raise _Refused("its algorithm is not one of [jwt]")
        if not isinstance(kid, str):
            raise _Refused("it names no key")
        if "crit" in header or "b64" in header:
            raise _Refused("it needs an extension")
        key = await self._keys.find(kid, algorithm)
        if key is None:
            raise _Refused("the issuer has no such key for this algorithm")
        return key

    def _claims(self, token: str, key: jwt.PyJWK) -> Mapping[str, Any]:
        """Check signature, issuer and audience; the times are checked by our clock."""
        return jwt.decode(
            token,
            key,
            algorithms=[key.algorithm_name],
            issuer=self._settings.issuer,
            audience=self._settings.audience,
            options={
                "require": ["exp", "iss", "aud"],
                "enforce_minimum_key_length": True,
                "verify_exp": False,
                "verify_nbf": False,
                "verify_iat": False,
                "verify_sub": False,
                "verify_jti": False,
            },
        )

    def _check_times(self, claims: Mapping[str, Any]) -> None:
        now, leeway = self._clock.now().timestamp(), self._settings.leeway_seconds
        if _seconds(claims, "exp") + leeway <= now:
            raise _Refused("it has expired")
        for name in ("nbf", "iat"):
            if name in claims and _seconds(claims, name) - leeway > now:
                raise _Refused(f"it is of the future ({name})")

    def _to_caller(self, claims: Mapping[str, Any]) -> Caller:
        settings = self._settings
        subject = claims.get(settings.subject_claim)
        if not isinstance(subject, str) or not 0 < len(subject) <= _MAX_SUBJECT or not subject.isprintable():
            raise _Refused("it names no subject")
        named = _words(claims.get(settings.permissions_claim))
        sources = _words(claims.get(settings.sources_claim))
        return Caller(
            f"{SIGNED_IN}{settings.issuer}#{subject}",
            frozenset(permission for permission in Permission if permission.value in named),
            None if _ALL in sources else sources,
        )


def _seconds(claims: Mapping[str, Any], name: str) -> float:
    """Give an instant of the claims, in seconds since 1970; raises `_Refused`."""
    value = claims[name]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _Refused(f"its {name} is no number")
    try:
        seconds = float(value)
    except OverflowError:
        seconds = math.inf
    if not math.isfinite(seconds):
        raise _Refused(f"its {name} is no instant")
    return seconds


def _words(claim: object) -> frozenset[str]:
    """Give the words of a claim: a list of them, or a text with spaces between, as `scope` is. Anything else names none."""
    given = claim.split(" ") if isinstance(claim, str) else claim
    return frozenset(word for word in given if isinstance(word, str) and word) if isinstance(given, list) else frozenset()
