"""Every error the gateway raises on purpose, each with the stable code that clients, log lines and metrics share.

    GatewayError
      SettingsError                start only: a mistake in the configuration, one line each
      InvalidInput                 BAD_USER_INPUT
      NotPermitted                 UNAUTHENTICATED, FORBIDDEN
      LimitExceeded                REQUEST_TOO_LARGE, NODES_LIMIT, ...
        Overloaded                 OVERLOADED: too many requests are in hand; nothing of this one was begun
      InvalidCursor                INVALID_CURSOR
      LookupUnsupported            LOOKUP_UNSUPPORTED
      ListUnsupported              LIST_UNSUPPORTED: the source publishes no such list
      AmbiguousLookup              AMBIGUOUS_LOOKUP, with the ids
      AbsenceUnproven              ABSENCE_UNPROVEN: the source cannot say that there is none
      JournalUnavailable           JOURNAL_UNAVAILABLE: what is to be written cannot be taken down first, so nothing is sent
      UpstreamError                source, operation, retryable, retry_after
        UpstreamTimeout            UPSTREAM_TIMEOUT
        UpstreamUnavailable        UPSTREAM_UNAVAILABLE (connect, 5xx, connection lost)
        CircuitOpen                UPSTREAM_CIRCUIT_OPEN (it failed too often, so it is not asked for a while)
        UpstreamOverloaded         UPSTREAM_OVERLOADED (our own queue for it is full)
        UpstreamRateLimited        UPSTREAM_RATE_LIMITED
        UpstreamAuthFailed         UPSTREAM_AUTH
        UpstreamRejected           UPSTREAM_REJECTED (4xx)
        MalformedAnswer            UPSTREAM_BAD_RESPONSE (not what its pages promise, too large, not JSON)

Not found is None, never an error. Messages are ours: text from an upstream never becomes part of one.
"""

from __future__ import annotations

from math import ceil, isfinite
from typing import ClassVar


class GatewayError(Exception):
    """Base of all; `code` is part of the contract with clients."""

    code: ClassVar[str] = "INTERNAL"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    @property
    def extensions(self) -> dict[str, object]:
        """What `errors[].extensions` says beside the request id."""
        return {"code": self.code}


class SettingsError(GatewayError):
    """The configuration cannot be used; `lines` has one entry a mistake, each naming file, table and key."""

    code = "SETTINGS"

    def __init__(self, *lines: str) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


class InvalidInput(GatewayError):
    """The caller sent something that cannot be meant."""

    code = "BAD_USER_INPUT"


class InvalidCursor(InvalidInput):
    """A cursor that was not made for this list, or not by this version."""

    code = "INVALID_CURSOR"


class NotPermitted(GatewayError):
    """The caller may not do this."""

    code = "FORBIDDEN"


class NotAuthenticated(NotPermitted):
    """The caller did not say who it is, or not with a key that is known."""

    code = "UNAUTHENTICATED"


class LimitExceeded(GatewayError):
    """The request is larger than the gateway takes; `limit` names which limit."""

    code = "LIMIT_EXCEEDED"

    def __init__(self, limit: str, message: str) -> None:
        super().__init__(message)
        self.limit = limit

    @property
    def extensions(self) -> dict[str, object]:
        """Give the code of the limit itself, e.g. `NODES_LIMIT`."""
        return {"code": self.limit}


class Overloaded(LimitExceeded):
    """The gateway has as many requests in hand as it takes; nothing of this one was begun."""

    def __init__(self, message: str) -> None:
        super().__init__("OVERLOADED", message)


class _OfSource(GatewayError):
    """An error that belongs to one source and one operation of it."""

    retryable: ClassVar[bool] = False

    def __init__(self, message: str, *, source: str, operation: str) -> None:
        super().__init__(message)
        self.source = source
        self.operation = operation

    @property
    def extensions(self) -> dict[str, object]:
        """Add where it happened, and whether asking again may help."""
        return {"code": self.code, "source": self.source, "operation": self.operation, "retryable": self.retryable}


class LookupUnsupported(_OfSource):
    """The source publishes no way to look this up."""

    code = "LOOKUP_UNSUPPORTED"


class ListUnsupported(_OfSource):
    """The source publishes no such list."""

    code = "LIST_UNSUPPORTED"


class AmbiguousLookup(_OfSource):
    """Several objects have this number; `ids` are their global ids."""

    code = "AMBIGUOUS_LOOKUP"

    def __init__(self, message: str, *, source: str, operation: str, ids: tuple[str, ...]) -> None:
        super().__init__(message, source=source, operation=operation)
        self.ids = ids

    @property
    def extensions(self) -> dict[str, object]:
        """Add the ids to choose from."""
        return {**super().extensions, "ids": list(self.ids)}


class AbsenceUnproven(_OfSource):
    """The source does not show it, and that proves nothing."""

    code = "ABSENCE_UNPROVEN"


class JournalUnavailable(GatewayError):
    """The journal cannot be read or written; the message says why, in one line without address or password."""

    code = "JOURNAL_UNAVAILABLE"


class UpstreamError(_OfSource):
    """A call to an upstream failed.

    `retry_after` is in seconds where the upstream said so. `nothing_sent` is True only when it is proven that no byte of the
    request left (name not found, connection refused, no slot in time, an open breaker): a write may then be sent again.
    """

    def __init__(self, message: str, *, source: str, operation: str, retry_after: float | None = None, nothing_sent: bool = False) -> None:
        super().__init__(message, source=source, operation=operation)
        self.retry_after = retry_after
        self.nothing_sent = nothing_sent

    @property
    def extensions(self) -> dict[str, object]:
        """Add the wait in whole seconds, where one is known; never less than was asked for."""
        wait = {} if self.retry_after is None or not isfinite(self.retry_after) else {"retryAfter": max(0, ceil(self.retry_after))}
        return {**super().extensions, **wait}


class UpstreamTimeout(UpstreamError):
    """No answer in time."""

    code = "UPSTREAM_TIMEOUT"
    retryable = True


class UpstreamUnavailable(UpstreamError):
    """No connection, connection lost, or a 5xx."""

    code = "UPSTREAM_UNAVAILABLE"
    retryable = True


class CircuitOpen(UpstreamError):
    """The upstream failed too often lately; it is left alone for `retry_after` seconds."""

    code = "UPSTREAM_CIRCUIT_OPEN"
    retryable = True


class UpstreamOverloaded(UpstreamError):
    """The gateway's own queue for this source is full."""

    code = "UPSTREAM_OVERLOADED"
    retryable = True


class UpstreamRateLimited(UpstreamError):
    """The upstream answered 429."""

    code = "UPSTREAM_RATE_LIMITED"
    retryable = True


class UpstreamAuthFailed(UpstreamError):
    """The upstream does not accept the configured credentials."""

    code = "UPSTREAM_AUTH"


class UpstreamRejected(UpstreamError):
    """The upstream answered with a 4xx that its pages give no other meaning."""

    code = "UPSTREAM_REJECTED"


class MalformedAnswer(UpstreamError):
    """The answer is not what the upstream's pages promise."""

    code = "UPSTREAM_BAD_RESPONSE"
