"""Objects by their global id, of whatever kind."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from gateway import loaders, model
from gateway.errors import GatewayError, InvalidInput
from gateway.model import Kind, Ref
from gateway.schema.completion import wanted
from gateway.schema.context import Info
from gateway.schema.source import SourceView

RECORD_TYPES: Final = {Kind.CUSTOMER: model.Customer, Kind.ORDER: model.Order, Kind.INVOICE: model.Invoice}


async def load_nodes(info: Info, global_ids: Sequence[str]) -> list[Any]:
    """Load whatever ids stand for: records, sources, None where there is none, or none for this caller; a failure in its place."""
    return await load_found(info, [_begin(info, global_id) for global_id in global_ids])


async def load_found(info: Info, begun: Sequence[Any]) -> list[Any]:
    """Load the objects of references, all of a kind at once; whatever else stands among them stays as it is."""
    found = list(begun)
    by_kind: dict[Kind, list[int]] = {}
    for at, ref in enumerate(found):
        if isinstance(ref, Ref):
            by_kind.setdefault(ref.kind, []).append(at)
    await asyncio.gather(*(_load(info, found, kind, places) for kind, places in by_kind.items()))
    return found


async def load_node(info: Info, global_id: str) -> Any:  # noqa: ANN401  (a record, a source, or None)
    """Load whatever an id stands for; None when there is none, or none for this caller."""
    (found,) = await load_nodes(info, [global_id])
    if isinstance(found, Exception):
        raise found
    return found


async def _load(info: Info, found: list[Any], kind: Kind, places: Sequence[int]) -> None:
    fields = wanted(info, RECORD_TYPES[kind]) if kind in RECORD_TYPES else None
    records = await info.context.loaders.load_records([found[at] for at in places], fields)
    for at, record in zip(places, records, strict=True):
        found[at] = record


def _begin(info: Info, global_id: str) -> Ref | SourceView | GatewayError | None:
    """Say what an id stands for: a source, an object that is to be loaded, nothing; or why it is no id."""
    try:
        ref = loaders.to_ref(info.context.loaders, global_id)
        if ref is not None and ref.kind in {Kind.CURRENCY, Kind.LABEL}:
            raise InvalidInput("id: this is no id of this gateway")
    except GatewayError as error:
        return error
    if ref is None or ref.kind is not Kind.SOURCE:
        return ref
    source = info.context.loaders.sources.get(ref.source)
    return None if source is None else SourceView(source)
