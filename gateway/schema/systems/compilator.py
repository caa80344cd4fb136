"""Compilator DDAPI in the graph."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

import strawberry

from gateway.model import Details
from gateway.schema.system import System, detail

NAME = "COMPILATOR"


@strawberry.type
class CompilatorInvoiceDetails:
    """Fields of Compilator alone."""

    journal_number: str | None = detail("journal_number")
    currency_rate: Decimal | None = detail("currency_rate")
    invoice_reference_code: str | None = detail("invoice_reference_code")
    invoice_recipient_id: UUID | None = detail("invoice_recipient_id")
    invoice_recipient_name: str | None = detail("invoice_recipient_name")
    sender_name: str | None = detail("sender_name")
    default_vat_percent: Decimal | None = detail("default_vat_percent")

    @classmethod
    def is_type_of(cls, obj: Any, _info: Any) -> bool:  # noqa: ANN401  (graphql-core's protocol)
        """Recognise its own details."""
        return isinstance(obj, Details) and obj.system == NAME


SYSTEM = System(NAME, CompilatorInvoiceDetails)
