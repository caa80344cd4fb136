"""What replicas have in common for a while: tokens, how often token endpoints were asked, and what callers took."""

from __future__ import annotations

import sqlalchemy as sa
from alembic.operations import Operations

revision = "a0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade(op: Operations) -> None:
    """Make the tables."""
    moment = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")
    op.create_table(
        "tokens",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("sealed", sa.LargeBinary),
        sa.Column("due_at", moment),
        sa.Column("expires_at", moment),
        sa.Column("asking_until", moment),
    )
    op.create_table(
        "token_endpoints",
        sa.Column("endpoint", sa.Text, primary_key=True),
        sa.Column("last_at", moment),
        sa.Column("second_last_at", moment),
        sa.Column("third_last_at", moment),
        sa.Column("held_until", moment),
    )
    op.create_table(
        "takings",
        sa.Column("caller", sa.Text, primary_key=True),
        sa.Column("paid_until", sa.BigInteger, nullable=False),
    )
