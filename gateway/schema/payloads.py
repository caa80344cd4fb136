"""What a mutation answers. A parent is a `WriteResult`."""

from __future__ import annotations

from typing import Any

import strawberry

from gateway import model
from gateway.mutations import WriteResult
from gateway.schema.attempts import MutationAttempt, made_by, story_for
from gateway.schema.completion import complete
from gateway.schema.context import Info
from gateway.schema.entities import Invoice, InvoiceSettings, Order
from gateway.schema.nodes import load_node
from gateway.schema.scalars import JSON
from gateway.schema.user_errors import UserError


def _path(root: strawberry.Parent[WriteResult]) -> Any:  # noqa: ANN401  (here and below: the annotation of the field is its type)
    return None if root.request is None else root.request.target


def _body(root: strawberry.Parent[WriteResult]) -> Any:  # noqa: ANN401
    return None if root.request is None else root.request.body


def _method(root: strawberry.Parent[WriteResult]) -> Any:  # noqa: ANN401
    return None if root.request is None else root.request.method


@strawberry.type
class UpstreamRequest:
    """What was or would be sent."""

    method: str = strawberry.field(resolver=_method)
    path: str = strawberry.field(resolver=_path)
    body: JSON | None = strawberry.field(resolver=_body)
    sent: bool


def _request(root: strawberry.Parent[WriteResult]) -> Any:  # noqa: ANN401
    return None if root.request is None else root


def _errors(root: strawberry.Parent[WriteResult]) -> Any:  # noqa: ANN401
    return root.errors


def _attempt(root: strawberry.Parent[WriteResult], info: Info) -> Any:  # noqa: ANN401
    return story_for(info.context, root.attempt)


@strawberry.interface
class MutationPayload:
    """What every mutation answers."""

    outcome: model.MutationOutcome
    confirmation: model.Confirmation | None
    replayed: bool = strawberry.field(description="True: the stored answer of an earlier call with this key.")
    user_errors: list[UserError] = strawberry.field(resolver=_errors)
    attempt: MutationAttempt | None = strawberry.field(resolver=_attempt)
    request: UpstreamRequest | None = strawberry.field(resolver=_request, description="What was or would be sent, secrets removed.")


async def _invoice(root: strawberry.Parent[WriteResult], info: Info) -> Any:  # noqa: ANN401
    return await complete(info, root.record) if root.record is not None else await _read_again(root, info)


async def _read_again(root: WriteResult, info: Info) -> Any:  # noqa: ANN401
    """Load what an earlier call made, when its answer is no longer kept."""
    made = made_by(root.attempt.attempt) if root.replayed and root.attempt is not None else None
    return None if made is None else await load_node(info, made.global_id)


async def _order(root: strawberry.Parent[WriteResult], info: Info) -> Any:  # noqa: ANN401
    return await complete(info, root.order)


async def _settings(root: strawberry.Parent[WriteResult], info: Info) -> Any:  # noqa: ANN401
    return root.record if root.record is not None else await _read_again(root, info)


@strawberry.type
class CreateInvoicePayload(MutationPayload):
    """What became of an invoice that was to be made."""

    invoice: Invoice | None = strawberry.field(resolver=_invoice)
    order: Order | None = strawberry.field(resolver=_order)

    @classmethod
    def is_type_of(cls, obj: Any, _info: Any) -> bool:  # noqa: ANN401  (graphql-core's protocol)
        """Recognise the result."""
        return isinstance(obj, WriteResult)


@strawberry.type
class SetInvoiceSettingsPayload(MutationPayload):
    """What became of terms that were to be set."""

    settings: InvoiceSettings | None = strawberry.field(resolver=_settings)
    previous: InvoiceSettings | None = strawberry.field(description="What was there before, for undo.")

    @classmethod
    def is_type_of(cls, obj: Any, _info: Any) -> bool:  # noqa: ANN401  (graphql-core's protocol)
        """Recognise the result."""
        return isinstance(obj, WriteResult)
