"""Query: OData reads of orders, customers and, where the installation has them, invoices.

docs.norce.io, "Query general" and "Calling Norce Commerce Query": read only, and an application id in the header of every call. The header
gives a context and filters nothing.
"""

from __future__ import annotations

import math
import re
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlencode
from xml.etree import ElementTree as ET  # nosec B405  # writes, and reads nothing

from starlette.responses import Response
from starlette.routing import Route

from gateway.sandbox.emulator import json_response
from gateway.sandbox.norce.entities import CUSTOMER, INVOICE, ORDER, EntityType, customer_row, invoice_row, order_row
from gateway.sandbox.norce.odata import ENTITY_OPTIONS, SET_OPTIONS, BadQuery, Casing, Options, TooHeavy, read_options, select_rows, shape

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping, Sequence

    from starlette.requests import Request

    from gateway.sandbox.norce.data import Payload
    from gateway.sandbox.norce.identity import Identity
    from gateway.sandbox.norce.store import Store

    Endpoint = Callable[[Request], Awaitable[Response]]

APPLICATION_HEADERS: Final = ("application-id", "applicationid")
"""The pages write `application-id`, `applicationId` and `ApplicationId`; header names have no case."""

_PREFIX: Final = "/commerce/query/{version}"
_CASINGS: Final = {"2.0": Casing(is_camel=False), "3.0": Casing(is_camel=True)}
_JSON: Final = "application/json; odata.metadata=minimal; odata.streaming=true; charset=utf-8"
_HEADERS: Final = {"OData-Version": "4.0"}
_MINUTE_SECONDS: Final = 60
_HEAVY_PAGE: Final = 500
_EDMX: Final = "http://docs.oasis-open.org/odata/ns/edmx"
_EDM: Final = "http://docs.oasis-open.org/odata/ns/edm"


@dataclass(frozen=True, slots=True)
class _EntitySet:
    namespace: str
    name: str
    operation: str
    entity: EntityType


_ORDERS: Final = _EntitySet("Orders", "Orders", "QueryOrders", ORDER)
_CUSTOMERS: Final = _EntitySet("Customers", "Customers", "QueryCustomers", CUSTOMER)
_INVOICES: Final = _EntitySet("Orders", "Invoices", "QueryInvoices", INVOICE)
_SETS: Final = (_ORDERS, _CUSTOMERS, _INVOICES)


class Query:
    """The entity sets, their metadata and the conditions that every call has to meet."""

    def __init__(self, store: Store, identity: Identity, switches: MutableMapping[str, Any], clock: Callable[[], float]) -> None:
        self._store: Final = store
        self._identity: Final = identity
        self._switches: Final = switches
        self._clock: Final = clock
        self._called_at: Final[deque[float]] = deque()
        self._customers: Final = tuple(customer_row(customer) for customer in sorted(store.customers, key=lambda customer: customer["Id"]))
        self._orders: Final = self._order_rows(all_guests=False)
        self._orders_of_guests: Final = self._order_rows(all_guests=True)

    def reset(self) -> None:
        """Forget how many calls there were."""
        self._called_at.clear()

    def routes(self) -> list[Route]:
        """Give both forms of each set, and the metadata of each namespace."""
        routes = []
        for entity_set in _SETS:
            path = f"{_PREFIX}/{entity_set.namespace}/{entity_set.name}"
            routes += [
                self._route(path, self._list_endpoint(entity_set), entity_set.operation),
                self._route(f"{path}({{key}})", self._single_endpoint(entity_set), entity_set.operation),
            ]
        for namespace in ("Orders", "Customers"):
            routes.append(self._route(f"{_PREFIX}/{namespace}/$metadata", self._metadata_endpoint(namespace), "QueryMetadata"))
        return routes

    def _route(self, path: str, endpoint: Endpoint, operation: str) -> Route:
        return Route(path, self._identity.signed_in(self._checked(endpoint)), methods=["GET"], name=operation)

    def _checked(self, endpoint: Endpoint) -> Endpoint:
        """Let a request through only when it may be answered, and turn what is wrong with its options into an answer."""

        async def checked(request: Request) -> Response:
            refusal = self._refusal(request)
            if refusal is not None:
                return refusal
            try:
                return await endpoint(request)
            except BadQuery as error:
                return _error(400, str(error))
            except TooHeavy:
                return _error(500, "An error has occurred.")

        return checked

    def _refusal(self, request: Request) -> Response | None:
        if request.path_params["version"] not in _CASINGS:
            return _error(404, "Not found.")
        wait = self._seconds_over_limit()
        if wait is not None:
            return _error(429, "Too many requests.", {"Retry-After": str(wait)})
        if not names_application(request):
            return _error(500, "An error has occurred.")
        if len(request.url.query) > self._switches["query_max_length"]:
            return _error(414, "The query string is too long.")
        return None

    def _seconds_over_limit(self) -> int | None:
        """Count this call; None when it is within the limit, else the seconds to wait."""
        limit = self._switches["query_rate_limit"]
        if limit is None:
            return None
        now = self._clock()
        while self._called_at and self._called_at[0] <= now - _MINUTE_SECONDS:
            self._called_at.popleft()
        if len(self._called_at) >= limit:
            return math.ceil(self._called_at[0] + _MINUTE_SECONDS - now) if self._called_at else _MINUTE_SECONDS
        self._called_at.append(now)
        return None

    def _list_endpoint(self, entity_set: _EntitySet) -> Endpoint:
        async def endpoint(request: Request) -> Response:
            if not self._has(entity_set):
                return _error(404, "Not found.")
            casing = _casing(request)
            options = read_options(request.query_params.multi_items(), SET_OPTIONS, entity_set.entity, casing)
            _refuse_heavy(options)
            found = select_rows(self._rows(entity_set), options, entity_set.entity)
            return json_response(self._page(request, entity_set, found, options), headers=_HEADERS, media_type=_JSON)

        return endpoint

    def _page(self, request: Request, entity_set: _EntitySet, found: Sequence[Payload], options: Options) -> Payload:
        casing = _casing(request)
        cap = self._switches["query_page_cap"]
        size = cap if options.top is None else min(options.top, cap)
        page = found[options.skip : options.skip + size]
        body: Payload = {"@odata.context": f"{_address(request).rpartition('/')[0]}/$metadata#{entity_set.name}"}
        if options.count:
            body["@odata.count"] = len(found)
        body["value"] = [shape(row, options, entity_set.entity, casing) for row in page]
        is_cut = options.skip + size < len(found) and (options.top is None or options.top > size)
        if is_cut and self._switches["query_next_link"]:
            body["@odata.nextLink"] = _next_link(request, options, size)
        return body

    def _single_endpoint(self, entity_set: _EntitySet) -> Endpoint:
        async def endpoint(request: Request) -> Response:
            if not self._has(entity_set):
                return _error(404, "Not found.")
            key = re.fullmatch(r"('?)(-?[0-9]{1,19})\1", request.path_params["key"])
            if key is None:
                raise BadQuery("The key is not a whole number.")
            casing = _casing(request)
            options = read_options(request.query_params.multi_items(), ENTITY_OPTIONS, entity_set.entity, casing)
            for row in self._rows(entity_set):
                if row["Id"] == int(key[2]):
                    return json_response(shape(row, options, entity_set.entity, casing), headers=_HEADERS, media_type=_JSON)
            return _error(404, "Not found.")

        return endpoint

    def _metadata_endpoint(self, namespace: str) -> Endpoint:
        async def endpoint(request: Request) -> Response:
            sets = [entity_set for entity_set in _SETS if entity_set.namespace == namespace and self._has(entity_set)]
            return Response(_metadata(namespace, sets, _casing(request)), headers=_HEADERS, media_type="application/xml; charset=utf-8")

        return endpoint

    def _has(self, entity_set: _EntitySet) -> bool:
        return entity_set is not _INVOICES or bool(self._switches["invoice_set"])

    def _rows(self, entity_set: _EntitySet) -> Sequence[Payload]:
        if entity_set is _CUSTOMERS:
            return self._customers
        if entity_set is _ORDERS:
            return self._orders_of_guests if self._switches["guest_buyers_only"] else self._orders
        return [invoice_row(invoice, self._store.order_by_id(invoice["OrderId"])) for invoice in self._store.invoices]

    def _order_rows(self, *, all_guests: bool) -> tuple[Payload, ...]:
        return tuple(order_row(record, place, is_guest_buyer=all_guests) for place, record in enumerate(self._store.orders))


def names_application(request: Request) -> bool:
    """Say whether a request's headers name an application by a whole number."""
    return any(re.fullmatch(r"[0-9]{1,9}", request.headers.get(name, "")) for name in APPLICATION_HEADERS)


def _casing(request: Request) -> Casing:
    return _CASINGS[request.path_params["version"]]


def _address(request: Request) -> str:
    return f"{request.url.scheme}://{request.url.netloc}{request.url.path}"


def _refuse_heavy(options: Options) -> None:
    """Give up, as a tenant was seen to, on two expanded navigation properties over a page asked to be that large."""
    if len(options.expands) > 1 and options.top is not None and options.top >= _HEAVY_PAGE:
        raise TooHeavy


def _next_link(request: Request, options: Options, size: int) -> str:
    kept = [(name, value) for name, value in request.query_params.multi_items() if name not in {"$skip", "$top"}]
    if options.top is not None:
        kept.append(("$top", str(options.top - size)))
    kept.append(("$skip", str(options.skip + size)))
    return f"{_address(request)}?{urlencode(kept, quote_via=quote, safe='$(),;')}"


def _error(status: int, message: str, headers: dict[str, str] | None = None) -> Response:
    return json_response({"error": {"code": "", "message": message}}, status, headers)


def _metadata(namespace: str, sets: Sequence[_EntitySet], casing: Casing) -> bytes:
    """Describe a namespace in the common schema definition language."""
    root = ET.Element("edmx:Edmx", {"Version": "4.0", "xmlns:edmx": _EDMX})
    schema = ET.SubElement(ET.SubElement(root, "edmx:DataServices"), "Schema", {"Namespace": namespace, "xmlns": _EDM})
    types = {entity.name: entity for entity_set in sets for entity in (entity_set.entity, *entity_set.entity.navigations.values())}
    for entity in types.values():
        _describe_type(schema, namespace, entity, casing)
    container = ET.SubElement(schema, "EntityContainer", {"Name": "Container"})
    for entity_set in sets:
        ET.SubElement(container, "EntitySet", {"Name": entity_set.name, "EntityType": f"{namespace}.{entity_set.entity.name}"})
    return b'<?xml version="1.0" encoding="utf-8"?>' + ET.tostring(root)


def _describe_type(schema: ET.Element, namespace: str, entity: EntityType, casing: Casing) -> None:
    element = ET.SubElement(schema, "EntityType", {"Name": entity.name})
    ET.SubElement(ET.SubElement(element, "Key"), "PropertyRef", {"Name": casing.shown("Id")})
    for name, edm in entity.properties.items():
        attributes = {"Name": casing.shown(name), "Type": edm}
        ET.SubElement(element, "Property", attributes | ({"Nullable": "false"} if name == "Id" else {}))
    for name, target in entity.navigations.items():
        full_name = f"{namespace}.{target.name}"
        type_name = f"Collection({full_name})" if name in entity.collections else full_name
        ET.SubElement(element, "NavigationProperty", {"Name": casing.shown(name), "Type": type_name})
