"""The people and companies that the emulated systems have as customers: made from a seed, some known to several systems."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Final

PARTY_COUNT: Final = 160

_FIRST: Final = (
    ("Åsa", "Öberg"), ("Linnea", "Nordvik"), ("Mikael", "Lindqvist"), ("Sanne", "de Vries"), ("Ingrid", "Fjell"), ("Joost", "van Dijk"),
    ("Anna", "Berg"), ("Björn", "Åkesson"), ("Elin", "Sjöström"), ("Göran", "Hällqvist"), ("Märta", "Ek"), ("Per-Olov", "Ström"),
    ("Saga", "Wikström"), ("Tove", "Dahl"), ("Ulf", "Gårdh"), ("Yrsa", "Lövgren"),
)  # fmt: skip
_WORDS: Final = (
    "Bageri Kringlan", "Mälaråkeriet", "Nordvik Möbler", "De Vries Fietsen", "Fjord Taxi", "Hacksta Däck", "Östersjö Fisk", "Vättern Bygg",
    "Norrsken El", "Älvdalens Såg", "Gamla Stans Ur", "Ångström & Co", "Lunds Bokhandel", "Roslagens Rör", "Kiruna Gruvservice",
    "Ölands Lin",
)  # fmt: skip
_PLACES: Final = (
    ("Hornsgatan", "118 21", "Stockholm", "SE", "Sverige"), ("Kungsportsavenyen", "411 36", "Göteborg", "SE", "Sverige"),
    ("Stenbygatan", "721 36", "Västerås", "SE", "Sverige"), ("Oudegracht", "3511 AW", "Utrecht", "NL", "Nederland"),
    ("Havnegata", "0150", "Oslo", "NO", "Norge"), ("Dragarbrunnsgatan", "753 20", "Uppsala", "SE", "Sverige"),
    ("Kerkstraat", "1017 GL", "Amsterdam", "NL", "Nederland"), ("Vestergade", "8000", "Aarhus", "DK", "Danmark"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Party:
    """One company or person. The same party keeps its organisation number, e-mail and name in every system that knows it."""

    index: int
    is_company: bool
    name: str
    first_name: str
    last_name: str
    organization_number: str
    """`NNNNNN-NNNN` with a valid Luhn digit; empty for a person."""
    vat_number: str
    email: str
    phone: str
    street: str
    street_number: str
    postal_code: str
    city: str
    country_code: str
    country_name: str
    gln: str


def make_parties(seed: int) -> tuple[Party, ...]:
    """Make `PARTY_COUNT` parties, the same ones for the same seed."""
    return tuple(_make(random.Random(f"{seed}/party/{index}"), index) for index in range(PARTY_COUNT))  # noqa: S311  (sample data)  # nosec B311


def _make(chance: random.Random, index: int) -> Party:
    first, last = _FIRST[chance.randrange(len(_FIRST))]
    is_company = index % 4 != 3  # noqa: PLR2004  (every fourth is a person)
    word = _WORDS[index % len(_WORDS)]
    name = f"{word} {index // len(_WORDS) + 1} AB" if is_company else f"{first} {last}"
    digits = f"556{chance.randrange(1_000_000):06d}"
    organization_number = f"{digits[:6]}-{digits[6:]}{_luhn_digit(digits)}" if is_company else ""
    street, postal_code, city, country_code, country_name = _PLACES[index % len(_PLACES)]
    slug = "".join(c for c in word.lower() if c.isascii() and c.isalpha())
    return Party(
        index=index,
        is_company=is_company,
        name=name,
        first_name=first,
        last_name=last,
        organization_number=organization_number,
        vat_number=f"SE{organization_number.replace('-', '')}01" if is_company else "",
        email=f"faktura{index}@{slug}.example" if is_company else f"kund{index}@post.example",
        phone=f"+46 8 555 {index // 100:02d} {index % 100:02d}",
        street=street,
        street_number=str(1 + chance.randrange(120)),
        postal_code=postal_code,
        city=city,
        country_code=country_code,
        country_name=country_name,
        gln=_gln(index) if index % 5 == 0 else "",
    )


def _luhn_digit(digits: str) -> str:
    """Give the check digit that makes `digits` + it pass Luhn."""
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if position % 2 == 0 else 1)
        total += value - 9 if value > 9 else value  # noqa: PLR2004  (two digits: their sum)
    return str(-total % 10)


def _gln(index: int) -> str:
    digits = f"73500{index:07d}"
    total = sum(int(d) * (3 if position % 2 else 1) for position, d in enumerate(digits))
    return f"{digits}{-total % 10}"
