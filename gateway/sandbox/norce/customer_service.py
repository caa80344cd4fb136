"""CustomerService 1.1: customers one at a time, a search, and companies by organisation number. Reads only."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from gateway.sandbox.norce.answers import answer
from gateway.sandbox.norce.parameters import ServiceError, read_flag, read_text, read_whole, read_whole_or_none

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, MutableMapping, Sequence

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from gateway.sandbox.norce.data import Payload
    from gateway.sandbox.norce.parameters import ServiceRoutes
    from gateway.sandbox.norce.store import Store

_PREFIXES: Final = ("/commerce/customer/1.1", "/api/1.1/CustomerService.svc/rest")
_SEARCH_FIELDS: Final = ("Id", "Key", "Code", "Email", "FirstName", "LastName")
_SEARCH_PARTS: Final = ("Account", "Flags", "Info", "Addresses", "PriceLists")
_SHORTEST_SEARCH: Final = 2


class CustomerService:
    """The service over one store."""

    def __init__(self, store: Store, switches: MutableMapping[str, Any]) -> None:
        self._store: Final = store
        self._switches: Final = switches

    def routes(self, routes: ServiceRoutes) -> list[Route]:
        """Give every operation below each of its prefixes."""
        reads = {
            "GetCustomer": self._get_customer,
            "GetCustomerByCode": self._get_customer_by_code,
            "GetCustomerByEmail": self._get_customer_by_email,
            "SearchCustomer2": self._search_customers,
            "ListCompaniesByOrgNo": self._list_companies,
        }
        return routes.make(_PREFIXES, reads, "GET")

    async def _get_customer(self, request: Request) -> Response:
        customer_id = read_whole(request, self._switches["parameter_names"]["GetCustomer"])
        return self._customer_answer(request, "Id", customer_id)

    async def _get_customer_by_code(self, request: Request) -> Response:
        return self._customer_answer(request, "Code", read_text(request, self._switches["parameter_names"]["GetCustomerByCode"]))

    async def _get_customer_by_email(self, request: Request) -> Response:
        return self._customer_answer(request, "Email", read_text(request, self._switches["parameter_names"]["GetCustomerByEmail"]))

    def _customer_answer(self, request: Request, field: str, key: int | str) -> Response:
        with_companies = read_flag(request, "includeCompanies", default=True)
        customer = next((customer for customer in self._store.customers if customer[field] == key), None)
        if customer is not None and not with_companies:
            customer = {**customer, "Companies": []}
        return answer(request, customer, "Customer")

    async def _search_customers(self, request: Request) -> Response:
        wanted = read_text(request, "searchString").casefold()
        if len(wanted) < _SHORTEST_SEARCH:
            raise ServiceError("searchString must have at least 2 characters.")
        company_id = read_whole_or_none(request, "companyId")
        inactive: Iterable[int] = () if read_flag(request, "showInactive", default=False) else self._store.inactive_customer_ids
        found = [
            customer
            for customer in self._store.customers
            if customer["Id"] not in inactive
            and _mentions(customer, wanted)
            and (company_id is None or any(company["Id"] == company_id for company in customer["Companies"]))
        ]
        found.sort(key=_search_order(request))
        size = read_whole_or_none(request, "size")
        parts = _search_parts(request)
        entries = [_search_entry(customer, parts) for customer in found[: 50 if size is None else max(size, 0)]]
        return answer(request, entries, "ArrayOfCustomer")

    async def _list_companies(self, request: Request) -> Response:
        org_no = re.sub(r"[^0-9]", "", read_text(request, "orgNo"))
        companies = [company for company in self._store.companies() if company["OrgNo"] == org_no]
        return answer(request, companies, "ArrayOfCompany")


def _mentions(customer: Payload, wanted: str) -> bool:
    names = [f"{customer['FirstName']} {customer['LastName']}", *(company["Name"] for company in customer["Companies"])]
    return any(wanted in text.casefold() for text in (*names, customer["Email"], customer["Code"]))


def _search_order(request: Request) -> Callable[[Payload], tuple[str, ...]]:
    names = [name.strip() for name in request.query_params.get("sort", "LastName, FirstName").split(",")]
    if not set(names) <= set(_SEARCH_FIELDS):
        raise ServiceError("sort names an unknown field.")
    return lambda customer: tuple(str(customer[name]) for name in names)


def _search_parts(request: Request) -> tuple[str, ...]:
    wanted = request.query_params.get("expand") or "None"
    names = {name.strip() for name in wanted.split(",")}
    if not names <= {"None", "Full", *_SEARCH_PARTS}:
        raise ServiceError("expand names an unknown part.")
    return _SEARCH_PARTS if "Full" in names else tuple(name for name in _SEARCH_PARTS if name in names)


def _search_entry(customer: Payload, parts: Sequence[str]) -> Payload:
    addresses = [address for company in customer["Companies"] for address in company["DeliveryAddresses"]]
    extra = {"Account": customer["Account"], "Flags": [], "Info": [], "Addresses": addresses, "PriceLists": []}
    return {name: customer[name] for name in _SEARCH_FIELDS} | {name: extra[name] for name in parts}
