"""Manifests in the formats of graphql-codegen, Relay and Apollo, and what is none of them."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

import pytest

from gateway.errors import SettingsError
from gateway.server import read_manifest

NAME = "query Name {\n  caller {\n    name\n  }\n}"
SOURCES = "query Sources {\n  sources {\n    key\n  }\n}\n"
CODEGEN = """{
  "1d8e2ac98ce7cbba53a4a7bd3c3fd5a8ef3a8db5": "query Name {\\n  caller {\\n    name\\n  }\\n}",
  "b36d0f9de3b3e0d7a12bbd1c6f1e2a0c1f7a9b11": "query Sources {\\n  sources {\\n    key\\n  }\\n}\\n"
}"""
RELAY = """{
  "3be4abb81fa595e25eb725b2c6a87508": "query Name {\\n  caller {\\n    name\\n  }\\n}",
  "67c2bc2aa3185a209d6651b4feb63c04": "query Sources {\\n  sources {\\n    key\\n  }\\n}\\n"
}"""
APOLLO = """{
  "format": "apollo-persisted-query-manifest",
  "version": 1,
  "operations": [
    {
      "id": "dc67510fb4289672bea757e862d6b00e83db5d3cbbcfb15260601b6f29bb2b8f",
      "name": "Name",
      "type": "query",
      "body": "query Name {\\n  caller {\\n    name\\n  }\\n}"
    },
    { "id": "Sources", "name": null, "type": "query", "body": "query Sources {\\n  sources {\\n    key\\n  }\\n}\\n", "clientName": "web" }
  ]
}"""


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "manifest.json"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


@pytest.mark.parametrize("text", [CODEGEN, RELAY, APOLLO, "\ufeff" + CODEGEN], ids=["codegen", "relay", "apollo", "byte order mark"])
def test_the_documents_of_each_format_are_read_as_they_are_written(tmp_path: Path, text: str) -> None:
    documents = read_manifest(written(tmp_path, text))

    assert list(documents.values()) == [NAME, SOURCES]
    assert next(iter(documents)) in {
        "1d8e2ac98ce7cbba53a4a7bd3c3fd5a8ef3a8db5",
        "3be4abb81fa595e25eb725b2c6a87508",
        "dc67510fb4289672bea757e862d6b00e83db5d3cbbcfb15260601b6f29bb2b8f",
    }


def test_a_manifest_without_documents_is_one(tmp_path: Path) -> None:
    assert read_manifest(written(tmp_path, "{}")) == {}


def test_an_id_that_says_to_be_a_hash_is_taken_where_it_is_one(tmp_path: Path) -> None:
    name = f"sha256:{sha256(NAME.encode()).hexdigest()}"
    assert read_manifest(written(tmp_path, json.dumps({name: NAME}))) == {name: NAME}


NONE_OF_THEM = "it is no manifest: neither an object of ids and documents nor one of the format apollo-persisted-query-manifest, version 1"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it is not JSON in UTF-8"),
        ("query { caller { name } }", "it is not JSON in UTF-8"),
        (b'{"a": "\xff"}', "it is not JSON in UTF-8"),
        ("[" * 100_000, "it is not JSON in UTF-8"),
        ("[]", NONE_OF_THEM),
        ('"text"', NONE_OF_THEM),
        ('{"a": 1}', NONE_OF_THEM),
        ('{"a": {"id": "a", "body": "{ caller { name } }"}}', NONE_OF_THEM),
        ('{"format": "apollo-persisted-query-manifest", "version": 2, "operations": []}', NONE_OF_THEM),
        ('{"format": "another", "version": 1, "operations": []}', NONE_OF_THEM),
        ('{"format": "apollo-persisted-query-manifest", "version": 1, "operations": {}}', NONE_OF_THEM),
        ('{"format": "apollo-persisted-query-manifest", "version": 1, "operations": [{"id": 1, "body": "{ a }"}]}', NONE_OF_THEM),
        ('{"format": "apollo-persisted-query-manifest", "version": 1, "operations": [{"id": "a"}]}', NONE_OF_THEM),
        ('{"format": "apollo-persisted-query-manifest", "version": 1, "operations": ["a"]}', NONE_OF_THEM),
        ('{"a": ""}', "a is an empty document"),
        ('{"a": " \\n"}', "a is an empty document"),
        ('{"": "{ caller { name } }"}', "a document has an empty id"),
        ('{"a": "{ caller { name } }", "a": "{ caller { name } }"}', "a is there twice"),
        (APOLLO.replace('"Sources"', '"dc67510fb4289672bea757e862d6b00e83db5d3cbbcfb15260601b6f29bb2b8f"'), None),
        ('{"' + "i" * 500 + '": ""}', f"{'i' * 100} is an empty document"),
        ('{"a\\nb": ""}', "a?b is an empty document"),
        ('{"a": "{ caller { name } } # \\ud800"}', "a is no text in UTF-8"),
        (json.dumps({"sha256:" + "0" * 64: NAME}), f"sha256:{'0' * 64} is not the hash of its document"),
    ],
)
def test_what_is_no_manifest_is_said_in_one_line(tmp_path: Path, text: str | bytes, why: str | None) -> None:
    path = written(tmp_path, text)

    with pytest.raises(SettingsError) as caught:
        read_manifest(path)

    told = "dc67510fb4289672bea757e862d6b00e83db5d3cbbcfb15260601b6f29bb2b8f is there twice" if why is None else why
    assert caught.value.lines == (f"{path}: {told}",)


def test_a_folder_is_no_manifest(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        read_manifest(tmp_path)

    assert caught.value.lines == (f"{tmp_path}: Is a directory",)
