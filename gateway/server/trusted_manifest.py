"""Reads the manifest of trusted documents, as the tools that make one write it.

An object of ids and documents: https://the-guild.dev/graphql/codegen/plugins/presets/preset-client (`persisted-documents.json`) and
https://relay.dev/docs/guides/persisted-queries/ (`persistConfig.file`). An object with `format` and `operations`:
https://www.apollographql.com/docs/graphos/platform/security/persisted-queries .
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from gateway.errors import SettingsError

_APOLLO: Final = "apollo-persisted-query-manifest"
_BY_HASH: Final = re.compile(r"sha256:([0-9a-f]{64})")
_MOST_SHOWN: Final = 100


class _Mistake(ValueError):
    """What is wrong with a manifest, in a line."""


def read_manifest(path: Path) -> Mapping[str, str]:
    """Read the documents by their ids. Raises `SettingsError` with one line for a file that is no manifest."""
    try:
        return _documents_in(_parse(path.read_bytes()))
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror or 'cannot be read'}") from None
    except _Mistake as mistake:
        raise SettingsError(f"{path}: {mistake}") from None


def show_id(document_id: str) -> str:
    """Give an id as a message may have it: in one line, at most 100 characters of it."""
    return "".join(sign if sign.isprintable() else "?" for sign in document_id[:_MOST_SHOWN])


def _parse(text: bytes) -> Any:  # noqa: ANN401  (any JSON value)
    try:
        return json.loads(text.decode("utf-8-sig"), object_pairs_hook=_without_repetition)
    except _Mistake:
        raise
    except (ValueError, RecursionError):
        raise _Mistake("it is not JSON in UTF-8") from None


def _without_repetition(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, value in pairs:
        _add(found, name, value)
    return found


def _add(found: dict[str, object], name: str, value: object) -> None:
    if name in found:
        raise _Mistake(f"{show_id(name)} is there twice")
    found[name] = value


def _documents_in(value: object) -> Mapping[str, str]:
    if not isinstance(value, dict):
        raise _not_known()
    given = _operations_of(value) if "operations" in value else value
    return {name: _checked(name, text) for name, text in given.items()}


def _operations_of(value: Mapping[str, Any]) -> dict[str, object]:
    rows = value["operations"]
    if value.get("format") != _APOLLO or value.get("version") != 1 or not isinstance(rows, list):
        raise _not_known()
    found: dict[str, object] = {}
    for row in rows:
        if not isinstance(row, dict) or not isinstance(row.get("id"), str):
            raise _not_known()
        _add(found, row["id"], row.get("body"))
    return found


def _checked(name: str, text: object) -> str:
    if not isinstance(text, str):
        raise _not_known()
    if not name:
        raise _Mistake("a document has an empty id")
    if not text.strip():
        raise _Mistake(f"{show_id(name)} is an empty document")
    try:
        digest = sha256(text.encode()).hexdigest()
    except UnicodeEncodeError:  # half a surrogate pair
        raise _Mistake(f"{show_id(name)} is no text in UTF-8") from None
    by_hash = _BY_HASH.fullmatch(name)
    if by_hash is not None and by_hash[1] != digest:
        raise _Mistake(f"{name} is not the hash of its document")
    return text


def _not_known() -> _Mistake:
    return _Mistake(f"it is no manifest: neither an object of ids and documents nor one of the format {_APOLLO}, version 1")
