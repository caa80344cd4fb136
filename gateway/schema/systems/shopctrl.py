"""ShopCtrl in the graph."""

from __future__ import annotations

from typing import Any

import strawberry

from gateway.model import Details
from gateway.schema.system import System, detail

NAME = "SHOPCTRL"


@strawberry.type
class ShopctrlInvoiceDetails:
    """Fields of ShopCtrl alone."""

    currency_id: int | None = detail("currency_id")
    main_status_id: int | None = detail("main_status_id")
    payment_status_id: int | None = detail("payment_status_id")
    sent_status_id: int | None = detail("sent_status_id")
    custom_status_id: int | None = detail("custom_status_id")
    shop_id: int | None = detail("shop_id")

    @classmethod
    def is_type_of(cls, obj: Any, _info: Any) -> bool:  # noqa: ANN401  (graphql-core's protocol)
        """Recognise its own details."""
        return isinstance(obj, Details) and obj.system == NAME


SYSTEM = System(NAME, ShopctrlInvoiceDetails)
