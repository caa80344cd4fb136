"""Cells of a table as variables, by the types that the graph declares."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.client import json_text
from gateway.client.cells import Cells
from gateway.client.document import read_document
from gateway.client.mistake import Mistake
from gateway.schema import print_schema

SDL = print_schema()
TEXT = (
    "mutation ($source: String!, $input: CreateInvoiceInput!, $n: Int, $x: Float, $dry: Boolean, $mode: SettingsWriteMode, $ids: [ID!],"
    " $odd: Nothing) { createInvoice(source: $source, input: $input) { outcome } }"
)


def variables_of(**cells: str) -> dict[str, Any]:
    return made_of({name.replace("__", "."): text for name, text in cells.items()})


def made_of(cells: dict[str, str]) -> dict[str, Any]:
    made = Cells(read_document(TEXT, "m.graphql").variables, lambda: SDL).to_variables(cells)
    read: dict[str, Any] = json_text.read(json_text.compact(made))
    return read


def mistake_in(cells: dict[str, str]) -> str:
    with pytest.raises(Mistake) as caught:
        made_of(cells)
    return str(caught.value)


def test_columns_are_paths_into_the_variables() -> None:
    assert made_of(
        {
            "source": "pos",
            "input.number": "0017",
            "input.total.amount": "1250.50",
            "input.orders.0.native.source": "pos",
            "input.orders.0.native.id": "x",
            "input.orders.1.id": "y",
        }
    ) == {
        "source": "pos",
        "input": {"number": "0017", "total": {"amount": "1250.50"}, "orders": [{"native": {"source": "pos", "id": "x"}}, {"id": "y"}]},
    }


def test_a_cell_is_what_the_graph_declares_there() -> None:
    assert variables_of(n="17", dry="TRUE", mode="MERGE", ids='["a"]') == {"n": 17, "dry": True, "mode": "MERGE", "ids": ["a"]}
    assert variables_of(input__allowDuplicateNumber="false", input__lines='[{"itemNumber": "a"}]') == {
        "input": {"allowDuplicateNumber": False, "lines": [{"itemNumber": "a"}]}
    }


def test_a_number_keeps_its_text() -> None:
    cells = Cells(read_document(TEXT, "m.graphql").variables, lambda: SDL)

    assert json_text.compact(cells.to_variables({"x": "1.50"})) == '{"x":1.50}'


def test_an_empty_cell_gives_nothing_and_null_is_null_except_in_a_text() -> None:
    assert variables_of(n="", source="", input__number="") == {}
    assert variables_of(n="null", input__dueDate="null", input__note="null") == {"n": None, "input": {"dueDate": None, "note": "null"}}


def test_more_than_nine_places_stay_in_their_order() -> None:
    given = {f"input.orders.{place}.id": str(place) for place in range(11)}

    assert made_of(given)["input"]["orders"] == [{"id": str(place)} for place in range(11)]


@pytest.mark.parametrize(
    ("cells", "mistake"),
    [
        ({"customer": ""}, "the column customer: no variable takes it"),
        ({"input.nmber": "1"}, "the column input.nmber: there is no nmber below $input"),
        ({"input.orders.first.id": "1"}, "the column input.orders.first.id: there is no first below $input.orders"),
        ({"source.x": "1"}, "the column source.x: there is no x below $source"),
        ({"odd": "1"}, "the column odd: the graph has no type Nothing"),
        ({"n": "many"}, "the column n: 'many' is no number"),
        ({"n": "true"}, "the column n: 'true' is no number"),
        ({"dry": "yes"}, "the column dry: 'yes' is neither true nor false"),
        ({"ids": "a"}, "the column ids: 'a' is no JSON list"),
        ({"input.total": "5"}, "the column input.total: '5' is no JSON object"),
        ({"input": "{}", "input.number": "1"}, "the column input.number: another column gives all of what it is a part of"),
        ({"input.number": "1", "input": "{}"}, "the column input: another column gives a part of it"),
    ],
)
def test_a_mistake_names_its_column(cells: dict[str, str], mistake: str) -> None:
    assert mistake_in(cells) == mistake
