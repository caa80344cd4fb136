"""Every field of the five published pages can be read and written through the graph: `ledger.toml` says where, these tests try it."""

from __future__ import annotations

import json
import tomllib
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from copy import deepcopy
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.ledger.upstreams import PAGES, Asking, Tree, opened

pytestmark = pytest.mark.anyio

FOLDER = Path(__file__).parent
LEDGER: dict[str, dict[str, Tree]] = tomllib.loads((FOLDER / "ledger.toml").read_text(encoding="utf-8"), parse_float=Decimal)
PARAMETERS = LEDGER.pop("parameters")
READ_AND_WRITTEN = {"nimpos-invoice", "compilator-settings", "norce-invoice"}
"""Pages of a model that is sent as well as answered; the other two are answers alone."""


def sample_of(page: str) -> Tree:
    sample: Tree = json.loads((FOLDER / "samples" / f"{page}.json").read_text(encoding="utf-8"), parse_float=Decimal)
    return sample


def names_in(tree: object) -> Iterator[str]:
    if isinstance(tree, dict):
        yield from tree
    for item in tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ():
        yield from names_in(item)


def rows(column: str) -> pytest.MarkDecorator:
    found = [(page, name) for page, fields in LEDGER.items() for name, row in fields.items() if column in row]
    return pytest.mark.parametrize(("page", "name"), found, ids=[f"{page}.{name}" for page, name in found])


def at(tree: Any, path: str) -> Any:  # noqa: ANN401  (any JSON value)
    """Give what stands at a path such as `orders.0.number`; None when there is nothing."""
    for part in path.split("."):
        if isinstance(tree, list):
            tree = tree[int(part)] if int(part) < len(tree) else None
        elif isinstance(tree, dict):
            tree = tree.get(part)
    return tree


def put(tree: Tree, path: str, value: object) -> Tree:
    """Copy a tree with another value at a path."""
    copy = deepcopy(tree)
    *above, last = path.split(".")
    place: Any = copy
    for part in above:
        place = place[int(part)] if isinstance(place, list) else place.setdefault(part, {})
    place[last] = value
    return copy


@pytest.fixture(scope="module")
async def asking(anyio_backend: str) -> AsyncIterator[dict[str, Asking]]:
    del anyio_backend
    async with AsyncExitStack() as stack:
        yield {name: await stack.enter_async_context(opened(page)) for name, page in PAGES.items()}


@rows("read")
async def test_a_field_of_a_page_is_read_at_its_place_in_the_graph(page: str, name: str, asking: dict[str, Asking]) -> None:
    row = LEDGER[page][name]
    before = sample_of(page) | row.get("beside", {})
    seen_before = await asking[page].read(before)
    seen_after = await asking[page].read(put(before, row.get("at", name), row["sent"]))
    assert {path: at(seen_after, path) for path in row["read"]} == row["read"]
    assert [path for path, value in row["read"].items() if at(seen_before, path) == value] == []


@rows("write")
async def test_a_field_of_a_page_is_written_from_its_argument(page: str, name: str, asking: dict[str, Asking]) -> None:
    row, variables = LEDGER[page][name], PAGES[page].variables
    body = await asking[page].write(put(variables, row["write"], row.get("given", row["sent"])))
    expected = row.get("arrives", row["sent"])
    assert body[name] == expected
    assert (await asking[page].write(variables)).get(name) != expected


@pytest.mark.parametrize("page", PAGES)
def test_the_ledger_has_each_field_that_the_vendors_sample_has_and_no_other(page: str) -> None:
    assert sorted(LEDGER[page]) == sorted(set(names_in(sample_of(page))))


@pytest.mark.parametrize("page", PAGES)
def test_each_field_is_read_and_where_it_is_sent_too_it_is_written(page: str) -> None:
    needed = {"read", "write"} if page in READ_AND_WRITTEN else {"read"}
    assert [name for name, row in LEDGER[page].items() if not needed <= row.keys()] == []


def test_the_settings_are_answered_with_a_part_of_what_they_are_written_with() -> None:
    answered = list(sample_of("compilator-settings-answer"))
    assert [*answered, "ReverseTax"] == list(sample_of("compilator-settings"))


@pytest.mark.parametrize("name", PARAMETERS)
async def test_a_parameter_of_a_page_is_the_key_of_an_object_of_the_graph(name: str, asking: dict[str, Asking]) -> None:
    row = PARAMETERS[name]
    page = asking[row["page"]]
    page.sample = sample_of(row["page"]) | row.get("beside", {})
    seen = await page.ask(row["ask"], {})
    assert {path: at(seen, path) for path in row["read"]} == row["read"]
    assert row["asked"] in page.lines
