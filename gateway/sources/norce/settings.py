"""The configuration keys that only a Norce source has."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

NAME: Final = "norce"
"""Value of `system = "..."`, and the name of the graph's input of this system."""
SYSTEM: Final = "NORCE"


class NorceOptions(BaseModel):
    """How this installation of Norce is asked."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    application_id: int
    """Sent as the header `application-id`, which Query demands."""
    query_version: Literal["2.0", "3.0", "off"] = "2.0"
    """Version of the Query API (2.0 spells PascalCase, 3.0 camelCase); off: orders are read by their number only."""
    create_via: Literal["connect", "insert-invoice"] = "connect"
    """Connect `Order/CreateInvoice`, or OrderService `InsertInvoice`, which the vendor publishes as not implemented."""
    create_spelling: Literal["commerce", "storm"] = "commerce"
    """The Storm page of `CreateInvoice` spells the number `InoviceNo`; what a live server reads is not published."""
    paths: Literal["commerce", "storm"] = "commerce"
    """Paths of the Services and of Connect below `base_url`. Query is published in one form only, the newer one."""
    culture_code: str | None = None
    """Language of texts, e.g. `sv-SE`; None: the application's own."""
