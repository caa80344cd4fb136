"""The configured sources as the graph shows them; asking for them calls nobody."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import strawberry

from gateway import loaders, model
from gateway.model import Kind, Ref
from gateway.schema.scalars import CurrencyCode
from gateway.schema.systems import SourceSystem


@dataclass(frozen=True, slots=True)
class SourceView:
    """One source, with its fields by the graph's names."""

    source: loaders.Source

    @property
    def id(self) -> str:
        """Global id of the source itself."""
        return Ref(self.key, Kind.SOURCE, "").global_id

    @property
    def key(self) -> str:
        """Configuration key."""
        return self.source.profile.key

    @property
    def system(self) -> SourceSystem:
        """Member of the enum."""
        return SourceSystem(self.source.profile.system)

    @property
    def display_name(self) -> str:
        """What people call it."""
        return self.source.profile.display_name

    @property
    def health(self) -> model.SourceHealth:
        """How its calls went lately."""
        return self.source.health

    @property
    def health_since(self) -> datetime | None:
        """Since when that is so."""
        return self.source.health_since

    @property
    def default_currency(self) -> str | None:
        """Configured currency."""
        return self.source.profile.default_currency

    @property
    def time_zone(self) -> str:
        """IANA name."""
        return self.source.profile.time_zone.key

    @property
    def capabilities(self) -> tuple[model.Capability, ...]:
        """What it can do."""
        return self.source.capabilities


@strawberry.interface
class Node:
    """Anything with a global id."""

    id: strawberry.ID = strawberry.field(description="Opaque and stable. Never parse it.")


@strawberry.type
class Capability:
    """One operation of one source."""

    operation: model.Operation
    support: model.SupportLevel
    upstream_operation: str | None = strawberry.field(description="e.g. `POST api/Order/PostInvoice`.")
    batching: model.Batching = strawberry.field(
        description="How many upstream calls N keys cost: one each, one for all, one for a chunk, one for a parent, or one window."
    )
    note: str | None


@strawberry.type(description="One configured connection. Two installations of one system are two sources.")
class Source(Node):
    """See the description."""

    key: str = strawberry.field(description="Configuration key; what `source:` arguments take.")
    system: SourceSystem
    display_name: str
    health: model.SourceHealth
    health_since: datetime | None
    default_currency: CurrencyCode | None = strawberry.field(description="For sources whose records carry no currency.")
    time_zone: str = strawberry.field(description="IANA zone for dates sent without an offset.")
    capabilities: list[Capability]

    @classmethod
    def is_type_of(cls, obj: Any, _info: Any) -> bool:  # noqa: ANN401  (graphql-core's protocol)
        """Recognise the view."""
        return isinstance(obj, SourceView)
