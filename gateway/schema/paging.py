"""Pages of lists, whatever their objects: bounds of `first`, and the lists below an object."""

from __future__ import annotations

from typing import Final

from gateway import loaders
from gateway.errors import InvalidInput, LimitExceeded
from gateway.loaders import Lister, Page
from gateway.model import Criteria, Kind, Permission
from gateway.schema.context import Info
from gateway.schema.inputs import or_none
from gateway.schema.selection import asked_of

DEFAULT_FIRST: Final = 25
ASK_AHEAD: Final = frozenset({"pageInfo", "sourceResults"})
"""Fields of a connection that tell whether more follows."""
_CONNECTIONS: Final = {Kind.CUSTOMER: "CustomerConnection", Kind.ORDER: "OrderConnection", Kind.INVOICE: "InvoiceConnection"}


def looks_ahead(info: Info, kind: Kind) -> bool:
    """Say whether what follows a page is asked for."""
    return not ASK_AHEAD.isdisjoint(asked_of(info, _CONNECTIONS[kind]))


def check_first(first: int) -> None:
    """Refuse a page that is too large, by name."""
    if first > loaders.MAX_FIRST:
        raise LimitExceeded("FIRST_LIMIT", f"first: {first} are asked for, {loaders.MAX_FIRST} is the most")
    if first < 0:
        raise InvalidInput("first: it cannot be negative")


async def page_of_source(info: Info, source_key: str, criteria: Criteria, first: int, after: str | None) -> Page | None:
    """Read a page of what belongs to an object: its own source alone is asked."""
    info.context.demand(Permission.READ)
    check_first(first)
    source = info.context.loaders.sources.get(source_key)
    if source is None:
        return None
    ahead = looks_ahead(info, criteria.kind)
    return await Lister(criteria, [source], info.context.loaders.scope, asked_for=None, looks_ahead=ahead).page(first, or_none(after))
