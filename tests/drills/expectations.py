"""What each cell of the fault drill has to come to, and why where it is not what the trouble says by itself.

Taken from the pages of the systems, as the packages of the sources tell them, and from the README: its table of errors, "Writing".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from tests.drills.faults import TOLERANCE_SECONDS, Seen
from tests.drills.operations import Operation
from tests.drills.troubles import AUTH, OK, RATE_LIMITED, TIMEOUT, UNAVAILABLE, Trouble

NULL: Final = "null"
LESS: Final = "less"
"""An answer without an error that has less than it would have."""


@dataclass(frozen=True, slots=True)
class Expected:
    """The codes that a cell may come to; `why`: what makes it different from other cells with the same trouble, else empty."""

    codes: tuple[str, ...]
    why: str = ""


@dataclass(frozen=True, slots=True)
class _Exception:
    operations: frozenset[str]
    troubles: frozenset[str]
    expected: Expected


_APPLIED: Final = "APPLIED READ_BACK"
_STATUS_ONLY: Final = "APPLIED STATUS_ONLY"
_NOT_APPLIED: Final = "NOT_APPLIED SOURCE_UNAVAILABLE"
_REFUSED: Final = "REJECTED UPSTREAM_REJECTED"
_UNKNOWN: Final = "UNKNOWN OUTCOME_UNKNOWN"
_OF_WRITES: Final[Mapping[str, str]] = {
    # No answer, and a look shows that it is not there: it may still come.
    **dict.fromkeys(("slow", "stall", "stall once", "drop", "drop once", "20 MB", "gzip bomb"), _UNKNOWN),
    # No answer, and a look shows that it is there.
    **dict.fromkeys(("slow trickle", "reset mid-body"), _APPLIED),
    **dict.fromkeys(("refuse", "401", "401 once", "403", "429", "429, wait 30 s", "429, wait 600 s", "429 once, wait 1 s"), _NOT_APPLIED),
    **dict.fromkeys(("404", "redirect"), _REFUSED),
    # An answer that proves nothing, and a look shows that it is not there.
    **dict.fromkeys(("500", "503", "503 once", "empty", "malformed", "wrong type"), _REFUSED),
}
_UNREADABLE: Final = ("empty", "malformed", "wrong type")


def _of(system: str, names: str) -> frozenset[str]:
    return frozenset(f"{system}.{name}" for name in names.split())


def _but(operations: frozenset[str], troubles: tuple[str, ...], *codes: str, why: str) -> _Exception:
    return _Exception(operations, frozenset(troubles), Expected(codes, why))


_TOKENS: Final = frozenset({"nimpos.Token", "norce.Token"})
_WINDOWS: Final = _of("nimpos", "GetCustomers GetCustomerInvoice GetCustomerDebts") | _of("compilator", "GetCustomersChangedSince")
_ONE: Final = _of("shopctrl", "GetCustomer GetOrder GetOrderByCode GetInvoice") | _of("nimpos", "GetOrderById")
_PARTS: Final = _of(
    "shopctrl",
    "GetCustomersByCode GetOrderRows GetOrderInvoices GetInvoiceRows GetInvoiceStatus GetOrderStatus ListOrders GetOrderPayments",
)
_FILE: Final = _of("shopctrl", "GetFile")
_QUERY_IS_EXTRA: Final = _of("norce", "QueryMetadata QueryInvoices")
_NOT_READ: Final = _of("nimpos", "PostCustomerInvoice") | _of("norce", "CreateInvoice")
_ABSENT: Final = ("404", "empty")
_SAYS_NOT_HOW: Final = "the pages do not say how absence is told: 404 and an empty answer are taken for it"

_EXCEPTIONS: Final = (
    _but(_TOKENS, ("404", "redirect", "401 once"), AUTH, why="whatever gives no token is a sign-in that was refused"),
    _but(_TOKENS, ("429 once, wait 1 s",), RATE_LIMITED, why="a token endpoint is not waited for: it says when to come again"),
    _but(_ONE, _ABSENT, NULL, why=_SAYS_NOT_HOW),
    _but(_PARTS, _ABSENT, LESS, why=_SAYS_NOT_HOW),
    _but(_FILE, _ABSENT, "NOT_FOUND", why=_SAYS_NOT_HOW),
    _but(_of("compilator", "GetOrder"), ("404",), NULL, why=_SAYS_NOT_HOW),
    _but(_of("compilator", "GetCustomerInvoice"), ("404",), LESS, why="404: the customer has no settings"),
    _but(_of("compilator", "GetCurrency"), ("404",), OK, why="404: no such currency, so that the configured one is taken"),
    _but(_of("compilator", "GetOrdersOfCustomer GetOrdersOfBranch"), ("404",), LESS, why="404: no order, or no such list; PARTIAL says so"),
    _but(
        _WINDOWS, ("429",), RATE_LIMITED, TIMEOUT, why="a window is read for all, who may have more time: this caller's may be over first"
    ),
    _but(_QUERY_IS_EXTRA, ("429, wait 30 s", "429, wait 600 s"), RATE_LIMITED, why="the pause is the whole source's"),
    _but(_NOT_READ, _UNREADABLE, _STATUS_ONLY, why="no answer is published: its status is the proof"),
    _but(_of("shopctrl", "CreateOrderInvoice"), ("empty",), "NOTHING_TO_DO ECHO", why="nothing for an answer: nothing was left to invoice"),
)


def expected(operation: Operation, trouble: Trouble) -> Expected:
    """Say what a cell has to come to."""
    for exception in _EXCEPTIONS:
        if operation.title in exception.operations and trouble.name in exception.troubles:
            return exception.expected
    if operation.write is not None:
        return Expected((_OF_WRITES[trouble.name],))
    if trouble.fault is None:
        return Expected((UNAVAILABLE,))
    if operation.title in _QUERY_IS_EXTRA:
        return Expected((OK,), "GetInvoice answers the same, one call an invoice")
    if trouble.name == "401 once" and operation.system in {"compilator", "shopctrl"}:
        return Expected((AUTH,), "credentials that are no token cannot be renewed")
    return Expected((trouble.code,), "a further attempt goes well" if trouble.code == OK else "")


def violations(operation: Operation, trouble: Trouble, seen: Seen) -> list[str]:
    """Name every broken promise of a cell."""
    return [f"{operation.title}, {trouble.name}: {what}" for what in _violations(expected(operation, trouble), seen)]


def _violations(wanted: Expected, seen: Seen) -> Iterator[str]:
    if seen.code not in wanted.codes:
        yield f"{seen.code} instead of {' or '.join(wanted.codes)} ({seen.message})"
    if seen.is_late(TOLERANCE_SECONDS):
        yield f"answered after {seen.seconds:.2f} s, with a deadline of {seen.deadline_seconds} s"
    if not seen.others:
        yield "the other sources' data is not there"
    left = {"tasks": seen.tasks, "busy connections": seen.busy, "requests in flight": seen.in_flight}
    yield from (f"{count} {what} left over" for what, count in left.items() if count)
    if seen.connections > seen.most_at_once:
        yield f"{seen.connections} connections kept, of {seen.most_at_once} that were needed at once"
    yield from seen.complaints
