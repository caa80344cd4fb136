"""How DDAPI says that there is nothing, and what an answer becomes that cannot be read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from gateway.sources.decode import Malformed
from gateway.transport import Request, Response, Upstream

_BLANKS: Final = b" \t\r\n"


@dataclass(frozen=True, slots=True)
class Absence:
    """How a read says that there is no such object."""

    statuses: frozenset[int]
    bodies: frozenset[bytes] = frozenset()

    def is_said_by(self, response: Response) -> bool:
        """Say whether this answer does."""
        return response.status in self.statuses or response.body.translate(None, _BLANKS) in self.bodies


NO_INVOICE: Final = Absence(frozenset({204}))
NO_CURRENCY: Final = Absence(frozenset({404}))
# The pages of orders and settings are silent. An empty 200 is not taken for absence: it may be anything.
NOT_PUBLISHED: Final = Absence(frozenset({204, 404}), frozenset({b"null", b"[]"}))
NO_ROWS: Final = Absence(frozenset({204}), frozenset({b"null"}))
# Of a list 404 may mean that nothing matches, or, as hosts differ in the lists that they have, that there is no such list.
NO_ROWS_OR_LIST: Final = Absence(frozenset({404}))
# Of a list that has answered before, it cannot mean the latter.
NO_CHANGES: Final = Absence(frozenset({204, 404}), frozenset({b"null", b"[]"}))


@contextmanager
def reading(upstream: Upstream, request: Request) -> Iterator[None]:
    """Turn `Malformed` into the error of the call that was answered so."""
    try:
        yield
    except Malformed as error:
        raise upstream.malformed(request, str(error)) from None
