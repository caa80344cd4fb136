"""Which document a request means: the text that it sends, or one that is known here by an id.

https://github.com/graphql/graphql-over-http, appendix "Persisted Documents", and the extension `persistedQuery` of Apollo's clients.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from hashlib import sha256
from types import MappingProxyType
from typing import Final, Literal

from gateway.errors import InvalidInput, NotPermitted
from gateway.execution import Ask
from gateway.server.asks import NO_QUERY, Asked
from gateway.server.trusted_registrations import Registrations

Trust = Literal["off", "allow", "require"]
_BY_HASH: Final = "sha256:"
_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})


class DocumentNotTrusted(NotPermitted):
    """Only documents of the manifest are taken, and this is none."""

    code = "DOCUMENT_NOT_TRUSTED"

    def __init__(self) -> None:
        super().__init__("only documents that this gateway was given beforehand are taken; this is none of them")


class PersistedQueryNotFound(InvalidInput):
    """No document is known by this id; Apollo's clients look for this message, and send the text then."""

    code = "PERSISTED_QUERY_NOT_FOUND"

    def __init__(self) -> None:
        super().__init__("PersistedQueryNotFound")


class PersistedQueryNotSupported(InvalidInput):
    """Documents have no ids here; Apollo's clients look for this message, and send text from then on."""

    code = "PERSISTED_QUERY_NOT_SUPPORTED"

    def __init__(self) -> None:
        super().__init__("PersistedQueryNotSupported")


@dataclass(frozen=True, slots=True)
class Chosen:
    """What is to be executed; `registers`: the hash by which the text is kept for later requests once it proved valid, or None."""

    ask: Ask
    registers: str | None = None


class TrustedDocuments:
    """The documents that requests may name. `trust` "allow": other documents are taken, too, and kept by their hash; "require": none."""

    def __init__(self, trust: Trust = "off", documents: Mapping[str, str] = _NOTHING) -> None:
        self._trust = trust
        self._by_id = dict(documents)
        self._by_hash = {_hash_of(text): text for text in documents.values()}
        self._registrations = Registrations()

    @property
    def texts(self) -> Collection[str]:
        """The documents of the manifest."""
        return self._by_id.values()

    def choose(self, asked: Asked) -> Chosen:
        """Say which document is meant. Raises `InvalidInput`, and `DocumentNotTrusted`."""
        if self._trust == "off" and asked.query is not None:
            return Chosen(asked.of(asked.query))
        name = _name_of(asked)
        if name is None:
            return Chosen(asked.of(self._unnamed(asked.query)))
        if self._trust == "off":
            raise PersistedQueryNotSupported
        return self._named(name, asked)

    def keep(self, chosen: Chosen) -> None:
        """Keep a document that was executed, if it asked to be kept."""
        if chosen.registers is not None:
            self._registrations.put(chosen.registers, chosen.ask.query)

    def _unnamed(self, query: str | None) -> str:
        if query is None:
            raise InvalidInput(NO_QUERY)
        if self._trust == "require" and _hash_of(query) not in self._by_hash:
            raise DocumentNotTrusted
        return query

    def _named(self, name: str, asked: Asked) -> Chosen:
        known = self._find(name)
        if asked.query is None:
            if known is None:
                raise PersistedQueryNotFound
            return Chosen(asked.of(known))
        if known is None and self._trust == "require":
            raise DocumentNotTrusted
        digest = name.removeprefix(_BY_HASH)
        if asked.query != known and (known is not None or digest != _hash_of(asked.query)):
            raise InvalidInput("the query is not the document that is named beside it")
        return Chosen(asked.of(asked.query), registers=digest if known is None else None)

    def _find(self, name: str) -> str | None:
        """Give the document of a name; the manifest comes first, so that nobody can replace what is in it."""
        digest = name.removeprefix(_BY_HASH)
        return self._by_id.get(name) or self._by_hash.get(digest) or self._registrations.get(digest)


def _hash_of(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def _name_of(asked: Asked) -> str | None:
    """Give the id that a request names; None: it names none."""
    name, extension = asked.document_id, asked.extensions.get("persistedQuery")
    if extension is None:
        return name
    digest = extension.get("sha256Hash") if isinstance(extension, dict) and extension.get("version") == 1 else None
    if not isinstance(digest, str) or not digest:
        raise InvalidInput("extensions.persistedQuery must have version 1 and sha256Hash, as text")
    if name is not None and name.removeprefix(_BY_HASH) != digest:
        raise InvalidInput("documentId and extensions.persistedQuery name different documents")
    return digest
