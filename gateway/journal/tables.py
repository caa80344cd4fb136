"""The tables as they are now, for queries. `migrations/` makes them, step by step; a test holds the two together."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Row,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.types import TypeEngine

from gateway.model import Attempt, AttemptState, Intent, Kind, MutationOutcome, Ref


class Moment(TypeDecorator[datetime]):
    """An instant, exact to the microsecond: ISO text in UTC in SQLite, which sorts as it reads; timestamptz in PostgreSQL."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Give the type of the column."""
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:  # noqa: ANN401  (what the driver takes)
        """Turn an instant into what the database keeps."""
        if value is None:
            return None
        instant = value.astimezone(UTC)
        return instant.isoformat(timespec="microseconds") if dialect.name == "sqlite" else instant

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ANN401  (what the driver gives)
        """Turn what the database keeps into an instant in UTC."""
        if value is None:
            return None
        return datetime.fromisoformat(value) if dialect.name == "sqlite" else value.astimezone(UTC)


METADATA: Final = MetaData()
# SQLite numbers rows by itself only where the key is an INTEGER.
_ID: Final = BigInteger().with_variant(Integer(), "sqlite")

ATTEMPTS: Final = Table(
    "attempts",
    METADATA,
    Column("id", _ID, primary_key=True),
    Column("caller", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("mutation", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("input_hash", Text, nullable=False),
    Column("request_id", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("outcome", Text),
    Column("received_at", Moment, nullable=False),
    Column("lease_until", Moment, nullable=False),
    Column("sent_at", Moment),
    Column("settled_at", Moment),
    Column("upstream_status", Integer),
    Column("subject", Text),
    Column("number", Text),
    Column("result_kind", Text),
    Column("result_id", Text),
    # False: kept as a used key only, no longer told of.
    Column("in_trail", Boolean, nullable=False),
    UniqueConstraint("caller", "key", name="attempts_caller_key"),
    Index("attempts_by_caller", "caller", "id"),
    Index("attempts_by_number", "source", "number"),
    Index("attempts_by_subject", "source", "subject"),
    Index("attempts_by_result", "source", "result_kind", "result_id"),
    Index("attempts_by_settling", "in_trail", "settled_at"),
    Index("attempts_by_state", "state", "outcome"),
)

BODIES: Final = Table(
    "bodies",
    METADATA,
    Column("attempt_id", _ID, ForeignKey("attempts.id"), primary_key=True, autoincrement=False),
    Column("sent", Text),
    Column("settled", Text),
)

MENTIONS: Final = Table(
    "mentions",
    METADATA,
    Column("attempt_id", _ID, ForeignKey("attempts.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("native_id", Text, nullable=False),
    PrimaryKeyConstraint("attempt_id", "kind", "native_id", name="mentions_key"),
    Index("mentions_by_object", "native_id"),
)

HOLDS: Final = Table(
    "holds",
    METADATA,
    Column("source", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("attempt_id", _ID, ForeignKey("attempts.id"), nullable=False),
    PrimaryKeyConstraint("source", "target", name="holds_key"),
    Index("holds_by_attempt", "attempt_id"),
)


TOKENS: Final = Table(
    "tokens",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("sealed", LargeBinary),
    # When to renew it, which is some time before it expires.
    Column("due_at", Moment),
    Column("expires_at", Moment),
    Column("asking_until", Moment),
)

TOKEN_ENDPOINTS: Final = Table(
    "token_endpoints",
    METADATA,
    Column("endpoint", Text, primary_key=True),
    # The requests of the last minute, of which there are three at the most.
    Column("last_at", Moment),
    Column("second_last_at", Moment),
    Column("third_last_at", Moment),
    Column("held_until", Moment),
)

TAKINGS: Final = Table(
    "takings",
    METADATA,
    Column("caller", Text, primary_key=True),
    # In nanoseconds since 1970: when all that the caller took would have come at an even pace.
    Column("paid_until", BigInteger, nullable=False),
)

WINDOWS: Final = Table(
    "windows",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("source", Text, nullable=False),
    Column("sealed", LargeBinary),
    # When the reading began of what is there: no other window of the name has the same.
    Column("read_at", Moment),
    Column("reading_since", Moment),
    Column("lease_until", Moment),
    Column("useless_at", Moment, nullable=False),
)


def to_attempt(row: Row[Any]) -> Attempt:
    """Read a row of `ATTEMPTS`."""
    return Attempt(
        id=row.id,
        revision=row.revision,
        intent=Intent(
            caller=row.caller,
            key=row.key,
            mutation=row.mutation,
            source=row.source,
            input_hash=row.input_hash,
            request_id=row.request_id,
        ),
        state=AttemptState(row.state),
        received_at=row.received_at,
        lease_until=row.lease_until,
        outcome=None if row.outcome is None else MutationOutcome(row.outcome),
        sent_at=row.sent_at,
        settled_at=row.settled_at,
        upstream_status=row.upstream_status,
        subject=row.subject,
        number=row.number,
        result=None if row.result_id is None else Ref(row.source, Kind(row.result_kind), row.result_id),
    )
