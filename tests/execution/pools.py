"""Values for arguments: what the world of the tests has, what it has not, and what is no value of that kind at all."""

from __future__ import annotations

from typing import Final

from gateway.loaders.cursor import Cursor, fingerprint, write_cursor
from gateway.model import Criteria, Kind, Ref
from tests.execution.documents import Pools
from tests.execution.worlds import RECORDS

_SHOWN: Final = (Kind.CUSTOMER, Kind.ORDER, Kind.INVOICE, Kind.INVOICE_SETTINGS)
_KNOWN: Final = [ref.global_id for ref in RECORDS if ref.kind in _SHOWN]
_UNKNOWN: Final = [
    Ref("a", Kind.INVOICE, "nowhere").global_id,
    Ref("gone", Kind.INVOICE, "i1").global_id,
    Ref("a", Kind.SOURCE, "").global_id,
    Ref("a", Kind.LABEL, "l1").global_id,
    Ref("a", Kind.CUSTOMER, "C1").global_id,
    Ref("b", Kind.ORDER, "").global_id,
    "nonsense",
]
_CURSORS: Final = [
    write_cursor(Cursor("a", "1"), fingerprint(Criteria(kind=kind), None, "SOURCE")) for kind in (Kind.CUSTOMER, Kind.ORDER, Kind.INVOICE)
]
_SOURCES: Final = ["a", "b", "a", "b", "elsewhere"]


def _of(kind: Kind) -> dict[str, list[object]]:
    """Give the values that name objects of a kind."""
    refs = [ref for ref in RECORDS if ref.kind is kind]
    return {
        "id:ID": [ref.global_id for ref in refs],
        "id:String": [ref.native_id for ref in refs],
        "number:String": list[object](sorted({str(getattr(RECORDS[ref], "number", "none")) for ref in refs})),
    }


_ROOTS: Final = {
    "customer": Kind.CUSTOMER,
    "order": Kind.ORDER,
    "invoice": Kind.INVOICE,
    "createInvoiceFromOrder": Kind.ORDER,
    "setInvoiceSettings": Kind.CUSTOMER,
}
POOLS: Final = Pools(
    by_root={f"{root}.{name}": values for root, kind in _ROOTS.items() for name, values in _of(kind).items()}
    | {"nodes.ids:ID": _KNOWN, "node.id:ID": _KNOWN},
    by_name={
        "source:String": _SOURCES,
        "sources:String": _SOURCES,
        "key:String": _SOURCES,
        "id:String": ["c1", "c2", "o1", "o2", "i1", "i2", "i3", "nowhere", "C1", ""],
        "number:String": ["1", "2", "1001", "1002", "1003", "2001", "2002", "none"],
        "after:String": [*_CURSORS, "nonsense", ""],
        "idempotencyKey:String": ["K-1", "K-2", "K-3", "SEED", "", "å"],
        "first:Int": [25, 1, 2, 3, 100, 0, 101, -1],
        "name:String": ["Invoice", "Node", "InvoiceFilter", "Nothing"],
        "seconds:Int": [300, 1, 0, 901],
        "caller:String": ["test", "another"],
        "email:String": ["a@b.example", "A@B.example", "none"],
        "organizationNumber:String": ["556677-8899", "165566778899", "none"],
    },
    by_type={
        "ID": [*_KNOWN, *_UNKNOWN],
        "String": ["text", "1001", "", 'åäö \\ " \n', "a"],
        "Int": [1, 0, -5, 2**31 - 1],
        "Float": [1.5, -2],
        "Decimal": ["29.90", 5, "-0.10"],
        "Date": ["2026-02-03", "2026-01-01"],
        "DateTime": ["2026-03-01T12:30:00Z", "2026-01-01T00:00:00.1234567+02:00"],
        "UUID": ["5b1f7c0e-2a64-4a1d-9a53-0f6f2a0b8e11", "9C2E61D4-77B0-4F0A-8F8E-3F1F6D5B7A20"],
        "CurrencyCode": ["SEK", "EUR"],
        "JSON": [{"Id": 1, "Rows": [True, None, {"a": "b"}]}, [], "text", 2],
    },
)
