"""Whom and what a write is about: what the journal must find when somebody asks to be forgotten."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.model import CreateInvoice, CreateInvoiceFromOrder, Ref, SetInvoiceSettings, Write
from gateway.sources.base import Prepared


def mentioned(write: Write, prepared: Prepared) -> tuple[tuple[str, str], ...]:
    """Give kind and native id of every object that a write names or makes."""
    refs = [*_refs_of(write), prepared.result]
    return tuple(dict.fromkeys((ref.kind.value, ref.native_id) for ref in refs if ref is not None))


def _refs_of(write: Write) -> Iterable[Ref | None]:
    match write:
        case CreateInvoice():
            return (write.customer, *write.orders)
        case CreateInvoiceFromOrder():
            return (write.order,)
        case SetInvoiceSettings():
            return (write.customer, *(value for value in write.values.values() if isinstance(value, Ref)))
