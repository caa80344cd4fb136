"""What all objects of a source have in common, and how a field that was not read yet looks."""

from __future__ import annotations

from datetime import datetime
from enum import Enum, StrEnum
from typing import Final, Literal, TypeAlias, TypeVar

from gateway.model.ref import Ref
from gateway.model.value import value

T = TypeVar("T")


class Unread(Enum):
    """The one value that stands for "nobody asked the source for this yet"."""

    UNREAD = "unread"

    def __bool__(self) -> Literal[False]:
        return False


UNREAD: Final = Unread.UNREAD

Read: TypeAlias = T | Unread | None
"""A field of a record: a value; None, the source says that there is none or does not say; UNREAD, a call may tell."""


class DataWarningCode(StrEnum):
    """Why a field is not simply what the source sent; the graph's contract explains each."""

    UNMAPPED_VALUE = "UNMAPPED_VALUE"
    DEFAULT_READ_AS_NULL = "DEFAULT_READ_AS_NULL"
    CURRENCY_UNKNOWN = "CURRENCY_UNKNOWN"
    VAT_BASIS_UNKNOWN = "VAT_BASIS_UNKNOWN"
    ARITHMETIC_MISMATCH = "ARITHMETIC_MISMATCH"
    DERIVED = "DERIVED"
    WRITE_ONLY_FIELD = "WRITE_ONLY_FIELD"
    REFERENCE_NOT_FOUND = "REFERENCE_NOT_FOUND"
    AS_SUBMITTED = "AS_SUBMITTED"


@value(frozen=True, slots=True)
class DataWarning:
    """Something the gateway left out, derived or found inconsistent; `field` is the path in the graph's spelling."""

    code: DataWarningCode
    message: str
    field: tuple[str, ...] | None = None


@value(frozen=True, slots=True, kw_only=True)
class Record:
    """An object of a source, whole or as a reference.

    A reference has its `ref` and the fields that came along with it; all others are UNREAD and `fetched_at` is None.
    """

    ref: Ref
    native_type: str
    """Upstream type, e.g. the name of the model on the vendor's page."""
    fetched_at: datetime | None = None
    raw: bytes | None = None
    """The source's own JSON of this object, as it came."""
    warnings: Read[tuple[DataWarning, ...]] = UNREAD
    is_alias: bool = False
    """The ref is another key of the object: it is resolved before the object gets an id."""
