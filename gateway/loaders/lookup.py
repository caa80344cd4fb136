"""The three ways to name an object: its global id, the source's own key, the number the business uses."""

from __future__ import annotations

from dataclasses import dataclass, replace

from gateway.errors import InvalidInput
from gateway.loaders.refs import Loaders
from gateway.model import Kind, Record, Ref
from gateway.sources.base import Source

_NAMES = {
    Kind.CUSTOMER: "a customer",
    Kind.ORDER: "an order",
    Kind.INVOICE: "an invoice",
    Kind.INVOICE_SETTINGS: "invoice settings",
    Kind.CURRENCY: "a currency",
    Kind.LABEL: "a label",
    Kind.SOURCE: "a source",
}


@dataclass(frozen=True, slots=True)
class ById:
    """By global id."""

    id: str


@dataclass(frozen=True, slots=True)
class ByNative:
    """By the source's own key."""

    source: str
    id: str


@dataclass(frozen=True, slots=True)
class ByBusinessNumber:
    """By the number the business uses."""

    source: str
    number: str


Lookup = ById | ByNative | ByBusinessNumber


def named_source(loaders: Loaders, key: str) -> Source:
    """Give the source with this key; raises `InvalidInput` when there is none for this caller."""
    source = loaders.sources.get(key)
    if source is None:
        known = ", ".join(loaders.sources.keys) or "none"
        raise InvalidInput(f'source: there is no source "{key}" (there are: {known})')
    return source


def to_ref(loaders: Loaders, global_id: str, kind: Kind | None = None) -> Ref | None:
    """Read a global id into the reference it stands for now; None when its source does not exist for this caller.

    Raises `InvalidInput` for what is no id, for an id of another kind than `kind`, and for a key the source cannot have.
    """
    ref = Ref.from_global_id(global_id)
    if kind is not None and ref.kind is not kind:
        raise InvalidInput(f"id: this is the id of {_NAMES[ref.kind]}, not of {_NAMES[kind]}")
    source = loaders.sources.get(ref.source)
    return None if source is None else canonical(source, ref)


def canonical(source: Source, ref: Ref) -> Ref:
    """Give the reference in the one spelling that its source has for the key."""
    if ref.kind is Kind.SOURCE and ref.native_id:
        raise InvalidInput("id: this is no id of this gateway")
    if ref.kind in {Kind.SOURCE, Kind.CURRENCY, Kind.LABEL}:
        return replace(ref, source=source.profile.key)
    return replace(ref, source=source.profile.key, native_id=source.canonical(ref.kind, ref.native_id))


async def find_ref(loaders: Loaders, lookup: Lookup, kind: Kind) -> Ref | None:
    """Turn a lookup into a reference; asks the source only for a number. None when there is none, or no such source by id."""
    match lookup:
        case ById():
            return to_ref(loaders, lookup.id, kind)
        case ByNative():
            source = named_source(loaders, lookup.source)
            return canonical(source, Ref(source.profile.key, kind, lookup.id))
        case ByBusinessNumber():
            record = await loaders.load_by_number(named_source(loaders, lookup.source), kind, lookup.number)
            return None if record is None else record.ref


async def find_record(loaders: Loaders, lookup: Lookup, kind: Kind, fields: frozenset[str] | None = None) -> Record | None:
    """Read the object that a lookup names; None when its source says that there is none. `fields`: as `load_record` has it."""
    if isinstance(lookup, ByBusinessNumber):
        return await loaders.load_by_number(named_source(loaders, lookup.source), kind, lookup.number)
    ref = await find_ref(loaders, lookup, kind)
    return None if ref is None else await loaders.load_record(ref, fields)
