"""The configuration keys that NIMPOS alone has."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field


class NimposOptions(BaseModel):
    """Which tills to ask, how far back, and what this installation's totals mean."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    terminal_ids: Annotated[tuple[UUID, ...], Field(min_length=1)]
    """Every till whose invoices are to be seen: the invoice window shows those of one till only."""
    window_start: date = date(2020, 1, 1)
    """Nothing that was last changed before this day is seen by a window."""
    window_ttl_seconds: Annotated[int, Field(ge=0)] = 60
    """How long what the windows of customers, invoices and debts have shown is taken as it is; 0: they are asked each time."""
    share_windows: bool = False
    """Whether the processes over one journal have the windows in common: one of them reads, the others take what it has stored."""
    total_vat_basis: Literal["unknown", "including", "excluding"] = "unknown"
    """What `InvoiceTotal`, `OrderTotal` and `UnitPrice` are in this installation; NIMPOS does not say."""
    remarks_max_length: Annotated[int, Field(ge=1)] | None = None
    """Refuse longer notes; the vendor's page has no limit."""
