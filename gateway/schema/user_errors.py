"""What a user or a source did wrong, as the graph shows it."""

from __future__ import annotations

import strawberry

from gateway import model


@strawberry.type
class UpstreamRefusal:
    """What the source itself answered."""

    status: int | None
    code: str | None
    message: str | None


@strawberry.type
class UserError:
    """One mistake."""

    code: model.UserErrorCode
    message: str
    field: list[str] | None = strawberry.field(description='Path in the arguments, e.g. ["input", "total", "amount"].')
    upstream: UpstreamRefusal | None = strawberry.field(description="What the source itself answered.")
