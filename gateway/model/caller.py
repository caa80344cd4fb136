"""Who asks, and what they may do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Permission(StrEnum):
    """What a caller may be allowed."""

    READ = "read"
    WRITE = "write"
    RAW = "raw"
    EXPLORER = "explorer"
    AUDIT = "audit"
    METRICS = "metrics"


@dataclass(frozen=True, slots=True)
class Caller:
    """A script, a frontend or a person; `sources` None: all sources, later ones too."""

    name: str
    permissions: frozenset[Permission]
    sources: frozenset[str] | None = None

    def may(self, permission: Permission) -> bool:
        """Say whether the caller has the permission."""
        return permission in self.permissions
