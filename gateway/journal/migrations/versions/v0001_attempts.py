"""Attempts, their bodies, what they mention and what they hold."""

from __future__ import annotations

import sqlalchemy as sa
from alembic.operations import Operations

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade(op: Operations) -> None:
    """Make the tables."""
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    moment = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")
    op.create_table(
        "attempts",
        sa.Column("id", number, primary_key=True),
        sa.Column("caller", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("mutation", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("input_hash", sa.Text, nullable=False),
        sa.Column("request_id", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text),
        sa.Column("received_at", moment, nullable=False),
        sa.Column("lease_until", moment, nullable=False),
        sa.Column("sent_at", moment),
        sa.Column("settled_at", moment),
        sa.Column("upstream_status", sa.Integer),
        sa.Column("subject", sa.Text),
        sa.Column("number", sa.Text),
        sa.Column("result_kind", sa.Text),
        sa.Column("result_id", sa.Text),
        sa.Column("in_trail", sa.Boolean, nullable=False),
        sa.UniqueConstraint("caller", "key", name="attempts_caller_key"),
    )
    op.create_index("attempts_by_caller", "attempts", ["caller", "id"])
    op.create_index("attempts_by_number", "attempts", ["source", "number"])
    op.create_index("attempts_by_subject", "attempts", ["source", "subject"])
    op.create_index("attempts_by_result", "attempts", ["source", "result_kind", "result_id"])
    op.create_index("attempts_by_settling", "attempts", ["in_trail", "settled_at"])
    op.create_index("attempts_by_state", "attempts", ["state", "outcome"])
    op.create_table(
        "bodies",
        sa.Column("attempt_id", number, sa.ForeignKey("attempts.id"), primary_key=True, autoincrement=False),
        sa.Column("sent", sa.Text),
        sa.Column("settled", sa.Text),
    )
    op.create_table(
        "mentions",
        sa.Column("attempt_id", number, sa.ForeignKey("attempts.id"), nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("native_id", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("attempt_id", "kind", "native_id", name="mentions_key"),
    )
    op.create_index("mentions_by_object", "mentions", ["native_id"])
    op.create_table(
        "holds",
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("target", sa.Text, nullable=False),
        sa.Column("attempt_id", number, sa.ForeignKey("attempts.id"), nullable=False),
        sa.PrimaryKeyConstraint("source", "target", name="holds_key"),
    )
    op.create_index("holds_by_attempt", "holds", ["attempt_id"])
