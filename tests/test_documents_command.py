"""`invoice-gateway documents check`: what each document of a manifest costs, or why it is refused; nothing is asked of anybody."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from gateway.__main__ import main

CONFIG = '[sources.s]\nsystem = "shopctrl"\nbase_url = "https://s.example"\nshop_ids = [1]\nshop_owner_id = 1\n'
NAME = "query Name { caller { name } }"
ORDERS = 'query Orders($n: Int) { orders(first: $n, filter: {sources: ["shop"]}) { nodes { totals { total { amount } } } } }'
TWO = 'query One($id: String!) { order(by: {number: {source: "s", number: $id}}) { number } } query Two { caller { name } }'
ANYBODY = '{ customer(by: {number: {source: "subscriptions", number: "1"}}) { name } }'


def write(folder: Path, documents: Mapping[str, str], name: str = "manifest.json") -> str:
    path = folder / name
    path.write_text(json.dumps(documents), encoding="utf-8")
    return str(path)


def configure(folder: Path, *rows: str) -> str:
    path = folder / "gateway.toml"
    path.write_text("\n".join((*rows, CONFIG)), encoding="utf-8")
    return str(path)


def test_each_operation_is_shown_with_its_cost_and_calls_at_worst(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["documents", "check", write(tmp_path, {"a": NAME, "abc": ORDERS, "b": ANYBODY})])

    shown = capsys.readouterr()
    assert (code, shown.err) == (0, "")
    assert shown.out.splitlines() == [
        "id   operation  cost  calls",
        "a    Name          0      0",
        "abc  Orders      303    203",
        "b    -             2     1+",
    ]


def test_a_configuration_says_which_sources_there_are_and_each_operation_is_weighed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["documents", "check", write(tmp_path, {"a": TWO}), "--config", configure(tmp_path)])

    assert code == 0
    assert capsys.readouterr().out.splitlines()[1:] == ["a   One           2      1", "a   Two           0      0"]


def test_documents_that_are_refused_are_named_with_code_and_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    manifest = write(tmp_path, {"old": "{ nothing\n nowhere }", "good": NAME, "wide": "{ " + "__typename " * 21 + "}", "dear": ORDERS})
    code = main(["documents", "check", manifest, "--config", configure(tmp_path, "[limits]", "max_cost = 3")])

    shown = capsys.readouterr()
    assert code == 1
    assert shown.out.splitlines() == [
        "id    operation     cost  calls",
        "old   -          refused      -",
        "good  Name             0      0",
        "wide  -          refused      -",
        "dear  Orders     refused      -",
    ]
    assert shown.err.splitlines() == [
        f"{manifest}: old: GRAPHQL_VALIDATION_FAILED: 1:3: Cannot query field 'nothing' on type 'Query'.",
        f"{manifest}: old: GRAPHQL_VALIDATION_FAILED: 2:2: Cannot query field 'nowhere' on type 'Query'.",
        f"{manifest}: wide: ROOT_FIELD_LIMIT: an operation has 21 fields at its root; at most 20 are taken",
        f"{manifest}: dear: COST_LIMIT: the operation may cost 100; at most 3 are taken",
    ]


def test_as_json_it_is_one_object_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["documents", "check", write(tmp_path, {"b": ANYBODY, "old": "{ nothing }"}), "--json"])

    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    call = {"source": "subscriptions", "operation": "GET api/customers/{date}", "calls": 1, "openEnded": True, "fields": ["customer"]}
    assert code == 1
    assert rows == [
        {
            "id": "b",
            "operation": None,
            "type": "query",
            "cost": 2,
            "upstreamCalls": {"total": 1, "openEnded": True, "calls": [call]},
        },
        {
            "id": "old",
            "operation": None,
            "type": None,
            "code": "GRAPHQL_VALIDATION_FAILED",
            "mistakes": ["1:3: Cannot query field 'nothing' on type 'Query'."],
        },
    ]


def test_a_manifest_without_documents_is_fine(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    manifest = write(tmp_path, {})

    assert main(["documents", "check", manifest]) == 0
    assert main(["documents", "check", manifest, "--json"]) == 0
    assert capsys.readouterr().out == "id  operation  cost  calls\n"


def test_a_manifest_or_configuration_that_cannot_be_read_is_one_line_and_exit_code_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = write(tmp_path, {"a": ""})

    assert main(["documents", "check", manifest]) == 2
    assert main(["documents", "check", str(tmp_path / "none.json")]) == 2
    assert main(["documents", "check", write(tmp_path, {"a": NAME}), "--config", str(tmp_path / "none.toml")]) == 2
    shown = capsys.readouterr()
    assert (shown.out, shown.err.splitlines()) == (
        "",
        [
            f"{manifest}: a is an empty document",
            f"{tmp_path / 'none.json'}: No such file or directory",
            f"{tmp_path / 'none.toml'}: No such file or directory",
        ],
    )


def test_documents_alone_is_a_mistake_in_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["documents"])

    assert caught.value.code == 2
    assert "check" in capsys.readouterr().err


def test_check_and_serve_refuse_a_configuration_whose_manifest_does_not_fit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    manifest = write(tmp_path, {"old": "{ nothing }"})
    config = configure(tmp_path, "[server]", 'state = "sqlite://"', 'trusted_documents = "require"', 'documents = "manifest.json"')

    for command in ("check", "serve"):
        assert main([command, "--config", config]) == 2
        told = capsys.readouterr().err.splitlines()
        assert told[-1] == f"gateway.toml: server.documents: {manifest}: old: 1:3: Cannot query field 'nothing' on type 'Query'."
