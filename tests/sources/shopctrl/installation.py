"""An installation behind the fake wire: shops with orders, orders with invoices, read as the vendor's pages say."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from gateway.sources.shopctrl.settings import ShopctrlOptions
from gateway.sources.shopctrl.source import ShopctrlSource
from gateway.transport import Response
from gateway.transport.wire import WireRequest
from tests.fakes import BASE_URL, FakeWire, answer, make_parts
from tests.sources.shopctrl.samples import AMSTERDAM

Row = dict[str, Any]


@dataclass
class Installation:
    """`shops`: rows of orders by shop; `invoices`: rows by order; `others`: bodies by target."""

    shops: dict[int, list[Row]]
    invoices: dict[int, list[Row]] = field(default_factory=dict)
    others: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def handle(self, request: WireRequest) -> Response:
        """Answer a request."""
        url = urlsplit(request.url.removeprefix(BASE_URL))
        target = url.path + (f"?{url.query}" if url.query else "")
        self.asked.append(target)
        if target in self.others:
            return answer(self.others[target])
        match url.path.split("/")[2:]:
            case ["Shops", shop, "Orders"] if int(shop) in self.shops:
                return answer(json.dumps(_page(self.shops[int(shop)], parse_qs(url.query))))
            case ["Orders", order, "Invoices"]:
                return answer(json.dumps(self.invoices.get(int(order), [])))
            case _:
                return answer('{"Message": "x"}', 404)

    def source(self, **profile: Any) -> tuple[ShopctrlSource, FakeWire]:  # noqa: ANN401  (fields of the profile)
        """Make a source over it, of all its shops in their order."""
        options = ShopctrlOptions(shop_ids=tuple(self.shops), shop_owner_id=1)
        parts, wire = make_parts(options, self.handle, **{"key": "shop", "system": "SHOPCTRL", "time_zone": AMSTERDAM, **profile})
        return ShopctrlSource(parts), wire

    def counted(self) -> dict[str, int]:
        """Give the calls by their last word."""
        return dict(Counter(target.split("?")[0].rsplit("/", 1)[-1] for target in self.asked))


def _page(rows: Sequence[Row], query: Mapping[str, list[str]]) -> list[Row]:
    size, number = int(query["pageSize"][0]), int(query["pageNumber"][0])
    found = [row for row in rows if query.get("emailAddress", [row.get("_email")])[0] == row.get("_email")]
    return found[(number - 1) * size : number * size]


def order(key: int, **fields: Any) -> Row:  # noqa: ANN401  (any JSON)
    """Make the row of an order."""
    return {"Id": key, "OrderCode": f"O-{key}", "OrderTotalIncVat": 1, "CurrencyCode": "EUR", "MainStatusId": 12, **fields}


def invoice(key: int, of: int, **fields: Any) -> Row:  # noqa: ANN401  (any JSON)
    """Make an InvoiceBase."""
    return {"Id": key, "InvoiceCode": f"F-{key}", "OrderId": of, "OrderCode": f"O-{of}", "CurrencyCode": "EUR", **fields}
