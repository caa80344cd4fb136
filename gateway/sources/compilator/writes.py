"""Writing a customer's invoicing settings, pure: mistakes by name, the body, and what a later read proves.

`POST api/customers/invoice` adds or updates, and may reset what it is not sent: so the body of a MERGE has every field.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

import msgspec

from gateway.model import Kind, Ref, SetInvoiceSettings, SettingsWriteMode, UpstreamRefusal, UserError, UserErrorCode
from gateway.sources.compilator.mapping import to_number, version_of
from gateway.sources.compilator.payloads import SettingsPayload, WriteAnswerPayload
from gateway.sources.decode import Malformed, decode

Body = dict[str, object]

KEY: Final = "CustomerNumber"
_RECIPIENT: Final = "InvoiceRecipientCustomerNumber"
_MAX_EMAIL: Final = 50
_MOST_ENTRIES: Final = 50
_LONGEST_TEXT: Final = 1000
_INT32: Final = range(-(2**31), 2**31)


class _Type(Enum):
    FLAG = auto()
    ID = auto()
    CUSTOMER = auto()
    EMAIL = auto()


@dataclass(frozen=True, slots=True)
class _Field:
    """One field: as the model names it, as the page `POST-api-customers-invoice` does, and what it takes."""

    name: str
    wire: str
    type: _Type

    @property
    def path(self) -> tuple[str, str]:
        return _path(self.name)


_FIELDS: Final = (
    _Field("retains_invoice_type", "RetainsInvoiceType", _Type.FLAG),
    _Field("currency_id", "CurrencyId", _Type.ID),
    _Field("payment_terms_id", "TermsOfPaymentId", _Type.ID),
    _Field("pays_invoice_fee", "PaysInvoiceFee", _Type.FLAG),
    _Field("invoice_type_id", "InvoiceTypeId", _Type.ID),
    _Field("interest_type_id", "InterestTypeId", _Type.ID),
    _Field("invoice_cycle_id", "InvoiceCycleId", _Type.ID),
    _Field("invoice_recipient", _RECIPIENT, _Type.CUSTOMER),
    _Field("credit_account_id", "CreditAccountId", _Type.ID),
    _Field("allow_invoice_payment_from_order", "AllowInvoicePaymentFromOrder", _Type.FLAG),
    _Field("send_invoice_from_order_as_email", "SendInvoiceFromOrderAsEmail", _Type.FLAG),
    _Field("invoice_email", "InvoiceOrderPaymentEmailAddress", _Type.EMAIL),
    _Field("reverse_tax", "ReverseTax", _Type.FLAG),
)
FIELD_COUNT: Final = len(_FIELDS) + 1
"""Of a complete body: the fields above and the customer's number."""


def _path(name: str) -> tuple[str, str]:
    head, *rest = name.split("_")
    return ("settings", head + "".join(word.capitalize() for word in rest))


def mistakes_in_values(values: Mapping[str, object]) -> list[UserError]:
    """Check the given fields by themselves, all of them."""
    known = {field.name for field in _FIELDS}
    unknown = [
        UserError(UserErrorCode.NOT_ACCEPTED_BY_SOURCE, f"{_path(name)[1]}: this source has no such setting", _path(name))
        for name in values
        if name not in known
    ]
    checked = (_mistake(field, values[field.name]) for field in _FIELDS if values.get(field.name) is not None)
    return unknown + [mistake for mistake in checked if mistake is not None]


def _mistake(field: _Field, value: object) -> UserError | None:
    match field.type:
        case _Type.FLAG:
            message = None if isinstance(value, bool) else "must be true or false"
        case _Type.ID:
            is_id = isinstance(value, int) and not isinstance(value, bool) and value in _INT32
            message = None if is_id else "must be a 32-bit integer"
        case _Type.CUSTOMER:
            is_customer = isinstance(value, Ref) and value.kind is Kind.CUSTOMER and to_number(value.native_id) is not None
            message = None if is_customer else "must be a customer with a customer number"
        case _Type.EMAIL:
            return _email_mistake(field, value)
    return None if message is None else UserError(UserErrorCode.INVALID, f"{field.path[1]} {message}", field.path)


def _email_mistake(field: _Field, value: object) -> UserError | None:
    if not isinstance(value, str):
        return UserError(UserErrorCode.INVALID, f"{field.path[1]} must be text", field.path)
    if len(value) > _MAX_EMAIL:
        message = f"{field.path[1]} has {len(value)} characters, the source takes {_MAX_EMAIL}"
        return UserError(UserErrorCode.TOO_LONG, message, field.path)
    return None


def mistakes_against(write: SetInvoiceSettings, current: SettingsPayload | None) -> list[UserError]:
    """Check the write against what the source has; `current` None: nothing yet."""
    found = [] if write.expected_version is None else _version_mistakes(write.expected_version, current)
    if write.mode is SettingsWriteMode.MERGE and current is not None:
        read = as_read(current)
        found += [
            UserError(
                UserErrorCode.REQUIRED,
                f"{field.path[1]} is needed: this installation does not return it, so it cannot be kept",
                field.path,
            )
            for field in _FIELDS
            if field.wire not in read and field.name not in write.values
        ]
    return found


def _version_mistakes(expected: str, current: SettingsPayload | None) -> list[UserError]:
    if current is None:
        return [UserError(UserErrorCode.STALE_VERSION, "the customer has no invoice settings any more", ("expectedVersion",))]
    version = version_of(current)
    if version == expected:
        return []
    return [UserError(UserErrorCode.STALE_VERSION, f"the settings have changed: their version is now {version}", ("expectedVersion",))]


def as_read(payload: SettingsPayload) -> Body:
    """Give the fields that came, by their names on the page and in its order."""
    fields: Body = msgspec.to_builtins(payload)
    return fields


def body_of(write: SetInvoiceSettings, current: SettingsPayload | None) -> Body:
    """Make the body of a write without mistakes.

    MERGE lays what is given over what was read; REPLACE, or nothing read, sends exactly what is given. Null clears: JSON null
    for ids and flags, the customer's own number as recipient, the empty text as e-mail address.
    """
    number = int(write.customer.native_id)
    kept = as_read(current) if current is not None and write.mode is SettingsWriteMode.MERGE else {}
    given = {field.wire: _wire_value(field, write.values[field.name], number) for field in _FIELDS if field.name in write.values}
    return {KEY: number} | kept | given | {KEY: number}


def _wire_value(field: _Field, value: object, number: int) -> object:
    if field.type is _Type.CUSTOMER:
        return int(value.native_id) if isinstance(value, Ref) else number
    if field.type is _Type.EMAIL and value is None:
        return ""
    return value


class Proof(Enum):
    """What a read after the write says of it."""

    WRITTEN = auto()
    UNCHANGED = auto()
    NONE = auto()


def proof_of(sent: Mapping[str, object], before: object, now: Mapping[str, object] | None) -> Proof:
    """Compare what was sent with the settings as read before and now; None: there were, or are, none.

    A field that the source does not return is proven only by the change of another one in the same write.
    """
    if not shows(sent, now):
        return Proof.UNCHANGED if now == before else Proof.NONE
    is_hidden = now is not None and any(name not in now for name in sent)
    if is_hidden and isinstance(before, Mapping) and shows(sent, before):
        return Proof.NONE
    return Proof.WRITTEN


def shows(sent: Mapping[str, object], found: Mapping[str, object] | None) -> bool:
    """Say whether every field that was sent and that the source returns has the value that was sent."""
    if found is None:
        return False
    return all(_is_same(name, value, found[name], sent[KEY]) for name, value in sent.items() if name != KEY and name in found)


def _is_same(name: str, sent: object, found: object, own_number: object) -> bool:
    if name == _RECIPIENT:  # 0, null and the own number all mean: the customer itself
        return (sent or own_number) == (found or own_number)
    if sent is None or sent == "":  # cleared; the source may show its default instead
        return not found
    return sent == found


def to_answer(body: bytes) -> WriteAnswerPayload | None:
    """Read `{Errors, Success}`; None for anything else."""
    try:
        return decode(body, WriteAnswerPayload)
    except Malformed:
        return None


def to_refusals(status: int, body: bytes) -> tuple[UpstreamRefusal, ...]:
    """Read one refusal an entry of `Errors`, as many as are sensible; where there is none, the status alone."""
    answer = to_answer(body)
    entries = () if answer is None else tuple(answer.errors or ())[:_MOST_ENTRIES]
    found = tuple(
        UpstreamRefusal(
            status=status,
            code=None if entry.error_code is None else str(entry.error_code)[:_LONGEST_TEXT],
            message=None if entry.error_message is None else entry.error_message[:_LONGEST_TEXT],
        )
        for entry in entries
    )
    return found or (UpstreamRefusal(status=status),)
