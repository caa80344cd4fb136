"""Judges requests as they go over the wire: is each one of the published calls, and what does it say, read back by other means."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qsl, quote, unquote, urlencode

from gateway.transport.wire import WireRequest

NUMBER: Final = re.compile(r"[1-9][0-9]{0,18}|0")
GUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d))?", re.ASCII)
WORD: Final = re.compile(r"[A-Za-z,]+")
FREE: Final = re.compile(r"(?!)")
"""Nothing is known beforehand: only the caller's own text may stand there."""

_PATH: Final = re.compile(r"[A-Za-z0-9/._~%$-]+")
_FILTER_TOKEN: Final = re.compile(
    r"(?P<text>'(?:[^']|'')*')|(?P<instant>\d{4}-\d\d-\d\dT[0-9:.]+Z)|(?P<number>\d+)|(?P<word>[A-Za-z]+)|(?P<mark>[() ])", re.DOTALL
)
_DOT_SEGMENT: Final = re.compile(r"\s*\.+\s*(;.*)?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Call:
    """A published call: each `{slot}` of the path and each parameter with what may stand there beside the caller's text."""

    method: str
    template: str
    slots: Mapping[str, re.Pattern[str]] = field(default_factory=dict)
    query: Mapping[str, re.Pattern[str]] = field(default_factory=dict)

    @property
    def pattern(self) -> re.Pattern[str]:
        segments = (f"(?P<{part[1:-1]}>[^/]+)" if part.startswith("{") else re.escape(part) for part in self.template.split("/"))
        return re.compile("/".join(segments))


_TERM: Final = {"LastExecutedDate": INSTANT, "CurrentDate": INSTANT, "TerminalId": GUID, "SharedDB": re.compile("false")}
_PAGED: Final = {"pageNo": NUMBER, "pageSize": NUMBER, "fromDate": INSTANT, "toDate": INSTANT, "statusSeed": re.compile(r"[\d,]+")}
_PARENTS: Final = {"orderId": FREE, "customerId": NUMBER, "companyId": NUMBER}
_ODATA: Final = {"$filter": FREE, "$select": WORD, "$expand": WORD, "$orderby": WORD, "$top": NUMBER, "$skip": NUMBER, "$skiptoken": FREE}
_ID: Final = {"id": NUMBER}
_ORDER_LIST: Final = {"pageSize": NUMBER, "pageNumber": NUMBER, "fromDateChanged": INSTANT, "mainStatusId": FREE, "emailAddress": FREE}
CALLS: Final[Mapping[str, Sequence[Call]]] = {
    "pos": (
        Call("POST", "/Token"),
        *(
            Call("GET", f"/api/{name}", query=_TERM)
            for name in ("Customer/GetCustomers", "Customer/GetCustomerDebts", "Setting/GetSettings")
        ),
        Call("GET", "/api/Order/GetCustomerInvoice", query=_TERM),
        Call("GET", "/api/Order/GetOrders", query={"dtFrom": INSTANT, "dtTo": INSTANT}),
        Call("GET", "/api/Order/GetOrderById", query={"id": GUID}),
        Call("POST", "/api/Order/PostCustomerInvoice"),
    ),
    "subscriptions": (
        Call("GET", "/api/customers/{day}", {"day": INSTANT}, {"pageNumber": NUMBER, "pageSize": NUMBER}),
        Call("GET", "/api/customers/invoice", query={"customerNumber": NUMBER}),
        Call("POST", "/api/customers/invoice"),
        Call("GET", "/api/orders/{id}/{branch}", {"id": NUMBER, "branch": NUMBER}),
        Call("GET", "/api/orders/{number}/{first}/{last}", {"number": NUMBER, "first": INSTANT, "last": INSTANT}),
        Call("GET", "/api/orders/search/{branch}/{first}/{last}", {"branch": NUMBER, "first": INSTANT, "last": INSTANT}),
        Call("GET", "/api/invoice/{number}/{internal}", {"number": NUMBER, "internal": re.compile("true|false")}),
        Call("GET", "/api/Currencies/{id}", _ID),
    ),
    "shop": (
        *(
            Call("GET", f"/v1/{name}/{{id}}", _ID)
            for name in ("Customers", "Orders", "Invoices", "Files", "InvoiceStatuses", "OrderStatuses")
        ),
        *(Call("GET", f"/v1/Orders/{{id}}/{name}", _ID) for name in ("Rows", "Invoices", "Payments")),
        Call("GET", "/v1/Invoices/{id}", _ID, {"includeDeleted": re.compile("true")}),
        Call("GET", "/v1/Invoices/{id}/Rows", _ID),
        Call("POST", "/v1/Orders/{id}/Invoices", _ID),
        Call("GET", "/v1/ShopOwners/{owner}/Customers/CustomerCode/{code}", {"owner": NUMBER, "code": FREE}),
        Call("GET", "/v1/Shops/{shop}/Orders/{code}", {"shop": NUMBER, "code": FREE}),
        Call("GET", "/v1/Shops/{shop}/Orders", {"shop": NUMBER}, _ORDER_LIST),
        Call("GET", "/v1/Shops/ShopStatus"),
    ),
    "commerce": (
        Call("POST", "/identity/1.0/connect/token"),
        Call("GET", "/commerce/order/1.1/GetInvoice", query={"id": FREE}),
        Call("GET", "/commerce/order/1.1/GetInvoiceByNo", query={"invoiceNo": FREE}),
        Call("GET", "/commerce/order/1.1/GetOrderByNo", query={"orderno": FREE}),
        Call("GET", "/commerce/order/1.1/GetOrderByBasket", query={"basketId": NUMBER}),
        Call("GET", "/commerce/order/1.1/ListInvoices", query={**_PARENTS, **_PAGED}),
        Call("GET", "/commerce/order/1.1/ListOrders3", query={**_PARENTS, **_PAGED}),
        Call("GET", "/commerce/customer/1.1/GetCustomer", query={"id": NUMBER, "includeCompanies": re.compile("true")}),
        Call("GET", "/commerce/customer/1.1/GetCustomerByCode", query={"code": FREE}),
        Call("GET", "/commerce/customer/1.1/SearchCustomer2", query={"searchString": FREE, "size": NUMBER}),
        Call("GET", "/commerce/customer/1.1/ListCompaniesByOrgNo", query={"orgNo": FREE}),
        *(Call("GET", f"/commerce/query/2.0/{name}", query=_ODATA) for name in ("Orders/Orders", "Orders/Invoices", "Customers/Customers")),
        Call("GET", "/commerce/query/2.0/Orders/$metadata"),
        Call("POST", "/commerce/connect/4.0/Order/CreateInvoice"),
        Call("POST", "/commerce/order/1.1/InsertInvoice"),
    ),
}
CALLS_OF_INSERT: Final = "inserting"
"""The source that is `commerce`, but for its way to write and without Query."""


def source_of(request: WireRequest) -> str:
    """Say which source a request is of: each has a host of its own."""
    host = re.fullmatch(r"https://([a-z]+)\.example(/.*)", request.url)
    assert host, request.url
    return host[1]


def judge(request: WireRequest, own: frozenset[str]) -> None:
    """Fail unless a request is a published call, and everything in it that a caller can choose is one of the texts in `own`."""
    source = source_of(request)
    assert request.url.isascii(), request.url
    path, mark, query = request.url.removeprefix(f"https://{source}.example").partition("?")
    assert _PATH.fullmatch(path), path
    call, slots = _called(source, request.method, path)
    for name, segment in slots.items():
        text = unquote(segment, errors="strict")
        assert segment == quote(text, safe=""), segment
        assert not any(_DOT_SEGMENT.fullmatch(part) for part in re.split(r"[/\\]", text)), segment
        assert call.slots[name].fullmatch(text) or text in own, (name, text)
    assert bool(mark) == bool(query)
    _judge_query(call, query, own)


def _called(source: str, method: str, path: str) -> tuple[Call, Mapping[str, str]]:
    calls = CALLS["commerce" if source == CALLS_OF_INSERT else source]
    found = [(call, match.groupdict()) for call in calls if call.method == method and (match := call.pattern.fullmatch(path))]
    assert found, (method, path)
    # `orders/search/{branch}` has the form of `orders/{number}/...`, too: the literal one is meant.
    return min(found, key=lambda one: (len(one[1]), -len(one[0].query)))


def _judge_query(call: Call, query: str, own: frozenset[str]) -> None:
    pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query), errors="strict", max_num_fields=12)
    assert urlencode(pairs, quote_via=quote) == query
    assert len(dict(pairs)) == len(pairs), pairs
    for name, value in pairs:
        if name == "$filter":
            judge_filter(value, own)
        else:
            assert name in call.query, (name, value)
            assert call.query[name].fullmatch(value) or value in own, (name, value)


def judge_filter(text: str, own: frozenset[str]) -> None:
    """Read an OData filter of terms joined by `and` and `or`; its names are ours, its texts the caller's."""
    tokens = _tokens(text)
    while tokens:
        if tokens[0] == ("mark", "("):
            end = tokens.index(("mark", ")"))
            _judge_terms(tokens[1:end], own)
            tokens = tokens[end + 1 :]
        else:
            end = next((at for at, token in enumerate(tokens) if token == ("word", "and")), len(tokens) + 1) - 1
            _judge_terms(tokens[:end], own)
            tokens = tokens[end:]
        assert not tokens or tokens[:3] == [("mark", " "), ("word", "and"), ("mark", " ")], (text, tokens)
        tokens = tokens[3:]


def _tokens(text: str) -> list[tuple[str, str]]:
    tokens: list[tuple[str, str]] = []
    at = 0
    while at < len(text):
        match = _FILTER_TOKEN.match(text, at)
        assert match, text[at:]
        assert match.lastgroup is not None
        tokens.append((match.lastgroup, match[0]))
        at = match.end()
    return tokens


def _judge_terms(tokens: list[tuple[str, str]], own: frozenset[str]) -> None:
    texts = [token for token in tokens if token != ("mark", " ")]
    assert len(tokens) == 2 * len(texts) - 1, tokens
    for at in range(0, len(texts), 4):
        (kind, name), (_, operator), (form, literal) = texts[at : at + 3]
        assert (kind, name in _PROPERTIES, operator in {"eq", "gt", "ge", "le"}) == ("word", True, True), texts
        assert form in {"number", "instant"} or (form == "text" and literal[1:-1].replace("''", "'") in own), literal
        assert texts[at + 3 : at + 4] in ([], [("word", "or")]), texts


_PROPERTIES: Final = {
    "Id", "OrderNo", "CustomerCode", "EmailAddress", "ApplicationId", "StatusId", "OrderDate", "InvoiceDate", "ReferenceOrderId",
    "BuyerCustomerId", "BuyerCompanyId", "PayerCustomerId", "PayerCompanyId",
}  # fmt: skip


def leaves(value: Any) -> set[str]:  # noqa: ANN401  (any JSON value)
    """Give every text in a JSON value, names of members too."""
    match value:
        case str():
            return {value}
        case dict():
            return {*value, *(text for item in value.values() for text in leaves(item))}
        case list():
            return {text for item in value for text in leaves(item)}
        case _:
            return set()


def body_of(request: WireRequest) -> Any:  # noqa: ANN401  (any JSON value)
    """Read a body strictly: UTF-8, no name twice."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        assert len(dict(pairs)) == len(pairs), pairs
        return dict(pairs)

    assert request.content is not None
    return json.loads(request.content.decode("utf-8", errors="strict"), object_pairs_hook=once)
