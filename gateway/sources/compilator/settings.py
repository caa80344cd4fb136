"""The keys of a configured source that only Compilator DDAPI has."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class CompilatorOptions(BaseModel):
    """How one DDAPI site is read.

    `json_dates` records which form the site writes: `iso` 2026-01-21 22:50:59, `us` 12/21/2025 1:04:33 PM. The two cannot be
    mistaken for each other, so reading takes both wherever they come. `sweep_start` is the day since which customers are swept,
    and orders listed where the caller names no day; `sweep_ttl_seconds` is how long a sweep answers without another call (0: not
    at all); `share_windows` lets the processes over one journal do with one sweep; `page_size` is customers a page (25 is the
    published default, no largest one is published). `branch_ids` are the branches whose orders a list without a customer has.
    `include_internal` lets invoices be found that the site counts as internal.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    json_dates: Literal["iso", "us"] = "iso"
    sweep_start: date = date(2000, 1, 1)
    sweep_ttl_seconds: int = Field(default=60, ge=0)
    share_windows: bool = False
    page_size: int = Field(default=25, gt=0)
    branch_ids: tuple[Annotated[int, Field(gt=0, lt=2**31)], ...] = ()
    include_internal: bool = False
