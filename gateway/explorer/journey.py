"""What the explorer offers to ask."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Journey:
    """A prepared query that the page offers in a tab; nothing is sent before it is run."""

    title: str
    description: str
    query: str
    variables: Mapping[str, object] = field(default_factory=dict)
