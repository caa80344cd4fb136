"""NIMPOS in the graph."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import strawberry

from gateway.model import Details
from gateway.schema.system import NOT_GIVEN, System, detail

NAME = "NIMPOS"


@strawberry.type
class NimposInvoiceDetails:
    """Fields of NIMPOS alone."""

    outlet_id: UUID | None = detail("outlet_id")
    terminal_id: UUID | None = detail("terminal_id")
    payment_status_code: int | None = detail("payment_status_code")
    paid_status_label: str | None = detail("paid_status_label", "Swedish text made by NIMPOS, e.g. `Okänd`.")
    export_status_code: int | None = detail("export_status_code")
    export_error: str | None = detail("export_error")
    synced: bool | None = detail("synced")

    @classmethod
    def is_type_of(cls, obj: Any, _info: Any) -> bool:  # noqa: ANN401  (graphql-core's protocol)
        """Recognise its own details."""
        return isinstance(obj, Details) and obj.system == NAME


@strawberry.input
class NimposInvoiceInput:
    """What NIMPOS alone takes."""

    outlet_id: UUID
    terminal_id: UUID
    payment_status_code: int | None = NOT_GIVEN
    paid_at: datetime | None = NOT_GIVEN
    email_sent: bool | None = NOT_GIVEN
    sent_at: datetime | None = NOT_GIVEN
    foreign_invoice_number: str | None = NOT_GIVEN
    deleted: bool | None = NOT_GIVEN
    synced: bool | None = NOT_GIVEN
    export_status_code: int | None = NOT_GIVEN
    export_error: str | None = strawberry.field(default=NOT_GIVEN, description="At most 500 characters.")
    paid_status_label: str | None = NOT_GIVEN


SYSTEM = System(NAME, NimposInvoiceDetails, "nimpos", NimposInvoiceInput)
