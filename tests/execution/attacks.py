"""Documents that are sent to harm, each with the code that refuses it, and what refusing it costs."""

from __future__ import annotations

import gc
import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from gateway.app import make_explainer, make_gateway, settings_from
from gateway.errors import LimitExceeded
from gateway.execution.document import facts_of
from gateway.sandbox.app import create_sandbox
from gateway.schema import InvalidDocument
from gateway.schema.cost import CostModel
from gateway.settings import Settings
from gateway.sources.base import SourceSet

INVALID: Final = "GRAPHQL_VALIDATION_FAILED"
MAX_CPU_SECONDS: Final = 0.05
"""For refusing one of them."""
_TURNS: Final = 5


@dataclass(frozen=True, slots=True)
class Attack:
    """One document, and the code of its refusal. `fields`: that of a check of its size, which ends after so many steps at the most."""

    name: str
    query: str
    code: str


def _chain(length: int, kind: str, inner: str) -> str:
    """Write fragments of which each opens the next twice."""
    links = (f"fragment F{n} on {kind} {{ ...F{n + 1} ...F{n + 1} }}" for n in range(length))
    return " ".join([*links, f"fragment F{length} on {kind} {{ {inner} }}"])


def _web(size: int, kind: str, inner: str, *, is_cyclic: bool) -> str:
    """Write fragments of which each opens all others, or all later ones."""
    others = ([m for m in range(size) if m > n or (is_cyclic and m < n)] for n in range(size))
    return " ".join(f"fragment F{n} on {kind} {{ {inner} {' '.join(f'...F{m}' for m in opened)} }}" for n, opened in enumerate(others))


def _times(count: int, text: str) -> str:
    """Write a text often, with the number of the turn for each `#`."""
    return " ".join(text.replace("#", str(n)) for n in range(count))


_LINKS: Final = "links { nodes { customer { name " * 3 + "} } } " * 3
_PAGES: Final = "{ customers(first: 100) { nodes { orders(first: 100) { nodes { invoices(first: 100) { nodes { number } } } } } } }"
_CHAIN: Final = " ".join(f"fragment F{n} on Invoice {{ customer {{ ...F{n + 1} }} }}" for n in range(13))
_ALL: Final = "id number customer { name } orders { number customer { name } } lines { name } payments { reference } amountDue { amount }"

ATTACKS: Final = (
    Attack("a megabyte of text", '{ source(key: "' + "x" * 1_000_000 + '") { key } }', "DOCUMENT_TOO_LARGE"),
    Attack("a megabyte of comments", "{ caller { name } }" + "#\n" * 500_000, "DOCUMENT_TOO_LARGE"),
    Attack("many tokens", "{ sources { " + "id " * 2500 + "} }", "TOKEN_LIMIT"),
    Attack("many operations", _times(300, "query Q#{caller{name}}"), "TOKEN_LIMIT"),
    Attack(
        "many operations that open one fragment",
        _times(100, "query Q#{...F}") + "fragment F on Query{" + _times(20, "f#:caller{name}") + "}",
        "FIELD_LIMIT",
    ),
    Attack("fields in fields", "{ node(id: 1) " + "{ customer " * 13 + "{ id }" + "}" * 13 + "}", "DEPTH_LIMIT"),
    Attack("fields in fields in fragments", "{ node(id: 1) { ...F0 } } " + _CHAIN, "DEPTH_LIMIT"),
    Attack("fields in fields, too deep to be read", "{a" * 900, "DEPTH_LIMIT"),
    Attack("lists in lists", "{ orders(filter: {sources: " + "[" * 190 + "]" * 190 + "}) { nodes { id } } }", "DEPTH_LIMIT"),
    Attack(
        "lists in lists, too deep to be read",
        "{ orders(filter: {sources: " + "[" * 900 + "]" * 900 + "}) { nodes { id } } }",
        "DEPTH_LIMIT",
    ),
    Attack("objects in objects", "{ orders(filter: " + "{sources:" * 150 + "1" + "}" * 150 + ") { nodes { id } } }", "DEPTH_LIMIT"),
    Attack(
        "a large value in a fragment that is used often",
        "{ sources { " + "...F " * 100 + "} } fragment F on Source { id(a: [" + "1 " * 1700 + "]) }",
        INVALID,
    ),
    Attack("types in types", "query ($a: " + "[" * 900 + "Int" + "]" * 900 + ") { caller { name } }", "DEPTH_LIMIT"),
    Attack("aliases", "{ sources { " + _times(400, "a#: id") + " } }", "ALIAS_LIMIT"),
    Attack("aliases in fragments that double", "{ sources { ...F0 } } " + _chain(20, "Source", "a: id"), "ALIAS_LIMIT"),
    Attack("fields at the root", "{ " + _times(400, "a#: caller { name }") + " }", "TOKEN_LIMIT"),
    Attack("the same field at the root", "{ " + "caller { name } " * 300 + "}", "ROOT_FIELD_LIMIT"),
    Attack("directives", "{ caller { name " + "@include(if: true) " * 250 + "} }", "DIRECTIVE_LIMIT"),
    Attack("directives that nobody knows", "{ caller { name " + "@a " * 900 + "} }", "DIRECTIVE_LIMIT"),
    Attack(
        "directives in fragments that double", "{ sources { ...F0 } } " + _chain(20, "Source", "id @skip(if: false)"), "DIRECTIVE_LIMIT"
    ),
    Attack("fragments that double", "{ sources { ...F0 } } " + _chain(100, "Source", "id"), "OVERLAP_LIMIT"),
    Attack("fragments that double and select nothing", "{ sources { ...F0 } } " + _chain(100, "Source", ""), "FIELD_LIMIT"),
    Attack("fragments that double and that nobody opens", "{ caller { name } } " + _chain(100, "Source", "id"), "OVERLAP_LIMIT"),
    Attack(
        "fragments that each open all later ones", "{ sources { ...F0 } } " + _web(28, "Source", "id", is_cyclic=False), "OVERLAP_LIMIT"
    ),
    Attack("fragments in a circle", "{ sources { ...A } } fragment A on Source { ...B } fragment B on Source { id ...A }", INVALID),
    Attack("fragments that each open all others", "{ sources { ...F0 } } " + _web(28, "Source", "", is_cyclic=True), "FIELD_LIMIT"),
    Attack("a fragment that is not there", "{ sources { " + "...Gone " * 900 + "} }", INVALID),
    Attack("overlapping leaves", "{ sources { " + "id " * 1900 + "} }", "OVERLAP_LIMIT"),
    Attack("overlapping objects", "{ sources { " + "capabilities { operation } " * 450 + "} }", "OVERLAP_LIMIT"),
    Attack(
        "overlapping objects in inline fragments",
        "{ invoices { nodes { " + "... { customer { ... { name } } } " * 150 + "} } }",
        "OVERLAP_LIMIT",
    ),
    Attack(
        "overlapping objects in fragments",
        "{ sources { " + _times(180, "...F#") + " } } " + _times(180, "fragment F# on Source { id }"),
        "OVERLAP_LIMIT",
    ),
    Attack(
        "overlapping objects in overlapping objects",
        "{ invoices { nodes { " + "orders { customer { orders { nodes { customer { name } } } } } " * 110 + "} } }",
        "OVERLAP_LIMIT",
    ),
    Attack("huge numbers", "{ orders(first: " + "9" * 14_000 + ") { nodes { id } } }", INVALID),
    Attack("huge exponents", 'mutation { createInvoice(source: "pos", input: {total: {amount: 1e999999999}}) { outcome } }', INVALID),
    Attack("variables that are not used", "query (" + _times(480, "$v#: Int") + ") { caller { name } }", INVALID),
    Attack("fields that are not there", "{ caller { " + _times(1500, "x#") + " } }", INVALID),
    Attack("the schema in circles", "{ __schema { types " + "{ fields { type " * 9 + "{ name }" + "} }" * 9 + " } }", INVALID),
    Attack("pages in pages in pages", _PAGES, "COST_LIMIT"),
    Attack("links in links in links", "{ " + _times(20, f"a#: customers(first: 1) {{ nodes {{ {_LINKS} }} }}") + " }", "COST_LIMIT"),
    Attack("large pages of everything", f"{{ invoices(first: 100) {{ nodes {{ {_ALL} }} }} }}", "UPSTREAM_CALL_LIMIT"),
)


class Door:
    """What a document has to pass before it is executed: the check of its size, validation, and its cost over the sandbox's sources."""

    def __init__(self) -> None:
        tables = create_sandbox(1).state.sandbox.source_tables("http://127.0.0.1:1")
        settings: Settings = settings_from({"sources": tables, "links": {"rules": ["organization_number", "customer_number", "email"]}})
        limits = settings.limits
        self.sources: SourceSet = make_gateway(settings).sources
        self._costs = CostModel(make_explainer(settings), max_cost=limits.max_cost, max_upstream_calls=limits.max_upstream_calls)

    def refuse(self, query: str) -> str | None:
        """Give the code that a document is refused with; None: it is not."""
        try:
            facts = facts_of(query, None)
            self._costs.weigh(facts.document or query, self.sources)
        except LimitExceeded as error:
            return error.limit
        except InvalidDocument:
            return INVALID
        return None


@dataclass(frozen=True, slots=True)
class Refusal:
    """How an attack was refused, and the CPU that took: the median of some turns."""

    attack: Attack
    code: str | None
    cpu_seconds: float

    @property
    def is_kept(self) -> bool:
        """Say whether it was refused as it should be, in time."""
        return self.code == self.attack.code and self.cpu_seconds < MAX_CPU_SECONDS


def drill() -> list[Refusal]:
    """Send all attacks, and measure."""
    door = Door()
    door.refuse("{ caller { name } }")  # the first validation also looks at the schema
    return [_measured(door, attack) for attack in ATTACKS]


def _measured(door: Door, attack: Attack) -> Refusal:
    seconds, code = [], None
    for _ in range(_TURNS):
        gc.collect()  # what an earlier document left is not this one's
        before = time.process_time()
        code = door.refuse(attack.query)
        seconds.append(time.process_time() - before)
    return Refusal(attack, code, median(seconds))


def to_text(refusals: Sequence[Refusal]) -> str:
    """Write a line for each, the dearest first."""
    dearest_first = sorted(refusals, key=lambda refusal: -refusal.cpu_seconds)
    return "\n".join(
        f"{'kept  ' if each.is_kept else 'BROKEN'} {each.cpu_seconds * 1000:6.1f} ms  {each.code or 'not refused':26} {each.attack.name}"
        for each in dearest_first
    )
