"""Criteria of a list that a source did not apply itself, applied here to what its records say."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import date, datetime
from enum import Enum
from typing import Any, Final

from gateway.model import UNREAD, Criteria, Ref


class Verdict(Enum):
    """Whether a record meets the criteria; UNDECIDED: it does not say."""

    MEETS = "meets"
    FAILS = "fails"
    UNDECIDED = "undecided"


Check = Callable[[Any, Any], bool]
_LONG_FORM: Final = 12
_LEGAL_ENTITY: Final = "16"


def organization_digits(number: str) -> str:
    """Give an organisation number without hyphen and blanks, and without the `16` of the twelve-digit form (Skatteverket)."""
    digits = number.replace("-", "").replace(" ", "")
    return digits[2:] if len(digits) == _LONG_FORM and digits.startswith(_LEGAL_ENTITY) else digits


def _same_organization(value: str, wanted: str) -> bool:
    return organization_digits(value) == organization_digits(wanted)


def _has_ref(value: Any, wanted: Ref) -> bool:  # noqa: ANN401  (a record or a tuple of them)
    records = value if isinstance(value, tuple) else (value,)
    return any(record.ref == wanted for record in records)


def _has_code(codes: Any, wanted: tuple[str, str]) -> bool:  # noqa: ANN401  (source codes)
    return any((code.field, code.code) == wanted for code in codes)


def _same_text(value: str, wanted: str) -> bool:
    return value.casefold() == wanted.casefold()


def _from(value: date | datetime, bound: Any) -> bool:  # noqa: ANN401  (of the value's own type)
    return bool(value >= bound)


def _to(value: date | datetime, bound: Any) -> bool:  # noqa: ANN401  (as above)
    return bool(value <= bound)


def _equal(value: object, wanted: object) -> bool:
    return value == wanted


def _among(value: object, wanted: Collection[object]) -> bool:
    return value in wanted


# The attribute of a record that a criterion asks about, and how.
CHECKS: Final[Mapping[str, tuple[str, Check]]] = {
    "number": ("number", _equal),
    "organization_number": ("organization_number", _same_organization),
    "email": ("email", _same_text),
    "updated_since": ("updated_at", _from),
    "customer": ("customer", _has_ref),
    "order": ("orders", _has_ref),
    "status": ("status", _equal),
    "source_status": ("source_statuses", _has_code),
    "ordered_from": ("ordered_at", _from),
    "ordered_to": ("ordered_at", _to),
    "type": ("type", _equal),
    "is_credit": ("is_credit", _equal),
    "payment_status": ("payment_status", _among),
    "issued_from": ("issue_date", _from),
    "issued_to": ("issue_date", _to),
    "due_from": ("due_date", _from),
    "due_to": ("due_date", _to),
    "group_key": ("group_key", _equal),
}


def can_be_applied(record_type: type[object], name: str) -> bool:
    """Say whether records of a type have the field that a criterion asks about."""
    return name in CHECKS and CHECKS[name][0] in {*getattr(record_type, "__dataclass_fields__", {})}


def judge(record: object, criteria: Criteria, names: Collection[str]) -> Verdict:
    """Judge a record by some of the criteria; one that fails decides, whatever the others do not say."""
    verdict = Verdict.MEETS
    for name in names:
        attribute, check = CHECKS[name]
        value = getattr(record, attribute)
        if value is UNREAD or value is None:
            verdict = Verdict.UNDECIDED
        elif not check(value, getattr(criteria, name)):
            if not _is_unknown(value):
                return Verdict.FAILS
            verdict = Verdict.UNDECIDED
    return verdict


def _is_unknown(value: object) -> bool:
    return isinstance(value, Enum) and value.name == "UNKNOWN"
