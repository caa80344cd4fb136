"""Two gateways over one journal: what they have in common of the windows of their sources, and what it costs the upstream."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from gateway.app import make_gateway, open_journal, settings_from
from gateway.errors import SettingsError
from gateway.journal import Journal
from gateway.model import Customer, Invoice, Kind, Ref
from gateway.sources.base import Fetch, Source
from gateway.transport import Response
from gateway.transport.wire import WireRequest
from tests.fakes import FakeClock, FakeWire, answer, make_scope
from tests.sources.compilator.samples import CUSTOMER as COMPILATOR_CUSTOMER
from tests.sources.compilator.samples import page
from tests.sources.nimpos.samples import CUSTOMER, CUSTOMERS, INVOICE, INVOICES, OTHER_TILL, TILL

pytestmark = pytest.mark.anyio

ANSWERS = {"GetCustomers": CUSTOMERS, "GetCustomerInvoice": INVOICES, "GetCustomerDebts": "[]"}
TILLS: dict[str, Any] = {"system": "nimpos", "base_url": "https://pos.example", "terminal_ids": [TILL], "share_windows": True}
SITE: dict[str, Any] = {"system": "compilator", "base_url": "https://site.example", "share_windows": True}
UNREADABLE = '{"CustomerNo": 7,\n "IsCompany": "perhaps"}'


def handle(request: WireRequest) -> Response:
    operation = urlsplit(request.url).path.rpartition("/")[2]
    return answer(ANSWERS.get(operation, page(COMPILATOR_CUSTOMER, UNREADABLE)))


class Replicas:
    """Gateways over one file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = FakeClock()
        self.wire = FakeWire(handle)
        self.journals: list[Journal] = []

    async def source(self, table: dict[str, Any], *, state: str = "", **changes: Any) -> Source:  # noqa: ANN401  (any key of a source)
        state = state or f"sqlite:///{self.folder}/journal.db"
        settings = settings_from({"server": {"state": state}, "sources": {"src": {**table, **changes}}})
        journal = await open_journal(settings, self.clock)
        self.journals.append(journal)
        (source,) = make_gateway(settings, self.wire, self.clock, journal=journal).sources
        return source

    @property
    def stored(self) -> bytes:
        return b"".join(path.read_bytes() for path in self.folder.iterdir())

    def calls(self) -> list[str]:
        made = [urlsplit(request.url).path.rpartition("/")[2] for request in self.wire.requests]
        self.wire.requests.clear()
        return made


@pytest.fixture
async def replicas(tmp_path: Path) -> AsyncIterator[Replicas]:
    replicas = Replicas(tmp_path)
    yield replicas
    for journal in replicas.journals:
        await journal.aclose()


async def read(source: Source, kind: Kind, key: str) -> object:
    fetch = Fetch.CUSTOMER if kind is Kind.CUSTOMER else Fetch.INVOICE
    (found,) = await source.fetch_many(fetch, [Ref("src", kind, key)], make_scope(1e6))
    return found


async def test_customers_and_invoices_of_tills_are_read_by_one_and_are_the_same_for_the_other(replicas: Replicas) -> None:
    one, two = await replicas.source(TILLS), await replicas.source(TILLS)
    read_by_one = [await read(one, Kind.CUSTOMER, CUSTOMER), await read(one, Kind.INVOICE, INVOICE)]
    assert replicas.calls() == ["GetCustomers", "GetCustomerInvoice"]

    read_by_two = [await read(two, Kind.CUSTOMER, CUSTOMER), await read(two, Kind.INVOICE, INVOICE)]

    assert read_by_two == read_by_one
    assert [type(record) for record in read_by_two] == [Customer, Invoice]
    assert replicas.calls() == []


async def test_a_minute_later_one_reads_what_has_changed_for_both(replicas: Replicas) -> None:
    one, two = await replicas.source(TILLS), await replicas.source(TILLS)
    await read(one, Kind.CUSTOMER, CUSTOMER)
    await read(two, Kind.CUSTOMER, CUSTOMER)
    since = replicas.wire.requests[0].url
    replicas.clock.advance(60)
    replicas.calls()

    await read(two, Kind.CUSTOMER, CUSTOMER)
    assert replicas.wire.requests[0].url != since  # an increment, though this one has never read all
    await read(one, Kind.CUSTOMER, CUSTOMER)

    assert replicas.calls() == ["GetCustomers"]


async def test_a_sweep_of_customers_is_made_by_one_and_unreadable_ones_are_so_for_the_other(replicas: Replicas) -> None:
    one, two = await replicas.source(SITE), await replicas.source(SITE)
    keys = json.loads(COMPILATOR_CUSTOMER)["CustomerNo"], 7
    read_by_one = [await read(one, Kind.CUSTOMER, str(key)) for key in keys]
    assert len(replicas.calls()) == 1

    read_by_two = [await read(two, Kind.CUSTOMER, str(key)) for key in keys]

    assert isinstance(read_by_one[0], Customer)
    assert read_by_one[0].raw == COMPILATOR_CUSTOMER.encode()
    assert read_by_two[0] == replace(read_by_one[0], raw=COMPILATOR_CUSTOMER.replace("\n", " ").encode())
    assert repr(read_by_two[1]) == repr(read_by_one[1])
    assert replicas.calls() == []


@pytest.mark.parametrize(
    "changes",
    [
        {"base_url": "https://other.example"},
        {"terminal_ids": [OTHER_TILL]},
        {"auth": {"kind": "basic", "username": "u", "password": "another"}},
        {"headers": {"X-Tenant": "2"}},
        {"window_start": "2021-01-01"},
    ],
)
async def test_another_configuration_has_other_windows(replicas: Replicas, changes: dict[str, Any]) -> None:
    own = {**TILLS, "auth": {"kind": "basic", "username": "u", "password": "secret"}, "headers": {"X-Tenant": "1"}}
    one, two = await replicas.source(own), await replicas.source({**own, **changes})
    await read(one, Kind.CUSTOMER, CUSTOMER)
    await read(two, Kind.CUSTOMER, CUSTOMER)

    assert replicas.calls() == ["GetCustomers", "GetCustomers"]


async def test_the_database_tells_nothing_of_a_person(replicas: Replicas) -> None:
    one = await replicas.source(TILLS)
    customer = await read(one, Kind.CUSTOMER, CUSTOMER)
    await read(one, Kind.INVOICE, INVOICE)

    assert isinstance(customer, Customer)
    assert customer.name
    assert customer.name.encode() not in replicas.stored
    assert CUSTOMER.encode() not in replicas.stored
    assert INVOICE.encode() not in replicas.stored


async def test_nothing_is_stored_unless_it_is_configured(replicas: Replicas) -> None:
    for table in (TILLS, SITE):
        for source in (await replicas.source(table, share_windows=False), await replicas.source(table, share_windows=False)):
            await read(source, Kind.CUSTOMER, CUSTOMER)

    assert len(replicas.calls()) == 4
    assert await replicas.journals[0].windows.forget("src") == 0


def test_a_source_without_windows_has_none_to_share() -> None:
    table = {"system": "norce", "base_url": "https://api.example", "application_id": 1, "share_windows": True}

    with pytest.raises(SettingsError) as raised:
        settings_from({"server": {"state": "sqlite://"}, "sources": {"src": table}})

    assert "configuration: sources.src.share_windows: unknown key" in raised.value.lines


async def test_in_memory_nothing_is_stored(replicas: Replicas) -> None:
    await read(await replicas.source(TILLS, state="sqlite://"), Kind.CUSTOMER, CUSTOMER)

    assert await replicas.journals[0].windows.forget("src") == 0


def test_in_memory_there_is_nobody_to_share_with() -> None:
    settings = settings_from({"server": {"state": "sqlite://"}, "sources": {"pos": TILLS, "site": {**SITE, "share_windows": False}}})

    assert [notice for notice in settings.notices if "share_windows" in notice] == [
        "sources.pos.share_windows: not used while server.state is in memory, which no other process has in common"
    ]
