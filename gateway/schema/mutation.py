"""The root of writes. What a user or a source did wrong is data in the payload, not an error of the request."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

import strawberry

from gateway import loaders, model, mutations
from gateway.errors import AbsenceUnproven, AmbiguousLookup, InvalidInput, LookupUnsupported, UpstreamError
from gateway.model import Intent, Kind, Permission, Ref, UserError, UserErrorCode
from gateway.mutations import WriteResult
from gateway.schema.context import Info
from gateway.schema.inputs import CreateInvoiceInput, InvoiceSettingsInput, Lookup, as_given, or_none, resolve_reference, system_inputs
from gateway.schema.payloads import CreateInvoicePayload, SetInvoiceSettingsPayload
from gateway.schema.selection import root_fields
from gateway.schema.system import NOT_GIVEN, given

_NO_KEY: Final = ""
_Write = tuple[loaders.Source, model.Write]


class _Wrong(Exception):
    def __init__(self, *errors: UserError) -> None:
        super().__init__()
        self.errors = errors


def _key(info: Info, argument: str | None, *, dry_run: bool) -> str:
    """Give the idempotency key; raises `_Wrong` when a write has none that can be used. A dry run needs none."""
    info.context.demand(Permission.WRITE)
    header = info.context.idempotency_header
    if header is not None and sum(node.name.value != "__typename" for node in root_fields(info)) > 1:
        raise InvalidInput("the header Idempotency-Key is one key: give each of several mutations its own argument")
    key = mutations.choose_key(or_none(argument), header)
    mistake = mutations.check_key(key)
    if mistake is not None and not (dry_run and key is None):
        raise _Wrong(mistake)
    return _NO_KEY if key is None else key


async def _look_up(info: Info, lookup: Lookup, kind: Kind, path: tuple[str, ...]) -> tuple[loaders.Source, Ref]:
    """Find what a write is about; raises `_Wrong` with the mistake at `path`."""
    try:
        ref = await loaders.find_ref(info.context.loaders, lookup.plain(), kind)
    except (InvalidInput, LookupUnsupported) as error:
        raise _Wrong(UserError(UserErrorCode.INVALID, error.message, path)) from None
    except AmbiguousLookup as error:
        raise _Wrong(UserError(UserErrorCode.AMBIGUOUS, f"{error.message}: {', '.join(error.ids)}", path)) from None
    source = None if ref is None else info.context.loaders.sources.get(ref.source)
    if ref is None or source is None:
        raise _Wrong(UserError(UserErrorCode.NOT_FOUND, "there is no such object", path))
    return source, ref


def _target(info: Info, key: str) -> loaders.Source:
    source = info.context.loaders.sources.get(key)
    if source is None:
        raise _Wrong(UserError(UserErrorCode.NOT_FOUND, f'there is no source "{key}"', ("source",)))
    return source


class _References:
    """Resolves the lookups of an input and collects what is wrong with them."""

    def __init__(self, info: Info, source: str) -> None:
        self._loaders = info.context.loaders
        self._source = source
        self.errors: list[UserError] = []

    async def one(self, lookup: Lookup | None, kind: Kind, *path: str) -> Ref | None:
        if not lookup:
            return None
        found = await resolve_reference(self._loaders, lookup, kind, self._source, path)
        if isinstance(found, UserError):
            self.errors.append(found)
            return None
        return found

    async def several(self, lookups: list[Lookup] | None, kind: Kind, *path: str) -> tuple[Ref, ...]:
        found = [await self.one(lookup, kind, *path, str(index)) for index, lookup in enumerate(lookups or ())]
        return tuple(ref for ref in found if ref is not None)


async def _draft(info: Info, source: loaders.Source, value: Any, key: str) -> model.CreateInvoice:  # noqa: ANN401  (CreateInvoiceInput)
    references = _References(info, source.profile.key)
    native_id: UUID | None = or_none(value.native_id)
    draft = model.CreateInvoice(
        native_id=native_id or mutations.native_id(source.profile.key, info.context.caller.name, key),
        native_id_given=native_id is not None,
        customer=await references.one(value.customer, Kind.CUSTOMER, "input", "customer"),
        orders=await references.several(value.orders, Kind.ORDER, "input", "orders"),
        number=or_none(value.number),
        issue_date=or_none(value.issue_date),
        due_date=or_none(value.due_date),
        created_at=or_none(value.created_at),
        total=value.total.plain() if value.total else None,
        vat=value.vat.plain() if value.vat else None,
        note=or_none(value.note),
        credited_invoice_number=or_none(value.credited_invoice_number),
        lines=tuple(line.plain() for line in value.lines or ()),
        allow_duplicate_number=value.allow_duplicate_number,
        system=system_inputs(value),
    )
    if references.errors:
        raise _Wrong(*references.errors)
    return draft


async def create_invoice(
    info: Info,
    source: str,
    input: CreateInvoiceInput,  # noqa: A002  (named by the contract)
    idempotency_key: str | None = NOT_GIVEN,
    dry_run: bool = False,  # noqa: FBT001, FBT002  (an argument of the graph; so below)
) -> Any:  # noqa: ANN401  (here and below: the annotation of the field is its type)
    """Record an invoice whose content the caller supplies."""

    async def draft(key: str) -> _Write:
        target = _target(info, source)
        return target, await _draft(info, target, input, key)

    return await _run(info, {"source": source, "input": input}, idempotency_key, draft, dry_run=dry_run)


async def create_invoice_from_order(
    info: Info,
    order: Lookup,
    idempotency_key: str | None = NOT_GIVEN,
    dry_run: bool = False,  # noqa: FBT001, FBT002
) -> Any:  # noqa: ANN401
    """Have the source invoice an order."""

    async def draft(_key: str) -> _Write:
        source, ref = await _look_up(info, order, Kind.ORDER, ("order",))
        return source, model.CreateInvoiceFromOrder(order=ref)

    return await _run(info, {"order": order}, idempotency_key, draft, dry_run=dry_run)


async def set_invoice_settings(
    info: Info,
    customer: Lookup,
    settings: InvoiceSettingsInput,
    mode: model.SettingsWriteMode = model.SettingsWriteMode.MERGE,
    expected_version: str | None = NOT_GIVEN,
    idempotency_key: str | None = NOT_GIVEN,
    dry_run: bool = False,  # noqa: FBT001, FBT002
) -> Any:  # noqa: ANN401
    """Create or change the invoicing terms of a customer."""

    async def draft(_key: str) -> _Write:
        source, ref = await _look_up(info, customer, Kind.CUSTOMER, ("customer",))
        values = await _settings_values(info, source, settings)
        return source, model.SetInvoiceSettings(customer=ref, values=values, mode=mode, expected_version=or_none(expected_version))

    given = {"customer": customer, "settings": settings, "mode": mode, "expectedVersion": or_none(expected_version)}
    return await _run(info, given, idempotency_key, draft, dry_run=dry_run)


async def _settings_values(info: Info, source: loaders.Source, settings: InvoiceSettingsInput) -> Mapping[str, object]:
    values = dict(given(settings))
    if settings.invoice_recipient:
        references = _References(info, source.profile.key)
        values["invoice_recipient"] = await references.one(settings.invoice_recipient, Kind.CUSTOMER, "settings", "invoiceRecipient")
        if references.errors:
            raise _Wrong(*references.errors)
    return values


async def _run(
    info: Info, arguments: Mapping[str, object], idempotency_key: str | None, draft: Callable[[str], Awaitable[_Write]], *, dry_run: bool
) -> WriteResult:
    """Answer a key that was used before; else make the write out of the input and carry it out."""
    context = info.context
    try:
        key = _key(info, idempotency_key, dry_run=dry_run)
        if dry_run:
            source, write = await draft(key)
            return await context.writes.dry_run(source, write, context.loaders.scope)
        intent = _intent(info, key, arguments)
        result = await context.writes.earlier(intent, context.loaders.sources, context.loaders.scope)
        if result is None:
            source, write = await draft(key)
            result = await context.writes.run(source, write, replace(intent, source=source.profile.key), context.loaders.scope)
        context.written.update(record.ref for record in (result.record, result.order, result.previous) if record is not None)
    except _Wrong as wrong:
        return mutations.refused(*wrong.errors)
    except (UpstreamError, AbsenceUnproven) as error:
        return mutations.not_applied(error)
    finally:
        context.loaders.forget()  # what is asked of the answer is read anew
    return result


def _intent(info: Info, key: str, arguments: Mapping[str, object]) -> Intent:
    given = {name: as_given(value) for name, value in arguments.items() if value is not None}
    return Intent(
        caller=info.context.caller.name,
        key=key,
        mutation=info.field_name,
        source="",
        input_hash=mutations.input_hash(given),
        request_id=info.context.request_id,
    )


@strawberry.type(
    description=(
        "Every mutation takes an `idempotencyKey` (1-255 printable ASCII characters, one for each intent, kept across retries; best "
        "derived from the business number), as the argument or as the header `Idempotency-Key` (refused when the operation has "
        "several mutation fields). Neither: REQUIRED. A key leads to one write at the most. `dryRun: true` validates and shows the "
        "request without sending it, needs no key and leaves no attempt. What a user or a source did wrong is data: read `outcome`, "
        "then `userErrors`."
    )
)
class Mutation:
    """See the description."""

    create_invoice: CreateInvoicePayload = strawberry.field(
        resolver=create_invoice, description="Record an invoice whose content the caller supplies."
    )
    create_invoice_from_order: CreateInvoicePayload = strawberry.field(
        resolver=create_invoice_from_order,
        description=(
            "Have the source invoice every row of an order that is not invoiced yet. Nothing left to invoice is a success: NOTHING_TO_DO."
        ),
    )
    set_invoice_settings: SetInvoiceSettingsPayload = strawberry.field(
        resolver=set_invoice_settings, description="Create or change the invoicing terms kept on a customer: an upsert."
    )
