"""What the emulated system holds: lookups by each key that an operation asks for, and the two writes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.sandbox.norce.data import Data, OrderRecord, Payload


class Store:
    """Customers, orders and invoices. Only invoices and captures change; `reset` forgets what was added."""

    def __init__(self, data: Data) -> None:
        self._data: Final = data
        self._order_by_id = {record.payload["Id"]: record for record in data.orders}
        self._order_by_no = {record.payload["OrderNo"]: record for record in data.orders}
        self._order_by_basket = {record.payload["QuotationId"]: record for record in data.orders}
        self._order_by_basket.pop(None, None)
        self.captures: Final[list[dict[str, Any]]] = []
        self.reset()

    def reset(self) -> None:
        """Bring back the invoices that the seed gave, and no captures."""
        self.captures.clear()
        self._invoices = {invoice["Id"]: invoice for invoice in self._data.invoices}
        self._invoice_by_no = {invoice["InvoiceNo"]: invoice for invoice in self._data.invoices}
        self._next_invoice_id = 1 + max(int(invoice_id) for invoice_id in self._invoices)

    @property
    def customers(self) -> tuple[Payload, ...]:
        """Every customer, the inactive ones too."""
        return self._data.customers

    @property
    def inactive_customer_ids(self) -> frozenset[int]:
        """Customers that a search finds only when asked for."""
        return self._data.inactive_customer_ids

    @property
    def orders(self) -> tuple[OrderRecord, ...]:
        """Every order, lowest id first."""
        return self._data.orders

    @property
    def invoices(self) -> list[Payload]:
        """Every invoice, lowest id first."""
        return list(self._invoices.values())

    def companies(self) -> Iterator[Payload]:
        """Give every customer's companies."""
        for customer in self._data.customers:
            yield from customer["Companies"]

    def order_by_id(self, order_id: str) -> OrderRecord | None:
        """Find an order by its internal id."""
        return self._order_by_id.get(order_id)

    def order_by_no(self, order_no: str) -> OrderRecord | None:
        """Find an order by its outside number."""
        return self._order_by_no.get(order_no)

    def order_by_basket(self, basket_id: int) -> OrderRecord | None:
        """Find the order that a basket, also called quotation, became."""
        return self._order_by_basket.get(basket_id)

    def invoice_by_id(self, invoice_id: str) -> Payload | None:
        """Find an invoice by its internal id."""
        return self._invoices.get(invoice_id)

    def invoice_by_no(self, invoice_no: str) -> Payload | None:
        """Find an invoice by its outside number; the newest when the number was stored twice."""
        return self._invoice_by_no.get(invoice_no)

    def add_invoice(self, invoice: Payload) -> Payload:
        """Store an invoice under a new internal id and give it back with that id."""
        stored = {**invoice, "Id": str(self._next_invoice_id)}
        self._next_invoice_id += 1
        self._invoices[stored["Id"]] = stored
        if stored["InvoiceNo"] is not None:
            self._invoice_by_no[stored["InvoiceNo"]] = stored
        return stored
