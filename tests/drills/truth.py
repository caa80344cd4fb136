"""What the sandbox really has: asked over its own API, as a bookkeeper would look it up in each system."""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import httpx

from tests.drills.intents import COMPILATOR, NIMPOS, NORCE, SHOPCTRL, Intent, Way


class Truth:
    """Reads the systems of a sandbox."""

    def __init__(self, client: httpx.AsyncClient, headers: Mapping[Way, Mapping[str, str]]) -> None:
        self._client = client
        self._headers = headers
        self._reads: Final[Mapping[Way, Callable[[Intent], Awaitable[int]]]] = {
            NIMPOS: self._nimpos,
            NORCE: self._norce,
            SHOPCTRL: self._shopctrl,
            COMPILATOR: self._compilator,
        }

    @classmethod
    async def open(cls, client: httpx.AsyncClient) -> Truth:
        """Sign in at the systems of the sandbox that `client` asks."""
        form = {"grant_type": "password", "username": "demo", "password": "demo"}
        till = (await client.post("/nimpos/Token", data=form)).json()["access_token"]
        form = {"grant_type": "client_credentials", "client_id": "demo", "client_secret": "demo", "scope": "prod"}
        shop = (await client.post("/norce/identity/1.0/connect/token", data=form)).json()["access_token"]
        return cls(
            client,
            {
                NIMPOS: {"Authorization": f"Bearer {till}"},
                NORCE: {"Authorization": f"Bearer {shop}", "application-id": "2210"},
                SHOPCTRL: {"Authorization": f"Basic {base64.b64encode(b'demo:demo').decode()}"},
                COMPILATOR: {"X-Api-Key": "demo-key"},
            },
        )

    async def changes(self, intent: Intent) -> int:
        """Say how often the write of this intent shows in its system."""
        return await self._reads[intent.way](intent)

    async def _nimpos(self, intent: Intent) -> int:
        order = await self._get(NIMPOS, "/nimpos/api/Order/GetOrderById", id=intent.target)
        return int(order["CustomerInvoiceId"] != intent.before)

    async def _norce(self, intent: Intent) -> int:
        invoice = await self._get(NORCE, "/norce/commerce/order/1.1/GetInvoiceByNo", invoiceNo=intent.target)
        return int(invoice is not None)

    async def _shopctrl(self, intent: Intent) -> int:
        shown = len(await self._get(SHOPCTRL, f"/shopctrl/v1/Orders/{intent.target}/Invoices"))
        return shown - int(intent.before or 0)

    async def _compilator(self, intent: Intent) -> int:
        settings = await self._get(COMPILATOR, "/compilator/api/customers/invoice", customerNumber=intent.target)
        return int(settings is not None and settings["InvoiceOrderPaymentEmailAddress"] == intent.mark)

    async def _get(self, way: Way, path: str, **query: str) -> Any:  # noqa: ANN401  (any JSON)
        answer = await self._client.get(path, params=query, headers=self._headers[way])
        answer.raise_for_status()
        return answer.json() if answer.content else None
