"""Pages of lists, from rows in their order; and which rows certainly fail a criterion. Pure.

The gateway judges every criterion itself. Leaving out here what cannot meet one only saves it from reading page after page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar

from gateway.errors import MalformedAnswer
from gateway.model import Criteria, Customer, Order, OrderStatus, Record, SourcePage
from gateway.sources.decode import Malformed, organization_number
from gateway.sources.nimpos import mapping
from gateway.sources.nimpos.payloads import CustomerPayload, InvoicePayload, guid_of
from gateway.sources.nimpos.windows import Place, Seen, to_position

R = TypeVar("R", bound="_HasPlace")


class _HasPlace(Protocol):
    @property
    def place(self) -> Place: ...


@dataclass(frozen=True, slots=True)
class PlacedOrder:
    """An order of a list and where it stands."""

    place: Place
    record: Order | MalformedAnswer


def as_listed(order: PlacedOrder) -> Order | MalformedAnswer:
    """Give the order as a list may show it."""
    return order.record if isinstance(order.record, MalformedAnswer) else mapping.as_listed(order.record)


def to_page(behind: Iterable[R], size: int, to: Callable[[R], Record | MalformedAnswer]) -> SourcePage:
    """Take rows until the page is full and one is left over."""
    records: list[Record] = []
    positions: list[str] = []
    unreadable = 0
    for row in behind:
        if len(records) == size:
            return SourcePage(records=tuple(records), positions=tuple(positions), next_position=positions[-1], unreadable=unreadable)
        record = to(row)
        if isinstance(record, MalformedAnswer):
            unreadable += 1
        else:
            records.append(record)
            positions.append(to_position(row.place))
    return SourcePage(records=tuple(records), positions=tuple(positions), unreadable=unreadable)


def may_be_customer(seen: Seen[CustomerPayload], criteria: Criteria) -> bool:
    """Say whether a customer may meet the criteria."""
    payload = seen.payload
    if isinstance(payload, Malformed):
        return True
    return not (
        _differs(seen.number, criteria.number)
        or _differs(payload.email, criteria.email)
        or _is_other_organization(organization_number(payload.org_no), criteria.organization_number)
    )


def may_be_invoice(seen: Seen[InvoicePayload], criteria: Criteria) -> bool:
    """Say whether an invoice may meet the criteria."""
    if isinstance(seen.payload, Malformed) or criteria.customer is None:
        return not _differs(seen.number, criteria.number)
    return not (_differs(seen.number, criteria.number) or _differs(guid_of(seen.payload.customer_id), criteria.customer.native_id))


def may_be_order(order: Order, criteria: Criteria) -> bool:
    """Say whether an order may meet the criteria."""
    customer = order.customer.ref.native_id if isinstance(order.customer, Customer) else None
    codes = {(code.field, code.code) for code in order.source_statuses or ()}
    return not (
        _differs(order.number or None, criteria.number)
        or (criteria.customer is not None and _differs(customer, criteria.customer.native_id))
        or (criteria.status is not None and order.status not in {criteria.status, OrderStatus.UNKNOWN})
        or (criteria.source_status is not None and criteria.source_status not in codes)
        or not _is_between(order.ordered_at or None, criteria.ordered_from, criteria.ordered_to)
    )


def _differs(said: str | None, wanted: str | None) -> bool:
    """Say whether a row certainly is not the one; what is not said may be."""
    return bool(said and wanted) and str(said).strip().casefold() != str(wanted).strip().casefold()


def _is_other_organization(said: str | None, wanted: str | None) -> bool:
    """Say whether two numbers are certainly of two organisations; the one may have its century in front, `16`."""
    if not said or not wanted:
        return False
    return not (said.casefold().endswith(wanted.casefold()) or wanted.casefold().endswith(said.casefold()))


def _is_between(instant: datetime | None, since: datetime | None, until: datetime | None) -> bool:
    return instant is None or ((since is None or instant >= since) and (until is None or instant <= until))
