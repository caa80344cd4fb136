"""The printed schema, and the contract that clients were promised."""

from __future__ import annotations

from pathlib import Path

import pytest
from graphql import GraphQLSchema, build_schema
from graphql.utilities import BreakingChangeType, DangerousChangeType, find_breaking_changes, find_dangerous_changes

from gateway.schema import print_schema

ROOT = Path(__file__).parents[2]
CHANGED = frozenset({BreakingChangeType.FIELD_CHANGED_KIND, BreakingChangeType.ARG_CHANGED_KIND})


@pytest.fixture(scope="module")
def contract() -> GraphQLSchema:
    return build_schema((Path(__file__).parent / "contract.graphql").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def ours() -> GraphQLSchema:
    return build_schema(print_schema())


def test_the_file_in_the_repository_is_what_the_code_prints() -> None:
    printed = (ROOT / "schema.graphql").read_text(encoding="utf-8")

    assert printed == print_schema(), "run: python -m gateway schema > schema.graphql"


def test_nothing_of_the_contract_is_missing_or_broken(contract: GraphQLSchema, ours: GraphQLSchema) -> None:
    assert [change.description for change in find_breaking_changes(contract, ours)] == []


def test_no_type_or_nullability_is_stricter_than_the_contract_either(contract: GraphQLSchema, ours: GraphQLSchema) -> None:
    # What breaks on the way back from ours to the contract is what ours promises beyond it.
    assert [change.description for change in find_breaking_changes(ours, contract) if change.type in CHANGED] == []


def test_arguments_have_the_defaults_of_the_contract(contract: GraphQLSchema, ours: GraphQLSchema) -> None:
    changed = [
        change.description
        for change in find_dangerous_changes(contract, ours)
        if change.type is DangerousChangeType.ARG_DEFAULT_VALUE_CHANGE
    ]

    assert changed == []


def test_the_scalars_point_to_the_standards_that_the_contract_names(contract: GraphQLSchema, ours: GraphQLSchema) -> None:
    def specified(schema: GraphQLSchema) -> dict[str, str]:
        urls = {name: getattr(type_, "specified_by_url", None) for name, type_ in schema.type_map.items()}
        return {name: url for name, url in urls.items() if url is not None}

    assert specified(ours) == specified(contract)


def test_a_lookup_takes_exactly_one_way(ours: GraphQLSchema) -> None:
    assert getattr(ours.type_map["Lookup"], "is_one_of", False) is True
