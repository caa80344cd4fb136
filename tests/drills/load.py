"""Questions by the hundred, and what they were answered: for the drills that need a gateway under load."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import httpx

from tests.drills.gateways import GatewayProcess, SandboxProcess, write_config
from tests.drills.intents import COMPILATOR, make_intents

_ANSWER_SECONDS: Final = 60.0

TILL_INVOICE: Final = "6a1d2f3e-4b5c-4d6e-8f70-8192a3b4c5d6"
LEFT_OUT: Final = "(left out by the client)"

Question = tuple[str, Mapping[str, object]]
"""A document and its variables."""
Ask = Callable[[random.Random], Question]

_INVOICE: Final = "query ($by: Lookup!) { invoice(by: $by) { number issueDate totals { total { amount currency } } customer { name } } }"
_ORDER: Final = "query ($by: Lookup!) { order(by: $by) { number status lines { itemNumber quantity } } }"
_SETTINGS: Final = "query ($by: Lookup!) { customer(by: $by) { name invoiceSettings { currency invoiceEmail } } }"
_LIST: Final = """query ($source: String!) {
  orders(filter: {sources: [$source]}, first: 5) { nodes { number } sourceResults { status code } } }"""
_ALL: Final = "query { invoices(first: 4) { nodes { number } sourceResults { status code } } }"


def _native(source: str, native_id: object) -> dict[str, object]:
    return {"by": {"native": {"source": source, "id": str(native_id)}}}


def till(_: random.Random) -> Question:
    """Ask the till: a window for all, and an order of its own."""
    return _INVOICE.replace("customer { name }", "orders { status }"), _native("pos", TILL_INVOICE)


def till_order(chance: random.Random) -> Question:
    """Ask the till for an order that nobody else asks for; there is none."""
    return "query ($by: Lookup!) { order(by: $by) { number } }", _native("pos", UUID(int=chance.getrandbits(128), version=4))


def shop(chance: random.Random) -> Question:
    """Ask the shop for an invoice, its order and its customer."""
    return _INVOICE, _native("shop", chance.randrange(88_000, 88_120))


def shop_number(chance: random.Random) -> Question:
    """Ask the shop as little as costs a call."""
    return "query ($by: Lookup!) { invoice(by: $by) { number } }", _native("shop", chance.randrange(88_000, 88_120))


def web(chance: random.Random) -> Question:
    """Ask the web shop for an invoice."""
    return _INVOICE, _native("commerce", chance.randrange(50_911, 51_011))


def _web_order(chance: random.Random) -> Question:
    return _ORDER, _native("commerce", chance.randrange(70_213, 70_313))


def _tyre_invoice(chance: random.Random) -> Question:
    return _INVOICE, {"by": {"number": {"source": "subscriptions", "number": str(chance.randrange(910_001, 910_060))}}}


def _settings(chance: random.Random) -> Question:
    return _SETTINGS, _native("subscriptions", chance.randrange(40_001, 40_101))


def _list(chance: random.Random) -> Question:
    return _LIST, {"source": chance.choice(("shop", "commerce", "pos"))}


def _everything(_: random.Random) -> Question:
    return _ALL, {}


class _Writing:
    """Makes writes of settings, each under a key of its own."""

    def __init__(self) -> None:
        self._intents = make_intents(1, 1)[COMPILATOR]
        self._count = 0

    def __call__(self, chance: random.Random) -> Question:
        self._count += 1
        intent = chance.choice(self._intents)
        return intent.query, {**intent.variables, "key": f"soak-{self._count}"}


def mixture() -> list[Ask]:
    """Give all kinds of questions, each as often as it is to be asked."""
    return [till, shop, shop, web, web, _web_order, _tyre_invoice, _settings, _list, _everything] * 5 + [_Writing()]


@dataclass(slots=True)
class Answers:
    """What questions were answered."""

    codes: Counter[str] = field(default_factory=Counter)
    """Of errors, of sources that a list could not read, and of writes their outcomes; `ok` for an answer without any."""
    seconds: list[float] = field(default_factory=list)

    def p(self, percent: float) -> float:
        """Give the time in seconds that so many percent of the answers did not exceed."""
        ranked = sorted(self.seconds)
        return ranked[min(len(ranked) - 1, int(len(ranked) * percent / 100))]


class Load:
    """Asks a gateway."""

    def __init__(self, client: httpx.AsyncClient, asks: Sequence[Ask], chance: random.Random) -> None:
        self._client = client
        self._asks = asks
        self._chance = chance

    async def flat_out(self, seconds: float, at_once: int) -> Answers:
        """Ask as fast as the answers come, so many at once."""
        answers, end = Answers(), time.monotonic() + seconds

        async def work() -> None:
            while time.monotonic() < end:
                await self._ask(answers)

        await asyncio.gather(*(work() for _ in range(at_once)))
        return answers

    async def at_rate(self, seconds: float, a_second: float, at_most: int, answers: Answers | None = None) -> Answers:
        """Ask so often, whatever the answers take; what would be more than `at_most` at once is left out and counted."""
        answers, started, under_way = answers or Answers(), time.monotonic(), set[asyncio.Task[None]]()
        for number in range(int(seconds * a_second)):
            await asyncio.sleep(max(0.0, started + number / a_second - time.monotonic()))
            if len(under_way) >= at_most:
                answers.codes[LEFT_OUT] += 1
                continue
            task = asyncio.create_task(self._ask(answers))
            under_way.add(task)
            task.add_done_callback(under_way.discard)
        await asyncio.gather(*under_way)
        return answers

    async def _ask(self, answers: Answers) -> None:
        query, variables = self._chance.choice(self._asks)(self._chance)
        started = time.monotonic()
        try:
            response = await self._client.post("/graphql", json={"query": query, "variables": variables})
        except httpx.TransportError as error:
            answers.codes[f"(no answer: {type(error).__name__})"] += 1
            return
        answers.seconds.append(time.monotonic() - started)
        answers.codes.update(codes_in(response) or ["ok"])


def codes_in(response: httpx.Response) -> list[str]:
    """Name what an answer says went wrong."""
    if response.status_code != httpx.codes.OK:
        return [f"(HTTP {response.status_code})"]
    whole = response.json()
    return [error["extensions"]["code"] for error in whole.get("errors", ())] + _told(whole.get("data"))


def _told(tree: Any) -> list[str]:  # noqa: ANN401  (any JSON)
    """Find what an answer without errors says went wrong."""
    if isinstance(tree, dict):
        own = [str(tree["code"])] if tree.get("status") == "FAILED" else []
        made = [tree["outcome"]] if tree.get("outcome") not in {None, "APPLIED"} else []
        return own + made + [code for value in tree.values() for code in _told(value)]
    return [code for item in tree for code in _told(item)] if isinstance(tree, list) else []


@dataclass(frozen=True, slots=True)
class Stand:
    """A gateway over a sandbox, each in a process of its own; `client` asks the one, `control` the other."""

    gateway: GatewayProcess
    client: httpx.AsyncClient
    control: httpx.AsyncClient


@asynccontextmanager
async def open_stand(folder: Path, options: Mapping[str, object], *, seed: int = 1) -> AsyncIterator[Stand]:
    """Start both, with all files in `folder`; `options` are keys that every source gets. Raises `NeverUp`."""
    async with AsyncExitStack() as stack:
        sandbox = SandboxProcess(seed, folder / "sandbox.log")
        stack.push_async_callback(sandbox.kill)
        await sandbox.start()
        await sandbox.wait_until_up()
        control = await stack.enter_async_context(httpx.AsyncClient(base_url=f"{sandbox.url}/_control", trust_env=False))
        tables = (await control.get("/sources")).json()
        config = folder / "gateway.toml"
        write_config(config, {key: {**table, **options} for key, table in tables.items()}, f"sqlite:///{folder / 'journal.db'}")
        gateway = GatewayProcess(config, folder / "gateway.log")
        stack.push_async_callback(gateway.kill)
        await gateway.start()
        await gateway.wait_until_up()
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=None, keepalive_expiry=2)  # before the gateway closes it
        client = httpx.AsyncClient(base_url=gateway.url, timeout=_ANSWER_SECONDS, limits=limits, trust_env=False)
        yield Stand(gateway, await stack.enter_async_context(client), control)
