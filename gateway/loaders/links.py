"""The same party in other sources, by configured rules only. An ambiguous match is no link: a wrong one bills the wrong party."""

from __future__ import annotations

import asyncio
import csv
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Final

from gateway.errors import GatewayError, SettingsError
from gateway.loaders.criteria import organization_digits
from gateway.loaders.lists import MAX_FIRST, Lister, SourceResult
from gateway.loaders.refs import Loaders
from gateway.model import Criteria, Customer, Kind, Ref, SourceResultStatus
from gateway.sources.base import Source

_ORGANIZATION_NUMBER_DIGITS: Final = 10
_MAX_PAGES: Final = 200
_COLUMNS: Final = ("source", "native_id", "party")


class LinkRule(StrEnum):
    """Why two customers are one party; the strongest first."""

    CONFIGURED = "CONFIGURED"
    ORGANIZATION_NUMBER = "ORGANIZATION_NUMBER"
    CUSTOMER_NUMBER = "CUSTOMER_NUMBER"
    EMAIL = "EMAIL"

    @property
    def attribute(self) -> str | None:
        """The attribute of customers that it compares; None: a file names the customers."""
        return next((name for rule, name, _ in _RULES if rule is self), None)


@dataclass(frozen=True, slots=True)
class Link:
    """A customer that is the same party, and why."""

    customer: Customer
    rule: LinkRule


@dataclass(frozen=True, slots=True)
class Links:
    """All links of a customer, and how each other source did."""

    nodes: tuple[Link, ...]
    source_results: tuple[SourceResult, ...]


@dataclass(frozen=True, slots=True)
class LinkRules:
    """The configured rules. `parties`: by source and native id, the party that the file names."""

    rules: frozenset[LinkRule] = frozenset()
    parties: Mapping[tuple[str, str], str] = field(default_factory=dict)

    @property
    def is_used(self) -> bool:
        """Say whether there is any rule at all."""
        return bool(self.rules or self.parties)

    def named(self, ref: Ref, source: str) -> tuple[str, ...]:
        """Give the native ids in a source that the file says are the same party."""
        party = self.parties.get((ref.source, ref.native_id))
        if party is None:
            return ()
        return tuple(native_id for (key, native_id), other in self.parties.items() if other == party and key == source)

    def most_named(self, source: str) -> int:
        """Give how many customers of a source the file says to be one party, at most."""
        return max(Counter(party for (key, _), party in self.parties.items() if key == source).values(), default=0)


def read_link_file(path: Path) -> Mapping[tuple[str, str], str]:
    """Read a CSV file with the columns source, native_id, party; raises `SettingsError` with the line."""
    try:
        rows = list(csv.reader(path.read_text(encoding="utf-8-sig").splitlines()))
    except (OSError, UnicodeDecodeError, csv.Error):
        raise SettingsError(f"links.file: {path} cannot be read as CSV") from None
    parties: dict[tuple[str, str], str] = {}
    for number, row in enumerate(rows, start=1):
        cells = tuple(cell.strip() for cell in row)
        if cells == _COLUMNS or not any(cells):
            continue
        if len(cells) != len(_COLUMNS) or not all(cells):
            raise SettingsError(f"links.file: {path.name}:{number}: a line has {', '.join(_COLUMNS)}")
        if cells[:2] in parties:
            raise SettingsError(f"links.file: {path.name}:{number}: {cells[0]} {cells[1]} is there twice")
        parties[cells[0], cells[1]] = cells[2]
    return parties


def organization_key(number: str | None) -> str | None:
    """Give an organisation number fit to compare: ten digits with a valid Luhn digit; None for anything else."""
    digits = organization_digits(number or "")
    if len(digits) != _ORGANIZATION_NUMBER_DIGITS or not digits.isascii() or not digits.isdigit():
        return None
    return digits if _passes_luhn(digits) else None


def _passes_luhn(digits: str) -> bool:
    doubled = (int(digit) * (2 - position % 2) for position, digit in enumerate(digits))
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0  # noqa: PLR2004  (two digits: their sum)


def _email_key(email: str | None) -> str | None:
    return email.casefold() if email else None


_Key = Callable[[Customer], str | None]
_RULES: Final[Sequence[tuple[LinkRule, str, _Key]]] = (
    (LinkRule.ORGANIZATION_NUMBER, "organization_number", lambda customer: organization_key(customer.organization_number or None)),
    (LinkRule.CUSTOMER_NUMBER, "number", lambda customer: customer.number or None),
    (LinkRule.EMAIL, "email", lambda customer: _email_key(customer.email or None)),
)


async def find_links(loaders: Loaders, rules: LinkRules, customer: Customer) -> Links:
    """Ask every other source at once for the same party."""
    others = [source for source in loaders.sources if source.profile.key != customer.ref.source]
    found = await asyncio.gather(*(_in_source(loaders, rules, customer, source) for source in others))
    nodes = tuple(link for links, _ in found for link in links)
    return Links(nodes, tuple(result for _, result in found))


async def _in_source(loaders: Loaders, rules: LinkRules, customer: Customer, source: Source) -> tuple[tuple[Link, ...], SourceResult]:
    result = SourceResult(source=source, status=SourceResultStatus.OK)
    links: dict[Ref, Link] = {}
    for ref in _configured(rules, customer.ref, source):
        try:
            record = await loaders.load_record(ref)
        except GatewayError as error:
            result = replace(result, status=SourceResultStatus.FAILED, code=error.code, message=error.message)
            continue
        if isinstance(record, Customer):
            links[record.ref] = Link(record, LinkRule.CONFIGURED)
    for rule, name, key_of in _RULES:
        key = key_of(customer) if rule in rules.rules else None
        if key is None:
            continue
        matches, worst = await _matches(loaders, source, name, key, key_of)
        if worst is not None:
            result = replace(result, status=worst.status, code=worst.code, message=worst.message)
        if len(matches) > 1:
            message = f"{len(matches)} customers have this {name.replace('_', ' ')}: no link"
            result = replace(result, status=SourceResultStatus.PARTIAL, code="AMBIGUOUS_LOOKUP", message=message)
        elif matches:
            links.setdefault(matches[0].ref, Link(matches[0], rule))
    return tuple(links.values()), replace(result, count=len(links))


def _configured(rules: LinkRules, ref: Ref, source: Source) -> Iterable[Ref]:
    key = source.profile.key
    return [Ref(key, Kind.CUSTOMER, source.canonical(Kind.CUSTOMER, native_id)) for native_id in rules.named(ref, key)]


async def _matches(loaders: Loaders, source: Source, name: str, key: str, key_of: _Key) -> tuple[list[Customer], SourceResult | None]:
    """Give the customers of a source that have a key, and how it did when that was not well."""
    lister = Lister(Criteria(kind=Kind.CUSTOMER, **{name: key}), [source], loaders.scope, asked_for=None)  # type: ignore[arg-type]  # text criteria
    found: list[Customer] = []
    after: str | None = None
    for _ in range(_MAX_PAGES):
        page = await lister.page(MAX_FIRST, after)
        found += [edge.node for edge in page.edges if isinstance(edge.node, Customer) and key_of(edge.node) == key]
        result = page.results[0]
        if result.status is not SourceResultStatus.OK or not page.has_next_page:
            return found, None if result.status is SourceResultStatus.OK else result
        after = page.end_cursor
    return found, replace(result, status=SourceResultStatus.PARTIAL, message="it has more customers than can be looked through")
