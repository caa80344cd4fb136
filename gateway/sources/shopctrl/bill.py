"""What an invoice comes to and of which order it is: goes along with the ref of an invoice, so that its payments cost no other read."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import msgspec

from gateway.model import Currency, CurrencyOrigin, Money

_PREFIX: Final = "order"


class Bill(msgspec.Struct, frozen=True):
    """The order of an invoice and its total including VAT; `total` None: not known here."""

    order: str
    total: Money | None = None

    def to_hint(self) -> str:
        """Give it as the hint of a ref: `order/<id>`, and where it is known `/<amount>/<currency>/<who said the currency>`."""
        order = f"{_PREFIX}/{self.order}"
        if self.total is None:
            return order
        currency = self.total.currency
        return f"{order}/{self.total.amount}/{currency.code or ''}/{currency.origin.value}"

    @classmethod
    def from_hint(cls, hint: str | None) -> Bill | None:
        """Read what `to_hint` gave; None for anything else."""
        match (hint or "").split("/"):
            case [prefix, order] if prefix == _PREFIX:
                return cls(order)
            case [prefix, order, amount, code, origin] if prefix == _PREFIX:
                return cls(order, Money(Decimal(amount), Currency(code or None, CurrencyOrigin(origin))))
            case _:
                return None
