"""Documents are read once and kept within bounds, whoever asks for what."""

from __future__ import annotations

import pytest
import strawberry

from gateway.errors import LimitExceeded
from gateway.execution.document import Facts
from gateway.execution.documents import Documents, ReadDocument
from gateway.execution.limits import DocumentLimits


@strawberry.type
class Query:
    greeting: str = "hello"

    @strawberry.field
    def echo(self, text: str) -> str:
        return text


@strawberry.type
class Mutation:
    @strawberry.mutation
    def write(self) -> str:
        return "written"


SCHEMA = strawberry.Schema(query=Query, mutation=Mutation)._schema  # noqa: SLF001  (Strawberry's own is around it)


def documents(*, max_characters: int = 1_000, limits: DocumentLimits | None = None) -> Documents:
    return Documents(SCHEMA, limits or DocumentLimits(), max_characters=max_characters)


def read_twice(known: Documents, query: str) -> ReadDocument:
    known.read(query)
    return known.read(query)


def test_a_document_is_kept_from_its_second_time_on() -> None:
    known = documents()
    first = known.read("{ greeting }")
    second = known.read("{ greeting }")

    assert second is not first
    assert known.read("{ greeting }") is second


def test_documents_that_come_once_push_out_none_that_comes_again() -> None:
    known = documents(max_characters=100)
    kept = read_twice(known, "{ greeting }")

    for number in range(500):
        known.read(f'{{ echo(text: "{number}") }}')

    assert known.read("{ greeting }") is kept


def test_of_more_characters_than_are_kept_the_latest_used_stay() -> None:
    known = documents(max_characters=50)
    oldest, used = (read_twice(known, f'{{ echo(text: "{name}") }}') for name in "ab")  # 21 characters each
    assert known.read('{ echo(text: "a") }') is oldest
    assert known.read('{ echo(text: "b") }') is used
    assert known.read('{ echo(text: "a") }') is oldest

    read_twice(known, '{ echo(text: "c") }')

    assert known.read('{ echo(text: "a") }') is oldest
    assert known.read('{ echo(text: "b") }') is not used


def test_a_document_that_is_larger_than_all_that_is_kept_is_not_kept() -> None:
    known = documents(max_characters=5)

    assert read_twice(known, "{ greeting }") is not known.read("{ greeting }")


def test_a_document_beyond_the_limits_is_refused_each_time() -> None:
    known = documents(limits=DocumentLimits(aliases=0))

    for _ in range(3):
        with pytest.raises(LimitExceeded, match="aliases"):
            known.read("{ a: greeting }")


def test_what_is_no_document_says_so_and_tells_nothing() -> None:
    document = read_twice(documents(), "{ greeting")

    assert document.node is None
    assert [error.message for error in document.errors] == ["Syntax Error: Expected Name, found <EOF>."]
    assert document.facts(None) == Facts()
    assert document.plans(None) is None


def test_what_the_schema_does_not_have_is_told_without_a_suggestion() -> None:
    (error,) = documents().read("{ greetings }").errors

    assert error.message == "Cannot query field 'greetings' on type 'Query'."


def test_the_operation_that_is_named_is_looked_at_and_planned() -> None:
    document = documents().read("query Read { greeting } mutation Write { write }")

    assert document.errors == ()
    assert (document.facts("Read").is_mutation, document.facts("Write").is_mutation) == (False, True)
    assert not document.facts(None).names_one_operation
    assert not document.facts("Other").names_one_operation
    assert document.plans(None) is document.plans("Other") is None
    assert document.plans("Read") is document.plans("Read") is not document.plans("Write")


def test_names_that_no_operation_has_are_not_kept() -> None:
    document = documents().read("query Read { greeting }")

    for number in range(100):
        document.facts(f"Other{number}")

    assert document.facts("Read") is document.facts("Read")
    assert document.facts("Other1") is not document.facts("Other1")
