"""Documents as a user gives them: which operation is meant, and what is wrong with them in one line."""

from __future__ import annotations

import pytest

from gateway.client.columns import columns_of
from gateway.client.document import read_document
from gateway.client.mistake import Mistake


def mistake_in(text: str, operation: str | None = None) -> str:
    with pytest.raises(Mistake) as caught:
        read_document(text, "q.graphql", operation)
    return str(caught.value)


def test_a_mistake_in_the_syntax_has_its_place() -> None:
    assert mistake_in("{ a") == "q.graphql:1:4: Syntax Error: Expected Name, found <EOF>."


def test_one_of_several_operations_must_be_chosen() -> None:
    text = "query A { a } query B { b }"

    assert mistake_in(text) == "q.graphql: it has several operations; choose by --operation: A, B"
    assert mistake_in(text, "C") == "q.graphql: --operation C: there is no such operation, only A, B"
    assert [field.key for field in read_document(text, "q.graphql", "B").fields] == ["b"]


def test_fragments_alone_are_no_operation() -> None:
    assert mistake_in("fragment F on Invoice { id }") == "q.graphql: there is no operation in it"


def test_what_is_selected_in_several_places_is_one_column_where_it_comes_first() -> None:
    text = "{ a { x ...F y { p } } } fragment F on A { y { q } ... on B { z } x }"

    assert [column.title for column in columns_of(read_document(text, "q").fields)] == ["a.x", "a.y.q", "a.y.p", "a.z"]


def test_a_fragment_in_itself_and_one_that_is_not_there_are_left_to_the_gateway() -> None:
    fields = read_document("{ a { ...F ...Gone } } fragment F on A { x b { ...F } }", "q").fields

    assert [column.title for column in columns_of(fields)] == ["a.x", "a.b"]
