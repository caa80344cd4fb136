"""What is asked: the document, its variables for a block of the data set, the right answer, and the upstream calls it takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any, Final

from gateway.model import Kind, Ref
from tests.bench import dataset
from tests.bench.dataset import BLOCK

SAME: Final = "-same"
"""Behind the name of a question: all connections ask for the same objects, so that calls can be shared."""
SHOP_SOURCE: Final = "shop"
WEB_SOURCE: Final = "commerce"
_CHUNK: Final = 50
"""Keys of one call of Norce's Query."""

_JOIN_BULK: Final = "number orderedAt deliveryMethod customer { number email phone }"
_JOIN_EACH: Final = "number orderedAt customer { number name email }"
_FLAT: Final = "number orderedAt status currency totals { total { amount currency } exclVat { amount } inclVat { amount } }"
_ONE: Final = "number orderedAt currency totals { total { amount currency } }"

Variables = dict[str, Any]
Data = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Question:
    """A question of so many objects. `variables`, `expected`: of a block as wide as `blocks`."""

    name: str
    objects: int
    document: str
    calls: int
    """Upstream calls that answering it takes, shared with no other."""
    is_same: bool
    variables: Callable[[int], Variables]
    expected: Callable[[int], Data]

    @property
    def blocks(self) -> int:
        """How many blocks of the data set it covers."""
        return _lists(self.objects)

    def block_of(self, connection: int) -> int:
        """Give the block that a connection asks for."""
        return 0 if self.is_same else connection * self.blocks


def question(name: str, objects: int = BLOCK) -> Question:
    """Make a question by name. Raises `KeyError` for one that there is not."""
    base = name.removesuffix(SAME)
    return _KINDS[base](name=name, objects=1 if base == "one" else objects, is_same=name.endswith(SAME))


def _lists(objects: int) -> int:
    return -(-objects // BLOCK)


def _of_block(block: int, objects: int) -> range:
    return range(block * BLOCK, block * BLOCK + objects)


def _list_question(
    name: str, objects: int, *, is_same: bool, source: str, fields: str, row: Callable[[int], Data], calls: Callable[[int], int]
) -> Question:
    """Ask for a list; for more than a page has, for several lists under aliases."""
    key, type_, value = ("orderedFrom", "DateTime", _from) if source == WEB_SOURCE else ("email", "String", dataset.email_of_block)
    places = range(_lists(objects))
    first = min(objects, BLOCK)

    def document() -> str:
        declared = ", ".join(f"$v{place}: {type_}!" for place in places)
        listed = f'orders(filter: {{sources: ["{source}"], {key}: $v%d}}, first: {first}) {{ nodes {{ {fields} }} }}'
        lists = " ".join(_alias(place, objects) + listed % place for place in places)
        return f"query ({declared}) {{ {lists} }}"

    def variables(block: int) -> Variables:
        return {f"v{place}": value(block + place) for place in places}

    def expected(block: int) -> Data:
        return {
            _alias(place, objects).removesuffix(": ") or "orders": {"nodes": [row(order) for order in _of_block(block + place, first)]}
            for place in places
        }

    return Question(name, objects, document(), calls(first) * len(places), is_same, variables, expected)


def _alias(place: int, objects: int) -> str:
    return f"p{place}: " if objects > BLOCK else ""


def _from(block: int) -> str:
    return dataset.web_instant(block * BLOCK).isoformat().replace("+00:00", "Z")  # a plus sign in a URL is a blank to some


def _join_bulk_row(order: int) -> Data:
    customer = dataset.web_customer(order)
    return {
        **_web_row(order),
        "customer": {"number": customer["CustomerCode"], "email": customer["EmailAddress"], "phone": customer["PhoneNumber"]},
    }


def _web_row(order: int) -> Data:
    row = dataset.web_order(order)
    return {"number": row["OrderNo"], "orderedAt": row["OrderDate"], "deliveryMethod": row["DeliveryMode"]}


def _join_each_row(order: int) -> Data:
    customer = dataset.shop_customer(order // 2)
    return {
        "number": dataset.shop_code(order),
        "orderedAt": dataset.shop_instant(order),
        "customer": {"number": customer["CustomerCode"], "name": customer["CompanyName"], "email": customer["EMail"]},
    }


def _flat_row(order: int) -> Data:
    one = _one_row(order)
    with_vat, net = map(_decimal, dataset.shop_amounts(order))
    totals = {"total": one["totals"]["total"], "exclVat": {"amount": net}, "inclVat": {"amount": with_vat}}
    return {"number": one["number"], "orderedAt": one["orderedAt"], "status": "OPEN", "currency": "EUR", "totals": totals}


def _one_row(order: int) -> Data:
    total = {"amount": _decimal(dataset.shop_amounts(order)[0]), "currency": "EUR"}
    return {"number": dataset.shop_code(order), "orderedAt": dataset.shop_instant(order), "currency": "EUR", "totals": {"total": total}}


def _decimal(amount: float) -> str:
    return str(Decimal(str(amount)))


def _one(*, name: str, objects: int, is_same: bool) -> Question:
    def variables(block: int) -> Variables:
        return {"id": str(dataset.FIRST_SHOP_ORDER + block * BLOCK)}

    document = f'query ($id: String!) {{ order(by: {{native: {{source: "{SHOP_SOURCE}", id: $id}}}}) {{ {_ONE} }} }}'
    return Question(name, objects, document, 1, is_same, variables, lambda block: {"order": _one_row(block * BLOCK)})


def _nodes(*, name: str, objects: int, is_same: bool) -> Question:
    def variables(block: int) -> Variables:
        orders = _of_block(block, objects)
        return {"ids": [Ref(WEB_SOURCE, Kind.ORDER, str(dataset.FIRST_WEB_ORDER + order)).global_id for order in orders]}

    document = "query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Order { number orderedAt deliveryMethod } } }"
    calls = -(-objects // _CHUNK)

    def expected(block: int) -> Data:
        return {"nodes": [_web_row(order) for order in _of_block(block, objects)]}

    return Question(name, objects, document, calls, is_same, variables, expected)


_KINDS: Final[Mapping[str, Callable[..., Question]]] = {
    "join-bulk": partial(
        _list_question, source=WEB_SOURCE, fields=_JOIN_BULK, row=_join_bulk_row, calls=lambda rows: 1 + -(-rows // _CHUNK)
    ),
    "join-each": partial(
        _list_question, source=SHOP_SOURCE, fields=_JOIN_EACH, row=_join_each_row, calls=lambda rows: 1 + rows + -(-rows // 2)
    ),
    "flat": partial(_list_question, source=SHOP_SOURCE, fields=_FLAT, row=_flat_row, calls=lambda _: 1),
    "one": _one,
    "nodes-100": _nodes,
}
NAMES: Final = tuple(_KINDS)
USUAL: Final = ("join-bulk", "join-each", f"join-each{SAME}", "flat", "one", "nodes-100")
