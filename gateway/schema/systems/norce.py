"""Norce in the graph."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import strawberry

from gateway.model import Details
from gateway.schema.scalars import JSON, CurrencyCode
from gateway.schema.system import NOT_GIVEN, System, detail

NAME = "NORCE"


@strawberry.type
class NorceInvoiceDetails:
    """Fields of Norce alone."""

    created_by_source: str | None = detail("created_by_source", "Norce `Source`; WEB: made through Norce.")
    delivery_method: str | None = detail("delivery_method")
    payment_method: str | None = detail("payment_method")
    drop_point_code: str | None = detail("drop_point_code")

    @classmethod
    def is_type_of(cls, obj: Any, _info: Any) -> bool:  # noqa: ANN401  (graphql-core's protocol)
        """Recognise its own details."""
        return isinstance(obj, Details) and obj.system == NAME


@strawberry.input
class NorcePaymentInput:
    """The payment that is captured."""

    payment_code: int | None = NOT_GIVEN
    payment_reference: str | None = NOT_GIVEN
    payment_method_code: str | None = NOT_GIVEN
    amount: Decimal | None = NOT_GIVEN
    currency: CurrencyCode | None = NOT_GIVEN


@strawberry.input
class NorceInvoiceInput:
    """What Norce alone takes."""

    client_order_ref: int | None = strawberry.field(
        default=NOT_GIVEN, description="Basket (quotation) id of the order: Connect `ClientOrderRef`."
    )
    erp_order_number: str | None = strawberry.field(default=NOT_GIVEN, description="The ERP's order number: Connect `ErpOrderNo`.")
    capture_payment: bool = strawberry.field(
        default=False, description="Real money: true lets Norce capture the payment (`SuppressPspCall` false)."
    )
    is_last_invoice_for_order: bool | None = NOT_GIVEN
    payment: NorcePaymentInput | None = strawberry.field(
        default=NOT_GIVEN, description="Required, with lines, when capturePayment is true: one of code and reference."
    )
    payment_method_code: str | None = NOT_GIVEN
    group_key: str | None = NOT_GIVEN
    insert_invoice: JSON | None = strawberry.field(
        default=NOT_GIVEN,
        description="The complete `InsertInvoice` body, for a source configured with it; at most as documented upstream.",
    )


SYSTEM = System(NAME, NorceInvoiceDetails, "norce", NorceInvoiceInput)
