"""Headers of every call whose values lie in files: what signs a call has them beside its own, and reads them again after a refusal."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.settings import FileSecret, read_header_again
from gateway.transport.auth import Credentials


class HeadersFromFiles:
    """Credentials with further headers beside theirs."""

    def __init__(self, files: Mapping[str, FileSecret], credentials: Credentials) -> None:
        self._files = files
        self._credentials = credentials
        self._headers = _headers(files)

    def at_hand(self) -> Mapping[str, str] | None:
        """Give the headers where nobody need wait for them; None: `headers` must be asked."""
        at_hand = self._credentials.at_hand()
        return None if at_hand is None else {**self._headers, **at_hand}

    @property
    def is_renewing(self) -> bool:
        """Say whether `headers` would wait for a token that is being fetched already."""
        return self._credentials.is_renewing

    async def headers(self) -> Mapping[str, str]:
        """Give the headers; may fetch a token."""
        own = await self._credentials.headers()
        return {**self._headers, **own}

    def reject(self, headers: Mapping[str, str]) -> bool:
        """Read the files again; True when one of them, or the credentials, may do better than these headers."""
        self._files = {name: read_header_again(secret) for name, secret in self._files.items()}
        self._headers = _headers(self._files)
        # Another header may be what was minded: then a token is kept.
        return not self._headers.items() <= headers.items() or self._credentials.reject(_without(headers, self._files))


def _headers(files: Mapping[str, FileSecret]) -> dict[str, str]:
    return {name: secret.get_secret_value() for name, secret in files.items()}


def _without(headers: Mapping[str, str], files: Mapping[str, FileSecret]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name not in files}
