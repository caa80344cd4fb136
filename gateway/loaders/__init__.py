"""What a request asks of its sources, batched and deduplicated: one `Loaders` a request."""

from gateway.loaders.criteria import organization_digits
from gateway.loaders.links import Link, LinkRule, LinkRules, Links, find_links, read_link_file
from gateway.loaders.lists import MAX_FIRST, Edge, Lister, Page, Reads, SourceResult, reads_of_page
from gateway.loaders.lookup import ByBusinessNumber, ById, ByNative, Lookup, find_record, find_ref, named_source, to_ref
from gateway.loaders.merged import MergedLister, reads_of_all
from gateway.loaders.refs import Loaders
from gateway.sources.base import ASSUMED_ORDERS, By, Calls, Clock, Demand, IndexState, Need, Scope, Source, SourceSet, Trace, UpstreamState

__all__ = [
    "ASSUMED_ORDERS",
    "MAX_FIRST",
    "By",
    "ByBusinessNumber",
    "ById",
    "ByNative",
    "Calls",
    "Clock",
    "Demand",
    "Edge",
    "IndexState",
    "Link",
    "LinkRule",
    "LinkRules",
    "Links",
    "Lister",
    "Loaders",
    "Lookup",
    "MergedLister",
    "Need",
    "Page",
    "Reads",
    "Scope",
    "Source",
    "SourceResult",
    "SourceSet",
    "Trace",
    "UpstreamState",
    "find_links",
    "find_record",
    "find_ref",
    "named_source",
    "organization_digits",
    "read_link_file",
    "reads_of_all",
    "reads_of_page",
    "to_ref",
]
