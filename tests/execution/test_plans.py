"""Plans over a small graph: what the gateway's own has not, or has seldom. What is not said to differ is as graphql-core has it."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from graphql import MiddlewareManager
from graphql.pyutils import AbortController

from gateway.execution.run import Counts
from tests.execution.small import Absent, Answer, Colour, awaiting, by_both, by_core, by_plan, item, later, plans_of

pytestmark = pytest.mark.anyio

NULL_NAME = "Cannot return null for non-nullable field Item.name."


def root(**fields: object) -> SimpleNamespace:
    return SimpleNamespace(**fields)


def always(**fields: object) -> Callable[[], SimpleNamespace]:
    return lambda: root(**fields)


# ------------------------------------------------------------------ null


async def test_a_null_takes_all_lists_of_lists_along_that_may_not_have_it() -> None:
    answer = await by_both("{ grid { name } }", always(grid=[[item("a")], [item("b"), item(None)]]))
    assert answer == Answer({"grid": None}, [(["grid", 1, 1, "name"], NULL_NAME)])


async def test_a_null_stops_at_the_innermost_place_that_may_be_null() -> None:
    answer = await by_both("{ loose { name } }", always(loose=[[item("a"), item(None)], None, [None]]))
    assert answer == Answer({"loose": [[{"name": "a"}, None], None, [None]]}, [(["loose", 0, 1, "name"], NULL_NAME)])


async def test_a_null_leaf_takes_its_list_along_up_to_the_list_that_may_be_null() -> None:
    answer = await by_both("{ deep }", always(deep=[[["a"], ["b", None]], [["c"]]]))
    assert answer == Answer({"deep": [None, [["c"]]]}, [(["deep", 0, 1, 1], "Cannot return null for non-nullable field Query.deep.")])


async def test_nothing_is_left_when_the_root_has_a_null_that_may_not_be() -> None:
    answer = await by_both("{ text strict { name } }", always(text="a", strict=item(None)))
    assert answer == Answer(None, [(["strict", "name"], NULL_NAME)])


async def test_what_is_absent_is_null_as_the_default_resolver_has_it() -> None:
    answer = await by_both(
        "{ text item { name } items { note } }", always(text=Absent.ABSENT, item=Absent.ABSENT, items=[item(note=Absent.ABSENT)])
    )
    assert answer == Answer({"text": None, "item": None, "items": [{"note": None}]}, [])


async def test_one_null_is_told_once_though_several_fields_failed_below_it() -> None:
    answer = await by_plan("{ item { sure name } }", root(item=item(None, own=awaiting(ValueError("late"), 3))))
    assert answer == Answer({"item": None}, [(["item", "sure"], "late")])


# ------------------------------------------------------------------ errors


async def test_errors_are_told_in_the_order_of_the_answer_whoever_was_first() -> None:
    slow, quick = awaiting(ValueError("slow"), 5), awaiting(ValueError("quick"))
    answer = await by_plan("{ items { own } item { own } }", root(items=[item(own=slow), item(own=quick)], item=item(own=quick)))
    assert answer.errors == [(["items", 0, "own"], "slow"), (["items", 1, "own"], "quick"), (["item", "own"], "quick")]


async def test_exceptions_as_values_fail_at_their_places_in_lists() -> None:
    answer = await by_both("{ items { name } words }", always(items=[item("a"), ValueError("b")], words=["a", KeyError("b"), None]))
    assert answer == Answer({"items": [{"name": "a"}, None], "words": ["a", None, None]}, [(["items", 1], "b"), (["words", 1], "'b'")])


async def test_an_object_without_the_attribute_fails_alone() -> None:
    answer = await by_both("{ items { note } }", always(items=[item(note="a"), SimpleNamespace(), item(note="c")]))
    assert answer.data == {"items": [{"note": "a"}, {"note": None}, {"note": "c"}]}
    assert [path for path, _ in answer.errors] == [["items", 1, "note"]]


# ------------------------------------------------------------------ resolvers


async def test_extensions_and_permissions_of_fields_run() -> None:
    answer = await by_both("{ items { loud guarded } }", always(items=[item("known", own="a"), item("b", own="b")]))
    assert answer == Answer(
        {"items": [{"loud": "a!", "guarded": "a"}, {"loud": "b!", "guarded": None}]}, [(["items", 1, "guarded"], "not for you")]
    )


async def test_a_field_may_have_to_be_waited_for_with_some_objects_only() -> None:
    things = always(items=[item(own="now"), item(own=awaiting("later", 3)), item(own=None), item(own=awaiting(ValueError("no")))])
    answer = await by_both("{ items { own name } }", things)
    assert answer == Answer({"items": [{"own": own, "name": "a"} for own in ("now", "later", None, None)]}, [(["items", 3, "own"], "no")])


async def test_items_of_lists_may_have_to_be_waited_for() -> None:
    def things() -> SimpleNamespace:
        one, other = later(item("b", own=awaiting("own")), 2), later(ValueError("no"))
        return root(items=[item("a"), one, other], deep=[[later(["x", "y"]), ["z"]], None], words=[later(None), "w"])

    answer = await by_both("{ items { name own } deep words }", things)
    assert answer == Answer(
        {
            "items": [{"name": "a", "own": None}, {"name": "b", "own": "own"}, None],
            "deep": [[["x", "y"], ["z"]], None],
            "words": [None, "w"],
        },
        [(["items", 2], "no")],
    )


async def test_what_is_asked_below_an_object_is_merged_with_all_its_places() -> None:
    query = "{ item { name } ...F } fragment F on Query { item { again: name inner { name } } item { inner { note } } }"
    answer = await by_both(query, always(item=item("a", inner=item("b", note="n"))))
    assert answer.data == {"item": {"name": "a", "again": "a", "inner": {"name": "b", "note": "n"}}}


# ------------------------------------------------------------------ resolvers of many objects


def both_ways(column: Callable[[list[Any]], Any]) -> list[Any]:
    async def awaited(roots: list[Any], _info: object) -> Any:  # noqa: ANN401  (a column)
        return await later(column(roots))

    return [lambda roots, _info: column(roots), awaited]


THREE = always(items=[item("a"), item("b"), item("c")])


@pytest.mark.parametrize("resolve", both_ways(lambda roots: [each.name.upper() for each in roots]), ids=["now", "later"])
async def test_a_resolver_of_many_gives_each_object_its_value(resolve: object) -> None:
    assert await by_both("{ items { many } }", THREE, context=resolve) == Answer({"items": [{"many": name} for name in "ABC"]}, [])


@pytest.mark.parametrize("resolve", both_ways(lambda roots: [KeyError(each.name) if each.name == "b" else each.name for each in roots]))
async def test_an_exception_among_the_values_of_many_is_of_its_object(resolve: object) -> None:
    answer = await by_both("{ items { many } }", THREE, context=resolve)
    assert answer == Answer({"items": [{"many": "a"}, {"many": None}, {"many": "c"}]}, [(["items", 1, "many"], "'b'")])


@pytest.mark.parametrize("resolve", both_ways(lambda roots: [{"a": "A", "c": "C"}[each.name] for each in roots]), ids=["now", "later"])
async def test_a_resolver_of_many_that_fails_for_one_takes_no_other_along(resolve: object) -> None:
    answer = await by_both("{ items { many } }", THREE, context=resolve)
    assert answer == Answer({"items": [{"many": "A"}, {"many": None}, {"many": "C"}]}, [(["items", 1, "many"], "'b'")])


async def test_a_resolver_of_many_is_called_once_for_all_lists() -> None:
    asked: list[int] = []

    def resolve(roots: list[Any], _info: object) -> list[str]:
        asked.append(len(roots))
        return [each.name for each in roots]

    await by_plan("{ grid { many } }", root(grid=[[item("a"), item("b")], [], [item("c")]]), context=resolve)
    assert asked == [3]


@pytest.mark.parametrize("resolve", both_ways(lambda _roots: ["only"]), ids=["now", "later"])
async def test_too_few_values_are_a_failure_of_each_object(resolve: object) -> None:
    answer = await by_plan("{ items { name many } }", THREE(), context=resolve)
    assert answer == Answer(
        {"items": [{"name": name, "many": None} for name in "abc"]},
        [(["items", at, "many"], "a field of 3 objects was given 1 values") for at in range(3)],
    )


async def test_what_is_neither_values_nor_waits_for_them_is_a_failure_of_each_object() -> None:
    answer = await by_plan("{ items { name many } }", THREE(), context=lambda _roots, _info: ("a", "b", "c"))
    assert answer.data == {"items": [{"name": name, "many": None} for name in "abc"]}
    assert [path for path, _ in answer.errors] == [["items", at, "many"] for at in range(3)]


# ------------------------------------------------------------------ values


def broken() -> Iterator[str]:
    yield "a"
    raise ValueError("no more")


@pytest.mark.parametrize(
    "words", [["a", "b"], ("a", "b"), {"a": 1, "b": 2}.keys(), (word for word in ("a", "b"))], ids=["list", "tuple", "keys", "generator"]
)
async def test_whatever_can_be_gone_through_is_a_list(words: object) -> None:
    assert await by_plan("{ words }", root(words=words)) == Answer({"words": ["a", "b"]}, [])


async def test_a_set_is_a_list_and_objects_in_a_generator_too() -> None:
    answer = await by_both("{ words items { name } }", lambda: root(words={"a"}, items=(item(name) for name in "ab")))
    assert answer == Answer({"words": ["a"], "items": [{"name": "a"}, {"name": "b"}]}, [])


@pytest.mark.parametrize("words", ["text", 7, item()], ids=["text", "number", "object"])
async def test_what_cannot_be_gone_through_is_no_list(words: object) -> None:
    answer = await by_both("{ words text }", always(words=words, text="a"))
    assert answer == Answer({"words": None, "text": "a"}, [(["words"], "Expected Iterable, but did not find one for field 'Query.words'.")])


async def test_a_list_that_breaks_off_is_a_failure_of_its_field() -> None:
    answer = await by_both("{ words text }", lambda: root(words=broken(), text="a"))
    assert answer == Answer({"words": None, "text": "a"}, [(["words"], "no more")])


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("colour", "green"), ("colour", 7), ("colour", []), ("number", 2**31), ("number", "x"), ("number", 1.5), ("ratio", float("nan")),
        ("ratio", "x"), ("text", []), ("odd", 0), ("odd", -1),
    ],
)  # fmt: skip
async def test_a_value_that_cannot_be_shown_is_a_failure_of_its_field(field: str, value: object) -> None:
    answer = await by_both(f"{{ {field} other: {field} }}", always(**{field: value}))
    assert answer.data == {field: None, "other": None}
    assert [path for path, _ in answer.errors] == [[field], ["other"]]


@pytest.mark.parametrize(
    ("field", "value", "shown"),
    [
        ("colour", Colour.RED, "RED"), ("number", 2**31 - 1, 2**31 - 1), ("number", True, 1), ("number", "7", 7), ("ratio", 1, 1.0),
        ("text", 7, "7"), ("text", True, "true"), ("odd", [1], [1]),
    ],
)  # fmt: skip
async def test_a_value_of_another_type_is_shown_as_graphql_core_does(field: str, value: object, shown: object) -> None:
    answer = await by_both(f"{{ {field} }}", always(**{field: value}))
    assert repr(answer) == repr(Answer({field: shown}, []))


async def test_an_object_that_its_type_does_not_recognise_is_a_failure_of_its_place() -> None:
    answer = await by_both("{ picky { name } }", lambda: root(picky=[item("a"), item("other"), None, SimpleNamespace()]))
    assert answer.data == {"picky": [{"name": "a"}, None, None, None]}
    assert [path for path, _ in answer.errors] == [["picky", 1], ["picky", 3]]


async def test_one_value_that_cannot_be_shown_leaves_the_others() -> None:
    answer = await by_both("{ words }", always(words=["a", [], 3, None]))
    assert answer.data == {"words": ["a", None, "3", None]}
    assert [path for path, _ in answer.errors] == [["words", 1]]


# ------------------------------------------------------------------ conditions


async def test_each_set_of_conditions_has_its_plan() -> None:
    query = """
        query ($a: Boolean!, $b: Boolean = true) { item { name @skip(if: $a) ...F @include(if: $b) } }
        fragment F on Item { note @skip(if: $a) own }
    """
    plans = plans_of(query)
    for a, b in [(True, True), (False, True), (True, False), (False, False), (True, True)]:
        variables = {"a": a, "b": b}
        given = root(item=item("n", note="m", own="o"))
        assert await by_plan(query, given, variables=variables, plans=plans) == await by_core(query, given, variables=variables)
    assert len(plans._plans) == 4  # noqa: SLF001  (nothing else tells it)


async def test_only_the_latest_plans_are_kept() -> None:
    names = "abcde"
    fields = " ".join(f"{name}: text @skip(if: ${name})" for name in names)
    query = f"query ({', '.join(f'${name}: Boolean!' for name in names)}) {{ {fields} }}"
    plans = plans_of(query)
    for values in itertools.product([False, True], repeat=len(names)):
        variables = dict(zip(names, values, strict=True))
        answer = await by_plan(query, root(text="x"), variables=variables, plans=plans)
        assert answer.data == {name: "x" for name in names if not variables[name]}
    assert len(plans._plans) == 16  # noqa: SLF001  (as above)


async def test_of_an_object_whose_fields_are_all_skipped_nothing_is_shown() -> None:
    answer = await by_both(
        "{ item { name @skip(if: true) } items { name @include(if: false) } }", always(item=item(), items=[item(), None])
    )
    assert answer == Answer({"item": {}, "items": [{}, None]}, [])
    assert await by_both("{ text @skip(if: true) }", always()) == Answer({}, [])


async def test_a_condition_that_is_null_is_an_error_where_it_stands() -> None:
    query, counts = "query ($a: Boolean = true) { text item { name @skip(if: $a) } }", Counts()
    given = root(text="x", item=item())
    answer = await by_plan(query, given, variables={"a": None}, counts=counts)
    assert answer == await by_core(query, given, variables={"a": None})
    assert (answer.data, counts.fallbacks) == ({"text": "x", "item": None}, 1)


# ------------------------------------------------------------------ operations


async def test_of_two_operations_the_named_one_is_executed() -> None:
    query = "query A { text } query B($c: Boolean!) { number ...F } fragment F on Query { item { name @include(if: $c) } }"
    given = root(text="x", number=1, item=item("n"))
    assert (await by_plan(query, given, operation="A")).data == {"text": "x"}
    assert (await by_plan(query, given, operation="B", variables={"c": True})).data == {"number": 1, "item": {"name": "n"}}


async def test_fields_of_a_mutation_are_carried_out_one_after_another() -> None:
    log: list[str] = []

    async def write(name: str) -> Any:  # noqa: ANN401  (as good as an Item)
        log.append(f"{name} begins")
        return item(name, own=lambda: below(name))

    async def below(name: str) -> str:
        log.append(f"{name} is read")
        return str(await later("x", 3))

    given = root(first=lambda: write("first"), second=lambda: write("second"))
    answer = await by_plan("mutation { second { own } first { own } }", given)
    assert answer == Answer({"second": {"own": "x"}, "first": {"own": "x"}}, [])
    assert log == ["second begins", "second is read", "first begins", "first is read"]


@pytest.mark.parametrize("failing", [ValueError("no"), None, item(None)], ids=["error", "null", "null inside"])
async def test_nothing_more_is_written_once_the_answer_is_lost(failing: object) -> None:
    written: list[str] = []

    def things() -> SimpleNamespace:
        return root(first=awaiting(failing), second=lambda: written.append("second"))

    answer = await by_both("mutation { first { name } second { name } }", things)
    assert (answer.data, written) == (None, [])


async def test_what_follows_a_failed_field_that_may_be_null_is_written() -> None:
    answer = await by_both("mutation { second { name } first { name } }", always(first=awaiting(item()), second=awaiting(ValueError("no"))))
    assert answer == Answer({"second": None, "first": {"name": "a"}}, [(["second"], "no")])


# ------------------------------------------------------------------ what no plan is made of


@pytest.mark.parametrize(
    "how",
    [{"abort_signal": AbortController().signal}, {"middleware": MiddlewareManager(lambda resolve, *args, **more: resolve(*args, **more))}],
    ids=["abort signal", "middleware"],
)
async def test_an_abort_signal_and_middleware_are_graphql_cores(how: dict[str, Any]) -> None:
    counts = Counts()
    assert await by_plan("{ text }", root(text="x"), counts=counts, **how) == Answer({"text": "x"}, [])
    assert (counts.planned, counts.fallbacks) == (0, 1)


async def test_a_directive_of_the_operation_is_graphql_cores() -> None:
    counts = Counts()
    answer = await by_plan("query @experimental_disableErrorPropagation { strict { name } }", root(strict=item(None)), counts=counts)
    assert answer == Answer({"strict": {"name": None}}, [(["strict", "name"], NULL_NAME)])
    assert counts.fallbacks == 1


async def test_a_subscription_is_graphql_cores() -> None:
    counts = Counts()
    assert (await by_plan("subscription { ticks }", 7, counts=counts)).data == {"ticks": 7}
    assert counts.fallbacks == 1


# ------------------------------------------------------------------ cancelling


async def test_nothing_runs_on_when_an_execution_is_cancelled() -> None:
    before, ended = asyncio.all_tasks(), list[str]()
    begun = asyncio.Barrier(4)

    async def endless(name: str) -> None:
        try:
            await begun.wait()
            await asyncio.Event().wait()
        finally:
            ended.append(name)

    def resolve(roots: list[Any], _info: object) -> Any:  # noqa: ANN401  (a column, later)
        return endless(f"many of {len(roots)}")

    given = root(items=[item(own=lambda: endless("own of a")), item(own=lambda: endless("own of b"))])
    executing = asyncio.create_task(by_plan("{ items { own many name } }", given, context=resolve))
    await begun.wait()
    executing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await executing
    assert sorted(ended) == ["many of 2", "own of a", "own of b"]
    assert asyncio.all_tasks() == before
