"""Who a request comes from: the key in its Authorization header, or anybody where no caller is configured."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from typing import Final

from gateway.errors import NotAuthenticated
from gateway.model import Caller, Permission
from gateway.settings import CallerSettings

ANYBODY: Final = Caller("anybody", frozenset(Permission))


class Callers:
    """The configured callers; none: everybody may do everything, which only loopback may offer."""

    def __init__(self, settings: Iterable[CallerSettings]) -> None:
        self._by_digest = [(bytes.fromhex(digest), _to_caller(caller)) for caller in settings for digest in caller.key_sha256]

    def identify(self, authorization: str | None) -> Caller:
        """Give the caller behind an `Authorization: Bearer <key>` header; raises `NotAuthenticated`."""
        if not self._by_digest:
            return ANYBODY
        scheme, _, key = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not key.strip():
            raise NotAuthenticated("send the caller's key as Authorization: Bearer <key>")
        digest = hashlib.sha256(key.strip().encode()).digest()
        found = None
        for known, caller in self._by_digest:  # every one is compared, so that time tells nothing
            if hmac.compare_digest(known, digest):
                found = caller
        if found is None:
            raise NotAuthenticated("this key is not known")
        return found


def _to_caller(settings: CallerSettings) -> Caller:
    sources = None if "*" in settings.sources else frozenset(settings.sources)
    return Caller(settings.name, frozenset(Permission(name) for name in settings.permissions), sources)
