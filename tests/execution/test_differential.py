"""The same operation over the same world, once by a plan and once by graphql-core.

What must be equal:

- the data, with the order of its keys;
- the errors. graphql-core tells them in the order in which fields happened to complete. Where a null takes its surroundings along, it
  tells the one that was first, and what failed inside only if that was earlier still. So an error counts by the place that it has made
  null, and one below another such place does not count. Places must be the same; an error of graphql-core's must be among those that
  this execution has found for that place; and of those this one tells the first in the order of the answer. Where nothing was taken
  along there is one error to a place, and so all of it is the same: message, locations, path, extensions;
- the upstream calls: nothing is asked more often than by graphql-core, but for what comes of this: what is asked below a list waits for
  all of its objects, where graphql-core goes on below each that is there. So keys may come in another batch, one or two more, and where
  a source gives only what is asked of it a key may be read again, for what another batch would have asked too. And only where a null has
  taken something along may there be more calls, as graphql-core then gives up on what else was about to be read there;
- a plan was made. Only a variable of `@skip` or `@include` that is null, which is an error, is left to graphql-core.

`DIFFERENTIAL_EXAMPLES=4000 pytest --hypothesis-profile=explore tests/execution/test_differential.py` tries many more.
"""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Iterator
from typing import Final

import msgspec
import pytest
from graphql import parse, validate
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from gateway.execution.run import Counts
from gateway.sources.base import Fetch
from tests.execution.documents import Asked, operations
from tests.execution.executions import SCHEMA, Outcome, plans_of, run_core, run_plan
from tests.execution.pools import POOLS
from tests.execution.worlds import World, worlds

pytestmark = pytest.mark.anyio

_EXAMPLES: Final = settings(
    max_examples=int(os.environ.get("DIFFERENTIAL_EXAMPLES", "100")),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
_LATE: Final = 2
_IS_USED_AGAIN: Final = st.sampled_from([False, False, True])


@pytest.fixture(scope="module", autouse=True)
def _silence() -> Iterator[None]:
    """Log no bugs of sources: there are thousands."""
    logger = logging.getLogger("gateway")
    logger.disabled = True
    yield
    logger.disabled = False


def asked(kind: str, *roots: str) -> st.SearchStrategy[Asked]:
    return operations(SCHEMA, POOLS, kind, roots)


async def check(asked: Asked, world: World, *, is_used_again: bool) -> None:
    document = parse(asked.text)
    refused = [error.message for error in validate(SCHEMA, document)]
    assume("Maximum introspection depth exceeded" not in refused)  # it is seldom asked at all
    assert refused == []
    plans, counts = plans_of(document), Counts()
    if is_used_again:
        await run_plan(_with_other_conditions(asked), document, world, plans, counts)
    by_core = await run_core(asked, document, world)
    by_plan = await run_plan(asked, document, world, plans, counts)
    _compare(by_plan, by_core, world)
    assert counts.fallbacks == 0 or any(asked.variables.get(name, True) is None for name in asked.conditions)


def _with_other_conditions(asked: Asked) -> Asked:
    others = {name: not asked.variables[name] for name in asked.conditions if isinstance(asked.variables.get(name), bool)}
    return Asked(asked.text, {**asked.variables, **others}, asked.conditions)


def _compare(by_plan: Outcome, by_core: Outcome, world: World) -> None:
    assert msgspec.json.encode(by_plan.data) == msgspec.json.encode(by_core.data)  # the order of keys too
    assert by_plan.errors.keys() == by_core.errors.keys()
    for place, error in by_core.errors.items():
        found = by_plan.candidates.get(place)
        if found is not None:
            assert error in found
            assert by_plan.errors[place] == found[0]
        else:  # the request itself was refused, before anything was executed
            assert by_plan.errors[place] == error
    if by_core.is_cut or by_plan.is_cut:
        return
    assert sorted(by_plan.told) == sorted(by_core.told)
    assert _only_reads(by_plan.calls - by_core.calls).total() <= (_LATE if world.is_narrow else 0)
    assert by_plan.batches.total() <= by_core.batches.total() + _LATE


def _only_reads(more: Counter[tuple[object, ...]]) -> Counter[tuple[object, ...]]:
    """Give what was asked more often, which can only be keys: no page, search or write is."""
    assert [what for what in more if not isinstance(what[0], Fetch)] == []
    return more


@_EXAMPLES
@given(asked("query", "node", "nodes"), worlds, _IS_USED_AGAIN)
async def test_objects_by_their_ids_are_the_same(asked: Asked, world: World, is_used_again: bool) -> None:  # noqa: FBT001
    await check(asked, world, is_used_again=is_used_again)


@_EXAMPLES
@given(asked("query", "customer", "order", "invoice"), worlds, _IS_USED_AGAIN)
async def test_objects_that_are_looked_up_are_the_same(asked: Asked, world: World, is_used_again: bool) -> None:  # noqa: FBT001
    await check(asked, world, is_used_again=is_used_again)


@_EXAMPLES
@given(asked("query", "customers", "orders", "invoices"), worlds, _IS_USED_AGAIN)
async def test_lists_are_the_same(asked: Asked, world: World, is_used_again: bool) -> None:  # noqa: FBT001
    await check(asked, world, is_used_again=is_used_again)


@_EXAMPLES
@given(asked("query", *(SCHEMA.query_type.fields if SCHEMA.query_type else ())), worlds, _IS_USED_AGAIN)
async def test_any_queries_are_the_same(asked: Asked, world: World, is_used_again: bool) -> None:  # noqa: FBT001
    await check(asked, world, is_used_again=is_used_again)


@_EXAMPLES
@given(asked("mutation", *(SCHEMA.mutation_type.fields if SCHEMA.mutation_type else ())), worlds)
async def test_mutations_are_the_same(asked: Asked, world: World) -> None:
    await check(asked, world, is_used_again=False)
