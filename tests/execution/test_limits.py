"""What a document may be at the most: each limit at its edge, what counts, and the attacks that are known."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace

import pytest
from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLSyntaxError,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionNode,
    get_introspection_query,
    parse,
)
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import LimitExceeded
from gateway.execution.document import Facts, facts_of
from gateway.execution.limits import USUAL_LIMITS, DocumentLimits, Size, check_size, measure, parse_within
from gateway.settings import LimitSettings
from tests.execution.attacks import ATTACKS, INVALID, Attack, Door, Refusal, to_text

ENDLESS = 10**9


def size(query: str) -> Size:
    return measure(parse(query), most_fields=ENDLESS)


def refusal(query: str, limits: DocumentLimits = USUAL_LIMITS) -> tuple[str, str]:
    with pytest.raises(LimitExceeded) as raised:
        facts_of(query, None, limits)
    return raised.value.limit, raised.value.message


def is_taken(query: str, limits: DocumentLimits) -> bool:
    try:
        check_size(parse_within(query, limits), limits)
    except LimitExceeded:
        return False
    return True


# ------------------------------------------------------------------ each limit, at its edge


EDGES: Mapping[str, tuple[str, str, Callable[[int], str], str]] = {
    "characters": ("characters", "DOCUMENT_TOO_LARGE", lambda n: "{ a }" + " " * (n - 5), "the document has 16 characters"),
    "tokens": ("tokens", "TOKEN_LIMIT", lambda n: "{" + "a " * (n - 2) + "}", "the document has 16 tokens or more"),
    "fields in fields": ("depth", "DEPTH_LIMIT", lambda n: "{ a " * n + "}" * n, "fields or values are nested 16 deep"),
    "lists": ("depth", "DEPTH_LIMIT", lambda n: "{ a(b: " + "[" * n + "1" + "]" * n + ") }", "fields or values are nested 16 deep"),
    "objects": ("depth", "DEPTH_LIMIT", lambda n: "{ a(b: " + "{c: " * n + "1" + "}" * n + ") }", "fields or values are nested 16 deep"),
    "of a directive": (
        "depth",
        "DEPTH_LIMIT",
        lambda n: "{ a @b(c: " + "[" * n + "1" + "]" * n + ") }",
        "fields or values are nested 16 deep",
    ),
    "of a default": (
        "depth",
        "DEPTH_LIMIT",
        lambda n: "query ($a: X = " + "[" * n + "1" + "]" * n + ") { a }",
        "fields or values are nested 16 deep",
    ),
    "aliases": (
        "aliases",
        "ALIAS_LIMIT",
        lambda n: "{ a {" + " ".join(f"a{m}: b" for m in range(n)) + "} }",
        "an operation has 16 aliases",
    ),
    "root fields": (
        "root_fields",
        "ROOT_FIELD_LIMIT",
        lambda n: "{" + " ".join(f"a{m}" for m in range(n)) + "}",
        "an operation has 16 fields at its root",
    ),
    "directives": ("directives", "DIRECTIVE_LIMIT", lambda n: "{ a" + " @b" * n + "}", "an operation has 16 directives"),
    "fields": (
        "fields",
        "FIELD_LIMIT",
        lambda n: "{ a {" + " ".join(f"a{m}" for m in range(n - 1)) + "} }",
        "the document has at least 16 fields and fragments, each counted wherever it is used",
    ),
    "overlaps": (
        "overlaps",
        "OVERLAP_LIMIT",
        lambda n: "{ a {" + "b b " + " ".join(f"b{m} b{m}" for m in range(n - 1)) + "} }",
        "16 pairs of fields have the same name at the same place",
    ),
}


@pytest.mark.parametrize(("name", "code", "document", "message"), EDGES.values(), ids=EDGES)
def test_as_much_as_the_limit_is_taken_and_one_more_is_refused_with_both_numbers(
    name: str, code: str, document: Callable[[int], str], message: str
) -> None:
    limits = DocumentLimits(**dict.fromkeys(asdict(USUAL_LIMITS), ENDLESS))
    limits = replace(limits, **{name: 15})

    facts_of(document(15), None, limits)

    assert refusal(document(16), limits) == (code, f"{message}; at most 15 are taken")


def test_what_is_nested_too_deeply_to_be_read_is_refused_by_name() -> None:
    assert refusal("{ a " * 300 + "}" * 300) == ("DEPTH_LIMIT", "the document is nested more than 200 deep; at most 12 are taken")


def test_the_usual_limits_are_those_of_the_configuration() -> None:
    settings = LimitSettings().model_dump()
    names = {"characters": "max_document_characters"}

    assert asdict(USUAL_LIMITS) == {name: settings[names.get(name, f"max_{name}")] for name in asdict(USUAL_LIMITS)}


# ------------------------------------------------------------------ what counts


def test_a_fragment_that_is_used_ten_times_counts_ten_times() -> None:
    fragment = "fragment F on Source { x: id y: key @skip(if: false) }"
    inner = "".join(f"p{n}: source {{ ...F }} " for n in range(10))

    assert size(f"{{ a {{ {inner} }} }} {fragment}") == Size(depth=3, aliases=30, root_fields=1, directives=10, fields=41)


def test_operations_count_each_for_itself_but_for_what_the_whole_document_costs() -> None:
    assert size("query A { x: a @b { c c } } query B { y: a z: a d d }") == Size(
        depth=2, aliases=2, root_fields=4, directives=1, overlaps=2, fields=7
    )


def test_fragments_are_no_level_and_fields_below_them_are() -> None:
    assert size("{ ... { ...F } } fragment F on Query { ... on Query { a { b } } }").depth == 2


def test_directives_count_wherever_they_stand() -> None:
    query = "query ($a: Int @d) @d { ... @d { b @d @d } ...F @d } fragment F on Query @d { c }"

    assert size(query).directives == 7


def test_fields_with_one_name_overlap_where_they_meet_in_the_answer() -> None:
    assert size("{ a { b } ... on X { a { b } } ...F c: a { b } } fragment F on Query { a { b } }").overlaps == 3 + 3
    assert size("{ x: a { b } y: a { b } z { a { b } } }").overlaps == 0


def test_a_fragment_that_nobody_opens_counts_and_is_at_no_root() -> None:
    assert size("{ a } fragment F on X { x: b c { d { e } } }") == Size(depth=4, aliases=1, root_fields=1, fields=5)


def test_the_usual_introspection_passes_as_depth_is_not_counted_below_it() -> None:
    query = get_introspection_query(descriptions=True, specified_by_url=True, directive_is_repeatable=True, input_value_deprecation=True)

    assert facts_of(query, None).asks_for_schema
    assert size(query).depth == 0
    assert size('{ __type(name: "X") { fields { name } } a { b } }').depth == 2


def test_other_limits_hold_for_introspection() -> None:
    assert refusal("{" + " ".join(f"a{n}: __schema {{ types {{ name }} }}" for n in range(31)) + "}")[0] == "ALIAS_LIMIT"


def test_a_cycle_and_a_missing_fragment_are_left_to_validation() -> None:
    assert facts_of("{ ...A } fragment A on Query { b ...A ...C } fragment B on Query { ...B }", None).names_one_operation


@pytest.mark.parametrize("query", ["", "{", "{ a(b: ) }", "{ a \x00 }", '{ a(b: "x }', "type A { b: Int }"])
def test_what_is_no_document_is_left_to_the_graph(query: str) -> None:
    assert replace(facts_of(query, None), names_one_operation=True, document=None) == Facts()


def test_a_text_that_looks_like_a_refusal_is_a_mistake_of_syntax() -> None:
    with pytest.raises(GraphQLSyntaxError):
        parse_within('{ a "Document contains more than 2000 tokens. Parsing aborted." }', USUAL_LIMITS)


# ------------------------------------------------------------------ against counting by hand


NAMES = st.sampled_from(["a", "b", "c", "x: a", "a @d", "__schema"])


@st.composite
def documents(draw: st.DrawFn) -> str:
    """Write operations and fragments; a fragment opens only later ones, so that there is no cycle."""
    count = draw(st.integers(0, 4))

    def selections(first: int, depth: int) -> str:
        kinds = ["leaf"] if depth > 3 else ["leaf", "field", "inline", *(["spread"] if first < count else [])]
        parts = []
        for kind in draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=3)):
            inner = f"{{ {selections(first, depth + 1)} }}" if kind in {"field", "inline"} else ""
            spread = f"...F{draw(st.integers(first, count - 1))}" if kind == "spread" else ""
            parts.append({"leaf": draw(NAMES), "field": f"{draw(NAMES)} {inner}", "inline": f"... {inner}", "spread": spread}[kind])
        return " ".join(parts)

    fragments = [f"fragment F{n} on X {{ {selections(n + 1, 1)} }}" for n in range(count)]
    operations = [f"query Q{n} {{ {selections(0, 0)} }}" for n in range(draw(st.integers(1, 2)))]
    return " ".join(operations + fragments)


Steps = list[tuple[SelectionNode, tuple[str, ...]]]


def opened(document: DocumentNode, selections: Sequence[SelectionNode], path: tuple[str, ...] = ()) -> Steps:
    """Open all fragments, and give each selection with its place in the answer."""
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    found: Steps = []
    for node in selections:
        place = (*path, (node.alias or node.name).value) if isinstance(node, FieldNode) else path
        found.append((node, place))
        if isinstance(node, FragmentSpreadNode):
            found += opened(document, fragments[node.name.value].selection_set.selections, place)
        elif isinstance(node, FieldNode | InlineFragmentNode) and node.selection_set is not None:
            found += opened(document, node.selection_set.selections, place)
    return found


def of_operations(document: DocumentNode) -> list[Steps]:
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    return [opened(document, node.selection_set.selections) for node in operations]


def by_hand(document: DocumentNode) -> Size:
    """Count with all fragments opened, operation by operation."""
    whole = Size()
    for steps in of_operations(document):
        fields = [(node, place) for node, place in steps if isinstance(node, FieldNode)]
        places = [place for _, place in fields]
        whole.fields += len(steps)
        whole.overlaps += sum(n * (n - 1) // 2 for n in (places.count(place) for place in set(places)))
        whole.aliases = max(whole.aliases, sum(node.alias is not None for node, _ in fields))
        whole.root_fields = max(whole.root_fields, sum(len(place) == 1 for place in places))
        whole.directives = max(whole.directives, sum(len(node.directives or ()) for node, _ in steps))
        whole.depth = max(whole.depth, *(0 if "__schema" in place else len(place) for place in places), 0)
        whole.asks_for_schema |= any(node.name.value == "__schema" for node, _ in fields)
    return whole


@given(documents())
def test_a_document_is_as_large_as_with_all_its_fragments_opened(text: str) -> None:
    document = parse(text)
    used = {node.name.value for steps in of_operations(document) for node, _ in steps if isinstance(node, FragmentSpreadNode)}
    kept = [node for node in document.definitions if not isinstance(node, FragmentDefinitionNode) or node.name.value in used]
    document = DocumentNode(definitions=tuple(kept))

    assert measure(document, most_fields=ENDLESS) == by_hand(document)


# ------------------------------------------------------------------ attacks


@pytest.fixture(scope="module")
def door() -> Door:
    return Door()


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_an_attack_is_refused_by_name(door: Door, attack: Attack) -> None:
    assert door.refuse(attack.query) == attack.code


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_looking_at_an_attack_takes_no_more_steps_than_the_limit_and_one(attack: Attack) -> None:
    try:
        document = parse_within(attack.query, USUAL_LIMITS)
    except LimitExceeded:
        return
    assert measure(document, most_fields=USUAL_LIMITS.fields).fields <= USUAL_LIMITS.fields + 1


def test_the_report_of_the_drill_says_what_was_not_kept() -> None:
    attack = Attack("x", "{ a }", "COST_LIMIT")

    assert to_text([Refusal(attack, "COST_LIMIT", 0.001), Refusal(attack, None, 0.002), Refusal(attack, INVALID, 0.06)]).splitlines() == [
        "BROKEN   60.0 ms  GRAPHQL_VALIDATION_FAILED  x",
        "BROKEN    2.0 ms  not refused                x",
        "kept      1.0 ms  COST_LIMIT                 x",
    ]
