"""`invoice-gateway explain`: a table of calls, or a line for each mistake; nothing is asked of anybody."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.__main__ import main

QUERY = """query ($id: String!, $n: Int) { invoice(by: {native: {source: "shop", id: $id}}) { number lines { quantity } }
  orders(first: $n, filter: {sources: ["pos"]}) { nodes { number } }
  customer(by: {number: {source: "subscriptions", number: "1"}}) { name } }"""
CONFIG = '[sources.s]\nsystem = "shopctrl"\nbase_url = "https://s.example"\nshop_ids = [1]\nshop_owner_id = 1\n'


def write(path: Path, text: str) -> str:
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_the_calls_are_shown_by_source_and_operation_with_what_causes_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["explain", write(tmp_path / "q.graphql", QUERY)])

    assert code == 0
    assert capsys.readouterr().out.splitlines() == [
        "source         operation                         calls  because of",
        "subscriptions  GET api/customers/{date}             1+  customer",
        "pos            GetOrders                             1  orders",
        "shop           GET v1/Invoices/{invoiceId}           1  invoice",
        "shop           GET v1/Invoices/{invoiceId}/Rows      1  invoice.lines",
        "total 4+",
    ]


def test_a_configuration_says_which_sources_there_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    query = write(tmp_path / "q.graphql", '{ order(by: {number: {source: "s", number: "1"}}) { number } }')

    code = main(["explain", query, "--config", write(tmp_path / "gateway.toml", CONFIG)])

    assert code == 0
    assert capsys.readouterr().out.splitlines()[1:] == ["s       GET v1/Shops/{shopId}/Orders/{orderCode}      1  order", "total 1"]


def test_variables_are_counted_with(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    query = write(
        tmp_path / "q.graphql",
        'query ($n: Int!) { orders(first: $n, filter: {sources: ["shop"]}) { nodes { totals { total { amount } } } } }',
    )

    main(["explain", query])
    main(["explain", query, "--variables", '{"n": 1}'])

    totals = [line for line in capsys.readouterr().out.splitlines() if line.startswith("total")]
    assert totals == ["total 203", "total 5"]


@pytest.mark.parametrize(
    ("text", "options", "lines"),
    [
        ("{ nothing\n caller { age } }", [], ["{path}:1:3: Cannot query field 'nothing'", "{path}:2:11: Cannot query field 'age'"]),
        ("query A { caller { name } } query B { caller { name } }", [], ["{path}: one operation of the document must be named"]),
        ("query ($n: Int!) { node(id: $n) { id } }", ["--variables", "[1]"], ["--variables: it is not a JSON object"]),
        ("query ($n: ID!) { node(id: $n) { id } }", ["--variables", "{}"], ["{path}:1:8: Variable '$n' has invalid value"]),
        ("{ caller { name } }", ["--config", "nowhere.toml"], ["nowhere.toml: "]),
    ],
    ids=["fields", "operations", "variables", "a variable", "configuration"],
)
def test_each_mistake_is_one_line_and_the_exit_code_is_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, options: list[str], lines: list[str]
) -> None:
    path = write(tmp_path / "q.graphql", text)

    code = main(["explain", path, *options])

    shown = capsys.readouterr()
    assert (code, shown.out) == (2, "")
    told = shown.err.splitlines()
    assert len(told) == len(lines)
    assert all(line.startswith(start.format(path=path)) for line, start in zip(told, lines, strict=True))


def test_one_of_several_operations_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "q.graphql", "query A { caller { name } } query B { caller { name } }")

    assert main(["explain", path, "--operation", "B"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "total 0"


def test_a_file_that_is_not_there_is_said_to_be_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", str(tmp_path / "none.graphql")]) == 2
    assert capsys.readouterr().err == f"{tmp_path / 'none.graphql'}: No such file or directory\n"
