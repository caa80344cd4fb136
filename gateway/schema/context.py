"""What every resolver of a request shares."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import strawberry

from gateway.errors import NotPermitted
from gateway.loaders import LinkRules, Loaders
from gateway.model import Caller, Permission, Ref
from gateway.mutations import Writes


@dataclass(slots=True)
class Context:
    """State of one request. `loaders` reaches only the sources that the caller may see."""

    caller: Caller
    loaders: Loaders
    writes: Writes
    request_id: str
    max_nodes: int = 200
    idempotency_header: str | None = None
    link_rules: LinkRules = field(default_factory=LinkRules)
    sign_document: Callable[[str, int], str | None] = lambda _invoice_id, _seconds: None
    """Makes a link to the document of an invoice that holds for some seconds; None where no signing key is configured."""
    written: set[Ref] = field(default_factory=set)
    """What the writes of this request made or changed, and the orders they were made of: whoever may write may see these."""
    asked: dict[tuple[object, ...], frozenset[str]] = field(default_factory=dict)
    """What is asked below a field, worked out once for all objects of a list; it may be shared by requests that ask the same."""

    def demand(self, permission: Permission) -> None:
        """Raise `NotPermitted` unless the caller has the permission."""
        if not self.caller.may(permission):
            raise NotPermitted(f"this needs the permission {permission.value}")

    def demand_sight(self, ref: Ref) -> None:
        """Raise `NotPermitted` unless the caller may see an object: by the permission to read, or as it has just written it."""
        if ref not in self.written:
            self.demand(Permission.READ)


Info = strawberry.Info[Context, None]
