"""What a request asks of its sources, batched and deduplicated: one `Loaders` a request."""

from gateway.loaders.lookup import ByBusinessNumber, ById, ByNative, Lookup, find_record, find_ref, named_source, to_ref
from gateway.loaders.refs import Loaders
from gateway.sources.base import Clock, Scope, Source, SourceSet

__all__ = [
    "ByBusinessNumber",
    "ById",
    "ByNative",
    "Clock",
    "Loaders",
    "Lookup",
    "Scope",
    "Source",
    "SourceSet",
    "find_record",
    "find_ref",
    "named_source",
    "to_ref",
]
