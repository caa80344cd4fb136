"""The windows that replicas have in common."""

from __future__ import annotations

import sqlalchemy as sa
from alembic.operations import Operations

revision = "a0002"
down_revision = "a0001"
branch_labels = None
depends_on = None


def upgrade(op: Operations) -> None:
    """Make the table."""
    moment = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")
    op.create_table(
        "windows",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("sealed", sa.LargeBinary),
        sa.Column("read_at", moment),
        sa.Column("reading_since", moment),
        sa.Column("lease_until", moment),
        sa.Column("useless_at", moment, nullable=False),
    )
