"""The enums of the graph: the model's own, with what each value means."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any, TypeVar, cast

import strawberry

from gateway import loaders, model

E = TypeVar("E", bound=type[Enum])


def described(enum: E, descriptions: Mapping[str, str] | None = None, description: str | None = None) -> E:
    """Make an enum of the model one of the graph, with descriptions by member name."""
    wrapped = strawberry.enum(enum, description=description)
    definition = cast("Any", wrapped).__strawberry_definition__
    for value in definition.values:
        value.description = (descriptions or {}).get(value.name)
    return wrapped


described(
    model.DataWarningCode,
    {
        "UNMAPPED_VALUE": "A status or code without a documented meaning; read as UNKNOWN.",
        "DEFAULT_READ_AS_NULL": "A framework default (0001-01-01, all-zero GUID) read as null.",
        "CURRENCY_UNKNOWN": "No currency in the record, its order or the configuration.",
        "VAT_BASIS_UNKNOWN": "The source does not say whether the amount includes VAT.",
        "ARITHMETIC_MISMATCH": "Totals do not add up (EN 16931 BR-CO-10/13/14/15/16, named in `message`).",
        "DERIVED": "Computed by the gateway.",
        "WRITE_ONLY_FIELD": "The source accepts this field on writes and does not return it.",
        "REFERENCE_NOT_FOUND": "Another record points here, and the source has no such object.",
        "AS_SUBMITTED": "The source does not show this object (any more); it is given as this gateway submitted it.",
    },
)
described(model.SourceHealth)
described(
    model.SourceResultStatus,
    {
        "OK": "Read to the end, or as far as the page goes.",
        "NOT_REACHED": "Comes on a later page.",
        "PARTIAL": "Something is left out or cannot be read; `message` says what.",
        "UNSUPPORTED": "Publishes no such list, or cannot give it in this order.",
        "FAILED": "Could not be read; `code` says why.",
        "TIMED_OUT": "Did not answer in time.",
    },
)
described(model.Operation)
described(
    model.SupportLevel,
    {"PARTIAL": "See `note`.", "NOT_IMPLEMENTED_UPSTREAM": "Published by the source and documented to do nothing."},
)
described(model.Batching)
described(model.CurrencyOrigin)
described(model.VatBasis)
described(
    model.ExternalNumberRole,
    {"EXPORT_LEDGER": "The number in an outside ledger that the invoice was exported to.", "PSP": "The payment provider's number."},
)
described(model.CustomerKind)
described(model.OrderStatus)
described(model.InvoiceType)
described(model.PaymentStatus)
described(model.ChargeKind)
described(model.NoteRole)
described(
    model.SettingsWriteMode,
    {"MERGE": "Read, lay the given fields over, write all.", "REPLACE": "Write exactly what is given."},
)
described(
    model.MutationOutcome,
    {
        "APPLIED": "The source confirmed it.",
        "NOTHING_TO_DO": "The source confirmed that there was nothing to do.",
        "VALIDATED": "Dry run: valid, nothing sent.",
        "REJECTED": "Refused for good by the gateway or the source; nothing changed.",
        "UNSUPPORTED": "This source cannot do this; nothing sent.",
        "NOT_APPLIED": "Nothing was done (it never left, or was turned away with 401, 403 or 429); the same key may be used again.",
        "UNKNOWN": (
            "Sent (or being sent: IDEMPOTENCY_KEY_IN_FLIGHT), and nothing proves what happened. "
            "The same key only looks, it never sends again."
        ),
    },
)
described(
    model.Confirmation,
    {"ECHO": "The source answered with the object.", "READ_BACK": "Read back.", "STATUS_ONLY": "A success status alone."},
)
described(
    model.UserErrorCode,
    {
        "INVALID": "The value cannot be meant; `message` says why.",
        "REQUIRED": "The source needs this value, or the write its idempotency key.",
        "TOO_LONG": "Longer than the source takes.",
        "NOT_FOUND": "There is no such source, customer or order.",
        "NOT_ACCEPTED_BY_SOURCE": "The source has no place for this; it is refused by name, never dropped.",
        "CURRENCY_MISMATCH": "Not the currency of the order, of the source, or of the total.",
        "CROSS_SOURCE_REFERENCE": "An object of another source than the one that is written to.",
        "STALE_VERSION": "The settings are not those of `expectedVersion` any more.",
        "DUPLICATE_NUMBER": "There is an invoice with this number; the payload has it where it can be read.",
        "AMBIGUOUS": "Several objects are meant; `message` has their ids.",
        "UNSUPPORTED_OPERATION": "The source publishes no way to do this.",
        "UPSTREAM_REJECTED": "The source refused it (see `upstream`), or a look proved that it was not done.",
        "SOURCE_UNAVAILABLE": "The source or the journal cannot be used at present, or another write is in the way.",
        "OUTCOME_UNKNOWN": "It was sent, and nothing proves what became of it.",
        "IDEMPOTENCY_KEY_REUSED": "The key was used for another mutation, or with other input.",
        "IDEMPOTENCY_KEY_IN_FLIGHT": "A call with this key is under way.",
        "FORBIDDEN": "The key was used for a source that is not there for this caller any more.",
    },
)
described(loaders.LinkRule)
