"""New records in the emulated systems, made through their own APIs as others would, while a test reads them through the gateway."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from uuid import UUID

import httpx

from gateway.sandbox.server import RunningSandbox

TILL = "9c2e61d4-77b0-4f0a-8f8e-3f1f6d5b7a20"
OUTLET = "5b1f7c0e-2a64-4a1d-9a53-0f6f2a0b8e11"

_SHOP_USER = f"Basic {b64encode(b'demo:demo').decode()}"


def new_guid(number: int) -> str:
    """Give a GUID that no seed gives."""
    return str(UUID(int=0xADD << 100 | number, version=4))


class Additions:
    """Adds records; `address` is the sandbox's. What it sends is counted by the sandbox like any other request."""

    def __init__(self, running: RunningSandbox) -> None:
        self._address = running.base_url
        self._token: str | None = None

    async def till_customer(self, number: int, *, updated: str, **fields: object) -> str:
        """Add a NIMPOS customer and give its id."""
        body = {"Id": new_guid(number), "Name": f"Ny {number}", "CustomerNo": f"N{number}", "Active": True, "Updated": updated, **fields}
        await self._post_to_till("Customer/PostCustomer", body)
        return str(body["Id"])

    async def till_invoice(self, number: int, *, created: str, order: str, **fields: object) -> str:
        """Add a NIMPOS invoice of an order and give its id."""
        body = {
            "Id": new_guid(number),
            "InvoiceNumber": number,
            "InvoiceTotal": 100.0,
            "TerminalId": TILL,
            "OutletId": OUTLET,
            "CreationDate": created,
            "OrdersGuid": [order],
            **fields,
        }
        await self._post_to_till("Order/PostCustomerInvoice", body)
        return str(body["Id"])

    async def shop_order(self, shop: int, code: str) -> str:
        """Add a ShopCtrl order with one row to a shop and give its id."""
        row = {
            "ItemQuantity": 1,
            "ProductName": "Ny",
            "ProductCode": "NY-1",
            "ItemPriceExVat": 100,
            "ItemPriceIncVat": 121,
            "RowDiscountExVat": 0,
            "RowDiscountIncVat": 0,
            "RowTotalExVat": 100,
            "RowTotalIncVat": 121,
            "Vatperc": 21,
            "VATTariffId": 1,
        }
        body = {
            "OrderCode": code,
            "Date": "2026-11-20T10:00:00+01:00",
            "OrderTotalIncVat": 121,
            "OrderTotalExVat": 100,
            "CurrencyId": 1,
            "CurrencyCode": "EUR",
            "OrderRows": [row],
        }
        made = await self._post(f"/shopctrl/v1/Shops/{shop}/Orders", body, _SHOP_USER)
        return str(made.json()["Id"])

    async def shop_invoice(self, order: str) -> str:
        """Have ShopCtrl invoice what is left of an order and give the id of the invoice."""
        made = await self._post(f"/shopctrl/v1/Orders/{order}/Invoices", {}, _SHOP_USER)
        return str(made.json()["Id"])

    async def _post_to_till(self, path: str, body: Mapping[str, object]) -> None:
        if self._token is None:
            form = {"grant_type": "password", "username": "demo", "password": "demo"}
            async with httpx.AsyncClient() as client:
                self._token = (await client.post(f"{self._address}/nimpos/Token", data=form)).json()["access_token"]
        await self._post(f"/nimpos/api/{path}", body, f"Bearer {self._token}")

    async def _post(self, path: str, body: Mapping[str, object], authorization: str) -> httpx.Response:
        async with httpx.AsyncClient() as client:
            answer = await client.post(self._address + path, json=body, headers={"authorization": authorization})
        assert answer.is_success, answer.text
        return answer
