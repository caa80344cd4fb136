"""What a source says of itself: what it can do, at which cost, and how it is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Operation(StrEnum):
    """The things a source may offer."""

    READ_CUSTOMER = "READ_CUSTOMER"
    READ_ORDER = "READ_ORDER"
    READ_INVOICE = "READ_INVOICE"
    LIST_CUSTOMERS = "LIST_CUSTOMERS"
    LIST_ORDERS = "LIST_ORDERS"
    LIST_INVOICES = "LIST_INVOICES"
    READ_INVOICE_LINES = "READ_INVOICE_LINES"
    READ_INVOICE_DOCUMENT = "READ_INVOICE_DOCUMENT"
    READ_INVOICE_SETTINGS = "READ_INVOICE_SETTINGS"
    CREATE_INVOICE = "CREATE_INVOICE"
    CREATE_INVOICE_FROM_ORDER = "CREATE_INVOICE_FROM_ORDER"
    SET_INVOICE_SETTINGS = "SET_INVOICE_SETTINGS"


class SupportLevel(StrEnum):
    """How far a source can do it."""

    SUPPORTED = "SUPPORTED"
    PARTIAL = "PARTIAL"
    NOT_OFFERED = "NOT_OFFERED"
    NOT_IMPLEMENTED_UPSTREAM = "NOT_IMPLEMENTED_UPSTREAM"


class Batching(StrEnum):
    """What N keys cost: N calls, one a chunk, one a parent, one window, or nothing to ask."""

    EACH = "EACH"
    CHUNK = "CHUNK"
    PARENT = "PARENT"
    WINDOW = "WINDOW"
    NONE = "NONE"


class SourceResultStatus(StrEnum):
    """How a source did in a list."""

    OK = "OK"
    NOT_REACHED = "NOT_REACHED"
    PARTIAL = "PARTIAL"
    UNSUPPORTED = "UNSUPPORTED"
    FAILED = "FAILED"
    TIMED_OUT = "TIMED_OUT"


class SourceHealth(StrEnum):
    """What the transport saw lately."""

    UP = "UP"
    DEGRADED = "DEGRADED"
    DOWN = "DOWN"
    NOT_CHECKED = "NOT_CHECKED"


@dataclass(frozen=True, slots=True)
class Capability:
    """One operation of one source; `upstream_operation` is written as the vendor does, e.g. `GET v1/Orders/{id}`."""

    operation: Operation
    support: SupportLevel
    upstream_operation: str | None = None
    batching: Batching = Batching.NONE
    note: str | None = None
