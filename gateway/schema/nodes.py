"""Objects by their global id, of whatever kind."""

from __future__ import annotations

from typing import Any, Final

from gateway import loaders, model
from gateway.errors import InvalidInput
from gateway.model import Kind
from gateway.schema.completion import wanted
from gateway.schema.context import Info
from gateway.schema.source import SourceView

RECORD_TYPES: Final = {Kind.CUSTOMER: model.Customer, Kind.ORDER: model.Order, Kind.INVOICE: model.Invoice}


async def load_node(info: Info, global_id: str) -> Any:  # noqa: ANN401  (a record, a source, or None)
    """Load whatever an id stands for; None when there is none, or none for this caller."""
    context = info.context
    ref = loaders.to_ref(context.loaders, global_id)
    if ref is None:
        return None
    if ref.kind is Kind.SOURCE:
        source = context.loaders.sources.get(ref.source)
        return None if source is None else SourceView(source)
    if ref.kind in {Kind.CURRENCY, Kind.LABEL}:
        raise InvalidInput("id: this is no id of this gateway")
    return await context.loaders.load_record(ref, wanted(info, RECORD_TYPES[ref.kind]) if ref.kind in RECORD_TYPES else None)
