"""The trail of writes: what became of each idempotency key. A parent is a `Story`.

An attempt exists for those who may see its source: one of a source that is gone, or hidden from the caller, is left out.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import strawberry

from gateway import loaders, mutations
from gateway.errors import InvalidCursor, InvalidInput, NotPermitted
from gateway.loaders.cursor import Cursor, read_cursor, write_cursor
from gateway.model import Attempt, AttemptQuery, Caller, MutationOutcome, Permission, Ref
from gateway.mutations import Story
from gateway.schema.connections import PageInfo
from gateway.schema.context import Context, Info
from gateway.schema.inputs import or_none
from gateway.schema.nodes import load_node
from gateway.schema.paging import check_first
from gateway.schema.source import Node, Source, SourceView
from gateway.schema.system import NOT_GIVEN
from gateway.schema.user_errors import UserError

_OF_OWN: Final = frozenset({Permission.READ, Permission.WRITE, Permission.AUDIT})
_HAS_RESULT: Final = frozenset({MutationOutcome.APPLIED, MutationOutcome.NOTHING_TO_DO})
_MAX_ID: Final = 2**63 - 1
_NO_SOURCE: Final = ""
"""The trail is one list, of whatever sources."""

# ------------------------------------------------------------------ one attempt


def _told(read: Callable[[Attempt], object], description: str | None = None) -> Any:  # noqa: ANN401  (as strawberry.field says)
    """Make a field that is read from the attempt of the story."""

    def resolve(root: strawberry.Parent[Story]) -> Any:  # noqa: ANN401  (here and below: the annotation of the field is its type)
        return read(root.attempt)

    return strawberry.field(resolver=resolve, description=description)


def _source(root: strawberry.Parent[Story], info: Info) -> Any:  # noqa: ANN401
    source = info.context.loaders.sources.get(root.attempt.intent.source)
    return None if source is None else SourceView(source)


def made_by(attempt: Attempt) -> Ref | None:
    """Give what an attempt made or changed; None unless it is known to have done so, also where the key of it was known beforehand."""
    return attempt.result if attempt.outcome in _HAS_RESULT else None


async def _result(root: strawberry.Parent[Story], info: Info) -> Any:  # noqa: ANN401
    """Load what was made. Who wrote it may see it, as in the answer of the write; all others need to be allowed to read."""
    made, caller = made_by(root.attempt), info.context.caller
    if made is None:
        return None
    if root.attempt.intent.caller != caller.name or not caller.may(Permission.WRITE):
        info.context.demand(Permission.READ)
    return await load_node(info, made.global_id)


def _errors(root: strawberry.Parent[Story]) -> Any:  # noqa: ANN401
    return root.errors


@strawberry.type(
    description=(
        "The story of one idempotency key. Replayable 30 days (`journal.keep_days`) after it settles, and without end while UNKNOWN; the "
        "trail (no bodies) longer."
    )
)
class MutationAttempt:
    """See the description."""

    idempotency_key: str = _told(lambda attempt: attempt.intent.key)
    caller: str = _told(lambda attempt: attempt.intent.caller)
    mutation: str = _told(lambda attempt: attempt.intent.mutation)
    source: Source = strawberry.field(resolver=_source)
    outcome: MutationOutcome | None = _told(lambda attempt: attempt.outcome, "Null while in flight.")
    request_id: str = _told(lambda attempt: attempt.intent.request_id)
    subject: str | None = _told(lambda attempt: attempt.subject, "Invoice number, order or customer it was about.")
    received_at: datetime = _told(lambda attempt: attempt.received_at)
    sent_at: datetime | None = _told(lambda attempt: attempt.sent_at)
    settled_at: datetime | None = _told(lambda attempt: attempt.settled_at)
    upstream_status: int | None = _told(lambda attempt: attempt.upstream_status)
    result: Node | None = strawberry.field(resolver=_result, description="What it made; null unless APPLIED or NOTHING_TO_DO.")
    user_errors: list[UserError] = strawberry.field(resolver=_errors)


def story_for(context: Context, story: Story | None) -> Story | None:
    """Give a story to a caller who may see its source; None to all others."""
    if story is None or context.loaders.sources.get(story.attempt.intent.source) is None:
        return None
    return story


def demand_own(context: Context) -> None:
    """Raise `NotPermitted` unless the caller may ask for its own attempts."""
    if not _OF_OWN & context.caller.permissions:
        raise NotPermitted("this needs one of the permissions read, write and audit")


async def attempt_of_key(context: Context, key: str) -> Story | None:
    """Give the caller's own attempt under a key, looking where its outcome is not known; None: the key was never used."""
    demand_own(context)
    if mutations.check_key(key) is not None:
        return None
    return await context.writes.attempt(context.caller.name, key, context.loaders.sources, context.loaders.scope)


# ------------------------------------------------------------------ pages of them


@strawberry.input
class AttemptFilter:
    """Which attempts."""

    outcome: list[MutationOutcome] | None = NOT_GIVEN
    in_flight: bool | None = strawberry.field(default=NOT_GIVEN, description="True: those without an outcome yet.")
    source: str | None = NOT_GIVEN
    caller: str | None = strawberry.field(default=NOT_GIVEN, description="Another than oneself needs the `audit` permission.")
    result: strawberry.ID | None = strawberry.field(default=NOT_GIVEN, description="Global id of what was made or changed.")
    since: datetime | None = strawberry.field(default=NOT_GIVEN, description="Received at or after.")
    until: datetime | None = strawberry.field(default=NOT_GIVEN, description="Received before.")


@dataclass(frozen=True, slots=True)
class Edge:
    """An attempt and the cursor behind it."""

    cursor: str
    node: Story


@dataclass(frozen=True, slots=True)
class AttemptPage:
    """One page of the trail."""

    edges: tuple[Edge, ...]
    end_cursor: str | None
    has_next_page: bool
    has_previous_page: bool


def _nodes(root: strawberry.Parent[AttemptPage]) -> Any:  # noqa: ANN401
    return [edge.node for edge in root.edges]


def _page_info(root: strawberry.Parent[AttemptPage]) -> PageInfo:
    return PageInfo(
        has_next_page=root.has_next_page,
        has_previous_page=root.has_previous_page,
        start_cursor=root.edges[0].cursor if root.edges else None,
        end_cursor=root.end_cursor,
    )


@strawberry.type
class MutationAttemptEdge:
    """An attempt and the cursor behind it."""

    cursor: str
    node: MutationAttempt


@strawberry.type
class MutationAttemptConnection:
    """A page of the trail, newest first."""

    edges: list[MutationAttemptEdge]
    nodes: list[MutationAttempt] = strawberry.field(resolver=_nodes)
    page_info: PageInfo = strawberry.field(resolver=_page_info)


async def attempts_page(info: Info, value: AttemptFilter | None, first: int, after: str | None) -> AttemptPage:
    """Read a page of the trail: of oneself, or of everybody with the permission `audit`. Asks no source."""
    context = info.context
    demand_own(context)
    check_first(first)
    asked = value or AttemptFilter()
    whose = _whose(context.caller, or_none(asked.caller))
    query, fingerprint = _query(context, asked, whose), _fingerprint(asked, whose)
    before = None if after is None else _id_in(after, fingerprint)
    found = [] if query is None else await context.writes.attempts(query, before=before, size=first + 1)
    edges = tuple(Edge(_cursor_behind(story.attempt, fingerprint), story) for story in found[:first])
    return AttemptPage(edges, edges[-1].cursor if edges else after, len(found) > first, after is not None)


def _whose(caller: Caller, named: str | None) -> str | None:
    """Say whose attempts are asked for; None: everybody's."""
    if caller.may(Permission.AUDIT):
        return named
    if named not in {None, caller.name}:
        raise NotPermitted("filter.caller: the attempts of others need the permission audit")
    return caller.name


def _query(context: Context, asked: AttemptFilter, whose: str | None) -> AttemptQuery | None:
    """Turn a filter into what the journal is asked; None: it names a result that does not exist for this caller."""
    source, result, outcomes = or_none(asked.source), or_none(asked.result), or_none(asked.outcome)
    named = None if source is None else loaders.named_source(context.loaders, source)
    made = None if result is None else loaders.to_ref(context.loaders, str(result))
    if result is not None and made is None:
        return None
    return AttemptQuery(
        sources=context.loaders.sources.keys_ever(named),
        caller=whose,
        outcomes=None if outcomes is None else frozenset(outcomes),
        in_flight=or_none(asked.in_flight),
        result=made,
        since=_instant(or_none(asked.since)),
        until=_instant(or_none(asked.until)),
    )


def _instant(value: datetime | None) -> datetime | None:
    """Give an instant in UTC, as the journal compares it."""
    try:
        return None if value is None else value.astimezone(UTC)
    except OverflowError:
        raise InvalidInput("filter: since and until must be instants of the calendar also in UTC") from None


def _fingerprint(asked: AttemptFilter, whose: str | None) -> str:
    """Make a short text that is the same for the same list only."""
    given = {name: or_none(item) for name, item in vars(asked).items()}
    outcomes = or_none(asked.outcome)
    parts = ["attempts", whose, {**given, "outcome": None if outcomes is None else sorted(outcomes)}]
    return hashlib.sha256(json.dumps(parts, default=str, sort_keys=True).encode()).hexdigest()[:16]


def _cursor_behind(attempt: Attempt, fingerprint: str) -> str:
    return write_cursor(Cursor(_NO_SOURCE, str(attempt.id)), fingerprint)


def _id_in(cursor: str, fingerprint: str) -> int:
    position = read_cursor(cursor, fingerprint).position or ""
    if not (position.isascii() and position.isdigit()) or int(position) > _MAX_ID:
        raise InvalidCursor("after: this is no cursor of this list")
    return int(position)
