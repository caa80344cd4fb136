"""The rules and the dashboard of gateway/deploy, over scrapes of a gateway that is well and of one that is not."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import httpx
import promql_parser
import pytest
import yaml

from gateway.app import create_app, settings_from
from gateway.model import MutationOutcome
from gateway.transport import Response
from gateway.transport.wire import WireRequest
from tests.fakes import FakeClock, FakeWire, answer
from tests.telemetry.promql import Samples, Vector, names_in
from tests.trail import Story, take_down

pytestmark = pytest.mark.anyio

DEPLOY: Final = Path(__file__).parents[2] / "gateway" / "deploy"
RULES: Final[list[dict[str, Any]]] = yaml.safe_load((DEPLOY / "alerts.yaml").read_text(encoding="utf-8"))["groups"][0]["rules"]
BY_NAME: Final = {rule["alert"]: rule["expr"] for rule in RULES}
DASHBOARD: Final[dict[str, Any]] = json.loads((DEPLOY / "grafana-dashboard.json").read_text(encoding="utf-8"))
QUERIES: Final = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
SHOP: Final = {
    "system": "shopctrl",
    "base_url": "https://shop.example",
    "shop_ids": [1],
    "shop_owner_id": 1,
    "retries": 1,
    "breaker_calls": 4,
}
POS: Final = {"system": "nimpos", "base_url": "https://pos.example", "terminal_ids": ["c7cf3ff9-453b-4c07-8f57-3274a1f04373"]}
MINUTE: Final = 60.0
NOBODY: Final[frozenset[tuple[str, str]]] = frozenset()


class World:
    """A gateway whose upstream, clock and journal can be made to misbehave."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "gateway.db"
        self.clock = FakeClock()
        self.is_down = False
        self.samples = Samples()

    def handle(self, request: WireRequest) -> Response:
        if self.is_down:
            return answer(status=503)
        return answer("[]" if "pos.example" in request.url else "null")

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[httpx.AsyncClient]:
        settings = settings_from({"server": {"state": f"sqlite:///{self.file}"}, "sources": {"shop": SHOP, "pos": POS}})
        app = create_app(settings, wire=FakeWire(self.handle), clock=self.clock)
        transport = httpx.ASGITransport(app)
        async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url="http://gateway.example") as client:
            yield client

    async def minute(self, client: httpx.AsyncClient, requests: int = 10) -> None:
        """Ask some, then scrape, a minute after the scrape before."""
        for number in range(1, requests + 1):
            query = f'{{ order(by: {{native: {{source: "shop", id: "{number}"}}}}) {{ number }} }}'
            await client.post("/graphql", json={"query": query})
        self.clock.advance(MINUTE)
        self.samples.scrape((await client.get("/metrics")).text, self.clock.monotonic())

    def firing(self) -> dict[str, Vector]:
        """Give the rules that fire now, with what they fire for."""
        found = {name: self.samples.evaluate(expression) for name, expression in BY_NAME.items()}
        return {name: value for name, value in found.items() if isinstance(value, dict) and value}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


async def test_nothing_fires_over_a_gateway_that_is_well(world: World) -> None:
    await take_down(f"sqlite:///{world.file}", Story(key="a"))
    async with world.opened() as client:
        for _ in range(6):
            await world.minute(client)

    assert world.firing() == {}


async def test_requests_that_miss_something_fire_from_one_in_twenty_on(world: World) -> None:
    async with world.opened() as client:
        for is_down, requests in ((True, 1), (False, 19), (True, 1), (False, 19)):
            world.is_down = is_down
            await world.minute(client, requests)
        assert "InvoiceGatewayFailing" not in world.firing()
        world.is_down = True
        await world.minute(client, 2)

    ((value, *more),) = [list(vector.values()) for name, vector in world.firing().items() if name == "InvoiceGatewayFailing"]
    assert more == []
    assert value == pytest.approx((3 / 240) / (3 / 240 + 19 / 180))


async def test_an_open_breaker_fires_for_its_source(world: World) -> None:
    async with world.opened() as client:
        world.is_down = True
        await world.minute(client, 4)

    assert world.firing()["InvoiceGatewayBreakerOpen"] == {frozenset({("source", "shop")}): 1}


async def test_a_gateway_that_takes_its_time_fires(world: World) -> None:
    class Slow(FakeClock):
        """Goes on by a fifth of a second each time it is looked at."""

        def monotonic(self) -> float:
            self.advance(0.2)
            return super().monotonic()

    world.clock = Slow()
    async with world.opened() as client:
        for _ in range(2):
            await world.minute(client)

    assert world.firing()["InvoiceGatewaySlow"][NOBODY] > 0.25


async def test_a_write_whose_outcome_is_unknown_fires(world: World) -> None:
    await take_down(f"sqlite:///{world.file}", *(Story(key=key, outcome=MutationOutcome.UNKNOWN) for key in "ab"), Story(key="c"))
    async with world.opened() as client:
        await world.minute(client)

    assert world.firing() == {"InvoiceGatewayWritesUnknown": {NOBODY: 2}}


async def test_a_journal_that_cannot_be_read_fires(world: World) -> None:
    async with world.opened() as client:
        await world.minute(client)
        world.file.unlink()
        await world.minute(client)

    assert world.firing() == {"InvoiceGatewayJournalDown": {NOBODY: 0}}


def test_there_are_five_rules_each_with_what_to_do() -> None:
    assert len(BY_NAME) == len(RULES) == 5
    for rule in RULES:
        assert rule.keys() == {"alert", "expr", "for", "labels", "annotations"}
        assert re.fullmatch(r"\d+m", rule["for"])
        assert rule["labels"]["severity"] in {"critical", "warning"}
        assert rule["annotations"].keys() == {"summary", "description"}


def test_what_an_annotation_names_is_a_label_that_its_rule_leaves() -> None:
    for rule in RULES:
        labels = re.findall(r"\$labels\.(\w+)", " ".join(rule["annotations"].values()))
        assert set(labels) <= set(re.findall(r"by \((\w+)\)", rule["expr"]))


async def test_every_name_in_rules_and_dashboard_is_scraped(world: World) -> None:
    write = 'mutation { createInvoiceFromOrder(order: {native: {source: "shop", id: "1"}}, idempotencyKey: "k") { outcome } }'
    customer = '{ customer(by: {native: {source: "pos", id: "3f0c8f52-9d0d-4b52-8a57-6f8b2b8c1d01"}}) { name } }'
    async with world.opened() as client:
        await client.post("/graphql", json={"query": write})
        await client.post("/graphql", json={"query": customer})
        world.is_down = True
        await world.minute(client, 1)
        text = (await client.get("/metrics")).text

    declared = {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE ")}
    histograms = {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE ") and line.endswith(" histogram")}
    scraped = declared - histograms | {f"{name}_bucket" for name in histograms}
    asked = {name for expression in (*BY_NAME.values(), *map(filled, QUERIES)) for name in names_in(expression)}

    assert asked <= scraped
    # And the other way round: whatever is scraped can be seen on the dashboard, but for when the process started.
    assert scraped - asked == {"process_start_time_seconds"}


async def test_every_label_in_rules_and_dashboard_is_there(world: World) -> None:
    """A sum by a label that is not there is one sum of all, and says nothing of it."""
    async with world.opened() as client:
        world.is_down = True
        await world.minute(client, 4)
        text = (await client.get("/metrics")).text

    labels: dict[str, set[str]] = {}
    for name, found in re.findall(r"^(\w+)\{(.*)\} ", text, re.MULTILINE):
        labels.setdefault(name, set()).update(re.findall(r'(\w+)="', found))
    for expression in (*BY_NAME.values(), *map(filled, QUERIES)):
        for names, series in re.findall(r"by \(([\w, ]+)\) \((?:rate\()?(\w+)", expression):
            if series in labels:
                assert {name.strip() for name in names.split(",")} - {"instance"} <= labels[series], expression


def test_every_query_of_the_dashboard_is_promql_and_has_a_panel_of_its_own_place() -> None:
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in DASHBOARD["panels"]]

    assert len(places) == len(set(places)) == len({panel["id"] for panel in DASHBOARD["panels"]})
    for query in QUERIES:
        promql_parser.parse(filled(query))


def filled(query: str) -> str:
    """Put something in the place of Grafana's variables."""
    return query.replace("$__rate_interval", "5m").replace("$job", ".+")
