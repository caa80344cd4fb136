"""The two dialects, pure: the target of a request -> the operation it counts as, and the body of its answer."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final
from urllib.parse import parse_qsl, unquote

from tests.bench import dataset
from tests.bench.dataset import BLOCK, Row

QUERY: Final = "/commerce/query/2.0"
_LARGEST_PAGE: Final = 500
"""Of Norce's Query; a larger `$top` is lowered without a word."""
_SHOP: Final = f"/v1/Shops/{dataset.SHOP}/Orders"
_ONE: Final = re.compile(re.escape(f"{QUERY}/Customers/Customers") + r"\((\d+)\)")
_EMAIL: Final = re.compile(re.escape(dataset.email_of_block(0)).replace("0", r"(\d+)"))
_TERM: Final = re.compile(r"(\w+) (eq|ge|gt) (\S+?)(?=\)| |$)")

Answer = tuple[str, bytes]
"""The operation and the JSON."""


def answer(target: str) -> Answer | None:
    """Answer a GET; None: there is no such thing, which no query of the bench asks for."""
    path, _, query = target.partition("?")
    path, arguments = unquote(path), dict(parse_qsl(query))
    if path.startswith("/v1/"):
        return _shop(path, arguments)
    if path == f"{QUERY}/Orders/Orders":
        return "Orders/Orders", _page("Orders", _chosen(_web_orders(arguments), arguments))
    if path == f"{QUERY}/Customers/Customers":
        keys = [key - dataset.FIRST_WEB_CUSTOMER for key in _keys(arguments)]
        return "Customers/Customers", _page("Customers", _chosen(map(dataset.web_customer, sorted(keys)), arguments))
    if match := _ONE.fullmatch(path):
        row = dataset.web_customer(int(match[1]) - dataset.FIRST_WEB_CUSTOMER)
        return "Customers/Customers", _json(_chosen([row], arguments)[0])
    return None


def _shop(path: str, arguments: Mapping[str, str]) -> Answer | None:
    if path == _SHOP:
        return "GET v1/Shops/{shopId}/Orders", _json(_shop_page(arguments))
    if path.startswith(f"{_SHOP}/UTR-"):
        order = int(path.rpartition("-")[2]) - dataset.FIRST_SHOP_ORDER
        return "GET v1/Shops/{shopId}/Orders/{orderCode}", _json(dataset.shop_order(order))
    if path.startswith("/v1/Orders/"):
        return "GET v1/Orders/{id}", _json(dataset.shop_order(int(path.rpartition("/")[2]) - dataset.FIRST_SHOP_ORDER))
    if path.startswith("/v1/Customers/"):
        return "GET v1/Customers/{id}", _json(dataset.shop_customer(int(path.rpartition("/")[2]) - dataset.FIRST_SHOP_CUSTOMER))
    return None


def _shop_page(arguments: Mapping[str, str]) -> list[Row]:
    match = _EMAIL.fullmatch(arguments.get("emailAddress", dataset.email_of_block(0)))
    size, number = int(arguments.get("pageSize", "100")), int(arguments.get("pageNumber", "1"))
    if match is None:
        return []
    first, end = int(match[1]) * BLOCK, (int(match[1]) + 1) * BLOCK
    start = first + (number - 1) * size
    return [dataset.shop_order_row(order) for order in range(start, min(start + size, end))]


def _web_orders(arguments: Mapping[str, str]) -> Iterable[Row]:
    keys = [key - dataset.FIRST_WEB_ORDER for key in _keys(arguments)]
    if keys:
        return map(dataset.web_order, sorted(keys))
    bounds = {f"{name} {operator}": value for name, operator, value in _TERM.findall(arguments.get("$filter", ""))}
    start = max(0, int(bounds.get("Id gt", "0")) + 1 - dataset.FIRST_WEB_ORDER)
    if "OrderDate ge" in bounds:
        start = max(start, dataset.order_at(datetime.fromisoformat(bounds["OrderDate ge"])))
    return map(dataset.web_order, range(start, start + min(int(arguments.get("$top", "500")), _LARGEST_PAGE)))


def _keys(arguments: Mapping[str, str]) -> list[int]:
    terms: Sequence[tuple[str, str, str]] = _TERM.findall(arguments.get("$filter", ""))
    return [int(value) for name, operator, value in terms if (name, operator) == ("Id", "eq")]


def _chosen(rows: Iterable[Row], arguments: Mapping[str, str]) -> list[Row]:
    """Keep of each row what `$select` and `$expand` name."""
    selected = arguments.get("$select")
    expanded = set(filter(None, arguments.get("$expand", "").split(",")))
    names = None if selected is None else {*selected.split(","), *expanded}
    return [{name: value for name, value in row.items() if _is_kept(name, names, expanded)} for row in rows]


def _is_kept(name: str, names: set[str] | None, expanded: set[str]) -> bool:
    return name in expanded if name == "Buyer" else names is None or name in names


def _page(name: str, rows: list[Row]) -> bytes:
    return _json({"@odata.context": f"https://norce.example{QUERY}/{name}/$metadata#{name}", "value": rows})


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
